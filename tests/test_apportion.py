"""Apportionment on published tables, and its laws."""

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import ProblemsFound, ShapeError
from geoplan.regions.apportion import apportion
from geoplan.regions.apportion_table import apportion_table, fair_shares

# United States census of 1790, representative population (Balinski & Young 1982, table 3.1).
STATES = {
    "Connecticut": 236_841, "Delaware": 55_540, "Georgia": 70_835, "Kentucky": 68_705,
    "Maryland": 278_514, "Massachusetts": 475_327, "New Hampshire": 141_822,
    "New Jersey": 179_570, "New York": 331_589, "North Carolina": 353_523,
    "Pennsylvania": 432_879, "Rhode Island": 68_446, "South Carolina": 206_236,
    "Vermont": 85_533, "Virginia": 630_560,
}  # fmt: skip
PEOPLE = list(STATES.values())


def by_state(seats: int, method: str) -> dict[str, int]:
    return dict(zip(STATES, apportion(PEOPLE, seats, method=method).units.tolist(), strict=True))  # type: ignore[arg-type]


def test_hamilton_gives_the_bill_that_washington_vetoed() -> None:
    # "For All Practical Purposes", 10th ed., ch. 14, example 6, table 14.5: 120 seats.
    assert by_state(120, "hamilton") == {
        "New Jersey": 6, "Virginia": 21, "Connecticut": 8, "South Carolina": 7, "Delaware": 2,
        "Vermont": 3, "Massachusetts": 16, "North Carolina": 12, "New Hampshire": 5,
        "Pennsylvania": 14, "Georgia": 2, "Kentucky": 2, "Rhode Island": 2, "Maryland": 9,
        "New York": 11,
    }  # fmt: skip
    quotas = apportion(PEOPLE, 120, method="hamilton").quotas
    assert np.round(quotas[[7, 14, 8]], 3).tolist() == [5.959, 20.926, 11.004]


def test_jefferson_gives_the_act_of_1792() -> None:
    # The apportionment of the first census (Tucker's Blackstone 1803, note D), 105 seats.
    assert by_state(105, "jefferson") == {
        "New Hampshire": 4, "Massachusetts": 14, "Rhode Island": 2, "Connecticut": 7,
        "New York": 10, "New Jersey": 5, "Pennsylvania": 13, "Delaware": 1, "Maryland": 8,
        "Virginia": 19, "North Carolina": 10, "South Carolina": 6, "Georgia": 2, "Vermont": 2,
        "Kentucky": 2,
    }  # fmt: skip


def test_webster_of_a_textbook_table() -> None:
    # Angel, Abbott & Runde, "A Survey of Mathematics", §14.3, table 14.42: 260 seats.
    people = [3_350_000, 1_850_000, 2_365_000, 2_835_000]
    for method in ("webster", "hamilton", "jefferson", "adams"):
        got = apportion(people, 260, method=method)  # type: ignore[arg-type]
        assert got.units.tolist() == [84, 46, 59, 71]


def test_alabama_paradox_of_hamilton_and_not_of_webster() -> None:
    # Claims 6, 6, 2 (the common textbook case): one unit more, and the third loses one.
    claims = [6, 6, 2]
    assert apportion(claims, 10, method="hamilton").units.tolist() == [4, 4, 2]
    assert apportion(claims, 11, method="hamilton").units.tolist() == [5, 5, 1]
    # Webster's priorities by hand: 12, 12, 4, 4, 4 (the third's first), 2.4, 2.4, 12/7, 12/7,
    # 4/3, 4/3, 4/3: a tie for the 10th.
    assert apportion(claims, 9).units.tolist() == [4, 4, 1]
    assert apportion(claims, 12).units.tolist() == [5, 5, 2]
    got = apportion(claims, 10)
    assert got.units.tolist() == [5, 4, 1]
    assert got.tied == (0, 1, 2)


