"""The portfolio against published knapsacks and against trying every set of sites."""

from __future__ import annotations

import itertools
import math
import os
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from benchmarks.portfolio import instance
from geoplan.catalogue.scenario import PortfolioSpec, ResourceSupply, SupplySpec
from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.siting import search
from geoplan.siting.portfolio import Plan, PortfolioProblem, build, solve
from geoplan.siting.spacing import Conflicts

LINK = ["site_id", "resource", "source_id", "distance_km", "route_km", "line_cost", "unit_cost"]


def _conflicts(pairs: list[tuple[str, str]]) -> Conflicts:
    frame = pd.DataFrame(pairs, columns=["a", "b"]).assign(distance_km=1.0)
    return Conflicts.of_pairs(frame) if pairs else Conflicts.none()


def _problem(
    score: dict[str, float],
    demand: dict[str, dict[str, float]],
    headroom: dict[tuple[str, str], float],
    links: list[tuple[str, str, str, float]],
    spec: dict[str, Any],
    supply: SupplySpec | dict[str, ResourceSupply],
    *,
    region: dict[str, str] | None = None,
    less: set[str] | None = None,
    pairs: list[tuple[str, str]] | None = None,
) -> PortfolioProblem:
    """``links`` are (site, resource, source, km); a km of route costs ``cost_per_km``."""
    sites = pd.DataFrame(
        {
            "score": pd.Series(score),
            "region": [(region or {}).get(s) for s in score],
            "less_industrialised": [s in (less or set()) for s in score],
        },
        index=pd.Index(list(score), name="site_id"),
    )
    columns = {
        "water": "water_m3_per_day",
        "power": "power_mva",
        "wastewater": "wastewater_m3_per_day",
    }
    rules = {
        r: getattr(supply, r, None) or supply[r]
        for r in next(iter(demand.values()))
        if r != "nonpotable"
    }  # type: ignore[index]
    table = pd.DataFrame.from_dict(demand, orient="index").rename(
        columns={**columns, "nonpotable": "nonpotable_m3_per_day"}
    )
    rows = [
        (s, r, q, km, km, km * rules[r].cost_per_km, rules[r].cost_per_unit)
        for s, r, q, km in links
    ]
    return PortfolioProblem(
        sites=sites,
        demand=table,
        links=pd.DataFrame(rows, columns=LINK),
        sources=pd.DataFrame(
            [
                {"source_id": q, "resource": r, "headroom": h, "unit": "u", "basis": "metered"}
                for (r, q), h in headroom.items()
            ],
            columns=["source_id", "resource", "headroom", "unit", "basis"],
        ),
        conflicts=_conflicts(pairs or []),
        spec=PortfolioSpec.model_validate({"gap": 0.0, **spec}),
        supply=supply,
    )


# --- published: OR-Library mknap1, problems 1 and 2 (Petersen 1967) ---------------------------

MKNAP1 = {
    "P1": (
        "100 600 1200 2400 500 2000",
        "8 12 13 64 22 41/8 12 13 75 22 41/3 6 4 18 6 4/5 10 8 32 6 12/5 13 8 42 6 20/"
        "5 13 8 48 6 20/0 0 0 0 8 0/3 0 4 0 8 0/3 2 4 0 8 4/3 2 4 8 8 4",
        "80 96 20 36 44 48 10 18 22 24",
        3800.0,
        {2, 3, 6},
    ),
    "P2": (
        "600.1 310.5 1800 3850 18.6 198.7 882 4200 402.5 327",
        "20 5 100 200 2 4 60 150 80 40/20 7 130 280 2 8 110 210 100 40/60 3 50 100 4 2 20 40 6 12/"
        "60 8 70 200 4 6 40 70 16 20/60 13 70 250 4 10 60 90 20 24/60 13 70 280 4 10 70 105 22 28/"
        "5 2 20 100 2 5 10 60 0 0/45 14 80 180 6 10 40 100 20 0/55 14 80 200 6 10 50 140 30 40/"
        "65 14 80 220 6 10 50 180 30 50",
        "450 540 200 360 440 480 200 360 440 480",
        8706.1,
        {2, 4, 5, 8, 10},
    ),
}


