"""The portfolio with every limit that may give way made elastic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geoplan.siting.model import Columns, Program
from geoplan.siting.presolve import reduce_resource
from geoplan.siting.problem import IntArray, Prepared, Resource
from geoplan.siting.quotas import AREA_TICKS
from geoplan.siting.spacing import clique_cover

__all__ = ["Elastic", "Slack", "build_elastic"]

_NO_SOURCE = 10.0
"""How much more supply where there is no source weighs than more headroom at one."""


@dataclass(frozen=True)
class Slack:
    """How far one limit gives way.

    Parameters
    ----------
    column : int
    kind : {"policy", "capacity", "count"}
    weight : float
        Of one unit of the column in the total of its kind.
    size : float
        Units of the limit per unit of the column.
    share : float
        Part of the limit that a plan may use (``headroom_share_max``); for modules what one
        adds, units.
    falls : bool
        Giving way makes the limit smaller (a least number), not larger.
    """

    column: int
    kind: Literal["policy", "capacity", "count"]
    limit: str
    label: str
    value: float
    unit: str
    weight: float = 1.0
    size: float = 1.0
    share: float = 1.0
    falls: bool = False


@dataclass(frozen=True)
class Elastic:
    """A program whose limits give way, and what each gives."""

    program: Program
    site_column: IntArray
    slacks: tuple[Slack, ...]


def build_elastic(prepared: Prepared, *, spacing_share: float) -> Elastic:
    """Return the elastic program; pairs farther apart than this share of the spacing are let go.

    Costs are left out: what the plan must cost is asked once the other limits stand.
    """
    problem, spec = prepared.problem, prepared.problem.spec
    cols = Columns()
    slacks: list[Slack] = []
    n = len(prepared.site_ids)
    x = np.array([cols.column(f"x:{s}", integer=True) for s in prepared.site_ids], dtype=np.int64)
    short = cols.column("short:count", upper=float(spec.count), integer=True)
    slacks.append(
        Slack(short, "count", "count", "Sites in the plan", float(spec.count), "sites", falls=True)
    )
    cols.row(
        "count",
        [(int(c), 1.0) for c in x] + [(short, 1.0)],
        lower=float(spec.count),
        upper=float(spec.count),
    )
    for r, code in enumerate(prepared.region_codes):
        mine = np.flatnonzero(prepared.region == r)
        cap = prepared.region_cap[r]
        if cap is None or len(mine) <= cap:
            continue
        more = cols.column(f"more:region-cap:{code}", upper=float(spec.count), integer=True)
        label = f"Most sites in region {code}"
        slacks.append(Slack(more, "policy", f"region-cap:{code}", label, float(cap), "sites"))
        entries = [(int(x[j]), 1.0) for j in mine] + [(more, -1.0)]
        cols.row(f"region-cap:{code}", entries, upper=float(cap))
    if problem.quota > 0:
        less = cols.column("less:quota", upper=float(problem.quota), integer=True)
        label = "Least number of sites in less-industrialised regions"
        quota = float(problem.quota)
        slacks.append(Slack(less, "policy", "quota", label, quota, "sites", falls=True))
        cols.row(
            "quota",
            [(int(x[j]), 1.0) for j in np.flatnonzero(prepared.less)] + [(less, 1.0)],
            lower=float(problem.quota),
        )
    slacks += _quotas(cols, prepared, x)
    slacks += _area(cols, prepared, x)
    slacks += _locks(cols, prepared, x)
    _spacing_rows(cols, prepared, x, spacing_share)
    # Caps and spacing may give way, so they must not help to bound what a source can lose.
    siblings = prepared.variants.near([0] * len(prepared.place_ids))
    unbound = replace(prepared, near=siblings, region_cap=(None,) * len(prepared.region_codes))
    for resource in prepared.resources:
        slacks += _capacity(cols, unbound, resource, x, np.ones(n, dtype=np.bool_))
    order = {"policy": 0, "capacity": 1, "count": 2}
    slacks.sort(key=lambda s: order[s.kind])
    return Elastic(cols.program(), x, tuple(slacks))


def _locks(cols: Columns, prepared: Prepared, x: IntArray) -> list[Slack]:
    """Let locks go; a site that must be in weighs as one that must be out."""
    slacks = []
    variants = prepared.variants
    for place in prepared.locked:
        name = prepared.place_ids[place]
        free = cols.column(f"free:lock-in:{name}", integer=True)
        label = f"Site {name} is in every plan"
        slacks.append(Slack(free, "policy", f"lock-in:{name}", label, 1.0, "lock", falls=True))
        mine = [(int(x[j]), 1.0) for j in variants.of(place)]
        cols.row(f"lock-in:{name}", [*mine, (free, 1.0)], lower=1.0)
    for place in np.unique(prepared.place[prepared.barred]).tolist():
        name = prepared.place_ids[place]
        free = cols.column(f"free:lock-out:{name}", integer=True)
        label = f"Site {name} is in no plan"
        slacks.append(Slack(free, "policy", f"lock-out:{name}", label, 1.0, "lock", falls=True))
        mine = [(int(x[j]), 1.0) for j in variants.of(place)]
        cols.row(f"lock-out:{name}", [*mine, (free, -1.0)], upper=0.0)
    return slacks


def _quotas(cols: Columns, prepared: Prepared, x: IntArray) -> list[Slack]:
    slacks = []
    for quota in prepared.quotas:
        mine = [(int(x[j]), 1.0) for j in np.flatnonzero(quota.member)]
        if quota.least > 0:
            name = f"quota:{quota.id}:min"
            free = cols.column(f"less:{name}", upper=float(quota.least), integer=True)
            label = f"Least number of sites of '{quota.id}'"
            value = float(quota.least)
            slacks.append(Slack(free, "policy", name, label, value, "sites", falls=True))
            cols.row(name, [*mine, (free, 1.0)], lower=value)
        if len(mine) > quota.most:
            name = f"quota:{quota.id}:max"
            more = cols.column(
                f"more:{name}", upper=float(prepared.problem.spec.count), integer=True
            )
            label = f"Most sites of '{quota.id}'"
            slacks.append(Slack(more, "policy", name, label, float(quota.most), "sites"))
            cols.row(name, [*mine, (more, -1.0)], upper=float(quota.most))
    return slacks


def _area(cols: Columns, prepared: Prepared, x: IntArray) -> list[Slack]:
    """Let the least area fall; what a typical site has weighs as one site."""
    if prepared.area_min <= 0:
        return []
    typical = max(float(np.median(prepared.area)), 1.0)
    free = cols.column("less:area", upper=prepared.area_min / typical)
    label = "Least area of the plan"
    value = prepared.area_min / AREA_TICKS
    size = typical / AREA_TICKS
    mine = [(int(x[j]), float(a) / typical) for j, a in enumerate(prepared.area.tolist())]
    cols.row("area", [*mine, (free, 1.0)], lower=prepared.area_min / typical)
    return [Slack(free, "policy", "area", label, value, "ha", size=size, falls=True)]


def _spacing_rows(cols: Columns, prepared: Prepared, x: IntArray, share: float) -> None:
    variants = prepared.variants
    number = {s: k for k, s in enumerate(prepared.place_ids)}
    pairs = prepared.problem.conflicts.pairs
    if share < 1.0:
        limit = prepared.problem.spec.spacing_km or float(pairs["distance_km"].max() or 0.0)
        # Sites that overlap exclude each other whatever the spacing.
        near = (pairs["distance_km"] < limit * share) | (pairs["distance_km"] <= 0)
        pairs = pairs[near]
        cliques = clique_cover(list(zip(pairs["a"], pairs["b"], strict=True)))
    else:
        cliques = prepared.problem.conflicts.cliques
    of_sites = [tuple(number[s] for s in clique if s in number) for clique in cliques]
    for k, clique in enumerate(variants.cliques(of_sites)):
        members = [(int(x[j]), 1.0) for j in clique]
        if len(members) > 1:
            cols.row(f"spacing:{k}", members, upper=1.0)


def _capacity(
    cols: Columns,
    prepared: Prepared,
    resource: Resource,
    x: IntArray,
    everywhere: np.ndarray,
) -> list[Slack]:
    need = resource.residual
    if not (need > 0).any():
        return []
    typical = float(np.median(need[need > 0]))
    # A source that one site alone would overload is elastic for certain; the others are reduced
    # as for the exact program.
    forced = np.zeros(len(resource.headroom), dtype=np.bool_)
    raised = resource.raised
    over = need[resource.link_site] > raised[resource.link_source]
    forced[resource.link_source[over]] = True
    for cap in resource.caps:
        forced[list(cap.members)] = True
    calm = replace(
        resource,
        headroom=np.where(forced, 0, raised),
        modules_max=np.zeros_like(resource.modules_max),
        caps=(),
    )
    reduced = reduce_resource(prepared, calm, everywhere, with_costs=False)
    link = reduced.link | (forced[resource.link_source] & ~reduced.settled[resource.link_site])
    scarce = reduced.scarce | forced
    by_site: dict[int, list[int]] = {}
    for k in np.flatnonzero(link).tolist():
        by_site.setdefault(int(resource.link_site[k]), []).append(k)
    loads: dict[int, list[tuple[int, float]]] = {}
    nowhere: list[tuple[int, float]] = []
    for j in np.flatnonzero((need > 0) & ~reduced.settled).tolist():
        e = float(need[j])
        mine = by_site.get(j, [])
        if not mine:
            nowhere.append((int(x[j]), e / typical))
            continue
        if len(mine) == 1:
            loads.setdefault(int(resource.link_source[mine[0]]), []).append(
                (int(x[j]), e / typical)
            )
            continue
        balance = [(int(x[j]), -1.0)]
        for k in mine:
            f = cols.column(
                f"f:{resource.name}:{j}:{k}", integer=resource.rule.single_source, upper=1.0
            )
            balance.append((f, 1.0))
            loads.setdefault(int(resource.link_source[k]), []).append((f, e / typical))
        cols.row(f"balance:{resource.name}:{j}", balance, lower=0.0, upper=0.0)
    slacks: list[Slack] = []
    given = _headrooms(prepared, resource)
    size = typical * resource.tick
    for s, entries in sorted(loads.items()):
        if not scarce[s]:
            continue
        source = resource.source_ids[s]
        more = cols.column(f"more:{resource.name}:{source}", upper=np.inf)
        name, value = given[source]
        if resource.module_more:
            slacks.append(
                Slack(
                    more,
                    "capacity",
                    f"reinforcement:{resource.name}:{source}",
                    f"Most modules of reinforcement at {name}",
                    float(resource.modules_max[s]),
                    "modules",
                    size=size,
                    share=resource.module_more * resource.tick,
                )
            )
        else:
            slacks.append(
                Slack(
                    more,
                    "capacity",
                    f"headroom:{resource.name}:{source}",
                    f"Headroom of {name}",
                    value,
                    resource.unit,
                    size=size,
                    share=resource.rule.headroom_share_max,
                )
            )
        cols.row(
            f"headroom:{resource.name}:{source}",
            [*entries, (more, -1.0)],
            upper=float(raised[s]) / typical,
        )
    for cap in resource.caps:
        entries = [e for s in cap.members for e in loads.get(s, [])]
        if not entries:
            continue
        more = cols.column(f"more:cap:{cap.id}", upper=np.inf)
        label = f"Most {resource.name} from the sources of '{cap.id}' together"
        name = f"cap:{resource.name}:{cap.id}"
        slacks.append(Slack(more, "capacity", name, label, cap.value, resource.unit, size=size))
        cols.row(name, [*entries, (more, -1.0)], upper=cap.limit / typical)
    if nowhere:
        more = cols.column(f"more:{resource.name}", upper=np.inf)
        slacks.append(
            Slack(
                more,
                "capacity",
                f"supply:{resource.name}",
                f"New {resource.name} supply for sites with no source in reach "
                f"({resource.rule.max_km:g} km)",
                0.0,
                resource.unit,
                weight=_NO_SOURCE,
                size=size,
                share=resource.rule.headroom_share_max,
            )
        )
        cols.row(f"supply:{resource.name}", [*nowhere, (more, -1.0)], upper=0.0)
    return slacks


def _headrooms(prepared: Prepared, resource: Resource) -> dict[str, tuple[str, float]]:
    """Return the name and given headroom of each source."""
    sources = prepared.problem.sources
    mine = sources[sources["resource"] == resource.name]
    names = mine["name_en"] if "name_en" in mine.columns else mine["source_id"]
    return {
        str(s): (str(n) if isinstance(n, str) and n else str(s), float(h))
        for s, n, h in zip(mine["source_id"], names, mine["headroom"], strict=True)
        if h is not None and h == h
    }
