"""Near-optimal plans, against all sets of sites in order of their worth."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from test_portfolio import _problem

from geoplan.catalogue.alternatives import AlternativesSpec
from geoplan.catalogue.scenario import ResourceSupply
from geoplan.siting.alternatives import alternatives
from geoplan.siting.portfolio import build, solve


def problem(seed: int, sites: int = 8, count: int = 3):
    rng = np.random.default_rng(seed)
    ids = [f"S{k}" for k in range(sites)]
    score = dict(zip(ids, rng.random(sites).round(3).tolist(), strict=True))
    need = dict(zip(ids, rng.integers(10, 60, sites).tolist(), strict=True))
    made = _problem(
        score,
        {s: {"water": float(v)} for s, v in need.items()},
        {("water", "well"): 110.0},
        [(s, "water", "well", 1.0) for s in ids],
        {"count": count},
        {"water": ResourceSupply(max_km=10.0)},
    )
    every = sorted(
        (
            (round(sum(score[s] for s in c), 9), c)
            for c in combinations(ids, count)
            if sum(need[s] for s in c) <= 110
        ),
        reverse=True,
    )
    return made, every


@pytest.mark.parametrize("seed", range(8))
def test_the_k_best_plans_in_order(seed):
    made, every = problem(seed)
    if not every:
        pytest.skip("no plan exists for this seed")
    plan = solve(build(made))
    found = alternatives(made, plan, AlternativesSpec(count=6, within=1.0, differ_min=1))
    worth = [w for w, _ in every]
    assert plan.record.objective == pytest.approx(worth[0])
    assert found.frame["worth"].tolist() == pytest.approx(worth[1:7], abs=1e-6)
    assert found.ended == ("count" if len(every) > 6 else "infeasible")
    assert len({frozenset(s) for s in found.frame["sites"]}) == len(found.frame)
    for row in found.frame.itertuples():
        assert set(plan.chosen) - set(row.leave) | set(row.enter) == set(row.sites)


def test_plans_that_differ_in_more_sites_and_are_worth_enough():
    made, every = problem(1)
    plan = solve(build(made))
    spec = AlternativesSpec(count=20, within=0.5, differ_min=2)
    found = alternatives(made, plan, spec)
    kept = [frozenset(plan.chosen)]
    expected = []
    for worth, sites in every:  # greedy by hand: the best that differs enough from all before
        if all(len(k & set(sites)) <= 1 for k in kept):
            kept.append(frozenset(sites))
            expected.append(worth)
    enough = [w for w in expected if w >= every[0][0] * 0.5]
    assert found.frame["worth"].tolist() == pytest.approx(enough, abs=1e-6)
    assert found.ended == ("worth" if len(enough) < len(expected) else "infeasible")


def test_no_other_plan():
    made, every = problem(2, sites=3)
    assert len(every) <= 1
    plan = solve(build(made))
    found = alternatives(made, plan, AlternativesSpec(within=1.0))
    assert found.frame.empty
    assert found.ended == "infeasible"
