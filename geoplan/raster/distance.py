"""Exact Euclidean distance on a grid."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["distance_in_strip", "distance_m", "strip_borders", "within"]

_STRIP = 256
"""Rows that :func:`within` works on at a time."""

_REACH_MAX = 20_000
"""Cells; beyond it the distance itself is cheaper than the rows that a strip looks back on."""


@kernel
def _along_columns(
    present: npt.NDArray[np.bool_],
    above: npt.NDArray[np.float32],
    below: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Write the distance, in cells, to the nearest present cell of the same column.

    ``above`` and ``below`` are what the first and the last row would have if all its own rows
    were empty; whole numbers below 2²⁴, so that no step rounds.
    """
    rows = present.shape[0]
    one = np.float32(1.0)
    zero = np.float32(0.0)
    for c in range(start, stop):
        out[0, c] = zero if present[0, c] else above[c]
    for r in range(1, rows):
        for c in range(start, stop):
            out[r, c] = zero if present[r, c] else out[r - 1, c] + one
    for c in range(start, stop):
        out[rows - 1, c] = min(below[c], out[rows - 1, c])
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
    nothing = np.full(grid.cols, np.inf, dtype=np.float32)
    return distance_in_strip(present, nothing, nothing, cell_m=grid.cell_m, threads=threads)


def distance_in_strip(
    present: npt.NDArray[np.bool_],
    above: npt.NDArray[np.float32],
    below: npt.NDArray[np.float32],
    *,
    cell_m: float,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the rows of :func:`distance_m` of a grid of which only some rows are at hand.

    Parameters
    ----------
    present : ndarray of bool, shape (strip rows, cols)
        Whole rows of the grid, one under the other.
    above, below : ndarray of float32, shape (cols,), cells
        From the first (last) row of the strip to the nearest present cell of the same column
        above (below) the strip, 1 or more; ``inf`` where there is none. See
        :func:`strip_borders`.
    cell_m : float, m
    threads : int, optional

    Returns
    -------
    ndarray of float32, shape (strip rows, cols), m
        The same bytes as those rows of the whole: the first pass looks along columns only, and
        all that a column's other rows say is the distance to the nearest present one on either
        side; the second looks along one row only.
    """
    mask = np.ascontiguousarray(present, dtype=np.bool_)
    rows, cols = mask.shape
    if above.shape != (cols,) or below.shape != (cols,):
        raise ShapeError(f"borders of shapes {above.shape} and {below.shape}, {cols} columns")
    out = np.empty(mask.shape, dtype=np.float32)
    over_blocks(lambda a, b: _along_columns(mask, above, below, out, a, b), cols, threads=threads)
    over_blocks(lambda a, b: _along_rows(out, cell_m, a, b), rows, threads=threads)
    return out


def strip_borders(
    present: npt.NDArray[np.bool_], starts: npt.NDArray[np.integer]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return what strips need to know of each other for :func:`distance_in_strip`.

    Parameters
    ----------
    present : ndarray of bool, shape (rows, cols)
        May lie in a file: it is read strip by strip.
    starts : ndarray of int, shape (strips,)
        First row of each strip, rising from 0.

    Returns
    -------
    above, below : ndarray of float32, shape (strips, cols), cells
    """
    rows, cols = present.shape
    stops = [*[int(s) for s in starts[1:]], rows]
    first = np.full((len(stops), cols), np.inf)
    last = np.full((len(stops), cols), -np.inf)
    for k, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        part = np.asarray(present[start:stop], dtype=np.bool_)
        some = part.any(axis=0)
        first[k, some] = start + part.argmax(axis=0)[some]
        last[k, some] = stop - 1 - part[::-1].argmax(axis=0)[some]
    above = np.full((len(stops), cols), np.inf, dtype=np.float32)
    below = np.full((len(stops), cols), np.inf, dtype=np.float32)
    for k in range(1, len(stops)):
        last[k] = np.maximum(last[k], last[k - 1])
        above[k] = starts[k] - last[k - 1]
    for k in range(len(stops) - 2, -1, -1):
        first[k] = np.minimum(first[k], first[k + 1])
        below[k] = first[k + 1] - (stops[k] - 1)
    return above, below


@kernel
def _cover_rows(
    present: npt.NDArray[np.bool_],
    half: npt.NDArray[np.int64],
    out: npt.NDArray[np.bool_],
    start: int,
    stop: int,
) -> None:
    """Mark the rows' cells that a present cell reaches; ``half[g]``: half a chord g rows off."""
    rows, cols = present.shape
    far = len(half) - 1  # out of reach: half[far] is −1
    back = np.full(cols, far, np.uint16)
    held = np.empty((stop - start, cols), np.uint16)
    for r in range(max(0, start - far + 1), start):
        for c in range(cols):
            back[c] = 0 if present[r, c] else min(back[c] + 1, far)
    for r in range(start, stop):
        for c in range(cols):
            back[c] = 0 if present[r, c] else min(back[c] + 1, far)
            held[r - start, c] = back[c]
    back[:] = far
    for r in range(min(rows, stop + far - 1) - 1, stop - 1, -1):
        for c in range(cols):
            back[c] = 0 if present[r, c] else min(back[c] + 1, far)
    for r in range(stop - 1, start - 1, -1):
        reach = -1
        for c in range(cols):
            back[c] = 0 if present[r, c] else min(back[c] + 1, far)
            g = min(back[c], held[r - start, c])
            held[r - start, c] = g
            reach = max(reach, c + half[g])
            out[r, c] = reach >= c
        reach = cols
        for c in range(cols - 1, -1, -1):
            reach = min(reach, c - half[held[r - start, c]])
            if reach <= c:
                out[r, c] = True


def _largest_square(distance: float, cell_m: float, most: int) -> int:
    """Return the largest squared distance in cells that :func:`distance_m` puts within reach."""

    def inside(square: int) -> bool:
        return bool(np.float32(math.sqrt(square) * cell_m) <= np.float64(distance))

    found = min(most, int((distance / cell_m) ** 2))
    while found < most and inside(found + 1):
        found += 1
    while not inside(found):
        found -= 1
    return found


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
        A true disk around each present cell, not a diamond or a square: exactly the cells of
        which :func:`distance_m` is not above ``distance``.

    Notes
    -----
    A cell g rows away covers a run of 2 · √(d² − g²) + 1 cells, d² the largest whole square of a
    distance that counts, so that two sweeps along each row are enough and no root, and no array
    of float, of the size of the grid is needed.
    """
    if not distance >= 0:
        raise RangeError(f"a distance of {distance!r} m", remedy="give a distance of 0 m or more")
    if present.shape != grid.shape:
        raise ShapeError(f"a mask of shape {present.shape} does not lie on a grid {grid.shape}")
    if math.isinf(distance):
        return np.ones(grid.shape, dtype=np.bool_)
    square = _largest_square(distance, grid.cell_m, grid.rows**2 + grid.cols**2)
    if math.isqrt(square) >= _REACH_MAX:
        return distance_m(present, grid, threads=threads) <= np.float64(distance)
    chords = [math.isqrt(square - g * g) for g in range(math.isqrt(square) + 1)]
    half = np.array([*chords, -1], dtype=np.int64)
    mask = np.ascontiguousarray(present, dtype=np.bool_)
    out = np.empty(grid.shape, dtype=np.bool_)
    block = max(_STRIP, 2 * len(half))
    over_blocks(
        lambda a, b: _cover_rows(mask, half, out, a, b), grid.rows, threads=threads, block=block
    )
    return out
