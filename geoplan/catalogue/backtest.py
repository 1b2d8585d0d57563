"""Existing estates that a scenario's score is tried on."""

from __future__ import annotations

from pydantic import Field

from geoplan.catalogue.text import Identifier, Strict

__all__ = ["BacktestSpec"]


class BacktestSpec(Strict):
    """Score what stands already, to see where it falls in the national distribution."""

    layer: Identifier = Field(description="Vector layer of existing estates or plants")
    where: str | None = Field(None, description="Expression over the layer's fields")
