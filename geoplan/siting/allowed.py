"""The allowed cells of a grid, one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import ShapeError
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["AllowedLand"]


@kernel
def _count(mask: npt.NDArray[np.bool_], number: npt.NDArray[np.int64], a: int, b: int) -> None:
    for r in range(a, b):
        n = 0
        for c in range(mask.shape[1]):
            n += mask[r, c]
        number[r] = n


@kernel
def _take(
    mask: npt.NDArray[np.bool_],
    offsets: npt.NDArray[np.int64],
    source: npt.NDArray[Any],
    out: npt.NDArray[Any],
    start: int,
    stop: int,
) -> None:
    for r in range(start, stop):
        k = offsets[r]
        for c in range(mask.shape[1]):
            if mask[r, c]:
                out[k] = source[r, c]
                k += 1


@kernel
def _put(
    mask: npt.NDArray[np.bool_],
    offsets: npt.NDArray[np.int64],
    source: npt.NDArray[Any],
    fill: float,
    out: npt.NDArray[Any],
    start: int,
    stop: int,
) -> None:
    for r in range(start, stop):
        k = offsets[r]
        for c in range(mask.shape[1]):
            if mask[r, c]:
                out[r, c] = source[k]
                k += 1
            else:
                out[r, c] = fill


@dataclass(frozen=True, slots=True)
class AllowedLand:
    """Where the allowed cells lie, and their order: row by row, west to east.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
        True where land is allowed.
    offsets : ndarray of int64, shape (rows + 1,)
        Allowed cells before each row; the last is their number.
    shape : tuple of int
        Shape of the mask as it was given; a mask of one dimension is one row.
    """

    mask: npt.NDArray[np.bool_]
    offsets: npt.NDArray[np.int64]
    shape: tuple[int, ...]

    @classmethod
    def of(cls, allowed: npt.NDArray[np.bool_]) -> AllowedLand:
        """Return the allowed cells of a mask of any shape."""
        cols = allowed.shape[-1] if allowed.ndim else 1
        mask = np.ascontiguousarray(allowed, dtype=np.bool_).reshape(-1, max(cols, 1))
        number = np.zeros(len(mask), dtype=np.int64)
        over_blocks(lambda a, b: _count(mask, number, a, b), len(mask))
        return cls(mask, np.concatenate([[0], np.cumsum(number)]), allowed.shape)

    @property
    def size(self) -> int:
        """Number of allowed cells."""
        return int(self.offsets[-1])

    def take(self, array: npt.NDArray[Any], *, where: str = "") -> npt.NDArray[Any]:
        """Return the values at the allowed cells, shape (size,).

        Raises
        ------
        ShapeError
            ``array`` does not have the shape of the mask.
        """
        if array.shape != self.shape:
            raise ShapeError(
                f"a measure of shape {array.shape}, the allowed land {self.shape}", where=where
            )
        source = np.ascontiguousarray(array).reshape(self.mask.shape)
        out = np.empty(self.size, dtype=source.dtype)
        over_blocks(lambda a, b: _take(self.mask, self.offsets, source, out, a, b), len(self.mask))
        return out

    def put(self, values: npt.NDArray[Any], *, fill: float = np.nan) -> npt.NDArray[Any]:
        """Return an array of the mask's shape with one value per allowed cell, else ``fill``."""
        if values.shape != (self.size,):
            raise ShapeError(f"values of shape {values.shape} for {self.size} allowed cells")
        out = np.empty(self.mask.shape, dtype=values.dtype)
        over_blocks(
            lambda a, b: _put(self.mask, self.offsets, values, fill, out, a, b), len(self.mask)
        )
        return out.reshape(self.shape)
