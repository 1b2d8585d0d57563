"""Regional equity as an objective of the plan."""

from __future__ import annotations

from geoplan.catalogue.text import Strict

__all__ = ["EquitySpec"]


class EquitySpec(Strict):
    """The front of efficiency against regional inequality that is computed beside the plan."""
