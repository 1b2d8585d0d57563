"""Ordered weighted average with weights of the criteria."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.errors import ShapeError
from geoplan.mcda.layers import BLOCK, Layers, checked_range
from geoplan.mcda.order_weights import order_weights_of
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["ordered_average"]

_TABLE_MOST = 16
"""Criteria up to which the quantifier of every subset is looked up (2¹⁶ numbers)."""

_CELLS = 1 << 12
"""Cells at a time: a dozen rows of so many stay in the cache beside each other."""

_PLACE_BITS = 8
_MOST = 1 << _PLACE_BITS
"""Criteria whose place fits into the last bits of a value."""

Floats = npt.NDArray[np.float64]
Keys = npt.NDArray[np.int64]


def _keys(values: Floats) -> Keys:
    """Return values with their criterion's place in the last bits, in the order of the values.

    A float64 of 0 or more is ordered like its bits read as a whole number. A float32 value uses
    none of the bits that the place takes; any other loses less than 2⁻⁴⁴ of itself.
    """
    keys = values.view(np.int64)
    keys &= ~(_MOST - 1)
    keys |= np.arange(len(values), dtype=np.int64)[:, None]
    return keys


@kernel
def _exchange(first: Keys, second: Keys) -> None:
    for i in range(len(first)):
        a, b = first[i], second[i]
        first[i] = a if a > b else b
        second[i] = b if a > b else a


@kernel
def _ordered(keys: Keys) -> None:
    """Put each column in order, best first, by a sorting network, all columns in step.

    Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M): the
    same exchanges whatever the values are, so that many cells are ordered at once.
    """
    n = keys.shape[0]
    top = 1
    while top < n:
        top *= 2
    top //= 2
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while True:
            for i in range(n - d):
                if i & p == r:
                    _exchange(keys[i], keys[i + d])
            if q == p:
                break
            d, q, r = q - p, q // 2, p
        p //= 2


@kernel
def _by_table(keys: Keys, values: Floats, table: Floats, total: Floats) -> None:
    """Add up with the quantifier of the criteria so far looked up by their bits."""
    n, m = keys.shape
    chosen, before = np.zeros(m, np.int64), np.zeros(m)
    total[:] = 0.0
    for j in range(n):
        row, z = keys[j], values[j]
        for i in range(m):
            chosen[i] |= 1 << (row[i] & 255)
            now = table[chosen[i]]
            total[i] += (now - before[i]) * z[i]
            before[i] = now


@kernel
def _by_power(keys: Keys, values: Floats, shares: Floats, alpha: float, total: Floats) -> None:
    """Add up with the quantifier of the criteria so far computed."""
    n, m = keys.shape
    share, before = np.zeros(m), np.zeros(m)
    total[:] = 0.0
    for j in range(n):
        for i in range(m):
            share[i] += shares[keys[j, i] & 255]
            now = 1.0 if j == n - 1 else min(share[i], 1.0) ** alpha
            total[i] += (now - before[i]) * values[j, i]
            before[i] = now


@kernel
def _by_product(keys: Keys, values: Floats, shares: Floats, order: Floats, total: Floats) -> None:
    """Add up with products of order weight and criterion weight."""
    n, m = keys.shape
    for i in range(m):
        over, under, j = 0.0, 0.0, 0
        while j < n:
            z = values[j, i]
            of_order, of_criteria = order[j], shares[keys[j, i] & 255]
            end = j + 1
            while end < n and values[end, i] == z:  # equal values share their places evenly
                of_order += order[end]
                of_criteria += shares[keys[end, i] & 255]
                end += 1
            part = of_criteria * of_order / (end - j)
            over += part * z
            under += part
            j = end
        total[i] = over / under


def _subset_table(shares: Floats, alpha: float) -> Floats:
    """Return (Σ shares)^alpha for every subset of criteria, by the bits of its number."""
    sums = np.zeros(1)
    for share in shares:
        sums = np.concatenate([sums, sums + share])
    table = np.minimum(sums, 1.0) ** alpha if math.isfinite(alpha) else np.zeros(len(sums))
    table[0], table[-1] = 0.0, 1.0
    return np.asarray(table)


def ordered_average(
    layers: Layers, spec: AggregationSpec, *, threads: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the ordered weighted average of each cell, flat.

    Parameters
    ----------
    layers : Layers
        At least one array.
    spec : AggregationSpec
        Method ``owa``.
    threads : int, optional
        The result does not depend on it.

    Raises
    ------
    ShapeError
        More than 256 criteria, or not as many order weights as criteria.

    Notes
    -----
    With z_1 ≥ z_2 ≥ … the values of a cell and u_j the weights of their criteria (which here sum
    to 1): order weights v that are given, or of maximum entropy, join the criteria's weights as
    Σ u_j v_j z_j / Σ u_j v_j (Jiang & Eastman 2000; Malczewski 2006). An orness by
    quantifier gives Σ [Q(u_1 + … + u_j) − Q(u_1 + … + u_(j−1))] z_j, Q(p) = p^α (Yager 1996;
    Malczewski 2006). Equal order weights, and orness 0.5, are the weighted sum; orness
    0 the least value, 1 the largest. Equal values of a cell share their order weights evenly in
    the first form, so that the order in which criteria are listed never counts; in the second
    they do so of themselves.

    The first form can jump where two values of a cell change places, because its denominator
    does; the second is continuous and never falls when a value rises.
    """
    n = len(layers.values)
    if n > _MOST:
        raise ShapeError(f"{n} criteria to order", remedy=f"use at most {_MOST}")
    shares = np.ascontiguousarray(layers.shares)
    order = np.array(order_weights_of(spec, n).weights)
    quantifier = spec.order_weights is None and spec.order_from != "max_entropy"
    degree = spec.orness or 0.0
    alpha = (1.0 - degree) / degree if degree > 0 else math.inf
    table = _subset_table(shares, alpha) if quantifier and n <= _TABLE_MOST else np.empty(0)
    cells = layers.values[0].size
    out = np.empty(cells, dtype=np.float32)

    def work(first: int, last: int) -> None:
        room = np.empty((n, _CELLS))
        sums = np.empty(_CELLS)
        for start in range(first, last, _CELLS):
            stop = min(start + _CELLS, last)
            part = room if stop - start == _CELLS else np.empty((n, stop - start))
            total = sums[: stop - start]
            for row, value in zip(part, layers.values, strict=True):
                row[:] = value[start:stop]
            checked_range(part.reshape(-1), spec.method)
            missing = np.isnan(part.sum(axis=0, out=total))  # where any value is
            np.maximum(part, 0.0, out=part)  # −0 and what rounding left below 0
            keys = _keys(part)
            _ordered(keys)
            ordered = (keys & ~(_MOST - 1)).view(np.float64)
            if not quantifier:
                _by_product(keys, ordered, shares, order, total)
            elif len(table):
                _by_table(keys, ordered, table, total)
            else:
                _by_power(keys, ordered, shares, alpha, total)
            total[missing] = np.nan
            out[start:stop] = total

    over_blocks(work, cells, threads=threads if cells > BLOCK else 1)
    return out
