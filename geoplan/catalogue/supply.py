"""Demand and supply of a scenario: what sites need, and where it may come from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict, Text
from geoplan.catalogue.way import TerrainSpec

__all__ = [
    "RESOURCES",
    "RESOURCE_UNITS",
    "CapSpec",
    "DemandSpec",
    "OwnSupply",
    "Reinforcement",
    "ResourceSupply",
    "Reuse",
    "SupplySpec",
]

RESOURCES = ("water", "power", "wastewater")
"""Order in which resources appear in every table."""

RESOURCE_UNITS = {"water": "m3/day", "power": "MVA", "wastewater": "m3/day"}
"""Unit in which headroom, demand and supply of each resource are counted."""


class DemandSpec(Strict):
    """What a site will need."""

    mix: dict[str, float] = Field(
        min_length=1, description="Share of net industrial land by activity class; sums to 1"
    )
    take_up: float = Field(1.0, gt=0, le=1, description="Share of the land in use at the horizon")
    mix_by_region: Identifier | None = Field(
        None,
        description="Regional pattern whose mix each site takes from its region; where a region "
        "has none, 'mix' stands",
    )

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
        return _with_module_size(data)


class Reinforcement(Strict):
    """Whole modules by which a source's headroom can be raised for the plan."""

    module: float = Field(
        gt=0, alias="module_size", description="Headroom that one module adds, resource unit"
    )
    cost: float = Field(ge=0, description="Cost of one module, profile currency")
    modules_max: int = Field(
        1, ge=0, le=1000, description="Most modules at one source, unless its layer says otherwise"
    )
    basis: str = "assumed"

    @model_validator(mode="before")
    @classmethod
    def _module_with_unit(cls, data: Any) -> Any:
        return _with_module_size(data)


class CapSpec(Strict):
    """Joint limit over a group of sources: a basin's total, a grid zone's total."""

    id: Identifier
    title: Text | None = None
    resource: str = Field(min_length=1, description="water, power or wastewater")
    sources: tuple[str, ...] | dict[str, str | int | float | tuple[str | int | float, ...]] = Field(
        description="Ids of the sources, or a column of the sources and its value or values "
        "(several columns: all must fit), for example {basin: zayandeh}"
    )
    max: float = Field(ge=0, description="Most that the plan may take from the group together")
    unit: str = Field(description="Unit of 'max': the one in which the resource is counted")
    basis: str = "assumed"

    @model_validator(mode="after")
    def _one_unit(self) -> CapSpec:
        if not self.sources:
            raise ValueError(f"cap '{self.id}' names no sources; name them or a column's value")
        wanted = RESOURCE_UNITS.get(self.resource, self.unit)
        if self.unit != wanted:
            raise ValueError(
                f"cap '{self.id}' is {self.max:g} {self.unit}, {self.resource} is counted in "
                f"{wanted}; convert 'max' to {wanted}"
            )
        return self


def _with_module_size(data: Any) -> Any:
    """Take a module's size under the names that carry its unit too."""
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
    route: Literal["straight", "least_cost"] = Field(
        "straight",
        description="How a line's length is known: distance × route_factor, or the least-cost "
        "path over the ground (where no path was found there is no line)",
    )
    route_factor: float = Field(1.3, ge=1, description="Line length over straight distance")
    cost_per_km: float = Field(0.0, ge=0, description="Cost of a line, once, per km of route")
    cost_per_unit: float = Field(0.0, ge=0, description="Cost per unit taken")
    single_source: bool = Field(False, description="A site may use one source only")
    headroom_share_max: float = Field(
        1.0, gt=0, le=1, description="Most of a source's headroom that the plan may use"
    )
    own: tuple[OwnSupply, ...] = ()
    reuse: Reuse | None = Field(None, description="Water only")
    reinforcement: Reinforcement | None = Field(
        None, description="Modules by which each source's headroom can be raised"
    )

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
    caps: tuple[CapSpec, ...] = Field((), description="Joint limits over groups of sources")
    terrain: TerrainSpec | None = Field(
        None, description="Ground that lines with 'route: least_cost' cross"
    )

    @model_validator(mode="after")
    def _ground_of_ways(self) -> SupplySpec:
        for name in RESOURCES:
            if getattr(self, name).route == "least_cost" and self.terrain is None:
                raise ValueError(
                    f"{name} has 'route: least_cost'; say in 'terrain' what a kilometre costs"
                )
        return self

    @model_validator(mode="after")
    def _reuse_is_water(self) -> SupplySpec:
        for name in ("power", "wastewater"):
            if getattr(self, name).reuse is not None:
                raise ValueError(f"'reuse' belongs to water, not {name}")
        ids = [c.id for c in self.caps]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"two caps have the id '{twice[0]}'")
        for cap in self.caps:
            if cap.resource not in RESOURCES:
                raise ValueError(
                    f"cap '{cap.id}' limits '{cap.resource}'; resources are {', '.join(RESOURCES)}"
                )
        return self
