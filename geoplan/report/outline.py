"""Shapes made light enough to draw: neighbours keep one shared border."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from shapely.errors import GEOSException

from geoplan.siting.result import SitingResult

__all__ = ["BREAKS", "NO_DATA", "RESOURCE_STYLES", "SCALE", "Outlines", "class_of", "outlines"]

SCALE = ("#f6f3e6", "#dbe6cb", "#b3d0ad", "#82b296", "#4c8c80")
"""Colours of the index classes, least industrialised first; light enough under lines and text,
and in order of lightness, so that they read in grey and with colour blindness."""

NO_DATA = "#e3e3e3"
"""Colour of a region without an index."""

BREAKS = (0.2, 0.4, 0.6, 0.8)
"""Index values between the classes. The same in every run, so that maps can be compared."""

RESOURCE_STYLES = {
    "water": ("#1559c0", ""),
    "power": ("#d4420c", "7 4"),
    "wastewater": ("#76308f", "2 4"),
}
"""Colour and dash of the lines of each resource."""

_STEPS_ACROSS = 2_000


@dataclass(frozen=True)
class Outlines:
    """Simplified shapes in the grid's CRS.

    Parameters
    ----------
    regions : GeoDataFrame
        The result's regions that have a shape.
    borders : GeoSeries
        Outer borders of the coarser regions that hold them (``parent_code``); may be empty.
    candidates : GeoSeries, index ``site_id``
        Candidate polygons.
    tolerance_m : float
        What was smoothed away, m.
    """

    regions: gpd.GeoDataFrame
    borders: gpd.GeoSeries
    candidates: gpd.GeoSeries
    tolerance_m: float


def outlines(result: SitingResult) -> Outlines:
    """Return shapes simplified to 1/2000 of the country's width (1 km for 2 000 km)."""
    regions = result.regions
    regions = regions[regions.geometry.notna() & ~regions.geometry.is_empty]
    regions = regions.to_crs(result.grid.crs)
    candidates = result.candidates.geometry.to_crs(result.grid.crs)
    shapes = regions if len(regions) else candidates
    if not len(shapes):
        x_min, y_min, x_max, y_max = result.grid.bounds
    else:
        x_min, y_min, x_max, y_max = shapes.total_bounds
    tolerance = max(x_max - x_min, y_max - y_min) / _STEPS_ACROSS
    if len(regions):
        regions = regions.set_geometry(
            gpd.GeoSeries(
                _simplify_together(regions.geometry.to_numpy(), tolerance),
                index=regions.index,
                crs=regions.crs,
            )
        )
    borders = gpd.GeoSeries([], crs=regions.crs)
    parents = regions["parent_code"] if len(regions) else None
    if parents is not None and parents.notna().any():
        borders = regions[parents.notna()].dissolve(by="parent_code").boundary
    light = candidates.simplify(min(result.grid.cell_m, 2 * tolerance), preserve_topology=True)
    return Outlines(regions, borders, light, tolerance)


def _simplify_together(shapes: np.ndarray, tolerance: float) -> np.ndarray:
    try:
        made = shapely.make_valid(shapely.coverage_simplify(shapes, tolerance))
    except GEOSException:
        # Regions that overlap are no coverage; each alone then, at the price of slivers.
        made = shapely.simplify(shapes, tolerance, preserve_topology=True)
    lost = shapely.is_empty(made) | shapely.is_missing(made)
    return np.where(lost, shapes, made)


def class_of(index: float) -> int | None:
    """Return the class of an index value, 0 to 4; None where there is none."""
    if not np.isfinite(index):
        return None
    return int(np.searchsorted(BREAKS, index, side="right"))
