"""Aggregation of values into one score."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["weighted_sum"]

_BLOCK = 1 << 15


@kernel
def _add(total: npt.NDArray[np.float64], value: npt.NDArray[np.floating], weight: float) -> None:
    for i in range(len(value)):
        total[i] += weight * np.float64(value[i])


@kernel
def _round(total: npt.NDArray[np.float64], out: npt.NDArray[np.float32]) -> None:
    for i in range(len(out)):
        out[i] = np.float32(total[i])


def weighted_sum(
    values: Sequence[npt.NDArray[np.floating]],
    weights: Sequence[float],
    *,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the weighted sum of values.

    Parameters
    ----------
    values : sequence of ndarray of float, one shape, 0–1
        One array per criterion; NaN is missing.
    weights : sequence of float
        0 or more; used as they are (weights that sum to 1 give a score within 0–1).
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape of the values
        Σ weight · value. NaN where a value with a weight above 0 is missing.

    Notes
    -----
    Added in the order given, in float64, and rounded once. Worked through in blocks that stay in
    the processor's cache, so that each array is read once and no array of the size of the grid
    is made but the result.
    """
    if len(values) != len(weights):
        raise ShapeError(f"{len(values)} value arrays and {len(weights)} weights")
    if not values:
        raise ShapeError("no value array", remedy="give at least one criterion")
    bad = [w for w in weights if not (w >= 0 and np.isfinite(w))]
    if bad:
        raise RangeError(f"weights must be 0 or more: {bad}")
    shape = values[0].shape
    for array in values:
        if array.shape != shape:
            raise ShapeError(f"value arrays of shapes {shape} and {array.shape}")
    used = [(np.ravel(v), float(w)) for v, w in zip(values, weights, strict=True) if w > 0]
    out = np.zeros(shape, dtype=np.float32)
    flat = out.reshape(-1)

    def work(first: int, last: int) -> None:
        total = np.empty(_BLOCK)
        for start in range(first, last, _BLOCK):
            stop = min(start + _BLOCK, last)
            part = total[: stop - start]
            part[:] = 0.0
            for value, weight in used:
                _add(part, value[start:stop], weight)
            _round(part, flat[start:stop])

    over_blocks(work, flat.size, threads=threads if flat.size > _BLOCK else 1)
    return out
