"""The CSV files of a run: fixed columns, fixed decimals, the same bytes for the same result."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.catalogue import RESOURCE_UNITS, RESOURCES
from geoplan.report.cells import Column, csv_bytes, unit_suffix
from geoplan.report.order import by_rank, by_resource
from geoplan.siting.caps import selector_columns
from geoplan.siting.result import SitingResult

__all__ = [
    "portfolio_csv",
    "ranking_csv",
    "regions_csv",
    "settle_flows",
    "sources_csv",
    "supply_csv",
]

_STEP = 1e-6
"""Smallest amount that a file can say; `cells.DECIMALS` writes amounts to this."""

_SOLVER_SLACK = 1e-7
"""Share of a headroom by which a solver's feasibility tolerance may overdraw it."""


def region_columns(result: SitingResult) -> list[Column]:
    """Return code and names of every region level, coarsest first."""
    columns = []
    for level in sorted(spec.level for spec in result.profile.region_levels):
        columns += [
            Column(f"region{level}_code", "text"),
            Column(f"region{level}_name_en", "text"),
            Column(f"region{level}_name_local", "text"),
        ]
    return columns


def demand_columns() -> list[Column]:
    """Return one column per resource, its unit in the name."""
    return [Column(f"{name}{unit_suffix(RESOURCE_UNITS[name])}", "amount") for name in RESOURCES]


def shortfall_columns(result: SitingResult) -> list[Column]:
    """Return one column for each resource of which demand may go unserved."""
    return [
        Column(f"{name}_shortfall{unit_suffix(unit)}", "amount", f"{name}_shortfall")
        for name, unit in RESOURCE_UNITS.items()
        if name in result.scenario.portfolio.shortfall
    ]


def ranking_csv(result: SitingResult) -> bytes:
    """Return ``ranking.csv``: every candidate, best first."""
    columns = [Column("rank", "integer"), Column("site_id", "text"), *region_columns(result)]
    columns += [Column("area_ha", "area"), Column("usable_ha", "area"), Column("score", "score")]
    for name, criterion in result.scenario.criteria.items():
        columns += [
            Column(f"{name}_measured{unit_suffix(criterion.unit)}", "measure", f"measured_{name}"),
            Column(f"{name}_value", "score", f"value_{name}"),
            Column(f"{name}_contribution", "score", f"contribution_{name}"),
        ]
    columns += [
        Column("lon", "degree"),
        Column("lat", "degree"),
        Column("served_alone", "flag"),
        Column("in_portfolio", "flag"),
        Column("inclusion_acceptability", "share"),
        *demand_columns(),
        Column("jobs", "integer"),
        Column("industrialisation", "score"),
        Column("less_industrialised", "flag"),
    ]
    frame = pd.DataFrame(result.candidates.drop(columns="geometry", errors="ignore"))
    if len(frame):
        frame = frame.assign(site_id=frame.index).sort_values("rank", kind="stable")
    return csv_bytes(frame, columns, table="ranking.csv", extra=("inclusion_acceptability", "jobs"))


def portfolio_csv(result: SitingResult) -> bytes:
    """Return ``portfolio.csv``: the chosen sites, best first; a header alone when there is none."""
    frame = by_rank(result.portfolio, result)
    if len(frame):
        frame = frame.assign(currency=result.profile.currency)
        for name in ("lon", "lat", "jobs"):
            frame[name] = frame["site_id"].map(result.candidates[name])
    columns = [
        Column("site_id", "text"),
        *region_columns(result),
        Column("area_ha", "area"),
        Column("usable_ha", "area"),
        Column("level", "share"),
        Column("score", "score"),
        *demand_columns(),
        *shortfall_columns(result),
        Column("cost", "cost"),
        Column("currency", "text"),
        Column("jobs", "integer"),
        Column("lon", "degree"),
        Column("lat", "degree"),
    ]
    return csv_bytes(frame, columns, table="portfolio.csv")


def supply_csv(result: SitingResult) -> bytes:
    """Return ``supply.csv``: one row per chosen site, resource and source."""
    frame = settle_flows(result.supply, result.sources)
    columns = [
        Column("site_id", "text"),
        Column("resource", "text"),
        Column("source_id", "text"),
        Column("amount", "amount"),
        Column("unit", "text"),
        Column("distance_km", "km"),
        Column("cost", "cost"),
        Column("basis", "text"),
        Column("kind", "text"),
        Column("source_name_en", "text"),
        Column("source_name_local", "text"),
        Column("source_lon", "degree"),
        Column("source_lat", "degree"),
        Column("site_lon", "degree"),
        Column("site_lat", "degree"),
    ]
    if "route_km" in frame.columns:
        columns += [Column("route_km", "km"), Column("line_cost", "cost")]
    return csv_bytes(by_rank(frame, result), columns, table="supply.csv")


