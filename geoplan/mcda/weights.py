"""Weights of criteria: the methods, each in a room of its own."""

from __future__ import annotations

from geoplan.mcda.ahp import CR_LIMIT, RANDOM_INDEX, AhpResult, OddPair, ahp, ahp_from_pairs
from geoplan.mcda.direct import combined, direct

__all__ = [
    "CR_LIMIT",
    "RANDOM_INDEX",
    "AhpResult",
    "OddPair",
    "ahp",
    "ahp_from_pairs",
    "combined",
    "direct",
]
