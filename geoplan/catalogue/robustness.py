"""What a scenario draws, to see how firm its answer is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict

__all__ = ["RobustnessSpec", "WeightDraws"]


class WeightDraws(Strict):
    """How the weights of criteria are drawn. Criteria of weight 0 stay at 0."""

    distribution: Literal["uniform", "dirichlet", "intervals", "order"] = Field(
        "dirichlet",
        description="uniform: any weights at all; dirichlet: around the scenario's weights; "
        "intervals: any weights within 'intervals'; order: any weights that fall along 'order'",
    )
    concentration: float = Field(
        100.0,
        ge=1,
        le=1e6,
        description="dirichlet: how near to the scenario's weights; a weight w has the standard "
        "deviation sqrt(w(1-w)/(concentration+1)). The default is assumed",
    )
    intervals: dict[Identifier, tuple[float, float]] = Field(
        default_factory=dict,
        description="intervals: least and most weight by criterion, 0–1; others are free",
    )
    order: tuple[Identifier, ...] = Field(
        (), description="order: criteria from the most to the least important, every one once"
    )

    @model_validator(mode="after")
    def _complete(self) -> WeightDraws:
        if self.distribution == "intervals" and not self.intervals:
            raise ValueError(
                "distribution 'intervals' needs 'intervals', for example {road: [.1, .3]}"
            )
        if self.distribution == "order" and not self.order:
            raise ValueError("distribution 'order' needs 'order', for example [water, road, slope]")
        for name, (low, high) in self.intervals.items():
            if not 0 <= low <= high <= 1:
                raise ValueError(
                    f"interval [{low:g}, {high:g}] of '{name}' is not 0 ≤ least ≤ most ≤ 1"
                )
        if len(set(self.order)) != len(self.order):
            raise ValueError("a criterion stands twice in 'order'; name each once")
        return self


class RobustnessSpec(Strict):
    """Draws for rank acceptability and for how often a site stays in the plan."""

    draws: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Draws of weights and values; the standard error of a share is at most "
        "0.5/sqrt(draws)",
    )
    seed: int = Field(0, ge=0, description="Seed of the draws")
    weights: WeightDraws = Field(
        default_factory=WeightDraws, description="How weights of criteria are drawn"
    )
    values_half_width: float | dict[Identifier, float] = Field(
        0.0,
        description="Half-width of the uniform error of a candidate's criterion values (0–1), one "
        "number or by criterion; 0: the values are taken as exact. Drawn values stay within 0–1",
    )
    plans: int = Field(
        100, ge=1, le=10_000, description="Plans that are solved again for inclusion"
    )
    plan_gap: float = Field(
        1e-3, ge=0, le=0.5, description="Relative optimality gap of each of these plans"
    )
    plan_time_limit_s: float = Field(10.0, gt=0, description="Time for each of these plans")
    demand_half_width: float = Field(
        0.15, ge=0, lt=1, description="Half-width of the demand's relative error; assumed"
    )
    headroom_half_width: float = Field(
        0.2, ge=0, lt=1, description="Half-width of a headroom's relative error; assumed"
    )

    @model_validator(mode="after")
    def _widths(self) -> RobustnessSpec:
        given = self.values_half_width
        widths = given if isinstance(given, dict) else {"values_half_width": given}
        for name, width in widths.items():
            if not 0 <= width <= 1:
                raise ValueError(f"half-width {width:g} of '{name}' is not between 0 and 1")
        return self
