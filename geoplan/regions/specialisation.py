"""How specialised regions are: location quotients with their uncertainty, Krugman's index.

``LQ(r, a) = (e_ra / e_r) / (e_a / e)``: the share of activity a in region r over its share in the
nation. Above 1 the region has more of it than its size would give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geoplan.errors import RangeError, ShapeError
from geoplan.regions.activity_table import ActivityTable
from geoplan.regions.inequality import hhi

__all__ = [
    "Guards",
    "IntervalMethod",
    "krugman",
    "krugman_of_regions",
    "location_quotient",
    "location_quotients",
    "lq_interval",
]

FloatArray = npt.NDArray[np.float64]
IntervalMethod = Literal["wilson", "poisson", "delta"]


@dataclass(frozen=True, slots=True)
class Guards:
    """Numbers below which a location quotient says nothing.

    Parameters
    ----------
    region_min : float, ≥ 0
        Least size of a region, in the unit of the table's base (units or jobs).
    activity_min : float, ≥ 0
        Least amount of an activity in the nation, in its own unit.
    """

    region_min: float = 20.0
    activity_min: float = 10.0


def location_quotient(
    amount: npt.ArrayLike,
    region_total: npt.ArrayLike,
    activity_total: npt.ArrayLike,
    total: npt.ArrayLike,
) -> FloatArray:
    """Return the location quotient of each cell.

    Parameters
    ----------
    amount, region_total, activity_total, total : array_like of float, ≥ 0, broadcast together
        The activity in the region, all activities in the region, the activity in the nation, all
        activities in the nation.

    Returns
    -------
    ndarray of float, unitless, ≥ 0
        NaN where one of the three totals is 0 or a figure is missing.

    Notes
    -----
    ``(e_ra / e_r) / (e_a / e)`` (Florence 1939; Isard 1960, ch. 7).

    Examples
    --------
    >>> location_quotient(1714, 79006, 879213, 15593224).round(7)
    np.float64(0.3847623)
    """
    e_ra, e_r, e_a, e = (
        np.asarray(x, dtype=np.float64) for x in (amount, region_total, activity_total, total)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        out = (e_ra / e_r) / (e_a / e)
        return np.asarray(np.where((e_r > 0) & (e_a > 0) & (e > 0), out, np.nan))[()]


def lq_interval(
    count: npt.ArrayLike,
    region_total: npt.ArrayLike,
    activity_total: npt.ArrayLike,
    total: npt.ArrayLike,
    *,
    level: float = 0.95,
    method: IntervalMethod = "wilson",
) -> tuple[FloatArray, FloatArray]:
    """Return the confidence limits of location quotients of **counts**.

    Parameters
    ----------
    count, region_total, activity_total, total : array_like of float, ≥ 0
        As for `location_quotient`; ``count`` and ``activity_total`` are numbers of units or jobs.
    level : float, 0 to 1
        Coverage.
    method : {"wilson", "poisson", "delta"}
        ``wilson``: the region's share of the nation's activity, ``e_ra / e_a``, is a binomial
        share with Wilson's score limits (Wilson 1927); divided by the share ``e_r / e`` it is the
        quotient. It needs no large numbers and stays at or above 0.
        ``poisson``: exact limits of a Poisson count (Garwood 1936) over the expected count
        ``e_a · e_r / e``.
        ``delta``: limits by the delta method, the first of those that Moineddin, Beyene and Boyle
        (2003) and Beyene and Moineddin (2005, BMC Med. Res. Methodol. 5:32) set out:
        ``LQ ± z · LQ · √((1 − p_r)/(e_r p_r) + (1 − p)/(e p) − 2 (1 − p_r)/(e p))`` with
        ``p_r = e_ra / e_r`` and ``p = e_a / e``; the last term is there because the region is
        part of the nation. For totals of the same kind as the count only, and not for small ones.

    Returns
    -------
    low, high : ndarray of float
        NaN where the quotient is; with ``delta`` also where nothing was counted, as it has no
        spread there.

    Raises
    ------
    RangeError
        The level or the method is unknown; a share is above 1 with ``wilson`` or ``delta``.
    """
    if not 0 < level < 1:
        raise RangeError(f"the level of an interval is {level:g}", remedy="give 0.95, for example")
    e_ra, e_r, e_a, e = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (count, region_total, activity_total, total))
    )
    lq = location_quotient(e_ra, e_r, e_a, e)
    z = float(stats.norm.ppf(0.5 + level / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        if method == "wilson":
            share = e_ra / e_a
            _within_one(share, "the region's share of the activity")
            middle = share + z * z / (2 * e_a)
            half = z * np.sqrt(share * (1 - share) / e_a + z * z / (4 * e_a * e_a))
            scale = (1 + z * z / e_a) * (e_r / e)
            low, high = (middle - half) / scale, (middle + half) / scale
            low = np.where(e_ra == 0, 0.0, low)  # it is 0, but for rounding
        elif method == "poisson":
            expected = e_a * e_r / e
            low = stats.chi2.ppf((1 - level) / 2, 2 * e_ra) / 2 / expected
            low = np.where(e_ra == 0, 0.0, low)
            high = stats.chi2.ppf((1 + level) / 2, 2 * e_ra + 2) / 2 / expected
        elif method == "delta":
            p_r, p = e_ra / e_r, e_a / e
            _within_one(p_r, "the activity's share of the region")
            spread = (1 - p_r) / (e_r * p_r) + (1 - p) / (e * p) - 2 * (1 - p_r) / (e * p)
            half = z * lq * np.sqrt(np.maximum(spread, 0))
            low, high = lq - half, lq + half
        else:
            raise RangeError(
                f"there is no interval '{method}'", remedy="use wilson, poisson or delta"
            )
    known = ~np.isnan(lq)
    return (
        np.where(known, np.maximum(low, 0.0), np.nan)[()],
        np.where(known, high, np.nan)[()],
    )


def _within_one(share: FloatArray, what: str) -> None:
    over = np.nanmax(share, initial=0.0)
    if over > 1 + 1e-9:
        raise RangeError(f"{what} is {over:g}", remedy="a part cannot be above its whole")


def location_quotients(
    table: ActivityTable,
    *,
    counted: dict[str, bool] | bool = True,
    guards: Guards | None = None,
    level: float = 0.95,
    method: IntervalMethod = "wilson",
) -> pd.DataFrame:
    """Return the location quotient of every region and activity, with limits or a reason.

    Parameters
    ----------
    table : ActivityTable
        From `activity_table`.
    counted : bool, or dict of activity to bool
        Whether amounts are counts (units, jobs). Capacity has no limits: its chance is not known.
    guards : Guards
        Least sizes.
    level, method
        As for `lq_interval`.

    Returns
    -------
    DataFrame
        One row per region and activity: ``region``, ``activity``, ``amount``, ``lq``, ``low``,
        ``high``, ``reason``. ``reason`` is '' where there is a quotient, else ``unknown``,
        ``base-unknown``, ``region-small`` or ``activity-small``; ``lq`` is NaN there.
    """
    least = guards or Guards()
    rows = []
    for activity in table.amounts.columns:
        amount = table.amounts[activity].to_numpy()
        base = table.base.to_numpy()
        whole = float(table.activity_total[activity])
        reason = np.full(len(amount), "", dtype=object)
        # The last one written is the first that a reader should mend.
        reason[np.isnan(amount)] = "unknown"
        reason[base < max(least.region_min, 1e-300)] = "region-small"
        reason[np.isnan(base)] = "base-unknown"
        if not whole >= max(least.activity_min, 1e-300):
            reason[:] = "activity-small"
        good = reason == ""
        lq = np.where(good, location_quotient(amount, base, whole, table.base_total), np.nan)
        low = high = np.full(len(amount), np.nan)
        is_count = counted if isinstance(counted, bool) else counted.get(str(activity), False)
        if is_count and good.any():
            low, high = (
                np.where(good, limit, np.nan)
                for limit in lq_interval(
                    np.where(good, amount, np.nan), base, whole, table.base_total,
                    level=level, method=method,
                )
            )  # fmt: skip
        rows.append(
            pd.DataFrame(
                {
                    "region": table.amounts.index,
                    "activity": activity,
                    "amount": amount,
                    "lq": lq,
                    "low": low,
                    "high": high,
                    "reason": reason,
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def krugman(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Return how different the mixes of two regions are: ``Σ_a |s_1a − s_2a|``.

    Parameters
    ----------
    one, other : array_like of float, shape (activities,), ≥ 0
        Jobs or units by activity, in the same order.

    Returns
    -------
    float, 0 (the same mix) to 2 (nothing in common)
        NaN where one has nothing, or a figure is missing.

    Raises
    ------
    ShapeError
        Shapes differ.

    Notes
    -----
    Krugman 1991, *Geography and Trade*, p. 76. Some halve it; this one goes to 2.
    """
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ShapeError(
            f"mixes of shape {a.shape} and {b.shape}", remedy="give one number per activity"
        )
    if not (a.sum() > 0 and b.sum() > 0):
        return float("nan")
    return float(np.abs(a / a.sum() - b / b.sum()).sum())


def krugman_of_regions(table: ActivityTable, *, least: float = 20.0) -> pd.DataFrame:
    """Return each region's specialisation against the **rest** of the nation.

    Parameters
    ----------
    table : ActivityTable
        Activities with one unit in common.
    least : float
        Regions of a smaller base have none.

    Returns
    -------
    DataFrame, index region
        ``krugman`` (0–2), ``herfindahl`` of its own mix (1/activities to 1), ``reason`` ('' or
        ``region-small`` or ``unknown``).
    """
    rows = {}
    for region in table.amounts.index:
        own = table.amounts.loc[region]
        rest = table.activity_total - own
        reason = "unknown" if own.isna().any() else ""
        if not table.base[region] >= max(least, 1e-300):
            reason = "region-small"
        rows[region] = {
            "krugman": float("nan") if reason else krugman(own.to_numpy(), rest.to_numpy()),
            "herfindahl": float("nan") if reason else hhi(own.to_numpy()),
            "reason": reason,
        }
    return pd.DataFrame.from_dict(rows, orient="index")
