"""The rules that come nearest to excluding a site, by hand."""

from __future__ import annotations

from typing import Any, cast

import geopandas as gpd
import numpy as np
from shapely.geometry import LineString, Point, box

from geoplan.catalogue import Catalogue
from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.grid import Grid
from geoplan.studies.nearest_rules import nearest_rules
from geoplan.studies.surface import Ground

GRID = Grid("EPSG:32639", 0.0, 10_000.0, 1000.0, 10, 10)


def ground() -> Ground:
    slope = np.full(GRID.shape, 2.0, dtype=np.float32)
    slope[4, 5] = 11.0
    slope[4, 4] = np.nan
    made = Ground(
        session=cast(Any, None),
        layers=Catalogue.standard().layers(),
        grid=GRID,
        regions=gpd.GeoDataFrame(),
        index=cast(Any, None),
        index_level=1,
    )
    made._frames["settlements"] = gpd.GeoDataFrame(
        {"kind": ["town", "village"]}, geometry=[Point(1000, 5500), Point(6500, 9000)], crs=GRID.crs
    )
    made._frames["roads"] = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (9000, 0)])])
    made._rasters["slope_percent"] = slope
    return made


def rule(name: str, **given: Any) -> ExclusionRule:
    told = {"id": name, "basis": "x", "title": {"en": name, "fa": "ق"}}
    return ExclusionRule.model_validate(told | given)


def test_the_two_smallest_margins_are_told() -> None:
    site = (box(4000, 5000, 6000, 6000), np.array([44, 45]))
    rules = [
        rule("town", layer="settlements", where="kind == 'town'", within_m=2500),  # 500 of 2500
        rule("village", layer="settlements", where="kind == 'village'", within_m=1000),  # 2041
        rule("steep", raster="slope_percent", above=15),  # 4 of 15
        rule("flat", raster="slope_percent", below=1),  # 1 of 1
        rule("road", layer="roads", within_m=100),  # 4,900
        rule("only-inside", layer="roads", within_m=4999, outside=True),
        rule("forced", layer="roads", within_m=4999, effect="include"),
        rule("touch", layer="roads", within_m=0),
    ]
    found = nearest_rules(ground(), rules, {"S1": site})
    (reason,) = found["S1"]
    assert reason.code == "nearest-rules"
    assert reason.text.en == (
        "The rules nearest to excluding it: «town» (500 m beyond its limit) and «steep» "
        "(11 %, its limit is 15 %)."
    )
    assert not any(c in "0123456789" for c in str(reason.text.fa))


def test_without_such_rules_nothing_is_said() -> None:
    site = (box(4000, 5000, 6000, 6000), np.array([44, 45]))
    assert nearest_rules(ground(), [rule("touch", layer="roads", within_m=0)], {"S1": site}) == {}
