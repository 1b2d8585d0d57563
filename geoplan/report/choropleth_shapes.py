"""Outlines of regions for small maps: simplified together, written as short SVG paths."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geoplan.errors import CrsProblem, EmptyLayer, ShapeError
from geoplan.regions.overlap import equal_area, mend_division

__all__ = ["LightRegions", "light_regions", "names_of", "svg_path"]


@dataclass(frozen=True, slots=True)
class LightRegions:
    """Regions to draw.

    Parameters
    ----------
    frame : GeoDataFrame, index ``code``, sorted
        Names and simplified shapes in an equal-area plane, m.
    borders : tuple of geometry
        Outlines of the parents, in the order of their codes; empty without ``parent_code``.
    tolerance_m : float
        Details smaller than about this were smoothed away, m.
    """

    frame: gpd.GeoDataFrame
    borders: tuple[shapely.Geometry, ...]
    tolerance_m: float


def light_regions(regions: gpd.GeoDataFrame, *, crs: str, steps: int = 1200) -> LightRegions:
    """Return regions whose shared borders are simplified alike, so that none opens or overlaps.

    Parameters
    ----------
    regions : GeoDataFrame
        ``code``, unique; names and ``parent_code`` where known. A region without a shape stays,
        and is not drawn.
    crs : str
        Equal-area CRS of the picture.
    steps : int
        The country's larger side over the tolerance.

    Raises
    ------
    EmptyLayer
        No region has a shape.
    ShapeError
        A code is there twice.
    CrsProblem
        No CRS, or ``crs`` does not keep areas.

    Notes
    -----
    Visvalingam and Whyatt (1993) on the edges of the coverage (GEOS ``CoverageSimplifier``).
    """
    if regions.crs is None:
        raise CrsProblem("the regions have no CRS", remedy="set it, then draw again")
    target = equal_area(crs)
    codes = regions["code"].astype(str)
    twice = sorted(codes[codes.duplicated()])
    if twice:
        raise ShapeError(f"code {twice[0]} is there more than once", where="regions",
                         remedy="give one row per region")  # fmt: skip
    frame = regions.assign(code=codes).to_crs(target).set_index("code").sort_index()
    shapes, _ = mend_division(np.asarray(frame.geometry.array, dtype=object))
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if not there.any():
        raise EmptyLayer("no region has a shape", remedy="load their layer, or give polygons")
    x0, y0, x1, y1 = shapely.total_bounds(shapes[there])
    tolerance = float(max(x1 - x0, y1 - y0)) / steps
    light = shapes.copy()
    light[there] = _together(shapes[there], tolerance)
    frame = frame.set_geometry(gpd.GeoSeries(light, index=frame.index, crs=target))
    return LightRegions(frame, _borders(frame, light, there), tolerance)


def _together(shapes: npt.NDArray[np.object_], tolerance: float) -> npt.NDArray[np.object_]:
    made = shapely.coverage_simplify(shapes, tolerance)
    # A region smaller than the tolerance collapses; it keeps its own shape then.
    lost = shapely.is_empty(made) | shapely.is_missing(made)
    made = np.where(lost, shapes, made)
    return np.asarray(made, dtype=object)


def _borders(
    frame: gpd.GeoDataFrame, shapes: npt.NDArray[np.object_], there: npt.NDArray[np.bool_]
) -> tuple[shapely.Geometry, ...]:
    if "parent_code" not in frame.columns:
        return ()
    parents = frame["parent_code"]
    out = []
    for parent in sorted(parents.dropna().unique()):
        own = shapes[(parents == parent).to_numpy() & there]
        if len(own):
            whole = shapely.union_all(shapely.make_valid(own))
            out.append(shapely.boundary(whole))
    return tuple(out)


def svg_path(shape: shapely.Geometry, x0: float, y1: float, scale: float) -> str:
    """Return a path in whole units, y down: absolute starts, then relative steps.

    Parameters
    ----------
    shape : geometry
        Polygons or lines in metres.
    x0, y1 : float
        Left and upper edge of the picture, m.
    scale : float
        Units per metre.
    """
    if shape is None or shape.is_empty:
        return ""
    words: list[str] = []
    for part in shapely.get_parts(shapely.get_parts(shape)):
        closed = part.geom_type == "Polygon"
        lines = (part.exterior, *part.interiors) if closed else (part,)
        for line in lines:
            xy = shapely.get_coordinates(line)
            flat = np.rint((xy - (x0, y1)) * (scale, -scale)).astype(np.int64)
            keep = np.ones(len(flat), dtype=bool)
            keep[1:] = (np.diff(flat, axis=0) != 0).any(axis=1)
            flat = flat[keep]
            if len(flat) < 2:
                # A part smaller than one unit still is a dot: islands do not vanish.
                flat = flat[0] + np.array([[0, 0], [1, 0], [1, 1]])
            # One letter for a whole run, and no space before a minus: a third of the size.
            steps = " ".join(f"{dx} {dy}" for dx, dy in np.diff(flat, axis=0)).replace(" -", "-")
            words.append(f"M{flat[0, 0]} {flat[0, 1]}l{steps}{'Z' if closed else ''}")
    return "".join(words)


def names_of(frame: pd.DataFrame, language_code: str) -> list[str]:
    """Return a name for each region: English readers get the English one, else the other."""
    columns = ["name_en", "name_local"]
    order = columns if language_code == "en" else columns[::-1]
    out = []
    for code, row in zip(frame.index, frame.to_dict("records"), strict=True):
        found = [row.get(c) for c in order]
        out.append(next((n for n in found if isinstance(n, str) and n.strip()), str(code)))
    return out
