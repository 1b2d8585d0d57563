"""Sites that no plan better than a known one can hold, found before the search."""

from __future__ import annotations

import numpy as np

from geoplan.siting.model import Columns, add_selection
from geoplan.siting.presolve import cost_alone
from geoplan.siting.problem import FloatArray, Prepared, Resource
from geoplan.siting.solver import maximise

__all__ = ["net_value", "site_bounds"]

_SLACK = 1e-6
"""Points of score added to every bound, for the solver's tolerance."""

_SECONDS = 30.0


def net_value(prepared: Prepared) -> FloatArray:
    """Return an upper bound on what each site adds to a plan: score − least cost when alone.

    Sharing sources with other sites can only make a site's supply dearer. Where costs do not
    count it is the score.
    """
    value = prepared.score.copy()
    price = prepared.problem.spec.cost_per_score_point
    if price is None:
        return value
    for resource in prepared.resources:
        value -= _least_cost(prepared, resource) / price
    return value


def _least_cost(prepared: Prepared, resource: Resource) -> FloatArray:
    """Return for each site a lower bound on the cost of its supply.

    Any supply with several lines pays at least for the cheapest of them, so one line of any size
    bounds it; 0 where there are too many mixes of modules to try.
    """
    lines: dict[int, list[int]] = {}
    for k, j in enumerate(resource.link_site.tolist()):
        lines.setdefault(j, []).append(k)
    out = np.zeros(len(prepared.site_ids))
    for j in np.flatnonzero(prepared.allowed & (resource.demand > 0)).tolist():
        mine = lines.get(j, [])
        if len({float(resource.unit_cost[k]) for k in mine}) <= 1:
            mine = sorted(mine, key=lambda k: (resource.line_cost[k], k))[:1]
        choices: list[int | None] = [*mine] if mine else [None]
        tries = [cost_alone(resource, j, k, unlimited=True) for k in choices]
        known = [t for t in tries if t is not None and np.isfinite(t)]
        out[j] = min(known) if len(known) == len(tries) else 0.0
    return out


def site_bounds(prepared: Prepared, value: FloatArray, *, seed: int = 0) -> FloatArray:
    """Return for each site an upper bound on the worth of any plan that holds it.

    Parameters
    ----------
    prepared : Prepared
    value : ndarray
        Upper bound on what each site adds (`net_value`).
    seed : int
        Seed of the solver's own draws.

    Returns
    -------
    ndarray
        −inf where a site cannot be chosen at all; inf where no bound was found.

    Notes
    -----
    The choice of sites alone (count, caps, quota, spacing) as a linear program bounds every
    plan by ``L``; with reduced cost ``r_j ≤ 0``, a plan that holds site j is worth at most
    ``L + r_j``. What lies below the worth of a known plan cannot be in a better one.
    """
    allowed = prepared.allowed
    out = np.where(allowed, np.inf, -np.inf)
    cols = Columns()
    x = np.full(len(allowed), -1, dtype=np.int64)
    for j in np.flatnonzero(allowed).tolist():
        x[j] = cols.column(f"x:{prepared.site_ids[j]}", cost=float(value[j]))
    add_selection(cols, prepared, x)
    outcome = maximise(cols.program(), gap=0.0, time_limit_s=_SECONDS, seed=seed)
    if outcome.status != "optimal" or outcome.objective is None or outcome.reduced is None:
        return out
    live = np.flatnonzero(allowed)
    # A column that stands at its upper bound has a reduced cost of the other sign.
    out[live] = outcome.objective + np.minimum(outcome.reduced[x[live]], 0.0) + _SLACK
    return out
