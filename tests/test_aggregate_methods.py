"""Weighted product, ordered weighted average and fuzzy overlay: by hand, published, and by law."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.aggregate import aggregate, weighted_sum
from geoplan.mcda.leave_one_out import adds_up, contribution_note, leave_one_out, uses_weights
from geoplan.mcda.order_weights import (
    max_entropy_weights,
    order_weights_of,
    orness,
    quantifier_weights,
    tradeoff,
)


def method(name: str, **keys: Any) -> AggregationSpec:
    return AggregationSpec.model_validate({"method": name, **keys})


def score(spec: AggregationSpec, values: list[float], weights: list[float]) -> float:
    return float(aggregate(spec, [np.array([v]) for v in values], weights)[0])


EVERY = (
    method("weighted_sum"),
    method("weighted_product"),
    method("owa", orness=0.3),
    method("owa", orness=0.8, order_from="max_entropy"),
    method("fuzzy_gamma", gamma=0.9),
    method("fuzzy_and"),
    method("fuzzy_or"),
    method("fuzzy_product"),
    method("fuzzy_sum"),
    method("fuzzy_gamma", gamma=0.4, use_weights=True),
    method("fuzzy_and", use_weights=True),
    method("fuzzy_or", use_weights=True),
)


# --- Order weights ---------------------------------------------------------------------------


def test_maximum_entropy_weights_as_published() -> None:
    """Fullér & Majlender 2001 (Fuzzy Sets and Systems 124), n = 5, orness 0.6."""
    np.testing.assert_allclose(
        max_entropy_weights(0.6, 5), [0.2884, 0.2353, 0.1920, 0.1566, 0.1278], atol=6e-5
    )


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.floats(0, 1), st.integers(1, 12))
def test_maximum_entropy_meets_the_orness_exactly(degree: float, n: int) -> None:
    w = max_entropy_weights(degree, n)
    assert math.fsum(w) == pytest.approx(1)
    if n > 1:
        assert orness(w) == pytest.approx(degree, abs=1e-9)
    np.testing.assert_allclose(w[::-1], max_entropy_weights(1 - degree, n), atol=1e-9)


def test_quantifier_weights_by_hand() -> None:
    """Orness 1/3 is p²: 1/9, 3/9, 5/9 for three criteria; orness (2·1 + 3) / 18 = 5/18."""
    w = quantifier_weights(1 / 3, 3)
    np.testing.assert_allclose(w, [1 / 9, 3 / 9, 5 / 9])
    assert orness(w) == pytest.approx(5 / 18)
    assert quantifier_weights(0, 3) == (0, 0, 1)
    assert quantifier_weights(1, 3) == (1, 0, 0)
    np.testing.assert_allclose(quantifier_weights(0.5, 4), [0.25] * 4)
    assert orness(quantifier_weights(0.7, 2000)) == pytest.approx(0.7, abs=1e-3)


def test_andness_orness_and_tradeoff() -> None:
    """Jiang & Eastman 2000: AND and OR have no trade-off, equal order weights have all of it."""
    assert (orness([1, 0, 0]), tradeoff([1, 0, 0])) == (1, 0)
    assert (orness([0, 0, 1]), tradeoff([0, 0, 1])) == (0, 0)
    assert tradeoff([0.25] * 4) == 1
    assert orness([0.25] * 4) == pytest.approx(0.5)
    # The middle value alone: neither AND nor OR, and no trade-off.
    assert (orness([0, 1, 0]), tradeoff([0, 1, 0])) == (0.5, 0)
    found = order_weights_of(method("owa", order_weights=[0.6, 0.3, 0.1]), 3)
    assert found.orness == pytest.approx(0.75)  # (2·0.6 + 0.3) / 2
    assert found.andness == pytest.approx(0.25)
    # 1 − √(3·(0.2667² + 0.0333² + 0.2333²)/2) = 1 − √0.19
    assert found.tradeoff == pytest.approx(1 - math.sqrt(0.19))
    with pytest.raises(ShapeError, match="3 order weights, but 2 criteria"):
        order_weights_of(method("owa", order_weights=[0.6, 0.3, 0.1]), 2)
    with pytest.raises(RangeError, match="has no order weights"):
        order_weights_of(method("fuzzy_or"), 2)


# --- Scores by hand --------------------------------------------------------------------------


def test_ordered_average_as_published() -> None:
    """Yager 1988: W = (0.4, 0.3, 0.2, 0.1) on (0.7, 1, 0.3, 0.6) is 0.76."""
    owa = method("owa", order_weights=[0.4, 0.3, 0.2, 0.1])
    assert score(owa, [0.7, 1, 0.3, 0.6], [0.25] * 4) == pytest.approx(0.76)


def test_ordered_average_with_criterion_weights_by_hand() -> None:
    """Criteria 0.5, 0.3, 0.2 with values 0.4, 0.9, 0.6: in order 0.9 (0.3), 0.6 (0.2), 0.4 (0.5).

    Order weights 0.6, 0.3, 0.1: products 0.18, 0.06, 0.05 of 0.29.
    Orness 1/3 (p²): 0.3² = 0.09, 0.5² − 0.3² = 0.16, 1 − 0.25 = 0.75.
    """
    values, weights = [0.4, 0.9, 0.6], [0.5, 0.3, 0.2]
    given_order = method("owa", order_weights=[0.6, 0.3, 0.1])
    assert score(given_order, values, weights) == pytest.approx(
        (0.18 * 0.9 + 0.06 * 0.6 + 0.05 * 0.4) / 0.29
    )
    quantifier = method("owa", orness=1 / 3)
    assert score(quantifier, values, weights) == pytest.approx(0.09 * 0.9 + 0.16 * 0.6 + 0.75 * 0.4)


def test_weighted_product_by_hand() -> None:
    product = method("weighted_product")
    assert score(product, [0.25, 1.0], [0.5, 0.5]) == 0.5
    assert score(product, [0.5, 0.125], [0.25, 0.75]) == pytest.approx(2**-2.5)
    assert score(product, [0.0, 1.0], [0.01, 0.99]) == 0
    assert score(product, [1.0, 1.0, 1.0], [0.2, 0.3, 0.5]) == 1
    assert math.isnan(score(product, [0.0, math.nan], [0.5, 0.5]))


def test_fuzzy_overlay_by_hand() -> None:
    """Bonham-Carter 1994, chapter 9: memberships 0.75 and 0.5.

    Product 0.375, sum 1 − 0.25·0.5 = 0.875, gamma 0.7: 0.375^0.3 · 0.875^0.7.
    """
    two, even = [0.75, 0.5], [0.5, 0.5]
    assert score(method("fuzzy_and"), two, even) == 0.5
    assert score(method("fuzzy_or"), two, even) == 0.75
    assert score(method("fuzzy_product"), two, even) == 0.375
    assert score(method("fuzzy_sum"), two, even) == 0.875
    assert score(method("fuzzy_gamma", gamma=0.7), two, even) == pytest.approx(
        0.375**0.3 * 0.875**0.7
    )
    assert score(method("fuzzy_gamma", gamma=0), two, even) == 0.375
    assert score(method("fuzzy_gamma", gamma=1), two, even) == 0.875
    assert score(method("fuzzy_gamma", gamma=1), [0.0, 0.5], even) == 0.5
    assert score(method("fuzzy_gamma", gamma=0), [0.0, 0.0], even) == 0


def test_weighted_fuzzy_overlay_by_hand() -> None:
    """Weights 0.75 and 0.25 of two criteria are the powers 1.5 and 0.5."""
    two, weights = [0.25, 0.81], [0.75, 0.25]
    joined = 0.25**1.5 * 0.81**0.5
    rest = 0.75**1.5 * 0.19**0.5
    for name, expected in {
        "fuzzy_product": joined,
        "fuzzy_sum": 1 - rest,
        "fuzzy_and": 0.125,
        "fuzzy_or": 1 - 0.19**0.5,
    }.items():
        assert score(method(name, use_weights=True), two, weights) == pytest.approx(expected), name
    gamma = method("fuzzy_gamma", gamma=0.5, use_weights=True)
    assert score(gamma, two, weights) == pytest.approx(math.sqrt(joined * (1 - rest)))


def test_drops_by_hand() -> None:
    values = [np.array([0.5, np.nan]), np.array([0.8, 0.8]), np.array([0.3, 0.3])]
    weights = [0.5, 0.5, 0.0]
    sums = leave_one_out(method("weighted_sum"), values, weights)
    np.testing.assert_allclose(sums, [[0.25, np.nan], [0.4, np.nan], [0, np.nan]], rtol=1e-6)
    least = leave_one_out(method("fuzzy_and"), values, weights)
    np.testing.assert_allclose(least[:, 0], [0.5, 0.5, 0])
    most = leave_one_out(method("fuzzy_or"), values, weights)
    np.testing.assert_allclose(most[:, 0], [0, 0.3, 0], rtol=1e-6)


def test_what_is_said_of_parts_that_do_not_add_up() -> None:
    assert adds_up(method("weighted_sum"))
    assert contribution_note(method("weighted_sum")) is None
    note = contribution_note(method("owa", orness=0.4))
    assert note is not None
    assert "do not add up" in note.en
    assert "weights" not in note.en
    fuzzy = contribution_note(method("fuzzy_and"))
    assert fuzzy is not None
    assert "does not use the weights" in fuzzy.en
    assert fuzzy.fa is not None
    assert "وزن" in fuzzy.fa
    assert uses_weights(method("fuzzy_and", use_weights=True))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"method": "owa"}, "exactly one of 'orness' and 'order_weights'"),
        ({"method": "owa", "orness": 0.5, "order_weights": [1]}, "exactly one"),
        ({"method": "owa", "order_weights": [0.5, 0.4]}, "sum to 0.9"),
        ({"method": "owa", "order_weights": [1], "order_from": "quantifier"}, "remove it"),
        ({"method": "owa", "order_weights": [1.5, -0.5]}, "less than or equal to 1"),
        ({"method": "owa", "orness": 1.2}, "less than or equal to 1"),
        ({"method": "fuzzy_gamma"}, "needs 'gamma'"),
        ({"method": "fuzzy_and", "gamma": 0.5}, "'gamma' means nothing to method 'fuzzy_and'"),
        ({"method": "weighted_sum", "orness": 0.5}, "'orness' means nothing"),
        ({"method": "owa", "orness": 0.5, "use_weights": True}, "'use_weights' means nothing"),
        ({"orness": 0.5}, "'orness' means nothing to method 'weighted_sum'"),
        ({"method": "median"}, "weighted_product"),
    ],
)
def test_combinations_that_mean_nothing_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AggregationSpec.model_validate(keys)


def test_refuses_what_does_not_fit() -> None:
    for spec in EVERY[1:]:
        with pytest.raises(RangeError, match=r"1\.5 is not between 0 and 1"):
            score(spec, [0.5, 1.5], [0.5, 0.5])
        with pytest.raises(RangeError, match=r"all weights are 0"):
            score(spec, [0.5, 0.5], [0, 0])
    with pytest.raises(ShapeError, match="2 order weights, but 1 criteria of weight above 0"):
        score(method("owa", order_weights=[0.5, 0.5]), [0.5, 0.5], [1, 0])
    with pytest.raises(RangeError, match="-1"):
        score(method("fuzzy_and"), [0.5], [-1])


# --- Laws ------------------------------------------------------------------------------------

unit = st.floats(0, 1, width=32)


def _random(n: int, cells: int, seed: int) -> tuple[list[np.ndarray], list[float]]:
    rng = np.random.default_rng(seed)
    values = np.round(rng.random((n, cells)), 1)  # rounded, so that many are equal
    weights = rng.random(n) + 0.01
    return list(values), (weights / weights.sum()).tolist()


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(1, 7), st.integers(0, 2**31))
def test_ends_of_the_ordered_average(n: int, seed: int) -> None:
    """Orness 0 is the least value, 1 the largest, 0.5 and equal order weights the sum."""
    values, weights = _random(n, 40, seed)
    least = np.min(values, axis=0).astype(np.float32)
    most = np.max(values, axis=0).astype(np.float32)
    for source in ("quantifier", "max_entropy"):
        low = aggregate(method("owa", orness=0, order_from=source), values, weights)
        high = aggregate(method("owa", orness=1, order_from=source), values, weights)
        np.testing.assert_array_equal(low, least)
        np.testing.assert_array_equal(high, most)
        if n > 1:
            middle = aggregate(method("owa", orness=0.5, order_from=source), values, weights)
            np.testing.assert_allclose(middle, weighted_sum(values, weights), atol=1e-6)
    even = aggregate(method("owa", order_weights=[1 / n] * n), values, weights)
    np.testing.assert_allclose(even, weighted_sum(values, weights), atol=1e-6)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(st.sampled_from(EVERY), st.integers(1, 6), st.integers(0, 2**31))
def test_within_bounds_and_whatever_the_order_of_the_criteria(
    spec: AggregationSpec, n: int, seed: int
) -> None:
    values, weights = _random(n, 30, seed)
    out = aggregate(spec, values, weights)
    assert ((out >= 0) & (out <= 1)).all()
    if not spec.method.startswith("fuzzy"):
        assert (out >= np.min(values, axis=0) - 1e-6).all()
        assert (out <= np.max(values, axis=0) + 1e-6).all()
    turned = aggregate(spec, values[::-1], weights[::-1])
    np.testing.assert_allclose(turned, out, atol=1e-6)


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    st.sampled_from([s for s in EVERY if s.order_from != "max_entropy"]),
    st.lists(st.tuples(unit, unit), min_size=2, max_size=6),
    st.integers(0, 2**31),
)
def test_a_better_value_never_costs(
    spec: AggregationSpec, pairs: list[tuple[float, float]], seed: int
) -> None:
    weights = (np.random.default_rng(seed).random(len(pairs)) + 0.01).tolist()
    weights = [w / sum(weights) for w in weights]
    worse = score(spec, [min(p) for p in pairs], weights)
    better = score(spec, [max(p) for p in pairs], weights)
    assert better >= worse - 1e-6


def test_more_orness_never_scores_less() -> None:
    values, weights = _random(5, 200, 3)
    scores = [
        aggregate(method("owa", orness=degree), values, weights)
        for degree in (0, 0.2, 0.4, 0.5, 0.6, 0.8, 1)
    ]
    for less, more in itertools.pairwise(scores):
        assert (more >= less - 1e-6).all()


@pytest.mark.parametrize("spec", EVERY, ids=lambda s: f"{s.method}-{s.use_weights}")
def test_missing_threads_and_blocks(spec: AggregationSpec) -> None:
    """A missing value makes the score missing, one without weight does not; threads never show."""
    rng = np.random.default_rng(1)
    values = [rng.random((401, 250), dtype=np.float32) for _ in range(4)]
    values[1][7, 3] = np.nan
    values[3][:] = np.nan
    weights = [0.5, 0.3, 0.2, 0.0]
    one = aggregate(spec, values, weights, threads=1)
    two = aggregate(spec, values, weights, threads=2)
    np.testing.assert_array_equal(one, two)
    assert one.dtype == np.float32
    assert np.flatnonzero(np.isnan(one)).tolist() == [7 * 250 + 3]
    alone = [np.array([v[400, 249]]) for v in values[:3]]
    assert one[400, 249] == aggregate(spec, alone, weights[:3])[0]


def test_more_criteria_than_a_table_of_subsets_holds() -> None:
    """The quantifier by table (16 criteria) and by power (17, one of them without a vote)."""
    values, weights = _random(17, 50, 5)
    spec = method("owa", orness=0.3)
    alpha = 0.7 / 0.3
    out = aggregate(spec, values, weights)
    for cell in range(50):
        order = sorted(range(17), key=lambda k: -values[k][cell])
        total, share = 0.0, 0.0
        for k in order:
            total += ((share + weights[k]) ** alpha - share**alpha) * values[k][cell]
            share += weights[k]
        assert out[cell] == pytest.approx(total, abs=1e-6)
    fewer = [w / sum(weights[:16]) for w in weights[:16]]
    by_table = aggregate(spec, values[:16], fewer)
    by_power = aggregate(spec, [*values[:16], values[0]], [*fewer, 1e-12])
    np.testing.assert_allclose(by_table, by_power, atol=1e-6)
