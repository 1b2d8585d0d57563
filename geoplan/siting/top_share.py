"""Where the weights decide: in what part of weight draws a cell belongs to the best land."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.quantised_codes import QuantisedCriteria, checked_weights, sum_codes

__all__ = ["top_share_map"]

_BINS = 1 << 16

_BLOCK = 1 << 13
"""Cells that are summed at a time: small enough for the nearest cache."""

Codes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]


@kernel
def _place(
    codes: Codes,
    used: npt.NDArray[np.int64],
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    place: npt.NDArray[np.uint16],
    number: npt.NDArray[np.int64],
    block: int,
    start: int,
    stop: int,
) -> None:
    """Write the bin of each score, 0 where it has none, and count the bins."""
    total = np.empty(block, np.float32)
    for a in range(start, stop, block):
        b = min(a + block, stop)
        sum_codes(codes, used, tables, even, slope, base, a, b, total)
        for j in range(b - a):
            s = total[j]
            p = 0 if np.isnan(s) else 1 + int(max(s, np.float32(0.0)) * np.float32(65534.0))
            place[a + j] = p
            number[p] += 1


@kernel
def _hit(
    place: npt.NDArray[np.uint16],
    least: int,
    hits: npt.NDArray[np.uint32],
    seen: npt.NDArray[np.bool_],
    start: int,
    stop: int,
) -> None:
    for i in range(start, stop):
        hits[i] += place[i] >= least
        seen[i] |= place[i] > 0


def top_share_map(
    quantised: QuantisedCriteria,
    weight_draws: npt.ArrayLike,
    share: float,
    *,
    threads: int | None = None,
) -> Values:
    """Return in what part of weight draws each cell belongs to the best land.

    Parameters
    ----------
    quantised : QuantisedCriteria
    weight_draws : array_like of float, shape (draws, criteria)
        Each row sums to 1; columns in the order of ``quantised.names``.
    share : float
        Part of the allowed land with a score that counts as the best, above 0 and below 1.

    Returns
    -------
    ndarray of float32, shape of the allowed land, 0–1
        1: among the best whatever the weights; 0: never; between: the weights decide. NaN where
        land is not allowed, or has no score in any draw.

    Raises
    ------
    RangeError, ShapeError

    Notes
    -----
    Rank acceptability (Lahdelma & Salminen 2001) of the ranks 1 to ``share`` · n, per cell. Each
    draw is scored once; its threshold comes from a count of 65,535 steps of score, so that nothing
    is sorted: the highest step such that at least ``share`` of the land is on it or above. Cells
    of one step are in or out together. Two bytes per cell beside the codes, and four for the
    counts.
    """
    draws = np.asarray(weight_draws, dtype=np.float64)
    if draws.ndim != 2 or draws.shape[1] != len(quantised.names) or not len(draws):
        raise ShapeError(
            f"weight draws of shape {draws.shape} for {len(quantised.names)} criteria",
            remedy="give one row per draw and one column per criterion",
        )
    if not 0 < share < 1:
        raise RangeError(f"a share of {share!r}", remedy="give a part above 0 and below 1")
    checked_weights(draws.ravel())
    size = quantised.land.size
    place = np.empty(size, dtype=np.uint16)
    hits = np.zeros(size, dtype=np.uint32)
    seen = np.zeros(size, dtype=np.bool_)
    for weights in draws:
        number = _placed(quantised, weights, place, threads)
        known = int(number[1:].sum())
        if not known:
            continue
        above = np.cumsum(number[:0:-1])  # of the highest bin, the two highest, …
        least = _BINS - 1 - int(np.searchsorted(above, math.ceil(share * known)))
        _hits(place, least, hits, seen, threads)
    part = hits.astype(np.float32) / np.float32(len(draws))
    part[~seen] = np.nan
    result: Values = quantised.land.put(part)
    return result


def _placed(
    quantised: QuantisedCriteria,
    weights: npt.NDArray[np.float64],
    place: npt.NDArray[np.uint16],
    threads: int | None,
) -> npt.NDArray[np.int64]:
    plan = quantised.plan(weights)

    def work(start: int, stop: int) -> npt.NDArray[np.int64]:
        number = np.zeros(_BINS, dtype=np.int64)
        _place(*plan, place, number, _BLOCK, start, stop)
        return number

    parts = over_blocks(work, len(place), threads=threads)
    total: npt.NDArray[np.int64] = np.sum(parts, axis=0) if parts else np.zeros(_BINS, np.int64)
    return total


def _hits(
    place: npt.NDArray[np.uint16],
    least: int,
    hits: npt.NDArray[np.uint32],
    seen: npt.NDArray[np.bool_],
    threads: int | None,
) -> None:
    over_blocks(lambda a, b: _hit(place, least, hits, seen, a, b), len(place), threads=threads)
