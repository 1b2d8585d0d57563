"""Inclusion of sites in plans solved again, and what forcing one in or out costs."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from test_portfolio import _problem

from geoplan.catalogue.scenario import ResourceSupply
from geoplan.errors import ShapeError
from geoplan.siting.forced import forced
from geoplan.siting.portfolio import build, solve
from geoplan.siting.robustness import Disturbance, disturbed, draw, inclusion

VALUES = pd.DataFrame(
    {"near": [0.9, 0.8, 0.3, 0.2], "poor": [0.1, 0.3, 0.9, 0.7]},
    index=pd.Index(["A", "B", "C", "D"], name="site_id"),
)
NEED = {"A": 40.0, "B": 50.0, "C": 60.0, "D": 30.0}


def problem(headroom=100.0, **spec):
    score = (VALUES * [0.5, 0.5]).sum(axis=1)
    return _problem(
        score.to_dict(),
        {s: {"water": v, "nonpotable": v / 2} for s, v in NEED.items()},
        {("water", "well"): headroom},
        [(s, "water", "well", 1.0) for s in NEED],
        {"count": 2, **spec},
        {"water": ResourceSupply(max_km=10.0)},
    )


def enumerated(weights, factor, headroom):
    """The best pair by trying all six, from the values alone."""
    score = (VALUES.to_numpy() * weights).sum(axis=1)
    best = (-1.0, ())
    for pair in combinations(range(4), 2):
        need = sum(round(NEED[VALUES.index[j]] * factor, 3) for j in pair)
        if need <= headroom + 1e-9:
            best = max(best, (sum(score[j] for j in pair), pair))
    return {VALUES.index[j] for j in best[1]}


def test_each_draw_is_solved_exactly():
    base = problem()
    plan = solve(build(base))
    assert set(plan.chosen) == enumerated(np.array([0.5, 0.5]), 1.0, 100.0) == {"A", "C"}
    rng = np.random.default_rng(3)
    weights = rng.dirichlet([1, 1], 40)
    states = draw(base, weights, demand_half_width=0.2, headroom_half_width=0.3, seed=5)
    again = draw(base, weights[:7], demand_half_width=0.2, headroom_half_width=0.3, seed=5)
    assert all(a.demand == b.demand for a, b in zip(again, states, strict=False))
    expected = dict.fromkeys(VALUES.index, 0)
    none = 0
    for state in states:
        sets = enumerated(state.weights, state.demand["water"], 100.0 * state.headroom[0])
        none += not sets
        for site in sets:
            expected[site] += 1
    found = inclusion(base, VALUES, states, chosen=plan.chosen, gap=0.0)
    n = len(states) - none
    assert (found.asked, found.plans, found.infeasible, found.unproven) == (40, n, none, 0)
    assert found.sites["inclusion"].to_dict() == pytest.approx(
        {s: c / n for s, c in expected.items()}
    )
    assert 0 < found.sites.loc["B", "inclusion"] < 1  # the draws do move the plan
    assert found.sites["inclusion"].sum() == pytest.approx(2)
    p = found.sites.loc["B", "inclusion"]
    assert found.sites.loc["B", "standard_error"] == pytest.approx((p * (1 - p) / n) ** 0.5)
    assert set(found.base_kept.tolist()) <= {-1, 0, 1, 2}
    assert (found.base_kept == -1).sum() == none


def test_a_state_changes_only_what_it_says():
    base = problem()
    state = Disturbance(np.array([1.0, 0.0]), {"water": 1.1}, np.array([0.5]))
    again = disturbed(base, VALUES, state)
    assert again.sites["score"].tolist() == VALUES["near"].tolist()
    assert again.demand["water_m3_per_day"].tolist() == pytest.approx([44.0, 55.0, 66.0, 33.0])
    assert again.demand["nonpotable_m3_per_day"].tolist() == pytest.approx([22, 27.5, 33, 16.5])
    assert again.sources["headroom"].tolist() == [50.0]
    assert base.sources["headroom"].tolist() == [100.0]
    with pytest.raises(ShapeError, match="2 criteria and 1 weights"):
        disturbed(base, VALUES, Disturbance(np.array([1.0]), {}, np.array([1.0])))


def test_no_plan_in_any_draw():
    base = problem(headroom=20.0)
    states = draw(base, np.full((3, 2), 0.5), demand_half_width=0, headroom_half_width=0, seed=0)
    found = inclusion(base, VALUES, states, chosen=())
    assert (found.plans, found.infeasible) == (0, 3)
    assert found.sites["inclusion"].isna().all()


def test_what_forcing_costs():
    base = problem()
    plan = solve(build(base))
    # A .5, B .55, C .6, D .45; pairs within 100: AB 1.05, AC 1.1, AD .95, BD 1.0, CD 1.05
    found = forced(base, plan, out=("A", "C"), into=("B", "D")).set_index("site_id")
    assert found["direction"].to_dict() == {"A": "out", "C": "out", "B": "in", "D": "in"}
    assert found["loss"].to_dict() == pytest.approx({"A": 0.05, "C": 0.05, "B": 0.05, "D": 0.05})
    assert found.loc["A", "enter"] == ("D",)
    assert found.loc["A", "leave"] == ("A",)
    assert found.loc["C", "enter"] == ("B",)
    assert found.loc["B", "leave"] == ("C",)
    assert found["status"].eq("optimal").all()
    tight = problem(headroom=70.0)  # only A and D fit together
    only = forced(tight, solve(build(tight)), out=("A",), into=("C",)).set_index("site_id")
    assert only["status"].tolist() == ["infeasible", "infeasible"]
    assert only["loss"].isna().all()
