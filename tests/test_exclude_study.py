"""Rules of a scenario on layers: each kind by hand, and what is refused."""

from __future__ import annotations

from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pydantic import ValidationError

from geoplan.catalogue.exclusion import ExclusionRule, LandSpec
from geoplan.errors import EmptyLayer, RangeError
from geoplan.grid import Grid
from geoplan.siting.exclude import accounting_by_region, combine
from geoplan.siting.exclude_value import holds
from geoplan.studies.exclusion import described, excluded, region_numbers, rule_mask, rule_masks
from geoplan.studies.scenario_land import resolve_rule
from geoplan.studies.surface import Ground
from tests.test_scenario import PROFILE, problems

CRS = "EPSG:32639"
GRID = Grid(CRS, 500_000.0, 3_900_000.0, 100.0, 6, 8)
X, Y = 500_000.0, 3_899_400.0  # lower left corner


def box(x0: float, y0: float, x1: float, y1: float) -> shapely.Geometry:
    """A box in cells from the lower left."""
    return shapely.box(X + 100 * x0, Y + 100 * y0, X + 100 * x1, Y + 100 * y1)


def ground(**rasters: np.ndarray) -> Ground:
    layers = {
        "towns": gpd.GeoDataFrame(
            {"people": [10, 9000]},
            geometry=[shapely.Point(X + 50, Y + 50), shapely.Point(X + 450, Y + 350)],
            crs=CRS,
        ),
        "lakes": gpd.GeoDataFrame({"name": ["a"]}, geometry=[box(2.6, 2, 4, 4)], crs=CRS),
        "zones": gpd.GeoDataFrame(
            {"name": ["west", "far"]}, geometry=[box(0, 0, 4, 6), box(90, 0, 99, 9)], crs=CRS
        ),
    }
    code = ["01", "02", "0101", "0102"]
    shapes = [None, None, box(0, 0, 4, 6), box(4, 0, 8, 6)]
    regions = gpd.GeoDataFrame(
        {"code": code, "parent_code": [None, None, "01", "02"], "level": [1, 1, 2, 2]},
        geometry=shapes, crs=CRS,
    )  # fmt: skip
    made = Ground(cast(Any, None), {}, GRID, regions, cast(Any, None), 1)
    made._frames.update(layers)
    made._rasters.update({k: v.astype(np.float32) for k, v in rasters.items()})
    return made


def rule(**given: Any) -> ExclusionRule:
    return ExclusionRule.model_validate({"id": "r", **given})


STEPS = np.tile(np.arange(8.0), (6, 1))
STEPS[0, 0] = np.nan


@pytest.mark.parametrize(
    ("given", "columns"),
    [
        ({"above": 5}, [6, 7]),
        ({"below": 2}, [0, 1]),
        ({"between": [2, 4]}, [2, 3, 4]),
        ({"between": [2, 4], "outside": True}, [0, 1, 5, 6, 7]),
        ({"equals": [3.0, 7.0]}, [3, 7]),
        ({"classes": [1], "above": 6}, [1, 7]),
        ({"above": 5, "extent": {"layer": "zones", "where": "name == 'west'"}}, []),
        ({"below": 6, "extent": {"layer": "zones"}}, [0, 1, 2, 3]),
    ],
)
def test_values_of_a_raster(given: dict[str, Any], columns: list[int]) -> None:
    found = excluded(ground(steps=STEPS), rule(raster="steps", **given))
    assert np.flatnonzero(found[3]).tolist() == columns
    inside = "extent" not in given or "zones" in str(given["extent"])
    assert bool(found[0, 0]) == inside  # no data: removed, unless the rule says otherwise
    free = rule(raster="steps", missing="allow", **given)
    assert not excluded(ground(steps=STEPS), free)[0, 0]


