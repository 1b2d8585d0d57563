"""The industrialisation index, on numbers that are worked by hand."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.catalogue.profile import IndexSpec, Indicator
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError, UnknownName
from geoplan.regions import (
    ancestors,
    coarser,
    industrialisation,
    measure_indicator,
    orphans,
)
from geoplan.regions.industrialisation import normalise

REGIONS = pd.DataFrame(
    {
        "code": ["A", "B", "a1", "a2", "b1"],
        "parent_code": [None, None, "A", "A", "B"],
        "level": [1, 1, 2, 2, 2],
    }
)
FACTS = pd.DataFrame(
    [
        (1, "A", "workshops", 30.0, "2015", "yearbook"),
        (1, "B", "workshops", 10.0, "2015", "yearbook"),
        (1, "A", "pop", 1000.0, "2016", "census"),
        (1, "B", "pop", 1000.0, "2016", "census"),
        (2, "a1", "people", 600.0, "2016", "census"),
        (2, "a2", "people", 400.0, "2016", "census"),
    ],
    columns=["level", "region_code", "variable", "value", "as_of", "source"],
)


def indicator(name: str, weight: float, **more: object) -> Indicator:
    return Indicator(id=name, title=Text(en=name), unit="1", weight=weight, basis="test", **more)  # type: ignore[arg-type]


def test_a_coarse_fact_is_handed_down_and_divided() -> None:
    spec = indicator("w", 1, level=1, variable="workshops", per="pop", per_unit=100)
    got = measure_indicator(spec, regions=REGIONS, index_level=2, facts=FACTS)
    assert got["value"].to_dict() == {"a1": 3.0, "a2": 3.0, "b1": 1.0}
    assert got["as_of"].tolist() == ["2015"] * 3


def test_a_layer_counts_zero_but_a_fact_stays_unknown() -> None:
    plants = gpd.GeoDataFrame({"region_code": ["a1", "a1", None], "mw": [5.0, 7.0, 9.0]})
    count = indicator("n", 1, level=2, layer="plants")
    got = measure_indicator(count, regions=REGIONS, index_level=2, facts=FACTS, features=plants)
    assert got["value"].to_dict() == {"a1": 2.0, "a2": 0.0, "b1": 0.0}
    large = indicator("s", 1, level=2, layer="plants", where="mw > 6", value="mw", per="people")
    got = measure_indicator(large, regions=REGIONS, index_level=2, facts=FACTS, features=plants)
    assert got["value"]["a1"] == pytest.approx(7 / 600)
    assert got["value"]["a2"] == 0.0
    assert np.isnan(got["value"]["b1"])


def test_index_by_hand() -> None:
    spec = IndexSpec(
        level=2,
        normalisation="minmax",
        coverage_min=0.5,
        indicators=(
            indicator("w", 3, level=1, variable="workshops"),
            indicator("p", 1, level=2, variable="people"),
        ),
    )
    measured = {
        i.id: measure_indicator(i, regions=REGIONS, index_level=2, facts=FACTS)
        for i in spec.indicators
    }
    codes = pd.Index(["a1", "a2", "b1"])
    got = industrialisation(spec, measured, codes)
    # w: 30, 30, 10 → 1, 1, 0; p: 600, 400, unknown → 1, 0, –; weights 3/4 and 1/4.
    assert got.frame["industrialisation"].tolist() == pytest.approx([1.0, 0.75, 0.0])
    assert got.frame["coverage"].tolist() == pytest.approx([1.0, 1.0, 0.75])
    assert got.frame["rank"].tolist() == [1, 2, 3]
    # the median of 0, 0.75, 1 is 0.75: only b1 lies below it
    assert got.frame["less_industrialised"].tolist() == [False, False, True]
    assert "0.75·n(w)" in got.formula
    assert set(got.detail["as_of"].dropna()) == {"2015", "2016"}


def test_too_little_data_leaves_the_index_empty() -> None:
    spec = IndexSpec(
        level=2,
        normalisation="minmax",
        coverage_min=0.8,
        indicators=(
            indicator("w", 3, level=1, variable="workshops"),
            indicator("p", 1, level=2, variable="people"),
        ),
    )
    measured = {
        i.id: measure_indicator(i, regions=REGIONS, index_level=2, facts=FACTS)
        for i in spec.indicators
    }
    got = industrialisation(spec, measured, pd.Index(["a1", "a2", "b1"]))
    assert np.isnan(got.frame.loc["b1", "industrialisation"])
    assert np.isnan(got.frame.loc["b1", "rank"])
    assert got.frame["less_industrialised"].isna().tolist() == [False, False, True]


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30), st.sampled_from(["rank", "minmax"]))
def test_normalised_values_keep_order_and_bounds(values: list[float], method: str) -> None:
    series = pd.Series(values)
    got = normalise(series, method=method, direction="more")
    if series.nunique() < 2:
        assert got.isna().all()
        return
    assert got.min() >= -1e-12
    assert got.max() <= 1 + 1e-12
    order = np.argsort(values, kind="stable")
    assert (np.diff(got.to_numpy()[order]) >= -1e-12).all()
    flipped = normalise(series, method=method, direction="less")
    assert np.allclose(flipped, 1 - got)


def test_a_constant_indicator_carries_no_information() -> None:
    assert normalise(pd.Series([2.0, 2.0, np.nan]), method="rank", direction="more").isna().all()


def test_unknown_facts_and_doubled_facts_are_told() -> None:
    spec = indicator("x", 1, level=1, variable="gdp")
    with pytest.raises(UnknownName, match="gdp") as error:
        measure_indicator(spec, regions=REGIONS, index_level=2, facts=FACTS)
    assert "workshops" in error.value.remedy
    twice = pd.concat([FACTS, FACTS.head(1)])
    with pytest.raises(RangeError, match="twice for region A"):
        measure_indicator(
            indicator("w", 1, level=1, variable="workshops"),
            regions=REGIONS, index_level=2, facts=twice,
        )  # fmt: skip


def test_a_lost_parent_leaves_the_ancestor_missing_and_is_listed() -> None:
    broken = REGIONS.assign(parent_code=[None, None, "A", "Z", "B"])
    up = ancestors(broken, 2)
    assert up[1].isna().tolist() == [False, True, False]
    assert orphans(broken)["code"].tolist() == ["a2"]
    assert orphans(REGIONS).empty
    with pytest.raises(UnknownName, match="level 3"):
        ancestors(REGIONS, 3)


def test_a_coarse_region_is_the_population_weighted_mean_of_its_parts() -> None:
    regions = REGIONS.assign(population=[None, None, 300.0, 100.0, 50.0])
    spec = IndexSpec(
        level=2, coverage_min=0.5, indicators=(indicator("w", 1, level=2, variable="x"),)
    )
    index = pd.DataFrame(
        {"industrialisation": [0.8, 0.4, np.nan], "coverage": [1.0, 0.8, 0.2]},
        index=pd.Index(["a1", "a2", "b1"], name="code"),
    )
    got = coarser(index, regions, spec=spec, level=1)
    # A: (300 · 0.8 + 100 · 0.4) / 400 = 0.7; coverage (300 · 1 + 100 · 0.8) / 400 = 0.95.
    assert got.loc["A", "industrialisation"] == pytest.approx(0.7)
    assert got.loc["A", "coverage"] == pytest.approx(0.95)
    assert np.isnan(got.loc["B", "industrialisation"])
    assert got["rank"].iloc[0] == 1
    half = index.assign(industrialisation=[np.nan, 0.4, np.nan])
    # Only 100 of 400 people are known, at coverage 0.8: 0.2 is too little.
    assert np.isnan(coarser(half, regions, spec=spec, level=1).loc["A", "industrialisation"])
