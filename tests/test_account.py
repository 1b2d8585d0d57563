"""Where the rows of a layer's files went: each counted once, none lost."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st
from small_country import points, spec, stage

from geoplan.ingest.account import Account, Left


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=int)


def test_a_file_that_two_entries_share_counts_once() -> None:
    account = Account()
    account.enter("f", 5, rows(0, 1), [Left("where", rows(2, 3, 4), refused=False)])
    account.enter("f", 5, rows(2, 3), [Left("where", rows(0, 1, 4), refused=False)])
    found = account.balance()
    assert (found.read, found.made, found.refused, found.filtered) == (5, 0, 0, {"where": 1})


def test_what_the_choosing_entry_says_counts_before_where() -> None:
    account = Account()
    account.enter("f", 3, rows(0), [Left("where", rows(1, 2), refused=False)])
    account.enter(
        "f", 3, rows(), [Left("where", rows(0, 2), refused=False), Left("bad", rows(1), True)]
    )
    found = account.balance()
    assert (found.refused, found.filtered) == (1, {"where": 1})


def test_a_row_that_becomes_several_is_told() -> None:
    account = Account()
    account.enter("wide", 2, rows(0, 0, 0, 1), [])
    assert account.balance().made == 2


FATES = st.sampled_from(["kept", "twice", "where", "outside", "refused"])


@given(st.lists(st.lists(FATES, min_size=6, max_size=6), min_size=1, max_size=4))
def test_the_account_always_balances(entries: list[list[str]]) -> None:
    account = Account()
    stored = 0
    for fates in entries:
        times = {"kept": 1, "twice": 2}
        kept = [i for i, f in enumerate(fates) for _ in range(times.get(f, 0))]
        stored += len(kept)
        left = [
            Left(code, rows(*[i for i, f in enumerate(fates) if f == code]), code == "refused")
            for code in ("where", "outside", "refused")
        ]
        account.enter("f", 6, rows(*kept), left)
    found = account.balance()
    assert found.read == 6
    assert found.read + found.made == stored + found.refused + sum(found.filtered.values())


def test_two_entries_split_one_file_by_where(tmp_path: Path) -> None:
    places = {n: (51 + i / 10, 31.0) for i, n in enumerate("abcde")}
    points(tmp_path / "t.gpkg", places, kind=["x", "y", "y", "x", "z"])
    name = {"file": "t.gpkg", "fields": {"name_en": "label"}}
    staged = stage(
        tmp_path, spec(), {**name, "where": "kind == 'x'"}, {**name, "where": "kind == 'y'"}
    )
    assert staged.frame is not None
    assert staged.frame["name_en"].tolist() == ["a", "d", "b", "c"]
    assert (staged.rows_read, staged.rows_stored) == (5, 4)
    assert staged.filtered == {"where": 1}


def test_two_layers_of_one_file_are_two_sources(tmp_path: Path) -> None:
    for layer, n in (("one", 2), ("two", 3)):
        frame = gpd.GeoDataFrame({"n": range(n)}, geometry=[shapely.Point(51, 31)] * n, crs=4326)
        frame.to_file(tmp_path / "t.gpkg", layer=layer)
    staged = stage(
        tmp_path,
        spec(),
        {"file": "t.gpkg", "source_layer": "one"},
        {"file": "t.gpkg", "source_layer": "two", "where": "n > 0"},
    )
    assert (staged.rows_read, staged.rows_stored, staged.filtered) == (5, 4, {"where": 1})


def test_a_grouped_and_melted_table_balances(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("code,men,women\n01,3,4\n01,1,\n02,5,6\n,7,7\n03,,\n")
    layer = spec(
        kind="table",
        geometry=None,
        table="region_facts",
        level=1,
        fields={n: {"type": "number", "unit": "persons"} for n in ("men", "women")},
    )
    entry = {
        "file": "t.csv",
        "group_by": ["code"],
        "fields": {"region_code": "code"},
        "melt": {"men": "men", "women": "women"},
    }
    staged = stage(tmp_path, layer, entry)
    assert staged.frame is not None and not staged.errors
    # Five rows: one joins another, one names no region, one has no figure; two rows give four.
    assert staged.frame["value"].tolist() == [4, 5, 4, 6]
    assert staged.filtered == {"grouped": 1, "no-figure": 1}
    assert (staged.rows_read, staged.balance.made, staged.rows_refused) == (5, 2, 1)
