"""What a scenario draws, to see how firm its answer is."""

from __future__ import annotations

from pydantic import Field

from geoplan.catalogue.text import Strict

__all__ = ["RobustnessSpec"]


class RobustnessSpec(Strict):
    """Draws for rank acceptability."""

    draws: int = Field(10_000, ge=1)
    seed: int = 0
