"""One fact of the database as a column by region, with what it is and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.errors import Problem
from geoplan.regions import ancestors
from geoplan.regions.overlap import equal_area

__all__ = ["PERSONS", "FactColumn", "fact_column", "facts_in_persons"]

PERSONS = ("persons", "jobs", "people")
"""Units to which the jobs of a plan may be added."""


@dataclass(frozen=True, eq=False)
class FactColumn:
    """A figure by region.

    Parameters
    ----------
    variable : str
    value : Series, index code
        Every region of the level; NaN: not known.
    unit, as_of, source : str
    how : str
        ``read`` at this level, ``summed`` over finer regions, or ``measured`` from the shapes.
    """

    variable: str
    value: pd.Series
    unit: str
    as_of: str
    source: str
    how: str

    @property
    def in_persons(self) -> bool:
        """Whether jobs may be added to it."""
        return self.unit in PERSONS


def facts_in_persons(facts: pd.DataFrame, level: int) -> list[str]:
    """Return the facts of a level to which jobs may be added."""
    rows = facts[(facts["level"] == level) & facts["unit"].isin(PERSONS)]
    return sorted(set(rows["variable"]))


def fact_column(
    facts: pd.DataFrame,
    regions: gpd.GeoDataFrame,
    variable: str,
    level: int,
    *,
    where: str,
    crs: str,
    sum_up: bool = False,
) -> FactColumn | Problem:
    """Return a fact for every region of a level, or what is wrong with asking for it.

    Parameters
    ----------
    facts : DataFrame
        As `geoplan.store.read.region_facts`.
    regions : GeoDataFrame
        From `geoplan.studies.index.all_regions`.
    variable : str
        A fact, ``population`` (the regions' own figure) or ``area_km2`` (of their shapes, where no
        fact has it).
    level : int
    where : str
        The option that named it, for the problem.
    crs : str
        Equal-area CRS, for ``area_km2``.
    sum_up : bool
        Add up a finer level's figures; a region whose parts are not all known stays unknown.

    Notes
    -----
    A figure of a coarser level is never handed down: an amount has no meaning for a part.
    """
    codes = pd.Index(sorted(regions.loc[regions["level"] == level, "code"]), name="code")
    rows = facts[(facts["variable"] == variable) & facts["value"].notna()]
    own = rows[rows["level"] == level]
    if own.empty and variable in ("population", "area_km2"):
        return _of_regions(regions, variable, level, codes, crs)
    finer = sorted({int(n) for n in rows["level"] if n > level})
    source = rows[rows["level"] == finer[0]] if own.empty and sum_up and finer else own
    if source.empty:
        return _absent(facts, rows, variable, level, where)
    wrong = _wrong(source, variable, where)
    if wrong is not None:
        return wrong
    value = source.drop_duplicates("region_code").set_index("region_code")["value"]
    if source is own:
        return FactColumn(variable, value.reindex(codes), *_origin(own), "read")
    up = ancestors(regions, finer[0])[level]
    parts = value.reindex(up.index).groupby(up)
    whole = parts.sum(min_count=1).where(parts.count() == parts.size())
    return FactColumn(variable, whole.reindex(codes), *_origin(source), "summed")


def _wrong(rows: pd.DataFrame, variable: str, where: str) -> Problem | None:
    clash = rows.groupby("region_code")["value"].nunique()
    if (clash > 1).any():
        code = str(clash.index[clash > 1][0])
        given = sorted(set(rows.loc[rows["region_code"] == code, "value"]))
        return Problem(
            where,
            f"'{variable}' of region {code} has the values {', '.join(f'{v:g}' for v in given)}",
            "keep one figure per region, variable and level",
            code="fact-twice",
        )
    bad = rows[(rows["value"] < 0) | np.isinf(rows["value"])]
    if len(bad):
        first = bad.iloc[0]
        return Problem(
            where,
            f"'{variable}' of region {first['region_code']} is {first['value']:g}",
            "mend the figure; amounts are 0 or more",
            code="fact-negative",
        )
    return None


def _origin(rows: pd.DataFrame) -> tuple[str, str, str]:
    def listed(name: str) -> str:
        return "; ".join(sorted({str(v) for v in rows[name].dropna() if str(v)}))

    return listed("unit"), listed("as_of"), listed("source")


def _of_regions(
    regions: gpd.GeoDataFrame, variable: str, level: int, codes: pd.Index, crs: str
) -> FactColumn:
    own = regions[regions["level"] == level].set_index("code")
    if variable == "population":
        people = pd.to_numeric(own["population"]).astype("float64").reindex(codes)
        return FactColumn(variable, people, "persons", "", "layer of the regions", "read")
    area = own.geometry.to_crs(equal_area(crs)).area / 1e6
    area = area.where(area > 0).reindex(codes)
    return FactColumn(variable, area, "km2", "", "shapes of the regions", "measured")


def _absent(
    facts: pd.DataFrame, rows: pd.DataFrame, variable: str, level: int, where: str
) -> Problem:
    levels = sorted({int(n) for n in rows["level"]})
    if levels:
        finer = [n for n in levels if n > level]
        remedy = f"use --level {levels[0]}" + (", or --sum-up" if finer else "")
        at = ", ".join(map(str, levels))
        return Problem(where, f"'{variable}' is known by level {at}, not by level {level}", remedy,
                       code="fact-level")  # fmt: skip
    known = sorted(set(facts.loc[facts["level"] == level, "variable"]) | {"population"})
    close = get_close_matches(variable, known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return Problem(where, f"no region of level {level} has a fact '{variable}'",
                   f"{hint}known: {', '.join(known)}", code="fact")  # fmt: skip
