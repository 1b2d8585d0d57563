"""Coordinates of many rows to WGS 84, and sizes on the ellipsoid."""

from __future__ import annotations

import math
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyproj
from pyproj.exceptions import CRSError, ProjError

from geoplan.cadastre.ring import Limits, measure
from geoplan.cadastre.rings import Rings
from geoplan.errors import CrsProblem
from geoplan.raster.kernel import THREADS, kernel, over_blocks

__all__ = [
    "Projected",
    "ellipsoidal_areas",
    "metres_per_degree",
    "metres_per_unit",
    "rows_of_points",
    "to_wgs84",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_A = 6_378_137.0
_E2 = 0.0066943799901413165
"""WGS 84: semi-major axis, m, and first eccentricity squared (NIMA TR8350.2)."""

_BLOCK = 50_000
"""Points from which a second thread is worth it."""

_CHUNK = 100_000
"""Points of which equal ones are projected once: neighbours share their vertices."""

_WIDE_DEG = 0.02


class Projected(NamedTuple):
    """Longitude and latitude of each point, and which points are on earth."""

    xy: Floats
    on_earth: Mask


_KEPT = threading.local()
"""A transformer per thread and CRS: making one can take a second, where grids are searched."""

_SECOND: ThreadPoolExecutor | None = None


def _second() -> ThreadPoolExecutor:
    """Return the one thread that helps, kept alive for the transformers that it holds."""
    global _SECOND
    if _SECOND is None:
        _SECOND = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reproject")
    return _SECOND


def _forget() -> None:
    global _SECOND
    _SECOND = None  # a forked child has no such thread


os.register_at_fork(after_in_child=_forget)


def _transformer(crs: str) -> pyproj.Transformer:
    kept: dict[str, pyproj.Transformer] = _KEPT.__dict__
    if crs not in kept:
        try:
            made = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        except (CRSError, ProjError) as error:
            raise CrsProblem(
                f"cannot go from {crs!r} to WGS 84: {error}", remedy="state the CRS of the file"
            ) from error
        if len(kept) >= 16:
            kept.clear()
        kept[crs] = made
    return kept[crs]


@kernel
def _distinct(
    bits: npt.NDArray[np.uint64], slots: npt.NDArray[np.int32], number: npt.NDArray[np.int32]
) -> Ints:
    """Number points so that equal ones have one number; return the first point of each."""
    mask = len(slots) - 1
    slots[:] = -1
    first = np.empty(len(bits), np.int64)
    count = 0
    for i in range(len(bits)):
        mixed = bits[i, 0] * np.uint64(0x9E3779B97F4A7C15) ^ bits[i, 1]
        mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        slot = np.int64(mixed >> np.uint64(32)) & mask
        while True:
            held = slots[slot]
            if held < 0:
                slots[slot] = count
                first[count] = i
                number[i] = count
                count += 1
                break
            k = first[held]
            if bits[k, 0] == bits[i, 0] and bits[k, 1] == bits[i, 1]:
                number[i] = held
                break
            slot = (slot + 1) & mask
    return first[:count]


@kernel
def _scatter(x: Floats, y: Floats, number: npt.NDArray[np.int32], out: Floats) -> None:
    for i in range(len(number)):
        out[i, 0] = x[number[i]]
        out[i, 1] = y[number[i]]


def to_wgs84(xy: Floats, crs: str, *, threads: int | None = None) -> Projected:
    """Return coordinates in EPSG:4326 as (longitude, latitude).

    Parameters
    ----------
    xy : ndarray of float, shape (points, 2)
        Easting and northing, or longitude and latitude: x first whatever the CRS says.
    crs : str
        Of ``xy``: an authority code or WKT.
    threads : int, optional

    Returns
    -------
    Projected
        Bit for bit what ``pyproj.Transformer(always_xy=True)`` gives, point by point. Not on
        earth is what PROJ cannot project, a coordinate that is not finite, and what lies beyond
        ±180° or ±90°.

    Raises
    ------
    CrsProblem
        The CRS is unknown, or PROJ knows no way from it to WGS 84.
    """
    xy = np.ascontiguousarray(xy, dtype=np.float64)
    out = np.empty((len(xy), 2))
    _transformer(crs)  # an unknown CRS is told before any work

    def work(start: int, stop: int) -> None:
        transformer = _transformer(crs)
        slots = np.empty(1 << 18, np.int32)
        number = np.empty(_CHUNK, np.int32)
        for low in range(start, stop, _CHUNK):
            some = xy[low : min(low + _CHUNK, stop)]
            place = number[: len(some)]
            first = _distinct(some.view(np.uint64), slots, place)
            once = some[first]
            x, y = transformer.transform(once[:, 0].copy(), once[:, 1].copy(), inplace=True)
            _scatter(x, y, place, out[low : low + len(some)])

    if min(THREADS if threads is None else threads, 2) < 2 or len(xy) < _BLOCK:
        work(0, len(xy))
    else:
        half = len(xy) // 2
        helper = _second().submit(work, half, len(xy))
        work(0, half)
        helper.result()
    with np.errstate(invalid="ignore"):
        good = (np.abs(out[:, 0]) <= 180) & (np.abs(out[:, 1]) <= 90)
    return Projected(out, good)


def rows_of_points(on_earth: Mask, first_point: Ints) -> Mask:
    """Return rows of which every point is good.

    Parameters
    ----------
    on_earth : ndarray of bool, shape (points,)
    first_point : ndarray of int, shape (rows + 1,)
        First point of each row, and the number of points. Of :class:`Rings` it is
        ``ring_start[part_start[shape_start]]``.
    """
    bad = np.concatenate([[0], np.cumsum(~on_earth)])
    return np.asarray(bad[first_point[1:]] == bad[first_point[:-1]], np.bool_)


def metres_per_degree(lat: npt.ArrayLike) -> Floats:
    """Return metres per degree of longitude and latitude at latitudes, shape (places, 2).

    Notes
    -----
    ``N cos φ`` and ``M`` times π/180, with the radii of curvature N in the prime vertical and M
    in the meridian (Snyder 1987, equations 4-18 to 4-21).
    """
    phi = np.radians(np.asarray(lat, dtype=np.float64))
    w2 = 1 - _E2 * np.sin(phi) ** 2
    east = _A / np.sqrt(w2) * np.cos(phi)
    north = _A * (1 - _E2) / w2**1.5
    return np.stack([east, north], axis=-1) * (np.pi / 180)


def metres_per_unit(crs: str, rings: Rings) -> float | Floats:
    """Return metres per unit of x and y, for the checks of figures: one number, or one pair a row.

    Raises
    ------
    CrsProblem
        The CRS is unknown.
    """
    try:
        known = pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise CrsProblem(f"unknown CRS {crs!r}: {error}", remedy="give an EPSG code") from error
    if not known.is_geographic:
        return float(known.axis_info[0].unit_conversion_factor) if known.axis_info else 1.0
    degree = np.degrees(known.axis_info[0].unit_conversion_factor) if known.axis_info else 1.0
    full = np.diff(rings.shape_start) > 0
    out = np.ones((len(rings), 2))
    first = rings.ring_start[rings.part_start[rings.shape_start[:-1][full]]]
    lat = np.clip(np.nan_to_num(rings.xy[first, 1] * degree), -90, 90)
    out[full] = metres_per_degree(lat) * degree
    return out


@kernel
def _equal_area(lonlat: Floats, start: int, stop: int, out: Floats) -> None:
    for i in range(start, stop):
        sin = math.sin(math.radians(lonlat[i, 1]))
        es2 = _E2 * sin * sin
        # artanh(e sin φ) / (e sin φ) by its series; e² is 0.0067, eight terms are exact to 10⁻¹⁸
        series = 0.0
        for k in range(15, -1, -2):
            series = series * es2 + 1.0 / k
        q = (1.0 - _E2) * sin * (1.0 / (1.0 - es2) + series)
        out[i, 0] = _A * math.radians(lonlat[i, 0])
        out[i, 1] = 0.5 * _A * q


def ellipsoidal_areas(lonlat: Rings, *, threads: int | None = None) -> Floats:
    """Return the area of each polygon on the WGS 84 ellipsoid, m².

    Parameters
    ----------
    lonlat : Rings
        In degrees, longitude first.

    Returns
    -------
    ndarray of float
        NaN without parts, and beyond ±360° or ±90°.

    Notes
    -----
    Up to 0.02° wide the shoelace formula after Lambert's cylindrical equal-area projection (Snyder
    1987, equations 10-1 and 3-12), in which the area of an edge's strip is exact; edges are
    straight there instead of geodesic, which for 100 m is at most 0.2 mm aside (about 2·10⁻⁷
    of the area). Wider polygons are measured by GeographicLib (Karney 2013), ring by ring.
    """
    flat = np.empty_like(lonlat.xy)
    over_blocks(lambda a, b: _equal_area(lonlat.xy, a, b, flat), len(flat), threads=threads)
    plane = Rings(flat, lonlat.ring_start, lonlat.part_start, lonlat.shape_start)
    area = measure(plane, Limits(0.0, 0.0, np.inf), threads=threads).area_m2
    full = np.diff(lonlat.shape_start) > 0
    first = lonlat.ring_start[lonlat.part_start[lonlat.shape_start]]
    known = np.asarray((np.abs(lonlat.xy) <= (360, 90)).all(axis=1), np.bool_)
    area[~full | ~rows_of_points(known, first)] = np.nan
    starts = first[:-1][full]
    if len(starts):
        with np.errstate(over="ignore", invalid="ignore"):
            extent = np.maximum.reduceat(lonlat.xy, starts) - np.minimum.reduceat(lonlat.xy, starts)
        for shape in np.flatnonzero(full)[extent.max(axis=1) > _WIDE_DEG]:
            if not np.isnan(area[shape]):
                area[shape] = _geodesic(lonlat, int(shape))
    return area


def _geodesic(lonlat: Rings, shape: int) -> float:
    geod = pyproj.Geod(ellps="WGS84")
    total = 0.0
    for part in range(lonlat.shape_start[shape], lonlat.shape_start[shape + 1]):
        for ring in range(lonlat.part_start[part], lonlat.part_start[part + 1]):
            xy = lonlat.xy[lonlat.ring_start[ring] : lonlat.ring_start[ring + 1]]
            area = abs(geod.polygon_area_perimeter(xy[:, 0], xy[:, 1])[0])
            total += area if ring == lonlat.part_start[part] else -area
    return float(total)