@pytest.mark.parametrize("name", sorted(MKNAP1))
def test_joint_capacity_is_the_multidimensional_knapsack(name: str) -> None:
    # Each row is a resource with one source; every count is tried, the best must be published.
    profit, rows, limits, optimum, items = MKNAP1[name]
    p = [float(v) for v in profit.split()]
    a = [[float(v) for v in r.split()] for r in rows.split("/")]
    b = [float(v) for v in limits.split()]
    ids = [f"{k + 1:02d}" for k in range(len(p))]
    supply = {f"r{k}": ResourceSupply(max_km=1.0) for k in range(len(a))}
    best: tuple[float, set[int]] = (0.0, set())
    for count in range(1, len(p) + 1):
        plan = solve(
            build(
                _problem(
                    dict(zip(ids, p, strict=True)),
                    {s: {f"r{k}": row[j] for k, row in enumerate(a)} for j, s in enumerate(ids)},
                    {(f"r{k}", "s"): v for k, v in enumerate(b)},
                    [(s, f"r{k}", "s", 0.0) for s in ids for k in range(len(a))],
                    {"count": count},
                    supply,
                )
            )
        )
        if plan.status != "infeasible":
            assert plan.status == "optimal"
            assert plan.record.objective is not None
            best = max(best, (plan.record.objective, {int(s) for s in plan.chosen}))
    assert best[0] == pytest.approx(optimum, abs=1e-6)
    assert best[1] == items


# --- every set of sites, tried by independent means ------------------------------------------


def _supply(water: dict[str, Any], power: dict[str, Any], wastewater: dict[str, Any]) -> SupplySpec:
    base = {"max_km": 100.0}
    return SupplySpec.model_validate(
        {"water": base | water, "power": base | power, "wastewater": base | wastewater}
    )


def _selectable(problem: PortfolioProblem, chosen: tuple[str, ...]) -> bool:
    spec, sites = problem.spec, problem.sites
    pairs = set(zip(problem.conflicts.pairs["a"], problem.conflicts.pairs["b"], strict=True))
    if any((a, b) in pairs or (b, a) in pairs for a, b in itertools.combinations(chosen, 2)):
        return False
    per = sites.loc[list(chosen), "region"].dropna().value_counts()
    if spec.per_region_max is not None and (per > spec.per_region_max).any():
        return False
    need = math.ceil(spec.less_industrialised_share_min * spec.count - 1e-9)
    return int(sites.loc[list(chosen), "less_industrialised"].sum()) >= need