def test_population_paradox_of_hamilton() -> None:
    # Robbin, University of Wisconsin, Math 141, after the COMAP text: D shrinks and gains, C grows
    # and loses.
    old = [5_525_381, 3_470_152, 3_864_226, 201_203]
    new = [5_657_564, 3_507_464, 3_885_693, 201_049]
    assert apportion(old, 100, method="hamilton").units.tolist() == [42, 27, 30, 1]
    assert apportion(new, 100, method="hamilton").units.tolist() == [43, 26, 29, 2]
    assert np.round(apportion(new, 100).quotas, 3).tolist() == [42.693, 26.468, 29.322, 1.517]


def test_adams_and_hill_give_everybody_a_first_unit() -> None:
    assert apportion([1000, 1, 1], 5, method="adams").units.tolist() == [3, 1, 1]
    assert apportion([1000, 1, 1], 5, method="hill").units.tolist() == [3, 1, 1]
    assert apportion([5, 3, 1], 2, method="adams").units.tolist() == [1, 1, 0]


def test_caps_and_floors_by_hand() -> None:
    # Shares of 100: 60, 30, 10. Capped at 40, the 20 go 3 : 1 to the others: 45 and 15.
    got = apportion([6, 3, 1], 100, caps=[40, -1, -1])
    assert got.units.tolist() == [40, 45, 15]
    assert got.bound == ("cap", "", "")
    # The cap moves the second over its own cap of 42, so the third gets 18.
    assert apportion([6, 3, 1], 100, caps=[40, 42, -1]).units.tolist() == [40, 42, 18]
    # A floor of 25 for the last leaves 75, in 2 : 1.
    got = apportion([6, 3, 1], 100, floors=[0, 0, 25])
    assert got.units.tolist() == [50, 25, 25]
    assert got.bound == ("", "", "floor")
    for method in ("hamilton", "jefferson", "webster"):
        got = apportion([6, 3, 1], 100, caps=[40, 42, -1], floors=[0, 0, 0], method=method)  # type: ignore[arg-type]
        assert got.units.tolist() == [40, 42, 18]


def test_a_claim_of_zero_gets_its_floor() -> None:
    assert apportion([0, 3, 1], 10, floors=[2, 0, 0]).units.tolist() == [2, 6, 2]
    assert apportion([0, 0], 3, floors=[1, 2]).units.tolist() == [1, 2]


def test_ties_go_to_the_earlier() -> None:
    for method in ("webster", "hamilton"):
        got = apportion([1, 1, 1], 4, method=method)  # type: ignore[arg-type]
        assert got.units.tolist() == [2, 1, 1]
        assert got.tied == (0, 1, 2)


def test_impossible_limits_are_named_with_amounts_all_at_once() -> None:
    with pytest.raises(ProblemsFound) as caught:
        apportion(
            [1, -2, float("nan")], 10, floors=[5, 0, 0], caps=[3, 9, 9], names=["A", "B", "C"]
        )
    told = {p.where: p for p in caught.value.problems}
    assert set(told) == {"A", "B", "C"}
    assert told["A"].remedy == "raise the cap to 5 or lower the floor to 3"
    with pytest.raises(ProblemsFound, match="hold 9, 1 less than the 10 to divide"):
        apportion([1, 1], 10, caps=[4, 5])
    with pytest.raises(ProblemsFound, match="add up to 12, 2 more than the 10"):
        apportion([1, 1], 10, floors=[6, 6])
    with pytest.raises(ProblemsFound, match="hold 0, 3 less"):
        apportion([0, 0], 3)
    with pytest.raises(ShapeError):
        apportion([1, 2], 3, caps=[1])


CLAIMS = st.lists(
    st.one_of(st.integers(0, 50).map(float), st.floats(1e-6, 1e6)), min_size=1, max_size=12
).filter(lambda w: max(w) > 0)
METHODS = st.sampled_from(["webster", "hamilton", "jefferson", "adams", "hill"])


