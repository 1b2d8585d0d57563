"""Weights of a scenario: how criteria are weighed against each other."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from geoplan.catalogue.text import Identifier, Strict

__all__ = [
    "CombineSpec",
    "CriterionGroup",
    "JudgeSpec",
    "SampleSpec",
    "WeightMethod",
    "WeightSpec",
]

WeightMethod = Literal[
    "direct",
    "ahp",
    "bwm",
    "roc",
    "rank_sum",
    "rank_exponent",
    "rank_reciprocal",
    "entropy",
    "critic",
    "merec",
    "std",
]


def _fraction(value: Any) -> Any:
    """Read '1/3', which YAML takes for text, as a number."""
    if isinstance(value, str) and value.count("/") == 1:
        above, _, below = value.partition("/")
        try:
            return float(above) / float(below)
        except (ValueError, ZeroDivisionError):
            return value  # pydantic says that it is not a number
    return value


Judgment = Annotated[float, BeforeValidator(_fraction)]
"""How many times as important; '1/3' is read as a number."""


class CriterionGroup(Strict):
    """Criteria that are weighed among themselves, before their group against the others."""

    criteria: tuple[Identifier, ...] = Field(min_length=1, description="Criteria of the group")
    pairs: dict[str, Judgment] | None = Field(
        None, description="Judgments within the group; none for a single criterion or with judges"
    )


class JudgeSpec(Strict):
    """The judgments of one person."""

    weight: float = Field(1.0, gt=0, description="Weight of the judge beside the others")
    pairs: dict[str, Judgment] = Field(
        default_factory=dict, description="Between the groups, or between all criteria"
    )
    within: dict[str, dict[str, Judgment]] = Field(
        default_factory=dict, description="Group → judgments between its criteria"
    )


class SampleSpec(Strict):
    """The cells that weights are taken from."""

    rows: int = Field(10_000, ge=30, le=1_000_000, description="Allowed cells that are drawn")
    seed: int | None = Field(None, ge=0, description="Seed of the draw; absent: the scenario's")


class CombineSpec(Strict):
    """Weights from the data, joined to those from judgments."""

    objective: Literal["entropy", "critic", "merec", "std"] = Field(
        description="Method for the weights from the data"
    )
    how: Literal["multiply", "mix"] = Field(
        description="multiply: product of both; mix: share · judged + (1 − share) · from the data; "
        "either scaled to sum to 1"
    )
    subjective_share: float | None = Field(
        None, ge=0, le=1, description="mix: share of the judged weights; absent: 0.5"
    )

    @model_validator(mode="after")
    def _share_of_a_mix(self) -> CombineSpec:
        if self.how == "multiply" and self.subjective_share is not None:
            raise ValueError("'subjective_share' belongs to how: mix")
        return self


_OBJECTIVE = ("entropy", "critic", "merec", "std")
_RANKS = ("roc", "rank_sum", "rank_exponent", "rank_reciprocal")

_KEYS: dict[str, tuple[str, ...]] = {
    "direct": ("weights", "scale", "combine"),
    "ahp": (
        "pairs", "groups", "judges", "merging", "gate", "random_index", "incomplete", "scale_max",
        "combine",
    ),
    "bwm": ("best", "worst", "best_to_others", "others_to_worst", "model", "scale_max", "combine"),
    "roc": ("order", "combine"),
    "rank_sum": ("order", "combine"),
    "rank_exponent": ("order", "exponent", "combine"),
    "rank_reciprocal": ("order", "combine"),
    "entropy": (),
    "critic": (),
    "merec": (),
    "std": (),
}  # fmt: skip
"""Keys of each method beside ``method``; ``sample`` and ``floor`` go with weights from the data."""


class WeightSpec(Strict):
    """How criteria are weighed against each other."""

    method: WeightMethod = Field(
        "direct",
        description="direct: numbers; ahp: pairwise judgments; bwm: comparisons with the best and "
        "the worst criterion; roc, rank_sum, rank_exponent, rank_reciprocal: an order of "
        "importance; entropy, critic, merec, std: how the values differ over allowed land",
    )
    weights: dict[str, float] | None = Field(
        None, description="Direct weights by criterion; absent: the 'weight' of each criterion"
    )
    scale: Literal["to-one", "as-given"] = Field(
        "to-one",
        description="Direct: divide by the sum, or refuse weights that do not sum to 1",
    )
    pairs: dict[str, Judgment] | None = Field(
        None, description="AHP: 'a/b': 3 means a is 3 times as important as b; every pair once"
    )
    groups: dict[Identifier, CriterionGroup] | None = Field(
        None,
        description="AHP: criteria in groups. 'pairs' then compares groups; a criterion's weight "
        "is that of its group times its own within the group",
    )
    judges: dict[str, JudgeSpec] | None = Field(
        None, description="AHP: judgments of several people, in place of 'pairs'"
    )
    merging: Literal["judgments", "priorities"] = Field(
        "judgments",
        description="AHP with judges: geometric mean of their judgments (AIJ), or of the weights "
        "that follow from them (AIP)",
    )
    gate: Literal["each", "group"] = Field(
        "each",
        description="AHP with judges: whose consistency ratio must be within 0.10; 'group': that "
        "of the merged judgments alone",
    )
    random_index: Literal["saaty-newer", "saaty-1980"] = Field(
        "saaty-newer", description="AHP: table of random indices that the ratio is taken with"
    )
    incomplete: bool = Field(
        False,
        description="AHP: judgments may be missing, as long as the others join all criteria "
        "(Harker 1987)",
    )
    scale_max: float | None = Field(
        None, gt=1, le=1000, description="AHP and BWM: largest judgment of the scale; absent: 9"
    )
    best: str | None = Field(None, description="BWM: the most important criterion")
    worst: str | None = Field(None, description="BWM: the least important criterion")
    best_to_others: dict[str, float] | None = Field(
        None, description="BWM: how many times as important the best is as each other, from 1"
    )
    others_to_worst: dict[str, float] | None = Field(
        None, description="BWM: how many times as important each is as the worst, from 1"
    )
    model: Literal["linear", "nonlinear"] = Field(
        "linear",
        description="BWM: the linear model (one optimum) or the non-linear one (intervals, whose "
        "midpoints are used)",
    )
    order: tuple[str | tuple[str, ...], ...] | None = Field(
        None, description="Ranks: criteria, most important first; a list within the list is a tie"
    )
    exponent: float | None = Field(
        None, ge=0, le=100, description="rank_exponent: 0 weighs all alike, 1 is rank_sum"
    )
    combine: CombineSpec | None = Field(
        None, description="Join weights from the data to those of 'method'"
    )
    sample: SampleSpec | None = Field(
        None, description="Weights from the data: which allowed cells; absent: 10,000 of them"
    )
    floor: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Weights from the data: lower values are raised to it (MEREC takes no zeros)",
    )

    @property
    def objective(self) -> str | None:
        """The method that needs values of criteria, or None."""
        if self.combine is not None:
            return self.combine.objective
        return self.method if self.method in _OBJECTIVE else None

    @property
    def ties(self) -> tuple[tuple[str, ...], ...]:
        """The order with every place as a group of ties."""
        return tuple((p,) if isinstance(p, str) else p for p in self.order or ())

    @model_validator(mode="after")
    def _method_fits(self) -> WeightSpec:
        allowed = {"method", *_KEYS[self.method]}
        if self.objective is not None:
            allowed |= {"sample", "floor"}
        # by value, not by what was written: a record of a run holds every key with its default
        for key, field in type(self).model_fields.items():
            if key not in allowed and getattr(self, key) != field.default:
                raise ValueError(f"'{key}' does not belong to method '{self.method}'")
        if self.method == "ahp":
            self._ahp_fits()
        if self.method == "bwm":
            for key in ("best", "worst", "best_to_others", "others_to_worst"):
                if getattr(self, key) is None:
                    raise ValueError(f"method 'bwm' needs '{key}'")
        if self.method in _RANKS and not self.order:
            raise ValueError(f"method '{self.method}' needs 'order', most important first")
        return self

    def _ahp_fits(self) -> None:
        if self.judges is None:
            if not self.pairs and not (self.groups is not None and len(self.groups) == 1):
                raise ValueError("method 'ahp' needs 'pairs'")
            for key, default in (("merging", "judgments"), ("gate", "each")):
                if getattr(self, key) != default:
                    raise ValueError(f"'{key}' needs 'judges'")
            return
        if not self.judges:
            raise ValueError("'judges' is empty")
        if self.pairs is not None or any(g.pairs is not None for g in (self.groups or {}).values()):
            raise ValueError("with 'judges', pairs stand under each judge: 'pairs' and 'within'")
        if self.merging == "priorities" and self.gate == "group":
            raise ValueError("merged priorities have no merged table: use gate: each")
