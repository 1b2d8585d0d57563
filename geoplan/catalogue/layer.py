"""A catalogued layer: one YAML file that says what a dataset is, not where a file lies."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.checks import CheckRules
from geoplan.catalogue.text import Identifier, Strict, Text

__all__ = ["TABLES", "Derived", "FieldSpec", "LayerSpec", "Style"]

TABLES = (
    "features",
    "regions",
    "region_facts",
    "estates",
    "phases",
    "blocks",
    "plots",
    "utility_nodes",
    "utility_lines",
    "raster",
)


class FieldSpec(Strict):
    """One attribute of a layer, defined once with its unit and range."""

    type: Literal["string", "integer", "number", "boolean", "date"] = Field(
        description="Value type"
    )
    title: Text | None = Field(None, description="Label shown to people")
    unit: str | None = Field(None, description="Unit of the number")
    minimum: float | None = Field(None, description="Smallest allowed value")
    maximum: float | None = Field(None, description="Largest allowed value")
    codes: tuple[str, ...] | None = Field(None, description="Allowed codes")
    required: bool = Field(False, description="A row without it is refused")


class Style(Strict):
    """How the layer is drawn by default."""

    color: str = Field("#5b6770", pattern=r"^#[0-9a-fA-F]{6}$", description="Main colour")
    width: float = Field(1.0, gt=0, le=20, description="Line width or point radius, px")
    opacity: float = Field(0.8, ge=0, le=1, description="Opacity")
    min_zoom: int = Field(0, ge=0, le=22, description="Hidden below this zoom")
    show: bool = Field(False, description="Switched on when the map opens")


class Derived(Strict):
    """A raster that is computed from another one whenever it is read."""

    source: Identifier = Field(alias="from", description="Raster layer it is computed from")
    measure: Literal["slope_percent"] = Field(description="What is computed")


class LayerSpec(Strict):
    """One layer of the catalogue (``layers/<id>.yaml``)."""

    id: Identifier
    title: Text
    description: Text | None = None
    theme: Literal[
        "administration", "transport", "settlement", "water", "energy", "hazard", "environment",
        "industry", "utility", "terrain", "climate", "cadastre", "statistics",
    ]  # fmt: skip
    kind: Literal["vector", "raster", "table"]
    geometry: Literal["point", "line", "polygon", "any"] | None = Field(
        None, description="Kind of geometry a vector layer holds"
    )
    table: Literal[
        "features", "regions", "region_facts", "estates", "phases", "blocks", "plots",
        "utility_nodes", "utility_lines", "raster",
    ] = Field("features", description="Table that stores its rows")  # fmt: skip
    level: int | None = Field(None, ge=1, le=3, description="Region level, 1 is the coarsest")
    key: str | None = Field(None, description="Field that names a row; absent: the row number")
    fields: dict[str, FieldSpec] = Field(default_factory=dict, description="Attributes kept")
    unit: str | None = Field(None, description="Unit of a raster's values")
    minimum: float | None = Field(None, description="Smallest possible raster value")
    maximum: float | None = Field(None, description="Largest possible raster value")
    derived: Derived | None = Field(None, description="Computed, not loaded")
    categorical: bool = Field(False, description="Raster values are classes, never averaged")
    checks: CheckRules = Field(
        default_factory=lambda: CheckRules.model_validate({}),
        description="Tolerances and severities of its checks",
    )
    style: Style = Field(default_factory=lambda: Style.model_validate({}))

    @model_validator(mode="after")
    def _kind_fits(self) -> LayerSpec:
        if self.kind == "vector" and self.geometry is None:
            raise ValueError("a vector layer needs 'geometry': point, line, polygon or any")
        if self.kind == "raster" and self.table != "raster":
            raise ValueError("a raster layer needs 'table: raster'")
        if self.table == "regions" and self.level is None:
            raise ValueError("a layer of regions needs 'level': 1, 2 or 3")
        return self
