"""Corners of a siting run: locks, other ways of joining values, small plans, places and pairs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from shapely.geometry import Polygon, box
from test_api import client_of
from test_portfolio import _problem
from test_robustness import NEED, VALUES, problem

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.catalogue.alternatives import AlternativesSpec
from geoplan.catalogue.backtest import BacktestSpec
from geoplan.catalogue.scenario import Criterion, ResourceSupply
from geoplan.cli.site_compare import _document
from geoplan.errors import FileMissing, RangeError
from geoplan.grid import Grid
from geoplan.mcda.aggregate import aggregate
from geoplan.siting.backtest import cells_of, summarise
from geoplan.siting.criteria import Measure
from geoplan.siting.exclude import RuleMask, combine
from geoplan.siting.place import NearSite, contiguous_cells, patch_around, place_reasons
from geoplan.siting.portfolio import build, solve
from geoplan.siting.trade_words import trade_reasons
from geoplan.studies import compare, place
from geoplan.studies.backtest import backtest
from geoplan.studies.compare import RunComparison, match_sites
from geoplan.studies.plan_studies import alternative_plans, single_sites

GRID = Grid("EPSG:32639", 500_000.0, 4_000_000.0, 100.0, 6, 6)


def asked(alternatives=None, trade_offs=None):
    return SimpleNamespace(
        seed=0,
        alternatives=alternatives,
        trade_offs=trade_offs,
        portfolio=SimpleNamespace(time_limit_s=60.0),
        aggregation=AggregationSpec(),
    )


# --- locks ------------------------------------------------------------------------------------


def test_locked_sites_have_no_price_and_stop_nothing():
    base = problem()
    locked = type(base)(
        **{**base.__dict__, "lock_in": frozenset({"B"}), "lock_out": frozenset({"C"})}
    )
    plan = solve(build(locked))
    assert set(plan.chosen) == {"A", "B"}  # C, of the best pair, is locked out
    trade = SimpleNamespace(out=True, into=5, gap=0.0, time_limit_s=10.0)
    found = single_sites(locked, plan, asked(trade_offs=trade), plan.served_alone.to_frame())
    table = found.frame.set_index("site_id")
    assert table["direction"].to_dict() == {"A": "out", "D": "in"}
    # without A: B and D, 1.0; with D beside B: the same; the plan is worth 1.05
    assert table["loss"].to_dict() == pytest.approx({"A": 0.05, "D": 0.05})


def test_every_site_locked_still_answers():
    base = problem()
    full = type(base)(**{**base.__dict__, "lock_in": frozenset({"A", "B"})})
    plan = solve(build(full))
    trade = SimpleNamespace(out=True, into=1, gap=0.0, time_limit_s=10.0)
    found = single_sites(full, plan, asked(trade_offs=trade), plan.served_alone.to_frame())
    assert found.frame["status"].tolist() == ["infeasible"]
    spec = AlternativesSpec(count=3, within=0.5)
    other = alternative_plans(full, plan, asked(alternatives=spec))
    assert other.document["ended"] == "infeasible"
    assert "keeps all limits" in other.notices[0].en
    assert "محدودیت" in other.notices[0].fa


def test_a_better_plan_that_comes_to_light_is_told():
    table = pd.DataFrame(
        [
            ("A", "out", "optimal", -0.25, -0.25, ("A",), ("D",)),
            ("B", "in", "optimal", -0.25, -0.25, ("C",), ("B",)),
            ("C", "out", "within-gap", -1e-5, -1e-4, ("C",), ("D",)),
        ],
        columns=["site_id", "direction", "status", "loss", "loss_at_least", "leave", "enter"],
    )
    told = trade_reasons(table)
    assert "worth 0.250 points more" in told["A"].text.en
    assert "۰٫۲۵۰ امتیاز بیشتر" in told["B"].text.fa
    assert "would cost the plan 0.000 points" in told["C"].text.en  # noise of the gap


# --- what is said of other plans ----------------------------------------------------------------


def test_shares_in_percent_keep_their_digits():
    base = problem()
    plan = solve(build(base))
    near = alternative_plans(base, plan, asked(AlternativesSpec(count=2, within=0.001)))
    assert near.document["ended"] == "worth"
    assert "99.9 %" in near.notices[0].en
    assert "۹۹٫۹" in near.notices[0].fa
    wide = alternative_plans(base, plan, asked(AlternativesSpec(count=2, within=0.5)))
    assert "at least 50 % of the best one: 2 found" in wide.notices[0].en


def test_an_unsettled_search_is_not_told_as_a_proof(monkeypatch):
    from geoplan.siting.alternatives import Alternatives
    from geoplan.studies import plan_studies

    base = problem()
    plan = solve(build(base))
    none = Alternatives(pd.DataFrame(columns=["sites"]), "time-limit")
    monkeypatch.setattr(plan_studies, "alternatives", lambda *_, **__: none)
    told = alternative_plans(base, plan, asked(AlternativesSpec())).notices[0]
    assert "not settled" in told.en
    assert "روشن نشد" in told.fa


@pytest.mark.parametrize("count", [1, 2])
def test_studies_of_plans_built_at_levels(count):
    score = (VALUES * [0.5, 0.5]).sum(axis=1)
    base = _problem(
        score.to_dict(),
        {s: {"water": v, "nonpotable": v / 2} for s, v in NEED.items()},
        {("water", "well"): 100.0},
        [(s, "water", "well", 1.0) for s in NEED],
        {"count": count, "levels": [1.0, 0.5]},
        {"water": ResourceSupply(max_km=10.0)},
    )
    plan = solve(build(base))
    spec = AlternativesSpec(count=100, within=1.0)
    other = alternative_plans(base, plan, asked(spec))
    sets = {frozenset(p["sites"]) for p in other.document["plans"]} | {frozenset(plan.chosen)}
    assert len(sets) == {1: 4, 2: 6}[count]  # every set once, whatever its levels
    assert other.document["ended"] == "infeasible"
    losses = [p["loss"] for p in other.document["plans"]]
    assert losses == pytest.approx(sorted(losses))
    assert min(losses) >= -1e-9


# --- back-test ------------------------------------------------------------------------------------


def _backtest(estates, aggregation=None, inside=None):
    east = np.tile(np.linspace(0, 1, 6), (6, 1)).astype(np.float32)
    measures = {
        "east": Measure(_criterion(), east),
        "north": Measure(_criterion(), east.T[::-1].copy()),
    }
    inside = np.ones(GRID.shape, dtype=bool) if inside is None else inside
    spec = aggregation or AggregationSpec()
    score = aggregate(spec, [m.array().copy() for m in measures.values()], [0.5, 0.5])
    score = np.where(inside, score, np.nan).astype(np.float32)
    ground = SimpleNamespace(grid=GRID, frame=lambda *_: estates)
    return backtest(
        ground, BacktestSpec(layer="estates"), measures=measures,
        weights={"east": 0.5, "north": 0.5}, fill={"east": math.nan, "north": math.nan},
        statistics={}, score=score, aggregation=aggregation,
        exclusions=combine([RuleMask("r", np.eye(6, dtype=bool))], inside=inside),
    ), score  # fmt: skip


def _criterion():
    return Criterion.model_validate(
        {"title": {"en": "c", "fa": "م"}, "raster": "x", "measure": "raster", "unit": "share",
         "value": {"kind": "identity"}}
    )  # fmt: skip


def _estates(*cells):
    shapes = [
        box(GRID.x_min + 100 * c, GRID.y_max - 100 * (r + 1), GRID.x_min + 100 * (c + 1),
            GRID.y_max - 100 * r)
        for r, c in cells
    ]  # fmt: skip
    frame = {"key": [str(k) for k in range(len(cells))], "name_en": None, "name_local": None}
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=GRID.crs)


@pytest.mark.parametrize("method", ["weighted_sum", "fuzzy_and", "weighted_product", "owa"])
def test_estates_score_by_the_same_rule_as_the_land(method):
    spec = AggregationSpec.model_validate(
        {"method": method, **({"orness": 0.2} if method == "owa" else {})}
    )
    found, score = _backtest(_estates((0, 5), (5, 0), (2, 4)), spec)
    by_key = {r["key"]: r for r in found["rows"]}
    for key, cell in (("0", (0, 5)), ("1", (5, 0)), ("2", (2, 4))):
        assert by_key[key]["score"] == pytest.approx(float(score[cell]), abs=1e-6)
    half = (1 - 0.5 / 36) * 100
    assert by_key["0"]["percentile"] == pytest.approx(half)  # the best cell, tied with itself


def test_estates_outside_the_area_have_no_score():
    inside = np.ones(GRID.shape, dtype=bool)
    inside[:, :3] = False
    found, _ = _backtest(_estates((2, 2), (0, 5), (4, 4)), inside=inside)
    by_key = {r["key"]: r for r in found["rows"]}
    assert math.isnan(by_key["0"]["score"])
    assert by_key["0"]["area_ha"] == 0
    assert (found["estates"], found["unscored"]) == (2, 1)
    assert found["excluded"] == pytest.approx(0.5)  # (4, 4) of the two in the area
    assert cells_of(_estates((2, 2)).geometry.to_numpy(), GRID, inside=inside).cells.size == 0


def test_sentences_of_few_estates():
    none = summarise([math.nan, math.nan], {"r": [math.nan, math.nan]}).text()
    assert none.en.startswith("None of the 2 existing estates")
    one = summarise([60.0], {}).text()
    for text in (none.en, none.fa, one.en, one.fa):
        assert "nan" not in text
    assert "above 60.0 %" in one.en


# --- places ---------------------------------------------------------------------------------------


def _raster(path: Path, score: np.ndarray) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", height=score.shape[0], width=score.shape[1], count=1,
        dtype="float32", crs="EPSG:32639", nodata=math.nan,
        transform=Affine(100.0, 0.0, 500_000.0, 0.0, -100.0, 4_000_000.0),
    ) as out:  # fmt: skip
        out.write(score.astype(np.float32), 1)
    return path


def _lon_lat(row: int, col: int) -> tuple[float, float]:
    at = gpd.GeoSeries(
        gpd.points_from_xy([500_050.0 + 100 * col], [3_999_950.0 - 100 * row]), crs="EPSG:32639"
    ).to_crs("EPSG:4326")
    return float(at.x.iloc[0]), float(at.y.iloc[0])


def test_land_around_a_place_is_read_by_windows(tmp_path, monkeypatch):
    # A strip one cell high that runs across the grid, and a closed patch of nine cells.
    score = np.full((300, 600), np.nan)
    score[150] = 0.5
    score[10:13, 10:13] = 0.7
    path = _raster(tmp_path / "suitability.tif", score)
    sizes = []
    whole = rasterio.io.DatasetReader.read

    def read(self, *args, **kwargs):
        out = whole(self, *args, **kwargs)
        sizes.append(out.size)
        return out

    monkeypatch.setattr(place, "_FIRST_CELLS", 8)
    monkeypatch.setattr(rasterio.io.DatasetReader, "read", read, raising=False)
    small = place._ground(path, *_lon_lat(11, 11), 1_000_000.0)
    assert small == (pytest.approx(0.7), pytest.approx(9.0))
    assert place._ground(path, *_lon_lat(150, 300), 40.0)[1] == pytest.approx(40.0)
    assert place._ground(path, *_lon_lat(150, 300), 10_000.0)[1] == pytest.approx(600.0)
    monkeypatch.setattr(place, "_MOST_CELLS", 16)
    assert math.isnan(place._ground(path, *_lon_lat(150, 300), 10_000.0)[1])  # not known, not less
    assert math.isnan(place._ground(path, *_lon_lat(0, 0), 10.0)[0])


def test_an_enormous_candidate_does_not_read_the_country(tmp_path):
    score = np.full((200, 200), np.nan)
    score[90:110, 90:110] = 0.5
    path = _raster(tmp_path / "suitability.tif", score)
    assert place._ground(path, *_lon_lat(100, 100), 1e9)[1] == pytest.approx(400.0)


def test_a_patch_says_whether_it_reaches_the_edge():
    land = np.zeros((5, 5), dtype=bool)
    land[2, 1:4] = True
    assert patch_around(land, 2, 2, at_most=9) == (3, False)
    land[2, 4] = True
    assert patch_around(land, 2, 2, at_most=9) == (4, True)
    assert patch_around(land, 0, 0, at_most=9) == (0, False)
    assert contiguous_cells(land, 2, 2, at_most=2) == 2


# --- two runs -------------------------------------------------------------------------------------


def _ranked(**rows):
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["rank", "score", "in_portfolio"])
    return table.rename_axis("site_id")


def test_a_site_without_a_counterpart_has_none_not_nan():
    places = pd.DataFrame({"before": ["a"], "after": ["x"], "overlap": [0.9]})
    found = compare._plan(
        _ranked(a=(1, 0.9, True), b=(2, 0.8, True)),
        _ranked(x=(1, 0.9, True), y=(2, 0.7, True)),
        places,
    )
    assert found["before"].tolist() == ["a", "b", None]
    assert found["after"].tolist() == ["x", None, "y"]
    assert found["change"].tolist() == ["kept", "left", "entered"]
    weights = pd.DataFrame({"criterion": ["c"], "before": [np.nan], "after": [1.0]})
    whole = RunComparison("1", "2", (), (), (), (), weights, (), found, 1, math.nan)
    document = _document(whole)
    assert document["sites"][1]["after"] is None
    assert document["weights"][0]["before"] is None
    empty = compare._plan(_ranked(a=(1, 0.9, False)), _ranked(x=(1, 0.9, False)), places.iloc[:0])
    assert list(empty.columns)[:2] == ["before", "after"]
    assert len(empty) == 0


def test_an_outline_that_crosses_itself_is_still_matched():
    bow = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    assert not bow.is_valid
    one = gpd.GeoSeries([bow, box(10, 0, 12, 2)], index=["a", "b"], crs="EPSG:32639")
    two = gpd.GeoSeries([bow, box(10, 0, 12, 2)], index=["x", "y"], crs="EPSG:32639")
    found = match_sites(one, two)
    assert found["before"].tolist() == ["a", "b"]
    assert found["overlap"].tolist() == pytest.approx([1.0, 1.0])
    assert found["overlap"].max() <= 1


# --- the place route ------------------------------------------------------------------------------


def test_land_that_scores_the_same_is_not_below():
    score = np.array([[0.0, 0.0, 0.0, 0.7], [0.7, 0.7, 0.1, np.nan]], dtype=np.float32)
    document = {"score_shares": place.score_shares(score)}
    for value, below in ((0.0, 0.0), (0.1, 3 / 7), (0.7, 4 / 7), (1.0, 1.0)):
        found = place._percentile(document, float(np.float32(value)))
        assert found == pytest.approx(100 * below), value
    text = place_reasons(inside=True, score=0.9, percentile=99.97, holds=_near())[0].text
    assert "above 99.9 % of the allowed land" in text.en
    assert "۹۹٫۹" in text.fa


def _near():
    return NearSite("S1", 1, 0.9, 0.0, in_portfolio=True)


def test_a_damaged_file_is_told_by_its_name(tmp_path):
    scenario = {"candidates": {"area_ha": [10, 20], "spacing_km": 1}}
    (tmp_path / "run.json").write_text(json.dumps({"scenario": scenario}))
    with pytest.raises(FileMissing, match=r"the run has no exclusions\.tif"):
        place.why_place(tmp_path, 51.0, 35.0)
    (tmp_path / "exclusions.tif").write_bytes(b"II*\0broken")
    with pytest.raises(FileMissing) as told:
        place.why_place(tmp_path, 51.0, 35.0)
    assert told.value.what == "exclusions.tif cannot be read"
    for lon in (math.nan, math.inf, 181.0):
        with pytest.raises(RangeError):
            place.why_place(tmp_path, lon, 35.0)


def test_the_place_route_refuses_what_is_no_place(database, tmp_path):
    with client_of(database, tmp_path) as client:
        run = client.get("/api/runs").json()[0]["id"]
        for query in (
            "lon=nan&lat=0",
            "lon=inf&lat=0",
            "lon=200&lat=0",
            "lon=1e400&lat=0",
            "lat=0",
        ):
            assert client.get(f"/api/runs/{run}/place?{query}").status_code == 400, query
        lost = client.get(f"/api/runs/{run}/place?lon=51&lat=35")
        assert lost.status_code == 404
        assert str(tmp_path) not in lost.text
        assert client.get("/api/runs/none/place?lon=51&lat=35").status_code == 404
        assert client.get("/api/runs/..%2f..%2fetc/place?lon=51&lat=35").status_code in (400, 404)
