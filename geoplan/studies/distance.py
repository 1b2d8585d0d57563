"""Geodesic distances for checking, by a way of its own: a local true-distance projection."""

from __future__ import annotations

import numpy as np
import pyproj
import shapely

__all__ = ["area_ha", "edge_km", "point_km"]

_GEOD = pyproj.Geod(ellps="WGS84")


def point_km(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Return the geodesic distance between two places, km."""
    return float(_GEOD.inv(lon_a, lat_a, lon_b, lat_b)[2]) / 1000


def area_ha(polygon: shapely.Geometry) -> float:
    """Return the geodesic area of a polygon in degrees, ha."""
    return abs(float(_GEOD.geometry_area_perimeter(shapely.orient_polygons(polygon))[0])) / 10_000


def edge_km(a: shapely.Geometry, b: shapely.Geometry) -> float:
    """Return the distance between the edges of two polygons in degrees, km.

    Both are laid into an azimuthal equidistant projection centred between their nearest points,
    in which lines through the centre have their true length.
    """
    if a.intersects(b):
        return 0.0
    ends = shapely.get_coordinates(shapely.shortest_line(a, b))
    for _ in range(2):
        lon, lat = ends.mean(axis=0)
        local = pyproj.Proj(proj="aeqd", lon_0=lon, lat_0=lat, datum="WGS84")
        flat = [
            shapely.transform(g, lambda xy, p=local: np.column_stack(p(xy[:, 0], xy[:, 1])))
            for g in (a, b)
        ]
        near = shapely.get_coordinates(shapely.shortest_line(*flat))
        ends = np.column_stack(local(near[:, 0], near[:, 1], inverse=True))
    return point_km(*ends[0], *ends[1])
