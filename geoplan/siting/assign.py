"""The cheapest supply of a fixed set of sites, in amounts that break no limit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal

import numpy as np

from geoplan.siting.caps import Cap, apart, nested
from geoplan.siting.model import Columns, Program, add_supply
from geoplan.siting.presolve import Reduced
from geoplan.siting.problem import Prepared, Resource
from geoplan.siting.solver import maximise
from geoplan.siting.transport import Transport

__all__ = ["Assignment", "assign"]

_TRIES = 50
_CRUMB = 1e-6
"""Share of a demand by which the solver's shortfall may be its tolerance."""


@dataclass(frozen=True)
class Assignment:
    """Supply of one resource to the chosen sites, in ticks.

    Parameters
    ----------
    network : dict
        (site, line) → amount, line as in ``Resource.link_site``.
    own : dict
        (site, kind) → (amount, modules).
    reuse : dict
        Site → amount.
    shortfall : dict
        Site → amount that goes unserved.
    modules : dict
        Source → modules of reinforcement, where there are any.
    cost : float
    proven : bool
        The cost is the least there is for these sites (to 1e-6 of itself).
    """

    network: dict[tuple[int, int], int]
    own: dict[tuple[int, int], tuple[int, int]]
    reuse: dict[int, int]
    shortfall: dict[int, int]
    modules: dict[int, int]
    cost: float
    proven: bool


def assign(
    prepared: Prepared, resource: Resource, chosen: Sequence[int], *, time_limit_s: float, seed: int
) -> Assignment | Literal["infeasible", "unknown"]:
    """Return the least-cost supply of one resource to ``chosen``.

    Returns
    -------
    Assignment or str
        ``infeasible``: these sites cannot be served together, exactly. ``unknown``: time ran
        out before that could be said.

    Notes
    -----
    Lines and modules are chosen by the solver; with these fixed, the amounts are a transport
    problem in whole ticks, whose corner solutions are whole. The solver's amounts are therefore
    rounded to ticks and mended by augmenting paths, which also proves that every demand is met
    and no headroom is exceeded. Where caps cross, each group of sources that the same caps hold
    is given a budget first (`caps.apart`). Where no line of the resource costs anything, nearness
    decides among the cheapest.
    """
    sites = sorted(chosen)
    program, money, far = _program(prepared, resource, sites)
    single = resource.rule.single_source
    for _ in range(_TRIES):
        outcome = maximise(program, gap=0.0, time_limit_s=time_limit_s, seed=seed)
        if outcome.status == "infeasible":
            return "infeasible"
        if outcome.values is None:
            break
        answer = outcome.values
        proven = outcome.status == "optimal"
        if far and outcome.objective is not None:
            nearer = _nearest(program, money, far, outcome.objective)
            second = maximise(nearer, gap=0.0, time_limit_s=time_limit_s, seed=seed)
            if second.values is not None:
                answer = second.values
        values = dict(zip(program.names, answer.tolist(), strict=True))
        found = _settle(prepared, resource, sites, values, open_all=False, proven=proven)
        if found is None and resource.module_more:
            # The solver's tolerance hid a lack of a few ticks: a module more is enough.
            found = _settle(
                prepared, resource, sites, values, open_all=False, proven=False, raise_all=True
            )
        if found is None and single:
            cover = _overfull(prepared, resource, sites, values)
            if not cover:
                return "unknown"
            for name, columns in cover.items():
                entries = {program.names.index(c): 1.0 for c in columns}
                program = program.with_row(name, entries, -np.inf, len(columns) - 1.0)
            continue
        if found is None:
            # The solver's tolerance hid a lack of a few ticks: take any line, or none will do.
            found = _settle(prepared, resource, sites, values, open_all=True, proven=False)
        return found if found is not None else "infeasible"
    if single:
        return "unknown"
    return _settle(prepared, resource, sites, {}, open_all=True, proven=False) or "infeasible"


def _nearest(
    program: Program, money: dict[int, float], far: dict[int, float], objective: float
) -> Program:
    """Return the program that seeks the nearest sources among the cheapest answers."""
    cost = np.zeros(len(program.cost))
    most = max(far.values())
    for c, km in far.items():
        cost[c] = -km / most
    spending = {c: -float(program.cost[c]) for c in sorted(money) if program.cost[c] != 0}
    limit = -objective + 1e-7
    held = program.with_row("cost", spending, -np.inf, limit) if spending else program
    return replace(held, cost=cost)


