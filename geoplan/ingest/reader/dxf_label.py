"""Which text belongs to which polygon of a drawing."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["labels_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def labels_of(
    polygons: npt.NDArray[np.object_], anchors: Floats, middles: Floats
) -> tuple[Ints, Floats]:
    """Return the polygon of every text.

    Parameters
    ----------
    polygons : ndarray of shapely.Polygon
        Rings of the drawing; missing ones hold nothing.
    anchors, middles : ndarray of float, shape (texts, 2), m
        Where a text is fixed, and about where its middle is.

    Returns
    -------
    owner : ndarray of int, shape (texts,)
        The smallest polygon that holds the anchor; where none does, the smallest that holds the
        middle; −1 where none does either.
    away : ndarray of float, shape (texts,), m
        Distance from the middle of the text to the centroid of its polygon; NaN without one.
    """
    owner = _smallest(polygons, anchors)
    lost = np.flatnonzero(owner < 0)
    if len(lost):
        owner[lost] = _smallest(polygons, middles[lost])
    away = np.full(len(owner), np.nan)
    held = np.flatnonzero(owner >= 0)
    if len(held):
        centres = shapely.get_coordinates(shapely.centroid(polygons[owner[held]]))
        if len(centres) == len(held):
            away[held] = np.hypot(*(middles[held] - centres).T)
    return owner, away


def _smallest(polygons: npt.NDArray[np.object_], points: Floats) -> Ints:
    owner = np.full(len(points), -1, dtype=np.int64)
    sound = np.flatnonzero(np.isfinite(points).all(axis=1))
    if not len(sound) or not len(polygons):
        return owner
    tree = shapely.STRtree(polygons)
    which, inside = tree.query(shapely.points(points[sound]), predicate="intersects")
    area = shapely.area(polygons[inside])
    # Largest first, so that the smallest is what stays; of equal ones the first in the drawing.
    order = np.lexsort((-inside, -area))
    owner[sound[which[order]]] = inside[order]
    return owner
