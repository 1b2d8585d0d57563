"""Weights as a scenario asks for them: checked before anything runs, and recorded."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from pydantic import ValidationError

from geoplan.catalogue import Catalogue, Scenario
from geoplan.catalogue.weighting import SampleSpec, WeightSpec
from geoplan.errors import ProblemsFound, ShapeError
from geoplan.mcda.weights import ahp_from_pairs
from geoplan.persian import to_persian_digits
from geoplan.studies.scenario_weights import weight_problems
from geoplan.studies.weighting import sample_cells, weigh

PATH = Catalogue.standard().scenario_path("iran_large_estates")
KEPT = ("water", "power", "road", "slope")


def scenario(text: str, *, keep: tuple[str, ...] = KEPT, **weights: Any) -> Scenario:
    data = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    data["criteria"] = {name: {**data["criteria"][name], **weights} for name in keep}
    data["weights"] = yaml.safe_load(text)
    return Scenario.model_validate(data)


def found(text: str, **more: Any) -> list[tuple[str, str]]:
    problems = weight_problems(scenario(text, **more))
    assert all(p.remedy for p in problems)
    return [(p.where, p.what) for p in problems]


PAIRS = """
method: ahp
pairs: {water/power: 2, water/road: 4, water/slope: 4, power/road: 2, power/slope: 2, road/slope: 1}
"""
GROUPS = """
method: ahp
pairs: {networks/land: 3}
groups:
  networks: {criteria: [water, power, road], pairs: {water/power: 2, water/road: 4, power/road: 2}}
  land: {criteria: [slope]}
"""
JUDGES = """
method: ahp
groups:
  networks: {criteria: [water, power, road]}
  land: {criteria: [slope]}
judges:
  planner:
    pairs: {networks/land: 3}
    within: {networks: {water/power: 2, water/road: 4, power/road: 2}}
  engineer:
    weight: 2
    pairs: {networks/land: 2}
    within: {networks: {water/power: 1, water/road: 3, power/road: 3}}
