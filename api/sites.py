"""Read candidates, the portfolio and its supply."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from api.labels import dicts, label, number
from api.schemas import (
    CandidatePage,
    CandidateSummary,
    CriterionLine,
    Reason,
    ResourceDemand,
    SiteDetail,
    SourceInfo,
    SupplyLine,
)
from geoplan.errors import UnknownName
from geoplan.store.tables import Candidate, RunSource, SupplyAssignment

__all__ = [
    "portfolio_geojson",
    "read_candidates",
    "read_portfolio",
    "read_site",
    "read_sources",
    "read_supply",
    "supply_geojson",
]

# Lists take two members of `detail` only: its criteria and reasons are most of its size.
_SUMMARY: Select[*tuple[Any, ...]] = select(
    Candidate.site_id,
    Candidate.rank,
    Candidate.score,
    Candidate.area_ha,
    Candidate.lon,
    Candidate.lat,
    Candidate.region1_code,
    Candidate.region2_code,
    Candidate.region3_code,
    Candidate.in_portfolio,
    Candidate.served_alone,
    Candidate.detail["regions"].label("regions"),
    Candidate.detail["demand"].label("demand"),
)


def _regions(row: Row[Any]) -> list[dict[str, Any]]:
    told = [
        {"level": r.get("level"), "code": r.get("code"), "name": label(r.get("name")).model_dump()}
        for r in dicts(row.regions)
    ]
    if told:
        return told
    codes = enumerate((row.region1_code, row.region2_code, row.region3_code), start=1)
    none = label(None).model_dump()
    return [{"level": n, "code": code, "name": none} for n, code in codes if code]


def _summary(row: Row[Any]) -> dict[str, Any]:
    return {
        "site_id": row.site_id,
        "rank": row.rank,
        "score": row.score,
        "area_ha": row.area_ha,
        "lon": row.lon,
        "lat": row.lat,
        "regions": _regions(row),
        "in_portfolio": row.in_portfolio,
        "served_alone": row.served_alone,
        "demand": [
            ResourceDemand(resource=d["resource"], amount=amount, unit=d.get("unit") or "")
            for d in dicts(row.demand)
            if d.get("resource") and (amount := number(d.get("amount"))) is not None
        ],
    }


def read_candidates(
    connection: Connection,
    run_id: str,
    *,
    offset: int,
    limit: int,
    in_portfolio: bool | None = None,
    region: str | None = None,
) -> CandidatePage:
    """Return one page of a run's candidates, best first, with the total that match."""
    where: list[ColumnElement[bool]] = [Candidate.run_id == run_id]
    if in_portfolio is not None:
        where.append(Candidate.in_portfolio.is_(in_portfolio))
    if region is not None:
        where.append(
            or_(
                Candidate.region1_code == region,
                Candidate.region2_code == region,
                Candidate.region3_code == region,
            )
        )
    total = connection.execute(select(func.count()).select_from(Candidate).where(*where)).scalar()
    rows = connection.execute(
        _SUMMARY.where(*where)
        .order_by(Candidate.rank, Candidate.site_id)
        .offset(offset)
        .limit(limit)
    )
    items = [CandidateSummary(**_summary(row)) for row in rows]
    return CandidatePage(total=total or 0, offset=offset, limit=limit, items=items)


def read_portfolio(connection: Connection, run_id: str) -> list[CandidateSummary]:
    """Return the chosen sites, best first."""
    rows = connection.execute(
        _SUMMARY.where(Candidate.run_id == run_id, Candidate.in_portfolio).order_by(
            Candidate.rank, Candidate.site_id
        )
    )
    return [CandidateSummary(**_summary(row)) for row in rows]


def read_site(connection: Connection, run_id: str, site_id: str) -> SiteDetail:
    """Return a candidate with its criteria, reasons, supply and extent.

    Raises
    ------
    UnknownName
        The run has no such site.
    """
    row = connection.execute(
        _SUMMARY.add_columns(
            Candidate.detail,
            func.ST_XMin(Candidate.geom).label("west"),
            func.ST_YMin(Candidate.geom).label("south"),
            func.ST_XMax(Candidate.geom).label("east"),
            func.ST_YMax(Candidate.geom).label("north"),
        ).where(Candidate.run_id == run_id, Candidate.site_id == site_id)
    ).first()
    if row is None:
        raise UnknownName(
            f"run '{run_id[:80]}' has no site '{site_id[:80]}'",
            where="site",
            remedy=f"/api/runs/{run_id[:80]}/candidates lists its sites",
        )
    detail = row.detail or {}
    return SiteDetail(
        **_summary(row),
        criteria=_criteria(detail.get("criteria")),
        reasons=[
            Reason(code=str(r.get("code", "")), text=label(r.get("text")))
            for r in dicts(detail.get("reasons"))
        ],
        supply=read_supply(connection, run_id, site_id),
        cost=number(detail.get("cost")),
        bounds=[row.west, row.south, row.east, row.north],
    )


