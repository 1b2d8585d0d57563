"""Value functions, by hand and by law."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.catalogue.scenario import (
    CategoricalValue,
    IdentityValue,
    LinearValue,
    PiecewiseValue,
    SigmoidValue,
)
from geoplan.errors import RangeError
from geoplan.mcda.value import apply_value

NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
SPECS = st.one_of(
    st.tuples(NUMBER, NUMBER)
    .filter(lambda p: p[0] != p[1])
    .map(lambda p: LinearValue(kind="linear", best=p[0], worst=p[1])),
    st.tuples(NUMBER, NUMBER.filter(lambda v: abs(v) > 1e-3)).map(
        lambda p: SigmoidValue(kind="sigmoid", midpoint=p[0], spread=p[1])
    ),
    st.lists(st.tuples(NUMBER, st.floats(0, 1)), min_size=2, max_size=6, unique_by=lambda p: p[0])
    .map(sorted)
    .map(lambda p: PiecewiseValue(kind="piecewise", points=tuple(p))),
    st.dictionaries(st.integers(-5, 5), st.floats(0, 1), min_size=1).map(
        lambda d: CategoricalValue(kind="categorical", values=d, other=0.25)
    ),
)


def test_linear_by_hand() -> None:
    spec = LinearValue(kind="linear", best=2, worst=40)
    out = apply_value(spec, [0, 2, 21, 40, 100, math.inf, math.nan])
    np.testing.assert_array_equal(out, [1, 1, 0.5, 0, 0, 0, np.nan])
    assert out.dtype == np.float32


def test_sigmoid_by_hand() -> None:
    """0.5 at the midpoint, 0.99 one spread on, 0.01 one spread back."""
    spec = SigmoidValue(kind="sigmoid", midpoint=150, spread=300)
    out = apply_value(spec, [150, 450, -150, math.inf, -math.inf, -1e9, math.nan])
    np.testing.assert_allclose(out, [0.5, 0.99, 0.01, 1, 0, 0, np.nan], rtol=1e-6)
    falling = SigmoidValue(kind="sigmoid", midpoint=150, spread=-300)
    np.testing.assert_allclose(apply_value(falling, [450.0]), [0.01], rtol=1e-6)


def test_piecewise_by_hand() -> None:
    spec = PiecewiseValue(kind="piecewise", points=((2, 1), (6, 0.7), (12, 0.2), (15, 0)))
    out = apply_value(spec, [0, 2, 4, 9, 13.5, 99, math.nan])
    np.testing.assert_allclose(out, [1, 1, 0.85, 0.45, 0.1, 0, np.nan], rtol=1e-6)


def test_categories_by_hand() -> None:
    spec = CategoricalValue(kind="categorical", values={6: 0.8, 31: 0.0, 9: 1.0})
    x = np.array([6, 31, 9, 7, 99, np.nan])
    np.testing.assert_allclose(apply_value(spec, x), [0.8, 0, 1, np.nan, np.nan, np.nan])
    other = CategoricalValue(kind="categorical", values={6: 0.8}, other=0.3)
    np.testing.assert_allclose(apply_value(other, x), [0.8, 0.3, 0.3, 0.3, 0.3, np.nan], rtol=1e-6)
    np.testing.assert_allclose(apply_value(other, np.array([[6, 7]], np.uint8)), [[0.8, 0.3]])


def test_identity_is_checked() -> None:
    spec = IdentityValue()
    np.testing.assert_array_equal(apply_value(spec, [0, 1, np.nan]), [0, 1, np.nan])
    assert apply_value(spec, [1 + 1e-9])[0] == 1
    with pytest.raises(RangeError, match=r"12\.5 is not between 0 and 1") as error:
        apply_value(spec, [0.5, 12.5])
    assert "value function" in error.value.remedy
    with pytest.raises(RangeError, match=r"-0\.1"):
        apply_value(spec, [-0.1])
    assert np.isnan(apply_value(spec, [np.nan])).all()


@settings(deadline=None)
@given(SPECS, st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=20))
def test_always_between_0_and_1_and_missing_stays_missing(spec: object, x: list[float]) -> None:
    out = apply_value(spec, np.array(x))
    np.testing.assert_array_equal(np.isnan(out), np.isnan(np.array(x)))
    known = out[~np.isnan(out)]
    assert ((known >= 0) & (known <= 1)).all()


@settings(deadline=None)
@given(SPECS, st.lists(NUMBER, min_size=1, max_size=20))
def test_inverting_mirrors(spec: object, x: list[float]) -> None:
    total = apply_value(spec, x) + apply_value(spec, x, invert=True)
    np.testing.assert_allclose(total, 1.0, atol=1e-6)


@settings(deadline=None)
@given(NUMBER, NUMBER, st.lists(NUMBER, min_size=2, max_size=20))
def test_linear_never_turns_back(best: float, worst: float, x: list[float]) -> None:
    if best == worst:
        return
    out = apply_value(LinearValue(kind="linear", best=best, worst=worst), sorted(x))
    steps = np.diff(out) * (1 if best > worst else -1)
    assert (steps >= 0).all()


def test_blocks_do_not_show() -> None:
    x = np.linspace(0, 1, 200_001)
    out = apply_value(LinearValue(kind="linear", best=1, worst=0), x)
    np.testing.assert_array_equal(out, x.astype(np.float32))
