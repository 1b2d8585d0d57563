"""A decision matrix that has been checked: alternatives by criteria, weights, directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.errors import Problem, ProblemsFound, RangeError, ShapeError
from geoplan.raster.kernel import kernel

__all__ = ["Decision", "Direction", "FloatArray", "decision", "extent", "ranks_of"]

FloatArray = npt.NDArray[np.float64]

Direction = Literal["max", "min"]

_WEIGHT_SUM_TOLERANCE = 1e-6

_TIE_DECIMALS = 12
"""Scores that agree to this many decimals are tied: less is rounding, not preference."""

_NAMED = 5
"""Missing values that are named one by one before the rest are counted."""


@dataclass(frozen=True)
class Decision:
    """Alternatives by criteria, complete and finite.

    Parameters
    ----------
    values : ndarray of float64, shape (alternatives, criteria)
    weights : ndarray of float64, shape (criteria,)
        0 or more, sum 1.
    sign : ndarray of float64, shape (criteria,)
        1 where more is better, -1 where less is better.
    alternatives, criteria : tuple of str
        Names.
    """

    values: FloatArray
    weights: FloatArray
    sign: FloatArray
    alternatives: tuple[str, ...]
    criteria: tuple[str, ...]

    @cached_property
    def low(self) -> FloatArray:
        """Least value of each criterion, shape (criteria,)."""
        return extent(self.values)[0]

    @cached_property
    def high(self) -> FloatArray:
        """Most value of each criterion, shape (criteria,)."""
        return extent(self.values)[1]

    @property
    def best(self) -> FloatArray:
        """Best value that occurs on each criterion, shape (criteria,)."""
        return np.where(self.sign > 0, self.high, self.low)

    @property
    def worst(self) -> FloatArray:
        """Worst value that occurs on each criterion, shape (criteria,)."""
        return np.where(self.sign > 0, self.low, self.high)

    @property
    def constant(self) -> tuple[str, ...]:
        """Criteria on which all alternatives are equal: they tell nothing apart."""
        same = self.low == self.high
        return tuple(name for name, flat in zip(self.criteria, same, strict=True) if flat)

    def with_values(self, values: FloatArray) -> Decision:
        """Return the same question about other alternatives, numbered."""
        names = tuple(str(i) for i in range(len(values)))
        return Decision(values, self.weights, self.sign, names, self.criteria)


def extent(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return least and most value of each column, in one pass over the rows.

    Parameters
    ----------
    values : ndarray of float64, shape (alternatives, criteria)
        At least one row; no NaN.
    """
    low, high = values[0].copy(), values[0].copy()
    _extent(values, low, high)
    return low, high


@kernel
def _extent(values: FloatArray, low: FloatArray, high: FloatArray) -> None:
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            low[j] = min(low[j], values[i, j])
            high[j] = max(high[j], values[i, j])


def decision(
    values: pd.DataFrame | npt.ArrayLike,
    weights: Mapping[str, float] | Sequence[float] | FloatArray,
    *,
    directions: Sequence[Direction] | None = None,
) -> Decision:
    """Return a checked decision matrix.

    Parameters
    ----------
    values : DataFrame or array of float, shape (alternatives, criteria)
        A frame gives the names; an array is numbered.
    weights : mapping by criterion, or sequence in the order of the criteria
        0 or more; sum 1.
    directions : sequence of {"max", "min"}, optional
        Absent: more is better on every criterion.

    Raises
    ------
    ShapeError
        No alternative or criterion; weights or directions that do not fit.
    RangeError
        Weights that are negative, not finite, or do not sum to 1.
    ProblemsFound
        Values that are missing or infinite. The first are named by alternative and criterion,
        all are counted: a missing value is never taken as 0.
    """
    table = np.ascontiguousarray(np.asarray(values, dtype=np.float64))
    if table.ndim != 2 or 0 in table.shape:
        raise ShapeError(
            f"a decision matrix of shape {table.shape}",
            remedy="give at least one alternative (row) and one criterion (column)",
        )
    rows, cols = table.shape
    if isinstance(values, pd.DataFrame):
        criteria = tuple(str(name) for name in values.columns)
        alternatives: Sequence[object] = values.index
    else:
        criteria = tuple(str(j) for j in range(cols))
        alternatives = range(rows)
    weight = _weights(weights, criteria)
    sign = _signs(directions, criteria)
    finite = np.isfinite(table)
    if not finite.all():
        raise _missing(table, finite, alternatives, criteria)
    return Decision(table, weight, sign, tuple(str(a) for a in alternatives), criteria)


