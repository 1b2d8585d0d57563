"""How values become one score, and which other methods rank the candidates beside it."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat, model_validator

from geoplan.catalogue.ranking import RankingSpec
from geoplan.catalogue.text import Strict

__all__ = ["AggregationMethod", "AggregationSpec", "RankingSpec"]

AggregationMethod = Literal[
    "weighted_sum",
    "weighted_product",
    "owa",
    "fuzzy_gamma",
    "fuzzy_and",
    "fuzzy_or",
    "fuzzy_product",
    "fuzzy_sum",
]
"""How values become a score."""

_KEYS_OF = {
    "orness": ("owa",),
    "order_from": ("owa",),
    "order_weights": ("owa",),
    "gamma": ("fuzzy_gamma",),
    "use_weights": ("fuzzy_gamma", "fuzzy_and", "fuzzy_or", "fuzzy_product", "fuzzy_sum"),
}


class AggregationSpec(Strict):
    """How the values of a cell become its score."""

    method: AggregationMethod = Field(
        "weighted_sum",
        description="weighted_sum: Σ w·v, poor values are made good by fine ones. "
        "weighted_product: Π v^w, a value of 0 makes the score 0. owa: ordered weighted average, "
        "between the worst value (orness 0) and the best (orness 1). fuzzy_and: the least value; "
        "fuzzy_or: the largest; fuzzy_product: Π v; fuzzy_sum: 1 − Π (1 − v); fuzzy_gamma: "
        "between the last two. Criteria of weight 0 never take part",
    )
    orness: FiniteFloat | None = Field(
        None,
        ge=0,
        le=1,
        description="owa: how far good values make up for poor ones, 0 the worst value alone, 0.5 "
        "the weighted sum, 1 the best value alone",
    )
    order_from: Literal["quantifier", "max_entropy"] | None = Field(
        None,
        description="owa: order weights from 'orness' by the quantifier p^((1 − orness)/orness) "
        "(Yager; the default) or as even as that orness allows (O'Hagan)",
    )
    order_weights: tuple[Annotated[float, Field(ge=0, le=1)], ...] | None = Field(
        None,
        description="owa: weight of the best value of a cell, of the next, … to the worst; one "
        "for each criterion of weight above 0; they sum to 1",
    )
    gamma: FiniteFloat | None = Field(
        None, ge=0, le=1, description="fuzzy_gamma: 0 the product, 1 the sum; often 0.7–0.95"
    )
    use_weights: bool = Field(
        False,
        description="fuzzy methods: raise each membership to its weight × the number of criteria "
        "before it is combined (Zimmermann & Zysno; Yager). Without, the weights only say which "
        "criteria take part",
    )

    @model_validator(mode="after")
    def _keys_fit(self) -> AggregationSpec:
        for key, methods in _KEYS_OF.items():
            if getattr(self, key) not in (None, False) and self.method not in methods:
                raise ValueError(
                    f"'{key}' means nothing to method '{self.method}': remove it, or use the "
                    f"method {' or '.join(methods)}"
                )
        if self.method == "fuzzy_gamma" and self.gamma is None:
            raise ValueError("method 'fuzzy_gamma' needs 'gamma', 0–1: for example 0.9")
        if self.method == "owa":
            self._order_fits()
        return self

    def _order_fits(self) -> None:
        if (self.orness is None) == (self.order_weights is None):
            raise ValueError("method 'owa' needs exactly one of 'orness' and 'order_weights'")
        if self.order_weights is None:
            return
        if self.order_from is not None:
            raise ValueError(
                "'order_from' says how order weights follow from 'orness', but they are given: "
                "remove it"
            )
        total = math.fsum(self.order_weights)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"'order_weights' sum to {total:.6g}: make them sum to 1")
