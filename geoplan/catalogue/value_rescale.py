"""Value functions that exist only as rescaled between two thresholds: exponential, power."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, FiniteFloat, model_validator

from geoplan.catalogue.value_shape import Shape

__all__ = [
    "ExponentialValue",
    "LogarithmValue",
    "LogisticDecayValue",
    "LogisticGrowthValue",
    "PowerValue",
    "Rescaled",
    "SymmetricLinearValue",
]


class Rescaled(Shape):
    """A function that is always stretched to 0–1 between its thresholds."""

    rescale: Literal[True] = Field(
        True, description="Always: the function has no scale of its own between 0 and 1"
    )


class ExponentialValue(Rescaled):
    """exp((x − shift) · base_factor), rescaled: better the faster, the larger x.

    Stretched to 0–1, ``shift`` drops out; it is kept so that parameters can be carried over.
    """

    kind: Literal["exponential"]
    shift: FiniteFloat | None = Field(
        None, description="Subtracted from the measure. Absent: fitted to the thresholds"
    )
    base_factor: FiniteFloat | None = Field(
        None,
        description="Per unit of the measure; negative makes the value fall. Absent: ln 10 / "
        "(upper − lower), so that the function grows tenfold between the thresholds",
    )

    @model_validator(mode="after")
    def _not_flat(self) -> ExponentialValue:
        if self.base_factor == 0:
            raise ValueError("'base_factor' is 0, so the function is flat: give another, or none")
        return self


class LogarithmValue(Rescaled):
    """ln((x − shift) · factor), rescaled: rises fast at first, then tapers off.

    Stretched to 0–1, ``factor`` drops out; it is kept so that parameters can be carried over.
    """

    kind: Literal["logarithm"]
    shift: FiniteFloat | None = Field(
        None,
        description="Subtracted from the measure; less than 'lower'. Absent: fitted so that the "
        "logarithm runs from 1 to 10 between the thresholds",
    )
    factor: FiniteFloat | None = Field(
        None, gt=0, description="Multiplies the shifted measure. Absent: fitted likewise"
    )

    @model_validator(mode="after")
    def _defined(self) -> LogarithmValue:
        if self.shift is not None and self.lower is not None and self.shift >= self.lower:
            raise ValueError(
                f"'shift' {self.shift:g} is not less than 'lower' {self.lower:g}, where the "
                "logarithm would not exist: lower the shift"
            )
        return self


class PowerValue(Rescaled):
    """(x − shift)^exponent, rescaled."""

    kind: Literal["power"]
    shift: FiniteFloat | None = Field(
        None, description="Subtracted from the measure; at most 'lower'. Absent: 'lower'"
    )
    exponent: FiniteFloat = Field(
        2.0, description="Not 0 or 1; above 1 the larger x counts more, negative falls with x"
    )

    @model_validator(mode="after")
    def _defined(self) -> PowerValue:
        if self.exponent in (0.0, 1.0):
            raise ValueError(
                f"'exponent' is {self.exponent:g}, which is flat or a straight line: give "
                "another, or use the kind 'linear'"
            )
        if self.exponent < 0 and self.shift is None:
            raise ValueError(
                f"a negative 'exponent' {self.exponent:g} needs a 'shift' below 'lower': at the "
                "shift itself the power is infinite"
            )
        if self.shift is not None and self.lower is not None and self.shift > self.lower:
            raise ValueError(
                f"'shift' {self.shift:g} is more than 'lower' {self.lower:g}, so the power would "
                "be taken of negative numbers: lower the shift"
            )
        return self


class _Logistic(Rescaled):
    minimum: FiniteFloat | None = Field(
        None, description="Where the curve starts, less than 'maximum'. Absent: 'lower'"
    )
    maximum: FiniteFloat | None = Field(None, description="Where the curve ends. Absent: 'upper'")

    @model_validator(mode="after")
    def _in_order(self) -> _Logistic:
        if self.minimum is not None and self.maximum is not None and self.minimum >= self.maximum:
            raise ValueError(
                f"'minimum' {self.minimum:g} is not less than 'maximum' {self.maximum:g}: "
                "exchange them; for a curve the other way round use the other logistic kind"
            )
        return self


class LogisticGrowthValue(_Logistic):
    """Logistic curve that rises from y_intercept % at ``minimum`` to its mirror at ``maximum``."""

    kind: Literal["logistic_growth"]
    y_intercept_percent: FiniteFloat = Field(
        1.0, gt=0, lt=50, description="Height at 'minimum', %; the smaller, the steeper"
    )


class LogisticDecayValue(_Logistic):
    """Logistic curve that falls from y_intercept % at ``minimum`` to its mirror at ``maximum``."""

    kind: Literal["logistic_decay"]
    y_intercept_percent: FiniteFloat = Field(
        99.0, gt=50, lt=100, description="Height at 'minimum', %; the larger, the steeper"
    )


class SymmetricLinearValue(Rescaled):
    """Straight lines up to half-way between ``minimum`` and ``maximum``, and down again.

    With ``minimum`` above ``maximum`` the half-way point is the worst, not the best.
    """

    kind: Literal["symmetric_linear"]
    minimum: FiniteFloat | None = Field(None, description="One foot. Absent: 'lower'")
    maximum: FiniteFloat | None = Field(None, description="The other foot. Absent: 'upper'")

    @model_validator(mode="after")
    def _differ(self) -> SymmetricLinearValue:
        if self.minimum is not None and self.minimum == self.maximum:
            raise ValueError(f"'minimum' and 'maximum' are both {self.minimum:g}: give two numbers")
        return self
