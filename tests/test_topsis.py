"""TOPSIS, normalisation and the checks of a decision matrix: published numbers and laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geoplan.errors import ProblemsFound, RangeError, ShapeError, UnknownName
from geoplan.mcda.decision import decision, ranks_of
from geoplan.mcda.normalise import divisors, normalise
from geoplan.mcda.topsis import topsis

MOUNTAIN = decision([[1, 3000], [2, 3750], [5, 4500]], [0.5, 0.5], directions=["min", "max"])
"""Risk and altitude (Opricovic & Tzeng 2004, numerical example)."""


def test_tzeng_huang_2011() -> None:
    question = decision([[5, 8, 4], [7, 6, 8], [8, 8, 6], [7, 4, 6]], [0.3, 0.4, 0.3])
    found = topsis(question)
    assert np.allclose(found.closeness, [0.503720, 0.658085, 0.748249, 0.333997], atol=5e-7)
    assert found.normalisation == "vector"
    assert ranks_of(found.closeness).tolist() == [3, 2, 1, 4]


def test_the_winner_depends_on_the_normalisation() -> None:
    vector = topsis(MOUNTAIN).closeness
    assert np.allclose(vector, [0.7621, 0.7222, 0.2379], atol=5e-5)
    # pymcdm's documentation gives .500 .617 .500 for the same table by range.
    by_range = topsis(MOUNTAIN, normalisation="min_max").closeness
    assert np.allclose(by_range, [0.5, 0.617, 0.5], atol=5e-4)
    assert (int(vector.argmax()), int(by_range.argmax())) == (0, 1)


def test_without_normalisation_as_scikit_criteria() -> None:
    # scikit-criteria's test_TOPSIS: [[1, 0, 3], [0, 5, 6]], equal weights, no scaling, gives
    # .14639248 and .85360752. Ranges of 1, 5 and 3: dividing by them is undone in the weights.
    weights = np.array([1.0, 5.0, 3.0]) / 9
    found = topsis(decision([[1, 0, 3], [0, 5, 6]], weights), normalisation="min_max")
    assert np.allclose(found.closeness, [0.14639248, 0.85360752], atol=1e-8)


def test_divisors_by_hand() -> None:
    values = np.array([[3.0, -1.0], [4.0, 1.0]])
    assert divisors(values, "vector").tolist() == pytest.approx([5.0, np.sqrt(2)])
    assert divisors(values, "min_max").tolist() == [1.0, 2.0]
    assert divisors(values, "max").tolist() == [4.0, 1.0]
    assert divisors(values, "sum").tolist() == [7.0, 2.0]
    assert normalise(values, np.array([1.0, -1.0]), "max").tolist() == [[0.75, 1.0], [1.0, -1.0]]
    with pytest.raises(UnknownName, match="'z-score'"):
        divisors(values, "z-score")  # type: ignore[arg-type]


def test_lengths_neither_overflow_nor_vanish() -> None:
    assert divisors(np.array([[3e200], [4e200]]), "vector")[0] == pytest.approx(5e200)
    assert divisors(np.array([[3e-200], [4e-200]]), "vector")[0] == pytest.approx(5e-200)


def test_a_constant_criterion_is_reported_and_adds_nothing() -> None:
    table = pd.DataFrame({"road": [1.0, 3.0, 2.0], "flat": [0.7, 0.7, 0.7], "zero": [0.0] * 3})
    for kind in ("vector", "min_max", "max", "sum"):
        found = topsis(decision(table, [0.5, 0.3, 0.2]), normalisation=kind)
        assert found.constant == ("flat", "zero")
        assert found.closeness.tolist() == [0.0, 1.0, 0.5]


def test_nothing_to_tell_apart_is_nan_and_one_tie() -> None:
    found = topsis(decision([[0.4, 0.2], [0.4, 0.2]], [0.5, 0.5]))
    assert np.isnan(found.closeness).all()
    assert ranks_of(found.closeness).tolist() == [1, 1]


def test_a_missing_value_names_alternative_and_criterion() -> None:
    table = pd.DataFrame({"road": [1.0, np.nan], "slope": [np.nan, np.nan]}, index=["S1", "S2"])
    with pytest.raises(ProblemsFound) as caught:
        decision(table, {"road": 0.5, "slope": 0.5})
    text = str(caught.value)
    assert "criterion 'slope': no alternative has a value" in text
    assert "alternative 'S2', criterion 'road': the value is missing" in text
    assert "3 values" in text


def test_many_missing_values_are_counted() -> None:
    table = np.ones((100, 2))
    table[10:50, 0] = np.nan
    with pytest.raises(ProblemsFound, match=r"40 values") as caught:
        decision(table, [0.5, 0.5])
    assert len(caught.value.problems) == 6
    assert caught.value.problems[-1].count == 35


@pytest.mark.parametrize(
    ("weights", "text"),
    [([0.5, 0.4], "sum to 0.9"), ([1.5, -0.5], "weight -0.5"), ([np.nan, 1.0], "weight nan")],
)
def test_weights_that_cannot_be(weights: list[float], text: str) -> None:
    with pytest.raises(RangeError, match=text):
        decision([[1.0, 2.0]], weights)


def test_shapes_that_do_not_fit() -> None:
    with pytest.raises(ShapeError, match="1 weights for 2 criteria"):
        decision([[1.0, 2.0]], [1.0])
    with pytest.raises(ShapeError, match="differ in b, c"):
        decision(pd.DataFrame({"a": [1.0], "b": [2.0]}), {"a": 0.5, "c": 0.5})
    with pytest.raises(ShapeError, match="at least one alternative"):
        decision(np.empty((0, 2)), [0.5, 0.5])
    with pytest.raises(RangeError, match="direction 'up'"):
        decision([[1.0]], [1.0], directions=["up"])  # type: ignore[list-item]


tables = arrays(
    np.float64,
    st.tuples(st.integers(2, 8), st.just(3)),
    elements=st.floats(0, 1).map(lambda x: round(x, 3)),
)


@settings(max_examples=60, deadline=None)
@given(tables, st.sampled_from(["vector", "min_max", "max", "sum"]))
def test_bounds_domination_and_scale(table: np.ndarray, kind: str) -> None:
    found = topsis(decision(table, [0.5, 0.3, 0.2]), normalisation=kind).closeness
    if np.isnan(found).any():
        assert (table == table[0]).all()
        return
    assert ((found >= 0) & (found <= 1)).all()
    for a in range(len(table)):
        for b in range(len(table)):
            if (table[a] >= table[b]).all():
                assert found[a] >= found[b] - 1e-12
    # Another unit of a criterion changes nothing.
    scaled = topsis(decision(table * [1000.0, 1.0, 0.01], [0.5, 0.3, 0.2]), normalisation=kind)
    assert np.allclose(scaled.closeness, found, atol=1e-9)


def test_threads_change_nothing() -> None:
    table = np.random.default_rng(3).random((40_000, 5))
    question = decision(table, np.full(5, 0.2))
    assert np.array_equal(
        topsis(question, threads=1).closeness, topsis(question, threads=2).closeness
    )
