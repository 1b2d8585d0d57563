"""A siting run: read layers, compute, write a folder and the database, all or nothing."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from geoplan.catalogue import Catalogue, Profile, Scenario
from geoplan.errors import Problem, ProblemsFound
from geoplan.partial import full_disk_told, held
from geoplan.report import require_assets, write_run_folder
from geoplan.settings import Settings
from geoplan.siting.result import SitingResult
from geoplan.store import read
from geoplan.store.run import put_run
from geoplan.store.session import address_of, normal_url, transaction
from geoplan.studies.compute import compute
from geoplan.studies.document import canonical, run_document, run_hash
from geoplan.studies.publish import files_in, publish, refuse_taken, settle
from geoplan.studies.record import layers_of
from geoplan.studies.scenario import problems_of
from geoplan.studies.steps import Progress, Steps, silent

__all__ = ["RunOutcome", "compute_and_write", "run_site"]


_BESIDE = ("ranking", "equity", "alternatives", "trade_offs", "robustness", "backtest")


@dataclass(frozen=True)
class RunOutcome:
    """A finished run.

    Parameters
    ----------
    run_id : str
        Its name in the database.
    folder : Path
        Its files.
    result : SitingResult
        What was found, in memory.
    """

    run_id: str
    folder: Path
    result: SitingResult


def run_site(
    engine: Engine,
    settings: Settings,
    catalogue: Catalogue,
    scenario_name: str,
    *,
    profile: str | None = None,
    out: Path | None = None,
    plan_only: bool = False,
    progress: Progress = silent,
) -> RunOutcome:
    """Run a scenario and keep it: a folder of files and rows in the database.

    Parameters
    ----------
    engine : Engine
        Database with the layers loaded.
    settings : Settings
        Where runs are written.
    catalogue : Catalogue
        Layers, profiles and scenarios.
    scenario_name : str
        Scenario by id or by path.
    profile : str, optional
        Profile by id or path; absent: the one that the scenario names.
    out : Path, optional
        Folder to write; absent: a new one under ``settings.runs_dir``.
    plan_only : bool
        Leave out what the scenario asks beside the plan; the recorded scenario is then the one
        without it.
    progress : callable
        Told each step.

    Returns
    -------
    RunOutcome
        Also where no plan exists: its status is ``infeasible`` and its relaxations say why.

    Raises
    ------
    ProblemsFound
        The scenario does not fit profile, catalogue or loaded layers; nothing was run.
    InputError
        ``out`` exists and is not empty.
    DatabaseLost, DiskFull
        Neither folder nor rows were kept.
    """
    scenario = catalogue.scenario(scenario_name)
    if plan_only:
        scenario = scenario.model_copy(update=dict.fromkeys(_BESIDE))
    country = catalogue.profile(profile or scenario.profile)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    run_id = f"{scenario.id}-{stamp}-{secrets.token_hex(2)}"
    target = (out if out is not None else settings.runs_dir / run_id).resolve()
    # The private database may change its port; its home does not change.
    url = settings.database_url
    owner = str(settings.home) if url is None else address_of(normal_url(url))
    refuse_taken(target)
    require_assets()
    with full_disk_told(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        settle(engine, target.parent, owner=owner)
    with full_disk_told(target), held(target) as partial:
        files = files_in(partial)
        result, document = compute_and_write(
            engine, catalogue, scenario, country, files, run_id=run_id, progress=progress
        )
        with publish(engine, files, target, run_id, owner=owner) as session:
            put_run(
                session,
                run_id=run_id,
                run_hash=str(document["hash"]),
                result=result,
                document=document,
                folder=target,
            )
    return RunOutcome(run_id, target, result)


def compute_and_write(
    engine: Engine,
    catalogue: Catalogue,
    scenario: Scenario,
    profile: Profile,
    folder: Path,
    *,
    run_id: str,
    expected: dict[str, str] | None = None,
    progress: Progress = silent,
) -> tuple[SitingResult, dict[str, Any]]:
    """Compute a run and write its files into an existing empty folder; the database is only read.

    Parameters
    ----------
    expected : dict, optional
        Layer id → sha256 that the layers must have (a replay).

    Returns
    -------
    tuple of SitingResult and dict
        The run and its document, with the checksums of the files under ``files``.
    """
    steps = Steps(progress)
    layers = catalogue.layers()
    wanted = layers_of(scenario, profile, layers)
    with transaction(engine) as session:
        versions = read.layer_versions(session, wanted)
        problems = problems_of(scenario, profile, layers, versions)
        if expected is not None:
            problems += _changed(versions, expected)
        if problems:
            n = len(problems)
            raise ProblemsFound(
                f"scenario '{scenario.id}' has {n} problem{'s' if n > 1 else ''}; nothing was run",
                problems,
            )
        result, formula = compute(session, layers, scenario, profile, versions, steps=steps)
    digest = run_hash(scenario, profile, versions)
    sha = hashlib.sha256(
        canonical(scenario.model_dump(mode="json", by_alias=True)).encode()
    ).hexdigest()
    result = replace(result, timings=tuple(steps.timings))
    document = run_document(
        result, run_id=run_id, digest=digest, scenario_sha256=sha, formula=formula
    )
    with steps.step("write files"), full_disk_told(folder):
        files = write_run_folder(folder, result, document)
    result = replace(result, timings=tuple(steps.timings))
    return result, {**document, "files": files}


def _changed(versions: dict[str, dict[str, Any]], expected: dict[str, str]) -> list[Problem]:
    """Return a problem for each layer whose data are not those of the recorded run."""
    out = []
    for name, sha in sorted(expected.items()):
        now = str(versions.get(name, {}).get("sha256"))
        if now != sha:
            out.append(
                Problem(
                    f"layers.{name}",
                    f"the run read data {sha[:12]}, now loaded is {now[:12]}",
                    "load the same files again, then replay",
                    code="changed",
                )
            )
    return out
