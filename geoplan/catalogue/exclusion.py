"""Exclusion rules of a scenario: land that may not, or must, be looked at."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Status, Strict, Text

__all__ = ["ExclusionRule"]


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
