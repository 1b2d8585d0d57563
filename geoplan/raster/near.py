"""Cells within a distance of geometries, exact to the edge of the feature and of the cell."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError
from geoplan.grid import Grid
from geoplan.raster.distance import distance_m
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.raster.segment import ROWS, Segments, by_block, segments

__all__ = ["near"]

_SLACK = 1e-9
"""Cells: what settles a tie. A ten-thousandth of a millimetre on cells of 100 m, and far above
the rounding of coordinates."""

_RUNS = 20_000_000
"""Runs of cells above which it pays to look for the pieces that can decide a cell at all."""


@kernel
def _right(x0: float, y0: float, x1: float, y1: float, d: float, y: float) -> float:
    """Return the largest x at height ``y`` within ``d`` of a piece; the height is in its reach."""
    best = -np.inf
    h = d * d - (y - y0) * (y - y0)
    if h >= 0.0:
        best = x0 + math.sqrt(h)
    h = d * d - (y - y1) * (y - y1)
    if h >= 0.0:
        best = max(best, x1 + math.sqrt(h))
    dx = x1 - x0
    dy = y1 - y0
    length = math.sqrt(dx * dx + dy * dy)
    if length > 0.0 and dy != 0.0:
        # the side of the band along the piece: moved by d at right angles, to the right
        nx = abs(dy) / length * d
        ny = -dx / length * d if dy > 0.0 else dx / length * d
        t = (y - y0 - ny) / dy
        if 0.0 <= t <= 1.0:
            best = max(best, x0 + t * dx + nx)
    return best


@kernel
def _turn(xa: float, ya: float, xb: float, yb: float, top: float, bottom: float) -> float:
    """Return the height in ``top`` to ``bottom`` where a band reaches farthest right.

    Its right border is concave in y and highest beside the end that lies farther right.
    """
    if xa > xb:
        return min(max(ya, top), bottom)
    if xb > xa:
        return min(max(yb, top), bottom)
    low = min(ya, yb)
    high = max(ya, yb)
    if high < top:
        return top
    if low > bottom:
        return bottom
    return max(low, top)


@kernel
def _near_rows(
    x0: npt.NDArray[np.float64],
    y0: npt.NDArray[np.float64],
    x1: npt.NDArray[np.float64],
    y1: npt.NDArray[np.float64],
    ring: npt.NDArray[np.bool_],
    decides: npt.NDArray[np.bool_],
    order: npt.NDArray[np.int32],
    start: int,
    stop: int,
    d: float,
    centre: bool,
    slack: float,
    out: npt.NDArray[np.bool_],
) -> None:
    cols = out.shape[1]
    change = np.zeros((stop - start, cols + 1), np.int32)
    wind = np.zeros((stop - start, cols + 1), np.int32)
    areas = False
    for i in range(len(order)):
        k = order[i]
        ax, ay, bx, by = x0[k], y0[k], x1[k], y1[k]
        if ring[k]:
            areas = True
            # centres between the heights of the ends: one of two edges that meet has each height
            a = max(math.ceil(min(ay, by) - 0.5), start)
            b = min(math.ceil(max(ay, by) - 0.5), stop)
            for r in range(a, b):
                x = ax + (r + 0.5 - ay) / (by - ay) * (bx - ax)
                c = int(min(max(math.ceil(x - 0.5), 0.0), float(cols)))
                wind[r - start, c] += 1 if by > ay else -1
        # Land within the distance must be more than a line that touches the cell; only what has
        # no area of its own (a point, a line at 0 m) counts where it touches.
        touch = d == 0.0 and not ring[k]
        if not decides[k] or (centre and d == 0.0 and ring[k]):
            continue
        whole = touch or not centre
        give = slack if touch or centre else -slack
        low = min(ay, by) - d
        high = max(ay, by) + d
        a = max(math.floor(low) - 1, start)
        b = min(math.floor(high) + 2, stop)
        for r in range(a, b):
            if whole:
                top = r - give
                bottom = r + 1.0 + give
            else:
                top = r + 0.5
                bottom = top
            if bottom < low or top > high:
                continue
            y = _turn(ax, ay, bx, by, top, bottom)
            right = _right(ax, ay, bx, by, d, min(max(y, low), high))
            y = _turn(-ax, ay, -bx, by, top, bottom)
            left = -_right(-ax, ay, -bx, by, d, min(max(y, low), high))
            if whole:
                first = np.ceil(left - give) - 1.0
                last = np.floor(right + give)
            else:
                first = np.ceil(left - 0.5 - give)
                last = np.floor(right - 0.5 + give)
            if last < 0.0 or first > cols - 1.0 or last < first:
                continue
            change[r - start, int(max(first, 0.0))] += 1
            change[r - start, int(min(last, cols - 1.0)) + 1] -= 1
    for r in range(stop - start):
        held = 0
        inside = 0
        for c in range(cols):
            held += change[r, c]
            if areas:
                inside += wind[r, c]
            if held > 0 or inside > 0:
                out[start + r, c] = True


def near(
    geoms: Iterable[Any],
    grid: Grid,
    distance: float,
    *,
    part: Literal["any", "centre"] = "any",
    threads: int | None = None,
) -> npt.NDArray[np.bool_]:
    """Return the cells that lie within a distance of the geometries.

    Parameters
    ----------
    geoms : iterable of shapely geometry
        In the CRS of ``grid``, of any type, mixed. Those outside the grid count too.
    grid : Grid
    distance : float, m
        0 or more; 0 takes the features themselves.
    part : {"any", "centre"}
        ``any``: a cell is taken when any of its land lies within the distance, more than the line
        or corner at which it would merely touch. Nothing that a legal setback forbids is then
        left in a cell that stays. ``centre``: when its centre does, at exactly the distance too;
        the area taken is then without bias. A point or line at 0 m has no land within: it takes
        the cells that it touches, either way.
    threads : int, optional
        The result is the same for any number.

    Returns
    -------
    ndarray of bool, shape (rows, cols)

    Raises
    ------
    RangeError
        The distance is negative or not finite, or a coordinate is not finite.

    Notes
    -----
    The land within d of a straight piece is convex (a rectangle with two half disks), so in each
    row of cells it takes one run of columns, and the ends of that run come in closed form: no
    distance of any cell is ever computed, no buffer polygon of finitely many corners is built,
    and nothing of the size of the grid is held but the result. O(pieces · rows in reach + cells).
    The inside of polygons is the winding number of the cell centres (Hormann & Agathos 2001);
    cells that an edge crosses are in the run of that edge.

    Ties are settled at 1e-9 of a cell, exactness otherwise is that of float64.
    """
    if not (distance >= 0 and math.isfinite(distance)):
        raise RangeError(f"a distance of {distance!r} m", remedy="give a distance of 0 m or more")
    pieces = segments(geoms, grid, reach_m=distance + grid.cell_m)
    out = np.zeros(grid.shape, dtype=np.bool_)
    reach = distance / grid.cell_m
    decides = np.ones(len(pieces), dtype=np.bool_)
    if reach >= 8.0 and len(pieces) * 2.0 * reach > _RUNS:
        decides = _deciding(pieces, grid, reach, out)
        pieces, decides = pieces.chosen(decides | pieces.ring), decides[decides | pieces.ring]
    begin, order = by_block(pieces, grid.rows, reach=reach)

    def work(first: int, last: int) -> None:
        for block in range(first, last):
            mine = order[begin[block] : begin[block + 1]]
            if len(mine):
                stop = min((block + 1) * ROWS, grid.rows)
                _near_rows(
                    pieces.x0, pieces.y0, pieces.x1, pieces.y1, pieces.ring, decides,
                    mine, block * ROWS, stop, reach, part == "centre", _SLACK, out,
                )  # fmt: skip

    over_blocks(work, len(begin) - 1, threads=threads, block=4)
    return out


def _deciding(
    pieces: Segments, grid: Grid, reach: float, out: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Mark land that is within reach for certain; return the pieces that can decide the rest.

    On squares of an eighth of the distance: a square is certain when its farthest corner is in
    reach of the middle of a piece, wherever that lies in its own square. A piece that is farther
    than the distance from every other square decides nothing.
    """
    size = int(reach / 8.0)
    half = size * math.sqrt(0.5)
    pad = math.ceil(reach / size) + 2
    inner = (-(-grid.rows // size), -(-grid.cols // size))
    squares = Grid(grid.crs, 0.0, 0.0, float(size), inner[0] + 2 * pad, inner[1] + 2 * pad)
    r = np.floor((pieces.y0 + pieces.y1) / (2.0 * size)).astype(np.int64) + pad
    c = np.floor((pieces.x0 + pieces.x1) / (2.0 * size)).astype(np.int64) + pad
    known = (r >= 0) & (r < squares.rows) & (c >= 0) & (c < squares.cols)
    r, c = r[known], c[known]
    held = np.zeros(squares.shape, dtype=np.bool_)
    held[r, c] = True
    certain = distance_m(held, squares) + 2.0 * half <= reach * (1.0 - 1e-6)
    open_ = np.zeros(squares.shape, dtype=np.bool_)
    window = (slice(pad, pad + inner[0]), slice(pad, pad + inner[1]))
    open_[window] = ~certain[window]
    length = np.hypot(pieces.x1 - pieces.x0, pieces.y1 - pieces.y0)
    decides = np.ones(len(pieces), dtype=np.bool_)
    decides[known] = distance_m(open_, squares)[r, c] - 2.0 * half - length[
        known
    ] / 2.0 <= reach * (1.0 + 1e-6)
    for k, row in enumerate(certain[window]):
        out[k * size : (k + 1) * size] |= np.repeat(row, size)[: grid.cols]
    return decides
