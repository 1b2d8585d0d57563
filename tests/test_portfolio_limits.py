"""Levels, least area, reinforcement, joint limits, quotas, shortfall and routes, worked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pydantic import ValidationError
from test_portfolio import _pair, _problem, _supply

from benchmarks.portfolio import instance
from geoplan.catalogue.portfolio import Place, PortfolioSpec, QuotaSpec
from geoplan.catalogue.scenario import ResourceSupply, SupplySpec
from geoplan.catalogue.supply import CapSpec
from geoplan.errors import InputError, RangeError, ShapeError, UnknownName
from geoplan.siting.locks import places_to_sites
from geoplan.siting.model import Columns, Program
from geoplan.siting.portfolio import PortfolioProblem, build, solve
from geoplan.siting.relax import apply, relax
from geoplan.siting.solver import maximise
from geoplan.siting.supply import links


def _rows(
    score: dict[str, float],
    water: dict[str, float],
    dams: dict[str, float],
    spec: dict[str, Any],
    rule: dict[str, Any] | None = None,
    **how: Any,
) -> PortfolioProblem:
    """Every site reaches every dam; water is the only resource."""
    return _problem(
        score,
        {s: {"water": d} for s, d in water.items()},
        {("water", q): h for q, h in dams.items()},
        [(s, "water", q, 2.0) for s in score for q in dams],
        spec,
        {"water": ResourceSupply.model_validate({"max_km": 9.0, **(rule or {})})},
        **how,
    )


def _limits(problem: PortfolioProblem) -> dict[str, tuple[float, float, float]]:
    assert solve(build(problem)).status == "infeasible"
    moves = relax(problem)
    assert solve(build(apply(problem, moves[:-1]))).chosen
    return {m.limit: (m.value, m.needed, m.by) for m in moves[:-1]}


# --- levels -----------------------------------------------------------------------------------


def test_a_half_beside_a_whole_uses_what_is_left_of_the_dam() -> None:
    # The dam has 15: A in full and half of B (10 + 5) bring 0.9 + 0.4; two halves bring less.
    problem = _rows(
        {"A": 0.9, "B": 0.8}, {"A": 10.0, "B": 10.0}, {"dam": 15.0},
        {"count": 2, "levels": [0.5, 1.0]},
    )  # fmt: skip
    plan = solve(build(problem))
    assert plan.status == "optimal"
    assert plan.level.to_dict() == {"A": 1.0, "B": 0.5}
    assert plan.record.objective == pytest.approx(1.3)
    assert plan.demand["water"].to_dict() == {"A": 10.0, "B": 5.0}
    assert plan.supply["site_id"].to_list() == ["A", "B"]
    assert plan.prepared.site_ids == ("A", "B")
    assert plan.prepared.resources[0].amount(int(plan.prepared.resources[0].demand[1])) == 5.0


def test_a_stated_benefit_replaces_the_share() -> None:
    # Half a site brings 0.7 of its score: two halves (0.7 × 1.7) beat A alone in full with no B.
    problem = _rows(
        {"A": 0.9, "B": 0.8}, {"A": 10.0, "B": 10.0}, {"dam": 10.0},
        {"count": 2, "levels": [0.5, 1.0], "level_benefit": [0.7, 1.0]},
    )  # fmt: skip
    plan = solve(build(problem))
    assert plan.level.to_dict() == {"A": 0.5, "B": 0.5}
    assert plan.record.objective == pytest.approx(0.7 * 1.7)


def test_least_area_asks_for_larger_sites() -> None:
    problem = _rows(
        {"A": 0.9, "B": 0.8, "C": 0.1}, dict.fromkeys("ABC", 1.0), {"dam": 9.0}, {"count": 2}
    )
    area = pd.Series({"A": 800.0, "B": 900.0, "C": 1200.0})
    asked = replace(
        problem,
        sites=problem.sites.assign(area_ha=area),
        spec=problem.spec.model_copy(update={"area_ha_min": 2000.0}),
    )
    assert solve(build(asked)).chosen == ("A", "C")
    one_metre = asked.spec.model_copy(update={"area_ha_min": 2000.0001})
    assert solve(build(replace(asked, spec=one_metre))).chosen == ("B", "C")
    more = replace(asked, spec=asked.spec.model_copy(update={"area_ha_min": 2200.0}))
    assert _limits(more) == {"area": (2200.0, 2100.0, 100.0)}
    with pytest.raises(ShapeError, match="area_ha"):
        build(replace(problem, spec=asked.spec))


def test_reuse_follows_the_level() -> None:
    # Half a site has half the wastewater: of 10 m³ of water, 0.5 × 8 × 0.5 = 2 may return.
    problem = _problem(
        {"A": 1.0},
        {"A": {"water": 20.0, "power": 1.0, "wastewater": 8.0, "nonpotable": 20.0}},
        {("water", "dam"): 8.0, ("power", "grid"): 9.0, ("wastewater", "town"): 9.0},
        [("A", "water", "dam", 1.0), ("A", "power", "grid", 1.0), ("A", "wastewater", "town", 1.0)],
        {"count": 1, "levels": [0.5]},
        _supply({"reuse": {"share_max": 0.5, "recovery": 1.0}}, {}, {}),
    )  # fmt: skip
    plan = solve(build(problem))
    amounts = plan.supply.set_index(["resource", "kind"])["amount"]
    assert amounts["water"].to_dict() == {"network": 8.0, "reuse": 2.0}
    assert amounts["wastewater", "network"] == 4.0
    less = problem.sources.assign(headroom=[7.999, 9.0, 9.0])
    assert solve(build(replace(problem, sources=less))).status == "infeasible"


# --- reinforcement ----------------------------------------------------------------------------


def test_modules_are_whole_and_no_more_than_needed() -> None:
    rule = {"reinforcement": {"module_size": 4.0, "cost": 7.0, "modules_max": 3}}
    problem = _rows(
        {"A": 0.9, "B": 0.8}, {"A": 6.0, "B": 6.0}, {"dam": 5.0},
        {"count": 2, "budget": 100.0}, rule,
    )  # fmt: skip
    plan = solve(build(problem))
    dam = plan.sources.set_index("source_id").loc["dam"]
    assert (dam["headroom"], dam["used"], dam["modules"], dam["reinforcement_cost"]) == (
        5.0, 12.0, 2.0, 14.0,
    )  # fmt: skip
    assert (plan.cost, plan.reinforcement_cost) == (14.0, 14.0)
    poor = problem.spec.model_copy(update={"budget": 13.0})
    assert _limits(replace(problem, spec=poor)) == {"budget": (13.0, 14.0, 1.0)}
    # One more module than the rule allows is asked for by its own name.
    thirsty = replace(problem, demand=problem.demand * 2)
    assert _limits(thirsty)["reinforcement:water:dam"] == (3.0, 5.0, 2.0)
    few = problem.sources.assign(modules_max=1)
    assert solve(build(replace(problem, sources=few))).status == "infeasible"
    with pytest.raises(RangeError, match=r"dam may have 1\.5 modules"):
        build(replace(problem, sources=problem.sources.assign(modules_max=1.5)))


def test_a_module_or_a_longer_line_whichever_is_cheaper() -> None:
    # Site A needs 6; the near dam has 4 and a module of 4 for 7; the far dam costs 10 a line.
    for cost, modules in ((7.0, 1.0), (11.0, 0.0)):
        problem = _problem(
            {"A": 1.0},
            {"A": {"water": 6.0}},
            {("water", "near"): 4.0, ("water", "far"): 9.0},
            [("A", "water", "near", 1.0), ("A", "water", "far", 10.0)],
            {"count": 1, "cost_per_score_point": 100.0},
            {
                "water": ResourceSupply.model_validate(
                    {"max_km": 20, "cost_per_km": 1.0,
                     "reinforcement": {"module_size": 4.0, "cost": cost}}
                )
            },
        )  # fmt: skip
        plan = solve(build(problem))
        assert plan.sources["modules"].sum() == modules
        assert plan.cost == min(1.0 + cost, 10.0)


# --- joint limits -----------------------------------------------------------------------------


def _basin(most: float, **how: Any) -> PortfolioProblem:
    problem = _rows(
        {"A": 0.9, "B": 0.8, "C": 0.1}, dict.fromkeys("ABC", 6.0), {"d1": 6.0, "d2": 6.0, "w": 6.0},
        {"count": 2},
    )  # fmt: skip
    links_ = problem.links
    keep = [
        (s == "C") == (q == "w")
        for s, q in zip(links_["site_id"], links_["source_id"], strict=True)
    ]
    cap = {"id": "basin", "resource": "water", "sources": {"basin": "north"}, "unit": "m3/day"}
    return replace(
        problem,
        links=links_[keep],
        sources=problem.sources.assign(basin=["north", "north", "south"]),
        caps=(CapSpec.model_validate(cap | {"max": most} | how),),
    )


def test_a_basin_holds_less_than_its_dams() -> None:
    # Two dams of 6 serve A and B; the basin as a whole may give 12, or 11.999.
    plan = solve(build(_basin(12.0)))
    assert plan.chosen == ("A", "B")
    assert plan.caps.to_dict("records")[0] == {
        "id": "basin", "resource": "water", "sources": 2, "max": 12.0, "used": 12.0,
        "unit": "m3/day", "basis": "assumed",
    }  # fmt: skip
    assert list(plan.sources["basin"]) == ["north", "north", "south"]
    assert solve(build(_basin(11.999999))).chosen == ("A", "C")
    only = replace(_basin(5.0), lock_out=frozenset({"C"}))
    found = _limits(replace(only, spec=only.spec.model_copy(update={"count": 1})))
    assert found in ({"cap:water:basin": (5.0, 6.0, 1.0)}, {"lock-out:C": (1.0, 0.0, 1.0)})


def test_a_cap_that_cannot_be_is_an_error() -> None:
    with pytest.raises(ValidationError, match="convert 'max' to m3/day"):
        _basin(12.0, unit="MVA")
    with pytest.raises(UnknownName, match="sources have no column 'zone'"):
        build(_basin(12.0, sources={"zone": 1}))
    with pytest.raises(UnknownName, match="no source of water has basin = west"):
        build(_basin(12.0, sources={"basin": "west"}))
    with pytest.raises(UnknownName, match="'d9' is no source of water"):
        build(_basin(12.0, sources=["d9"]))
    with pytest.raises(ValidationError, match="two caps have the id 'x'"):
        cap = {"id": "x", "resource": "water", "sources": ["a"], "max": 1, "unit": "m3/day"}
        line = {"max_km": 1}
        SupplySpec.model_validate(
            {"water": line, "power": line, "wastewater": line, "caps": [cap, cap]}
        )


# --- quotas, shortfall, locks by place --------------------------------------------------------


def test_quotas_by_region_by_column_and_for_each() -> None:
    problem = _rows(
        {"A": 0.9, "B": 0.8, "C": 0.7, "D": 0.6}, dict.fromkeys("ABCD", 1.0), {"dam": 9.0},
        {"count": 2}, region={"A": "N", "B": "N", "C": "S", "D": "S"},
    )  # fmt: skip

    def chosen(*quotas: dict[str, Any]) -> tuple[str, ...]:
        rules = tuple(QuotaSpec.model_validate({"id": f"q{k}", **q}) for k, q in enumerate(quotas))
        spec = problem.spec.model_copy(update={"quotas": rules})
        return solve(build(replace(problem, spec=spec))).chosen

    assert chosen() == ("A", "B")
    assert chosen({"regions": ["S"], "min": 1}) == ("A", "C")
    assert chosen({"regions": ["N"], "max_share": 0.5}) == ("A", "C")
    assert chosen({"each": True, "min": 1}) == ("A", "C")
    assert chosen({"regions": ["S"], "min_share": 0.51}) == ("C", "D")
    assert chosen({"where": {"score": 0.6}, "min": 1}) == ("A", "D")
    quota = QuotaSpec(id="south", regions=("S",), min=1)
    locked = replace(
        problem,
        spec=problem.spec.model_copy(update={"quotas": (quota,)}),
        lock_out=frozenset({"C", "D"}),
    )
    assert list(_limits(locked)) in (["quota:south:min"], ["lock-out:C"], ["lock-out:D"])
    nowhere = QuotaSpec(id="none", where={"zone": 1}, min=1)
    with pytest.raises(UnknownName, match="candidates have no column 'zone'"):
        build(replace(problem, spec=problem.spec.model_copy(update={"quotas": (nowhere,)})))


def test_what_goes_unserved_has_its_price() -> None:
    # The dam lacks 2 of 12: at 3 a unit that costs 6, which is 0.06 points.
    spec = {"count": 2, "cost_per_score_point": 100.0, "shortfall": {"water": 3.0}}
    problem = _rows({"A": 0.9, "B": 0.8}, {"A": 6.0, "B": 6.0}, {"dam": 10.0}, spec)
    plan = solve(build(problem))
    assert plan.record.objective == pytest.approx(1.7 - 0.06)
    assert plan.shortfall["water"].sum() == 2.0
    short = plan.supply[plan.supply["kind"] == "shortfall"]
    assert short["amount"].sum() == 2.0
    assert plan.cost == short["cost"].sum() == 6.0
    without = problem.spec.model_copy(update={"shortfall": {}})
    assert solve(build(replace(problem, spec=without))).status == "infeasible"
    with pytest.raises(ValidationError, match="nothing weighs"):
        PortfolioSpec(count=1, shortfall={"water": 1.0})
    with pytest.raises(UnknownName, match="'heat'"):
        other = problem.spec.model_copy(update={"shortfall": {"heat": 1.0}})
        build(replace(problem, spec=other))


def test_locks_by_place() -> None:
    boxes = gpd.GeoSeries(
        {"A": shapely.box(50, 30, 51, 31), "B": shapely.box(50.5, 30, 51.5, 31)}, crs="EPSG:4326"
    )
    score = pd.Series({"A": 0.4, "B": 0.6})
    here = [Place(lon=50.7, lat=30.5)]
    assert places_to_sites(here, boxes, score, every=False, where="lock_in") == {"B"}
    assert places_to_sites(here, boxes, score, every=True, where="lock_out") == {"A", "B"}
    by_id = [Place(site_id="A")]
    assert places_to_sites(by_id, boxes, score, every=False, where="lock_in") == {"A"}
    with pytest.raises(UnknownName, match="no candidate lies at lon 60, lat 30"):
        places_to_sites([Place(lon=60, lat=30)], boxes, score, every=False, where="lock_in")
    with pytest.raises(ValidationError, match="give either"):
        Place(lon=1.0)


# --- routes -----------------------------------------------------------------------------------


def test_lines_follow_the_paths_that_are_given() -> None:
    line = {"max_km": 300, "cost_per_km": 10.0}
    straight = SupplySpec.model_validate({"water": line, "power": line, "wastewater": line})
    path = straight.water.model_copy(update={"route": "least_cost"})
    supply = straight.model_copy(update={"water": path})
    sites = pd.DataFrame({"site_id": ["A", "B"], "lon": [50.0, 50.5], "lat": [30.0, 30.0]})
    sources = pd.DataFrame(
        {"source_id": ["d", "g"], "resource": ["water", "power"], "headroom": [9.0, 9.0],
         "unit": ["m3/day", "MVA"], "lon": [50.2, 50.2], "lat": [30.1, 30.1]}
    )  # fmt: skip
    asked: list[pd.DataFrame] = []

    def routes(pairs: pd.DataFrame) -> pd.DataFrame:
        asked.append(pairs)
        km = [40.0, float("nan")]
        return pairs.drop(columns="distance_km").assign(route_km=km, route_cost_km=[55.0, 1.0])

    table = links(sites, sources, supply, routes=routes)
    assert len(asked) == 1
    assert asked[0]["resource"].to_list() == ["water", "water"]
    water = table[table["resource"] == "water"]
    assert water["site_id"].to_list() == ["A"], "B has no path, so it has no line"
    assert (water["route_km"].item(), water["line_cost"].item()) == (40.0, 550.0)
    power = table[table["resource"] == "power"]
    assert power["route_km"].to_numpy() == pytest.approx(power["distance_km"].to_numpy() * 1.3)
    with pytest.raises(InputError, match="no paths are given"):
        links(sites, sources, supply)


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "what"),
    [
        ({"levels": [0.5, 1.2]}, "level 1.2"),
        ({"levels": [0.5, 0.5]}, "twice"),
        ({"levels": [0.5, 1.0], "level_benefit": [1.0]}, "1 shares for 2 levels"),
        ({"quotas": [{"id": "q", "regions": ["N"]}]}, "no limit"),
        ({"quotas": [{"id": "q", "min": 1}]}, "no group"),
        ({"quotas": [{"id": "q", "regions": ["N"], "min": 3, "max": 2}]}, "above its most"),
    ],
)
def test_a_specification_that_cannot_be_is_an_error(spec: dict[str, Any], what: str) -> None:
    with pytest.raises(ValidationError, match=what):
        PortfolioSpec.model_validate({"count": 2, **spec})


def test_no_candidate_is_served() -> None:
    problem = replace(_pair(), sources=_pair().sources.assign(headroom=0.0))
    plan = solve(build(problem))
    assert plan.status == "infeasible"
    assert not plan.served_alone.any()
    moves = relax(problem)
    assert {m.limit.partition(":")[0] for m in moves[:-1]} <= {"headroom", "supply"}
    assert solve(build(apply(problem, moves[:-1]))).chosen


# --- published, and the clock -----------------------------------------------------------------


def test_ends_of_the_epsilon_constraint_example() -> None:
    # Mavrotas 2009 (doi:10.1016/j.amc.2009.03.037): max x1, max 3 x1 + 4 x2 with x1 ≤ 20,
    # x2 ≤ 40, 5 x1 + 4 x2 ≤ 200; the lexicographic payoff is (20, 160) and (8, 184).
    cols = Columns()
    x1, x2 = cols.column("x1", cost=1.0, upper=20.0), cols.column("x2", upper=40.0)
    cols.row("both", [(x1, 5.0), (x2, 4.0)], upper=200.0)
    program = cols.program()
    goals = ({x1: 1.0}, {x1: 3.0, x2: 4.0})

    def best(program: Program, goal: dict[int, float]) -> float:
        cost = np.array([goal.get(c, 0.0) for c in range(2)])
        found = maximise(replace(program, cost=cost), gap=0.0, time_limit_s=5.0).objective
        assert found is not None
        return found

    ends = []
    for first, second in (goals, goals[::-1]):
        top = best(program, first)
        other = best(program.with_row("held", first, top, np.inf), second)
        ends.append((top, other) if first is goals[0] else (other, top))
    assert ends[0] == pytest.approx((20.0, 160.0))
    assert ends[1] == pytest.approx((8.0, 184.0))


def test_a_second_is_enough_for_a_plan_that_keeps_its_limits() -> None:
    how = {"line_cost": 1e5, "cost_per_score_point": 2e8, "tightness": 2.0, "basins": True}
    problem = instance(400, levels=(0.5, 1.0), reinforcement=1e6, time_limit_s=1.0, **how)
    plan = solve(build(problem))
    assert plan.status in ("time-limit", "within-gap", "optimal")
    assert len(plan.chosen) == 15
    assert plan.record.gap is not None
    assert (plan.caps["used"] <= plan.caps["max"]).all()
    used = plan.sources[plan.sources["kind"] == "dam"]
    raised = used["headroom"] + used["modules"] * 5_000
    assert (used["used"] <= raised + 1e-9).all()
    full = plan.supply.groupby(["site_id", "resource"])["amount"].sum().unstack()
    wanted = plan.demand.loc[full.index]
    assert np.allclose(full[["water", "power", "wastewater"]], wanted, rtol=1e-9)
