"""The front of plans against trying every set of sites, and what the study says of it."""

from __future__ import annotations

import itertools
import json
import math
import re
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from example_result import example_profile, example_result
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.optimize import linprog

from geoplan.catalogue.equity import EquitySpec
from geoplan.catalogue.scenario import PortfolioSpec, ResourceSupply
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError, UnknownName
from geoplan.regions import IndexResult
from geoplan.regions.inequality import gini, hoover
from geoplan.report.language import Language
from geoplan.report.pareto_picture import pareto_svg
from geoplan.report.pareto_tables import pareto_csv
from geoplan.siting.equity import EquityTerms, equity_of
from geoplan.siting.front import EFFICIENCY_STEP, front_of_plans
from geoplan.siting.portfolio import build, solve
from geoplan.siting.problem import PortfolioProblem, prepare
from geoplan.siting.spacing import Conflicts
from geoplan.studies.equity import PARETO_COLUMNS, front_of

SITES = [f"S{k}" for k in range(8)]
REGIONS = ("A", "B", "C", "D")


def _problem(seed: int, *, single: bool = False, **spec: Any) -> PortfolioProblem:
    """Eight sites in four regions, three of water's sources, two pairs too near."""
    rng = np.random.default_rng(seed)
    demand = rng.integers(10, 40, len(SITES)).astype(float)
    headroom = rng.integers(20, 70, 3).astype(float)
    lines = [(j, s) for j in range(len(SITES)) for s in range(3) if rng.random() < 0.7]
    pairs = rng.choice(len(SITES), (2, 2), replace=False)
    sites = pd.DataFrame(
        {
            # Few distinct scores, so that plans tie.
            "score": rng.integers(3, 9, len(SITES)) / 10,
            "region": [REGIONS[k] for k in rng.integers(0, 4, len(SITES))],
            "less_industrialised": rng.random(len(SITES)) < 0.5,
        },
        index=pd.Index(SITES, name="site_id"),
    )
    price = float(rng.integers(1, 4))
    return PortfolioProblem(
        sites=sites,
        demand=pd.DataFrame({"water_m3_per_day": demand}, index=sites.index),
        links=pd.DataFrame(
            [
                (SITES[j], "water", f"w{s}", 1.0 + s, 1.0 + s, price * (1 + s + j % 3), 0.0)
                for j, s in lines
            ],
            columns=[
                "site_id", "resource", "source_id", "distance_km", "route_km", "line_cost",
                "unit_cost",
            ],
        ),
        sources=pd.DataFrame(
            {
                "source_id": [f"w{s}" for s in range(3)],
                "resource": "water",
                "headroom": headroom,
                "unit": "m3/day",
                "basis": "metered",
            }
        ),
        conflicts=Conflicts.of_pairs(
            pd.DataFrame([(SITES[a], SITES[b]) for a, b in pairs], columns=["a", "b"]).assign(
                distance_km=1.0
            )
        ),
        spec=PortfolioSpec.model_validate(
            {"count": 3, "per_region_max": 2, "gap": 0.0, "time_limit_s": 60.0, **spec}
        ),
        supply={"water": ResourceSupply(max_km=100.0, single_source=single)},
    )  # fmt: skip


def _least_cost(problem: PortfolioProblem, chosen: tuple[str, ...], *, single: bool) -> float:
    """Return the least cost of the lines that serve a set, by trying every set of lines."""
    links = problem.links[problem.links["site_id"].isin(chosen)]
    room = problem.sources.set_index("source_id")["headroom"]
    need = problem.demand["water_m3_per_day"]
    rows = list(links[["site_id", "source_id", "line_cost"]].itertuples(index=False))
    best = math.inf
    for used in itertools.product((0, 1), repeat=len(rows)):
        lines = [r for r, u in zip(rows, used, strict=True) if u]
        cost = sum(r.line_cost for r in lines)
        if cost >= best or any(s not in {r.site_id for r in lines} for s in chosen):
            continue
        if single:
            if len(lines) > len(chosen):
                continue
            load = {q: sum(need[r.site_id] for r in lines if r.source_id == q) for q in room.index}
            fits = all(load[q] <= room[q] for q in room.index)
        else:
            equal = [[float(r.site_id == s) for r in lines] for s in chosen]
            below = [[float(r.source_id == q) for r in lines] for q in room.index]
            fits = linprog(
                [0.0] * len(lines), A_eq=equal, b_eq=[need[s] for s in chosen], A_ub=below,
                b_ub=room.to_numpy(),
            ).success  # fmt: skip
        if fits:
            best = cost
    return best