def _least_cost(problem: PortfolioProblem, chosen: tuple[str, ...]) -> float | None:
    """Least cost of serving ``chosen``, by a plain program per resource; None: impossible."""
    total = 0.0
    column = {
        "water": "water_m3_per_day",
        "power": "power_mva",
        "wastewater": "wastewater_m3_per_day",
    }
    for r, rule in problem.rules.items():
        demand = problem.demand[column.get(r, r)]
        head = problem.sources[problem.sources["resource"] == r].set_index("source_id")["headroom"]
        links = problem.links[
            (problem.links["resource"] == r) & problem.links["site_id"].isin(chosen)
        ]
        lines = [t for t in links.itertuples(index=False) if t.source_id in head.index]
        nl, no = len(lines), len(rule.own) * len(chosen)
        # columns: flow per line | line opened | own amount | modules | reuse
        n = 2 * nl + 2 * no + len(chosen)
        cost = np.zeros(n)
        upper = np.zeros(n)
        whole = np.zeros(n)
        rows: list[tuple[dict[int, float], float, float]] = []
        balance: dict[str, dict[int, float]] = {s: {} for s in chosen}
        for k, t in enumerate(lines):
            cap = min(demand[t.site_id], head[t.source_id] * rule.headroom_share_max)
            upper[k], upper[nl + k], whole[nl + k] = cap, 1, 1
            cost[k], cost[nl + k] = t.unit_cost, t.line_cost
            balance[t.site_id][k] = 1.0
            rows.append(({k: 1.0, nl + k: -cap}, -np.inf, 0.0))
        if rule.single_source:
            for s in chosen:
                mine = {nl + k: 1.0 for k, t in enumerate(lines) if t.site_id == s}
                rows.append((mine, -np.inf, 1.0))
        for q in head.index:
            mine = {k: 1.0 for k, t in enumerate(lines) if t.source_id == q}
            rows.append((mine, -np.inf, head[q] * rule.headroom_share_max))
        for i, s in enumerate(chosen):
            for m, own in enumerate(rule.own):
                g = 2 * nl + i * len(rule.own) + m
                upper[g], upper[g + no], whole[g + no] = (
                    own.share_max * demand[s],
                    own.modules_max,
                    1,
                )
                cost[g + no] = own.cost
                rows.append(({g: 1.0, g + no: -own.module * own.credit}, -np.inf, 0.0))
                balance[s][g] = 1.0
            u = 2 * nl + 2 * no + i
            if rule.reuse is not None:
                back = rule.reuse.share_max * rule.reuse.recovery
                upper[u] = min(
                    back * problem.demand.loc[s, "wastewater_m3_per_day"],
                    problem.demand.loc[s, "nonpotable_m3_per_day"],
                )
                cost[u] = rule.reuse.cost_per_unit
            balance[s][u] = 1.0
            rows.append((balance[s], demand[s], demand[s]))
        matrix = np.zeros((len(rows), n))
        for k, (entries, _, _) in enumerate(rows):
            for c, v in entries.items():
                matrix[k, c] = v
        low, high = np.array([r[1] for r in rows]), np.array([r[2] for r in rows])
        if not whole.any() or (not (cost > 0).any() and not rule.single_source and not rule.own):
            equal = low == high
            free = linprog(
                cost,
                A_ub=matrix[~equal] if (~equal).any() else None,
                b_ub=high[~equal] if (~equal).any() else None,
                A_eq=matrix[equal],
                b_eq=high[equal],
                bounds=list(zip(np.zeros(n), upper, strict=True)),
            )
        else:
            free = milp(
                cost,
                constraints=LinearConstraint(matrix, low, high),
                integrality=whole,
                bounds=Bounds(np.zeros(n), upper),
                options={"mip_rel_gap": 0.0},
            )
        if free.status == 2:
            return None
        assert free.status == 0, free.message
        total += float(free.fun)
    return total


def _best(problem: PortfolioProblem) -> tuple[float, float] | None:
    """Best objective over every set of sites, and the least cost of the sets that reach it."""
    spec = problem.spec
    best: tuple[float, float] | None = None
    for chosen in itertools.combinations(problem.sites.index, spec.count):
        score = float(problem.sites.loc[list(chosen), "score"].sum())
        if not _selectable(problem, chosen):
            continue
        if best is not None and spec.cost_per_score_point is None and score < best[0] - 1e-9:
            continue
        cost = _least_cost(problem, chosen)
        if cost is None or (spec.budget is not None and cost > spec.budget + 1e-6):
            continue
        value = score - (cost / spec.cost_per_score_point if spec.cost_per_score_point else 0.0)
        if best is None or value > best[0] + 1e-9:
            best = (value, cost)
    return best


