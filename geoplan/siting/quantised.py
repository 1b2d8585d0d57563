"""Values of criteria in one byte per cell, so that other weights can be tried at once."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.allowed import AllowedLand
from geoplan.siting.quantised_codes import MISSING, QuantisedCriteria
from geoplan.siting.top_share import top_share_map

__all__ = ["MISSING", "QuantisedCriteria", "Quantiser", "quantise", "top_share_map"]

_STEPS = 254
"""Codes 0 to 254 hold values: 254 steps between the smallest and the largest."""

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


def quantise(
    values: Iterable[tuple[str, Values, float]],
    allowed: npt.NDArray[np.bool_],
    names: Iterable[str],
) -> QuantisedCriteria:
    """Return the criteria in bytes, fed one at a time.

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
