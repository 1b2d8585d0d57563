"""Statistics and histogram of a measure, and what is said of one that never differs."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.mcda.value_notice import constant_notice
from geoplan.mcda.value_statistics import histogram, statistics


def test_by_hand() -> None:
    """2, 4, 4, 4, 5, 5, 7, 9: mean 5, standard deviation 2."""
    s = statistics([[2, 4, 4, 4], [5, 5, 7, 9]])
    assert (s.min, s.max, s.mean, s.std, s.count) == (2, 9, 5, 2, 8)
    assert not s.constant


def test_missing_and_endless_measures_are_left_out() -> None:
    s = statistics([math.nan, 1.0, math.inf, 3.0, -math.inf])
    assert (s.min, s.max, s.mean, s.std, s.count) == (1, 3, 2, 1, 2)
    none = statistics(np.full(3, np.nan))
    assert none.missing
    assert math.isnan(none.mean)
    assert statistics([]).count == 0
    assert histogram([math.nan]).counts == ()


def test_threads_do_not_show() -> None:
    x = np.random.default_rng(0).normal(1e6, 1, 400_001).astype(np.float32)
    one, two = statistics(x, threads=1), statistics(x, threads=2)
    assert one == two
    assert one.mean == pytest.approx(float(x.astype(np.float64).mean()), rel=1e-12)
    assert one.std == pytest.approx(float(x.astype(np.float64).std()), rel=1e-9)


@settings(deadline=None, max_examples=60, derandomize=True)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40))
def test_mean_lies_between_the_ends(x: list[float]) -> None:
    s = statistics(x)
    assert s.min - 1e-6 <= s.mean <= s.max + 1e-6
    assert 0 <= s.std <= (s.max - s.min) / 2 + 1e-6  # Popoviciu's inequality
    h = histogram(x, bins=7)
    assert sum(h.counts) == s.count
    assert (h.edges[0], h.edges[-1]) == (s.min, s.max)


def test_histogram_by_hand() -> None:
    h = histogram([0, 1, 1, 2, 3, 4, np.nan], bins=2)
    assert (h.edges, h.counts) == ((0, 2, 4), (3, 3))
    assert histogram([5, 5]).counts == (2,)
    with pytest.raises(RangeError, match="0 bins"):
        histogram([1], bins=0)


def test_what_is_said_of_a_measure_that_never_differs() -> None:
    title = Text(en="Slope", fa="شیب")
    assert constant_notice(title, statistics([1, 2]), "%") is None
    same = constant_notice(title, statistics([12.5, 12.5]), "%")
    assert same is not None
    assert same.en == (
        "Criterion “Slope” is 12.5% in all allowed cells, so it tells no place from another."
    )
    assert same.fa is not None
    assert "۱۲٫۵٪" in same.fa
    none = constant_notice(title, statistics([np.nan]), "%")
    assert none is not None
    assert none.en == "Criterion “Slope” has no measure in any allowed cell."
