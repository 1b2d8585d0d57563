"""Exact distance to geometries: against shapely, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError
from geoplan.grid import Grid
from geoplan.raster import near as near_module
from geoplan.raster.near import near

GRID = Grid("EPSG:6933", 1_000.0, 9_000.0, 100.0, 40, 45)


def squares(grid: Grid) -> np.ndarray:
    rows, cols = np.indices(grid.shape)
    x = grid.x_min + cols * grid.cell_m
    y = grid.y_max - rows * grid.cell_m
    return shapely.box(x, y - grid.cell_m, x + grid.cell_m, y)


def centres(grid: Grid) -> np.ndarray:
    return shapely.points(*grid.centre_xy(*np.indices(grid.shape)))


def geometries(seed: int, grid: Grid) -> list[shapely.Geometry]:
    """Points, lines and polygons with holes, some outside the grid, some across its border."""
    rng = np.random.default_rng(seed)
    x_min, y_min, x_max, y_max = grid.bounds
    reach = 1_500.0

    def place(count: int) -> np.ndarray:
        low, high = (x_min - reach, y_min - reach), (x_max + reach, y_max + reach)
        return rng.uniform(low, high, (count, 2))

    found: list[shapely.Geometry] = []
    for _ in range(int(rng.integers(1, 5))):
        kind = rng.integers(0, 5)
        if kind == 0:
            found.append(shapely.Point(place(1)[0]))
        elif kind == 1:
            found.append(shapely.LineString(place(int(rng.integers(2, 6)))))
        elif kind == 2:
            found.append(shapely.MultiPoint(place(3)))
        else:
            centre = place(1)[0]
            angle = np.sort(rng.uniform(0, 2 * np.pi, 9))
            far = rng.uniform(60, 1_400, 9)
            shell = centre + np.c_[np.cos(angle) * far, np.sin(angle) * far]
            polygon = shapely.make_valid(shapely.Polygon(shell))
            if kind == 4:
                polygon = polygon.difference(shapely.Point(centre).buffer(rng.uniform(40, 500), 3))
            found.append(polygon)
    return found


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 20.0, 130.0, 333.3, 1_203.7]))
def test_any_part_agrees_with_distances_of_squares(seed: int, distance: float) -> None:
    shapes = geometries(seed, GRID)
    away = np.min([shapely.distance(squares(GRID), g) for g in shapes], axis=0)
    found = near(shapes, GRID, distance)
    sure = np.abs(away - distance) > 1e-6 if distance else np.ones(GRID.shape, dtype=bool)
    np.testing.assert_array_equal(found[sure], (away <= distance)[sure])
    np.testing.assert_array_equal(found, near(shapes, GRID, distance, threads=1))


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(0, 2**31), st.sampled_from([130.0, 333.3, 1_203.7]))
def test_centre_agrees_with_distances_of_centres(seed: int, distance: float) -> None:
    shapes = geometries(seed, GRID)
    away = np.min([shapely.distance(centres(GRID), g) for g in shapes], axis=0)
    found = near(shapes, GRID, distance, part="centre")
    sure = np.abs(away - distance) > 1e-6
    np.testing.assert_array_equal(found[sure], (away <= distance)[sure])


@settings(deadline=None, max_examples=20, derandomize=True)
@given(st.integers(0, 2**31), st.sampled_from([900.0, 1_203.7]))
def test_leaving_out_what_decides_nothing_changes_nothing(seed: int, distance: float) -> None:
    rng = np.random.default_rng(seed)
    lines = [shapely.LineString(rng.uniform(0, 9_000, (30, 2))) for _ in range(3)]
    shapes = [*geometries(seed, GRID), *lines[: seed % 4]]
    full = near(shapes, GRID, distance)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_module, "_RUNS", 0)
        np.testing.assert_array_equal(near(shapes, GRID, distance), full)


def test_a_point_takes_a_disk_not_a_diamond_and_not_one_cell_too_far() -> None:
    """By hand: a point in the middle of a cell, 250 m, cells of 100 m.

    The edge of the cell two to the right is 150 m away, of the one three to the right 250 m: it
    touches the disk in one place and stays. Two right and two down is 212 m at its corner; a
    diamond (|dx| + |dy|) would leave it, a square would take three right and two down (291 m).
    """
    grid = Grid("EPSG:6933", 0.0, 900.0, 100.0, 9, 9)
    found = near([shapely.Point(450, 450)], grid, 250.0)
    quarter = np.array(
        [[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]],
        dtype=bool,
    )
    np.testing.assert_array_equal(found[4:, 4:], quarter)
    np.testing.assert_array_equal(found, found[::-1, ::-1])
    np.testing.assert_array_equal(found, found.T)
    # Centre to centre: 2 cells along an axis is 200 m, one and two is 224 m, two and two 283 m.
    by_centre = near([shapely.Point(450, 450)], grid, 250.0, part="centre")
    assert by_centre[4:, 4:].sum() == 8
    assert not by_centre[6, 6]
    # A centre at exactly the distance is in.
    assert near([shapely.Point(450, 450)], grid, 200.0, part="centre")[4, 6]


def test_land_on_cell_edges_takes_no_neighbour() -> None:
    """A block drawn along the cells takes those cells; 200 m round it, two more on each side."""
    grid = Grid("EPSG:6933", 0.0, 1_000.0, 100.0, 10, 10)
    block = shapely.box(400, 400, 600, 700)
    found = near([block], grid, 0.0)
    assert found.sum() == 6
    assert found[3:6, 4:6].all()
    around = near([block], grid, 200.0)
    # Rows 1 to 7 and columns 2 to 7, corners too: the nearest corner of those is 141 m away.
    assert around.sum() == 42
    assert around[1:8, 2:8].all()
    # A line along an edge, and a point on a corner, have no land of their own: all that they touch.
    assert near([shapely.LineString([(400, 150), (400, 250)])], grid, 0.0).sum() == 4
    assert near([shapely.Point(400, 400)], grid, 0.0).sum() == 4


def test_features_just_outside_the_grid_count() -> None:
    """GLAES #110, edge cells missed: a point 250 m to the left, 300 m.

    At the border the disk is 2 · √(300² − 250²) = 331.7 m high: from y = 284 to 616, rows 3 to 7.
    """
    grid = Grid("EPSG:6933", 0.0, 1_000.0, 100.0, 10, 10)
    found = near([shapely.Point(-250, 450)], grid, 300.0)
    assert np.flatnonzero(found[:, 0]).tolist() == [3, 4, 5, 6, 7]
    assert not found[:, 1:].any()
    assert near([shapely.box(-9e4, -9e4, 9e4, 9e4)], grid, 0.0).all()
    assert not near([shapely.Point(-250, 450)], grid, 240.0).any()


def test_overlapping_and_crossing_polygons() -> None:
    grid = Grid("EPSG:6933", 0.0, 1_000.0, 100.0, 10, 10)
    a, b = shapely.box(100, 100, 500, 500), shapely.box(300, 300, 800, 800)
    hole = shapely.box(0, 0, 900, 900).difference(shapely.box(150, 150, 750, 750))
    np.testing.assert_array_equal(near([a, b], grid, 0.0), near([a], grid, 0) | near([b], grid, 0))
    nested = near([shapely.MultiPolygon([hole]), shapely.box(300, 300, 600, 600)], grid, 0.0)
    assert nested[5, 4]
    assert not nested[7, 2]
    bow = shapely.Polygon([(100, 100), (900, 900), (900, 100), (100, 900)])
    both = near([bow], grid, 0.0)
    assert both[2, 5] == both[7, 5]
    assert both[5, 2]
    assert both[5, 7]
    assert not both[2, 2:4].all()


def test_refuses() -> None:
    with pytest.raises(RangeError, match=r"-1\.0 m"):
        near([], GRID, -1.0)
    with pytest.raises(RangeError, match="1 features have coordinates"):
        near([shapely.Point(np.inf, 0.0), shapely.Point(0, 0)], GRID, 1.0)
    assert not near([None, shapely.Point()], GRID, 100.0).any()