def _weights(
    given: Mapping[str, float] | Sequence[float] | FloatArray, criteria: tuple[str, ...]
) -> FloatArray:
    if isinstance(given, Mapping):
        unlike = sorted(set(given) ^ set(criteria))
        if unlike:
            raise ShapeError(
                f"weights and criteria differ in {', '.join(unlike)}",
                remedy="give one weight for each criterion",
            )
        given = [given[name] for name in criteria]
    weight = np.asarray(given, dtype=np.float64)
    if weight.shape != (len(criteria),):
        raise ShapeError(f"{len(weight)} weights for {len(criteria)} criteria")
    for name, value in zip(criteria, weight, strict=True):
        if not (value >= 0 and np.isfinite(value)):
            raise RangeError(
                f"weight {value:g} of criterion '{name}'", remedy="give a weight of 0 or more"
            )
    total = float(weight.sum())
    if abs(total - 1.0) > _WEIGHT_SUM_TOLERANCE:
        raise RangeError(
            f"the weights sum to {total:g}, not 1", remedy="divide each weight by their sum"
        )
    return weight


def _signs(directions: Sequence[Direction] | None, criteria: tuple[str, ...]) -> FloatArray:
    if directions is None:
        return np.ones(len(criteria))
    if len(directions) != len(criteria):
        raise ShapeError(f"{len(directions)} directions for {len(criteria)} criteria")
    known = {"max": 1.0, "min": -1.0}
    for name, direction in zip(criteria, directions, strict=True):
        if direction not in known:
            raise RangeError(
                f"direction '{direction}' of criterion '{name}'", remedy="give 'max' or 'min'"
            )
    return np.array([known[d] for d in directions])


def _missing(
    table: FloatArray,
    finite: npt.NDArray[np.bool_],
    alternatives: Sequence[object],
    criteria: tuple[str, ...],
) -> ProblemsFound:
    """Return the error; a criterion without any value is one problem, not one a row."""
    problems = []
    empty = ~finite.any(axis=0)
    for j in np.flatnonzero(empty):
        problems.append(
            Problem(
                f"criterion '{criteria[j]}'",
                "no alternative has a value",
                "leave the criterion out, or load the layer it is measured on",
                code="criterion-empty",
                count=len(table),
            )
        )
    places = np.argwhere(~finite & ~empty)
    for i, j in places[:_NAMED]:
        problems.append(
            Problem(
                f"alternative '{alternatives[i]}', criterion '{criteria[j]}'",
                f"the value is {'missing' if np.isnan(table[i, j]) else 'infinite'}",
                "give the value, or set the criterion's rule for missing data",
                code="value-missing",
            )
        )
    if len(places) > _NAMED:
        problems.append(
            Problem("the same", f"{len(places) - _NAMED:,} more values", code="value-missing",
                    count=len(places) - _NAMED)
        )  # fmt: skip
    return ProblemsFound(f"{int((~finite).sum()):,} values cannot be ranked", problems)


def ranks_of(scores: FloatArray, *, ascending: bool = False) -> npt.NDArray[np.int64]:
    """Return competition ranks: 1 is best, equal scores share the better rank.

    Parameters
    ----------
    scores : ndarray of float64, shape (alternatives,)
        NaN (nothing tells the alternatives apart) ranks last, all NaN together.
    ascending : bool
        The smallest score is the best.

    Notes
    -----
    Scores equal to 12 decimals are tied; what is smaller than that is rounding.

    Examples
    --------
    >>> ranks_of(np.array([0.5, 0.9, 0.5, 0.1]))
    array([2, 1, 2, 4])
    """
    key = np.round(scores if ascending else -scores, _TIE_DECIMALS)
    key = np.where(np.isnan(key), np.inf, key)
    return np.searchsorted(np.sort(key), key, side="left").astype(np.int64) + 1
