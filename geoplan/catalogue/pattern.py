"""The regional and commodity pattern: which activities exist, what they need, how parts weigh."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.profile import Indicator
from geoplan.catalogue.text import Basis, Identifier, Status, Strict, Text

__all__ = [
    "PARTS",
    "PART_TITLES",
    "Activity",
    "Figure",
    "MixSpec",
    "Part",
    "PatternGuards",
    "PatternHave",
    "PatternSpec",
    "ResourceNeed",
]

Part = Literal["specialisation", "relatedness", "resources", "water", "power", "market", "labour"]

PARTS: tuple[Part, ...] = (
    "specialisation",
    "relatedness",
    "resources",
    "water",
    "power",
    "market",
    "labour",
)
"""The parts of a score, in the order in which every table and text names them."""

PART_TITLES: dict[str, Text] = {
    "specialisation": Text(en="Specialisation", fa="تخصص"),
    "relatedness": Text(en="Related activities", fa="فعالیت‌های هم‌پیوند"),
    "resources": Text(en="Resources and inputs", fa="منابع و نهاده‌ها"),
    "water": Text(en="Water", fa="آب"),
    "power": Text(en="Power", fa="برق"),
    "market": Text(en="Market access", fa="دسترسی به بازار"),
    "labour": Text(en="Labour", fa="نیروی کار"),
}
"""Name of each part."""


class Figure(Strict):
    """One figure by region: a fact, or a layer that is counted or summed."""

    level: int = Field(
        1, ge=1, le=3, description="Region level at which it is known; a finer one is summed"
    )
    variable: str | None = Field(None, description="Variable of the region facts")
    layer: Identifier | None = Field(None, description="Layer counted or summed in each region")
    where: str | None = Field(None, description="Expression that selects the layer's features")
    value: str | None = Field(None, description="Expression summed over features; absent: count")
    scale: float = Field(1.0, gt=0, description="Multiplied into the figure, to reach 'unit'")
    unit: str = Field(description="Unit of the figure, after 'scale'")
    unit_fa: str | None = Field(None, description="The unit in Persian")
    basis: str = Field(description="Where it comes from, and what it leaves out")
    known_as: Basis | None = Field(
        None, description="metered, licensed or assumed; absent: as the layer's rows say"
    )

    @model_validator(mode="after")
    def _one_source(self) -> Figure:
        if (self.variable is None) == (self.layer is None):
            raise ValueError("give either 'variable' or 'layer'")
        if self.variable is not None and (self.where or self.value):
            raise ValueError("'where' and 'value' belong to a layer, not to a variable")
        return self

    def as_indicator(self, name: str) -> Indicator:
        """Return the figure as an indicator, for `geoplan.regions.measure_indicator`."""
        return Indicator(
            id=name,
            title=Text(en=name),
            level=self.level,
            variable=self.variable,
            layer=self.layer,
            where=self.where,
            value=self.value,
            per_unit=self.scale,
            unit=self.unit,
            weight=1,
            basis=self.basis,
        )


class ResourceNeed(Strict):
    """A deposit, crop, plant or port that an activity builds on."""

    id: Identifier
    title: Text = Field(description="In the middle of a sentence, for example 'iron plants'")
    figure: Figure
    shape: Literal["presence", "rank"] = Field(
        "presence",
        description="'presence': 1 where there is any, else 0. 'rank': the region's place among "
        "all by the amount, 0 least to 1 most",
    )
    weight: float = Field(1.0, gt=0, description="Relative weight among the activity's resources")
    status: Status = Field("proposed", description="How certain it is that the activity needs it")


class Activity(Strict):
    """One activity that regions may have or get."""

    id: Identifier
    title: Text
    demand_class: str | None = Field(
        None,
        description="Class of the profile's demand_classes; absent: the activity is only looked at "
        "for what is found beside it, and is never proposed",
    )
    amount: Figure | None = Field(
        None, description="What each region has of it; absent: no figure by region is known"
    )
    counted: Literal["units", "jobs", "capacity"] = Field(
        "units", description="Units and jobs are counts and get limits of chance; capacity does not"
    )
    resources: tuple[ResourceNeed, ...] = ()
    weights: dict[Part, float] = Field(
        default_factory=dict, description="Weights of parts that differ for this activity"
    )
    note: Text | None = Field(None, description="What a reader must know of its figures")

    @model_validator(mode="after")
    def _one_id_each(self) -> Activity:
        ids = [r.id for r in self.resources]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"resource '{twice[0]}' of activity '{self.id}' is given twice")
        if any(not w >= 0 for w in self.weights.values()):
            raise ValueError(f"a weight of activity '{self.id}' is below 0")
        return self


class PatternGuards(Strict):
    """Numbers below which a location quotient says nothing."""

    region_min: float = Field(20.0, ge=0, description="Least size of a region, unit of 'base'")
    units_min: float = Field(10.0, ge=0, description="Least units or jobs of an activity, nation")
    regions_min: int = Field(
        10, ge=2, description="Fewest regions from which it is told what goes together"
    )
    activities_min: int = Field(
        5, ge=2, description="Fewest activities with figures for it to be told what goes together"
    )


class PatternHave(Strict):
    """What regions have that every activity needs. A figure that is absent leaves its part out."""

    water: Figure | None = Field(None, description="Water that is free, m3/day")
    power: Figure | None = Field(None, description="Power that is free, MVA")
    unemployed: Figure | None = Field(None, description="People without work, persons")
    population: Figure | None = Field(None, description="People, for the market within reach")


class MixSpec(Strict):
    """How a region's best activities become the industry mix of an estate."""

    top: int = Field(5, ge=1, le=50, description="Most activities that count")
    score_min: float = Field(
        0.5, ge=0, lt=1, description="Least score; a score of exactly this gets no land"
    )


