"""Weights of a scenario: how criteria are weighed against each other."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Strict

__all__ = ["WeightSpec"]


class WeightSpec(Strict):
    """How criteria are weighed against each other."""

    method: Literal["direct", "ahp"] = "direct"
    pairs: dict[str, float] | None = Field(
        None, description="AHP: 'a/b': 3 means a is 3 times as important as b; every pair once"
    )
    weights: dict[str, float] | None = Field(None, description="Direct weights by criterion")

    @model_validator(mode="after")
    def _method_fits(self) -> WeightSpec:
        if self.method == "ahp" and not self.pairs:
            raise ValueError("method 'ahp' needs 'pairs'")
        return self
