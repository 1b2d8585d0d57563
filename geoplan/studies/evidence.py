"""What a run's folder says, read from its files."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

__all__ = ["DEMAND", "UNITS", "Evidence", "NotSo", "as_table"]

UNITS = {"water": "m3/day", "power": "MVA", "wastewater": "m3/day"}
DEMAND = {
    "water": "water_m3_per_day",
    "power": "power_mva",
    "wastewater": "wastewater_m3_per_day",
}

_NUMBERS = {
    "rank", "area_ha", "usable_ha", "level", "score", "lon", "lat", "cost", "amount", "distance_km",
    "headroom", "used",
    "source_lon", "source_lat", "site_lon", "site_lat", "area_ha_alone", "area_ha_only",
    *DEMAND.values(),
}  # fmt: skip
_FLAGS = {"served_alone", "in_portfolio", "less_industrialised"}
_NEEDED = {
    "ranking": (
        "rank", "site_id", "area_ha", "score", "lon", "lat", "served_alone", "in_portfolio",
    ),
    "portfolio": ("site_id", "area_ha", "score", "cost", *DEMAND.values()),
    "supply": (
        "site_id", "resource", "source_id", "amount", "unit", "distance_km", "cost", "basis",
    ),
    "sources": ("source_id", "resource", "headroom", "used", "unit", "basis", "kind"),
    "exclusions": ("rule", "basis", "area_ha_alone", "area_ha_only"),
}  # fmt: skip


class NotSo(Exception):  # an answer, not an error
    """A check failed; the text says which figure is wrong and what it should be."""


def as_table(raw: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return a table read as text with its numbers and flags; region codes stay text.

    Raises
    ------
    NotSo
        A column is missing, or a cell is not what its column holds; the message names it.
    """
    missing = [c for c in _NEEDED[name] if c not in raw.columns]
    if missing:
        raise NotSo(f"{name}.csv lacks the columns {', '.join(missing)}")
    table = raw.copy()
    for column in raw.columns:
        numeric = column in _NUMBERS or column.endswith(("_contribution", "_value"))
        if numeric:
            table[column] = _numbers(raw[column], name)
        elif column in _FLAGS:
            lower = raw[column].str.lower()
            if not lower.isin(["true", "false"]).all():
                raise NotSo(f"{name}.csv: '{column}' holds more than true and false")
            table[column] = lower == "true"
    return table


def _numbers(text: pd.Series, name: str) -> pd.Series:
    values = pd.to_numeric(text.where(text != ""), errors="coerce")
    bad = text[(text != "") & ~np.isfinite(values)]
    if len(bad):
        raise NotSo(f"{name}.csv: '{bad.iloc[0]}' in '{text.name}' is not a number")
    return values


@dataclass
class Evidence:
    """The files of a folder, each once read; asking for one that was not read fails the check."""

    folder: Path
    document: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    polygons: gpd.GeoDataFrame | None = None
    score: np.ndarray | None = None
    transform: Any = None
    crs: Any = None

    def table(self, name: str) -> pd.DataFrame:
        """Return a table."""
        if name not in self.tables:
            raise NotSo(f"needs {name}.csv, which could not be read")
        return self.tables[name]

    @property
    def scenario(self) -> dict[str, Any]:
        """The scenario as recorded."""
        if not self.document:
            raise NotSo("needs run.json, which could not be read")
        scenario: dict[str, Any] = self.document["scenario"]
        return scenario

    @property
    def sites(self) -> gpd.GeoDataFrame:
        """All candidates' polygons by site_id."""
        if self.polygons is None:
            raise NotSo("needs sites.gpkg, which could not be read")
        return self.polygons

    @property
    def surface(self) -> np.ndarray:
        """The score of every cell."""
        if self.score is None:
            raise NotSo("needs suitability.tif, which could not be read")
        return self.score

    @property
    def ranking(self) -> pd.DataFrame:
        """Candidates by site_id."""
        return self.table("ranking").set_index("site_id", drop=False)

    @property
    def chosen(self) -> list[str]:
        """Ids of the sites of the plan."""
        return [str(s) for s in self.table("portfolio")["site_id"]]
