"""The set of sites with the best score that can be served together, with its proof."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geoplan.siting.assign import Assignment, assign
from geoplan.siting.greedy import greedy
from geoplan.siting.model import Model, Program, build, build_prepared
from geoplan.siting.narrow import net_value, site_bounds
from geoplan.siting.problem import FloatArray, PortfolioProblem, Prepared, prepare
from geoplan.siting.result import PlanStatus, SolverRecord
from geoplan.siting.solver import THREADS, Outcome, maximise, solver_version
from geoplan.siting.tables import site_costs, source_table, supply_table

__all__ = ["Model", "Plan", "PortfolioProblem", "build", "prepare", "solve"]

_SUPPLY_SECONDS = 10.0
"""Least time that each resource's supply of the chosen sites is given, s."""

_PROVEN = 1e-6
"""Gap, relative or in points of score, below which a plan is called optimal: the solver's own
feasibility tolerance blurs its bound by about this much."""

_THRESHOLDS = (0.3, 1.0)
"""Where between bound (0) and known plan (1) the sites worth a look are cut off."""

_FEWER = 0.9
"""Share of the sites above which leaving the rest out is not worth another search."""


@dataclass(frozen=True)
class Plan:
    """The chosen sites and how each is served.

    Parameters
    ----------
    status : PlanStatus
    chosen : tuple of str
        Site ids, best score first. Empty where no plan exists or none was found in time.
    cost : float
        Of all lines, modules, reuse and amounts, profile currency.
    supply : DataFrame
        As ``SitingResult.supply``.
    sources : DataFrame
        As ``SitingResult.sources``: every source given, then what is built on sites, whose
        ``headroom`` is the size built (modules × module size; reuse: the amount returned).
    site_cost : Series, index ``site_id``
        Cost of each chosen site's supply.
    served_alone : Series of bool, index ``site_id``
        For every site given: could it be served in full if it were the only one?
    shortage : DataFrame, index ``site_id``
        For every site and resource: what it lacks when it is alone, in the resource's unit.
    record : SolverRecord
    warnings : tuple of str
    prepared : Prepared
        The checked problem, for `explain` and `relax`.
    """

    status: PlanStatus
    chosen: tuple[str, ...]
    cost: float
    supply: pd.DataFrame
    sources: pd.DataFrame
    site_cost: pd.Series[float]
    served_alone: pd.Series[bool]
    shortage: pd.DataFrame
    record: SolverRecord
    warnings: tuple[str, ...]
    prepared: Prepared


@dataclass
class _Search:
    """What the search has found so far."""

    chosen: list[int]
    assignments: list[Assignment]
    outcome: Outcome | None
    status: PlanStatus
    nodes: int = 0


def solve(model: Model, *, seed: int = 0, time_limit_s: float | None = None) -> Plan:
    """Return the best plan of a model, proven to the gap asked for or with the gap reached.

    Parameters
    ----------
    model : Model
        From `build`.
    seed : int
        Seed of the solver's own draws; recorded.
    time_limit_s : float, optional
        Absent: the one of the spec.

    Returns
    -------
    Plan
        ``status`` is ``infeasible`` where no plan exists (see `relax`).

    Notes
    -----
    In two stages: first the sites (to ``spec.gap``), then, for the chosen sites, the cheapest
    supply of each resource, which is exact for this set of sites. A budget alone is first left
    aside: if the best sites' cheapest supply keeps it, they are the answer. Every set of sites
    is checked in whole ticks; one that only the solver's tolerance allowed is ruled out, and the
    search goes on.
    """
    began = time.perf_counter()
    prepared = model.prepared
    spec = prepared.problem.spec
    limit = spec.time_limit_s if time_limit_s is None else time_limit_s
    end = began + limit
    search: _Search | None = None
    value = net_value(prepared) if spec.cost_per_score_point is not None else prepared.score
    start = greedy(prepared, value=value)
    if int(prepared.served_alone.sum()) < spec.count:
        search = _Search([], [], None, "infeasible")
    elif model.with_costs and spec.cost_per_score_point is None:
        simple = build_prepared(prepared, with_costs=False)
        search = _search(simple, start, end, seed)
        if search.status != "infeasible" and not _affordable(search, spec.budget):
            search = None
    if search is None:
        model, search = _best(model, start, value, end, seed)
    return _plan(model, search, seed, limit, time.perf_counter() - began)


