"""Specialisation and concentration against published numbers, by hand, and as laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geoplan.errors import ProblemsFound, RangeError, ShapeError
from geoplan.regions.activity_table import activity_table
from geoplan.regions.concentration import (
    concentration_of_activities,
    ellison_glaeser,
    locational_gini,
)
from geoplan.regions.market import market_potential, own_distance_km
from geoplan.regions.relatedness import companions, density, proximity, specialised
from geoplan.regions.specialisation import (
    Guards,
    krugman,
    krugman_of_regions,
    location_quotient,
    location_quotients,
    lq_interval,
)

laws = settings(max_examples=30, deadline=None, derandomize=True)
NONE = Guards(region_min=0, activity_min=0)


def table(rows: dict[str, list[float]], activities: str = "abc") -> pd.DataFrame:
    return pd.DataFrame.from_dict(
        rows, orient="index", columns=list(activities)[: len(next(iter(rows.values())))]
    )


# -- location quotient ------------------------------------------------------------------------


def test_location_quotient_as_published() -> None:
    # R package REAT (Wieland), example of locq(): 0.3847623.
    assert location_quotient(1714, 79006, 879213, 15593224) == pytest.approx(0.3847623, abs=5e-8)
    assert np.isnan(location_quotient(0, 0, 5, 9))
    assert np.isnan(location_quotient(0, 3, 0, 9))


def test_wilson_limits_are_those_of_the_share_over_the_expected_share() -> None:
    # 10 of 100 units of an activity in a region with 5 % of all: LQ 2.
    low, high = lq_interval(10, 50, 100, 1000)
    peer = stats.binomtest(10, 100).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((peer.low / 0.05, peer.high / 0.05))
    # Wilson's 95 % limits of 10 in 100 as printed in textbooks: 5.52 % to 17.44 %.
    assert (low * 0.05, high * 0.05) == pytest.approx((0.0552, 0.1744), abs=5e-5)
    assert lq_interval(0, 50, 100, 1000)[0] == 0


def test_poisson_limits_are_those_of_garwood() -> None:
    # Garwood's table: 10 counted, 95 %: 4.80 to 18.39; 0 counted: 0 to 3.69. Expected: 5.
    low, high = lq_interval([10, 0], 50, 100, 1000, method="poisson")
    assert low * 5 == pytest.approx([4.7954, 0], abs=5e-5)
    assert high * 5 == pytest.approx([18.3904, 3.6889], abs=5e-5)


def test_delta_limits_by_hand() -> None:
    # p_r = 0.2, p = 0.1: 0.8/(50·0.2) + 0.9/(1000·0.1) − 2·0.8/(1000·0.1) = 0.08 + 0.009 − 0.016.
    low, high = lq_interval(10, 50, 100, 1000, method="delta")
    half = 1.959964 * 2 * 0.073**0.5
    assert (low, high) == pytest.approx((2 - half, 2 + half), abs=1e-6)


def test_an_interval_that_cannot_be_is_refused() -> None:
    with pytest.raises(RangeError, match=r"share of the activity is 1\.01"):
        lq_interval(101, 500, 100, 1000)
    with pytest.raises(RangeError, match="level"):
        lq_interval(1, 5, 10, 100, level=95)
    with pytest.raises(RangeError, match="no interval 'bayes'"):
        lq_interval(1, 5, 10, 100, method="bayes")  # type: ignore[arg-type]


@laws
@given(
    st.lists(st.lists(st.integers(0, 500), min_size=3, max_size=3), min_size=2, max_size=6),
    st.sampled_from(["wilson", "poisson", "delta"]),
)
def test_limits_hold_the_quotient_and_the_weighted_mean_is_one(
    rows: list[list[int]], method: str
) -> None:
    frame = pd.DataFrame(rows, index=[f"r{i}" for i in range(len(rows))], columns=list("abc"))
    if frame.to_numpy().sum() == 0:
        return
    checked = activity_table(frame)
    got = location_quotients(checked, guards=NONE, method=method)  # type: ignore[arg-type]
    known = got[got["lq"].notna()]
    bare = known["low"].isna()
    assert not bare.any() or (method == "delta" and (known.loc[bare, "amount"] == 0).all())
    assert (known["low"].fillna(0) <= known["lq"] + 1e-9).all()
    assert (known["lq"] <= known["high"].fillna(0) + 1e-9).all()
    for activity, part in known.groupby("activity"):
        weight = checked.base[part["region"]].to_numpy()
        if len(part) and checked.activity_total[activity] > 0:
            mean = float((part["lq"].to_numpy() * weight).sum() / weight.sum())
            assert mean == pytest.approx(1.0)


def test_small_numbers_give_a_reason_and_no_quotient() -> None:
    frame = table({"A": [3, 4, 0], "B": [50, 30, 9], "C": [60, 20, 0]})
    got = location_quotients(activity_table(frame)).set_index(["region", "activity"])
    assert got.loc[("A", "a"), "reason"] == "region-small"  # 7 of at least 20
    assert got.loc[("B", "c"), "reason"] == "activity-small"  # 9 of at least 10
    assert np.isnan(got.loc[("B", "c"), "lq"])
    assert got.loc[("B", "a"), "lq"] == pytest.approx((50 / 89) / (113 / 176))
    assert got.loc[("B", "a"), "reason"] == ""


def test_another_base_and_capacity_without_limits() -> None:
    frame = table({"A": [2.0], "B": [6.0], "C": [0.0]})
    people = pd.Series({"A": 100.0, "B": 100.0, "C": np.nan})
    got = location_quotients(activity_table(frame, base=people), counted=False, guards=NONE)
    assert got["lq"].tolist()[:2] == pytest.approx([0.5, 1.5])
    assert got["reason"].tolist() == ["", "", "base-unknown"]
    assert got["low"].isna().all()


# -- the table --------------------------------------------------------------------------------


def problems(**change: object) -> list[tuple[str, str]]:
    given = {"amounts": table({"A": [1, 2], "B": [3, 4]})} | change
    with pytest.raises(ProblemsFound) as error:
        activity_table(given.pop("amounts"), **given)  # type: ignore[arg-type]
    return [(p.code, p.where) for p in error.value.problems]


def test_every_fault_of_a_table_is_named() -> None:
    ok = table({"A": [1, 2], "B": [3, 4]})
    assert problems(amounts=pd.concat([ok, ok.head(1)])) == [("region-twice", "region A")]
    twice = ok.set_axis(["a", "a"], axis=1)
    assert problems(amounts=twice) == [("activity-twice", "activity a")]
    bad = table({"A": [1, -2], "B": [np.inf, 4]})
    assert problems(amounts=bad) == [
        ("no-number", "region B, activity a"),
        ("negative", "region A, activity b"),
    ]
    assert problems(amounts=ok.astype(object).replace(2, "two")) == [
        ("no-number", "region A, activity b")
    ]
    assert problems(amounts=ok * 0) == [("all-zero", "table of activities")]
    assert problems(amounts=ok.iloc[:0]) == [("empty", "table of activities")]
    assert problems(amounts=ok.where(ok != 2)) == [("missing-cell", "region A")]


def test_totals_that_do_not_add_up_are_named() -> None:
    assert problems(region_total=pd.Series({"A": 3, "B": 8})) == [("total-differs", "region B")]
    assert problems(activity_total=pd.Series({"a": 3, "b": 6})) == [("total-differs", "activity a")]
    assert problems(region_total=pd.Series({"A": 3})) == [("total-missing", "region B")]
    # With a cell missing the parts may be smaller than the printed total, and not larger.
    hole = table({"A": [1, np.nan], "B": [3, 4]})
    totals = {"region_total": pd.Series({"A": 9, "B": 7}), "activity_total": pd.Series({"a": 4,
              "b": 12})}  # fmt: skip
    checked = activity_table(hole, **totals)
    got = location_quotients(checked, guards=NONE).set_index(["region", "activity"])
    assert got.loc[("A", "b"), "reason"] == "unknown"
    assert got.loc[("A", "a"), "lq"] == pytest.approx((1 / 9) / (4 / 16))
    low = totals | {"region_total": pd.Series({"A": 0.5, "B": 7})}
    assert problems(amounts=hole, **low) == [("total-differs", "region A")]


def test_what_is_odd_is_told_and_not_refused() -> None:
    same = activity_table(table({"A": [2, 2], "B": [2, 2]}))
    assert [p.code for p in same.warnings] == ["constant"]
    empty = activity_table(table({"A": [2, 0], "B": [0, 0]}))
    assert [(p.code, p.where) for p in empty.warnings] == [
        ("activity-zero", "activity b"),
        ("region-zero", "region B"),
    ]


# -- Krugman, concentration -------------------------------------------------------------------


def test_krugman_as_published() -> None:
    # R package REAT, example of krugman.spec(), after Farhauer and Kröll (2013): 2.
    assert krugman([20, 10, 70, 0, 0], [0, 0, 0, 60, 40]) == pytest.approx(2)
    assert krugman([1, 1], [7, 7]) == 0
    assert np.isnan(krugman([0, 0], [1, 2]))
    with pytest.raises(ShapeError):
        krugman([1, 2], [1, 2, 3])


def test_krugman_of_regions_is_against_the_rest() -> None:
    got = krugman_of_regions(
        activity_table(table({"A": [30, 0], "B": [10, 30], "C": [1, 1]})), least=20
    )
    # A: (1, 0) against (11, 31)/42: 2 · 31/42.
    assert got.loc["A", "krugman"] == pytest.approx(62 / 42)
    assert got.loc["B", "herfindahl"] == pytest.approx((1 + 9) / 16)
    assert got.loc["C", "reason"] == "region-small"
    assert np.isnan(got.loc["C", "krugman"])


def test_locational_gini_as_published() -> None:
    # R package REAT, example of gini.conc(): 0.4068966.
    got = locational_gini([500, 500, 1000, 7000, 1000], [20000, 15000, 20000, 40000, 5000])
    assert got == pytest.approx(0.4068966, abs=5e-8)
    assert locational_gini([1, 2], [10, 20]) == pytest.approx(0)
    with pytest.raises(RangeError, match="number 1"):
        locational_gini([1, 2], [10, 0])


WIEN_LINZ_GRAZ = [200, 650, 12000, 100, 50, 16000, 13000, 1500, 1500, 25000]
"""Plants of one industry: five in Vienna, four in Linz, one in Graz (Farhauer and Kröll 2014)."""


def test_ellison_glaeser_as_published() -> None:
    # R package REAT, example of ellison.a(), after Farhauer and Kröll (2014): 0.05990628.
    got = ellison_glaeser([13000, 32000, 25000], [500000, 400000, 100000], WIEN_LINZ_GRAZ)
    assert got.gamma == pytest.approx(0.05990628, abs=5e-9)
    # By hand: s = (13, 32, 25)/70, x = (.5, .4, .1).
    raw = (13 / 70 - 0.5) ** 2 + (32 / 70 - 0.4) ** 2 + (25 / 70 - 0.1) ** 2
    assert got.raw == pytest.approx(raw)
    assert got.z > 0


def test_ellison_glaeser_needs_every_plant() -> None:
    unknown = ellison_glaeser([13000, 32000, 25000], [5, 4, 1], None)
    assert np.isnan(unknown.gamma)
    assert unknown.raw > 0
    with pytest.raises(RangeError, match="plants sum to 5"):
        ellison_glaeser([3, 4], [1, 1], [5])
    one = ellison_glaeser([7, 0], [1, 1], [7])
    assert np.isnan(one.gamma)  # one plant cannot cluster


@pytest.mark.parametrize("plants", [40])
def test_darts_have_an_index_of_zero_on_average(plants: int) -> None:
    # The property that the index was made for: E γ = 0 where plants fall at random.
    rng = np.random.default_rng(11)
    base = np.array([0.5, 0.3, 0.15, 0.05])
    size = rng.lognormal(3, 1, plants)
    found = []
    for _ in range(400):
        where = rng.choice(4, plants, p=base)
        found.append(ellison_glaeser(np.bincount(where, size, 4), base, size.tolist()))
    mean = float(np.mean([f.gamma for f in found]))
    assert abs(mean) < 4 * np.std([f.gamma for f in found]) / 20
    # And z has the spread that the published variance says.
    assert np.std([f.z for f in found]) == pytest.approx(1, abs=0.15)


def test_concentration_of_activities() -> None:
    checked = activity_table(table({"A": [6, 10, 0], "B": [2, 10, 0]}))
    got = concentration_of_activities(checked, {"a": [6, 1, 1]})
    assert got.loc["a", "herfindahl"] == pytest.approx(0.625)
    assert got.loc["a", "plant_herfindahl"] == pytest.approx(38 / 64)
    assert got["reason"].tolist() == ["", "plants-unknown", "zero"]
    assert np.isnan(got.loc["b", "gamma"])


# -- relatedness ------------------------------------------------------------------------------


def test_proximity_and_density_by_hand() -> None:
    have = table({"A": [1, 1, 0], "B": [1, 1, 1], "C": [1, 0, 0], "D": [0, 0, 1]}).astype(float)
    phi = proximity(have)
    # a in 3 regions, b in 2, c in 2; a and b together in 2, a and c in 1, b and c in 1.
    assert phi.loc["a", "b"] == pytest.approx(2 / 3)
    assert phi.loc["a", "c"] == pytest.approx(1 / 3)
    assert phi.loc["b", "c"] == pytest.approx(1 / 2)
    assert np.isnan(phi.loc["a", "a"])
    omega = density(have, phi)
    # C has only a: for b (2/3) / (2/3 + 1/2), for c (1/3) / (1/3 + 1/2), for a nothing.
    assert omega.loc["C"].tolist() == pytest.approx([0, 4 / 7, 2 / 5])
    assert companions(have, phi, "A", "c") == [("b", 0.5), ("a", pytest.approx(1 / 3))]


def test_unknown_presence_leaves_the_pair_and_an_absent_activity_has_no_proximity() -> None:
    quotients = table({"A": [2, 2, 0], "B": [2, np.nan, 0], "C": [0.5, 3, 0]})
    have = specialised(quotients)
    phi = proximity(have)
    # B is left out of the pair: a in A only, b in A and C.
    assert phi.loc["a", "b"] == pytest.approx(1 / 2)
    assert np.isnan(phi.loc["a", "c"])
    assert np.isnan(density(have, phi).loc["B", "a"])  # only b goes with a, and B's b is unknown
    with pytest.raises(RangeError, match="0 or 1"):
        proximity(quotients)


@laws
@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=8))
def test_proximity_is_symmetric_and_bounded(rows: list[list[bool]]) -> None:
    have = pd.DataFrame(rows, columns=list("abcd")).astype(float)
    phi = proximity(have).to_numpy()
    assert np.array_equal(phi, phi.T, equal_nan=True)
    known = phi[~np.isnan(phi)]
    assert ((known >= 0) & (known <= 1)).all()
    omega = density(have, proximity(have)).to_numpy()
    known = omega[~np.isnan(omega)]
    assert ((known >= -1e-12) & (known <= 1 + 1e-12)).all()


def test_market_potential_by_hand() -> None:
    d = [[10.0, 100.0, np.nan], [100.0, 20.0, np.nan], [np.nan, np.nan, np.nan]]
    got = market_potential([1000, 4000, 9000], d)
    assert got[:2] == pytest.approx([100 + 40, 10 + 200])
    assert np.isnan(got[2])
    assert own_distance_km(np.pi * 900) == pytest.approx(20)
    with pytest.raises(ShapeError):
        market_potential([1, 2], [[1.0]])
