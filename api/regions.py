"""Tell regions with their industrialisation as a run saw it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.labels import dicts, label, number
from api.schemas import IndicatorLine, RegionDetail, RegionSummary
from geoplan.errors import RangeError, UnknownName
from geoplan.store.serve.current import CurrentLayer
from geoplan.store.serve.database import Reading
from geoplan.store.serve.regions import RegionRow, facts_of, regions

__all__ = ["read_region", "read_regions"]


def _summary(row: RegionRow) -> dict[str, Any]:
    return {
        "code": row.code,
        "level": row.level,
        "parent_code": row.parent_code,
        "name": label({"en": row.name_en, "local": row.name_local}),
        "population": row.population,
        "area_km2": number(row.area_km2),
        "industrialisation": number(row.industrialisation),
        "coverage": number(row.coverage),
        "rank": row.rank,
        "less_industrialised": row.less_industrialised,
        "bounds": None if row.west is None else [row.west, row.south, row.east, row.north],
    }


def read_regions(
    reading: Reading,
    layers: Sequence[CurrentLayer],
    *,
    run_id: str | None,
    level: int | None = None,
    parent: str | None = None,
) -> list[RegionSummary]:
    """Return the regions of ``layers``, by level and code."""
    versions = [x.version.id for x in layers]
    rows = regions(reading, versions, run_id=run_id, level=level, parent=parent)
    return [RegionSummary(**_summary(row)) for row in rows]


def read_region(
    reading: Reading,
    layers: Sequence[CurrentLayer],
    code: str,
    *,
    run_id: str | None,
    level: int | None = None,
) -> RegionDetail:
    """Return one region with what its index is made of, and every fact about it.

    Raises
    ------
    UnknownName
        There is no region of that code (at that level).
    RangeError
        The code stands at several levels and ``level`` does not say which.
    """
    versions = [x.version.id for x in layers]
    rows = regions(reading, versions, run_id=run_id, level=level, code=code, detail=True)
    if not rows:
        place = f" at level {level}" if level else ""
        raise UnknownName(
            f"no region '{code[:80]}'{place}",
            where="region",
            remedy="/api/regions lists the regions",
        )
    if len({row.level for row in rows}) > 1:
        levels = " and ".join(str(row.level) for row in rows)
        raise RangeError(
            f"region '{code[:80]}' exists at levels {levels}",
            where="level",
            remedy=f"add ?level={rows[0].level} or another of these levels",
        )
    row = rows[0]
    detail: Mapping[str, Any] = row.detail or {}
    return RegionDetail(
        **_summary(row),
        formula=str(detail.get("formula") or ""),
        indicators=[_indicator(x) for x in dicts(detail.get("indicators"))],
        facts=_facts(reading, row.level, code),
    )


def _indicator(line: dict[str, Any]) -> IndicatorLine:
    return IndicatorLine(
        id=str(line.get("id", "")),
        title=label(line.get("title")),
        value=number(line.get("value")),
        unit=str(line.get("unit") or ""),
        normalised=number(line.get("normalised")),
        weight=number(line.get("weight")) or 0.0,
        as_of=str(line["as_of"]) if line.get("as_of") else None,
        source=str(line.get("source") or ""),
    )


def _facts(reading: Reading, level: int, code: str) -> list[dict[str, Any]]:
    return [
        {
            "variable": row.variable,
            "value": number(row.value) if row.text_value is None else row.text_value,
            "unit": row.unit,
            "as_of": row.as_of,
            "source": row.source,
            "confidence": row.confidence,
        }
        for row in facts_of(reading, level, code)
    ]
