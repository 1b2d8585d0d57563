"""How values become one score, and which other methods rank the candidates beside it."""

from __future__ import annotations

from typing import Literal

from geoplan.catalogue.ranking import RankingSpec
from geoplan.catalogue.text import Strict

__all__ = ["AggregationSpec", "RankingSpec"]


class AggregationSpec(Strict):
    """How the values of a cell become its score."""

    method: Literal["weighted_sum"] = "weighted_sum"
