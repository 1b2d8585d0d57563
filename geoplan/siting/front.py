"""The front of efficiency against regional equity: every point a plan that can be served."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geoplan.siting.assign import Assignment, assign
from geoplan.siting.equity import EquityTerms, equity_of
from geoplan.siting.equity_rows import add_equity
from geoplan.siting.flow import serve_together
from geoplan.siting.model import Model, build_prepared
from geoplan.siting.objective import Answer, Cut, Front, FrontStatus, Objective
from geoplan.siting.pareto import nondominated
from geoplan.siting.problem import FloatArray, Prepared

__all__ = ["EFFICIENCY_STEP", "PlanFront", "PlanPoint", "PlanWorth", "front_of_plans", "worth_of"]

EFFICIENCY_STEP = 1e-6
"""Step in which efficiency is counted, points of score: what ``ranking.csv`` publishes."""

_SUPPLY_SECONDS = 10.0


@dataclass(frozen=True)
class PlanWorth:
    """What a set of sites is worth.

    Parameters
    ----------
    efficiency : float
        Sum of scores, less the cost in points where ``cost_per_score_point`` is set.
    equity : float
        See `equity.equity_of`: in jobs, hectares or 0–1.
    cost : float
        Of the cheapest supply, profile currency.
    """

    efficiency: float
    equity: float
    cost: float


@dataclass(frozen=True)
class PlanPoint:
    """One plan of the front.

    Parameters
    ----------
    chosen : tuple of int
        Sites by number, best score first.
    sites : tuple of str
        The same by id (``<site>@<level>`` where a site is built in part).
    worth : PlanWorth
    bound : float
        No plan with at least this equity is more efficient; infinite where nothing is proven.
    gap : float
        (bound − efficiency) / efficiency.
    proven : bool
        To the gap that was asked for.
    entering, leaving : tuple of str
        Sites that come and go from the point before (the more efficient neighbour).
    """

    chosen: tuple[int, ...]
    sites: tuple[str, ...]
    worth: PlanWorth
    bound: float
    gap: float
    proven: bool
    entering: tuple[str, ...]
    leaving: tuple[str, ...]


@dataclass(frozen=True)
class PlanFront:
    """The front, most efficient plan first.

    Parameters
    ----------
    points : tuple of PlanPoint
        Empty where no plan exists or none was found in time.
    status : FrontStatus
    complete : bool
        No other plan is on the front (as counted in the two steps).
    open_between : tuple of (float, float)
        Equity between which points may be missing, where all were asked for.
    equity_step : float
        Step in which equity was counted.
    solves, nodes : int
    seconds : float
    """

    points: tuple[PlanPoint, ...]
    status: FrontStatus
    complete: bool
    open_between: tuple[tuple[float, float], ...]
    equity_step: float
    solves: int
    nodes: int
    seconds: float

    def index_of(self, chosen: Sequence[int]) -> int | None:
        """Return the point with exactly these sites."""
        wanted = set(chosen)
        return next((k for k, p in enumerate(self.points) if set(p.chosen) == wanted), None)


def front_of_plans(
    prepared: Prepared,
    terms: EquityTerms,
    *,
    points: int | Literal["all"] = 11,
    gap: float | None = None,
    time_limit_s: float = 120.0,
    seed: int = 0,
    start: Sequence[int] = (),
) -> PlanFront:
    """Return the non-dominated plans of efficiency and equity.

    Parameters
    ----------
    prepared : Prepared
    terms : EquityTerms
    points : int or "all"
        See `pareto.nondominated`.
    gap : float, optional
        Relative gap of each search; absent: the one of the spec. 0 where all points are asked for.
    time_limit_s : float
        For the whole front.
    seed : int
    start : sequence of int
        A known plan, for example the one of `portfolio.solve`.

    Notes
    -----
    The program is the one of the portfolio with equity put behind it; only limits on efficiency
    and equity differ from search to search, and each begins from a neighbour's plan. Every set of
    sites is checked in whole ticks; one that only the solver's tolerance allowed is ruled out for
    good. A budget alone is first left aside; the first plan that breaks it brings the lines' cost
    into the program.
    """
    began = time.perf_counter()
    spec = prepared.problem.spec
    with_costs = spec.cost_per_score_point is not None or _unserved_allowed(prepared)
    wanted_gap = spec.gap if gap is None else gap
    try:
        found, reader = _front(
            prepared, terms, with_costs, points, wanted_gap, time_limit_s, seed, start
        )
    except _OverBudget:
        left = time_limit_s - (time.perf_counter() - began)
        found, reader = _front(prepared, terms, True, points, wanted_gap, left, seed, start)
    out: list[PlanPoint] = []
    before: set[str] = set()
    for p in found.points:
        chosen = tuple(sorted(_key(p.answer), key=lambda j: (-prepared.score[j], j)))
        sites = tuple(prepared.site(j) for j in chosen)
        came = tuple(s for s in sites if s not in before) if before else ()
        gone = tuple(sorted(before - set(sites)))
        before = set(sites)
        out.append(
            PlanPoint(
                chosen=chosen,
                sites=sites,
                worth=PlanWorth(
                    p.answer.first, equity_of(terms, chosen), reader.cost(tuple(sorted(chosen)))
                ),
                bound=p.bound,
                gap=p.gap,
                proven=p.proven,
                entering=came,
                leaving=gone,
            )
        )
    status = found.status
    if reader.unsure and status in ("exact", "within-gap"):
        status = "time-limit"
    step = terms.step
    sign = 1.0 if terms.objective == "deprivation" else -1.0
    return PlanFront(
        points=tuple(out),
        status=status,
        complete=found.complete and not reader.unsure,
        open_between=tuple((sign * a * step, sign * b * step) for a, b in found.open_between),
        equity_step=step,
        solves=found.solves,
        nodes=found.nodes,
        seconds=time.perf_counter() - began,
    )


def worth_of(
    prepared: Prepared, terms: EquityTerms, chosen: Sequence[int], *, cost: float
) -> PlanWorth:
    """Return what a plan is worth whose supply costs ``cost``."""
    price = prepared.problem.spec.cost_per_score_point
    points = _points(prepared, chosen) - (cost / price if price else 0.0)
    return PlanWorth(points, equity_of(terms, chosen), cost)


def _points(prepared: Prepared, chosen: Sequence[int]) -> float:
    whole = np.rint(prepared.score[sorted(chosen)] / EFFICIENCY_STEP)
    return float(whole.sum() * EFFICIENCY_STEP)


def _unserved_allowed(prepared: Prepared) -> bool:
    return bool(prepared.problem.spec.shortfall)


def _key(answer: Answer) -> tuple[int, ...]:
    key = answer.key
    return key if isinstance(key, tuple) else ()


class _OverBudget(Exception):
    """The budget binds, so cost must stand in the program."""


def _front(
    prepared: Prepared,
    terms: EquityTerms,
    with_costs: bool,
    points: int | Literal["all"],
    gap: float,
    time_limit_s: float,
    seed: int,
    start: Sequence[int],
) -> tuple[Front, _Reader]:
    model = build_prepared(prepared, with_costs=with_costs)
    program, equity = add_equity(model.program, model.site_column, prepared, terms)
    reader = _Reader(model, terms, equity, time.perf_counter() + time_limit_s, seed)
    cost = program.cost.copy()
    if _scores_alone(prepared):
        for j in reader.live.tolist():
            c = model.site_column[j]
            cost[c] = np.rint(prepared.score[j] / EFFICIENCY_STEP) * EFFICIENCY_STEP
    entries = {int(c): float(cost[c]) for c in np.flatnonzero(cost)}
    found = nondominated(
        replace(program, cost=cost),
        Objective(entries, EFFICIENCY_STEP),
        equity,
        points=points,
        gap=gap,
        time_limit_s=time_limit_s,
        seed=seed,
        read=reader.read,
        begin=reader.begin,
        start=reader.columns(start) if prepared.may_stand(start) else None,
    )
    return found, reader


def _scores_alone(prepared: Prepared) -> bool:
    """Return whether efficiency is the sum of scores alone."""
    return prepared.problem.spec.cost_per_score_point is None


class _Reader:
    """Turns the solver's values into plans, each checked in whole ticks once."""

    def __init__(
        self, model: Model, terms: EquityTerms, equity: Objective, end: float, seed: int
    ) -> None:
        self.model, self.terms, self.equity = model, terms, equity
        self.prepared = model.prepared
        self.end, self.seed = end, seed
        self.live = np.flatnonzero(model.site_column >= 0)
        self.supply: dict[tuple[int, ...], tuple[Assignment, ...]] = {}
        self.unsure = False
        spec = self.prepared.problem.spec
        self.budget = spec.budget
        # Augmenting paths decide exactly unless whole demands are packed, joint limits cross, or
        # demand may go unserved.
        self.exact = (
            not model.with_costs
            and self.budget is None
            and not _unserved_allowed(self.prepared)
            and not any(r.rule.single_source or r.caps for r in self.prepared.resources)
        )
        # Equity is counted in the objective's own scale, which keeps the program's numbers near 1.
        self.scale = equity.step / terms.step

    def columns(self, chosen: Sequence[int]) -> dict[int, float]:
        """Return the values of all site columns for a plan."""
        out = {int(c): 0.0 for c in self.model.site_column if c >= 0}
        out.update({int(self.model.site_column[j]): 1.0 for j in chosen})
        out.pop(-1, None)
        return out

    def begin(self, answer: Answer) -> Mapping[int, float]:
        return self.columns(_key(answer))

    def read(self, values: FloatArray) -> Answer | Cut:
        column = self.model.site_column
        chosen = tuple(int(j) for j in self.live if values[column[j]] > 0.5)
        if not (self.prepared.may_stand(chosen) and self._served(chosen)):
            return Cut({int(column[j]): 1.0 for j in chosen}, len(chosen) - 1.0)
        worth = worth_of(self.prepared, self.terms, chosen, cost=self._cost_if_counted(chosen))
        sign = 1.0 if self.terms.objective == "deprivation" else -1.0
        return Answer(worth.efficiency, sign * worth.equity * self.scale, values, chosen)

    def _cost_if_counted(self, chosen: tuple[int, ...]) -> float:
        return 0.0 if _scores_alone(self.prepared) else self.cost(chosen)

    def _served(self, chosen: tuple[int, ...]) -> bool:
        if self.exact:
            return not any(serve_together(self.prepared, chosen).values())
        supply = self._assigned(chosen)
        if supply is None:
            return False
        total = sum(a.cost for a in supply)
        if self.budget is not None and total > self.budget * (1 + 1e-9):
            if not self.model.with_costs:
                raise _OverBudget
            self.unsure |= not all(a.proven for a in supply)
            return False
        return True

    def _assigned(self, chosen: tuple[int, ...]) -> tuple[Assignment, ...] | None:
        if chosen in self.supply:
            return self.supply[chosen]
        out = []
        for resource in self.prepared.resources:
            left = max(self.end - time.perf_counter(), _SUPPLY_SECONDS)
            found = assign(self.prepared, resource, chosen, time_limit_s=left, seed=self.seed)
            if not isinstance(found, Assignment):
                self.unsure |= found != "infeasible"
                return None
            out.append(found)
        self.supply[chosen] = tuple(out)
        return self.supply[chosen]

    def cost(self, chosen: tuple[int, ...]) -> float:
        """Return the cost of a plan's cheapest supply; NaN where it was not found."""
        supply = self._assigned(chosen)
        return float("nan") if supply is None else float(sum(a.cost for a in supply))
