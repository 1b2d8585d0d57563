"""Where the synthetic country lies, how large it is, and the one source of its randomness."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError
from geoplan.grid import Grid

__all__ = [
    "ANALYSIS_CRS",
    "AS_OF",
    "CADASTRE_CRS",
    "BoolArray",
    "FloatArray",
    "IntArray",
    "Place",
    "Size",
    "place",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Size = Literal["small", "standard"]

ANALYSIS_CRS = "+proj=laea +lat_0=34.2 +lon_0=-28.3 +datum=WGS84 +units=m +no_defs"
"""Lambert azimuthal equal-area, centred on the country. The spot is open ocean: no real place
lies under the invented one."""

CADASTRE_CRS = "EPSG:32626"
"""UTM zone 26N: surveyors deliver the cadastre in it."""

AS_OF = "2024"
"""Year that every invented figure is dated with."""


@dataclass(frozen=True, slots=True)
class Place:
    """The frame in which a country is made.

    Parameters
    ----------
    seed : int
        Zero or greater. One seed gives one country.
    size : {"small", "standard"}
        About 90 × 80 km, or 300 × 260 km.
    grid : Grid
        Grid of the relief, 500 m cells.
    coarse : int
        Relief cells along one side of a cell of the landscape model.
    provinces, counties, districts, villages : int
        How many regions and villages are aimed at.
    population : int
        Inhabitants, all of them living in settlements.
    """

    seed: int
    size: Size
    grid: Grid
    coarse: int
    provinces: int
    counties: int
    districts: int
    villages: int
    population: int

    def rng(self, purpose: str) -> np.random.Generator:
        """Return a generator of its own for ``purpose``.

        One stream per purpose: a change in how towns are drawn leaves the rivers where they are.
        """
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])


def place(seed: int, size: Size) -> Place:
    """Return the frame of a country.

    Raises
    ------
    RangeError
        The seed is negative, or the size is neither ``small`` nor ``standard``.
    """
    if seed < 0:
        raise RangeError(f"seed {seed} is negative", remedy="give a whole number from 0")
    if size == "small":
        grid = Grid(ANALYSIS_CRS, -45_000.0, 40_000.0, 500.0, 160, 180)
        return Place(seed, size, grid, 2, 3, 9, 26, 160, 900_000)
    if size == "standard":
        grid = Grid(ANALYSIS_CRS, -150_000.0, 130_000.0, 500.0, 520, 600)
        return Place(seed, size, grid, 4, 8, 45, 140, 1_100, 6_400_000)
    raise RangeError(f"size '{size}' is unknown", remedy="use 'small' or 'standard'")
