"""Which boxes touch which: a hashed grid, so that far-apart estates cost no empty cells."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

__all__ = ["Boxes", "box_pairs", "boxes_of_segments", "boxes_touching"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Boxes = Floats
"""``(n, 4)``: least x, least y, greatest x, greatest y. A row of NaN touches nothing."""

_THREADS = 2
_MOST_CELLS = 1024  # a box over more cells is compared with every other one instead


class _Grid(NamedTuple):
    start: Ints
    entry: npt.NDArray[np.int32]
    large: npt.NDArray[np.int32]
    cell: float
    x: float
    y: float


def box_pairs(boxes: Boxes, others: Boxes | None = None, *, grow: float = 0.0) -> Ints:
    """Return the pairs of boxes that touch once each box is grown by ``grow``.

    Parameters
    ----------
    boxes : ndarray of float, shape (n, 4)
        Boxes.
    others : ndarray of float, shape (m, 4), optional
        Boxes to meet them; without it ``boxes`` meet each other, each pair once.
    grow : float, m
        Every side moves out by this; negative moves it in.

    Returns
    -------
    ndarray of int, shape (pairs, 2)
        Positions in ``boxes`` and in ``others``; within one set the lower one first.
    """
    own = _grown(boxes, grow)
    met = own if others is None else _grown(others, grow)
    if not len(own) or not len(met):
        return np.empty((0, 2), dtype=np.int64)
    grid = _grid(own, max(_typical(own), _typical(met)))
    big = np.zeros(len(own), dtype=bool)
    big[grid.large] = True
    steps = np.linspace(0, len(met), max(2, min(9, len(met) // 5000 + 2))).astype(np.int64)

    def meet(k: int) -> Ints:
        return _meet(own, met, grid, big, others is None, steps[k], steps[k + 1])

    with ThreadPoolExecutor(_THREADS) as pool:
        return np.concatenate(list(pool.map(meet, range(len(steps) - 1))))


def boxes_of_segments(a: Floats, b: Floats) -> Boxes:
    """Return the box of each segment from a point of ``a`` to one of ``b``."""
    return np.hstack([np.minimum(a, b), np.maximum(a, b)])


def boxes_touching(boxes: Boxes, others: Boxes, grow: float) -> Ints:
    """Return which boxes touch the one around all ``others`` once that is grown."""
    low, high = others[:, :2].min(axis=0) - grow, others[:, 2:].max(axis=0) + grow
    return _touching(boxes, np.concatenate([low, high]).reshape(1, 4))


def _grown(boxes: Boxes, grow: float) -> Boxes:
    return np.ascontiguousarray(boxes + np.array([-grow, -grow, grow, grow]))


def _typical(boxes: Boxes) -> float:
    size = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    size = size[size >= 0]
    return max(float(size.mean()), 1e-6) if len(size) else 1e-6


def _grid(boxes: Boxes, cell: float) -> _Grid:
    least = np.fmin.reduce(boxes[:, :2], axis=0)
    x, y = (float(v) if np.isfinite(v) else 0.0 for v in least)
    buckets = 1 << max(4, int(2 * len(boxes)).bit_length())
    start = np.zeros(buckets + 1, dtype=np.int64)
    large = _place(boxes, cell, x, y, start, np.empty((0, 3), dtype=np.int32))
    np.cumsum(start, out=start)
    # An entry is a box with the column and line of one cell that it covers.
    entry = np.empty((start[-1], 3), dtype=np.int32)
    _place(boxes, cell, x, y, start.copy(), entry)
    return _Grid(start, entry, large, cell, x, y)


@njit(cache=True, nogil=True)
def _bucket(column: int, line: int, mask: int) -> np.int64:
    # Neighbours along a line stay neighbours in memory.
    return (np.int64(column) + np.int64(line) * np.int64(0x9E3779B1)) & mask


@njit(cache=True, nogil=True)
def _place(
    boxes: Boxes, cell: float, x: float, y: float, start: Ints, entry: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """Count boxes per bucket into ``start[1:]``; with room in ``entry``, put them in place."""
    mask = len(start) - 2
    large = []
    for i in range(len(boxes)):
        if not (boxes[i, 0] <= boxes[i, 2] and boxes[i, 1] <= boxes[i, 3]):
            continue
        c0, c1 = int((boxes[i, 0] - x) // cell), int((boxes[i, 2] - x) // cell)
        r0, r1 = int((boxes[i, 1] - y) // cell), int((boxes[i, 3] - y) // cell)
        if (c1 - c0 + 1) * (r1 - r0 + 1) > _MOST_CELLS:
            large.append(i)
            continue
        for c in range(c0, c1 + 1):
            for r in range(r0, r1 + 1):
                b = _bucket(c, r, mask)
                if len(entry):
                    k = start[b]
                    entry[k, 0], entry[k, 1], entry[k, 2] = i, c, r
                    start[b] += 1
                else:
                    start[b + 1] += 1
    out = np.empty(len(large), dtype=np.int32)
    for k in range(len(large)):
        out[k] = large[k]
    return out


@njit(cache=True, nogil=True)
def _meet(
    own: Boxes, met: Boxes, grid: _Grid, big: Flags, same: bool, first: int, last: int
) -> Ints:
    out = np.empty((4 * (last - first) + 16, 2), dtype=np.int64)
    n = 0
    mask = len(grid.start) - 2
    for j in range(first, last):
        if not (met[j, 0] <= met[j, 2] and met[j, 1] <= met[j, 3]):
            continue
        for i in grid.large:
            # Two large boxes meet once; a large and a small one meet from the small one's side.
            if (same and big[j] and i >= j) or not _touch(own, i, met, j):
                continue
            if n == len(out):
                out = np.concatenate((out, np.empty((n, 2), dtype=np.int64)))
            out[n, 0], out[n, 1] = (min(i, j), max(i, j)) if same else (i, j)
            n += 1
        if same and big[j]:
            continue
        c0, c1 = _span(met[j, 0], met[j, 2], grid.x, grid.cell)
        r0, r1 = _span(met[j, 1], met[j, 3], grid.y, grid.cell)
        if (c1 - c0 + 1.0) * (r1 - r0 + 1.0) > 4.0 * len(own) + _MOST_CELLS:
            for i in range(len(own)):
                if big[i] or not _touch(own, i, met, j):
                    continue
                if n == len(out):
                    out = np.concatenate((out, np.empty((n, 2), dtype=np.int64)))
                out[n, 0], out[n, 1] = i, j
                n += 1
            continue
        for c in range(c0, c1 + 1):
            for r in range(r0, r1 + 1):
                b = _bucket(c, r, mask)
                for k in range(grid.start[b], grid.start[b + 1]):
                    i = grid.entry[k, 0]
                    if grid.entry[k, 1] != c or grid.entry[k, 2] != r or (same and i >= j):
                        continue
                    if not _touch(own, i, met, j):
                        continue
                    # The pair shares several cells: it counts where its common corner lies.
                    if int((max(own[i, 0], met[j, 0]) - grid.x) // grid.cell) != c:
                        continue
                    if int((max(own[i, 1], met[j, 1]) - grid.y) // grid.cell) != r:
                        continue
                    if n == len(out):
                        out = np.concatenate((out, np.empty((n, 2), dtype=np.int64)))
                    out[n, 0], out[n, 1] = i, j
                    n += 1
    return out[:n].copy()


@njit(cache=True, nogil=True)
def _span(low: float, high: float, origin: float, cell: float) -> tuple[int, int]:
    return int((low - origin) // cell), int((high - origin) // cell)


@njit(cache=True, nogil=True)
def _touch(a: Boxes, i: int, b: Boxes, j: int) -> bool:
    beside = a[i, 0] > b[j, 2] or b[j, 0] > a[i, 2] or a[i, 1] > b[j, 3] or b[j, 1] > a[i, 3]
    return not beside


@njit(cache=True, nogil=True)
def _touching(boxes: Boxes, other: Boxes) -> Ints:
    out = np.empty(len(boxes), dtype=np.int64)
    n = 0
    for i in range(len(boxes)):
        # Written so that NaN touches nothing.
        if (
            boxes[i, 0] <= other[0, 2] and other[0, 0] <= boxes[i, 2]
            and boxes[i, 1] <= other[0, 3] and other[0, 1] <= boxes[i, 3]
        ):  # fmt: skip
            out[n] = i
            n += 1
    return out[:n].copy()
