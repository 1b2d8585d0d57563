"""Measures of criteria: the keys they take, and what they find on a small made country."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pydantic import ValidationError

from geoplan.catalogue.criterion import Criterion
from geoplan.errors import EmptyLayer, UnknownName
from geoplan.grid import Grid
from geoplan.siting.criteria import Measure
from geoplan.studies.measure import measured
from geoplan.studies.measure_notices import assumed_measures, measure_notices, road_notices
from geoplan.studies.scenario_case import Case
from geoplan.studies.scenario_criteria import check_criteria
from geoplan.studies.surface import Ground
from tests.small_country import PROFILE, spec

GRID = Grid("EPSG:6933", 0.0, 40_000.0, 500.0, 80, 80)
LINEAR = {"kind": "linear", "best": 0, "worst": 60}
ROADS: dict[str, Any] = {
    "layer": "roads",
    "speeds_km_h": {"fast": 100, "slow": 40},
    "off_road_km_h": 10,
}


def frame(**columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry="geometry", crs=GRID.crs)


def ground() -> Ground:
    """Return a square of 40 km: a fast road along y = 20 km, a slow one north from (20, 20)."""
    slope = np.zeros(GRID.shape, np.float32)
    slope[:, 40:] = 10.0
    slope[0, 0] = math.nan
    cover = np.ones(GRID.shape, np.float32)
    cover[:, :20] = 4.0
    cover[0, 0] = math.nan
    regions = gpd.GeoDataFrame(
        {"code": ["w", "e"], "level": [1, 1], "parent_code": [None, None]},
        geometry=[shapely.box(0, 0, 20_000, 40_000), shapely.box(20_000, 0, 40_000, 40_000)],
        crs=GRID.crs,
    )
    found = Ground(
        cast(Any, None), {"roads": spec(id="roads", geometry="line")}, GRID, regions,
        cast(Any, SimpleNamespace()), 1,
    )  # fmt: skip
    line = shapely.LineString
    found._frames.update(
        roads=frame(
            geometry=[
                line([(0, 20_000), (20_000, 20_000), (40_000, 20_000)]),
                line([(20_000, 20_000), (20_000, 40_000)]),
                line([(30_000, 2_000), (35_000, 2_000)]),
            ],
            **{"class": ["fast", "slow", "slow"]},
        ),
        ports=frame(geometry=[shapely.Point(39_750, 20_250)], kind=["sea"]),
        towns=frame(
            geometry=[shapely.Point(20_250, 39_750), shapely.Point(250, 20_250),
                      shapely.Point(39_000, 39_000)],
            people=[1000.0, 500.0, None],
        ),
        parks=frame(geometry=[shapely.box(0, 0, 10_000, 40_000)]),
        walls=frame(geometry=[line([(19_900, 0), (19_900, 40_000)])]),
    )  # fmt: skip
    found._rasters.update(slope=slope, cover=cover)
    return found


def measure(ground_: Ground, **keys: Any) -> np.ndarray:
    return measured(ground_, Criterion.model_validate(keys), pd.DataFrame(), where="criteria.c")


def at(x_km: float, y_km: float) -> tuple[int, int]:
    row, col = GRID.row_col(x_km * 1000, y_km * 1000)
    return int(row), int(col)


def test_travel_time_by_hand() -> None:
    """Port 250 m off the end of the fast road; 500 m cells, 10 km/h off the road.

    A cell whose centre lies 0.25 km off the road at (0.25, 20.25): 1.5 min to the road, 39.5 km at
    100 km/h = 23.7 min, 1.5 min to the port: 26.7 min. The end of the slow road, (20.25, 39.75):
    1.5 min + 19.75 km at 40 km/h = 29.625 + 19.75 km at 100 km/h = 11.85 + 1.5 min: 44.475 min.
    Beside the port: straight, 6 min per km.
    """
    out = measure(ground(), measure="travel_time", layer="ports", roads=ROADS)
    assert out[at(0.25, 20.25)] == pytest.approx(26.7, abs=0.02)
    assert out[at(20.25, 39.75)] == pytest.approx(44.475, abs=0.05)
    assert out[at(39.75, 20.75)] == pytest.approx(3.0, abs=1e-4)
    assert out[at(39.75, 20.25)] == pytest.approx(0.0, abs=1e-4)
    assert not np.isnan(out).any()
    near = measure(
        ground(), measure="travel_time", layer="ports", roads=ROADS | {"access_km_max": 1.0}
    )
    assert np.isnan(near[at(5.25, 5.25)])
    assert near[at(0.25, 20.25)] == pytest.approx(26.7, abs=0.02)


def test_network_distance_goes_by_the_nearest_joined_road() -> None:
    """From (20.25, 39.75): 0.25 km to the road, 19.75 + 19.75 km along it, 0.25 km to the port.

    The lone road in the south leads nowhere: (32.25, 2.25) goes 17.75 km straight to the fast
    road, then 7.5 km along it.
    """
    out = measure(ground(), measure="network_distance", layer="ports", roads={"layer": "roads"})
    assert out[at(20.25, 39.75)] == pytest.approx(40.0, abs=0.1)
    assert out[at(32.25, 2.25)] == pytest.approx(17.75 + 7.5 + 0.25, abs=0.6)


def test_labour_shed_by_hand() -> None:
    """Who reaches the junction: town A (1,000) needs 1.5 + 29.6 min, town B (500) 1.5 + 12 min."""
    keys = {"measure": "labour_shed", "layer": "towns", "weight_field": "people", "roads": ROADS}
    for minutes, persons in ((60, 1500), (40, 1500), (25, 500), (10, 0)):
        out = measure(ground(), minutes=minutes, **keys)
        assert out[at(20.25, 20.25)] == persons, minutes
    part = measure(ground(), minutes=60, working_age_share=0.7, **keys)
    assert part[at(20.25, 20.25)] == pytest.approx(1050)
    assert part[at(20.25, 1.25)] == 0, "19 km off the road"


def test_a_lone_road_does_not_hide_the_one_behind_it() -> None:
    """Beside the lone road: 17.75 km straight to the fast road, 26.6 min at 40 km/h.

    Town A then takes 0.4 + 29.6 + 7.4 min by road: 64 min in all.
    """
    keys = {"measure": "labour_shed", "layer": "towns", "weight_field": "people"}
    fast = ROADS | {"off_road_km_h": 40}
    for minutes, persons in ((70, 1000), (60, 0)):
        out = measure(ground(), minutes=minutes, roads=fast, where="people == 1000", **keys)
        assert out[at(32.25, 2.25)] == persons


def test_labour_shed_never_counts_who_is_late() -> None:
    keys = {"layer": "towns", "weight_field": "people", "roads": ROADS}
    shed = measure(ground(), measure="labour_shed", minutes=45, where="people == 1000", **keys)
    time = measure(
        ground(), measure="travel_time", layer="towns", where="people == 1000", roads=ROADS
    )
    assert time[shed > 0].max() <= 45 + 1e-3
    assert (shed > 0).sum() > 0.6 * (time <= 44).sum()


def test_cost_distance_by_hand() -> None:
    """Slope 10 % in the east costs 1.75: from the port 1.75 per km, then 1 per km in the west."""
    keys = {"measure": "cost_distance", "layer": "ports"}
    out = measure(ground(), terrain={"slope": "slope"}, **keys)
    assert out[at(20.25, 20.25)] == pytest.approx(19.5 * 1.75)
    # half a cell each side of the change
    assert out[at(19.75, 20.25)] == pytest.approx(19.5 * 1.75 + 0.5 * (1 + 1.75) / 2)
    assert np.isnan(out[0, 0])
    wall = measure(ground(), terrain={"slope": "slope", "barriers": [{"layer": "walls"}]}, **keys)
    assert np.isnan(wall[at(5.25, 20.25)])
    assert wall[at(25.25, 20.25)] == pytest.approx(14.5 * 1.75)
    walk = measure(ground(), terrain={"slope": "slope", "method": "walking"}, **keys)
    pace = (math.exp(3.5 * 0.15) + math.exp(3.5 * 0.05)) / 2 / math.exp(3.5 * 0.05)
    assert walk[at(30.25, 20.25)] == pytest.approx(9.5 * pace, rel=1e-5)


def test_shares_by_hand() -> None:
    park = {"measure": "share", "layer": "parks"}
    disk = measure(ground(), radius_km=3, **park)
    assert disk[at(3.25, 20.25)] == 100
    assert disk[at(13.25, 20.25)] == 0
    # 250 m east of the edge: half the disk less a strip of 0.25 · 6 of 28.3 km²
    assert disk[at(10.25, 20.25)] == pytest.approx(50 - 100 * 0.25 * 6 / 28.27, abs=1)
    region = measure(ground(), level=1, **park)
    assert region[at(1, 1)] == 50
    assert region[at(39, 1)] == 0
    raster = {"measure": "share", "raster": "cover", "classes": [4]}
    assert measure(ground(), level=1, **raster)[at(1, 1)] == pytest.approx(100 * 1599 / 3199)
    assert measure(ground(), radius_km=0.6, **raster)[0, 1] == 100, "the unknown corner is left out"


def test_line_density_and_downwind() -> None:
    out = measure(ground(), measure="line_density", layer="roads", radius_km=5)
    assert out[at(10.25, 20.25)] == pytest.approx(
        2 * math.sqrt(25 - 0.0625) / (25 * math.pi), rel=0.03
    )
    wind = {"blows_from": {"N": 1.0}}
    keys = {"measure": "downwind", "layer": "towns", "weight_field": "people", "radius_km": 10}
    down = measure(ground(), wind=wind, decay="none", **keys)
    assert down[at(0.25, 25.25)] == 500, "a site north of the town, wind from the north"
    assert down[at(0.25, 15.25)] == 0
    assert measure(ground(), wind=wind, **keys)[at(0.25, 25.25)] == pytest.approx(250)
    kernel = measure(
        ground(), measure="density", layer="towns", weight_field="people", radius_km=10,
        decay="linear", unit="persons",
    )  # fmt: skip
    assert kernel[at(0.25, 15.25)] == pytest.approx(250)


def test_what_cannot_be_measured_is_named() -> None:
    slow = ROADS | {"speeds_km_h": {"fast": 100}}
    with pytest.raises(UnknownName) as found:
        measure(ground(), measure="travel_time", layer="ports", roads=slow)
    assert found.value.where == "criteria.c.roads.speeds_km_h"
    assert "2 roads of layer 'roads' are of a class without a speed: slow (2)" in found.value.what
    with pytest.raises(EmptyLayer, match="no feature where kind == 'air'"):
        measure(ground(), measure="travel_time", layer="ports", where="kind == 'air'", roads=ROADS)
    with pytest.raises(EmptyLayer, match="has no polygon"):
        measure(ground(), measure="share", layer="roads", radius_km=1)
    with pytest.raises(EmptyLayer, match="no cell of the search area is reached"):
        measure(
            ground(), measure="network_distance", layer="ports",
            roads={"layer": "roads", "access_km_max": 0.001},
        )  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"measure": "travel_time", "layer": "a"}, "needs 'roads'"),
        ({"measure": "travel_time", "layer": "a", "roads": {"layer": "r"}}, "roads.speeds_km_h"),
        (
            {"measure": "travel_time", "layer": "a",
             "roads": {"layer": "r", "speeds_km_h": {"x": 50}}},
            "roads.off_road_km_h",
        ),
        (
            {"measure": "travel_time", "layer": "a", "roads": ROADS | {"off_road_km_h": 60}},
            "'off_road_km_h' 60 is faster than class 'slow' (40 km/h)",
        ),
        ({"measure": "travel_time", "layer": "a", "roads": ROADS, "unit": "km"}, "unit 'min'"),
        ({"measure": "distance", "layer": "a", "unit": "ha"}, "unit 'km' or 'm', not 'ha'"),
        ({"measure": "distance", "layer": "a", "radius_km": 3}, "takes no 'radius_km'"),
        ({"measure": "share", "layer": "a"}, "exactly one of 'radius_km'"),
        ({"measure": "share", "raster": "a", "level": 1}, "name the classes"),
        ({"measure": "share", "layer": "a", "raster": "b", "level": 1}, "'layer' and 'raster'"),
        ({"measure": "labour_shed", "layer": "a", "roads": ROADS, "minutes": 5}, "'weight_field'"),
        ({"measure": "cost_distance", "layer": "a"}, "needs 'terrain'"),
        (
            {"measure": "cost_distance", "layer": "a",
             "terrain": {"slope": "s", "multipliers": [[2, 1], [1, 2]]}},
            "must rise",
        ),
        (
            {"measure": "downwind", "layer": "a", "weight_field": "p", "radius_km": 5,
             "wind": {"blows_from": {"N": 0.5}}},
            "sum to 0.5, not to 1",
        ),
        (
            {"measure": "downwind", "layer": "a", "weight_field": "p", "radius_km": 5,
             "wind": {"from_deg": 10}},
            "give either 'blows_from', or 'from_deg' and 'spread_deg'",
        ),
    ],
)  # fmt: skip
def test_keys_that_do_not_fit_are_refused(keys: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as found:
        Criterion.model_validate(keys)
    assert says in str(found.value)


def test_units_are_filled_in() -> None:
    time = Criterion.model_validate({"measure": "travel_time", "layer": "a", "roads": ROADS})
    assert time.unit == "min"
    assert Criterion.model_validate({"measure": "distance", "layer": "a"}).unit == ""


def notices(raw: list[float], **keys: Any) -> list[str]:
    given = {"measure": "distance", "layer": "ports", "unit": "km", "value": LINEAR} | keys
    found = measure_notices(
        {"port": Measure(Criterion.model_validate(given), np.array([raw], np.float32))},
        np.array([[True, True, True, False]]),
    )
    assert all(text.fa for text in found)
    return [text.en for text in found]


def test_what_tells_no_place_from_another_is_told() -> None:
    assert notices([1, 2, math.nan, 5]) == []
    (constant,) = notices([7, 7, math.nan, 5])
    assert constant.startswith("port: 7 km on all allowed land")
    (flat,) = notices([70, 90, 61, 5])
    assert flat.startswith("port: from 61 km to 90 km on allowed land, and the value function")
    with pytest.raises(EmptyLayer) as found:
        notices([math.nan, math.nan, math.nan, 5])
    assert found.value.where == "criteria.port"
    assert found.value.what == "no allowed cell has a distance of layer 'ports'"


def test_roads_and_assumptions_are_told() -> None:
    criteria = {
        "port": Criterion.model_validate(
            {"measure": "travel_time", "layer": "ports", "roads": ROADS}
        ),
        "work": Criterion.model_validate(
            {"measure": "labour_shed", "layer": "towns", "weight_field": "people",
             "roads": ROADS, "minutes": 45, "working_age_share": 0.68}
        ),
    }  # fmt: skip
    (loose,) = road_notices(ground(), criteria)
    assert "2 parts" in loose.en
    assert "5 km of 65 km" in loose.en
    assert "۲ بخش" in str(loose.fa)
    told = [text.en for text in assumed_measures(criteria)]
    assert any("68 % of all persons are assumed to be of working age" in text for text in told)
    assert any("10 km/h off the roads" in text for text in told)


def problems(**keys: Any) -> list[tuple[str, str]]:
    layers = {
        "roads": spec(
            id="roads", geometry="line",
            fields={"class": {"type": "string", "codes": ["fast", "slow", "track"]}},
        ),
        "towns": spec(
            id="towns", fields={"people": {"type": "number"}, "name": {"type": "string"}}
        ),
        "slope": spec(id="slope", kind="raster", geometry=None, table="raster", unit="%"),
        "height": spec(id="height", kind="raster", geometry=None, table="raster", unit="m"),
    }  # fmt: skip
    criterion = Criterion.model_validate(keys)
    scenario = SimpleNamespace(criteria={"c": criterion})
    case = Case(cast(Any, scenario), PROFILE, layers, dict.fromkeys(layers))
    check_criteria(case)
    return [(p.where, p.what) for p in case.found]


def test_a_scenario_is_checked_against_the_catalogue() -> None:
    base = {"layer": "towns", "value": LINEAR}
    all_ = ROADS | {"speeds_km_h": {"fast": 90, "slow": 50, "track": 30}}
    assert problems(measure="travel_time", roads=all_, **base) == []
    assert problems(measure="travel_time", roads=ROADS, **base) == [
        ("criteria.c.roads.speeds_km_h", "no speed for class track of layer 'roads'")
    ]
    typo = ROADS | {"speeds_km_h": {"fast": 90, "slow": 50, "trak": 30}, "where": "class != 'x'"}
    assert problems(measure="travel_time", roads=typo, **base) == [
        ("criteria.c.roads.speeds_km_h.trak", "layer 'roads' has no class 'trak'")
    ]
    assert problems(measure="travel_time", roads=all_ | {"class_field": "kind"}, **base) == [
        ("criteria.c.roads.class_field", "layer 'roads' has no field 'kind'")
    ]
    assert problems(measure="line_density", radius_km=3, **base) == [
        ("criteria.c.layer",
         "layer 'towns' holds points; measure 'line_density' needs line or polygons"),
    ]  # fmt: skip
    assert problems(measure="cost_distance", terrain={"slope": "height"}, **base) == [
        ("criteria.c.terrain.slope", "raster 'height' is in m, not %")
    ]
    assert problems(measure="share", raster="slope", classes=[1], level=3, value=LINEAR) == [
        ("criteria.c.raster", "raster 'slope' holds numbers, and a share counts classes"),
        ("criteria.c.level", "profile 'nowhere' has no regions of level 3"),
    ]
    wind = {"wind": {"from_deg": 0, "spread_deg": 45}, "radius_km": 5}
    assert problems(measure="downwind", weight_field="name", **wind, **base) == [
        ("criteria.c.weight_field",
         "field 'name' of layer 'towns' is a string, and only numbers can be summed"),
    ]  # fmt: skip
    assert problems(measure="travel_time", layer="towns", roads=all_) == [
        ("criteria.c.value", "a travel time needs a value function")
    ]
    assert problems(measure="distance", must_be="rising", **base) == [
        ("criteria.c.must_be",
         "the value function must be rising with the measure, and it is falling"),
    ]  # fmt: skip
    assert problems(measure="distance", must_be="rising", invert=True, **base) == []
