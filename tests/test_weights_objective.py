"""Weights from values, from an order, and of both together, against published numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import ProblemsFound, RangeError, ShapeError, UnknownName
from geoplan.mcda.direct import combined, direct
from geoplan.mcda.objective import OBJECTIVE_METHODS, objective_weights
from geoplan.mcda.rank_weights import place_weights, rank_weights

ELSAYED = [
    [7, 312, 1891, 6613, 163],
    [72, 88, 728, 941804, 1078],
    [10, 252, 2594, 3466, 117471],
    [10, 145, 980, 2371, 86329],
    [65, 54, 350, 501, 29897],
    [29, 48, 380, 912, 34051],
    [7, 476, 3300, 78470, 2212],
    [70, 87, 650, 733, 819000],
    [4, 86, 591, 3015, 103],
    [12, 79, 579, 3240, 96098],
    [21, 45, 261, 1253, 453],
    [1, 72, 530, 4333, 0.1048],
]
DIAKOULAKI = [
    [61, 1.08, 4.33],
    [20.7, 0.26, 4.34],
    [16.3, 1.98, 2.53],
    [9, 3.29, 1.65],
    [5.4, 2.77, 2.33],
    [4, 4.12, 1.21],
    [-6.1, 3.52, 2.10],
    [-34.6, 3.31, 0.98],
]
MEREC = [
    [450, 8000, 54, 145],
    [10, 9100, 2, 160],
    [100, 8200, 31, 153],
    [220, 9300, 1, 162],
    [5, 8400, 23, 158],
]


def names_of(values: object) -> list[str]:
    return [f"k{k}" for k in range(np.shape(values)[1])]  # type: ignore[arg-type]


def test_entropy_elsayed_2017() -> None:
    """Elsayed, Dawood & Karthikeyan (2017), 12 alternatives; shares of each column's sum."""
    found = objective_weights(ELSAYED, names_of(ELSAYED), "entropy")
    np.testing.assert_allclose(
        list(found.weights.values()), [0.104991, 0.069124, 0.071373, 0.449937, 0.304575], atol=5e-7
    )
    assert found.normalisation.startswith("x / Σx")
    assert (found.rows, found.used) == (12, 12)


def test_entropy_worked_by_hand() -> None:
    """(1, 3): −(¼ ln ¼ + ¾ ln ¾) / ln 2 = .811278; (0, 1): 0, for 0 ln 0 = 0."""
    found = objective_weights([[1, 0], [3, 1]], ["a", "b"], "entropy")
    assert found.measures["entropy"] == pytest.approx({"a": 0.811278, "b": 0.0}, abs=5e-7)
    assert found.weights["a"] == pytest.approx(0.188722 / 1.188722, abs=1e-6)


def test_critic_diakoulaki_1995() -> None:
    """Diakoulaki, Mavrotas & Papayannakis (1995), eight firms, three criteria to maximise."""
    found = objective_weights(DIAKOULAKI, names_of(DIAKOULAKI), "critic")
    np.testing.assert_allclose(
        list(found.weights.values()), [0.20222554, 0.48090173, 0.31687273], atol=5e-9
    )
    assert set(found.measures) == {"standard_deviation", "conflict"}


def test_merec_keshavarz_ghorabaee_2021() -> None:
    """Keshavarz-Ghorabaee et al. (2021), illustrative example: two benefits, two costs."""
    found = objective_weights(MEREC, names_of(MEREC), "merec", directions={"k2": -1, "k3": -1})
    np.testing.assert_allclose(
        list(found.weights.values()), [0.5752, 0.0141, 0.4016, 0.0091], atol=5e-5
    )


def test_std_worked_by_hand() -> None:
    """Range-scaled (0, ½, 1) and (0, 0, 1): σ = √(1/6) and √(2/9)."""
    found = objective_weights([[1, 5], [2, 5], [3, 9]], ["a", "b"], "std")
    a, b = math.sqrt(1 / 6), math.sqrt(2 / 9)
    assert found.weights == pytest.approx({"a": a / (a + b), "b": b / (a + b)})
    assert found.record()["measures"]["standard_deviation"]["a"] == pytest.approx(a)


