"""Every feature of the portfolio beside an independent checker, on random instances."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plan_checker import Question, best, exact, faults

from geoplan.catalogue.portfolio import PortfolioSpec
from geoplan.catalogue.supply import SupplySpec
from geoplan.siting.portfolio import Plan, PortfolioProblem, build, solve
from geoplan.siting.relax import apply, relax
from geoplan.siting.spacing import Conflicts

RESOURCES = ("water", "power", "wastewater")
UNIT = {"water": "m3/day", "power": "MVA", "wastewater": "m3/day"}
COLUMN = {
    "water": "water_m3_per_day",
    "power": "power_mva",
    "wastewater": "wastewater_m3_per_day",
    "nonpotable": "nonpotable_m3_per_day",
}
MORE = int(os.environ.get("GEOPLAN_TEST_MORE", "1"))
"""Multiplies the number of random instances."""


def random_question(rng: np.random.Generator) -> Question:
    """Return a small question in whole numbers, each feature in about a third of them."""

    def some(share: float = 0.35) -> bool:
        return bool(rng.random() < share)

    def whole(low: int, high: int) -> Fraction:
        return Fraction(int(rng.integers(low, high + 1)))

    n = int(rng.integers(3, 6))
    ids = [f"S{k}" for k in range(n)]
    count = int(rng.integers(1, 4))
    levels = {Fraction(1): Fraction(1)}
    if some():
        levels[Fraction(1, 2)] = (
            Fraction(1, 2) if some() else Fraction(int(rng.integers(5, 10)), 10)
        )
    costs = some(0.5)
    demand = {}
    for s in ids:
        demand[s] = {r: 2 * whole(0 if r != "power" else 1, 2) for r in RESOURCES}
        demand[s]["nonpotable"] = 2 * whole(0, 2)
    headroom, links = {}, {}
    for r in RESOURCES:
        headroom[r] = {f"{r}{k}": 4 * whole(0, 3) for k in range(int(rng.integers(1, 4)))}
        price = whole(0, 2) if costs else Fraction(0)
        unit = whole(0, 1) if costs else Fraction(0)
        for s in ids:
            for q in headroom[r]:
                if some(0.8):
                    links[s, r, q] = (price * whole(0, 4), unit)
    own = {}
    if some():
        own["wastewater"] = [
            {
                "kind": "plant",
                "module": whole(1, 2) * 2,
                "credit": Fraction(1, int(rng.integers(1, 3))),
                "cost": whole(0, 4) if costs else Fraction(0),
                "modules_max": int(rng.integers(1, 3)),
                "share_max": Fraction(1, 2) if len(levels) == 1 and some(0.5) else Fraction(1),
            }
        ]
    reuse = None
    if some():
        share = Fraction(1) if len(levels) > 1 else Fraction(1, 2)
        reuse = {
            "share": share,
            "recovery": Fraction(1),
            "cost": whole(0, 2) if costs else Fraction(0),
        }
    reinforcement = {}
    for r in RESOURCES:
        if some(0.3):
            reinforcement[r] = {
                "module": 4 * whole(1, 1), "cost": whole(0, 5) if costs else Fraction(0),
                "max": int(rng.integers(1, 3)),
            }  # fmt: skip
    caps = []
    for r in RESOURCES:
        names = list(headroom[r])
        for k in range(int(rng.integers(1, 4)) if some(0.5) else 0):
            size = min(int(rng.integers(1, 4)), len(names))
            members = sorted(rng.choice(names, size=size, replace=False).tolist())
            caps.append(
                {"id": f"{r}-cap{k}", "resource": r, "members": members, "max": whole(2, 12)}
            )
    quotas = []
    if some():
        members = {s for s in ids if some(0.5)}
        least = int(rng.integers(0, 3))
        quotas.append(
            {
                "id": "group",
                "members": members,
                "min": least,
                "max": least + int(rng.integers(0, 2)),
            }
        )
    area = {s: whole(8, 20) * 100 for s in ids}
    q = Question(
        score={s: whole(0, 20) / 20 for s in ids},
        region={s: str(rng.choice(["A", "B"])) for s in ids},
        less={s for s in ids if some(0.5)},
        area=area,
        demand=demand,
        headroom=headroom,
        links=links,
        count=count,
        share={r: Fraction(3, 4) if some(0.2) else Fraction(1) for r in RESOURCES},
        single={r for r in RESOURCES if some(0.25)},
        own=own,
        reuse=reuse,
        reinforcement=reinforcement,
        caps=caps,
        pairs={frozenset((a, b)) for a in ids for b in ids if a < b and some(0.1)},
        levels=levels,
        area_min=whole(6, 14) * 100 * count if some(0.25) else Fraction(0),
        region_max=int(rng.integers(1, 3)) if some() else None,
        less_share=Fraction(1, 2) if some(0.25) else Fraction(0),
        quotas=quotas,
        lock_in={ids[0]} if some(0.2) else set(),
        lock_out={ids[1]} if some(0.2) else set(),
    )
    if costs:
        if some(0.5):
            q.budget = whole(4, 40)
        else:
            q.price = whole(1, 6) * 10
        if some(0.3):
            q.shortfall = {str(rng.choice(RESOURCES)): whole(1, 8)}
    return q


def as_problem(q: Question) -> PortfolioProblem:
    """Return a question as the tables that the engine takes."""
    ids = sorted(q.score)
    supply: dict[str, Any] = {}
    for r in RESOURCES:
        supply[r] = {
            "max_km": 100.0,
            "single_source": r in q.single,
            "headroom_share_max": float(q.share.get(r, 1)),
            "own": [
                {k: v if isinstance(v, (str, int)) else float(v) for k, v in o.items()}
                for o in q.own.get(r, [])
            ],
        }  # fmt: skip
        if r in q.reinforcement:
            rule = q.reinforcement[r]
            supply[r]["reinforcement"] = {
                "module_size": float(rule["module"]), "cost": float(rule["cost"]),
                "modules_max": rule["max"],
            }  # fmt: skip
    if q.reuse is not None:
        supply["water"]["reuse"] = {
            "share_max": float(q.reuse["share"]), "recovery": float(q.reuse["recovery"]),
            "cost_per_unit": float(q.reuse["cost"]),
        }  # fmt: skip
    supply["caps"] = [
        {"id": c["id"], "resource": c["resource"], "sources": c["members"], "max": float(c["max"]),
         "unit": UNIT[c["resource"]]}
        for c in q.caps
    ]  # fmt: skip
    sites = pd.DataFrame(
        {
            "score": [float(q.score[s]) for s in ids],
            "region": [q.region[s] for s in ids],
            "less_industrialised": [s in q.less for s in ids],
            "area_ha": [float(q.area[s]) for s in ids],
            **{x["id"]: [s in x["members"] for s in ids] for x in q.quotas},
        },
        index=pd.Index(ids, name="site_id"),
    )
    spec = {
        "count": q.count,
        "levels": [float(v) for v in q.levels],
        "level_benefit": [float(v) for v in q.levels.values()],
        "area_ha_min": float(q.area_min) or None,
        "spacing_km": 1.0,
        "per_region_max": q.region_max,
        "less_industrialised_share_min": float(q.less_share),
        "quotas": [
            {"id": x["id"], "where": {x["id"]: True}, "min": x["min"], "max": x["max"]}
            for x in q.quotas
        ],
        "budget": None if q.budget is None else float(q.budget),
        "cost_per_score_point": None if q.price is None else float(q.price),
        "shortfall": {r: float(p) for r, p in q.shortfall.items()},
        "gap": 0.0,
    }
    pairs = pd.DataFrame([sorted(p) for p in sorted(q.pairs, key=sorted)], columns=["a", "b"])
    none = Conflicts.none()
    return PortfolioProblem(
        sites=sites,
        demand=pd.DataFrame(
            {c: [float(q.demand[s][r]) for s in ids] for r, c in COLUMN.items()}, index=sites.index
        ),
        links=pd.DataFrame(
            [(s, r, x, 1.0, 1.0, float(a), float(b)) for (s, r, x), (a, b) in q.links.items()],
            columns=["site_id", "resource", "source_id", "distance_km", "route_km", "line_cost",
                     "unit_cost"],
        ),
        sources=pd.DataFrame(
            [
                {"source_id": s, "resource": r, "headroom": float(h), "unit": UNIT[r],
                 "basis": "metered"}
                for r in RESOURCES
                for s, h in q.headroom[r].items()
            ]
        ),
        conflicts=Conflicts.of_pairs(pairs.assign(distance_km=0.5)) if len(pairs) else none,
        spec=PortfolioSpec.model_validate(spec),
        supply=SupplySpec.model_validate(supply),
        lock_in=frozenset(q.lock_in),
        lock_out=frozenset(q.lock_out),
    )  # fmt: skip


def wrong(q: Question, plan: Plan) -> list[str]:
    """Return what the checker finds wrong with a plan."""
    levels = {s: exact(v) for s, v in plan.level.items()}
    assert tuple(levels) == plan.chosen
    return faults(
        q, levels, plan.supply.to_dict("records"), plan.sources.to_dict("records"), plan.cost
    )


@pytest.mark.parametrize("block", range(5))
def test_every_plan_keeps_every_limit_and_is_the_best_of_all(block: int) -> None:
    rng = np.random.default_rng(100 + block)
    seen = {"plan": 0, "none": 0}
    for _ in range(36 * MORE):
        q = random_question(rng)
        plan = solve(build(as_problem(q)))
        found = best(q)
        if found is None:
            assert plan.status == "infeasible", q
            assert plan.chosen == (), q
            seen["none"] += 1
            continue
        assert plan.status == "optimal", (plan.status, q)
        assert wrong(q, plan) == [], q
        assert plan.record.objective == pytest.approx(float(found[0]), abs=1e-6), (found, q)
        seen["plan"] += 1
    assert min(seen.values()) > 5, seen


def test_moved_limits_make_a_plan_exist_whatever_the_limit() -> None:
    rng = np.random.default_rng(7)
    named: set[str] = set()
    tried = 0
    while tried < 22 * MORE:
        problem = as_problem(random_question(rng))
        if solve(build(problem)).status != "infeasible":
            continue
        tried += 1
        moves = relax(problem)
        assert moves, problem
        assert moves[-1].limit == "count:all-limits-kept"
        assert all(m.by > 0 for m in moves), moves
        moved = apply(problem, moves[:-1])
        named |= {m.limit.partition(":")[0] for m in moves[:-1]}
        assert moved.spec.count == 0 or solve(build(moved)).chosen, (moves, problem)
    assert {"cap", "reinforcement", "area", "quota"} <= named
