"""What differs between two versions, by key; and what people find by typing."""

from __future__ import annotations

import json
import math

import pyarrow as pa
import pytest
import shapely
from pyproj import Geod
from shapely import box
from test_version import MANY, layer, load, many, plots

from geoplan.errors import InputError, UnknownName
from geoplan.store.diff import diff, diff_rows
from geoplan.store.find import find_rows
from geoplan.store.history import rollback
from geoplan.store.session import transaction

SIDE = 9e-4


def area(shape) -> float:
    return abs(Geod(ellps="WGS84").geometry_area_perimeter(shape)[0])


def between(engine, a: int = 1, b: int = 2, layer_id: str = "plots", **more):
    with transaction(engine) as session:
        return diff(session, layer_id, a, b, **more)


def shapes(*given) -> list[bytes]:
    return [None if s is None else s.wkb for s in given]


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_added_removed_reshaped_and_changed(database, first, second):
    rest = [f"p-{n}" for n in range(100, 100 + MANY)]
    a, b = (rest if large else rest[:3] for large in (first, second))
    old = box(51, 35, 51 + SIDE, 35 + SIDE)
    wider = box(51, 35, 51 + 2 * SIDE, 35 + SIDE)
    load(database, [plots(a), plots(["x-1", "x-2", "x-3"], geom=shapes(old, old, old))])
    load(
        database,
        [
            plots(b, zone=[None] * len(b)),
            plots(
                ["x-1", "x-2", "x-9"], geom=shapes(wider, old, old), zone=["green", None, None],
                attrs=[json.dumps({"owner": "مالک x-1", "new": 3}), '{"owner": null}', "{}"],
            ),
        ],
    )  # fmt: skip
    found = between(database)
    more = MANY - 3
    assert found.rows_a == len(a) + 3
    assert found.rows_b == len(b) + 3
    assert found.added_count == 1 + more * (second and not first)
    assert found.removed_count == 1 + more * (first and not second)
    assert (found.reshaped_count, found.changed_count) == (1, 2)
    assert found.unchanged_count == min(len(a), len(b))
    assert not found.same
    assert found.added["key"].iloc[-1] == "x-9"
    assert found.removed["key"].iloc[-1] == "x-3"
    assert found.removed["area_m2"].iloc[-1] == pytest.approx(area(old), rel=1e-9)
    (row,) = found.reshaped.itertuples()
    assert row.key == "x-1"
    assert row.area_before_m2 == pytest.approx(area(old), rel=1e-9)
    assert row.area_after_m2 == pytest.approx(area(wider), rel=1e-9)
    # One half was added: the symmetric difference is as large as the old plot.
    assert row.moved_m2 == pytest.approx(area(wider) - area(old), rel=1e-6)
    assert shapely.equals(row.geometry, wider)
    assert shapely.equals(row.geometry_before, old)
    assert found.reshaped.crs.to_epsg() == found.added.crs.to_epsg() == 4326
    assert found.changed.values.tolist() == [
        ["x-1", "new", None, 3], ["x-1", "zone", None, "green"],
        ["x-2", "owner", "مالک x-2", None],
    ]  # fmt: skip


def test_the_same_twice_has_no_difference(database):
    load(database, [many()])
    load(database, [many()])
    found = between(database)
    assert found.same
    assert (found.unchanged_count, len(found.added), len(found.changed)) == (MANY, 0, 0)


def test_absent_and_null_attributes_are_both_missing(database):
    load(database, [plots(["p-1"], attrs=['{"a": null, "b": true}'])])
    load(database, [plots(["p-1"], attrs=['{"b": 1, "c": null}'])])
    found = between(database)
    assert found.changed.values.tolist() == [["p-1", "b", True, 1]]
    assert found.unchanged_count == 0
    load(database, [plots(["p-1"], attrs=['{"b": 1}'])])
    assert between(database, 2, 3).same


def test_another_first_vertex_is_no_other_shape(database):
    ring = [(51, 35), (51.001, 35), (51.001, 35.001), (51, 35.001)]
    turned = shapely.Polygon(ring[2:] + ring[:2])
    nudged = shapely.Polygon([(51, 35), (51.001, 35), (51.001, 35.001), (51, 35.0010001)])
    for shape in (shapely.Polygon(ring), turned, nudged):
        load(database, [plots(["p-1"], geom=shapes(shape))])
    assert between(database, 1, 2).same
    # A triangle of 0.0000001° (1.1 cm) by 0.001° (91 m): half of 1 m².
    found = between(database, 2, 3)
    assert found.reshaped["moved_m2"].tolist() == [pytest.approx(0.506, abs=0.002)]
    assert between(database, 2, 3, tolerance_m2=1.0).same


