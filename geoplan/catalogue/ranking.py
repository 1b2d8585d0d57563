"""Which methods rank the candidates beside the score, and what each of them needs to be told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from geoplan.catalogue.text import Identifier, Strict

__all__ = ["METHODS", "Method", "Normalisation", "PreferenceSpec", "RankingSpec"]

Method = Literal["topsis", "vikor", "promethee", "spotis"]

METHODS: tuple[Method, ...] = ("topsis", "vikor", "promethee", "spotis")
"""Every ranking method, in the order in which tables and pages show them."""

Normalisation = Literal["vector", "min_max", "max", "sum"]


class PreferenceSpec(Strict):
    """How much a difference of two values counts (PROMETHEE; Brans & Vincke 1985)."""

    kind: Literal["usual", "u_shape", "v_shape", "level", "linear", "gaussian"] = Field(
        "linear",
        description="usual: any difference counts in full; u_shape: in full above q; v_shape: "
        "growing up to p; level: half above q, in full above p; linear: none up to q, growing to "
        "p; gaussian: 1 - exp(-d²/2s²), up to 20,000 candidates only",
    )
    q: float = Field(
        0.05, ge=0, description="Indifference: a difference up to this counts nothing; value 0–1"
    )
    p: float = Field(
        0.3, gt=0, description="Preference: a difference above this counts in full; value 0–1"
    )
    s: float = Field(0.2, gt=0, description="Width of the gaussian; value 0–1")

    @model_validator(mode="after")
    def _ordered(self) -> PreferenceSpec:
        if self.kind in ("level", "linear") and self.q > self.p:
            raise ValueError(
                f"indifference q ({self.q:g}) is above preference p ({self.p:g}); "
                "give q at or below p"
            )
        return self


class RankingSpec(Strict):
    """Methods that rank the candidates beside the score, for comparison."""

    methods: tuple[Method, ...] = Field(
        METHODS,
        min_length=1,
        description="Methods to rank by: topsis, vikor, promethee, spotis. On values 0-1 SPOTIS is "
        "1 less the weighted sum: it agrees with such a score by construction",
    )
    normalisation: Normalisation = Field(
        "vector",
        description="What TOPSIS divides each criterion by: its vector length, its range "
        "(min_max), its largest value (max) or its sum. Another choice can make another site win",
    )
    v: float = Field(
        0.5,
        ge=0,
        le=1,
        description="VIKOR: weight of the sum of regrets; 1 - v is that of the largest regret",
    )
    preference: PreferenceSpec = Field(
        default_factory=PreferenceSpec,
        description="PROMETHEE: preference function of every criterion that has none of its own. "
        "The default (linear, q = 0.05, p = 0.3 of the value scale) is assumed",
    )
    preferences: dict[Identifier, PreferenceSpec] = Field(
        default_factory=dict, description="PROMETHEE: preference function by criterion"
    )
    reversal_test: bool = Field(
        True,
        description="Rank again without each of the worst candidates and with dominated copies "
        "of the best, and report whether the order of the best changes",
    )

    @field_validator("methods")
    @classmethod
    def _once(cls, value: tuple[Method, ...]) -> tuple[Method, ...]:
        twice = sorted({name for name in value if value.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands twice in 'methods'; name a method once")
        return value
