"""Shift-share against published numbers, by hand, and as laws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import ProblemsFound
from geoplan.regions.shift_share import shift_share

laws = settings(max_examples=30, deadline=None, derandomize=True)
BRANCHES = ["1", "2", "3", "4"]
START = pd.DataFrame.from_dict(
    {"A": [90, 20, 10, 60], "B": [60, 30, 30, 40], "C": [250, 100, 110, 300]},
    orient="index", columns=BRANCHES,
)  # fmt: skip
END = pd.DataFrame.from_dict(
    {"A": [100, 40, 10, 55], "B": [85, 55, 40, 35], "C": [255, 115, 85, 390]},
    orient="index", columns=BRANCHES,
)  # fmt: skip
"""R package REAT (Wieland), examples of shift(), after Farhauer and Kröll (2013)."""


def test_three_regions_as_published() -> None:
    got = shift_share(START, END).by_region
    assert got["change"].tolist() == [25, 55, 85]
    assert got["national"].tolist() == pytest.approx([27, 24, 114])
    assert got["mix"].tolist() == pytest.approx([1, -1, 0], abs=1e-9)
    assert got["regional"].tolist() == pytest.approx([-3, 32, -29])


def test_one_region_against_its_printed_nation() -> None:
    nation = (
        pd.Series([400, 150, 150, 400], index=BRANCHES),
        pd.Series([440, 210, 135, 480], index=BRANCHES),
    )
    got = shift_share(
        START.loc[["A"]], END.loc[["A"]], nation_start=nation[0], nation_end=nation[1]
    )
    row = got.by_region.loc["A"]
    assert row[["change", "national", "mix", "regional"]].tolist() == pytest.approx([25, 27, 1, -3])
    assert not got.closed
    assert got.growth == pytest.approx(0.15)
    assert got.rates.tolist() == pytest.approx([0.1, 0.4, -0.1, 0.2])


def test_esteban_marquillas_by_hand() -> None:
    got = shift_share(START, END, method="esteban_marquillas")
    cell = got.cells.set_index(["region", "activity"]).loc[("A", "2")]
    # A has 180 of 1,100: with the nation's mix 180 · 150/1100 in branch 2, which grew by 100 %
    # there and by 40 % in the nation.
    assert cell["homothetic"] == pytest.approx(180 * 150 / 1100)
    assert cell["competitive"] == pytest.approx(180 * 150 / 1100 * 0.6)
    assert cell["allocation"] == pytest.approx((20 - 180 * 150 / 1100) * 0.6)
    total = got.cells[["national", "mix", "competitive", "allocation"]].sum(axis=1)
    assert total.tolist() == pytest.approx(got.cells["change"].tolist())


def test_an_activity_that_enters_a_region_has_no_rate_there() -> None:
    start, end = START.copy(), END.copy()
    start.loc["A", "3"] = 0
    got = shift_share(start, end, method="esteban_marquillas")
    cell = got.cells.set_index(["region", "activity"]).loc[("A", "3")]
    assert bool(cell["entered"])
    assert cell["regional"] == pytest.approx(10)
    assert (cell["competitive"], cell["allocation"]) == (0, pytest.approx(10))


whole = st.integers(0, 400)


@laws
@given(
    st.integers(1, 5).flatmap(
        lambda n: st.tuples(
            st.lists(st.tuples(whole, whole, whole), min_size=n, max_size=n),
            st.lists(st.tuples(whole, whole, whole), min_size=n, max_size=n),
        )
    ),
    st.sampled_from(["dunn", "esteban_marquillas"]),
)
def test_the_parts_close(pair: tuple[list[tuple[int, ...]], ...], method: str) -> None:
    names = [f"r{i}" for i in range(len(pair[0]))]
    start = pd.DataFrame(pair[0], index=names, columns=list("abc"))
    end = pd.DataFrame(pair[1], index=names, columns=list("abc"))
    if (start.sum() == 0).any() or end.to_numpy().sum() == 0:
        return
    got = shift_share(start, end, method=method)  # type: ignore[arg-type]
    size = max(float(start.to_numpy().sum()), float(end.to_numpy().sum()))
    for frame in (got.cells, got.by_region, got.by_activity):
        total = frame[["national", "mix", "regional"]].sum(axis=1)
        assert np.allclose(total, frame["change"], atol=1e-9 * size)
        if method == "esteban_marquillas":
            split = frame["competitive"] + frame["allocation"]
            assert np.allclose(split, frame["regional"], atol=1e-9 * size)
    # Over the whole nation mix and regional each come to nothing.
    assert abs(got.by_region["mix"].sum()) < 1e-9 * size
    assert abs(got.by_region["regional"].sum()) < 1e-9 * size
    # Over the regions of one activity the regional part comes to nothing too.
    assert np.allclose(got.by_activity["regional"], 0, atol=1e-9 * size)


def codes(start: pd.DataFrame, end: pd.DataFrame, **more: pd.Series) -> list[tuple[str, str]]:
    with pytest.raises(ProblemsFound) as error:
        shift_share(start, end, **more)  # type: ignore[arg-type]
    return [(p.code, p.where) for p in error.value.problems]


def test_tables_that_do_not_fit_are_named() -> None:
    assert codes(START, END.drop(index="C")) == [("only-once", "region C")]
    assert codes(START.drop(columns="2"), END) == [("only-once", "activity 2")]
    born = START.assign(**{"3": 0})
    assert codes(born, END) == [("no-rate", "activity 3")]
    small = pd.Series([1, 150, 150, 400], index=BRANCHES)
    assert codes(START.loc[["A"]], END.loc[["A"]], nation_start=small, nation_end=small) == [
        ("nation-small", "activity 1, start")
    ]
    holes = START.astype(float)
    holes.loc["A", "1"] = np.nan
    assert codes(holes, END) == [("missing-cell", "region A")]
