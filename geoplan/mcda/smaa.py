"""SMAA-2: how often each alternative takes each rank when weights and values are uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from queue import Empty, SimpleQueue

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.decision import FloatArray
from geoplan.mcda.smaa_kernel import accumulate, confident, rank_draws, score_drawn, score_fixed
from geoplan.mcda.weight_draws import WeightSampler
from geoplan.raster.kernel import over_blocks

__all__ = ["BLOCK", "Smaa", "smaa"]

BLOCK = 256
"""Draws of one random stream. Fixed: with another number the same seed gives other draws."""

_BATCH = 4
"""Draws whose values are made at a time: they stay in the processor's cache."""

_WEIGHTS, _VALUES, _CONFIDENCE = 0, 1, 2
"""What a stream is for."""

Counts = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Smaa:
    """Rank acceptabilities and what comes with them.

    Parameters
    ----------
    counts : ndarray of int32, shape (alternatives, ranks)
        Draws in which the alternative took the rank; the first column is rank 1.
    draws : int
    mean_rank : ndarray of float64, shape (alternatives,)
        Over all ranks, also those that are not kept in ``counts``.
    central : ndarray of float64, shape (alternatives, criteria)
        Central weights: the mean of the weights for which the alternative came first. NaN where
        it never did.
    confidence : ndarray of float64, shape (alternatives,), 0–1
        Share of draws of the values for which the alternative is first under its central
        weights. NaN where it never came first.
    """

    counts: Counts
    draws: int
    mean_rank: FloatArray
    central: FloatArray
    confidence: FloatArray

    @property
    def acceptability(self) -> FloatArray:
        """Rank acceptabilities, shape (alternatives, ranks), 0–1."""
        return self.counts / self.draws

    @property
    def first(self) -> FloatArray:
        """Acceptability of rank 1, shape (alternatives,)."""
        return self.counts[:, 0] / self.draws

    def top(self, ranks: int) -> FloatArray:
        """Return the share of draws in which each alternative is among the best ``ranks``."""
        if not 1 <= ranks <= self.counts.shape[1]:
            raise RangeError(
                f"the best {ranks} ranks of {self.counts.shape[1]} that were counted",
                remedy="count more ranks",
            )
        return np.asarray(self.counts[:, :ranks].sum(axis=1, dtype=np.int64) / self.draws)

    def standard_error(self, share: FloatArray) -> FloatArray:
        """Return the standard error of a share of the draws: ``sqrt(p (1 − p) / N)``.

        At most ``0.5 / sqrt(N)``: 0.005 at 10,000 draws.
        """
        return np.asarray(np.sqrt(share * (1.0 - share) / self.draws))


