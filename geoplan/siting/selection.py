"""Which of many overlapping regions are kept: the best, far enough apart."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.raster.kernel import kernel

__all__ = ["keep_apart", "keep_pool", "majority", "means", "representatives"]

IntArray = npt.NDArray[np.int64]


@kernel
def means(
    score: npt.NDArray[np.float32], offsets: IntArray, cells: IntArray
) -> npt.NDArray[np.float64]:
    """Return the mean of each region's cells, known values only; NaN when there is none."""
    flat = score.ravel()
    out = np.empty(len(offsets) - 1, np.float64)
    for k in range(len(out)):
        total = 0.0
        number = 0
        for i in range(offsets[k], offsets[k + 1]):
            value = np.float64(flat[cells[i]])
            if not np.isnan(value):
                total += value
                number += 1
        out[k] = total / number
    return out


@kernel
def majority(
    region: npt.NDArray[np.int64], offsets: IntArray, cells: IntArray
) -> npt.NDArray[np.int64]:
    """Return the number ≥ 0 that most cells of each region have; ties: the lower; none: −1."""
    flat = region.ravel()
    out = np.empty(len(offsets) - 1, np.int64)
    for k in range(len(out)):
        part = np.empty(offsets[k + 1] - offsets[k], np.int64)
        for i in range(len(part)):
            part[i] = flat[cells[offsets[k] + i]]
        part.sort()
        best = -1
        most = 0
        run = 0
        for i in range(len(part)):
            run = run + 1 if i > 0 and part[i] == part[i - 1] else 1
            if part[i] >= 0 and run > most:
                most = run
                best = part[i]
        out[k] = best
    return out


