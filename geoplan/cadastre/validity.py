"""Which polygons are valid, and why the others are not: GEOS's answer, asked only where needed."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.cadastre.rings import Rings
from geoplan.cadastre.wkb import write_multipolygon
from geoplan.errors import ShapeError

__all__ = ["Reason", "first_points", "is_valid", "reasons", "shapes_of", "valid"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Reason(NamedTuple):
    """Why a shape is invalid, in GEOS's words, and where (``None``: GEOS names no place)."""

    text: str
    place: shapely.Point | None


_PLACE = re.compile(r"^(?P<text>.*?)\[(?P<x>\S+) (?P<y>\S+)(?: \S+)*\]$")


def shapes_of(rings: Rings, which: npt.ArrayLike | None = None) -> npt.NDArray[np.object_]:
    """Return shapely geometries of many shapes at once; one without parts is ``None``."""
    wkb = write_multipolygon(rings, which, single=True)
    out: npt.NDArray[np.object_] = shapely.from_wkb(np.array(wkb.to_pylist(), dtype=object))
    return out


def first_points(rings: Rings, which: npt.ArrayLike) -> Floats:
    """Return the first vertex of shapes that have parts, shape (shapes, 2)."""
    which = np.asarray(which, dtype=np.int64)
    if (np.diff(rings.shape_start)[which] == 0).any():
        raise ShapeError("a shape without parts has no first point")
    out: Floats = rings.xy[rings.ring_start[rings.part_start[rings.shape_start[which]]]]
    return out


def is_valid(shapes: npt.NDArray[np.object_]) -> Mask:
    """Return what GEOS calls valid; what GEOS gives up on is not."""
    with np.errstate(all="ignore"):  # GEOS divides by what it then finds to be zero
        try:
            return np.asarray(shapely.is_valid(shapes), np.bool_)
        except shapely.GEOSException:
            return np.array([_reason(shape).text == "Valid Geometry" for shape in shapes])


def _reason(shape: shapely.Geometry) -> Reason:
    """Return GEOS's reason for one shape, or what GEOS says when it gives up."""
    try:
        with np.errstate(all="ignore"):
            text = str(shapely.is_valid_reason(shape))
    except shapely.GEOSException as error:
        return Reason(str(error), None)
    match = _PLACE.match(text)
    if match is None:
        return Reason(text, None)
    return Reason(match["text"], shapely.Point(float(match["x"]), float(match["y"])))


def valid(rings: Rings, simple: Mask, *, of: Mask | None = None) -> Mask:
    """Return which shapes are valid, as GEOS answers.

    Parameters
    ----------
    rings : Rings
    simple : ndarray of bool
        Shapes proven valid by :func:`measure`; only the others are asked of GEOS.
    of : ndarray of bool, optional
        Shapes of interest. The others, and shapes without parts, count as valid.
    """
    ask = ~simple & (np.diff(rings.shape_start) > 0)
    if of is not None:
        ask &= of
    out = np.ones(len(rings), np.bool_)
    which = np.flatnonzero(ask)
    for start in range(0, len(which), 100_000):
        some = which[start : start + 100_000]
        out[some] = is_valid(shapes_of(rings, some))
    return out


def reasons(rings: Rings, which: npt.ArrayLike) -> list[Reason]:
    """Return why invalid shapes are invalid."""
    return [_reason(shape) for shape in shapes_of(rings, which)]
