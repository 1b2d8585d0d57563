"""Friction: how many times dearer a kilometre is than on flat open ground."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.spread import checked_friction

__all__ = [
    "CONSTRUCTION",
    "coarsening",
    "coarser",
    "construction_friction",
    "walking_friction",
    "with_barriers",
]

Floats = npt.NDArray[np.float32]

CONSTRUCTION: tuple[tuple[float, float], ...] = ((0.0, 1.0), (2.0, 1.4), (8.0, 1.75))
"""Slope from, % → multiplier of the cost of an overhead line: flat, rolling hills (2–8 %),
mountains (above 8 %). Black & Veatch for the Western Electricity Coordinating Council (2014),
"Capital Costs for Transmission and Substations", table of terrain multipliers. Power lines in the
western United States: proposed, not read, for pipelines and for other countries."""


def construction_friction(
    slope_percent: npt.ArrayLike, table: Sequence[tuple[float, float]] = CONSTRUCTION
) -> Floats:
    """Return the construction-cost multiplier of each cell by its slope.

    Parameters
    ----------
    slope_percent : array_like of float, shape (rows, cols), %
        NaN is unknown and stays so.
    table : sequence of (slope, multiplier)
        Slope from which a multiplier holds, rising; the first is for all below. Above 0.

    Returns
    -------
    ndarray of float32, shape (rows, cols), unitless

    Raises
    ------
    RangeError
        The table is empty, its slopes do not rise, or a multiplier is not above 0.
    """
    slope = np.asarray(slope_percent, dtype=np.float32)
    edges = np.array([a for a, _ in table], dtype=np.float64)
    prices = np.array([b for _, b in table], dtype=np.float64)
    if not len(edges) or (np.diff(edges) <= 0).any() or not (prices > 0).all():
        raise RangeError(
            f"a table of slopes and multipliers {list(table)!r}",
            remedy="give [slope %, multiplier] pairs with rising slopes and multipliers above 0",
        )
    at = np.clip(np.searchsorted(edges, slope, side="right") - 1, 0, None)
    out = prices[at].astype(np.float32)
    out[np.isnan(slope)] = np.nan
    return out


def walking_friction(slope_percent: npt.ArrayLike) -> Floats:
    """Return how many times longer a kilometre takes on foot than on flat ground.

    Parameters
    ----------
    slope_percent : array_like of float, shape (rows, cols), %
        Of the steepest descent; NaN is unknown and stays so.

    Returns
    -------
    ndarray of float32, shape (rows, cols), unitless, 1 or more

    Notes
    -----
    Tobler (1993), "Three presentations on geographical analysis and modeling": a speed of
    ``6 exp(−3.5 |s + 0.05|)`` km/h for the slope s = dh/dx. The way is not known beforehand, so
    the pace (h/km) is the mean of going straight up and straight down, over the pace on the flat:
    ``½ (exp(3.5 |s + 0.05|) + exp(3.5 |s − 0.05|)) / exp(3.5 · 0.05)``. A cost in cost-km divided
    by 5.037 km/h is the time of the walk there and back, halved.
    """
    s = np.asarray(slope_percent, dtype=np.float64) / 100.0
    up, down = np.exp(3.5 * np.abs(s + 0.05)), np.exp(3.5 * np.abs(s - 0.05))
    friction: Floats = (0.5 * (up + down) / math.exp(3.5 * 0.05)).astype(np.float32)
    return friction


def with_barriers(friction: Floats, barrier: npt.NDArray[np.bool_]) -> Floats:
    """Return the friction with ``inf`` where ``barrier`` is True, also where it is unknown."""
    if friction.shape != barrier.shape:
        raise ShapeError(f"a barrier of shape {barrier.shape}, a friction of {friction.shape}")
    return np.where(barrier, np.float32(np.inf), friction)


def coarser(friction: npt.ArrayLike, grid: Grid, factor: int) -> tuple[Floats, Grid]:
    """Return a friction on cells ``factor`` times as large, and their grid.

    Parameters
    ----------
    friction : array_like of float, shape (rows, cols), unitless
    grid : Grid
    factor : int
        1 or more; 1 changes nothing.

    Returns
    -------
    friction : ndarray of float32
        Mean of the passable cells in each block; ``inf`` where half of the known cells or more
        are barriers, NaN where no cell is known. Blocks at the lower and right edge may be partly
        outside; only what is inside counts.
    grid : Grid
        Same upper left corner.
    """
    f = checked_friction(friction, grid)
    if factor < 1:
        raise RangeError(f"a factor of {factor}", remedy="give 1 or more")
    if factor == 1:
        return f, grid
    rows, cols = -(-grid.rows // factor), -(-grid.cols // factor)
    wide = np.full((rows * factor, cols * factor), np.nan, np.float32)
    wide[: grid.rows, : grid.cols] = f
    block = wide.reshape(rows, factor, cols, factor)
    open_ = np.isfinite(block)
    passable = open_.sum(axis=(1, 3))
    barred = np.isinf(block).sum(axis=(1, 3))
    total = np.where(open_, block, np.float32(0.0)).sum(axis=(1, 3), dtype=np.float64)
    out = np.full((rows, cols), np.nan, np.float32)
    out[barred > 0] = np.inf
    free = passable > barred
    out[free] = (total[free] / passable[free]).astype(np.float32)
    return out, Grid(grid.crs, grid.x_min, grid.y_max, grid.cell_m * factor, rows, cols)


def coarsening(grid: Grid, max_km: float, *, most_cells: int = 200) -> int:
    """Return the factor for :func:`coarser` that keeps a radius within ``most_cells`` cells."""
    return max(1, math.ceil(max_km * 1000.0 / grid.cell_m / most_cells - 1e-9))
