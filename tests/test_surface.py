"""Slope and the surface behind a stepped elevation model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geoplan.errors import RangeError
from geoplan.grid import Grid
from geoplan.raster import dequantise, slope_percent


def grid(shape: tuple[int, int], cell_m: float) -> Grid:
    return Grid("EPSG:6933", 0.0, 0.0, cell_m, *shape)


def test_horn_by_hand() -> None:
    """The worked example of Burrough & McDonnell's 3 × 3 window, 5 m cells.

    z = 50 45 50 / 30 30 30 / 8 10 10: gx = ((50 + 2·30 + 10) − (50 + 2·30 + 8)) / 40 = 0.05,
    gy = ((8 + 2·10 + 10) − (50 + 2·45 + 50)) / 40 = −3.8, slope = 3.80033.
    """
    z = np.array([[50, 45, 50], [30, 30, 30], [8, 10, 10]], dtype=np.float32)
    slope = slope_percent(z, grid((3, 3), 5.0))
    assert slope[1, 1] == pytest.approx(380.0329, abs=1e-3)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-2, 2), st.floats(-2, 2), st.integers(2, 9), st.integers(2, 9), st.integers(0, 2**31)
)
def test_a_plane_has_its_own_slope_everywhere(
    a: float, b: float, rows: int, cols: int, seed: int
) -> None:
    """Also on the edge and beside missing cells."""
    r, c = np.mgrid[:rows, :cols]
    z = (100.0 * a * c + 100.0 * b * r).astype(np.float32)
    z[np.random.default_rng(seed).random(z.shape) < 0.2] = np.nan
    slope = slope_percent(z, grid(z.shape, 100.0))
    known = np.isfinite(slope)
    assert not (known & np.isnan(z)).any()
    np.testing.assert_allclose(slope[known], 100 * math.hypot(a, b), rtol=1e-4, atol=1e-3)


def test_cell_size_counts_and_a_lone_cell_has_no_slope() -> None:
    z = np.array([[0, 10], [0, 10]], dtype=np.float32)
    assert slope_percent(z, grid((2, 2), 100.0))[0, 0] == pytest.approx(10.0)
    assert slope_percent(z, grid((2, 2), 50.0))[0, 0] == pytest.approx(20.0)
    lone = np.full((3, 3), np.nan, dtype=np.float32)
    lone[1, 1] = 5
    assert np.isnan(slope_percent(lone, grid((3, 3), 50.0))).all()


def test_threads_do_not_change_the_slope() -> None:
    z = np.random.default_rng(0).random((97, 53)).astype(np.float32)
    a, b = (slope_percent(z, grid(z.shape, 30.0), threads=n) for n in (1, 3))
    assert a.tobytes() == b.tobytes()


def test_terraces_become_the_ramp_that_they_came_from() -> None:
    ramp = np.tile(np.arange(200) * 0.125 + 100.0, (20, 1))
    stepped = np.round(ramp / 2) * 2
    smooth = dequantise(stepped, 2.0, iterations=500)
    inner = slice(16, -16)
    assert np.abs(stepped - ramp)[:, inner].max() >= 0.99
    assert np.abs(smooth - ramp)[:, inner].max() < 0.15
    before = slope_percent(stepped, grid(ramp.shape, 10.0))[:, inner]
    after = slope_percent(smooth, grid(ramp.shape, 10.0))[:, inner]
    assert before.min() == 0
    assert before.max() == pytest.approx(10.0)
    np.testing.assert_allclose(after, 1.25, atol=0.45)


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.int64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
               elements=st.integers(-3, 5)),
    st.integers(0, 12),
    st.sampled_from([0.5, 2.0, 31.25]),
)  # fmt: skip
def test_never_leaves_the_step(k: np.ndarray, passes: int, step: float) -> None:
    z = k * step
    z = np.where(k == -3, np.nan, z)
    out = dequantise(z, step, iterations=passes)
    np.testing.assert_array_equal(np.isnan(out), np.isnan(z))
    known = ~np.isnan(z)
    assert (np.abs(out - z)[known] <= step / 2).all()
    assert (out[z == 0] == 0).all(), "the sea stays at 0"


def test_refuses_a_step_of_nothing() -> None:
    with pytest.raises(RangeError, match="step of 0"):
        dequantise(np.zeros((2, 2)), 0)
