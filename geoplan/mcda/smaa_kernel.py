"""The loops of SMAA: scores of a draw, their ranks, and what is counted."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.mcda.decision import FloatArray
from geoplan.raster.kernel import kernel

__all__ = ["accumulate", "confident", "rank_draws", "score_drawn", "score_fixed"]

Ints = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]
Uniforms = npt.NDArray[np.float32]


@kernel
def score_fixed(across: FloatArray, weights: FloatArray, score: FloatArray) -> None:
    """Write Σ weight · value of each alternative, shape (draws, alternatives)."""
    for d in range(len(weights)):
        row = score[d]
        row[:] = 0.0
        for j in range(len(across)):
            weight = weights[d, j]
            value = across[j]
            for i in range(len(row)):
                row[i] += weight * value[i]


@kernel
def score_drawn(
    low: FloatArray,
    width: FloatArray,
    uncertain: Places,
    u: Uniforms,
    weights: FloatArray,
    score: FloatArray,
) -> None:
    """Write the same of values that are drawn, ``low + u · width``."""
    for d in range(len(weights)):
        row = score[d]
        row[:] = 0.0
        at = 0
        for j in range(len(low)):
            weight = weights[d, j]
            value = low[j]
            if at < len(uncertain) and uncertain[at] == j:
                span = width[j]
                drawn = u[d, at]
                for i in range(len(row)):
                    row[i] += weight * (value[i] + drawn[i] * span[i])
                at += 1
            else:
                for i in range(len(row)):
                    row[i] += weight * value[i]


@kernel
def rank_draws(score: FloatArray, rank: Ints) -> None:
    """Write the rank of each alternative, from 0, shape (draws, alternatives).

    Alternatives go into as many buckets as there are, best first, and each bucket is sorted by
    insertion: O(n) where scores spread, and exact. Crowded buckets go to a merge sort. Equal
    scores stay in the order of the rows.
    """
    count = score.shape[1]
    bucket = np.empty(count, np.int32)
    start = np.empty(count + 1, np.int32)
    order = np.empty(count, np.int32)
    for d in range(len(score)):
        row = score[d]
        least, most = row[0], row[0]
        for i in range(count):
            least = min(least, row[i])
            most = max(most, row[i])
        start[:] = 0
        scale = (count - 1) / (most - least) if most > least else 0.0
        crowded = not np.isfinite(scale)
        if not crowded:
            for i in range(count):
                b = min(int((most - row[i]) * scale), count - 1)
                bucket[i] = b
                start[b + 1] += 1
            work = 0
            for b in range(count):
                work += start[b + 1] * start[b + 1]
                start[b + 1] += start[b]
            crowded = work > 32 * count
        if crowded:
            sorted_rows = np.argsort(-row, kind="mergesort")
            for k in range(count):
                rank[d, sorted_rows[k]] = k
            continue
        # After this, start[b] is where bucket b ends.
        for i in range(count):
            b = bucket[i]
            order[start[b]] = i
            start[b] += 1
        for k in range(1, count):
            i = order[k]
            b = bucket[i]
            value = row[i]
            at = k
            while at > 0 and bucket[order[at - 1]] == b and row[order[at - 1]] < value:
                order[at] = order[at - 1]
                at -= 1
            order[at] = i
        for k in range(count):
            rank[d, order[k]] = k


@kernel
def accumulate(rank: Ints, counts: Ints, total: npt.NDArray[np.int64]) -> None:
    """Count the ranks of many draws, a few alternatives at a time so that their rows stay near."""
    draws, count = rank.shape
    kept = counts.shape[1]
    tile = 16
    for first in range(0, count, tile):
        last = min(first + tile, count)
        for d in range(draws):
            for i in range(first, last):
                place = rank[d, i]
                total[i] += place
                if place < kept:
                    counts[i, place] += 1


@kernel
def confident(
    low: FloatArray,
    width: FloatArray,
    uncertain: Places,
    u: Uniforms,
    weights: FloatArray,
    rows: Places,
    rival: Ints,
    end: Places,
    won: npt.NDArray[np.int64],
) -> None:
    """Count the draws in which each of ``rows`` is above its rivals under its own weights."""
    cols = len(low)
    at = np.full(cols, -1, np.int32)
    for k in range(len(uncertain)):
        at[uncertain[k]] = k
    for d in range(len(u)):
        for k in range(len(rows)):
            row = rows[k]
            own = 0.0
            for j in range(cols):
                value = low[j, row]
                if at[j] >= 0:
                    value += u[d, at[j], row] * width[j, row]
                own += weights[k, j] * value
            first = True
            for r in range(end[k], end[k + 1]):
                other = rival[r]
                score = 0.0
                for j in range(cols):
                    value = low[j, other]
                    if at[j] >= 0:
                        value += u[d, at[j], other] * width[j, other]
                    score += weights[k, j] * value
                if score > own or (score == own and other < row):
                    first = False
                    break
            if first:
                won[k] += 1
