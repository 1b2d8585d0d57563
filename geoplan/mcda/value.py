"""Value functions: from a measure in its own unit to a value between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.scenario import (
    CategoricalValue,
    IdentityValue,
    LinearValue,
    PiecewiseValue,
    SigmoidValue,
    ValueSpec,
)
from geoplan.errors import RangeError
from geoplan.raster.kernel import over_blocks

__all__ = ["apply_value"]

Block = npt.NDArray[np.float64]

_BLOCK = 1 << 16
"""Cells that are worked on at a time: small enough to stay in the processor's cache."""

_TOLERANCE = 1e-6


def _identity(_spec: IdentityValue) -> Callable[[Block], Block]:
    def value(x: Block) -> Block:
        low, high = np.nanmin(x, initial=0.0), np.nanmax(x, initial=1.0)
        if low < -_TOLERANCE or high > 1 + _TOLERANCE:
            bad = low if low < -_TOLERANCE else high
            raise RangeError(
                f"the measure {bad:g} is not between 0 and 1",
                remedy="give the criterion a value function (linear, sigmoid, piecewise …)",
            )
        return x

    return value


def _linear(spec: LinearValue) -> Callable[[Block], Block]:
    span = spec.best - spec.worst
    return lambda x: (x - spec.worst) / span


def _sigmoid(spec: SigmoidValue) -> Callable[[Block], Block]:
    rate = math.log(99.0) / spec.spread

    return lambda x: 1.0 / (1.0 + np.exp(-rate * (x - spec.midpoint)))


def _piecewise(spec: PiecewiseValue) -> Callable[[Block], Block]:
    xs = np.array([x for x, _ in spec.points])
    ys = np.array([y for _, y in spec.points])
    return lambda x: np.interp(x, xs, ys)


def _categorical(spec: CategoricalValue) -> Callable[[Block], Block]:
    keys = np.array(sorted(spec.values), dtype=np.float64)
    values = np.array([spec.values[int(k)] for k in keys])
    other = math.nan if spec.other is None else spec.other

    def value(x: Block) -> Block:
        place = np.minimum(np.searchsorted(keys, x), len(keys) - 1)
        result: Block = np.where(keys[place] == x, values[place], other)
        return result

    return value


def _function(spec: ValueSpec) -> Callable[[Block], Block]:
    if isinstance(spec, LinearValue):
        return _linear(spec)
    if isinstance(spec, SigmoidValue):
        return _sigmoid(spec)
    if isinstance(spec, PiecewiseValue):
        return _piecewise(spec)
    if isinstance(spec, CategoricalValue):
        return _categorical(spec)
    return _identity(spec)


def apply_value(
    spec: ValueSpec, x: npt.ArrayLike, *, invert: bool = False, threads: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the value of a measure.

    Parameters
    ----------
    spec : ValueSpec
        One of the five kinds of :mod:`geoplan.catalogue.scenario`.
    x : array_like of number, any shape, unit of the criterion
        NaN is missing; ±inf (no such feature anywhere) is the far end.
    invert : bool
        Return 1 − value.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape of ``x``, 0–1
        NaN where ``x`` is missing, and where a category has no value and there is no ``other``.

    Raises
    ------
    RangeError
        ``identity`` on a measure outside 0–1.

    Notes
    -----
    linear: (x − worst) / (best − worst), kept within 0–1. sigmoid:
    1 / (1 + exp(−ln 99 · (x − midpoint) / spread)). piecewise: straight lines between the points,
    flat outside. categorical: by equality. Computed in float64 and rounded once.
    """
    measure = np.asarray(x)
    function = _function(spec)
    out = np.empty(measure.shape, dtype=np.float32)
    source, target = np.ravel(measure), out.reshape(-1)

    def work(start: int, stop: int) -> None:
        part = source[start:stop].astype(np.float64)
        with np.errstate(over="ignore"):  # ±inf is the far end, as it should be
            value = np.clip(function(part), 0.0, 1.0)
        if invert:
            value = 1.0 - value
        value[np.isnan(part)] = np.nan  # a missing measure has no value, whatever the function
        target[start:stop] = value

    over_blocks(work, source.size, block=_BLOCK, threads=threads)
    return out