def _keeps_every_limit(problem: PortfolioProblem, plan: Plan) -> None:
    """Arithmetic on the plan's tables alone."""
    spec = problem.spec
    assert len(plan.chosen) == len(set(plan.chosen)) == spec.count
    assert _selectable(problem, plan.chosen)
    column = {
        "water": "water_m3_per_day",
        "power": "power_mva",
        "wastewater": "wastewater_m3_per_day",
    }
    assert (plan.supply["amount"] > 0).all()
    for r, rule in problem.rules.items():
        mine = plan.supply[plan.supply["resource"] == r]
        served = mine.groupby("site_id")["amount"].sum()
        for s in plan.chosen:
            wanted = problem.demand.loc[s, column.get(r, r)]
            assert served.get(s, 0.0) == pytest.approx(wanted, rel=1e-6, abs=1e-9)
        network = mine[mine["kind"] == "network"]
        links = problem.links[problem.links["resource"] == r].set_index(["site_id", "source_id"])
        assert all((t.site_id, t.source_id) in links.index for t in network.itertuples())
        head = problem.sources[problem.sources["resource"] == r].set_index("source_id")["headroom"]
        used = network.groupby("source_id")["amount"].sum().round(9)
        for q, amount in used.items():
            assert amount <= head[q] * rule.headroom_share_max + 1e-12
        table = plan.sources[plan.sources["resource"] == r].set_index("source_id")
        for q, amount in mine.groupby("source_id")["amount"].sum().items():
            assert table.loc[q, "used"] == pytest.approx(amount)
            assert table.loc[q, "used"] <= table.loc[q, "headroom"] + 1e-9
        if rule.single_source:
            assert (network.groupby("site_id").size() <= 1).all()
        for t in mine.itertuples():
            for own in rule.own:
                if t.kind == own.kind:
                    built = table.loc[t.source_id, "headroom"]
                    assert built / own.module == pytest.approx(round(built / own.module))
                    assert built / own.module <= own.modules_max
                    assert t.amount <= built * own.credit + 1e-9
                    wanted = problem.demand.loc[t.site_id, column.get(r, r)]
                    assert t.amount <= own.share_max * wanted * (1 + 1e-6) + 1e-9
            if t.kind == "reuse":
                assert rule.reuse is not None
                back = rule.reuse.share_max * rule.reuse.recovery
                assert (
                    t.amount <= back * problem.demand.loc[t.site_id, "wastewater_m3_per_day"] + 1e-9
                )
                assert t.amount <= problem.demand.loc[t.site_id, "nonpotable_m3_per_day"] + 1e-9
    assert plan.supply["cost"].sum() == pytest.approx(plan.cost)
    assert plan.site_cost.sum() == pytest.approx(plan.cost)
    if spec.budget is not None:
        assert plan.cost <= spec.budget * (1 + 1e-9)


@st.composite
def _instances(draw: st.DrawFn, *, costs: bool) -> PortfolioProblem:
    n = draw(st.integers(2, 5 if costs else 7))
    ids = [f"S{k}" for k in range(n)]
    whole = st.integers
    score = {s: draw(whole(0, 20)) / 20 for s in ids}
    demand = {
        s: {
            "water": float(draw(whole(0, 12))),
            "power": float(draw(whole(1, 9))) / 2,
            "wastewater": float(draw(whole(0, 9))),
            "nonpotable": float(draw(whole(0, 6))),
        }
        for s in ids
    }
    headroom: dict[tuple[str, str], float] = {}
    links: list[tuple[str, str, str, float]] = []
    for r in ("water", "power", "wastewater"):
        for k in range(draw(whole(1, 3))):
            headroom[r, f"{r}{k}"] = float(draw(whole(0, 16)))
            for s in ids:
                if draw(st.booleans()):
                    links.append((s, r, f"{r}{k}", float(draw(whole(0, 5)))))
    links = [t for t in links if headroom[t[1], t[2]] > 0]
    own = [
        {
            "kind": "plant",
            "module_size": float(draw(whole(1, 4))),
            "credit": draw(st.sampled_from([1.0, 0.5])),
            "cost": float(draw(whole(0, 6))) if costs else 0.0,
            "modules_max": draw(whole(1, 3)),
            "share_max": draw(st.sampled_from([1.0, 0.5])),
        }
    ]
    price = {
        "cost_per_km": float(draw(whole(0, 3))) if costs else 0.0,
        "cost_per_unit": float(draw(whole(0, 2))) if costs else 0.0,
    }
    supply = _supply(
        price
        | {
            "single_source": draw(st.booleans()),
            "reuse": {"share_max": 0.5, "recovery": 1.0, "cost_per_unit": 1.0 if costs else 0.0}
            if draw(st.booleans())
            else None,
        },
        price | {"headroom_share_max": draw(st.sampled_from([1.0, 0.75]))},
        price | {"own": own if draw(st.booleans()) else []},
    )
    count = draw(whole(1, min(n, 3)))
    spec: dict[str, Any] = {
        "count": count,
        "per_region_max": draw(st.sampled_from([None, 1, 2])),
        "less_industrialised_share_min": draw(st.sampled_from([0.0, 0.34, 0.6])),
    }
    if costs:
        if draw(st.booleans()):
            spec["budget"] = float(draw(whole(1, 40)))
        else:
            spec["cost_per_score_point"] = float(draw(st.sampled_from([5, 50])))
    possible = list(itertools.combinations(ids, 2))
    return _problem(
        score,
        demand,
        headroom,
        links,
        spec,
        supply,
        region={s: draw(st.sampled_from(["A", "B", "C"])) for s in ids},
        less={s for s in ids if draw(st.booleans())},
        pairs=[p for p in possible if draw(whole(0, 4)) == 0],
    )


