"""SPOTIS: distance to the best that is possible, between bounds that are given.

Because the bounds do not come from the alternatives, adding or leaving out one never changes the
order of the others: the method is free of rank reversal.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.decision import Decision, FloatArray
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["spotis"]

_SMALL = 1 << 14

_TOLERANCE = 1e-9


@kernel
def _distance(
    values: FloatArray,
    factor: FloatArray,
    best: FloatArray,
    start: int,
    stop: int,
    out: FloatArray,
) -> None:
    cols = values.shape[1]
    for i in range(start, stop):
        total = 0.0
        for j in range(cols):
            total += abs(values[i, j] - best[j]) * factor[j]
        out[i] = total


def spotis(
    question: Decision,
    bounds: Sequence[tuple[float, float]] | npt.ArrayLike,
    *,
    threads: int | None = None,
) -> FloatArray:
    """Return the distance of each alternative to the ideal solution; less is better.

    Parameters
    ----------
    question : Decision
        See `geoplan.mcda.decision.decision`.
    bounds : array of float, shape (criteria, 2)
        Least and most possible value of each criterion, in its unit.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float64, shape (alternatives,), 0–1
        0 is the ideal.

    Raises
    ------
    ShapeError
        Bounds do not fit the criteria.
    RangeError
        Bounds that are not least < most, or a value outside them; alternative and criterion
        are named.

    Notes
    -----
    ``d = Σ w |x − x*| / |max − min|`` (Dezert, Tchamova, Han & Tacnet 2020).
    """
    limits = np.asarray(bounds, dtype=np.float64)
    values = question.values
    if limits.shape != (values.shape[1], 2):
        raise ShapeError(
            f"bounds of shape {limits.shape} for {values.shape[1]} criteria",
            remedy="give a least and a most value for each criterion",
        )
    for name, (low, high) in zip(question.criteria, limits, strict=True):
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise RangeError(
                f"bounds [{low:g}, {high:g}] of criterion '{name}'",
                remedy="give a least value below the most value",
            )
    slack = _TOLERANCE * (limits[:, 1] - limits[:, 0])
    least, most = limits[:, 0] - slack, limits[:, 1] + slack
    if (question.low < least).any() or (question.high > most).any():
        i, j = np.argwhere((values < least) | (values > most))[0]
        raise RangeError(
            f"value {values[i, j]:g} of alternative '{question.alternatives[i]}' on criterion "
            f"'{question.criteria[j]}' is outside [{limits[j, 0]:g}, {limits[j, 1]:g}]",
            remedy="widen the bounds to what is possible, or correct the value",
        )
    best = np.where(question.sign > 0, limits[:, 1], limits[:, 0])
    factor = question.weights / (limits[:, 1] - limits[:, 0])
    out = np.empty(len(values))

    def work(start: int, stop: int) -> None:
        _distance(values, factor, best, start, stop, out)

    over_blocks(work, len(values), threads=threads if len(values) > _SMALL else 1)
    return out
