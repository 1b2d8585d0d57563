"""Regions with their industrialisation as a run saw it, and the facts about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, func, select

from geoplan.store.serve.database import Reading
from geoplan.store.tables import Layer, Region, RegionFact, RunRegion

__all__ = ["FactRow", "RegionRow", "facts_of", "regions"]


@dataclass(frozen=True, slots=True)
class RegionRow:
    """A region; the index is ``None`` where the run has none. Extent in degrees."""

    code: str
    level: int
    parent_code: str | None
    name_en: str | None
    name_local: str | None
    population: int | None
    area_km2: float | None
    industrialisation: float | None
    coverage: float | None
    rank: int | None
    less_industrialised: bool | None
    west: float | None
    south: float | None
    east: float | None
    north: float | None
    detail: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class FactRow:
    """One figure about one region."""

    variable: str
    value: float | None
    text_value: str | None
    unit: str
    as_of: str | None
    source: str
    confidence: str


def regions(
    reading: Reading,
    versions: Sequence[int],
    *,
    run_id: str | None,
    level: int | None = None,
    parent: str | None = None,
    code: str | None = None,
    detail: bool = False,
) -> list[RegionRow]:
    """Return the regions of loads of layers, by level and code.

    Parameters
    ----------
    reading : Reading
        Open transaction.
    versions : sequence of int
        Loads (``layer_version.id``) that the regions come from.
    run_id : str or None
        The run whose index is shown.
    level, parent, code : optional
        Only regions of this level, below this code, of this code.
    detail : bool
        With what the index is made of, which is most of a row's size.
    """
    seen = and_(
        RunRegion.run_id == run_id, RunRegion.code == Region.code, RunRegion.level == Region.level
    )
    query: Select[*tuple[Any, ...]] = (
        select(
            Region.code,
            Region.level,
            Region.parent_code,
            Region.name_en,
            Region.name_local,
            Region.population,
            Region.area_km2,
            RunRegion.industrialisation,
            RunRegion.coverage,
            RunRegion.rank,
            RunRegion.less_industrialised,
            func.ST_XMin(Region.geom).label("west"),
            func.ST_YMin(Region.geom).label("south"),
            func.ST_XMax(Region.geom).label("east"),
            func.ST_YMax(Region.geom).label("north"),
        )
        .outerjoin(RunRegion, seen)
        .where(Region.version_id.in_(versions))
        .order_by(Region.level, Region.code)
    )
    if detail:
        query = query.add_columns(RunRegion.detail)
    for column, wanted in (
        (Region.level, level),
        (Region.parent_code, parent),
        (Region.code, code),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    return [RegionRow(*row) for row in reading.execute(query)]


def facts_of(reading: Reading, level: int, code: str) -> list[FactRow]:
    """Return every current fact about one region, by variable and date."""
    rows = reading.execute(
        select(
            RegionFact.variable,
            RegionFact.value,
            RegionFact.text_value,
            RegionFact.unit,
            RegionFact.as_of,
            RegionFact.source,
            RegionFact.confidence,
        )
        .join(Layer, Layer.current_version_id == RegionFact.version_id)
        .where(RegionFact.level == level, RegionFact.region_code == code)
        .order_by(RegionFact.variable, RegionFact.as_of, RegionFact.id)
    )
    return [FactRow(*row) for row in rows]