def _overfull(
    prepared: Prepared, resource: Resource, sites: list[int], values: dict[str, float]
) -> dict[str, list[str]]:
    """Return for each source that has more sites than it can hold the lines to it."""
    wanted = set(sites)
    residual = resource.residual
    load: dict[int, list[tuple[str, int]]] = {}
    for j, s in zip(resource.link_site.tolist(), resource.link_source.tolist(), strict=True):
        name = f"y:{resource.name}:{prepared.site_ids[j]}:{resource.source_ids[s]}"
        if j in wanted and values.get(name, 0.0) > 0.5:
            load.setdefault(s, []).append((name, int(residual[j])))
    raised = resource.raised
    covers = {
        f"cover:{resource.source_ids[s]}": [n for n, _ in members]
        for s, members in load.items()
        if sum(e for _, e in members) > raised[s]
    }
    for cap in resource.caps:
        members = [m for s in cap.members for m in load.get(s, [])]
        if sum(e for _, e in members) > cap.limit:
            covers[f"cover:cap:{cap.id}"] = [n for n, _ in members]
    return covers


def _program(
    prepared: Prepared, resource: Resource, sites: list[int]
) -> tuple[Program, dict[int, float], dict[int, float]]:
    """Return the program, the cost of each column, and km per column where no line costs."""
    cols = Columns()
    x = np.full(len(prepared.site_ids), -1, dtype=np.int64)
    for j in sites:
        x[j] = cols.column(f"x:{prepared.site_ids[j]}", integer=True)
        cols.lower[x[j]] = 1.0
    everything = Reduced(
        link=x[resource.link_site] >= 0,
        scarce=np.ones(len(resource.headroom), dtype=np.bool_),
        capped=np.ones(len(resource.caps), dtype=np.bool_),
        settled=(x >= 0) & (resource.demand == 0),
        cost=np.zeros(len(x)),
    )
    money = add_supply(cols, resource, x, everything, prepared.site_ids)
    scale = max(money.values(), default=0.0)
    if scale > 0:
        for c, v in money.items():
            cols.cost[c] -= v / scale
    far: dict[int, float] = {}
    column = {name: c for c, name in enumerate(cols.names)}
    if not (resource.line_cost > 0).any():
        for k, (j, s) in enumerate(
            zip(resource.link_site.tolist(), resource.link_source.tolist(), strict=True)
        ):
            line = column.get(f"f:{resource.name}:{prepared.site_ids[j]}:{resource.source_ids[s]}")
            if line is not None and x[j] >= 0 and resource.link_km[k] > 0:
                far[line] = float(resource.link_km[k]) * int(resource.demand[j])
    return cols.program(), money, far


