"""What a picture of a value function shows: its range, its ticks, its frame."""

from __future__ import annotations

import math

from geoplan.catalogue.value import (
    BellValue,
    GaussianValue,
    IdentityValue,
    LargeValue,
    MsLargeValue,
    MsSmallValue,
    NearValue,
    SigmoidValue,
    SmallValue,
    SValue,
    ValueSpec,
    ZValue,
)
from geoplan.mcda.value_statistics import ValueStatistics
from geoplan.report.language import Language

__all__ = ["BOTTOM", "LEFT", "RIGHT", "TOP", "Axes", "range_of", "ticks"]

LEFT, RIGHT, TOP, BOTTOM = 44.0, 462.0, 58.0, 224.0
"""The frame, in units of the picture."""


def _places(spec: ValueSpec, turns: tuple[float, ...]) -> list[float]:
    """Return measures that a picture of the function should show, where no data say which."""
    if isinstance(spec, IdentityValue):
        return [0.0, 1.0]
    near = list(turns)
    if isinstance(spec, SigmoidValue):
        near += [spec.midpoint - 1.6 * abs(spec.spread), spec.midpoint + 1.6 * abs(spec.spread)]
    elif isinstance(spec, GaussianValue | NearValue) and spec.spread and spec.midpoint is not None:
        reach = (2.2 if isinstance(spec, GaussianValue) else 5.0) / math.sqrt(spec.spread)
        near += [spec.midpoint - reach, spec.midpoint + reach]
    elif isinstance(spec, BellValue):
        near += [spec.midpoint - 3 * spec.width, spec.midpoint + 3 * spec.width]
    elif isinstance(spec, LargeValue | SmallValue) and spec.midpoint:
        near += [0.0, 2.5 * spec.midpoint]
    elif isinstance(spec, MsLargeValue | MsSmallValue) and spec.mean is not None and spec.std:
        foot, step = spec.mean_multiplier * spec.mean, spec.std_multiplier * spec.std
        near += [foot - step, foot + 6 * step]
    elif isinstance(spec, SValue | ZValue):
        near += [spec.start, spec.end]
    return near


def range_of(
    spec: ValueSpec, turns: tuple[float, ...], statistics: ValueStatistics | None
) -> tuple[float, float]:
    """Return the measures to show: those of the cells and what of the function lies near them."""
    if statistics is not None and not statistics.missing:
        low, high = statistics.min, statistics.max
        reach = 0.5 * (high - low)  # corners and thresholds farther off would squeeze the cells
        near = [t for t in turns if low - reach <= t <= high + reach or reach == 0]
        low, high = min([low, *near]), max([high, *near])
    else:
        places = _places(spec, turns)
        low, high = min(places, default=0.0), max(places, default=1.0)
    if low == high:
        size = abs(low) * 0.1 or 1.0
        return low - size, high + size
    edge = 0.04 * (high - low) if not isinstance(spec, IdentityValue) else 0.0
    return (max(low - edge, 0.0) if low >= 0 else low - edge), high + edge


def ticks(low: float, high: float) -> list[float]:
    """Return about five round numbers from ``low`` to ``high``."""
    raw = (high - low) / 5
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * m for m in (1, 2, 2.5, 5, 10) if size * m >= raw * 0.999)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


class Axes:
    """From measures and values to places in the picture; numbers rise to the right."""

    def __init__(self, low: float, high: float, language: Language) -> None:
        self.low, self.high, self.language = low, high, language

    def x(self, measure: float) -> float:
        """Return the place of a measure."""
        return LEFT + (measure - self.low) / (self.high - self.low) * (RIGHT - LEFT)

    @staticmethod
    def y(value: float) -> float:
        """Return the place of a value."""
        return BOTTOM - value * (BOTTOM - TOP)

    def anchor(self, side: str) -> str:
        """Return the anchor of a text whose ``side`` (left or right) stands at its place."""
        return "start" if (side == "left") == (self.language.direction == "ltr") else "end"
