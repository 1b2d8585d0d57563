"""The covered share of cells: by hand, and against shapely's areas."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError
from geoplan.grid import Grid
from geoplan.raster.cover import COVER_UNIT, cover

GRID = Grid("EPSG:6933", 1_000.0, 5_000.0, 100.0, 40, 37)


def squares(grid: Grid) -> np.ndarray:
    rows, cols = np.indices(grid.shape)
    x = grid.x_min + cols * grid.cell_m
    y = grid.y_max - rows * grid.cell_m
    return shapely.box(x, y - grid.cell_m, x + grid.cell_m, y)


def star(rng: np.random.Generator, low: float, high: float) -> shapely.Geometry:
    centre = rng.uniform(low, high, 2)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 12))
    far = rng.uniform(50, 1_500, 12)
    shell = centre + np.c_[np.cos(angle) * far, np.sin(angle) * far]
    return shapely.make_valid(shapely.Polygon(shell))


def test_by_hand() -> None:
    """Cells of 100 m: a quarter of one, a half by a diagonal, an eighth, and a hole."""
    grid = Grid("EPSG:6933", 0.0, 200.0, 100.0, 2, 2)
    quarter = shapely.box(0, 0, 50, 50)
    half = shapely.Polygon([(100, 100), (200, 200), (100, 200)])
    np.testing.assert_allclose(
        cover([quarter, half], grid) / COVER_UNIT, [[0, 0.5], [0.25, 0]], atol=1e-5
    )
    wedge = shapely.Polygon([(0, 100), (50, 100), (0, 150)])
    assert cover([wedge], grid)[0, 0] == round(0.125 * COVER_UNIT)
    frame = shapely.box(0, 0, 200, 200).difference(shapely.box(50, 50, 150, 150))
    np.testing.assert_allclose(cover([frame], grid) / COVER_UNIT, np.full((2, 2), 0.75), atol=1e-5)
    # Twice the same land, and two halves that overlap by half: land counts once.
    np.testing.assert_array_equal(cover([quarter, quarter], grid), cover([quarter], grid))
    a, b = shapely.box(0, 0, 60, 100), shapely.box(40, 0, 100, 100)
    assert cover([a, b], grid)[1, 0] == COVER_UNIT
    nested = shapely.GeometryCollection([shapely.GeometryCollection([a]), b, shapely.Point(9, 9)])
    assert cover([nested, None, shapely.Polygon()], grid)[1, 0] == COVER_UNIT
    assert cover([], grid).sum() == 0
    assert cover([shapely.Point(50, 50), shapely.LineString([(0, 0), (9, 9)])], grid).sum() == 0


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 2**31))
def test_agrees_with_areas(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shapes = [star(rng, 0, 6_000) for _ in range(int(rng.integers(1, 5)))]
    land = shapely.union_all(shapes)
    true = shapely.area(shapely.intersection(squares(GRID), land)) / 10_000.0
    found = cover(shapes, GRID)
    np.testing.assert_allclose(found / COVER_UNIT, true, atol=1.0 / COVER_UNIT)
    np.testing.assert_array_equal(found, cover(shapes, GRID, threads=1))


def test_a_distance_covers_a_disk() -> None:
    """π · 1000² m² round a point, less the 0.01 % that the arcs leave out."""
    found = cover([shapely.Point(3_000, 3_000)], GRID, within_m=1_000.0)
    area = float(found.sum()) / COVER_UNIT * 10_000.0
    assert area == pytest.approx(np.pi * 1e6, rel=1.5e-4)
    assert area < np.pi * 1e6
    assert cover([shapely.Point(900, 3_000)], GRID, within_m=150.0).any()


def test_land_that_reaches_beyond_the_grid() -> None:
    assert (cover([shapely.box(-1e6, -1e6, 1e6, 1e6)], GRID) == COVER_UNIT).all()
    assert not cover([shapely.box(-1e6, -1e6, 1_000, 1e6)], GRID).any()
    left = cover([shapely.box(-1e6, -1e6, 1_050, 1e6)], GRID)
    np.testing.assert_array_equal(left[:, 0], round(COVER_UNIT / 2 + 1e-9))
    assert not left[:, 1:].any()
    with pytest.raises(RangeError, match="nan m"):
        cover([], GRID, within_m=float("nan"))
