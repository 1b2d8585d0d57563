"""Best-worst method against published examples, against linear programs, and as laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geoplan.errors import ProblemsFound, RangeError
from geoplan.mcda.bwm import BwmResult, bwm
from geoplan.mcda.bwm_consistency import (
    CONSISTENCY_INDEX,
    INPUT_THRESHOLD,
    consistency_index,
    input_consistency,
)

CAR = ["quality", "price", "comfort", "safety", "style"]


def car(over: list[float], under: list[float], **options: object) -> BwmResult:
    return bwm(
        CAR,
        best="price",
        worst="style",
        best_to_others=dict(zip(CAR, over, strict=True)),
        others_to_worst=dict(zip(CAR, under, strict=True)),
        **options,  # type: ignore[arg-type]
    )


def deviations(w: np.ndarray, over: np.ndarray, under: np.ndarray, b: int, k: int) -> float:
    """The objective of the non-linear model."""
    return max(np.abs(w[b] / w - over).max(), np.abs(w / w[k] - under).max())


def gaps(w: np.ndarray, over: np.ndarray, under: np.ndarray, b: int, k: int) -> float:
    """The objective of the linear model."""
    return max(np.abs(w[b] - over * w).max(), np.abs(w - under * w[k]).max())


def test_rezaei_2016_consistent() -> None:
    found = car([2, 1, 4, 2, 8], [4, 8, 2, 4, 1])
    np.testing.assert_allclose(
        list(found.weights.values()),
        [0.21052632, 0.42105263, 0.10526316, 0.21052632, 0.05263158],
        atol=5e-9,
    )
    assert found.xi == pytest.approx(0, abs=1e-9)
    assert (found.check.ratio, found.check.worst) == (0, None)
    exact = car([2, 1, 4, 2, 8], [4, 8, 2, 4, 1], model="nonlinear")
    assert exact.xi == exact.consistency_ratio == 0
    assert exact.weights == pytest.approx(found.weights, abs=1e-9)


def test_rezaei_2016_not_consistent() -> None:
    found = car([2, 1, 4, 3, 8], [4, 8, 2, 3, 1])
    np.testing.assert_allclose(
        list(found.weights.values()),
        [0.22950820, 0.44808743, 0.11475410, 0.15300546, 0.05464481],
        atol=5e-9,
    )
    assert found.xi == pytest.approx(0.010928962, abs=5e-10)
    # ξᴸ is the indicator itself: it is not divided by the index of the other model
    assert found.consistency_index is None
    assert found.consistency_ratio is None
    # |3 · 3 − 8| / (64 − 8) (Liang, Brunelli & Rezaei 2020), threshold of their table 3
    assert found.check.ratio == pytest.approx(1 / 56)
    assert (found.check.worst, found.check.threshold) == ("safety", 0.2958)
    record = found.record()
    assert record["xi"] == found.xi
    assert record["odd_criterion"] == "safety"
    assert "cr" not in record


def test_rezaei_2015_transport_mode() -> None:
    """Rezaei (2015), example 1: w = .0714, .3387, .5899, ξ* = .26, ratio .058.

    By hand: (2 − ξ)(5 − ξ) = 8 + ξ, so ξ* = 4 − √14.
    """
    found = bwm(
        ["load", "access", "cost"],
        best="cost",
        worst="load",
        best_to_others={"load": 8, "access": 2},
        others_to_worst={"access": 5, "cost": 8},
        model="nonlinear",
    )
    assert found.xi == pytest.approx(4 - math.sqrt(14), abs=1e-14)
    assert list(found.weights.values()) == pytest.approx([0.0714, 0.3387, 0.5899], abs=5e-5)
    assert found.consistency_ratio == pytest.approx(0.058, abs=5e-4)
    assert found.intervals is not None
    assert all(high - low < 1e-12 for low, high in found.intervals.values())  # one optimum


def test_published_consistency_indices_follow_from_their_formula() -> None:
    """Rezaei (2015), table 1; the smaller root of ξ² − (1 + 2a) ξ + a² − a = 0."""
    for a, printed in enumerate(CONSISTENCY_INDEX, 1):
        assert consistency_index(a) == printed
        root = (1 + 2 * a - math.sqrt(1 + 8 * a)) / 2
        assert root == pytest.approx(printed, abs=0.00501)
    assert consistency_index(4.5) == pytest.approx((10 - math.sqrt(37)) / 2)
    assert {len(row) for row in INPUT_THRESHOLD.values()} == {7}


def test_intervals_are_the_optima_of_the_linear_programs() -> None:
    """Rezaei (2016): least and greatest w_j at ξ*, here by a solver at a ξ a hair above it."""
    over, under = np.array([2.0, 1, 4, 3, 8]), np.array([4.0, 8, 2, 3, 1])
    found = car(list(over), list(under), model="nonlinear")
    assert found.xi == pytest.approx((7 - math.sqrt(45)) / 2, abs=1e-14)  # (3 − ξ)² = 8 + ξ
    assert found.intervals is not None
    xi = found.xi * (1 + 1e-7)
    rows = []
    for j in range(5):
        for left, right, a in ((1, j, over[j]), (j, 4, under[j])):
            if left != right:
                for sign in (1, -1):
                    row = np.zeros(5)
                    row[left] += sign
                    row[right] -= sign * a + xi
                    rows.append(row)
    for j, name in enumerate(CAR):
        for end, sign in zip(found.intervals[name], (1, -1), strict=True):
            solved = linprog(
                sign * np.eye(5)[j], A_ub=rows, b_ub=np.zeros(len(rows)),
                A_eq=[np.ones(5)], b_eq=[1], bounds=(0, None),
            )  # fmt: skip
            assert solved.x[j] == pytest.approx(end, abs=1e-6)
    low, high = found.intervals["quality"]
    assert high - low > 0.01  # several optima
    assert found.weights["quality"] == pytest.approx((low + high) / 2, rel=0.01)
    assert found.record()["weights_are"].startswith("midpoints")


def test_one_and_two_criteria() -> None:
    pair = {"best_to_others": {"b": 4}, "others_to_worst": {"a": 4}}
    for model in ("linear", "nonlinear"):
        found = bwm(["a", "b"], best="a", worst="b", model=model, **pair)  # type: ignore[arg-type]
        assert found.weights == pytest.approx({"a": 0.8, "b": 0.2})
    alone = bwm(["a"], best="a", worst="a", best_to_others={}, others_to_worst={})
    assert alone.weights == {"a": 1.0}


def test_all_alike() -> None:
    for model in ("linear", "nonlinear"):
        found = car([1] * 5, [1] * 5, model=model)
        assert list(found.weights.values()) == pytest.approx([0.2] * 5)
        assert found.check.accepted


def test_all_problems_of_the_judgments_at_once() -> None:
    with pytest.raises(ProblemsFound) as error:
        bwm(
            ["a", "b", "c", "d"],
            best="z",
            worst="d",
            best_to_others={"a": 0.5, "b": 12, "x": 2},
            others_to_worst={"a": 2, "b": math.nan, "d": 3, "c": 3},
        )
    places = [f"{p.where}: {p.what}" for p in error.value.problems]
    assert places == [
        "weights.best: no criterion 'z'",
        "weights.best_to_others.x: no such criterion",
        "weights.best_to_others.a: is 0.5",
        "weights.best_to_others.b: is 12, outside the scale 1 … 9",
        "weights.best_to_others: 'c' is not compared",
        "weights.best_to_others: 'd' is not compared",
        "weights.others_to_worst.b: is nan",
        "weights.others_to_worst.d: is 3",
    ]
    assert all(p.remedy for p in error.value.problems)


def test_best_over_worst_is_one_judgment_and_the_largest() -> None:
    with pytest.raises(ProblemsFound, match="1 problems") as error:
        car([2, 1, 4, 2, 8], [4, 7, 2, 4, 1])
    assert "price over style is 8 here but 7 in others_to_worst" in str(error.value)
    with pytest.raises(ProblemsFound) as error:
        car([2, 1, 4, 9, 8], [9, 8, 2, 4, 1])
    assert [p.where for p in error.value.problems] == [
        "weights.best_to_others.safety",
        "weights.others_to_worst.quality",
    ]
    with pytest.raises(ProblemsFound, match="1 problems") as error:
        bwm(["a", "b"], best="a", worst="a", best_to_others={"b": 2}, others_to_worst={"b": 2})
    assert "'a' is also the best" in str(error.value)


def test_the_gate_names_the_criterion_to_mend() -> None:
    """7 · 7 = 49 for 8: |49 − 8| / 56 = .7321 above .2958."""
    with pytest.raises(RangeError, match=r"0\.7321, above 0\.2958") as error:
        car([2, 1, 4, 7, 8], [4, 8, 2, 7, 1])
    assert "mend 'safety' first: price over it is 7 and it over style is 7, which implies 49" in (
        error.value.remedy
    )
    assert car([2, 1, 4, 7, 8], [4, 8, 2, 7, 1], gate=False).check.accepted is False


def test_no_threshold_is_made_up_where_none_is_published() -> None:
    names = [f"k{k}" for k in range(11)]
    over = np.array([1.0] + [2] * 9 + [4])
    under = np.array([4.0] + [3] * 9 + [1])
    check = input_consistency(names, over, under, 4.0)
    assert (check.ratio, check.threshold, check.accepted) == (pytest.approx(2 / 12), None, None)
    assert input_consistency(names[:5], over[:5], under[:5], 4.5).threshold is None


@st.composite
def judgments(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Best first, worst last, judgments within best over worst."""
    n, span = draw(st.integers(3, 7)), draw(st.integers(2, 9))
    middle = st.lists(st.integers(1, span), min_size=n - 2, max_size=n - 2)
    return (
        np.array([1.0, *draw(middle), span]),
        np.array([float(span), *draw(middle), 1]),
    )


