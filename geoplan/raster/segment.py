"""Geometries as straight pieces in units of cells, for loops that must be exact at every edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.errors import RangeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel

__all__ = ["ROWS", "Segments", "by_block", "polygons", "segments"]

ROWS = 32
"""Rows of one block: its counters stay in a processor's cache on a national grid."""

_POINT, _POLYGON, _MULTI = 0, 3, 4


@dataclass(frozen=True, slots=True)
class Segments:
    """Points (of no length), pieces of lines and edges of polygons.

    Parameters
    ----------
    x0, y0, x1, y1 : ndarray of float64, shape (segments,)
        Ends, in cells from the upper left corner of the grid; y grows downwards.
    ring : ndarray of bool, shape (segments,)
        True for an edge of a polygon. Shells run one way round and holes the other, so that the
        signed crossings left of a place add up to the number of polygons that hold it.
    """

    x0: npt.NDArray[np.float64]
    y0: npt.NDArray[np.float64]
    x1: npt.NDArray[np.float64]
    y1: npt.NDArray[np.float64]
    ring: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.x0)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Segments:
        """Return some of them."""
        return Segments(
            self.x0[which], self.y0[which], self.x1[which], self.y1[which], self.ring[which]
        )


def segments(geoms: Iterable[Any], grid: Grid, *, reach_m: float = 0.0) -> Segments:
    """Return the geometries that come within reach of the grid, as pieces.

    Parameters
    ----------
    geoms : iterable of shapely geometry
        In the CRS of ``grid``, of any type; missing and empty ones are left out. A polygon that
        crosses itself is mended first.
    grid : Grid
    reach_m : float, m
        Pieces farther than this from the grid are left out. Those within reach **outside** the
        grid stay: a town beyond the border has its setback on this side too.

    Raises
    ------
    RangeError
        A coordinate is not finite.
    """
    shapes = _parts(np.asarray(list(geoms), dtype=object))
    box = shapely.bounds(shapes).reshape(-1, 4)
    if not np.isfinite(box).all():
        raise RangeError(
            f"{int((~np.isfinite(box)).any(axis=1).sum())} features have coordinates that are not "
            "finite on the grid",
            remedy="correct the layer's CRS, or leave out the features that lie outside it",
        )
    x_min, y_min, x_max, y_max = grid.bounds
    near = (
        (box[:, 0] <= x_max + reach_m)
        & (box[:, 2] >= x_min - reach_m)
        & (box[:, 1] <= y_max + reach_m)
        & (box[:, 3] >= y_min - reach_m)
    )
    shapes = shapes[near]
    kind = shapely.get_type_id(shapes)
    areas = polygons(shapes[kind == _POLYGON])
    rings = shapely.get_rings(shapely.orient_polygons(areas)) if len(areas) else areas
    points = shapely.get_coordinates(shapes[kind == _POINT])
    lines, a, b = _pieces(shapes[(kind != _POINT) & (kind != _POLYGON)])
    edges, c, d = _pieces(rings)
    start = np.concatenate([points, lines[a], edges[c]])
    end = np.concatenate([points, lines[b], edges[d]])
    ring = np.zeros(len(start), dtype=np.bool_)
    ring[len(points) + len(a) :] = True
    found = Segments(
        (start[:, 0] - x_min) / grid.cell_m,
        (y_max - start[:, 1]) / grid.cell_m,
        (end[:, 0] - x_min) / grid.cell_m,
        (y_max - end[:, 1]) / grid.cell_m,
        ring,
    )
    reach = reach_m / grid.cell_m
    keep = (
        (np.minimum(found.y0, found.y1) <= grid.rows + reach)
        & (np.maximum(found.y0, found.y1) >= -reach)
        & (np.minimum(found.x0, found.x1) <= grid.cols + reach)
        # An edge left of the grid still says that what lies right of it is inside.
        & (found.ring | (np.maximum(found.x0, found.x1) >= -reach))
    )
    return found.chosen(keep)


def _parts(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    while len(shapes) and (shapely.get_type_id(shapes) >= _MULTI).any():
        shapes = shapely.get_parts(shapes)
    found: npt.NDArray[Any] = shapes[~shapely.is_empty(shapes)]
    return found


def polygons(shapes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the polygons among geometries of any type, each valid; those that are not are mended.

    Parameters
    ----------
    shapes : ndarray of shapely geometry
        Missing and empty ones are left out, collections are taken apart.
    """
    shapes = _parts(shapes)
    found: npt.NDArray[Any] = shapes[shapely.get_type_id(shapes) == _POLYGON]
    bad = ~shapely.is_valid(found)
    if not bad.any():
        return found
    mended = _parts(shapely.make_valid(found[bad], method="structure", keep_collapsed=False))
    return np.concatenate([found[~bad], mended[shapely.get_type_id(mended) == _POLYGON]])


def _pieces(
    lines: npt.NDArray[Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return coordinates, and the numbers of the first and last of each piece."""
    xy, of = shapely.get_coordinates(lines, return_index=True)
    first = np.flatnonzero(of[1:] == of[:-1])
    return xy, first, first + 1


@kernel
def _count_rows(
    y0: npt.NDArray[np.float64],
    y1: npt.NDArray[np.float64],
    reach: float,
    rows: int,
    size: int,
    begin: npt.NDArray[np.int64],
) -> None:
    for k in range(len(y0)):
        a = max(int(np.floor(min(y0[k], y1[k]) - reach)) - 1, 0) // size
        b = min(int(np.floor(max(y0[k], y1[k]) + reach)) + 1, rows - 1) // size
        for block in range(a, b + 1):
            begin[block + 1] += 1


@kernel
def _fill_rows(
    y0: npt.NDArray[np.float64],
    y1: npt.NDArray[np.float64],
    reach: float,
    rows: int,
    size: int,
    place: npt.NDArray[np.int64],
    order: npt.NDArray[np.int32],
) -> None:
    for k in range(len(y0)):
        a = max(int(np.floor(min(y0[k], y1[k]) - reach)) - 1, 0) // size
        b = min(int(np.floor(max(y0[k], y1[k]) + reach)) + 1, rows - 1) // size
        for block in range(a, b + 1):
            order[place[block]] = k
            place[block] += 1


def by_block(
    pieces: Segments, rows: int, *, reach: float, size: int = ROWS
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Return which pieces come within ``reach`` of each block of rows.

    Parameters
    ----------
    pieces : Segments
    rows : int
        Rows of the grid.
    reach : float, cells
    size : int
        Rows of one block.

    Returns
    -------
    begin : ndarray of int64, shape (blocks + 1,)
    order : ndarray of int32
        Pieces of block k, ascending: ``order[begin[k]:begin[k + 1]]``.
    """
    begin = np.zeros(-(-rows // size) + 1, dtype=np.int64)
    _count_rows(pieces.y0, pieces.y1, reach, rows, size, begin)
    np.cumsum(begin, out=begin)
    order = np.empty(int(begin[-1]), dtype=np.int32)
    _fill_rows(pieces.y0, pieces.y1, reach, rows, size, begin[:-1].copy(), order)
    return begin, order
