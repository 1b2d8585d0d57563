"""Two readings of a broken ring, and the one that fits its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["DIFFER", "Mended", "mend"]

Objects = npt.NDArray[np.object_]

DIFFER = 1e-6
"""Share of an area from which two readings of it are told apart."""


class Mended(NamedTuple):
    """A valid polygon made of an invalid one.

    Parameters
    ----------
    shape : shapely.Geometry or None
        Polygon or multi-polygon; ``None`` where nothing of two dimensions is left.
    reading : {"linework", "structure"}
        How the rings were read.
    parts : int
        Polygons in it.
    dropped : int
        Lines and points that were left out.
    doubt : str
        The other reading, where it has another area.
    """

    shape: shapely.Geometry | None
    reading: Literal["linework", "structure"]
    parts: int
    dropped: int
    doubt: str


def _made_valid(shapes: Objects, how: Mapping[str, Any]) -> Objects:
    """Return valid geometries, empty ones where GEOS gives up."""
    try:
        return np.asarray(shapely.make_valid(shapes, **how), dtype=object)
    except shapely.GEOSException:
        if len(shapes) == 1:
            return np.array([shapely.GeometryCollection()], dtype=object)
    return np.concatenate([_made_valid(shapes[[i]], how) for i in range(len(shapes))])


def _polygonal(shape: shapely.Geometry) -> tuple[shapely.Geometry | None, int]:
    """Return what has two dimensions, and how many parts have fewer."""
    parts = shapely.get_parts(shape)
    while (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    flat = parts[(shapely.get_dimensions(parts) == 2) & ~shapely.is_empty(parts)]
    lost = int(((shapely.get_dimensions(parts) < 2) & ~shapely.is_empty(parts)).sum())
    if not len(flat):
        return None, lost
    return (flat[0] if len(flat) == 1 else shapely.multipolygons(flat)), lost


def mend(shapes: Objects, neighbours: Objects) -> list[Mended]:
    """Return each shape made valid.

    Parameters
    ----------
    shapes : ndarray of shapely geometries
        Invalid polygons.
    neighbours : ndarray of shapely geometries
        Valid polygons around them, in the same CRS.

    Notes
    -----
    A ring that crosses or touches itself can be read in two ways: GEOS ``make_valid`` by linework
    (even-odd: what is enclosed twice is a hole) or by structure (shells are joined, then holes
    are cut). Where the areas differ, the reading that overlaps the neighbours less is taken, and
    of two that overlap them alike the larger one, which leaves no hole in a layer that covers the
    land. Elsewhere linework is taken.
    """
    first = _made_valid(shapes, {"method": "linework"})
    second = _made_valid(shapes, {"method": "structure", "keep_collapsed": False})
    tree: shapely.STRtree | None = None
    out = []
    for one, two in zip(first, second, strict=True):
        line, lost = _polygonal(one)
        whole, _ = _polygonal(two)
        area = (_area(line), _area(whole))
        better = 0
        doubt = ""
        if abs(area[0] - area[1]) > DIFFER * max(area):
            if tree is None:
                tree = shapely.STRtree(neighbours)
            over = [_overlap(s, tree, neighbours) for s in (line, whole)]
            # a strip along a digitised border is no overlap: a millionth of the larger reading
            apart = abs(over[0] - over[1]) > 1e-6 * max(area)
            better = int(over[1] < over[0]) if apart else int(area[1] > area[0])
            other = ("linework", "structure")[1 - better]
            doubt = f"by {other} its area would be {area[1 - better]:,.3f}"
        shape = (line, whole)[better]
        out.append(
            Mended(
                shape,
                "structure" if better else "linework",
                0 if shape is None else int(shapely.get_num_geometries(shape)),
                lost,
                doubt,
            )
        )
    return out


def _area(shape: shapely.Geometry | None) -> float:
    return 0.0 if shape is None else float(shapely.area(shape))


def _overlap(shape: shapely.Geometry | None, tree: shapely.STRtree, neighbours: Objects) -> float:
    if shape is None:
        return 0.0
    near = neighbours[tree.query(shape, predicate="intersects")]
    return float(shapely.area(shapely.intersection(shape, near)).sum())
