"""How far two rankings agree."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.decision import FloatArray
from geoplan.raster.kernel import kernel

__all__ = ["kendall_tau_b", "spearman_rho", "top_overlap"]

IntArray = npt.NDArray[np.int64]


def kendall_tau_b(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return Kendall's rank correlation τ_b in O(n log n).

    Parameters
    ----------
    a, b : array of float or int, shape (alternatives,)
        Ranks or scores; no NaN.

    Returns
    -------
    float, −1 to 1
        1 the same order, −1 the reverse; NaN where either has no two values that differ.

    Notes
    -----
    ``τ_b = (C − D) / sqrt((n₀ − n₁)(n₀ − n₂))``, n₀ = n(n − 1)/2, n₁ and n₂ the pairs tied in a
    and in b (Kendall 1945); discordant pairs are the exchanges of a merge sort (Knight 1966).

    Examples
    --------
    >>> round(kendall_tau_b([1, 2, 3, 4], [1, 3, 2, 4]), 4)
    0.6667
    """
    first, second = _pair(a, b)
    order = np.lexsort((second, first))
    x, y = _codes(first)[order], _codes(second)[order]
    count = len(x)
    pairs = count * (count - 1) // 2
    tied_x = _tied(np.diff(x) != 0)
    tied_both = _tied((np.diff(x) != 0) | (np.diff(y) != 0))
    discordant = int(_exchanges(y.copy(), np.empty_like(y)))
    tied_y = _tied(np.diff(np.sort(y)) != 0)
    free = (pairs - tied_x) * (pairs - tied_y)
    if free == 0:
        return float("nan")
    concordant_less = pairs - tied_x - tied_y + tied_both - 2 * discordant
    return float(concordant_less / np.sqrt(float(free)))


def spearman_rho(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Return Spearman's rank correlation: Pearson's of mean ranks.

    Parameters
    ----------
    a, b : array of float or int, shape (alternatives,)
        Ranks or scores; no NaN.

    Returns
    -------
    float, −1 to 1
        NaN where either has no two values that differ.

    Examples
    --------
    >>> round(spearman_rho([1, 2, 3, 4], [1, 3, 2, 4]), 4)
    0.8
    """
    first, second = _pair(a, b)
    x, y = _mean_ranks(first), _mean_ranks(second)
    x -= x.mean()
    y -= y.mean()
    size = np.sqrt(float(np.sum(x * x)) * float(np.sum(y * y)))
    return float(np.sum(x * y) / size) if size > 0 else float("nan")


def top_overlap(a: npt.ArrayLike, b: npt.ArrayLike, top: int) -> float:
    """Return the share of the best ``top`` of one ranking that are also in the other's.

    Parameters
    ----------
    a, b : array of int, shape (alternatives,)
        Ranks, 1 best. Of equal ranks the alternative that stands first goes first.
    top : int
        1 or more; more than there are alternatives means all.

    Returns
    -------
    float, 0–1

    Examples
    --------
    >>> top_overlap([1, 2, 3, 4], [1, 4, 2, 3], 2)
    0.5
    """
    first, second = _pair(a, b)
    if top < 1:
        raise RangeError(f"the best {top} of a ranking", remedy="ask for 1 or more")
    top = min(top, len(first))
    best = set(np.argsort(first, kind="stable")[:top].tolist())
    return len(best & set(np.argsort(second, kind="stable")[:top].tolist())) / top


def _pair(a: npt.ArrayLike, b: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or not len(first):
        raise ShapeError(
            f"rankings of shapes {first.shape} and {second.shape}",
            remedy="give two rankings of the same alternatives",
        )
    if np.isnan(first).any() or np.isnan(second).any():
        raise RangeError("a ranking with missing ranks", remedy="rank every alternative")
    return first, second


def _codes(x: FloatArray) -> IntArray:
    return np.searchsorted(np.unique(x), x).astype(np.int64)


def _mean_ranks(x: FloatArray) -> FloatArray:
    ordered = np.sort(x)
    low = np.searchsorted(ordered, x, side="left")
    return np.asarray((low + np.searchsorted(ordered, x, side="right") - 1) / 2.0)


def _tied(new: npt.NDArray[np.bool_]) -> int:
    """Return the pairs within runs; ``new`` says where the next run starts."""
    runs = np.diff(np.concatenate(([-1], np.flatnonzero(new), [len(new)])))
    return int((runs * (runs - 1) // 2).sum())


@kernel
def _exchanges(y: IntArray, space: IntArray) -> int:
    """Return pairs in the wrong order, by a merge sort from the bottom up."""
    count = len(y)
    total = 0
    width = 1
    while width < count:
        for start in range(0, count, 2 * width):
            middle = min(start + width, count)
            stop = min(start + 2 * width, count)
            left, right, k = start, middle, start
            while left < middle and right < stop:
                if y[right] < y[left]:
                    space[k] = y[right]
                    total += middle - left
                    right += 1
                else:
                    space[k] = y[left]
                    left += 1
                k += 1
            while left < middle:
                space[k] = y[left]
                left += 1
                k += 1
            while right < stop:
                space[k] = y[right]
                right += 1
                k += 1
        for i in range(count):
            y[i] = space[i]
        width *= 2
    return total