def _best(
    model: Model, start: Sequence[int], value: FloatArray, end: float, seed: int
) -> tuple[Model, _Search]:
    """Search among the sites that can be in a plan better than a threshold, then prove it.

    The threshold lies between the known plan and the bound of the choice of sites alone. A plan
    that reaches it is the best of all, as no other site can be in a better one; if none does,
    the best found becomes the threshold.
    """
    prepared, spec = model.prepared, model.prepared.problem.spec
    known = _known(model, start, end, seed)
    if known is None:
        return model, _search(model, start, end, seed)
    reached = _worth(prepared, known)
    bounds = site_bounds(prepared, value, seed=seed)
    top = float(bounds.max())
    nodes = 0
    for share in _THRESHOLDS if np.isfinite(top) else ():
        least = max(top - share * (top - reached), reached)
        among = bounds >= least
        among[known.chosen] = True
        if int(among.sum()) > _FEWER * int(prepared.served_alone.sum()):
            break
        narrow = build_prepared(prepared, with_costs=model.with_costs, among=among)
        found = _search(narrow, known.chosen, end, seed)
        nodes += found.nodes
        found.nodes = nodes
        if found.chosen and _worth(prepared, found) > reached:
            known, reached = found, _worth(prepared, found)
        if found.outcome is not None and found.outcome.bound is not None:
            # Plans with any other site are worth less than the threshold.
            bound = max(found.outcome.bound, least)
            found.outcome = replace(found.outcome, bound=bound)
            if found.chosen and bound - reached <= spec.gap * abs(reached) + _PROVEN:
                return narrow, found
            if found.status == "time-limit":
                return narrow, found
    final = _search(model, known.chosen, end, seed)
    final.nodes += nodes
    return model, final


def _known(model: Model, start: Sequence[int], end: float, seed: int) -> _Search | None:
    """Return ``start`` with its supply, where it is a plan."""
    spec = model.prepared.problem.spec
    if len(start) != spec.count:
        return None
    found = _assign_all(model.prepared, start, end, seed)
    if found is None:
        return None
    known = _Search(list(start), found, None, "time-limit")
    return known if _affordable(known, spec.budget if model.with_costs else None) else None


def _worth(prepared: Prepared, search: _Search) -> float:
    price = prepared.problem.spec.cost_per_score_point
    cost = sum(a.cost for a in search.assignments) / price if price else 0.0
    return float(sum(prepared.score[j] for j in search.chosen)) - cost


def _affordable(search: _Search, budget: float | None) -> bool:
    cost = sum(a.cost for a in search.assignments)
    return bool(search.assignments) and (budget is None or cost <= budget * (1 + 1e-9))


def _search(model: Model, start: Sequence[int], end: float, seed: int) -> _Search:
    prepared, program = model.prepared, model.program
    spec = prepared.problem.spec
    budget = spec.budget if model.with_costs else None
    begin: dict[int, float] | None = None
    if len(start) == spec.count:
        begin = {int(c): 0.0 for c in model.site_column if c >= 0}
        begin.update({int(model.site_column[j]): 1.0 for j in start})
    nodes = 0
    while True:
        outcome = maximise(
            program,
            gap=spec.gap,
            time_limit_s=end - time.perf_counter(),
            seed=seed,
            start=begin,
        )
        nodes += outcome.nodes
        if outcome.status == "infeasible":
            return _Search([], [], outcome, "infeasible", nodes)
        late = outcome.status == "time-limit"
        if outcome.values is None:
            chosen = list(start) if len(start) == spec.count else []
            found = _assign_all(prepared, chosen, end, seed) if chosen else None
            ok = isinstance(found, list) and _affordable(
                _Search(chosen, found, outcome, "time-limit"), budget
            )
            if not ok:
                return _Search([], [], outcome, "time-limit", nodes)
            return _Search(chosen, found or [], outcome, "time-limit", nodes)
        columns = model.site_column
        chosen = [
            j for j in range(len(columns)) if columns[j] >= 0 and outcome.values[columns[j]] > 0.5
        ]
        found = _assign_all(prepared, chosen, end, seed)
        if found is not None and _affordable(_Search(chosen, found, None, "optimal"), budget):
            return _Search(chosen, found, outcome, "time-limit" if late else "optimal", nodes)
        if late:
            return _Search([], [], outcome, "time-limit", nodes)
        program = _rule_out(program, model, chosen)
        begin = None


