"""Numbers of a value function that come from the data, written out."""

from __future__ import annotations

import math
from typing import TypeVar

from pydantic import ValidationError

from geoplan.catalogue.value import (
    ExponentialValue,
    GaussianValue,
    LargeValue,
    LinearValue,
    LogarithmValue,
    LogisticDecayValue,
    LogisticGrowthValue,
    MsLargeValue,
    MsSmallValue,
    NearValue,
    PowerValue,
    Shape,
    SmallValue,
    SymmetricLinearValue,
    ValueSpec,
)
from geoplan.errors import EmptyLayer, InputError, RangeError
from geoplan.mcda.value_statistics import ValueStatistics

__all__ = ["StatisticsMissing", "fitted", "needs_statistics"]

_FROM, _TO = 1.0, 10.0
"""Evaluation scale that open parameters are fitted to: the default of Esri's tool. A scale from 0
has no exponential through both its ends."""

_S = TypeVar("_S", bound=Shape)


class StatisticsMissing(InputError):
    """A value function takes numbers from the data, and no statistics were given."""


class _Data:
    """Numbers of the allowed cells, asked for one by one."""

    def __init__(self, spec: Shape, statistics: ValueStatistics | None) -> None:
        self.spec, self.statistics = spec, statistics
        self.kind = str(getattr(spec, "kind", ""))

    def known(self, key: str) -> ValueStatistics:
        if self.statistics is None:
            raise StatisticsMissing(
                f"the value function '{self.kind}' takes '{key}' from the data, and no statistics "
                "of the allowed cells were given",
                remedy=f"state '{key}', or give the statistics",
            )
        if self.statistics.missing:
            raise EmptyLayer(
                f"no allowed cell has a measure that '{key}' of the value function "
                f"'{self.kind}' could be taken from",
                remedy=f"check the layer, or state '{key}'",
            )
        return self.statistics

    @property
    def low(self) -> float:
        return self.known("lower").min if self.spec.lower is None else self.spec.lower

    @property
    def high(self) -> float:
        return self.known("upper").max if self.spec.upper is None else self.spec.upper

    @property
    def range(self) -> tuple[float, float]:
        low, high = self.low, self.high
        if low >= high:
            same = "the same in all allowed cells" if low == high else "beyond its threshold"
            raise RangeError(
                f"the value function '{self.kind}' has no range to fit: the measure is {same} "
                f"(lower {low:g}, upper {high:g})",
                remedy="state 'lower' and 'upper', or leave the criterion out: it tells no cell "
                "from another",
            )
        return low, high


def _with(spec: _S, **numbers: float | None) -> _S:
    """Return ``spec`` with its open numbers filled, checked again."""
    open_numbers = {key: value for key, value in numbers.items() if getattr(spec, key) is None}
    if not open_numbers:
        return spec
    try:
        return type(spec).model_validate({**spec.model_dump(), **open_numbers})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(k) for k in first["loc"]) or ", ".join(open_numbers)
        given = f" {open_numbers[key]:g}" if key in open_numbers else ""
        raise RangeError(
            f"the value function '{getattr(spec, 'kind', '')}' does not fit the data: "
            f"'{key}'{given}: {first['msg'].removeprefix('Value error, ')}",
            remedy=f"state '{key}', or use another kind of function",
        ) from error


def _peaked(spec: GaussianValue | NearValue, data: _Data) -> GaussianValue | NearValue:
    if spec.midpoint is not None and spec.spread is not None:
        return spec
    if spec.spread is not None:
        return _with(spec, midpoint=(data.low + data.high) / 2)
    low, high = data.range
    half = (high - low) / 2
    fall = math.log(_TO / _FROM) if isinstance(spec, GaussianValue) else _TO / _FROM - 1
    return _with(spec, midpoint=(low + high) / 2, spread=fall / half**2)


