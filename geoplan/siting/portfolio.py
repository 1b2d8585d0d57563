"""The set of sites with the best score that can be served together, with its proof."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.siting.model import Model, build
from geoplan.siting.problem import PortfolioProblem, Prepared, prepare
from geoplan.siting.result import PlanStatus, SolverRecord
from geoplan.siting.search import PROVEN, Found, find
from geoplan.siting.solver import THREADS, solver_version
from geoplan.siting.supply import PERSIAN
from geoplan.siting.tables import (
    cap_table,
    demand_table,
    shortfall_table,
    site_costs,
    source_table,
    supply_table,
)

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
        Of all lines, modules, reinforcement, reuse, shortfall and amounts, profile currency.
    supply : DataFrame
        As ``SitingResult.supply``.
    sources : DataFrame
        As ``SitingResult.sources``: every source given, then what is built on sites, whose
        ``headroom`` is the size built (modules × module size; reuse: the amount returned).
    site_cost : Series, index ``site_id``
        Cost of each chosen site's supply; reinforcement of sources is apart, as it is shared.
    served_alone : Series of bool, index ``site_id``
        For every site given: could it be served in full if it were the only one, at one of its
        levels at least?
    shortage : DataFrame, index ``site_id``
        For every site and resource: what it lacks when it is alone, in the resource's unit, at
        the level at which it lacks least.
    record : SolverRecord
    warnings : tuple of Text
    prepared : Prepared
        The checked problem, for `explain` and `relax`: with one entry per site, at the level
        chosen (sites that are not chosen: at their largest).
    level : Series, index ``site_id``
        Share of each chosen site's area that is built.
    demand : DataFrame, index ``site_id``
        What each chosen site needs at its level: ``water``, ``power``, ``wastewater``.
    shortfall : DataFrame, index ``site_id``
        What of it goes unserved; a column for each resource of which some may.
    caps : DataFrame
        As `tables.cap_table`.
    reinforcement_cost : float
        Part of the cost that raises headroom at sources.
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
    level: pd.Series[float]
    demand: pd.DataFrame
    shortfall: pd.DataFrame
    caps: pd.DataFrame
    reinforcement_cost: float


def solve(
    model: Model,
    *,
    seed: int = 0,
    time_limit_s: float | None = None,
    near: Collection[str] = (),
) -> Plan:
    """Return the best plan of a model, proven to the gap asked for or with the gap reached.

    Parameters
    ----------
    model : Model
        From `build`.
    seed : int
        Seed of the solver's own draws; recorded.
    time_limit_s : float, optional
        Absent: the one of the spec.
    near : collection of str
        Sites of a plan that is likely to be near the best; only a place to begin.

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
    solved, found = find(model, end=began + limit, seed=seed, near=near)
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
    ids = list(prepared.place_ids)
    names = [prepared.site(j) for j in chosen]
    per = prepared.variants.per_place
    lack = prepared.shortage.reshape(len(prepared.resources), len(ids), per)
    index = pd.Index(ids, name="site_id")
    served = prepared.served_alone.reshape(len(ids), per).any(axis=1)
    level = pd.Series(
        [float(prepared.variants.level[j]) for j in chosen],
        index=pd.Index(names, name="site_id"),
        dtype="float64",
    )
    return Plan(
        status=status,
        chosen=tuple(names),
        cost=found.cost,
        supply=supply,
        sources=source_table(prepared, assignments),
        site_cost=site_costs(supply, names),
        served_alone=pd.Series(served, index=index),
        shortage=pd.DataFrame(
            {r.name: lack[k].min(axis=1) * r.tick for k, r in enumerate(prepared.resources)},
            index=index,
        ),
        record=record,
        warnings=warnings,
        prepared=prepared if per == 1 else _at_levels(prepared, level),
        level=level,
        demand=demand_table(prepared, chosen),
        shortfall=shortfall_table(supply, prepared, chosen),
        caps=cap_table(prepared, assignments),
        reinforcement_cost=float(
            sum(
                n * r.rule.reinforcement.cost
                for r, a in zip(prepared.resources, assignments, strict=False)
                for n in a.modules.values()
                if r.rule.reinforcement is not None
            )
        ),
    )


def _at_levels(prepared: Prepared, level: pd.Series[float]) -> Prepared:
    """Return the question with every site at one level: the chosen one, else its largest."""
    problem = prepared.problem
    benefit = dict(problem.spec.sizes)
    largest = problem.spec.sizes[0][0]
    share = level.reindex(problem.sites.index, fill_value=largest)
    gain = share.map(benefit)
    sites = problem.sites.assign(score=problem.sites["score"] * gain)
    if "area_ha" in sites.columns:
        sites["area_ha"] = sites["area_ha"] * share
    demand = problem.demand.mul(share.reindex(problem.demand.index), axis=0)
    spec = problem.spec.model_copy(update={"levels": (1.0,), "level_benefit": None})
    return prepare(replace(problem, sites=sites, demand=demand, spec=spec))
