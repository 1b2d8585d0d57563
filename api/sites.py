"""Tell candidates, the portfolio and its supply."""

from __future__ import annotations

from typing import Any

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
from geoplan.store.serve import sites
from geoplan.store.serve.database import Reading
from geoplan.store.serve.sites import SiteRow

__all__ = [
    "portfolio_geojson",
    "read_candidates",
    "read_portfolio",
    "read_site",
    "read_sources",
    "read_supply",
    "supply_geojson",
]


def _regions(row: SiteRow) -> list[dict[str, Any]]:
    told = [
        {"level": r.get("level"), "code": r.get("code"), "name": label(r.get("name")).model_dump()}
        for r in dicts(row.regions)
    ]
    if told:
        return told
    codes = enumerate((row.region1_code, row.region2_code, row.region3_code), start=1)
    none = label(None).model_dump()
    return [{"level": n, "code": code, "name": none} for n, code in codes if code]


def _summary(row: SiteRow) -> dict[str, Any]:
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
    reading: Reading,
    run_id: str,
    *,
    offset: int,
    limit: int,
    in_portfolio: bool | None = None,
    region: str | None = None,
) -> CandidatePage:
    """Return one page of a run's candidates, best first, with the total that match."""
    total, rows = sites.candidates(
        reading, run_id, offset=offset, limit=limit, in_portfolio=in_portfolio, region=region
    )
    items = [CandidateSummary(**_summary(row)) for row in rows]
    return CandidatePage(total=total, offset=offset, limit=limit, items=items)


def read_portfolio(reading: Reading, run_id: str) -> list[CandidateSummary]:
    """Return the chosen sites, best first."""
    rows = sites.portfolio(reading, run_id)
    return [CandidateSummary(**_summary(row)) for row in rows]


def read_site(reading: Reading, run_id: str, site_id: str) -> SiteDetail:
    """Return a candidate with its criteria, reasons, supply and extent.

    Raises
    ------
    UnknownName
        The run has no such site.
    """
    row = sites.site(reading, run_id, site_id)
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
        supply=read_supply(reading, run_id, site_id),
        cost=number(detail.get("cost")),
        bounds=list(row.bounds or ()),
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


def read_supply(reading: Reading, run_id: str, site_id: str | None = None) -> list[SupplyLine]:
    """Return what the chosen sites (or one of them) take from which source."""
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
            line=row.line,
        )
        for row in sites.supply(reading, run_id, site_id)
    ]


def read_sources(reading: Reading, run_id: str) -> list[SourceInfo]:
    """Return the sources that the run knew, those that it uses first."""
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
        for row in sites.sources(reading, run_id)
    ]


def portfolio_geojson(reading: Reading, run_id: str) -> dict[str, Any]:
    """Return the chosen sites as GeoJSON polygons, counter-clockwise as RFC 7946 asks."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": row.shape,
                "properties": CandidateSummary(**_summary(row)).model_dump(mode="json"),
            }
            for row in sites.portfolio(reading, run_id, shapes=True)
        ],
    }


def supply_geojson(reading: Reading, run_id: str) -> dict[str, Any]:
    """Return the supply as GeoJSON lines from source to site; own supply has no line."""
    lines = (line.model_dump(mode="json") for line in read_supply(reading, run_id))
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
