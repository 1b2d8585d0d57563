"""Arithmetic on arrays that lie on a :class:`~geoplan.grid.Grid`: no files, no database."""

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