def solve(over: np.ndarray, under: np.ndarray, **options: object) -> BwmResult:
    names = [f"k{k}" for k in range(len(over))]
    return bwm(
        names,
        best=names[0],
        worst=names[-1],
        best_to_others=dict(zip(names, over.tolist(), strict=True)),
        others_to_worst=dict(zip(names, under.tolist(), strict=True)),
        gate=False,
        **options,  # type: ignore[arg-type]
    )


@settings(deadline=None, max_examples=40)
@given(judgments(), st.integers(0, 2**32 - 1))
def test_no_other_weights_are_better(case: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    """Neither model's optimum is beaten by random weights, wide or close to the optimum."""
    over, under = case
    last = len(over) - 1
    rng = np.random.default_rng(seed)
    for model, objective in (("linear", gaps), ("nonlinear", deviations)):
        found = solve(over, under, model=model)
        w = np.array(list(found.weights.values()))
        assert w.sum() == pytest.approx(1, abs=1e-12)
        if model == "linear":
            assert objective(w, over, under, 0, last) == pytest.approx(found.xi, abs=1e-8)
        wide = rng.dirichlet(np.ones(len(over)), size=100)
        close = w * np.exp(rng.normal(0, 0.03, size=(100, len(over))))
        for other in np.vstack([wide, close / close.sum(axis=1, keepdims=True)]):
            assert objective(other, over, under, 0, last) >= found.xi - 1e-9


@settings(deadline=None, max_examples=60)
@given(judgments())
def test_exact_optimum_of_the_nonlinear_model(case: tuple[np.ndarray, np.ndarray]) -> None:
    """ξ* is attained, at both ends of every interval, and a fixed ξ below it is infeasible."""
    over, under = case
    last = len(over) - 1
    found = solve(over, under, model="nonlinear")
    assert found.intervals is not None
    mid = np.array([(low + high) / 2 for low, high in found.intervals.values()])
    for (low, high), weight in zip(found.intervals.values(), mid, strict=True):
        assert 0 < low <= weight <= high < 1
    assert list(found.weights.values()) == pytest.approx(mid / mid.sum(), abs=1e-14)
    # weights with the least w_j / w_W throughout are one of the optimal solutions
    low_end = np.array([low for low, _ in found.intervals.values()])
    w_worst = found.intervals[f"k{last}"][1]
    ratio = found.intervals["k0"][1] / w_worst
    fill = [np.maximum(u - found.xi, ratio / (o + found.xi)) for o, u in zip(over, under,
                                                                         strict=True)]  # fmt: skip
    one = np.array([ratio, *fill[1:-1], 1.0]) * w_worst
    assert one.sum() == pytest.approx(1, abs=1e-9)
    assert deviations(one, over, under, 0, last) == pytest.approx(found.xi, abs=1e-7)
    assert (one >= low_end - 1e-9).all()
    if found.xi > 1e-6:
        xi = found.xi * 0.999
        low = max((np.maximum(over - xi, 0) * np.maximum(under - xi, 0))[1:-1].max(),
                  over[-1] - xi)  # fmt: skip
        high = min(((over + xi) * (under + xi))[1:-1].min(), over[-1] + xi)
        assert low > high


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sampled_from([1, 2, 4]), min_size=1, max_size=5))
def test_consistent_judgments_give_back_their_weights(middle: list[int]) -> None:
    under = np.array([8.0, *middle, 1])
    over = under[0] / under
    for model in ("linear", "nonlinear"):
        found = solve(over, under, model=model)
        np.testing.assert_allclose(list(found.weights.values()), under / under.sum(), atol=1e-9)
        assert found.xi == pytest.approx(0, abs=1e-9)
