"""Disk sums, densities, zonal means."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster import density, sum_within, zonal_mean

GRID = Grid("EPSG:6933", 1000.0, 5000.0, 100.0, 30, 40)


def brute(x: np.ndarray, y: np.ndarray, w: np.ndarray, radius: float) -> np.ndarray:
    row, col = np.mgrid[: GRID.rows, : GRID.cols]
    cx, cy = GRID.centre_xy(row, col)
    near = (cx[..., None] - x) ** 2 + (cy[..., None] - y) ** 2 <= radius * radius
    return (near * w).sum(axis=-1)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31), st.integers(0, 40), st.floats(30, 2500))
def test_agrees_with_brute_force(seed: int, number: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(500, 6000, number)
    y = rng.uniform(1000, 6000, number)
    w = rng.lognormal(8, 3, number)
    out = sum_within(x, y, w, radius_m=radius, grid=GRID)
    np.testing.assert_allclose(out, brute(x, y, w, radius), rtol=1e-6, atol=0)


def test_a_point_counts_in_a_disk_around_it() -> None:
    """A point on a cell centre, radius 2 cells: 1 + 4 + 4 + 4 = 13 cell centres."""
    x, y = GRID.centre_xy(10, 20)
    out = sum_within([x], [y], [5.0], radius_m=200.0, grid=GRID)
    assert np.count_nonzero(out) == 13
    assert out.sum() == 65
    per_km2 = density([x], [y], [5.0], radius_m=200.0, grid=GRID)
    assert per_km2[10, 20] == pytest.approx(5 / (math.pi * 0.04))


def test_order_and_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(3)
    x, y, w = rng.uniform(1000, 5000, 300), rng.uniform(2000, 5000, 300), rng.lognormal(0, 5, 300)
    first = sum_within(x, y, w, radius_m=900.0, grid=GRID, threads=1)
    p = rng.permutation(300)
    again = sum_within(x[p], y[p], w[p], radius_m=900.0, grid=GRID, threads=3)
    assert first.tobytes() == again.tobytes()


def test_far_away_is_exactly_nothing() -> None:
    out = sum_within([1050.0], [4950.0], [1 / 3], radius_m=150.0, grid=GRID)
    assert (out[5:] == 0).all()
    assert (out >= 0).all()


def test_counts_without_weights_and_nothing_without_points() -> None:
    x, y = GRID.centre_xy([3, 3], [4, 4])
    assert sum_within(x, y, radius_m=10.0, grid=GRID)[3, 4] == 2
    assert not sum_within([], [], radius_m=10.0, grid=GRID).any()


def test_names_bad_points() -> None:
    with pytest.raises(RangeError, match="1 of 2 weights are missing or negative"):
        sum_within([0, 0], [0, 0], [1, np.nan], radius_m=10.0, grid=GRID)
    with pytest.raises(RangeError, match="1 of 1 points have no finite"):
        sum_within([np.nan], [0], radius_m=10.0, grid=GRID)
    with pytest.raises(RangeError, match="radius of 0"):
        sum_within([0], [0], radius_m=0, grid=GRID)
    with pytest.raises(ShapeError):
        sum_within([0, 1], [0], radius_m=1, grid=GRID)


def test_zonal_mean_by_hand() -> None:
    values = np.array([[1.0, 2.0, np.nan], [4.0, 6.0, 9.0]])
    zones = np.array([[0, 0, 0], [1, 1, -1]])
    np.testing.assert_array_equal(zonal_mean(values, zones, count=3), [1.5, 5.0, np.nan])
    with pytest.raises(RangeError, match="zone 1 of 1"):
        zonal_mean(values, zones, count=1)
