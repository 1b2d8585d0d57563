"""Checks of the chosen set: count, ranks, quotas, locks, levels, spacing, cost, solver's record."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pandas as pd
from shapely import Point

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
    level = _level(e)
    for column in dict.fromkeys(shared):
        left, right = portfolio[column], ranking.loc[portfolio.index, column]
        differs = left.ne(right) & ~(left.isna() & right.isna())
        if column.endswith(("_m3_per_day", "_mva")) and (level != 1).any():
            # Demand follows the level at which the site is built.
            differs = (left - right * level).abs() > 1e-6 + 1e-9 * right.abs()
        if differs.any():
            raise NotSo(f"{column} of site {differs.idxmax()} differs from ranking.csv")
    if set(e.sites.index) != set(ranking.index):
        odd = sorted(set(e.sites.index) ^ set(ranking.index))[0]
        raise NotSo(f"site {odd} is in one of ranking.csv and sites.gpkg only")
    if not ranking.loc[portfolio.index, "served_alone"].all():
        raise NotSo("a chosen site is marked as one that cannot be served even alone")
    return "portfolio.csv, ranking.csv and sites.gpkg name the same sites and figures"


def _level(e: Evidence) -> pd.Series[float]:
    """Return the level at which each chosen site is built; 1 where the file has none."""
    table = e.table("portfolio").set_index("site_id")
    if "level" not in table.columns:
        return pd.Series(1.0, index=table.index)
    level = pd.to_numeric(table["level"], errors="coerce").astype(float)
    if level.isna().any():
        raise NotSo(f"the level of site {level.isna().idxmax()} is not a number")
    return level


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


def _levels(e: Evidence) -> str:
    spec = e.scenario["portfolio"]
    level, allowed = _level(e), [float(v) for v in spec.get("levels") or [1.0]]
    for site, value in level.items():
        if not any(abs(value - v) <= 1e-9 for v in allowed):
            raise NotSo(f"site {site} is built at {value:g}, the levels are {allowed}")
    least = spec.get("area_ha_min")
    table = e.table("portfolio").set_index("site_id")
    area = float((table["area_ha"].astype(float) * level).sum())
    if e.chosen and least is not None and area < float(least) - 1e-4 * max(len(table), 1):
        raise NotSo(f"the plan has {area:,.4f} ha, {float(least):,.4f} are needed")
    wanted = "" if least is None else f", {float(least):,.1f} needed"
    return f"{area:,.1f} ha at the levels of the scenario{wanted}"


def _quotas(e: Evidence) -> str:
    """Count the chosen sites of every group that the scenario names."""
    spec, table = e.scenario["portfolio"], e.ranking
    quotas = spec.get("quotas") or []
    if not e.chosen or not quotas:
        return "no quotas were asked for" if not quotas else "no plan"
    chosen, count = table.loc[e.chosen], int(spec["count"])
    for quota in quotas:
        keep = pd.Series(True, index=chosen.index)
        for column, wanted in (quota.get("where") or {}).items():
            if column not in chosen.columns:
                raise NotSo(f"quota {quota['id']} needs the column {column} in ranking.csv")
            values = wanted if isinstance(wanted, list) else [wanted]
            known = {str(v).lower() for v in values}
            keep &= chosen[column].map(lambda v, k=known: str(v).lower() in k)
        level = quota.get("level") or spec.get("region_level") or 1
        codes = table.get(f"region{level}_code")
        if (quota.get("regions") or quota.get("each")) and codes is None:
            raise NotSo(f"quota {quota['id']} needs region{level}_code in ranking.csv")
        regions = [str(r) for r in quota.get("regions") or []]
        groups = {quota["id"]: keep}
        if codes is not None and quota.get("each"):
            named = regions or sorted({str(c) for c in codes if str(c)})
            groups = {f"{quota['id']}, {r}": keep & (codes[chosen.index] == r) for r in named}
        elif codes is not None and regions:
            groups = {quota["id"]: keep & codes[chosen.index].isin(regions)}
        low = max(
            int(quota.get("min") or 0),
            math.ceil(float(quota.get("min_share") or 0) * count - 1e-9),
        )
        high = math.inf if quota.get("max") is None else int(quota["max"])
        if quota.get("max_share") is not None:
            high = min(high, math.floor(float(quota["max_share"]) * count + 1e-9))
        for name, group in groups.items():
            have = int(group.sum())
            if not low <= have <= high:
                raise NotSo(f"quota {name} has {have} sites, {low} to {high:g} are allowed")
    return f"{len(quotas)} quotas kept"


def _locks(e: Evidence) -> str:
    """Locks by id are in or out of the plan; those by place in a chosen outline or in none."""
    spec, chosen = e.scenario["portfolio"], set(e.chosen)
    locks = [(p, True) for p in spec.get("lock_in") or []]
    locks += [(p, False) for p in spec.get("lock_out") or []]
    if not locks or not chosen:
        return "no locks were asked for" if not locks else "no plan"
    for place, wanted in locks:
        if place.get("site_id"):
            name, held = place["site_id"], place["site_id"] in chosen
        else:
            name = f"at lon {place['lon']}, lat {place['lat']}"
            point = Point(place["lon"], place["lat"])
            held = any(e.sites.geometry[s].buffer(1e-7).intersects(point) for s in chosen)
        if held != wanted:
            what = "locked in and not chosen" if wanted else "locked out and chosen"
            raise NotSo(f"site {name} is {what}")
    return f"{len(locks)} locks kept"


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
    total = float(table["cost"].sum()) + _reinforcement(e)
    budget = e.scenario["portfolio"].get("budget")
    if budget is not None and total > float(budget) * (1 + 1e-9) + 0.01 * len(table):
        raise NotSo(f"the plan costs {total:,.2f}, the budget is {budget:,.2f}")
    within = "" if budget is None else f", within {budget:,.0f}"
    return f"total cost {total:,.0f}{within}"


def _reinforcement(e: Evidence) -> float:
    """Return what raising headroom at sources costs; 0 where the file says nothing of it."""
    table = e.table("sources")
    if "reinforcement_cost" not in table.columns:
        return 0.0
    return float(pd.to_numeric(table["reinforcement_cost"], errors="coerce").fillna(0.0).sum())


def _solver(e: Evidence) -> str:
    record = e.document["solver"]
    if not e.chosen:
        if record["status"] not in ("infeasible", "time-limit"):
            raise NotSo(f"no site is chosen, yet the solver says {record['status']}")
        return f"no plan: {record['status']}"
    table = e.table("portfolio")
    price = e.scenario["portfolio"].get("cost_per_score_point")
    spec = e.scenario["portfolio"]
    levels = [float(v) for v in spec.get("levels") or [1.0]]
    gains = [float(v) for v in spec.get("level_benefit") or levels]
    level = _level(e)
    benefit = [
        next((g for v, g in zip(levels, gains, strict=True) if abs(v - level[s]) <= 1e-9), math.nan)
        for s in table["site_id"]
    ]
    spent = float(table["cost"].sum()) + _reinforcement(e)
    value = float((table["score"] * benefit).sum()) - (spent / price if price else 0.0)
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
    method = (e.scenario.get("aggregation") or {}).get("method", "weighted_sum")
    if method != "weighted_sum":
        # What the loss of a criterion takes; the cells that it follows from are in no file.
        low, high = parts < -5e-6, parts.gt(table["score"] + 5e-6, axis=0)
        if (low | high).any(axis=None):
            raise NotSo("the loss of a criterion takes less than nothing or more than the score")
        return f"{method}: no loss of a criterion takes more than the score"
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
    ("levels and area", _levels),
    ("quotas", _quotas),
    ("locks", _locks),
    ("spacing", _spacing),
    ("cost and budget", _budget),
    ("solver", _solver),
    ("exclusions", _exclusions),
)
"""Name and question of each check."""
