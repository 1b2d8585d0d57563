"""Least-cost distance and paths over terrain.

A step between neighbouring cell centres costs its length times the mean friction of the cells
that it crosses. Friction is a multiplier without unit: 1 is flat open ground, so a cost is in
cost-km, the length of flat ground that would cost the same. ``inf`` is a barrier; NaN is
unknown, is not crossed either, and stays unknown in the result.

Steps go to 8 neighbours, or to 16 with the knight's moves. A path can only follow those
directions, so on open ground a distance is never below the straight one and at most
1 / cos(22.5°) = 1.0824 times it with 8 neighbours (octile distance), and 1 / cos(½ atan ½) =
1.0275 times it with 16. A diagonal does not slip between two barriers that meet at a corner, so
a barrier line of cells that touch by corners holds. Cost is the same in both directions.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.errors import EmptyLayer, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.raster.spread import METRIC_BOUND, checked_friction, ring, spread, steps_to

__all__ = [
    "METRIC_BOUND",
    "cost_distance",
    "least_cost_path",
    "route_lengths",
]

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

_NO_CELLS = np.empty((0, 2), np.int64)


def cost_distance(
    friction: npt.ArrayLike,
    grid: Grid,
    present: npt.NDArray[np.bool_],
    *,
    neighbours: int = 8,
    max_cost_km: float = math.inf,
) -> npt.NDArray[np.float32]:
    """Return the accumulated cost from each cell to the nearest present cell by cost.

    Parameters
    ----------
    friction : array_like of float, shape (rows, cols), unitless
        Above 0; 1 is flat open ground, ``inf`` a barrier, NaN unknown.
    grid : Grid
    present : ndarray of bool, shape (rows, cols)
        Where the way may start. Present cells that are a barrier or unknown start nothing.
    neighbours : {8, 16}
        See :data:`METRIC_BOUND`.
    max_cost_km : float, cost-km
        Cells beyond are ``inf``.

    Returns
    -------
    ndarray of float32, shape (rows, cols), cost-km
        0 on present cells, ``inf`` on barriers and where no way leads, NaN where the friction is
        unknown.

    Raises
    ------
    ShapeError
        An array is not on ``grid``.
    RangeError
        A friction of 0 or less, or another number of neighbours.

    Notes
    -----
    Dijkstra (1959) with buckets (Dial 1969); the cost of a step as in Douglas (1994): its length
    times the mean friction of the cells crossed. One thread, a fixed order: the same bits on every
    run. Sums are in float64.
    """
    f = checked_friction(friction, grid)
    if present.shape != grid.shape:
        raise ShapeError(f"a mask of shape {present.shape} does not lie on a grid {grid.shape}")
    width, buckets = ring(f)
    km = grid.cell_m / 1000.0
    framed, _, _ = spread(
        f,
        np.argwhere(present),
        _NO_CELLS,
        steps_to(neighbours),
        width,
        buckets,
        max_cost_km / km,
        False,
    )
    framed *= km
    out: npt.NDArray[np.float32] = framed[2:-2, 2:-2].astype(np.float32)
    out[out < 0] = np.inf
    out[np.isnan(f)] = np.nan
    return out


def least_cost_path(
    friction: npt.ArrayLike,
    grid: Grid,
    start: tuple[int, int],
    end: tuple[int, int],
    *,
    neighbours: int = 8,
) -> tuple[list[tuple[int, int]], float, float]:
    """Return the cheapest way between two cells.

    Parameters
    ----------
    friction : array_like of float, shape (rows, cols), unitless
        As in :func:`cost_distance`.
    grid : Grid
    start, end : tuple of int
        ``(row, col)``.
    neighbours : {8, 16}

    Returns
    -------
    cells : list of (row, col)
        From ``start`` to ``end``, both included.
    route_km : float, km
        Length of the way.
    cost_km : float, cost-km
        Its cost.

    Raises
    ------
    RangeError
        A cell lies outside the grid.
    EmptyLayer
        No way leads from one to the other.
    """
    f = checked_friction(friction, grid)
    for name, (row, col) in (("start", start), ("end", end)):
        if not (0 <= row < grid.rows and 0 <= col < grid.cols):
            raise RangeError(
                f"the {name} cell ({row}, {col}) is outside a grid {grid.shape}",
                remedy="give a row and column of the grid",
            )
    steps = steps_to(neighbours)
    width, buckets = ring(f)
    framed = spread(f, np.array([start]), np.array([end]), steps, width, buckets, math.inf, True)
    cost, length, back = (part[2:-2, 2:-2] for part in framed)
    if not 0.0 <= cost[end] < math.inf:
        raise EmptyLayer(
            f"no way leads from cell {start} to cell {end}: barriers or unknown ground lie between",
            remedy="take a barrier out, or fill the friction",
        )
    cells = [end]
    while cells[-1] != start:
        row, col = cells[-1]
        dr, dc = steps[back[row, col]]
        cells.append((row - int(dr), col - int(dc)))
    cells.reverse()
    km = grid.cell_m / 1000.0
    return cells, float(length[end]) * km, float(cost[end]) * km


@kernel
def _routes(
    f: Floats,
    steps: Ints,
    width: float,
    buckets: int,
    radius: int,
    site: Ints,
    source: Ints,
    first: Ints,
    pair: Ints,
    route: npt.NDArray[np.float64],
    price: npt.NDArray[np.float64],
    start: int,
    stop: int,
) -> None:
    """Route each site's pairs in a window around the site; all lengths in cells."""
    rows, cols = f.shape
    for s in range(start, stop):
        if first[s] == first[s + 1]:
            continue
        r, c = site[s, 0], site[s, 1]
        top, left = max(0, r - radius), max(0, c - radius)
        bottom, right = min(rows, r + radius + 1), min(cols, c + radius + 1)
        high, wide = bottom - top, right - left
        window = f[top:bottom, left:right].copy()
        if not window[r - top, c - left] < np.inf:
            window[r - top, c - left] = np.float32(1.0)
        targets = np.empty((first[s + 1] - first[s], 2), np.int64)
        number = 0
        for p in range(first[s], first[s + 1]):
            i, j = source[pair[p], 0] - top, source[pair[p], 1] - left
            if 0 <= i < high and 0 <= j < wide:
                if not window[i, j] < np.inf:
                    window[i, j] = np.float32(1.0)
                targets[number, 0] = i
                targets[number, 1] = j
                number += 1
        if number == 0:
            continue
        begin = np.array([[r - top, c - left]])
        cost, length, _ = spread(
            window, begin, targets[:number], steps, width, buckets, np.inf, True
        )
        for p in range(first[s], first[s + 1]):
            i, j = source[pair[p], 0] - top, source[pair[p], 1] - left
            if 0 <= i < high and 0 <= j < wide and cost[i + 2, j + 2] < np.inf:
                route[p] = length[i + 2, j + 2]
                price[p] = cost[i + 2, j + 2]


