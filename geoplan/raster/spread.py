"""The search behind least-cost distance: costs that spread from cell to cell."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel

__all__ = ["METRIC_BOUND", "checked_friction", "ring", "spread", "steps_to"]

METRIC_BOUND = {8: 1.0 / math.cos(math.pi / 8.0), 16: 1.0 / math.cos(0.5 * math.atan(0.5))}
"""Neighbours → largest ratio of a path on flat open ground to the straight distance."""

_MOST_BUCKETS = 1 << 14

_STEPS = np.array(
    [
        (-1, 0), (0, -1), (0, 1), (1, 0), (-1, -1), (-1, 1), (1, -1), (1, 1),
        (-2, -1), (-2, 1), (-1, -2), (-1, 2), (1, -2), (1, 2), (2, -1), (2, 1),
    ],
    dtype=np.int64,
)  # fmt: skip

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@kernel
def _sides(dr: int, dc: int) -> tuple[int, int, int, int]:
    """Return the two cells beside a diagonal, or those that a knight's move crosses between."""
    if abs(dr) == 2:
        return dr // 2, 0, dr // 2, dc
    if abs(dc) == 2:
        return 0, dc // 2, dr, dc // 2
    return dr, 0, 0, dc


@kernel
def spread(
    f: Floats,
    starts: Ints,
    targets: Ints,
    steps: Ints,
    width: float,
    buckets: int,
    most: float,
    keep: bool,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    """Return what it costs to reach each cell from the starts; lengths and costs in cells.

    Parameters
    ----------
    f : ndarray of float32, shape (rows, cols)
        Friction; ``inf`` and NaN are not crossed.
    starts, targets : ndarray of int, shape (n, 2)
        ``(row, col)``. With targets, the search ends once all of them are final, or at the end.
    steps : ndarray of int, shape (neighbours, 2)
    width, buckets : float and int
        As :func:`ring` gives them.
    most : float
        Costs beyond are not followed.
    keep : bool
        Also return length and last step of the way; else these are empty.

    Returns
    -------
    cost, length : ndarray of float64, shape (rows + 4, cols + 4)
        With a frame of two cells; ``cost`` is −1 where nothing is crossed, ``inf`` where no way
        leads.
    back : ndarray of int8, same shape
        Number of the step by which a cell was reached; −1 at the starts.

    Notes
    -----
    Label correcting with a ring of buckets of ``width``; exact for any width, since a cell whose
    cost falls is queued again. The frame and the −1 spare all tests of edges and barriers.
    """
    rows, cols = f.shape
    wide = cols + 4
    size = (rows + 4) * wide
    friction = np.full(size, np.inf, np.float32)
    cost = np.full(size, -1.0)
    for r in range(rows):
        for c in range(cols):
            if f[r, c] < np.inf:
                cell = (r + 2) * wide + c + 2
                friction[cell] = f[r, c]
                cost[cell] = np.inf
    length = np.zeros(size if keep else 0)
    back = np.full(size if keep else 0, -1, np.int8)
    number = len(steps)
    offset = np.empty(number, np.int64)
    side_a = np.empty(number, np.int64)
    side_b = np.empty(number, np.int64)
    stride = np.empty(number, np.float64)
    for k in range(number):
        dr, dc = steps[k, 0], steps[k, 1]
        a, b, c, d = _sides(dr, dc)
        offset[k] = dr * wide + dc
        side_a[k] = a * wide + b
        side_b[k] = c * wide + d
        stride[k] = math.sqrt(float(dr * dr + dc * dc))

    head = np.full(buckets, -1, np.int64)
    room = max(1024, 2 * len(starts))
    follow = np.empty(room, np.int64)
    held = np.empty(room, np.int64)
    at = np.empty(room, np.float64)
    used = 0
    free = -1
    queued = 0
    for n in range(len(starts)):
        cell = (starts[n, 0] + 2) * wide + starts[n, 1] + 2
        if cost[cell] != np.inf:
            continue  # a barrier, or named twice
        cost[cell] = 0.0
        held[used] = cell
        at[used] = 0.0
        follow[used] = head[0]
        head[0] = used
        used += 1
        queued += 1
    now = 0
    while queued > 0:
        slot = now % buckets
        while head[slot] >= 0:
            entry = head[slot]
            head[slot] = follow[entry]
            follow[entry] = free
            free = entry
            queued -= 1
            cell = held[entry]
            here = cost[cell]
            if at[entry] > here:
                continue  # a cheaper way was found since
            near = np.float64(friction[cell])
            for k in range(number):
                to = cell + offset[k]
                before = cost[to]
                if before <= here:
                    continue
                mean = (near + np.float64(friction[to])) / 2.0
                if k >= 4:
                    a, b = cell + side_a[k], cell + side_b[k]
                    if k < 8:  # a diagonal does not slip between two barriers
                        if cost[a] < 0.0 and cost[b] < 0.0:
                            continue
                    elif cost[a] < 0.0 or cost[b] < 0.0:
                        continue
                    else:  # a knight's move crosses four cells, a quarter of its length in each
                        mean = (2.0 * mean + friction[a] + friction[b]) / 4.0
                price = here + stride[k] * mean
                if price >= before or price > most:
                    continue
                cost[to] = price
                if keep:
                    length[to] = length[cell] + stride[k]
                    back[to] = k
                if free >= 0:
                    entry = free
                    free = follow[entry]
                else:
                    if used == room:
                        follow = np.concatenate((follow, np.empty(room, np.int64)))
                        held = np.concatenate((held, np.empty(room, np.int64)))
                        at = np.concatenate((at, np.empty(room, np.float64)))
                        room *= 2
                    entry = used
                    used += 1
                held[entry] = to
                at[entry] = price
                into = int(price / width) % buckets
                follow[entry] = head[into]
                head[into] = entry
                queued += 1
        if len(targets) > 0:
            final = True
            for n in range(len(targets)):
                price = cost[(targets[n, 0] + 2) * wide + targets[n, 1] + 2]
                if not (0.0 <= price < np.inf and int(price / width) <= now):
                    final = False
                    break
            if final:
                break
        now += 1
    shape = (rows + 4, wide)
    if keep:
        return cost.reshape(shape), length.reshape(shape), back.reshape(shape)
    return cost.reshape(shape), length.reshape((0, 0)), back.reshape((0, 0))


def checked_friction(friction: npt.ArrayLike, grid: Grid) -> Floats:
    """Return the friction as float32, refused where it is not on the grid or not above 0."""
    f = np.ascontiguousarray(friction, dtype=np.float32)
    if f.shape != grid.shape:
        raise ShapeError(f"a friction of shape {f.shape} does not lie on a grid {grid.shape}")
    bad = f <= 0
    if bad.any():
        raise RangeError(
            f"{int(bad.sum())} cells have a friction of 0 or less, the lowest "
            f"{float(f[bad].min()):g}",
            remedy="friction multiplies length: give values above 0, inf for a barrier",
        )
    return f


def steps_to(neighbours: int) -> Ints:
    """Return the ``(row, col)`` steps to 8 or 16 neighbours."""
    if neighbours not in METRIC_BOUND:
        raise RangeError(f"{neighbours} neighbours", remedy="use 8 or 16")
    return _STEPS[:neighbours]


def ring(f: Floats) -> tuple[float, int]:
    """Return the width of a bucket, in cells, and how many cover the dearest step.

    Friction 1 counts as present: ends on a barrier are left over it.
    """
    known = f[np.isfinite(f)]
    low = float(known.min(initial=1.0))
    high = float(known.max(initial=1.0))
    dearest = high * math.sqrt(5.0)
    width = max(low, dearest / (_MOST_BUCKETS - 3))
    return width, math.ceil(dearest / width) + 3
