"""Read a stored Cloud-Optimised GeoTIFF, or just the part that a grid needs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt
import rasterio
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rasterio.windows import Window, from_bounds

from geoplan.errors import FileMissing, InputError
from geoplan.grid import Grid

__all__ = ["RasterBand", "read_cog"]

_MARGIN_PX = 4
"""Pixels read round the grid, so that interpolation at its edge has neighbours."""


@dataclass(frozen=True)
class RasterBand:
    """One band of a raster file in memory."""

    array: npt.NDArray[Any]
    transform: tuple[float, float, float, float, float, float]
    crs: str
    nodata: float | None


def read_cog(path: str | Path, *, window: Grid | None = None) -> RasterBand:
    """Return the first band of a stored raster.

    Parameters
    ----------
    path : str or Path
        A GeoTIFF that GeoPlan wrote.
    window : Grid, optional
        Read only what covers this grid.

    Raises
    ------
    FileMissing
        The file is gone; the remedy says how to load the layer again.
    InputError
        The file is damaged.
    """
    file = Path(path)
    if not file.is_file():
        raise FileMissing(
            "a stored raster is gone",
            where=str(file),
            remedy="load the pack again with --force; rasters lie beside the database",
        )
    try:
        with rasterio.open(file) as source:
            part: Window | None = None
            if window is not None:
                bounds = transform_bounds(window.crs, source.crs, *window.bounds, densify_pts=51)
                wanted = from_bounds(*bounds, transform=source.transform)
                grown = (
                    Window(
                        wanted.col_off - _MARGIN_PX,
                        wanted.row_off - _MARGIN_PX,
                        wanted.width + 2 * _MARGIN_PX,
                        wanted.height + 2 * _MARGIN_PX,
                    )
                    .round_offsets(op="floor")
                    .round_lengths(op="ceil")
                )
                whole = Window(0, 0, source.width, source.height)
                if not rasterio.windows.intersect(grown, whole):
                    raise InputError(
                        "a raster does not reach the search area",
                        where=str(file),
                        remedy="load a raster that covers it, or choose another area",
                    )
                part = grown.intersection(whole)
            array = source.read(1, window=part)
            affine = source.window_transform(part) if part is not None else source.transform
            return RasterBand(array, tuple(affine)[:6], source.crs.to_wkt(), source.nodata)
    except RasterioError as error:
        raise InputError(
            f"a stored raster cannot be read: {error}",
            where=str(file),
            remedy="load the pack again with --force",
        ) from error