def route_lengths(
    friction: npt.ArrayLike,
    grid: Grid,
    site_cells: npt.ArrayLike,
    source_cells: npt.ArrayLike,
    pairs: npt.ArrayLike,
    max_km: float,
    *,
    neighbours: int = 8,
    threads: int | None = None,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return length and cost of the cheapest way of each pair of site and source.

    Parameters
    ----------
    friction : array_like of float, shape (rows, cols), unitless
        As in :func:`cost_distance`. On a fine grid, make it coarser first, as
        :func:`geoplan.raster.friction.coarser` and ``coarsening`` do.
    grid : Grid
    site_cells, source_cells : array_like of int, shape (sites, 2) and (sources, 2)
        ``(row, col)``, as ``numpy.column_stack(grid.row_col(x, y))``. A site must lie on the
        grid; a source may lie outside and is then not reached.
    pairs : array_like of int, shape (pairs, 2)
        ``(site, source)`` numbers, in any order.
    max_km : float, km
        Above 0. Ways stay within the square of this half-side around the site.
    neighbours : {8, 16}
        See :data:`METRIC_BOUND`; 8 lengthens a way over open ground by up to 8.24 %.
    threads : int, optional
        The result is the same, bit for bit, for any number.

    Returns
    -------
    route_km : ndarray of float64, shape (pairs,), km
        Length of the cheapest way between the two cell centres, which is not always the shortest
        way; NaN where the source lies outside the square or no way leads to it. Both ends are
        taken to their cell centres, so a way may be shorter than the straight distance by up to
        1.42 cell sides: take the larger of the two.
    cost_km : ndarray of float64, shape (pairs,), cost-km
        Its cost; divided by ``route_km`` it is the mean cost multiplier. NaN as above.

    Raises
    ------
    ShapeError
        A list of cells or pairs has another shape.
    RangeError
        A site outside the grid, a pair that names no site or source, or a radius of 0 or less.

    Notes
    -----
    One Dijkstra search per site, ended once its last source is final. A site or source on a
    barrier or on unknown ground leaves it over the friction 1: a plant stands where it stands.
    """
    f = checked_friction(friction, grid)
    site = np.ascontiguousarray(site_cells, dtype=np.int64).reshape(-1, 2)
    source = np.ascontiguousarray(source_cells, dtype=np.int64).reshape(-1, 2)
    pair = np.ascontiguousarray(pairs, dtype=np.int64)
    if pair.size == 0:
        return np.empty(0), np.empty(0)
    if pair.ndim != 2 or pair.shape[1] != 2:
        raise ShapeError(f"pairs of shape {pair.shape}; (pairs, 2) is needed")
    if not (max_km > 0 and math.isfinite(max_km)):
        raise RangeError(f"a radius of {max_km!r} km", remedy="give a radius above 0 km")
    for name, column, limit in (("site", 0, len(site)), ("source", 1, len(source))):
        low, high = int(pair[:, column].min()), int(pair[:, column].max())
        if low < 0 or high >= limit:
            raise RangeError(
                f"a pair names {name} {low if low < 0 else high} of {limit}",
                remedy=f"number the {name}s from 0",
            )
    off = (site < 0).any(axis=1) | (site[:, 0] >= grid.rows) | (site[:, 1] >= grid.cols)
    if off.any():
        raise RangeError(
            f"site {int(np.flatnonzero(off)[0])} lies outside the grid, in cell "
            f"{tuple(site[off][0].tolist())}",
            remedy="leave it out, or widen the grid",
        )
    order = np.argsort(pair[:, 0], kind="stable")
    first = np.searchsorted(pair[order, 0], np.arange(len(site) + 1)).astype(np.int64)
    route = np.full(len(pair), np.nan)
    price = np.full(len(pair), np.nan)
    steps = steps_to(neighbours)
    width, buckets = ring(f)
    radius = math.ceil(max_km * 1000.0 / grid.cell_m)
    over_blocks(
        lambda a, b: _routes(
            f,
            steps,
            width,
            buckets,
            radius,
            site,
            source,
            first,
            pair[order, 1],
            route,
            price,
            a,
            b,
        ),
        len(site),
        threads=threads,
        block=max(1, min(16, len(site))),
    )
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    km = grid.cell_m / 1000.0
    return route[back] * km, price[back] * km
