"""A scenario: one YAML that fixes a siting question completely."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.catalogue.alternatives import AlternativesSpec
from geoplan.catalogue.backtest import BacktestSpec
from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.equity import EquitySpec
from geoplan.catalogue.exclusion import ExclusionRule, LandSpec
from geoplan.catalogue.growing import CandidateSpec
from geoplan.catalogue.portfolio import PortfolioSpec
from geoplan.catalogue.ranking import RankingSpec
from geoplan.catalogue.robustness import RobustnessSpec
from geoplan.catalogue.supply import (
    RESOURCE_UNITS,
    RESOURCES,
    DemandSpec,
    OwnSupply,
    ResourceSupply,
    Reuse,
    SupplySpec,
)
from geoplan.catalogue.text import Identifier, Strict, Text
from geoplan.catalogue.trade_offs import TradeOffSpec
from geoplan.catalogue.value import (
    CategoricalValue,
    IdentityValue,
    LinearValue,
    PiecewiseValue,
    SigmoidValue,
    ValueSpec,
)
from geoplan.catalogue.weighting import WeightSpec

__all__ = [
    "RESOURCES",
    "RESOURCE_UNITS",
    "AggregationSpec",
    "AlternativesSpec",
    "AreaSpec",
    "BacktestSpec",
    "CandidateSpec",
    "CategoricalValue",
    "Criterion",
    "DemandSpec",
    "EquitySpec",
    "ExclusionRule",
    "GridSpec",
    "IdentityValue",
    "LandSpec",
    "LinearValue",
    "OwnSupply",
    "PiecewiseValue",
    "PortfolioSpec",
    "RankingSpec",
    "ResourceSupply",
    "Reuse",
    "RobustnessSpec",
    "Scenario",
    "SigmoidValue",
    "SupplySpec",
    "TradeOffSpec",
    "ValueSpec",
    "WeightSpec",
]


class AreaSpec(Strict):
    """Where to look."""

    layer: Identifier = Field(description="Layer of regions that bounds the search")
    where: dict[str, tuple[str, ...]] | None = Field(
        None, description="Only these regions, for example {code: ['08', '11']}"
    )


class GridSpec(Strict):
    """The analysis grid."""

    cell_m: float = Field(ge=10, le=10_000, description="Cell side, m")


class Scenario(Strict):
    """A siting question (``layers/scenarios/<id>.yaml``)."""

    id: Identifier
    title: Text
    profile: Identifier
    area: AreaSpec
    grid: GridSpec
    exclude: tuple[ExclusionRule, ...] = ()
    land: LandSpec = Field(default_factory=LandSpec)
    criteria: dict[str, Criterion] = Field(min_length=1)
    weights: WeightSpec = Field(default_factory=lambda: WeightSpec(method="direct"))
    aggregation: AggregationSpec = Field(default_factory=AggregationSpec)
    ranking: RankingSpec | None = None
    candidates: CandidateSpec
    demand: DemandSpec
    supply: SupplySpec
    portfolio: PortfolioSpec
    equity: EquitySpec | None = None
    alternatives: AlternativesSpec | None = None
    trade_offs: TradeOffSpec | None = None
    robustness: RobustnessSpec | None = None
    backtest: BacktestSpec | None = None
    seed: int = Field(0, description="Seed of everything that is drawn")
    notes: tuple[Text, ...] = Field((), description="What a reader must know, in words")

    @model_validator(mode="before")
    @classmethod
    def _short_notes(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("notes"), list):
            notes = [{"en": n} if isinstance(n, str) else n for n in data["notes"]]
            return {**data, "notes": notes}
        return data
