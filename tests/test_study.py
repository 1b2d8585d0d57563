"""A run from layers to folder, database and back, on a small synthetic country."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio
import yaml
from sqlalchemy import Engine

from geoplan.catalogue import Catalogue
from geoplan.errors import RangeError
from geoplan.raster.kernel import threads_limited
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.store import read
from geoplan.store.serve.runs import studies, study
from geoplan.store.session import transaction
from geoplan.studies.document import run_hash
from geoplan.studies.pack import load_pack
from geoplan.studies.place import why_place
from geoplan.studies.record import find_run, layers_of, site_record
from geoplan.studies.replay import replay_run
from geoplan.studies.site import RunOutcome, run_site
from geoplan.studies.verify import verify_folder

CATALOGUE = Catalogue.standard()
CSV = (
    "ranking.csv", "portfolio.csv", "supply.csv", "sources.csv", "exclusions.csv",
    "exclusions_by_region.csv", "methods.csv", "smaa.csv", "pareto.csv", "alternatives.csv",
    "trade_offs.csv", "exclusions.tif", "decisive.tif", "suitability.tif",
)  # fmt: skip


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
    data["robustness"].update(draws=500, plans=4)
    data["equity"].update(points=3)
    data["trade_offs"].update(into=2)
    data["alternatives"].update(count=2, within=0.5)
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
    with threads_limited(1):  # another number of threads, the same bytes
        report = replay_run(loaded, CATALOGUE, first.folder)
    assert report.identical, [f.name for f in report.files if not f.same]
    assert {f.name for f in report.files} >= {"smaa.csv", "pareto.csv", "exclusions.tif"}
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


def test_what_is_asked_beside_the_plan(loaded: Engine, settings: Settings, tmp_path: Path) -> None:
    outcome = run(loaded, settings, scenario(tmp_path))
    result, folder = outcome.result, outcome.folder
    with transaction(loaded) as session:
        assert studies(session, outcome.run_id) == sorted(
            ["alternatives", "backtest", "inclusion", "methods", "pareto", "smaa", "trade_offs",
             "values"]
        )  # fmt: skip
        front = study(session, outcome.run_id, "pareto")
    assert len(front["points"]) == len(result.pareto) >= 1
    chosen = result.candidates[result.candidates["in_portfolio"]]
    assert chosen["inclusion_acceptability"].between(0, 1).all()
    assert result.candidates["inclusion_acceptability"].sum() == pytest.approx(2)  # two sites each
    assert (result.smaa["top_acceptability"].between(0, 1)).all()
    kept_out = pd.read_csv(folder / "trade_offs.csv").query("direction == 'out'")
    assert set(kept_out["site_id"]) == set(chosen.index)
    assert (kept_out["loss"].dropna() >= -1e-9).all()
    others = pd.read_csv(folder / "alternatives.csv")
    assert (others["loss"] >= -1e-9).all()
    for site in chosen.index:
        codes = [r.code for r in result.reasons[site]]
        assert codes.count("keep-out") == 1
        assert codes.count("inclusion") == 1
    by_region = pd.read_csv(folder / "exclusions_by_region.csv", dtype={"code": str})
    whole = result.exclusions.set_index("rule")["area_ha_alone"]
    first = by_region[by_region["level"] == 1].groupby("rule")["area_ha_alone"].sum()
    # Land in no region is counted nationally alone.
    assert (first <= whole[first.index] + 0.01 * len(by_region)).all()
    site = chosen.iloc[0]
    inside = why_place(folder, site["lon"], site["lat"])
    assert inside.site_id == chosen.index[0]
    assert inside.score == pytest.approx(
        _pixel(folder / "suitability.tif", site["lon"], site["lat"])
    )
    assert [r.code for r in inside.reasons] == ["score", "in-candidate"]
    town = _removed(result, folder)
    removed = why_place(folder, *town)
    assert {r.code for r in removed.reasons} == {"rule"}
    assert [r.code for r in why_place(folder, 0.0, 0.0).reasons] == ["outside"]
    with pytest.raises(RangeError):
        why_place(folder, 200.0, 0.0)


def _pixel(path: Path, lon: float, lat: float) -> float:
    with rasterio.open(path) as source:
        x, y = pyproj.Transformer.from_crs(4326, source.crs, always_xy=True).transform(lon, lat)
        return float(next(source.sample([(x, y)]))[0])


def _removed(result: Any, folder: Path) -> tuple[float, float]:
    """Return a place inside the area that some rule removes."""
    row, col = np.argwhere((result.rules.bits > 0) & result.rules.inside)[0]
    x, y = result.grid.centre_xy(row, col)
    back = pyproj.Transformer.from_crs(result.grid.crs, 4326, always_xy=True)
    lon, lat = back.transform(float(x), float(y))
    return lon, lat


def test_a_run_without_what_stands_beside_the_plan(
    loaded: Engine, settings: Settings, tmp_path: Path
) -> None:
    question = scenario(tmp_path)
    outcome = run_site(loaded, settings, CATALOGUE, question, plan_only=True)
    assert not (outcome.folder / "smaa.csv").exists()
    assert outcome.result.candidates["inclusion_acceptability"].isna().all()
    assert set(outcome.result.documents) == {"values"}
    assert verify_folder(outcome.folder).passed


def test_demand_by_the_pattern_of_the_region(
    loaded: Engine, settings: Settings, tmp_path: Path
) -> None:
    question = scenario(tmp_path, demand__mix_by_region="sample")
    outcome = run_site(loaded, settings, CATALOGUE, question, plan_only=True)
    frame = outcome.result.candidates
    per_ha = frame["water_m3_per_day"] / frame["usable_ha"]
    level = outcome.result.demand_mixes["level"]
    by_region = per_ha.groupby(frame[f"region{level}_code"])
    assert by_region.std().max() < 1e-4  # one mix a region
    assert by_region.mean().nunique() > 1  # and not the same everywhere
    checked = verify_folder(outcome.folder)
    assert checked.passed, [c for c in checked.checks if not c.passed]


@pytest.mark.parametrize(
    "aggregation", [{"method": "owa", "orness": 0.3}, {"method": "fuzzy_gamma", "gamma": 0.9}]
)
def test_other_ways_of_joining_values(
    loaded: Engine, settings: Settings, tmp_path: Path, aggregation: dict[str, Any]
) -> None:
    question = scenario(tmp_path, aggregation=aggregation)
    outcome = run_site(loaded, settings, CATALOGUE, question, plan_only=True)
    checked = verify_folder(outcome.folder)
    assert checked.passed, [c for c in checked.checks if not c.passed]
    parts = outcome.result.candidates.filter(like="contribution_").sum(axis=1)
    assert not np.allclose(parts, outcome.result.candidates["score"], atol=1e-3)


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
