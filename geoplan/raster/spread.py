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
def _step_friction(f: Floats, r: int, c: int, dr: int, dc: int) -> float:
    """Return the mean friction along a step from a passable cell; inf where it is barred."""
    far = np.float64(f[r + dr, c + dc])
    if not far < np.inf:
        return np.inf
    near = np.float64(f[r, c])
    if dr == 0 or dc == 0:
        return (near + far) / 2.0
    if abs(dr) == 1 and abs(dc) == 1:
        if not (f[r + dr, c] < np.inf or f[r, c + dc] < np.inf):
            return np.inf
        return (near + far) / 2.0
    # a knight's move crosses four cells, a quarter of its length in each
    if abs(dr) == 2:
        a = np.float64(f[r + dr // 2, c])
        b = np.float64(f[r + dr // 2, c + dc])
    else:
        a = np.float64(f[r, c + dc // 2])
        b = np.float64(f[r + dr, c + dc // 2])
    if not (a < np.inf and b < np.inf):
        return np.inf
    return (near + a + b + far) / 4.0


@kernel
def spread(
    f: Floats,
    steps: Ints,
    width: float,
    buckets: int,
    most: float,
    targets: Ints,
    cost: npt.NDArray[np.float64],
    length: npt.NDArray[np.float64],
    back: npt.NDArray[np.int8],
) -> None:
    """Settle all cells from those whose ``cost`` is finite at the start; unit: cells.

    Label correcting with a ring of buckets of ``width``; exact for any width, since a cell whose
    cost falls is queued again. ``length`` (of the way taken) and ``back`` (number of the step by
    which a cell was reached, −1 at the start) are kept where they have the size of ``cost``. Ends
    early once all ``targets`` (flat cell numbers) are final: only dearer buckets remain.
    """
    rows, cols = f.shape
    with_length = length.size == rows * cols
    with_back = back.size == rows * cols
    stride = np.empty(len(steps), np.float64)
    for k in range(len(steps)):
        stride[k] = math.sqrt(float(steps[k, 0] ** 2 + steps[k, 1] ** 2))
    head = np.full(buckets, -1, np.int64)
    room = 1024
    follow = np.empty(room, np.int64)
    held = np.empty(room, np.int64)
    at = np.empty(room, np.float64)
    used = 0
    free = -1
    queued = 0
    for cell in range(rows * cols):
        if cost[cell // cols, cell % cols] == 0.0:
            if used == room:
                follow = np.concatenate((follow, np.empty(room, np.int64)))
                held = np.concatenate((held, np.empty(room, np.int64)))
                at = np.concatenate((at, np.empty(room, np.float64)))
                room *= 2
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
            r = cell // cols
            c = cell - r * cols
            here = cost[r, c]
            if at[entry] > here:
                continue  # a cheaper way was found since
            for k in range(len(steps)):
                i = r + steps[k, 0]
                j = c + steps[k, 1]
                if i < 0 or i >= rows or j < 0 or j >= cols:
                    continue
                if cost[i, j] <= here:
                    continue
                price = here + stride[k] * _step_friction(f, r, c, steps[k, 0], steps[k, 1])
                if price < cost[i, j] and price <= most:
                    cost[i, j] = price
                    if with_length:
                        length[i, j] = length[r, c] + stride[k]
                    if with_back:
                        back[i, j] = k
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
                    held[entry] = i * cols + j
                    at[entry] = price
                    into = int(price / width) % buckets
                    follow[entry] = head[into]
                    head[into] = entry
                    queued += 1
        if len(targets) > 0:
            final = True
            for cell in targets:
                price = cost[cell // cols, cell % cols]
                if not (price < np.inf and int(price / width) <= now):
                    final = False
                    break
            if final:
                return
        now += 1


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
