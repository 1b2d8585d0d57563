"""The curve of a value function: its formula, and where it turns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.value import (
    BellValue,
    CategoricalValue,
    ExponentialValue,
    GaussianValue,
    IdentityValue,
    LargeValue,
    LinearValue,
    LogarithmValue,
    LogisticDecayValue,
    LogisticGrowthValue,
    MsLargeValue,
    MsSmallValue,
    NearValue,
    PiecewiseValue,
    PiValue,
    PowerValue,
    Shape,
    SigmoidValue,
    SmallValue,
    SValue,
    SymmetricLinearValue,
    TrapezoidalValue,
    TriangularValue,
    ValueSpec,
    ZValue,
)
from geoplan.errors import RangeError
from geoplan.mcda import membership
from geoplan.mcda.hedge import hedged

__all__ = ["Curve", "curve_of"]

Block = npt.NDArray[np.float64]

_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Curve:
    """A value function ready to be applied.

    Parameters
    ----------
    value : callable
        From measures (float64, any number) to values; within 0–1 but for rounding.
    turns : tuple of float
        Between two neighbours of these the function only rises, only falls, or is level.
    """

    value: Callable[[Block], Block]
    turns: tuple[float, ...] = ()


def _identity(x: Block) -> Block:
    low, high = np.nanmin(x, initial=0.0), np.nanmax(x, initial=1.0)
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        bad = low if low < -_TOLERANCE else high
        raise RangeError(
            f"the measure {bad:g} is not between 0 and 1",
            remedy="give the criterion a value function (linear, sigmoid, piecewise …)",
        )
    return x


def _categorical(spec: CategoricalValue) -> Callable[[Block], Block]:
    keys = np.array(sorted(spec.values), dtype=np.float64)
    values = np.array([spec.values[int(k)] for k in keys])
    other = math.nan if spec.other is None else spec.other

    def value(x: Block) -> Block:
        place = np.minimum(np.searchsorted(keys, x), len(keys) - 1)
        result: Block = np.where(keys[place] == x, values[place], other)
        return result

    return value


def _number(value: float | None) -> float:
    """Return a number that `fitted` has filled."""
    if value is None:
        raise RangeError(
            "a value function was applied before its numbers were taken from the data",
            remedy="use `geoplan.mcda.value_fit.fitted` first",
        )
    return value


def _stepwise(spec: Shape) -> Curve | None:
    """Return the curve of a function made of straight lines and parabolas."""
    if isinstance(spec, LinearValue):
        worst, best = _number(spec.worst), _number(spec.best)
        span = best - worst
        return Curve(lambda x: np.clip((x - worst) / span, 0.0, 1.0), (worst, best))
    if isinstance(spec, PiecewiseValue):
        xs = np.array([x for x, _ in spec.points])
        ys = np.array([y for _, y in spec.points])
        return Curve(lambda x: np.interp(x, xs, ys), tuple(x for x, _ in spec.points))
    if isinstance(spec, SymmetricLinearValue):
        a, b = _number(spec.minimum), _number(spec.maximum)
        return Curve(lambda x: membership.symmetric_linear(x, a, b), (a, (a + b) / 2, b))
    if isinstance(spec, TriangularValue):
        left, peak, right = spec.corners
        return Curve(lambda x: membership.trapezoid(x, (left, peak, peak, right)), spec.corners)
    if isinstance(spec, TrapezoidalValue):
        return Curve(lambda x: membership.trapezoid(x, spec.corners), spec.corners)
    if isinstance(spec, SValue):
        return Curve(lambda x: membership.s_curve(x, spec.start, spec.end))
    if isinstance(spec, ZValue):
        return Curve(lambda x: 1.0 - membership.s_curve(x, spec.start, spec.end))
    if isinstance(spec, PiValue):
        a, b, c, d = spec.corners
        return Curve(
            lambda x: membership.s_curve(x, a, b) * (1.0 - membership.s_curve(x, c, d)),
            spec.corners,
        )
    return None


def _smooth(spec: Shape) -> Curve:
    """Return the curve of a function of powers and exponentials."""
    if isinstance(spec, GaussianValue | NearValue):
        formula = membership.gaussian if isinstance(spec, GaussianValue) else membership.near
        midpoint, spread = _number(spec.midpoint), _number(spec.spread)
        return Curve(lambda x: formula(x, midpoint, spread), (midpoint,))
    if isinstance(spec, LargeValue | SmallValue):
        sized = membership.large if isinstance(spec, LargeValue) else membership.small
        half = _number(spec.midpoint)
        return Curve(lambda x: sized(x, half, spec.spread))
    if isinstance(spec, MsLargeValue | MsSmallValue):
        spread_of = membership.ms_large if isinstance(spec, MsLargeValue) else membership.ms_small
        mean, std = _number(spec.mean), _number(spec.std)
        a, b = spec.mean_multiplier, spec.std_multiplier
        return Curve(lambda x: spread_of(x, a, b, mean, std))
    if isinstance(spec, BellValue):
        return Curve(
            lambda x: membership.bell(x, spec.midpoint, spec.width, spec.slope), (spec.midpoint,)
        )
    if isinstance(spec, ExponentialValue):
        rate, low, high = _number(spec.base_factor), _number(spec.lower), _number(spec.upper)
        return Curve(lambda x: membership.exponential(x, rate, low, high))
    if isinstance(spec, LogarithmValue):
        shift, factor = _number(spec.shift), _number(spec.factor)
        return Curve(lambda x: membership.logarithm(x, shift, factor))
    if isinstance(spec, PowerValue):
        from_x = _number(spec.shift)
        return Curve(lambda x: membership.power(x, from_x, spec.exponent))
    if isinstance(spec, LogisticGrowthValue | LogisticDecayValue):
        start, end = _number(spec.minimum), _number(spec.maximum)
        return Curve(lambda x: membership.logistic(x, start, end, spec.y_intercept_percent))
    if isinstance(spec, SigmoidValue):
        steep = math.log(99.0) / spec.spread
        return Curve(lambda x: 1.0 / (1.0 + np.exp(-steep * (x - spec.midpoint))))
    raise RangeError(f"no formula for the value function '{getattr(spec, 'kind', spec)}'")


def _stretched(raw: Curve, spec: Shape) -> Callable[[Block], Block]:
    """Return ``raw`` stretched so that it runs from 0 to 1 between the thresholds."""
    low, high = _number(spec.lower), _number(spec.upper)
    ends = np.array([low, *(t for t in raw.turns if low < t < high), high])
    with np.errstate(all="ignore"):
        levels = raw.value(ends)
    least, most = float(levels.min()), float(levels.max())
    if not (math.isfinite(least) and math.isfinite(most)) or least == most:
        what = "level" if least == most else "not defined throughout"
        raise RangeError(
            f"the value function '{getattr(spec, 'kind', '')}' is {what} between its thresholds "
            f"{low:g} and {high:g}, so it cannot be stretched to 0–1",
            remedy="move the thresholds or the function's other numbers",
        )
    span = most - least
    return lambda x: (raw.value(x) - least) / span


def curve_of(spec: ValueSpec) -> Curve:
    """Return the curve of a value function whose numbers are all known.

    Parameters
    ----------
    spec : ValueSpec
        As `geoplan.mcda.value_fit.fitted` returns it.

    Raises
    ------
    RangeError
        The function is level, or not defined, between the thresholds that it is stretched to.

    Notes
    -----
    In this order: the measure is kept within the thresholds; the formula; the stretch to 0–1
    (Esri, ScaledY = fromScale + (Y − min Y) · (toScale − fromScale) / (max Y − min Y) with a scale
    from 0 to 1); the hedges; last the values ``below`` and ``above``.
    """
    if isinstance(spec, CategoricalValue):
        return Curve(_categorical(spec), tuple(float(k) for k in sorted(spec.values)))
    if isinstance(spec, IdentityValue):
        return Curve(_identity)
    raw = _stepwise(spec) or _smooth(spec)
    value = _stretched(raw, spec) if spec.rescale else raw.value
    low = -math.inf if spec.lower is None else spec.lower
    high = math.inf if spec.upper is None else spec.upper

    def whole(x: Block) -> Block:
        out = hedged(np.clip(value(np.clip(x, low, high)), 0.0, 1.0), spec.hedge)
        for beyond, level in ((x < low, spec.below), (x > high, spec.above)):
            if level is not None:
                out = np.where(beyond, math.nan if level == "missing" else level, out)
        return out

    plain = not spec.hedge and not spec.rescale and spec.lower is None and spec.upper is None
    turns = sorted({*raw.turns, *(t for t in (low, high) if math.isfinite(t))})
    return Curve(value if plain else whole, tuple(turns))
