"""Demand and supply of a scenario: what sites need, and where it may come from."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict, Text

__all__ = [
    "RESOURCES",
    "RESOURCE_UNITS",
    "DemandSpec",
    "OwnSupply",
    "ResourceSupply",
    "Reuse",
    "SupplySpec",
]

RESOURCES = ("water", "power", "wastewater")
"""Order in which resources appear in every table."""

RESOURCE_UNITS = {"water": "m3/day", "power": "MVA", "wastewater": "m3/day"}
"""Unit in which headroom, demand and supply of each resource are counted."""

RESOURCE_UNITS = {"water": "m3/day", "power": "MVA", "wastewater": "m3/day"}
"""Unit in which headroom, demand and supply of each resource are counted."""


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