def _terms(objective: str, problem: PortfolioProblem, seed: int) -> EquityTerms:
    rng = np.random.default_rng(seed + 1)
    region = problem.sites["region"].map({c: k for k, c in enumerate(REGIONS)})
    return EquityTerms(
        objective,  # type: ignore[arg-type]
        benefit=rng.integers(1, 9, len(SITES)) * 100.0,
        region=region.to_numpy(dtype=np.int64),
        codes=REGIONS,
        population=rng.integers(1, 9, 4) * 1000.0,
        base=rng.integers(0, 20, 4) * 100.0,
        industrialisation=rng.integers(0, 11, 4) / 10,
        targets=rng.integers(0, 12, 4) * 100.0
        if objective == "shortfall" and seed % 2
        else None,
    )  # fmt: skip


def _worth(terms: EquityTerms, chosen: tuple[int, ...]) -> float:
    """Return the equity of a plan, larger is better, by other code than the product's."""
    got = np.zeros(4)
    for j in chosen:
        got[terms.region[j]] += terms.benefit[j]
    if terms.objective == "deprivation":
        return sum(
            terms.benefit[j] * (1 - terms.industrialisation[terms.region[j]]) for j in chosen
        )
    if terms.objective == "shortfall":
        share = terms.population / terms.population.sum()
        target = share * got.sum() if terms.targets is None else terms.targets
        return -max(0.0, *(target - got))
    per_person = (terms.base + got) / terms.population
    measure = gini if terms.objective == "gini" else hoover
    return -measure(per_person, weights=terms.population)


def _front_by_hand(
    problem: PortfolioProblem, terms: EquityTerms, *, single: bool
) -> list[tuple[int, int]]:
    """Return the front by trying every set of sites; count, cap, quota, spacing, supply."""
    sites, spec = problem.sites, problem.spec
    near = {frozenset(p) for p in problem.conflicts.pairs[["a", "b"]].to_numpy().tolist()}
    pairs = set()
    for chosen in itertools.combinations(range(len(SITES)), spec.count):
        names = tuple(SITES[j] for j in chosen)
        if any(frozenset(p) in near for p in itertools.combinations(names, 2)):
            continue
        mine = sites.loc[list(names)]
        if mine["region"].value_counts().max() > (spec.per_region_max or 99):
            continue
        if mine["less_industrialised"].sum() < problem.quota:
            continue
        cost = _least_cost(problem, names, single=single)
        if cost > (math.inf if spec.budget is None else spec.budget) or cost == math.inf:
            continue
        points = mine["score"].sum() - (
            cost / spec.cost_per_score_point if spec.cost_per_score_point else 0
        )
        pairs.add((
            math.floor(points / EFFICIENCY_STEP + 0.5),
            math.floor(_worth(terms, chosen) / terms.step + 0.5),
        ))  # fmt: skip
    return sorted(
        (
            p
            for p in pairs
            if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in pairs)
        ),
        reverse=True,
    )  # fmt: skip


def _pairs(front: Any, terms: EquityTerms) -> list[tuple[int, int]]:
    sign = 1 if terms.objective == "deprivation" else -1
    return [
        (
            math.floor(p.worth.efficiency / EFFICIENCY_STEP + 0.5),
            math.floor(sign * p.worth.equity / terms.step + 0.5),
        )
        for p in front.points
    ]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.integers(0, 10**6),
    st.sampled_from(["deprivation", "shortfall", "gini", "deviation"]),
    st.booleans(),
)
def test_fronts_against_every_set_of_sites(seed: int, objective: str, single: bool) -> None:
    problem = _problem(seed, single=single, less_industrialised_share_min=0.3)
    terms = _terms(objective, problem, seed)
    expected = _front_by_hand(problem, terms, single=single)
    front = front_of_plans(prepare(problem), terms, points="all")
    assert _pairs(front, terms) == expected
    if expected:
        assert (front.status, front.complete) == ("exact", True)
        even = front_of_plans(prepare(problem), terms, points=3)
        assert set(_pairs(even, terms)) <= set(expected)
    else:
        assert front.status == "infeasible"


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("how", [{"cost_per_score_point": 40.0}, {"budget": 14.0}])
def test_cost_counts_against_efficiency(seed: int, how: dict[str, float]) -> None:
    problem = _problem(seed, **how)
    terms = _terms("deprivation", problem, seed)
    front = front_of_plans(prepare(problem), terms, points="all")
    assert _pairs(front, terms) == _front_by_hand(problem, terms, single=False)
    for p in front.points:
        assert p.worth.cost == pytest.approx(_least_cost(problem, p.sites, single=False))