def _mean_and_spread(spec: MsLargeValue | MsSmallValue, data: _Data) -> MsLargeValue | MsSmallValue:
    mean = data.known("mean").mean if spec.mean is None else spec.mean
    std = data.known("std").std if spec.std is None else spec.std
    if std == 0:
        raise RangeError(
            f"the value function '{spec.kind}' has a standard deviation of 0: the measure is "
            f"{mean:g} in all allowed cells",
            remedy="state 'std', or leave the criterion out: it tells no cell from another",
        )
    return _with(spec, mean=mean, std=std)


def _parameters(spec: Shape, data: _Data) -> Shape:
    if isinstance(spec, LinearValue):
        if spec.best is None and spec.worst is None:
            low, high = data.range
            return _with(spec, worst=low, best=high)
        if spec.worst is None:
            return _with(spec, worst=data.low)
        return _with(spec, best=data.high) if spec.best is None else spec
    if isinstance(spec, GaussianValue | NearValue):
        return _peaked(spec, data)
    if isinstance(spec, LargeValue | SmallValue):
        return (
            spec if spec.midpoint is not None else _with(spec, midpoint=(data.low + data.high) / 2)
        )
    if isinstance(spec, MsLargeValue | MsSmallValue):
        return _mean_and_spread(spec, data)
    if isinstance(spec, ExponentialValue):
        low, high = data.range
        rate = (math.log(_TO) - math.log(_FROM)) / (high - low)
        return _with(spec, base_factor=rate, shift=low - math.log(_FROM) / rate)
    if isinstance(spec, LogarithmValue):
        low, high = data.range
        factor = (math.exp(_TO) - math.exp(_FROM)) / (high - low)
        return _with(spec, factor=factor, shift=low - math.exp(_FROM) / factor)
    if isinstance(spec, PowerValue):
        return _with(spec, shift=data.low)
    if isinstance(spec, LogisticGrowthValue | LogisticDecayValue | SymmetricLinearValue):
        if spec.minimum is not None and spec.maximum is not None:
            return spec
        low, high = data.range
        return _with(spec, minimum=low, maximum=high)
    return spec


def fitted(spec: ValueSpec, statistics: ValueStatistics | None = None) -> ValueSpec:
    """Return a value function with every number that comes from the data written out.

    Parameters
    ----------
    spec : ValueSpec
    statistics : ValueStatistics, optional
        Of the measure over the allowed cells.

    Returns
    -------
    ValueSpec
        Of the same kind; to be recorded with the run, so that it can be applied again without
        the data. Applying it gives the same values as applying ``spec`` with ``statistics``.

    Raises
    ------
    StatisticsMissing
        A number has to come from the data, and ``statistics`` is absent.
    EmptyLayer
        No allowed cell has a measure.
    RangeError
        The measure is the same everywhere, or a number found does not fit (a midpoint of 0 …).

    Notes
    -----
    Open parameters are found as by Esri's «Rescale by Function» for its own evaluation scale,
    from 1 to 10 (Formulas for the transformation functions): the curve passes through the scale's
    ends at the thresholds, which are the least and largest measure unless stated.
    exponential: base_factor = ln(10/1) / (upper − lower), shift = lower. logarithm: factor =
    (e¹⁰ − e¹) / (upper − lower), shift = lower − e / factor. gaussian: midpoint half-way, spread =
    ln 10 / (half the range)². near: spread = 9 / (half the range)². large, small: midpoint
    half-way. power: shift = lower. logistic, symmetric linear: minimum and maximum are the
    thresholds.
    """
    if not isinstance(spec, Shape):
        return spec
    data = _Data(spec, statistics)
    shape = _parameters(spec, data)
    if shape.rescale:
        low, high = data.range
        shape = _with(shape, lower=low, upper=high)
    filled: ValueSpec = shape  # type: ignore[assignment]  # the same kind as `spec`
    return filled


def needs_statistics(spec: ValueSpec) -> bool:
    """Return whether a value function takes any number from the data."""
    try:
        fitted(spec)
    except StatisticsMissing:
        return True
    except RangeError:
        return False
    return False
