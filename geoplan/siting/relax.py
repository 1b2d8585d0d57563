"""Where no plan exists: which limits would have to move, and by how much."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from geoplan.errors import Relaxation
from geoplan.siting.assign import Assignment, assign
from geoplan.siting.caps import nested
from geoplan.siting.elastic import Elastic, Slack, build_elastic
from geoplan.siting.flow import serve_together
from geoplan.siting.model import Program, build_prepared
from geoplan.siting.moved import apply
from geoplan.siting.portfolio import solve
from geoplan.siting.problem import IntArray, PortfolioProblem, Prepared, prepare
from geoplan.siting.quotas import AREA_TICKS
from geoplan.siting.solver import Outcome, maximise

__all__ = ["apply", "largest_count", "relax"]

_LEVELS = (1.0, 0.9, 0.75, 0.5, 0.25, 0.0)
"""Shares of the spacing that are tried, widest first."""

_NOISE = 1e-6
"""Shares of a typical site's demand below which added capacity is the solver's tolerance."""

_SECONDS = 10.0
"""Time for the exact supply of one set of sites."""

_CAPACITY = ("headroom", "reinforcement", "cap", "supply")
"""Kinds of limit whose name goes on with the resource."""

_TRIES = 20
"""Sets of sites tried that need no more than the least, until one is enough in whole ticks."""


@dataclass
class _Clock:
    end: float
    seed: int

    def run(self, program: Program, *, gap: float = 0.0) -> Outcome:
        """Solve in what is left of the time."""
        left = max(self.end - time.perf_counter(), 1.0)
        return maximise(program, gap=gap, time_limit_s=left, seed=self.seed)


def relax(
    problem: PortfolioProblem, *, seed: int = 0, time_limit_s: float = 60.0
) -> list[Relaxation]:
    """Return the limits that would have to move for a plan of ``count`` sites to exist.

    Parameters
    ----------
    problem : PortfolioProblem
        One for which `portfolio.solve` says ``infeasible``.
    seed, time_limit_s
        As for the portfolio; the time is shared by all stages.

    Returns
    -------
    list of Relaxation
        Policy first (``quota``, ``quota:<id>:min`` and ``:max``, ``area``,
        ``region-cap:<code>``, ``lock-in:<site>`` and ``lock-out:<site>``: 1 is locked, 0 is
        free, ``spacing``, ``budget``), then capacity (``headroom:<resource>:<source>``,
        ``reinforcement:<resource>:<source>`` in modules, ``cap:<resource>:<id>``,
        ``supply:<resource>`` for sites with no source in reach), then ``count``. Last, always,
        ``count:all-limits-kept``: the largest number of sites for which a plan exists with every
        limit as it is, which is the other way out. ``by`` is never negative. Empty only where
        nothing was found in time.

    Notes
    -----
    Limits give way in the order policy, capacity, count; legal and safety limits (land rules,
    demand served in full) never do. That is lexicographic: the least shortfall of sites with all
    other limits free, then the least added capacity for it (as a share of a typical site's
    demand, summed over sources; sites without any source weigh ten times), then the widest
    spacing, the fewest sites moved out of region caps and quota, and at last the least budget.
    The limits of `apply` applied to the problem make it feasible; this is checked in whole ticks
    before it is returned.
    """
    clock = _Clock(time.perf_counter() + time_limit_s, seed)
    prepared = prepare(problem)
    moves = _moves(prepared, clock)
    moves += _budget(problem, moves, clock)
    kept = largest_count(problem, seed=seed, time_limit_s=max(clock.end - time.perf_counter(), 5.0))
    wanted = problem.spec.count
    moves.append(
        Relaxation(
            "count:all-limits-kept",
            "Or: the largest number of sites with every limit kept",
            float(wanted),
            float(kept),
            float(wanted - kept),
            "sites",
        )
    )
    return moves


def _moves(prepared: Prepared, clock: _Clock) -> list[Relaxation]:
    loose = build_elastic(prepared, spacing_share=0.0)
    short = clock.run(_minimise(loose, {"count": 1.0}))
    if short.values is None:
        return []
    least_short = round(_total(loose, short, "count"))
    held = _hold(loose.program, loose, "count", least_short)
    added = clock.run(_minimise(replace(loose, program=held), {"capacity": 1.0}))
    if added.values is None:
        return []
    least_added = _total(loose, added, "capacity")
    if least_added <= _NOISE:
        least_added = 0.0
    for level in _LEVELS:
        elastic = build_elastic(prepared, spacing_share=level)
        program = _hold(elastic.program, elastic, "count", least_short)
        moves = _whole(prepared, replace(elastic, program=program), least_added, clock)
        if moves is not None:
            return moves
    return []


def _whole(
    prepared: Prepared, elastic: Elastic, least_added: float, clock: _Clock
) -> list[Relaxation] | None:
    """Return moves that are enough in whole ticks; None where this spacing allows none."""
    if least_added > 0:
        limit = least_added * (1 + _NOISE) + _NOISE
        program = _hold(elastic.program, elastic, "capacity", limit)
    else:
        upper = elastic.program.upper.copy()
        upper[[s.column for s in elastic.slacks if s.kind == "capacity"]] = 0.0
        program = replace(elastic.program, upper=upper)
    for _ in range(_TRIES):
        found = clock.run(
            _minimise(replace(elastic, program=program), {"policy": 1.0, "capacity": 1e-3})
        )
        if found.values is None:
            return None
        chosen = [j for j, c in enumerate(elastic.site_column) if found.values[c] > 0.5]
        # With the sites fixed, the least capacity is a corner without the solver's crumbs.
        lower, upper = elastic.program.lower.copy(), elastic.program.upper.copy()
        lower[elastic.site_column] = upper[elastic.site_column] = 0.0
        lower[elastic.site_column[chosen]] = upper[elastic.site_column[chosen]] = 1.0
        fixed = replace(elastic, program=replace(elastic.program, lower=lower, upper=upper))
        clean = clock.run(_minimise(fixed, {"policy": 1.0, "capacity": 1.0}))
        if clean.values is None:
            return None
        moves = _enough(prepared, chosen, _read(prepared, elastic, clean, chosen))
        if moves is not None:
            return moves
        entries = {int(elastic.site_column[j]): 1.0 for j in chosen}
        program = program.with_row("ruled-out", entries, -np.inf, len(entries) - 1.0)
    return None


def _minimise(elastic: Elastic, weights: Mapping[str, float]) -> Program:
    cost = np.zeros(len(elastic.program.cost))
    for slack in elastic.slacks:
        cost[slack.column] = -weights.get(slack.kind, 0.0) * slack.weight
    return replace(elastic.program, cost=cost)


def _total(elastic: Elastic, outcome: Outcome, kind: str) -> float:
    values = outcome.values if outcome.values is not None else np.zeros(0)
    return float(sum(values[s.column] * s.weight for s in elastic.slacks if s.kind == kind))


def _hold(program: Program, elastic: Elastic, kind: str, most: float) -> Program:
    entries = {s.column: s.weight for s in elastic.slacks if s.kind == kind}
    return program.with_row(f"hold:{kind}", entries, -np.inf, most) if entries else program


def _up(value: float) -> float:
    """Round up to four digits, after the solver's own error is rounded away."""
    if value <= 0:
        return 0.0
    digits = 3 - math.floor(math.log10(value))
    step = 10.0**digits
    return float(round(math.ceil(round(value * step, 3)) / step, max(digits, 0) + 1))


