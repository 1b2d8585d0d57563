"""The value arrays of the criteria that take part in a score, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.raster.kernel import kernel

__all__ = ["BLOCK", "Layers", "Values", "checked_range", "layers_of"]

Values = npt.NDArray[np.floating]

BLOCK = 1 << 15
"""Cells that are worked on at a time: small enough to stay in the processor's cache."""

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Layers:
    """Value arrays with a weight above 0, flat, in the order given.

    Parameters
    ----------
    shape : tuple of int
        Shape of each array as given.
    values : tuple of ndarray, shape (cells,)
    weights : tuple of float
        As given.
    places : tuple of int
        Which of the given arrays each one is.
    """

    shape: tuple[int, ...]
    values: tuple[Values, ...]
    weights: tuple[float, ...]
    places: tuple[int, ...]

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Weights that sum to 1."""
        weights = np.array(self.weights, dtype=np.float64)
        return np.asarray(weights / weights.sum())


def layers_of(values: Sequence[Values], weights: Sequence[float]) -> Layers:
    """Return the arrays that take part.

    Raises
    ------
    ShapeError
        Not one weight for each array, no array, or arrays of different shapes.
    RangeError
        A weight is negative or not finite.
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
    places = tuple(i for i, w in enumerate(weights) if w > 0)
    return Layers(
        shape,
        tuple(np.ravel(values[i]) for i in places),
        tuple(float(weights[i]) for i in places),
        places,
    )


@kernel
def _worst_outside(value: npt.NDArray[np.floating]) -> float:
    low, high = 0.0, 1.0
    for i in range(len(value)):
        v = np.float64(value[i])
        low = v if v < low else low
        high = v if v > high else high
    return low if low < 0.0 else high


def checked_range(value: Values, method: str) -> None:
    """Raise where a block has a value that is not between 0 and 1."""
    bad = float(_worst_outside(value))
    if not -_TOLERANCE <= bad <= 1 + _TOLERANCE:
        raise RangeError(
            f"the value {bad:g} is not between 0 and 1, which method '{method}' needs",
            remedy="pass values as `apply_value` returns them",
        )