@given(CLAIMS, st.integers(0, 400), METHODS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_units_add_up(claims: list[float], total: int, method: str) -> None:
    got = apportion(claims, total, method=method).units  # type: ignore[arg-type]
    assert got.sum() == total
    assert (got >= 0).all()


@given(CLAIMS, st.integers(0, 400))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_hamilton_keeps_the_quota_rule(claims: list[float], total: int) -> None:
    got = apportion(claims, total, method="hamilton")
    quota = np.array(claims) / np.sum(claims) * total
    assert np.allclose(got.quotas, quota, rtol=1e-9, atol=1e-9)
    assert (got.units >= np.floor(quota - 1e-6)).all()
    assert (got.units <= np.ceil(quota + 1e-6)).all()


@st.composite
def bounded(draw: st.DrawFn) -> tuple[list[float], int, list[int], list[int]]:
    claims = draw(st.lists(st.floats(0.01, 100), min_size=1, max_size=8))
    n = len(claims)
    floors = draw(st.lists(st.integers(0, 8), min_size=n, max_size=n))
    caps = [f + draw(st.integers(0, 30)) for f in floors]
    return claims, draw(st.integers(sum(floors), sum(caps))), floors, caps


@given(bounded(), METHODS)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_caps_and_floors_hold(
    case: tuple[list[float], int, list[int], list[int]], method: str
) -> None:
    claims, total, floors, caps = case
    got = apportion(claims, total, method=method, floors=floors, caps=caps)  # type: ignore[arg-type]
    assert got.units.sum() == total
    assert (got.units >= floors).all()
    assert (got.units <= caps).all()
    assert np.isclose(got.quotas.sum(), total)


@given(bounded(), st.sampled_from(["webster", "jefferson", "adams", "hill"]))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_divisor_methods_are_monotone_in_the_total(
    case: tuple[list[float], int, list[int], list[int]], method: str
) -> None:
    claims, total, floors, caps = case
    if total == sum(caps):
        return
    fewer = apportion(claims, total, method=method, floors=floors, caps=caps).units  # type: ignore[arg-type]
    more = apportion(claims, total + 1, method=method, floors=floors, caps=caps).units  # type: ignore[arg-type]
    assert (more >= fewer).all()


@given(CLAIMS, st.integers(1, 200))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_webster_is_one_divisor_rounded(claims: list[float], total: int) -> None:
    units = apportion(claims, total).units
    w = np.array(claims)
    # No unit is worth more to who lacks it than to who has it.
    gain = (w / (units + 0.5)).max()
    has = units > 0
    assert gain <= (w[has] / (units[has] - 0.5)).min() * (1 + 1e-12)


# Wikipedia "Biproportional apportionment": parties A, B, C in regions I, II, III; and the German
# page's second example; both as in the tests of the R package proporz.
VOTES = np.array([[123, 45, 815], [912, 714, 414], [312, 255, 215]])
VOTES_DE = np.array([[51, 98, 45], [60, 100, 120], [63, 102, 144]])


def test_both_margins_of_the_published_table_come_from_webster() -> None:
    assert apportion(VOTES.sum(axis=0), 20).units.tolist() == [7, 5, 8]
    assert apportion(VOTES.sum(axis=1), 20).units.tolist() == [5, 11, 4]


@pytest.mark.parametrize("rule", ["quota", "webster"])
def test_biproportional_tables_as_published(rule: str) -> None:
    got = apportion_table(VOTES, [5, 11, 4], [7, 5, 8], rule=rule)  # type: ignore[arg-type]
    assert got.units.tolist() == [[1, 0, 4], [4, 4, 3], [2, 1, 1]]
    got = apportion_table(VOTES_DE, [4, 5, 6], [4, 5, 6], rule=rule)  # type: ignore[arg-type]
    assert got.units.tolist() == [[1, 2, 1], [1, 2, 2], [2, 1, 3]]


def test_fair_shares_scale_rows_and_columns() -> None:
    fair = fair_shares(np.array([[1.0, 1.0], [1.0, 3.0]]), np.array([2, 2]), np.array([2, 2]))
    # a (2−a)⁻¹ … : x = 2·√3/(1+√3) on the diagonal keeps the cross ratio 3.
    x = 2 * np.sqrt(3) / (1 + np.sqrt(3))
    assert np.allclose(fair, [[x, 2 - x], [2 - x, x]])


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, m = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    cells = st.floats(0.01, 50)
    weights = np.array(draw(st.lists(cells, min_size=n * m, max_size=n * m))).reshape(n, m)
    total = draw(st.integers(0, 80))
    rows = apportion(draw(st.lists(cells, min_size=n, max_size=n)), total).units
    return weights, rows, apportion(draw(st.lists(cells, min_size=m, max_size=m)), total).units


@given(tables())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_controlled_rounding_adds_up_and_keeps_the_quota(
    case: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    weights, rows, columns = case
    got = apportion_table(weights, rows, columns)
    assert (got.units.sum(axis=1) == rows).all()
    assert (got.units.sum(axis=0) == columns).all()
    assert got.within_quota.all()
    assert (np.abs(got.units - got.fair) < 1).all()


def every_table(rows: list[int], columns: list[int]) -> Iterator[np.ndarray]:
    """All tables of whole numbers with these margins."""
    if not rows:
        if not any(columns):
            yield np.zeros((0, len(columns)), dtype=np.int64)
        return
    for line in itertools.product(*(range(min(rows[0], c) + 1) for c in columns)):
        if sum(line) == rows[0]:
            left = [c - x for c, x in zip(columns, line, strict=True)]
            for rest in every_table(rows[1:], left):
                yield np.vstack([line, rest])


def far(units: np.ndarray, fair: np.ndarray) -> float:
    """The measure that Webster's table makes least."""
    return sum(
        float(np.log((k - 0.5) / f))
        for n, f in zip(units.ravel(), fair.ravel(), strict=True)
        for k in range(1, n + 1)
    )


@pytest.mark.parametrize("seed", range(8))
def test_no_other_table_is_nearer_to_proportion(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.05, 9, (3, 3))
    rows = apportion(rng.uniform(0.2, 1, 3), 9).units
    columns = apportion(rng.uniform(0.2, 1, 3), 9).units
    free = apportion_table(weights, rows, columns, rule="webster")
    kept = apportion_table(weights, rows, columns)
    least = {"all": np.inf, "quota": np.inf}
    for units in every_table(rows.tolist(), columns.tolist()):
        if (units[free.fair == 0] > 0).any():
            continue
        cost = far(units, np.where(free.fair > 0, free.fair, 1.0))
        least["all"] = min(least["all"], cost)
        if (np.abs(units - free.fair) < 1).all():
            least["quota"] = min(least["quota"], cost)
    fair = np.where(free.fair > 0, free.fair, 1.0)
    assert far(free.units, fair) == pytest.approx(least["all"], abs=1e-6)
    assert far(kept.units, fair) == pytest.approx(least["quota"], abs=1e-6)


@given(tables())
@settings(max_examples=40, deadline=None, derandomize=True)
def test_the_biproportional_table_adds_up(case: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    weights, rows, columns = case
    got = apportion_table(weights, rows, columns, rule="webster")
    assert (got.units.sum(axis=1) == rows).all()
    assert (got.units.sum(axis=0) == columns).all()
    assert (got.units >= 0).all()


def test_forced_zeros_and_closed_cells() -> None:
    # The closed cell forces the diagonal; fitting alone would take for ever to get there.
    got = apportion_table([[1, 1], [0, 1]], [3, 3], [3, 3])
    assert got.units.tolist() == [[3, 0], [0, 3]]
    with pytest.raises(ProblemsFound) as caught:
        apportion_table([[1, 0], [1, 0], [1, 1]], [3, 3, 1], [4, 3], row_names=["A", "B", "C"])
    found = caught.value.problems[0]
    assert found.where == "A, B"
    assert "get 6" in found.what
    assert "holds 4" in found.what
    assert "by 2 in all" in found.remedy
    with pytest.raises(ProblemsFound, match="rows add up to 5 and the columns to 4"):
        apportion_table([[1, 1]], [5], [2, 2])
    with pytest.raises(ProblemsFound) as caught:
        apportion_table([[1, -1]], [-2], [1, -3])
    assert len(caught.value.problems) == 3
