"""The search for the best set of sites: what is known, what is left, what is proven."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geoplan.siting.assign import Assignment, assign
from geoplan.siting.greedy import greedy
from geoplan.siting.model import Model, Program, build_prepared
from geoplan.siting.narrow import net_value, site_bounds
from geoplan.siting.problem import FloatArray, Prepared
from geoplan.siting.result import PlanStatus
from geoplan.siting.solver import Outcome, maximise

__all__ = ["PROVEN", "Found", "find"]

PROVEN = 1e-6
"""Gap, relative or in points of score, below which a plan is called optimal: the solver's own
feasibility tolerance blurs its bound by about this much."""

_SUPPLY_SECONDS = 10.0
"""Least time that each resource's supply of the chosen sites is given, s."""

_THRESHOLDS = (0.3, 1.0)
"""Where between bound (0) and known plan (1) the sites worth a look are cut off."""

_WITHIN = 0.9
"""Part of a loose gap that leaving sites out may use up."""

_LOOSE = 5e-4
"""Gap from which a plan is asked for that need not be the best."""

_FEWER = 0.9
"""Share of the sites above which leaving the rest out is not worth another search."""


@dataclass(frozen=True)
class Found:
    """What a search found.

    Parameters
    ----------
    chosen : tuple of int
        Empty where no plan exists, or none was found in time.
    assignments : tuple of Assignment
        Supply of each resource.
    bound : float or None
        No plan is worth more.
    status : PlanStatus
    nodes : int
    """

    chosen: tuple[int, ...]
    assignments: tuple[Assignment, ...]
    bound: float | None
    status: PlanStatus
    nodes: int = 0

    @property
    def cost(self) -> float:
        """Cost of all supply."""
        return float(sum(a.cost for a in self.assignments))

    def worth(self, prepared: Prepared) -> float:
        """Return the objective: scores, less cost at its price in points."""
        price = prepared.problem.spec.cost_per_score_point
        points = float(sum(prepared.score[j] for j in self.chosen))
        return points - (self.cost / price if price else 0.0)

    def keeps(self, budget: float | None) -> bool:
        """Return whether this is a plan that the budget allows."""
        return bool(self.chosen) and (budget is None or self.cost <= budget * (1 + 1e-9))


def find(model: Model, *, end: float, seed: int, near: Collection[str] = ()) -> tuple[Model, Found]:
    """Return the best plan of a model, and the model that was solved last.

    Parameters
    ----------
    model : Model
    end : float
        When time is up, by `time.perf_counter`.
    seed : int
        Seed of the solver's own draws.
    near : collection of str
        Sites of a plan that is likely to be near the best, such as the best plan of a problem that
        differs little. Only a place to begin: the answer is as exact without it.
    """
    prepared = model.prepared
    spec = prepared.problem.spec
    if prepared.places(np.flatnonzero(prepared.allowed).tolist()) < spec.count:
        return model, Found((), (), None, "infeasible")
    value = net_value(prepared)
    start: Sequence[int] = greedy(prepared, value=value)
    if near:
        start = _nearer(model, start, value, near, end, seed)
    if model.with_costs and spec.cost_per_score_point is None:
        simple = build_prepared(prepared, with_costs=False)
        found = _search(simple, start, end, seed)
        if found.status == "infeasible" or found.keeps(spec.budget):
            return simple, found
    return _narrowing(model, start, value, end, seed)


def _nearer(
    model: Model,
    start: Sequence[int],
    value: FloatArray,
    near: Collection[str],
    end: float,
    seed: int,
) -> Sequence[int]:
    """Return the better of two beginnings: ``start``, or the sites of ``near`` that still fit."""
    prepared = model.prepared
    held = np.array([prepared.site(j) in near for j in range(len(prepared.site_ids))])
    # Sites of the known plan come first, in the order of their value; the others fill it up.
    other = greedy(prepared, value=value + held * (1.0 + np.ptp(value[np.isfinite(value)])))
    known = [(_known(model, s, end, seed), s) for s in (start, other)]
    worth = [(found.worth(prepared), s) for found, s in known if found is not None]
    return max(worth, key=lambda w: w[0])[1] if worth else start


def _slack(gap: float) -> float:
    return _WITHIN * gap if gap >= _LOOSE else 0.0


