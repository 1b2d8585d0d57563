"""A scenario: one YAML that fixes a siting question completely."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Status, Strict, Text

__all__ = [
    "RESOURCES",
    "RESOURCE_UNITS",
    "AreaSpec",
    "CandidateSpec",
    "CategoricalValue",
    "Criterion",
    "DemandSpec",
    "ExclusionRule",
    "GridSpec",
    "IdentityValue",
    "LinearValue",
    "OwnSupply",
    "PiecewiseValue",
    "PortfolioSpec",
    "Reuse",
    "RobustnessSpec",
    "Scenario",
    "SigmoidValue",
    "SupplySpec",
    "ValueSpec",
    "WeightSpec",
]

RESOURCES = ("water", "power", "wastewater")
"""Order in which resources appear in every table."""

RESOURCE_UNITS = {"water": "m3/day", "power": "MVA", "wastewater": "m3/day"}
"""Unit in which headroom, demand and supply of each resource are counted."""


class AreaSpec(Strict):
    """Where to look."""

    layer: Identifier = Field(description="Layer of regions that bounds the search")
    where: dict[str, tuple[str, ...]] | None = Field(
        None, description="Only these regions, for example {code: ['08', '11']}"
    )


class GridSpec(Strict):
    """The analysis grid."""

    cell_m: float = Field(ge=10, le=10_000, description="Cell side, m")


class ExclusionRule(Strict):
    """Land that may not be used. One of ``layer``, ``raster`` or ``region_index``."""

    id: Identifier
    title: Text | None = None
    layer: Identifier | None = Field(None, description="Vector layer")
    where: str | None = Field(None, description="Expression over the layer's fields")
    within_m: float | None = Field(
        None, ge=0, description="Excluded up to this distance; 0 excludes the features themselves"
    )
    beyond_m: float | None = Field(None, gt=0, description="Excluded farther away than this")
    raster: Identifier | None = Field(None, description="Raster layer")
    above: float | None = Field(None, description="Excluded where the raster is greater")
    below: float | None = Field(None, description="Excluded where the raster is smaller")
    classes: tuple[int, ...] | None = Field(None, description="Excluded raster classes")
    outside: bool = Field(False, description="Turn the condition round")
    missing: Literal["exclude", "allow"] = Field(
        "exclude", description="What a raster cell without data means"
    )
    rule: str | None = Field(
        None, description="'<rule set>/<rule>' of the profile: gives distance, basis and status"
    )
    basis: str | None = Field(None, description="Legal or customary basis")
    status: Status | None = None

    @model_validator(mode="after")
    def _one_condition(self) -> ExclusionRule:
        if (self.layer is None) == (self.raster is None):
            raise ValueError("give exactly one of 'layer' and 'raster'")
        if self.layer is not None:
            if self.above is not None or self.below is not None or self.classes is not None:
                raise ValueError("'above', 'below' and 'classes' belong to a raster, not a layer")
            given = (self.within_m is not None) + (self.beyond_m is not None)
            if given == 2 or (given == 0 and self.rule is None):
                raise ValueError("give one of 'within_m' and 'beyond_m', or 'rule'")
        else:
            if self.within_m is not None or self.beyond_m is not None or self.where is not None:
                raise ValueError("'within_m', 'beyond_m' and 'where' belong to a layer")
            if self.above is None and self.below is None and self.classes is None:
                raise ValueError("give 'above', 'below' or 'classes'")
        return self


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


class Criterion(Strict):
    """One thing that makes land better or worse."""

    title: Text | None = None
    measure: Literal["distance", "raster", "region", "density"]
    layer: Identifier | None = Field(None, description="Layer of a distance or density")
    where: str | None = Field(None, description="Expression that selects features")
    weight_field: str | None = Field(None, description="Density: field summed; absent: count")
    radius_km: float | None = Field(None, gt=0, le=500, description="Density: radius")
    raster: Identifier | None = None
    index: Literal["industrialisation"] | None = None
    fact: str | None = Field(None, description="Region: variable of the region facts")
    level: int | None = Field(None, ge=1, le=3, description="Region level of the fact")
    unit: str = Field("", description="Unit of the measure: km, m, %, count, index …")
    value: ValueSpec = Field(default_factory=lambda: IdentityValue(kind="identity"))
    invert: bool = Field(False, description="Use 1 − value")
    weight: float | None = Field(None, ge=0, description="Direct weight (any scale)")
    missing: Literal["exclude", "zero", "mean"] = Field(
        "exclude", description="Cells without data: left out, value 0, or the mean value"
    )
    basis: str | None = None

    @model_validator(mode="after")
    def _measure_fits(self) -> Criterion:
        need = {
            "distance": ("layer",),
            "density": ("layer", "radius_km"),
            "raster": ("raster",),
            "region": (),
        }[self.measure]
        for name in need:
            if getattr(self, name) is None:
                raise ValueError(f"measure '{self.measure}' needs '{name}'")
        if self.measure == "region" and (self.index is None) == (self.fact is None):
            raise ValueError("measure 'region' needs exactly one of 'index' and 'fact'")
        if self.measure == "distance" and self.unit not in ("", "km", "m"):
            raise ValueError(f"a distance has unit 'km' or 'm', not '{self.unit}'")
        return self


class WeightSpec(Strict):
    """How criteria are weighed against each other."""

    method: Literal["direct", "ahp"] = "direct"
    pairs: dict[str, float] | None = Field(
        None, description="AHP: 'a/b': 3 means a is 3 times as important as b; every pair once"
    )
    weights: dict[str, float] | None = Field(None, description="Direct weights by criterion")

    @model_validator(mode="after")
    def _method_fits(self) -> WeightSpec:
        if self.method == "ahp" and not self.pairs:
            raise ValueError("method 'ahp' needs 'pairs'")
        return self


class CandidateSpec(Strict):
    """What a candidate site looks like."""

    area_ha: tuple[float, float] = Field(description="Smallest and largest area, ha")
    compactness: float = Field(0.5, ge=0, le=1, description="0 follows value only, 1 shape only")
    spacing_km: float = Field(5.0, ge=0, description="Least distance between candidates' edges")
    seeds: int = Field(20_000, ge=1, le=1_000_000, description="Places where growth starts")
    keep: int = Field(1_000, ge=1, le=100_000, description="Candidates kept, best first")
    per_region_keep: int | None = Field(
        None, ge=1, description="At most this many kept in one region of level 1"
    )

    @model_validator(mode="after")
    def _order(self) -> CandidateSpec:
        low, high = self.area_ha
        if not 0 < low <= high:
            raise ValueError(f"area_ha [{low:g}, {high:g}] must be [smallest, largest], above 0")
        return self


class DemandSpec(Strict):
    """What a site will need."""

    mix: dict[str, float] = Field(
        min_length=1, description="Share of net industrial land by activity class; sums to 1"
    )
    take_up: float = Field(1.0, gt=0, le=1, description="Share of the land in use at the horizon")

    @model_validator(mode="after")
    def _shares(self) -> DemandSpec:
        bad = {k: v for k, v in self.mix.items() if not v >= 0}
        if bad:
            raise ValueError(f"shares must not be negative: {bad}")
        total = sum(self.mix.values())
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of 'mix' sum to {total:g}, not 1")
        return self


class OwnSupply(Strict):
    """Supply built on the site itself, in whole modules."""

    kind: Identifier = Field(description="plant, pv, ro, well …")
    title: Text | None = None
    module: float = Field(
        gt=0, alias="module_size", description="Size of one module, resource unit"
    )
    credit: float = Field(
        1.0, gt=0, le=1, description="Firm share of a module's size that counts as supply"
    )
    cost: float = Field(ge=0, description="Cost of one module, profile currency")
    modules_max: int = Field(10, ge=1, le=1000, description="Most modules at one site")
    share_max: float = Field(1.0, gt=0, le=1, description="Most of the site's demand it may cover")
    basis: str = "assumed"

    @model_validator(mode="before")
    @classmethod
    def _module_with_unit(cls, data: Any) -> Any:
        if isinstance(data, dict):
            data = dict(data)
            for name in ("module", "module_m3_per_day", "module_mva"):
                if name in data:
                    data["module_size"] = data.pop(name)
        return data


class Reuse(Strict):
    """Treated wastewater of the site that returns as non-potable water."""

    share_max: float = Field(ge=0, le=1, description="Most of the site's wastewater that returns")
    recovery: float = Field(0.9, gt=0, le=1, description="Water out per water treated")
    cost_per_unit: float = Field(0.0, ge=0, description="Cost per m3/day of capacity")
    basis: str = "assumed"


class ResourceSupply(Strict):
    """How one resource reaches a site."""

    layers: tuple[Identifier, ...] = Field((), description="Layers of sources")
    max_km: float = Field(gt=0, description="Farthest source")
    max_sources: int = Field(6, ge=1, le=50, description="Nearest sources considered per site")
    route_factor: float = Field(1.3, ge=1, description="Line length over straight distance")
    cost_per_km: float = Field(0.0, ge=0, description="Cost of a line, once, per km of route")
    cost_per_unit: float = Field(0.0, ge=0, description="Cost per unit taken")
    single_source: bool = Field(False, description="A site may use one source only")
    headroom_share_max: float = Field(
        1.0, gt=0, le=1, description="Most of a source's headroom that the plan may use"
    )
    own: tuple[OwnSupply, ...] = ()
    reuse: Reuse | None = Field(None, description="Water only")

    @model_validator(mode="before")
    @classmethod
    def _short_reuse(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("reuse"), (int, float)):
            data = {**data, "reuse": {"share_max": data["reuse"]}}
        return data


class SupplySpec(Strict):
    """Supply of the three resources."""

    water: ResourceSupply
    power: ResourceSupply
    wastewater: ResourceSupply

    @model_validator(mode="after")
    def _reuse_is_water(self) -> SupplySpec:
        for name in ("power", "wastewater"):
            if getattr(self, name).reuse is not None:
                raise ValueError(f"'reuse' belongs to water, not {name}")
        return self


class PortfolioSpec(Strict):
    """The set of sites that is asked for."""

    count: int = Field(ge=1, le=1000, description="Sites in the plan")
    per_region_max: int | None = Field(None, ge=1, description="Most sites in one region")
    region_level: int = Field(1, ge=1, le=3, description="Region level of 'per_region_max'")
    less_industrialised_share_min: float = Field(
        0.0, ge=0, le=1, description="Least share of sites in less-industrialised regions"
    )
    spacing_km: float = Field(0.0, ge=0, description="Least distance between sites' edges")
    budget: float | None = Field(None, gt=0, description="Most total cost, profile currency")
    cost_per_score_point: float | None = Field(
        None, gt=0, description="Cost that weighs as much as 1.0 of one site's score"
    )
    gap: float = Field(1e-4, ge=0, le=0.5, description="Relative optimality gap to prove")
    time_limit_s: float = Field(60.0, gt=0, description="Time the solver may take")


class RobustnessSpec(Strict):
    """Draws for rank acceptability."""

    draws: int = Field(10_000, ge=1)
    seed: int = 0


class Scenario(Strict):
    """A siting question (``layers/scenarios/<id>.yaml``)."""

    id: Identifier
    title: Text
    profile: Identifier
    area: AreaSpec
    grid: GridSpec
    exclude: tuple[ExclusionRule, ...] = ()
    criteria: dict[str, Criterion] = Field(min_length=1)
    weights: WeightSpec = Field(default_factory=lambda: WeightSpec(method="direct"))
    candidates: CandidateSpec
    demand: DemandSpec
    supply: SupplySpec
    portfolio: PortfolioSpec
    robustness: RobustnessSpec | None = None
    seed: int = Field(0, description="Seed of everything that is drawn")
    notes: tuple[Text, ...] = Field((), description="What a reader must know, in words")

    @model_validator(mode="before")
    @classmethod
    def _short_notes(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("notes"), list):
            notes = [{"en": n} if isinstance(n, str) else n for n in data["notes"]]
            return {**data, "notes": notes}
        return data
