"""Exclusions: which rules removed what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.siting.exclude import RuleMask, accounting, combine

GRID = Grid("EPSG:6933", 0.0, 0.0, 500.0, 2, 3)  # cells of 25 ha


def test_by_hand() -> None:
    inside = np.array([[1, 1, 1], [1, 1, 0]], dtype=bool)
    slope = np.array([[1, 1, 0], [0, 0, 1]], dtype=bool)
    towns = np.array([[0, 1, 0], [1, 0, 1]], dtype=bool)
    found = combine([RuleMask("slope", slope), RuleMask("towns", towns)], inside=inside)
    assert found.bits.dtype == np.uint8
    np.testing.assert_array_equal(found.allowed, [[0, 0, 1], [0, 1, 0]])
    assert found.rules_at(0, 1) == ("slope", "towns")
    assert found.rules_at(1, 0) == ("towns",)
    assert found.rules_at(0, 2) == ()
    table = accounting(found, GRID)
    assert table["rule"].tolist() == ["slope", "towns"]
    assert table["area_ha_alone"].tolist() == [50.0, 50.0]
    assert table["area_ha_only"].tolist() == [25.0, 25.0]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 64), st.integers(0, 2**31))
def test_counts_agree_with_masks(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid("EPSG:6933", 0.0, 0.0, 100.0, 9, 11)
    masks = rng.random((number, *grid.shape)) < 0.1
    inside = rng.random(grid.shape) < 0.8
    found = combine((RuleMask(f"r{k}", m) for k, m in enumerate(masks)), inside=inside)
    np.testing.assert_array_equal(found.allowed, inside & ~masks.any(axis=0))
    assert found.bits.dtype.itemsize * 8 >= number
    table = accounting(found, grid, threads=3)
    times = masks.sum(axis=0)
    for k, mask in enumerate(masks):
        assert table["area_ha_alone"][k] == (mask & inside).sum()
        assert table["area_ha_only"][k] == (mask & inside & (times == 1)).sum()
        assert all((f"r{k}" in found.rules_at(r, c)) == mask[r, c] for r, c in [(0, 0), (8, 10)])


def test_taking_a_rule_away_frees_what_only_it_removed() -> None:
    rng = np.random.default_rng(5)
    masks = rng.random((4, 2, 3)) < 0.4
    inside = np.ones((2, 3), dtype=bool)
    rules = [RuleMask(str(k), m) for k, m in enumerate(masks)]
    table = accounting(combine(rules, inside=inside), GRID)
    everything = combine(rules, inside=inside).allowed.sum()
    for k in range(4):
        without = combine(rules[:k] + rules[k + 1 :], inside=inside).allowed.sum()
        assert (without - everything) * 25.0 == table["area_ha_only"][k]


def test_refuses_what_does_not_fit() -> None:
    inside = np.ones((2, 3), dtype=bool)
    with pytest.raises(ShapeError, match=r"exclude\.a|shape"):
        combine([RuleMask("a", np.ones((3, 3), dtype=bool))], inside=inside)
    with pytest.raises(RangeError, match="two rules"):
        combine([RuleMask("a", inside), RuleMask("a", inside)], inside=inside)
    with pytest.raises(RangeError, match="more than 64"):
        combine([RuleMask(str(k), inside) for k in range(65)], inside=inside)
    with pytest.raises(RangeError, match=r"\(2, 0\)"):
        combine([], inside=inside).rules_at(2, 0)