def _read(
    prepared: Prepared, elastic: Elastic, outcome: Outcome, chosen: list[int]
) -> list[Relaxation]:
    problem = prepared.problem
    values = outcome.values if outcome.values is not None else np.zeros(0)
    out: list[Relaxation] = []
    for slack in elastic.slacks:
        amount = float(values[slack.column]) * slack.size
        if slack.limit == "area":
            have = int(prepared.area[chosen].sum())
            if have < prepared.area_min:
                needed, by = have / AREA_TICKS, (prepared.area_min - have) / AREA_TICKS
                out.append(
                    Relaxation(slack.limit, slack.label, slack.value, needed, by, slack.unit)
                )
        elif slack.kind == "capacity":
            if amount > slack.size * _NOISE:
                out.append(_raise(slack, _up(amount)))
        elif round(amount) > 0:
            by = float(round(amount))
            needed = slack.value - by if slack.falls else slack.value + by
            out.append(Relaxation(slack.limit, slack.label, slack.value, needed, by, slack.unit))
    near = _nearest_pair(problem, [prepared.site(j) for j in chosen])
    if near is not None:
        spacing = problem.spec.spacing_km or float(problem.conflicts.pairs["distance_km"].max())
        needed = math.floor(near * 1000) / 1000
        policy = [r for r in out if not r.limit.startswith((*_CAPACITY, "count"))]
        out.insert(
            len(policy),
            Relaxation(
                "spacing",
                "Least distance between sites' edges",
                spacing,
                needed,
                round(spacing - needed, 3),
                "km",
            ),
        )
    return out


def _raise(slack: Slack, by: float) -> Relaxation:
    more = by / slack.share
    if slack.unit == "modules":
        more = float(math.ceil(more - _NOISE))
    needed = round(slack.value + more, 9)
    return Relaxation(slack.limit, slack.label, slack.value, needed, round(more, 9), slack.unit)


