"""The land part of a run in strips: the same bytes as the whole, and when a worker is lost."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan import raster
from geoplan.catalogue.scenario import Criterion, ExclusionRule
from geoplan.errors import EmptyLayer, RangeError, ShapeError, Unavailable, UnknownName
from geoplan.expression import select
from geoplan.grid import Grid
from geoplan.raster.distance import distance_in_strip, distance_m, strip_borders, within
from geoplan.siting.criteria import Measure, Suitability, suitability
from geoplan.siting.exclude import Exclusions, combine
from geoplan.siting.tiles import in_strips, sum_within_strip
from geoplan.studies.exclusion import rule_masks
from geoplan.studies.measure import measured
from geoplan.studies.surface import Ground
from geoplan.studies.tiled import tiled_suitability
from geoplan.studies.tiled_case import land_plan
from geoplan.studies.tiled_plan import LandPlan

CRS = "+proj=laea +lat_0=32 +lon_0=53 +datum=WGS84 +units=m"
GRID = Grid(CRS, -7_013.0, 4_017.0, 100.0, 118, 91)


def strip_grid(grid: Grid, start: int, stop: int) -> Grid:
    return next(s for s in in_strips(grid, rows=stop - start) if s.start == start).of(grid)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 40), st.integers(0, 2**31))
def test_distance_by_strips_is_the_distance(rows: int, cols: int, high: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(CRS, 0.0, 0.0, float(rng.choice([30.0, 37.3, 500.0])), rows, cols)
    present = rng.random((rows, cols)) < rng.choice([0.0, 0.003, 0.05, 0.5])
    strips = in_strips(grid, rows=high)
    above, below = strip_borders(present, np.array([s.start for s in strips]))
    parts = [
        distance_in_strip(
            present[s.start : s.stop], above[s.index], below[s.index], cell_m=grid.cell_m
        )
        for s in strips
    ]
    assert np.vstack(parts).tobytes() == distance_m(present, grid).tobytes()


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**31))
def test_reach_is_where_the_distance_is_not_above(rows: int, cols: int, seed: int) -> None:
    """Also when the limit is a distance that occurs, and when nothing is present."""
    rng = np.random.default_rng(seed)
    grid = Grid(CRS, 0.0, 0.0, float(rng.choice([30.0, 37.3, 500.0])), rows, cols)
    present = rng.random((rows, cols)) < rng.choice([0.0, 0.003, 0.05, 0.5])
    distance = distance_m(present, grid)
    for limit in (0.0, 141.5, 1e9, float(rng.choice(distance.ravel()))):
        np.testing.assert_array_equal(within(present, limit, grid), distance <= limit)


def test_density_by_strips_is_the_density() -> None:
    rng = np.random.default_rng(5)
    x = np.round(rng.uniform(-9_000, 4_000, 300) / 50) * 50 + GRID.x_min % 50
    y = np.round(rng.uniform(-9_000, 6_000, 300) / 50) * 50 + GRID.y_max % 50
    w = rng.random(300)
    whole = raster.sum_within(x, y, w, radius_m=1_500, grid=GRID)
    for rows in (1, 17, 118):
        parts = [
            sum_within_strip(x, y, w, radius_m=1_500, grid=GRID, strip=s)
            for s in in_strips(GRID, rows=rows)
        ]
        assert np.vstack(parts).tobytes() == whole.tobytes()


def test_a_line_takes_another_path_in_a_strip() -> None:
    """Why features are shared out and not the grid: lines between corners and middles of cells."""
    rng = np.random.default_rng(0)
    differ = 0
    for _ in range(20):
        corners = np.round(rng.uniform(-20, 140, (12, 2)) * 2) / 2
        line = shapely.LineString(corners * [100, -100] + [GRID.x_min, GRID.y_max])
        whole = raster.rasterise([line], GRID)
        parts = [raster.rasterise([line], s.of(GRID)) for s in in_strips(GRID, rows=17)]
        differ += int((np.vstack(parts) != whole).sum())
    assert differ > 0, "the scan conversion no longer depends on the frame: strips would do"


class InMemory(Ground):
    """The whole grid in one process, without a database."""

    def __init__(self, plan: LandPlan, rasters: dict[str, np.ndarray]) -> None:
        nothing: Any = None
        super().__init__(nothing, {}, plan.grid, nothing, nothing, 0)
        self.plan = plan
        self._rasters.update(rasters)

    def frame(self, layer: str, where: str | None = None) -> gpd.GeoDataFrame:
        frame = self.plan.frames[layer]
        return frame[select(where, frame)] if where else frame


def whole(plan: LandPlan, rasters: dict[str, np.ndarray]) -> tuple[Exclusions, Suitability]:
    """What the run computes in one process."""
    ground = InMemory(plan, rasters)
    inside = raster.rasterise(plan.area, plan.grid)

    exclusions = combine(
        rule_masks(ground, plan.rules), inside=inside, usable_share_min=plan.usable_share_min
    )

    def raw(name: str) -> np.ndarray:
        criterion = plan.criteria[name]
        if criterion.measure == "region":
            have = plan.regions[name].dropna(subset="value")
            return raster.rasterise(
                have.geometry,
                plan.grid,
                values=have["value"].to_numpy(np.float32),
                fill=np.nan,
                dtype=np.float32,
            )
        return measured(ground, criterion, pd.DataFrame())

    measures = {
        name: Measure(criterion, lambda name=name: raw(name))
        for name, criterion in plan.criteria.items()
    }
    return exclusions, suitability(measures, plan.weights, exclusions.allowed)


def made_plan(folder: Path, *, all_land: bool) -> tuple[LandPlan, dict[str, np.ndarray]]:
    """A small country with features on the corners of cells, rasters, regions and a density."""
    rng = np.random.default_rng(7)
    box = np.array(GRID.bounds)

    def points(n: int) -> np.ndarray:
        xy = np.column_stack([rng.uniform(box[0], box[2], n), rng.uniform(box[1], box[3], n)])
        return np.round((xy - [GRID.x_min, GRID.y_max]) / 50) * 50 + [GRID.x_min, GRID.y_max]

    roads = gpd.GeoDataFrame(
        {"class": ["motorway", "track"] * 8},
        geometry=[shapely.LineString(points(4)) for _ in range(16)],
        crs=CRS,
    )
    towns = gpd.GeoDataFrame(
        {"people": rng.integers(1, 900, 30)}, geometry=shapely.points(points(30)), crs=CRS
    )
    parks = gpd.GeoDataFrame(
        geometry=[shapely.Point(*p).buffer(450, quad_segs=3) for p in points(5)], crs=CRS
    )
    slope = rng.uniform(0, 30, GRID.shape).astype(np.float32)
    slope[rng.random(GRID.shape) < 0.03] = np.nan
    soil = rng.integers(0, 6, GRID.shape).astype(np.float32)
    folder.mkdir()
    np.save(folder / "slope.npy", slope)
    with rasterio.open(
        folder / "soil.tif", "w", driver="GTiff", width=GRID.cols, height=GRID.rows, count=1,
        dtype="int16", crs=CRS, transform=rasterio.Affine(*GRID.transform), nodata=0,
    ) as out:  # fmt: skip
        out.write(soil.astype(np.int16), 1)
    soil[soil == 0] = np.nan
    third = (box[2] - box[0]) / 3
    regions = gpd.GeoDataFrame(
        {"value": [0.2, np.nan, 0.9]},
        geometry=[
            shapely.box(box[0] + k * third, box[1], box[0] + (k + 1) * third, box[3])
            for k in range(3)
        ],
        crs=CRS,
    )
    linear: dict[str, Any] = {"kind": "linear", "best": 0, "worst": 3}
    policy = "mean" if all_land else "zero"
    steep = {"kind": "linear"} if all_land else {"kind": "linear", "best": 0, "worst": 30}
    criteria = {
        "road": {"measure": "distance", "layer": "roads", "unit": "km", "value": linear,
                 "where": "class == 'motorway'"},
        "town": {"measure": "distance", "layer": "towns", "unit": "m",
                 "value": {"kind": "sigmoid", "midpoint": 1000, "spread": -700}},
        "slope": {"measure": "raster", "raster": "slope", "value": steep, "missing": policy},
        "soil": {"measure": "raster", "raster": "soil", "invert": True,
                 "value": {"kind": "categorical", "values": {1: 1, 2: 0.7, 3: 0.1}, "other": 0}},
        "people": {"measure": "density", "layer": "towns", "weight_field": "people",
                   "radius_km": 1.5, "value": {"kind": "linear", "best": 3000, "worst": 0}},
        "lines": {"measure": "line_density", "layer": "roads", "radius_km": 1.0,
                  "value": {"kind": "linear", "best": 4, "worst": 0}},
        "index": {"measure": "region", "index": "industrialisation", "missing": policy},
    }  # fmt: skip
    rules = [
        {"id": "parks", "layer": "parks", "within_m": 200},
        {"id": "far", "layer": "roads", "where": "class == 'motorway'", "beyond_m": 2_500},
        {"id": "towns", "layer": "towns", "within_m": 0},
        {"id": "steep", "raster": "slope", "above": 26, "missing": "allow"},
        {"id": "soil", "raster": "soil", "classes": [5]},
        {"id": "gardens", "layer": "parks", "within_m": 700, "share": "covered"},
        {"id": "sand", "raster": "soil", "equals": [4], "share": 0.4},
        {"id": "estate", "layer": "towns", "where": "people > 800", "within_m": 500,
         "effect": "include", "over": ["parks", "steep"]},
    ]  # fmt: skip
    names = list(criteria)
    plan = LandPlan(
        grid=GRID,
        area=gpd.GeoSeries([shapely.Point(box[0] + 4_500, box[1] + 5_900).buffer(4_300)], crs=CRS),
        rules=tuple(ExclusionRule.model_validate(r) for r in rules),
        criteria={n: Criterion.model_validate(c) for n, c in criteria.items()},
        weights=dict(zip(names, rng.dirichlet(np.ones(len(names))).tolist(), strict=True)),
        frames={"roads": roads, "towns": towns, "parks": parks},
        rasters={"slope": folder / "slope.npy", "soil": folder / "soil.tif"},
        regions={"index": regions},
        strip_rows=17,
        usable_share_min=0.5,
    )
    return plan, {"slope": slope, "soil": soil}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed", reason="the extra geoplan[cluster]")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
            host="127.0.0.1",
        ) as cluster,
        distributed.Client(cluster) as found,
    ):  # fmt: skip
        yield found


def assert_same(found: Any, plan: LandPlan, rasters: dict[str, np.ndarray]) -> None:
    exclusions, surface = whole(plan, rasters)
    assert exclusions.allowed.sum() > 2_000, "the test is about some land"
    assert found.exclusions.rules == exclusions.rules
    for own, theirs in zip(found.exclusions.shares, exclusions.shares, strict=True):
        np.testing.assert_array_equal(own, theirs)
    assert found.exclusions.bits.dtype == exclusions.bits.dtype
    assert found.exclusions.bits.tobytes() == exclusions.bits.tobytes()
    assert found.exclusions.inside.tobytes() == exclusions.inside.tobytes()
    assert found.exclusions.allowed.tobytes() == exclusions.allowed.tobytes()
    assert np.isfinite(surface.score).sum() > 1_000
    assert found.suitability.score.tobytes() == surface.score.tobytes()
    pd.testing.assert_frame_equal(found.suitability.missing, surface.missing)
    assert str(found.suitability.fill) == str(surface.fill)
    assert found.suitability.statistics == surface.statistics


@pytest.mark.parametrize("all_land", [False, True])
def test_two_workers_give_the_same_bytes(client: Any, tmp_path: Path, all_land: bool) -> None:
    plan, rasters = made_plan(tmp_path / "rasters", all_land=all_land)
    done: list[int] = []
    found = tiled_suitability(plan, client, tmp_path / "run", on_strip=done.append)
    assert sorted(done) == list(range(7))
    assert_same(found, plan, rasters)


def test_a_lost_worker_changes_nothing(client: Any, tmp_path: Path) -> None:
    plan, rasters = made_plan(tmp_path / "rasters", all_land=True)
    before = client.run(os.getpid)
    killed: list[int] = []

    def kill_one(_strip: int) -> None:
        if not killed:
            killed.append(next(iter(before.values())))
            os.kill(killed[0], signal.SIGKILL)

    found = tiled_suitability(plan, client, tmp_path / "run", on_strip=kill_one)
    assert_same(found, plan, rasters)
    client.wait_for_workers(2, timeout=20)
    assert killed[0] not in client.run(os.getpid).values()


def test_errors_of_workers_arrive(client: Any, tmp_path: Path) -> None:
    plan, _ = made_plan(tmp_path / "rasters", all_land=False)
    identity = Criterion.model_validate({"measure": "raster", "raster": "slope"})
    wrong = LandPlan(GRID, plan.area, (), {"slope": identity}, {"slope": 1.0}, {}, plan.rasters)
    with pytest.raises(RangeError, match="not between 0 and 1") as error:
        tiled_suitability(wrong, client, tmp_path / "run")
    assert error.value.where == "criteria.slope"
    far = gpd.GeoDataFrame(geometry=[shapely.Point(9e5, 9e5)], crs=CRS)
    plan.frames["towns"] = far  # type: ignore[index]
    with pytest.raises(EmptyLayer, match="'towns'"):
        tiled_suitability(plan, client, tmp_path / "far")
    np.save(tmp_path / "nothing.npy", np.full(GRID.shape, np.nan, np.float32))
    rule = ExclusionRule.model_validate({"id": "steep", "raster": "slope", "above": 5})
    nothing = LandPlan(
        GRID, plan.area, (rule,), {"i": plan.criteria["index"]}, {"i": 1.0},
        {}, {"slope": tmp_path / "nothing.npy"}, {"i": plan.regions["index"]},
    )  # fmt: skip
    with pytest.raises(EmptyLayer, match="no cell of the grid"):
        tiled_suitability(nothing, client, tmp_path / "empty")


def test_a_plan_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    plan, _ = made_plan(tmp_path / "rasters", all_land=False)
    plan.write(tmp_path / "run")
    with pytest.raises(RangeError, match="not empty"):
        plan.write(tmp_path / "run")
    np.save(tmp_path / "rasters" / "slope.npy", np.zeros((3, 3), np.float32))
    with pytest.raises(ShapeError, match=r"slope\.npy"):
        plan.write(tmp_path / "other")
    with pytest.raises(UnknownName, match="layer 'parks'"):
        LandPlan(GRID, plan.area, plan.rules, {}, {}).write(tmp_path / "third")
    empty = LandPlan(
        GRID, plan.area, (), plan.criteria, plan.weights, {"roads": plan.frames["roads"][:0]}
    )
    with pytest.raises(EmptyLayer, match="no feature where class"):
        tiled_suitability(empty, None, tmp_path / "empty")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Unavailable, match=r"geoplan\[cluster\]"):
        tiled_suitability(LandPlan(GRID, gpd.GeoSeries(), (), {}, {}), None, tmp_path / "x")


def test_a_plan_from_the_layers_of_a_run(client: Any, tmp_path: Path) -> None:
    """Rasters and a fact of regions are laid into files; the strips then give the same bytes."""
    made, rasters = made_plan(tmp_path / "rasters", all_land=False)
    regions = made.regions["index"].to_crs("EPSG:4326")
    regions = regions.assign(code=["a", "b", "c"], level=1, parent_code=None)
    ground = InMemory(made, rasters)
    ground.regions = regions
    ground.release = lambda: None  # type: ignore[method-assign]
    facts = pd.DataFrame({"level": 1, "region_code": ["a", "c"], "variable": "v", "value": 0.5})
    fact = Criterion.model_validate({"measure": "region", "fact": "v", "level": 1})
    criteria = {"slope": made.criteria["slope"], "fact": fact, "road": made.criteria["road"]}
    weights = {"slope": 0.5, "fact": 0.25, "road": 0.25}
    plan = land_plan(
        ground, made.area, made.rules, criteria, weights, facts, tmp_path / "given", strip_rows=40,
        usable_share_min=0.5,
    )  # fmt: skip
    found = tiled_suitability(plan, client, tmp_path / "run")
    inside = raster.rasterise(plan.area, GRID)
    exclusions = combine(rule_masks(ground, plan.rules), inside=inside, usable_share_min=0.5)
    measures = {n: Measure(c, measured(ground, c, facts)) for n, c in criteria.items()}
    surface = suitability(measures, weights, exclusions.allowed)
    assert found.exclusions.bits.tobytes() == exclusions.bits.tobytes()
    assert np.isfinite(surface.score).sum() > 500
    assert found.suitability.score.tobytes() == surface.score.tobytes()
