"""Points nearer than a tolerance are one vertex, whichever rows they stand in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["Vertices", "snap"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# A cell is this many tolerances wide, so that few points lie near the border of one.
_CELL = 64.0


@dataclass(frozen=True, slots=True)
class Vertices:
    """Distinct vertices of many points.

    Parameters
    ----------
    xy : ndarray of float, shape (vertices, 2), m
        Place of each vertex: the point of its cluster that is least by x, then y, so that the
        order of rows does not matter.
    of : ndarray of int, shape (points,)
        Vertex of each point.
    """

    xy: Floats
    of: Ints


def snap(points: Floats, tolerance: float) -> Vertices:
    """Return the vertices of points.

    Parameters
    ----------
    points : ndarray of float, shape (points, 2), m
        Coordinates; finite.
    tolerance : float, m
        Two points this near are one vertex. So are the ends of a chain of such points: a curve
        drawn with steps below the tolerance shrinks to one vertex.
    """
    count = len(points)
    if not count:
        return Vertices(np.empty((0, 2)), np.empty(0, dtype=np.int64))
    of, xy, total = _snap(np.ascontiguousarray(points), tolerance)
    return Vertices(xy[:total].copy(), of)


@njit(cache=True, nogil=True)
def _bucket(column: np.int64, line: np.int64, mask: int) -> np.int64:
    mixed = column * np.int64(0x9E3779B97F4A7C1) ^ line * np.int64(0x2545F4914F6CDD1D)
    return (mixed ^ (mixed >> 29)) & mask


@njit(cache=True, nogil=True)
def _root(parent: npt.NDArray[np.int32], i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _snap(points: Floats, tolerance: float) -> tuple[Ints, Floats, int]:
    n = len(points)
    buckets = 16
    while buckets < n:
        buckets *= 2
    mask = buckets - 1
    head = np.full(buckets, -1, dtype=np.int32)
    after = np.empty(n, dtype=np.int32)
    parent = np.empty(n, dtype=np.int32)
    spot = np.empty((n, 2))
    of = np.empty(n, dtype=np.int64)
    found = 0
    cell = tolerance * _CELL
    x0, y0 = points[:, 0].min(), points[:, 1].min()
    for p in range(n):
        x, y = points[p, 0], points[p, 1]
        u, v = (x - x0) / cell, (y - y0) / cell
        column, line = np.int64(np.floor(u)), np.int64(np.floor(v))
        home = _bucket(column, line, mask)
        k = head[home]
        while k >= 0 and not (spot[k, 0] == x and spot[k, 1] == y):
            k = after[k]
        if k >= 0:
            of[p] = k
            continue
        me = found
        found += 1
        spot[me, 0], spot[me, 1], parent[me], of[p] = x, y, me, me
        # The border is taken a little wider than the tolerance, against rounding.
        near = 1.001 / _CELL
        left = 1 if u - column < near else 0
        right = 1 if u - column > 1.0 - near else 0
        down = 1 if v - line < near else 0
        up = 1 if v - line > 1.0 - near else 0
        for c in range(column - left, column + right + 1):
            for r in range(line - down, line + up + 1):
                k = head[_bucket(np.int64(c), np.int64(r), mask)]
                while k >= 0:
                    dx, dy = spot[k, 0] - x, spot[k, 1] - y
                    if dx * dx + dy * dy <= tolerance * tolerance:
                        a, b = _root(parent, k), _root(parent, me)
                        if a < b:
                            parent[b] = a
                        else:
                            parent[a] = b
                    k = after[k]
        after[me] = head[home]
        head[home] = me
    number = np.full(found, -1, dtype=np.int64)
    xy = np.empty((found, 2))
    total = 0
    for k in range(found):
        r = _root(parent, k)
        x, y = spot[k, 0], spot[k, 1]
        if number[r] < 0:
            number[r] = total
            xy[total, 0], xy[total, 1] = x, y
            total += 1
        elif x < xy[number[r], 0] or (x == xy[number[r], 0] and y < xy[number[r], 1]):
            xy[number[r], 0], xy[number[r], 1] = x, y
    for p in range(n):
        of[p] = number[_root(parent, of[p])]
    return of, xy, total
