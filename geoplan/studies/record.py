"""Read a recorded run: from its folder, or from the database."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import Scenario
from geoplan.catalogue.way import TerrainSpec
from geoplan.errors import FileMissing, InputError
from geoplan.store import read
from geoplan.store.session import transaction
from geoplan.studies.document import run_hash

__all__ = ["find_run", "layers_of", "read_document", "site_record"]


def layers_of(scenario: Scenario, profile: Profile, layers: dict[str, LayerSpec]) -> list[str]:
    """Return the ids of every layer that a run reads, sorted.

    Parameters
    ----------
    scenario, profile
        The question and the country: regions, index, rules, criteria, sources.
    layers : dict
        Catalogue, to follow derived rasters to their source.
    """
    names = {level.layer for level in profile.region_levels} | {scenario.area.layer}
    names |= {i.layer for i in profile.index.indicators if i.layer}
    for rule in scenario.exclude:
        names |= {n for n in (rule.layer, rule.raster) if n}
        if rule.extent is not None and rule.extent.layer is not None:
            names.add(rule.extent.layer)
    for criterion in scenario.criteria.values():
        names |= {n for n in (criterion.layer, criterion.raster) if n}
        if criterion.roads is not None:
            names.add(criterion.roads.layer)
        names |= _of_ground(criterion.terrain)
    names |= _of_ground(scenario.supply.terrain)
    if scenario.backtest is not None:
        names.add(scenario.backtest.layer)
    for resource in ("water", "power", "wastewater"):
        names |= set(getattr(scenario.supply, resource).layers)
    names |= {n for n, spec in layers.items() if spec.table == "region_facts"}
    out = set()
    for name in names:
        spec = layers.get(name)
        out.add(spec.derived.source if spec and spec.derived else name)
    return sorted(out)


def _of_ground(terrain: TerrainSpec | None) -> set[str]:
    if terrain is None:
        return set()
    return {terrain.slope, *(barrier.layer for barrier in terrain.barriers)}


def find_run(engine: Engine, catalogue: Catalogue, scenario_name: str) -> read.RunRow | None:
    """Return the newest run of this very question on the layers as they are now, or ``None``."""
    scenario = catalogue.scenario(scenario_name)
    profile = catalogue.profile(scenario.profile)
    with transaction(engine) as session:
        versions = read.layer_versions(session, layers_of(scenario, profile, catalogue.layers()))
        digest = run_hash(scenario, profile, versions)
        for row in read.runs(session):
            if row.hash == digest and row.folder.is_dir():
                return read.run(session, row.id)
    return None


def read_document(folder: Path) -> dict[str, Any]:
    """Return a run folder's ``run.json``.

    Raises
    ------
    FileMissing
        It is not a run folder.
    InputError
        The record is damaged.
    """
    path = folder / "run.json"
    if not path.is_file():
        raise FileMissing(
            "no run.json here", where=str(folder), remedy="name a folder that 'site run' wrote"
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(
            f"run.json cannot be read: {error}", where=str(path), remedy="run the scenario again"
        ) from error
    if not isinstance(document, dict) or "scenario" not in document:
        raise InputError("run.json has no scenario", where=str(path), remedy="run it again")
    return document


def site_record(engine: Engine, run_or_folder: str, site_id: str) -> dict[str, Any]:
    """Return what a run says about one site: its criteria, demand and reasons.

    Parameters
    ----------
    engine : Engine
        Database that holds the run; a folder has no reasons.
    run_or_folder : str
        Run id, or a run folder whose ``run.json`` names it.
    site_id : str
        The site.

    Raises
    ------
    UnknownName
        This database has no such run, or the run no such site.
    """
    folder = Path(run_or_folder)
    run_id = str(read_document(folder)["run_id"]) if folder.is_dir() else run_or_folder
    with transaction(engine) as session:
        return read.candidate(session, run_id, site_id)
