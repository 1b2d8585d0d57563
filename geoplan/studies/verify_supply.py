"""Checks of supply: units, demand, headroom, own supply, reuse, distances and costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from geoplan.studies.distance import point_km
from geoplan.studies.evidence import DEMAND, UNITS, Evidence, NotSo

__all__ = ["CHECKS"]

_STEP = 1e-6
"""Decimals of amounts in the files."""


def _units(e: Evidence) -> str:
    for name in ("supply", "sources"):
        table = e.table(name)
        for resource, unit in zip(table["resource"], table["unit"], strict=True):
            if UNITS.get(resource) != unit:
                raise NotSo(f"{name}.csv counts {resource} in '{unit}'")
    return "water and wastewater in m3/day, power in MVA"


_DEMANDED = ("water_m3_per_day", "power_mva", "wastewater_m3_per_day")


def _mixes(e: Evidence, table: pd.DataFrame) -> list[tuple[dict[str, float], pd.Series[bool]]]:
    """Return each industry mix that was used, and the candidates that have it."""
    own, by_region = e.scenario["demand"]["mix"], e.document.get("demand_mixes") or {}
    rest = pd.Series(True, index=table.index)
    found = []
    for code, mix in (by_region.get("mixes") or {}).items():
        mine = table[f"region{by_region['level']}_code"].astype(str) == code
        found.append((mix, mine))
        rest &= ~mine
    return [*found, (own, rest)]


def _usable(e: Evidence, table: pd.DataFrame) -> pd.Series[float]:
    """Return the area that demand follows from: a part of the site only where rules take a part."""
    area: pd.Series[float] = table["area_ha"]
    if not any(rule.get("share") for rule in e.scenario.get("exclude", [])):
        return area
    usable: pd.Series[float] = table["usable_ha"]
    more = usable > area + 0.01
    if more.any():
        site = more.idxmax()
        raise NotSo(f"usable_ha of site {site} is {usable[site]:,.2f}, its area {area[site]:,.2f}")
    return usable


def _demand(e: Evidence) -> str:
    """Recompute the demand of every candidate from its area."""
    document = e.document["profile"].get("document")
    if not document:
        return "run.json has no profile document; demand was not recomputed"
    spec, table = e.scenario["demand"], e.ranking
    k = {name: float(c["value"]) for name, c in document["coefficients"].items()}
    classes = {
        name: {part: float(c[part]["value"]) for part in _CLASS_PARTS}
        for name, c in document["demand_classes"].items()
    }
    expected = {name: pd.Series(0.0, index=table.index) for name in _DEMANDED}
    for mix, sites in _mixes(e, table):
        water = power = effluent = jobs = 0.0
        for name, share in mix.items():
            c = classes[name]
            water += share * c["water"]
            effluent += share * c["water"] * c["return_ratio"]
            power += share * c["connected_power"] * c["coincidence"] / 1000
            jobs += share * c["jobs"]
        area = _usable(e, table)[sites]
        net = area * k["industrial_share"] * spec.get("take_up", 1.0)
        domestic = net * jobs * k["domestic_water"] / 1000
        green = area * k["green_share"] * k["green_water"]
        gross = (net * water + domestic + green) / (1 - k["network_loss"])
        expected["water_m3_per_day"][sites] = gross
        expected["power_mva"][sites] = net * power
        expected["wastewater_m3_per_day"][sites] = net * effluent + domestic * k["domestic_return"]
    for column, values in expected.items():
        off = (table[column] - values).abs() > 1e-4 * values + 1e-6
        if off.any():
            site = off.idxmax()
            raise NotSo(
                f"{column} of site {site} is {table[column][site]:,.3f}, its area and the mix "
                f"give {values[site]:,.3f}"
            )
    return f"demand of {len(table):,} candidates follows from their areas and the mix"


_CLASS_PARTS = ("water", "return_ratio", "connected_power", "coincidence", "jobs")


def _served(e: Evidence) -> str:
    supply, table = e.table("supply"), e.table("portfolio").set_index("site_id")
    stray = sorted(set(supply["site_id"]) - set(table.index))
    if stray:
        raise NotSo(f"supply.csv serves site {stray[0]}, which is not chosen")
    if not (supply["amount"] > 0).all():
        raise NotSo("an amount in supply.csv is not above 0")
    total = supply.groupby(["site_id", "resource"])["amount"].sum()
    for site in table.index:
        for resource, column in DEMAND.items():
            need = float(table.at[site, column])
            got = float(total.get((site, resource), 0.0))
            if abs(got - need) > 1e-6 * need + 5 * _STEP:
                raise NotSo(
                    f"site {site} needs {need:,.6f} {UNITS[resource]} of {resource} and is given "
                    f"{got:,.6f}"
                )
    unserved = supply[supply["source_id"].str.startswith("shortfall:")]
    allowed = e.scenario["portfolio"].get("shortfall") or {}
    for row in unserved.to_dict("records"):
        if row["resource"] not in allowed:
            raise NotSo(f"{row['resource']} of site {row['site_id']} may not go unserved")
    if len(unserved):
        return f"{len(table)} sites; {len(unserved)} demands go partly unserved, at their price"
    return f"{len(table)} sites × {len(DEMAND)} resources served in full"


def _headroom(e: Evidence) -> str:
    supply, sources = e.table("supply"), e.table("sources")
    if sources.duplicated(["resource", "source_id"]).any():
        raise NotSo("a source occurs twice in sources.csv")
    taken = supply.groupby(["resource", "source_id"])["amount"].sum()
    known = sources.set_index(["resource", "source_id"])
    for key in taken.index:
        if key not in known.index:
            raise NotSo(f"supply.csv takes from {key[1]}, which is not in sources.csv")
    full = 0
    for key, row in known.iterrows():
        used, amount = float(row["used"]), float(taken.get(key, 0.0))
        if abs(used - amount) > 5 * _STEP + 1e-9 * amount:
            raise NotSo(f"{key[1]} says {used:,.6f} used, supply.csv sums to {amount:,.6f}")
        if pd.isna(row["headroom"]):
            if amount:
                raise NotSo(f"{key[1]} has no known headroom and gives {amount:,.3f}")
            continue
        rule = e.scenario["supply"][key[0]]
        own = row["kind"] in ("own", "shortfall")
        share = 1.0 if own else float(rule.get("headroom_share_max", 1.0))
        limit = (float(row["headroom"]) + (0.0 if own else _raised(row, rule, key[1]))) * share
        if amount > limit + 5e-7 + 1e-12 * limit:
            raise NotSo(
                f"{key[1]} gives {amount:,.6f} {row['unit']}, its headroom allows {limit:,.6f}"
            )
        full += bool(amount > 0 and amount > limit * (1 - 1e-6))
    return f"{len(taken)} sources used, none above its headroom, {full} used up"


def _number(row: pd.Series[Any], column: str) -> float:
    """Return a number of an optional column; 0 where it is absent or empty."""
    value = pd.to_numeric(row.get(column), errors="coerce")
    return 0.0 if value is None or pd.isna(value) else float(value)


def _raised(row: pd.Series[Any], rule: dict[str, Any], source: str) -> float:
    """Return what modules of reinforcement add to a source, and check their number and cost."""
    modules = _number(row, "modules")
    if modules == 0:
        return 0.0
    given = rule.get("reinforcement")
    if not given:
        raise NotSo(f"{source} has {modules:g} modules, the scenario allows no reinforcement")
    most = int(given.get("modules_max", 1))
    if modules != round(modules) or not 0 <= modules <= most:
        raise NotSo(f"{source} has {modules:g} modules of reinforcement, the most is {most}")
    cost, paid = modules * float(given["cost"]), _number(row, "reinforcement_cost")
    if abs(cost - paid) > 0.01 + 1e-6 * cost:
        raise NotSo(f"{source}: {modules:g} modules cost {paid:,.2f}, not {cost:,.2f}")
    return modules * float(given["module_size"])


def _caps(e: Evidence) -> str:
    """Sum what the plan takes from the sources of each joint limit."""
    caps = e.scenario["supply"].get("caps") or []
    if not caps:
        return "no joint limits were asked for"
    sources, supply = e.table("sources"), e.table("supply")
    for cap in caps:
        if UNITS.get(cap["resource"]) != cap["unit"]:
            raise NotSo(f"cap {cap['id']} is in '{cap['unit']}'")
        mine = sources[(sources["resource"] == cap["resource"])]
        mine = mine[~mine["kind"].isin(["own", "shortfall"])]
        chosen = cap["sources"]
        if isinstance(chosen, dict):
            keep = pd.Series(True, index=mine.index)
            for column, wanted in chosen.items():
                if column not in mine.columns:
                    raise NotSo(f"cap {cap['id']} needs the column {column} in sources.csv")
                values = {str(v) for v in (wanted if isinstance(wanted, list) else [wanted])}
                keep &= mine[column].map(lambda v, w=values: str(v) in w)
            ids = set(mine.loc[keep, "source_id"])
        else:
            ids = {str(s) for s in chosen}
        rows = supply[(supply["resource"] == cap["resource"]) & supply["source_id"].isin(ids)]
        used, limit = float(rows["amount"].sum()), float(cap["max"])
        if used > limit + 5e-7 * (1 + len(rows)) + 1e-12 * limit:
            raise NotSo(
                f"cap {cap['id']}: {used:,.6f} {cap['unit']} are taken, {limit:,.6f} is the most"
            )
    return f"{len(caps)} joint limits kept"


def _own(e: Evidence) -> str:
    supply = e.table("supply")
    sources = e.table("sources").set_index(["resource", "source_id"])
    need = e.table("portfolio").set_index("site_id")
    built = 0
    for row in supply.to_dict("records"):
        source = sources.loc[(row["resource"], row["source_id"])]
        if source["kind"] != "own" or row.get("kind") == "reuse":
            continue
        rule = _own_rule(e, row)
        size = float(rule["module_size"])
        modules = float(source["headroom"]) / size
        where = f"{row['kind']} of site {row['site_id']}"
        if abs(modules - round(modules)) > 1e-6 * max(modules, 1):
            raise NotSo(f"{where}: {source['headroom']:,.3f} is not a whole number of modules")
        if round(modules) > int(rule.get("modules_max", 10)):
            raise NotSo(f"{where}: {round(modules)} modules, the most is {rule['modules_max']}")
        firm = round(modules) * size * float(rule.get("credit", 1.0))
        if row["amount"] > firm + 5e-7:
            raise NotSo(f"{where} gives {row['amount']:,.6f}, its modules can give {firm:,.6f}")
        share = float(rule.get("share_max", 1.0)) * need.at[row["site_id"], DEMAND[row["resource"]]]
        if row["amount"] > share * (1 + 1e-9) + 5e-6:
            raise NotSo(f"{where} gives {row['amount']:,.6f}, its share allows {share:,.6f}")
        built += 1
    return f"{built} own supplies within their modules"


def _own_rule(e: Evidence, row: dict[Any, Any]) -> dict[str, Any]:
    for rule in e.scenario["supply"][row["resource"]].get("own") or []:
        if rule["kind"] == row["kind"]:
            found: dict[str, Any] = rule
            return found
    raise NotSo(f"the scenario allows no own supply of kind '{row['kind']}'")


def _reuse(e: Evidence) -> str:
    supply, need = e.table("supply"), e.table("portfolio").set_index("site_id")
    rows = supply[supply["source_id"].str.startswith("reuse:")]
    rule = e.scenario["supply"]["water"].get("reuse")
    if len(rows) and not rule:
        raise NotSo("treated wastewater is reused, the scenario does not allow it")
    for row in rows.to_dict("records"):
        allowed = float(rule["share_max"]) * float(rule.get("recovery", 0.9))
        limit = allowed * need.at[row["site_id"], DEMAND["wastewater"]]
        if row["resource"] != "water" or row["amount"] > limit * (1 + 1e-9) + 5e-6:
            raise NotSo(
                f"site {row['site_id']} reuses {row['amount']:,.3f} m3/day, its wastewater "
                f"allows {limit:,.3f}"
            )
    return f"{len(rows)} sites reuse treated wastewater" if len(rows) else "no reuse"


def _distances(e: Evidence) -> str:
    sources = e.table("sources").set_index(["resource", "source_id"])
    ranking = e.ranking
    if "lon" not in sources.columns or "lat" not in sources.columns:
        return "sources.csv has no positions; distances were not recomputed"
    seen: dict[tuple[str, str], set[str]] = {}
    farthest = 0.0
    for row in e.table("supply").to_dict("records"):
        source = sources.loc[(row["resource"], row["source_id"])]
        if source["kind"] in ("own", "shortfall"):
            if row["distance_km"] != 0:
                raise NotSo(f"{row['source_id']} is on the site, yet {row['distance_km']} km away")
            continue
        rule = e.scenario["supply"][row["resource"]]
        site = ranking.loc[row["site_id"]]
        km = point_km(site["lon"], site["lat"], source["lon"], source["lat"])
        line = f"site {row['site_id']} to {row['source_id']}"
        if abs(km - row["distance_km"]) > 0.002:
            raise NotSo(f"{line}: {row['distance_km']:.3f} km is given, {km:.3f} km is true")
        if km > float(rule["max_km"]) + 0.001:
            raise NotSo(f"{line}: {km:.3f} km, the farthest allowed is {rule['max_km']:g} km")
        farthest = max(farthest, km)
        seen.setdefault((row["site_id"], row["resource"]), set()).add(row["source_id"])
        if rule.get("single_source") and len(seen[row["site_id"], row["resource"]]) > 1:
            raise NotSo(f"site {row['site_id']} takes {row['resource']} from more than one source")
    return f"all distances recomputed; the farthest source is {farthest:.1f} km away"


def _costs(e: Evidence) -> str:
    sources = e.table("sources").set_index(["resource", "source_id"])
    for row in e.table("supply").to_dict("records"):
        source = sources.loc[(row["resource"], row["source_id"])]
        rule = e.scenario["supply"][row["resource"]]
        if source["kind"] == "shortfall":
            prices = e.scenario["portfolio"].get("shortfall") or {}
            expected = row["amount"] * float(prices.get(row["resource"], 0))
        elif row["source_id"].startswith("reuse:"):
            expected = row["amount"] * float(rule["reuse"].get("cost_per_unit", 0))
        elif source["kind"] == "own":
            own = _own_rule(e, row)
            expected = round(float(source["headroom"]) / float(own["module_size"])) * own["cost"]
        elif rule.get("route") == "least_cost":
            if "line_cost" not in row:
                raise NotSo("supply.csv lacks the column line_cost, lines follow least-cost paths")
            expected = _number(pd.Series(row), "line_cost")
            expected += row["amount"] * float(rule.get("cost_per_unit", 0))
        else:
            route = row["distance_km"] * float(rule.get("route_factor", 1.3))
            expected = route * float(rule.get("cost_per_km", 0))
            expected += row["amount"] * float(rule.get("cost_per_unit", 0))
            # The file's kilometres are rounded to a metre.
        slack = 0.001 * float(rule.get("route_factor", 1.3)) * float(rule.get("cost_per_km", 0))
        unit = float(rule.get("cost_per_unit", 0))
        if abs(expected - row["cost"]) > slack + 1e-5 * unit + 1e-6 * expected + 0.01:
            raise NotSo(
                f"{row['source_id']} for site {row['site_id']} costs {row['cost']:,.2f}, length "
                f"and amount give {expected:,.2f}"
            )
    return "every line, module and unit at the scenario's prices"


CHECKS: tuple[tuple[str, Callable[[Evidence], str]], ...] = (
    ("units", _units),
    ("demand", _demand),
    ("demand served", _served),
    ("headroom", _headroom),
    ("joint limits", _caps),
    ("own supply", _own),
    ("reuse", _reuse),
    ("distances", _distances),
    ("prices", _costs),
)
"""Name and question of each check."""
