"""Checks of the chosen set: count, ranks, caps, quota, spacing, cost and the solver's record."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np

from geoplan.studies.distance import edge_km
from geoplan.studies.evidence import Evidence, NotSo

__all__ = ["CHECKS"]

_SPACING_M = 2.0
"""Edges are straight on the grid and in the file in degrees; they differ by less than this, m."""


def _count(e: Evidence) -> str:
    chosen, wanted = e.chosen, int(e.scenario["portfolio"]["count"])
    if len(set(chosen)) < len(chosen):
        raise NotSo("a site occurs twice in portfolio.csv")
    if not chosen and e.document.get("status") in ("infeasible", "time-limit"):
        return f"no plan: the run says {e.document['status']}"
    if len(chosen) != wanted:
        raise NotSo(f"{len(chosen)} sites are chosen, {wanted} were asked for")
    return f"{wanted} sites"


def _ranks(e: Evidence) -> str:
    table = e.table("ranking")
    if table["site_id"].duplicated().any():
        raise NotSo("a site occurs twice in ranking.csv")
    if table["rank"].to_list() != list(range(1, len(table) + 1)):
        raise NotSo("ranks are not 1, 2, 3 … in the order of the rows")
    step = np.diff(table["score"].to_numpy(dtype=float))
    if (step > 1e-9).any():
        k = int(np.argmax(step > 1e-9))
        raise NotSo(f"rank {k + 2} has a higher score than rank {k + 1}")
    if not table["score"].between(0, 1).all():
        raise NotSo("a score is not between 0 and 1")
    return f"{len(table):,} candidates, best first"


def _agree(e: Evidence) -> str:
    ranking, portfolio = e.ranking, e.table("portfolio").set_index("site_id")
    flagged = set(ranking.index[ranking["in_portfolio"]])
    if flagged != set(portfolio.index):
        odd = sorted(flagged ^ set(portfolio.index))[0]
        raise NotSo(f"site {odd} is chosen in one of ranking.csv and portfolio.csv only")
    shared = ["area_ha", "score", *[c for c in portfolio.columns if c in _same(ranking.columns)]]
    for column in dict.fromkeys(shared):
        left, right = portfolio[column], ranking.loc[portfolio.index, column]
        differs = left.ne(right) & ~(left.isna() & right.isna())
        if differs.any():
            raise NotSo(f"{column} of site {differs.idxmax()} differs from ranking.csv")
    if set(e.sites.index) != set(ranking.index):
        odd = sorted(set(e.sites.index) ^ set(ranking.index))[0]
        raise NotSo(f"site {odd} is in one of ranking.csv and sites.gpkg only")
    if not ranking.loc[portfolio.index, "served_alone"].all():
        raise NotSo("a chosen site is marked as one that cannot be served even alone")
    return "portfolio.csv, ranking.csv and sites.gpkg name the same sites and figures"


def _same(columns: list[str]) -> set[str]:
    ends = ("_code", "_m3_per_day", "_mva")
    return {c for c in columns if c.endswith(ends)}


def _region_cap(e: Evidence) -> str:
    spec = e.scenario["portfolio"]
    cap = spec.get("per_region_max")
    if cap is None:
        return "no cap was asked for"
    codes = e.table("portfolio")[f"region{spec.get('region_level', 1)}_code"]
    per = codes[codes != ""].value_counts()
    if len(per) and per.iloc[0] > cap:
        raise NotSo(f"region {per.index[0]} has {per.iloc[0]} sites, the most allowed is {cap}")
    return f"at most {cap} in a region"


def _quota(e: Evidence) -> str:
    spec = e.scenario["portfolio"]
    chosen = e.chosen
    share = float(spec.get("less_industrialised_share_min") or 0)
    if not chosen or share == 0:
        return "no share was asked for" if share == 0 else "no plan"
    needed = math.ceil(share * int(spec["count"]) - 1e-9)
    have = int(e.ranking.loc[chosen, "less_industrialised"].sum())
    if have < needed:
        raise NotSo(f"{have} sites lie in less-industrialised regions, {needed} are needed")
    return f"{have} of {len(chosen)} in less-industrialised regions, {needed} needed"


def _spacing(e: Evidence) -> str:
    spacing = float(e.scenario["portfolio"].get("spacing_km") or 0)
    sites = e.sites.geometry
    nearest = math.inf
    for a, b in itertools.combinations(e.chosen, 2):
        km = edge_km(sites[a], sites[b])
        nearest = min(nearest, km)
        if km * 1000 < spacing * 1000 - _SPACING_M:
            raise NotSo(f"{a} and {b} are {km:.3f} km apart, {spacing:g} km are asked for")
        if spacing == 0 and sites[a].intersection(sites[b]).area > 0:
            raise NotSo(f"{a} and {b} overlap")
    return f"nearest edges {nearest:.2f} km, {spacing:g} asked for" if e.chosen else "no plan"


def _budget(e: Evidence) -> str:
    table = e.table("portfolio")
    supply = e.table("supply").groupby("site_id")["cost"].sum()
    for site, cost in zip(table["site_id"], table["cost"], strict=True):
        summed = float(supply.get(site, 0.0))
        if abs(summed - cost) > 1e-6 * max(abs(cost), 1) + 0.5:
            raise NotSo(f"site {site} costs {cost:,.2f}, its supply {summed:,.2f}")
    total = float(table["cost"].sum())
    budget = e.scenario["portfolio"].get("budget")
    if budget is not None and total > float(budget) * (1 + 1e-9) + 0.01 * len(table):
        raise NotSo(f"the plan costs {total:,.2f}, the budget is {budget:,.2f}")
    within = "" if budget is None else f", within {budget:,.0f}"
    return f"total cost {total:,.0f}{within}"


def _solver(e: Evidence) -> str:
    record = e.document["solver"]
    if not e.chosen:
        if record["status"] not in ("infeasible", "time-limit"):
            raise NotSo(f"no site is chosen, yet the solver says {record['status']}")
        return f"no plan: {record['status']}"
    table = e.table("portfolio")
    price = e.scenario["portfolio"].get("cost_per_score_point")
    value = float(table["score"].sum()) - (float(table["cost"].sum()) / price if price else 0.0)
    objective, bound, gap = record["objective"], record["bound"], record["gap"]
    if abs(value - objective) > 1e-5 * len(table):
        raise NotSo(f"the solver's objective is {objective:.6f}, the chosen sites give {value:.6f}")
    if bound < objective - 1e-9:
        raise NotSo(f"the bound {bound:.6f} is below the objective {objective:.6f}")
    true_gap = (bound - objective) / max(abs(objective), 1e-12)
    if abs(true_gap - gap) > 1e-9 + 1e-6 * abs(gap):
        raise NotSo(f"the gap is recorded as {gap:.3g}, bound and objective give {true_gap:.3g}")
    status = record["status"]
    asked = float(e.scenario["portfolio"].get("gap", 0))
    if status in ("optimal", "within-gap") and gap > max(asked, 1e-6) * (1 + 1e-6) + 1e-9:
        raise NotSo(f"'{status}' is claimed with a gap of {gap:.3g}, {asked:.3g} was asked for")
    return f"{status}, objective {objective:.4f}, bound {bound:.4f}, gap {gap:.2e}"


def _exclusions(e: Evidence) -> str:
    table = e.table("exclusions")
    rules = [r["id"] for r in e.scenario.get("exclude", [])]
    if sorted(table["rule"]) != sorted(rules):
        raise NotSo("exclusions.csv does not list the scenario's rules, each once")
    bad = table[
        ~((table["area_ha_alone"] + 0.01 >= table["area_ha_only"]) & (table["area_ha_only"] >= 0))
    ]
    if len(bad):
        raise NotSo(f"rule {bad['rule'].iloc[0]} removes more by itself only than alone")
    return f"{len(rules)} rules"


def _contributions(e: Evidence) -> str:
    table = e.ranking
    weights = {k: float(v) for k, v in e.document["weights"].items()}
    if abs(sum(weights.values()) - 1) > 1e-9:
        raise NotSo(f"the weights sum to {sum(weights.values()):.9f}, not 1")
    parts = table[[f"{name}_contribution" for name in weights]]
    off = (parts.sum(axis=1) - table["score"]).abs()
    if (off > 5e-6 * max(len(weights), 1)).any():
        raise NotSo(f"the contributions of site {off.idxmax()} do not sum to its score")
    for name, weight in weights.items():
        off = (weight * table[f"{name}_value"] - table[f"{name}_contribution"]).abs()
        if (off > 5e-6).any():
            raise NotSo(f"{name}: contribution of site {off.idxmax()} is not weight × value")
    return f"{len(weights)} criteria sum to the score of every candidate"


CHECKS: tuple[tuple[str, Callable[[Evidence], str]], ...] = (
    ("count", _count),
    ("ranks", _ranks),
    ("agreement", _agree),
    ("contributions", _contributions),
    ("region caps", _region_cap),
    ("quota", _quota),
    ("spacing", _spacing),
    ("cost and budget", _budget),
    ("solver", _solver),
    ("exclusions", _exclusions),
)
"""Name and question of each check."""
