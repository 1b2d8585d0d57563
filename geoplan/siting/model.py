"""The portfolio as one mixed-integer linear program, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoplan.siting.presolve import Reduced, reduce_resource
from geoplan.siting.problem import (
    BoolArray,
    IntArray,
    PortfolioProblem,
    Prepared,
    Resource,
    prepare,
)
from geoplan.siting.program import Columns, Program

__all__ = ["Columns", "Model", "Program", "add_supply", "build", "build_prepared"]


@dataclass(frozen=True)
class Model:
    """A program and how to read its answer.

    Parameters
    ----------
    prepared : Prepared
    program : Program
        Rows and columns are scaled so that numbers near 1 are large: supply is counted as a
        share of the site's demand, a source's row by its headroom, cost by the budget.
    site_column : int array
        Column of each site, −1 where the site cannot be chosen.
    with_costs : bool
        Lines, modules and reuse are columns too, and their cost counts.
    """

    prepared: Prepared
    program: Program
    site_column: IntArray
    with_costs: bool


def build(problem: PortfolioProblem, *, with_costs: bool | None = None) -> Model:
    """Return the portfolio problem as a mixed-integer program.

    Parameters
    ----------
    problem : PortfolioProblem
    with_costs : bool, optional
        Hold the budget and weigh cost against score. Absent: where the problem asks for either.

    Notes
    -----
    Find ``x_j ∈ {0, 1}`` (site j chosen), flows ``f_jrs ≥ 0`` and, where costs count, lines
    ``y_jrs ∈ {0, 1}``, modules ``n_jrk``, own supply ``g_jrk`` and reuse ``u_j``::

        max  Σ score_j x_j − cost / cost_per_score_point
        Σ_j x_j = count                             Σ_{j in region} x_j ≤ cap
        Σ_{j less industrialised} x_j ≥ quota       Σ_{j in clique} x_j ≤ 1
        Σ_s f_jrs + Σ_k g_jrk + u_j = d_jr x_j      for every site and resource
        f_jrs ≤ min(d_jr, H_s) y_jrs,  y_jrs ≤ x_j  Σ_s y_jrs ≤ x_j  where single_source
        g_jrk ≤ module·credit·n_jrk,  g_jrk ≤ share_max·d_jr x_j,  n_jrk ≤ modules_max x_j
        u_j ≤ min(share_max·recovery·wastewater_j, nonpotable_j) x_j
        Σ_j f_jrs ≤ headroom_share_max·(H_s + module·m_s)   for every source, over all sites
        Σ_{s in cap} Σ_j f_jrs ≤ limit              for every joint limit
        Σ_j area_j x_j ≥ area_ha_min                min ≤ Σ_{j in group} x_j ≤ max

    A site that may be built at several levels has a variant for each, with the level's share of
    area, demand, wastewater and score; variants of one site exclude each other. What goes
    unserved (``q_j ≤ d_jr x_j``, only where it has a price) stands beside reuse.

    Where costs do not count, own supply and reuse run in full, every source has all its modules
    ``m_s``, and only the rest needs a flow.
    Sites that cannot be served alone are left out; sources that no plan can exhaust need no row
    (`presolve.reduce_resource`); the cheapest supply of a site whose sources are all such is
    settled in advance. ``Σ_s min(H_s, e_jr) y_jrs ≥ e_jr x_j``, with e the demand that own supply
    and reuse cannot cover, is added to make the relaxation tighter.
    """
    return build_prepared(prepare(problem), with_costs=with_costs)


def build_prepared(
    prepared: Prepared, *, with_costs: bool | None = None, among: BoolArray | None = None
) -> Model:
    """Return the program of a problem that is already checked; see `build`.

    ``among`` narrows the sites that may be chosen.
    """
    spec = prepared.problem.spec
    if with_costs is None:
        with_costs = spec.budget is not None or spec.cost_per_score_point is not None
    allowed = prepared.allowed if among is None else prepared.allowed & among
    cols = Columns()
    x = np.full(len(allowed), -1, dtype=np.int64)
    for j in np.flatnonzero(allowed).tolist():
        x[j] = cols.column(f"x:{prepared.site_ids[j]}", cost=float(prepared.score[j]), integer=True)
    add_selection(cols, prepared, x)
    spent: dict[int, float] = {}
    for resource in prepared.resources:
        reduced = reduce_resource(prepared, resource, allowed, with_costs=with_costs)
        if with_costs:
            paid = add_supply(cols, resource, x, reduced, prepared.site_ids)
            for c, money in paid.items():
                spent[c] = spent.get(c, 0.0) + money
        else:
            _add_flows(cols, resource, x, reduced, prepared.site_ids)
    if with_costs:
        if spec.cost_per_score_point is not None:
            for c, money in spent.items():
                cols.cost[c] -= money / spec.cost_per_score_point
        if spec.budget is not None:
            entries = [(c, v / spec.budget) for c, v in sorted(spent.items()) if v]
            cols.row("budget", entries, upper=1.0)
    return Model(prepared, cols.program(), x, with_costs)


def add_selection(cols: Columns, prepared: Prepared, x: IntArray) -> None:
    """Add the rows that hold count, locks, region caps, quotas, area and spacing."""
    spec, problem = prepared.problem.spec, prepared.problem
    live = np.flatnonzero(x >= 0)
    cols.row("count", [(int(x[j]), 1.0) for j in live], lower=spec.count, upper=spec.count)
    for place in prepared.locked:
        # A site that cannot be chosen leaves a row that nothing can fill: no plan exists.
        held = [(int(x[j]), 1.0) for j in prepared.variants.of(place) if x[j] >= 0]
        cols.row(f"lock-in:{prepared.place_ids[place]}", held, lower=1.0)
    for r, code in enumerate(prepared.region_codes):
        mine = live[prepared.region[live] == r]
        cap = prepared.region_cap[r]
        if cap is not None and len(mine) > cap:
            cols.row(f"region-cap:{code}", [(int(x[j]), 1.0) for j in mine], upper=cap)
    if problem.quota > 0:
        mine = live[prepared.less[live]]
        cols.row("quota", [(int(x[j]), 1.0) for j in mine], lower=problem.quota)
    for quota in prepared.quotas:
        entries = [(int(x[j]), 1.0) for j in live[quota.member[live]]]
        if quota.least > 0:
            cols.row(f"quota:{quota.id}:min", entries, lower=quota.least)
        if len(entries) > quota.most:
            cols.row(f"quota:{quota.id}:max", entries, upper=quota.most)
    if prepared.area_min > 0:
        share = prepared.area / prepared.area_min
        cols.row("area", [(int(x[j]), float(share[j])) for j in live], lower=1.0)
    for k, clique in enumerate(prepared.cliques):
        members = [int(x[j]) for j in clique if x[j] >= 0]
        if len(members) > 1:
            cols.row(f"spacing:{k}", [(c, 1.0) for c in members], upper=1.0)


def _source_rows(
    cols: Columns,
    resource: Resource,
    reduced: Reduced,
    loads: dict[int, list[tuple[int, int]]],
    *,
    with_costs: bool,
) -> dict[int, float]:
    """Add the rows of sources and caps, and modules; return the cost of each module's column."""
    money: dict[int, float] = {}
    raised, reinforcement = resource.raised, resource.rule.reinforcement
    for s, entries in sorted(loads.items()):
        if not reduced.scarce[s]:
            continue
        name = f"{resource.name}:{resource.source_ids[s]}"
        limit = int(resource.headroom[s] if with_costs else raised[s])
        scale = max(limit, max(v for _, v in entries))
        row = [(c, v / scale) for c, v in entries]
        top = int(resource.modules_max[s])
        if with_costs and reinforcement is not None and resource.module_more and top:
            m = cols.column(f"m:{name}", upper=top, integer=True)
            money[m] = reinforcement.cost
            row.append((m, -resource.module_more / scale))
        cols.row(f"headroom:{name}", row, upper=limit / scale)
    for c, cap in enumerate(resource.caps):
        entries = [e for s in cap.members for e in loads.get(s, [])]
        if reduced.capped[c] and entries:
            scale = max(cap.limit, max(v for _, v in entries))
            row = [(k, v / scale) for k, v in entries]
            cols.row(f"cap:{cap.id}", row, upper=cap.limit / scale)
    return money


