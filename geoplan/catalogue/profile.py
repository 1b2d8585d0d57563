"""A country profile: CRS, region levels, dated rules, coefficients, index, terms. All data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from geoplan.catalogue.text import Coefficient, Identifier, Status, Strict, Text

__all__ = [
    "DemandClass",
    "IndexSpec",
    "Indicator",
    "Profile",
    "RegionLevel",
    "Rule",
    "RuleSet",
]


class RegionLevel(Strict):
    """One administrative level."""

    level: int = Field(ge=1, le=3, description="1 is the coarsest")
    layer: Identifier = Field(description="Layer of regions at this level")
    title: Text = Field(description="What one region of this level is called")


class Rule(Strict):
    """One legal or customary distance or ban."""

    id: Identifier
    title: Text
    object: str = Field(description="What is protected, for example 'settlement'")
    group: str | None = Field(None, description="Pollution group the rule is for")
    distance_m: float | None = Field(None, ge=0, description="Minimum distance; empty: see note")
    note: str | None = Field(None, description="Conditions that a distance cannot say")
    basis: str = Field(description="Decree, article and date, or where it was read")
    status: Status


class RuleSet(Strict):
    """Rules of one decree, with the dates between which they hold."""

    id: Identifier
    title: Text
    enacted: str = Field(description="Date of the decree, as printed")
    superseded_by: str | None = Field(None, description="Rule set that replaced it")
    basis: str
    status: Status
    rules: tuple[Rule, ...]


class DemandClass(Strict):
    """What one net industrial hectare of an activity class needs."""

    title: Text
    water: Coefficient = Field(description="m3/day/ha")
    return_ratio: Coefficient = Field(description="Share of water that returns as wastewater, 0–1")
    connected_power: Coefficient = Field(description="kVA/ha")
    coincidence: Coefficient = Field(description="Peak over connected load, 0–1")
    jobs: Coefficient = Field(description="jobs/ha")
    grade: tuple[int, int] = Field(description="Environmental classes, lowest and highest")


class Indicator(Strict):
    """One indicator of the industrialisation index."""

    id: Identifier
    title: Text
    level: int = Field(ge=1, le=3, description="Region level at which the fact is known")
    variable: str | None = Field(None, description="Variable of the region facts")
    layer: Identifier | None = Field(None, description="Layer counted or summed in each region")
    where: str | None = Field(None, description="Expression that selects the layer's features")
    value: str | None = Field(None, description="Expression summed over features; absent: count")
    per: str | None = Field(None, description="Variable that divides it; absent: as it is")
    per_unit: float = Field(1.0, gt=0, description="Multiplied after the division, e.g. 100000")
    unit: str
    direction: Literal["more", "less"] = Field(
        "more", description="'more': a higher value is more industrialised"
    )
    transform: Literal["none", "log1p"] = "none"
    weight: float = Field(gt=0, description="Relative weight")
    basis: str


class IndexSpec(Strict):
    """The industrialisation index of a profile."""

    level: int = Field(ge=1, le=3, description="Region level of the result")
    normalisation: Literal["minmax", "rank"] = "rank"
    coverage_min: float = Field(
        0.5, ge=0, le=1, description="Least share of weight with data; below it the index is empty"
    )
    less_industrialised_below: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Quantile of regions below which a region counts as less industrialised",
    )
    indicators: tuple[Indicator, ...] = Field(min_length=1)


class Profile(Strict):
    """Everything about a country that code must not know (``layers/profiles/<id>.yaml``)."""

    id: Identifier
    title: Text
    country: str = Field(description="ISO 3166-1 alpha-2, or XX for a synthetic country")
    synthetic: bool = Field(False, description="Made-up data; said wherever it is shown")
    languages: tuple[str, ...] = Field(("en",), description="First is the default")
    calendar: Literal["gregorian", "jalali"] = "gregorian"
    analysis_crs: str = Field(description="Equal-area metric CRS of the analysis grid")
    bbox: tuple[float, float, float, float] = Field(
        description="lon_min, lat_min, lon_max, lat_max that holds the whole country"
    )
    region_levels: tuple[RegionLevel, ...] = Field(min_length=1, max_length=3)
    currency: str = "USD"
    price_year: str = Field("", description="Year in which costs are stated, as printed")
    rule_sets: tuple[RuleSet, ...] = ()
    demand_classes: dict[str, DemandClass] = Field(min_length=1)
    coefficients: dict[str, Coefficient] = Field(
        description=(
            "industrial_share, network_loss, domestic_water (l/person/day), domestic_return, "
            "green_share, green_water (m3/day/ha), peak_day, cos_phi …"
        )
    )
    index: IndexSpec
    terms: dict[str, Text] = Field(default_factory=dict, description="Words shown to people")
    notes: tuple[str, ...] = ()
