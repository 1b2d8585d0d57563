"""Exact distance: hand-worked cells, scipy as a second opinion, laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster import distance_m, within

MASKS = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))


def grid(shape: tuple[int, int], cell_m: float = 500.0) -> Grid:
    return Grid("EPSG:6933", 0.0, 0.0, cell_m, *shape)


def test_distances_around_one_cell() -> None:
    present = np.zeros((3, 4), dtype=bool)
    present[1, 1] = True
    d = distance_m(present, grid((3, 4), 100.0))
    r2, r5 = 100 * 2**0.5, 100 * 5**0.5
    expected = [[r2, 100, r2, r5], [100, 0, 100, 200], [r2, 100, r2, r5]]
    np.testing.assert_allclose(d, expected, rtol=1e-7)
    assert d.dtype == np.float32


def test_no_present_cell_is_infinitely_far() -> None:
    assert np.isinf(distance_m(np.zeros((4, 5), dtype=bool), grid((4, 5)))).all()


@settings(deadline=None, max_examples=150)
@given(MASKS)
def test_agrees_with_scipy(present: np.ndarray) -> None:
    d = distance_m(present, grid(present.shape, 30.0))
    if present.any():
        expected = ndimage.distance_transform_edt(~present, sampling=30.0)
        np.testing.assert_allclose(d, expected, rtol=1e-6)
    else:
        assert np.isinf(d).all()


@pytest.mark.parametrize("share", [1e-4, 1e-2, 0.4])
def test_same_bits_on_any_number_of_threads(share: float) -> None:
    present = np.random.default_rng(1).random((301, 257)) < share
    results = [distance_m(present, grid(present.shape), threads=n) for n in (1, 2, 3, 7)]
    assert len({r.tobytes() for r in results}) == 1
    expected = ndimage.distance_transform_edt(~present, sampling=500.0).astype(np.float32)
    np.testing.assert_array_equal(results[0], expected)


@settings(deadline=None, max_examples=60)
@given(MASKS)
def test_turning_the_map_turns_the_distance(present: np.ndarray) -> None:
    d = distance_m(present, grid(present.shape))
    turned = distance_m(present.T[:, ::-1].copy(), grid(present.shape[::-1]))
    np.testing.assert_array_equal(turned, d.T[:, ::-1])


def test_a_buffer_is_a_disk() -> None:
    """Not the diamond of repeated dilation, and not one cell too far."""
    present = np.zeros((41, 41), dtype=bool)
    present[20, 20] = True
    r, c = np.ogrid[-20:21, -20:21]
    buffered = within(present, 1500.0, grid((41, 41), 100.0))
    np.testing.assert_array_equal(buffered, r * r + c * c <= 15 * 15)
    np.testing.assert_array_equal(within(present, 0.0, grid((41, 41), 100.0)), present)


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match=r"\(2, 2\)"):
        distance_m(np.ones((2, 2), dtype=bool), grid((3, 3)))
    with pytest.raises(RangeError, match="-1"):
        within(np.ones((2, 2), dtype=bool), -1.0, grid((2, 2)))
