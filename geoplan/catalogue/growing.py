"""What a candidate site looks like."""

from __future__ import annotations

from pydantic import Field, model_validator

from geoplan.catalogue.text import Strict

__all__ = ["CandidateSpec"]


class CandidateSpec(Strict):
    """What a candidate site looks like."""

    area_ha: tuple[float, float] = Field(description="Smallest and largest area, ha")
    compactness: float = Field(0.5, ge=0, le=1, description="0 follows value only, 1 shape only")
    spacing_km: float = Field(5.0, ge=0, description="Least distance between candidates' edges")
    overlap_max: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Most of a candidate's land that one better candidate may share with it. 0: "
        "none overlap. Above 0 overlapping candidates stay in the pool, and the optimiser takes "
        "at most one of those that share land; 'spacing_km' must then be 0",
    )
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
        if self.overlap_max > 0 and self.spacing_km > 0:
            raise ValueError(
                f"overlap_max {self.overlap_max:g} keeps candidates that share land, spacing_km "
                f"{self.spacing_km:g} keeps them apart: set spacing_km to 0 (the plan's own "
                "spacing is portfolio.spacing_km)"
            )
        return self
