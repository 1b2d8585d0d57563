"""Limits that would have to move, worked by hand and as a law."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from test_portfolio import MORE, _best, _instances, _pair, _problem, _supply

from benchmarks.portfolio import instance
from geoplan.siting.portfolio import PortfolioProblem, build, solve
from geoplan.siting.relax import apply, largest_count, relax


def _lines(problem: PortfolioProblem) -> dict[str, tuple[float, float, float]]:
    assert solve(build(problem)).status == "infeasible"
    return {r.limit: (r.value, r.needed, r.by) for r in relax(problem)}


def _grid(spec: dict[str, Any], *, headroom: float = 100.0, **how: Any) -> PortfolioProblem:
    ids = ["A", "B", "C", "D"]
    return _problem(
        dict(zip(ids, (0.9, 0.8, 0.7, 0.6), strict=True)),
        {s: {"water": 6.0, "power": 1.0, "wastewater": 1.0, "nonpotable": 0.0} for s in ids},
        {("water", "dam"): headroom, ("power", "grid"): 99.0, ("wastewater", "town"): 99.0},
        [
            (s, r, q, 2.0)
            for s in ids
            for r, q in (("water", "dam"), ("power", "grid"), ("wastewater", "town"))
        ],
        spec,
        _supply(how.pop("water", {}), {}, {}),
        **how,
    )


def test_headroom_that_is_missing() -> None:
    # Three sites need 18 of a dam that has 14.
    assert _lines(_grid({"count": 3}, headroom=14.0)) == {
        "headroom:water:dam": (14.0, 18.0, 4.0),
        "count:all-limits-kept": (3.0, 2.0, 1.0),
    }


def test_headroom_counts_the_share_that_may_be_used() -> None:
    # Half of the dam may be used: 12 / 0.5 = 24 must be there.
    problem = _grid({"count": 2}, headroom=20.0, water={"headroom_share_max": 0.5})
    assert _lines(problem)["headroom:water:dam"] == (20.0, 24.0, 4.0)


def test_policy_moves_before_capacity() -> None:
    # Region N may hold two sites; the third must go there, as there is no other region.
    problem = _grid(
        {"count": 3, "per_region_max": 2}, region=dict.fromkeys("ABCD", "N"), headroom=18.0
    )
    assert _lines(problem) == {
        "region-cap:N": (2.0, 3.0, 1.0),
        "count:all-limits-kept": (3.0, 2.0, 1.0),
    }


def test_quota_that_cannot_be_met() -> None:
    problem = _grid({"count": 3, "less_industrialised_share_min": 0.6}, less={"D"})
    assert _lines(problem) == {
        "quota": (2.0, 1.0, 1.0),
        "count:all-limits-kept": (3.0, 1.0, 2.0),
    }


def test_spacing_that_is_too_wide() -> None:
    # All four exclude each other at 1 km (the distance of `_problem`'s pairs); spacing is 4 km.
    problem = _grid({"count": 2, "spacing_km": 4.0}, pairs=list(itertools.combinations("ABCD", 2)))
    assert _lines(problem) == {
        "spacing": (4.0, 1.0, 3.0),
        "count:all-limits-kept": (2.0, 1.0, 1.0),
    }


def test_budget_that_is_too_small() -> None:
    # Two lines of 2 km at 50 a km cost 200; the budget is 150.
    problem = _grid({"count": 2, "budget": 150.0}, water={"cost_per_km": 50.0})
    assert _lines(problem) == {
        "budget": (150.0, 200.0, 50.0),
        "count:all-limits-kept": (2.0, 1.0, 1.0),
    }


def test_more_sites_than_there_are() -> None:
    assert _lines(_grid({"count": 6})) == {
        "count": (6.0, 4.0, 2.0),
        "count:all-limits-kept": (6.0, 4.0, 2.0),
    }


def test_a_site_with_no_source_needs_new_supply() -> None:
    problem = _pair({"count": 3}, headroom=12.0)
    problem = PortfolioProblem(
        **{**vars(problem), "links": problem.links[problem.links["source_id"] != "well"]}
    )
    assert _lines(problem) == {
        "supply:water": (0.0, 6.0, 6.0),
        "count:all-limits-kept": (3.0, 2.0, 1.0),
    }


@pytest.mark.parametrize("size", [(300, 60, 0.7, 10), (600, 120, 1.5, 10)])
def test_a_country_without_a_plan(size: tuple[int, int, float, float]) -> None:
    sites, sources, tightness, spacing = size
    problem = instance(sites, sources=sources, tightness=tightness, spacing_km=spacing)
    assert solve(build(problem)).status == "infeasible"
    moves = relax(problem)
    assert len(moves) > 1
    assert all(m.by > 0 for m in moves)
    assert solve(build(apply(problem, moves))).chosen


_QUICK = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "derandomize": MORE == 1,
    "database": None,
}


@settings(max_examples=40 * MORE, **_QUICK)  # type: ignore[arg-type]
@given(_instances(costs=False))
def test_moved_limits_make_a_plan_exist(problem: PortfolioProblem) -> None:
    if solve(build(problem)).status != "infeasible":
        return
    moves = relax(problem)
    assert moves[-1].limit == "count:all-limits-kept"
    moved = apply(problem, moves[:-1])
    assert moved.spec.count == 0 or solve(build(moved)).chosen
    kept = largest_count(problem)
    assert kept < problem.spec.count
    for count in range(1, problem.spec.count + 1):
        spec = problem.spec.model_copy(update={"count": count})
        exists = _best(PortfolioProblem(**{**vars(problem), "spec": spec})) is not None
        if count > kept:
            assert not exists
        if count == kept:
            assert exists