def _rule_out(program: Program, model: Model, chosen: Sequence[int]) -> Program:
    entries = {int(model.site_column[j]): 1.0 for j in chosen}
    return program.with_row("ruled-out", entries, -np.inf, len(entries) - 1.0)


def _assign_all(
    prepared: Prepared, chosen: Sequence[int], end: float, seed: int
) -> list[Assignment] | None:
    """Return the supply of each resource; None where the sites cannot be served together."""
    out = []
    for resource in prepared.resources:
        left = max(end - time.perf_counter(), _SUPPLY_SECONDS)
        found = assign(prepared, resource, chosen, time_limit_s=left, seed=seed)
        if not isinstance(found, Assignment):
            return None
        out.append(found)
    return out


def _plan(model: Model, search: _Search, seed: int, limit: float, seconds: float) -> Plan:
    prepared = model.prepared
    spec = prepared.problem.spec
    chosen = sorted(search.chosen, key=lambda j: (-prepared.score[j], j))
    assignments = search.assignments
    cost = float(sum(a.cost for a in assignments))
    objective: float | None = None
    bound: float | None = None
    gap: float | None = None
    if search.outcome is not None:
        bound = search.outcome.bound
    if chosen:
        objective = _worth(prepared, search)
        if bound is None:
            best = np.sort(prepared.score[prepared.served_alone])[::-1][: spec.count]
            bound = float(best.sum())
        bound = max(bound, objective)
        gap = (bound - objective) / max(abs(objective), 1e-12)
    status = search.status
    if chosen and gap is not None:
        if gap <= _PROVEN or (bound or 0.0) - (objective or 0.0) <= _PROVEN:
            status = "optimal"
        elif gap <= spec.gap * (1 + 1e-9) or status == "optimal":
            status = "within-gap"
    program = model.program
    record = SolverRecord(
        name="HiGHS",
        version=solver_version(),
        status=status,
        objective=objective,
        bound=bound if chosen else None,
        gap=gap,
        seconds=seconds,
        nodes=search.nodes,
        rows=len(program.row_lower),
        columns=len(program.cost),
        binaries=int((program.integer & (program.upper == 1.0)).sum()),
        seed=seed,
        threads=THREADS,
        gap_asked=spec.gap,
        time_limit_s=limit,
    )
    warnings = tuple(
        f"the cheapest {r.name} supply of the chosen sites was not proven in time"
        for r, a in zip(prepared.resources, assignments, strict=False)
        if not a.proven
    )
    supply = supply_table(prepared, chosen, assignments)
    ids = list(prepared.site_ids)
    return Plan(
        status=status,
        chosen=tuple(ids[j] for j in chosen),
        cost=cost,
        supply=supply,
        sources=source_table(prepared, assignments),
        site_cost=site_costs(supply, [ids[j] for j in chosen]),
        served_alone=pd.Series(prepared.served_alone, index=pd.Index(ids, name="site_id")),
        shortage=pd.DataFrame(
            {r.name: prepared.shortage[k] * r.tick for k, r in enumerate(prepared.resources)},
            index=pd.Index(ids, name="site_id"),
        ),
        record=record,
        warnings=warnings,
        prepared=prepared,
    )