def test_what_changes_between_neighbours() -> None:
    problem = _problem(3)
    terms = _terms("deprivation", problem, 3)
    front = front_of_plans(prepare(problem), terms, points="all")
    assert len(front.points) > 1
    assert front.points[0].entering == front.points[0].leaving == ()
    for a, b in itertools.pairwise(front.points):
        assert set(a.sites) - set(b.leaving) | set(b.entering) == set(b.sites)
        assert len(b.entering) == len(b.leaving) > 0
        assert a.worth.efficiency > b.worth.efficiency
        assert a.worth.equity < b.worth.equity
    assert front.index_of(front.points[1].chosen) == 1


def test_equity_by_hand() -> None:
    # Two regions of 1 and 3 people with 30 and 30; the plan brings 40 to the second.
    def of(objective: str, **more: Any) -> float:
        terms = EquityTerms(
            objective,  # type: ignore[arg-type]
            benefit=np.array([40.0, 10.0]),
            region=np.array([1, -1]),
            codes=("a", "b"),
            population=np.array([1.0, 3.0]),
            base=np.array([30.0, 30.0]),
            industrialisation=np.array([0.9, 0.25]),
            **more,
        )
        return equity_of(terms, [0, 1])

    assert of("deprivation") == pytest.approx(30.0)
    # By people the first should have 10 of the 40; the site outside all regions counts nowhere.
    assert of("shortfall") == pytest.approx(10.0)
    assert of("shortfall", targets=np.array([5.0, 55.0])) == pytest.approx(15.0)
    # Shares .3 and .7 of 100 against .25 and .75 of the people.
    assert of("deviation") == pytest.approx(0.05)
    assert of("gini") == pytest.approx(gini([30, 70 / 3], weights=[1, 3]))


def test_too_many_pairs_name_the_other_measure() -> None:
    n = 80
    problem = _problem(0)
    terms = EquityTerms(
        "gini",
        benefit=np.full(len(SITES), 1e6),
        region=np.arange(len(SITES)),
        codes=tuple(f"R{k:03d}" for k in range(n)),
        population=np.ones(n),
        base=np.ones(n),
    )
    few = front_of_plans(prepare(problem), terms, points=2)
    assert few.points
    wide = EquityTerms(
        "gini",
        benefit=np.full(80, 1e6),
        region=np.arange(80),
        codes=terms.codes,
        population=np.ones(n),
        base=np.arange(n) + 1.0,
    )
    sites = pd.concat([problem.sites] * 10)
    sites.index = pd.Index([f"T{k:02d}" for k in range(80)], name="site_id")
    big = PortfolioProblem(
        sites=sites,
        demand=pd.DataFrame({"water_m3_per_day": 0.0}, index=sites.index),
        links=problem.links.iloc[:0],
        sources=problem.sources,
        conflicts=Conflicts.none(),
        spec=problem.spec,
        supply=problem.supply,
    )
    with pytest.raises(RangeError, match="deviation") as caught:
        front_of_plans(prepare(big), wide)
    assert "3160 pairs of 80 regions" in str(caught.value)


