"""Arithmetic on arrays that lie on a :class:`~geoplan.grid.Grid`: no files, no database."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geoplan.raster.burn import RESAMPLING, rasterise, to_grid
    from geoplan.raster.distance import distance_m, within
    from geoplan.raster.surface import dequantise, slope_percent
    from geoplan.raster.zone import density, sum_within, zonal_mean

__all__ = [
    "RESAMPLING",
    "density",
    "dequantise",
    "distance_m",
    "rasterise",
    "slope_percent",
    "sum_within",
    "to_grid",
    "within",
    "zonal_mean",
]

_WHERE = {
    "RESAMPLING": "burn",
    "rasterise": "burn",
    "to_grid": "burn",
    "distance_m": "distance",
    "within": "distance",
    "dequantise": "surface",
    "slope_percent": "surface",
    "density": "zone",
    "sum_within": "zone",
    "zonal_mean": "zone",
}


def __getattr__(name: str) -> object:
    # Compiled loops over vectors use the kernels of this package, and need no raster library.
    if name not in _WHERE:
        raise AttributeError(f"module 'geoplan.raster' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(f"geoplan.raster.{_WHERE[name]}"), name)
