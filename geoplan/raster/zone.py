"""Sums, shares and densities over disks, and means over zones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["count_within", "density", "line_density", "share_within", "sum_within", "zonal_mean"]


@kernel
def _disk_rows(
    x: npt.NDArray[np.float64],
    y: npt.NDArray[np.float64],
    mass: npt.NDArray[np.int64],
    radius: float,
    unit: float,
    out: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    """Sum the masses in reach of each cell centre; all lengths in cells, y sorted."""
    cols = out.shape[1]
    change = np.empty(cols + 1, np.int64)
    for r in range(start, stop):
        centre = r + 0.5
        change[:] = 0
        first = np.searchsorted(y, centre - radius)
        for k in range(first, len(y)):
            dy = y[k] - centre
            if dy > radius:
                break
            reach2 = radius * radius - dy * dy
            if reach2 < 0.0:
                continue
            reach = math.sqrt(reach2)
            # centres c + 0.5 with |c + 0.5 − x| ≤ reach
            a = math.ceil(x[k] - reach - 0.5)
            b = math.floor(x[k] + reach - 0.5) + 1
            a = min(max(a, 0), cols)
            b = min(max(b, 0), cols)
            if b > a:
                change[a] += mass[k]
                change[b] -= mass[k]
        total = 0
        for c in range(cols):
            total += change[c]
            out[r, c] = np.float32(total * unit)


def sum_within(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    radius_m: float,
    grid: Grid,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the sum of the points' weights within a disk around each cell centre.

    Parameters
    ----------
    x, y : array_like of float, shape (points,), m
        In the CRS of ``grid``. Points outside the grid count for the cells in their reach.
    weights : array_like of float, shape (points,), optional
        0 or more. Absent: 1 each, which counts the points.
    radius_m : float
        Greater than 0. A point at exactly this distance is in.
    grid : Grid

    Returns
    -------
    ndarray of float32, shape (rows, cols), unit of ``weights``

    Raises
    ------
    RangeError
        A coordinate or weight is not finite, a weight is negative, or the radius is not positive.

    Notes
    -----
    Each point adds to one run of cells per grid row: exact disks in O(points · radius + cells).
    Weights are summed as whole multiples of their total / 2⁶¹, so that the sum does not depend on
    order or threads and is exactly 0 where no point is in reach.
    """
    px = np.asarray(x, dtype=np.float64).ravel()
    py = np.asarray(y, dtype=np.float64).ravel()
    w = np.ones(len(px)) if weights is None else np.asarray(weights, dtype=np.float64).ravel()
    if not len(px) == len(py) == len(w):
        raise ShapeError(f"{len(px)} x, {len(py)} y and {len(w)} weights")
    if not (radius_m > 0 and math.isfinite(radius_m)):
        raise RangeError(f"a radius of {radius_m!r} m", remedy="give a radius above 0 m")
    bad = ~(np.isfinite(px) & np.isfinite(py))
    if bad.any():
        raise RangeError(
            f"{int(bad.sum())} of {len(px)} points have no finite coordinates",
            remedy="leave out features without geometry",
        )
    bad = ~(np.isfinite(w) & (w >= 0))
    if bad.any():
        raise RangeError(
            f"{int(bad.sum())} of {len(w)} weights are missing or negative, the first "
            f"{w[bad][0]!r}",
            remedy="leave those points out, or fill the field by a stated rule",
        )
    out = np.zeros(grid.shape, dtype=np.float32)
    total = float(w.sum())
    if total == 0.0:
        return out
    unit = math.ldexp(1.0, math.frexp(total)[1] - 61)
    row_y = (grid.y_max - py) / grid.cell_m
    col_x = (px - grid.x_min) / grid.cell_m
    order = np.lexsort((col_x, row_y))
    mass = np.rint(w[order] / unit).astype(np.int64)
    over_blocks(
        lambda a, b: _disk_rows(
            col_x[order], row_y[order], mass, radius_m / grid.cell_m, unit, out, a, b
        ),
        grid.rows,
        threads=threads,
    )
    return out


