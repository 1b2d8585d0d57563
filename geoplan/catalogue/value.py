"""Value functions of a scenario: how a measure becomes a value between 0 and 1."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from geoplan.catalogue.text import Strict
from geoplan.catalogue.value_membership import (
    BellValue,
    GaussianValue,
    LargeValue,
    MsLargeValue,
    MsSmallValue,
    NearValue,
    PiValue,
    SmallValue,
    SValue,
    TrapezoidalValue,
    TriangularValue,
    ZValue,
)
from geoplan.catalogue.value_rescale import (
    ExponentialValue,
    LogarithmValue,
    LogisticDecayValue,
    LogisticGrowthValue,
    PowerValue,
    SymmetricLinearValue,
)
from geoplan.catalogue.value_shape import Shape

__all__ = [
    "BellValue",
    "CategoricalValue",
    "ExponentialValue",
    "GaussianValue",
    "IdentityValue",
    "LargeValue",
    "LinearValue",
    "LogarithmValue",
    "LogisticDecayValue",
    "LogisticGrowthValue",
    "MsLargeValue",
    "MsSmallValue",
    "NearValue",
    "PiValue",
    "PiecewiseValue",
    "PowerValue",
    "SValue",
    "Shape",
    "SigmoidValue",
    "SmallValue",
    "SymmetricLinearValue",
    "TrapezoidalValue",
    "TriangularValue",
    "ValueSpec",
    "ZValue",
]


class IdentityValue(Strict):
    """The measure is already between 0 and 1."""

    kind: Literal["identity"] = "identity"


class LinearValue(Shape):
    """1 at ``best``, 0 at ``worst``, straight between, flat outside."""

    kind: Literal["linear"]
    best: FiniteFloat | None = Field(
        None, description="Where the value is 1. Absent: the largest measure of the allowed cells"
    )
    worst: FiniteFloat | None = Field(
        None, description="Where the value is 0. Absent: the least measure of the allowed cells"
    )

    @model_validator(mode="after")
    def _differ(self) -> LinearValue:
        if self.best is not None and self.best == self.worst:
            raise ValueError(f"'best' and 'worst' are both {self.best}")
        return self


class SigmoidValue(Shape):
    """1 / (1 + exp(−ln 99 · (x − midpoint) / spread)): 0.5 at ``midpoint``, 0.99 one spread on.

    A negative ``spread`` makes the value fall with x.
    """

    kind: Literal["sigmoid"]
    midpoint: FiniteFloat
    spread: FiniteFloat

    @model_validator(mode="after")
    def _not_flat(self) -> SigmoidValue:
        if self.spread == 0:
            raise ValueError("'spread' is 0")
        return self


class PiecewiseValue(Shape):
    """Straight lines between ``(x, value)`` points, flat outside."""

    kind: Literal["piecewise"]
    points: tuple[tuple[FiniteFloat, FiniteFloat], ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _rising(self) -> PiecewiseValue:
        xs = [x for x, _ in self.points]
        if any(b <= a for a, b in pairwise(xs)):
            raise ValueError(f"the x of 'points' must rise: {xs}")
        bad = [v for _, v in self.points if not 0 <= v <= 1]
        if bad:
            raise ValueError(f"values must lie between 0 and 1: {bad}")
        return self


class CategoricalValue(Strict):
    """A value for each class."""

    kind: Literal["categorical"]
    values: dict[int, Annotated[float, Field(ge=0, le=1)]] = Field(min_length=1)
    other: float | None = Field(
        None, ge=0, le=1, description="Value of classes not listed; absent: no value, not allowed"
    )


ValueSpec = Annotated[
    IdentityValue
    | LinearValue
    | SigmoidValue
    | PiecewiseValue
    | CategoricalValue
    | ExponentialValue
    | LogarithmValue
    | PowerValue
    | LogisticGrowthValue
    | LogisticDecayValue
    | SymmetricLinearValue
    | GaussianValue
    | NearValue
    | LargeValue
    | SmallValue
    | MsLargeValue
    | MsSmallValue
    | TriangularValue
    | TrapezoidalValue
    | SValue
    | ZValue
    | PiValue
    | BellValue,
    Field(discriminator="kind"),
]
