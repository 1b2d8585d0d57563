"""A plan's supply and sources as the tables of a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from geoplan.siting.assign import Assignment
from geoplan.siting.caps import selector_columns
from geoplan.siting.problem import Prepared

__all__ = [
    "SOURCE_COLUMNS",
    "SUPPLY_COLUMNS",
    "cap_table",
    "demand_table",
    "shortfall_table",
    "site_costs",
    "source_table",
    "supply_table",
]

SUPPLY_COLUMNS = (
    "site_id",
    "resource",
    "source_id",
    "kind",
    "amount",
    "unit",
    "distance_km",
    "cost",
    "basis",
    "source_name_en",
    "source_name_local",
    "source_lon",
    "source_lat",
    "site_lon",
    "site_lat",
)
SOURCE_COLUMNS = (
    "source_id",
    "resource",
    "kind",
    "name_en",
    "name_local",
    "headroom",
    "used",
    "unit",
    "basis",
    "lon",
    "lat",
)

_SHORT = ("Demand that goes unserved", "تقاضای تأمین‌نشده")
_REUSE = ("Treated wastewater of the site", "پساب تصفیه‌شدهٔ خود شهرک")


def _frame(rows: list[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    numbers = [c for c in columns if c in _NUMBERS]
    return frame.astype(dict.fromkeys(numbers, "float64"))


_NUMBERS = {
    "amount",
    "distance_km",
    "cost",
    "source_lon",
    "source_lat",
    "site_lon",
    "site_lat",
    "headroom",
    "used",
    "lon",
    "lat",
    "modules",
    "reinforcement_cost",
    "route_km",
    "line_cost",
}


def _places(prepared: Prepared) -> dict[str, tuple[float, float]]:
    sites = prepared.problem.sites
    if "lon" not in sites.columns or "lat" not in sites.columns:
        return {}
    return {
        str(k): (float(a), float(b))
        for k, a, b in zip(sites.index, sites["lon"], sites["lat"], strict=True)
    }


def _basis(text: str) -> str:
    """Return ``assumed`` for a basis that says so among other words, so that it is never lost."""
    return "assumed" if "assumed" in text.lower() else text


def _own_rows(
    prepared: Prepared, chosen: Sequence[int], assignments: Sequence[Assignment]
) -> list[dict[str, Any]]:
    """Return own supply, reuse and shortfall with what both tables need."""
    places = _places(prepared)
    nan = float("nan")
    rows: list[dict[str, Any]] = []
    for resource, found in zip(prepared.resources, assignments, strict=False):
        for j in sorted(chosen):
            site = prepared.site(j)
            lon, lat = places.get(site, (nan, nan))
            for k, own in enumerate(resource.own):
                ticks, modules = found.own.get((j, k), (0, 0))
                if ticks <= 0:
                    continue
                rows.append(
                    {
                        "site_id": site,
                        "resource": resource.name,
                        "source_id": f"own:{site}:{resource.name}:{own.kind}",
                        "kind": own.kind,
                        "amount": resource.amount(ticks),
                        "built": modules * own.module,
                        "unit": resource.unit,
                        "cost": modules * own.cost,
                        "basis": _basis(own.basis),
                        "name_en": own.title.en if own.title else own.kind,
                        "name_local": own.title.in_language("fa") if own.title else None,
                        "lon": lon,
                        "lat": lat,
                    }
                )
            ticks = found.reuse.get(j, 0)
            if ticks > 0 and resource.rule.reuse is not None:
                amount = resource.amount(ticks)
                rows.append(
                    {
                        "site_id": site,
                        "resource": resource.name,
                        "source_id": f"reuse:{site}",
                        "kind": "reuse",
                        "amount": amount,
                        "built": amount,
                        "unit": resource.unit,
                        "cost": amount * resource.rule.reuse.cost_per_unit,
                        "basis": _basis(resource.rule.reuse.basis),
                        "name_en": _REUSE[0],
                        "name_local": _REUSE[1],
                        "lon": lon,
                        "lat": lat,
                    }
                )
            ticks = found.shortfall.get(j, 0)
            if ticks > 0 and resource.shortfall_price is not None:
                amount = resource.amount(ticks)
                rows.append(
                    {
                        "site_id": site,
                        "resource": resource.name,
                        "source_id": f"shortfall:{site}:{resource.name}",
                        "kind": "shortfall",
                        "amount": amount,
                        "built": amount,
                        "unit": resource.unit,
                        "cost": amount * resource.shortfall_price,
                        "basis": "assumed",
                        "name_en": _SHORT[0],
                        "name_local": _SHORT[1],
                        "lon": lon,
                        "lat": lat,
                    }
                )
    return rows


def supply_table(
    prepared: Prepared, chosen: Sequence[int], assignments: Sequence[Assignment]
) -> pd.DataFrame:
    """Return one row per chosen site, resource and source, own supply included.

    Sites in the order of ``chosen``, resources in their order, sources nearest first, then own
    supply, then reuse, then what goes unserved (kind ``shortfall``). Where lines
    follow least-cost paths there are the columns ``route_km`` and ``line_cost``.
    """
    places = _places(prepared)
    nan = float("nan")
    frame = prepared.problem.sources
    by_id = {(str(r["resource"]), str(r["source_id"])): r for r in frame.to_dict("records")}
    rows: list[dict[str, Any]] = []
    own = _own_rows(prepared, chosen, assignments)
    for j in chosen:
        site = prepared.site(j)
        lon, lat = places.get(site, (nan, nan))
        for resource, found in zip(prepared.resources, assignments, strict=False):
            for (i, k), ticks in sorted(found.network.items()):
                if i != j or ticks <= 0:
                    continue
                source_id = resource.source_ids[resource.link_source[k]]
                source = by_id[resource.name, source_id]
                amount = resource.amount(ticks)
                rows.append(
                    {
                        "site_id": site,
                        "resource": resource.name,
                        "source_id": source_id,
                        "kind": "network",
                        "amount": amount,
                        "unit": resource.unit,
                        "distance_km": float(resource.link_km[k]),
                        "route_km": float(resource.link_route[k]),
                        "line_cost": float(resource.line_cost[k]),
                        "cost": float(resource.line_cost[k] + resource.unit_cost[k] * amount),
                        "basis": source.get("basis"),
                        "source_name_en": source.get("name_en"),
                        "source_name_local": source.get("name_local"),
                        "source_lon": source.get("lon", nan),
                        "source_lat": source.get("lat", nan),
                        "site_lon": lon,
                        "site_lat": lat,
                    }
                )
            rows += [
                {
                    **{c: r[c] for c in ("site_id", "resource", "source_id", "kind", "amount")},
                    **{c: r[c] for c in ("unit", "cost", "basis")},
                    "distance_km": 0.0,
                    "route_km": 0.0,
                    "line_cost": 0.0,
                    "source_name_en": r["name_en"],
                    "source_name_local": r["name_local"],
                    "source_lon": lon,
                    "source_lat": lat,
                    "site_lon": lon,
                    "site_lat": lat,
                }
                for r in own
                if r["site_id"] == site and r["resource"] == resource.name
            ]
    routed = any(r.rule.route == "least_cost" for r in prepared.resources)
    return _frame(rows, (*SUPPLY_COLUMNS, *(("route_km", "line_cost") if routed else ())))


def source_table(prepared: Prepared, assignments: Sequence[Assignment]) -> pd.DataFrame:
    """Return every source with what the plan uses of it, then what is built on sites.

    Own supply has kind ``own`` and the size built as headroom; sources in the order of
    resource and id. Where a resource may be reinforced there are the columns ``modules`` (built
    at the source) and ``reinforcement_cost``; the columns by which caps choose follow. What goes
    unserved has kind ``shortfall``.
    """
    problem = prepared.problem
    reinforced = {r.name: r.rule.reinforcement for r in prepared.resources}
    extra = ["modules", "reinforcement_cost"] if any(reinforced.values()) else []
    built: dict[tuple[str, str], int] = {}
    groups = [c for c in selector_columns(problem.all_caps) if c not in SOURCE_COLUMNS]
    used: dict[tuple[str, str], float] = {}
    for resource, found in zip(prepared.resources, assignments, strict=False):
        ticks: dict[int, int] = {}
        for (_, k), amount in found.network.items():
            s = int(resource.link_source[k])
            ticks[s] = ticks.get(s, 0) + amount
        for s, total in ticks.items():
            used[resource.name, resource.source_ids[s]] = resource.amount(total)
        for s, n in found.modules.items():
            built[resource.name, resource.source_ids[s]] = n
    rows: list[dict[str, Any]] = []
    order = {r.name: k for k, r in enumerate(prepared.resources)}
    units = {r.name: r.unit for r in prepared.resources}
    for source in problem.sources.to_dict("records"):
        if str(source["resource"]) not in order:
            continue
        key = (str(source["resource"]), str(source["source_id"]))
        rows.append(
            {
                **{c: source.get(c) for c in (*SOURCE_COLUMNS, *groups)},
                "used": used.get(key, 0.0),
                "unit": source.get("unit", units[key[0]]),
            }
        )
        rule = reinforced[key[0]]
        rows[-1]["modules"] = float(built.get(key, 0))
        rows[-1]["reinforcement_cost"] = built.get(key, 0) * rule.cost if rule else 0.0
    rows.sort(key=lambda r: (order[str(r["resource"])], str(r["source_id"])))
    own_sites = {j for a in assignments for j, _ in a.own}
    chosen = sorted(own_sites | {j for a in assignments for j in (*a.reuse, *a.shortfall)})
    rows += [
        {
            **{c: own.get(c) for c in SOURCE_COLUMNS},
            "kind": "shortfall" if own["kind"] == "shortfall" else "own",
            "modules": 0.0,
            "reinforcement_cost": 0.0,
            "headroom": own["built"],
            "used": own["amount"],
        }
        for own in _own_rows(prepared, chosen, assignments)
    ]
    return _frame(rows, (*SOURCE_COLUMNS, *extra, *groups))


def demand_table(prepared: Prepared, chosen: Sequence[int]) -> pd.DataFrame:
    """Return what each chosen site needs at its level: one column per resource, its unit."""
    index = pd.Index([prepared.site(j) for j in chosen], name="site_id")
    columns = {r.name: [r.amount(int(r.demand[j])) for j in chosen] for r in prepared.resources}
    return pd.DataFrame(columns, index=index, dtype="float64")


def shortfall_table(
    supply: pd.DataFrame, prepared: Prepared, chosen: Sequence[int]
) -> pd.DataFrame:
    """Return what goes unserved at each chosen site: one column per resource that may."""
    index = pd.Index([prepared.site(j) for j in chosen], name="site_id")
    out = pd.DataFrame(index=index)
    for resource in prepared.resources:
        if resource.shortfall_price is None:
            continue
        mine = supply[(supply["kind"] == "shortfall") & (supply["resource"] == resource.name)]
        amount = mine.set_index("site_id")["amount"].astype("float64")
        out[resource.name] = amount.reindex(index, fill_value=0.0)
    return out


def cap_table(prepared: Prepared, assignments: Sequence[Assignment]) -> pd.DataFrame:
    """Return each joint limit with what the plan takes of it.

    ``id``, ``resource``, ``sources`` (how many), ``max``, ``used``, ``unit``, ``basis``; empty
    where there are none.
    """
    specs = {c.id: c for c in prepared.problem.all_caps}
    rows = []
    found = {r.name: a for r, a in zip(prepared.resources, assignments, strict=False)}
    for resource in prepared.resources:
        for cap in resource.caps:
            flows = found[resource.name].network.items() if resource.name in found else ()
            ticks = sum(t for (_, k), t in flows if int(resource.link_source[k]) in cap.members)
            rows.append(
                {
                    "id": cap.id,
                    "resource": resource.name,
                    "sources": len(cap.members),
                    "max": cap.value,
                    "used": resource.amount(ticks),
                    "unit": resource.unit,
                    "basis": _basis(specs[cap.id].basis),
                }
            )
    columns = ["id", "resource", "sources", "max", "used", "unit", "basis"]
    return pd.DataFrame(rows, columns=columns)


def site_costs(supply: pd.DataFrame, chosen: Sequence[str]) -> pd.Series[float]:
    """Return the cost of each chosen site's supply."""
    total = supply.groupby("site_id")["cost"].sum()
    return total.reindex(pd.Index(chosen, name="site_id"), fill_value=0.0).astype("float64")
