"""Lines and polygons out of cells."""

from __future__ import annotations

import numpy as np
import rasterio.features
import shapely
from rasterio.transform import Affine

from geoplan.grid import Grid
from geoplan.sample.place import BoolArray, FloatArray, IntArray

__all__ = ["coverage", "line_through", "outlines", "smooth_line"]


def smooth_line(xy: FloatArray, rounds: int = 2) -> FloatArray:
    """Cut the corners of a line; its ends stay.

    Parameters
    ----------
    xy : ndarray of float, shape (n, 2)
        Points of the line.
    rounds : int
        Times each corner is cut at a quarter and three quarters (Chaikin 1974).
    """
    for _ in range(rounds):
        if len(xy) < 3:
            return xy
        first = 0.75 * xy[:-1] + 0.25 * xy[1:]
        second = 0.25 * xy[:-1] + 0.75 * xy[1:]
        middle = np.stack([first, second], axis=1).reshape(-1, 2)
        xy = np.vstack([xy[:1], middle[1:-1], xy[-1:]])
    return xy


def line_through(cells: IntArray, grid: Grid, *, rounds: int = 2) -> shapely.LineString:
    """Return a smooth line through the centres of flat cell numbers."""
    row, col = np.divmod(np.asarray(cells), grid.cols)
    x, y = grid.centre_xy(row, col)
    return shapely.LineString(smooth_line(np.column_stack([x, y]), rounds))


def outlines(mask: BoolArray, grid: Grid, *, least_cells: int = 1) -> list[shapely.Polygon]:
    """Return one smooth polygon for each 4-connected piece of ``mask``, largest first."""
    found = rasterio.features.shapes(
        mask.astype(np.uint8), mask=mask, transform=Affine(*grid.transform)
    )
    pieces = []
    for geometry, _ in found:
        rings = [np.asarray(r) for r in geometry["coordinates"]]
        polygon = shapely.Polygon(rings[0], rings[1:])
        if polygon.area >= least_cells * grid.cell_m**2:
            pieces.append(_smooth_polygon(polygon, grid.cell_m))
    return sorted(pieces, key=lambda p: (-p.area, p.bounds))


def _smooth_polygon(polygon: shapely.Polygon, cell_m: float) -> shapely.Polygon:
    def ring(coordinates: FloatArray) -> FloatArray:
        for _ in range(2):
            a, b = coordinates[:-1], np.roll(coordinates[:-1], -1, axis=0)
            cut = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
            coordinates = np.vstack([cut, cut[:1]])
        return coordinates

    simple = shapely.simplify(polygon, cell_m * 0.8)
    smooth = shapely.Polygon(
        ring(shapely.get_coordinates(simple.exterior)),
        [ring(shapely.get_coordinates(r)) for r in simple.interiors if r.length > 6 * cell_m],
    )
    valid = shapely.make_valid(smooth)
    parts = [p for p in shapely.get_parts(valid) if p.geom_type == "Polygon"]
    return max(parts, key=lambda p: p.area)


def coverage(labels: IntArray, grid: Grid, *, tolerance_m: float) -> list[shapely.Geometry]:
    """Return polygons of the labels 1..n that tile their union exactly.

    Parameters
    ----------
    labels : ndarray of int, shape (rows, cols)
        Region of each cell; 0 is none.
    grid : Grid
        The cells.
    tolerance_m : float
        Length below which detail of shared boundaries is dropped, m.

    Returns
    -------
    list of Polygon or MultiPolygon
        In order of label. Neighbours share their boundary vertex for vertex.
    """
    count = int(labels.max())
    pieces: list[list[shapely.Polygon]] = [[] for _ in range(count)]
    for geometry, value in rasterio.features.shapes(
        labels.astype(np.int32), mask=labels > 0, transform=Affine(*grid.transform)
    ):
        pieces[int(value) - 1].append(shapely.geometry.shape(geometry))
    # A vertex at every cell: two neighbours then agree also where a third one meets them.
    steps = shapely.segmentize([shapely.MultiPolygon(p) for p in pieces], grid.cell_m)
    simple = shapely.coverage_simplify(steps, tolerance_m)
    return [shapely.normalize(g) for g in simple]
