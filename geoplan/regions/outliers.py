"""Extreme values of indicators, treated by a stated rule; each changed value is reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.composite import OutlierRule, OutlierSpec
from geoplan.errors import Problem, ProblemsFound

__all__ = ["Treated", "changes", "treat"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Treated:
    """Values after the rule.

    Parameters
    ----------
    values : ndarray of float64, shape (regions, indicators)
        NaN where not known, as before.
    rule : {"none", "winsorise", "iqr", "log1p"}
    low, high : ndarray of float64, shape (indicators,)
        Least and largest value allowed, in the indicator's unit; ±inf where there is none.
    spared : ndarray of bool, shape (indicators,)
        Indicators that the rule would have made the same everywhere, and that it left alone.
    """

    values: FloatArray
    rule: OutlierRule
    low: FloatArray
    high: FloatArray
    spared: npt.NDArray[np.bool_]


def treat(
    values: FloatArray, spec: OutlierSpec, names: Sequence[str], *, rule: OutlierRule | None = None
) -> Treated:
    """Return values with extremes treated.

    Parameters
    ----------
    values : ndarray of float64, shape (regions, indicators)
        NaN where not known; every indicator has at least one value.
    spec : OutlierSpec
        Rule, quantiles and fences.
    names : sequence of str
        Ids of the indicators, for messages.
    rule : {"none", "winsorise", "iqr", "log1p"}, optional
        In place of ``spec.rule``.

    Raises
    ------
    ProblemsFound
        ``log1p`` of indicators with values below 0: all of them are named.

    Notes
    -----
    Quantiles are linear between order statistics (Hyndman & Fan 1996, type 7). Fences are
    ``Q1 − k·IQR`` and ``Q3 + k·IQR`` (Tukey 1977, k = 1.5). An indicator most of whose
    regions agree has an IQR of 0: fences would erase every difference, so that it is spared.
    """
    how = spec.rule if rule is None else rule
    count = values.shape[1]
    low, high = np.full(count, -np.inf), np.full(count, np.inf)
    spared = np.zeros(count, dtype=bool)
    if how == "none":
        return Treated(values.copy(), how, low, high, spared)
    if how == "log1p":
        least = np.nanmin(values, axis=0)
        below = np.flatnonzero(least < 0)
        if len(below):
            raise ProblemsFound(
                f"log1p needs values of 0 or more; {len(below)} indicators have lower ones",
                [
                    Problem(
                        f"indicator '{names[j]}'",
                        f"{int((values[:, j] < 0).sum())} values below 0, least {least[j]:g}",
                        "use none, winsorise or iqr, or another formula",
                        code="log-of-negative",
                    )
                    for j in below.tolist()
                ],
            )
        return Treated(np.log1p(values), how, low, high, spared)
    if how == "winsorise":
        low, high = np.nanquantile(values, spec.quantiles, axis=0)
    else:
        lower, upper = np.nanquantile(values, [0.25, 0.75], axis=0)
        low = lower - spec.fences * (upper - lower)
        high = upper + spec.fences * (upper - lower)
    kept = np.clip(values, low, high)
    flat = np.nanmin(kept, axis=0) == np.nanmax(kept, axis=0)
    spared = flat & (np.nanmin(values, axis=0) < np.nanmax(values, axis=0))
    kept = np.where(spared, values, kept)
    return Treated(
        kept, how, np.where(spared, -np.inf, low), np.where(spared, np.inf, high), spared
    )


def changes(
    before: FloatArray, treated: Treated, codes: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """Return one row per value that the rule changed.

    Returns
    -------
    DataFrame
        ``code``, ``indicator``, ``before``, ``after`` (of ``log1p``: without unit), ``rule``;
        in the order of regions, then indicators.
    """
    moved = ~np.isnan(before) & (before != treated.values)
    row, column = np.nonzero(moved)
    return pd.DataFrame(
        {
            "code": [codes[i] for i in row.tolist()],
            "indicator": [names[j] for j in column.tolist()],
            "before": before[row, column],
            "after": treated.values[row, column],
            "rule": treated.rule,
        }
    )
