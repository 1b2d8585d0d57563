"""Roads as a graph."""

from __future__ import annotations

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

__all__ = ["RoadNetwork", "nearest_node", "road_network"]

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
