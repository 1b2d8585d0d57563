"""Candidates of a run, its portfolio, and what supplies it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from geoplan.store.serve.database import Reading
from geoplan.store.tables import Candidate, RunSource, SupplyAssignment

__all__ = [
    "SiteRow",
    "SourceRow",
    "SupplyRow",
    "candidates",
    "portfolio",
    "site",
    "sources",
    "supply",
]


@dataclass(frozen=True, slots=True)
class SiteRow:
    """A candidate.

    Parameters
    ----------
    regions, demand : list
        As the run's document tells them.
    detail : dict, optional
        Criteria, reasons, cost; with :func:`site` only, for it is most of a row's size.
    bounds : tuple, optional
        West, south, east, north in degrees; with :func:`site` only.
    shape : dict, optional
        GeoJSON polygon, counter-clockwise as RFC 7946 asks; with :func:`portfolio` on request.
    """

    site_id: str
    rank: int
    score: float
    area_ha: float
    lon: float
    lat: float
    region1_code: str | None
    region2_code: str | None
    region3_code: str | None
    in_portfolio: bool
    served_alone: bool
    regions: Any
    demand: Any
    detail: dict[str, Any] | None = None
    bounds: tuple[float, float, float, float] | None = None
    shape: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SupplyRow:
    """What a site takes of one resource from one source; ``line`` is lon/lat pairs."""

    site_id: str
    resource: str
    source_id: str
    kind: str
    amount: float
    unit: str
    distance_km: float | None
    cost: float
    basis: str
    name_en: str | None
    name_local: str | None
    line: list[list[float]] | None


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the run saw it."""

    source_id: str
    resource: str
    kind: str
    name_en: str | None
    name_local: str | None
    headroom: float
    used: float
    unit: str
    basis: str
    lon: float | None
    lat: float | None


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
_BEST_FIRST = (Candidate.rank, Candidate.site_id)


def candidates(
    reading: Reading,
    run_id: str,
    *,
    offset: int,
    limit: int,
    in_portfolio: bool | None = None,
    region: str | None = None,
) -> tuple[int, list[SiteRow]]:
    """Return how many candidates match, and one page of them, best first."""
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
    total = reading.scalar(select(func.count()).select_from(Candidate).where(*where))
    page = _SUMMARY.where(*where).order_by(*_BEST_FIRST).offset(offset).limit(limit)
    return total or 0, [SiteRow(*row) for row in reading.execute(page)]


def portfolio(reading: Reading, run_id: str, *, shapes: bool = False) -> list[SiteRow]:
    """Return the chosen sites, best first; with their polygons on request."""
    query = _SUMMARY.where(Candidate.run_id == run_id, Candidate.in_portfolio)
    query = query.order_by(*_BEST_FIRST)
    if not shapes:
        return [SiteRow(*row) for row in reading.execute(query)]
    query = query.add_columns(func.ST_AsGeoJSON(func.ST_ForcePolygonCCW(Candidate.geom), 6))
    return [
        replace(SiteRow(*row[:-1]), shape=json.loads(row[-1])) for row in reading.execute(query)
    ]


def site(reading: Reading, run_id: str, site_id: str) -> SiteRow | None:
    """Return one candidate with its detail and extent; ``None`` where the run has none of it."""
    geom = Candidate.geom
    row = reading.execute(
        _SUMMARY.add_columns(
            Candidate.detail,
            func.ST_XMin(geom),
            func.ST_YMin(geom),
            func.ST_XMax(geom),
            func.ST_YMax(geom),
        ).where(Candidate.run_id == run_id, Candidate.site_id == site_id)
    ).first()
    if row is None:
        return None
    *summary, detail, west, south, east, north = tuple(row)
    return replace(SiteRow(*summary), detail=detail, bounds=(west, south, east, north))


def supply(reading: Reading, run_id: str, site_id: str | None = None) -> list[SupplyRow]:
    """Return what the chosen sites (or one of them) take from which source."""
    given = SupplyAssignment
    where: list[ColumnElement[bool]] = [given.run_id == run_id]
    if site_id is not None:
        where.append(given.site_id == site_id)
    query: Select[*tuple[Any, ...]] = (
        select(
            given.site_id,
            given.resource,
            given.source_id,
            given.kind,
            given.amount,
            given.unit,
            given.distance_km,
            given.cost,
            given.basis,
            RunSource.name_en,
            RunSource.name_local,
            func.ST_AsGeoJSON(given.geom, 6),
        )
        .outerjoin(
            RunSource,
            (RunSource.run_id == given.run_id) & (RunSource.source_id == given.source_id),
        )
        .where(*where)
        .order_by(given.site_id, given.resource, given.amount.desc(), given.source_id)
    )
    return [
        replace(SupplyRow(*row), line=json.loads(row[-1])["coordinates"] if row[-1] else None)
        for row in reading.execute(query)
    ]


def sources(reading: Reading, run_id: str) -> list[SourceRow]:
    """Return the sources that the run knew, those that it uses first."""
    rows = reading.execute(
        select(
            RunSource.source_id,
            RunSource.resource,
            RunSource.kind,
            RunSource.name_en,
            RunSource.name_local,
            RunSource.headroom,
            RunSource.used,
            RunSource.unit,
            RunSource.basis,
            func.ST_X(RunSource.geom),
            func.ST_Y(RunSource.geom),
        )
        .where(RunSource.run_id == run_id)
        .order_by(RunSource.resource, RunSource.used.desc(), RunSource.source_id)
    )
    return [SourceRow(*row) for row in rows]