def test_distances_attributes_and_the_opposite() -> None:
    here = ground()
    near = excluded(here, rule(layer="towns", where="people > 100", within_m=60))
    assert near.sum() == 5  # the cell and its four neighbours, 50 m away; corners are 71 m away
    assert near[2, 4]
    far = excluded(here, rule(layer="towns", where="people > 100", beyond_m=60, cells="any"))
    np.testing.assert_array_equal(far, ~near)
    # By the centre only the cell itself is within 60 m.
    assert excluded(here, rule(layer="towns", where="people > 100", beyond_m=60)).sum() == 47
    # Lake: columns 2.6 to 4, two rows. Any land of it; to let in and turned round: the centre.
    assert excluded(here, rule(layer="lakes", within_m=0)).sum() == 4
    let_in = rule_mask(here, rule(layer="lakes", where="name == 'a'", within_m=0, effect="include"))
    assert let_in.effect == "include"
    assert let_in.removed.sum() == 2
    assert excluded(here, rule(layer="lakes", within_m=0, outside=True)).sum() == 46


def test_a_box_in_degrees_and_parts_of_cells() -> None:
    here = ground()
    corner = gpd.GeoSeries([shapely.Point(X + 400, Y + 300)], crs=CRS).to_crs(4326).iloc[0]
    extent = {"box": [-179.0, corner.y, corner.x, 89.0]}
    found = excluded(here, rule(layer="lakes", within_m=120, extent=extent))
    all_of = excluded(here, rule(layer="lakes", within_m=120))
    assert all_of[3:].any()
    # The upper left quarter of the grid: rows 0 to 2, columns 0 to 3.
    assert np.array_equal(found[:3, :4], all_of[:3, :4])
    assert not found[3:].any()
    covered = rule_mask(here, rule(layer="lakes", within_m=0, share="covered"))
    np.testing.assert_allclose(
        cast(Any, covered.share)[2] / 65535, [0, 0, 0.4, 1, 0, 0, 0, 0], atol=1e-5
    )
    half = rule_mask(here, rule(layer="lakes", within_m=0, share=0.25))
    assert half.share == 0.25
    cut = rule(layer="lakes", within_m=0, share="covered", extent=extent)
    assert not cast(Any, rule_mask(here, cut).share)[3:].any()


def test_by_region_from_layers() -> None:
    """The lake takes 2 · 0.4 + 2 cells of the western county, 1 ha each, and nothing elsewhere."""
    here = ground()
    rules = [
        rule(id="lake", layer="lakes", within_m=0, share="covered", basis="x", dated="2001-02-03"),
        rule(id="town", layer="towns", within_m=0),
    ]
    found = combine(rule_masks(here, rules), inside=np.ones(GRID.shape, dtype=bool))
    labels, regions = region_numbers(here)
    table = accounting_by_region(found, GRID, labels, regions)
    lake = table[table["rule"] == "lake"].set_index(["level", "code"])["area_ha_alone"]
    assert lake[(0, "")] == pytest.approx(2.8, abs=1e-4)
    assert lake[(1, "01")] == lake[(2, "0101")] == lake[(0, "")]
    assert lake[(2, "0102")] == 0.0
    national = described(table[table["level"] == 0], rules, PROFILE)
    assert national["dated"][0] == "2001-02-03"
    assert pd.isna(national["dated"][1])
    assert national["share"].tolist() == ["covered", ""]
    assert national["status"].tolist() == ["unverified"] * 2


