"""How concentrated an activity is in space: Ellison–Glaeser, locational Gini, Herfindahl."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.errors import RangeError, ShapeError
from geoplan.regions.activity_table import ActivityTable
from geoplan.regions.inequality import gini, hhi

__all__ = [
    "EllisonGlaeser",
    "concentration_of_activities",
    "ellison_glaeser",
    "locational_gini",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EllisonGlaeser:
    """The index and what it is made of.

    Parameters
    ----------
    gamma : float
        0: plants fell like darts on a map of the regions' sizes; above 0 they cluster (Ellison and
        Glaeser call above 0.05 high), below 0 they keep apart. NaN where plant sizes are unknown,
        or one plant is all there is.
    raw : float, ≥ 0
        ``G = Σ_r (s_r − x_r)²``, which is large by itself where few plants exist.
    herfindahl : float, 0 to 1
        Of plant sizes; NaN where they are unknown.
    z : float
        ``(G − E G) / √Var G`` of the dartboard; NaN where plant sizes are unknown.
    """

    gamma: float
    raw: float
    herfindahl: float
    z: float


def _shares(values: npt.ArrayLike, what: str) -> FloatArray:
    a = np.asarray(values, dtype=np.float64)
    if a.ndim != 1:
        raise ShapeError(f"{what} has shape {a.shape}", remedy="give one number per region")
    bad = np.flatnonzero(~np.isfinite(a) | (a < 0))
    if len(bad):
        raise RangeError(
            f"{what} of number {bad[0]} is {a[bad[0]]:g}",
            remedy="leave out regions without a figure; none may be below 0",
        )
    return a / a.sum() if a.sum() > 0 else np.full(a.shape, np.nan)


def ellison_glaeser(
    activity: npt.ArrayLike, base: npt.ArrayLike, plants: Sequence[float] | None
) -> EllisonGlaeser:
    """Return the Ellison–Glaeser index of one activity.

    Parameters
    ----------
    activity : array_like of float, shape (regions,), ≥ 0
        Its jobs (or capacity) by region.
    base : array_like of float, shape (regions,), ≥ 0
        All jobs by region.
    plants : sequence of float, > 0, or None
        Size of every plant of the activity, in the unit of ``activity``; None: not known.

    Returns
    -------
    EllisonGlaeser

    Raises
    ------
    ShapeError, RangeError
        Shapes differ; a number is missing or below 0; plant sizes do not sum to the activity.

    Notes
    -----
    ``γ = (G − (1 − Σ x²) H) / ((1 − Σ x²)(1 − H))``, with ``s`` the regions' shares of the
    activity, ``x`` of the base and ``H = Σ z²`` of the plants (Ellison and Glaeser 1997, JPE 105,
    equation (5)); the variance of G under the dartboard is theirs too:
    ``2 {H² [Σx² − 2Σx³ + (Σx²)²] − Σz⁴ [Σx² − 4Σx³ + 3(Σx²)²]}``.
    """
    s, x = _shares(activity, "the activity"), _shares(base, "the base")
    if s.shape != x.shape:
        raise ShapeError(
            f"the activity has {len(s)} regions, the base {len(x)}", remedy="give the same regions"
        )
    nan = float("nan")
    g = float(((s - x) ** 2).sum())
    if plants is None or np.isnan(g):
        return EllisonGlaeser(nan, g, nan, nan)
    size = np.asarray(plants, dtype=np.float64)
    if not (size > 0).all() or size.size == 0:
        raise RangeError("a plant has no size above 0", remedy="leave it out, or give None for all")
    whole = float(np.asarray(activity, dtype=np.float64).sum())
    if abs(size.sum() - whole) > 1e-6 * max(whole, 1.0):
        raise RangeError(
            f"the plants sum to {size.sum():g}, the activity to {whole:g}",
            remedy="give the size of every plant, in the unit of the activity",
        )
    z = size / size.sum()
    h = float((z**2).sum())
    x2, x3 = float((x**2).sum()), float((x**3).sum())
    if 1 - h <= 1e-15 or 1 - x2 <= 1e-15:
        return EllisonGlaeser(nan, g, h, nan)
    gamma = (g - (1 - x2) * h) / ((1 - x2) * (1 - h))
    variance = 2 * (
        h * h * (x2 - 2 * x3 + x2 * x2) - float((z**4).sum()) * (x2 - 4 * x3 + 3 * x2 * x2)
    )
    score = (g - (1 - x2) * h) / variance**0.5 if variance > 0 else nan
    return EllisonGlaeser(gamma, g, h, score)


def locational_gini(activity: npt.ArrayLike, base: npt.ArrayLike) -> float:
    """Return the locational Gini: the Gini of the regions' location quotients, each counted once.

    Parameters
    ----------
    activity, base : array_like of float, shape (regions,), ≥ 0
        The activity and all activities by region. Regions where both are 0 are left out.

    Returns
    -------
    float, 0 (as the base) to below 1
        NaN where the activity or the base is nowhere.

    Raises
    ------
    ShapeError, RangeError
        Shapes differ; a region has the activity but no base.

    Notes
    -----
    ``2 / (n² R̄) · Σ_i i (R_i − R̄)`` with ``R_i`` the quotients in rising order (Krugman 1991;
    Farhauer and Kröll 2014).
    """
    s, x = _shares(activity, "the activity"), _shares(base, "the base")
    if s.shape != x.shape:
        raise ShapeError(
            f"the activity has {len(s)} regions, the base {len(x)}", remedy="give the same regions"
        )
    if np.isnan(s).any() or np.isnan(x).any():
        return float("nan")
    lost = np.flatnonzero((x == 0) & (s > 0))
    if len(lost):
        raise RangeError(
            f"region number {lost[0]} has the activity but a base of 0",
            remedy="the base must hold the activity",
        )
    return gini(s[x > 0] / x[x > 0])


def concentration_of_activities(
    table: ActivityTable, plants: Mapping[str, Sequence[float]] | None = None
) -> pd.DataFrame:
    """Return the measures of concentration of every activity.

    Parameters
    ----------
    table : ActivityTable
        Complete figures.
    plants : mapping of activity to sizes of its plants, optional
        In the activity's unit; without them the Ellison–Glaeser index is NaN.

    Returns
    -------
    DataFrame, index activity
        ``herfindahl`` of its regions' amounts, ``locational_gini``, ``gamma`` and ``z`` (Ellison–
        Glaeser), ``raw``, ``plant_herfindahl``, ``reason`` ('', ``unknown``, ``zero``,
        ``plants-unknown``).
    """
    nan = float("nan")
    rows: dict[str, dict[str, object]] = {}
    for name in table.amounts.columns:
        amount = table.amounts[name]
        known = amount.notna() & table.base.notna()
        if not known.all() or not amount.sum() > 0:
            rows[str(name)] = dict.fromkeys(
                ("herfindahl", "locational_gini", "gamma", "z", "raw", "plant_herfindahl"), nan
            ) | {"reason": "zero" if known.all() else "unknown"}
            continue
        sizes = None if plants is None else plants.get(str(name))
        index = ellison_glaeser(amount.to_numpy(), table.base.to_numpy(), sizes)
        rows[str(name)] = {
            "herfindahl": hhi(amount.to_numpy()),
            "locational_gini": locational_gini(amount.to_numpy(), table.base.to_numpy()),
            "gamma": index.gamma,
            "z": index.z,
            "raw": index.raw,
            "plant_herfindahl": index.herfindahl,
            "reason": "plants-unknown" if sizes is None else "",
        }
    return pd.DataFrame.from_dict(rows, orient="index")
