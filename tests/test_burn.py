"""Geometries and foreign rasters onto a grid."""

from __future__ import annotations

import numpy as np
import pytest
from shapely.geometry import LineString, Point, Polygon, box

from geoplan.errors import CrsProblem, RangeError, ShapeError, UnknownName
from geoplan.grid import Grid
from geoplan.raster import rasterise, to_grid

GRID = Grid("EPSG:6933", 0.0, 400.0, 100.0, 4, 5)


def test_a_polygon_burns_the_cells_whose_centre_it_covers() -> None:
    mask = rasterise([box(100, 100, 300, 320)], GRID)
    assert mask.dtype == np.bool_
    assert [tuple(rc) for rc in np.argwhere(mask)] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_all_touched_takes_every_cell_that_is_touched() -> None:
    mask = rasterise([box(120, 120, 180, 180)], GRID, all_touched=True)
    assert np.argwhere(mask).tolist() == [[2, 1]]
    line = LineString([(10, 10), (490, 10)])
    assert rasterise([line], GRID, all_touched=True).sum() == 5


def test_points_burn_the_cell_that_holds_them_and_the_last_value_wins() -> None:
    points = [Point(50, 50), Point(450, 350), Point(-1, 0), None, Point()]
    out = rasterise(points, GRID, values=[7, 8, 9, 10, 11], fill=-1, dtype=np.int32)
    assert out[3, 0] == 7
    assert out[0, 4] == 8
    assert (out == -1).sum() == 18
    twice = rasterise([Point(50, 50), Point(60, 60)], GRID, values=[1, 2], dtype=np.uint8)
    assert twice[3, 0] == 2


def test_a_triangle_has_its_area_in_cells() -> None:
    fine = Grid("EPSG:6933", 0.0, 1000.0, 1.0, 1000, 1000)
    triangle = Polygon([(0, 0), (1000, 0), (0, 1000)])
    assert abs(int(rasterise([triangle], fine).sum()) - 500_000) <= 1000


def test_nothing_to_burn_leaves_the_fill() -> None:
    out = rasterise([], GRID, fill=np.nan, dtype=np.float32)
    assert np.isnan(out).all()


def test_values_must_match() -> None:
    with pytest.raises(RangeError, match="value 300 does not fit into uint8"):
        rasterise([box(0, 0, 200, 200)], GRID, values=[300], dtype=np.uint8)
    with pytest.raises(RangeError, match="value nan"):
        rasterise([Point(0, 0)], GRID, values=[np.nan], dtype=np.int16)
    with pytest.raises(ShapeError, match="1 values for 2"):
        rasterise([Point(0, 0), Point(1, 1)], GRID, values=[1], dtype=np.int32)


def test_warping_onto_the_same_grid_changes_nothing() -> None:
    z = np.arange(20, dtype=np.int16).reshape(4, 5)
    z[0, 0] = -32768
    out = to_grid(
        z, transform=GRID.transform, crs=GRID.crs, nodata=-32768, grid=GRID, resampling="nearest"
    )
    assert np.isnan(out[0, 0])
    np.testing.assert_array_equal(out.ravel()[1:], z.ravel()[1:])


def test_average_of_finer_cells_leaves_missing_ones_out() -> None:
    fine = np.array([[1, 3, 5, 5], [5, -1, 5, 5], [0, 0, -1, -1], [0, 4, -1, -1]], dtype=np.int16)
    coarse = Grid("EPSG:6933", 0.0, 400.0, 200.0, 2, 2)
    out = to_grid(
        fine, transform=(100, 0, 0, 0, -100, 400), crs="EPSG:6933", nodata=-1, grid=coarse
    )
    np.testing.assert_allclose(out, [[3.0, 5.0], [1.0, np.nan]])


def test_outside_the_source_is_missing() -> None:
    z = np.ones((2, 2), dtype=np.float32)
    out = to_grid(z, transform=(100, 0, 0, 0, -100, 400), crs="EPSG:6933", nodata=None, grid=GRID)
    assert np.isfinite(out).sum() == 4


def test_a_mask_in_degrees_lands_where_it_belongs() -> None:
    grid = Grid("+proj=laea +lat_0=32 +lon_0=53 +datum=WGS84", -50_000, 50_000, 1000, 100, 100)
    mask = np.zeros((40, 40), dtype=bool)
    mask[:20] = True  # the northern half: above 32°
    out = to_grid(
        mask, transform=(0.1, 0, 51, 0, -0.1, 34), crs="EPSG:4326", nodata=None, grid=grid,
        resampling="nearest",
    )  # fmt: skip
    assert out[:45].min() == 1
    assert out[55:].max() == 0


def test_names_the_unknown() -> None:
    z = np.ones((2, 2), dtype=np.float32)
    with pytest.raises(UnknownName, match="cubist"):
        to_grid(z, transform=GRID.transform, crs=GRID.crs, nodata=None, grid=GRID,
                resampling="cubist")  # fmt: skip
    with pytest.raises(CrsProblem, match="EPSG:999999"):
        to_grid(z, transform=GRID.transform, crs="EPSG:999999", nodata=None, grid=GRID)
