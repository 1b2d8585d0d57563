"""Which pairs of sites lie too close, and cliques of them that make strong constraints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import shapely

from geoplan.errors import CrsProblem, RangeError

__all__ = ["Conflicts", "clique_cover", "conflicts", "edge_distance_m"]

_GEOD = pyproj.Geod(ellps="WGS84")
_A = 6378137.0
_E2 = 0.0066943799901413165
# Slack on the projection's scale when pairs are sorted into near, far and borderline.
_SCALE_SLACK = 1.01


@dataclass(frozen=True)
class Conflicts:
    """Pairs of sites that may not both be chosen.

    Parameters
    ----------
    pairs : DataFrame
        ``a``, ``b`` (site_id, a < b), ``distance_km`` (geodesic between nearest edges).
    cliques : tuple of tuple of str
        Sets of sites of which at most one may be chosen; together they hold every pair, and
        every two members of one clique are a pair.
    """

    pairs: pd.DataFrame
    cliques: tuple[tuple[str, ...], ...]

    @classmethod
    def of_pairs(cls, pairs: pd.DataFrame) -> Conflicts:
        """Return conflicts with a clique cover of ``pairs``."""
        a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()
        swap = a > b
        pairs = pairs.assign(a=np.where(swap, b, a), b=np.where(swap, a, b))
        pairs = pairs.sort_values(["a", "b"], kind="stable").reset_index(drop=True)
        return cls(pairs, clique_cover(list(zip(pairs["a"], pairs["b"], strict=True))))

    @classmethod
    def none(cls) -> Conflicts:
        """Return no conflicts."""
        frame = pd.DataFrame({"a": pd.Series(dtype=object), "b": pd.Series(dtype=object)})
        return cls(frame.assign(distance_km=pd.Series(dtype=float)), ())


def edge_distance_m(a: shapely.Geometry, b: shapely.Geometry, *, lon: float, lat: float) -> float:
    """Return the geodesic distance (m) between two polygons in EPSG:4326.

    Parameters
    ----------
    a, b : Polygon or MultiPolygon, degrees
        They should lie within some 100 km of ``lon``, ``lat``.
    lon, lat : float, degrees
        A place between the two; the nearest points are sought in local metres there.

    Notes
    -----
    The nearest points are found in coordinates scaled by the ellipsoid's radii of curvature at
    ``lat`` (off by about distance ÷ Earth radius), then the distance between them is geodesic, so
    that the error of the distance is of second order: below 1 m in 40 km.
    """
    phi = np.radians(lat)
    w2 = 1 - _E2 * np.sin(phi) ** 2
    north = _A * (1 - _E2) / w2**1.5 * np.pi / 180
    east = _A / np.sqrt(w2) * np.cos(phi) * np.pi / 180
    scale = np.array([east, north])
    origin = np.array([lon, lat])
    la = shapely.transform(a, lambda xy: (xy - origin) * scale)
    lb = shapely.transform(b, lambda xy: (xy - origin) * scale)
    ends = shapely.get_coordinates(shapely.shortest_line(la, lb)) / scale + origin
    return float(_GEOD.inv(ends[0, 0], ends[0, 1], ends[1, 0], ends[1, 1])[2])


def _greatest_scale(crs: pyproj.CRS, lon: np.ndarray, lat: np.ndarray) -> float:
    """Return the greatest scale of the projection at the sites, in any direction."""
    factors = pyproj.Proj(crs).get_factors(lon, lat)
    return float(np.nanmax(np.asarray(factors.tissot_semimajor)))


def conflicts(polygons: gpd.GeoSeries, *, spacing_km: float) -> Conflicts:
    """Return the pairs of sites whose edges are nearer than ``spacing_km``.

    Parameters
    ----------
    polygons : GeoSeries, index ``site_id``
        Sites in the projected CRS of the grid.
    spacing_km : float
        Least geodesic distance between edges, km, 0 or more. Sites that overlap are a pair at
        any spacing; sites that only touch are a pair when it is above 0.

    Raises
    ------
    CrsProblem
        The polygons have no projected CRS.
    RangeError
        ``spacing_km`` is negative.

    Notes
    -----
    An R-tree finds the pairs within reach on the plane; where the projection's own scale leaves
    doubt, nearest points are sought again in local true metres (`edge_distance_m`). A pair is a
    conflict when its geodesic distance is below ``spacing_km``.
    """
    if not spacing_km >= 0:
        raise RangeError(f"spacing of {spacing_km} km is below 0", remedy="give 0 or more")
    crs = pyproj.CRS.from_user_input(polygons.crs) if polygons.crs is not None else None
    if crs is None or not crs.is_projected:
        raise CrsProblem(
            "spacing needs polygons in a projected CRS", remedy="give them in the CRS of the grid"
        )
    polygons = polygons.sort_index()
    if len(polygons) < 2:
        return Conflicts.none()
    geometry = np.asarray(polygons.array)
    to_degrees = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    centre = shapely.get_coordinates(shapely.centroid(geometry))
    lon, lat = to_degrees.transform(centre[:, 0], centre[:, 1])
    k_high = _greatest_scale(crs, np.asarray(lon), np.asarray(lat))
    limit = spacing_km * 1000.0
    tree = shapely.STRtree(geometry)
    i, j = tree.query(geometry, predicate="dwithin", distance=limit * k_high * _SCALE_SLACK + 1.0)
    keep = i < j
    i, j = i[keep], j[keep]
    ordered = np.lexsort((j, i))
    i, j = i[ordered], j[ordered]
    if not len(i):
        return Conflicts.none()
    ends = shapely.get_coordinates(shapely.shortest_line(geometry[i], geometry[j]))
    elon, elat = (np.asarray(v).reshape(-1, 2) for v in to_degrees.transform(*ends.T))
    metres = np.asarray(_GEOD.inv(elon[:, 0], elat[:, 0], elon[:, 1], elat[:, 1])[2])
    plane = np.hypot(*(ends[1::2] - ends[0::2]).T)
    # The plane's nearest points give a distance that is never too short, so only pairs that look
    # far enough can be wrong.
    doubtful = (metres >= limit) & (plane <= limit * k_high * _SCALE_SLACK) & (plane > 0)
    if doubtful.any():
        degrees = shapely.transform(
            geometry, lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))
        )
        for p in np.flatnonzero(doubtful):
            metres[p] = min(
                metres[p],
                edge_distance_m(
                    degrees[i[p]],
                    degrees[j[p]],
                    lon=float(elon[p].mean()),
                    lat=float(elat[p].mean()),
                ),
            )
    close = metres < limit
    together = np.flatnonzero(plane == 0)
    overlap = shapely.relate_pattern(geometry[i[together]], geometry[j[together]], "T********")
    close[together[overlap]] = True
    ids = polygons.index.to_numpy()
    return Conflicts.of_pairs(
        pd.DataFrame(
            {"a": ids[i[close]], "b": ids[j[close]], "distance_km": metres[close] / 1000.0}
        )
    )


def clique_cover(pairs: Sequence[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return cliques that together hold every pair.

    Parameters
    ----------
    pairs : sequence of (str, str)
        Pairs of sites that exclude each other.

    Returns
    -------
    tuple of tuple of str
        Maximal cliques, each sorted. One inequality "at most one" per clique is stronger than
        one per pair and there are far fewer of them.

    Notes
    -----
    Greedy: the first pair not yet held is grown by the common neighbour that keeps most of the
    pairs not yet held, until the clique is maximal. Same pairs, same cover, whatever their order.
    """
    names = sorted({n for pair in pairs for n in pair})
    number: dict[str, int] = {n: k for k, n in enumerate(names)}
    near = [0] * len(names)
    for name_a, name_b in pairs:
        ka, kb = number[name_a], number[name_b]
        near[ka] |= 1 << kb
        near[kb] |= 1 << ka
    open_pairs = near.copy()
    cliques: list[tuple[str, ...]] = []
    for a in range(len(names)):
        while open_pairs[a]:
            members = 1 << a
            common = near[a]
            # Greatest gain first: the vertex that holds most pairs of this clique still open.
            fresh = open_pairs[a]
            while common:
                pool = common & fresh or common
                best, gain = -1, -1
                rest = pool
                tries = 0
                while rest and tries < _LOOKAHEAD:
                    low = rest & -rest
                    v = low.bit_length() - 1
                    size = (near[v] & common & fresh).bit_count()
                    if size > gain:
                        best, gain = v, size
                    rest ^= low
                    tries += 1
                members |= 1 << best
                common &= near[best]
            chosen = _bits(members)
            for k in chosen:
                open_pairs[k] &= ~members
            cliques.append(tuple(names[k] for k in chosen))
    return tuple(cliques)


_LOOKAHEAD = 24
"""Vertices looked at before one joins a clique; more makes fewer cliques, slower."""


def _bits(mask: int) -> list[int]:
    out = []
    while mask:
        low = mask & -mask
        out.append(low.bit_length() - 1)
        mask ^= low
    return out
