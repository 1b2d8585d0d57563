"""How often a site stays in the plan when weights, demand and headroom are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.errors import ShapeError
from geoplan.siting.portfolio import build, solve
from geoplan.siting.problem import DEMAND_COLUMNS, PortfolioProblem

__all__ = ["Disturbance", "Inclusion", "disturbed", "draw", "inclusion"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Disturbance:
    """One drawn state of the world.

    Parameters
    ----------
    weights : ndarray of float, shape (criteria,)
        Sums to 1.
    demand : dict
        Resource → factor on the demand of every site: what is not known of a coefficient is
        wrong in the same way everywhere.
    headroom : ndarray of float, shape (sources,)
        Factor on each source's headroom, in the order of ``problem.sources``: what is not known
        of one source says nothing about another.
    """

    weights: FloatArray
    demand: dict[str, float]
    headroom: FloatArray


@dataclass(frozen=True)
class Inclusion:
    """How often each site stood in the plan.

    Parameters
    ----------
    sites : DataFrame, index ``site_id``
        ``inclusion`` (share of the plans found that have the site, 0–1; NaN where none was
        found) and ``standard_error``, the binomial √(p(1−p)/n).
    plans : int
        Plans found, of ``asked``.
    infeasible : int
        Draws in which no plan exists.
    unproven : int
        Draws whose plan was not proven to its gap in the time given, or none was found in it.
    base_kept : ndarray of int, shape (asked,)
        Sites of the first plan that are in the plan of each draw; −1 where there is none.
    """

    sites: pd.DataFrame
    asked: int
    plans: int
    infeasible: int
    unproven: int
    base_kept: npt.NDArray[np.int64]


def draw(
    problem: PortfolioProblem,
    weights: FloatArray,
    *,
    demand_half_width: float,
    headroom_half_width: float,
    seed: int,
) -> list[Disturbance]:
    """Return one disturbance for each row of ``weights``.

    Parameters
    ----------
    problem : PortfolioProblem
    weights : ndarray of float, shape (draws, criteria)
        Drawn weights; each row sums to 1.
    demand_half_width, headroom_half_width : float
        Half-widths of the uniform factors around 1, 0 to below 1.
    seed : int
        Draw k has a stream of its own from (seed, k): fewer draws are the first of more.
    """
    out = []
    for k, row in enumerate(np.asarray(weights, dtype=np.float64)):
        rng = np.random.default_rng([seed, k])
        factors = 1 + demand_half_width * rng.uniform(-1, 1, len(problem.rules))
        out.append(
            Disturbance(
                weights=row,
                demand=dict(zip(problem.rules, factors.tolist(), strict=True)),
                headroom=1 + headroom_half_width * rng.uniform(-1, 1, len(problem.sources)),
            )
        )
    return out


def disturbed(
    problem: PortfolioProblem, values: pd.DataFrame, state: Disturbance
) -> PortfolioProblem:
    """Return the problem as it is in a drawn state of the world.

    Parameters
    ----------
    problem : PortfolioProblem
    values : DataFrame, index ``site_id``
        Value of each criterion, 0–1, one column a criterion, in the order of the weights.
    state : Disturbance

    Notes
    -----
    Score = Σ weight · value, whatever aggregation ranked the land. Non-potable water follows the
    water, and lines and costs stay as they are.
    """
    if values.shape[1] != len(state.weights):
        raise ShapeError(
            f"{values.shape[1]} criteria and {len(state.weights)} weights", where="robustness"
        )
    sites = problem.sites.copy()
    table = values.reindex(sites.index).to_numpy(dtype=np.float64)
    sites["score"] = np.clip((table * state.weights).sum(axis=1), 0.0, 1.0)
    demand = problem.demand.copy()
    for resource, factor in state.demand.items():
        names = [DEMAND_COLUMNS.get(resource, resource)]
        if resource == "water" and "nonpotable_m3_per_day" in demand.columns:
            names.append("nonpotable_m3_per_day")
        for name in names:
            demand[name] = (demand[name] * factor).round(3)
    sources = problem.sources.copy()
    sources["headroom"] = pd.to_numeric(sources["headroom"]) * state.headroom
    return replace(problem, sites=sites, demand=demand, sources=sources)


def inclusion(
    problem: PortfolioProblem,
    values: pd.DataFrame,
    states: list[Disturbance],
    *,
    chosen: tuple[str, ...],
    gap: float = 1e-3,
    time_limit_s: float = 10.0,
    seed: int = 0,
    progress: Callable[[int], None] = lambda _: None,
) -> Inclusion:
    """Return how often each site stands in the plan when it is solved again.

    Parameters
    ----------
    problem : PortfolioProblem
    values : DataFrame, index ``site_id``
        As for `disturbed`.
    states : list of Disturbance
        From `draw`.
    chosen : tuple of str
        The plan's sites, for ``base_kept``.
    gap, time_limit_s : float
        For each plan: a plan within a thousandth of the best tells as much about a site.
    seed : int
        Seed of the solver's own draws.
    progress : callable
        Told the number of plans done.

    Notes
    -----
    The share over all draws in which the solved plan holds the site: what Lahdelma and Salminen
    (2001) call acceptability, of membership in the portfolio instead of a rank (Liesiö, Mild
    and Salo 2007 call sites of share 1 "core", of share 0 "exterior").
    """
    ids = [str(s) for s in problem.sites.index]
    count = pd.Series(0, index=pd.Index(ids, name="site_id"))
    first = frozenset(chosen)
    kept = np.full(len(states), -1, dtype=np.int64)
    infeasible = unproven = 0
    for k, state in enumerate(states):
        again = disturbed(problem, values, state)
        again = replace(again, spec=problem.spec.model_copy(update={"gap": gap}))
        plan = solve(build(again), seed=seed, time_limit_s=time_limit_s, near=chosen)
        infeasible += plan.status == "infeasible"
        unproven += plan.status == "time-limit"
        if plan.chosen:
            count.loc[list(plan.chosen)] += 1
            kept[k] = len(first.intersection(plan.chosen))
        progress(k + 1)
    plans = int((kept >= 0).sum())
    share = count / plans if plans else count * np.nan
    sites = pd.DataFrame(
        {"inclusion": share, "standard_error": np.sqrt(share * (1 - share) / max(plans, 1))}
    )
    return Inclusion(sites, len(states), plans, infeasible, unproven, kept)
