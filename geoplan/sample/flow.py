"""Where water runs: depressions filled from the sea inward, one receiver per cell."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from geoplan.sample.place import BoolArray, FloatArray, IntArray

__all__ = ["Flow", "accumulate", "route"]

_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


@dataclass(frozen=True, slots=True)
class Flow:
    """Flow directions.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        Flat cell numbers, every cell after the one it drains to.
    receiver : ndarray of int, shape (rows * cols,)
        Flat number of the cell each one drains to; itself at an outlet, −1 where not routed.
    filled : ndarray of float, shape (rows, cols), m
        Heights with depressions filled.
    """

    order: IntArray
    receiver: IntArray
    filled: FloatArray


def route(z: FloatArray, outlet: BoolArray, *, rise: float = 1e-3) -> Flow:
    """Route every cell to an outlet.

    Parameters
    ----------
    z : ndarray of float, shape (rows, cols), m
        Heights.
    outlet : ndarray of bool, shape (rows, cols)
        Where water leaves: sea and closed lakes. At least one cell.
    rise : float
        Least fall between neighbours inside a filled depression, m.

    Returns
    -------
    Flow

    Notes
    -----
    Priority flood with ε (Barnes, Lehman & Mulla 2014, algorithm 3): cells are taken lowest
    first from the outlets inward, so each is reached over its lowest way out.
    """
    rows, cols = z.shape
    heights = z.ravel().tolist()
    receiver = [-1] * (rows * cols)
    order: list[int] = []
    queue: list[tuple[float, int]] = []
    for cell in np.flatnonzero(outlet.ravel()).tolist():
        receiver[cell] = cell
        order.append(cell)
        queue.append((heights[cell], cell))
    heapq.heapify(queue)
    pop, push = heapq.heappop, heapq.heappush
    offsets = [(dr, dc, dr * cols + dc) for dr, dc in _STEPS]
    while queue:
        level, cell = pop(queue)
        row, col = divmod(cell, cols)
        for dr, dc, offset in offsets:
            if not (0 <= row + dr < rows and 0 <= col + dc < cols):
                continue
            near = cell + offset
            if receiver[near] >= 0:
                continue
            receiver[near] = cell
            if heights[near] < level + rise:
                heights[near] = level + rise
            order.append(near)
            push(queue, (heights[near], near))
    return Flow(
        order=np.array(order, dtype=np.int64),
        receiver=_steepest(np.array(heights).reshape(rows, cols), np.array(receiver)),
        filled=np.array(heights).reshape(rows, cols),
    )


def _steepest(filled: FloatArray, receiver: IntArray) -> IntArray:
    """Turn each cell to its steepest lower neighbour, which is the one water would take."""
    rows, cols = filled.shape
    best = np.zeros((rows, cols))
    target = receiver.reshape(rows, cols).copy()
    number = np.arange(rows * cols).reshape(rows, cols)
    padded = np.pad(filled, 1, constant_values=np.inf)
    numbers = np.pad(number, 1)
    at_outlet = target == number
    for dr, dc in _STEPS:
        view = (slice(1 + dr, 1 + dr + rows), slice(1 + dc, 1 + dc + cols))
        fall = (filled - padded[view]) / np.hypot(dr, dc)
        steeper = (fall > best) & ~at_outlet
        best[steeper] = fall[steeper]
        target[steeper] = numbers[view][steeper]
    return target.ravel()


def accumulate(flow: Flow, amount: FloatArray) -> FloatArray:
    """Return what passes through each cell when ``amount`` starts in each (same unit)."""
    total: list[float] = amount.ravel().tolist()
    receiver: list[int] = flow.receiver.tolist()
    # Upstream first: a lower cell never drains to a higher one, so sorting by height is enough.
    for cell in np.argsort(-flow.filled.ravel(), kind="stable").tolist():
        target = receiver[cell]
        if target >= 0 and target != cell:
            total[target] += total[cell]
    return np.array(total).reshape(amount.shape)
