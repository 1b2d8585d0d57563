"""Inequality measures against published numbers, by hand, and as laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError, ShapeError
from geoplan.regions.inequality import (
    atkinson,
    between_within,
    gini,
    hhi,
    hoover,
    theil_l,
    theil_t,
)

FIVE = [10, 10, 10, 20, 50]
"""R package REAT (Wieland), examples of ``theil``; recomputed by hand."""

amounts = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=12)
laws = settings(max_examples=60, deadline=None, derandomize=True)


def test_gini_and_hhi_of_four_regions() -> None:
    # R package REAT, examples of gini() and herf(): (20, 50, 20, 10).
    assert gini([20, 50, 20, 10]) == pytest.approx(0.3, abs=1e-12)
    assert gini([20, 50, 20, 10], normalised=True) == pytest.approx(0.4, abs=1e-12)
    assert hhi([20, 50, 20, 10]) == pytest.approx(0.34, abs=1e-12)
    # by hand: (0.34 − 1/4) / (1 − 1/4)
    assert hhi([20, 50, 20, 10], normalised=True) == pytest.approx(0.12, abs=1e-12)


def test_gini_weighted_by_the_size_of_income_classes() -> None:
    # R package REAT, example of gini() with weighting (Bortz): published to four digits.
    income = [500, 1500, 2500, 4000, 7500, 15000]
    size = [1000, 1200, 1600, 400, 200, 600]
    assert gini(income, weights=size) == pytest.approx(0.5278, abs=5e-5)


def test_the_two_theils_are_two_numbers() -> None:
    assert theil_t(FIVE) == pytest.approx(0.250201, abs=5e-7)
    assert theil_l(FIVE) == pytest.approx(0.2326302, abs=5e-8)
    # By hand: T = ½ ln ½ · 3/5 + 1/5 · 1 · ln 1 + 1/5 · 2.5 · ln 2.5; L = (3 ln 2 − ln 2.5) / 5.
    assert theil_t(FIVE) == pytest.approx(0.3 * math.log(0.5) + 0.5 * math.log(2.5), abs=1e-12)
    assert theil_l(FIVE) == pytest.approx((3 * math.log(2) - math.log(2.5)) / 5, abs=1e-12)


def test_atkinson_by_hand() -> None:
    # (1, 4), mean 2.5: ε = ½: ((1 + 2)/2)² = 2.25; ε = 1: √4 = 2; ε = 2: 2 / (1 + ¼) = 1.6.
    assert atkinson([1, 4], aversion=0.5) == pytest.approx(1 - 2.25 / 2.5)
    assert atkinson([1, 4], aversion=1) == pytest.approx(1 - 2 / 2.5)
    assert atkinson([1, 4], aversion=2) == pytest.approx(1 - 1.6 / 2.5)
    assert atkinson([1, 4], aversion=0) == pytest.approx(0)
    # At ε = 1 it is 1 − exp(−L).
    assert atkinson(FIVE, aversion=1) == pytest.approx(1 - math.exp(-theil_l(FIVE)))
    assert atkinson([1e-3, 1, 1e3], aversion=200) == pytest.approx(
        1 - 1e-3 * 3 ** (1 / 199) / (1001.001 / 3)
    )


def test_hoover_by_hand() -> None:
    # (20, 50, 20, 10): 25 lies above the mean, of 100.
    assert hoover([20, 50, 20, 10]) == pytest.approx(0.25)


def test_a_region_with_nothing() -> None:
    assert theil_l([0, 1, 2]) == math.inf
    assert theil_t([0, 2]) == pytest.approx(math.log(2))
    assert atkinson([0, 1], aversion=1) == 1.0
    assert atkinson([0, 1], aversion=0.5) == pytest.approx(0.5)
    assert gini([0, 1]) == pytest.approx(0.5)
    assert gini([0, 1], normalised=True) == pytest.approx(1)
    # A region without people counts for nothing, so its 0 makes no Theil L infinite.
    assert theil_l([0, 1, 1], weights=[0, 3, 4]) == 0.0


def test_nothing_to_share_out_is_not_equality() -> None:
    found = [gini([0, 0]), hoover([0]), theil_t([]), theil_l([0]), hhi([0, 0])]
    assert np.isnan([*found, atkinson([], aversion=1)]).all()


@pytest.mark.parametrize("measure", [gini, hoover, theil_t, theil_l, hhi])
def test_impossible_values_are_named(measure) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RangeError, match="region number 1 is -2"):
        measure([1, -2, 3])
    with pytest.raises(RangeError, match="region number 2 is nan"):
        measure([1, 2, np.nan])
    with pytest.raises(ShapeError):
        measure([[1, 2]])


def test_impossible_weights_are_named() -> None:
    with pytest.raises(RangeError, match="no region has a weight"):
        gini([1, 2], weights=[0, 0])
    with pytest.raises(RangeError, match="weight of region number 0 is -1"):
        theil_t([1, 2], weights=[-1, 1])
    with pytest.raises(ShapeError):
        gini([1, 2], weights=[1])
    with pytest.raises(RangeError, match="weighted Gini"):
        gini([1, 2], weights=[1, 2], normalised=True)
    with pytest.raises(RangeError, match="aversion of -1"):
        atkinson([1, 2], aversion=-1)


@laws
@given(amounts)
def test_gini_is_its_definition(y: list[float]) -> None:
    a = np.array(y)
    n, mean = len(a), a.mean()
    expected = np.abs(a[:, None] - a[None, :]).sum() / (2 * n * n * mean)
    assert gini(y) == pytest.approx(expected, abs=1e-9)
    assert hoover(y) <= gini(y) + 1e-12


@laws
@given(amounts, st.floats(0.1, 1000), st.integers(2, 4))
def test_scale_and_copies_change_nothing(y: list[float], factor: float, times: int) -> None:
    scaled = [v * factor for v in y]
    for measure in (gini, hoover, theil_t, theil_l):
        assert measure(scaled) == pytest.approx(measure(y), abs=1e-9)
        copied = measure(y * times)
        assert copied == pytest.approx(measure(y), abs=1e-9)
        assert measure(y, weights=[times] * len(y)) == pytest.approx(copied, abs=1e-9)


@laws
@given(amounts.filter(lambda y: len(y) > 1), st.floats(0.01, 0.49))
def test_a_gift_from_rich_to_poor_lowers_each(y: list[float], share: float) -> None:
    high, low = int(np.argmax(y)), int(np.argmin(y))
    gift = (y[high] - y[low]) * share
    after = list(y)
    after[high] -= gift
    after[low] += gift
    for measure in (gini, theil_t, theil_l):
        assert measure(after) <= measure(y) + 1e-9
    assert atkinson(after, aversion=0.5) <= atkinson(y, aversion=0.5) + 1e-9


@laws
@given(
    st.lists(
        st.tuples(st.floats(0.01, 1e4), st.floats(0.01, 1e4), st.sampled_from("abc")),
        min_size=1,
        max_size=12,
    ),
    st.sampled_from(["theil_t", "theil_l"]),
)
def test_between_and_within_add_up(rows: list[tuple[float, float, str]], measure: str) -> None:
    y, w, g = (list(c) for c in zip(*rows, strict=True))
    parts = between_within(y, g, measure=measure, weights=w)
    whole = {"theil_t": theil_t, "theil_l": theil_l}[measure](y, weights=w)
    assert parts.total == whole
    assert parts.between + parts.within == pytest.approx(whole, abs=1e-9)
    assert sum(parts.group.values()) == pytest.approx(parts.within, abs=1e-12)
    assert min(parts.between, parts.within) >= 0


def test_between_and_within_by_hand() -> None:
    # Two groups that are equal inside: everything is between. One group: everything is within.
    apart = between_within([1, 1, 3, 3], ["a", "a", "b", "b"])
    assert apart.within == pytest.approx(0)
    assert apart.between == pytest.approx(theil_t([1, 3]))
    assert between_within(FIVE, ["a"] * 5, measure="theil_l").within == pytest.approx(theil_l(FIVE))
    # A region with nothing makes L infinite inside its group; between the groups it is finite.
    infinite = between_within([0, 2, 1, 1], ["a", "a", "b", "b"], measure="theil_l")
    assert (infinite.total, infinite.within) == (math.inf, math.inf)
    assert infinite.between == pytest.approx(0)
    empty = between_within([0, 0, 1, 1], ["a", "a", "b", "b"])
    assert empty.between + empty.within == pytest.approx(empty.total)


def test_what_does_not_split_is_refused() -> None:
    with pytest.raises(RangeError, match="'gini' does not split"):
        between_within([1, 2], ["a", "b"], measure="gini")
    with pytest.raises(RangeError, match="region number 1 has no group"):
        between_within([1, 2], ["a", None])
