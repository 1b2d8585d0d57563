"""Geometry of a delivery: mended by named rules and cut; each change counted."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geoplan.errors import CrsProblem
from geoplan.ingest.findings import Findings, listed
from geoplan.vector import geodesic_area_km2

__all__ = [
    "area_km2",
    "clip",
    "close_rings",
    "fit_kind",
    "swap_axes",
    "to_wgs84",
]

_DIMENSION = {"point": 0, "line": 1, "polygon": 2}

Geometries = npt.NDArray[np.object_]


def area_km2(geometry: gpd.GeoSeries) -> pd.Series:
    """Return geodesic areas on WGS 84, km², of polygons in EPSG:4326; 0 for anything else."""
    # Rings are oriented first: a hole drawn in its shell's direction would be added.
    return geodesic_area_km2(geometry).fillna(0.0).rename(None)


def to_wgs84(frame: gpd.GeoDataFrame, where: str) -> gpd.GeoDataFrame:
    """Return the frame in EPSG:4326, refusing coordinates that cannot lie on the earth.

    Raises
    ------
    CrsProblem
        Coordinates are not those of the stated CRS.
    """
    if frame.crs is not None and frame.crs.to_epsg() != 4326:
        source = frame.crs.to_authority()
        frame = frame.to_crs(4326)
        name = ":".join(source) if source else "the stated CRS"
    else:
        name = "EPSG:4326"
    bounds = frame.geometry.bounds.to_numpy()
    finite = np.isfinite(bounds).all(axis=1)
    missing = frame.geometry.is_empty.to_numpy() | frame.geometry.isna().to_numpy()
    off = (np.abs(bounds[:, [0, 2]]) > 180.0001).any(axis=1)
    off |= (np.abs(bounds[:, [1, 3]]) > 90.0001).any(axis=1)
    bad = (off & finite) | (~finite & ~missing)
    if bad.any():
        raise CrsProblem(
            f"{int(bad.sum()):,} of {len(frame):,} features do not lie on the earth in {name}",
            where=where,
            remedy="the file states a wrong coordinate reference system; correct it, or 'crs'",
        )
    return frame


def swap_axes(
    frame: gpd.GeoDataFrame, bbox: tuple[float, float, float, float], findings: Findings
) -> gpd.GeoDataFrame:
    """Turn (lat, lon) into (lon, lat) where a feature lies in ``bbox`` only that way round."""
    box = shapely.box(*bbox)
    geometry = frame.geometry.array
    swapped = shapely.transform(geometry, lambda xy: xy[:, ::-1])
    turn = ~shapely.intersects(geometry, box) & shapely.intersects(swapped, box)
    findings.add(
        "swapped-axes",
        f"{int(turn.sum()):,} features have latitude and longitude exchanged",
        "exchanged back",
        severity="repaired",
        count=int(turn.sum()),
    )
    return frame.set_geometry(
        gpd.GeoSeries(np.where(turn, swapped, geometry), index=frame.index, crs=frame.crs)
    )


def close_rings(frame: gpd.GeoDataFrame, findings: Findings) -> gpd.GeoDataFrame:
    """Turn lines that stand for outlines into polygons, closing the open ones."""

    def close(g: shapely.Geometry) -> shapely.Geometry:
        if isinstance(g, shapely.LineString) and len(g.coords) >= 3:
            return shapely.Polygon(g.coords)
        return g

    lines = shapely.get_type_id(frame.geometry.array) == 1
    findings.add(
        "open-ring",
        f"{int(lines.sum()):,} outlines are lines",
        "closed into polygons",
        severity="repaired",
        count=int(lines.sum()),
    )
    return frame.set_geometry(frame.geometry.map(close)) if lines.any() else frame


def fit_kind(
    frame: gpd.GeoDataFrame, kind: str, *, multi: bool, single: bool = False, findings: Findings
) -> gpd.GeoDataFrame:
    """Keep the parts of each geometry that are of the layer's kind, in two dimensions.

    Features without such a part are refused and counted; ``multi`` makes all of them multi-part,
    ``single`` refuses those of several parts.
    """
    array = shapely.force_2d(frame.geometry.array)
    if kind != "any":
        want = _DIMENSION[kind]
        mixed = shapely.get_type_id(array) == 7
        if mixed.any():
            array = array.copy()
            for i in np.flatnonzero(mixed):
                parts = [
                    p
                    for p in shapely.get_parts(array[i])
                    if shapely.get_dimensions(p) == want and not p.is_empty
                ]
                array[i] = shapely.union_all(parts) if parts else None
        fits = (shapely.get_dimensions(array) == want) & ~shapely.is_empty(array)
        # Nothing is lost where a point layer carries multi-points of one point.
        one = fits & (shapely.get_type_id(array) == 4) & (shapely.get_num_geometries(array) == 1)
        if one.any():
            array = np.where(one, shapely.get_geometry(array, 0), array)
        if single:
            fits &= np.asarray(shapely.get_num_geometries(array)) == 1
        findings.refuse(
            "wrong-geometry",
            f"{int((~fits).sum()):,} features are not {'one ' if single else 'of kind '}{kind}",
            frame.index[~fits],
            remedy="refused; 'to_point' makes points of lines and polygons",
        )
        frame = frame[fits]
        array = array[fits]
        if multi and len(array):
            maker = {4: shapely.multipoints, 5: shapely.multilinestrings, 6: shapely.multipolygons}
            target = want + 4
            lone = shapely.get_type_id(array) != target
            array = np.array(
                [maker[target]([g]) if s else g for g, s in zip(array, lone, strict=True)],
                dtype=object,
            )
    return frame.set_geometry(gpd.GeoSeries(array, index=frame.index, crs=4326))


def clip(
    frame: gpd.GeoDataFrame,
    cutter: Sequence[shapely.Geometry],
    *,
    by: str,
    findings: Findings,
    labels: pd.Series | None = None,
) -> gpd.GeoDataFrame:
    """Cut features by polygons; tell how many were cut and what was taken away."""
    whole = shapely.union_all([g if g.is_valid else g.make_valid() for g in cutter])
    shapely.prepare(whole)
    geometry = frame.geometry
    beyond = ~shapely.covered_by(geometry.array, whole)
    if not beyond.any():
        return frame
    out = geometry.copy()
    cut = geometry[beyond].intersection(whole)
    before, after = area_km2(geometry[beyond]), area_km2(cut)
    empty = cut.is_empty
    polygonal = bool((shapely.get_dimensions(geometry.array[beyond]) == 2).any())
    changed = (before - after > 0.01) if polygonal else ~empty & True
    names = (labels if labels is not None else pd.Series(frame.index, index=frame.index))[beyond]
    most = (before - after).sort_values(ascending=False).index
    shown = listed(
        [
            f"{names[i]} −{before[i] - after[i]:,.0f} km²" if polygonal else str(names[i])
            for i in most
            if bool(changed[i])
        ]
    )
    findings.add(
        "clipped",
        f"{int((changed & ~empty).sum()):,} of {len(frame):,} features reach beyond {by}"
        + (f"; {(before - after).sum():,.0f} km² removed" if polygonal else "")
        + f": {shown}",
        f"cut by {by}",
        severity="repaired",
        count=int((changed & ~empty).sum()),
    )
    out[beyond] = cut
    frame = frame.set_geometry(out)
    findings.filter(
        "clipped-away",
        f"{int(empty.sum()):,} features lie wholly beyond {by}: {listed(names[empty])}",
        empty.index[empty],
        remedy="not stored",
    )
    return frame[~frame.geometry.is_empty]