def test_refuses_layers_that_say_nothing() -> None:
    here = ground(empty=np.full(GRID.shape, np.nan))
    with pytest.raises(
        EmptyLayer, match=r"exclude\.r: raster 'empty': no cell(.|\n)*load a raster"
    ):
        excluded(here, rule(raster="empty", above=1))
    with pytest.raises(EmptyLayer, match="no feature where people > 1e9"):
        excluded(here, rule(layer="towns", where="people > 1e9", within_m=5))
    with pytest.raises(EmptyLayer, match="no polygon"):
        rule_mask(here, rule(layer="towns", within_m=0, share="covered"))
    with pytest.raises(RangeError, match=r"extent: the extent \(\(10\.0, 10"):
        excluded(here, rule(layer="towns", within_m=5, extent={"box": [10, 10, 11, 11]}))
    far = {"layer": "zones", "where": "name == 'far'"}
    with pytest.raises(RangeError, match="layer 'zones'"):
        excluded(here, rule(layer="towns", within_m=5, extent=far))
    with pytest.raises(EmptyLayer, match="bounds nothing"):
        excluded(here, rule(layer="towns", within_m=5, extent={"layer": "towns"}))
    with pytest.raises(EmptyLayer, match="cells missing"):
        holds(np.full((2, 2), np.nan, dtype=np.float32), above=1.0)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"raster": "x", "between": [3, 2]}, r"between \[3, 2\] is the wrong way round"),
        ({"raster": "x", "above": float("nan")}, "'above' is nan"),
        ({"raster": "x", "equals": [float("inf")]}, "finite"),
        ({"raster": "x", "above": 1, "within_m": 3}, "'within_m' belongs to a layer"),
        ({"layer": "x", "within_m": 1, "between": [1, 2]}, "'between' belongs to a raster"),
        ({"raster": "x", "above": 1, "share": 1.2}, r"share 1\.2 is not a part"),
        ({"raster": "x", "above": 1, "share": 0.0}, "share 0 is not a part"),
        ({"raster": "x", "above": 1, "share": "covered"}, "needs a layer of polygons"),
        ({"layer": "x", "beyond_m": 1, "share": "covered"}, "needs a layer of polygons"),
        ({"raster": "x", "above": 1, "share": 0.5, "effect": "include"}, "wholly or not"),
        ({"raster": "x", "above": 1, "over": ["y"]}, "'over' belongs to"),
        ({"raster": "x", "above": 1, "effect": "include", "over": []}, "'over' is empty"),
        ({"raster": "x", "above": 1, "dated": "26/12/1378"}, "not a date"),
        ({"raster": "x", "above": 1, "extent": {}}, "give 'layer', 'box'"),
        (
            {"raster": "x", "above": 1, "extent": {"box": [55, 25, 44, 40]}},
            "longitude stands first",
        ),
        ({"raster": "x", "above": 1, "extent": {"box": [1, 2, 3, 4], "where": "a"}}, "a 'layer'"),
    ],
)
def test_rules_that_contradict_themselves(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        rule(**given)


@pytest.mark.parametrize(
    ("change", "where", "message", "remedy"),
    [
        ({"over": ["slpoe"]}, "in.over", "no rule 'slpoe'", "did you mean 'slope'?"),
        ({"extent": {"layer": "provinzes"}}, "in.extent.layer", "unknown layer", "'provinces'"),
        ({"extent": {"layer": "provinces", "where": "kode == 1"}}, "extent.where", "kode", "code"),
    ],
)
def test_mistakes_between_rules_name_their_place(
    change: dict[str, Any], where: str, message: str, remedy: str
) -> None:
    data = {"id": "in", "layer": "urban_areas", "within_m": 0, "basis": "plan",
            "effect": "include", **change}  # fmt: skip
    found = problems({"exclude.16": data})
    assert len(found) == 1, found
    assert found[0].where.endswith(where)
    assert message in found[0].what
    assert remedy in found[0].remedy


def test_the_date_comes_from_the_rule_set_and_defaults_keep() -> None:
    rules = [
        rule(id="a", layer="settlements", rule="doe-1378/settlements-h"),
        rule(id="b", layer="settlements", rule="doe-1378/settlements-h", dated="2000-03-16"),
        rule(id="c", raster="slope_percent", above=15, rule="design-habits/slope"),
    ]
    resolved = [resolve_rule(r, PROFILE)[0] for r in rules]
    areas = pd.DataFrame({"rule": list("abc"), "area_ha_alone": 1.0, "area_ha_only": 0.0})
    dated = described(areas, resolved, PROFILE)["dated"]
    assert dated[:2].tolist() == ["26/12/1378", "2000-03-16"]
    assert pd.isna(dated[2])  # a habit has no date
    # What a plan for other processes writes down can be read again.
    for one in resolved:
        assert ExclusionRule.model_validate(one.model_dump(mode="json")) == one
    assert LandSpec().usable_share_min == 0.5
    parts = [
        ({"within_m": 1}, "any"),
        ({"within_m": 1, "outside": True}, "centre"),
        ({"within_m": 1, "effect": "include"}, "centre"),
        ({"beyond_m": 1}, "centre"),
        ({"beyond_m": 1, "outside": True}, "any"),
        ({"beyond_m": 1, "cells": "any"}, "any"),
    ]
    assert [rule(layer="a", **given).part for given, _ in parts] == [part for _, part in parts]
