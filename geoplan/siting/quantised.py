"""Values of criteria in one byte per cell, so that new weights are one pass over allowed land."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.allowed import AllowedLand

__all__ = ["MISSING", "QuantisedCriteria", "Quantiser", "top_share_map"]

MISSING = 255
"""Code of a cell without a value of its own; what stands in for it is in the table."""

_STEPS = 254
"""Codes 0 to 254 hold values: 254 steps between the smallest and the largest."""

_BINS = 1 << 16

_BLOCK = 1 << 13
"""Cells that are summed at a time: small enough for the nearest cache."""

Codes = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]


@kernel
def _look(value: Values, start: int, stop: int, keys: Values) -> tuple[int, Any, Any]:
    """Collect up to 255 distinct values; return their number (256: more), and the extremes."""
    slots = np.full(1024, np.nan, np.float32)
    count = 0
    low = np.float32(np.inf)
    high = np.float32(-np.inf)
    last = np.float32(np.nan)
    for i in range(start, stop):
        v = value[i]
        if np.isnan(v):
            continue
        low = min(low, v)
        high = max(high, v)
        if count > 255 or v == last:
            continue
        last = v
        at = int(v * np.float32(1048573.0)) & 1023
        while not np.isnan(slots[at]) and slots[at] != v:
            at = (at + 1) & 1023
        if np.isnan(slots[at]):
            if count < 255:
                keys[count] = v
                slots[at] = v
            count += 1
    return count, low, high


@kernel
def _encode_exact(value: Values, keys: Values, code: Codes, start: int, stop: int) -> None:
    last = np.float32(np.nan)
    held = np.uint8(255)
    for i in range(start, stop):
        v = value[i]
        if np.isnan(v):
            code[i] = np.uint8(255)
            continue
        if v != last:
            held = np.uint8(np.searchsorted(keys, v))
            last = v
        code[i] = held


@kernel
def _encode_even(
    value: Values, low: float, per_step: float, code: Codes, start: int, stop: int
) -> None:
    for i in range(start, stop):
        v = np.float64(value[i])
        code[i] = np.uint8(255) if np.isnan(v) else np.uint8((v - low) * per_step + 0.5)


@kernel
def _sum_codes(
    codes: Codes,
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    start: int,
    stop: int,
    total: npt.NDArray[np.float32],
) -> None:
    """Sum weight · value of the cells from start to stop into the front of ``total``."""
    part = total[: stop - start]
    part[:] = np.float32(base)
    for k in range(len(codes)):
        code = codes[k, start:stop]
        if even[k]:
            step = slope[k]
            for j in range(len(part)):
                part[j] += step * np.float32(code[j])
        else:
            table = tables[k]
            for j in range(len(part)):
                part[j] += table[code[j]]
    one = np.float32(1.0)
    for j in range(len(part)):
        if part[j] > one:
            part[j] = one


@kernel
def _score_rows(
    codes: Codes,
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    mask: npt.NDArray[np.bool_],
    offsets: npt.NDArray[np.int64],
    out: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    cols = mask.shape[1]
    total = np.empty(cols, np.float32)
    for r in range(start, stop):
        _sum_codes(codes, tables, even, slope, base, offsets[r], offsets[r + 1], total)
        j = 0
        for c in range(cols):
            if mask[r, c]:
                out[r, c] = total[j]
                j += 1


@kernel
def _score_cells(
    codes: Codes,
    tables: npt.NDArray[np.float32],
    even: npt.NDArray[np.bool_],
    slope: npt.NDArray[np.float32],
    base: float,
    out: npt.NDArray[np.float32],
    block: int,
    start: int,
    stop: int,
) -> None:
    for a in range(start, stop, block):
        b = min(a + block, stop)
        _sum_codes(codes, tables, even, slope, base, a, b, out[a:b])


@kernel
def _place(
    codes: Codes,
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
        _sum_codes(codes, tables, even, slope, base, a, b, total)
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


@dataclass(frozen=True, slots=True)
class QuantisedCriteria:
    """The values of all criteria over allowed land, one byte each.

    Parameters
    ----------
    names : tuple of str
        Criterion ids, in the scenario's order.
    land : AllowedLand
    codes : ndarray of uint8, shape (criteria, allowed cells)
        255 is missing.
    tables : ndarray of float32, shape (criteria, 256), 0–1
        Value of each code. The last is what stands in for a missing value; NaN where the policy
        is ``exclude``.
    error : ndarray of float64, shape (criteria,)
        Farthest that a value of the table lies from the value itself: 0 where there are at most
        255 distinct values (categories, regions, most stepped functions), else half a step,
        (largest − smallest) / 508.
    gaps : ndarray of bool, shape (criteria,)
        Some allowed cell has code 255.
    """

    names: tuple[str, ...]
    land: AllowedLand
    codes: Codes
    tables: npt.NDArray[np.float32]
    error: npt.NDArray[np.float64]
    gaps: npt.NDArray[np.bool_]

    @classmethod
    def build(
        cls,
        values: Iterable[tuple[str, Values, float]],
        allowed: npt.NDArray[np.bool_],
        names: Iterable[str],
    ) -> QuantisedCriteria:
        """Return the criteria, fed one at a time.

        Parameters
        ----------
        values : iterable of (str, ndarray of float32, shape of ``allowed``, float)
            Criterion id, its value (0–1, NaN missing) and what stands in for a missing one (NaN:
            nothing). Consumed one by one: only one array is alive.
        allowed : ndarray of bool
        names : iterable of str
            All ids, in order.
        """
        quantiser = Quantiser(AllowedLand.of(allowed), tuple(names))
        for name, value, fill in values:
            quantiser.add(name, quantiser.land.take(value, where=f"criteria.{name}"), fill)
            del value
        return quantiser.finish()

    def error_bound(self, weights: Mapping[str, float]) -> float:
        """Return the farthest that a score lies from the exact one.

        Notes
        -----
        Σ weight · error, and the rounding of sums of k terms in float32, (k + 2) · 2⁻²³ for
        weights that sum to 1.
        """
        given = self._weights(weights)
        terms = int((given > 0).sum())
        return float((given * self.error).sum() + (terms + 2) * 2.0**-23 * max(given.sum(), 1.0))

    def score(self, weights: Mapping[str, float]) -> Values:
        """Return the score of all allowed cells under other weights, NaN elsewhere.

        Parameters
        ----------
        weights : mapping
            Criterion id → weight, 0 or more, for every criterion; used as they are.

        Returns
        -------
        ndarray of float32, shape of the allowed land, 0–1
            Within :meth:`error_bound` of what :func:`geoplan.siting.criteria.suitability` gives;
            NaN in the same cells.
        """
        out = np.full(self.land.shape, np.nan, dtype=np.float32)
        self.score_into(weights, out)
        return out

    def score_into(
        self, weights: Mapping[str, float], out: Values, *, threads: int | None = None
    ) -> None:
        """Write the score of the allowed cells into ``out``; other cells are left as they are.

        The map that the last weights gave can be given again: nothing is allocated, and nothing
        but allowed cells is written.
        """
        if out.shape != self.land.shape or out.dtype != np.float32 or not out.flags.c_contiguous:
            raise ShapeError(
                f"{out.dtype} of shape {out.shape} cannot take a score of {self.land.shape}",
                remedy="give a C-contiguous float32 array of the grid's shape",
            )
        plan = self._plan(self._weights(weights))
        mask, target = self.land.mask, out.reshape(self.land.mask.shape)
        over_blocks(
            lambda a, b: _score_rows(*plan, mask, self.land.offsets, target, a, b),
            len(mask),
            threads=threads,
        )

    def score_cells(self, weights: Mapping[str, float], *, threads: int | None = None) -> Values:
        """Return the score of the allowed cells only, shape (cells,), in order of the land."""
        plan = self._plan(self._weights(weights))
        out = np.empty(self.land.size, dtype=np.float32)
        over_blocks(
            lambda a, b: _score_cells(*plan, out, _BLOCK, a, b), self.land.size, threads=threads
        )
        return out

    def _weights(self, weights: Mapping[str, float]) -> npt.NDArray[np.float64]:
        unknown = sorted(set(weights) ^ set(self.names))
        if unknown:
            raise UnknownName(
                f"{', '.join(unknown)}: a criterion without weight, or a weight without criterion",
                where="weights",
                remedy=f"give one weight for each of {', '.join(self.names)}",
            )
        given = np.array([float(weights[name]) for name in self.names])
        return _checked(given)

    def _plan(
        self, weights: npt.NDArray[np.float64]
    ) -> tuple[Codes, npt.NDArray[np.float32], npt.NDArray[np.bool_], Values, float]:
        """Return what the loops need: codes and tables of the criteria that have a weight."""
        used = np.flatnonzero(weights > 0)
        w, tables = weights[used], self.tables[used].astype(np.float64)
        # an even table without gaps is a straight line, and needs no look-up
        even = (self.error[used] > 0) & ~self.gaps[used]
        slope = np.where(even, w * (tables[:, _STEPS] - tables[:, 0]) / _STEPS, 0.0)
        base = float((w * tables[:, 0])[even].sum())
        codes = self.codes if len(used) == len(self.names) else self.codes[used]
        return (
            codes,
            (w[:, None] * tables).astype(np.float32),
            even,
            slope.astype(np.float32),
            base,
        )


class Quantiser:
    """Takes the values of criteria one after the other.

    Parameters
    ----------
    land : AllowedLand
    names : tuple of str
        Criterion ids, in the scenario's order; memory is one byte per criterion and cell.
    """

    def __init__(self, land: AllowedLand, names: tuple[str, ...]) -> None:
        self.land = land
        self.names = names
        self._codes = np.empty((len(names), land.size), dtype=np.uint8)
        self._tables = np.full((len(names), 256), np.nan, dtype=np.float32)
        self._error = np.zeros(len(names))
        self._gaps = np.zeros(len(names), dtype=np.bool_)
        self._known: set[str] = set()

    def add(self, name: str, value: Values, fill: float) -> None:
        """Take the values of a criterion.

        Parameters
        ----------
        name : str
        value : ndarray of float32, shape (allowed cells,), 0–1
            NaN is missing.
        fill : float
            What stands in for a missing value; NaN: the cell has no score.
        """
        if name not in self.names or name in self._known:
            raise UnknownName(
                f"criterion '{name}' is unknown or was given before",
                remedy=f"give each once: {', '.join(self.names)}",
            )
        if value.shape != (self.land.size,) or value.dtype != np.float32:
            raise ShapeError(
                f"{value.dtype} values of shape {value.shape} for {self.land.size} allowed cells",
                where=f"criteria.{name}",
            )
        k = self.names.index(name)
        code, table = self._codes[k], self._tables[k]
        found = over_blocks(lambda a, b: _distinct(value, a, b), value.size)
        low = min((f[1] for f in found), default=math.inf)
        high = max((f[2] for f in found), default=-math.inf)
        if low < 0 or high > 1:
            raise RangeError(
                f"a value of {low if low < 0 else high:g} is not between 0 and 1",
                where=f"criteria.{name}",
            )
        keys = _joined([f[0] for f in found])
        if keys is None:
            step = (high - low) / _STEPS
            table[:MISSING] = low + step * np.arange(MISSING)
            self._error[k] = step / 2
            over_blocks(lambda a, b: _encode_even(value, low, 1 / step, code, a, b), value.size)
        else:
            table[: len(keys)] = keys
            over_blocks(lambda a, b: _encode_exact(value, keys, code, a, b), value.size)
        table[MISSING] = fill
        self._gaps[k] = bool(
            any(over_blocks(lambda a, b: bool((code[a:b] == MISSING).any()), value.size))
        )
        self._known.add(name)

    def finish(self) -> QuantisedCriteria:
        """Return the criteria.

        Raises
        ------
        UnknownName
            A criterion was not given.
        """
        without = [name for name in self.names if name not in self._known]
        if without:
            raise UnknownName(f"no values were given for {', '.join(without)}")
        return QuantisedCriteria(
            self.names, self.land, self._codes, self._tables, self._error, self._gaps
        )


def _distinct(value: Values, start: int, stop: int) -> tuple[Values | None, float, float]:
    keys = np.empty(255, dtype=np.float32)
    count, low, high = _look(value, start, stop, keys)
    return (None if count > 255 else keys[:count]), float(low), float(high)


def _joined(parts: list[Values | None]) -> Values | None:
    """Return the distinct values of all blocks, rising; None when there are more than 255."""
    keys: list[Values] = []
    for part in parts:
        if part is None:
            return None
        keys.append(part)
    every = np.unique(np.concatenate(keys)) if keys else np.empty(0, np.float32)
    return every if len(every) <= MISSING else None


def _checked(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    bad = weights[~((weights >= 0) & np.isfinite(weights))]
    if bad.size:
        raise RangeError(f"weights must be 0 or more: {bad[:5].tolist()}", where="weights")
    return weights


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
    _checked(draws.ravel())
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
    plan = quantised._plan(weights)

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
