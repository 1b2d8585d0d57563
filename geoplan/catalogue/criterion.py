"""Criteria of a scenario: what is measured, and how it is valued."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict, Text
from geoplan.catalogue.value import IdentityValue, ValueSpec
from geoplan.catalogue.way import RoadsSpec, TerrainSpec, WindSpec

__all__ = ["UNITS", "Criterion", "MeasureName"]

MeasureName = Literal[
    "distance",
    "raster",
    "region",
    "density",
    "line_density",
    "network_distance",
    "travel_time",
    "cost_distance",
    "share",
    "labour_shed",
    "downwind",
]

UNITS: dict[str, tuple[str, ...]] = {
    "distance": ("km", "m"),
    "line_density": ("km/km2",),
    "network_distance": ("km",),
    "travel_time": ("min",),
    "cost_distance": ("cost-km",),
    "share": ("%",),
    "labour_shed": ("persons",),
    "downwind": ("persons",),
}
"""Units that a measure can have; the first is taken where none is written. Other measures have
the unit of their data."""

_NEEDS: dict[str, tuple[str, ...]] = {
    "distance": ("layer",),
    "raster": ("raster",),
    "region": (),
    "density": ("layer", "radius_km"),
    "line_density": ("layer", "radius_km"),
    "network_distance": ("layer", "roads"),
    "travel_time": ("layer", "roads"),
    "cost_distance": ("layer", "terrain"),
    "share": (),
    "labour_shed": ("layer", "weight_field", "roads", "minutes"),
    "downwind": ("layer", "weight_field", "radius_km", "wind"),
}

_TAKES: dict[str, tuple[str, ...]] = {
    "distance": ("where",),
    "raster": (),
    "region": ("index", "fact", "level"),
    "density": ("where", "weight_field", "decay"),
    "line_density": ("where",),
    "network_distance": ("where",),
    "travel_time": ("where",),
    "cost_distance": ("where",),
    "share": ("layer", "where", "raster", "classes", "radius_km", "level"),
    "labour_shed": ("where", "working_age_share"),
    "downwind": ("where", "decay"),
}
"""Keys that a measure takes beside those it needs."""

_OF_A_MEASURE = sorted({key for keys in (*_NEEDS.values(), *_TAKES.values()) for key in keys})


class Criterion(Strict):
    """One thing that makes land better or worse.

    Every measure is missing, never zero, where it is not known; a cell that no way leads to has
    no distance, time or cost.
    """

    title: Text | None = None
    measure: MeasureName = Field(
        description="distance: straight, to the nearest feature. raster: value of a raster. "
        "region: index or fact of the region. density: features, or the sum of a field, within a "
        "radius. line_density: km of line per km² within a radius. network_distance: straight to "
        "the nearest road, then by road, to the nearest feature by that way. travel_time: the "
        "quickest way to a feature, by road and straight to and from roads. cost_distance: the "
        "cheapest way over terrain. share: % of the land within a radius, or of the region, that "
        "a polygon layer or raster class covers. labour_shed: persons who can reach the cell by "
        "road in time. downwind: persons whom the wind from the cell reaches"
    )
    layer: Identifier | None = Field(
        None, description="Vector layer that is measured: what the way leads to, what is summed"
    )
    where: str | None = Field(None, description="Expression that selects features")
    weight_field: str | None = Field(
        None,
        description="Density: field summed; absent: count. Labour shed, downwind: field of persons",
    )
    radius_km: float | None = Field(
        None, gt=0, le=500, description="Density, line density, share, downwind: radius"
    )
    decay: Literal["none", "linear", "inverse", "quartic"] | None = Field(
        None,
        description="Density, downwind: what a feature at distance d within radius R counts. "
        "none: 1; linear: 1 − d/R; inverse: min(1, 1 km / d); quartic: (1 − d²/R²)². Absent: "
        "none for density, linear for downwind",
    )
    raster: Identifier | None = Field(None, description="Raster layer of a raster or share")
    classes: tuple[int, ...] | None = Field(
        None, min_length=1, description="Share: classes of the raster that count"
    )
    index: Literal["industrialisation"] | None = None
    fact: str | None = Field(None, description="Region: variable of the region facts")
    level: int | None = Field(
        None, ge=1, le=3, description="Region level of the fact, or of the land of a share"
    )
    roads: RoadsSpec | None = Field(
        None, description="Network distance, travel time, labour shed: the roads"
    )
    terrain: TerrainSpec | None = Field(None, description="Cost distance: the ground")
    minutes: float | None = Field(
        None, gt=0, le=300, description="Labour shed: longest way to work, min"
    )
    working_age_share: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Labour shed: share of persons of working age; an assumption, shown as such. "
        "Absent: all persons count",
    )
    wind: WindSpec | None = Field(None, description="Downwind: where the wind blows from")
    unit: str = Field("", description="Unit of the measure: km, m, min, %, count, persons, index …")
    value: ValueSpec = Field(default_factory=lambda: IdentityValue(kind="identity"))
    must_be: Literal["rising", "falling"] | None = Field(
        None,
        description="Refuse a value function that does not rise, or fall, with the measure over "
        "its whole range (after 'invert')",
    )
    invert: bool = Field(False, description="Use 1 − value")
    weight: float | None = Field(None, ge=0, description="Direct weight (any scale)")
    missing: Literal["exclude", "zero", "mean"] = Field(
        "exclude", description="Cells without data: left out, value 0, or the mean value"
    )
    basis: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _unit_of_measure(cls, given: Any) -> Any:
        if isinstance(given, dict) and not given.get("unit"):
            measure = given.get("measure")
            # 'distance' keeps the empty unit that scenarios of the first version hold
            if isinstance(measure, str) and measure in UNITS and measure != "distance":
                return {**given, "unit": UNITS[measure][0]}
        return given

    @model_validator(mode="after")
    def _measure_fits(self) -> Criterion:
        for name in _NEEDS[self.measure]:
            if getattr(self, name) is None:
                raise ValueError(f"measure '{self.measure}' needs '{name}'")
        takes = _NEEDS[self.measure] + _TAKES[self.measure]
        for name in _OF_A_MEASURE:
            if getattr(self, name) is not None and name not in takes:
                raise ValueError(
                    f"measure '{self.measure}' takes no '{name}': remove it "
                    f"(it takes {', '.join(takes)})"
                )
        if self.measure == "region" and (self.index is None) == (self.fact is None):
            raise ValueError("measure 'region' needs exactly one of 'index' and 'fact'")
        if self.measure == "share":
            self._share_fits()
        if self.roads is not None:
            self._roads_fit(self.roads)
        units = UNITS.get(self.measure)
        if units is not None and self.unit not in ("", *units):
            raise ValueError(
                f"{_NAMES[self.measure]} has unit {' or '.join(map(repr, units))}, "
                f"not '{self.unit}'"
            )
        return self

    def _share_fits(self) -> None:
        if (self.layer is None) == (self.raster is None):
            raise ValueError("measure 'share' needs exactly one of 'layer' and 'raster'")
        if (self.raster is None) != (self.classes is None):
            raise ValueError("'raster' and 'classes' of a share go together: name the classes")
        if self.where is not None and self.layer is None:
            raise ValueError("'where' selects features of 'layer', and there is none")
        if (self.radius_km is None) == (self.level is None):
            raise ValueError(
                "measure 'share' needs exactly one of 'radius_km' (of a disk) and 'level' (of the "
                "region)"
            )

    def _roads_fit(self, roads: RoadsSpec) -> None:
        if self.measure == "network_distance":
            return
        if not roads.speeds_km_h:
            raise ValueError(
                f"measure '{self.measure}' needs 'roads.speeds_km_h': a speed for each class"
            )
        if roads.off_road_km_h is None:
            raise ValueError(
                f"measure '{self.measure}' needs 'roads.off_road_km_h': the speed between a cell "
                "and a road"
            )


_NAMES = {
    "distance": "a distance",
    "line_density": "a line density",
    "network_distance": "a network distance",
    "travel_time": "a travel time",
    "cost_distance": "a cost distance",
    "share": "a share",
    "labour_shed": "a labour shed",
    "downwind": "a downwind population",
}
