"""Fuzzy memberships of a scenario: how far a measure belongs to a set such as «near» or «large»."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from pydantic import Field, FiniteFloat, model_validator

from geoplan.catalogue.value_shape import Shape

__all__ = [
    "BellValue",
    "GaussianValue",
    "LargeValue",
    "MsLargeValue",
    "MsSmallValue",
    "NearValue",
    "PiValue",
    "SValue",
    "SmallValue",
    "TrapezoidalValue",
    "TriangularValue",
    "ZValue",
]


class _Peaked(Shape):
    midpoint: FiniteFloat | None = Field(
        None,
        description="Where the value is 1. Absent: half-way between the thresholds, or between "
        "the least and the largest measure of the allowed cells",
    )
    spread: FiniteFloat | None = Field(
        None,
        gt=0,
        description="Per squared unit of the measure; the larger, the narrower. Absent: fitted so "
        "that the value has fallen to a tenth half the range from the middle",
    )


class GaussianValue(_Peaked):
    """exp(−spread · (x − midpoint)²): best at ``midpoint``."""

    kind: Literal["gaussian"]


class NearValue(_Peaked):
    """1 / (1 + spread · (x − midpoint)²): best at ``midpoint``, longer tails than ``gaussian``."""

    kind: Literal["near"]


class _Sized(Shape):
    midpoint: FiniteFloat | None = Field(
        None,
        gt=0,
        description="Where the value is 0.5; above 0. Absent: half-way between the thresholds, or "
        "between the least and the largest measure of the allowed cells",
    )
    spread: FiniteFloat = Field(5.0, gt=0, description="No unit; the larger, the steeper (1–10)")


class LargeValue(_Sized):
    """1 / (1 + (x / midpoint)^−spread): the larger the better; 0 where x is not above 0."""

    kind: Literal["large"]


class SmallValue(_Sized):
    """1 / (1 + (x / midpoint)^spread): the smaller the better; 1 where x is not above 0."""

    kind: Literal["small"]


class _MeanAndSpread(Shape):
    mean_multiplier: FiniteFloat = Field(1.0, description="a: times the mean")
    std_multiplier: FiniteFloat = Field(1.0, gt=0, description="b: times the standard deviation")
    mean: FiniteFloat | None = Field(
        None, description="m, in the unit of the measure. Absent: the mean of the allowed cells"
    )
    std: FiniteFloat | None = Field(
        None,
        gt=0,
        description="s, in the unit of the measure. Absent: the standard deviation (of the whole, "
        "not of a sample) of the allowed cells",
    )


class MsLargeValue(_MeanAndSpread):
    """1 − b·s / (x − a·m + b·s) above a·m, else 0: large compared with the mean."""

    kind: Literal["ms_large"]


class MsSmallValue(_MeanAndSpread):
    """b·s / (x − a·m + b·s) above a·m, else 1: small compared with the mean."""

    kind: Literal["ms_small"]


def _in_order(corners: tuple[float, ...], steps: str) -> None:
    if any(b < a for a, b in pairwise(corners)) or corners[0] == corners[-1]:
        raise ValueError(
            f"the corners must rise: {list(corners)}: give them from the smallest x to the "
            f"largest ({steps})"
        )


class TriangularValue(Shape):
    """0 up to the first corner, 1 at the second, 0 from the third on, straight between."""

    kind: Literal["triangular"]
    corners: tuple[FiniteFloat, FiniteFloat, FiniteFloat] = Field(
        description="Left foot, peak, right foot; a foot may lie under the peak"
    )

    @model_validator(mode="after")
    def _rising(self) -> TriangularValue:
        _in_order(self.corners, "left foot, peak, right foot")
        return self


class TrapezoidalValue(Shape):
    """0 up to the first corner, 1 from the second to the third, 0 from the fourth on."""

    kind: Literal["trapezoidal"]
    corners: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] = Field(
        description="Left foot, left and right end of the top, right foot"
    )

    @model_validator(mode="after")
    def _rising(self) -> TrapezoidalValue:
        _in_order(self.corners, "left foot, top from, top to, right foot")
        return self


class _Ends(Shape):
    start: FiniteFloat = Field(description="Where the curve leaves its first level")
    end: FiniteFloat = Field(description="Where it reaches its last level; more than 'start'")

    @model_validator(mode="after")
    def _rising(self) -> _Ends:
        if self.start >= self.end:
            raise ValueError(
                f"'start' {self.start:g} is not less than 'end' {self.end:g}: exchange them; for "
                "a curve the other way round use the kind 's' or 'z'"
            )
        return self


class SValue(_Ends):
    """0 up to ``start``, 1 from ``end`` on, two parabolas between that meet at 0.5."""

    kind: Literal["s"]


class ZValue(_Ends):
    """1 − ``s``: 1 up to ``start``, 0 from ``end`` on."""

    kind: Literal["z"]


class PiValue(Shape):
    """Rises like ``s`` between the first two corners and falls like ``z`` between the last two."""

    kind: Literal["pi"]
    corners: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] = Field(
        description="Left foot, left and right end of the top, right foot"
    )

    @model_validator(mode="after")
    def _rising(self) -> PiValue:
        _in_order(self.corners, "left foot, top from, top to, right foot")
        if self.corners[0] == self.corners[1] or self.corners[2] == self.corners[3]:
            raise ValueError(
                f"a side of no width: {list(self.corners)}: move a foot outwards, or use the "
                "kind 'trapezoidal', which may have upright sides"
            )
        return self


class BellValue(Shape):
    """1 / (1 + |(x − midpoint) / width|^(2·slope)): 1 at ``midpoint``, 0.5 a ``width`` away."""

    kind: Literal["bell"]
    midpoint: FiniteFloat = Field(description="Where the value is 1")
    width: FiniteFloat = Field(gt=0, description="Distance from the middle where the value is 0.5")
    slope: FiniteFloat = Field(2.0, gt=0, description="No unit; the larger, the flatter the top")