@pytest.mark.parametrize(
    ("given_", "word"),
    [
        ({"points": 1}, "write 2 to 101, or all"),
        ({"points": "some"}, "points"),
        ({"objective": "theil"}, "deprivation"),
        ({"targets": {"01": 5}}, "objective: shortfall"),
        ({"objective": "shortfall", "targets": {}}, "targets is empty"),
        ({"objective": "shortfall", "targets": {"01": -5}}, "target of region 01 is -5"),
        ({"objective": "shortfall", "base": "industrial_jobs"}, "base has no meaning"),
        ({"weight": 3}, "Extra inputs"),
        ({"time_limit_s": 0}, "greater than 0"),
    ],
)
def test_what_a_scenario_may_not_ask(given_: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        EquitySpec.model_validate(given_)


def test_what_a_scenario_may_ask() -> None:
    spec = EquitySpec.model_validate({})
    assert (spec.objective, spec.points, spec.measure, spec.level) == ("deprivation", 11, "jobs", 1)
    given_ = {"objective": "shortfall", "targets": {"01": 5000}, "points": "all"}
    assert EquitySpec.model_validate(given_).targets == {"01": 5000.0}


# --- the study, its table and its picture -----------------------------------------------------


def _country() -> tuple[pd.DataFrame, IndexResult, pd.DataFrame]:
    """Four counties of two provinces; the fourth has no figure of industry."""
    regions = pd.DataFrame(
        {
            "code": ["P", "Q", *REGIONS],
            "parent_code": [None, None, "P", "P", "Q", "Q"],
            "level": [1, 1, 2, 2, 2, 2],
            "name_en": ["Up", "Low", *REGIONS],
            "name_local": ["بالا", "پایین", *REGIONS],
            "population": [300.0, 700.0, 100.0, 200.0, 300.0, 400.0],
        }
    )
    index = pd.DataFrame(
        {
            "industrialisation": [0.2, 0.8, 0.4, np.nan],
            "coverage": [1.0, 1.0, 1.0, 0.2],
            "rank": [3.0, 1.0, 2.0, np.nan],
            "less_industrialised": pd.array([True, False, False, None], dtype="boolean"),
        },
        index=pd.Index(REGIONS, name="code"),
    )
    facts = pd.DataFrame(
        {
            "level": 2,
            "region_code": ["A", "B", "C"],
            "variable": "industrial_jobs",
            "value": [1000.0, 4000.0, 3000.0],
            "unit": "jobs",
            "as_of": "1401",
            "source": "census",
        }
    )
    return regions, IndexResult(index, pd.DataFrame(), "index"), facts


def _study(
    seed: int = 3, *, plan_spec: dict[str, Any] | None = None, **equity: Any
) -> tuple[pd.DataFrame, dict[str, Any], tuple[Text, ...]]:
    problem = _problem(seed, **(plan_spec or {}))
    regions, index, facts = _country()
    frame = pd.DataFrame(
        {
            "jobs": np.arange(1.0, 9.0) * 500,
            "area_ha": np.arange(9.0, 1.0, -1) * 100,
            "region2_code": problem.sites["region"],
            "region1_code": problem.sites["region"].map({"A": "P", "B": "P", "C": "Q", "D": "Q"}),
        },
        index=problem.sites.index,
    )
    scenario = example_result().scenario.model_copy(
        update={"equity": EquitySpec.model_validate(equity)}
    )
    return front_of(
        problem, frame, scenario, regions, facts, index=index, profile=example_profile(),
        plan=solve(build(problem)),
    )  # fmt: skip


def test_the_study_of_a_small_country() -> None:
    rows, document, notices = _study(
        objective="gini", level=2, base="industrial_jobs", points="all"
    )
    assert tuple(rows.columns) == PARETO_COLUMNS
    assert document["status"] == "exact"
    assert document["complete"]
    # By hand: A, B and C have 10, 20 and 10 jobs a person; D is not known and left out.
    before = gini([10, 20, 10], weights=[100, 200, 300])
    assert rows["gini_before"].tolist() == pytest.approx([before] * len(rows))
    # What was optimised is what is reported, counted by other code.
    assert rows["gini_after"].to_numpy() == pytest.approx(rows["equity"].to_numpy(), abs=1e-9)
    assert [r["counted"] for r in document["regions"]] == [True, True, True, False]
    assert document["regions"][3]["before"] is None
    assert "1 of 4 regions lack a figure" in notices[0].en
    assert "۱ منطقه از ۴ منطقه" in str(notices[0].fa)
    # The plan is the most efficient, so it stands on the front or is worth as much as its end.
    assert document["plan"]["efficiency"] == pytest.approx(rows["efficiency"].iloc[0])
    json.dumps(document, allow_nan=False)


def test_a_coarser_level_sums_what_is_known_of_every_part() -> None:
    rows, document, _ = _study(objective="deviation", level=1, base="industrial_jobs")
    by_code = {r["code"]: r for r in document["regions"]}
    assert by_code["P"]["before"] == 5000.0
    # C alone would pass for the whole of Q.
    assert by_code["Q"]["before"] is None
    assert not by_code["Q"]["counted"]
    assert set(rows["equity"]) == {0.0}
    # The province's index is the mean of its counties weighted by people: (20 + 160) / 300.
    assert by_code["P"]["industrialisation"] == pytest.approx(0.6)


def test_a_site_built_in_part_brings_its_part() -> None:
    # The half size scores more and brings less, so both sizes are on the front.
    plan = {"levels": (1.0, 0.5), "level_benefit": (0.8, 1.0)}
    rows, document, _ = _study(level=2, points="all", plan_spec=plan)
    lack = {"A": 0.8, "B": 0.2, "C": 0.6}
    regions = _problem(3).sites["region"]
    halves = 0
    for sites, equity in zip(rows["sites"], rows["equity"], strict=True):
        whole = [500 * (SITES.index(s) + 1) * lack.get(regions[s], 0.0) for s in sites.split()]
        sums = {  # by hand, for every way to build each site whole or in half
            levels: sum(w * k for w, k in zip(whole, levels, strict=True))
            for levels in itertools.product((1.0, 0.5), repeat=len(whole))
        }
        fits = [levels for levels, total in sums.items() if total == pytest.approx(equity)]
        assert fits, (sites, equity)
        halves += all(0.5 in levels for levels in fits)
    assert halves > 0
    assert document["plan"]["efficiency"] == pytest.approx(rows["efficiency"].iloc[0])


def test_targets_and_deprivation_of_a_small_country() -> None:
    rows, document, notices = _study(
        objective="shortfall", level=2, targets={"A": 3000.0, "D": 1000.0}, points=3
    )
    got = document["points"][0]["gained"]
    lack = max(3000 - got.get("A", 0.0), 1000 - got.get("D", 0.0), 0.0)
    assert rows["equity"].iloc[0] == pytest.approx(lack)
    assert all("lack a figure" not in n.en for n in notices)
    rows, _, _ = _study(level=2, measure="area_ha", points="all")
    assert rows["efficiency"].is_monotonic_decreasing
    assert rows["equity"].is_monotonic_increasing
    assert rows["theil_t_before"].isna().all()


@pytest.mark.parametrize(
    ("equity", "word"),
    [
        ({"base": "steel", "objective": "gini"}, "known: industrial_jobs"),
        ({"objective": "shortfall", "targets": {"Z": 1.0}, "level": 2}, "the code 'Z'"),
        ({"level": 3}, "no regions of level 3"),
        ({"population": "souls", "level": 2}, "fact 'souls'"),
    ],
)
def test_what_the_data_do_not_hold(equity: dict[str, Any], word: str) -> None:
    with pytest.raises(UnknownName) as caught:
        _study(**equity)
    assert word in str(caught.value)
    assert caught.value.where.startswith("equity")
    assert caught.value.remedy


def test_the_table_of_a_front() -> None:
    rows, _, _ = _study(objective="gini", level=2, base="industrial_jobs", points="all")
    lines = pareto_csv(rows, currency="IRR").decode().splitlines()
    assert lines[0] == (
        "point,efficiency,equity,gap,proven,cost,currency,benefit,share_less_industrialised,"
        "gini_before,gini_after,theil_t_before,theil_t_after,is_plan,sites,entering,leaving"
    )
    assert len(lines) == len(rows) + 1
    assert lines[1].startswith(f"1,{rows['efficiency'].iloc[0]:.6f},")
    assert pareto_csv(rows.iloc[:0], currency="IRR").decode() == lines[0] + "\n"


@pytest.mark.parametrize("code", ["en", "fa"])
def test_the_picture_of_a_front(code: str) -> None:
    _, document, _ = _study(objective="gini", level=2, base="industrial_jobs", points="all")
    language = Language(code)
    picture = pareto_svg(document, language)
    assert picture == pareto_svg(json.loads(json.dumps(document)), language)
    root = ElementTree.fromstring(picture)
    name = "{http://www.w3.org/2000/svg}"
    marks = list(root.findall(f"{name}circle"))
    assert len(marks) == len(document["points"])
    across = [float(c.get("cx", "")) for c in marks]
    # Fairer is to the reading end, also where less of the number is fairer.
    assert across == sorted(across, reverse=code == "fa")
    assert [float(c.get("cy", "")) for c in marks] == sorted(float(c.get("cy", "")) for c in marks)
    text = "".join(root.itertext())
    assert any(d in text for d in "۰۱۲۳۴۵۶۷۸۹") == (code == "fa")
    assert (re.search("[0-9]", text) is None) == (code == "fa")
    assert ("Gini of jobs per person" in text) == (code == "en")
    empty = pareto_svg({**document, "points": []}, language)
    assert ElementTree.fromstring(empty).find(f"{name}circle") is None
