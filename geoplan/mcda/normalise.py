"""Normalisation: what each criterion is divided by before criteria are put together.

The choice is part of a result. On ``[1, 3000], [2, 3750], [5, 4500]`` (less, more; equal weights)
TOPSIS prefers the first alternative by vector length and the second by range (Opricovic & Tzeng
2004, numerical example), so that every result that normalises carries the name.
"""

from __future__ import annotations

import numpy as np

from geoplan.catalogue.ranking import Normalisation
from geoplan.errors import UnknownName
from geoplan.mcda.decision import FloatArray, extent
from geoplan.raster.kernel import kernel

__all__ = ["divisors", "normalise"]


def divisors(values: FloatArray, kind: Normalisation) -> FloatArray:
    """Return the number that each criterion is divided by.

    Parameters
    ----------
    values : ndarray of float64, shape (alternatives, criteria)
        No NaN.
    kind : {"vector", "min_max", "max", "sum"}
        ``vector``: sqrt(Σ x²); ``min_max``: max x − min x; ``max``: max abs x; ``sum``: Σ abs x.

    Returns
    -------
    ndarray of float64, shape (criteria,)
        0 where the criterion cannot be divided: constant (``min_max``) or 0 everywhere.
    """
    low, high = extent(values)
    largest = np.maximum(np.abs(low), np.abs(high))
    if kind in ("vector", "sum"):
        # Over the largest value first, so that squares neither overflow nor vanish.
        total = np.zeros(len(largest))
        _sums(values, np.where(largest > 0, largest, 1.0), kind == "vector", total)
        return np.asarray(largest * (np.sqrt(total) if kind == "vector" else total))
    if kind == "min_max":
        return np.asarray(high - low)
    if kind == "max":
        return largest
    raise UnknownName(
        f"normalisation '{kind}' is not known", remedy="give vector, min_max, max or sum"
    )


@kernel
def _sums(values: FloatArray, by: FloatArray, squared: bool, total: FloatArray) -> None:
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            part = abs(values[i, j] / by[j])
            total[j] += part * part if squared else part


def normalise(values: FloatArray, sign: FloatArray, kind: Normalisation) -> FloatArray:
    """Return values over their divisor, larger always better.

    Parameters
    ----------
    values : ndarray of float64, shape (alternatives, criteria)
        No NaN.
    sign : ndarray of float64, shape (criteria,)
        1 more is better, -1 less is better.
    kind : {"vector", "min_max", "max", "sum"}
        See `divisors`.

    Returns
    -------
    ndarray of float64, shape of the values
        ``sign · x / divisor``; ``min_max`` is moved to 0 (worst) – 1 (best). A criterion whose
        divisor is 0 is 0 throughout: it tells nothing apart, and nothing is divided by 0.

    Examples
    --------
    >>> normalise(np.array([[1.0, 7.0], [3.0, 7.0]]), np.array([-1.0, 1.0]), "min_max")
    array([[1., 0.],
           [0., 0.]])
    """
    by = divisors(values, kind)
    out = np.where(by > 0, sign * values / np.where(by > 0, by, 1.0), 0.0)
    return out - out.min(axis=0) if kind == "min_max" else out
