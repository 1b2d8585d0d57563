"""Ordered weighted average with weights of the criteria."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.mcda.layers import BLOCK, Layers, checked_range
from geoplan.mcda.order_weights import order_weights_of
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["ordered_average"]

_TABLE_MOST = 16
"""Criteria up to which the quantifier of every subset is looked up (2¹⁶ numbers)."""

_CELLS = BLOCK // 8
"""Cells at a time: a dozen arrays of so many stay in the cache beside each other."""

Floats = npt.NDArray[np.float64]
Block = npt.NDArray[np.floating]


@kernel
def _ordered(block: Block, cell: int, z: Floats, who: npt.NDArray[np.int64]) -> bool:
    """Put the values of a cell in order, best first, equal ones as given; False if one is NaN."""
    for k in range(block.shape[0]):
        v = np.float64(block[k, cell])
        if v != v:
            return False
        j = k
        while j > 0 and z[j - 1] < v:
            z[j] = z[j - 1]
            who[j] = who[j - 1]
            j -= 1
        z[j] = v
        who[j] = k
    return True


@kernel
def _by_table(block: Block, table: Floats, out: npt.NDArray[np.float32]) -> None:
    n = block.shape[0]
    z, who = np.empty(n), np.empty(n, np.int64)
    for i in range(block.shape[1]):
        if not _ordered(block, i, z, who):
            out[i] = np.nan
            continue
        chosen, before, total = 0, 0.0, 0.0
        for j in range(n):
            chosen |= 1 << who[j]
            now = table[chosen]
            total += (now - before) * z[j]
            before = now
        out[i] = np.float32(total)


@kernel
def _by_power(block: Block, shares: Floats, alpha: float, out: npt.NDArray[np.float32]) -> None:
    n = block.shape[0]
    z, who = np.empty(n), np.empty(n, np.int64)
    for i in range(block.shape[1]):
        if not _ordered(block, i, z, who):
            out[i] = np.nan
            continue
        share, before, total = 0.0, 0.0, 0.0
        for j in range(n):
            share += shares[who[j]]
            now = 1.0 if j == n - 1 else min(share, 1.0) ** alpha
            total += (now - before) * z[j]
            before = now
        out[i] = np.float32(total)


@kernel
def _by_product(block: Block, shares: Floats, order: Floats, out: npt.NDArray[np.float32]) -> None:
    n = block.shape[0]
    z, who = np.empty(n), np.empty(n, np.int64)
    for i in range(block.shape[1]):
        if not _ordered(block, i, z, who):
            out[i] = np.nan
            continue
        over, under, j = 0.0, 0.0, 0
        while j < n:
            end, of_order, of_criteria = j, 0.0, 0.0
            while end < n and z[end] == z[j]:  # equal values share their places evenly
                of_order += order[end]
                of_criteria += shares[who[end]]
                end += 1
            part = of_criteria * of_order / (end - j)
            over += part * z[j]
            under += part
            j = end
        out[i] = np.float32(over / under)


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
    shares = np.ascontiguousarray(layers.shares)
    order = np.array(order_weights_of(spec, n).weights)
    quantifier = spec.order_weights is None and spec.order_from != "max_entropy"
    degree = spec.orness or 0.0
    alpha = (1.0 - degree) / degree if degree > 0 else math.inf
    table = _subset_table(shares, alpha) if quantifier and n <= _TABLE_MOST else np.empty(0)
    cells = layers.values[0].size
    out = np.empty(cells, dtype=np.float32)
    kind = np.result_type(*layers.values)

    def work(first: int, last: int) -> None:
        block = np.empty((n, _CELLS), dtype=kind)
        for start in range(first, last, _CELLS):
            stop = min(start + _CELLS, last)
            part = block if stop - start == _CELLS else np.empty((n, stop - start), dtype=kind)
            for k, value in enumerate(layers.values):
                part[k] = value[start:stop]
                checked_range(part[k], spec.method)
            if not quantifier:
                _by_product(part, shares, order, out[start:stop])
            elif len(table):
                _by_table(part, table, out[start:stop])
            else:
                _by_power(part, shares, alpha, out[start:stop])

    over_blocks(work, cells, threads=threads if cells > BLOCK else 1)
    return out
