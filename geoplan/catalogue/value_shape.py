"""What value functions of a measured quantity share: thresholds, rescaling and hedges."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from geoplan.catalogue.text import Strict

__all__ = ["Beyond", "Hedge", "Shape"]

Hedge = Literal["very", "extremely", "somewhat", "more_or_less", "not"]
"""Words that sharpen or soften a value v: ``very`` v², ``extremely`` v³, ``somewhat`` and
``more_or_less`` √v, ``not`` 1 − v."""

Beyond = Annotated[float, Field(ge=0, le=1)] | Literal["missing"]
"""Value beyond a threshold: a number between 0 and 1, or no value at all."""


class Shape(Strict):
    """Keys that every value function of a measured quantity has."""

    lower: FiniteFloat | None = Field(
        None,
        description="Lower threshold, in the unit of the measure: the function applies from here "
        "on. Absent: no threshold; with 'rescale', the least measure of the allowed cells",
    )
    upper: FiniteFloat | None = Field(
        None,
        description="Upper threshold, in the unit of the measure. Absent: no threshold; with "
        "'rescale', the largest measure of the allowed cells",
    )
    below: Beyond | None = Field(
        None,
        description="Value of measures below 'lower', 0–1, or 'missing' (no value; what that "
        "means is said by the criterion's 'missing'). Absent: the value at 'lower'",
    )
    above: Beyond | None = Field(
        None, description="Value of measures above 'upper', likewise. Absent: the value at 'upper'"
    )
    rescale: bool = Field(
        False,
        description="Stretch the function so that its least value between the thresholds is 0 and "
        "its largest 1, as Esri's «Rescale by Function» does",
    )
    hedge: tuple[Hedge, ...] = Field(
        (),
        description="Hedges, applied in the order given, after rescaling and not to 'below' and "
        "'above': very (v²), extremely (v³), somewhat (√v), more_or_less (√v), not (1 − v)",
    )
    unit: str | None = Field(
        None,
        description="Unit of the numbers of this function; where given it must be the criterion's",
    )

    @model_validator(mode="after")
    def _thresholds_fit(self) -> Shape:
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(
                f"'lower' {self.lower:g} is not less than 'upper' {self.upper:g}: exchange them"
            )
        for value, threshold in (("below", "lower"), ("above", "upper")):
            if getattr(self, value) is not None and getattr(self, threshold) is None:
                raise ValueError(f"'{value}' has no threshold: give '{threshold}'")
        return self
