"""Least and most sites of groups, and the least area of a plan, in whole numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.portfolio import PortfolioSpec, QuotaSpec
from geoplan.errors import RangeError, ShapeError, UnknownName

__all__ = ["AREA_TICKS", "Quota", "area_ticks", "quotas_of"]

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

AREA_TICKS = 10_000
"""Square metres in a hectare: areas are counted in whole square metres."""


@dataclass(frozen=True)
class Quota:
    """Least and most sites of one group.

    Parameters
    ----------
    id : str
        With the region's code after a colon where each region keeps the quota for itself.
    member : bool array
        Sites of the group.
    least, most : int
        Sites; ``most`` may be larger than the plan.
    share : bool
        ``least`` is a share of the count.
    """

    id: str
    member: BoolArray
    least: int
    most: int
    share: bool


def _code_column(quota: QuotaSpec, spec: PortfolioSpec, sites: pd.DataFrame) -> str:
    level = quota.level or spec.region_level
    column = f"region{level}_code"
    if column in sites.columns:
        return column
    if level == spec.region_level:
        return "region"
    raise ShapeError(
        f"sites lack the column '{column}'",
        where=f"portfolio.quotas, '{quota.id}'",
        remedy="give the codes of every region level that a quota names",
    )


def _groups(
    quota: QuotaSpec, spec: PortfolioSpec, sites: pd.DataFrame
) -> Iterable[tuple[str, BoolArray]]:
    keep = np.ones(len(sites), dtype=np.bool_)
    for column, wanted in quota.where.items():
        if column not in sites.columns:
            raise UnknownName(
                f"candidates have no column '{column}'",
                where=f"portfolio.quotas, '{quota.id}'",
                remedy=f"use one of: {', '.join(str(c) for c in sites.columns)}",
            )
        values = wanted if isinstance(wanted, (list, tuple)) else (wanted,)
        keep &= np.array([_fits(v, values) for v in sites[column]], dtype=np.bool_)
    if not quota.regions and not quota.each:
        yield quota.id, keep
        return
    codes = sites[_code_column(quota, spec, sites)]
    text = np.array(["" if pd.isna(c) else str(c) for c in codes], dtype=object)
    wanted_codes = quota.regions or tuple(sorted({c for c in text if c}))
    if quota.each:
        for code in wanted_codes:
            yield f"{quota.id}:{code}", keep & (text == code)
        return
    yield quota.id, keep & np.isin(text.astype(str), list(wanted_codes))


def _fits(value: Any, wanted: Iterable[Any]) -> bool:
    if value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return False
    return any(bool(value == w) or str(value) == str(w) for w in wanted)


def quotas_of(
    spec: PortfolioSpec, sites: pd.DataFrame, moved: Mapping[str, int]
) -> tuple[Quota, ...]:
    """Return the quotas in whole numbers of sites.

    Parameters
    ----------
    spec : PortfolioSpec
    sites : DataFrame
        The columns that quotas name; ``region{n}_code`` for level n, or ``region``.
    moved : mapping
        ``<quota>:min`` or ``<quota>:max`` → number that stands in its place (`relax.apply`).
    """
    out = []
    for quota in spec.quotas:
        low = Fraction(str(quota.min_share or 0)) * spec.count
        least = max(quota.min or 0, math.ceil(low))
        most = len(sites) if quota.max is None else quota.max
        if quota.max_share is not None:
            most = min(most, math.floor(Fraction(str(quota.max_share)) * spec.count))
        for name, member in _groups(quota, spec, sites):
            out.append(
                Quota(
                    id=name,
                    member=member,
                    least=moved.get(f"{name}:min", least),
                    most=moved.get(f"{name}:max", most),
                    share=quota.min_share is not None and math.ceil(low) > (quota.min or 0),
                )
            )
    return tuple(out)


def area_ticks(
    spec: PortfolioSpec, sites: pd.DataFrame, place: IntArray, level: npt.NDArray[np.float64]
) -> tuple[IntArray, int]:
    """Return the area that each variant adds, rounded down, and the least area, rounded up, m²."""
    if spec.area_ha_min is None:
        return np.zeros(len(place), dtype=np.int64), 0
    if "area_ha" not in sites.columns:
        raise ShapeError(
            "sites lack the column 'area_ha'", remedy="'area_ha_min' needs the area of each site"
        )
    area = sites["area_ha"].to_numpy(dtype=np.float64)
    bad = ~(np.isfinite(area) & (area > 0))
    if bad.any():
        k = int(np.flatnonzero(bad)[0])
        raise RangeError(
            f"area of site {sites.index[k]} is {area[k]} ha, not above 0",
            remedy="remove the site or mend its area",
        )
    # A millionth of a square metre is the noise of a product of decimals, not land.
    built = np.floor(area[place] * level * AREA_TICKS + 1e-6).astype(np.int64)
    return built, math.ceil(Fraction(str(spec.area_ha_min)) * AREA_TICKS)
