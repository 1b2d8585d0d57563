"""Pairs of plots that may share land: a proof that they do not, or a suspicion.

GEOS then measures the suspected few; what is not suspected shares no land thicker than the
tolerance.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from geoplan.cadastre.cells import Boxes, box_pairs
from geoplan.cadastre.edge import Edges

__all__ = ["suspected_overlaps"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

_RUN = 16  # edges under one box, so that a long outline is not walked in full for each neighbour


class _Outline(NamedTuple):
    ax: Floats
    ay: Floats
    bx: Floats
    by: Floats
    start: Ints
    convex: Flags
    run: Boxes


def suspected_overlaps(
    edges: Edges, xy: Floats, boxes: Boxes, tolerance: float, *, threads: int = 2
) -> Ints:
    """Return pairs of shapes that may share land thicker than the tolerance.

    Parameters
    ----------
    edges : Edges
        Edges of all shapes.
    xy : ndarray of float, shape (vertices, 2), m
        Places of the vertices.
    boxes : ndarray of float, shape (shapes, 4), m
        Boxes of the shapes; NaN where a shape is left out.
    tolerance : float, m
        Land this thin is none.
    threads : int
        Threads to work on.

    Returns
    -------
    ndarray of int, shape (pairs, 2)
        Every pair that shares land thicker than the tolerance, the lower shape first, and
        perhaps a few others.

    Notes
    -----
    A pair is proven apart in one of two ways. (1) One shape is convex and one of its edges has
    the other shape wholly on its right, to half the tolerance. (2) No two edges cross with their
    ends farther than a quarter of the tolerance from the other edge; and, each edge cut where
    vertices of the other shape lie on it to that distance, the middle of no piece, nor the point
    half a tolerance to its left, lies in the other shape. If the inside of neither shape is
    entered by the other's boundary, the insides are apart or equal; the points to the left
    exclude that they are equal.
    """
    pairs = box_pairs(boxes, grow=-tolerance / 2)
    outline = _outline(edges, xy)
    pieces = np.array_split(pairs, max(1, min(threads * 4, len(pairs) // 1000)))
    with ThreadPoolExecutor(threads) as pool:
        flags = list(pool.map(lambda p: _suspect(p, outline, boxes, tolerance), pieces))
    return pairs[np.concatenate(flags)] if len(pairs) else pairs


def _outline(edges: Edges, xy: Floats) -> _Outline:
    ax, ay, bx, by, run = _lines(edges.tail, edges.head, np.ascontiguousarray(xy))
    return _Outline(ax, ay, bx, by, edges.start, _convex(ax, ay, bx, by, edges.start), run)


@njit(cache=True, nogil=True)
def _lines(tail: Ints, head: Ints, xy: Floats) -> tuple[Floats, Floats, Floats, Floats, Boxes]:
    """Return the ends of all edges, and the boxes of runs of them."""
    n = len(tail)
    ax, ay, bx, by = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    run = np.empty(((n + _RUN - 1) // _RUN, 4))
    run[:, :2], run[:, 2:] = np.inf, -np.inf
    for e in range(n):
        ax[e], ay[e] = xy[tail[e], 0], xy[tail[e], 1]
        bx[e], by[e] = xy[head[e], 0], xy[head[e], 1]
        r = e // _RUN
        run[r, 0], run[r, 1] = min(run[r, 0], ax[e], bx[e]), min(run[r, 1], ay[e], by[e])
        run[r, 2], run[r, 3] = max(run[r, 2], ax[e], bx[e]), max(run[r, 3], ay[e], by[e])
    return ax, ay, bx, by, run


@njit(cache=True, nogil=True)
def _convex(ax: Floats, ay: Floats, bx: Floats, by: Floats, start: Ints) -> Flags:
    """Return which shapes have every vertex on or left of every edge; long outlines say no."""
    shapes = len(start) - 1
    out = np.zeros(shapes, dtype=np.bool_)
    for s in range(shapes):
        first, last = start[s], start[s + 1]
        if last - first < 3 or last - first > 64:
            continue
        good = True
        for e in range(first, last):
            dx, dy = bx[e] - ax[e], by[e] - ay[e]
            for f in range(first, last):
                if dx * (ay[f] - ay[e]) - dy * (ax[f] - ax[e]) < -1e-9 * (dx * dx + dy * dy):
                    good = False
                    break
            if not good:
                break
        out[s] = good
    return out


@njit(cache=True, nogil=True)
def _suspect(pairs: Ints, o: _Outline, boxes: Boxes, tolerance: float) -> Flags:
    out = np.zeros(len(pairs), dtype=np.bool_)
    cuts = np.empty(64)
    for k in range(len(pairs)):
        a, b = pairs[k, 0], pairs[k, 1]
        if o.convex[a] and _separates(o, a, b, tolerance / 2):
            continue
        if o.convex[b] and _separates(o, b, a, tolerance / 2):
            continue
        enters, cuts = _enters(o, a, b, boxes, tolerance, cuts)
        if not enters:
            enters, cuts = _enters(o, b, a, boxes, tolerance, cuts)
        out[k] = enters
    return out


@njit(cache=True, nogil=True)
def _separates(o: _Outline, a: int, b: int, slack: float) -> bool:
    """Return whether an edge of convex ``a`` has all of ``b`` on its right."""
    for e in range(o.start[a], o.start[a + 1]):
        dx, dy = o.bx[e] - o.ax[e], o.by[e] - o.ay[e]
        most = slack * np.sqrt(dx * dx + dy * dy)
        apart = True
        for f in range(o.start[b], o.start[b + 1]):
            if dx * (o.ay[f] - o.ay[e]) - dy * (o.ax[f] - o.ax[e]) > most:
                apart = False
                break
        if apart:
            return True
    return False


@njit(cache=True, nogil=True)
def _holds(o: _Outline, s: int, x: float, y: float) -> bool:
    """Return whether a point lies inside a shape, by the edges to its right."""
    inside = False
    first, last = o.start[s], o.start[s + 1]
    e = first
    while e < last:
        if e % _RUN == 0 and e + _RUN <= last:
            r = e // _RUN
            if o.run[r, 1] > y or o.run[r, 3] < y or o.run[r, 2] < x:
                e += _RUN
                continue
        if (o.ay[e] > y) != (o.by[e] > y):
            at = o.ax[e] + (y - o.ay[e]) / (o.by[e] - o.ay[e]) * (o.bx[e] - o.ax[e])
            if at > x:
                inside = not inside
        e += 1
    return inside


@njit(cache=True, nogil=True)
def _enters(
    o: _Outline, a: int, b: int, boxes: Boxes, tolerance: float, cuts: Floats
) -> tuple[bool, Floats]:
    """Return whether the boundary of ``a`` may run inside ``b`` or along its inner side."""
    near = tolerance / 4
    first, last = o.start[b], o.start[b + 1]
    for e in range(o.start[a], o.start[a + 1]):
        px, py, qx, qy = o.ax[e], o.ay[e], o.bx[e], o.by[e]
        x0, x1 = min(px, qx) - near, max(px, qx) + near
        y0, y1 = min(py, qy) - near, max(py, qy) + near
        if x0 > boxes[b, 2] or x1 < boxes[b, 0] or y0 > boxes[b, 3] or y1 < boxes[b, 1]:
            continue
        dx, dy = qx - px, qy - py
        length = np.sqrt(dx * dx + dy * dy)
        ux, uy = dx / length, dy / length
        n = 0
        f = first
        while f < last:
            if f % _RUN == 0 and f + _RUN <= last:
                r = f // _RUN
                if o.run[r, 0] > x1 or o.run[r, 2] < x0 or o.run[r, 1] > y1 or o.run[r, 3] < y0:
                    f += _RUN
                    continue
            # Where the ends of the other edge lie beside this one, and the other way round.
            sx, sy, tx, ty = o.ax[f], o.ay[f], o.bx[f], o.by[f]
            off_s = ux * (sy - py) - uy * (sx - px)
            along = ux * (sx - px) + uy * (sy - py)
            if abs(off_s) <= near and near < along < length - near:
                if n == len(cuts):
                    cuts = np.append(cuts, np.empty(n))
                cuts[n] = along
                n += 1
            off_t = ux * (ty - py) - uy * (tx - px)
            if (off_s > near and off_t < -near) or (off_s < -near and off_t > near):
                wx, wy = tx - sx, ty - sy
                size = near * np.sqrt(wx * wx + wy * wy)
                off_p = wx * (py - sy) - wy * (px - sx)
                off_q = wx * (qy - sy) - wy * (qx - sx)
                if (off_p > size and off_q < -size) or (off_p < -size and off_q > size):
                    return True, cuts
            f += 1
        cuts[:n].sort()
        low = 0.0
        for k in range(n + 1):
            high = cuts[k] if k < n else length
            if high - low > near or n == 0:
                middle = (low + high) / 2
                x, y = px + ux * middle, py + uy * middle
                if _holds(o, b, x - 2 * near * uy, y + 2 * near * ux):
                    return True, cuts
                if _holds(o, b, x, y) and _clear(o, b, x, y, near):
                    return True, cuts
            low = high
    return False, cuts


@njit(cache=True, nogil=True)
def _clear(o: _Outline, s: int, x: float, y: float, near: float) -> bool:
    """Return whether a point is farther than ``near`` from the boundary of a shape."""
    for e in range(o.start[s], o.start[s + 1]):
        dx, dy = o.bx[e] - o.ax[e], o.by[e] - o.ay[e]
        t = ((x - o.ax[e]) * dx + (y - o.ay[e]) * dy) / (dx * dx + dy * dy)
        t = min(1.0, max(0.0, t))
        gx, gy = x - o.ax[e] - t * dx, y - o.ay[e] - t * dy
        if gx * gx + gy * gy <= near * near:
            return False
    return True
