"""The weighted sum of values that arrive one after the other, and the mean of what is known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.criterion import Criterion
from geoplan.errors import EmptyLayer, RangeError
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.allowed import AllowedLand

__all__ = ["ScoreSum", "known_mean", "row_sums"]

Values = npt.NDArray[np.float32]

_SEVERAL = 65_535
"""More than one criterion takes the cell out."""


@kernel
def _sum_rows(
    value: Values,
    offsets: npt.NDArray[np.int64],
    total: npt.NDArray[np.float64],
    number: npt.NDArray[np.int64],
    start: int,
    stop: int,
) -> None:
    for r in range(start, stop):
        for i in range(offsets[r], offsets[r + 1]):
            if not np.isnan(value[i]):
                total[r] += np.float64(value[i])
                number[r] += 1


@kernel
def _add_value(
    value: Values,
    weight: float,
    fill: float,
    takes: bool,
    k: int,
    total: npt.NDArray[np.float64],
    taker: npt.NDArray[np.uint16],
    start: int,
    stop: int,
) -> int:
    """Fill, weigh and add; note which criterion takes a cell out; return the missing values."""
    holes = 0
    for i in range(start, stop):
        v: float = np.float64(value[i])
        if np.isnan(v):
            holes += 1
            v = fill
            value[i] = np.float32(fill)
            if takes:
                taker[i] = k + 1 if taker[i] == 0 else 65535
        if weight > 0.0:
            total[i] += weight * v
    return holes


@kernel
def _round_score(total: npt.NDArray[np.float64], out: Values, start: int, stop: int) -> None:
    one = np.float32(1.0)
    for i in range(start, stop):
        v = np.float32(total[i])
        out[i] = one if v > one else v


def row_sums(value: Values, land: AllowedLand) -> tuple[npt.NDArray[np.float64], int]:
    """Return the sum of the known values of each row of the grid, and their number."""
    rows = len(land.mask)
    total, number = np.zeros(rows), np.zeros(rows, dtype=np.int64)
    over_blocks(lambda a, b: _sum_rows(value, land.offsets, total, number, a, b), rows)
    return total, int(number.sum())


def known_mean(totals: Sequence[float] | npt.NDArray[np.float64], number: int, name: str) -> float:
    """Return the mean that stands in for missing values, from the sums of the grid's rows.

    Raises
    ------
    EmptyLayer
        ``number`` is 0.

    Notes
    -----
    The rows' sums are added without rounding, so that the mean is the same whether the grid is
    worked through as a whole or in strips of rows.
    """
    if number == 0:
        raise EmptyLayer(
            "no allowed cell has a value, so there is no mean to stand in for the missing ones",
            where=f"criteria.{name}",
            remedy="check the layer, or leave the criterion out",
        )
    return float(np.float32(math.fsum(totals) / number))


class ScoreSum:
    """Weighted sum of values that arrive one after the other.

    Parameters
    ----------
    size : int
        Allowed cells.

    Notes
    -----
    Σ weight · value in the order of arrival, in float64, rounded once: the same bytes as
    :func:`geoplan.mcda.aggregate.weighted_sum` of all values at once, from one array of float64.
    """

    def __init__(self, size: int) -> None:
        self._total = np.zeros(size)
        self._taker = np.zeros(size, dtype=np.uint16)
        self._rows: list[dict[str, object]] = []
        self.fill: dict[str, float] = {}

    def add(
        self, name: str, criterion: Criterion, weight: float, value: Values, fill: float
    ) -> None:
        """Add a criterion; missing values in ``value`` become ``fill``.

        Raises
        ------
        RangeError
            The weight is negative or not finite.
        """
        if not (weight >= 0 and math.isfinite(weight)):
            raise RangeError(f"weights must be 0 or more: [{weight!r}]", where=f"criteria.{name}")
        takes = math.isnan(fill) and weight > 0
        k = len(self._rows)
        total, taker = self._total, self._taker
        holes = over_blocks(
            lambda a, b: _add_value(value, float(weight), fill, takes, k, total, taker, a, b),
            value.size,
        )
        self.fill[name] = fill
        self._rows.append(
            {"criterion": name, "policy": criterion.missing, "cells": int(sum(holes))}
        )

    def score(self) -> Values:
        """Return the sum so far, rounded and not above 1."""
        out = np.empty(self._total.size, dtype=np.float32)
        over_blocks(lambda a, b: _round_score(self._total, out, a, b), out.size)
        return out

    def missing(self) -> pd.DataFrame:
        """Return :attr:`Suitability.missing`."""
        parts = over_blocks(
            lambda a, b: np.bincount(self._taker[a:b], minlength=_SEVERAL + 1),
            self._taker.size,
            block=1 << 22,
        )
        alone = np.sum(parts, axis=0) if parts else np.zeros(_SEVERAL + 1, dtype=np.int64)
        return pd.DataFrame(
            [{**row, "excluded": int(alone[k + 1])} for k, row in enumerate(self._rows)]
        )