def _narrowing(
    model: Model, start: Sequence[int], value: FloatArray, end: float, seed: int
) -> tuple[Model, Found]:
    """Search among the sites that can be in a plan better than a threshold, then prove it.

    The threshold lies between the known plan and the bound of the choice of sites alone. A plan
    that reaches it is the best of all, as no other site can be in a better one; if none does,
    the best found becomes the threshold.
    """
    prepared, spec = model.prepared, model.prepared.problem.spec
    known = _known(model, start, end, seed)
    if known is None:
        return model, _search(model, start, end, seed)
    bounds = site_bounds(prepared, value, seed=seed)
    top = float(bounds.max())
    for share in _THRESHOLDS if np.isfinite(top) else ():
        reached = known.worth(prepared)
        # A site that cannot lift the plan by more than the gap asked for need not be looked at.
        least = max(top - share * (top - reached), reached + _slack(spec.gap) * abs(reached))
        among = bounds >= least
        among[list(known.chosen)] = True
        if int(among.sum()) > _FEWER * int(prepared.allowed.sum()):
            break
        narrow = build_prepared(prepared, with_costs=model.with_costs, among=among)
        found = _search(narrow, known.chosen, end, seed)
        # Plans with any other site are worth less than the threshold.
        bound = max(found.bound, least) if found.bound is not None else top
        known = replace(_better(prepared, known, found), bound=bound, status=found.status)
        gap = bound - known.worth(prepared)
        if gap <= max(spec.gap * abs(known.worth(prepared)), PROVEN):
            return narrow, replace(known, status="optimal")
        if found.status == "time-limit":
            return narrow, known
    found = _search(model, known.chosen, end, seed)
    best = _better(prepared, known, found)
    status: PlanStatus = found.status if found.chosen else "time-limit"
    return model, replace(best, bound=found.bound, status=status)


def _better(prepared: Prepared, known: Found, found: Found) -> Found:
    """Return the plan that is worth more, with the nodes of both searches."""
    nodes = known.nodes + found.nodes
    if found.chosen and found.worth(prepared) >= known.worth(prepared):
        return replace(found, nodes=nodes)
    return replace(known, nodes=nodes)


def _known(model: Model, start: Sequence[int], end: float, seed: int) -> Found | None:
    """Return ``start`` with its supply, where it is a plan."""
    if not model.prepared.may_stand(start):
        return None
    supply = _assign_all(model.prepared, start, end, seed)
    if isinstance(supply, str):
        return None
    known = Found(tuple(start), supply, None, "time-limit")
    budget = model.prepared.problem.spec.budget if model.with_costs else None
    return known if known.keeps(budget) else None


def _search(model: Model, start: Sequence[int], end: float, seed: int) -> Found:
    """Solve a model; sets that only the solver's tolerance allowed are ruled out on the way."""
    prepared, program = model.prepared, model.program
    spec = prepared.problem.spec
    budget = spec.budget if model.with_costs else None
    columns = model.site_column
    begin: dict[int, float] | None = None
    if prepared.may_stand(start):
        begin = {int(c): 0.0 for c in columns if c >= 0}
        begin.update({int(columns[j]): 1.0 for j in start})
    nodes = 0
    while True:
        left = end - time.perf_counter()
        outcome = maximise(program, gap=spec.gap, time_limit_s=left, seed=seed, start=begin)
        nodes += outcome.nodes
        if outcome.status == "infeasible":
            return Found((), (), None, "infeasible", nodes)
        chosen = _chosen(model, outcome)
        if chosen:
            supply = (
                _assign_all(prepared, chosen, end, seed)
                if prepared.may_stand(chosen)
                else "infeasible"
            )
            if not isinstance(supply, str):
                status: PlanStatus = "optimal" if outcome.status == "optimal" else "time-limit"
                found = Found(chosen, supply, outcome.bound, status, nodes)
                if found.keeps(budget):
                    return found
                ruled_out = all(a.proven for a in supply)
            else:
                ruled_out = supply == "infeasible"
            if ruled_out and outcome.status == "optimal":
                program = _rule_out(program, model, chosen)
                begin = None
                continue
        known = _known(model, start, end, seed)
        if known is None:
            return Found((), (), outcome.bound, "time-limit", nodes)
        return replace(known, bound=outcome.bound, nodes=nodes)


def _chosen(model: Model, outcome: Outcome) -> tuple[int, ...]:
    if outcome.values is None:
        return ()
    values = outcome.values
    columns = model.site_column.tolist()
    return tuple(j for j, c in enumerate(columns) if c >= 0 and values[c] > 0.5)


def _rule_out(program: Program, model: Model, chosen: Sequence[int]) -> Program:
    entries = {int(model.site_column[j]): 1.0 for j in chosen}
    return program.with_row("ruled-out", entries, -np.inf, len(entries) - 1.0)


def _assign_all(
    prepared: Prepared, chosen: Sequence[int], end: float, seed: int
) -> tuple[Assignment, ...] | Literal["infeasible", "unknown"]:
    """Return the supply of each resource, or why there is none."""
    out = []
    for resource in prepared.resources:
        left = max(end - time.perf_counter(), _SUPPLY_SECONDS)
        found = assign(prepared, resource, chosen, time_limit_s=left, seed=seed)
        if not isinstance(found, Assignment):
            return found
        out.append(found)
    return tuple(out)
