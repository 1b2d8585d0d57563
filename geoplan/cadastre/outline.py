"""What is left of all edges when neighbours cancel: the outlines of the covered land.

An edge that a neighbour has the other way round bounds nothing. Before that can be seen, edges
are cut at vertices that lie on them (T-junctions). What remains is cut once more where it
crosses, so that outlines meet at vertices only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from geoplan.cadastre.cells import box_pairs, boxes_of_segments
from geoplan.cadastre.edge import Edges, unmatched
from geoplan.cadastre.vertex import snap

__all__ = ["Junctions", "Outline", "outline_of"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Outline:
    """Unmatched edges that meet at vertices only.

    Parameters
    ----------
    xy : ndarray of float, shape (vertices, 2), m
        Vertices.
    tail, head : ndarray of int, shape (edges,)
        Vertices of each edge, its shape on the left.
    shape : ndarray of int, shape (edges,)
        The shape it bounds.
    """

    xy: Floats
    tail: Ints
    head: Ints
    shape: Ints

    def __len__(self) -> int:
        return len(self.tail)

    def part(self, which: Flags) -> Outline:
        """Return some of the edges, on the same vertices."""
        return Outline(self.xy, self.tail[which], self.head[which], self.shape[which])


@dataclass(frozen=True, slots=True)
class Junctions:
    """Vertices that lie on an unmatched edge without being an end of it.

    Parameters
    ----------
    xy : ndarray of float, shape (junctions, 2), m
        Their places.
    shapes : list of ndarray of int
        For each the shapes that meet there: those with the vertex and those without.
    """

    xy: Floats
    shapes: list[Ints]


def outline_of(edges: Edges, xy: Floats, tolerance: float) -> tuple[Outline, Junctions]:
    """Return the outlines of the land that shapes cover, and the T-junctions on them.

    Parameters
    ----------
    edges : Edges
        Edges of all shapes.
    xy : ndarray of float, shape (vertices, 2), m
        Places of the vertices.
    tolerance : float, m
        A vertex this near to an edge lies on it.
    """
    left = unmatched(edges.tail, edges.head)
    tail, head, shape = edges.tail[left], edges.head[left], edges.shape()[left]
    pairs = box_pairs(boxes_of_segments(xy[tail], xy[head]), grow=tolerance)
    edge, vertex, along = _on(pairs, tail, head, xy, tolerance)
    junctions = _junctions(edge, vertex, tail, head, shape, xy)
    tail, head, parent = _cut(tail, head, edge, vertex, along)
    left = unmatched(tail, head)
    tail, head, shape = tail[left], head[left], shape[parent[left]]
    # Land that lies twice may leave an edge twice; once says as much of its outline.
    _, once = np.unique(tail * np.int64(len(xy)) + head, return_index=True)
    once.sort()
    return _crossed(Outline(xy, tail[once], head[once], shape[once]), tolerance), junctions


def _junctions(
    edge: Ints, vertex: Ints, tail: Ints, head: Ints, shape: Ints, xy: Floats
) -> Junctions:
    spots, number = np.unique(vertex, return_inverse=True)
    slot = np.full(len(xy), -1, dtype=np.int64)
    slot[spots] = np.arange(len(spots))
    ends = np.concatenate([tail, head])
    there = slot[ends] >= 0
    both = np.stack(
        [
            np.concatenate([number, slot[ends[there]]]),
            np.concatenate([shape[edge], np.concatenate([shape, shape])[there]]),
        ],
        axis=1,
    )
    both = np.unique(both, axis=0)
    groups = np.split(both[:, 1], np.searchsorted(both[:, 0], np.arange(1, len(spots))))
    keep = [k for k, met in enumerate(groups) if len(met) > 1]
    return Junctions(xy[spots[keep]], [groups[k] for k in keep])


def _crossed(outline: Outline, tolerance: float) -> Outline:
    xy, tail, head = outline.xy, outline.tail, outline.head
    pairs = box_pairs(boxes_of_segments(xy[tail], xy[head]))
    edge, point = _crossings(pairs, tail, head, xy)
    if not len(edge):
        return outline
    # Three edges through one point give three points a rounding apart.
    spots = snap(point, tolerance / 100)
    vertex = spots.of + len(xy)
    step = xy[head[edge]] - xy[tail[edge]]
    along = ((point - xy[tail[edge]]) * step).sum(axis=1) / (step**2).sum(axis=1)
    xy = np.concatenate([xy, spots.xy])
    tail, head, parent = _cut(tail, head, edge, vertex, along)
    return Outline(xy, tail, head, outline.shape[parent])


def _cut(
    tail: Ints, head: Ints, edge: Ints, vertex: Ints, along: Floats
) -> tuple[Ints, Ints, Ints]:
    """Return the pieces of edges cut at vertices, and the edge that each is a piece of."""
    count = len(tail)
    if not len(edge):
        return tail, head, np.arange(count)
    cut = np.unique(edge)
    whole = np.ones(count, dtype=bool)
    whole[cut] = False
    edge = np.concatenate([edge, cut, cut])
    vertex = np.concatenate([vertex, tail[cut], head[cut]])
    along = np.concatenate([along, np.full(len(cut), -1.0), np.full(len(cut), 2.0)])
    order = np.lexsort((vertex, along, edge))
    edge, vertex = edge[order], vertex[order]
    piece = (edge[1:] == edge[:-1]) & (vertex[1:] != vertex[:-1])
    return (
        np.concatenate([tail[whole], vertex[:-1][piece]]),
        np.concatenate([head[whole], vertex[1:][piece]]),
        np.concatenate([np.flatnonzero(whole), edge[:-1][piece]]),
    )


def _on(
    pairs: Ints, tail: Ints, head: Ints, xy: Floats, tolerance: float
) -> tuple[Ints, Ints, Floats]:
    """Return the vertices that lie on edges: edge, vertex, share of the way along it."""
    found = _on_edges(pairs, tail, head, xy, tolerance)
    edge, vertex = found[:, 0].astype(np.int64), found[:, 1].astype(np.int64)
    _, once = np.unique(edge * np.int64(len(xy)) + vertex, return_index=True)
    return edge[once], vertex[once], found[once, 2]


@njit(cache=True, nogil=True)
def _on_edges(pairs: Ints, tail: Ints, head: Ints, xy: Floats, tolerance: float) -> Floats:
    out = np.empty((1024, 3))
    n = 0
    for k in range(len(pairs)):
        for turn in range(2):
            e, f = pairs[k, turn], pairs[k, 1 - turn]
            a, b = tail[e], head[e]
            dx, dy = xy[b, 0] - xy[a, 0], xy[b, 1] - xy[a, 1]
            square = dx * dx + dy * dy
            for end in range(2):
                v = tail[f] if end == 0 else head[f]
                if v in (a, b):
                    continue
                gx, gy = xy[v, 0] - xy[a, 0], xy[v, 1] - xy[a, 1]
                t = (gx * dx + gy * dy) / square
                off = gx * dy - gy * dx
                if 0.0 < t < 1.0 and off * off <= tolerance * tolerance * square:
                    if n == len(out):
                        out = np.concatenate((out, np.empty((n, 3))))
                    out[n, 0], out[n, 1], out[n, 2] = e, v, t
                    n += 1
    return out[:n]


@njit(cache=True, nogil=True)
def _side(p: Floats, q: Floats, r: Floats) -> float:
    side: float = (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
    return side


@njit(cache=True, nogil=True)
def _before(p: Floats, q: Floats) -> bool:
    before: bool = p[0] < q[0] or (p[0] == q[0] and p[1] < q[1])
    return before


@njit(cache=True, nogil=True)
def _crossings(pairs: Ints, tail: Ints, head: Ints, xy: Floats) -> tuple[Ints, Floats]:
    edge = np.empty(256, dtype=np.int64)
    point = np.empty((256, 2))
    n = 0
    for k in range(len(pairs)):
        e, f = pairs[k, 0], pairs[k, 1]
        if tail[e] == tail[f] or tail[e] == head[f] or head[e] == tail[f] or head[e] == head[f]:
            continue
        # The same two segments give the same bits whichever comes first and way they run.
        a, b, c, d = xy[tail[e]], xy[head[e]], xy[tail[f]], xy[head[f]]
        if _before(b, a):
            a, b = b, a
        if _before(d, c):
            c, d = d, c
        if _before(c, a):
            a, b, c, d = c, d, a, b
        sc, sd = _side(a, b, c), _side(a, b, d)
        if sc * sd >= 0.0 or _side(c, d, a) * _side(c, d, b) >= 0.0:
            continue
        if n + 2 > len(edge):
            edge = np.append(edge, np.empty(n, dtype=np.int64))
            point = np.concatenate((point, np.empty((n, 2))))
        t = sc / (sc - sd)
        for met in (e, f):
            edge[n] = met
            point[n, 0], point[n, 1] = c[0] + t * (d[0] - c[0]), c[1] + t * (d[1] - c[1])
            n += 1
    return edge[:n], point[:n]