def _add_flows(
    cols: Columns, resource: Resource, x: IntArray, reduced: Reduced, ids: tuple[str, ...]
) -> None:
    need, limit = resource.residual, resource.most
    loads: dict[int, list[tuple[int, int]]] = {}
    for j, mine in _by_site(resource, reduced.link).items():
        if reduced.settled[j]:
            continue
        e = int(need[j])
        name = f"{resource.name}:{ids[j]}"
        if len(mine) == 1:
            loads.setdefault(int(resource.link_source[mine[0]]), []).append((int(x[j]), e))
            continue
        balance = [(int(x[j]), -1.0)]
        for k in mine:
            s = int(resource.link_source[k])
            most = min(e, int(limit[s])) / e
            f = cols.column(
                f"f:{name}:{resource.source_ids[s]}",
                upper=most,
                integer=resource.rule.single_source,
            )
            balance.append((f, 1.0))
            if most < 1:
                cols.row(
                    f"line:{name}:{resource.source_ids[s]}",
                    [(f, 1.0), (int(x[j]), -most)],
                    upper=0.0,
                )
            loads.setdefault(s, []).append((f, e))
        cols.row(f"balance:{name}", balance, lower=0.0, upper=0.0)
    _source_rows(cols, resource, reduced, loads, with_costs=False)


