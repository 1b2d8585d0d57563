"""Small geometry on frames: CRS, bounds, areas on the ellipsoid."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import CRSError, ProjError

from geoplan.errors import CrsProblem, EmptyLayer
from geoplan.grid import Grid

__all__ = [
    "areal_scale",
    "bounds_of",
    "geodesic_area_ha",
    "geodesic_area_km2",
    "project_frame",
    "stretch",
]

_EQUAL_AREA = 2e-5


def project_frame(frame: Any, crs: str) -> Any:
    """Return the frame or series in ``crs``.

    Parameters
    ----------
    frame : GeoDataFrame or GeoSeries
        With a CRS.
    crs : str

    Raises
    ------
    CrsProblem
        The frame has no CRS, ``crs`` is unknown, or a coordinate cannot be projected.
    """
    if frame.crs is None:
        raise CrsProblem(
            "geometries without a coordinate reference system",
            remedy="state the CRS of the file in the pack",
        )
    try:
        out = frame.to_crs(crs)
    except (CRSError, ProjError) as error:
        raise CrsProblem(f"cannot go from {frame.crs.to_string()} to {crs!r}: {error}") from error
    corners = out.geometry.total_bounds
    empty = bool((out.geometry.is_empty | out.geometry.isna()).all())
    if not empty and not np.isfinite(corners).all():
        raise CrsProblem(
            f"coordinates lie outside the area of use of {crs!r}",
            remedy="leave out features outside the country, or choose another CRS",
        )
    return out


def bounds_of(frame: Any, crs: str | None = None) -> tuple[float, float, float, float]:
    """Return ``(x_min, y_min, x_max, y_max)`` of all geometries, in ``crs`` if it is given.

    Raises
    ------
    EmptyLayer
        There is no geometry.
    """
    series = frame.geometry
    series = series[~(series.is_empty | series.isna())]
    if len(series) == 0:
        raise EmptyLayer("no feature has a geometry", remedy="check the layer and its filter")
    x_min, y_min, x_max, y_max = (project_frame(series, crs) if crs else series).total_bounds
    return float(x_min), float(y_min), float(x_max), float(y_max)


def geodesic_area_ha(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.Series:
    """Return the area of each geometry on the WGS 84 ellipsoid, ha (m² / 10 000).

    Parameters
    ----------
    frame : GeoDataFrame or GeoSeries
        Any CRS. Edges are geodesics between the vertices as given; holes are taken off; points
        and lines have area 0; a missing geometry has NaN.

    Returns
    -------
    Series of float, the frame's index
    """
    series = project_frame(frame.geometry, "EPSG:4326")
    geod = pyproj.Geod(ellps="WGS84")
    shapes = shapely.force_2d(np.asarray(series.array, dtype=object))
    shapes = shapely.orient_polygons(shapes)  # Geod signs an area by the direction of its ring
    area = [
        np.nan if shape is None else geod.geometry_area_perimeter(shape)[0] / 10_000.0
        for shape in shapes
    ]
    return pd.Series(area, index=frame.index, dtype=np.float64, name="area_ha")


def geodesic_area_km2(frame: gpd.GeoDataFrame | gpd.GeoSeries) -> pd.Series:
    """Return the area of each geometry on the WGS 84 ellipsoid, km² (ha / 100)."""
    return (geodesic_area_ha(frame) / 100.0).rename("area_km2")


def areal_scale(
    grid: Grid, row: npt.NDArray[np.integer], col: npt.NDArray[np.integer]
) -> npt.NDArray[np.float64]:
    """Return grid area over true area at cells.

    Parameters
    ----------
    grid : Grid
    row, col : ndarray of int

    Returns
    -------
    ndarray of float64
        Exactly 1 everywhere when the CRS is equal-area (within 2·10⁻⁵ over the whole grid).

    Raises
    ------
    CrsProblem
        The CRS is geographic or cannot be read.
    """
    try:
        crs = pyproj.CRS.from_user_input(grid.crs)
        if not crs.is_projected:
            raise CrsProblem(
                f"the grid's CRS {grid.crs!r} is not metric",
                remedy="choose a projected, equal-area CRS in the profile",
            )
        projection = pyproj.Proj(crs)
    except CRSError as error:
        raise CrsProblem(f"cannot read the grid's CRS {grid.crs!r}: {error}") from error
    lattice = np.meshgrid(
        np.linspace(0, grid.rows - 1, 9).astype(np.int64),
        np.linspace(0, grid.cols - 1, 9).astype(np.int64),
    )

    def scale(rows: npt.NDArray[Any], cols: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        lon, lat = projection(*grid.centre_xy(rows, cols), inverse=True)
        known = np.isfinite(lon) & np.isfinite(lat)
        out = np.ones(len(lon))
        if known.any():
            factors = projection.get_factors(lon[known], lat[known])
            out[known] = factors.areal_scale
        return out

    if np.abs(scale(lattice[0].ravel(), lattice[1].ravel()) - 1).max() < _EQUAL_AREA:
        return np.ones(len(row))
    return scale(np.asarray(row), np.asarray(col))


def stretch(grid: Grid) -> float:
    """Return the most that the grid's CRS lengthens a true distance, 1 or more.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    float
        Largest grid distance over true distance, in any direction, over a lattice of 9 × 9
        places of the grid. A grid distance of d · stretch is a true distance of at least d.

    Notes
    -----
    The semi-major axis of Tissot's indicatrix (Snyder 1987, §4).
    """
    projection = pyproj.Proj(pyproj.CRS.from_user_input(grid.crs))
    rows, cols = np.meshgrid(
        np.linspace(0, grid.rows - 1, 9).astype(np.int64),
        np.linspace(0, grid.cols - 1, 9).astype(np.int64),
    )
    lon, lat = projection(*grid.centre_xy(rows.ravel(), cols.ravel()), inverse=True)
    known = np.isfinite(lon) & np.isfinite(lat)
    if not known.any():
        return 1.0
    longest = projection.get_factors(lon[known], lat[known]).tissot_semimajor
    return max(1.0, float(np.max(longest)))
