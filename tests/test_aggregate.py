"""Weighted sum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.aggregate import weighted_sum


def test_by_hand() -> None:
    a = np.array([[1.0, 0.5, np.nan]], dtype=np.float32)
    b = np.array([[0.0, 1.0, 1.0]], dtype=np.float32)
    out = weighted_sum([a, b], [0.75, 0.25])
    np.testing.assert_array_equal(out, np.array([[0.75, 0.625, np.nan]], np.float32))


def test_a_missing_value_without_weight_does_not_count() -> None:
    assert weighted_sum([np.array([np.nan]), np.array([0.5])], [0, 1])[0] == 0.5


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**31))
def test_stays_between_the_least_and_the_largest_value(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.random((n, 50)).astype(np.float32)
    w = rng.random(n) + 0.01
    out = weighted_sum(list(values), list(w / w.sum()))
    assert (out >= values.min(axis=0) - 1e-6).all()
    assert (out <= values.max(axis=0) + 1e-6).all()


def test_agrees_with_the_matrix_product_across_blocks() -> None:
    rng = np.random.default_rng(0)
    values, w = rng.random((5, 40_000)), rng.random(5)
    np.testing.assert_allclose(weighted_sum(list(values), list(w)), w @ values, rtol=1e-6)


def test_refuses_what_does_not_fit() -> None:
    with pytest.raises(ShapeError, match="2 value arrays and 1 weights"):
        weighted_sum([np.zeros(2), np.zeros(2)], [1])
    with pytest.raises(ShapeError, match="shapes"):
        weighted_sum([np.zeros(2), np.zeros(3)], [1, 1])
    with pytest.raises(RangeError, match="-1"):
        weighted_sum([np.zeros(2)], [-1])
    with pytest.raises(ShapeError, match="no value array"):
        weighted_sum([], [])
