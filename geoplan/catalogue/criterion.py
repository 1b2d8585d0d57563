"""Criteria of a scenario: what is measured, and how it is valued."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict, Text
from geoplan.catalogue.value import IdentityValue, ValueSpec

__all__ = ["Criterion"]


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
