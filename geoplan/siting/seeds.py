"""Where growth starts: good places, spread over all land that can hold a candidate."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from geoplan.raster.kernel import kernel

__all__ = ["patches", "spread_seeds"]


@kernel
def _best_of_strata(
    score: npt.NDArray[np.float32],
    around: npt.NDArray[np.float32],
    usable: npt.NDArray[np.bool_],
    side: float,
    best: npt.NDArray[np.int64],
) -> None:
    """Put the best usable cell of each stratum (−1: none) into ``best``."""
    rows, cols = usable.shape
    across = math.ceil(cols / side)
    best[:] = -1
    quality_of_best = np.full(len(best), -1, np.int64)
    offset_of_best = np.zeros(len(best), np.float64)
    stratum_of = np.empty(cols, np.int64)
    for c in range(cols):
        stratum_of[c] = min(int(c / side), across - 1)
    for r in range(rows):
        down = int(r / side)
        for c in range(cols):
            if not usable[r, c]:
                continue
            k = down * across + stratum_of[c]
            # steps of 1/8192: what is nearly as good counts as equal, and the middle wins
            quality = np.int64((np.float64(score[r, c]) + np.float64(around[r, c])) * 4096.0)
            dr = r + 0.5 - (down + 0.5) * side
            dc = c + 0.5 - (stratum_of[c] + 0.5) * side
            offset = dr * dr + dc * dc
            if quality > quality_of_best[k] or (
                quality == quality_of_best[k] and offset < offset_of_best[k]
            ):
                best[k] = r * cols + c
                quality_of_best[k] = quality
                offset_of_best[k] = offset


@kernel
def _count_strata(usable: npt.NDArray[np.bool_], side: float, seen: npt.NDArray[np.bool_]) -> int:
    rows, cols = usable.shape
    across = math.ceil(cols / side)
    seen[:] = False
    stratum_of = np.empty(cols, np.int64)
    for c in range(cols):
        stratum_of[c] = min(int(c / side), across - 1)
    number = 0
    for r in range(rows):
        base = int(r / side) * across
        for c in range(cols):
            if usable[r, c]:
                k = base + stratum_of[c]
                if not seen[k]:
                    seen[k] = True
                    number += 1
    return number


def _strata(shape: tuple[int, int], side: float) -> int:
    return (int((shape[0] - 1) / side) + 1) * math.ceil(shape[1] / side)


def patches(allowed: npt.NDArray[np.bool_], least: int) -> tuple[npt.NDArray[np.bool_], int]:
    """Return the land in contiguous patches of at least ``least`` cells, and the largest patch.

    Parameters
    ----------
    allowed : ndarray of bool, shape (rows, cols)
    least : int, cells

    Returns
    -------
    usable : ndarray of bool, shape (rows, cols)
        Allowed cells whose patch (joined by sides) is large enough.
    largest : int, cells
        Size of the largest patch; 0 when nothing is allowed.
    """
    label, number = ndimage.label(allowed)
    if number == 0:
        return np.zeros(allowed.shape, dtype=np.bool_), 0
    size = np.bincount(label.ravel(), minlength=number + 1)
    size[0] = 0
    usable: npt.NDArray[np.bool_] = (size >= least)[label]
    return usable, int(size.max())


def spread_seeds(
    score: npt.NDArray[np.float32], usable: npt.NDArray[np.bool_], count: int, *, window: int
) -> npt.NDArray[np.int64]:
    """Return the best cell of each stratum.

    Parameters
    ----------
    score : ndarray of float32, shape (rows, cols), 0–1
        NaN where land is not allowed.
    usable : ndarray of bool, shape (rows, cols)
        Cells that may be a seed.
    count : int
        Most seeds; all usable cells when there are not more.
    window : int, cells
        Side of the square over which a place is judged, about that of a candidate.

    Returns
    -------
    ndarray of int64
        Flat cell numbers, ascending; at most ``count``.

    Notes
    -----
    Strata are squares, as small as they can be with at most ``count`` of them holding usable
    land. The best cell has the largest sum of its own score and the mean score of the square
    around it, in which land that is not allowed counts 0: a seed lies on good land, and not on
    its edge. Among cells that are equal to 1/8192 the one nearest to the middle of the stratum
    is taken, then the lower cell number.
    """
    total = int(np.count_nonzero(usable))
    if total <= count:
        return np.flatnonzero(usable).astype(np.int64)
    shape = (usable.shape[0], usable.shape[1])
    seen = np.empty(_strata(shape, 1.0), dtype=np.bool_)
    low, high = 1.0, float(max(shape)) + 1.0
    guess = math.sqrt(total / count)
    while high - low > 1e-3 * low:
        side = guess if low < guess < high else math.sqrt(low * high)
        guess = 0.0
        if _count_strata(usable, side, seen) <= count:
            high = side
        else:
            low = side
    size = max(1, window) | 1
    around = np.nan_to_num(score, copy=True, nan=0.0)
    for axis in (0, 1):
        ndimage.uniform_filter1d(around, size, axis=axis, output=around, mode="constant")
    best = np.empty(_strata(shape, high), dtype=np.int64)
    _best_of_strata(score, around, usable, high, best)
    return np.sort(best[best >= 0])
