"""From geometries and foreign rasters to arrays on a grid."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from rasterio import features, warp
from rasterio.enums import Resampling
from rasterio.errors import CRSError
from rasterio.transform import Affine

from geoplan.errors import CrsProblem, RangeError, ShapeError, UnknownName
from geoplan.grid import Grid

__all__ = ["RESAMPLING", "rasterise", "to_grid"]

RESAMPLING = ("nearest", "bilinear", "cubic", "average", "mode", "min", "max", "med", "sum")
"""Names that ``to_grid`` knows. ``average`` for measures, ``mode`` or ``nearest`` for classes."""


def rasterise(
    geoms: Iterable[Any],
    grid: Grid,
    *,
    values: Sequence[Any] | npt.NDArray[Any] | None = None,
    all_touched: bool = False,
    fill: float = 0,
    dtype: npt.DTypeLike = np.bool_,
) -> npt.NDArray[Any]:
    """Return an array with the geometries burnt in.

    Parameters
    ----------
    geoms : iterable of shapely geometry
        In the CRS of ``grid``. Missing and empty ones are left out.
    grid : Grid
    values : sequence of number, optional
        One per geometry; where several meet, the last one wins. Absent: 1 (True).
    all_touched : bool
        Every cell that a line or polygon touches; else those whose centre it covers (polygons)
        or that the line's Bresenham path crosses. A point always burns the cell that holds it.
    fill : number
        Value elsewhere.
    dtype : dtype
        Of the result; ``bool`` gives a mask.

    Returns
    -------
    ndarray of dtype, shape (rows, cols)

    Raises
    ------
    ShapeError
        Not as many values as geometries.
    RangeError
        A value does not fit into ``dtype``.
    """
    shapes = np.asarray(list(geoms), dtype=object)
    given = np.ones(len(shapes)) if values is None else np.asarray(values)
    if len(given) != len(shapes):
        raise ShapeError(f"{len(given)} values for {len(shapes)} geometries")
    kind = np.dtype(dtype)
    held = np.dtype(np.uint8) if kind == np.bool_ else kind
    if held.kind in "iu" and len(given):
        room = np.iinfo(held)
        # scan conversion would cut them off without a word
        bad = given[~((given >= room.min) & (given <= room.max))]
        if len(bad):
            raise RangeError(
                f"value {bad[0]} does not fit into {held.name}",
                remedy="number the features from 0, or take a wider type",
            )
    out = np.full(grid.shape, fill, dtype=held)
    usable = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    shapes, given = shapes[usable], given[usable]
    if len(shapes):
        if (shapely.get_type_id(shapes) == 0).all():
            # points need no scan conversion: a million of them take a tenth of a second
            row, col = grid.row_col(shapely.get_x(shapes), shapely.get_y(shapes))
            inside = (row >= 0) & (row < grid.rows) & (col >= 0) & (col < grid.cols)
            out[row[inside], col[inside]] = given[inside].astype(held)
        else:
            features.rasterize(
                zip(shapes, given.tolist(), strict=True),
                out=out,
                transform=Affine(*grid.transform),
                all_touched=all_touched,
            )
    return out.view(np.bool_) if kind == np.bool_ else out


def to_grid(
    array: npt.NDArray[Any],
    *,
    transform: tuple[float, float, float, float, float, float],
    crs: str,
    nodata: float | None,
    grid: Grid,
    resampling: str = "average",
) -> npt.NDArray[np.float32]:
    """Return a raster warped onto the grid.

    Parameters
    ----------
    array : ndarray, shape (source rows, source cols)
    transform : tuple of 6 float
        Affine coefficients ``(a, b, c, d, e, f)`` of the source.
    crs : str
        CRS of the source.
    nodata : float or None
        Value that means missing. NaN is always missing.
    grid : Grid
    resampling : str
        One of :data:`RESAMPLING`.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        NaN outside the source and where data are missing.

    Raises
    ------
    UnknownName
        ``resampling`` is unknown.
    CrsProblem
        A CRS cannot be read or the two cannot be joined.
    """
    if array.ndim != 2:
        raise ShapeError(f"a raster of shape {array.shape}; one band (rows, cols) is needed")
    if resampling not in RESAMPLING:
        raise UnknownName(
            f"resampling {resampling!r} is unknown", remedy=f"use one of {', '.join(RESAMPLING)}"
        )
    source = array.astype(np.float32, copy=array.dtype == np.bool_)
    if nodata is not None and not np.isnan(nodata):
        gone = array == np.asarray(nodata).astype(array.dtype)
        if gone.any():
            source = np.where(gone, np.float32(np.nan), source)
    out = np.full(grid.shape, np.nan, dtype=np.float32)
    try:
        warp.reproject(
            np.ascontiguousarray(source),
            out,
            src_transform=Affine(*transform),
            src_crs=crs,
            src_nodata=np.nan,
            dst_transform=Affine(*grid.transform),
            dst_crs=grid.crs,
            dst_nodata=np.nan,
            resampling=Resampling[resampling],
            num_threads=1,
            warp_mem_limit=256,
        )
    except CRSError as error:
        raise CrsProblem(
            f"cannot go from {crs!r} to {grid.crs!r}: {error}",
            remedy="give the source's CRS as an authority code or WKT",
        ) from error
    return out