"""
BWM = """
method: bwm
best: water
worst: slope
best_to_others: {power: 2, road: 4, slope: 8}
others_to_worst: {water: 8, power: 4, road: 2}
"""
GOOD = [
    PAIRS,
    GROUPS,
    JUDGES,
    JUDGES + "merging: priorities",
    JUDGES + "gate: group",
    BWM,
    BWM + "model: nonlinear",
    "{method: roc, order: [water, [power, road], slope]}",
    "{method: rank_sum, order: [water, power, road, slope]}",
    "{method: rank_exponent, exponent: 1.5, order: [water, power, road, slope]}",
    "{method: rank_reciprocal, order: [water, power, road, slope]}",
    "{method: direct, weights: {water: 4, power: 3, road: 2, slope: 1}}",
    "{method: ahp, incomplete: true, pairs: {water/power: 2, power/road: 1/3, road/slope: 1}}",
    "{method: entropy}",
    "{method: critic, sample: {rows: 500, seed: 3}}",
    "{method: merec, floor: 0.01}",
    "{method: std}",
    PAIRS + "combine: {objective: critic, how: mix, subjective_share: 0.7}",
    BWM + "combine: {objective: entropy, how: multiply}",
]


def values() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({name: rng.uniform(0.1, 1, 400) for name in (*reversed(KEPT), "more")})


@pytest.mark.parametrize("text", GOOD)
def test_every_method_gives_weights_and_a_record(text: str) -> None:
    asked = scenario(text)
    assert weight_problems(asked) == []
    result = weigh(asked, values)
    assert list(result.weights) == list(KEPT)
    assert sum(result.weights.values()) == pytest.approx(1, abs=1e-9)
    assert min(result.weights.values()) > 0
    assert result.record["method"] == asked.weights.method
    json.dumps(result.record, allow_nan=False)  # plain values, no NaN
    # a run's record holds the scenario with every default, and must be readable again
    again = Scenario.model_validate(asked.model_dump(mode="json", by_alias=True))
    assert again.weights == asked.weights
    assert weigh(again, values).weights == result.weights
    for notice in result.notices:
        assert notice.fa
        assert notice.fa == to_persian_digits(notice.fa)


def test_judgments_are_those_of_the_library() -> None:
    pairs = {"water/power": 2.0, "water/road": 4.0, "water/slope": 4.0, "power/road": 2.0,
             "power/slope": 2.0, "road/slope": 1.0}  # fmt: skip
    result = weigh(scenario(PAIRS))
    assert result.weights == ahp_from_pairs(list(KEPT), pairs).weights
    assert result.record["cr"] == pytest.approx(0, abs=1e-12)
    assert result.record["random_indices"]["4"] == 0.89
    assert result.record["judgments"][0] == [1, 2, 4, 4]
    # ¾ of the weight to the networks, 4 : 2 : 1 within
    grouped = weigh(scenario(GROUPS))
    assert grouped.weights == pytest.approx(
        {"water": 3 / 7, "power": 3 / 14, "road": 3 / 28, "slope": 1 / 4}
    )
    assert "cr" not in grouped.record
    assert grouped.record["hierarchy"]["cr"] == pytest.approx(0, abs=1e-12)


def test_direct_weights_are_scaled_and_it_is_said() -> None:
    text = "{method: direct, weights: {water: 4, power: 3, road: 2, slope: 1}}"
    result = weigh(scenario(text))
    assert result.weights == {"water": 0.4, "power": 0.3, "road": 0.2, "slope": 0.1}
    assert result.record["sum"] == 10
    assert result.record["scaled"] is True
    assert "sum to 10" in result.notices[0].en
    assert "۱۰" in str(result.notices[0].fa)
    assert found(text.replace("direct,", "direct, scale: as-given,")) == [
        ("weights.weights", "the weights sum to 10, not to 1")
    ]


def test_the_consistency_ratio_speaks_before_anything_runs() -> None:
    ((where, what),) = found(PAIRS.replace("road/slope: 1", "road/slope: 1/9"))
    assert where == "weights.pairs"
    assert "consistency ratio CR = " in what
    (problem,) = weight_problems(scenario(PAIRS.replace("road/slope: 1", "road/slope: 1/9")))
    assert "mend slope/road first: given 9" in problem.remedy
    circle = "{water/power: 3, power/road: 3, road/water: 3}"
    ((where, what),) = found(
        GROUPS.replace("{water/power: 2, water/road: 4, power/road: 2}", circle)
    )
    assert where == "weights.groups.networks.pairs"
    assert "in group 'networks' contradict" in what
    ((where, what),) = found(
        JUDGES.replace("{water/power: 1, water/road: 3, power/road: 3}", circle)
    )
    assert where == "weights.judges.engineer.within.networks"
    assert "in group 'networks' of judge 'engineer' contradict" in what
    ((where, what),) = found(BWM.replace("road: 4", "road: 8").replace("road: 2", "road: 8"))
    assert where == "weights"
    assert "input-based consistency ratio 1.0000, above 0.2521" in what


def test_all_problems_of_judgments_at_once() -> None:
    assert found(
        "{method: ahp, pairs: {water/power: 12, power/water: 2, road/rail: 2, slope/slope: 1,"
        " water/road: -1}}"
    ) == [
        ("weights.pairs.water/power", "is 12, outside the scale 1/9 … 9"),
        ("weights.pairs.power/water", "this pair is given twice"),
        ("weights.pairs.road/rail", "rail is not a criterion"),
        ("weights.pairs.slope/slope", "compares a criterion with itself"),
        ("weights.pairs.water/road", "is -1"),
        ("weights.pairs", "criterion 'slope' is in no pair"),
        ("weights.pairs", "power/road is missing"),
    ]
    assert found(PAIRS.replace("water/road: 4", "water/road: 10") + "scale_max: 10") == []
    assert found(BWM.replace("best: water", "best: rail")) [0] == (
        "weights.best", "no criterion 'rail'",
    )  # fmt: skip


def test_problems_of_orders_groups_and_numbers() -> None:
    assert found("{method: roc, order: [water, [power, rail], water]}") == [
        ("weights.order", "no criterion 'rail'"),
        ("weights.order", "'water' stands 2 times"),
        ("weights.order", "criterion 'road' has no place"),
        ("weights.order", "criterion 'slope' has no place"),
    ]
    assert found(GROUPS.replace("[slope]", "[rail]")) == [
        ("weights.groups.land.criteria", "no criterion 'rail'"),
        ("weights.groups", "criterion 'slope' is in no group"),
    ]
    assert found("{method: direct, weights: {water: 0, power: 0, road: 0, rail: 0}}") == [
        ("weights.weights.rail", "no such criterion"),
        ("criteria.slope.weight", "no weight"),
        ("weights", "all weights are 0"),
    ]
    assert found("{method: direct, weights: {water: -1, power: .nan, road: 1, slope: 1}}") == [
        ("weights.weights.power", "the weight is nan"),
        ("weights.weights.water", "the weight is -1"),
    ]
    assert found("{method: direct}", weight=0) == [("weights", "all weights are 0")]
    ((where, what),) = found(
        "{method: ahp, incomplete: true, pairs: {water/power: 2, road/slope: 1}}"
    )
    assert (where, what) == (
        "weights.pairs", "no judgment joins road, slope with the other criteria",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{method: roc}", "needs 'order'"),
        ("{method: ahp}", "needs 'pairs'"),
        ("{method: bwm, best: water}", "needs 'worst'"),
        ("{method: direct, pairs: {a/b: 2}}", "'pairs' does not belong to method 'direct'"),
        ("{method: roc, order: [a], floor: 0.1}", "'floor' does not belong to method 'roc'"),
        ("{method: entropy, combine: {objective: std, how: mix}}", "'combine' does not belong"),
        ("{method: ahp, pairs: {a/b: 2}, merging: priorities}", "'merging' needs 'judges'"),
        ("{method: ahp, pairs: {a/b: 2}, judges: {p: {pairs: {a/b: 2}}}}", "under each judge"),
        ("{method: ahp, judges: {p: {}}, merging: priorities, gate: group}", "gate: each"),
        ("{method: ahp, judges: {}}", "'judges' is empty"),
        ("{method: ahp, pairs: {a/b: x/y}}", "valid number"),
        ("{method: dice}", "direct"),
        ("{combine: {objective: std, how: multiply, subjective_share: 0.5}}", "how: mix"),
        ("{method: std, cr_limit: 0.5}", "Extra inputs"),
    ],
)
def test_keys_that_do_not_fit_the_method_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        WeightSpec.model_validate(yaml.safe_load(text))


def test_weights_from_the_data_say_what_they_came_from() -> None:
    asked = scenario("{method: critic, sample: {rows: 500, seed: 3}}")
    frame = values()
    frame.loc[:9, "road"] = np.nan
    result = weigh(asked, lambda: frame)
    assert result.record["sample"] == {
        "of": "allowed cells, values 0 to 1, more is better", "asked": 500, "rows": 400, "seed": 3,
    }  # fmt: skip
    assert result.record["rows_used"] == 390
    assert "10 of 400 sampled cells" in result.notices[0].en
    with pytest.raises(ShapeError, match="there are none"):
        weigh(asked)
    with pytest.raises(ShapeError, match="no values of slope"):
        weigh(asked, lambda: frame.drop(columns="slope"))
    with pytest.raises(ProblemsFound, match=r"water' is 0\.5 everywhere"):
        weigh(asked, lambda: frame.assign(water=0.5))


def test_a_mixture_keeps_both_records() -> None:
    text = PAIRS + "combine: {objective: critic, how: mix, subjective_share: 0.7}"
    result = weigh(scenario(text), values)
    data = result.record["combined"]["objective"]
    judged, own = weigh(scenario(PAIRS)).weights, weigh(scenario("{method: critic}"), values)
    assert dict(zip(data["criteria"], data["weights"], strict=True)) == own.weights
    assert result.record["judged_weights"] == judged
    for name in KEPT:
        assert result.weights[name] == pytest.approx(0.7 * judged[name] + 0.3 * own.weights[name])
    assert result.record["cr"] == pytest.approx(0, abs=1e-12)


def test_judges_that_contradict_themselves_are_told_of() -> None:
    """All three are 4: t = 4, CI = (4^⅓ + 4^−⅓ − 2) / 2 = .108681, CR = .108681 / .52 = .209."""
    text = JUDGES.replace("{water/power: 1, water/road: 3, power/road: 3}",
                          "{water/power: 4, water/road: 4, power/road: 4}").replace(
        "weight: 2", "weight: 1"
    )  # fmt: skip
    result = weigh(scenario(text + "gate: group"))
    (notice,) = result.notices
    assert "«engineer» contradict each other (consistency ratio 0.209)" in notice.en
    assert "۰٫۲۰۹" in str(notice.fa)
    assert result.record["judges"]["engineer"]["share"] == 0.5


def test_gaps_in_judgments_are_told_of() -> None:
    result = weigh(
        scenario("{method: ahp, incomplete: true, pairs: {water/power: 2, power/road: 2,"
                 " road/slope: 2}}")
    )  # fmt: skip
    assert [n.en[:48] for n in result.notices] == [
        "3 of 6 pairwise judgments are missing; the other",
        "Where so many judgments are missing that none ch",
    ]
    assert result.weights == pytest.approx(
        {"water": 8 / 15, "power": 4 / 15, "road": 2 / 15, "slope": 1 / 15}
    )


def test_the_sample_is_drawn_from_allowed_cells_alone() -> None:
    allowed = np.random.default_rng(0).random((60, 70)) < 0.5
    places = sample_cells(allowed, SampleSpec(rows=300), seed=7)
    assert len(places) == len(set(places.tolist())) == 300
    assert allowed.ravel()[places].all()
    assert (np.diff(places) > 0).all()
    assert (sample_cells(allowed, SampleSpec(rows=300), seed=7) == places).all()
    assert (sample_cells(allowed, SampleSpec(rows=300), seed=8) != places).any()
    own = SampleSpec(rows=300, seed=9)
    assert (sample_cells(allowed, own, seed=7) == sample_cells(allowed, own, seed=8)).all()
    assert (sample_cells(allowed, None, seed=7) == np.flatnonzero(allowed)).all()