def _by_site(resource: Resource, link: BoolArray) -> dict[int, list[int]]:
    out: dict[int, list[int]] = {}
    for k in np.flatnonzero(link).tolist():
        out.setdefault(int(resource.link_site[k]), []).append(k)
    return out


def add_supply(
    cols: Columns,
    resource: Resource,
    x: IntArray,
    reduced: Reduced,
    ids: tuple[str, ...],
) -> dict[int, float]:
    """Add lines, flows, modules, reuse and shortfall; return the cost of each column."""
    money: dict[int, float] = {}
    loads: dict[int, list[tuple[int, int]]] = {}
    rule = resource.rule
    residual, most = resource.residual, resource.most
    lines = _by_site(resource, reduced.link)
    for j in np.flatnonzero(x >= 0).tolist():
        xj = int(x[j])
        if reduced.settled[j]:
            money[xj] = money.get(xj, 0.0) + float(reduced.cost[j])
            continue
        d, e = int(resource.demand[j]), int(residual[j])
        units = d * resource.tick
        name = f"{resource.name}:{ids[j]}"
        balance = [(xj, -1.0)]
        opened: list[tuple[int, float]] = []
        covered: list[tuple[int, float]] = []
        for k in lines.get(j, []):
            s = int(resource.link_source[k])
            cap = min(d, int(most[s]))
            f = cols.column(f"f:{name}:{resource.source_ids[s]}", upper=cap / d)
            money[f] = float(resource.unit_cost[k]) * units
            balance.append((f, 1.0))
            loads.setdefault(s, []).append((f, d))
            gate = xj
            if resource.line_cost[k] > 0 or rule.single_source:
                gate = cols.column(f"y:{name}:{resource.source_ids[s]}", integer=True)
                money[gate] = float(resource.line_cost[k])
                opened.append((gate, 1.0))
                cols.row(f"opened:{cols.names[gate]}", [(gate, 1.0), (xj, -1.0)], upper=0.0)
            if e > 0:
                covered.append((gate, min(cap, e) / e))
            if gate != xj or cap < d:
                cols.row(f"line:{cols.names[f]}", [(f, 1.0), (gate, -cap / d)], upper=0.0)
        if rule.single_source and len(opened) > 1:
            cols.row(f"single:{name}", [*opened, (xj, -1.0)], upper=0.0)
        if covered and all(c != xj for c, _ in covered):
            cols.row(f"enough:{name}", [*covered, (xj, -1.0)], lower=0.0)
        for k, own in enumerate(resource.own):
            cap, module = int(resource.own_cap[k, j]), resource.module[k]
            if cap <= 0:
                continue
            top = min(own.modules_max, -(-cap // module))
            n = cols.column(f"n:{name}:{own.kind}", upper=top, integer=True)
            g = cols.column(f"g:{name}:{own.kind}", upper=cap / d)
            money[n] = own.cost
            balance.append((g, 1.0))
            cols.row(f"built:{cols.names[n]}", [(g, 1.0), (n, -module / d)], upper=0.0)
            cols.row(f"share:{cols.names[g]}", [(g, 1.0), (xj, -cap / d)], upper=0.0)
            cols.row(f"modules:{cols.names[n]}", [(n, 1.0), (xj, -float(top))], upper=0.0)
        cap = int(resource.reuse_cap[j])
        if cap > 0 and rule.reuse is not None:
            u = cols.column(f"u:{name}", upper=cap / d)
            money[u] = rule.reuse.cost_per_unit * units
            balance.append((u, 1.0))
            cols.row(f"reuse:{ids[j]}", [(u, 1.0), (xj, -cap / d)], upper=0.0)
        if resource.shortfall_price is not None:
            q = cols.column(f"q:{name}")
            money[q] = resource.shortfall_price * units
            balance.append((q, 1.0))
        cols.row(f"balance:{name}", balance, lower=0.0, upper=0.0)
    return money | _source_rows(cols, resource, reduced, loads, with_costs=True)
