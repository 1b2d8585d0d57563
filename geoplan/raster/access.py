"""From points with a head start to every cell: straight access, and what lies behind it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel

__all__ = ["access"]

_MOST_PASSES = 8


@kernel
def _seed(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    rate: float,
    out: npt.NDArray[np.float64],
    which: npt.NDArray[np.int32],
) -> None:
    rows, cols = out.shape
    for k in range(len(x)):
        # points beyond the edge start from the nearest cell of the edge
        r = min(max(int(np.floor(y[k])), 0), rows - 1)
        c = min(max(int(np.floor(x[k])), 0), cols - 1)
        value = start[k] + rate * np.sqrt((y[k] - r - 0.5) ** 2 + (x[k] - c - 0.5) ** 2)
        if value < out[r, c]:
            out[r, c] = value
            which[r, c] = k


@kernel
def _take(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    rate: float,
    out: npt.NDArray[np.float64],
    which: npt.NDArray[np.int32],
    r: int,
    c: int,
    i: int,
    j: int,
) -> int:
    """Let cell (r, c) take the point of its neighbour (i, j) if that is better."""
    k = which[i, j]
    if k < 0 or k == which[r, c]:
        return 0
    dy = y[k] - r - 0.5
    dx = x[k] - c - 0.5
    value = start[k] + rate * np.sqrt(dy * dy + dx * dx)
    if value < out[r, c]:
        out[r, c] = value
        which[r, c] = k
        return 1
    return 0


@kernel
def _sweep(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    start: npt.NDArray[np.float64],
    rate: float,
    out: npt.NDArray[np.float64],
    which: npt.NDArray[np.int32],
    down: bool,
    changed: npt.NDArray[np.int64],
    visited: npt.NDArray[np.int64],
    clock: int,
) -> int:
    """Pass over the rows once; rows whose source row has not changed since are left out."""
    rows, cols = out.shape
    for n in range(rows):
        r = n if down else rows - 1 - n
        i = r - 1 if down else r + 1
        fresh = 0
        if 0 <= i < rows and changed[i] > visited[r]:
            for c in range(cols):
                tried = which[r, c]
                for j in range(max(c - 1, 0), min(c + 2, cols)):
                    if which[i, j] != tried:
                        tried = which[i, j]
                        fresh += _take(x, y, start, rate, out, which, r, c, i, j)
        if fresh > 0 or visited[r] == 0:
            for c in range(1, cols):
                fresh += _take(x, y, start, rate, out, which, r, c, r, c - 1)
            for c in range(cols - 2, -1, -1):
                fresh += _take(x, y, start, rate, out, which, r, c, r, c + 1)
        clock += 1
        visited[r] = clock
        if fresh > 0:
            changed[r] = clock
    return clock


def access(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    start: npt.ArrayLike,
    *,
    per_km: float,
    grid: Grid,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int32]]:
    """Return the least of ``start + per_km · straight distance`` over all points.

    Parameters
    ----------
    x, y : array_like of float, shape (points,), m
        In the CRS of ``grid``. Points outside count from the edge inwards.
    start : array_like of float, shape (points,)
        What the way costs behind each point; points of ``inf`` are left out.
    per_km : float, unit of ``start`` per km
        Above 0: ``60 / speed`` for minutes, 1 for km.
    grid : Grid

    Returns
    -------
    cost : ndarray of float64, shape (rows, cols), unit of ``start``
        At cell centres; ``inf`` where there is no point.
    which : ndarray of int32, shape (rows, cols)
        Number of the point; −1 where there is none.

    Notes
    -----
    Each cost is that of a real way, so it is never below the least. It may be above it: a cell
    hands on one point only, which costs at most √2 cell sides of straight access (two points of
    one cell are that close), and points travel from cell to cell (Danielsson 1980, with weights),
    which the tests find to cost less than another half cell side. The land that belongs to a
    point is star-shaped around it, so one pass down and one up reach it all; passes are repeated
    until nothing changes, at most eight times.
    """
    px = (np.asarray(x, dtype=np.float64).ravel() - grid.x_min) / grid.cell_m
    py = (grid.y_max - np.asarray(y, dtype=np.float64).ravel()) / grid.cell_m
    begin = np.asarray(start, dtype=np.float64).ravel()
    if not len(px) == len(py) == len(begin):
        raise ShapeError(f"{len(px)} x, {len(py)} y and {len(begin)} starts")
    if not per_km > 0:
        raise RangeError(f"a cost of {per_km!r} per km", remedy="give a cost above 0")
    finite = np.isfinite(begin)
    number = np.flatnonzero(finite)
    px, py, begin = px[finite], py[finite], begin[finite]
    rate = per_km * grid.cell_m / 1000.0
    out = np.full(grid.shape, np.inf)
    which = np.full(grid.shape, -1, np.int32)
    _seed(px, py, begin, rate, out, which)
    # one clock for both: when a row last changed, and when it was last passed, by direction
    changed = np.ones(grid.rows, np.int64)
    visited = (np.zeros(grid.rows, np.int64), np.zeros(grid.rows, np.int64))
    clock = 1
    for number_of_pass in range(2 * _MOST_PASSES):
        begun = clock
        way = number_of_pass % 2
        clock = _sweep(px, py, begin, rate, out, which, way == 0, changed, visited[way], clock)
        if number_of_pass >= 2 and not (changed > begun).any():
            break
    if len(number) and not finite.all():
        known = which >= 0
        which[known] = number[which[known]]
    return out, which
