"""Directed edges of plots, the plot on the left, and those that no neighbour has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from geoplan.cadastre.rings import Rings

__all__ = ["Edges", "edges_of", "unmatched"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Edges:
    """Edges of all shapes, shape by shape.

    Parameters
    ----------
    tail, head : ndarray of int, shape (edges,)
        Vertices; the inside of the shape lies to the left of the way from tail to head.
    start : ndarray of int, shape (shapes + 1,)
        First edge of each shape.
    """

    tail: Ints
    head: Ints
    start: Ints

    def __len__(self) -> int:
        return len(self.tail)

    def shape(self) -> Ints:
        """Return the shape of each edge."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))


def edges_of(rings: Rings, vertex: Ints, xy: Floats) -> Edges:
    """Return the edges of all shapes.

    Parameters
    ----------
    rings : Rings
        Shapes; only their structure is used.
    vertex : ndarray of int, shape (points,)
        Vertex of each point of the rings.
    xy : ndarray of float, shape (vertices, 2), m
        Place of each vertex. Shells become counter-clockwise, holes clockwise; edges of no length
        are left out.
    """
    tail, head, start = _edges(
        rings.ring_start, rings.part_start, rings.shape_start, vertex, np.ascontiguousarray(xy)
    )
    return Edges(tail, head, start)


def unmatched(tail: Ints, head: Ints) -> Flags:
    """Return which edges are left when opposite ones cancel each other.

    Where one direction has more edges than the other, the first ones of it are left, as many as
    there are more. What is left bounds, counted with its repetitions, the same land.
    """
    return _unmatched(tail, head)


@njit(cache=True, nogil=True)
def _edges(
    ring_start: Ints, part_start: Ints, shape_start: Ints, vertex: Ints, xy: Floats
) -> tuple[Ints, Ints, Ints]:
    shapes = len(shape_start) - 1
    tail = np.empty(len(vertex), dtype=np.int64)
    head = np.empty(len(vertex), dtype=np.int64)
    start = np.zeros(shapes + 1, dtype=np.int64)
    n = 0
    for s in range(shapes):
        for part in range(shape_start[s], shape_start[s + 1]):
            for ring in range(part_start[part], part_start[part + 1]):
                first, last = ring_start[ring], ring_start[ring + 1]
                if last - first < 3:
                    continue
                x0, y0 = xy[vertex[first], 0], xy[vertex[first], 1]
                twice = 0.0
                for k in range(first, last - 1):
                    a, b = vertex[k], vertex[k + 1]
                    twice += (xy[a, 0] - x0) * (xy[b, 1] - y0) - (xy[b, 0] - x0) * (xy[a, 1] - y0)
                turned = (twice < 0.0) == (ring == part_start[part])
                for k in range(first, last - 1):
                    a, b = vertex[k], vertex[k + 1]
                    if a == b:
                        continue
                    if turned:
                        a, b = b, a
                    tail[n], head[n] = a, b
                    n += 1
        start[s + 1] = n
    return tail[:n].copy(), head[:n].copy(), start


@njit(cache=True, nogil=True)
def _unmatched(tail: Ints, head: Ints) -> Flags:
    n = len(tail)
    size = 16
    while size < 2 * n:
        size *= 2
    mask = size - 1
    slot_of = np.empty(n, dtype=np.int32)
    first = np.full(size, -1, dtype=np.int32)
    net = np.zeros(size, dtype=np.int32)
    for e in range(n):
        low, high = min(tail[e], head[e]), max(tail[e], head[e])
        # Vertices are numbered as they come: edges of one neighbourhood lie together in memory.
        slot = (low * 8 + (high & 7)) & mask
        tries = 0
        while first[slot] >= 0:
            f = first[slot]
            if min(tail[f], head[f]) == low and max(tail[f], head[f]) == high:
                break
            # A vertex with very many edges fills its neighbourhood: then farther away.
            tries += 1
            slot = (slot + (1 if tries < 8 else high * 2 + 1)) & mask
        if first[slot] < 0:
            first[slot] = e
        slot_of[e] = slot
        net[slot] += 1 if tail[e] < head[e] else -1
    left = np.zeros(n, dtype=np.bool_)
    for e in range(n):
        slot = slot_of[e]
        if net[slot] > 0 and tail[e] < head[e]:
            left[e] = True
            net[slot] -= 1
        elif net[slot] < 0 and tail[e] > head[e]:
            left[e] = True
            net[slot] += 1
    return left