def density(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    radius_m: float,
    grid: Grid,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return :func:`sum_within` divided by the area of the disk.

    Returns
    -------
    ndarray of float32, shape (rows, cols), unit of ``weights`` per km²
        weight / (π · radius² m² / 10⁶ m²·km⁻²). The whole disk counts, also where it reaches
        beyond the grid or the country.
    """
    total = sum_within(x, y, weights, radius_m=radius_m, grid=grid, threads=threads)
    total /= np.float32(math.pi * radius_m * radius_m / 1e6)
    return total


@kernel
def _sum_zones(
    values: npt.NDArray[np.floating],
    zones: npt.NDArray[np.integer],
    number: npt.NDArray[np.int64],
    total: npt.NDArray[np.float64],
) -> None:
    for k in range(len(values)):
        zone = zones[k]
        if zone >= 0 and not np.isnan(values[k]):
            number[zone] += 1
            total[zone] += values[k]


def zonal_mean(
    values: npt.NDArray[np.floating], zones: npt.NDArray[np.integer], *, count: int | None = None
) -> npt.NDArray[np.float64]:
    """Return the mean of the known values of each zone.

    Parameters
    ----------
    values : ndarray of float, any shape
        NaN is missing and does not count.
    zones : ndarray of int, same shape
        Zone number of each cell, from 0; negative is no zone.
    count : int, optional
        Number of zones; default: the largest number + 1.

    Returns
    -------
    ndarray of float64, shape (count,)
        NaN for a zone without a known value.
    """
    if values.shape != zones.shape:
        raise ShapeError(f"values of shape {values.shape}, zones of shape {zones.shape}")
    largest = int(zones.max(initial=-1))
    size = largest + 1 if count is None else count
    if largest >= size:
        raise RangeError(f"zone {largest} of {size} zones", remedy="number zones from 0")
    number = np.zeros(size, np.int64)
    total = np.zeros(size, np.float64)
    _sum_zones(np.ravel(values), np.ravel(zones), number, total)
    with np.errstate(invalid="ignore"):
        mean: npt.NDArray[np.float64] = total / number
    return mean


@kernel
def _count_rows(
    sums: npt.NDArray[np.int32],
    half: npt.NDArray[np.int64],
    out: npt.NDArray[np.int32],
    start: int,
    stop: int,
) -> None:
    """Count the cells of a disk around each cell from the running sums of its rows.

    The sums reach over the sides by the height of the disk, so that no cell is a special case.
    """
    rows, cols = out.shape
    tall = len(half) - 1
    for r in range(start, stop):
        row = out[r]
        row[:] = 0
        for i in range(max(r - tall, 0), min(r + tall + 1, rows)):
            w = half[abs(i - r)]
            upper = sums[i, tall + w + 1 :]
            lower = sums[i, tall - w :]
            for c in range(cols):
                row[c] += upper[c] - lower[c]


def count_within(
    mask: npt.NDArray[np.bool_], *, radius_m: float, grid: Grid, threads: int | None = None
) -> npt.NDArray[np.int32]:
    """Return how many cells of a mask have their centre within a disk around each cell centre.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
    radius_m : float, m
        0 or more; a centre at exactly this distance is in.
    grid : Grid

    Returns
    -------
    ndarray of int32, shape (rows, cols)
        Exact. Cells beyond the grid count as False.

    Notes
    -----
    Running sums along the rows; each cell then needs one difference per row of the disk.
    """
    if mask.shape != grid.shape:
        raise ShapeError(f"a mask of shape {mask.shape} does not lie on a grid {grid.shape}")
    if not (radius_m >= 0 and math.isfinite(radius_m)):
        raise RangeError(f"a radius of {radius_m!r} m", remedy="give a radius of 0 m or more")
    reach = radius_m / grid.cell_m
    tall = math.floor(reach + 1e-9)
    half = np.array(
        [math.floor(math.sqrt(max(reach * reach - k * k, 0.0)) + 1e-9) for k in range(tall + 1)],
        dtype=np.int64,
    )
    sums = np.zeros((grid.rows, grid.cols + 2 * tall + 1), dtype=np.int32)
    np.cumsum(mask, axis=1, dtype=np.int32, out=sums[:, tall + 1 : tall + 1 + grid.cols])
    sums[:, tall + 1 + grid.cols :] = sums[:, tall + grid.cols, None]
    out = np.empty(grid.shape, dtype=np.int32)
    over_blocks(lambda a, b: _count_rows(sums, half, out, a, b), grid.rows, threads=threads)
    return out


def share_within(
    mask: npt.NDArray[np.bool_],
    *,
    radius_m: float,
    grid: Grid,
    known: npt.NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the share of a disk around each cell centre that is True, %.

    Parameters
    ----------
    mask : ndarray of bool, shape (rows, cols)
    radius_m : float, m
        0 or more.
    grid : Grid
    known : ndarray of bool, shape (rows, cols), optional
        Cells that count at all; default: all of the grid. Cells beyond the grid never count.

    Returns
    -------
    ndarray of float32, shape (rows, cols), %, 0 to 100
        100 · (cells True and known) / (cells known); NaN where the disk holds no known cell.
    """
    if known is not None and known.shape != mask.shape:
        raise ShapeError(f"'known' has shape {known.shape}, the mask {mask.shape}")
    within = np.ones(mask.shape, np.bool_) if known is None else known
    part = count_within(mask & within, radius_m=radius_m, grid=grid, threads=threads)
    whole = count_within(within, radius_m=radius_m, grid=grid, threads=threads)
    out = np.empty(mask.shape, dtype=np.float32)
    with np.errstate(invalid="ignore"):
        # in float32: off by at most 2e-7 of the share, and exactly 100 where all is True
        np.divide(part, whole, out=out, dtype=np.float32, casting="unsafe")
    out *= np.float32(100.0)
    return out


def line_density(
    lines: Sequence[Any] | npt.NDArray[Any],
    *,
    radius_m: float,
    grid: Grid,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the length of line within a disk around each cell centre, per area of the disk.

    Parameters
    ----------
    lines : sequence of shapely geometry
        In the CRS of ``grid``; missing and empty ones are left out. Of polygons, the outline.
    radius_m : float, m
        Above 0.
    grid : Grid

    Returns
    -------
    ndarray of float32, shape (rows, cols), km per km²
        The whole disk counts, also where it reaches beyond the grid or the country.

    Notes
    -----
    Lines are cut into equal pieces of at most half a cell side, each of which counts where its
    middle lies. So each crossing of a line with the edge of the disk is off by at most a quarter
    of a cell side.
    """
    shapes = np.asarray(lines, dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    flat = shapely.get_parts(shapely.get_parts(shapes))  # collections of multi-lines hold both
    area = shapely.get_type_id(flat) == 3
    edges = np.concatenate((flat[~area], shapely.get_rings(flat[area])))
    points, part = shapely.get_coordinates(edges, return_index=True)
    joined = part[1:] == part[:-1]
    a, b = points[:-1][joined], points[1:][joined]
    size = np.hypot(*(b - a).T)
    a, b, size = a[size > 0], b[size > 0], size[size > 0]
    pieces = np.ceil(size / (grid.cell_m / 2.0)).astype(np.int64)
    owner = np.repeat(np.arange(len(a)), pieces)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    middle = a[owner] + (b - a)[owner] * ((nth + 0.5) / pieces[owner])[:, None]
    km = (size / pieces)[owner] / 1000.0
    return density(middle[:, 0], middle[:, 1], km, radius_m=radius_m, grid=grid, threads=threads)
