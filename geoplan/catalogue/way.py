"""Ways and winds of a criterion: over roads, over terrain, through the air."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict

__all__ = ["BarrierSpec", "RoadsSpec", "TerrainSpec", "WindSpec"]

Speed = Annotated[float, Field(gt=0, le=200)]

CompassPoint = Literal[
    "N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE",
    "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW",
]  # fmt: skip


class RoadsSpec(Strict):
    """Roads that a criterion travels on.

    Roads join where they share a vertex. Traffic, one-way streets and turns are not known, so a
    way is as long in both directions.
    """

    layer: Identifier = Field(description="Line layer of the roads")
    where: str | None = Field(None, description="Expression that selects roads")
    class_field: str = Field("class", description="Field that holds the class of a road")
    speeds_km_h: dict[str, Speed] = Field(
        default_factory=dict,
        description="Class → speed, km/h. Every class of the selected roads needs one; not used "
        "by network_distance",
    )
    off_road_km_h: Speed | None = Field(
        None,
        description="Speed on the straight way between a cell and a road, km/h; not above the "
        "slowest class",
    )
    access_km_max: float | None = Field(
        None, gt=0, le=1000, description="Cells farther from a road are not reached; absent: none"
    )
    join_m: float = Field(
        1.0, ge=0, le=1000, description="Vertices nearer to each other than this are one, m"
    )
    join_crossings: bool = Field(
        False,
        description="Also join roads that cross without a shared vertex, and ends that stop "
        "within join_m of another road; joins bridges to what they bridge",
    )

    @model_validator(mode="after")
    def _slow_off_road(self) -> RoadsSpec:
        if self.off_road_km_h is not None and self.speeds_km_h:
            slowest = min(self.speeds_km_h, key=lambda name: self.speeds_km_h[name])
            if self.off_road_km_h > self.speeds_km_h[slowest]:
                raise ValueError(
                    f"'off_road_km_h' {self.off_road_km_h:g} is faster than class '{slowest}' "
                    f"({self.speeds_km_h[slowest]:g} km/h): give a lower speed off the roads"
                )
        return self


class BarrierSpec(Strict):
    """Features that no way crosses: every cell that one touches is barred."""

    layer: Identifier
    where: str | None = Field(None, description="Expression that selects features")


class TerrainSpec(Strict):
    """Ground that a criterion crosses, and what a kilometre of it costs.

    A cost is in cost-km: the length of flat ground that would cost the same. Cells whose slope is
    unknown are not crossed.
    """

    slope: Identifier = Field(description="Raster of slope, %")
    method: Literal["construction", "walking"] = Field(
        "construction",
        description="construction: multipliers of the cost of a line by slope; walking: pace by "
        "Tobler (1993), mean of up and down",
    )
    multipliers: tuple[tuple[float, float], ...] | None = Field(
        None,
        description="[slope from, multiplier] pairs, slopes in % and rising; absent: 1, 1.4 from "
        "2 %, 1.75 from 8 % (Black & Veatch for WECC 2014, power lines in the western United "
        "States: assumed elsewhere)",
    )
    barriers: tuple[BarrierSpec, ...] = Field((), description="Features that no way crosses")
    neighbours: Literal[8, 16] = Field(
        8,
        description="Directions of a step. On open ground a way is too long by up to 8.24 % with "
        "8, by up to 2.75 % with 16",
    )

    @model_validator(mode="after")
    def _table_fits(self) -> TerrainSpec:
        if self.multipliers is None:
            return self
        if self.method != "construction":
            raise ValueError("'multipliers' belong to method 'construction'")
        slopes = [slope for slope, _ in self.multipliers]
        if not slopes or any(b <= a for a, b in pairwise(slopes)):
            raise ValueError(f"the slopes of 'multipliers' must rise: {slopes}")
        bad = [price for _, price in self.multipliers if not 0 < price <= 1000]
        if bad:
            raise ValueError(f"multipliers must be above 0, up to 1000: {bad}")
        return self


class WindSpec(Strict):
    """Where the wind blows FROM: a rose, or one prevailing direction.

    A wind from the north (N, 0°) reaches those who live south of a site.
    """

    blows_from: dict[CompassPoint, Annotated[float, Field(ge=0, le=1)]] | None = Field(
        None,
        description="Compass point that the wind blows FROM → share of time; they sum to 1. 16 "
        "sectors where a point such as NNE is named, else 8",
    )
    from_deg: float | None = Field(
        None, ge=0, le=360, description="Bearing that the one wind blows FROM, clockwise from north"
    )
    spread_deg: float | None = Field(
        None, gt=0, le=360, description="Whole width of its sector, degrees"
    )
    basis: str | None = Field(None, description="Station and years of the figures")

    @model_validator(mode="after")
    def _one_wind(self) -> WindSpec:
        one = (self.from_deg, self.spread_deg)
        if (self.blows_from is None) == (one == (None, None)) or (
            self.blows_from is None and None in one
        ):
            raise ValueError("give either 'blows_from', or 'from_deg' and 'spread_deg'")
        if self.blows_from is not None:
            total = sum(self.blows_from.values())
            if abs(total - 1.0) > 0.01:
                raise ValueError(
                    f"the shares of 'blows_from' sum to {total:g}, not to 1: spread calms over "
                    "the others"
                )
        return self
