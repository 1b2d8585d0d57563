"""Value functions of a scenario: how a measure becomes a value between 0 and 1."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Strict

__all__ = [
    "CategoricalValue",
    "IdentityValue",
    "LinearValue",
    "PiecewiseValue",
    "SigmoidValue",
    "ValueSpec",
]


class IdentityValue(Strict):
    """The measure is already between 0 and 1."""

    kind: Literal["identity"] = "identity"


class LinearValue(Strict):
    """1 at ``best``, 0 at ``worst``, straight between, flat outside."""

    kind: Literal["linear"]
    best: float
    worst: float

    @model_validator(mode="after")
    def _differ(self) -> LinearValue:
        if self.best == self.worst:
            raise ValueError(f"'best' and 'worst' are both {self.best}")
        return self


class SigmoidValue(Strict):
    """1 / (1 + exp(−ln 99 · (x − midpoint) / spread)): 0.5 at ``midpoint``, 0.99 one spread on.

    A negative ``spread`` makes the value fall with x.
    """

    kind: Literal["sigmoid"]
    midpoint: float
    spread: float

    @model_validator(mode="after")
    def _not_flat(self) -> SigmoidValue:
        if self.spread == 0:
            raise ValueError("'spread' is 0")
        return self


class PiecewiseValue(Strict):
    """Straight lines between ``(x, value)`` points, flat outside."""

    kind: Literal["piecewise"]
    points: tuple[tuple[float, float], ...] = Field(min_length=2)

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
    IdentityValue | LinearValue | SigmoidValue | PiecewiseValue | CategoricalValue,
    Field(discriminator="kind"),
]
