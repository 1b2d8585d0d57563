"""The composite index, on numbers that are worked by hand, and its laws."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.catalogue.composite import (
    CompositeIndicator,
    CompositeSpec,
    OutlierSpec,
    composite_named,
    composite_specs,
    read_composite,
)
from geoplan.catalogue.text import Text
from geoplan.errors import ProblemsFound, RangeError, UnknownName
from geoplan.regions.composite import CompositeResult, composite_of_facts
from geoplan.regions.index_draws import importance, ranked
from geoplan.regions.index_score import aggregated
from geoplan.regions.index_weights import components, index_weights, varimax, weights_of_loadings
from geoplan.regions.normalise import goalposts, normalised
from geoplan.regions.outliers import changes, treat

NAN = math.nan


def indicator(name: str, **more: Any) -> CompositeIndicator:
    given = {
        "id": name, "title": Text(en=name), "formula": name, "level": 1, "unit": "1",
        "source": "test", "as_of": "2016",
    }  # fmt: skip
    return CompositeIndicator.model_validate({**given, **more})


def spec_of(*indicators: CompositeIndicator, **more: Any) -> CompositeSpec:
    given = {
        "id": "test", "title": Text(en="test"), "profile": "none", "level": 1,
        "indicators": indicators,
        "draws": {"draws": 60, "outliers": ["none"], "weightings": ["equal", "expert"]},
    }  # fmt: skip
    return CompositeSpec.model_validate({**given, **more})


def regions_of(codes: list[str], *, level: int = 1, parents: Any = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "code": codes,
            "parent_code": parents if parents is not None else [None] * len(codes),
            "level": level,
            "name_en": codes,
            "name_local": codes,
        }
    )


def facts_of(columns: dict[str, list[float]], codes: list[str], *, level: int = 1) -> pd.DataFrame:
    rows = [
        (level, code, name, value, "1", "2016", "test")
        for name, values in columns.items()
        for code, value in zip(codes, values, strict=True)
        if not math.isnan(value)
    ]
    names = ["level", "region_code", "variable", "value", "unit", "as_of", "source"]
    return pd.DataFrame(rows, columns=names)


def run(spec: CompositeSpec, columns: dict[str, list[float]]) -> CompositeResult:
    codes = [f"{i:02d}" for i in range(len(next(iter(columns.values()))))]
    return composite_of_facts(spec, regions=regions_of(codes), facts=facts_of(columns, codes))


class TestNormalisation:
    MORE = np.array([True])

    def test_goalposts_of_the_published_example(self) -> None:
        # COINr, tests of n_goalposts: (1; [0, 10]) = .1, 11 → 1, −1 → 0; reversed 1 → .9
        assert goalposts([1, 11, -1], 0, 10).tolist() == [0.1, 1.0, 0.0]
        assert goalposts([1], 0, 10, reverse=True).tolist() == [0.9]

    def scaled(self, values: list[float], method: Any, **more: Any) -> list[float]:
        table = np.array(values)[:, None]
        more.setdefault("more", self.MORE)
        return normalised(table, method, names=["x"], **more)[:, 0].tolist()

    def test_each_scale_by_hand(self) -> None:
        assert self.scaled([2, 4, 10], "minmax") == [0.0, 0.25, 1.0]
        # mean 4, variance (4 + 4 + 16 + 0·…) of 2, 2, 8, 4: (4 + 4 + 16 + 0) / 4 = 6
        assert self.scaled([2, 2, 8, 4], "zscore") == pytest.approx(
            [-2 / 6**0.5, -2 / 6**0.5, 4 / 6**0.5, 0.0]
        )
        # ranks 1.5, 1.5, 4, 3 of 4
        assert self.scaled([2, 2, 8, 4], "rank") == pytest.approx([1 / 6, 1 / 6, 1.0, 2 / 3])
        # worst 2, target 6: 0, .5, and 10 is beyond the target
        assert self.scaled([2, 4, 10], "target", targets=np.array([6.0])) == [0.0, 0.5, 1.0]

    def test_less_turns_every_scale_round(self) -> None:
        less = np.array([False])
        assert self.scaled([2, 4, 10], "minmax", more=less) == [1.0, 0.75, 0.0]
        assert self.scaled([2, 2, 8, 4], "rank", more=less)[2] == 0.0
        assert self.scaled([1, 3], "zscore", more=less) == [1.0, -1.0]
        posts = np.array([[0.0], [10.0]])
        assert self.scaled([1, 11], "goalposts", more=less, bounds=posts) == [0.9, 0.0]
        # worst is 10, target 4: (6 − 10) / (4 − 10) = 2/3
        got = self.scaled([2, 6, 10], "target", more=less, targets=np.array([4.0]))
        assert got == pytest.approx([1.0, 2 / 3, 0.0])

    @pytest.mark.parametrize("method", ["minmax", "zscore", "rank", "target"])
    def test_missing_stays_missing_and_constant_is_named(self, method: Any) -> None:
        targets = np.array([9.0])
        assert math.isnan(self.scaled([1, NAN, 3], method, targets=targets)[1])
        with pytest.raises(ProblemsFound) as error:
            self.scaled([7, 7, NAN], method, targets=targets)
        assert error.value.problems[0].code == "indicator-constant"
        assert "7 in all 2 regions" in str(error.value) and "'x'" in str(error.value)

    def test_a_target_that_all_have_reached_is_refused(self) -> None:
        with pytest.raises(ProblemsFound, match="reached by every region"):
            self.scaled([5, 6], "target", targets=np.array([4.0]))


class TestOutliers:
    def test_winsorising_by_hand(self) -> None:
        # 11 values 0 … 9 and 100: the 10 % quantile is 1, the 90 % one is 9
        values = np.array([*range(10), 100.0])[:, None]
        rule = OutlierSpec(rule="winsorise", quantiles=(0.1, 0.9))
        got = treat(values, rule, ["x"])
        assert got.values[:, 0].tolist() == [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]
        told = changes(values, got, [f"{i:02d}" for i in range(11)], ["x"])
        assert told[["code", "before", "after"]].to_numpy().tolist() == [
            ["00", 0.0, 1.0], ["10", 100.0, 9.0],
        ]  # fmt: skip

    def test_fences_by_hand(self) -> None:
        # quartiles of 1, 2, 3, 4, 100 are 2 and 4: fences −1 and 7
        values = np.array([1, 2, 3, 4, 100.0])[:, None]
        got = treat(values, OutlierSpec(rule="iqr"), ["x"])
        assert got.values[:, 0].tolist() == [1, 2, 3, 4, 7]
        assert (got.low[0], got.high[0]) == (-1.0, 7.0)

    def test_a_rule_that_would_erase_all_differences_spares_the_indicator(self) -> None:
        # steel: most regions have none, so that both quartiles are 0
        values = np.array([0, 0, 0, 0, 0, 9.0])[:, None]
        got = treat(values, OutlierSpec(rule="iqr"), ["steel"])
        assert got.spared.tolist() == [True]
        assert got.values.tolist() == values.tolist()
        assert changes(values, got, list("abcdef"), ["steel"]).empty

    def test_logarithm_reports_each_value_and_refuses_negatives(self) -> None:
        values = np.array([[0.0, -1.0], [math.e - 1, 2.0], [NAN, 3.0]])
        with pytest.raises(ProblemsFound) as error:
            treat(values, OutlierSpec(rule="log1p"), ["a", "b"])
        assert [p.where for p in error.value.problems] == ["indicator 'b'"]
        got = treat(values[:, :1], OutlierSpec(rule="log1p"), ["a"])
        assert got.values[:2, 0] == pytest.approx([0.0, 1.0]) and math.isnan(got.values[2, 0])
        assert len(changes(values[:, :1], got, ["a", "b", "c"], ["a"])) == 1


class TestWeights:
    def test_two_blocks_of_correlated_indicators(self) -> None:
        # correlations .8 within {a, b}, .6 within {c, d}, 0 across: eigenvalues 1.8, 1.6, .4, .2;
        # squared loadings .9, .9, .8, .8, so weights .9/3.4 and .8/3.4
        correlation = np.array([[1, 0.8, 0, 0], [0.8, 1, 0, 0], [0, 0, 1, 0.6], [0, 0, 0.6, 1]])
        rng = np.random.default_rng(0)
        free, _ = np.linalg.qr(np.column_stack([np.ones(20), rng.standard_normal((20, 4))]))
        values = free[:, 1:] @ np.linalg.cholesky(correlation).T  # exactly this correlation
        found = components(values, list("abcd"))
        assert found.eigenvalues == pytest.approx([1.8, 1.6, 0.4, 0.2])
        weights = index_weights("pca", values, list("abcd"), np.ones(4))
        assert weights == pytest.approx([0.9 / 3.4, 0.9 / 3.4, 0.8 / 3.4, 0.8 / 3.4])
        # the first component sees the first block alone
        first = index_weights("pca-first", values, list("abcd"), np.ones(4))
        assert first == pytest.approx([0.5, 0.5, 0, 0], abs=1e-12)

    def test_varimax_finds_the_simple_structure_again(self) -> None:
        simple = np.array([[0.9, 0], [0.8, 0], [0, 0.7], [0, 0.6]])
        turn = math.radians(25)
        mixed = simple @ [[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]]
        again = varimax(mixed)
        assert np.sort(np.abs(again), axis=1) == pytest.approx(np.sort(simple, axis=1), abs=1e-9)
        assert (again**2).sum(axis=1) == pytest.approx((mixed**2).sum(axis=1))

    def test_weights_of_loadings_by_hand(self) -> None:
        # squares .64 | .36 and .16 | .49: largest .64, .36, .49 of 1.49
        rotated = np.array([[0.8, 0.1], [-0.6, 0.4], [0.0, 0.7]])
        assert weights_of_loadings(rotated) == pytest.approx(
            [0.64 / 1.49, 0.36 / 1.49, 0.49 / 1.49]
        )

    def test_entropy_is_that_of_the_shared_method(self) -> None:
        # shares (1, 0) have entropy 0, shares (1/2, 1/2) would be 1: (0, 1, 1) has ln 2 / ln 3
        values = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
        got = index_weights("entropy", values, ["a", "b"], np.ones(2))
        spread = np.array([1.0, 1.0 - math.log(2) / math.log(3)])
        assert got == pytest.approx(spread / spread.sum())

    def test_too_few_complete_regions_are_refused(self) -> None:
        values = np.array([[0, 1.0], [1, NAN], [0.5, NAN], [0.2, 0.3]])
        with pytest.raises(RangeError, match="'b' is missing most often"):
            index_weights("pca", values, ["a", "b"], np.ones(2))


class TestAggregation:
    WEIGHTS = np.array([[0.25], [0.75]])

    def test_means_by_hand(self) -> None:
        scaled = np.array([[0.4, 0.8], [0.0, 1.0], [NAN, 0.6], [NAN, NAN]])
        got = aggregated(scaled, self.WEIGHTS, "arithmetic")[:, 0]
        assert got[:3] == pytest.approx([0.7, 0.75, 0.6]) and math.isnan(got[3])
        got = aggregated(scaled, self.WEIGHTS, "geometric", shift=0.01)[:, 0]
        assert got[0] == pytest.approx(0.41**0.25 * 0.81**0.75 - 0.01)
        assert got[1] == pytest.approx(0.01**0.25 * 1.01**0.75 - 0.01)
        assert got[2] == pytest.approx(0.6)

    def test_ends_stay_ends(self) -> None:
        ends = np.array([[0.0, 0.0], [1.0, 1.0]])
        assert aggregated(ends, self.WEIGHTS, "geometric")[:, 0] == pytest.approx([0, 1])

    def test_a_value_without_logarithm_is_refused(self) -> None:
        with pytest.raises(RangeError, match="has no logarithm"):
            aggregated(np.array([[-1.0, 1.0]]), self.WEIGHTS, "geometric")


class TestIndex:
    A, B = indicator("a", weight=3), indicator("b", weight=1, direction="less")

    def test_index_ranks_and_detail_by_hand(self) -> None:
        # a: 0, .5, 1; b turned round: 1, 0, .5; weights .75 and .25
        got = run(spec_of(self.A, self.B), {"a": [0, 5, 10], "b": [1, 3, 2]})
        assert got.frame["index"].tolist() == pytest.approx([0.25, 0.375, 0.875])
        assert got.frame["rank"].tolist() == [3, 2, 1]
        assert got.frame["less_industrialised"].tolist() == [True, False, False]
        assert got.detail["normalised"].tolist() == pytest.approx([0, 1, 0.5, 0, 1, 0.5])
        assert "0.750 a, 0.250 b" in got.formula

    def test_missing_is_never_zero_and_too_little_is_said(self) -> None:
        spec = spec_of(self.A, self.B)
        got = run(spec, {"a": [0, 5, 10, NAN], "b": [1, NAN, 2, 3]})
        # region 01 has three quarters of the weight, all on a = .5; 03 has one quarter
        assert got.frame["index"]["01"] == 0.5
        assert got.frame["coverage"].tolist() == [1.0, 0.75, 1.0, 0.25]
        assert got.frame["status"].tolist() == ["indexed"] * 3 + ["too-little-data"]
        assert math.isnan(got.frame["index"]["03"]) and pd.isna(got.frame["rank"]["03"])
        assert pd.isna(got.frame["less_industrialised"]["03"])
        assert got.frame["missing"].tolist() == [[], ["b"], [], ["a"]]
        assert "03" not in got.draws.frame.index
        # TOPSIS knows no missing value: only complete regions have one
        assert got.frame["topsis"].notna().tolist() == [True, False, True, False]
        assert got.frame["topsis_rank"]["02"] == 1

    def test_imputing_only_by_name_and_marked(self) -> None:
        spec = spec_of(self.A, self.B, missing={"rule": "peer-median", "peers": "all"})
        got = run(spec, {"a": [0, 4, 10, NAN], "b": [1, 2, 2, 3]})
        row = got.detail[(got.detail["code"] == "03") & (got.detail["indicator"] == "a")]
        assert row["value"].item() == 4.0 and row["origin"].item() == "imputed"
        assert got.frame["imputed"].tolist() == [[], [], [], ["a"]]
        assert got.frame["status"]["03"] == "indexed"

    def test_topsis_by_hand(self) -> None:
        # equal weights, min_max: normalised (0, 1), (1, 0), (1, 1): ideal (1, 1)
        spec = spec_of(indicator("a"), indicator("b"), topsis="min_max")
        got = run(spec, {"a": [0, 5, 5], "b": [9, 1, 9]})
        assert got.frame["topsis"].tolist() == pytest.approx([0.5, 0.5, 1.0])

    def test_a_denominator_of_zero_leaves_the_indicator_unknown(self) -> None:
        rate = indicator("r", formula="x / people * 100", denominator=["people"])
        spec = spec_of(rate, indicator("y"), missing={"coverage_min": 0.5})
        got = run(spec, {"x": [1, 2, 3], "people": [10, 0, 10], "y": [1, 2, 3]})
        assert got.detail[got.detail["indicator"] == "r"]["value"].tolist()[::2] == [10.0, 30.0]
        assert got.frame["missing"]["01"] == ["r"]


class TestLevels:
    REGIONS = pd.concat(
        [regions_of(["01", "02"]), regions_of(["0101", "0102", "0201"], level=2,
                                             parents=["01", "01", "02"])],
        ignore_index=True,
    )  # fmt: skip
    FACTS = pd.concat(
        [
            facts_of({"plants": [8, 3]}, ["01", "02"]),
            facts_of({"jobs": [10, 30, 5], "people": [100, 100, 100]}, ["0101", "0102", "0201"],
                     level=2),
        ],
        ignore_index=True,
    )  # fmt: skip
    PLANTS = indicator("plants")
    JOBS = indicator("j", formula="jobs / people", denominator=["people"], level=2)

    def test_nothing_is_handed_down_or_summed_without_being_asked(self) -> None:
        for level, code in ((2, "coarser-indicator"), (1, "finer-indicator")):
            with pytest.raises(ProblemsFound) as error:
                composite_of_facts(
                    spec_of(self.PLANTS, self.JOBS, level=level),
                    regions=self.REGIONS, facts=self.FACTS,
                )  # fmt: skip
            assert [p.code for p in error.value.problems] == [code]

    def test_handed_down_figures_are_marked(self) -> None:
        plants = indicator("plants", hand_down=True)
        got = composite_of_facts(
            spec_of(plants, self.JOBS, level=2), regions=self.REGIONS, facts=self.FACTS
        )
        own = got.detail[got.detail["indicator"] == "plants"]
        assert own["value"].tolist() == [8, 8, 3]
        assert got.frame["handed_down"].tolist() == [["plants"]] * 3
        assert got.frame["handed_down_share"].tolist() == [0.5] * 3

    def test_amounts_are_summed_before_the_formula(self) -> None:
        jobs = self.JOBS.model_copy(update={"sum_up": True})
        got = composite_of_facts(spec_of(self.PLANTS, jobs), regions=self.REGIONS, facts=self.FACTS)
        own = got.detail[got.detail["indicator"] == "j"]
        assert own["value"].tolist() == [40 / 200, 5 / 100]
        assert own["origin"].unique().tolist() == ["summed"]

    def test_a_sum_over_an_unknown_part_is_unknown(self) -> None:
        jobs = self.JOBS.model_copy(update={"sum_up": True})
        facts = self.FACTS[
            ~((self.FACTS["variable"] == "jobs") & (self.FACTS["region_code"] == "0102"))
        ]
        three = pd.concat([self.REGIONS, regions_of(["03"]), regions_of(["0301"], level=2,
                           parents=["03"])], ignore_index=True)  # fmt: skip
        more = pd.concat(
            [facts, facts_of({"jobs": [7], "people": [10]}, ["0301"], level=2)], ignore_index=True
        )
        spec = spec_of(self.PLANTS, jobs, missing={"coverage_min": 0.5})
        got = composite_of_facts(spec, regions=three, facts=more)
        assert got.frame["missing"].tolist() == [["j"], [], ["plants"]]


class TestDraws:
    def test_the_same_seed_gives_the_same_draws_and_another_does_not(self) -> None:
        columns = {"a": [0, 3, 10, 4, 8], "b": [5, 3, 2, 9, 1], "c": [1, 0, 3, 3, 7]}
        three = [indicator(n) for n in "abc"]
        one, two = (run(spec_of(*three), columns).draws for _ in range(2))
        assert np.array_equal(one.ranks, two.ranks) and one.methods.equals(two.methods)
        other = run(spec_of(*three, draws={"draws": 60, "seed": 1}), columns).draws
        assert not other.methods.equals(one.methods)

    def test_choices_occur_equally_often(self) -> None:
        got = run(spec_of(indicator("a"), indicator("b")), {"a": [0, 3, 10], "b": [5, 3, 2]})
        counts = got.draws.methods["normalisation"].value_counts()
        assert counts.between(19, 21).all() and len(got.draws.methods) == 60

    def test_what_a_drawn_rule_leaves_alone_is_named(self) -> None:
        spec = spec_of(indicator("a"), indicator("steel"), draws={"draws": 10})
        columns = {"a": [1, 2, 3, 4, 5, 6], "steel": [0, 0, 0, 0, 0, 9]}
        assert run(spec, columns).draws.spared == {"iqr": ("steel",)}

    def test_importance_by_hand(self) -> None:
        # two regions that change places with the first factor, and never with the second
        methods = pd.DataFrame({"first": list("xxyy") * 5, "second": list("uvuv") * 5})
        swapped = (methods["first"] == "x").to_numpy()
        ranks = np.array([np.where(swapped, 1, 2), np.where(swapped, 2, 1)])
        got = importance(ranks, methods).set_index("factor")["share"]
        assert got.to_dict() == {"first": 1.0, "second": 0.0, "rest": 0.0}
        assert importance(np.ones((2, 20), int), methods)["share"].isna().all()

    def test_ties_share_the_better_rank(self) -> None:
        assert ranked(np.array([0.5, 0.9, 0.5 + 1e-15, 0.1])).tolist() == [2, 1, 2, 4]

    def test_a_region_that_leads_everywhere_is_firm(self) -> None:
        columns = {"a": [9, 1, 5, 2], "b": [9, 5, 1, 2]}
        spec = spec_of(indicator("a"), indicator("b"), draws={"draws": 100, "weightings": ["equal",
                       "expert"]})  # fmt: skip
        got = run(spec, columns).draws.frame
        assert got.loc["00", ["rank_least", "rank_most", "share_less"]].tolist() == [1, 1, 0.0]
        assert bool(got["firm"]["00"]) and got["verdict"]["00"] == "not-less-industrialised"


TABLES = st.lists(
    st.tuples(*[st.integers(0, 50)] * 3), min_size=4, max_size=9, unique_by=lambda r: r[0]
).filter(lambda rows: all(len({r[k] for r in rows}) > 2 for k in range(3)))


def columns_of_rows(rows: list[tuple[int, ...]]) -> dict[str, list[float]]:
    return {name: [float(r[k]) for r in rows] for k, name in enumerate("abc")}


class TestLaws:
    THREE = tuple(indicator(n, weight=w) for n, w in zip("abc", (3, 2, 1), strict=True))

    @settings(max_examples=8, derandomize=True, deadline=None)
    @given(TABLES)
    def test_the_own_rank_is_among_the_draws(self, rows: list[tuple[int, ...]]) -> None:
        got = run(spec_of(*self.THREE), columns_of_rows(rows)).frame
        assert (got["rank_least"] <= got["rank"]).all()
        assert (got["rank"] <= got["rank_most"]).all()
        assert (got["rank_low"] <= got["rank_median"]).all()
        assert (got["rank_median"] <= got["rank_high"]).all()

    @settings(max_examples=6, derandomize=True, deadline=None)
    @given(TABLES)
    def test_with_one_choice_the_interval_is_the_rank(self, rows: list[tuple[int, ...]]) -> None:
        one = {
            "draws": 5, "outliers": ["none"], "normalisations": ["minmax"],
            "weightings": ["equal"], "aggregations": ["arithmetic"],
        }  # fmt: skip
        got = run(spec_of(*self.THREE, weighting="equal", draws=one), columns_of_rows(rows)).frame
        assert got["rank_low"].tolist() == got["rank_high"].tolist() == got["rank"].tolist()

    @settings(max_examples=8, derandomize=True, deadline=None)
    @given(TABLES, st.integers(0, 8), st.integers(1, 30), st.sampled_from(["minmax", "rank"]))
    def test_more_never_lowers_a_rank(
        self, rows: list[tuple[int, ...]], which: int, more: int, how: str
    ) -> None:
        which %= len(rows)
        spec = spec_of(*self.THREE, normalisation=how, draws={"draws": 1})
        columns = columns_of_rows(rows)
        before = run(spec, columns).frame["rank"].iloc[which]
        columns["a"][which] += more
        if len(set(columns["a"])) > 1:
            assert run(spec, columns).frame["rank"].iloc[which] <= before

    @settings(max_examples=8, derandomize=True, deadline=None)
    @given(
        TABLES,
        st.sampled_from([0.5, 4.0, 1024.0]),
        st.sampled_from(["minmax", "zscore", "rank"]),
        st.sampled_from(["none", "winsorise", "iqr"]),
    )
    def test_units_do_not_matter(
        self, rows: list[tuple[int, ...]], factor: float, how: str, rule: str
    ) -> None:
        spec = spec_of(*self.THREE, normalisation=how, outliers={"rule": rule}, draws={"draws": 1})
        columns = columns_of_rows(rows)
        first = run(spec, columns).frame
        columns["b"] = [factor * v for v in columns["b"]]
        second = run(spec, columns).frame
        assert second["index"].to_numpy() == pytest.approx(first["index"].to_numpy())
        assert second["topsis"].to_numpy() == pytest.approx(first["topsis"].to_numpy())


class TestFiles:
    def test_bundled_indices_are_read(self) -> None:
        assert {"iran_industrialisation", "sample_industrialisation"} <= set(composite_specs())
        for path in composite_specs().values():
            spec = read_composite(path)
            assert spec.id == path.stem
            assert all(i.title.fa for i in spec.indicators)

    def test_an_unknown_index_is_named_with_the_nearest(self) -> None:
        with pytest.raises(UnknownName) as error:
            composite_named("iran_industrialization")
        assert "did you mean 'iran_industrialisation'?" in error.value.remedy

    def test_all_problems_of_a_file_at_once(self, tmp_path: Path) -> None:
        file = tmp_path / "bad.yaml"
        file.write_text(
            "id: bad\ntitle: {en: bad}\nprofile: iran\nlevel: 1\nnormalization: rank\n"
            "indicators:\n"
            "  - {id: a, title: {en: a}, formula: 'x / y', denominator: [z], level: 1, unit: '1',"
            " source: s, as_of: '2016'}\n"
            "  - {id: b, title: {en: b}, formula: 'x +', level: 1, unit: '1', source: s,"
            " as_of: '2016', goalposts: [5, 1]}\n",
            encoding="utf-8",
        )
        with pytest.raises(ProblemsFound) as error:
            read_composite(file)
        text = str(error.value)
        assert "did you mean 'normalisation'?" in text
        assert "denominator z of 'a' is not in its formula" in text
        assert "goalposts 5 and 1 of 'b'" in text

    def test_goalposts_go_through_the_logarithm_with_the_values(self) -> None:
        # ln(1 + 3) / ln(1 + 15) = 2 ln 2 / 4 ln 2
        marks = [indicator(n, goalposts=[0, 15]) for n in "ab"]
        one = {"draws": 1}
        rules = {"normalisation": "goalposts", "outliers": {"rule": "log1p"}, "draws": one}
        got = run(spec_of(*marks, **rules), {"a": [3, 0, 15], "b": [3, 0, 15]})
        assert got.frame["index"].tolist() == pytest.approx([0.5, 0.0, 1.0])
        below = indicator("a", goalposts=[-1, 15])
        with pytest.raises(RangeError, match="log1p of the goalposts of a"):
            run(spec_of(below, marks[1], **rules), {"a": [3, 0, 15], "b": [3, 0, 15]})

    def test_a_scale_that_indicators_lack_is_refused(self) -> None:
        with pytest.raises(ValueError, match="'goalposts' needs 'goalposts' of a, b"):
            spec_of(indicator("a"), indicator("b"), normalisation="goalposts")