def smaa(
    values: npt.ArrayLike,
    weights: WeightSampler,
    *,
    draws: int,
    seed: int,
    half_width: npt.ArrayLike | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
    ranks: int | None = None,
    threads: int | None = None,
) -> Smaa:
    """Return the rank acceptabilities of alternatives under an additive value.

    Parameters
    ----------
    values : array of float, shape (alternatives, criteria)
        More is better; no NaN.
    weights : WeightSampler
        See `geoplan.mcda.weight_draws.sampler`.
    draws : int
        1 or more.
    seed : int
        0 or more. The same seed gives the same draws, and more draws continue fewer.
    half_width : array of float, shape (criteria,), optional
        A value x is drawn uniformly from [x − h, x + h] within ``bounds``, each alternative and
        criterion by itself. Absent or 0: as it is.
    bounds : (float, float)
        What drawn values stay within; not used where nothing is drawn.
    ranks : int, optional
        Ranks that are counted, from the best; absent: all.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    Smaa

    Raises
    ------
    ShapeError
        No alternative or criterion; widths or weights that do not fit.
    RangeError
        A value that is missing; draws, seed, ranks or a width outside its range; with widths, a
        value outside ``bounds``.

    Notes
    -----
    Rank acceptability index, central weight vector and confidence factor as Lahdelma & Salminen
    (2001) define them, by simulation (Tervonen & Lahdelma 2007). The value of an
    alternative is Σ weight · value. Of alternatives with exactly the same value the one that
    stands first takes the better rank, so that every draw gives each rank once. Draws are made
    in blocks of `BLOCK`, each from a stream of its own (PCG64 seeded by seed, purpose and
    block), and counted in whole numbers: neither order nor threads change a digit.
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise ShapeError(f"values of shape {table.shape}", remedy="give alternatives by criteria")
    count, cols = table.shape
    for name, number, least in (("draws", draws, 1), ("seed", seed, 0)):
        if number < least:
            raise RangeError(f"{name} is {number}", remedy=f"give {least} or more")
    kept = count if ranks is None else min(ranks, count)
    if kept < 1:
        raise RangeError(f"{ranks} ranks are to be counted", remedy="count 1 or more")
    bad = np.argwhere(~np.isfinite(table))
    if len(bad):
        i, j = bad[0]
        raise RangeError(
            f"the value of alternative {i} on criterion {j} is missing",
            remedy="give the value, or leave the alternative out",
        )
    values_drawn = _Values.of(table, half_width, bounds)
    spare: SimpleQueue[tuple[Counts, npt.NDArray[np.int64]]] = SimpleQueue()

    def work(first: int, last: int) -> tuple[FloatArray, npt.NDArray[np.int32]]:
        part = _drawn_weights(weights, seed, first, last, cols)
        order = np.empty((last - first, count), np.int32)
        values_drawn.rank(part, order, _stream(seed, _VALUES, first // BLOCK))
        try:
            counts, total = spare.get_nowait()
        except Empty:
            counts, total = np.zeros((count, kept), np.int32), np.zeros(count, np.int64)
        accumulate(order, counts, total)
        winners = np.argmin(order, axis=1).astype(np.int32)
        spare.put((counts, total))
        return part, winners

    found = over_blocks(work, draws, threads=threads, block=BLOCK)
    counts, total = spare.get_nowait()
    while not spare.empty():
        more, further = spare.get_nowait()
        counts += more
        total += further
    central = _central(found, counts[:, 0], cols)
    confidence = _confidence(values_drawn, central, draws, seed, threads)
    return Smaa(counts, draws, 1.0 + total / draws, central, confidence)


def _stream(seed: int, purpose: int, block: int) -> np.random.Generator:
    sequence = np.random.SeedSequence(seed, spawn_key=(purpose, block))
    return np.random.Generator(np.random.PCG64(sequence))


def _drawn_weights(
    weights: WeightSampler, seed: int, first: int, last: int, cols: int
) -> FloatArray:
    """Return the weights of a block: always drawn whole, so that more draws continue fewer."""
    part = weights(_stream(seed, _WEIGHTS, first // BLOCK), BLOCK)
    if part.shape != (BLOCK, cols):
        raise ShapeError(f"weights of {part.shape[-1]} criteria for values on {cols}")
    return np.ascontiguousarray(part[: last - first])


@dataclass(frozen=True)
class _Values:
    """Values by criterion: as they are, or as least value and width of what is drawn."""

    low: FloatArray
    width: FloatArray
    uncertain: npt.NDArray[np.intp]

    @classmethod
    def of(
        cls, table: FloatArray, half_width: npt.ArrayLike | None, bounds: tuple[float, float]
    ) -> _Values:
        across = np.ascontiguousarray(table.T)
        half = np.zeros(len(across)) if half_width is None else np.asarray(half_width, np.float64)
        if half.shape != (len(across),):
            raise ShapeError(f"{half.size} half-widths for {len(across)} criteria")
        if not (np.isfinite(half) & (half >= 0)).all():
            raise RangeError(
                f"half-widths must be 0 or more: {half.tolist()}", remedy="give 0 for exact values"
            )
        uncertain = np.flatnonzero(half > 0)
        low, high = across.copy(), across
        if len(uncertain):
            drawn = across[uncertain]
            outside = np.argwhere((drawn < bounds[0]) | (drawn > bounds[1]))
            if len(outside):
                j, i = outside[0]
                raise RangeError(
                    f"value {drawn[j, i]:g} of alternative {i} on criterion {uncertain[j]} is "
                    f"outside [{bounds[0]:g}, {bounds[1]:g}]",
                    remedy="correct the value or widen the bounds",
                )
            high = across.copy()
            reach = half[uncertain, None]
            low[uncertain] = np.maximum(drawn - reach, bounds[0])
            high[uncertain] = np.minimum(drawn + reach, bounds[1])
        return cls(low, np.ascontiguousarray(high - low), uncertain)

    @property
    def count(self) -> int:
        return int(self.low.shape[1])

    def rank(
        self, weights: FloatArray, order: npt.NDArray[np.int32], rng: np.random.Generator
    ) -> None:
        """Write the rank, from 0, of each alternative in each draw."""
        score = np.empty((_BATCH, self.count))
        u = self.space()
        for start in range(0, len(weights), _BATCH):
            stop = min(start + _BATCH, len(weights))
            part = score[: stop - start]
            if len(self.uncertain):
                drawn = u[: stop - start]
                rng.random(dtype=np.float32, out=drawn)
                score_drawn(self.low, self.width, self.uncertain, drawn, weights[start:stop], part)
            else:
                score_fixed(self.low, weights[start:stop], part)
            rank_draws(part, order[start:stop])

    def space(self) -> npt.NDArray[np.float32]:
        return np.empty((_BATCH, len(self.uncertain), self.count), np.float32)


def _central(
    found: list[tuple[FloatArray, npt.NDArray[np.int32]]], firsts: Counts, cols: int
) -> FloatArray:
    """Return the mean weights of the draws that each alternative won, added in their order."""
    total = np.zeros((len(firsts), cols))
    for weights, winners in found:
        np.add.at(total, winners, weights)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(firsts[:, None] > 0, total / firsts[:, None], np.nan))


def _confidence(
    values: _Values, central: FloatArray, draws: int, seed: int, threads: int | None
) -> FloatArray:
    out = np.full(values.count, np.nan)
    rows = np.flatnonzero(np.isfinite(central[:, 0]))
    weights = central[rows]
    # Only who can reach the least value of an alternative can ever be above it.
    rivals, ends = [], [0]
    for row, weight in zip(rows, weights, strict=True):
        least = _weighted(values.low, weight)
        most = least + _weighted(values.width, weight)
        able = np.flatnonzero(most >= least[row])
        able = able[able != row]
        able = able[np.argsort(-(least + most)[able], kind="stable")]
        rivals.append(able)
        ends.append(ends[-1] + len(able))
    rival = np.concatenate(rivals).astype(np.int32) if rivals else np.empty(0, np.int32)
    end = np.array(ends)
    if not len(values.uncertain):
        won = np.zeros(len(rows), np.int64)
        nothing = np.empty((1, 0, values.count), np.float32)
        confident(
            values.low, values.width, values.uncertain, nothing, weights, rows, rival, end, won
        )
        out[rows] = won
        return out

    def work(first: int, last: int) -> npt.NDArray[np.int64]:
        won = np.zeros(len(rows), np.int64)
        rng = _stream(seed, _CONFIDENCE, first // BLOCK)
        u = values.space()
        for start in range(first, last, _BATCH):
            drawn = u[: min(_BATCH, last - start)]
            rng.random(dtype=np.float32, out=drawn)
            confident(
                values.low, values.width, values.uncertain, drawn, weights, rows, rival, end, won
            )
        return won

    won = np.sum(over_blocks(work, draws, threads=threads, block=BLOCK), axis=0)
    out[rows] = won / draws
    return out


def _weighted(across: FloatArray, weight: FloatArray) -> FloatArray:
    total = np.zeros(across.shape[1])
    for j in range(len(weight)):
        total += weight[j] * across[j]
    return total
