"""How much of a cell, and of a site, the rules leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geoplan.errors import ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.exclude_rules import RuleBits

if TYPE_CHECKING:
    from geoplan.siting.exclude import Exclusions

__all__ = ["SHARE_UNIT", "left_of", "set_aside", "usable_area_ha", "usable_at", "usable_share"]

SHARE_UNIT = 65_535
"""What a whole cell is in 16-bit shares."""


@kernel
def left_of(
    force: np.uint64,
    share: npt.NDArray[np.float64],
    i: int,
    hard: np.uint64,
    partial: npt.NDArray[np.int64],
) -> float:
    """Return the part of cell ``i`` that the rules of ``force`` leave."""
    if force & hard:
        return 0.0
    left = 1.0
    for p in range(len(partial)):
        if (force >> np.uint64(partial[p])) & np.uint64(1):
            left *= 1.0 - share[p, i]
    return left


@kernel
def set_aside(
    held: np.uint64, over: npt.NDArray[np.uint64], include: npt.NDArray[np.int64], but: int
) -> np.uint64:
    """Return the bits that land forced in sets aside, rule ``but`` left out of account."""
    aside = np.uint64(0)
    for n in range(len(include)):
        k = include[n]
        if k != but and (held >> np.uint64(k)) & np.uint64(1):
            aside |= over[k]
    return aside


@kernel
def _usable(
    bits: npt.NDArray[np.unsignedinteger],
    share: npt.NDArray[np.float64],
    over: npt.NDArray[np.uint64],
    include: npt.NDArray[np.int64],
    hard: np.uint64,
    partial: npt.NDArray[np.int64],
    out: npt.NDArray[np.float64],
) -> None:
    for i in range(len(bits)):
        held = np.uint64(bits[i])
        if held == np.uint64(0):
            out[i] = 1.0
            continue
        force = held & ~set_aside(held, over, include, -1)
        out[i] = left_of(force, share, i, hard, partial)


def usable_at(
    rules: RuleBits, bits: npt.NDArray[np.unsignedinteger], share: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the part of each cell that the rules in force leave.

    Parameters
    ----------
    rules : RuleBits
    bits : ndarray of unsigned int, any shape
    share : ndarray of float64, shape (partial rules, *bits.shape), 0–1
        What each partial rule takes where its bit is set.

    Returns
    -------
    ndarray of float64, the shape of ``bits``, 0–1

    Notes
    -----
    ∏ (1 − share) over the partial rules in force; 0 where a rule removes the whole cell. The
    product says that the parts lie in the cell independently of each other. Where two rules take
    the same ground it says too little is left, where they avoid each other too much; it is
    exact for one rule.
    """
    out = np.empty(bits.size, dtype=np.float64)
    _usable(
        np.ascontiguousarray(bits).reshape(-1),
        np.ascontiguousarray(share).reshape(len(share), bits.size),
        rules.over_array(), rules.numbers(rules.include), np.uint64(rules.hard),
        rules.numbers(rules.partial), out,
    )  # fmt: skip
    return out.reshape(bits.shape)


def usable_share(exclusions: Exclusions, *, threads: int | None = None) -> npt.NDArray[np.float32]:
    """Return the part of each cell that is left.

    Returns
    -------
    ndarray of float32, shape (rows, cols), 0–1
        0 outside the area, where a rule removes the cell, and where less than
        ``usable_share_min`` is left.
    """
    allowed = exclusions.allowed
    out = np.zeros(allowed.shape, dtype=np.float32)
    cols = allowed.shape[1]

    def work(start: int, stop: int) -> None:
        cells = np.flatnonzero(allowed[start:stop])
        numbers = cells + start * cols
        bits = exclusions.bits[start:stop].reshape(-1)[cells]
        left = usable_at(exclusions.rules, bits, exclusions.shares_of(numbers))
        out[start:stop].reshape(-1)[cells] = left

    over_blocks(work, allowed.shape[0], threads=threads, block=64)
    return out


def usable_area_ha(
    exclusions: Exclusions,
    cells: npt.NDArray[np.integer],
    offsets: npt.NDArray[np.integer],
    grid: Grid,
) -> npt.NDArray[np.float64]:
    """Return the usable area of sites.

    Parameters
    ----------
    exclusions : Exclusions
    cells : ndarray of int, shape (cells,)
        Flat cell numbers of all sites, one site after the other.
    offsets : ndarray of int, shape (sites + 1,)
        Site k has ``cells[offsets[k]:offsets[k + 1]]``.
    grid : Grid

    Returns
    -------
    ndarray of float64, shape (sites,), ha
        Σ usable share · ha per cell; 0 for cells outside the area or not left by the rules.
    """
    if exclusions.bits.shape != grid.shape:
        what = f"exclusions of shape {exclusions.bits.shape} do not lie on a grid {grid.shape}"
        raise ShapeError(what)
    numbers = np.asarray(cells, dtype=np.int64)
    bits = exclusions.bits.reshape(-1)[numbers]
    left = usable_at(exclusions.rules, bits, exclusions.shares_of(numbers))
    left[~exclusions.inside.reshape(-1)[numbers]] = 0.0
    total = np.concatenate([[0.0], np.cumsum(left)])
    ends = np.asarray(offsets, dtype=np.int64)
    return np.asarray((total[ends[1:]] - total[ends[:-1]]) * grid.cell_ha)
