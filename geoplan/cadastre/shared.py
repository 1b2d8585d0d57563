"""Land that two plots share, and plots that are the same."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely
from numba import njit

from geoplan.cadastre.edge import Edges
from geoplan.cadastre.overlay import intersection
from geoplan.catalogue.checks import CheckRules

__all__ = ["measure_overlaps", "same_outlines"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]


def same_outlines(edges: Edges) -> Ints:
    """Return for each shape the first shape that has the same edges; itself where none has.

    Where a ring starts and which way it runs does not matter. A shape without edges is only
    itself.
    """
    count = len(edges.start) - 1
    first = np.arange(count)
    if not len(edges):
        return first
    sign = _signs(edges.tail, edges.head, edges.start)
    size = np.diff(edges.start)
    order = np.lexsort((first, sign, size))
    like = (np.diff(sign[order]) == 0) & (np.diff(size[order]) == 0) & (size[order][1:] > 0)
    # The sums only nominate; the edges themselves decide.
    for k in np.flatnonzero(like):
        a, b = order[k], order[k + 1]
        if np.array_equal(_edge_set(edges, a), _edge_set(edges, b)):
            first[b] = first[a]
    return first


@njit(cache=True, nogil=True)
def _signs(tail: Ints, head: Ints, start: Ints) -> Ints:
    """Return a number for each shape that is the same for the same set of edges."""
    out = np.zeros(len(start) - 1, dtype=np.int64)
    for s in range(len(out)):
        for e in range(start[s], start[s + 1]):
            low, high = min(tail[e], head[e]), max(tail[e], head[e])
            mixed = low * np.int64(0x1E3779B97F4A7C15) ^ high * np.int64(0x42B2AE3D27D4EB4F)
            mixed = (mixed ^ (mixed >> 31)) * np.int64(0x14D049BB133111EB)
            out[s] += mixed ^ (mixed >> 29)
    return out


def _edge_set(edges: Edges, shape: int) -> Ints:
    span = slice(edges.start[shape], edges.start[shape + 1])
    both = np.sort(np.stack([edges.tail[span], edges.head[span]], axis=1), axis=1)
    ordered: Ints = both[np.lexsort((both[:, 1], both[:, 0]))]
    return ordered


def measure_overlaps(
    shapes: Shapes, pairs: Ints, rules: CheckRules
) -> tuple[Shapes, Floats, Flags]:
    """Return the land that pairs share.

    Parameters
    ----------
    shapes : ndarray of geometry
        Shapes on common vertices; not valid where the tolerance closed a narrow place.
    pairs : ndarray of int, shape (pairs, 2)
        Positions in ``shapes``.
    rules : CheckRules
        Tolerances.

    Returns
    -------
    land : ndarray of geometry
        Polygons of each pair that are wider on the mean (2 × area / perimeter) than the tolerance.
    area : ndarray of float, m²
        Their area; zero where it is within ``overlap_min_m2``.
    same : ndarray of bool
        Pairs that differ nowhere by more than the tolerance.
    """
    crooked = ~shapely.is_valid(shapes)
    shapes = shapes.copy()
    shapes[crooked] = shapely.make_valid(shapes[crooked])
    a, b = shapes[pairs[:, 0]], shapes[pairs[:, 1]]
    whole = intersection(a, b)
    share = shapely.area(whole)
    border = (shapely.length(a) + shapely.length(b)) / 2
    same: Flags = shapely.area(a) + shapely.area(b) - 2 * share <= rules.tolerance_m * border
    parts, owner = shapely.get_parts(whole, return_index=True)
    inner, again = shapely.get_parts(parts, return_index=True)
    parts, owner = inner, owner[again]
    wide = shapely.get_type_id(parts) == 3
    wide &= 2 * shapely.area(parts) > rules.tolerance_m * shapely.length(parts)
    parts, owner = parts[wide], owner[wide]
    sums = np.bincount(owner, weights=shapely.area(parts), minlength=len(pairs))
    area: Floats = sums.astype(np.float64)
    area[area <= rules.overlap_min_m2] = 0.0
    count = np.bincount(owner, minlength=len(pairs))
    land: Shapes = whole.copy()
    mixed = np.flatnonzero((area > 0) & ((shapely.get_type_id(whole) != 3) | (count > 1)))
    begin = np.concatenate([[0], np.cumsum(count)])
    for k in mixed:
        some = parts[begin[k] : begin[k + 1]]
        land[k] = some[0] if len(some) == 1 else shapely.multipolygons(some)
    return land, area, same
