"""What it costs to keep a site out of the plan, or to put one in: the plan solved again."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pandas as pd

from geoplan.siting.portfolio import Plan, build, solve
from geoplan.siting.problem import PortfolioProblem

__all__ = ["forced"]

_COLUMNS = ["site_id", "direction", "status", "loss", "loss_at_least", "leave", "enter"]


def forced(
    problem: PortfolioProblem,
    plan: Plan,
    *,
    out: Iterable[str] = (),
    into: Iterable[str] = (),
    gap: float | None = None,
    time_limit_s: float = 20.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> pd.DataFrame:
    """Return the best plan without each site of ``out``, and with each of ``into``.

    Parameters
    ----------
    problem : PortfolioProblem
    plan : Plan
        Of this problem, with sites.
    out, into : iterable of str
        Chosen sites to keep out; other sites to put in. One at a time; none that the problem
        locks the other way.
    gap : float, optional
        Relative gap of each plan; absent: the problem's.
    time_limit_s : float
        For each plan.
    seed : int
        Seed of the solver's own draws.
    progress : callable
        Told the number of plans done.

    Returns
    -------
    DataFrame
        ``site_id``, ``direction`` (``out``, ``in``), ``status`` of the new plan, ``loss`` (what
        the objective falls by, in points of score less cost; NaN where no plan exists or none was
        found in time), ``loss_at_least`` (proven by the bound of the new plan; NaN: nothing is),
        ``leave`` and ``enter`` (tuples of site ids: who goes and who comes, the site itself
        included).

    Notes
    -----
    Exact for the whole problem, not a swap of two sites: all others may move too. Where two sets
    are worth the same, the set that the solver finds is told.
    """
    rows: list[dict[str, Any]] = []
    base = plan.record.objective
    first = set(plan.chosen)
    spec = problem.spec if gap is None else problem.spec.model_copy(update={"gap": gap})
    for direction, sites in (("out", out), ("in", into)):
        for site in sites:
            lock_in = problem.lock_in | {site} if direction == "in" else problem.lock_in
            lock_out = problem.lock_out | {site} if direction == "out" else problem.lock_out
            again = replace(problem, spec=spec, lock_in=lock_in, lock_out=lock_out)
            found = solve(build(again), seed=seed, time_limit_s=time_limit_s, near=plan.chosen)
            worth, bound = found.record.objective, found.record.bound
            known = base is not None and worth is not None
            second = set(found.chosen)
            rows.append(
                {
                    "site_id": site,
                    "direction": direction,
                    "status": found.status,
                    "loss": float(base) - float(worth) if known else math.nan,  # type: ignore[arg-type]
                    "loss_at_least": _proven(base, bound),
                    "leave": tuple(sorted(first - second)) if second else (),
                    "enter": tuple(sorted(second - first)) if second else (),
                }
            )
            progress(len(rows))
    return pd.DataFrame(rows, columns=_COLUMNS)


def _proven(base: float | None, bound: float | None) -> float:
    """Return the loss that a bound proves; NaN where it proves none."""
    if base is None or bound is None or bound > base:
        return math.nan
    return float(base) - float(bound)
