"""``suitability.tif`` and ``decisive.tif``: numbers of every cell as Cloud-Optimised GeoTIFFs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import rasterio
from affine import Affine
from rasterio.io import MemoryFile
from rasterio.shutil import copy as copy_raster

from geoplan.errors import ShapeError
from geoplan.grid import Grid
from geoplan.siting.result import SitingResult

__all__ = ["write_decisive", "write_suitability"]


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
    _write(path, result.suitability, result.grid, "suitability score, 0 to 1")


def write_decisive(path: Path, result: SitingResult) -> None:
    """Write in what part of weight draws each cell is among the best land, float32, 0–1.

    1: whatever the weights; 0: never; between: the weights decide. NaN where land is not allowed.

    Parameters
    ----------
    path : Path
        File to make.
    result : SitingResult
        With ``decisive``.
    """
    if result.decisive is None:
        raise ShapeError("the run drew no weights", where=path.name)
    _write(path, result.decisive, result.grid, "share of weight draws in which it is best land")


def _write(path: Path, score: npt.NDArray[np.float32], grid: Grid, what: str) -> None:
    if score.shape != grid.shape:
        raise ShapeError(f"an array of {score.shape}, the grid is {grid.shape}", where=path.name)
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff", width=grid.cols, height=grid.rows, count=1, dtype="float32",
            crs=grid.crs, transform=Affine(*grid.transform), nodata=float("nan"),
        ) as staged:  # fmt: skip
            staged.write(np.ascontiguousarray(score, dtype=np.float32), 1)
            staged.set_band_description(1, what)
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
