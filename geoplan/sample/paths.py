"""Cheapest ways over a grid of costs."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from scipy.sparse.csgraph import dijkstra

from geoplan.sample.place import BoolArray, FloatArray, IntArray

__all__ = ["cost_graph", "nearest_source", "walk_back"]


def cost_graph(cost: FloatArray, passable: BoolArray, *, diagonal: bool) -> scipy.sparse.csr_array:
    """Return the graph of neighbouring passable cells.

    Parameters
    ----------
    cost : ndarray of float, shape (rows, cols)
        Cost of crossing a cell, above 0. An edge costs the mean of its two cells, times √2
        across a corner.
    passable : ndarray of bool
        Cells that may be crossed.
    diagonal : bool
        Also join cells that touch at a corner.

    Returns
    -------
    csr_array, shape (n, n) with n = rows * cols
        Symmetric edge costs between flat cell numbers.
    """
    number = np.arange(cost.size).reshape(cost.shape)
    starts, ends, weights = [], [], []
    steps = [((0, 0), (0, 1)), ((0, 0), (1, 0))]
    if diagonal:
        steps += [((0, 0), (1, 1)), ((0, 1), (1, 0))]
    for (r0, c0), (r1, c1) in steps:
        rows = cost.shape[0] - max(r0, r1)
        cols = cost.shape[1] - max(c0, c1)
        a = (slice(r0, r0 + rows), slice(c0, c0 + cols))
        b = (slice(r1, r1 + rows), slice(c1, c1 + cols))
        both = passable[a] & passable[b]
        length = np.hypot(r1 - r0, c1 - c0)
        starts.append(number[a][both])
        ends.append(number[b][both])
        weights.append(0.5 * length * (cost[a][both] + cost[b][both]))
    i, j, w = np.concatenate(starts), np.concatenate(ends), np.concatenate(weights)
    graph = scipy.sparse.coo_array(
        (np.concatenate([w, w]), (np.concatenate([i, j]), np.concatenate([j, i]))),
        shape=(cost.size, cost.size),
    )
    return graph.tocsr()


def nearest_source(
    graph: scipy.sparse.csr_array, sources: IntArray
) -> tuple[FloatArray, IntArray, IntArray]:
    """Return the distance to the nearest source, the way back to it, and which it is.

    Returns
    -------
    distance : ndarray of float
        inf where no source is reached.
    previous : ndarray of int
        Next node towards the source; negative at a source or where none is reached.
    source : ndarray of int
        Node number of the source; negative where none is reached.
    """
    distance, previous, source = dijkstra(
        graph, indices=sources, min_only=True, return_predecessors=True
    )
    return distance, previous.astype(np.int64), source.astype(np.int64)


def walk_back(previous: IntArray, start: int) -> list[int]:
    """Return the nodes from ``start`` back to its source, both included."""
    path = [start]
    while (at := int(previous[path[-1]])) >= 0:
        path.append(at)
    return path
