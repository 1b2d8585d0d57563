"""The rules of a composite index, and which of them are drawn."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from geoplan.catalogue.text import Strict

__all__ = [
    "AGGREGATIONS",
    "NORMALISATIONS",
    "OUTLIER_RULES",
    "WEIGHTINGS",
    "Aggregation",
    "DrawsSpec",
    "MissingSpec",
    "Normalisation",
    "OutlierRule",
    "OutlierSpec",
    "Weighting",
]

OutlierRule = Literal["none", "winsorise", "iqr", "log1p"]
OUTLIER_RULES: tuple[OutlierRule, ...] = ("none", "winsorise", "iqr", "log1p")

Normalisation = Literal["minmax", "zscore", "rank", "goalposts", "target"]
NORMALISATIONS: tuple[Normalisation, ...] = ("minmax", "zscore", "rank", "goalposts", "target")

Weighting = Literal["equal", "expert", "pca", "pca-first", "entropy"]
WEIGHTINGS: tuple[Weighting, ...] = ("equal", "expert", "pca", "pca-first", "entropy")

Aggregation = Literal["arithmetic", "geometric"]
AGGREGATIONS: tuple[Aggregation, ...] = ("arithmetic", "geometric")


class OutlierSpec(Strict):
    """What is done about extreme values before normalisation."""

    rule: OutlierRule = Field(
        "none",
        description="none: as they are; winsorise: values beyond two quantiles become those "
        "quantiles; iqr: values beyond the fences become the fences; log1p: ln(1 + x) of every "
        "value. A rule that would make an indicator the same everywhere is not applied to it, "
        "and this is reported",
    )
    quantiles: tuple[float, float] = Field(
        (0.05, 0.95), description="Winsorise: lower and upper quantile, 0–1"
    )
    fences: float = Field(
        1.5, gt=0, description="iqr: fences stand this many quartile ranges beyond the quartiles"
    )

    @model_validator(mode="after")
    def _ordered(self) -> OutlierSpec:
        low, high = self.quantiles
        if not 0 <= low < high <= 1:
            raise ValueError(f"quantiles {low:g} and {high:g}; give 0 <= lower < upper <= 1")
        return self


class MissingSpec(Strict):
    """What is done about values that are not known. Missing is never zero."""

    rule: Literal["leave-out", "peer-median"] = Field(
        "leave-out",
        description="leave-out: the region's other indicators share the weight; peer-median: the "
        "median of its peers, marked as imputed wherever it is shown",
    )
    peers: Literal["parent", "all"] = Field(
        "parent",
        description="peer-median: peers are the regions of the same parent (of level 1: all)",
    )
    coverage_min: float = Field(
        0.6,
        gt=0,
        le=1,
        description="Least share of expert weight that must be known; below it the region has no "
        "index",
    )


class DrawsSpec(Strict):
    """The choices that are varied to see how firm the ranks are."""

    draws: int = Field(
        1000, ge=1, le=20_000, description="Combinations drawn; the first is the index itself"
    )
    seed: int = Field(0, ge=0, description="The same seed gives the same draws")
    outliers: tuple[OutlierRule, ...] = Field(OUTLIER_RULES, min_length=1)
    normalisations: tuple[Normalisation, ...] = Field(
        ("minmax", "zscore", "rank"),
        min_length=1,
        description="goalposts and target only where every indicator has one",
    )
    weightings: tuple[Weighting, ...] = Field(("equal", "expert", "pca", "entropy"), min_length=1)
    aggregations: tuple[Aggregation, ...] = Field(AGGREGATIONS, min_length=1)
    perturb: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Each expert weight is multiplied by a number between 1 − this and 1 + this",
    )
    interval: tuple[float, float] = Field(
        (0.05, 0.95), description="Quantiles of the rank over the draws"
    )
    firm_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="A rank is firm where its interval is at most this share of the regions wide",
    )
    certain: float = Field(
        0.95,
        gt=0.5,
        le=1,
        description="Share of draws that settles whether a region is less industrialised",
    )

    @model_validator(mode="after")
    def _ordered(self) -> DrawsSpec:
        if not 0 <= self.interval[0] < self.interval[1] <= 1:
            raise ValueError(f"interval {self.interval}; give 0 <= lower < upper <= 1")
        for name in ("outliers", "normalisations", "weightings", "aggregations"):
            given = getattr(self, name)
            if len(set(given)) < len(given):
                raise ValueError(f"{name} names a choice twice: {', '.join(given)}")
        return self
