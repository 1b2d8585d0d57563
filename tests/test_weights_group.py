"""AHP with gaps, in groups and of several judges: worked by hand, and as laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import ProblemsFound, RangeError
from geoplan.mcda.ahp import AhpResult, ahp, ahp_from_pairs, random_index
from geoplan.mcda.ahp_group import group_ahp, merged_priorities, merged_table
from geoplan.mcda.ahp_hierarchy import (
    AhpRules,
    HierarchyResult,
    Judgments,
    group_problems,
    hierarchy,
    tables_of,
)

PLACES = {"where": "weights.pairs", "where_within": "weights.groups.{group}.pairs"}
SCALE = st.sampled_from([1 / 9, 1 / 7, 1 / 5, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 5.0, 7.0, 9.0])


def in_groups(
    given: Judgments, groups: dict[str, list[str]], rules: AhpRules | None = None
) -> AhpResult | HierarchyResult:
    rules = rules or AhpRules()
    names = [name for members in groups.values() for name in members]
    tables = tables_of(names, given, groups, rules=rules, **PLACES)
    return hierarchy(names, tables, groups, rules=rules, **PLACES)


# --- gaps -----------------------------------------------------------------------------------


def test_harker_fills_the_gap_with_what_the_others_imply() -> None:
    """Harker (1987): a/b = 2, b/c = 2, a/c missing.

    [[2, 2, 0], [1/2, 1, 2], [0, 1/2, 2]] · (4, 2, 1) = 3 · (4, 2, 1).
    """
    result = ahp_from_pairs(["a", "b", "c"], {"a/b": 2, "b/c": 2}, incomplete=True)
    assert list(result.weights.values()) == pytest.approx([4 / 7, 2 / 7, 1 / 7], abs=1e-12)
    assert (result.missing, result.random_index, result.cr) == (1, 0.0, 0.0)
    assert result.record()["judgments"][0] == [1.0, 2.0, None]
    with pytest.raises(ProblemsFound, match="a/c is missing"):
        ahp_from_pairs(["a", "b", "c"], {"a/b": 2, "b/c": 2})


def test_judgments_that_do_not_join_are_refused() -> None:
    with pytest.raises(ProblemsFound) as error:
        ahp_from_pairs(list("abcde"), {"a/b": 2, "c/d": 3}, incomplete=True)
    text = str(error.value)
    assert "no judgment joins c, d with the other criteria" in text
    assert "no judgment joins e with the other criteria" in text
    assert "judge one of them against a" in text
    with pytest.raises(ProblemsFound, match="criterion 'c' is in no pair"):
        ahp_from_pairs(list("abc"), {"a/b": 2})


def test_random_index_falls_with_the_gaps() -> None:
    """Ágoston & Csató (2022): RI(n) (1 − 2m / ((n − 1)(n − 2))); a tree cannot contradict."""
    assert random_index(4) == 0.89
    assert random_index(4, missing=1) == pytest.approx(0.89 * 2 / 3)
    assert random_index(4, missing=3) == 0.0
    assert random_index(6, missing=2, table="saaty-1980") == pytest.approx(1.24 * 0.8)
    assert random_index(2) == random_index(1) == 0.0


@settings(deadline=None, max_examples=30)
@given(st.integers(4, 7), st.data())
def test_filling_the_gaps_changes_nothing(n: int, data: st.DataObject) -> None:
    """With w_i / w_j in the gaps, weights and eigenvalue of the full table are the same."""
    table = np.eye(n)
    for i in range(n):
        for j in range(i + 1, n):
            known = j == i + 1 or data.draw(st.booleans())
            table[i, j] = data.draw(SCALE) if known else np.nan
            table[j, i] = 1 / table[i, j]
    names = [f"k{k}" for k in range(n)]
    gappy = ahp(table, names, incomplete=True, limit=math.inf)
    w = np.array(list(gappy.weights.values()))
    full = ahp(np.where(np.isnan(table), w[:, None] / w, table), names, limit=math.inf)
    np.testing.assert_allclose(list(full.weights.values()), w, rtol=1e-7)
    if gappy.random_index > 0:
        assert full.lambda_max == pytest.approx(gappy.lambda_max, abs=1e-7)


# --- groups ---------------------------------------------------------------------------------


def test_a_hierarchy_worked_by_hand() -> None:
    """A is 3 times B: 3/4, 1/4. Within A, a is 4 times b: 4/5, 1/5. B is c alone."""
    found = in_groups(Judgments({"A/B": 3}, {"A": {"a/b": 4}}), {"A": ["a", "b"], "B": ["c"]})
    assert found.weights == pytest.approx({"a": 0.6, "b": 0.15, "c": 0.25})
    assert found.cr == 0.0


def test_consistency_of_a_hierarchy_worked_by_hand() -> None:
    """For 3 × 3, λmax = 1 + t^⅓ + t^−⅓ with t = a12 a23 / a13; here t = 2 in A and 1 in B.

    CI_A = (1.259921 + 0.793701 − 2) / 2 = .026811. A and B weigh 1/2 each, so the hierarchy has
    (½ · .026811) / (½ · .52 + ½ · .52) = .025780.
    """
    found = in_groups(
        Judgments(
            {"A/B": 1},
            {"A": {"a/b": 2, "b/c": 2, "a/c": 2}, "B": {"d/e": 2, "e/f": 3, "d/f": 6}},
        ),
        {"A": list("abc"), "B": list("def")},
    )
    assert isinstance(found, HierarchyResult)
    assert found.within["A"].ci == pytest.approx(0.026811, abs=5e-7)
    assert found.within["A"].cr == pytest.approx(0.051559, abs=2e-6)
    assert found.ci == pytest.approx(0.0134055, abs=5e-7)
    assert found.cr == pytest.approx(0.025780, abs=1e-6)
    assert found.weights["d"] == pytest.approx(0.5 * 0.6)
    assert math.fsum(found.weights.values()) == pytest.approx(1)
    record = found.record()
    assert record["hierarchy"]["cr"] == found.cr
    assert record["within"]["A"]["judgments"][0] == [1, 2, 2]


def test_each_contradiction_names_its_group_and_pair() -> None:
    # a > b > c > a with 3 each: t = 27, λ = 1 + 3 + 1/3; the other groups are consistent
    circle = {"a/b": 3, "b/c": 3, "c/a": 3}
    with pytest.raises(ProblemsFound) as error:
        in_groups(
            Judgments({"A/B": 1, "B/C": 5, "A/C": 1 / 5}, {"A": circle, "B": {"d/e": 2}, "C": {}}),
            {"A": list("abc"), "B": ["d", "e"], "C": ["f"]},
        )
    between, within = error.value.problems
    assert between.where == "weights.pairs"
    assert "judgments between groups contradict each other" in between.what
    assert within.where == "weights.groups.A.pairs"
    assert "judgments in group 'A' contradict each other: consistency ratio CR = 1.2821" in (
        within.what
    )
    assert within.remedy.startswith("mend a/b first: given 3, while the other judgments imply")


def test_groups_hold_every_criterion_once() -> None:
    found = group_problems(
        ["a", "b", "c"], {"A": ["a", "b", "x"], "B": ["b"], "C": []}, where="weights.groups"
    )
    assert [(p.where, p.what) for p in found] == [
        ("weights.groups.A.criteria", "no criterion 'x'"),
        ("weights.groups.B.criteria", "'b' is in group 'A' already"),
        ("weights.groups.C.criteria", "the group is empty"),
        ("weights.groups", "criterion 'c' is in no group"),
    ]


def test_pairs_of_a_group_that_is_not_there() -> None:
    with pytest.raises(ProblemsFound) as error:
        in_groups(
            Judgments({"A/B": 3}, {"A": {"a/b": 12}, "D": {"a/b": 1}}),
            {"A": ["a", "b"], "B": ["c"]},
        )
    text = str(error.value)
    assert "weights.groups.D.pairs: no such group" in text
    with pytest.raises(ProblemsFound, match="1 problems") as lacking:
        tables_of(["a", "b"], Judgments({}), {"A": ["a"]}, rules=AhpRules(), **PLACES)
    assert "criterion 'b' is in no group" in str(lacking.value)
    assert "weights.groups.A.pairs.a/b: is 12, outside the scale 1/9 … 9" in text


# --- judges ---------------------------------------------------------------------------------


def test_judges_are_merged_by_the_geometric_mean() -> None:
    """2 and 8 are 4 together: 4/5, 1/5. With three times the weight on 2: 2^¾ 8^¼ = 2√2."""
    judges = {"p": Judgments({"a/b": 2}), "q": Judgments({"a/b": 8})}
    for merging in ("judgments", "priorities"):
        even = group_ahp(["a", "b"], judges, {}, merging=merging)
        assert even.weights == pytest.approx({"a": 0.8, "b": 0.2})
        uneven = group_ahp(["a", "b"], judges, {}, merging=merging, judge_weights={"p": 3, "q": 1})
        ratio = 2 * math.sqrt(2)
        assert uneven.weights["a"] == pytest.approx(ratio / (1 + ratio))
        assert uneven.shares == {"p": 0.75, "q": 0.25}
    assert even.record()["merging"].endswith("(AIP)")
    assert set(even.record()["judges"]) == {"p", "q"}


def test_the_two_ways_of_merging_differ_where_judges_contradict_themselves() -> None:
    names = ["a", "b", "c", "d"]
    pairs = [
        {"a/b": 2, "a/c": 4, "a/d": 9, "b/c": 3, "b/d": 5, "c/d": 2},
        {"a/b": 1, "a/c": 2, "a/d": 3, "b/c": 2, "b/d": 5, "c/d": 2},
    ]
    judges = {f"j{k}": Judgments(p) for k, p in enumerate(pairs)}
    aij = group_ahp(names, judges, {}, merging="judgments")
    aip = group_ahp(names, judges, {}, merging="priorities")
    each = [ahp_from_pairs(names, p) for p in pairs]
    by_hand = np.sqrt(np.prod([list(e.weights.values()) for e in each], axis=0))
    assert list(aip.weights.values()) == pytest.approx(by_hand / by_hand.sum(), abs=1e-14)
    merged = ahp_from_pairs(names, {k: math.sqrt(pairs[0][k] * pairs[1][k]) for k in pairs[0]})
    assert aij.weights == pytest.approx(merged.weights, abs=1e-12)
    assert aij.merged is not None
    assert aij.merged.cr == pytest.approx(merged.cr, abs=1e-12)
    assert max(abs(aij.weights[n] - aip.weights[n]) for n in names) > 1e-5
    assert {n: found.cr for n, found in aij.judges.items()} == pytest.approx(
        {"j0": each[0].cr, "j1": each[1].cr}
    )


def test_a_contradiction_names_the_judge_and_the_group() -> None:
    good = Judgments({"A/B": 2}, {"A": {"a/b": 2, "b/c": 2, "a/c": 4}})
    bad = Judgments({"A/B": 2}, {"A": {"a/b": 3, "b/c": 3, "c/a": 3}})
    groups = {"A": list("abc"), "B": ["d"]}
    with pytest.raises(ProblemsFound) as error:
        group_ahp(list("abcd"), {"good": good, "bad": bad}, groups)
    (problem,) = error.value.problems
    assert problem.where == "weights.judges.bad.within.A"
    assert "in group 'A' of judge 'bad' contradict each other" in problem.what
    assert "mend " in problem.remedy


def test_the_gate_may_stand_at_the_merged_judgments_alone() -> None:
    bad = Judgments({"a/b": 4, "b/c": 2, "a/c": 2})  # t = 4: CR .2 on its own
    good = Judgments({"a/b": 2, "b/c": 2, "a/c": 4})
    judges = {"bad": bad, "g1": good, "g2": good}
    with pytest.raises(ProblemsFound, match="1 problems"):
        group_ahp(list("abc"), judges, {})
    found = group_ahp(list("abc"), judges, {}, gate="group")
    assert found.judges["bad"].cr > 0.10
    assert found.merged is not None
    assert found.merged.cr < 0.10
    with pytest.raises((ProblemsFound, RangeError), match="contradict"):
        group_ahp(list("abc"), {"b1": bad, "b2": bad}, {}, gate="group")


def test_judges_must_weigh_something() -> None:
    with pytest.raises(RangeError, match="above 0"):
        group_ahp(["a", "b"], {"p": Judgments({"a/b": 2})}, {}, judge_weights={"p": 0})
    with pytest.raises(RangeError, match="there is no judge"):
        group_ahp(["a", "b"], {}, {})


def test_a_pair_that_one_judge_left_out_is_the_others() -> None:
    one = np.array([[1, 2, np.nan], [0.5, 1, 2], [np.nan, 0.5, 1]])
    other = np.array([[1, 8, 9], [1 / 8, 1, 2], [1 / 9, 0.5, 1]])
    merged = merged_table([one, other], [0.5, 0.5])
    assert merged[0, 1] == pytest.approx(4)
    assert merged[0, 2] == pytest.approx(9)
    assert np.isnan(merged_table([one], [1.0])[0, 2])


@st.composite
def vectors(draw: st.DrawFn) -> list[list[float]]:
    n, k = draw(st.integers(2, 6)), draw(st.integers(1, 4))
    weight = st.floats(0.2, 1.0)
    return [draw(st.lists(weight, min_size=n, max_size=n)) for _ in range(k)]


@settings(deadline=None, max_examples=40)
@given(vectors())
def test_consistent_judges_merge_alike_either_way(all_w: list[list[float]]) -> None:
    names = [f"k{k}" for k in range(len(all_w[0]))]
    tables = [np.array(w)[:, None] / np.array(w) for w in all_w]
    shares = [1 / len(all_w)] * len(all_w)
    merged = merged_table(tables, shares)
    np.testing.assert_allclose(merged * merged.T, 1, rtol=1e-12)  # reciprocal
    aij = ahp(merged, names)
    aip = merged_priorities([ahp(t, names).weights for t in tables], shares)
    assert aij.weights == pytest.approx(aip, rel=1e-9)


@settings(deadline=None, max_examples=30)
@given(st.integers(3, 6), st.data())
def test_a_pair_may_be_given_either_way_round(n: int, data: st.DataObject) -> None:
    names = [f"k{k}" for k in range(n)]
    pairs, turned = {}, {}
    for i in range(n):
        for j in range(i + 1, n):
            x = data.draw(SCALE)
            pairs[f"k{i}/k{j}"] = x
            turned[f"k{j}/k{i}"] = 1 / x
    a = ahp_from_pairs(names, pairs, limit=math.inf)
    b = ahp_from_pairs(names, turned, limit=math.inf)
    assert a.weights == pytest.approx(b.weights, rel=1e-12)
    assert a.cr == pytest.approx(b.cr, abs=1e-9)
