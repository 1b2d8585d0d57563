"""Where findings lie: as longitude and latitude for others, as metres for drawing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyproj
import shapely
from pyproj.exceptions import CRSError

__all__ = ["Places", "finite", "known_crs", "lonlat", "places", "points_in"]

Shapes = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]

_DEGREE_M = 111_320.0
_MOST_LAT = 89.0


@dataclass(frozen=True, slots=True)
class Places:
    """Geometries in a plane of metres, for drawing.

    Parameters
    ----------
    shapes : ndarray of Geometry
        x to the east, y to the north; what has no finite place is ``None``.
    metric : bool
        False where the CRS is not known and the units are those of the file.
    """

    shapes: Shapes
    metric: bool


def known_crs(crs: Any) -> pyproj.CRS | None:
    """Return the CRS of a text or object; ``None`` where there is none or it cannot be read."""
    if not crs:
        return None
    try:
        return pyproj.CRS.from_user_input(crs)
    except CRSError:
        return None


def finite(shapes: Iterable[shapely.Geometry | None]) -> Shapes:
    """Return geometries in two dimensions; ``None`` for what is empty or has no finite place."""
    # The last one keeps numpy from taking a list of geometries for something to unpack.
    out = np.array([*shapes, None], dtype=object)[:-1]
    coords, owner = shapely.get_coordinates(out, return_index=True)
    broken = np.unique(owner[~np.isfinite(coords).all(axis=1)])
    out[broken] = None
    out[shapely.is_missing(out) | shapely.is_empty(out)] = None
    flat: Shapes = shapely.force_2d(out)
    return flat


def lonlat(shapes: Iterable[shapely.Geometry | None], crs: str) -> Shapes:
    """Return geometries in EPSG:4326, nine decimals; ``None`` where that cannot be said."""
    known = known_crs(crs)
    out = finite(shapes)
    if known is None:
        return np.full(len(out), None, dtype=object)
    change = pyproj.Transformer.from_crs(known, "EPSG:4326", always_xy=True)

    def moved(xy: Floats) -> Floats:
        lon, lat = change.transform(xy[:, 0], xy[:, 1], errcheck=False)
        return np.round(np.column_stack([lon, lat]), 9)

    return finite(shapely.transform(out, moved))


def points_in(shapes: Shapes) -> Floats:
    """Return a point of each geometry, on its surface where it has one; NaN where there is none."""
    try:
        points = shapely.point_on_surface(shapes)
    except shapely.errors.GEOSException:
        return _points_one_by_one(shapes)
    rest = shapely.is_missing(points) | shapely.is_empty(points)
    out: Floats = np.column_stack([shapely.get_x(points), shapely.get_y(points)])
    out[rest] = _points_one_by_one(shapes[rest])
    return out


def _points_one_by_one(shapes: Shapes) -> Floats:
    out = np.full((len(shapes), 2), np.nan)
    for at, shape in enumerate(shapes):
        if shape is None:
            continue
        try:
            point = shapely.point_on_surface(shape)
        except shapely.errors.GEOSException:
            # A bow-tie has no inside on which GEOS would agree; its first vertex is on it.
            point = None
        if point is None or point.is_empty:
            out[at] = shapely.get_coordinates(shape)[0]
        else:
            out[at] = (point.x, point.y)
    return out


def places(groups: Sequence[Iterable[shapely.Geometry | None]], crs: str) -> list[Places]:
    """Return several groups of geometries in one plane of metres.

    A projected CRS is its own plane, so that angles and lengths are those of the survey.
    Degrees are stretched about the middle of all groups. Where the CRS is not known, the
    coordinates stay as they are.
    """
    known = known_crs(crs)
    held = [finite(group) for group in groups]
    if known is None or (known.is_projected and _is_metre(known)):
        return [Places(shapes, known is not None) for shapes in held]
    # Degrees, or a plane in feet.
    degrees = held if known.is_geographic else [lonlat(shapes, crs) for shapes in held]
    every = np.concatenate([shapely.get_coordinates(shapes) for shapes in degrees])
    middle = np.median(every, axis=0) if len(every) else np.zeros(2)
    wide = _DEGREE_M * np.cos(np.radians(np.clip(middle[1], -_MOST_LAT, _MOST_LAT)))

    def stretched(xy: Floats) -> Floats:
        return np.asarray((xy - middle) * (wide, _DEGREE_M))

    return [Places(shapely.transform(shapes, stretched), True) for shapes in degrees]


def _is_metre(crs: pyproj.CRS) -> bool:
    return all(axis.unit_conversion_factor == 1.0 for axis in crs.axis_info[:2])
