"""Roads as a graph: ways along them, and from any cell to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from geoplan.errors import EmptyLayer, RangeError, ShapeError
from geoplan.raster.kernel import kernel

__all__ = ["RoadNetwork", "costs_from", "nearest_node", "reach", "road_network"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RoadNetwork:
    """An undirected graph of road pieces.

    Parameters
    ----------
    x, y : ndarray of float, shape (nodes,), m
        Nodes lie on the roads, at their vertices and at most ``step_m`` apart along them.
    first, to : ndarray of int, shape (nodes + 1,) and (2 · pieces,)
        Neighbours of node ``n`` are ``to[first[n]:first[n + 1]]``.
    length_m, minutes : ndarray of float, shape (2 · pieces,), m and min
        Of the piece to each neighbour.
    component : ndarray of int, shape (nodes,)
        Number of the connected part, 0 the longest.
    component_km : ndarray of float, shape (parts,), km
        Length of road in each part, longest first.
    step_m : float, m
        Largest distance of neighbouring nodes.
    """

    x: Floats
    y: Floats
    first: Ints
    to: Ints
    length_m: Floats
    minutes: Floats
    component: Ints
    component_km: Floats
    step_m: float


def _segments(lines: npt.NDArray[Any]) -> tuple[Floats, Floats, Ints]:
    """Return start and end of each segment, shape (segments, 2), and the line it belongs to."""
    parts, owner = shapely.get_parts(lines, return_index=True)
    points, part = shapely.get_coordinates(parts, return_index=True)
    joined = part[1:] == part[:-1]
    return points[:-1][joined], points[1:][joined], owner[part[1:][joined]].astype(np.int64)


def _split(a: Floats, b: Floats, at: Ints, share: Floats) -> tuple[Floats, Floats, Ints]:
    """Cut segments at the given shares of their length; return the pieces and whose they are."""
    n = len(a)
    owner = np.concatenate((np.arange(n), at, np.arange(n)))
    where = np.concatenate((np.zeros(n), share, np.ones(n)))
    order = np.lexsort((where, owner))
    owner, where = owner[order], where[order]
    points = a[owner] + (b - a)[owner] * where[:, None]
    points[where == 1.0] = b[owner[where == 1.0]]
    keep = owner[1:] == owner[:-1]
    return points[:-1][keep], points[1:][keep], owner[1:][keep]


def _crossings(a: Floats, b: Floats, join_m: float) -> tuple[Ints, Floats]:
    """Return the segments to cut, and where, so that roads which cross or nearly meet join."""
    shapes = shapely.linestrings(np.stack((a, b), axis=1))
    tree = shapely.STRtree(shapes)
    i, j = tree.query(shapes, predicate="intersects")
    pair = i < j
    i, j = i[pair], j[pair]
    u, v, w = b[i] - a[i], b[j] - a[j], a[j] - a[i]
    turn = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        s = (w[:, 0] * v[:, 1] - w[:, 1] * v[:, 0]) / turn
        t = (w[:, 0] * u[:, 1] - w[:, 1] * u[:, 0]) / turn
    good = np.isfinite(s) & np.isfinite(t)
    at = np.concatenate((i[good], j[good]))
    share = np.concatenate((s[good], t[good]))
    # an end that stops short of another road, or touches it between its vertices
    ends, number = np.unique(np.concatenate((a, b)), axis=0, return_counts=True)
    loose = ends[number == 1]
    end, near = tree.query(shapely.points(loose), predicate="dwithin", distance=join_m)
    p, q, o = loose[end], a[near], b[near]
    along = ((p - q) * (o - q)).sum(axis=1) / np.maximum(((o - q) ** 2).sum(axis=1), 1e-12)
    at = np.concatenate((at, near))
    share = np.concatenate((share, along))
    inner = (share > 1e-9) & (share < 1 - 1e-9)
    return at[inner], share[inner]


def _welded(points: Floats, join_m: float) -> tuple[Floats, Ints]:
    """Return the distinct places, and for each point its place; nearer than ``join_m`` is one."""
    places, which = np.unique(points, axis=0, return_inverse=True)
    which = which.reshape(-1)
    if join_m <= 0:
        return places, which
    pairs = cKDTree(places).query_pairs(join_m, output_type="ndarray")
    if not len(pairs):
        return places, which
    n = len(places)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, group = connected_components(links, directed=False)
    head, place = np.unique(group, return_index=True)
    number = np.empty(len(head), np.int64)
    number[head] = np.arange(len(head))
    return places[place], number[group][which]


def road_network(
    lines: Sequence[Any] | npt.NDArray[Any],
    speeds_km_h: npt.ArrayLike,
    *,
    step_m: float,
    join_m: float = 1.0,
    join_crossings: bool = False,
) -> RoadNetwork:
    """Return the graph of road lines.

    Parameters
    ----------
    lines : sequence of shapely LineString or MultiLineString
        In metres. Missing and empty ones are left out; Z is dropped.
    speeds_km_h : array_like of float, shape (lines,) or scalar, km/h
        Above 0.
    step_m : float, m
        Pieces longer than this are cut, so that no point of a road is farther than half of it
        from a node.
    join_m : float, m
        Vertices nearer than this are one; 0: only equal ones. Lines join where they share a
        vertex, also in the middle of one.
    join_crossings : bool
        Also join lines that cross without a shared vertex, and ends that stop within ``join_m``
        of another line. A road on a bridge is then joined to what it bridges.

    Returns
    -------
    RoadNetwork

    Raises
    ------
    ShapeError
        Not as many speeds as lines.
    RangeError
        A speed or the step is not above 0, or ``join_m`` is negative.
    EmptyLayer
        No line has a length.
    """
    shapes = np.asarray(lines, dtype=object)
    speed = np.asarray(speeds_km_h, dtype=np.float64)
    if speed.ndim and len(speed) != len(shapes):
        raise ShapeError(f"{len(speed)} speeds for {len(shapes)} roads")
    speed = np.broadcast_to(speed, (len(shapes),))
    bad = ~((speed > 0) & np.isfinite(speed))
    if bad.any():
        raise RangeError(
            f"{int(bad.sum())} of {len(shapes)} roads have no speed above 0 km/h, the first "
            f"{speed[bad][0]!r}",
            remedy="give each class a speed, or leave its roads out by 'where'",
        )
    if not step_m > 0 or not join_m >= 0:
        raise RangeError(
            f"a step of {step_m!r} m and a joining distance of {join_m!r} m",
            remedy="give a step above 0 m and a joining distance of 0 m or more",
        )
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    a, b, line = _segments(shapely.force_2d(shapes[usable]))
    rate = speed[usable]
    if join_crossings and len(a):
        a, b, piece = _split(a, b, *_crossings(a, b, join_m))
        line = line[piece]
    places, ends = _welded(np.concatenate((a, b)), join_m)
    start, end = ends[: len(a)], ends[len(a) :]
    real = start != end
    start, end, line = start[real], end[real], line[real]
    if not len(start):
        raise EmptyLayer("no road line has a length", remedy="load lines with two or more vertices")
    a, b = places[start], places[end]
    size = np.hypot(*(b - a).T)
    # cut into equal pieces: new nodes follow the old ones
    pieces = np.ceil(size / step_m - 1e-9).astype(np.int64).clip(1)
    owner = np.repeat(np.arange(len(start)), pieces)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    inner = nth > 0
    share = (nth / pieces[owner])[inner, None]
    new = a[owner[inner]] * (1 - share) + b[owner[inner]] * share
    number = len(places) + np.cumsum(inner) - 1
    tail = np.where(inner, number, start[owner])
    head = np.empty_like(tail)
    head[:-1] = tail[1:]
    last = nth == pieces[owner] - 1
    head[last] = end[owner[last]]
    points = np.concatenate((places, new))
    length = (size / pieces)[owner]
    minutes = length / 1000.0 / rate[line[owner]] * 60.0

    n = len(points)
    both = np.concatenate((tail, head))
    order = np.argsort(both, kind="stable")
    first = np.searchsorted(both[order], np.arange(n + 1)).astype(np.int64)
    links = coo_array((np.ones(len(tail)), (tail, head)), shape=(n, n))
    parts, part = connected_components(links, directed=False)
    km = np.bincount(part[tail], weights=length, minlength=parts) / 1000.0
    rank = np.argsort(-km, kind="stable")
    place = np.empty(parts, np.int64)
    place[rank] = np.arange(parts)
    return RoadNetwork(
        x=np.ascontiguousarray(points[:, 0]),
        y=np.ascontiguousarray(points[:, 1]),
        first=first,
        to=np.concatenate((head, tail))[order].astype(np.int64),
        length_m=np.concatenate((length, length))[order],
        minutes=np.concatenate((minutes, minutes))[order],
        component=place[part],
        component_km=km[rank],
        step_m=float(step_m),
    )


def nearest_node(network: RoadNetwork, x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Ints, Floats]:
    """Return the node nearest to each point, and how far it is, m."""
    points = np.column_stack((np.asarray(x, np.float64), np.asarray(y, np.float64)))
    tree = cKDTree(np.column_stack((network.x, network.y)))
    far, node = tree.query(points)
    return node.astype(np.int64), far


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
    """Lower ``cost`` (finite where a way may start) to that of the cheapest way."""
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
            price = here + weight[k]
            if price < cost[to[k]]:
                cost[to[k]] = price
                _push(heap, node, size, price, to[k])
                size += 1


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
            if row_of[n] >= 0:
                # a time that is a whole number of steps up to rounding stays in that step
                total[row_of[n], math.ceil(here / step - 1e-9)] += mass[s]
            for k in range(first[n], first[n + 1]):
                price = here + weight[k]
                if price <= most and price < cost[to[k]]:
                    if cost[to[k]] == np.inf:
                        touched[count] = to[k]
                        count += 1
                    cost[to[k]] = price
                    _push(heap, node, size, price, to[k])
                    size += 1
        for k in range(count):
            cost[touched[k]] = np.inf


def reach(
    network: RoadNetwork,
    nodes: npt.ArrayLike,
    access_min: npt.ArrayLike,
    weights: npt.ArrayLike,
    *,
    minutes: float,
    step_min: float,
    rows: Ints,
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
    out = np.zeros((len(rows), steps + 1), dtype=np.int64)
    sum_ = float(weight.sum())
    if sum_ <= 0:
        return out.astype(np.float64)
    unit = math.ldexp(1.0, math.frexp(sum_)[1] - 61)
    row_of = np.full(len(network.x), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    _reach(
        network.first,
        network.to,
        network.minutes,
        np.asarray(nodes, np.int64),
        np.asarray(access_min, np.float64),
        np.rint(weight / unit).astype(np.int64),
        steps * step_min + 1e-9,
        step_min,
        row_of,
        out,
    )
    np.cumsum(out, axis=1, out=out)
    found: Floats = out * np.float64(unit)
    return found