@kernel
def representatives(cols: int, offsets: IntArray, cells: IntArray) -> IntArray:
    """Return the cell of each region nearest to its centre of mass; ties: the lower number."""
    out = np.empty(len(offsets) - 1, np.int64)
    for k in range(len(out)):
        n = offsets[k + 1] - offsets[k]
        sum_row = 0
        sum_col = 0
        for i in range(offsets[k], offsets[k + 1]):
            sum_row += cells[i] // cols
            sum_col += cells[i] % cols
        nearest = -1
        best = cells[offsets[k]]
        for i in range(offsets[k], offsets[k + 1]):
            # n times the offset: whole numbers, so ties are exact
            dr = n * (cells[i] // cols) - sum_row
            dc = n * (cells[i] % cols) - sum_col
            d2 = dr * dr + dc * dc
            if nearest < 0 or d2 < nearest:
                nearest = d2
                best = cells[i]
        out[k] = best
    return out


@kernel
def _block(
    taken: npt.NDArray[np.bool_], part: IntArray, half_width: IntArray, cols: int, rows: int
) -> None:
    """Mark all cells that lie closer to ``part`` than the spacing."""
    reach = len(half_width) - 1
    i = 0
    while i < len(part):
        j = i
        row = part[i] // cols
        while j + 1 < len(part) and part[j + 1] == part[j] + 1 and part[j + 1] // cols == row:
            j += 1
        first = part[i] - row * cols
        last = part[j] - row * cols
        for r in range(max(0, row - reach), min(rows, row + reach + 1)):
            w = half_width[abs(r - row)]
            a = max(0, first - w)
            b = min(cols, last + w + 1)
            for c in range(a, b):
                taken[r, c] = True
        i = j + 1


@kernel
def _keep(
    order: IntArray,
    offsets: IntArray,
    cells: IntArray,
    region: IntArray,
    keep: int,
    per_region: int,
    half_width: IntArray,
    taken: npt.NDArray[np.bool_],
) -> IntArray:
    rows, cols = taken.shape
    flat = taken.ravel()
    kept = np.empty(min(keep, len(order)), np.int64)
    in_region = np.zeros(max(1, region.max() + 1), np.int64)
    number = 0
    for at in range(len(order)):
        if number == len(kept):
            break
        k = order[at]
        where = region[k]
        if where >= 0 and in_region[where] >= per_region:
            continue
        free = True
        for i in range(offsets[k], offsets[k + 1]):
            if flat[cells[i]]:
                free = False
                break
        if not free:
            continue
        kept[number] = k
        number += 1
        if where >= 0:
            in_region[where] += 1
        _block(taken, cells[offsets[k] : offsets[k + 1]], half_width, cols, rows)
    return kept[:number]


def _half_widths(spacing: float) -> IntArray:
    """Return, by row offset, how many columns on either side lie closer than ``spacing`` cells.

    The gap between two cells ``dr`` rows and ``dc`` columns apart is
    ``hypot(max(dr − 1, 0), max(dc − 1, 0))``, edge to edge.
    """
    if spacing <= 0:
        return np.zeros(1, dtype=np.int64)
    widths = []
    for dr in range(math.ceil(spacing) + 1):
        left = spacing * spacing - max(dr - 1, 0) ** 2
        gap = math.isqrt(math.ceil(left)) if left > 0 else 0
        while gap * gap >= left:
            gap -= 1
        if gap < 0:
            break
        widths.append(gap + 1)
    return np.asarray(widths, dtype=np.int64)


def keep_apart(
    order: IntArray,
    offsets: IntArray,
    cells: IntArray,
    region: IntArray,
    *,
    shape: tuple[int, int],
    spacing: float,
    keep: int,
    per_region: int | None,
) -> IntArray:
    """Go through regions in ``order`` and keep each that is far enough from those kept before.

    Parameters
    ----------
    order : ndarray of int64
        Region numbers, best first.
    offsets, cells : ndarray of int64
        Cells of each region (CSR), ascending.
    region : ndarray of int64
        Administrative region of each; −1: none, and no cap.
    shape : tuple of int
        ``(rows, cols)``.
    spacing : float, cells
        Least distance between edges; 0: they must only not overlap.
    keep : int
        Most regions kept.
    per_region : int, optional
        Most kept in one administrative region.

    Returns
    -------
    ndarray of int64
        Numbers of the kept regions, best first.
    """
    if len(order) == 0:
        return order
    return _keep(
        order,
        offsets,
        cells,
        region,
        keep,
        len(order) if per_region is None else per_region,
        _half_widths(spacing),
        np.zeros(shape, dtype=np.bool_),
    )


@kernel
def _pool(
    order: IntArray,
    offsets: IntArray,
    cells: IntArray,
    region: IntArray,
    keep: int,
    per_region: int,
    overlap_max: float,
    head: npt.NDArray[np.int32],
) -> IntArray:
    """Keep regions in order; ``head`` and ``before`` hold, per cell, the kept regions on it."""
    kept = np.empty(min(keep, len(order)), np.int64)
    in_region = np.zeros(max(1, region.max() + 1), np.int64)
    shared = np.zeros(len(kept), np.int64)
    before = np.empty(1024, np.int32)
    owner = np.empty(1024, np.int32)
    entries = 0
    number = 0
    for at in range(len(order)):
        if number == len(kept):
            break
        k = order[at]
        where = region[k]
        if where >= 0 and in_region[where] >= per_region:
            continue
        size = offsets[k + 1] - offsets[k]
        limit = overlap_max * size
        free = True
        for i in range(offsets[k], offsets[k + 1]):
            entry = head[cells[i]]
            while entry >= 0:
                shared[owner[entry]] += 1
                free &= shared[owner[entry]] <= limit
                entry = before[entry]
        for i in range(offsets[k], offsets[k + 1]):
            entry = head[cells[i]]
            while entry >= 0:
                shared[owner[entry]] = 0
                entry = before[entry]
        if not free:
            continue
        while entries + size > len(before):
            before = np.concatenate((before, np.empty_like(before)))
            owner = np.concatenate((owner, np.empty_like(owner)))
        for i in range(offsets[k], offsets[k + 1]):
            before[entries] = head[cells[i]]
            owner[entries] = number
            head[cells[i]] = entries
            entries += 1
        kept[number] = k
        number += 1
        if where >= 0:
            in_region[where] += 1
    return kept[:number]


def keep_pool(
    order: IntArray,
    offsets: IntArray,
    cells: IntArray,
    region: IntArray,
    *,
    shape: tuple[int, int],
    overlap_max: float,
    keep: int,
    per_region: int | None,
) -> IntArray:
    """Go through regions in ``order`` and keep each that is not much the same as one kept before.

    Parameters
    ----------
    order, offsets, cells, region, shape, keep, per_region
        As for :func:`keep_apart`.
    overlap_max : float, 0 to below 1
        Most of a region's own cells that any one kept region may share with it.

    Returns
    -------
    ndarray of int64
        Numbers of the kept regions, best first. Those that share land are for the optimiser to
        choose among.
    """
    if len(order) == 0:
        return order
    return _pool(
        order,
        offsets,
        cells,
        region,
        keep,
        len(order) if per_region is None else per_region,
        overlap_max,
        np.full(shape[0] * shape[1], -1, dtype=np.int32),
    )
