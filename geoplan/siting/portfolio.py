"""The set of sites with the best score that can be served together, with its proof."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.siting.model import Model, build
from geoplan.siting.problem import PortfolioProblem, Prepared, prepare
from geoplan.siting.result import PlanStatus, SolverRecord
from geoplan.siting.search import PROVEN, Found, find
from geoplan.siting.solver import THREADS, solver_version
from geoplan.siting.supply import PERSIAN
from geoplan.siting.tables import site_costs, source_table, supply_table

__all__ = ["Model", "Plan", "PortfolioProblem", "build", "prepare", "solve"]


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
    warnings : tuple of Text
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
    warnings: tuple[Text, ...]
    prepared: Prepared


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
    limit = model.prepared.problem.spec.time_limit_s if time_limit_s is None else time_limit_s
    solved, found = find(model, end=began + limit, seed=seed)
    return _plan(solved, found, seed, limit, time.perf_counter() - began)


def _plan(model: Model, found: Found, seed: int, limit: float, seconds: float) -> Plan:
    prepared = model.prepared
    spec = prepared.problem.spec
    chosen = sorted(found.chosen, key=lambda j: (-prepared.score[j], j))
    assignments = found.assignments
    status = found.status
    objective = bound = gap = None
    if chosen:
        objective = found.worth(prepared)
        best = np.sort(prepared.score[prepared.allowed])[::-1][: spec.count]
        bound = max(float(best.sum()) if found.bound is None else found.bound, objective)
        gap = (bound - objective) / max(abs(objective), 1e-12)
        if min(gap, bound - objective) <= PROVEN:
            status = "optimal"
        elif gap <= spec.gap * (1 + 1e-9) or status == "optimal":
            status = "within-gap"
    program = model.program
    record = SolverRecord(
        name="HiGHS",
        version=solver_version(),
        status=status,
        objective=objective,
        bound=bound,
        gap=gap,
        seconds=seconds,
        nodes=found.nodes,
        rows=len(program.row_lower),
        columns=len(program.cost),
        binaries=int((program.integer & (program.upper == 1.0)).sum()),
        seed=seed,
        threads=THREADS,
        gap_asked=spec.gap,
        time_limit_s=limit,
    )
    warnings = tuple(
        Text(
            en=f"the cheapest {r.name} supply of the chosen sites was not proven in time",
            fa=f"ارزان‌ترین تأمین {PERSIAN[r.name]} برای مکان‌های برگزیده در زمان داده‌شده اثبات نشد",
        )
        for r, a in zip(prepared.resources, assignments, strict=False)
        if not a.proven
    )
    supply = supply_table(prepared, chosen, assignments)
    ids = list(prepared.site_ids)
    return Plan(
        status=status,
        chosen=tuple(ids[j] for j in chosen),
        cost=found.cost,
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
