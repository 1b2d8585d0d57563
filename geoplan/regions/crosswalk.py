"""Figures of an older division handed on to a newer one by area."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geoplan.errors import UnknownName
from geoplan.regions.overlap import Overlap

__all__ = ["CROSSWALK_COLUMNS", "area_crosswalk", "hand_on"]

CROSSWALK_COLUMNS = (
    "old_code", "new_code", "area_km2", "share_old", "share_new", "weight", "kind",
)  # fmt: skip
"""``share_old``, ``share_new``: common area over the area of the old and the new region.
``weight``: part of the old region's figure that goes to the new one; sums to 1 for each old
region. ``kind``: the status of the pair in the join, else ``part``."""


def area_crosswalk(
    old_codes: Sequence[str] | pd.Series,
    new_codes: Sequence[str] | pd.Series,
    overlap: Overlap | None,
    frame: pd.DataFrame,
    *,
    sliver: float,
) -> pd.DataFrame:
    """Return how the area of each old region is divided among the new ones.

    Parameters
    ----------
    old_codes, new_codes : sequence of str
        Codes in the order of the overlap's rows and columns.
    overlap : Overlap or None
        None gives an empty table.
    frame : DataFrame
        The join's rows: their pairs are kept however small they are.
    sliver : float
        Pairs whose share of both regions (of what both sources cover) is below this are noise
        of drawing and left out; their part of the figure goes to the old region's other pairs.

    Returns
    -------
    DataFrame
        `CROSSWALK_COLUMNS`, sorted by both codes.
    """
    if overlap is None:
        return pd.DataFrame(columns=list(CROSSWALK_COLUMNS))
    old, new = np.asarray(old_codes, dtype=object), np.asarray(new_codes, dtype=object)
    told = frame[frame["old_code"].notna() & frame["new_code"].notna()]
    kinds = {(r.old_code, r.new_code): r.status for r in told.itertuples()}
    i = overlap.pairs["old"].to_numpy(dtype=int)
    j = overlap.pairs["new"].to_numpy(dtype=int)
    table = pd.DataFrame(
        {
            "old_code": old[i],
            "new_code": new[j],
            "area_km2": overlap.pairs["area_km2"].to_numpy(),
            "share_old": overlap.of_old[i, j],
            "share_new": overlap.of_new[i, j],
        }
    )
    kind = [kinds.get(pair) for pair in zip(table["old_code"], table["new_code"], strict=True)]
    table["kind"] = [k or "part" for k in kind]
    kept = (overlap.either[i, j] >= sliver) | np.array([k is not None for k in kind], dtype=bool)
    table = table[kept].copy()
    table["weight"] = table["area_km2"] / table.groupby("old_code")["area_km2"].transform("sum")
    table = table.sort_values(["old_code", "new_code"], ignore_index=True)
    return table[list(CROSSWALK_COLUMNS)]


def hand_on(values: pd.Series, crosswalk: pd.DataFrame) -> pd.DataFrame:
    """Return figures of the new regions from those of the old ones.

    ``value(new) = sum over old of value(old) * weight(old, new)``: areal weighting (Goodchild and
    Lam 1980, equation 1), which takes the figure to be spread evenly over the old region. Only
    for counts (persons, jobs, tonnes), never for shares or rates.

    Parameters
    ----------
    values : Series of float, index old code
        Missing stays missing: a new region with a part of unknown figure has none.
    crosswalk : DataFrame
        From `area_crosswalk`.

    Returns
    -------
    DataFrame, index ``new_code``
        ``value``; ``basis``: ``as published`` where one old region went over whole and alone,
        else ``estimated by area``; ``parts``: how many old regions contribute. The sum over all
        new regions is the sum over the old regions of the crosswalk.

    Raises
    ------
    UnknownName
        A figure's region is not in the crosswalk: it would be lost.
    """
    known = set(crosswalk["old_code"])
    lost = sorted(str(c) for c in values.index if c not in known)
    if lost:
        raise UnknownName(
            f"{len(lost)} regions with a figure are not in the crosswalk: {', '.join(lost[:5])}",
            remedy="leave their figures out, or give them a shape and match again",
        )
    rows = crosswalk.assign(part=crosswalk["old_code"].map(values) * crosswalk["weight"])
    groups = rows.groupby("new_code", sort=True)
    whole = (groups["weight"].min() == 1.0) & (groups.size() == 1)
    return pd.DataFrame(
        {
            "value": groups["part"].sum(min_count=1).where(groups["part"].count() == groups.size()),
            "basis": np.where(whole, "as published", "estimated by area"),
            "parts": groups.size(),
        }
    )
