"""Read rasters and write Cloud-Optimised GeoTIFFs."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster

from geoplan.errors import CrsProblem, DiskFull, EmptyLayer, InputError, RangeError
from geoplan.ingest.vector import parse_crs

__all__ = [
    "RASTER_SUFFIXES",
    "RasterFile",
    "Surface",
    "read_raster",
    "sample",
    "statistics",
    "write_cog",
]

RASTER_SUFFIXES = (".tif", ".tiff")
"""File names that are read as rasters."""

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
_MAX_CELLS = 2_000_000_000


@dataclass
class Surface:
    """A raster in memory.

    Parameters
    ----------
    values : ndarray, shape (rows, cols)
        Float data have NaN where there is none; classes keep their own type.
    crs : str
    transform : tuple of float
        ``(a, b, c, d, e, f)`` of cell corners.
    nodata : float or None
        Value of classes without data; ``None`` for float data, where it is NaN.
    """

    values: npt.NDArray[Any]
    crs: str
    transform: tuple[float, float, float, float, float, float]
    nodata: float | None


@dataclass(frozen=True)
class RasterFile:
    """A Cloud-Optimised GeoTIFF as it lies in the raster folder, or will after the load."""

    path: Path
    staged: Path
    sha256: str
    crs: str
    width: int
    height: int
    transform: tuple[float, float, float, float, float, float]
    dtype: str
    nodata: float | None
    stats: dict[str, Any]


def read_raster(
    path: Path, *, crs: str | None = None, where: str = "", categorical: bool = False
) -> Surface:
    """Read the first band of a GeoTIFF.

    Raises
    ------
    InputError, CrsProblem, EmptyLayer, RangeError
        Not a GeoTIFF, several bands, no CRS, no cell with data, too large.
    """
    where = where or path.name
    with path.open("rb") as stream:
        magic = stream.read(4)
    if path.suffix.lower() not in RASTER_SUFFIXES or magic not in _MAGIC:
        raise InputError(
            "this is not a GeoTIFF", where=where, remedy="deliver rasters as GeoTIFF (.tif)"
        )
    try:
        with rasterio.open(path, driver="GTiff") as source:
            if source.width * source.height > _MAX_CELLS:
                raise RangeError(
                    f"{source.width:,} × {source.height:,} cells; the limit is {_MAX_CELLS:,}",
                    where=where,
                    remedy="deliver it in tiles or coarser",
                )
            if source.count != 1:
                raise InputError(
                    f"the raster has {source.count} bands", where=where, remedy="deliver one band"
                )
            if source.crs is None and crs is None:
                raise CrsProblem(
                    "the raster does not say its coordinate reference system",
                    where=where,
                    remedy="name it in the pack: crs: EPSG:…",
                )
            stated = (
                source.crs.to_wkt() if source.crs else parse_crs(crs or "", where=where).to_wkt()
            )
            epsg = source.crs.to_epsg() if source.crs else None
            band = source.read(1)
            nodata = source.nodata
            t = source.transform
    except RasterioError as error:
        raise InputError(
            f"the raster cannot be read: {str(error)[:200]}",
            where=where,
            remedy="deliver it again; it may be cut off or damaged",
        ) from error
    if t.is_identity:
        raise CrsProblem(
            "the raster does not say where it lies", where=where, remedy="georeference it"
        )
    if not categorical:
        lost = ~np.isfinite(band) if band.dtype.kind == "f" else np.zeros(band.shape, bool)
        if nodata is not None and np.isfinite(nodata):
            lost |= band == nodata
        band = band.astype(np.float32)
        band[lost] = np.nan
        nodata = None
        if bool(lost.all()):
            raise EmptyLayer("no cell of the raster has data", where=where)
    return Surface(band, f"EPSG:{epsg}" if epsg else stated, (t.a, t.b, t.c, t.d, t.e, t.f), nodata)


def statistics(surface: Surface, *, categorical: bool) -> dict[str, Any]:
    """Return minimum, maximum, mean and counts of a raster, or its classes with their counts."""
    values = surface.values
    if categorical:
        found, counts = np.unique(values, return_counts=True)
        return {
            "cells": int(values.size),
            "classes": {str(int(k)): int(v) for k, v in zip(found, counts, strict=True)},
        }
    data = values[np.isfinite(values)]
    return {
        "cells": int(values.size),
        "missing": int(values.size - data.size),
        "min": float(data.min()),
        "max": float(data.max()),
        "mean": float(data.mean(dtype=np.float64)),
    }


def write_cog(
    surface: Surface, folder: Path, name: str, *, categorical: bool, unit: str | None
) -> RasterFile:
    """Write a Cloud-Optimised GeoTIFF beside its final place; ``publish`` renames it.

    Raises
    ------
    DiskFull
        There is no space left.
    """
    values = surface.values
    nodata = surface.nodata if categorical else float("nan")
    profile = {
        "driver": "GTiff",
        "width": values.shape[1],
        "height": values.shape[0],
        "count": 1,
        "dtype": values.dtype.name,
        "crs": surface.crs,
        "transform": rasterio.Affine(*surface.transform),
        "nodata": nodata,
    }
    final = folder / f"{name}.tif"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with MemoryFile() as memory, MemoryFile(ext=".tif") as finished:
            with memory.open(**profile) as sink:
                sink.write(values, 1)
                if unit:
                    sink.units = (unit,)
            with memory.open() as source:
                copy_raster(
                    source,
                    finished.name,
                    driver="COG",
                    compress="DEFLATE",
                    level=6,
                    predictor="YES",
                    blocksize=512,
                    overview_resampling="nearest" if categorical else "average",
                    num_threads=2,
                )
            content = finished.read()
        # On a full disk GDAL leaves a short file and says nothing; Python does.
        handle, temporary = tempfile.mkstemp(prefix=f".{name[:12]}-", suffix=".part", dir=folder)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        digest = hashlib.sha256(content).hexdigest()
        Path(temporary).chmod(0o644)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull(
                "no space is left for the raster", where=str(folder), remedy="free some space"
            ) from error
        raise InputError(f"the raster cannot be written: {error}", where=str(folder)) from error
    except RasterioError as error:
        raise InputError(f"the raster cannot be written: {error}", where=str(folder)) from error
    return RasterFile(
        path=final,
        staged=Path(temporary),
        sha256=digest,
        crs=surface.crs,
        width=values.shape[1],
        height=values.shape[0],
        transform=surface.transform,
        dtype=values.dtype.name,
        nodata=nodata,
        stats=statistics(surface, categorical=categorical),
    )


def sample(surface: Surface, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the value of the cell that holds each point (x, y in the raster's CRS), else NaN."""
    a, _, c, _, e, f = surface.transform
    col = np.floor((points[:, 0] - c) / a)
    row = np.floor((points[:, 1] - f) / e)
    rows, cols = surface.values.shape
    good = np.isfinite(row) & np.isfinite(col)
    good &= (row >= 0) & (row < rows) & (col >= 0) & (col < cols)
    out = np.full(len(points), np.nan)
    out[good] = surface.values[row[good].astype(int), col[good].astype(int)]
    if surface.nodata is not None:
        out[out == surface.nodata] = np.nan
    return out
