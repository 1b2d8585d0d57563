"""Exact Euclidean distance on a grid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["distance_m", "within"]


@kernel
def _along_columns(
    present: npt.NDArray[np.bool_], out: npt.NDArray[np.float32], start: int, stop: int
) -> None:
    """Write the distance, in cells, to the nearest present cell of the same column."""
    rows = present.shape[0]
    one = np.float32(1.0)
    zero = np.float32(0.0)
    far = np.float32(np.inf)
    for c in range(start, stop):
        out[0, c] = zero if present[0, c] else far
    for r in range(1, rows):
        for c in range(start, stop):
            out[r, c] = zero if present[r, c] else out[r - 1, c] + one
    for r in range(rows - 2, -1, -1):
        for c in range(start, stop):
            other = out[r + 1, c] + one
            out[r, c] = min(other, out[r, c])


@kernel
def _along_rows(out: npt.NDArray[np.float32], cell_m: float, start: int, stop: int) -> None:
    """Turn column distances into distances in the plane: lower envelope of parabolas."""
    cols = out.shape[1]
    apex = np.empty(cols, np.int64)
    lift = np.empty(cols, np.float64)  # g² + s², exact: far below 2⁵³
    begin = np.empty(cols + 1, np.float64)
    for r in range(start, stop):
        top = -1
        for u in range(cols):
            g = np.float64(out[r, u])
            if g == np.inf:
                continue
            f = g * g + np.float64(u) * np.float64(u)
            x = -np.inf
            while top >= 0:
                x = (f - lift[top]) / (2.0 * (u - apex[top]))
                if x > begin[top]:
                    break
                top -= 1
            if top < 0:
                x = -np.inf
            elif x >= cols - 1:  # lower only beyond the last column
                continue
            top += 1
            apex[top] = u
            lift[top] = f
            begin[top] = x
        if top < 0:
            continue  # no present cell anywhere: the row is inf already
        begin[top + 1] = np.float64(cols)
        first = 0
        for k in range(top + 1):
            last = cols if k == top else math.ceil(begin[k + 1])
            s = np.float64(apex[k])
            g2 = lift[k] - s * s
            for x_cell in range(first, last):
                dx = np.float64(x_cell) - s
                out[r, x_cell] = np.float32(math.sqrt(dx * dx + g2) * cell_m)
            first = max(first, last)


def distance_m(
    present: npt.NDArray[np.bool_], grid: Grid, *, threads: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the distance from each cell centre to the nearest present cell centre.

    Parameters
    ----------
    present : ndarray of bool, shape (rows, cols)
        True where the feature is.
    grid : Grid
        Gives the cell size, m.
    threads : int, optional
        The result is the same, bit for bit, for any number.

    Returns
    -------
    ndarray of float32, shape (rows, cols), m
        0 on present cells, ``inf`` everywhere when there is none.

    Raises
    ------
    ShapeError
        ``present`` is not on ``grid``.

    Notes
    -----
    Two passes, exact in integers until the last root: Meijster, Roerdink & Hesselink (2000), with
    the envelope of Felzenszwalb & Huttenlocher (2012), Algorithm 1. The output array is the only
    memory of the size of the grid.

    A feature smaller than a cell counts from the centre of its cell, so a distance is off by up
    to 0.71 of a cell side.
    """
    if present.shape != grid.shape:
        raise ShapeError(f"a mask of shape {present.shape} does not lie on a grid {grid.shape}")
    mask = np.ascontiguousarray(present, dtype=np.bool_)
    out = np.empty(grid.shape, dtype=np.float32)
    over_blocks(lambda a, b: _along_columns(mask, out, a, b), grid.cols, threads=threads)
    over_blocks(lambda a, b: _along_rows(out, grid.cell_m, a, b), grid.rows, threads=threads)
    return out


def within(
    present: npt.NDArray[np.bool_], distance: float, grid: Grid, *, threads: int | None = None
) -> npt.NDArray[np.bool_]:
    """Return True where a present cell centre is not farther than ``distance``.

    Parameters
    ----------
    present : ndarray of bool, shape (rows, cols)
    distance : float, m
        0 or more; 0 gives the present cells themselves.
    grid : Grid

    Returns
    -------
    ndarray of bool, shape (rows, cols)
        A true disk around each present cell, not a diamond or a square.
    """
    if not distance >= 0:
        raise RangeError(f"a distance of {distance!r} m", remedy="give a distance of 0 m or more")
    return distance_m(present, grid, threads=threads) <= np.float64(distance)