def _check(problem: PortfolioProblem) -> None:
    plan = solve(build(problem))
    best = _best(problem)
    if best is None:
        assert plan.status == "infeasible"
        assert plan.chosen == ()
        assert plan.supply.empty
        return
    assert plan.status == "optimal"
    assert plan.record.objective == pytest.approx(best[0], abs=1e-6)
    _keeps_every_limit(problem, plan)
    # The supply of the chosen sites is the cheapest there is for them.
    least = _least_cost(problem, plan.chosen)
    assert least is not None
    assert plan.cost == pytest.approx(least, abs=1e-5)


MORE = int(os.environ.get("GEOPLAN_TEST_MORE", "1"))
"""Multiplies the number of random instances: 30 tries some ten thousand."""

_QUICK = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "derandomize": MORE == 1,
    "database": None,
}


@settings(max_examples=120 * MORE, **_QUICK)  # type: ignore[arg-type]
@given(_instances(costs=False))
def test_plan_is_the_best_of_every_set(problem: PortfolioProblem) -> None:
    _check(problem)


@settings(max_examples=100 * MORE, **_QUICK)  # type: ignore[arg-type]
@given(_instances(costs=True))
def test_plan_with_costs_is_the_best_of_every_set(problem: PortfolioProblem) -> None:
    _check(problem)


@settings(max_examples=40 * MORE, **_QUICK)  # type: ignore[arg-type]
@given(_instances(costs=False))
def test_served_alone_is_exact(problem: PortfolioProblem) -> None:
    plan = solve(build(problem))
    for site in problem.sites.index:
        assert plan.served_alone[site] == (_least_cost(problem, (site,)) is not None)


# --- by hand ----------------------------------------------------------------------------------


def _pair(spec: dict[str, Any] | None = None, *, headroom: float = 10.0) -> PortfolioProblem:
    """Three sites; A and B share one dam of 10, C has its own; A .9, B .8, C .1."""
    ids = ["A", "B", "C"]
    return _problem(
        {"A": 0.9, "B": 0.8, "C": 0.1},
        {s: {"water": 6.0, "power": 1.0, "wastewater": 1.0, "nonpotable": 0.0} for s in ids},
        {
            ("water", "dam"): headroom,
            ("water", "well"): 6.0,
            ("power", "grid"): 9.0,
            ("wastewater", "town"): 9.0,
        },
        [("A", "water", "dam", 5.0), ("B", "water", "dam", 5.0), ("C", "water", "well", 1.0)]
        + [(s, r, q, 2.0) for s in ids for r, q in (("power", "grid"), ("wastewater", "town"))],
        spec or {"count": 2},
        _supply({}, {}, {}),
    )


def test_sites_served_alone_may_not_be_served_together() -> None:
    plan = solve(build(_pair()))
    assert plan.served_alone.all()
    assert plan.chosen == ("A", "C")
    assert plan.record.objective == pytest.approx(1.0)
    used = plan.sources.set_index("source_id")["used"]
    assert used.to_dict() == {"dam": 6.0, "well": 6.0, "grid": 2.0, "town": 2.0}
    assert solve(build(_pair(headroom=12.0))).chosen == ("A", "B")


def test_a_thousandth_short_is_short() -> None:
    # The dam lacks one litre a day for both sites: far below a solver's tolerance.
    assert solve(build(_pair(headroom=11.999999))).chosen == ("A", "C")


