"""The set of sites that a scenario asks for."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from geoplan.catalogue.text import Identifier, Strict, Text

__all__ = ["Place", "PortfolioSpec", "QuotaSpec"]


class Place(Strict):
    """A candidate, by its id or by a place inside it."""

    site_id: str | None = Field(None, min_length=1, description="Id of the candidate")
    lon: float | None = Field(None, ge=-180, le=180, description="Longitude, degrees")
    lat: float | None = Field(None, ge=-90, le=90, description="Latitude, degrees")

    @model_validator(mode="before")
    @classmethod
    def _short(cls, data: Any) -> Any:
        return {"site_id": data} if isinstance(data, str) else data

    @model_validator(mode="after")
    def _one_way(self) -> Place:
        whole = self.lon is not None and self.lat is not None
        if (self.site_id is None) != whole or (self.lon is None) != (self.lat is None):
            raise ValueError("give either 'site_id', or 'lon' and 'lat' together")
        return self

    def __str__(self) -> str:
        return self.site_id or f"{self.lon:g}, {self.lat:g}"


class QuotaSpec(Strict):
    """Least and most sites of a group, as numbers or as shares of ``count``."""

    id: Identifier
    title: Text | None = None
    regions: tuple[str, ...] = Field((), description="Codes of the regions that make the group")
    level: int | None = Field(
        None, ge=1, le=3, description="Region level of 'regions'; absent: 'region_level'"
    )
    where: dict[str, Any] = Field(
        default_factory=dict,
        description="Or: columns of the candidates and the value or values that make the group, "
        "for example {less_industrialised: true}",
    )
    each: bool = Field(
        False, description="Each region of 'regions' (empty: every region) keeps it for itself"
    )
    min: int | None = Field(None, ge=0, description="Least number of sites")
    max: int | None = Field(None, ge=0, description="Most sites")
    min_share: float | None = Field(
        None, ge=0, le=1, description="Least share of 'count', rounded up to whole sites"
    )
    max_share: float | None = Field(
        None, ge=0, le=1, description="Most share of 'count', rounded down to whole sites"
    )

    @model_validator(mode="after")
    def _group_and_limit(self) -> QuotaSpec:
        if not self.regions and not self.where and not self.each:
            raise ValueError(f"quota '{self.id}' has no group; name 'regions' or 'where'")
        limits = (self.min, self.max, self.min_share, self.max_share)
        if all(v is None for v in limits):
            raise ValueError(f"quota '{self.id}' has no limit; give min, max, min_share, max_share")
        for low, high, what in (
            (self.min, self.max, "min"),
            (self.min_share, self.max_share, "min_share"),
        ):
            if low is not None and high is not None and low > high:
                raise ValueError(f"quota '{self.id}': {what} {low:g} is above its most, {high:g}")
        return self


class PortfolioSpec(Strict):
    """The set of sites that is asked for."""

    count: int = Field(ge=1, le=1000, description="Sites in the plan")
    levels: tuple[float, ...] = Field(
        (1.0,),
        min_length=1,
        max_length=10,
        description="Sizes at which a site may be built, as shares of its area; demand follows",
    )
    level_benefit: tuple[float, ...] | None = Field(
        None,
        description="Share of a site's score that each of 'levels' brings, in the same order; "
        "absent: the level itself",
    )
    area_ha_min: float | None = Field(
        None, gt=0, description="Least area of the whole plan (area × level of each site), ha"
    )
    per_region_max: int | None = Field(None, ge=1, description="Most sites in one region")
    region_level: int = Field(1, ge=1, le=3, description="Region level of 'per_region_max'")
    less_industrialised_share_min: float = Field(
        0.0, ge=0, le=1, description="Least share of sites in less-industrialised regions"
    )
    quotas: tuple[QuotaSpec, ...] = Field((), description="Least and most sites of named groups")
    lock_in: tuple[Place, ...] = Field((), description="Candidates that every plan has")
    lock_out: tuple[Place, ...] = Field((), description="Candidates that no plan has")
    spacing_km: float = Field(0.0, ge=0, description="Least distance between sites' edges")
    budget: float | None = Field(None, gt=0, description="Most total cost, profile currency")
    cost_per_score_point: float | None = Field(
        None, gt=0, description="Cost that weighs as much as 1.0 of one site's score"
    )
    shortfall: dict[str, float] = Field(
        default_factory=dict,
        description="Resources of which demand may go unserved, and the price per unit, profile "
        "currency; it counts as cost. Empty: all demand is served",
    )
    gap: float = Field(1e-4, ge=0, le=0.5, description="Relative optimality gap to prove")
    time_limit_s: float = Field(60.0, gt=0, description="Time the solver may take")

    @model_validator(mode="after")
    def _fits(self) -> PortfolioSpec:
        bad = [v for v in self.levels if not 0 < v <= 1]
        if bad:
            raise ValueError(
                f"level {bad[0]:g} is not a share of a site's area above 0 and up to 1"
            )
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"'levels' holds a level twice: {list(self.levels)}")
        if self.level_benefit is not None:
            if len(self.level_benefit) != len(self.levels):
                raise ValueError(
                    f"'level_benefit' has {len(self.level_benefit)} shares for "
                    f"{len(self.levels)} levels; give one for each"
                )
            low = [v for v in self.level_benefit if not 0 <= v < float("inf")]
            if low:
                raise ValueError(f"level_benefit {low[0]:g} is not a number of 0 or more")
        ids = [q.id for q in self.quotas]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"two quotas have the id '{twice[0]}'")
        for name, price in self.shortfall.items():
            if not 0 <= price < float("inf"):
                raise ValueError(f"shortfall.{name}: the price {price:g} is not 0 or more")
        if self.shortfall and self.budget is None and self.cost_per_score_point is None:
            raise ValueError(
                "'shortfall' has a price that nothing weighs; give 'cost_per_score_point' or "
                "'budget'"
            )
        return self

    @property
    def sizes(self) -> tuple[tuple[float, float], ...]:
        """Levels and the share of score that each brings, largest level first."""
        benefit = self.levels if self.level_benefit is None else self.level_benefit
        return tuple(sorted(zip(self.levels, benefit, strict=True), reverse=True))
