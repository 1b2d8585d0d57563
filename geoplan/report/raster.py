"""``suitability.tif``: the score of every cell as a Cloud-Optimised GeoTIFF."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster

from geoplan.errors import ShapeError
from geoplan.siting.result import SitingResult

__all__ = ["write_suitability"]


def write_suitability(path: Path, result: SitingResult) -> None:
    """Write the suitability array, float32, NaN where land is not allowed or data are missing.

    Parameters
    ----------
    path : Path
        File to make.
    result : SitingResult
        Its ``suitability`` (score, 0–1, shape of the grid) and ``grid``.

    Raises
    ------
    ShapeError
        The array does not have the grid's shape.
    """
    grid, score = result.grid, result.suitability
    if score.shape != grid.shape:
        raise ShapeError(f"suitability is {score.shape}, the grid is {grid.shape}", where=path.name)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=grid.cols, height=grid.rows, count=1, dtype="float32",
            crs=grid.crs, transform=Affine(*grid.transform), nodata=float("nan"),
        ) as staged:  # fmt: skip
            staged.write(np.ascontiguousarray(score, dtype=np.float32), 1)
            staged.set_band_description(1, "suitability score, 0 to 1")
        with (
            rasterio.Env(GDAL_NUM_THREADS="2"),
            memory.open() as staged,
            MemoryFile(ext=".tif") as finished,
        ):
            copy_raster(
                staged, finished.name, driver="COG", compress="DEFLATE", predictor="YES",
                blocksize=512, overview_resampling="AVERAGE", overviews="AUTO",
            )  # fmt: skip
            # On a full disk GDAL leaves a short file and says nothing; Python does.
            path.write_bytes(finished.read())