def test_a_decimal_that_no_float_holds_is_whole() -> None:
    # Ten demands of 0.1 meet a headroom of 1.0, although the floats sum to 0.9999999999999999.
    ids = [f"S{k}" for k in range(10)]
    rule = {"water": ResourceSupply(max_km=1.0)}
    problem = _problem(
        dict.fromkeys(ids, 0.5),
        {s: {"water": 0.1} for s in ids},
        {("water", "dam"): 1.0},
        [(s, "water", "dam", 0.0) for s in ids],
        {"count": 10},
        rule,
    )
    plan = solve(build(problem))
    assert plan.status == "optimal"
    assert plan.sources["used"].to_list() == [1.0]


def test_same_input_same_bytes_whatever_the_order_of_rows() -> None:
    problem = _pair()
    turned = PortfolioProblem(
        sites=problem.sites.iloc[::-1],
        demand=problem.demand.iloc[[1, 2, 0]],
        links=problem.links.sample(frac=1, random_state=1),
        sources=problem.sources.iloc[::-1],
        conflicts=problem.conflicts,
        spec=problem.spec,
        supply=problem.supply,
    )
    one, two = solve(build(problem)), solve(build(turned))
    assert one.supply.to_csv() == two.supply.to_csv()
    assert one.sources.to_csv() == two.sources.to_csv()


def test_model_can_be_read_without_a_solver() -> None:
    program = build(_pair()).program
    rows = dict(zip(program.row_names, range(len(program.row_names)), strict=True))
    # Only the dam can run out: grid and town hold every set of two sites.
    assert [n for n in rows if n.startswith("headroom")] == ["headroom:water:dam"]
    k = rows["headroom:water:dam"]
    span = slice(program.start[k], program.start[k + 1])
    entries = {
        program.names[c]: v for c, v in zip(program.index[span], program.value[span], strict=True)
    }
    assert entries == pytest.approx({"x:A": 0.6, "x:B": 0.6})
    assert program.row_upper[k] == 1.0


def test_more_sites_than_can_exist_has_no_plan() -> None:
    plan = solve(build(_pair({"count": 4})))
    assert plan.status == "infeasible"
    assert plan.record.objective is None


@pytest.mark.parametrize("how", [{}, {"line_cost": 1e5, "cost_per_score_point": 2e8}])
def test_when_time_runs_out_the_plan_still_keeps_every_limit(how: dict[str, float]) -> None:
    problem = instance(400, tightness=2.0, **how)
    plan = solve(build(problem), time_limit_s=0.01)
    assert plan.status in ("time-limit", "within-gap", "optimal")
    _keeps_every_limit(problem, plan)
    assert plan.record.objective is not None
    assert plan.record.bound is not None
    best = solve(build(problem))
    assert best.record.objective is not None
    assert plan.record.objective <= best.record.objective + 1e-9
    assert plan.record.bound >= best.record.objective - 1e-9


def test_leaving_sites_out_early_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = instance(500, sources=400, line_cost=1e4, cost_per_score_point=2e8, seed=1)
    spec = problem.spec.model_copy(update={"gap": 0.0})
    problem = PortfolioProblem(**{**vars(problem), "spec": spec})
    narrow = solve(build(problem))
    monkeypatch.setattr(search, "_THRESHOLDS", ())
    whole = solve(build(problem))
    assert narrow.record.rows < whole.record.rows
    assert narrow.record.objective == pytest.approx(whole.record.objective, abs=1e-6)
    assert narrow.status == whole.status == "optimal"


def test_bad_input_names_the_item() -> None:
    problem = _pair()
    for frame, column, value, error in (
        ("sites", "score", float("nan"), RangeError),
        ("demand", "power_mva", -1.0, RangeError),
        ("sources", "headroom", -1.0, RangeError),
    ):
        table = getattr(problem, frame).copy()
        table.iloc[0, table.columns.get_loc(column)] = value
        with pytest.raises(error, match=r"site A|source dam"):
            build(PortfolioProblem(**{**vars(problem), frame: table}))
    with pytest.raises(ShapeError, match="score"):
        build(PortfolioProblem(**{**vars(problem), "sites": problem.sites.drop(columns="score")}))
    lost = problem.links.assign(source_id="nowhere")
    with pytest.raises(UnknownName, match="nowhere"):
        build(PortfolioProblem(**{**vars(problem), "links": lost}))
