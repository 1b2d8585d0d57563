"""Value functions: from a measure in its own unit to a value between 0 and 1."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.value import (
    CategoricalValue,
    ExponentialValue,
    IdentityValue,
    PowerValue,
    Shape,
    ValueSpec,
)
from geoplan.errors import RangeError
from geoplan.mcda.value_curve import curve_of
from geoplan.mcda.value_fit import StatisticsMissing, fitted
from geoplan.mcda.value_statistics import ValueStatistics
from geoplan.raster.kernel import over_blocks

__all__ = ["Direction", "apply_value", "check_unit", "monotone", "value_table"]

Direction = Literal["rising", "falling", "neither", "flat"]

_BLOCK = 1 << 16
"""Cells that are worked on at a time: small enough to stay in the processor's cache."""

_RISING = {"large", "ms_large", "logarithm", "logistic_growth"}
_FALLING = {"small", "ms_small", "logistic_decay"}
"""Kinds whose direction does not depend on the data."""


def apply_value(
    spec: ValueSpec,
    x: npt.ArrayLike,
    *,
    invert: bool = False,
    statistics: ValueStatistics | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the value of a measure.

    Parameters
    ----------
    spec : ValueSpec
        One of the kinds of :mod:`geoplan.catalogue.value`.
    x : array_like of number, any shape, unit of the criterion
        NaN is missing; ±inf (no such feature anywhere) is the far end.
    invert : bool
        Return 1 − value, values beyond the thresholds included.
    statistics : ValueStatistics, optional
        Of the measure over the allowed cells; needed by functions that take numbers from the
        data (`geoplan.mcda.value_fit.needs_statistics`).
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape of ``x``, 0–1
        NaN where ``x`` is missing, where a category has no value and there is no ``other``, and
        beyond a threshold whose value is ``missing``.

    Raises
    ------
    RangeError
        ``identity`` on a measure outside 0–1; a function that does not fit the data.
    StatisticsMissing
        The function takes numbers from the data, and ``statistics`` is absent.
    EmptyLayer
        It does, and no allowed cell has a measure.

    Notes
    -----
    The formulas stand in :mod:`geoplan.mcda.membership`, the order of steps in
    `geoplan.mcda.value_curve.curve_of`. linear: (x − worst) / (best − worst), kept within 0–1.
    sigmoid: 1 / (1 + exp(−ln 99 · (x − midpoint) / spread)). piecewise: straight lines between
    the points, flat outside. categorical: by equality. Computed in float64 and rounded once.
    """
    measure = np.asarray(x)
    function = curve_of(fitted(spec, statistics)).value
    out = np.empty(measure.shape, dtype=np.float32)
    source, target = np.ravel(measure), out.reshape(-1)

    def work(start: int, stop: int) -> None:
        part = source[start:stop].astype(np.float64)
        with np.errstate(all="ignore"):  # ±inf is the far end, as it should be
            value = np.clip(function(part), 0.0, 1.0)
        if invert:
            value = 1.0 - value
        value[np.isnan(part)] = np.nan  # a missing measure has no value, whatever the function
        target[start:stop] = value

    over_blocks(work, source.size, block=_BLOCK, threads=threads)
    return out


def value_table(
    spec: ValueSpec,
    low: float,
    high: float,
    statistics: ValueStatistics | None = None,
    n: int = 256,
    *,
    invert: bool = False,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    """Return a value function at even steps, for a picture or a lookup table.

    Parameters
    ----------
    spec : ValueSpec
    low, high : float
        Ends of the measure, unit of the criterion; both are among the steps.
    statistics : ValueStatistics, optional
        As for `apply_value`.
    n : int
        Steps, at least 2.
    invert : bool
        Return 1 − value.

    Returns
    -------
    x : ndarray of float64, shape (n,)
        A categorical function has no steps between: its classes from ``low`` to ``high``.
    value : ndarray of float32, same shape, 0–1
        NaN where there is no value.

    Raises
    ------
    RangeError
        ``low`` is not less than ``high``, or ``n`` is less than 2.
    """
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise RangeError(
            f"a table from {low:g} to {high:g}", remedy="give two finite ends, the lower first"
        )
    if n < 2:
        raise RangeError(f"a table of {n} steps", remedy="ask for at least 2")
    if isinstance(spec, CategoricalValue):
        x = np.array([k for k in sorted(spec.values) if low <= k <= high], dtype=np.float64)
    else:
        x = np.linspace(low, high, n)
    return x, apply_value(spec, x, invert=invert, statistics=statistics, threads=1)


def _without_data(spec: Shape) -> Direction | None:
    """Return the direction of a function whose numbers are not known, where its kind has one."""
    kind = str(getattr(spec, "kind", ""))
    if isinstance(spec, ExponentialValue):
        up = spec.base_factor is None or spec.base_factor > 0
    elif isinstance(spec, PowerValue):
        up = spec.exponent > 0
    elif kind == "linear" and getattr(spec, "best", None) is getattr(spec, "worst", None):
        up = True  # both are None: from the least measure to the largest
    elif kind in _RISING or kind in _FALLING:
        up = kind in _RISING
    else:
        return None
    if spec.hedge.count("not") % 2:
        up = not up
    worst, best = (spec.below, spec.above) if up else (spec.above, spec.below)
    if worst not in (None, "missing", 0) or best not in (None, "missing", 1):
        return "neither"
    return "rising" if up else "falling"


def monotone(
    spec: ValueSpec, statistics: ValueStatistics | None = None, *, invert: bool = False
) -> Direction:
    """Return whether a value function rises or falls throughout, values beyond it included.

    Parameters
    ----------
    spec : ValueSpec
    statistics : ValueStatistics, optional
        Needed only where the direction depends on numbers from the data.
    invert : bool
        The criterion uses 1 − value.

    Returns
    -------
    {"rising", "falling", "neither", "flat"}
        ``rising``: a larger measure is never worse, and somewhere better. ``neither``: best or
        worst in between, or a function of classes.

    Raises
    ------
    StatisticsMissing
        The direction depends on the data, and ``statistics`` is absent.
    """
    if isinstance(spec, CategoricalValue):
        return "flat" if len({*spec.values.values(), spec.other} - {None}) == 1 else "neither"
    found: Direction = "rising"
    if not isinstance(spec, IdentityValue):
        try:
            curve = curve_of(fitted(spec, statistics))
        except StatisticsMissing:
            known = _without_data(spec)
            if known is None:
                raise
            found = known
        else:
            # Just beyond a threshold the value may jump, so both its sides are looked at.
            near = (y for t in curve.turns for y in (np.nextafter(t, -np.inf), t,
                                                     np.nextafter(t, np.inf)))  # fmt: skip
            at = np.array([-np.inf, *near, np.inf])
            with np.errstate(all="ignore"):
                level = np.clip(curve.value(at), 0.0, 1.0)
            steps = np.diff(level[~np.isnan(level)])
            up, down = bool((steps > 1e-12).any()), bool((steps < -1e-12).any())
            found = "neither" if up and down else "rising" if up else "falling" if down else "flat"
    if invert and found in ("rising", "falling"):
        return "falling" if found == "rising" else "rising"
    return found


def check_unit(spec: ValueSpec, unit: str, *, where: str = "") -> None:
    """Raise where a value function states another unit than its criterion.

    Raises
    ------
    RangeError
        Both units are stated and differ.
    """
    stated = spec.unit if isinstance(spec, Shape) else None
    if stated is not None and stated != unit:
        raise RangeError(
            f"the value function is in '{stated}', the criterion in '{unit or 'no unit'}'",
            where=where,
            remedy="state the numbers of the function in the criterion's unit",
        )