def _settle(
    prepared: Prepared,
    resource: Resource,
    sites: list[int],
    values: dict[str, float],
    *,
    open_all: bool,
    proven: bool,
    raise_all: bool = False,
) -> Assignment | None:
    """Turn the solver's values into whole ticks; None where that cannot be done.

    ``open_all``: lines that the solver left shut, and more modules, may be used too.
    ``raise_all``: every source has all its modules of reinforcement.
    """
    ids = prepared.site_ids
    demand = resource.demand
    arcs: dict[int, dict[int, int]] = {j: {} for j in sites}
    most = resource.most
    spare: dict[int, int] = dict(enumerate(resource.raised.tolist()))
    if resource.module_more and not (open_all or raise_all):
        for s, source in enumerate(resource.source_ids):
            n = round(values.get(f"m:{resource.name}:{source}", 0.0))
            spare[s] = int(resource.headroom[s]) + n * resource.module_more
    wished: list[tuple[int, int, int]] = []
    meaning: dict[int, tuple[str, int, int]] = {}
    modules: dict[tuple[int, int], int] = {}
    wanted = set(sites)
    line_of: dict[tuple[int, int], int] = {}
    for k, (j, s) in enumerate(
        zip(resource.link_site.tolist(), resource.link_source.tolist(), strict=True)
    ):
        if j not in wanted:
            continue
        name = f"{resource.name}:{ids[j]}:{resource.source_ids[s]}"
        gate = values.get(f"y:{name}", 1.0)
        if gate < 0.5 and not open_all:
            continue
        line_of[j, s] = k
        arcs[j][s] = min(int(demand[j]), int(most[s]))
        wished.append((j, s, round(values.get(f"f:{name}", 0.0) * int(demand[j]))))
    number = len(resource.headroom)
    for j in sites:
        name = f"{resource.name}:{ids[j]}"
        for k, own in enumerate(resource.own):
            cap = int(resource.own_cap[k, j])
            built = round(values.get(f"n:{name}:{own.kind}", 0.0))
            built = own.modules_max if open_all else built
            modules[j, k] = built
            meaning[number] = ("own", j, k)
            spare[number] = arcs[j][number] = min(cap, built * resource.module[k])
            share = values.get(f"g:{name}:{own.kind}", 0.0)
            wished.append((j, number, round(share * int(demand[j]))))
            number += 1
        meaning[number] = ("reuse", j, 0)
        spare[number] = arcs[j][number] = int(resource.reuse_cap[j])
        share = values.get(f"u:{name}", 0.0)
        wished.append((j, number, round(share * int(demand[j]))))
        number += 1
        if resource.shortfall_price is not None:
            meaning[number] = ("shortfall", j, 0)
            spare[number] = arcs[j][number] = int(demand[j])
            share = values.get(f"q:{name}", 0.0)
            # What the solver's tolerance leaves is first offered to the sources.
            share = max(share - _CRUMB, 0.0)
            wished.append((j, number, round(share * int(demand[j]))))
            number += 1
    dear = {n for n, (what, _, _) in meaning.items() if what in ("reuse", "shortfall")}
    transport = _placed(resource, sites, spare, arcs, wished, dear)
    if transport is None:
        return None
    network: dict[tuple[int, int], int] = {}
    own_used: dict[tuple[int, int], tuple[int, int]] = {}
    reuse: dict[int, int] = {}
    short: dict[int, int] = {}
    taken: dict[int, int] = {}
    cost = 0.0
    rule = resource.rule
    for j in sites:
        for s, ticks in sorted(transport.flow.get(j, {}).items()):
            units = resource.amount(ticks)
            if s not in meaning:
                k = line_of[j, s]
                network[j, k] = ticks
                taken[s] = taken.get(s, 0) + ticks
                cost += float(resource.line_cost[k]) + float(resource.unit_cost[k]) * units
                continue
            what, _, k = meaning[s]
            if what == "own":
                # No more modules than the amount needs.
                n = min(modules[j, k], -(-ticks // resource.module[k]))
                own_used[j, k] = (ticks, n)
                cost += n * resource.own[k].cost
            elif what == "shortfall" and resource.shortfall_price is not None:
                short[j] = ticks
                cost += resource.shortfall_price * units
            elif rule.reuse is not None:
                reuse[j] = ticks
                cost += rule.reuse.cost_per_unit * units
    raised: dict[int, int] = {}
    for s, ticks in sorted(taken.items()):
        n = resource.modules(s, ticks)
        if n and rule.reinforcement is not None:
            raised[s] = n
            cost += n * rule.reinforcement.cost
    return Assignment(network, own_used, reuse, short, raised, cost, proven)


def _placed(
    resource: Resource,
    sites: list[int],
    spare: dict[int, int],
    arcs: dict[int, dict[int, int]],
    wished: list[tuple[int, int, int]],
    dear: set[int],
) -> Transport | None:
    """Return every demand placed near the amounts wished for; None where that cannot be done.

    What is left by the solver's tolerance falls to ``dear`` supplies only where nothing else
    has room, or crumbs of them would be paid for.
    """
    choices: Iterable[tuple[Cap, ...]] = [resource.caps]
    if not nested(resource.caps):
        load: dict[int, float] = {}
        for _, s, ticks in wished:
            load[s] = load.get(s, 0.0) + ticks
        choices = chain(apart(resource.caps, load, resource.decimals), choices)
    for caps in choices:
        transport = Transport(spare, arcs, caps=caps)
        left = {j: int(resource.demand[j]) for j in sites}
        for j, s, ticks in wished:
            left[j] -= transport.put(j, s, min(max(ticks, 0), left[j]))
        held = {n: transport.spare[n] for n in sorted(dear)}
        transport.spare.update(dict.fromkeys(held, 0))
        left = {j: transport.place(j, left[j]) for j in sites}
        transport.spare.update(held)
        if not any(transport.place(j, left[j]) for j in sites):
            return transport
    return None