class PatternSpec(Strict):
    """One pattern (``layers/patterns/<id>.yaml``)."""

    id: Identifier
    title: Text
    profile: Identifier = Field(description="Profile whose demand classes and regions it uses")
    level: int = Field(1, ge=1, le=3, description="Region level of the result")
    estate_ha: float = Field(
        100.0, gt=0, description="Net industrial land for which needs are stated, ha"
    )
    base: Figure | None = Field(
        None,
        description="Size of a region for the location quotient; absent: the sum of its "
        "activities, which then must have one unit",
    )
    guards: PatternGuards = PatternGuards()
    weights: dict[Part, float] = Field(
        min_length=1, description="Weight of each part; a part that is not named does not count"
    )
    weights_status: Status = "proposed"
    coverage_min: float = Field(
        0.5, ge=0, le=1, description="Least known share of the weight; below it there is no score"
    )
    specialised_above: float = Field(1.0, gt=0, description="Location quotient of specialisation")
    ample_share: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="A need up to this share of what is free speaks for an activity; more than "
        "half of it speaks against",
    )
    have: PatternHave = PatternHave()
    activities: tuple[Activity, ...] = Field(min_length=1)
    mix: MixSpec = MixSpec()
    notes: tuple[Text, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> PatternSpec:
        ids = [a.id for a in self.activities]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"activity '{twice[0]}' is given twice")
        if any(not w >= 0 for w in self.weights.values()) or not sum(self.weights.values()) > 0:
            raise ValueError("weights must not be negative, and one must be above 0")
        if not any(a.demand_class for a in self.activities):
            raise ValueError("no activity has a demand_class, so there is nothing to propose")
        if self.base is None:
            units = sorted({a.amount.unit for a in self.activities if a.amount is not None})
            if len(units) > 1:
                raise ValueError(
                    f"activities are in {', '.join(units)}, which have no sum; name a 'base'"
                )
        for name, figure in self.figures().items():
            if figure.level < self.level:
                raise ValueError(
                    f"figure '{name}' is known by level {figure.level}; an amount cannot be handed "
                    f"down to level {self.level}"
                )
        return self

    def figures(self) -> dict[str, Figure]:
        """Return every figure that the pattern uses, by a name that says where it stands."""
        found = {
            "base": self.base,
            **{f"have.{name}": getattr(self.have, name) for name in PatternHave.model_fields},
        }
        for activity in self.activities:
            found[f"amount.{activity.id}"] = activity.amount
            for need in activity.resources:
                found[f"resource.{activity.id}.{need.id}"] = need.figure
        return {name: figure for name, figure in found.items() if figure is not None}

    def weight(self, activity: Activity, part: Part) -> float:
        """Return the weight of a part for an activity, 0 where it does not count."""
        return activity.weights.get(part, self.weights.get(part, 0.0))
