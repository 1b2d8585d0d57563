"""A grid in strips of whole rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geoplan.grid import Grid
from geoplan.raster.zone import _disk_rows

__all__ = ["CELLS_PER_STRIP", "Strip", "in_strips", "sum_within_strip"]

CELLS_PER_STRIP = 1 << 23
"""Cells of a strip unless told otherwise: 32 MiB for each measure that is alive."""


@dataclass(frozen=True, slots=True)
class Strip:
    """Rows ``start`` to ``stop`` (not included) of a grid, the ``index``-th strip."""

    index: int
    start: int
    stop: int

    def of(self, grid: Grid) -> Grid:
        """Return the strip as a grid of its own."""
        return replace(
            grid, y_max=grid.y_max - self.start * grid.cell_m, rows=self.stop - self.start
        )


def in_strips(grid: Grid, *, rows: int = 0) -> tuple[Strip, ...]:
    """Return the strips of a grid, from the north.

    Parameters
    ----------
    grid : Grid
    rows : int
        Rows of a strip; 0 takes as many as make :data:`CELLS_PER_STRIP`.
    """
    high = rows if rows > 0 else max(1, CELLS_PER_STRIP // grid.cols)
    return tuple(
        Strip(k, start, min(start + high, grid.rows))
        for k, start in enumerate(range(0, grid.rows, high))
    )


def sum_within_strip(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    *,
    radius_m: float,
    grid: Grid,
    strip: Strip,
) -> npt.NDArray[np.float32]:
    """Return a strip's rows of :func:`geoplan.raster.sum_within`, the same bytes.

    Parameters
    ----------
    x, y, weights : ndarray of float64, shape (points,)
        All points, also those far from the strip: their total sets the unit of the sum. Checked
        before.
    radius_m : float
    grid : Grid
        The whole grid: distances are measured from its corner, not from the strip's, as moving
        the corner would round them anew.
    strip : Strip
    """
    out = np.zeros((strip.stop - strip.start, grid.cols), dtype=np.float32)
    total = float(weights.sum())
    if total == 0.0:
        return out
    unit = float(np.ldexp(1.0, int(np.frexp(total)[1]) - 61))
    row_y = (grid.y_max - y) / grid.cell_m
    col_x = (x - grid.x_min) / grid.cell_m
    order = np.lexsort((col_x, row_y))
    mass = np.rint(weights[order] / unit).astype(np.int64)
    # one row in memory that answers to every row number of the grid
    row = np.zeros(grid.cols, dtype=np.float32)
    every = np.lib.stride_tricks.as_strided(row, (strip.stop, grid.cols), (0, 4))
    px, py, reach = col_x[order], row_y[order], radius_m / grid.cell_m
    for r in range(strip.start, strip.stop):
        _disk_rows(px, py, mass, reach, unit, every, r, r + 1)
        out[r - strip.start] = row
    return out