def _criteria(stored: Any) -> list[CriterionLine]:
    lines = []
    for line in dicts(stored):
        value, weight = number(line.get("value")), number(line.get("weight"))
        if value is None or weight is None:
            continue  # zero would claim that it was measured
        part = number(line.get("contribution"))
        lines.append(
            CriterionLine(
                id=str(line.get("id", "")),
                title=label(line.get("title")),
                measured=number(line.get("measured")),
                unit=str(line.get("unit") or ""),
                value=value,
                weight=weight,
                contribution=weight * value if part is None else part,
                national_median=number(line.get("national_median")),
            )
        )
    return lines


def read_supply(
    connection: Connection, run_id: str, site_id: str | None = None
) -> list[SupplyLine]:
    """Return what the chosen sites (or one of them) take from which source."""
    where: list[ColumnElement[bool]] = [SupplyAssignment.run_id == run_id]
    if site_id is not None:
        where.append(SupplyAssignment.site_id == site_id)
    source = (RunSource.run_id == SupplyAssignment.run_id) & (
        RunSource.source_id == SupplyAssignment.source_id
    )
    rows = connection.execute(
        select(
            *(c for c in SupplyAssignment.__table__.c if c.name not in ("run_id", "geom")),
            RunSource.name_en,
            RunSource.name_local,
            func.ST_AsGeoJSON(SupplyAssignment.geom, 6).label("line"),
        )
        .outerjoin(RunSource, source)
        .where(*where)
        .order_by(
            SupplyAssignment.site_id,
            SupplyAssignment.resource,
            SupplyAssignment.amount.desc(),
            SupplyAssignment.source_id,
        )
    )
    return [
        SupplyLine(
            site_id=row.site_id,
            resource=row.resource,
            source_id=row.source_id,
            source_name=label({"en": row.name_en, "local": row.name_local}),
            kind=row.kind,
            amount=row.amount,
            unit=row.unit,
            distance_km=number(row.distance_km),
            cost=row.cost,
            basis=row.basis,
            line=json.loads(row.line)["coordinates"] if row.line else None,
        )
        for row in rows
    ]


def read_sources(connection: Connection, run_id: str) -> list[SourceInfo]:
    """Return the sources that the run knew, those that it uses first."""
    rows = connection.execute(
        select(
            *(c for c in RunSource.__table__.c if c.name not in ("run_id", "geom")),
            func.ST_X(RunSource.geom).label("lon"),
            func.ST_Y(RunSource.geom).label("lat"),
        )
        .where(RunSource.run_id == run_id)
        .order_by(RunSource.resource, RunSource.used.desc(), RunSource.source_id)
    )
    return [
        SourceInfo(
            source_id=row.source_id,
            resource=row.resource,
            kind=row.kind,
            name=label({"en": row.name_en, "local": row.name_local}),
            headroom=row.headroom,
            used=row.used,
            unit=row.unit,
            basis=row.basis,
            lon=number(row.lon),
            lat=number(row.lat),
        )
        for row in rows
    ]


def portfolio_geojson(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return the chosen sites as GeoJSON polygons, counter-clockwise as RFC 7946 asks."""
    rows = connection.execute(
        _SUMMARY.add_columns(
            func.ST_AsGeoJSON(func.ST_ForcePolygonCCW(Candidate.geom), 6).label("shape")
        )
        .where(Candidate.run_id == run_id, Candidate.in_portfolio)
        .order_by(Candidate.rank, Candidate.site_id)
    )
    return _collection(
        (CandidateSummary(**_summary(row)).model_dump(mode="json"), row.shape) for row in rows
    )


def supply_geojson(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return the supply as GeoJSON lines from source to site; own supply has no line."""
    lines = (line.model_dump(mode="json") for line in read_supply(connection, run_id))
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": shape} if shape else None,
                "properties": line,
            }
            for line in lines
            for shape in (line.pop("line"),)
        ],
    }


def _collection(rows: Iterable[tuple[dict[str, Any], str]]) -> dict[str, Any]:
    return {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "geometry": json.loads(shape), "properties": properties}
            for properties, shape in rows
        ],
    }
