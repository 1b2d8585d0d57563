"""Exclusion rules of a scenario: land that may not, or must, be looked at."""

from __future__ import annotations

import math
from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Status, Strict, Text

__all__ = ["ExclusionExtent", "ExclusionRule", "LandSpec"]

_RASTER_KEYS = ("above", "below", "between", "equals", "classes")


class ExclusionExtent(Strict):
    """Where a rule holds. With both a layer and a box: where both hold."""

    layer: Identifier | None = Field(
        None, description="Layer of polygons; a cell belongs to the one that holds its centre"
    )
    where: str | None = Field(None, description="Expression over the fields of that layer")
    box: tuple[float, float, float, float] | None = Field(
        None, description="[lon_min, lat_min, lon_max, lat_max], degrees WGS 84"
    )

    @model_validator(mode="after")
    def _some_place(self) -> ExclusionExtent:
        if self.layer is None and self.box is None:
            raise ValueError("give 'layer', 'box' or both, or leave 'extent' out")
        if self.where is not None and self.layer is None:
            raise ValueError("'where' needs a 'layer'")
        if self.box is not None:
            west, south, east, north = self.box
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise ValueError(
                    f"the box {list(self.box)} is not [lon_min, lat_min, lon_max, lat_max] in "
                    "degrees; longitude stands first, and the smaller of two before the larger"
                )
        return self


class ExclusionRule(Strict):
    """Land that may not be used, or that is allowed whatever other rules say.

    One of ``layer`` and ``raster`` says where; the other keys say when, how much and by what law.
    """

    id: Identifier
    title: Text | None = None
    effect: Literal["exclude", "include"] = Field(
        "exclude",
        description="'exclude' removes land; 'include' forces it in: land is allowed there "
        "whatever the rules in 'over' say. It does not widen the search area",
    )
    over: tuple[Identifier, ...] | None = Field(
        None, description="Only with 'include': the rules that give way; absent: all of them"
    )
    layer: Identifier | None = Field(None, description="Vector layer")
    where: str | None = Field(None, description="Expression over the layer's fields")
    within_m: float | None = Field(
        None, ge=0, description="Holds up to this distance; 0: the features themselves"
    )
    beyond_m: float | None = Field(None, gt=0, description="Holds farther away than this")
    cells: Literal["any", "centre"] | None = Field(
        None,
        description="Which cells count as within a distance: 'any', those with any land within "
        "it, so that no forbidden strip is left in a cell that stays; 'centre', those whose centre "
        "is, so that the area is without bias. Absent: 'any' for a rule that removes land up to a "
        "distance, 'centre' for all others ('beyond_m', 'outside', 'include'), which must not "
        "allow what the layer merely touches",
    )
    raster: Identifier | None = Field(None, description="Raster layer")
    above: float | None = Field(None, description="Holds where the raster is greater")
    below: float | None = Field(None, description="Holds where the raster is smaller")
    between: tuple[float, float] | None = Field(
        None, description="[low, high]: holds where the raster lies in this range, ends included"
    )
    equals: tuple[float, ...] | None = Field(
        None, min_length=1, description="Holds where the raster has one of these values exactly"
    )
    classes: tuple[int, ...] | None = Field(None, description="Holds in these raster classes")
    outside: bool = Field(False, description="Turn the condition round")
    missing: Literal["exclude", "allow"] = Field(
        "exclude",
        description="What a raster cell without data means; with 'include' it is never forced in",
    )
    extent: ExclusionExtent | None = Field(
        None, description="The rule holds only here; 'outside' does not turn this round"
    )
    share: float | Literal["covered"] | None = Field(
        None,
        description="The part of a cell that is lost where the rule holds, above 0 to 1; "
        "'covered': the part that the polygons, widened by 'within_m', cover exactly. Absent: all",
    )
    rule: str | None = Field(
        None, description="'<rule set>/<rule>' of the profile: gives distance, basis and status"
    )
    basis: str | None = Field(None, description="Legal or customary basis")
    dated: str | None = Field(
        None, description="Date of the legal text, YYYY-MM-DD (Gregorian); absent: the rule set's"
    )
    status: Status | None = None

    @property
    def part(self) -> Literal["any", "centre"]:
        """Which cells count as within a distance."""
        if self.cells is not None:
            return self.cells
        up_to = (self.beyond_m is None) != self.outside
        return "any" if self.effect == "exclude" and up_to else "centre"

    @model_validator(mode="after")
    def _one_condition(self) -> ExclusionRule:
        if (self.layer is None) == (self.raster is None):
            raise ValueError("give exactly one of 'layer' and 'raster'")
        raster = [name for name in _RASTER_KEYS if getattr(self, name) is not None]
        if self.layer is not None:
            if raster:
                raise ValueError(f"'{raster[0]}' belongs to a raster, not a layer")
            given = (self.within_m is not None) + (self.beyond_m is not None)
            if given == 2 or (given == 0 and self.rule is None):
                raise ValueError("give one of 'within_m' and 'beyond_m', or 'rule'")
        else:
            for name in ("within_m", "beyond_m", "where", "cells"):
                if getattr(self, name) is not None:
                    raise ValueError(f"'{name}' belongs to a layer, not a raster")
            if not raster:
                raise ValueError("give 'above', 'below', 'between', 'equals' or 'classes'")
        return self

    @model_validator(mode="after")
    def _numbers(self) -> ExclusionRule:
        if self.between is not None and not self.between[0] <= self.between[1]:
            low, high = self.between
            raise ValueError(f"between [{low:g}, {high:g}] is the wrong way round: low first")
        for name in ("within_m", "beyond_m", "above", "below"):
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise ValueError(f"'{name}' is {value}: give a finite number")
        for value in (*(self.between or ()), *(self.equals or ())):
            if not math.isfinite(value):
                raise ValueError(f"{value} in 'between' or 'equals': give finite numbers")
        if self.dated is not None:
            try:
                date.fromisoformat(self.dated)
            except ValueError as error:
                raise ValueError(
                    f"dated '{self.dated}' is not a date: write YYYY-MM-DD, Gregorian"
                ) from error
        return self

    @model_validator(mode="after")
    def _effect(self) -> ExclusionRule:
        if self.share is not None and self.effect == "include":
            raise ValueError("'share' belongs to 'exclude': land is forced in wholly or not")
        if isinstance(self.share, float) and not 0 < self.share <= 1:
            raise ValueError(f"share {self.share:g} is not a part of a cell: above 0, at most 1")
        if self.share == "covered" and (
            self.layer is None or self.beyond_m is not None or self.outside or self.cells
        ):
            raise ValueError(
                "share 'covered' needs a layer of polygons, with 'within_m' and without 'outside' "
                "and 'cells'"
            )
        if self.over is not None:
            if self.effect != "include":
                raise ValueError("'over' belongs to a rule whose effect is 'include'")
            if not self.over:
                raise ValueError("'over' is empty: name the rules that give way, or leave it out")
        return self


class LandSpec(Strict):
    """What counts as usable where rules take a part of a cell only."""

    usable_share_min: float = Field(
        0.5,
        ge=0,
        le=1,
        description="A cell of which less than this part is left by rules with a 'share' is not "
        "allowed; 0 keeps every cell of which anything is left",
    )
