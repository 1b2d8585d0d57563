"""What can be settled before the solver: sources that can never run out, lines never needed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from geoplan.siting.problem import BoolArray, FloatArray, IntArray, Prepared, Resource

__all__ = ["Reduced", "cost_alone", "reduce_resource"]

_COMBINATIONS = 20_000
"""Mixes of own modules tried when the cheapest supply of one site is settled in advance."""


@dataclass(frozen=True)
class Reduced:
    """What is left of one resource for the solver.

    Parameters
    ----------
    link : bool array
        Lines that are kept.
    scarce : bool array
        Sources that some plan could exhaust; only these need a row.
    capped : bool array
        Joint limits that some plan could exhaust; only these need a row.
    settled : bool array
        Sites whose supply of this resource takes nothing from a scarce source or a capped group
        and can be fixed in advance.
    cost : float array
        Least cost of a settled site's supply (0 where costs do not count).
    """

    link: BoolArray
    scarce: BoolArray
    capped: BoolArray
    settled: BoolArray
    cost: FloatArray


def _worst_load(prepared: Prepared, sites: IntArray, amount: IntArray, limit: int) -> int:
    """Return an upper bound on what any plan takes from one source.

    Sites that exclude each other are grouped into cliques, each of which gives at most its
    largest amount; of those the ``count`` largest are summed, and no more than the region cap
    from one region.
    """
    if int(amount.sum()) <= limit:
        return int(amount.sum())
    order = np.lexsort((sites, -amount))
    count = prepared.problem.spec.count
    by_clique: list[int] = []
    masks: list[int] = []
    used: dict[int, int] = {}
    by_region = 0
    taken = 0
    for k in order:
        j, a = int(sites[k]), int(amount[k])
        near = prepared.near[j]
        for m, mask in enumerate(masks):
            if mask & ~near == 0:
                masks[m] = mask | 1 << j
                break
        else:
            masks.append(1 << j)
            by_clique.append(a)
        r = int(prepared.region[j])
        cap = prepared.region_cap[r] if r >= 0 else None
        if taken < count and (cap is None or used.get(r, 0) < cap):
            used[r] = used.get(r, 0) + 1
            taken += 1
            by_region += a
    return min(sum(by_clique[:count]), by_region)


def reduce_resource(
    prepared: Prepared, resource: Resource, allowed: BoolArray, *, with_costs: bool
) -> Reduced:
    """Return which lines and sources of a resource can matter.

    Parameters
    ----------
    prepared : Prepared
    resource : Resource
    allowed : bool array
        Sites that may be chosen at all.
    with_costs : bool
        Costs matter: a line goes only if a cheaper one can always replace it. Otherwise a site
        with one source that can always serve it is settled.

    Notes
    -----
    Safe: a line is dropped only when another line of the same site, no dearer, leads to a source
    that no plan can exhaust. Dropping lines lowers the load on the others, so it is repeated
    until nothing changes.
    """
    need = resource.demand if with_costs else resource.residual
    most = resource.most
    limit = resource.headroom if with_costs else resource.raised
    cap = np.minimum(need[resource.link_site], most[resource.link_source])
    link = allowed[resource.link_site] & (cap > 0)
    if resource.rule.single_source:
        enough = most[resource.link_source] >= resource.residual[resource.link_site]
        link &= enough
    scarce = np.zeros(len(resource.headroom), dtype=np.bool_)
    settled = allowed & (need == 0) if with_costs else allowed & (resource.residual == 0)
    full = cap >= need[resource.link_site]
    stale = np.ones(len(resource.headroom), dtype=np.bool_)
    by_source = [np.flatnonzero(resource.link_source == s) for s in range(len(stale))]
    capped = np.zeros(len(resource.caps), dtype=np.bool_)
    members = [np.isin(resource.link_source, c.members) for c in resource.caps]
    bound = scarce.copy()
    by_site: dict[int, list[int]] = {}
    for k in np.flatnonzero(link).tolist():
        by_site.setdefault(int(resource.link_site[k]), []).append(k)
    while stale.any():
        for s in np.flatnonzero(stale).tolist():
            lines = by_source[s][link[by_source[s]]]
            load = _worst_load(prepared, resource.link_site[lines], cap[lines], int(limit[s]))
            scarce[s] = load > limit[s]
        bound[:] = scarce
        for c, joint in enumerate(resource.caps):
            capped[c] = _worst_joint(prepared, resource, need, link & members[c], cap, joint.limit)
            if capped[c]:
                bound[list(joint.members)] = True
        stale[:] = False
        for j, mine in by_site.items():
            live = [k for k in mine if link[k]]
            sure = [k for k in live if full[k] and not bound[resource.link_source[k]]]
            if not sure or settled[j]:
                continue
            best = min(sure, key=lambda k: (resource.line_cost[k], resource.unit_cost[k], k))
            if not with_costs:
                drop = live
                settled[j] = True
            else:
                drop = [
                    k
                    for k in live
                    if k != best
                    and resource.line_cost[k] >= resource.line_cost[best]
                    and resource.unit_cost[k] >= resource.unit_cost[best]
                ]
            for k in drop:
                link[k] = False
                if bound[resource.link_source[k]]:
                    stale[resource.link_source[k]] = True
    cost = np.zeros(len(need))
    if with_costs:
        for j in np.flatnonzero(allowed & (need > 0)).tolist():
            live = [k for k in by_site.get(j, []) if link[k]]
            if len(live) > 1 or (live and bound[resource.link_source[live[0]]]):
                continue
            least = cost_alone(resource, j, live[0] if live else None)
            if least is not None:
                cost[j], settled[j] = least, True
                link[live] = False
    return Reduced(link=link, scarce=scarce, capped=capped, settled=settled, cost=cost)


def _worst_joint(
    prepared: Prepared,
    resource: Resource,
    need: IntArray,
    lines: BoolArray,
    cap: IntArray,
    limit: int,
) -> bool:
    """Return whether some plan could take more than ``limit`` by these lines together."""
    amount = np.zeros(len(need), dtype=np.int64)
    np.add.at(amount, resource.link_site[lines], cap[lines])
    sites = np.flatnonzero(amount)
    return _worst_load(prepared, sites, np.minimum(amount, need)[sites], limit) > limit


def cost_alone(
    resource: Resource, site: int, link: int | None, *, unlimited: bool = False
) -> float | None:
    """Return the least cost of one site's supply from one line and what it has by itself.

    Parameters
    ----------
    resource : Resource
    site : int
    link : int or None
        Its only line, or none.
    unlimited : bool
        Take the line's source as large as need be: then it is a lower bound on the cost of any
        supply whose dearest line is no cheaper than this one.

    Returns
    -------
    float or None
        None where there are too many mixes to try; infinity where no mix is enough.

    Notes
    -----
    With the modules given, own supply is free to run, so it runs in full, and the rest comes
    from the cheapest of reuse, shortfall and line first.
    """
    demand = int(resource.demand[site])
    ranges = []
    size = 2
    for k, own in enumerate(resource.own):
        cap = int(resource.own_cap[k, site])
        top = min(own.modules_max, -(-cap // resource.module[k])) if cap else 0
        ranges.append(range(top + 1))
        size *= top + 1
        if size > _COMBINATIONS:
            return None
    reuse, price = resource.rule.reuse, resource.shortfall_price
    local: list[tuple[float, int]] = []
    if reuse is not None:
        local.append((reuse.cost_per_unit, int(resource.reuse_cap[site])))
    if price is not None:
        local.append((price, demand))
    lines: list[tuple[float, tuple[tuple[float, int], ...]]] = [(0.0, ())]
    if link is not None:
        s = resource.link_source[link]
        top = demand if unlimited else int(min(resource.headroom[s], resource.most[s]))
        line = (float(resource.unit_cost[link]), top)
        lines.append((float(resource.line_cost[link]), (line,)))
    best = float("inf")
    for counts in itertools.product(*ranges):
        fixed = 0.0
        left = demand
        for k, n in enumerate(counts):
            fixed += n * resource.own[k].cost
            left -= min(n * resource.module[k], int(resource.own_cap[k, site]))
        for opened, line_rate in lines:
            rest, total = max(left, 0), fixed + opened
            for rate, top in sorted([*local, *line_rate]):
                part = min(rest, top)
                total += part * resource.tick * rate
                rest -= part
            if rest == 0:
                best = min(best, total)
    return best