@pytest.mark.parametrize("method", OBJECTIVE_METHODS)
def test_what_tells_no_site_apart_is_named(method: str) -> None:
    values = np.array([[0.5, 0.2, np.nan, 0.4], [0.5, 0.7, np.nan, 0.3], [0.5, 0.1, np.nan, 0.9]])
    with pytest.raises(ProblemsFound) as error:
        objective_weights(values, list("abcd"), method)  # type: ignore[arg-type]
    assert [p.where for p in error.value.problems] == ["criteria.c"]
    assert "'c' has no value in any of 3 rows" in str(error.value)
    with pytest.raises(ProblemsFound) as error:
        objective_weights(values[:, [0, 1, 3]], list("abd"), method)  # type: ignore[arg-type]
    (problem,) = error.value.problems
    assert problem.what == "criterion 'a' is 0.5 everywhere: it tells no site apart"
    assert "leave the criterion out" in problem.remedy


def test_signs_that_have_no_meaning_are_named_together() -> None:
    values = [[0.0, 0.2, -0.1], [0.5, 0.7, 0.4], [0.9, 0.1, 0.5]]
    with pytest.raises(ProblemsFound) as error:
        objective_weights(values, list("abc"), "merec")
    assert [p.where for p in error.value.problems] == ["criteria.a", "criteria.c"]
    assert "1 values of 0 or less, least -0.1" in error.value.problems[1].what
    assert "'floor'" in error.value.problems[0].remedy
    with pytest.raises(ProblemsFound) as error:
        objective_weights(values, list("abc"), "entropy")
    assert [p.where for p in error.value.problems] == ["criteria.c"]
    found = objective_weights(values, list("abc"), "merec", floor=0.01)
    assert found.floored == {"a": 1, "b": 0, "c": 1}
    assert math.fsum(found.weights.values()) == pytest.approx(1)
    with pytest.raises(ProblemsFound, match="infinite"):
        objective_weights([[1, math.inf], [2, 3]], ["a", "b"], "std")


def test_rows_with_a_gap_are_left_out_and_counted() -> None:
    whole = objective_weights(DIAKOULAKI, list("abc"), "critic")
    gappy = [[np.nan, 1, 1], *DIAKOULAKI, [3, 3, np.nan]]
    found = objective_weights(gappy, list("abc"), "critic")
    assert found.weights == whole.weights
    assert (found.rows, found.used) == (10, 8)
    with pytest.raises(RangeError, match="1 of 3 rows have a value of every criterion") as error:
        objective_weights([[1, np.nan], [2, np.nan], [3, 4]], ["a", "b"], "std")
    assert "'b' is missing most often" in error.value.what


def test_criteria_that_move_as_one_have_no_conflict() -> None:
    with pytest.raises(RangeError, match="no conflict"):
        objective_weights([[1, 10], [2, 20], [4, 40]], ["a", "b"], "critic")
    for method in OBJECTIVE_METHODS:
        assert objective_weights([[1], [2], [4]], ["a"], method).weights == {"a": 1.0}


def test_wrong_shapes_and_names() -> None:
    with pytest.raises(ShapeError, match="2 criteria"):
        objective_weights([[1, 2, 3]], ["a", "b"], "std")
    with pytest.raises(UnknownName, match="gini"):
        objective_weights([[1, 2], [3, 4]], ["a", "b"], "gini")  # type: ignore[arg-type]
    with pytest.raises(RangeError, match="1 or -1"):
        objective_weights([[1, 2], [3, 4]], ["a", "b"], "std", directions={"a": 0})


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.floats(0.01, 1000))
def test_units_and_order_do_not_matter(seed: int, n: int, unit: float) -> None:
    values = np.random.default_rng(seed).uniform(0.05, 1, size=(20, n))
    names = [f"k{k}" for k in range(n)]
    for method in OBJECTIVE_METHODS:
        found = objective_weights(values, names, method)
        assert math.fsum(found.weights.values()) == pytest.approx(1)
        other = values.copy()
        other[:, 0] *= unit
        scaled = objective_weights(other, names, method)
        assert scaled.weights == pytest.approx(found.weights, rel=1e-7)
        turned = objective_weights(other[::-1, ::-1], names[::-1], method)
        assert turned.weights == pytest.approx(found.weights, rel=1e-7)
        if method in ("critic", "std"):  # range-scaled: a shift does not matter either
            shifted = objective_weights(values - 3.0, names, method)
            assert shifted.weights == pytest.approx(found.weights, rel=1e-7)


