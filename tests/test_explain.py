"""Why a site is in or out, on small plans worked by hand."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pandas as pd
from test_demand import _profile
from test_portfolio import _pair
from test_relax import _grid

from geoplan.catalogue.scenario import Criterion
from geoplan.siting.explain import explain
from geoplan.siting.portfolio import PortfolioProblem, build, solve
from geoplan.siting.result import Reason

CRITERIA = {
    "road": Criterion.model_validate(
        {
            "measure": "distance",
            "layer": "roads",
            "title": {"en": "Road access", "fa": "دسترسی به راه"},
        }
    ),
    "slope": Criterion.model_validate({"measure": "raster", "raster": "slope"}),
}


def _explain(problem: PortfolioProblem, **columns: Any) -> dict[str, dict[str, Reason]]:
    plan = solve(build(problem))
    order = problem.sites["score"].sort_values(ascending=False).index
    frame = pd.DataFrame({"rank": range(1, len(order) + 1)}, index=order).assign(**columns)
    reasons = explain(problem, plan, candidates=frame, criteria=CRITERIA, profile=_profile())
    assert set(reasons) == set(problem.sites.index)
    for lines in reasons.values():
        assert lines
        for reason in lines:
            assert reason.text.fa
            assert not re.search(
                "[0-9]", re.sub(r"[A-Z]\w*|dam|grid|town|well", "", reason.text.fa)
            )
            assert not re.search("[كي]", reason.text.fa), "Arabic letters for Persian ones"
    return {s: {r.code: r for r in lines} for s, lines in reasons.items()}


def test_chosen_says_its_sources_and_what_is_used_up() -> None:
    problem = _pair(headroom=12.0)
    problem = PortfolioProblem(
        **{**vars(problem), "sources": problem.sources.assign(basis="assumed", unit="m3/day")}
    )
    found = _explain(problem, contribution_road=[0.5, 0.4, 0.1], contribution_slope=[0.4, 0.4, 0])
    a = found["A"]
    assert a["chosen"].text.en == "Chosen. Its score is 0.900, rank 1 of 3 candidates."
    assert a["chosen"].text.fa == "برگزیده شد. امتیاز آن ۰٫۹۰۰ و رتبه‌اش ۱ از ۳ نامزد است."
    assert (
        a["contributions"].text.en
        == "Most of its score comes from Road access (0.500) and slope (0.400)."
    )
    assert a["used-up"].text.en == "dam is used up: the plan takes all 12 m³/day that it may."
    plan = solve(build(problem))
    order = problem.sites.index
    lines = explain(
        problem,
        plan,
        candidates=pd.DataFrame({"rank": [1, 2, 3]}, index=order),
        criteria={},
        profile=_profile(),
    )["A"]
    supply = [r.text for r in lines if r.code == "supply"]
    assert supply[0].en == "Water: 6 m³/day from dam, 5 km away (assumed)."
    assert supply[0].fa == "آب: ۶ مترمکعب در روز از dam در ۵ کیلومتری (فرضی)."
    assert supply[2].fa == "تصفیهٔ فاضلاب: ۱ مترمکعب در روز در town به فاصلهٔ ۲ کیلومتر (فرضی)."


def test_joint_capacity_says_how_much_is_missing() -> None:
    # A takes 6 of the dam's 10; B needs 6, so 2 are missing. B could only stand where A stands.
    b = _explain(_pair())["B"]
    assert b["capacity"].text.en == (
        "Beside the chosen sites there is not enough water: 2 m³/day of the 6 m³/day that it "
        "needs would be missing."
    )
    assert b["swap"].text.en == (
        "It could take the place of A; the plan's score would fall by 0.100."
    )


def test_not_served_alone() -> None:
    problem = _pair(headroom=5.0)
    assert "5 km" not in str(problem)
    found = _explain(_pair({"count": 1}, headroom=5.0))["A"]
    assert list(found) == ["not-served"]
    assert "1 m³/day short of the 6 m³/day" in found["not-served"].text.en


def test_no_source_in_reach() -> None:
    problem = _pair({"count": 1})
    links = problem.links[problem.links["source_id"] != "well"]
    c = _explain(PortfolioProblem(**{**vars(problem), "links": links}))["C"]
    assert "no water source with headroom lies within 100 km" in c["not-served"].text.en


def test_spacing_region_quota_and_score() -> None:
    problem = _grid({"count": 2, "spacing_km": 4.0}, pairs=[("A", "B")])
    b = _explain(problem)["B"]
    assert b["spacing"].text.en == "It lies 1 km from the chosen site A; sites must be 4 km apart."
    assert b["swap"].text.en.startswith("It could take the place of A")
    problem = _grid(
        {"count": 2, "per_region_max": 1}, region={"A": "N", "B": "N", "C": "S", "D": "S"}
    )
    b = _explain(problem, region1_name_en="North", region1_name_local="شمال")["B"]
    assert b["region-cap"].text.en == (
        "North already has 1 of the chosen sites, the most that one province may have."
    )
    problem = _grid({"count": 2, "less_industrialised_share_min": 1.0}, less={"C", "D"})
    assert "quota" in _explain(problem)["A"]
    d = _explain(_grid({"count": 2}))["D"]
    assert (
        d["score"].text.en == "Its score of 0.600 is below 0.800, the lowest among the chosen (B)."
    )
    assert "fall by 0.200" in d["swap"].text.en


def test_budget_and_cost() -> None:
    dear = {"water": {"cost_per_km": 50.0}}
    problem = _grid({"count": 1, "budget": 100.0}, **dear)
    links = problem.links.copy()
    links.loc[(links["site_id"] == "A") & (links["resource"] == "water"), "line_cost"] = 500.0
    problem = PortfolioProblem(**{**vars(problem), "links": links})
    assert "would break the budget" in _explain(problem)["A"]["budget"].text.en


def test_no_plan() -> None:
    problem = _grid({"count": 2, "spacing_km": 4.0}, pairs=list(itertools.combinations("ABCD", 2)))
    assert list(_explain(problem)["A"]) == ["no-plan"]


def test_every_candidate_of_a_country_is_explained() -> None:
    from benchmarks.portfolio import instance

    problem = instance(400, tightness=2.0)
    plan = solve(build(problem))
    frame = problem.sites.assign(rank=problem.sites["score"].rank(ascending=False).astype(int))
    reasons = explain(problem, plan, candidates=frame, criteria={}, profile=_profile())
    assert len(reasons) == 400
    codes = {r.code for lines in reasons.values() for r in lines}
    assert {"chosen", "supply", "spacing", "score", "swap"} <= codes
