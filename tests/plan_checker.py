"""Checker of plans that shares no code with the siting engine: plain Python, exact fractions.

A question is a `Question`; `faults` says which limits a plan breaks, `best` tries every set of
sites at every level. All amounts of a question that `best` is asked about must be whole numbers
in the grid of 1, after levels and shares: then the cheapest supply is whole too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

__all__ = ["Question", "best", "exact", "faults", "may_stand"]


def exact(value: Any) -> Fraction:
    """Return a figure of a table as the decimal that it shows."""
    return value if isinstance(value, Fraction) else Fraction(str(round(float(value), 9)))


@dataclass
class Question:
    """What is asked, in plain values."""

    score: dict[str, Fraction]
    region: dict[str, str]
    less: set[str]
    area: dict[str, Fraction]
    demand: dict[str, dict[str, Fraction]]
    """Site → resource → amount; ``nonpotable`` beside them."""
    headroom: dict[str, dict[str, Fraction]]
    """Resource → source → headroom."""
    links: dict[tuple[str, str, str], tuple[Fraction, Fraction]]
    """(site, resource, source) → (cost of the line, cost of a unit)."""
    count: int
    share: dict[str, Fraction] = field(default_factory=dict)
    single: set[str] = field(default_factory=set)
    own: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reuse: dict[str, Fraction] | None = None
    reinforcement: dict[str, dict[str, Any]] = field(default_factory=dict)
    caps: list[dict[str, Any]] = field(default_factory=list)
    pairs: set[frozenset[str]] = field(default_factory=set)
    levels: dict[Fraction, Fraction] = field(default_factory=lambda: {Fraction(1): Fraction(1)})
    """Level → share of the score."""
    area_min: Fraction = Fraction(0)
    region_max: int | None = None
    less_share: Fraction = Fraction(0)
    quotas: list[dict[str, Any]] = field(default_factory=list)
    lock_in: set[str] = field(default_factory=set)
    lock_out: set[str] = field(default_factory=set)
    budget: Fraction | None = None
    price: Fraction | None = None
    shortfall: dict[str, Fraction] = field(default_factory=dict)

    @property
    def resources(self) -> list[str]:
        """Resources in order."""
        return list(self.headroom)

    def usable(self, resource: str, source: str, modules: int = 0) -> Fraction:
        """Return what may be taken of a source."""
        rule = self.reinforcement.get(resource)
        more = rule["module"] * modules if rule else 0
        return (self.headroom[resource][source] + more) * self.share.get(resource, 1)


Plan = dict[str, Fraction]
"""Site → level."""


def may_stand(q: Question, plan: Plan) -> list[str]:
    """Return the limits on the choice of sites that a plan breaks."""
    out = []
    if len(plan) != q.count:
        out.append(f"{len(plan)} sites, {q.count} asked for")
    out += [f"{s} at no level given" for s, v in plan.items() if v not in q.levels]
    out += [f"{s} is locked out" for s in plan if s in q.lock_out]
    out += [f"{s} is locked in" for s in q.lock_in if s not in plan]
    out += [
        f"{a} and {b} exclude each other"
        for a, b in itertools.combinations(plan, 2)
        if frozenset((a, b)) in q.pairs
    ]
    for region in {q.region[s] for s in plan}:
        have = sum(q.region[s] == region for s in plan)
        if q.region_max is not None and have > q.region_max:
            out.append(f"region {region} has {have}")
    if sum(s in q.less for s in plan) < math.ceil(q.less_share * q.count):
        out.append("too few in less-industrialised regions")
    for quota in q.quotas:
        have = sum(s in quota["members"] for s in plan)
        if not quota.get("min", 0) <= have <= quota.get("max", q.count):
            out.append(f"quota {quota['id']} has {have}")
    if sum((q.area[s] * v for s, v in plan.items()), Fraction(0)) < q.area_min:
        out.append("too little area")
    return out


def worth(q: Question, plan: Plan, cost: Fraction) -> Fraction:
    """Return the objective of a plan."""
    points = sum((q.score[s] * q.levels[v] for s, v in plan.items()), Fraction(0))
    return points - (cost / q.price if q.price else 0)


def _own_caps(q: Question, resource: str, need: Fraction) -> list[Fraction]:
    return [own["share_max"] * need for own in q.own.get(resource, [])]


def _reuse_cap(q: Question, resource: str, site: str, level: Fraction) -> Fraction:
    if q.reuse is None or resource != "water":
        return Fraction(0)
    back = q.reuse["share"] * q.reuse["recovery"] * q.demand[site]["wastewater"] * level
    return min(back, q.demand[site]["nonpotable"] * level)


def faults(
    q: Question,
    plan: Plan,
    supply: Iterable[dict[str, Any]],
    sources: Iterable[dict[str, Any]],
    cost: float,
) -> list[str]:
    """Return what is wrong with a plan; nothing is allowed for rounding but of costs.

    Parameters
    ----------
    q : Question
    plan : dict
        Site → level.
    supply, sources : iterable of dict
        Rows of the plan's tables.
    cost : float
    """
    out = may_stand(q, plan)
    rows = list(supply)
    table = {(r["resource"], r["source_id"]): r for r in sources}
    given: dict[tuple[str, str], Fraction] = {}
    taken: dict[tuple[str, str], Fraction] = {}
    lines: dict[tuple[str, str], int] = {}
    total = Fraction(0)
    for row in rows:
        site, r, source, kind = row["site_id"], row["resource"], row["source_id"], row["kind"]
        amount = exact(row["amount"])
        where = f"{source} for {site}"
        if amount <= 0 or site not in plan:
            out.append(f"{where}: {amount}")
            continue
        need = q.demand[site][r] * plan[site]
        given[site, r] = given.get((site, r), Fraction(0)) + amount
        taken[r, source] = taken.get((r, source), Fraction(0)) + amount
        if kind == "network":
            if (site, r, source) not in q.links:
                out.append(f"{where}: no line")
                continue
            line, unit = q.links[site, r, source]
            paid = line + unit * amount
            lines[site, r] = lines.get((site, r), 0) + 1
        elif kind == "reuse":
            assert q.reuse is not None
            if amount > _reuse_cap(q, r, site, plan[site]):
                out.append(f"{where}: more than returns")
            paid = q.reuse["cost"] * amount
        elif kind == "shortfall":
            if r not in q.shortfall:
                out.append(f"{where}: nothing of {r} may go unserved")
                continue
            paid = q.shortfall[r] * amount
        else:
            own = next(o for o in q.own[r] if o["kind"] == kind)
            built = exact(table[r, source]["headroom"]) / own["module"]
            if built.denominator != 1 or built > own["modules_max"]:
                out.append(f"{where}: {built} modules")
            if amount > built * own["module"] * own["credit"] or amount > own["share_max"] * need:
                out.append(f"{where}: more than its modules or share")
            paid = own["cost"] * built
        if abs(float(paid) - row["cost"]) > 1e-6:
            out.append(f"{where}: costs {row['cost']}, not {float(paid)}")
        total += paid
    for site, level in plan.items():
        for r in q.resources:
            need, got = q.demand[site][r] * level, given.get((site, r), Fraction(0))
            if need != got:
                out.append(f"{site} needs {need} of {r} and is given {got}")
            if r in q.single and lines.get((site, r), 0) > 1:
                out.append(f"{site} takes {r} from several sources")
    for r in q.resources:
        for source in q.headroom[r]:
            used, row = taken.get((r, source), Fraction(0)), table[r, source]
            modules = int(row.get("modules", 0) or 0)
            rule = q.reinforcement.get(r)
            if modules > (rule["max"] if rule else 0):
                out.append(f"{source}: {modules} modules")
            if used > q.usable(r, source, modules):
                out.append(f"{source} gives {used}, it has {q.usable(r, source, modules)}")
            if exact(row["used"]) != used:
                out.append(f"{source} says {row['used']}")
            total += modules * rule["cost"] if rule else 0
    for cap in q.caps:
        used = sum(
            (taken.get((cap["resource"], s), Fraction(0)) for s in cap["members"]), Fraction(0)
        )
        if used > cap["max"]:
            out.append(f"cap {cap['id']} gives {used} of {cap['max']}")
    if abs(float(total) - cost) > 1e-6:
        out.append(f"the plan costs {float(total)}, not {cost}")
    if q.budget is not None and float(total) > float(q.budget) * (1 + 1e-9):
        out.append(f"the plan costs {float(total)}, the budget is {float(q.budget)}")
    return out


def _local(q: Question, resource: str, site: str, level: Fraction) -> list[Fraction | None]:
    """Return the least cost at which a site has 0, 1, 2 … units by itself; None: it cannot."""
    need = int(q.demand[site][resource] * level)
    most: list[Fraction | None] = [Fraction(0)] + [None] * need
    own = q.own.get(resource, [])
    for counts in itertools.product(*(range(o["modules_max"] + 1) for o in own)):
        free = sum(
            int(min(n * o["module"] * o["credit"], o["share_max"] * need))
            for n, o in zip(counts, own, strict=True)
        )
        paid = sum((n * o["cost"] for n, o in zip(counts, own, strict=True)), Fraction(0))
        rates: list[tuple[Fraction, int]] = []
        if q.reuse is not None:
            rates.append((q.reuse["cost"], int(_reuse_cap(q, resource, site, level))))
        if resource in q.shortfall:
            rates.append((q.shortfall[resource], need))
        steps = [r for r, n in sorted(rates) for _ in range(n)]
        for amount in range(need + 1):
            extra = amount - free
            if extra > len(steps):
                break
            cost = paid + sum(steps[: max(extra, 0)], Fraction(0))
            have = most[amount]
            if have is None or cost < have:
                most[amount] = cost
    return most


def _splits(total: int, caps: list[int]) -> Iterator[tuple[int, ...]]:
    if not caps:
        if total == 0:
            yield ()
        return
    for first in range(min(total, caps[0]) + 1):
        for rest in _splits(total - first, caps[1:]):
            yield (first, *rest)


class _Costs:
    """Least cost of serving sets of sites, with what was worked out before."""

    def __init__(self, q: Question) -> None:
        self.q = q
        self.ways: dict[tuple[str, str, Fraction], dict[tuple[int, ...], Fraction]] = {}
        self.top = {
            r: {
                s: int(q.usable(r, s, q.reinforcement[r]["max"] if r in q.reinforcement else 0))
                for s in q.headroom[r]
            }
            for r in q.resources
        }

    def _of(self, r: str, site: str, level: Fraction) -> dict[tuple[int, ...], Fraction]:
        """Return loads on the sources → least cost, for one site."""
        key = (r, site, level)
        if key in self.ways:
            return self.ways[key]
        q, out = self.q, {}
        need = q.demand[site][r] * level
        assert need.denominator == 1
        order = list(q.headroom[r])
        caps = [min(self.top[r][s], int(need)) if (site, r, s) in q.links else 0 for s in order]
        for local, cost in enumerate(_local(q, r, site, level)):
            if cost is None:
                continue
            for split in _splits(int(need) - local, caps):
                used = [(s, n) for s, n in zip(order, split, strict=True) if n]
                if r in q.single and len(used) > 1:
                    continue
                total = cost
                for s, n in used:
                    line, unit = q.links[site, r, s]
                    total += line + unit * n
                if split not in out or total < out[split]:
                    out[split] = total
        self.ways[key] = out
        return out

    def least(self, plan: Plan) -> Fraction | None:
        """Return the least cost of serving a plan; None where it cannot be served."""
        total = Fraction(0)
        for r in self.q.resources:
            cost = self._least(r, plan)
            if cost is None:
                return None
            total += cost
        return total

    def _least(self, r: str, plan: Plan) -> Fraction | None:
        q, order = self.q, list(self.q.headroom[r])
        top = [self.top[r][s] for s in order]
        caps = [
            ([k for k, s in enumerate(order) if s in c["members"]], c["max"])
            for c in q.caps
            if c["resource"] == r
        ]
        states: dict[tuple[int, ...], Fraction] = {(0,) * len(order): Fraction(0)}
        for site, level in plan.items():
            new: dict[tuple[int, ...], Fraction] = {}
            for load, paid in states.items():
                for split, cost in self._of(r, site, level).items():
                    both = tuple(a + b for a, b in zip(load, split, strict=True))
                    if any(a > t for a, t in zip(both, top, strict=True)):
                        continue
                    if any(sum(both[k] for k in m) > most for m, most in caps):
                        continue
                    if both not in new or paid + cost < new[both]:
                        new[both] = paid + cost
            states = new
        found = [paid + self._modules(r, order, load) for load, paid in states.items()]
        return min(found, default=None)

    def _modules(self, r: str, order: list[str], load: tuple[int, ...]) -> Fraction:
        rule, cost = self.q.reinforcement.get(r), Fraction(0)
        if rule is None:
            return cost
        for s, n in zip(order, load, strict=True):
            over = n - self.q.usable(r, s)
            if over > 0:
                each = rule["module"] * self.q.share.get(r, 1)
                cost += math.ceil(over / each) * rule["cost"]
        return cost


def best(q: Question) -> tuple[Fraction, Plan, Fraction] | None:
    """Return the best worth, a plan that has it and its cost, of every set at every level.

    None where no plan exists.
    """
    costs = _Costs(q)
    plans = [
        dict(zip(chosen, levels, strict=True))
        for chosen in itertools.combinations(sorted(q.score), q.count)
        for levels in itertools.product(q.levels, repeat=q.count)
    ]
    plans.sort(key=lambda p: -worth(q, p, Fraction(0)))
    found: tuple[Fraction, Plan, Fraction] | None = None
    for plan in plans:
        if found is not None and worth(q, plan, Fraction(0)) <= found[0]:
            break
        if may_stand(q, plan):
            continue
        cost = costs.least(plan)
        if cost is None or (q.budget is not None and cost > q.budget):
            continue
        value = worth(q, plan, cost)
        if found is None or value > found[0]:
            found = (value, plan, cost)
    return found