# --- order ----------------------------------------------------------------------------------


def test_published_places() -> None:
    """Barron & Barrett (1996) and Stillwell, Seaver & Edwards (1981) for four criteria."""
    assert place_weights(4, "roc") == pytest.approx([0.5208, 0.2708, 0.1458, 0.0625], abs=5e-5)
    assert place_weights(3, "roc") == pytest.approx([0.6111, 0.2778, 0.1111], abs=5e-5)
    assert place_weights(4, "rank_sum") == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert place_weights(4, "rank_reciprocal") == pytest.approx([0.48, 0.24, 0.16, 0.12])
    assert place_weights(3, "rank_exponent", exponent=2) == pytest.approx([9 / 14, 4 / 14, 1 / 14])


def test_tied_criteria_share_their_places() -> None:
    found = rank_weights([["a"], ["b", "c"], ["d"]], "rank_sum")
    assert found == pytest.approx({"a": 0.4, "b": 0.25, "c": 0.25, "d": 0.1})
    assert list(found) == ["a", "b", "c", "d"]
    with pytest.raises(RangeError, match="exponent is -1"):
        rank_weights([["a"], ["b"]], "rank_exponent", exponent=-1)
    with pytest.raises(RangeError, match="a has several places"):
        rank_weights([["a"], ["b", "a"]], "roc")
    with pytest.raises(UnknownName, match="dice"):
        rank_weights([["a"], ["b"]], "dice")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.floats(0, 50))
def test_places_sum_to_one_and_never_rise(n: int, exponent: float) -> None:
    for method in ("roc", "rank_sum", "rank_exponent", "rank_reciprocal"):
        places = place_weights(n, method, exponent=exponent)
        assert math.fsum(places) == pytest.approx(1, abs=1e-12)
        assert all(a >= b > 0 for a, b in zip(places, [*places[1:], 1e-300], strict=True))
    assert place_weights(n, "rank_exponent", exponent=1) == pytest.approx(
        place_weights(n, "rank_sum")
    )
    assert place_weights(n, "rank_exponent", exponent=0) == pytest.approx([1 / n] * n)


def test_centroid_is_the_mean_of_all_weights_in_that_order() -> None:
    drawn = np.sort(np.random.default_rng(5).dirichlet(np.ones(5), size=40_000), axis=1)[:, ::-1]
    np.testing.assert_allclose(place_weights(5, "roc"), drawn.mean(axis=0), atol=2e-3)


# --- direct and both --------------------------------------------------------------------------


def test_weights_as_given_must_sum_to_one() -> None:
    assert direct({"a": 0.3, "b": 0.7}, as_given=True) == {"a": 0.3, "b": 0.7}
    with pytest.raises(RangeError, match=r"the weights sum to 1\.1, not to 1"):
        direct({"a": 0.4, "b": 0.7}, as_given=True)


def test_judged_and_objective_weights_together() -> None:
    s, o = {"a": 0.6, "b": 0.4}, {"a": 0.2, "b": 0.8}
    # .12 and .32 of .44
    assert combined(s, o, how="multiply") == pytest.approx({"a": 3 / 11, "b": 8 / 11})
    assert combined(s, o, how="mix") == pytest.approx({"a": 0.4, "b": 0.6})
    assert combined(s, o, how="mix", subjective_share=0.75) == pytest.approx({"a": 0.5, "b": 0.5})
    assert combined(s, o, how="mix", subjective_share=1) == pytest.approx(s)
    with pytest.raises(RangeError, match=r"1\.5 is not between 0 and 1"):
        combined(s, o, how="mix", subjective_share=1.5)
    with pytest.raises(RangeError, match="both by judgment and by the data"):
        combined({"a": 1, "b": 0}, {"a": 0, "b": 1}, how="multiply")
    with pytest.raises(ShapeError):
        combined(s, {"a": 1}, how="mix")
