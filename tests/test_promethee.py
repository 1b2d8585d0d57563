"""PROMETHEE II: published flows, and the sorted sums against the definition pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from geoplan.catalogue.ranking import PreferenceSpec
from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.decision import decision
from geoplan.mcda.promethee import GAUSSIAN_MOST, preferred, promethee

KINDS = ("usual", "u_shape", "v_shape", "level", "linear", "gaussian")

WEIGHTS = [0.5, 0.3, 0.2]


def test_usual_criterion() -> None:
    # pymcdm's documentation of PROMETHEE_II gives .1 −.3 .2.
    found = promethee(
        decision([[4, 3, 2], [3, 2, 4], [5, 1, 3]], WEIGHTS), PreferenceSpec(kind="usual")
    )
    assert np.allclose(found.plus, [0.55, 0.35, 0.60], atol=1e-15)
    assert np.allclose(found.minus, [0.45, 0.65, 0.40], atol=1e-15)
    assert np.allclose(found.net, [0.1, -0.3, 0.2], atol=1e-15)


def test_papathanasiou_ploskas_2018() -> None:
    # Multiple Criteria Decision Aid, chapter 3: linear criterion, q = 1, p = 2.
    table = [[8, 7, 2, 1], [5, 3, 7, 5], [7, 5, 6, 4], [9, 9, 7, 3], [11, 10, 3, 7], [6, 9, 5, 4]]
    found = promethee(
        decision(table, [0.4, 0.3, 0.1, 0.2]), PreferenceSpec(kind="linear", q=1, p=2)
    )
    assert np.allclose(found.net, [-0.26, -0.52, -0.22, 0.36, 0.7, -0.06], atol=1e-12)


def test_a_difference_at_a_threshold() -> None:
    # .3 − .1 is 0.19999999999999998 as computers subtract: not above .2, and .4 − .2 is .2.
    spec = PreferenceSpec(kind="u_shape", q=0.2)
    found = promethee(decision([[0.1], [0.3], [0.2], [0.4]], [1.0]), spec)
    assert (found.plus * 3).tolist() == [0.0, 0.0, 0.0, 1.0]  # only .4 − .1


@pytest.mark.parametrize("kind", KINDS)
def test_what_dominates_has_a_positive_net_flow(kind: str) -> None:
    table = np.array([[0.9, 0.1, 0.8], [0.2, 0.7, 0.3], [0.4, 0.5, 0.1]])  # more, less, more
    question = decision(table, WEIGHTS, directions=["max", "min", "max"])
    net = promethee(question, PreferenceSpec(kind=kind)).net
    assert net[0] > 0.5
    assert net.sum() == pytest.approx(0, abs=1e-15)
    assert (promethee(question, PreferenceSpec(kind=kind)).minus[0]) == 0


def _by_definition(
    table: np.ndarray, sign: list[int], spec: PreferenceSpec
) -> tuple[np.ndarray, np.ndarray]:
    total = np.zeros((len(table), len(table)))
    for j, weight in enumerate(WEIGHTS):
        x = sign[j] * table[:, j]
        total += weight * preferred(x[:, None] - x[None, :], spec)
    return total.sum(axis=1) / (len(table) - 1), total.sum(axis=0) / (len(table) - 1)


@settings(max_examples=150, deadline=None)
@given(
    arrays(
        np.float64,
        st.tuples(st.integers(2, 14), st.just(3)),
        # Tenths make ties and differences that are thresholds; the rest is anything.
        elements=st.integers(0, 10).map(lambda i: i / 10) | st.floats(-1, 1),
    ),
    st.sampled_from(KINDS),
    st.sampled_from([(0.0, 0.1), (0.1, 0.1), (0.1, 0.3), (0.05, 0.3), (0.3, 2.0)]),
    st.lists(st.sampled_from([1, -1]), min_size=3, max_size=3),
)
def test_against_the_definition(
    table: np.ndarray, kind: str, thresholds: tuple[float, float], sign: list[int]
) -> None:
    spec = PreferenceSpec(kind=kind, q=thresholds[0], p=thresholds[1])
    directions = ["max" if s > 0 else "min" for s in sign]
    found = promethee(decision(table, WEIGHTS, directions=directions), spec)
    plus, minus = _by_definition(table, sign, spec)
    assert np.allclose(found.plus, plus, atol=1e-12, rtol=0)
    assert np.allclose(found.minus, minus, atol=1e-12, rtol=0)


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.float64, st.tuples(st.integers(2, 12), st.just(3)), elements=st.floats(0, 1)),
    st.sampled_from(KINDS),
    st.randoms(use_true_random=False),
)
def test_the_order_of_the_rows_does_not_matter(
    table: np.ndarray, kind: str, random: object
) -> None:
    order = list(range(len(table)))
    random.shuffle(order)  # type: ignore[attr-defined]
    spec = PreferenceSpec(kind=kind)
    net = promethee(decision(table, WEIGHTS), spec).net
    assert np.allclose(promethee(decision(table[order], WEIGHTS), spec).net, net[order], atol=1e-13)


def test_far_from_zero_keeps_its_digits() -> None:
    table = np.random.default_rng(0).random((500, 3))
    near = promethee(decision(table, WEIGHTS), PreferenceSpec())
    far = promethee(decision(table + 1e6, WEIGHTS), PreferenceSpec())
    assert np.allclose(far.net, near.net, atol=1e-8)


def test_many_alternatives_and_threads() -> None:
    table = np.random.default_rng(1).random((30_000, 3))
    question = decision(table, WEIGHTS)
    one = promethee(question, PreferenceSpec(), threads=1)
    two = promethee(question, PreferenceSpec(), threads=2)
    assert np.array_equal(one.plus, two.plus)
    assert np.array_equal(one.minus, two.minus)
    assert one.net.sum() == pytest.approx(0, abs=1e-8)
    rows = [0, 17, 29_999]
    plus = sum(
        w * preferred(table[rows, j, None] - table[None, :, j], PreferenceSpec()).sum(axis=1)
        for j, w in enumerate(WEIGHTS)
    )
    assert np.allclose(one.plus[rows], plus / 29_999, atol=1e-12)


def test_one_alternative_and_constant_criteria() -> None:
    assert promethee(decision([[0.4]], [1.0]), PreferenceSpec()).net.tolist() == [0.0]
    found = promethee(decision([[0.4, 1.0], [0.4, 2.0]], [0.5, 0.5]), PreferenceSpec(kind="usual"))
    assert found.constant == ("0",)
    assert found.net.tolist() == [-0.5, 0.5]


def test_a_gaussian_is_refused_above_its_limit() -> None:
    question = decision(np.zeros((GAUSSIAN_MOST + 1, 1)), [1.0])
    with pytest.raises(RangeError, match="20,001 alternatives") as caught:
        promethee(question, PreferenceSpec(kind="gaussian"))
    assert "linear" in caught.value.remedy
    with pytest.raises(ShapeError, match="2 preference functions for 1 criteria"):
        promethee(question, [PreferenceSpec(), PreferenceSpec()])
    with pytest.raises(ValidationError, match="above preference p"):
        PreferenceSpec(kind="linear", q=0.5, p=0.3)
