"""Near-optimal plans beside the best one."""

from __future__ import annotations

from pydantic import Field

from geoplan.catalogue.text import Strict

__all__ = ["AlternativesSpec"]


class AlternativesSpec(Strict):
    """How many other plans, how near to the best and how different."""

    count: int = Field(5, ge=1, le=100, description="Plans beside the best one")
    within: float = Field(
        0.05, gt=0, le=1, description="Worth at least this share below the best one's"
    )
    differ_min: int = Field(1, ge=1, description="Sites in which each differs from every other")
