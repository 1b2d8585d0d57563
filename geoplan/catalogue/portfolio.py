"""The set of sites that a scenario asks for."""

from __future__ import annotations

from pydantic import Field

from geoplan.catalogue.text import Strict

__all__ = ["PortfolioSpec"]


class PortfolioSpec(Strict):
    """The set of sites that is asked for."""

    count: int = Field(ge=1, le=1000, description="Sites in the plan")
    per_region_max: int | None = Field(None, ge=1, description="Most sites in one region")
    region_level: int = Field(1, ge=1, le=3, description="Region level of 'per_region_max'")
    less_industrialised_share_min: float = Field(
        0.0, ge=0, le=1, description="Least share of sites in less-industrialised regions"
    )
    spacing_km: float = Field(0.0, ge=0, description="Least distance between sites' edges")
    budget: float | None = Field(None, gt=0, description="Most total cost, profile currency")
    cost_per_score_point: float | None = Field(
        None, gt=0, description="Cost that weighs as much as 1.0 of one site's score"
    )
    gap: float = Field(1e-4, ge=0, le=0.5, description="Relative optimality gap to prove")
    time_limit_s: float = Field(60.0, gt=0, description="Time the solver may take")
