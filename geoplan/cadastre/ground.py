"""Shapes that are looked up by place while gaps are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from numba import njit

from geoplan.cadastre.cells import Boxes, box_pairs
from geoplan.cadastre.overlay import GRID_M, difference, intersection
from geoplan.cadastre.rings import Rings

__all__ = ["Ground", "geometries", "ring_boxes", "spread"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]

_CHUNK = 500_000


@dataclass(frozen=True, slots=True)
class Ground:
    """All shapes: their boxes at hand, their outlines on demand.

    Parameters
    ----------
    boxes : ndarray of float, shape (shapes, 4), m
        Boxes; NaN for a shape that has none.
    broken : ndarray of bool, shape (shapes,)
        Shapes whose rings are invalid: what they cover is not known.
    fetch : callable
        Takes positions, returns geometries.
    """

    boxes: Boxes
    broken: Flags
    fetch: Callable[[Ints], Shapes]

    def covered(self, land: Shapes, thin: float) -> tuple[Shapes, Flags]:
        """Return pieces of land without what shapes cover, and where an invalid shape may lie.

        Parameters
        ----------
        land : ndarray of polygons
            Pieces of land.
        thin : float, m
            Covered parts that are narrower on the mean (2 × area / perimeter) stay: vertices of
            the land were moved by up to the tolerance.

        Returns
        -------
        free : ndarray of geometry
            Polygons or collections of them; empty where all is covered.
        unknown : ndarray of bool
            Where the hull of an invalid shape lies in the land.
        """
        free = land.copy()
        unknown = np.zeros(len(land), dtype=bool)
        pairs = self._near(shapely.bounds(land).reshape(-1, 4))
        if not len(pairs):
            return free, unknown
        ids, at = np.unique(pairs[:, 1], return_inverse=True)
        shapes = self.fetch(ids)
        bad = self.broken[ids]
        shapes[bad] = shapely.convex_hull(shapes[bad])
        crooked = ~shapely.is_valid(shapes)
        shapes[crooked] = shapely.make_valid(shapes[crooked])
        over = intersection(land[pairs[:, 0]], shapes[at])
        wet = 2 * shapely.area(over) > thin * shapely.length(over)
        unknown[pairs[wet & bad[at], 0]] = True
        wet &= ~bad[at]
        if wet.any():
            where, first = np.unique(pairs[wet, 0], return_index=True)
            met = np.split(over[wet], first[1:])
            cover = np.array([shapely.union_all(m, grid_size=GRID_M) for m in met], dtype=object)
            free[where] = difference(land[where], cover)
        return free, unknown

    def _near(self, wanted: Boxes) -> Ints:
        """Return (wanted, shape) pairs whose boxes touch, by wanted, without copying all boxes."""
        found = [np.empty((0, 2), dtype=np.int64)]
        for first in range(0, len(self.boxes), _CHUNK):
            some = box_pairs(wanted, np.asarray(self.boxes[first : first + _CHUNK]))
            some[:, 1] += first
            found.append(some)
        pairs = np.concatenate(found)
        return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def ring_boxes(rings: Rings) -> Boxes:
    """Return the box of each shape; NaN without parts, or where a coordinate is no number."""
    return _boxes(rings.xy, rings.ring_start[rings.part_start[rings.shape_start]])


@njit(cache=True, nogil=True)
def _boxes(xy: Floats, first: Ints) -> Boxes:
    out = np.full((len(first) - 1, 4), np.nan)
    for s in range(len(out)):
        for k in range(first[s], first[s + 1]):
            x, y = xy[k, 0], xy[k, 1]
            if not (np.isfinite(x) and np.isfinite(y)):
                out[s] = np.nan
                break
            if k == first[s]:
                out[s, 0], out[s, 1], out[s, 2], out[s, 3] = x, y, x, y
            else:
                out[s, 0], out[s, 1] = min(out[s, 0], x), min(out[s, 1], y)
                out[s, 2], out[s, 3] = max(out[s, 2], x), max(out[s, 3], y)
    return out


def geometries(rings: Rings, which: Ints) -> Shapes:
    """Return multi-polygons of some shapes, many at a time."""
    parts, part_start = spread(rings.shape_start[:-1], which, len(rings.part_start) - 1)
    ring, ring_start = spread(rings.part_start[:-1], parts, len(rings.ring_start) - 1)
    point, point_start = spread(rings.ring_start[:-1], ring, len(rings.xy))
    starts = (point_start, ring_start, part_start)
    out: Shapes = shapely.from_ragged_array(
        shapely.GeometryType.MULTIPOLYGON, rings.xy[point], starts
    )
    return out


def spread(first: Ints, which: Ints, total: int) -> tuple[Ints, Ints]:
    """Return the members of some groups one after the other, and where each group begins.

    Parameters
    ----------
    first : ndarray of int, shape (groups,)
        First member of each group; members of a group follow each other.
    which : ndarray of int
        Groups.
    total : int
        Members of all groups.
    """
    after = np.full(len(which), total, dtype=np.int64)
    inner = which + 1 < len(first)
    after[inner] = first[which[inner] + 1]
    count = after - first[which]
    begin = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    return np.arange(begin[-1]) + np.repeat(first[which] - begin[:-1], count), begin