def test_shapes_that_are_not_valid_or_missing(database):
    bow = shapely.Polygon([(51, 35), (51.001, 35.001), (51.001, 35), (51, 35.001)])
    good = box(51, 35, 51.001, 35.001)
    load(database, [plots(["p-1", "p-2", "p-3"], geom=shapes(bow, None, good))])
    load(database, [plots(["p-1", "p-2", "p-3"], geom=shapes(good, good, None))])
    rows = {r.key: r for r in between(database).reshaped.itertuples()}
    # The bow tie's two triangles are half of the square.
    assert rows["p-1"].moved_m2 == pytest.approx(area(good) / 2, rel=1e-4)
    assert math.isnan(rows["p-2"].area_before_m2)
    assert rows["p-2"].area_after_m2 == pytest.approx(area(good), rel=1e-9)
    assert rows["p-3"].geometry is None


def test_lines_and_points_have_no_area(database):
    spec = layer("places", "features")
    for x in (1.0, 2.0):
        batch = pa.record_batch(
            {"key": ["a", "b"], "attrs": ["{}", "{}"],
             "geom": shapes(shapely.Point(x, 1), shapely.Point(5, 5))}
        )  # fmt: skip
        load(database, [batch], spec)
    (row,) = between(database, layer_id="places").reshaped.itertuples()
    assert (row.key, row.geometry.x, row.geometry_before.x) == ("a", 2.0, 1.0)
    assert math.isnan(row.moved_m2)


def test_rows_that_cannot_be_compared(database):
    spec = layer("places", "features")
    batch = pa.record_batch({"key": ["a", "a"], "attrs": ["{}", "{}"]})
    load(database, [batch], spec)
    load(database, [batch], spec)
    with pytest.raises(InputError, match="2 rows of version 1 have the key 'a'"):
        between(database, layer_id="places")
    with pytest.raises(UnknownName, match="no version 3"):
        between(database, 1, 3, layer_id="places")


def test_counts_are_exact_where_tables_are_cut(database):
    load(database, [many("p")])
    load(database, [many("q")])
    found = between(database, most=10)
    assert (found.added_count, found.removed_count, len(found.added)) == (MANY, MANY, 10)
    with transaction(database) as session:
        first = next(iter(diff_rows(session, "plots", 1, 2)))
    assert (first.what, first.key) == ("removed", "p-0")


def test_backwards_is_the_other_way_round(database):
    load(database, [plots(["p-1", "p-2"])])
    load(database, [plots(["p-2", "p-3"])])
    there, back = between(database), between(database, 2, 1)
    assert list(there.added["key"]) == list(back.removed["key"]) == ["p-3"]
    assert list(there.removed["key"]) == list(back.added["key"]) == ["p-1"]


def test_find_by_key_beginning_and_middle(database):
    load(database, [plots(
        ["12", "120", "3", "4", "5"], search=["12 رضایی", "120 کریمی", "3 احمدی12", "4 100%", None],
    )])  # fmt: skip
    with transaction(database) as session:

        def keys(text: str, **more) -> list[str]:
            return [row.key for row in find_rows(session, "plots", text, **more)]

        assert keys("12") == ["12", "120", "3"]
        assert keys("۱۲", limit=2) == ["12", "120"]
        assert keys("رضايي") == ["12"]  # Arabic letters, as an old keyboard writes them
        assert keys("%") == keys("_") == keys("") == keys("\0") == []
        assert keys("'; drop table plot; --") == []
        assert keys("5") == ["5"]
        (row,) = find_rows(session, "plots", "کریمی")
        assert row.bbox == pytest.approx((51.12, 35.0, 51.1209, 35.0009))
        with pytest.raises(InputError, match="1 to 1,000"):
            keys("x", limit=0)
        with pytest.raises(UnknownName, match="never loaded"):
            find_rows(session, "roads", "x")


def test_only_the_current_version_is_searched(database):
    load(database, [many()])
    load(database, [plots(["q-1"])])
    with transaction(database) as session:
        assert find_rows(session, "plots", "p-17") == []
        rollback(session, "plots", 1, "zahra")
        assert find_rows(session, "plots", "p-17", 1)[0].key == "p-17"
