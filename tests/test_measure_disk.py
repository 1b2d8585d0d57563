"""Shares and line densities in a disk."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.zone import count_within, line_density, share_within


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31), st.integers(0, 900))
def test_counts_are_exact(seed: int, radius: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 15)), int(rng.integers(1, 15)))
    grid = Grid("EPSG:6933", 0.0, 0.0, 100.0, *shape)
    mask = rng.random(shape) < 0.4
    row, col = np.mgrid[: shape[0], : shape[1]]
    far2 = (row[..., None] - row.ravel()) ** 2 + (col[..., None] - col.ravel()) ** 2
    want = ((far2 * 10_000 <= radius * radius) & mask.ravel()).sum(axis=-1)
    for threads in (1, 3):
        got = count_within(mask, radius_m=radius, grid=grid, threads=threads)
        np.testing.assert_array_equal(got, want)


def test_a_share_worked_by_hand() -> None:
    """Radius one cell: a plus of five cells, cut off at the edges; unknown cells do not count."""
    grid = Grid("EPSG:6933", 0.0, 0.0, 500.0, 3, 3)
    mask = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]], bool)
    out = share_within(mask, radius_m=500.0, grid=grid)
    want = [[200 / 3, 75, 100 / 3], [50, 40, 25], [0, 25, 0]]
    np.testing.assert_allclose(out, want, rtol=1e-6)
    known = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]], bool)
    out = share_within(mask, radius_m=500.0, grid=grid, known=known)
    assert out[1, 1] == pytest.approx(25)
    alone = share_within(mask, radius_m=0.0, grid=grid, known=known)
    assert math.isnan(alone[1, 1])
    assert alone[0, 0] == 100


def test_a_line_through_the_disk_has_the_length_of_its_chord() -> None:
    """A straight road at distance d from the centre: 2 √(R² − d²) km in π R² km²."""
    grid = Grid("EPSG:6933", 0.0, 40_000.0, 200.0, 200, 200)
    road = shapely.LineString([(0, 20_100), (40_000, 20_100)])
    out = line_density([road, None, shapely.LineString()], radius_m=5000.0, grid=grid)
    _, y = grid.centre_xy(np.arange(200), 100)
    far = np.abs(y - 20_100.0) / 1000.0
    chord = 2 * np.sqrt(np.clip(25 - far**2, 0, None))
    np.testing.assert_allclose(out[:, 100], chord / (math.pi * 25), atol=0.1 / (math.pi * 25))
    assert out[40:60, 100].max() == 0


def test_lines_of_every_kind_count_their_length() -> None:
    grid = Grid("EPSG:6933", 0.0, 40_000.0, 200.0, 200, 200)
    square = shapely.box(19_000, 19_000, 21_000, 21_000)  # 8 km around
    lines = shapely.MultiLineString([[(19_000, 19_500), (20_000, 19_500)]] * 3)  # 3 km
    out = line_density([square, lines], radius_m=10_000.0, grid=grid)
    assert out[100, 100] == pytest.approx(11 / (math.pi * 100), rel=1e-5)


def test_wrong_input_is_named() -> None:
    grid = Grid("EPSG:6933", 0.0, 0.0, 500.0, 3, 3)
    mask = np.ones((3, 3), bool)
    with pytest.raises(RangeError, match="a radius of -1 m"):
        count_within(mask, radius_m=-1, grid=grid)
    with pytest.raises(ShapeError, match="does not lie on a grid"):
        count_within(mask[:2], radius_m=1, grid=grid)
    with pytest.raises(ShapeError, match="'known' has shape"):
        share_within(mask, radius_m=1, grid=grid, known=mask[:2])
