"""Other plans that are nearly as good as the best, each different from all before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from geoplan.catalogue.alternatives import AlternativesSpec
from geoplan.catalogue.portfolio import QuotaSpec
from geoplan.siting.portfolio import Plan, build, solve
from geoplan.siting.problem import PortfolioProblem

__all__ = ["Alternatives", "alternatives"]


@dataclass(frozen=True)
class Alternatives:
    """Near-optimal plans beside the best one.

    Parameters
    ----------
    frame : DataFrame
        One row per plan, best first: ``number`` (1 …), ``sites`` (tuple of ids), ``worth``
        (objective), ``loss`` (below the best plan's), ``bound`` (no plan that differs this much
        from those before it is worth more), ``cost``, ``status``, ``leave`` and ``enter`` (tuples
        of ids: against the best plan).
    ended : str
        Why there are no more: ``count`` (as many as asked), ``worth`` (any other is worth less
        than ``within`` allows), ``infeasible`` (no other plan exists), ``time-limit``.
    """

    frame: pd.DataFrame
    ended: str


def alternatives(
    problem: PortfolioProblem,
    plan: Plan,
    spec: AlternativesSpec,
    *,
    time_limit_s: float = 30.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> Alternatives:
    """Return plans within a share of the best one's worth that differ in enough sites.

    Parameters
    ----------
    problem : PortfolioProblem
    plan : Plan
        The best, of this problem, with sites.
    spec : AlternativesSpec
    time_limit_s : float
        For each plan.
    seed : int
        Seed of the solver's own draws.
    progress : callable
        Told the number of plans found.

    Notes
    -----
    Each plan is the best of those that share at most ``count − differ_min`` sites with every plan
    before it: a row Σ_{j in plan k} x_j ≤ count − differ_min for each (Hamming distance at least
    2·differ_min). With ``differ_min`` 1 these are the k best plans, in order, to the solver's gap.
    """
    rows: list[dict[str, object]] = []
    best = float(plan.record.objective or 0.0)
    least = best - spec.within * abs(best)
    known: list[frozenset[str]] = [frozenset(plan.chosen)]
    ended = "count"
    while len(rows) < spec.count:
        found = solve(build(_apart(problem, known, spec.differ_min)), seed=seed,
                      time_limit_s=time_limit_s, near=plan.chosen)  # fmt: skip
        if not found.chosen:
            ended = found.status
            break
        worth = float(found.record.objective or 0.0)
        bound = worth if found.record.bound is None else float(found.record.bound)
        if worth < least:
            # Worth less than allowed, but while it is not proven there may be a better one.
            ended = "worth" if bound < least or found.status != "time-limit" else "time-limit"
            break
        sites = frozenset(found.chosen)
        rows.append(
            {
                "number": len(rows) + 1,
                "sites": found.chosen,
                "worth": worth,
                "loss": best - worth,
                "bound": bound,
                "cost": found.cost,
                "status": found.status,
                "leave": tuple(sorted(known[0] - sites)),
                "enter": tuple(sorted(sites - known[0])),
            }
        )
        known.append(sites)
        progress(len(rows))
    columns = ["number", "sites", "worth", "loss", "bound", "cost", "status", "leave", "enter"]
    return Alternatives(pd.DataFrame(rows, columns=columns), ended)


def _apart(
    problem: PortfolioProblem, known: list[frozenset[str]], differ_min: int
) -> PortfolioProblem:
    """Return the problem whose plans differ from all known ones in ``differ_min`` sites."""
    count = problem.spec.count
    sites = problem.sites.copy()
    quotas = list(problem.spec.quotas)
    for k, plan in enumerate(known):
        column = f"plan_{k}"
        sites[column] = [str(s) in plan for s in sites.index]
        quotas.append(
            QuotaSpec(id=f"other-than-{k}", where={column: True}, max=max(count - differ_min, 0))
        )
    spec = problem.spec.model_copy(update={"quotas": tuple(quotas)})
    return replace(problem, sites=sites, spec=spec)
