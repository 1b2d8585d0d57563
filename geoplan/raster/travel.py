"""Ways along roads: to the cheapest destination, and who reaches what in time."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.raster.kernel import THREADS, kernel, over_blocks
from geoplan.raster.network import RoadNetwork

__all__ = ["costs_from", "reach"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@kernel
def _push(heap: Floats, node: Ints, size: int, price: float, which: int) -> None:
    k = size
    while k > 0:
        up = (k - 1) // 2
        if heap[up] <= price:
            break
        heap[k] = heap[up]
        node[k] = node[up]
        k = up
    heap[k] = price
    node[k] = which


@kernel
def _pop(heap: Floats, node: Ints, size: int) -> None:
    """Drop the first entry of ``size``; the last one takes its place."""
    size -= 1
    price = heap[size]
    which = node[size]
    k = 0
    while True:
        down = 2 * k + 1
        if down >= size:
            break
        if down + 1 < size and heap[down + 1] < heap[down]:
            down += 1
        if heap[down] >= price:
            break
        heap[k] = heap[down]
        node[k] = node[down]
        k = down
    heap[k] = price
    node[k] = which


@kernel
def _dijkstra(first: Ints, to: Ints, weight: Floats, cost: Floats) -> None:
    """Lower ``cost`` (finite where a way may start) to that of the cheapest way.

    Nodes with two neighbours are walked through at once, as long as that makes them cheaper; only
    junctions wait in the heap. What a walk lowers it also hands on, so the costs are exact.
    """
    room = len(to) + len(cost) + 1
    heap = np.empty(room, np.float64)
    node = np.empty(room, np.int64)
    size = 0
    for n in range(len(cost)):
        if cost[n] < np.inf:
            _push(heap, node, size, cost[n], n)
            size += 1
    while size > 0:
        here = heap[0]
        n = node[0]
        _pop(heap, node, size)
        size -= 1
        if here > cost[n]:
            continue
        for k in range(first[n], first[n + 1]):
            last, edge, price = n, k, here
            while True:
                t = to[edge]
                price += weight[edge]
                if price >= cost[t]:
                    break
                cost[t] = price
                if first[t + 1] - first[t] != 2:
                    _push(heap, node, size, price, t)
                    size += 1
                    break
                edge = first[t] + 1 if to[first[t]] == last else first[t]
                last = t


def costs_from(
    network: RoadNetwork,
    nodes: npt.ArrayLike,
    access: npt.ArrayLike,
    *,
    unit: str,
) -> Floats:
    """Return the cost of the cheapest way from each node to a destination.

    Parameters
    ----------
    network : RoadNetwork
    nodes : array_like of int, shape (destinations,)
        Node by which each destination joins the network.
    access : array_like of float, shape (destinations,), km or min
        Cost from that node to the destination, 0 or more.
    unit : {"km", "min"}

    Returns
    -------
    ndarray of float64, shape (nodes,), km or min
        ``inf`` on parts of the network that hold no destination.

    Notes
    -----
    Dijkstra (1959) from all destinations at once, with a binary heap.
    """
    weight = network.minutes if unit == "min" else network.length_m / 1000.0
    cost = np.full(len(network.x), np.inf)
    np.minimum.at(cost, np.asarray(nodes, np.int64), np.asarray(access, np.float64))
    _dijkstra(network.first, network.to, weight, cost)
    return cost


@kernel
def _reach(
    first: Ints,
    to: Ints,
    weight: Floats,
    start: Ints,
    access: Floats,
    mass: Ints,
    most: float,
    step: float,
    row_of: Ints,
    total: Ints,
) -> None:
    """Add each source's mass to ``total[row_of[node], ⌈time / step⌉]`` of the nodes in reach."""
    nodes = len(first) - 1
    cost = np.full(nodes, np.inf)
    touched = np.empty(nodes, np.int64)
    room = len(to) + 2
    heap = np.empty(room, np.float64)
    node = np.empty(room, np.int64)
    for s in range(len(start)):
        if access[s] > most or mass[s] == 0:
            continue
        count = 1
        touched[0] = start[s]
        cost[start[s]] = access[s]
        heap[0] = access[s]
        node[0] = start[s]
        size = 1
        while size > 0:
            here = heap[0]
            n = node[0]
            _pop(heap, node, size)
            size -= 1
            if here > cost[n]:
                continue
            for k in range(first[n], first[n + 1]):
                last, edge, price = n, k, here
                while True:
                    t = to[edge]
                    price += weight[edge]
                    if price > most or price >= cost[t]:
                        break
                    if cost[t] == np.inf:
                        touched[count] = t
                        count += 1
                    cost[t] = price
                    if first[t + 1] - first[t] != 2:
                        _push(heap, node, size, price, t)
                        size += 1
                        break
                    edge = first[t] + 1 if to[first[t]] == last else first[t]
                    last = t
        for k in range(count):
            n = touched[k]
            if row_of[n] >= 0:
                # a time that is a whole number of steps up to rounding stays in that step
                total[row_of[n], math.ceil(cost[n] / step - 1e-9)] += mass[s]
            cost[n] = np.inf


def reach(
    network: RoadNetwork,
    nodes: npt.ArrayLike,
    access_min: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    minutes: float,
    step_min: float,
    rows: Ints,
    threads: int = THREADS,
) -> Floats:
    """Return how much weight reaches each wanted node within each number of minutes.

    Parameters
    ----------
    network : RoadNetwork
    nodes : array_like of int, shape (sources,)
        Node by which each source joins the network.
    access_min : array_like of float, shape (sources,), min
        Time from the source to that node.
    weights : array_like of float, shape (sources,)
        0 or more, for example persons.
    minutes : float, min
        Longest time.
    step_min : float, min
        Times are rounded up to whole steps, so nothing is counted that is not in reach.
    rows : ndarray of int, shape (wanted,)
        Nodes of which the answer is wanted, each once.
    threads : int
        Each holds a table of its own; the result is the same, bit for bit, for any number.

    Returns
    -------
    ndarray of float64, shape (wanted, steps + 1), unit of ``weights``
        Column ``k``: weight within ``k · step_min`` minutes.

    Notes
    -----
    One bounded Dijkstra search per source. Weights are summed as whole multiples of their total /
    2⁶¹, so that the sums do not depend on their order.
    """
    weight = np.asarray(weights, dtype=np.float64)
    steps = math.floor(minutes / step_min + 1e-9)
    sum_ = float(weight.sum())
    if sum_ <= 0:
        return np.zeros((len(rows), steps + 1))
    unit = math.ldexp(1.0, math.frexp(sum_)[1] - 61)
    mass = np.rint(weight / unit).astype(np.int64)
    row_of = np.full(len(network.x), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    start = np.asarray(nodes, np.int64)
    head = np.asarray(access_min, np.float64)

    def part(a: int, b: int) -> Ints:
        table = np.zeros((len(rows), steps + 1), dtype=np.int64)
        _reach(
            network.first, network.to, network.minutes, start[a:b], head[a:b], mass[a:b],
            steps * step_min + 1e-9, step_min, row_of, table,
        )  # fmt: skip
        return table

    # a table for each thread: whole numbers add up to the same whatever the parts
    parts = over_blocks(part, len(start), threads=threads, block=-(-len(start) // max(1, threads)))
    out = parts[0]
    for other in parts[1:]:
        out += other
    np.cumsum(out, axis=1, out=out)
    found: Floats = out * np.float64(unit)
    return found
