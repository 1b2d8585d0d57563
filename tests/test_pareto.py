"""The exact front against a published instance, by hand, and against trying everything."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError
from geoplan.siting.model import Columns, Program
from geoplan.siting.objective import Answer, Cut, Objective
from geoplan.siting.pareto import nondominated

INSTANCE = Path(__file__).parents[2] / "shared" / "oracles" / "2kp50"


def _knapsack(
    profit: np.ndarray, load: np.ndarray, limit: np.ndarray
) -> tuple[Program, Objective, Objective]:
    cols = Columns()
    for j in range(profit.shape[1]):
        cols.column(f"x{j}", integer=True)
    for k, row in enumerate(load):
        cols.row(f"limit{k}", [(j, float(v)) for j, v in enumerate(row)], upper=float(limit[k]))
    one, two = (Objective({j: float(v) for j, v in enumerate(p)}, 1.0) for p in profit)
    return cols.program(), one, two


def _table(name: str) -> np.ndarray:
    return pd.read_csv(INSTANCE / f"{name}.csv", index_col=0).to_numpy()


def _undominated(pairs: set[tuple[int, int]]) -> list[tuple[int, int]]:
    return sorted(
        (
            p
            for p in pairs
            if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in pairs)
        ),
        reverse=True,
    )  # fmt: skip


@pytest.mark.skipif(not INSTANCE.is_dir(), reason="the instance 2kp50 lies outside the repository")
def test_all_35_points_of_2kp50() -> None:
    # MOMKP instance 2kp50 of Mavrotas and Florios (2013): 35 points, payoff (2103, 1529) and
    # (1547, 2020).
    program, one, two = _knapsack(_table("c"), _table("a"), _table("b")[:, 0])
    front = nondominated(program, one, two)
    found = [(p.first, p.second) for p in front.points]
    assert (front.status, front.complete, len(found)) == ("exact", True, 35)
    assert found == [tuple(r) for r in _table("pareto_sols")]
    assert [list(found[0]), list(found[-1])] == _table("payoff_table").tolist()
    assert front.second_bound == pytest.approx(2020)
    even = nondominated(program, one, two, points=3)
    some = [(p.first, p.second) for p in even.points]
    assert set(some) <= set(found)
    assert (some[0], some[-1]) == ((2103, 1529), (1547, 2020))
    assert even.complete is False


def test_ends_of_a_linear_program() -> None:
    # Mavrotas (2009): max x1; max 3 x1 + 4 x2; x1 ≤ 20, x2 ≤ 40, 5 x1 + 4 x2 ≤ 200. The plain
    # optimum of x1 alone could stop at any x2 with x1 = 20; lexicographically it is (20, 160).
    cols = Columns()
    cols.column("x1", upper=20.0)
    cols.column("x2", upper=40.0)
    cols.row("r", [(0, 5.0), (1, 4.0)], upper=200.0)
    front = nondominated(
        cols.program(), Objective({0: 1.0}, 1e-6), Objective({0: 3.0, 1: 4.0}, 1e-6), points=3
    )
    found = [(p.answer.first, p.answer.second) for p in front.points]
    assert np.allclose(found, [(20, 160), (14, 172), (8, 184)], atol=1e-5)
    assert front.status == "exact"


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(2, 9), st.sampled_from([3, 30]))
def test_knapsacks_against_every_subset(seed: int, items: int, largest: int) -> None:
    # Small numbers make many ties: weakly dominated optima on the way.
    rng = np.random.default_rng(seed)
    profit = rng.integers(0, largest, (2, items))
    load = rng.integers(1, 20, (2, items))
    limit = (load.sum(axis=1) * rng.uniform(0.2, 0.9, 2)).astype(int)
    pairs = {
        tuple(int(v) for v in profit @ x)
        for x in map(np.array, itertools.product((0, 1), repeat=items))
        if (load @ x <= limit).all()
    }
    program, one, two = _knapsack(profit, load, limit)
    front = nondominated(program, one, two)
    assert [(p.first, p.second) for p in front.points] == _undominated(pairs)
    assert (front.status, front.complete, front.open_between) == ("exact", True, ())
    even = nondominated(program, one, two, points=4)
    assert {(p.first, p.second) for p in even.points} <= set(_undominated(pairs))


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**6))
def test_a_ratio_against_every_subset(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, above, below = rng.integers(1, 9, (3, 7))
    pairs = set()
    for x in map(np.array, itertools.product((0, 1), repeat=7)):
        if x.sum() == 3:
            ratio = float(above @ x) / float(5 + below @ x)
            pairs.add((int(first @ x), math.floor(ratio / 1e-4 + 0.5)))
    cols = Columns()
    for j in range(7):
        cols.column(f"x{j}", integer=True)
    cols.row("count", [(j, 1.0) for j in range(7)], lower=3.0, upper=3.0)
    one = Objective({j: float(v) for j, v in enumerate(first)}, 1.0)
    two = Objective(
        {j: float(v) for j, v in enumerate(above)},
        1e-4,
        below={j: float(v) for j, v in enumerate(below)},
        below_constant=5.0,
    )
    front = nondominated(cols.program(), one, two)
    assert [(p.first, p.second) for p in front.points] == _undominated(pairs)
    even = nondominated(cols.program(), one, two, points=3)
    assert {(p.first, p.second) for p in even.points} <= set(_undominated(pairs))


def _three() -> tuple[Program, Objective, Objective]:
    """Three items, one may be taken: (5, 1), (4, 4), (4, 2)."""
    return _knapsack(np.array([[5, 4, 4], [1, 4, 2]]), np.ones((1, 3)), np.ones(1))


def test_what_does_not_hold_exactly_is_ruled_out() -> None:
    program, one, two = _three()
    asked: list[int] = []

    def read(values: np.ndarray) -> Answer | Cut:
        taken = tuple(j for j in range(3) if values[j] > 0.5)
        asked.extend(taken)
        if taken == (1,):
            return Cut({1: 1.0}, 0.0)
        return Answer(one.amount(values), two.amount(values), values, taken)

    front = nondominated(program, one, two, read=read)
    assert [(p.first, p.second) for p in front.points] == [(5, 1), (4, 2)]
    assert asked.count(1) == 1


def test_one_point_where_the_objectives_agree() -> None:
    program, one, _ = _three()
    front = nondominated(program, one, one)
    assert [(p.first, p.second) for p in front.points] == [(5, 5)]
    assert front.complete


def test_no_plan_at_all() -> None:
    program, one, two = _three()
    front = nondominated(program.with_row("no", {0: 1.0}, 2.0, np.inf), one, two)
    assert (front.status, front.points) == ("infeasible", ())


def test_out_of_time_says_what_is_open() -> None:
    rng = np.random.default_rng(5)
    profit, load = rng.integers(10, 99, (2, 60)), rng.integers(10, 99, (2, 60))
    front = nondominated(*_knapsack(profit, load, load.sum(axis=1) // 2), time_limit_s=0.4)
    assert front.status == "time-limit"
    assert not front.complete
    assert front.open_between or front.second_bound is None
    pairs = [(p.first, p.second) for p in front.points]
    assert _undominated(set(pairs)) == pairs
    for p in front.points:
        assert p.bound >= p.answer.first


def test_what_cannot_be_asked() -> None:
    program, one, two = _three()
    with pytest.raises(RangeError, match="a front of 1 points"):
        nondominated(program, one, two, points=1)
    ratio = Objective({0: 1.0}, 1.0, below={1: 1.0})
    with pytest.raises(RangeError, match="first objective is a ratio"):
        nondominated(program, ratio, two)
