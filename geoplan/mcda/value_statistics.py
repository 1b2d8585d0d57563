"""What is known of a measure over the allowed cells: its statistics and its histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["Histogram", "ValueStatistics", "histogram", "statistics"]

_BLOCK = 1 << 16
"""Cells summed at a time; a constant, so that sums do not depend on the number of threads."""


@dataclass(frozen=True, slots=True)
class ValueStatistics:
    """Statistics of a measure, in its own unit.

    Parameters
    ----------
    min, max, mean, std : float
        NaN where no cell has a finite measure. ``std`` is that of the whole, not of a sample.
    count : int
        Cells with a finite measure.
    """

    min: float
    max: float
    mean: float
    std: float
    count: int

    @property
    def constant(self) -> bool:
        """Whether every cell has the same measure."""
        return self.count > 0 and self.min == self.max

    @property
    def missing(self) -> bool:
        """Whether no cell has a measure."""
        return self.count == 0


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often a measure occurs.

    Parameters
    ----------
    edges : tuple of float, one more than ``counts``
        In the unit of the measure, rising.
    counts : tuple of int
        Cells from one edge to the next; the last includes its right edge.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@kernel
def _first(x: npt.NDArray[np.floating]) -> tuple[float, float, float, int]:
    low, high, total, count = np.inf, -np.inf, 0.0, 0
    for i in range(len(x)):
        value = np.float64(x[i])
        if np.isfinite(value):
            low, high = min(low, value), max(high, value)
            total += value
            count += 1
    return low, high, total, count


@kernel
def _squares(x: npt.NDArray[np.floating], mean: float) -> float:
    total = 0.0
    for i in range(len(x)):
        value = np.float64(x[i])
        if np.isfinite(value):
            total += (value - mean) * (value - mean)
    return total


def _floats(x: npt.ArrayLike) -> npt.NDArray[np.floating]:
    flat = np.ravel(np.asarray(x))
    return flat if flat.dtype in (np.float32, np.float64) else flat.astype(np.float64)


def statistics(x: npt.ArrayLike, *, threads: int | None = None) -> ValueStatistics:
    """Return the statistics of a measure.

    Parameters
    ----------
    x : array_like of number, any shape, unit of the criterion
        The allowed cells. NaN (missing) and ±inf (no such feature anywhere) are left out.
    threads : int, optional
        The result does not depend on it.

    Notes
    -----
    mean = Σx / n, std = √(Σ(x − mean)² / n): two passes in float64, block by block in order, the
    sums of the blocks added without loss (`math.fsum`).
    """
    flat = _floats(x)

    def work(start: int, stop: int) -> tuple[float, float, float, int]:
        return _first(flat[start:stop])

    parts = over_blocks(work, flat.size, threads=threads, block=_BLOCK)
    count = sum(int(p[3]) for p in parts)
    if count == 0:
        return ValueStatistics(math.nan, math.nan, math.nan, math.nan, 0)
    low, high = min(float(p[0]) for p in parts), max(float(p[1]) for p in parts)
    if low == high:  # said exactly, so that no rounding looks like a spread
        return ValueStatistics(low, high, low, 0.0, count)
    mean = math.fsum(float(p[2]) for p in parts) / count
    squares = over_blocks(
        lambda start, stop: float(_squares(flat[start:stop], mean)),
        flat.size,
        threads=threads,
        block=_BLOCK,
    )
    return ValueStatistics(low, high, mean, math.sqrt(math.fsum(squares) / count), count)


def histogram(x: npt.ArrayLike, bins: int = 40) -> Histogram:
    """Return the histogram of a measure: equal bins from its least to its largest value.

    Parameters
    ----------
    x : array_like of number, any shape
        NaN and ±inf are left out; a constant measure has one bin.
    bins : int
        At least 1.

    Raises
    ------
    RangeError
        ``bins`` is less than 1.
    """
    if bins < 1:
        raise RangeError(f"{bins} bins", remedy="ask for at least one")
    flat = _floats(x)
    known = flat[np.isfinite(flat)]
    if known.size == 0:
        return Histogram((), ())
    low, high = float(known.min()), float(known.max())
    if low == high:
        return Histogram((low, high), (int(known.size),))
    counts, edges = np.histogram(known, bins=bins, range=(low, high))
    return Histogram(tuple(float(e) for e in edges), tuple(int(c) for c in counts))
