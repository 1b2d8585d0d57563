"""Agreement of rankings, rank reversal, and the study that puts them beside a run's score."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from example_result import example_result
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from geoplan.catalogue import Scenario
from geoplan.catalogue.ranking import METHODS, PreferenceSpec, RankingSpec
from geoplan.errors import ProblemsFound, RangeError, ShapeError, UnknownName
from geoplan.mcda.agreement import kendall_tau_b, spearman_rho, top_overlap
from geoplan.mcda.decision import Decision, decision
from geoplan.mcda.ranking import rank_by
from geoplan.mcda.reversal import reversals
from geoplan.mcda.spotis import spotis
from geoplan.mcda.topsis import topsis
from geoplan.report.ranking_tables import methods_csv
from geoplan.siting.result import SitingResult
from geoplan.studies.ranking import methods_of, ranking_problems


def _scenario(result: SitingResult, **ranking: object) -> Scenario:
    document = result.scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Scenario.model_validate({**document, "ranking": ranking})


def test_correlations_by_hand() -> None:
    a = [7, 4, 3, 10, 6, 2, 9, 8, 1, 5]
    b = [5, 7, 3, 10, 1, 9, 6, 2, 8, 4]
    agree = sum((a[i] - a[j]) * (b[i] - b[j]) > 0 for i in range(10) for j in range(i))
    assert agree == 21  # of 45 pairs, so that τ = (21 − 24)/45
    assert kendall_tau_b(a, b) == pytest.approx(-3 / 45)
    assert spearman_rho(a, b) == pytest.approx(1 - 6 * 182 / 990)  # Σ d² = 182
    # Tied pairs: n₀ = 6, one tied in a; 4 concordant, 1 discordant.
    assert kendall_tau_b([1, 1, 2, 3], [1, 2, 4, 3]) == pytest.approx(3 / np.sqrt(5 * 6))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=40))
def test_correlations_against_scipy(pairs: list[tuple[int, int]]) -> None:
    a, b = np.array(pairs).T
    if len(set(a)) == 1 or len(set(b)) == 1:
        assert np.isnan(kendall_tau_b(a, b))
        assert np.isnan(spearman_rho(a, b))
        return
    assert kendall_tau_b(a, b) == pytest.approx(stats.kendalltau(a, b).statistic, abs=1e-12)
    assert spearman_rho(a, b) == pytest.approx(stats.spearmanr(a, b).statistic, abs=1e-12)


def test_overlap_of_the_best() -> None:
    assert top_overlap([1, 2, 3, 4], [2, 1, 4, 3], 2) == 1.0
    assert top_overlap([1, 2, 3, 4], [4, 3, 2, 1], 2) == 0.0
    assert top_overlap([1, 1, 1, 1], [3, 4, 1, 2], 2) == 0.0  # of a tie, the first rows
    assert top_overlap([1, 2], [2, 1], 9) == 1.0
    with pytest.raises(RangeError, match="best 0"):
        top_overlap([1, 2], [2, 1], 0)
    with pytest.raises(ShapeError, match=r"\(2,\) and \(3,\)"):
        kendall_tau_b([1, 2], [1, 2, 3])


def test_a_reversal_of_topsis_is_found() -> None:
    # By hand, divided by the range. With all three the values are (1, 5/9), (0, 1), (0, 0): the
    # first is at .2667 and .5207 from best and worst, closeness .6613; the second at .4 and .6,
    # closeness .6. Without the third they are (1, 0) and (0, 1): closeness .4 and .6.
    question = decision([[0.8, 0.6], [0.2, 1.0], [0.2, 0.1]], [0.4, 0.6])

    def score(d: Decision) -> np.ndarray:
        return topsis(d, normalisation="min_max").closeness

    assert np.allclose(score(question), [0.6613, 0.6, 0.0], atol=5e-5)
    assert np.allclose(score(question.with_values(question.values[:2])), [0.4, 0.6])
    found = reversals(question, score, top=2)
    assert (found.dropped, found.dropped_changed) == (1, 1)
    assert (found.first_changed, found.moved_most) == (1, 2)
    assert found.copied == 2
    assert not found.free


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 30), st.integers(1, 8))
def test_spotis_never_reverses(seed: int, count: int, top: int) -> None:
    table = np.random.default_rng(seed).random((count, 3))

    def score(d: Decision) -> np.ndarray:
        return -spotis(d, [(0, 1)] * 3)

    found = reversals(decision(table, [0.5, 0.3, 0.2]), score, top=top)
    assert found.free
    assert found.dropped == min(10, max(0, count - min(top, count)))
    assert found.copied == min(top, count)


def test_large_tables_are_ranked_again_fewer_times() -> None:
    table = np.random.default_rng(0).random((200_000, 10))
    question = decision(table, np.full(10, 0.1))
    found = reversals(question, lambda d: -spotis(d, [(0, 1)] * 10), top=15)
    assert (found.dropped, found.copied, found.free) == (2, 2, True)


def test_all_methods_put_what_dominates_first() -> None:
    rng = np.random.default_rng(5)
    table = rng.random((50, 4)) * 0.9
    table[31] = 0.95
    values = pd.DataFrame(table, columns=list("abcd"), index=[f"S{i:02d}" for i in range(50)])
    found = rank_by(METHODS, values, dict.fromkeys("abcd", 0.25), RankingSpec(), top=5)
    assert (found.ranks.loc["S31"] == 1).all()
    assert list(found.ranks.columns) == list(METHODS)
    assert len(found.agreement) == 6
    assert set(found.reversal) == set(METHODS)
    assert found.reversal["spotis"].free
    assert found.constant == ()


def test_ties_are_stated() -> None:
    values = pd.DataFrame({"a": [0.5, 0.9, 0.5, 0.1], "b": [0.5, 0.9, 0.5, 0.1]})
    found = rank_by(METHODS, values, {"a": 0.5, "b": 0.5}, RankingSpec(), top=2)
    for method in METHODS:
        assert found.ranks[method].tolist() == [2, 1, 2, 4]
        assert found.ties[method] == 2


def test_names_that_do_not_exist() -> None:
    values = pd.DataFrame({"a": [0.5, 0.9]})
    spec = RankingSpec(preferences={"b": PreferenceSpec(kind="usual")})
    with pytest.raises(UnknownName, match="no criterion b"):
        rank_by(METHODS, values, {"a": 1.0}, spec, top=1)
    with pytest.raises(UnknownName, match="'electre'"):
        rank_by(["electre"], values, {"a": 1.0}, RankingSpec(), top=1)  # type: ignore[list-item]
    with pytest.raises(ValidationError, match="stands twice"):
        RankingSpec(methods=("topsis", "topsis"))


def test_the_study_of_a_run() -> None:
    result = example_result()
    frame, document, notices = methods_of(result.candidates, result.scenario, result.weights)
    # The example's candidates fall evenly on every criterion, so that all methods agree.
    for method in METHODS:
        assert frame[f"{method}_rank"].tolist() == [1, 2, 3, 4, 5, 6]
    # By hand: values .9 .85 .8 .75 .7 .65 on each criterion give S and Q of 0, .2, …, 1.
    assert np.allclose(frame["vikor_q"], [0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert np.allclose(frame["spotis_distance"], [0.1, 0.15, 0.2, 0.25, 0.3, 0.35])
    assert notices == []
    assert document["vikor"]["compromise"] == ["s0001"]
    assert document["best"]["promethee"] == ["s0001", "s0002"]
    assert document["preference_status"] == "assumed"
    assert {a["kendall_tau_b"] for a in document["agreement"]} == {1.0}
    json.dumps(document, allow_nan=False)


def test_strong_disagreement_and_constants_are_told_in_both_languages() -> None:
    result = example_result()
    frame = result.candidates.copy()
    frame["value_road"] = [1.0, 0.0, 0.9, 0.1, 0.5, 0.5]
    frame["value_deprivation"] = [0.0, 1.0, 0.1, 0.9, 0.5, 0.5]
    frame["value_slope"] = 0.5
    scenario = _scenario(result, reversal_test=False)
    weights = {"road": 0.4, "deprivation": 0.4, "slope": 0.2}
    _, document, notices = methods_of(frame, scenario, weights)
    said = [(n.en, n.fa or "") for n in notices]
    assert any("VIKOR rank the candidates very differently" in en for en, _ in said)
    assert any("تاو کندال" in fa and "ویکور" in fa for _, fa in said)
    assert any("the same value on slope" in en for en, _ in said)
    assert any(en.startswith("VIKOR: all candidates have the same sum") for en, _ in said)
    assert not any(character in fa for _, fa in said for character in "0123456789")
    assert document["constant"] == ["slope"]
    assert document["reversal"] == {}


def test_criteria_without_weight_do_not_count() -> None:
    result = example_result()
    frame = result.candidates.copy()
    frame["value_slope"] = np.nan
    weights = {"road": 0.6, "deprivation": 0.4, "slope": 0.0}
    ranks, document, _ = methods_of(frame, result.scenario, weights)
    assert ranks["topsis_rank"].tolist() == [1, 2, 3, 4, 5, 6]
    assert list(document["weights"]) == ["road", "deprivation"]
    with pytest.raises(ProblemsFound, match="criterion 'slope': no alternative has a value"):
        methods_of(frame, result.scenario, {"road": 0.5, "deprivation": 0.3, "slope": 0.2})


def test_one_candidate() -> None:
    result = example_result()
    frame, document, notices = methods_of(
        result.candidates.iloc[:1], result.scenario, result.weights
    )
    assert [int(frame[f"{m}_rank"].iloc[0]) for m in METHODS] == [1, 1, 1, 1]
    assert notices == []
    json.dumps(document, allow_nan=False)


def test_a_preference_for_no_criterion_is_a_problem() -> None:
    result = example_result()
    scenario = _scenario(result, preferences={"sea": {"kind": "usual"}})
    (problem,) = ranking_problems(scenario)
    assert problem.where == "ranking.preferences.sea"
    assert "road" in problem.remedy
    with pytest.raises(ProblemsFound, match="no criterion 'sea'"):
        methods_of(result.candidates, scenario, result.weights)


def test_methods_csv() -> None:
    result = example_result()
    scenario = _scenario(result, methods=["vikor"])
    frame, _, _ = methods_of(result.candidates, scenario, result.weights)
    out = methods_csv(replace(result, methods=frame.iloc[::-1]))
    rows = list(csv.DictReader(io.StringIO(out.decode())))
    assert list(rows[0]) == [
        "rank", "site_id", "score", "vikor_rank", "vikor_q", "vikor_s", "vikor_r",
    ]  # fmt: skip
    assert [row["site_id"] for row in rows] == list(result.candidates.index)
    assert rows[1]["vikor_q"] == "0.200000"
    assert methods_csv(result) == b"rank,site_id,score\n"
