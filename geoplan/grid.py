"""The analysis grid: one frozen value that says where every cell lies."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError

__all__ = ["Grid"]


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up raster grid of square cells in a metric, equal-area CRS.

    Parameters
    ----------
    crs : str
        Anything that PROJ understands (authority code, PROJ string or WKT).
    x_min, y_max : float
        Upper-left **corner** of the upper-left cell, CRS units (m).
    cell_m : float
        Side of a cell, m. Greater than zero.
    rows, cols : int
        Shape; arrays on this grid have ``shape == (rows, cols)``, row 0 in the north.

    Raises
    ------
    RangeError
        A size is not positive.
    """

    crs: str
    x_min: float
    y_max: float
    cell_m: float
    rows: int
    cols: int

    def __post_init__(self) -> None:
        if not self.cell_m > 0:
            raise RangeError(f"cell size {self.cell_m!r} m is not greater than zero")
        if self.rows < 1 or self.cols < 1:
            raise RangeError(f"a grid of {self.rows} × {self.cols} cells is empty")

    @classmethod
    def covering(
        cls, bounds: tuple[float, float, float, float], *, cell_m: float, crs: str, margin: int = 1
    ) -> Grid:
        """Return the smallest grid that covers ``bounds``, snapped to whole cells.

        Parameters
        ----------
        bounds : tuple of float
            ``(x_min, y_min, x_max, y_max)`` in ``crs`` units (m).
        cell_m : float
            Cell side, m.
        crs : str
            The grid's CRS.
        margin : int
            Extra cells on each side.

        Notes
        -----
        Corners are multiples of ``cell_m``, so two grids of one CRS and cell size line up
        whatever their extent.
        """
        if not cell_m > 0:
            raise RangeError(f"cell size {cell_m!r} m is not greater than zero")
        x_min, y_min, x_max, y_max = bounds
        col0 = math.floor(x_min / cell_m) - margin
        col1 = math.ceil(x_max / cell_m) + margin
        row0 = math.floor(y_min / cell_m) - margin
        row1 = math.ceil(y_max / cell_m) + margin
        return cls(
            crs=crs,
            x_min=col0 * cell_m,
            y_max=row1 * cell_m,
            cell_m=cell_m,
            rows=row1 - row0,
            cols=col1 - col0,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """``(rows, cols)``."""
        return (self.rows, self.cols)

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.rows * self.cols

    @property
    def cell_ha(self) -> float:
        """Area of a cell, ha (m² / 10 000)."""
        return self.cell_m * self.cell_m / 10_000.0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(x_min, y_min, x_max, y_max)`` of the outer cell edges, m."""
        return (
            self.x_min,
            self.y_max - self.rows * self.cell_m,
            self.x_min + self.cols * self.cell_m,
            self.y_max,
        )

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """Affine coefficients ``(a, b, c, d, e, f)``: x = a·col + c, y = e·row + f (corners)."""
        return (self.cell_m, 0.0, self.x_min, 0.0, -self.cell_m, self.y_max)

    def centre_xy(
        self, row: npt.ArrayLike, col: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Return the ``(x, y)`` of cell centres, m."""
        x = self.x_min + (np.asarray(col, dtype=np.float64) + 0.5) * self.cell_m
        y = self.y_max - (np.asarray(row, dtype=np.float64) + 0.5) * self.cell_m
        return x, y

    def row_col(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the ``(row, col)`` of the cells that hold points; may lie outside the grid."""
        col = np.floor((np.asarray(x, dtype=np.float64) - self.x_min) / self.cell_m)
        row = np.floor((self.y_max - np.asarray(y, dtype=np.float64)) / self.cell_m)
        return row.astype(np.int64), col.astype(np.int64)
