"""Candidates: contiguous pieces of allowed land of the size that is asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geoplan.catalogue.scenario import CandidateSpec
from geoplan.errors import AnswerNo, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.siting.growth import Limits, grow_regions
from geoplan.siting.seeds import patches, spread_seeds
from geoplan.siting.selection import keep_apart, keep_pool, majority, means, representatives
from geoplan.vector import areal_scale, stretch

__all__ = ["CandidateCells", "grow", "polygons"]

_MARGIN = 2e-4
"""Share of each area limit left free, so that the geodesic area of the polygon fits too."""


@dataclass(frozen=True, slots=True)
class CandidateCells:
    """Candidates as cells of a grid, best first.

    Parameters
    ----------
    offsets : ndarray of int64, shape (candidates + 1,)
    cells : ndarray of int64
        Flat cell numbers (row · cols + col) of candidate k, ascending, in
        ``cells[offsets[k]:offsets[k + 1]]``.
    area_ha : ndarray of float64, shape (candidates,)
        On the ellipsoid.
    score : ndarray of float64, shape (candidates,), 0–1
        Mean of the cells' scores.
    representative : ndarray of int64, shape (candidates,)
        The cell nearest to the centre of mass; always one of the candidate's own.
    region : ndarray of int64, shape (candidates,)
        Region number of most cells; −1 where none was given.
    seeds, grown : int
        Places where growth started; regions that reached the smallest size.
    """

    offsets: npt.NDArray[np.int64]
    cells: npt.NDArray[np.int64]
    area_ha: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]
    representative: npt.NDArray[np.int64]
    region: npt.NDArray[np.int64]
    seeds: int
    grown: int

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of(self, k: int) -> npt.NDArray[np.int64]:
        """Return the flat cell numbers of candidate ``k``."""
        return self.cells[self.offsets[k] : self.offsets[k + 1]]

    def owner(self) -> npt.NDArray[np.int64]:
        """Return the candidate number of each entry of ``cells``."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    def labels(self, grid: Grid) -> npt.NDArray[np.int32]:
        """Return an array with the candidate number of each cell; −1 elsewhere."""
        out = np.full(grid.size, -1, dtype=np.int32)
        out[self.cells] = self.owner()
        return out.reshape(grid.shape)

    def mean_of(self, array: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the mean of an array on the grid over each candidate; NaN cells do not count."""
        values = np.asarray(array.ravel()[self.cells], dtype=np.float32)
        return means(values, self.offsets, np.arange(len(values)))


def _cell_limits(
    area_ha: tuple[float, float], cell_ha: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the smallest and largest number of cells of each true size ``cell_ha``."""
    low, high = area_ha
    least = np.ceil(low * (1 + _MARGIN) / cell_ha)
    most = np.floor(high * (1 - _MARGIN) / cell_ha)
    tight = least > most  # no room for the margin: the limits themselves
    least = np.where(tight, np.ceil(low / cell_ha * (1 - 1e-12)), least)
    most = np.where(tight, np.floor(high / cell_ha * (1 + 1e-12)), most)
    if (least > most).any():
        raise RangeError(
            f"no whole number of cells of {cell_ha.max():,.4g} ha lies between "
            f"{low:,g} and {high:,g} ha",
            where="candidates.area_ha",
            remedy="widen the range or make grid.cell_m smaller",
        )
    return np.maximum(least, 1).astype(np.int64), np.maximum(most, 1).astype(np.int64)


def grow(
    score: npt.NDArray[np.float32],
    grid: Grid,
    spec: CandidateSpec,
    *,
    region: npt.NDArray[np.integer] | None = None,
    threads: int | None = None,
) -> CandidateCells:
    """Grow candidates on native cells and keep the best that lie far enough apart.

    Parameters
    ----------
    score : ndarray of float32, shape (rows, cols), 0–1
        NaN is land that may not be used.
    grid : Grid
    spec : CandidateSpec
        Area range (ha), compactness (0–1), spacing (km), seeds, keep, per_region_keep.
    region : ndarray of int, shape (rows, cols), optional
        Region number of each cell, negative: none. Needed for ``per_region_keep``.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    CandidateCells
        At least one and at most ``spec.keep``.

    Raises
    ------
    AnswerNo
        No candidate of that size fits anywhere; says how much land is allowed.
    RangeError
        A score is outside 0–1, or no whole number of cells lies in the area range.
    ShapeError
        An array is not on the grid.

    Notes
    -----
    Seeds: :func:`geoplan.siting.seeds.spread_seeds`, on patches that are large enough. Growth:
    :func:`geoplan.siting.growth.grow_regions`; regions may overlap. Selection: by mean score,
    then by size, then by the lower seed; a region is kept unless it overlaps a kept one or lies
    closer to it than ``spacing_km`` on the ground, edge to edge (judged in the plane of the
    grid with its largest stretch to spare), or its region has
    ``per_region_keep`` already. With ``overlap_max`` above 0 a region is kept unless a kept one
    shares more than that part of its cells: the optimiser then chooses among those that overlap.
    """
    if score.shape != grid.shape:
        raise ShapeError(f"a score of shape {score.shape} does not lie on a grid {grid.shape}")
    if region is not None and region.shape != grid.shape:
        raise ShapeError(f"regions of shape {region.shape} do not lie on a grid {grid.shape}")
    if spec.per_region_keep is not None and region is None:
        raise ShapeError(
            "candidates.per_region_keep is set, but no region array was given",
            remedy="give the regions of the grid's cells",
        )
    if grid.size > 2**32 - 2:
        raise RangeError(f"a grid of {grid.size:,} cells; the limit is 2³² − 2")
    score = np.ascontiguousarray(score, dtype=np.float32)
    allowed = ~np.isnan(score)
    if allowed.any():
        lowest, highest = float(np.nanmin(score)), float(np.nanmax(score))
        if lowest < -1e-6 or highest > 1 + 1e-6:
            raise RangeError(f"scores lie between {lowest:g} and {highest:g}, not 0 and 1")

    smallest, _ = _cell_limits(spec.area_ha, np.array([grid.cell_ha]))
    # a CRS that is not equal-area: cells differ, so patches are judged with 2 % to spare
    corner = areal_scale(grid, np.array([0]), np.array([0]))
    slack = 1.0 if corner[0] == 1.0 else 0.98
    usable, largest = patches(allowed, max(1, math.floor(smallest[0] * slack)))
    total = int(np.count_nonzero(allowed))
    window = round(math.sqrt(sum(spec.area_ha) / 2 / grid.cell_ha))
    seeds = spread_seeds(score, usable, spec.seeds, window=window)
    del usable, allowed

    scale = areal_scale(grid, seeds // grid.cols, seeds % grid.cols)
    if len(seeds):
        least, most = _cell_limits(spec.area_ha, grid.cell_ha / scale)
        limits = Limits(
            least,
            np.maximum(np.minimum(most, largest), least),
            compactness=spec.compactness,
            radius=math.sqrt(spec.area_ha[1] / grid.cell_ha / math.pi),
        )
        grown, offsets, cells = grow_regions(score, seeds, limits, threads=threads)
    if len(seeds) == 0 or len(grown) == 0:
        low, high = spec.area_ha
        raise AnswerNo(
            f"no candidate of {low:,g} to {high:,g} ha fits: {total * grid.cell_ha:,.0f} ha are "
            f"allowed in all, and the largest contiguous patch has "
            f"{largest * grid.cell_ha:,.0f} ha",
            where="candidates.area_ha",
            remedy="ask for smaller candidates, or relax the rule that removes most "
            "(exclusions.csv)",
        )

    mean = means(score.ravel(), offsets, cells)
    size = np.diff(offsets)
    if region is None:
        where = np.full(len(grown), -1, dtype=np.int64)
    else:
        where = majority(region.ravel()[cells].astype(np.int64), offsets, np.arange(len(cells)))
    kept = _kept(np.lexsort((grown, -size, -mean)), offsets, cells, where, grid, spec)
    new_offsets = np.concatenate([[0], np.cumsum(size[kept])])
    new_cells = np.concatenate([cells[offsets[k] : offsets[k + 1]] for k in kept])
    point = representatives(grid.cols, new_offsets, new_cells)
    true_ha = grid.cell_ha / areal_scale(grid, point // grid.cols, point % grid.cols)
    return CandidateCells(
        offsets=new_offsets,
        cells=new_cells,
        area_ha=size[kept] * true_ha,
        score=mean[kept],
        representative=point,
        region=where[kept],
        seeds=len(seeds),
        grown=len(grown),
    )


def _kept(
    order: npt.NDArray[np.int64],
    offsets: npt.NDArray[np.int64],
    cells: npt.NDArray[np.int64],
    where: npt.NDArray[np.int64],
    grid: Grid,
    spec: CandidateSpec,
) -> npt.NDArray[np.int64]:
    """Return the numbers of the regions that become candidates, best first."""
    if spec.overlap_max > 0:
        return keep_pool(
            order,
            offsets,
            cells,
            where,
            shape=grid.shape,
            overlap_max=spec.overlap_max,
            keep=spec.keep,
            per_region=spec.per_region_keep,
        )
    return keep_apart(
        order,
        offsets,
        cells,
        where,
        shape=grid.shape,
        # No shorter on the ground than asked for: the plane stretches distances a little. A
        # hundred-thousandth (5 cm in 5 km) is let go, so that exactly the spacing is enough.
        spacing=spec.spacing_km * 1000.0 / grid.cell_m * stretch(grid) * (1 - 1e-5),
        keep=spec.keep,
        per_region=spec.per_region_keep,
    )


def polygons(candidates: CandidateCells, grid: Grid) -> gpd.GeoSeries:
    """Return the outline of each candidate along cell sides.

    Parameters
    ----------
    candidates : CandidateCells
    grid : Grid

    Returns
    -------
    GeoSeries of Polygon, CRS of the grid
        One per candidate, in order; holes where enclosed land is not allowed.
    """
    cells, owner = candidates.cells, candidates.owner()
    row, col = cells // grid.cols, cells % grid.cols
    starts = np.ones(len(cells), dtype=np.bool_)
    starts[1:] = (np.diff(col) != 1) | (np.diff(row) != 0) | (np.diff(owner) != 0)
    first = np.flatnonzero(starts)
    last = np.concatenate([first[1:], [len(cells)]]) - 1
    x_min, y_max, side = grid.x_min, grid.y_max, grid.cell_m
    runs = shapely.box(
        x_min + col[first] * side,
        y_max - (row[first] + 1) * side,
        x_min + (col[last] + 1) * side,
        y_max - row[first] * side,
    )
    bounds = np.searchsorted(owner[first], np.arange(len(candidates) + 1))
    whole = np.empty(len(candidates), dtype=object)
    for k in range(len(candidates)):
        whole[k] = shapely.union_all(runs[bounds[k] : bounds[k + 1]])
    # corners only: union keeps a vertex wherever two runs met
    whole = shapely.orient_polygons(shapely.simplify(whole, 0.0))
    return gpd.GeoSeries(whole, crs=grid.crs)
