"""Regional equity as an objective of the plan."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Strict

__all__ = ["EquityMeasure", "EquityObjective", "EquitySpec"]

EquityObjective = Literal["deprivation", "shortfall", "gini", "deviation"]
"""``deprivation``: Σ benefit · (1 − industrialisation of the site's region), to be large.
``shortfall``: the largest lack of a region below its target, to be small. ``gini``: the Gini of
the amount per person over regions after the plan, to be small. ``deviation``: the Hoover (Pietra)
index of it, the share that would have to move to another region for all to be equal."""

EquityMeasure = Literal["jobs", "area_ha"]


class EquitySpec(Strict):
    """The front of efficiency against regional inequality that is computed beside the plan.

    Efficiency is the plan's own objective: the sum of the scores less the cost in points of score.
    Each point of the front is a plan that keeps every limit of ``portfolio``, and no plan is
    better in one of the two and at least as good in the other.
    """

    objective: EquityObjective = Field(
        "deprivation",
        description=(
            "What equity is: 'deprivation' (benefit weighted by 1 − the region's index), "
            "'shortfall' (largest lack of a region below its target), 'gini' (of the amount per "
            "person after the plan; up to about 60 regions) or 'deviation' (Hoover index of it; "
            "any number of regions)"
        ),
    )
    level: int = Field(1, ge=1, le=3, description="Region level at which equity is counted")
    measure: EquityMeasure = Field(
        "jobs", description="What a site brings to its region: 'jobs' or 'area_ha'"
    )
    targets: dict[str, float] | Literal["population"] = Field(
        "population",
        description=(
            "For 'shortfall': amount by region code, or 'population': each region's share of the "
            "plan's total as large as its share of the people"
        ),
    )
    points: int | Literal["all"] = Field(
        11, description="Points evenly laid along the front (2 to 101), or 'all' of them"
    )
    time_limit_s: float = Field(120.0, gt=0, description="Time for the whole front, s")
    base: str | None = Field(
        None,
        min_length=1,
        description=(
            "Fact variable with what a region has before the plan, in the unit of 'measure' "
            "(industrial jobs, or ha of industrial land); absent: only what the plan brings counts"
        ),
    )
    population: str | None = Field(
        None,
        min_length=1,
        description="Fact variable with the people of a region; absent: the regions' own figure",
    )

    @model_validator(mode="after")
    def _fits(self) -> EquitySpec:
        if self.points != "all" and not 2 <= self.points <= 101:
            raise ValueError(f"points is {self.points}; write 2 to 101, or all")
        if isinstance(self.targets, dict):
            if self.objective != "shortfall":
                raise ValueError(
                    f"targets are given but objective is '{self.objective}'; "
                    "take them out, or write objective: shortfall"
                )
            if not self.targets:
                raise ValueError("targets is empty; write region code: amount, or population")
            for code, amount in self.targets.items():
                if not 0 <= amount < float("inf"):
                    raise ValueError(f"the target of region {code} is {amount}; write 0 or more")
        if self.base is not None and self.objective == "shortfall":
            raise ValueError(
                "a shortfall counts what the plan brings, so base has no meaning; take it out, "
                "or write objective: gini or deviation"
            )
        return self
