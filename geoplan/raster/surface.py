"""Terrain: slope, and the surface behind a stepped elevation model."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["dequantise", "slope_percent"]


@kernel
def _slope_rows(
    z: npt.NDArray[np.float32],
    out: npt.NDArray[np.float32],
    cell_m: float,
    start: int,
    stop: int,
) -> None:
    rows, cols = z.shape
    for r in range(start, stop):
        for c in range(cols):
            centre = z[r, c]
            if np.isnan(centre):
                out[r, c] = np.float32(np.nan)
                continue
            # each of three parallel lines gives a difference: central where both ends are known,
            # one-sided where one is; Horn's weights 1, 2, 1 are shared among those that exist
            rise_x = 0.0
            weight_x = 0.0
            rise_y = 0.0
            weight_y = 0.0
            for k in range(-1, 2):
                w = 2.0 if k == 0 else 1.0
                i = r + k
                if 0 <= i < rows:
                    a = z[i, c - 1] if c > 0 else np.float32(np.nan)
                    m = z[i, c]
                    b = z[i, c + 1] if c < cols - 1 else np.float32(np.nan)
                    d = _difference(a, m, b)
                    if not np.isnan(d):
                        rise_x += w * d
                        weight_x += w
                j = c + k
                if 0 <= j < cols:
                    a = z[r - 1, j] if r > 0 else np.float32(np.nan)
                    m = z[r, j]
                    b = z[r + 1, j] if r < rows - 1 else np.float32(np.nan)
                    d = _difference(a, m, b)
                    if not np.isnan(d):
                        rise_y += w * d
                        weight_y += w
            if weight_x > 0.0 and weight_y > 0.0:
                gx = rise_x / weight_x / cell_m
                gy = rise_y / weight_y / cell_m
                out[r, c] = np.float32(100.0 * math.sqrt(gx * gx + gy * gy))
            else:
                out[r, c] = np.float32(np.nan)


@kernel
def _difference(a: Any, m: Any, b: Any) -> Any:
    """Rise per cell from three heights in line; NaN when no two neighbours are known."""
    if np.isnan(a):
        return np.float64(b) - np.float64(m)
    if np.isnan(b):
        return np.float64(m) - np.float64(a)
    return (np.float64(b) - np.float64(a)) / 2.0


def slope_percent(
    z: npt.NDArray[np.floating], grid: Grid, *, threads: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the steepest slope.

    Parameters
    ----------
    z : ndarray of float, shape (rows, cols), m
        Elevation; NaN is missing.
    grid : Grid
        Gives the cell size, m.

    Returns
    -------
    ndarray of float32, shape (rows, cols), %
        100 · rise / run. NaN where the elevation is missing, or where no neighbour is known in
        one of the two directions.

    Notes
    -----
    Horn (1981): differences along three lines weighted 1, 2, 1. Where a neighbour is missing or
    beyond the edge, the difference along that line is one-sided, and lines without two known
    neighbours give their weight to the others, so that a plane has its own slope everywhere.
    """
    if z.shape != grid.shape:
        raise ShapeError(f"an elevation of shape {z.shape} does not lie on a grid {grid.shape}")
    height = np.ascontiguousarray(z, dtype=np.float32)
    out = np.empty(grid.shape, dtype=np.float32)
    over_blocks(
        lambda a, b: _slope_rows(height, out, grid.cell_m, a, b), grid.rows, threads=threads
    )
    return out


@kernel
def _smooth_rows(
    now: npt.NDArray[np.float32],
    known: npt.NDArray[np.float32],
    low: npt.NDArray[np.float32],
    half: float,
    after: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    rows, cols = now.shape
    total = np.zeros(cols + 2, np.float32)
    count = np.zeros(cols + 2, np.float32)
    reach = np.float32(2.0 * half)
    for r in range(start, stop):
        for c in range(cols):
            total[c + 1] = now[r, c]
            count[c + 1] = known[r, c]
        if r > 0:
            for c in range(cols):
                total[c + 1] += now[r - 1, c]
                count[c + 1] += known[r - 1, c]
        if r < rows - 1:
            for c in range(cols):
                total[c + 1] += now[r + 1, c]
                count[c + 1] += known[r + 1, c]
        for c in range(cols):
            s = total[c] + total[c + 1] + total[c + 2]
            n = count[c] + count[c + 1] + count[c + 2]
            # `low` is −inf where the value is kept: missing cells and the sea
            fixed = low[r, c] == np.float32(-np.inf)
            mean = min(max(s / max(n, np.float32(1.0)), low[r, c]), low[r, c] + reach)
            after[r, c] = now[r, c] if fixed else mean


def dequantise(
    z: npt.NDArray[np.floating],
    step: float,
    *,
    iterations: int = 100,
    keep: npt.NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return a smooth surface that rounds to the stepped one.

    Parameters
    ----------
    z : ndarray of float, shape (rows, cols)
        Values stored in whole steps (terraces); NaN is missing and stays NaN.
    step : float, same unit
        Height of a step, greater than zero.
    iterations : int
        Passes, 0 or more. A terrace of width n cells is bridged after about n² / 4 passes.
    keep : ndarray of bool, shape (rows, cols), optional
        Cells that do not move. Default: those of value 0, as the sea is stored.

    Returns
    -------
    ndarray of float32, shape (rows, cols)
        Never farther than ``step / 2`` from ``z``.

    Notes
    -----
    The rule, each pass: a cell becomes the mean of the known cells among itself and its eight
    neighbours, then is brought back into ``z ± step / 2``. It is diffusion under the only thing
    that a stepped value says: that the truth rounds to it. Slopes on wide terraces become those
    of the ramp between their edges instead of zero with cliffs between.
    """
    if not (step > 0 and math.isfinite(step)):
        raise RangeError(f"a step of {step!r}", remedy="give the height of a step, above 0")
    if iterations < 0:
        raise RangeError(f"{iterations} passes", remedy="give 0 or more")
    if z.ndim != 2:
        raise ShapeError(f"a surface of shape {z.shape}; (rows, cols) is needed")
    stored = np.ascontiguousarray(z, dtype=np.float32)
    missing = np.isnan(stored)
    still = (stored == 0) if keep is None else keep
    if still.shape != stored.shape:
        raise ShapeError(f"'keep' has shape {still.shape}, the surface {stored.shape}")
    known = (~missing).astype(np.float32)
    half = float(step) / 2.0
    low = np.where(missing | still, np.float32(-np.inf), stored - np.float32(half))
    now = np.where(missing, np.float32(0.0), stored)
    after = np.empty_like(now)
    for _ in range(iterations):
        work = partial(_smooth_rows, now, known, low, half, after)
        over_blocks(work, now.shape[0], threads=threads)
        now, after = after, now
    now[missing] = np.nan
    return now