def sources_csv(result: SitingResult) -> bytes:
    """Return ``sources.csv``; ``used`` is the sum of the amounts in ``supply.csv``."""
    frame = result.sources
    if len(frame):
        flows = settle_flows(result.supply, frame)
        if len(flows):
            by_source = [flows["resource"], flows["source_id"]]
            used = _steps(flows["amount"]).groupby(by_source, sort=False).sum()
            keys = pd.MultiIndex.from_frame(frame[["resource", "source_id"]])
            found = used.reindex(keys).to_numpy(dtype="float64", na_value=0.0)
            frame = frame.assign(used=np.nan_to_num(found) * _STEP)
        frame = by_resource(frame, [], ["source_id"])
    columns = [
        Column("source_id", "text"),
        Column("resource", "text"),
        Column("headroom", "amount"),
        Column("used", "amount"),
        Column("unit", "text"),
        Column("basis", "text"),
        Column("kind", "text"),
        Column("name_en", "text"),
        Column("name_local", "text"),
        Column("lon", "degree"),
        Column("lat", "degree"),
    ]
    if "modules" in frame.columns:
        columns += [Column("modules", "integer"), Column("reinforcement_cost", "cost")]
    caps = result.scenario.supply.caps
    known = {c.header for c in columns}
    columns += [Column(name, "text") for name in selector_columns(caps) if name not in known]
    return csv_bytes(frame, columns, table="sources.csv")


def regions_csv(result: SitingResult, formula: str) -> bytes:
    """Return ``regions.csv``: the index of every region, what it is made of, and of when.

    Parameters
    ----------
    result : SitingResult
        A finished run.
    formula : str
        The index in words; stands in every row, so that a copied row still says what it is.
    """
    frame = pd.DataFrame(result.regions.drop(columns="geometry", errors="ignore"))
    columns = [
        Column("code", "text"),
        Column("parent_code", "text"),
        Column("name_en", "text"),
        Column("name_local", "text"),
        Column("industrialisation", "score"),
        Column("coverage", "share"),
        Column("rank", "integer"),
        Column("less_industrialised", "flag"),
    ]
    detail = result.index_detail
    for indicator in result.profile.index.indicators:
        name = indicator.id
        rows = detail[detail["indicator"] == name].drop_duplicates("code").set_index("code")
        for column, kind in (
            (Column(f"{name}{unit_suffix(indicator.unit)}", "measure", f"value_{name}"), "value"),
            (Column(f"{name}_normalised", "score"), "normalised"),
            (Column(f"{name}_weight", "score"), "weight"),
            (Column(f"{name}_as_of", "text"), "as_of"),
            (Column(f"{name}_source", "text"), "source"),
        ):
            columns.append(column)
            frame[column.source] = frame["code"].map(rows[kind]) if len(frame) else None
    frame["formula"] = formula
    columns.append(Column("formula", "text"))
    if len(frame):
        frame = frame.sort_values("code", kind="stable")
    return csv_bytes(frame, columns, table="regions.csv")


def settle_flows(supply: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    """Return supply with amounts rounded so that they still fit their sources.

    Parameters
    ----------
    supply, sources : DataFrame
        Frames of a result; see `geoplan.siting.result.SitingResult`.

    Returns
    -------
    DataFrame
        ``supply`` with ``amount`` in whole millionths. Rounding each flow by itself can push a
        full source a millionth over its headroom; the largest flow of such a source gives that
        back. What is taken back is at most one millionth per flow and 1e-7 of the headroom (a
        solver's tolerance): a real overdraft stays visible.
    """
    if not len(supply):
        return supply
    steps = _steps(supply["amount"])
    groups = supply.groupby(["resource", "source_id"], sort=True).indices
    limits = sources.set_index(["resource", "source_id"])["headroom"]
    for key, rows in groups.items():
        limit = limits.get(key)
        if limit is None or not np.isfinite(float(limit)):
            continue
        room = round(float(limit) / _STEP)
        over = int(steps.iloc[rows].sum()) - room
        if 0 < over <= len(rows) + room * _SOLVER_SLACK:
            largest = rows[int(np.argmax(steps.iloc[rows].to_numpy()))]
            steps.iloc[largest] -= over
    return supply.assign(amount=steps * _STEP)


def _steps(amounts: pd.Series) -> pd.Series:
    return (amounts.astype("float64") / _STEP).round().astype("int64")