def _nearest_pair(problem: PortfolioProblem, chosen: list[str]) -> float | None:
    pairs = problem.conflicts.pairs
    both = pairs[pairs["a"].isin(chosen) & pairs["b"].isin(chosen)]
    return float(both["distance_km"].min()) if len(both) else None


def _enough(
    prepared: Prepared, chosen: list[int], moves: list[Relaxation]
) -> list[Relaxation] | None:
    """Add the few ticks by which the solver's tolerance may have fallen short.

    None where a resource lacks something and no limit of it has moved.
    """
    for _ in range(5):
        trial = prepare(apply(prepared.problem, moves))
        lack = {r: t for r, t in serve_together(trial, chosen).items() if t > 0}
        for resource in trial.resources:
            # Placed one after the other, whole demands and caps that cross may seem to lack.
            bound = resource.rule.single_source or not nested(resource.caps)
            if bound and resource.name in lack:
                found = assign(trial, resource, chosen, time_limit_s=_SECONDS, seed=0)
                if isinstance(found, Assignment):
                    del lack[resource.name]
        if not lack:
            return moves
        for resource in trial.resources:
            missing = lack.get(resource.name, 0) * resource.tick
            mine = [k for k, m in enumerate(moves) if _resource_of(m) == resource.name]
            if missing > 0 and not mine:
                return None
            for k in mine if missing > 0 else []:
                m = moves[k]
                step = 1.0 if m.unit == "modules" else max(missing, resource.tick)
                more = m.by + step
                moves[k] = replace(m, needed=m.value + more, by=more)
    return None


def _resource_of(move: Relaxation) -> str | None:
    parts = move.limit.split(":")
    return parts[1] if parts[0] in _CAPACITY else None


def _budget(problem: PortfolioProblem, moves: list[Relaxation], clock: _Clock) -> list[Relaxation]:
    """Return the least budget once the other limits have moved, where it is above the given."""
    budget = problem.spec.budget
    if budget is None:
        return []
    moved = apply(problem, moves)
    left = max(clock.end - time.perf_counter(), 1.0)
    spec = moved.spec.model_copy(
        update={"budget": None, "cost_per_score_point": budget, "time_limit_s": left}
    )
    free = replace(moved, spec=spec, sites=moved.sites.assign(score=0.0))
    plan = solve(build_prepared(prepare(free), with_costs=True), seed=clock.seed)
    if not plan.chosen or plan.cost <= budget * (1 + 1e-9):
        return []
    needed = math.ceil(plan.cost * (1 - 1e-12))
    by = float(needed) - budget
    return [Relaxation("budget", "Total cost", budget, float(needed), by, "currency")]


def largest_count(problem: PortfolioProblem, *, seed: int = 0, time_limit_s: float = 60.0) -> int:
    """Return the largest number of sites, up to ``count``, for which a plan exists.

    The quota holds as a share of that number. 0 where not even one site can be placed.
    """
    end = time.perf_counter() + time_limit_s
    prepared = prepare(problem)
    model = build_prepared(prepared, with_costs=problem.spec.budget is not None)
    program = _counting(model.program, prepared, model.site_column)
    most = min(problem.spec.count, prepared.places(np.flatnonzero(prepared.allowed).tolist()))
    if most:
        left = max(end - time.perf_counter(), 1.0)
        outcome = maximise(program, gap=0.0, time_limit_s=left, seed=seed)
        if outcome.status == "optimal" and outcome.objective is not None:
            most = min(most, round(outcome.objective))
    while most > 0:
        left = max(end - time.perf_counter(), 1.0)
        spec = problem.spec.model_copy(update={"count": most, "time_limit_s": left, "gap": 0.5})
        if solve(build_prepared(prepare(replace(problem, spec=spec))), seed=seed).chosen:
            return most
        most -= 1
    return 0


def _counting(program: Program, prepared: Prepared, columns: IntArray) -> Program:
    """Return the program that counts sites, with the quota as a share of the count."""
    cost = np.zeros(len(program.cost))
    live = columns[columns >= 0]
    cost[live] = 1.0
    lower = program.row_lower.copy()
    shares = {f"quota:{q.id}:min" for q in prepared.quotas if q.share}
    for k, name in enumerate(program.row_names):
        if name in ("count", "quota") or name in shares:
            lower[k] = -np.inf
    counted = replace(program, cost=cost, row_lower=lower)
    share = prepared.problem.spec.less_industrialised_share_min
    if share <= 0:
        return counted
    entries = {
        int(c): float(prepared.less[j]) - share for j, c in enumerate(columns.tolist()) if c >= 0
    }
    return counted.with_row("share", entries, -1e-9, np.inf)
