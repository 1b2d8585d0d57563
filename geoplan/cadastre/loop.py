"""Loops of an outline that enclose uncovered land."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from geoplan.cadastre.outline import Outline

__all__ = ["enclosing_loops"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def enclosing_loops(outline: Outline, least_m2: float) -> list[Ints]:
    """Return the edges, in order, of each loop around land to its right.

    Every bounded piece of land that no shape covers has such a loop as its outer bound. A loop
    may also lie inside land that another shape covers; the caller looks.

    Parameters
    ----------
    outline : Outline
        Unmatched edges that meet at vertices only.
    least_m2 : float, m²
        Loops around less are left out.

    Notes
    -----
    The walk keeps the land on its right: at a vertex it goes on along the first edge
    counter-clockwise from where it came. Where that edge leads towards the vertex, the land
    beyond is covered, and the loop encloses none.
    """
    if not len(outline):
        return []
    follow = _follow(outline.tail, outline.head, outline.xy)
    order, start, area = _walk(follow, outline.tail, outline.head, outline.xy)
    return [order[start[k] : start[k + 1]] for k in np.flatnonzero(area < -least_m2)]


@njit(cache=True, nogil=True)
def _follow(tail: Ints, head: Ints, xy: Floats) -> Ints:
    """Return the edge after each one, -1 where there is none with uncovered land between."""
    n, vertices = len(tail), len(xy)
    start = np.zeros(vertices + 1, dtype=np.int64)
    for e in range(n):
        start[tail[e] + 1] += 1
        start[head[e] + 1] += 1
    for v in range(vertices):
        start[v + 1] += start[v]
    # Outgoing edges as themselves, incoming ones as their complement.
    spoke = np.empty(2 * n, dtype=np.int64)
    fill = start[:-1].copy()
    for e in range(n):
        spoke[fill[tail[e]]] = e
        fill[tail[e]] += 1
        spoke[fill[head[e]]] = ~e
        fill[head[e]] += 1
    follow = np.full(n, -1, dtype=np.int64)
    for e in range(n):
        v = head[e]
        tx, ty = xy[tail[e], 0] - xy[v, 0], xy[tail[e], 1] - xy[v, 1]
        best = 7.0
        for k in range(start[v], start[v + 1]):
            s = spoke[k]
            if s == ~e:
                continue
            far = head[s] if s >= 0 else tail[~s]
            dx, dy = xy[far, 0] - xy[v, 0], xy[far, 1] - xy[v, 1]
            angle = np.arctan2(tx * dy - ty * dx, tx * dx + ty * dy)
            if angle < 0.0:
                angle += 2.0 * np.pi
            if angle < best:
                best = angle
                follow[e] = s if s >= 0 else -1
    return follow


@njit(cache=True, nogil=True)
def _walk(follow: Ints, tail: Ints, head: Ints, xy: Floats) -> tuple[Ints, Ints, Floats]:
    n = len(follow)
    seen = np.zeros(n, dtype=np.bool_)
    order = np.empty(n, dtype=np.int64)
    start = np.zeros(n + 1, dtype=np.int64)
    area = np.zeros(n)
    used, loops = 0, 0
    for first in range(n):
        if seen[first]:
            continue
        at, e, twice = used, first, 0.0
        x0, y0 = xy[tail[first], 0], xy[tail[first], 1]
        while e >= 0 and not seen[e]:
            seen[e] = True
            order[at] = e
            at += 1
            a, b = tail[e], head[e]
            twice += (xy[a, 0] - x0) * (xy[b, 1] - y0) - (xy[b, 0] - x0) * (xy[a, 1] - y0)
            e = follow[e]
        if e == first:
            used = at
            area[loops] = twice / 2.0
            loops += 1
            start[loops] = used
    return order[:used], start[: loops + 1], area[:loops]
