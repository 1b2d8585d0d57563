"""Parameterised region growing: one contiguous piece of land around each seed."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["MEAN_DROP", "Limits", "grow_regions"]

IntArray = npt.NDArray[np.int64]

MEAN_DROP = 0.05
"""Once the smallest area is reached, growth ends at a cell this far below the mean so far."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes that bound one growth.

    Parameters
    ----------
    least, most : ndarray of int64, shape (seeds,), cells
        Smallest and largest region of each seed.
    compactness : float, 0–1
        Share of the shape term in the utility.
    radius : float, cells
        Radius of a disk of the largest area: the unit in which the shape term counts distance.
    """

    least: IntArray
    most: IntArray
    compactness: float
    radius: float


@kernel
def _is_new(table: IntArray, shift: int, stamp: int, cell: int) -> bool:
    """Enter ``cell`` into the hash table of this seed; False when it was there."""
    mask = len(table) - 1
    word = (stamp << 32) | cell
    mixed = np.uint64(cell) * np.uint64(0x9E3779B97F4A7C15)
    slot = np.int64(mixed >> np.uint64(shift))
    while True:
        held = table[slot]
        if held == word:
            return False
        if (held >> 32) != stamp:  # left over from an earlier seed: free
            table[slot] = word
            return True
        slot = (slot + 1) & mask


@kernel
def _push(heap: IntArray, size: int, word: int) -> None:
    i = size
    while i > 0:
        parent = (i - 1) >> 1
        if heap[parent] >= word:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = word


@kernel
def _drop_top(heap: IntArray, size: int) -> None:
    """Remove the top of a heap of ``size`` words; ``size − 1`` stay."""
    last = heap[size - 1]
    n = size - 1
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            break
        if child + 1 < n and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= last:
            break
        heap[i] = heap[child]
        i = child
    heap[i] = last


@kernel
def _spread(
    score: npt.NDArray[np.float32],
    seed: int,
    stamp: int,
    least: int,
    most: int,
    compactness: float,
    radius: float,
    drop: float,
    table: IntArray,
    shift: int,
    heap: IntArray,
    order: IntArray,
) -> int:
    """Fill ``order`` with cells in the order in which they join; return how many."""
    rows, cols = score.shape
    seed_row = seed // cols
    seed_col = seed - seed_row * cols
    _is_new(table, shift, stamp, seed)
    heap[0] = 0xFFFFFFFF - seed
    size = 1
    n = 0
    total = 0.0
    while size > 0 and n < most:
        cell = 0xFFFFFFFF - (heap[0] & 0xFFFFFFFF)
        _drop_top(heap, size)
        size -= 1
        row = cell // cols
        col = cell - row * cols
        value = np.float64(score[row, col])
        if n >= least and value * n < total - drop * n:
            break
        order[n] = cell
        n += 1
        total += value
        for k in range(4):
            r = row + (1 if k == 0 else -1 if k == 1 else 0)
            c = col + (1 if k == 2 else -1 if k == 3 else 0)
            if r < 0 or r >= rows or c < 0 or c >= cols:
                continue
            other = np.float64(score[r, c])
            if np.isnan(other):
                continue
            near = r * cols + c
            if _is_new(table, shift, stamp, near):
                dr = np.float64(r - seed_row)
                dc = np.float64(c - seed_col)
                shape = 1.0 - math.sqrt(dr * dr + dc * dc) / radius
                utility = (1.0 - compactness) * other + compactness * shape
                # fixed point, so that one integer holds utility and, for ties, the lower cell
                fixed = np.int64(max(utility + 64.0, 0.0) * 16777216.0)
                _push(heap, size, (fixed << 32) | (0xFFFFFFFF - near))
                size += 1
    return n


@kernel
def _enclosed(
    score: npt.NDArray[np.float32],
    order: IntArray,
    n: int,
    window: npt.NDArray[np.uint8],
    stack: IntArray,
    found: IntArray,
) -> int:
    """List the allowed cells that the first ``n`` of ``order`` enclose; −1: no room in buffers."""
    rows, cols = score.shape
    top = rows
    bottom = -1
    left = cols
    right = -1
    for i in range(n):
        r = order[i] // cols
        c = order[i] - r * cols
        top = min(top, r)
        bottom = max(bottom, r)
        left = min(left, c)
        right = max(right, c)
    height = bottom - top + 3
    width = right - left + 3
    area = height * width
    if area > len(window):
        return -1
    for i in range(area):
        window[i] = 0
    for i in range(n):
        r = order[i] // cols
        c = order[i] - r * cols
        window[(r - top + 1) * width + (c - left + 1)] = 1
    window[0] = 2  # the margin is outside; what it reaches by sides is not enclosed
    stack[0] = 0
    size = 1
    while size > 0:
        size -= 1
        at = stack[size]
        i = at // width
        j = at - i * width
        for k in range(4):
            r = i + (1 if k == 0 else -1 if k == 1 else 0)
            c = j + (1 if k == 2 else -1 if k == 3 else 0)
            if 0 <= r < height and 0 <= c < width and window[r * width + c] == 0:
                window[r * width + c] = 2
                stack[size] = r * width + c
                size += 1
    number = 0
    for i in range(n + len(found)):
        if i < n:
            cell = order[i]
        elif i - n < number:
            cell = found[i - n]
        else:
            break
        row = cell // cols
        col = cell - row * cols
        for k in range(4):
            r = row + (1 if k == 0 else -1 if k == 1 else 0)
            c = col + (1 if k == 2 else -1 if k == 3 else 0)
            if r < 0 or r >= rows or c < 0 or c >= cols or np.isnan(score[r, c]):
                continue
            at = (r - top + 1) * width + (c - left + 1)
            if window[at] == 0:
                if number >= len(found):
                    return number + 1  # more than could be absorbed
                window[at] = 3
                found[number] = r * cols + c
                number += 1
    return number


@kernel
def _grow_block(
    score: npt.NDArray[np.float32],
    seeds: IntArray,
    least: IntArray,
    most: IntArray,
    compactness: float,
    radius: float,
    drop: float,
    cells: IntArray,
    sizes: IntArray,
) -> int:
    """Grow a region from each seed into ``cells``; a size of 0 means too small."""
    largest = most.max()
    bits = 4
    while (1 << bits) < 8 * largest + 8:
        bits += 1
    table = np.zeros(1 << bits, np.int64)
    heap = np.empty(4 * largest + 8, np.int64)
    order = np.empty(largest, np.int64)
    found = np.empty(largest, np.int64)
    window = np.empty(16 * largest + 64, np.uint8)
    stack = np.empty(len(window), np.int64)
    at = 0
    for k in range(len(seeds)):
        n = _spread(
            score,
            seeds[k],
            k + 1,
            least[k],
            most[k],
            compactness,
            radius,
            drop,
            table,
            64 - bits,
            heap,
            order,
        )
        if n < least[k]:
            sizes[k] = 0
            continue
        # every beginning of `order` is contiguous: give up late cells to make room for islands
        kept = n
        extra = 0
        for _ in range(4):
            number = _enclosed(score, order, kept, window, stack, found)
            while number < 0:
                window = np.empty(4 * len(window), np.uint8)
                stack = np.empty(len(window), np.int64)
                number = _enclosed(score, order, kept, window, stack, found)
            if kept + number <= most[k]:
                extra = number
                break
            kept = most[k] - number
            if kept < 1:
                break
        if kept < 1 or kept + extra < least[k] or (extra == 0 and kept < n):
            kept = n
            extra = 0
        for i in range(kept):
            cells[at + i] = order[i]
        for i in range(extra):
            cells[at + kept + i] = found[i]
        cells[at : at + kept + extra].sort()
        sizes[k] = kept + extra
        at += kept + extra
    return at


def grow_regions(
    score: npt.NDArray[np.float32],
    seeds: IntArray,
    limits: Limits,
    *,
    drop: float = MEAN_DROP,
    threads: int | None = None,
) -> tuple[IntArray, IntArray, IntArray]:
    """Grow a contiguous region from each seed, each as if it were alone.

    Parameters
    ----------
    score : ndarray of float32, shape (rows, cols), 0–1
        NaN is land that may not be used.
    seeds : ndarray of int64
        Flat cell numbers; each on allowed land.
    limits : Limits
    drop : float
        See the rule.

    Returns
    -------
    seeds, offsets, cells : ndarray of int64
        Seeds that reached their smallest size, in the order given, and their cells in CSR form,
        ascending within a region.

    Notes
    -----
    The rule. A region starts as its seed. Among all allowed cells that share a side with it, the
    one with the largest utility joins,

        utility = (1 − compactness) · score + compactness · (1 − distance to the seed / radius),

    ties going to the lower cell number. Growth ends at the largest size; or when no allowed
    neighbour is left; or, once the smallest size is reached, when the next cell's score lies
    more than ``drop`` below the region's mean. Then allowed cells that the region encloses (that
    cannot be left by cell sides without crossing it) are absorbed; where that would exceed the
    largest size, the cells that joined last are given up for them, and where even that does not
    fit, the hole stays.
    """
    size_of_block = int(max(16, min(512, 4_000_000 // max(1, int(limits.most.max(initial=1))))))

    def work(start: int, stop: int) -> tuple[IntArray, IntArray]:
        most = limits.most[start:stop]
        cells = np.empty(int(most.sum()), np.int64)
        sizes = np.empty(stop - start, np.int64)
        used = _grow_block(
            score,
            seeds[start:stop],
            limits.least[start:stop],
            most,
            limits.compactness,
            limits.radius,
            drop,
            cells,
            sizes,
        )
        return sizes, cells[:used].copy()

    parts = over_blocks(work, len(seeds), threads=threads, block=size_of_block)
    if not parts:
        return np.empty(0, np.int64), np.zeros(1, np.int64), np.empty(0, np.int64)
    sizes = np.concatenate([p[0] for p in parts])
    grown = sizes > 0
    offsets = np.concatenate([[0], np.cumsum(sizes[grown])])
    return seeds[grown], offsets, np.concatenate([p[1] for p in parts])
