"""The CSV files of exclusions: what each rule is, by which law, and the land that it takes."""

from __future__ import annotations

import pandas as pd

from geoplan.report.cells import Column, csv_bytes
from geoplan.siting.result import SitingResult

__all__ = ["exclusions_by_region_csv", "exclusions_csv"]

_OPTIONAL = ("effect", "share", "dated")


def exclusions_csv(result: SitingResult) -> bytes:
    """Return ``exclusions.csv``: each rule, its basis, date and status, and the land it takes.

    ``area_ha_alone`` is what the rule would take if it were the only one, ``area_ha_only`` what
    would be usable without it; see `geoplan.siting.exclude_area.accounting`. ``effect`` is
    ``exclude`` or ``include``; ``share`` is empty where the rule takes whole cells.
    """
    columns = [
        Column("rule", "text"),
        Column("title_en", "text"),
        Column("title_local", "text"),
        Column("effect", "text"),
        Column("share", "text"),
        Column("basis", "text"),
        Column("dated", "text"),
        Column("status", "text"),
        Column("area_ha_alone", "area"),
        Column("area_ha_only", "area"),
    ]
    return csv_bytes(result.exclusions, columns, table="exclusions.csv", extra=_OPTIONAL)


def exclusions_by_region_csv(result: SitingResult) -> bytes:
    """Return ``exclusions_by_region.csv``: the land that each rule takes in each region.

    One row per region and rule, by level (1 is the coarsest) and code; the whole area has
    level 0 and no code. Names stand beside codes where the result knows the region.
    """
    frame = result.exclusions_by_region
    if len(frame):
        names = _names(result)
        keys = list(zip(frame["level"], frame["code"], strict=True))
        frame = frame.assign(
            name_en=[names.get(key, (None, None))[0] for key in keys],
            name_local=[names.get(key, (None, None))[1] for key in keys],
        )
    columns = [
        Column("level", "integer"),
        Column("code", "text"),
        Column("name_en", "text"),
        Column("name_local", "text"),
        Column("rule", "text"),
        Column("area_ha_alone", "area"),
        Column("area_ha_only", "area"),
    ]
    return csv_bytes(frame, columns, table="exclusions_by_region.csv")


def _names(result: SitingResult) -> dict[tuple[int, str], tuple[object, object]]:
    """Return names of regions by level and code."""
    parts = []
    columns = ["level", "code", "name_en", "name_local"]
    if len(result.regions):
        own = pd.DataFrame(result.regions.drop(columns="geometry", errors="ignore"))
        parts.append(own.assign(level=result.profile.index.level)[columns])
    if len(result.coarse_regions) and set(columns) <= set(result.coarse_regions.columns):
        parts.append(result.coarse_regions[columns])
    for level in sorted(spec.level for spec in result.profile.region_levels):
        held = [f"region{level}_code", f"region{level}_name_en", f"region{level}_name_local"]
        if set(held) <= set(result.candidates.columns):
            found = pd.DataFrame(result.candidates[held]).set_axis(columns[1:], axis=1)
            parts.append(found.assign(level=level)[columns])
    if not parts:
        return {}
    known = pd.concat(parts).dropna(subset=["code"]).drop_duplicates(["level", "code"])
    return {
        (int(row.level), str(row.code)): (row.name_en, row.name_local)
        for row in known.itertuples(index=False)
    }
