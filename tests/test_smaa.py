"""SMAA-2: the analytic case, laws of rank acceptabilities, and weights that are drawn."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from example_result import example_result
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from geoplan.catalogue import Scenario
from geoplan.catalogue.robustness import RobustnessSpec, WeightDraws
from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.mcda.smaa import smaa
from geoplan.mcda.smaa_kernel import rank_draws
from geoplan.mcda.weight_draws import sampler
from geoplan.report.ranking_tables import smaa_csv
from geoplan.siting.result import SitingResult
from geoplan.studies import smaa as study
from geoplan.studies.smaa import robustness_problems, smaa_of

EQUAL = {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}

UNIFORM = sampler(WeightDraws(distribution="uniform"), EQUAL)


def _generator() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(11))


def test_two_alternatives_analytically() -> None:
    # z₁ = (1, 0, 1) beats z₂ = (0, 1, 0) where w₂ < 1/2: three quarters of the triangle, whose
    # centroids are (7/18, 2/9, 7/18) and (1/6, 2/3, 1/6) (SMAA-2, Lahdelma & Salminen 2001).
    found = smaa([[1, 0, 1], [0, 1, 0]], UNIFORM, draws=10_000, seed=7)
    error = found.standard_error(found.first)
    assert (error <= 0.005).all()
    assert error[0] == pytest.approx(np.sqrt(0.75 * 0.25 / 10_000), rel=0.02)
    assert abs(found.first[0] - 3 / 4) < 4 * error[0]
    assert np.allclose(found.central, [[7 / 18, 2 / 9, 7 / 18], [1 / 6, 2 / 3, 1 / 6]], atol=0.01)
    assert np.allclose(found.central.sum(axis=1), 1)
    assert found.confidence.tolist() == [1.0, 1.0]
    assert found.mean_rank[0] == pytest.approx(1 + found.first[1])


def test_three_specialists_analytically() -> None:
    # Each is best where its own weight is the largest: a third each by symmetry. The centroid of
    # {w₁ the largest} is the mean of the rank-order centroids (11, 5, 2)/18 and (11, 2, 5)/18.
    found = smaa(np.eye(3), UNIFORM, draws=20_000, seed=3)
    assert np.allclose(found.acceptability, 1 / 3, atol=0.015)
    assert np.allclose(found.central[0], [11 / 18, 7 / 36, 7 / 36], atol=0.01)
    assert np.allclose(found.mean_rank, 2, atol=0.03)


def test_who_is_never_first_has_no_central_weight() -> None:
    found = smaa([[0.9, 0.8, 0.7], [0.5, 0.5, 0.5]], UNIFORM, draws=500, seed=0)
    assert found.counts.tolist() == [[500, 0], [0, 500]]
    assert np.isnan(found.central[1]).all()
    assert np.isnan(found.confidence[1])
    assert np.allclose(found.central[0], 1 / 3, atol=0.05)


def test_equal_alternatives_keep_their_order() -> None:
    found = smaa([[0.5, 0.5, 0.5]] * 3, UNIFORM, draws=300, seed=0)
    assert found.counts.tolist() == [[300, 0, 0], [0, 300, 0], [0, 0, 300]]
    assert found.confidence[0] == 1.0


def test_confidence_where_values_are_uncertain_analytically() -> None:
    # One criterion, .5 ± .1 and .45 ± .1: the second is above where the difference of two
    # uniforms of width .2 exceeds .05: (.2 − .05)² / (2 · .2²) = .28125.
    one = sampler(WeightDraws(distribution="uniform"), {"a": 1.0})
    found = smaa([[0.5], [0.45]], one, draws=20_000, seed=5, half_width=[0.1])
    assert np.allclose(found.first, [0.71875, 0.28125], atol=4 * 0.0032)
    assert np.allclose(found.confidence, [0.71875, 0.28125], atol=4 * 0.0032)
    assert not np.array_equal(found.first, found.confidence)  # other draws


def test_drawn_values_stay_within_their_bounds() -> None:
    # .95 ± .1 is drawn from [.85, 1], mean .925; against a sure .925 it wins half.
    one = sampler(WeightDraws(distribution="uniform"), {"a": 0.5, "b": 0.5})
    table = [[0.95, 0.0], [0.925, 0.0]]
    found = smaa(table, one, draws=10_000, seed=1, half_width=[0.1, 0.0])
    # The second is drawn from [.825, 1]: P(first > second) = E[(x − .825)/.175] = .1/.175.
    assert found.first[0] == pytest.approx(0.1 / 0.175, abs=0.02)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10_000), st.integers(1, 12), st.sampled_from([None, 0.2]),
    st.sampled_from(["uniform", "dirichlet"]),
)  # fmt: skip
def test_laws(seed: int, count: int, half: float | None, distribution: str) -> None:
    table = np.random.default_rng(seed).random((count, 3))
    weights = sampler(WeightDraws(distribution=distribution), EQUAL)
    widths = None if half is None else [half] * 3
    found = smaa(table, weights, draws=300, seed=seed, half_width=widths)
    assert (found.counts.sum(axis=0) == 300).all()
    assert (found.counts.sum(axis=1) == 300).all()
    ranks = np.arange(1, count + 1)
    assert np.allclose(found.mean_rank, found.acceptability @ ranks)
    won = found.first > 0
    assert np.allclose(found.central[won].sum(axis=1), 1)
    if half is None:
        order = np.random.default_rng(seed + 1).permutation(count)
        again = smaa(table[order], weights, draws=300, seed=seed)
        assert np.array_equal(again.counts, found.counts[order])
        assert np.array_equal(again.central, found.central[order], equal_nan=True)
        # Only a tie of rounding keeps an alternative from being first under its central weight.
        assert (found.confidence[won] == 1).all()


def test_neither_threads_nor_kept_ranks_nor_more_draws_change_a_digit() -> None:
    table = np.random.default_rng(2).random((60, 3))
    one = smaa(table, UNIFORM, draws=1_500, seed=4, half_width=[0.1, 0.0, 0.2], threads=1)
    two = smaa(table, UNIFORM, draws=1_500, seed=4, half_width=[0.1, 0.0, 0.2], threads=2)
    few = smaa(table, UNIFORM, draws=1_500, seed=4, half_width=[0.1, 0.0, 0.2], ranks=5)
    for other in (two, few):
        assert np.array_equal(one.counts[:, :5], other.counts[:, :5])
        assert np.array_equal(one.central, other.central, equal_nan=True)
        assert np.array_equal(one.confidence, other.confidence, equal_nan=True)
        assert np.array_equal(one.mean_rank, other.mean_rank)
    less = smaa(table, UNIFORM, draws=1_000, seed=4, half_width=[0.1, 0.0, 0.2])
    assert (one.counts >= less.counts).all()
    other_seed = smaa(table, UNIFORM, draws=1_500, seed=5)
    assert not np.array_equal(one.counts, other_seed.counts)
    assert few.top(5).sum() == pytest.approx(5)
    with pytest.raises(RangeError, match="best 6 ranks of 5"):
        few.top(6)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.integers(0, 4).map(float) | st.floats(-1e6, 1e6) | st.floats(0, 1e-300),
        min_size=1, max_size=80,
    )
)  # fmt: skip
def test_ranks_of_a_draw_against_a_stable_sort(scores: list[float]) -> None:
    row = np.array([scores])
    rank = np.empty(row.shape, np.int32)
    rank_draws(row, rank)
    expected = np.empty(len(scores), int)
    expected[np.argsort(-row[0], kind="stable")] = np.arange(len(scores))
    assert rank[0].tolist() == expected.tolist()


def test_crowded_scores_are_sorted_otherwise() -> None:
    row = np.random.default_rng(0).random((2, 3_000)) * 1e-9
    row[:, 7] = 1.0  # all others in one bucket
    rank = np.empty(row.shape, np.int32)
    rank_draws(row, rank)
    for d in range(2):
        assert np.array_equal(np.argsort(rank[d]), np.argsort(-row[d], kind="stable"))


def test_uniform_weights() -> None:
    drawn = UNIFORM(_generator(), 20_000)
    assert np.allclose(drawn.sum(axis=1), 1)
    # Uniform on the simplex of 3: mean 1/3, variance (m − 1)/(m²(m + 1)) = 1/18.
    assert np.allclose(drawn.mean(axis=0), 1 / 3, atol=0.006)
    assert np.allclose(drawn.var(axis=0), 1 / 18, atol=0.002)


def test_weights_around_stated_ones() -> None:
    stated = {"a": 0.6, "b": 0.3, "c": 0.1}
    drawn = sampler(WeightDraws(concentration=50), stated)(_generator(), 20_000)
    w = np.array(list(stated.values()))
    assert np.allclose(drawn.mean(axis=0), w, atol=0.003)
    assert np.allclose(drawn.std(axis=0), np.sqrt(w * (1 - w) / 51), atol=0.002)


def test_weights_in_an_order() -> None:
    spec = WeightDraws(distribution="order", order=("c", "a", "b"))
    drawn = sampler(spec, EQUAL)(_generator(), 20_000)
    assert (drawn[:, 2] >= drawn[:, 0]).all()
    assert (drawn[:, 0] >= drawn[:, 1]).all()
    # Rank-order centroid of three (Barron & Barrett 1996): 11/18, 5/18, 2/18.
    assert np.allclose(drawn.mean(axis=0), [5 / 18, 2 / 18, 11 / 18], atol=0.005)


def test_weights_within_intervals() -> None:
    spec = WeightDraws(distribution="intervals", intervals={"a": (0.4, 1.0)})
    drawn = sampler(spec, EQUAL)(_generator(), 20_000)  # shifted, exactly
    assert np.allclose(drawn.mean(axis=0), [0.6, 0.2, 0.2], atol=0.005)
    # w₁ ≤ 1/2: the triangle less its corner; centroid (1/3 − 1/4 · 2/3) / (3/4) = 2/9.
    spec = WeightDraws(distribution="intervals", intervals={"a": (0.0, 0.5)})
    drawn = sampler(spec, EQUAL)(_generator(), 8_000)  # walked
    assert drawn[:, 0].max() <= 0.5
    assert np.allclose(drawn.sum(axis=1), 1)
    assert np.allclose(drawn.mean(axis=0), [2 / 9, 7 / 18, 7 / 18], atol=0.01)
    # w₁ has the density (1 − w)/(3/8) on [0, 1/2]: E w² = (1/24 − 1/64)/(3/8) = 5/72.
    assert drawn[:, 0].var() == pytest.approx(5 / 72 - 4 / 81, rel=0.05)
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.05


def test_a_single_point_of_weights() -> None:
    box = {"a": (0.5, 0.5), "b": (0.3, 0.3), "c": (0.2, 0.2)}
    spec = WeightDraws(distribution="intervals", intervals=box)
    assert np.allclose(sampler(spec, EQUAL)(_generator(), 3), [[0.5, 0.3, 0.2]] * 3)


def test_weights_that_cannot_be_drawn() -> None:
    low = {"a": (0.5, 1.0), "b": (0.6, 1.0)}
    with pytest.raises(RangeError, match=r"least weights sum to 1\.1"):
        sampler(WeightDraws(distribution="intervals", intervals=low), EQUAL)
    high = {"a": (0.0, 0.2), "b": (0.0, 0.2), "c": (0.0, 0.2)}
    with pytest.raises(RangeError, match=r"most weights sum to 0\.6"):
        sampler(WeightDraws(distribution="intervals", intervals=high), EQUAL)
    with pytest.raises(UnknownName, match="no weighted criterion sea"):
        sampler(WeightDraws(distribution="intervals", intervals={"sea": (0, 1)}), EQUAL)
    with pytest.raises(UnknownName, match="differ in b"):
        sampler(WeightDraws(distribution="order", order=("c", "a")), EQUAL)
    for wrong in (
        {"distribution": "intervals"},
        {"distribution": "order"},
        {"distribution": "intervals", "intervals": {"a": (0.5, 0.4)}},
        {"distribution": "order", "order": ("a", "a")},
    ):
        with pytest.raises(ValidationError):
            WeightDraws.model_validate(wrong)


def test_bad_input_names_what_is_wrong() -> None:
    with pytest.raises(RangeError, match="alternative 1 on criterion 2 is missing"):
        smaa([[1, 1, 1], [1, 1, np.nan]], UNIFORM, draws=10, seed=0)
    with pytest.raises(RangeError, match="draws is 0"):
        smaa([[1, 1, 1]], UNIFORM, draws=0, seed=0)
    with pytest.raises(RangeError, match="seed is -1"):
        smaa([[1, 1, 1]], UNIFORM, draws=1, seed=-1)
    with pytest.raises(ShapeError, match="2 half-widths for 3 criteria"):
        smaa([[1, 1, 1]], UNIFORM, draws=1, seed=0, half_width=[0.1, 0.1])
    with pytest.raises(RangeError, match="half-widths must be 0 or more"):
        smaa([[1, 1, 1]], UNIFORM, draws=1, seed=0, half_width=[0.1, 0.1, -0.1])
    with pytest.raises(RangeError, match=r"value 2 of alternative 0 on criterion 1"):
        smaa([[1, 2, 1]], UNIFORM, draws=1, seed=0, half_width=[0.1, 0.1, 0.1])
    with pytest.raises(ShapeError, match="weights of 3 criteria for values on 2"):
        smaa([[1, 1]], UNIFORM, draws=1, seed=0)


def _scenario(result: SitingResult, **robustness: object) -> Scenario:
    document = result.scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Scenario.model_validate({**document, "robustness": robustness})


def test_the_study_of_a_run() -> None:
    result = example_result()
    frame = result.candidates.copy()
    frame["value_road"] = [0.9, 0.2, 0.3, 0.3, 0.2, 0.1]
    frame["value_deprivation"] = [0.2, 0.9, 0.3, 0.2, 0.3, 0.1]
    scenario = _scenario(
        result, draws=2_000, seed=7, weights={"distribution": "uniform"},
        values_half_width={"road": 0.05},
    )  # fmt: skip
    table, document, notices = smaa_of(frame, scenario, result.weights)
    assert list(table.columns) == [
        "first_acceptability", "top_acceptability", "standard_error", "mean_rank", "confidence",
        "central_road", "central_deprivation", "central_slope",
    ]  # fmt: skip
    assert table["first_acceptability"].sum() == pytest.approx(1)
    assert table["top_acceptability"].sum() == pytest.approx(2)  # the plan has two sites
    assert (table["standard_error"] <= 0.5 / np.sqrt(2_000)).all()
    assert np.isnan(table.loc["s0006", "central_road"])
    assert table.loc["s0001", "central_road"] > table.loc["s0002", "central_road"]
    assert document["values_half_width"] == {"road": 0.05, "deprivation": 0.0, "slope": 0.0}
    assert document["sites"][0]["site_id"] in ("s0001", "s0002")
    assert sum(document["sites"][0]["ranks"]) == pytest.approx(1)
    json.dumps(document, allow_nan=False)
    assert all(n.fa for n in notices)
    again, _, _ = smaa_of(frame, scenario, result.weights, threads=1)
    assert again.equals(table)


def test_only_the_best_are_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "MOST_CANDIDATES", 4)
    result = example_result()
    table, document, notices = smaa_of(result.candidates, result.scenario, result.weights)
    assert list(table.index) == ["s0001", "s0002", "s0003", "s0004"]
    assert (document["ranked"], document["candidates"]) == (4, 6)
    assert notices[0].en == "rank acceptability is of the best 4 of 6 candidates by score"
    assert "۴ نامزد برتر از ۶ نامزد" in (notices[0].fa or "")


def test_a_criterion_without_weight_keeps_none() -> None:
    result = example_result()
    weights = {"road": 0.6, "deprivation": 0.4, "slope": 0.0}
    table, document, _ = smaa_of(result.candidates, _scenario(result, draws=200), weights)
    assert table.loc["s0001", "central_slope"] == 0.0
    assert np.isnan(table.loc["s0002", "central_slope"])
    assert list(document["stated_weights"]) == ["road", "deprivation"]


def test_problems_of_a_scenario() -> None:
    result = example_result()
    scenario = _scenario(
        result, values_half_width={"sea": 0.1},
        weights={"distribution": "order", "order": ["road", "wind"]},
    )  # fmt: skip
    found = robustness_problems(scenario, result.weights)
    assert [(p.where, p.what) for p in found] == [
        ("robustness.values_half_width", "no criterion 'sea'"),
        ("robustness.weights.order", "no criterion 'wind'"),
    ]
    scenario = _scenario(result, weights={"distribution": "order", "order": ["road", "slope"]})
    (problem,) = robustness_problems(scenario, result.weights)
    assert "deprivation" in problem.what
    assert robustness_problems(result.scenario, result.weights) == []


def test_robustness_spec() -> None:
    spec = RobustnessSpec.model_validate({"draws": 10_000, "seed": 7})
    assert (spec.plans, spec.demand_half_width, spec.headroom_half_width) == (100, 0.15, 0.2)
    for wrong in ({"values_half_width": 1.5}, {"values_half_width": {"road": -0.1}}, {"draws": 0}):
        with pytest.raises(ValidationError):
            RobustnessSpec.model_validate(wrong)


def test_smaa_csv() -> None:
    result = example_result()
    table, _, _ = smaa_of(result.candidates, _scenario(result, draws=100), result.weights)
    rows = list(csv.DictReader(io.StringIO(smaa_csv(replace(result, smaa=table)).decode())))
    assert rows[0]["site_id"] == "s0001"
    assert rows[0]["first_acceptability"] == "1.000000"
    assert rows[1]["confidence"] == ""  # never first: missing, not 0
    assert rows[1]["central_road"] == ""
    assert rows[1]["mean_rank"] == "2.0000"
    header = smaa_csv(result).decode().splitlines()
    assert len(header) == 1
    assert header[0].startswith("rank,site_id,first_acceptability,top_acceptability")
