"""The area that each rule removes, alone and only by it, in the country and in each region."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.errors import ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.usable import left_of, set_aside

if TYPE_CHECKING:
    from geoplan.siting.exclude import Exclusions

__all__ = ["accounting", "accounting_by_region"]

_UNIT = 1 << 20
"""A whole cell in the sums: whole numbers add up to the same in any order."""

_BLOCK_ROWS = 64


@kernel
def _add(
    held: np.uint64,
    label: int,
    run: int,
    alone: npt.NDArray[np.int64],
    only: npt.NDArray[np.int64],
) -> None:
    single = (held & (held - np.uint64(1))) == np.uint64(0)  # nothing without the lowest bit
    k = 0
    while held != np.uint64(0):
        if held & np.uint64(1):
            alone[label, k] += run
            if single:
                only[label, k] += run
        held >>= np.uint64(1)
        k += 1


@kernel
def _count(
    bits: npt.NDArray[np.unsignedinteger],
    inside: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.int32],
    labelled: bool,
    start: int,
    stop: int,
    alone: npt.NDArray[np.int64],
    only: npt.NDArray[np.int64],
) -> None:
    """Count whole cells; neighbours mostly hold the same rules, so that runs are added."""
    cols = bits.shape[1]
    for r in range(start, stop):
        last = np.uint64(0)
        where = 0
        run = 0
        for c in range(cols):
            held = np.uint64(bits[r, c]) if inside[r, c] else np.uint64(0)
            label = labels[r, c] + 1 if labelled else 0
            if held == last and label == where:
                run += 1
                continue
            if last != np.uint64(0):
                _add(last, where, run, alone, only)
            last = held
            where = label
            run = 1
        if last != np.uint64(0):
            _add(last, where, run, alone, only)


@kernel
def _weigh(
    bits: npt.NDArray[np.unsignedinteger],
    inside: npt.NDArray[np.bool_],
    labels: npt.NDArray[np.int32],
    labelled: bool,
    share: npt.NDArray[np.float64],
    over: npt.NDArray[np.uint64],
    include: npt.NDArray[np.int64],
    forced: np.uint64,
    hard: np.uint64,
    partial: npt.NDArray[np.int64],
    varying: np.uint64,
    unit: int,
    alone: npt.NDArray[np.int64],
    only: npt.NDArray[np.int64],
) -> None:
    """Add up parts of cells; arrays are flat. Neighbours that hold the same are added as a run."""
    one = np.uint64(1)
    own = np.zeros(len(over), np.int64)
    gain = np.zeros(len(over), np.int64)
    last = np.uint64(0)
    where = 0
    run = 0
    for i in range(len(bits) + 1):
        held = np.uint64(bits[i]) if i < len(bits) and inside[i] else np.uint64(0)
        label = labels[i] + 1 if labelled and i < len(bits) else 0
        same = held == last and not held & varying
        if same and label == where:
            run += 1
            continue
        if last != np.uint64(0):
            for k in range(len(over)):
                alone[where, k] += own[k] * run
                only[where, k] += gain[k] * run
        where = label
        run = 1
        if same or held == np.uint64(0):
            last = held
            continue
        last = held
        # What forces land in removes none.
        force = held & ~forced & ~set_aside(held, over, include, -1)
        now = left_of(force, share, i, hard, partial)
        for k in range(len(over)):
            bit = one << np.uint64(k)
            by_itself = 0.0
            change = 0.0
            if held & forced & bit:
                by_itself = 1.0 - left_of(held & over[k], share, i, hard, partial)
                without = held & ~set_aside(held, over, include, k)
                change = now - left_of(without, share, i, hard, partial)
            elif force & bit:
                by_itself = 1.0 - left_of(bit, share, i, hard, partial)
                change = left_of(force & ~bit, share, i, hard, partial) - now
            own[k] = int(by_itself * unit + 0.5)
            gain[k] = int(change * unit + 0.5)


def _sums(
    exclusions: Exclusions,
    grid: Grid,
    labels: npt.NDArray[np.int32] | None,
    regions: int,
    threads: int | None,
) -> npt.NDArray[np.float64]:
    """Return ha, shape (2, regions + 1, rules); the first region is 'none'."""
    shape = exclusions.bits.shape
    if shape != grid.shape:
        raise ShapeError(f"exclusions of shape {shape} do not lie on a grid {grid.shape}")
    if labels is not None and labels.shape != shape:
        raise ShapeError(f"regions of shape {labels.shape} do not lie on a grid {shape}")
    rules = exclusions.rules
    labelled = labels is not None
    of = np.zeros((1, 1), dtype=np.int32) if labels is None else labels
    varying = sum(
        1 << int(k)
        for k, share in zip(rules.numbers(rules.partial), exclusions.shares, strict=True)
        if not isinstance(share, float)
    )
    size = (2, regions + 1, max(len(rules.ids), 1))

    def count(start: int, stop: int) -> npt.NDArray[np.int64]:
        total = np.zeros(size, dtype=np.int64)
        _count(exclusions.bits, exclusions.inside, of, labelled, start, stop, total[0], total[1])
        return total * _UNIT

    def weigh(start: int, stop: int) -> npt.NDArray[np.int64]:
        total = np.zeros(size, dtype=np.int64)
        for a in range(start, stop, _BLOCK_ROWS):
            b = min(a + _BLOCK_ROWS, stop)
            cells = np.arange(a * shape[1], b * shape[1])
            _weigh(
                exclusions.bits[a:b].reshape(-1), exclusions.inside[a:b].reshape(-1),
                of[a:b].reshape(-1), labelled, exclusions.shares_of(cells),
                rules.over_array(), rules.numbers(rules.include), np.uint64(rules.include),
                np.uint64(rules.hard), rules.numbers(rules.partial), np.uint64(varying),
                _UNIT, total[0], total[1],
            )  # fmt: skip
        return total

    parts = over_blocks(count if rules.simple else weigh, grid.rows, threads=threads)
    summed = np.sum(parts, axis=0)[:, :, : len(rules.ids)]
    return np.asarray(summed / _UNIT * grid.cell_ha)


def accounting(exclusions: Exclusions, grid: Grid, *, threads: int | None = None) -> pd.DataFrame:
    """Return the area that each rule removes, or forces in.

    Parameters
    ----------
    exclusions : Exclusions
    grid : Grid

    Returns
    -------
    DataFrame
        One row per rule in order: ``rule``; ``area_ha_alone``, what the rule would remove if it
        were the only one that removes land; ``area_ha_only``, what no other rule removes, and so
        would be usable without it. Inside the area only; cells · ha per cell.

    Notes
    -----
    Land that is forced in stays in: a rule that is set aside there removes nothing, in either
    column. A rule that takes a part of a cell counts with that part, and with what the others
    leave of it. For a rule that forces land in, ``area_ha_alone`` is what it would give back if
    it were the only one that forces land in and the rules that it sets aside the only ones that
    remove it; ``area_ha_only`` is what is usable through it alone. ``usable_share_min`` is not
    part of these sums: they say what each rule takes.
    """
    alone, only = _sums(exclusions, grid, None, 0, threads)
    return pd.DataFrame(
        {"rule": list(exclusions.ids), "area_ha_alone": alone[0], "area_ha_only": only[0]}
    )


def accounting_by_region(
    exclusions: Exclusions,
    grid: Grid,
    labels: npt.NDArray[np.int32],
    regions: pd.DataFrame,
    *,
    threads: int | None = None,
) -> pd.DataFrame:
    """Return the area that each rule removes in the country and in each region of every level.

    Parameters
    ----------
    exclusions : Exclusions
    grid : Grid
    labels : ndarray of int32, shape (rows, cols)
        Number of the finest region of each cell: a row of ``regions``; negative: none.
    regions : DataFrame, index code
        The finest regions; one column per level (int) with the code of the region of that level
        to which each belongs, as `geoplan.regions.ancestors` gives it. May have gaps.

    Returns
    -------
    DataFrame
        ``rule``, ``level``, ``code``, ``area_ha_alone``, ``area_ha_only``. Level 0 with the code
        ``""`` is the whole area, with the land that lies in no region. By level, code and order
        of the rules; a region of the frame without a cell has 0.

    Raises
    ------
    ShapeError
        Arrays do not lie on the grid, or a label is not a row of ``regions``.

    Notes
    -----
    One pass. A coarse region is the sum of its parts, so that levels agree whatever their borders.
    """
    largest = int(labels.max(initial=-1))
    if largest >= len(regions):
        raise ShapeError(f"region number {largest}, of {len(regions)} regions")
    sums = _sums(exclusions, grid, labels, len(regions), threads)
    rules = list(exclusions.ids)
    parts = [_rows(rules, 0, [""], sums.sum(axis=1)[:, None, :])]
    for level in sorted(regions.columns):
        codes = regions[level]
        order = sorted(codes.dropna().unique())
        number = codes.map({code: k for k, code in enumerate(order)}).to_numpy(dtype=np.float64)
        known = np.flatnonzero(~np.isnan(number))
        total = np.zeros((2, len(order), len(rules)))
        for half in range(2):
            np.add.at(total[half], number[known].astype(np.int64), sums[half, known + 1])
        parts.append(_rows(rules, int(level), order, total))
    return pd.concat(parts, ignore_index=True)


def _rows(
    rules: list[str], level: int, codes: list[str], total: npt.NDArray[np.float64]
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rule": rules * len(codes),
            "level": level,
            "code": np.repeat(np.asarray(codes, dtype=object), len(rules)),
            "area_ha_alone": total[0].reshape(-1),
            "area_ha_only": total[1].reshape(-1),
        }
    )
