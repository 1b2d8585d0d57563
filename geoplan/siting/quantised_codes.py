"""Scores from values in one byte per cell: new weights are one pass over allowed land."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.allowed import AllowedLand

__all__ = ["MISSING", "Plan", "QuantisedCriteria", "checked_weights", "sum_codes"]

MISSING = 255
"""Code of a cell without a value of its own; what stands in for it is in the table."""

_STEPS = 254
"""Codes 0 to 254 hold values: 254 steps between the smallest and the largest."""

_BLOCK = 1 << 13
"""Cells that are summed at a time: small enough for the nearest cache."""

Codes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Plan = tuple[
    Codes, npt.NDArray[np.int64], npt.NDArray[np.float32], npt.NDArray[np.bool_], Values, float
]
"""Codes, the criteria that have a weight, and of these: tables times weight, whether the table is
a straight line, its slope; and the sum of where those lines begin."""


@kernel
def sum_codes(
    codes: Codes,
    used: npt.NDArray[np.int64],
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    start: int,
    stop: int,
    total: npt.NDArray[np.float32],
) -> None:
    """Sum weight · value of the cells from start to stop into the front of ``total``."""
    part = total[: stop - start]
    part[:] = np.float32(base)
    for k in range(len(used)):
        code = codes[used[k], start:stop]
        if even[k]:
            step = slope[k]
            for j in range(len(part)):
                part[j] += step * np.float32(code[j])
        else:
            table = tables[k]
            for j in range(len(part)):
                part[j] += table[code[j]]
    one = np.float32(1.0)
    for j in range(len(part)):
        if part[j] > one:
            part[j] = one


@kernel
def _score_rows(
    codes: Codes,
    used: npt.NDArray[np.int64],
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    mask: npt.NDArray[np.bool_],
    offsets: npt.NDArray[np.int64],
    out: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    cols = mask.shape[1]
    total = np.empty(cols, np.float32)
    for r in range(start, stop):
        sum_codes(codes, used, tables, even, slope, base, offsets[r], offsets[r + 1], total)
        j = 0
        for c in range(cols):
            if mask[r, c]:
                out[r, c] = total[j]
                j += 1


@kernel
def _score_cells(
    codes: Codes,
    used: npt.NDArray[np.int64],
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    out: npt.NDArray[np.float32],
    block: int,
    start: int,
    stop: int,
) -> None:
    for a in range(start, stop, block):
        b = min(a + block, stop)
        sum_codes(codes, used, tables, even, slope, base, a, b, out[a:b])


@dataclass(frozen=True, slots=True)
class QuantisedCriteria:
    """The values of all criteria over allowed land, one byte each.

    Parameters
    ----------
    names : tuple of str
        Criterion ids, in the scenario's order.
    land : AllowedLand
    codes : ndarray of uint8, shape (criteria, allowed cells)
        255 is missing.
    tables : ndarray of float32, shape (criteria, 256), 0–1
        Value of each code. The last is what stands in for a missing value; NaN where the policy
        is ``exclude``.
    error : ndarray of float64, shape (criteria,)
        Farthest that a value of the table lies from the value itself: 0 where there are at most
        255 distinct values (categories, regions, most stepped functions), else half a step,
        (largest − smallest) / 508.
    gaps : ndarray of bool, shape (criteria,)
        Some allowed cell has code 255.
    """

    names: tuple[str, ...]
    land: AllowedLand
    codes: Codes
    tables: npt.NDArray[np.float32]
    error: npt.NDArray[np.float64]
    gaps: npt.NDArray[np.bool_]

    def error_bound(self, weights: Mapping[str, float]) -> float:
        """Return the farthest that a score lies from the exact one.

        Notes
        -----
        Σ weight · error, and the rounding of sums of k terms in float32, (k + 2) · 2⁻²³ for
        weights that sum to 1.
        """
        given = self._weights(weights)
        terms = int((given > 0).sum())
        return float((given * self.error).sum() + (terms + 2) * 2.0**-23 * max(given.sum(), 1.0))

    def score(self, weights: Mapping[str, float]) -> Values:
        """Return the score of all allowed cells under other weights, NaN elsewhere.

        Parameters
        ----------
        weights : mapping
            Criterion id → weight, 0 or more, for every criterion; used as they are.

        Returns
        -------
        ndarray of float32, shape of the allowed land, 0–1
            Within :meth:`error_bound` of what :func:`geoplan.siting.criteria.suitability` gives;
            NaN in the same cells.
        """
        out = np.full(self.land.shape, np.nan, dtype=np.float32)
        self.score_into(weights, out)
        return out

    def score_into(
        self, weights: Mapping[str, float], out: Values, *, threads: int | None = None
    ) -> None:
        """Write the score of the allowed cells into ``out``; other cells are left as they are.

        The map that the last weights gave can be given again: nothing is allocated, and nothing
        but allowed cells is written.
        """
        if out.shape != self.land.shape or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ShapeError(
                f"{out.dtype} of shape {out.shape} cannot take a score of {self.land.shape}",
                remedy="give a C-contiguous float32 array of the grid's shape",
            )
        plan = self.plan(self._weights(weights))
        mask, target = self.land.mask, out.reshape(self.land.mask.shape)
        over_blocks(
            lambda a, b: _score_rows(*plan, mask, self.land.offsets, target, a, b),
            len(mask),
            threads=threads,
        )

    def score_cells(self, weights: Mapping[str, float], *, threads: int | None = None) -> Values:
        """Return the score of the allowed cells only, shape (cells,), in order of the land."""
        plan = self.plan(self._weights(weights))
        out = np.empty(self.land.size, dtype=np.float32)
        over_blocks(
            lambda a, b: _score_cells(*plan, out, _BLOCK, a, b), self.land.size, threads=threads
        )
        return out

    def _weights(self, weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
        unknown = sorted(set(weights) ^ set(self.names))
        if unknown:
            raise UnknownName(
                f"{', '.join(unknown)}: a criterion without weight, or a weight without criterion",
                where="weights",
                remedy=f"give one weight for each of {', '.join(self.names)}",
            )
        given = np.array([float(weights[name]) for name in self.names])
        return checked_weights(given)

    def plan(self, weights: npt.NDArray[np.float64]) -> Plan:
        """Return what the loops need for weights in the order of ``names``."""
        used = np.flatnonzero(weights > 0)
        w, tables = weights[used], self.tables[used].astype(np.float64)
        # an even table without gaps is a straight line, and needs no look-up
        even = (self.error[used] > 0) & ~self.gaps[used]
        slope = np.where(even, w * (tables[:, _STEPS] - tables[:, 0]) / _STEPS, 0.0)
        base = float((w * tables[:, 0])[even].sum())
        weighed = (w[:, None] * tables).astype(np.float32)
        return self.codes, used, weighed, even, slope.astype(np.float32), base


def checked_weights(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return weights that are all 0 or more and finite, or raise RangeError."""
    bad = weights[~((weights >= 0) & np.isfinite(weights))]
    if bad.size:
        raise RangeError(f"weights must be 0 or more: {bad[:5].tolist()}", where="weights")
    return weights
