"""Broken rings: both readings, and the one that fits the neighbours."""

import geopandas as gpd
import pytest
import shapely

from geoplan.ingest.findings import Findings
from geoplan.ingest.mend import make_valid
from geoplan.ingest.shape import area_km2


def mend(*shapes: shapely.Geometry) -> tuple[gpd.GeoSeries, dict[str, int]]:
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=4326)
    findings = Findings("test")
    out = make_valid(frame, findings)
    return out.geometry, {p.code: p.count for p in findings.problems}


OUTER = shapely.box(50, 30, 53, 33)
INNER = shapely.box(51, 31, 52, 32)
# Two overlapping parts: by linework the part inside is a hole, by structure it is land.
TWICE = shapely.MultiPolygon([OUTER, INNER])


def test_a_part_inside_another_is_land_where_nothing_lies_in_it() -> None:
    mended, found = mend(TWICE)
    assert mended.iloc[0].area == pytest.approx(9.0)
    assert found["repair-doubtful"] == 1


def test_it_is_a_hole_where_a_neighbour_fills_it() -> None:
    mended, found = mend(TWICE, INNER)
    assert mended.iloc[0].area == pytest.approx(8.0)
    assert mended.iloc[1].equals(INNER)
    assert found["repair-doubtful"] == 1


def test_valid_shapes_are_left_alone() -> None:
    mended, found = mend(OUTER, shapely.box(60, 30, 61, 31))
    assert mended.iloc[0].equals(OUTER)
    assert found == {}


def test_a_hole_is_taken_off_whatever_the_direction_of_its_ring() -> None:
    ring = list(INNER.exterior.coords)
    there = shapely.Polygon(OUTER.exterior, [ring])
    back = shapely.Polygon(OUTER.exterior, [ring[::-1]])
    areas = area_km2(gpd.GeoSeries([there, back], crs=4326))
    assert areas[0] == pytest.approx(areas[1])
    whole = area_km2(gpd.GeoSeries([OUTER, INNER], crs=4326))
    assert areas[0] == pytest.approx(whole[0] - whole[1], rel=1e-9)
