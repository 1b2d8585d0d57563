"""A run from layers to folder, database and back, on a small synthetic country."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.store import read
from geoplan.store.session import transaction
from geoplan.studies.document import run_hash
from geoplan.studies.pack import load_pack
from geoplan.studies.record import find_run, layers_of, site_record
from geoplan.studies.replay import replay_run
from geoplan.studies.site import RunOutcome, run_site
from geoplan.studies.verify import verify_folder

CATALOGUE = Catalogue.standard()
CSV = ("ranking.csv", "portfolio.csv", "supply.csv", "sources.csv", "exclusions.csv")


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small") / "country", size="small").folder


@pytest.fixture
def loaded(delivery: Path, database: Engine, settings: Settings) -> Iterator[Engine]:
    pack = str(delivery / "pack.yaml")
    load_pack(database, settings, CATALOGUE, pack, delivery, loaded_by="test")
    yield database


def scenario(folder: Path, **change: Any) -> str:
    """Write the sample's scenario, cut down to the small country; return its path."""
    data = yaml.safe_load(CATALOGUE.scenario_path("sample_large_estates").read_text("utf-8"))
    data["id"] = "small"
    data["grid"]["cell_m"] = 500
    data["candidates"].update(area_ha=[150, 400], seeds=400, keep=60, spacing_km=1)
    data["portfolio"].update(count=2, spacing_km=4, less_industrialised_share_min=0.0)
    for path, value in change.items():
        target = data
        *parents, last = path.split("__")
        for part in parents:
            target = target[part]
        target[last] = value
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")
    return str(path)


def run(engine: Engine, settings: Settings, question: str) -> RunOutcome:
    return run_site(engine, settings, CATALOGUE, question)


def test_the_same_question_gives_the_same_bytes_and_can_be_replayed(
    loaded: Engine, settings: Settings, tmp_path: Path
) -> None:
    question = scenario(tmp_path)
    assert find_run(loaded, CATALOGUE, question) is None
    first, second = run(loaded, settings, question), run(loaded, settings, question)
    assert first.result.solver.status in ("optimal", "within-gap")
    for name in CSV:
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes(), name
    found = find_run(loaded, CATALOGUE, question)
    assert found is not None
    assert found.id in (first.run_id, second.run_id)
    report = replay_run(loaded, CATALOGUE, first.folder)
    assert report.identical, [f.name for f in report.files if not f.same]
    checked = verify_folder(first.folder)
    assert checked.passed, [c for c in checked.checks if not c.passed]

    record = site_record(loaded, str(first.folder), str(first.result.portfolio["site_id"][0]))
    assert record["in_portfolio"]
    assert sum(c["contribution"] for c in record["criteria"]) == pytest.approx(record["score"])
    for reason in record["reasons"]:
        assert reason["text"]["en"]
        assert reason["text"]["local"] or reason["text"].get("fa")

    document = json.loads((first.folder / "run.json").read_text("utf-8"))
    assert list(document["scenario"]["criteria"]) == list(first.result.scenario.criteria)
    assert document["synthetic"] is True
    assert document["assumed"] is True
    for name in ("map.html", "report.html"):
        text = (first.folder / name).read_text("utf-8")
        assert "assumed" in text
        assert "فرضی" in text
        assert "ساختگی" in text
    supply = pd.read_csv(first.folder / "supply.csv")
    assert set(supply["basis"]) <= {"metered", "licensed", "assumed"}


def test_where_no_plan_exists_the_limits_are_named_and_moving_them_helps(
    loaded: Engine, settings: Settings, tmp_path: Path
) -> None:
    tight = {
        "portfolio__count": 3,
        "portfolio__per_region_max": 1,
        "portfolio__less_industrialised_share_min": 1.0,
        "portfolio__budget": 1.0,
    }
    lost = run(loaded, settings, scenario(tmp_path, **tight))
    assert lost.result.solver.status == "infeasible"
    assert len(lost.result.portfolio) == 0
    moves = {r.limit: r for r in lost.result.relaxations}
    assert "budget" in moves
    assert all(r.label and r.label_fa and r.unit for r in moves.values())
    assert (lost.folder / "ranking.csv").is_file()
    with transaction(loaded) as session:
        kept = read.run(session, lost.run_id)
    assert kept.status == "infeasible"

    relaxed = dict(tight)
    relaxed["portfolio__budget"] = moves["budget"].needed * 1.0001
    if "quota" in moves:
        relaxed["portfolio__less_industrialised_share_min"] = moves["quota"].needed / 3
    caps = [r.needed for name, r in moves.items() if name.startswith("region-cap")]
    if caps:
        relaxed["portfolio__per_region_max"] = int(max(caps))
    if "spacing" in moves:
        relaxed["portfolio__spacing_km"] = moves["spacing"].needed
    if not any(name.startswith(("headroom", "supply")) for name in moves):
        again = run(loaded, settings, scenario(tmp_path, **relaxed))
        assert again.result.solver.status != "infeasible"
        assert len(again.result.portfolio) == 3


def test_the_hash_of_a_run_holds_question_rules_and_data(loaded: Engine, tmp_path: Path) -> None:
    profile = CATALOGUE.profile("sample")
    question = CATALOGUE.scenario(scenario(tmp_path))
    wanted = layers_of(question, profile, CATALOGUE.layers())
    with transaction(loaded) as session:
        versions = read.layer_versions(session, wanted)
    base = run_hash(question, profile, versions)
    assert run_hash(question, profile, versions) == base

    other = CATALOGUE.scenario(scenario(tmp_path, portfolio__count=1))
    assert run_hash(other, profile, versions) != base
    backwards = dict(reversed(question.criteria.items()))
    assert run_hash(question.model_copy(update={"criteria": backwards}), profile, versions) != base
    coefficients = dict(profile.coefficients)
    loss = coefficients["network_loss"]
    coefficients["network_loss"] = loss.model_copy(update={"value": loss.value + 0.01})
    wetter = profile.model_copy(update={"coefficients": coefficients})
    assert run_hash(question, wetter, versions) != base
    for name in versions:
        changed = {**versions, name: {**versions[name], "sha256": "0" * 64}}
        assert run_hash(question, profile, changed) != base, name
