"""VIKOR: published numbers, its two conditions, and divisions that are not made."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geoplan.errors import RangeError
from geoplan.mcda.decision import decision, ranks_of
from geoplan.mcda.vikor import vikor

HYDRO = [
    [4184.3, 2914.0, 407.2, 251.0, 195, 244, 15, 2.41],
    [5211.9, 3630.0, 501.7, 308.3, 282, 346, 21, 1.41],
    [5021.3, 3920.5, 504.0, 278.6, 12, 56, 3, 4.42],
    [5566.1, 3957.9, 559.5, 335.3, 167, 268, 16, 3.36],
    [5060.5, 3293.5, 514.1, 284.2, 69, 90, 7, 4.04],
    [4317.9, 2925.9, 432.8, 239.3, 12, 55, 3, 4.36],
]
"""Hydropower systems on the Drina (Opricovic & Tzeng 2007, table of criteria)."""

HYDRO_DIRECTIONS = ["max", "min", "max", "max", "min", "min", "min", "max"]


def test_opricovic_tzeng_2004() -> None:
    found = vikor(
        decision([[1, 3000], [2, 3750], [5, 4500]], [0.5, 0.5], directions=["min", "max"])
    )
    assert found.s.tolist() == [0.5, 0.375, 0.5]
    assert found.r.tolist() == [0.5, 0.25, 0.5]
    assert found.q.tolist() == [1.0, 0.0, 1.0]
    assert found.compromise == (1,)
    assert found.advantage
    assert found.stability
    assert ranks_of(found.q, ascending=True).tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    ("weights", "s", "r", "q", "advantage", "compromise"),
    [
        ([1] * 8, [0.692, 0.7, 0.29, 0.423, 0.28, 0.346],
         [0.125, 0.125, 0.121, 0.125, 0.067, 0.125],
         [0.991, 1.0, 0.473, 0.670, 0.0, 0.578], True, {4}),
        ([2] * 4 + [1] * 4, [0.701, 0.6, 0.386, 0.365, 0.317, 0.459],
         [0.167, 0.114, 0.161, 0.167, 0.089, 0.167],
         [1.0, 0.533, 0.552, 0.563, 0.0, 0.686], True, {4}),
        ([1] * 4 + [2] * 4, [0.683, 0.8, 0.193, 0.48, 0.243, 0.232],
         [0.113, 0.167, 0.08, 0.122, 0.044, 0.083],
         [0.684, 1.0, 0.147, 0.554, 0.041, 0.191], False, {2, 4, 5}),
        ([1] * 4 + [3.2] * 4, [0.678, 0.857, 0.138, 0.513, 0.222, 0.167],
         [0.129, 0.190, 0.057, 0.139, 0.042, 0.060],
         [0.668, 1.0, 0.051, 0.588, 0.058, 0.078], False, {2, 4, 5}),
    ],
)  # fmt: skip
def test_opricovic_tzeng_2007(
    weights: list[float],
    s: list[float],
    r: list[float],
    q: list[float],
    advantage: bool,
    compromise: set[int],
) -> None:
    question = decision(HYDRO, np.array(weights) / sum(weights), directions=HYDRO_DIRECTIONS)
    found = vikor(question)
    assert np.allclose(found.s, s, atol=1.1e-3)
    assert np.allclose(found.r, r, atol=1.1e-3)
    assert np.allclose(found.q, q, atol=1.1e-3)
    assert (found.advantage, found.stability) == (advantage, True)
    assert set(found.compromise) == compromise


def test_pymcdm_documentation() -> None:
    table = [[78, 56, 34, 6], [4, 45, 3, 97], [18, 2, 50, 63], [9, 14, 11, 92], [85, 9, 100, 29]]
    found = vikor(decision(table, [0.25] * 4))
    assert np.allclose(found.q, [0.5679, 0.7667, 1.0, 0.7493, 0.0], atol=5e-5)


def test_advantage_without_stability() -> None:
    # scikit-criteria, test_VIKOR_acceptable_advantage_but_not_stability.
    table = [
        [1, 101, 1, 101, 1], [101, 1, 101, 1, 101], [1, 1, 1, 1, 101],
        [11, 11, 11, 16, 61], [56, 56, 56, 56, 56],
    ]  # fmt: skip
    found = vikor(decision(table, [0.2] * 5, directions=["min"] * 5))
    assert np.allclose(found.q, [0.75, 1, 0.5, 0.068, 0.4375], atol=1e-3)
    assert (found.advantage, found.stability, found.compromise) == (True, False, (3, 4))


def test_a_constant_criterion_is_reported_not_divided_by() -> None:
    with np.errstate(all="raise"):
        found = vikor(decision([[1, 7], [2, 7], [3, 7]], [0.5, 0.5]))
    assert found.constant == ("1",)
    assert found.q.tolist() == [1.0, 0.5, 0.0]


def test_equal_regrets_are_reported_not_divided_by() -> None:
    with np.errstate(all="raise"):
        # By hand: each regrets half of everything, and at most one half.
        found = vikor(decision([[0, 1], [1, 0]], [0.5, 0.5]))
        assert (found.equal_s, found.equal_r) == (True, True)
        assert found.q.tolist() == [0.0, 0.0]
        assert found.compromise == (0, 1)
        # Equal sums, unequal largest regrets: Q is the part of R alone.
        found = vikor(decision([[0, 1], [1, 0], [0.5, 0.5]], [0.5, 0.5]))
        assert (found.equal_s, found.equal_r) == (True, False)
        assert found.q.tolist() == [0.5, 0.5, 0.0]
        alone = vikor(decision([[3.0, 1.0]], [0.5, 0.5]))
        assert (alone.q.tolist(), alone.compromise) == ([0.0], (0,))


@pytest.mark.parametrize("v", [-0.1, 1.1, np.nan])
def test_v_outside_its_range(v: float) -> None:
    with pytest.raises(RangeError, match="VIKOR's v"):
        vikor(decision([[1.0], [2.0]], [1.0]), v=v)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(2, 8), st.just(3)),
           elements=st.floats(0, 1).map(lambda x: round(x, 3))),
    st.floats(0, 1),
)  # fmt: skip
def test_laws(table: np.ndarray, v: float) -> None:
    found = vikor(decision(table, [0.5, 0.3, 0.2]), v=v)
    for part in (found.s, found.r, found.q):
        assert ((part >= 0) & (part <= 1 + 1e-12)).all()
    assert (found.r <= found.s + 1e-12).all()
    assert found.q[found.compromise[0]] == found.q.min()
    for a in range(len(table)):
        for b in range(len(table)):
            if (table[a] >= table[b]).all():
                assert found.q[a] <= found.q[b] + 1e-9
