"""A quick plan that breaks no limit: where the search begins, and what it is measured against."""

from __future__ import annotations

import numpy as np

from geoplan.siting.flow import network_of
from geoplan.siting.problem import FloatArray, Prepared
from geoplan.siting.quotas import Quota
from geoplan.siting.transport import Transport

__all__ = ["greedy"]


def greedy(prepared: Prepared, *, value: FloatArray | None = None) -> tuple[int, ...]:
    """Return sites taken best first, each only if it can be served beside those before it.

    Parameters
    ----------
    prepared : Prepared
    value : ndarray, optional
        What sites are taken by; absent: their score.

    Returns
    -------
    tuple of int
        Fewer than ``count`` where it runs into a dead end; none where a locked site, a quota or
        the least area does. Costs are not looked at.

    Notes
    -----
    Earlier sites' supply is moved to other sources where that makes room (`flow.Transport`), so
    only the choice of sites is greedy. When the places left are all owed to less-industrialised
    regions, only these are taken.
    """
    spec = prepared.problem.spec
    allowed = np.flatnonzero(prepared.allowed)
    worth = prepared.score if value is None else value
    ranked = allowed[np.lexsort((allowed, -worth[allowed]))].tolist()
    # Locked sites come first: what cannot stand beside them is passed over.
    first = {j for p in prepared.locked for j in prepared.variants.of(p)}
    order = [j for j in ranked if j in first] + [j for j in ranked if j not in first]
    networks: list[Transport] = [network_of(r, order) for r in prepared.resources]
    residual = [r.residual for r in prepared.resources]
    chosen: list[int] = []
    taken = 0
    per_region: dict[int, int] = {}
    owed = prepared.problem.quota
    quotas = prepared.quotas
    per_quota = [0] * len(quotas)
    for j in order:
        if len(chosen) == spec.count:
            break
        region = int(prepared.region[j])
        cap = prepared.region_cap[region] if region >= 0 else None
        less = bool(prepared.less[j])
        if taken & prepared.near[j] or (cap is not None and per_region.get(region, 0) >= cap):
            continue
        places = spec.count - len(chosen)
        if not less and j not in first and places <= owed:
            continue
        if any(_closed(q, held, j, places) for q, held in zip(quotas, per_quota, strict=True)):
            continue
        trial = [n.copy() for n in networks]
        if any(t.place(j, int(e[j])) for t, e in zip(trial, residual, strict=True)):
            continue
        networks = trial
        chosen.append(j)
        taken |= 1 << j
        per_region[region] = per_region.get(region, 0) + 1
        owed -= less
        per_quota = [n + bool(q.member[j]) for q, n in zip(quotas, per_quota, strict=True)]
    if set(prepared.locked) - {int(prepared.place[j]) for j in chosen}:
        return ()
    return tuple(chosen) if len(chosen) < spec.count or prepared.may_stand(chosen) else ()


def _closed(quota: Quota, held: int, site: int, places: int) -> bool:
    """Return whether a quota leaves no place for a site."""
    return held >= quota.most if quota.member[site] else places <= quota.least - held
