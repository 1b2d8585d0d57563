"""What regions have and are, as equity between them is counted: index, people, base, targets."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.catalogue import Profile
from geoplan.catalogue.equity import EquitySpec
from geoplan.errors import RangeError, UnknownName
from geoplan.regions import IndexResult, ancestors, coarser

__all__ = ["equity_regions", "figures", "needed"]


def equity_regions(
    regions: pd.DataFrame, index: IndexResult, profile: Profile, level: int
) -> pd.DataFrame:
    """Return the regions of a level with their index.

    Parameters
    ----------
    regions : DataFrame
        All regions, as `geoplan.studies.index.all_regions`.
    index : IndexResult
        Of ``profile.index.level``. A coarser level has the mean of its parts, weighted by people;
        a finer one has its region's.
    profile : Profile
    level : int

    Returns
    -------
    DataFrame, index ``code``, sorted
        ``name_en``, ``name_local``, ``population``, ``industrialisation`` (NaN: unknown).
    """
    own = regions[regions["level"] == level].set_index("code").sort_index()
    if own.empty:
        raise UnknownName(
            f"no regions of level {level} are loaded",
            where="equity.level",
            remedy="load the regions' layer, or choose another level",
        )
    if level == profile.index.level:
        known = index.frame["industrialisation"]
    elif level < profile.index.level:
        known = coarser(index.frame, regions, spec=profile.index, level=level)["industrialisation"]
    else:
        up = ancestors(regions, level)[profile.index.level]
        known = up.map(index.frame["industrialisation"])
    out = pd.DataFrame(own[["name_en", "name_local", "population"]])
    out["population"] = pd.to_numeric(out["population"]).astype("float64")
    return out.assign(industrialisation=known.reindex(out.index).astype("float64"))


def needed(spec: EquitySpec) -> list[str]:
    """Return the figures without which a region is left out."""
    if spec.objective == "deprivation":
        return ["industrialisation"]
    if spec.objective == "shortfall":
        return ["target"] if isinstance(spec.targets, dict) else ["population"]
    return ["population", "base"]


def figures(
    table: pd.DataFrame, regions: pd.DataFrame, facts: pd.DataFrame, spec: EquitySpec
) -> pd.DataFrame:
    """Return the regions with ``population``, ``base`` and ``target``; NaN where not known."""
    out = table.copy()
    if spec.population is not None:
        out["population"] = _fact(facts, regions, spec.population, spec.level, "population")
    out["population"] = out["population"].where(out["population"] > 0)
    out["base"] = 0.0
    if spec.base is not None:
        out["base"] = _fact(facts, regions, spec.base, spec.level, "base")
        below = out.index[out["base"] < 0]
        if len(below):
            raise RangeError(
                f"'{spec.base}' of region {below[0]} is {out.loc[below[0], 'base']:g}",
                where="equity.base",
                remedy="mend the figure; none may be below 0",
            )
    out["target"] = np.nan
    if isinstance(spec.targets, dict):
        unknown = sorted(set(spec.targets) - set(out.index))
        if unknown:
            raise UnknownName(
                f"no region of level {spec.level} has the code '{unknown[0]}'",
                where="equity.targets",
                remedy=f"known: {', '.join(map(str, out.index[:40]))}",
            )
        out["target"] = pd.Series(spec.targets, dtype="float64").reindex(out.index)
    return out


def _fact(
    facts: pd.DataFrame, regions: pd.DataFrame, variable: str, level: int, key: str
) -> pd.Series[float]:
    """Return a figure by region of ``level``; from a finer level only where no part is missing."""
    rows = facts[facts["variable"] == variable]
    levels = sorted({int(v) for v in rows["level"] if int(v) >= level})
    if not levels:
        known = sorted({str(v) for v in facts.loc[facts["level"] >= level, "variable"]})
        raise UnknownName(
            f"no region of level {level} or finer has a fact '{variable}'",
            where=f"equity.{key}",
            remedy=f"known: {', '.join(known) or 'none'}",
        )
    mine = rows[rows["level"] == levels[0]]
    twice = mine["region_code"].duplicated()
    if twice.any():
        raise RangeError(
            f"fact '{variable}' is given twice for region {mine.loc[twice, 'region_code'].iloc[0]}",
            where=f"equity.{key}",
            remedy="keep one figure per region, variable and level",
        )
    value = pd.to_numeric(mine.set_index("region_code")["value"]).astype("float64")
    if levels[0] == level:
        return value
    up = ancestors(regions, levels[0])[level]
    parts = value.reindex(up.index).groupby(up)
    # A sum over some of a region's parts would pass for the whole.
    return parts.sum(min_count=1).where(parts.apply(lambda v: bool(v.notna().all())))
