"""The share of each cell that polygons cover, exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy import sparse

from geoplan.errors import RangeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.raster.segment import ROWS, by_block, polygons, segments

__all__ = ["COVER_UNIT", "cover"]

COVER_UNIT = 65_535
"""What a whole cell is in the 16-bit shares of :func:`cover`."""

_ARC = 64
"""Corners in a quarter of a circle, where a distance rounds a corner: 0.01 % of its area."""


@kernel
def _cover_rows(
    x0: npt.NDArray[np.float64],
    y0: npt.NDArray[np.float64],
    x1: npt.NDArray[np.float64],
    y1: npt.NDArray[np.float64],
    order: npt.NDArray[np.int32],
    start: int,
    stop: int,
    out: npt.NDArray[np.uint16],
) -> None:
    cols = out.shape[1]
    own = np.zeros((stop - start, cols), np.float64)  # area right of the edges, in their cells
    beyond = np.zeros((stop - start, cols + 1), np.float64)  # height, for all cells further right
    for i in range(len(order)):
        k = order[i]
        if y1[k] == y0[k]:
            continue
        if y1[k] > y0[k]:
            sign, ax, ay, bx, by = 1.0, x0[k], y0[k], x1[k], y1[k]
        else:
            sign, ax, ay, bx, by = -1.0, x1[k], y1[k], x0[k], y0[k]
        slope = (bx - ax) / (by - ay)
        first = max(math.floor(ay), start)
        last = min(math.ceil(by), stop)
        for r in range(first, last):
            ya = max(ay, float(r))
            yb = min(by, r + 1.0)
            high = yb - ya
            if high <= 0.0:
                continue
            xa = ax + (ya - ay) * slope
            xb = ax + (yb - ay) * slope
            left = min(xa, xb)
            right = max(xa, xb)
            if left >= cols:
                continue
            wide = right - left
            c = math.floor(max(left, 0.0))
            if left < 0.0:
                part = high if right <= 0.0 else high * (0.0 - left) / wide
                beyond[r - start, 0] += sign * part
                if right <= 0.0:
                    continue
            end = min(math.floor(right), cols - 1)
            for col in range(c, end + 1):
                a = max(left, float(col))
                b = min(right, col + 1.0)
                part = high if wide <= 0.0 else high * (b - a) / wide
                own[r - start, col] += sign * part * (col + 1.0 - (a + b) / 2.0)
                beyond[r - start, col + 1] += sign * part
    for r in range(stop - start):
        whole = 0.0
        for c in range(cols):
            whole += beyond[r, c]
            share = whole + own[r, c]
            out[start + r, c] = np.uint16(min(max(share, 0.0), 1.0) * 65535.0 + 0.5)


def cover(
    geoms: Iterable[Any],
    grid: Grid,
    *,
    within_m: float = 0.0,
    threads: int | None = None,
) -> npt.NDArray[np.uint16]:
    """Return the share of each cell that polygons cover.

    Parameters
    ----------
    geoms : iterable of shapely geometry
        In the CRS of ``grid``. Land under several counts once. Points and lines cover land only
        with a distance.
    grid : Grid
    within_m : float, m
        0 or more; the land within this distance counts as covered too. The corners of that land
        are arcs of 64 pieces a quarter, and 0.01 % of a disk is left out.
    threads : int, optional
        The result is the same for any number.

    Returns
    -------
    ndarray of uint16, shape (rows, cols), 1/65535 of a cell
        0 none of the cell, 65535 all of it.

    Raises
    ------
    RangeError
        The distance is negative or not finite.

    Notes
    -----
    Every edge gives the cells that it crosses the signed area to its right, and the cells further
    right its signed height; the sum along a row is the covered area (Green's theorem,
    row by row, as rasterisers of fonts sum coverage). Polygons that overlap are joined first,
    those alone are not touched. O(edges · cells crossed + cells).
    """
    if not (within_m >= 0 and math.isfinite(within_m)):
        raise RangeError(f"a distance of {within_m!r} m", remedy="give a distance of 0 m or more")
    shapes = np.asarray(list(geoms), dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    if within_m > 0:
        x_min, y_min, x_max, y_max = grid.bounds
        box = shapely.bounds(shapes).reshape(-1, 4)
        shapes = shapes[
            (box[:, 0] <= x_max + within_m) & (box[:, 2] >= x_min - within_m)
            & (box[:, 1] <= y_max + within_m) & (box[:, 3] >= y_min - within_m)
        ]  # fmt: skip
        shapes = shapely.buffer(shapes, within_m, quad_segs=_ARC)
    pieces = segments(_apart(shapes), grid)
    pieces = pieces.chosen(pieces.ring)
    out = np.zeros(grid.shape, dtype=np.uint16)
    begin, order = by_block(pieces, grid.rows, reach=0.0)

    def work(first: int, last: int) -> None:
        for block in range(first, last):
            mine = order[begin[block] : begin[block + 1]]
            if len(mine):
                stop = min((block + 1) * ROWS, grid.rows)
                _cover_rows(
                    pieces.x0, pieces.y0, pieces.x1, pieces.y1, mine, block * ROWS, stop, out
                )

    over_blocks(work, len(begin) - 1, threads=threads, block=4)
    return out


def _apart(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return polygons that share no land: those that do are joined."""
    areas = polygons(shapes)
    a, b = shapely.STRtree(areas).query(areas, predicate="intersects")
    a, b = a[a < b], b[a < b]
    if not len(a):
        return areas
    shared = shapely.relate_pattern(areas[a], areas[b], "T********")
    a, b = a[shared], b[shared]
    links = sparse.coo_array((np.ones(len(a)), (a, b)), shape=(len(areas), len(areas)))
    count, group = sparse.csgraph.connected_components(links, directed=False)
    alone = np.bincount(group, minlength=count) == 1
    joined = [shapely.union_all(areas[group == g]) for g in np.flatnonzero(~alone)]
    return np.concatenate([areas[alone[group]], np.asarray(joined, dtype=object)])
