"""Plans solved again with one site kept out or put in."""

from __future__ import annotations

from pydantic import Field

from geoplan.catalogue.text import Strict

__all__ = ["TradeOffSpec"]


class TradeOffSpec(Strict):
    """What keeping each chosen site out costs, and what putting another in costs."""

    out: bool = Field(True, description="Solve again without each chosen site")
    into: int = Field(
        10, ge=0, le=1000, description="Solve again with each of the best sites left out, so many"
    )
    gap: float = Field(1e-3, ge=0, le=0.5, description="Relative optimality gap of each plan")
    time_limit_s: float = Field(20.0, gt=0, description="Time for each plan")
