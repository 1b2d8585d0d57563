"""What is put into a layer comes out the same: missing stays missing, text stays text."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box
from sqlalchemy import text

from geoplan.catalogue import LayerSpec
from geoplan.catalogue.text import Text
from geoplan.errors import CrsProblem, InputError, Problem, RangeError, UnknownName
from geoplan.store import read, write
from geoplan.store.session import transaction

AWKWARD = [
    "شهرک صنعتی شیراز",
    'O\'Brien "quoted" \\ back\\nslash',
    "tab\tnew\nline\rreturn",
    "\\N",
    "",
    "'); drop table feature; --",
    "🌍 %s {} :x",
]


def spec(layer_id: str, table: str = "features", **more: Any) -> LayerSpec:
    geometry = {"utility_nodes": "point", "utility_lines": "line"}.get(table, "polygon")
    kind = "table" if table == "region_facts" else "raster" if table == "raster" else "vector"
    given_geometry = {"geometry": geometry} if kind == "vector" else {}
    return LayerSpec.model_validate(
        {
            "id": layer_id, "title": {"en": layer_id.title(), "fa": "لایه"}, "theme": "industry",
            "kind": kind, "table": table, **given_geometry, **more,
        }
    )  # fmt: skip


def load(session, layer: LayerSpec, frame: Any, **more: Any) -> int:
    said: dict[str, Any] = {
        "pack_id": "test", "source_file": "a.gpkg", "sha256": "ab" * 32, "loaded_by": "test",
        "rows_read": 5, "rows_refused": 2, "source_crs": "EPSG:32639", "as_of": "1402",
        "source": "survey", "licence": "CC0", "confidence": "high", "basis": None, "method": None,
        "synthetic": False, "report": [],
    }  # fmt: skip
    version = write.new_version(session, layer, **said | more)
    if frame is not None:
        assert write.put_features(session, version, layer, frame) == len(frame)
    write.make_current(session, layer.id, version)
    return version


def square(x: float, y: float = 30.0, side: float = 0.1) -> Polygon:
    return box(x, y, x + side, y + side)


def same_frame(found: gpd.GeoDataFrame, expected: gpd.GeoDataFrame) -> None:
    pd.testing.assert_frame_equal(
        pd.DataFrame(found.drop(columns="geometry")),
        pd.DataFrame(expected.drop(columns="geometry")),
        check_dtype=False,
    )
    ours, theirs = found.geometry.to_numpy(), expected.geometry.to_numpy()
    assert [g is None for g in ours] == [g is None for g in theirs]
    for one, other in zip(ours, theirs, strict=True):
        assert one is None or shapely.equals_exact(one, other, tolerance=0)


def test_features_there_and_back(database):
    layer = spec(
        "factories",
        fields={
            "staff": {"type": "integer"}, "power": {"type": "number"}, "note": {"type": "string"},
            "idle": {"type": "boolean"}, "never": {"type": "number"},
        },
    )  # fmt: skip
    count = len(AWKWARD)
    frame = gpd.GeoDataFrame(
        {
            "key": [f"k{n}" for n in range(count)],
            "name_en": [None, *AWKWARD[1:]],
            "name_local": AWKWARD,
            "staff": [1, 2, 3, 4, 5, 6, 2**40],
            "power": [0.1, np.nan, -1e-300, 1e300, 0.0, 1 / 3, 5.0],
            "note": AWKWARD,
            "idle": [True, False, True, True, False, False, True],
            "never": [np.nan] * count,
            "zz other": [None, 1.5, None, 2.5, None, None, None],
            'odd "name" \\': AWKWARD,
        },
        geometry=[
            Point(51.1, 35.7), None, LineString([(0, 0), (1, 1)]), square(5),
            MultiPolygon([square(7), square(8)]), Point(), shapely.from_wkt("POINT Z (1 2 3)"),
        ],
        crs=4326,
    )  # fmt: skip
    with transaction(database) as session:
        load(session, layer, frame)
    with transaction(database) as session:
        found = read.layer_frame(session, "factories")
    expected = frame.copy()
    expected["geometry"] = gpd.GeoSeries(
        [*frame.geometry[:5], None, Point(1, 2)], index=frame.index, crs=4326
    )
    # The table's own columns, attributes by name, geometry last.
    assert list(found.columns) == [
        "key", "name_en", "name_local", "idle", "never", "note", 'odd "name" \\', "power",
        "staff", "zz other", "geometry",
    ]  # fmt: skip
    same_frame(found, expected[found.columns])
    assert found.crs.to_epsg() == 4326
    assert found["staff"].dtype == np.int64
    assert found["never"].dtype == np.float64
    assert found["idle"].dtype == bool
    assert math.isnan(found["power"][1])


def test_whole_numbers_with_gaps_and_dates_in_attributes(database):
    layer = spec("dated", fields={"year": {"type": "integer"}, "on": {"type": "date"}})
    frame = pd.DataFrame(
        {
            "key": [1.0, 2.0],
            "year": pd.array([1402, None], dtype="Int64"),
            "on": [dt.date(2024, 3, 20), None],
            "at": pd.to_datetime(["2024-03-20T12:00", None]),
            "tags": [["a", "ب"], None],
        }
    )
    with transaction(database) as session:
        load(session, layer, frame)
        found = read.layer_frame(session, "dated")
    assert found["key"].tolist() == ["1", "2"]
    assert found["year"][0] == 1402
    assert math.isnan(found["year"][1])
    assert found["on"][0] == "2024-03-20"
    assert pd.isna(found["on"][1])
    assert found["at"][0] == "2024-03-20T12:00:00"
    assert found["tags"][0] == ["a", "ب"]
    assert found.geometry.isna().all()


def test_order_is_by_bytes_of_the_key_and_never_changes(database):
    keys = ["b", "A", "10", "9", "ب", "a", "Z"]
    frame = gpd.GeoDataFrame(
        {"key": keys, "n": range(7)}, geometry=[Point(n, n) for n in range(7)], crs=4326
    )
    layer = spec("ordered")
    with transaction(database) as session:
        load(session, layer, frame)
        first = read.layer_frame(session, "ordered")
        load(session, layer, frame.iloc[::-1])
        second = read.layer_frame(session, "ordered")
    assert first["key"].tolist() == ["10", "9", "A", "Z", "a", "b", "ب"]
    same_frame(second, first)
    assert first.index.tolist() == list(range(7))


def test_chosen_columns(database):
    frame = gpd.GeoDataFrame(
        {"key": ["a"], "name_en": ["A"], "x": [1.5], "y": ["why"]}, geometry=[Point(1, 2)], crs=4326
    )
    layer = spec("chosen", fields={"x": {"type": "number"}, "absent": {"type": "number"}})
    with transaction(database) as session:
        load(session, layer, frame)
        found = read.layer_frame(session, "chosen", columns=["y", "absent", "name_en"])
        assert list(found.columns) == ["y", "absent", "name_en", "geometry"]
        assert found.loc[0, ["y", "name_en"]].tolist() == ["why", "A"]
        assert found.geometry[0] == Point(1, 2)
        bare = read.layer_frame(session, "chosen", columns=[])
        assert list(bare.columns) == ["geometry"]
        with pytest.raises(UnknownName, match="no column 'nam_en'") as caught:
            read.layer_frame(session, "chosen", columns=["nam_en"])
    assert "name_en" in caught.value.remedy


def test_regions(database):
    layer = spec("provinces", "regions", level=1)
    frame = gpd.GeoDataFrame(
        {
            "key": ["08", "23"], "name_en": ["Fars", None], "name_local": ["فارس", "تهران"],
            "parent_code": [None, None], "population": [4_851_274, np.nan],
            "area_km2": [122_608.0, np.nan], "capital": ["شیراز", "تهران"],
        },
        geometry=[square(52), None], crs=4326,
    )  # fmt: skip
    with transaction(database) as session:
        load(session, layer, frame)
        found = read.layer_frame(session, "provinces")
    assert found["code"].tolist() == found["key"].tolist() == ["08", "23"]
    assert found["level"].tolist() == [1, 1]
    assert found["population"][0] == 4_851_274
    assert math.isnan(found["population"][1])
    assert found["capital"].tolist() == ["شیراز", "تهران"]
    assert found["parent_code"].isna().all()
    assert found.geometry[0].geom_type == "MultiPolygon"
    assert shapely.equals_exact(found.geometry[0].geoms[0], square(52))


def test_region_facts(database):
    layer = spec("facts", "region_facts", level=1)
    frame = pd.DataFrame(
        {
            "region_code": ["08", "08", "23"],
            "variable": ["jobs", "area", "jobs"],
            "value": [12.5, np.nan, 3.0],
            "text_value": [None, "bounded", None],
            "unit": ["person", "km2", "person"],
            "as_of": ["1395", None, "1395"],
            "source": ["census", None, "census"],
        }
    )
    with transaction(database) as session:
        load(session, layer, frame)
        facts = read.region_facts(session)
        assert read.region_facts(session, level=2).empty
        assert len(read.layer_frame(session, "facts")) == 3
    rows = facts[["variable", "region_code", "layer_id", "source", "confidence"]].to_numpy()
    assert rows.tolist() == [
        ["area", "08", "facts", "", ""],
        ["jobs", "08", "facts", "census", ""],
        ["jobs", "23", "facts", "census", ""],
    ]
    assert facts["value"].dtype == np.float64
    assert math.isnan(facts["value"][0])
    assert facts["text_value"][0] == "bounded"
    assert pd.isna(facts["text_value"][1])


CADASTRE = {
    "estates": (
        {"kind": ["estate"], "ownership": ["state"], "status": [None], "region_code": ["0801"],
         "gross_ha": [812.5], "approved_on": [dt.date(2001, 2, 3)], "name_local": ["شهرک"]},
        Point(52, 29),
    ),
    "phases": (
        {"estate_key": ["e1"], "number": ["۱"], "gross_ha": [np.nan], "industrial_ha": [60.0],
         "opened_on": [None], "name_en": ["kept as an attribute"]},
        MultiPolygon([square(52)]),
    ),
    "blocks": ({"phase_key": ["p1"], "number": ["B"]}, MultiPolygon([square(52)])),
    "plots": (
        {"block_key": ["b1"], "number": ["12/3"], "area_m2": [5000.25], "frontage_m": [np.nan],
         "depth_m": [100.0], "zone": ["metal"], "status": ["planned"]},
        MultiPolygon([square(52)]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("table", CADASTRE)
def test_cadastre_keeps_its_source_geometry(database, table):
    columns, shape = CADASTRE[table]
    surveyed = shapely.to_wkb(square(0, 0, 1000.123456789))
    frame = gpd.GeoDataFrame(
        {"key": ["k'1"], **columns, "source_geom": [surveyed], "source_srid": [32639], "x": [1.5]},
        geometry=[shape],
        crs=4326,
    )
    with transaction(database) as session:
        load(session, spec("cadastre", table), frame)
        found = read.layer_frame(session, "cadastre")
        source = read.layer_frame(session, "cadastre", columns=["source_geom", "source_srid"])
    assert "source_geom" not in found.columns
    for name, (value,) in {"key": ["k'1"], "x": [1.5], **columns}.items():
        one = found[name][0]
        assert (pd.isna(one) and pd.isna(value)) or one == value, name
    assert shapely.equals_exact(found.geometry[0], shape)
    assert bytes(source["source_geom"][0]) == surveyed
    assert source["source_srid"][0] == 32639


def test_lines_and_their_parts(database):
    frame = gpd.GeoDataFrame(
        {
            "key": ["1", "2"], "resource": "power", "kind": "line", "voltage_kv": [230.0, np.nan],
            "headroom": [np.nan, 10.0], "unit": "MVA", "basis": "assumed",
        },
        geometry=[LineString([(50, 30), (51, 31)]), MultiLineString([[(50, 30), (51, 31)]])],
        crs=4326,
    )  # fmt: skip
    with transaction(database) as session:
        load(session, spec("grid", "utility_lines"), frame)
        found = read.layer_frame(session, "grid")
    assert found.geom_type.tolist() == ["MultiLineString"] * 2
    assert found["voltage_kv"].tolist()[0] == 230.0


def nodes(**more: Any) -> gpd.GeoDataFrame:
    columns: dict[str, Any] = {
        "key": ["b", "a"], "name_en": ["Well", None], "name_local": ["چاه", "سد"],
        "resource": "water", "kind": ["well", "dam"], "capacity": [1000.0, np.nan],
        "committed": [np.nan, np.nan], "headroom": [250.5, 0.0], "unit": "m3/day",
        "basis": ["licensed", "assumed"], "method_en": [None, "10 % of discharge"],
    }  # fmt: skip
    return gpd.GeoDataFrame(columns | more, geometry=[Point(51.5, 35), Point(52, 36)], crs=4326)


def test_sources(database):
    method = Text(en="by the pack", fa="بنا بر بسته")
    with transaction(database) as session:
        load(session, spec("wells", "utility_nodes"), nodes(), method=method, basis="assumed")
        load(session, spec("dams", "utility_nodes"), nodes())
        found = read.sources(session, ["wells", "dams", "wells"])
        with pytest.raises(UnknownName, match="never loaded"):
            read.sources(session, ["welds"])
        load(session, spec("other"), None)
        with pytest.raises(InputError, match="no utility nodes"):
            read.sources(session, ["other"])
    assert found["source_id"].tolist() == ["dams:a", "dams:b", "wells:a", "wells:b"]
    wells = found.set_index("source_id").loc[["wells:a", "wells:b"]]
    assert wells["headroom"].tolist() == [0.0, 250.5]
    assert math.isnan(wells["capacity"].iloc[0])
    assert wells["basis"].tolist() == ["assumed", "licensed"]
    # Its own method first, else that of the load.
    assert wells["method_en"].tolist() == ["10 % of discharge", "by the pack"]
    assert wells["method_local"].tolist() == ["بنا بر بسته"] * 2
    assert wells[["lon", "lat"]].to_numpy().tolist() == [[52, 36], [51.5, 35]]
    assert found.crs.to_epsg() == 4326


def test_raster(database):
    layer = spec("relief", "raster", unit="m")
    with transaction(database) as session:
        version = load(session, layer, None)
        write.put_raster(
            session, version, path="r/relief.tif", sha256="cd" * 32, crs="EPSG:32639", width=200,
            height=100, transform=(500.0, 0, 400_000, 0, -500.0, 4_000_000), dtype="float32",
            nodata=None, unit="m", stats={"min": -28.0, "mean": np.float32(np.nan)},
        )  # fmt: skip
    with transaction(database) as session:
        row = read.raster_asset(session, "relief")
        bbox = read.layer_versions(session, ["relief"])["relief"]["bbox"]
        with pytest.raises(InputError, match="is a raster"):
            read.layer_frame(session, "relief")
        load(session, spec("plain"), None)
        with pytest.raises(InputError, match="is no raster"):
            read.raster_asset(session, "plain")
    assert (row.version_id, str(row.path), row.crs) == (version, "r/relief.tif", "EPSG:32639")
    assert row.transform == (500.0, 0.0, 400_000.0, 0.0, -500.0, 4_000_000.0)
    assert (row.width, row.height, row.nodata, row.unit) == (200, 100, None, "m")
    assert row.stats == {"min": -28.0, "mean": None}
    # 100 km × 50 km from 400 km east of zone 39's false origin: about 49.9°E to 51°E.
    assert bbox == pytest.approx([49.9, 35.7, 51.0, 36.15], abs=0.06)


def test_versions_count_up_and_only_the_current_one_shows(database):
    layer = spec("wells", "utility_nodes")
    finding = Problem("wells.gpkg, row 3", "no name", severity="warning", count=2)
    with transaction(database) as session:
        empty = read.data_version(session)
        first = load(session, layer, nodes(), report=[finding])
        one = read.data_version(session)
        second = load(session, layer, nodes(name_en=["New", "New"]), sha256="ef" * 32)
        two = read.data_version(session)
        said = read.layer_versions(session, ["wells", "never"])
        assert list(said) == ["wells"]
        assert said["wells"]["number"] == 2
        assert said["wells"]["sha256"] == "ef" * 32
        assert said["wells"]["rows"] == 2
        assert said["wells"]["bbox"] == [51.5, 35.0, 52.0, 36.0]
        assert read.layer_frame(session, "wells")["name_en"].tolist() == ["New", "New"]
        write.make_current(session, "wells", first)
        assert read.data_version(session) == one
        assert pd.isna(read.layer_frame(session, "wells")["name_en"][0])
        with pytest.raises(UnknownName):
            write.make_current(session, "wells", second + 1)
        with pytest.raises(UnknownName):
            write.make_current(session, "other", second)
        stored = session.execute(text("select report from layer_version where number = 1")).scalar()
    assert len({empty, one, two}) == 3
    assert stored[0]["what"] == "no name"
    assert stored[0]["count"] == 2


def test_rows_may_come_in_parts(database):
    layer = spec("parts")
    with transaction(database) as session:
        version = load(session, layer, None)
        for x in (50.0, 55.0):
            part = gpd.GeoDataFrame({"key": [str(x)]}, geometry=[Point(x, 30)], crs=4326)
            write.put_features(session, version, layer, part)
        said = read.layer_versions(session, ["parts"])["parts"]
        assert len(read.layer_frame(session, "parts")) == 2
    assert said["rows"] == 2
    assert said["bbox"] == [50.0, 30.0, 55.0, 30.0]


def test_empty_frame(database):
    layer = spec("nothing", fields={"x": {"type": "number"}})
    with transaction(database) as session:
        load(session, layer, gpd.GeoDataFrame({"key": []}, geometry=[], crs=4326))
        found = read.layer_frame(session, "nothing")
    assert found.empty
    assert {"key", "x", "geometry"} <= set(found.columns)


def point_frame(**columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[Point(50, 30), Point(51, 31)], crs=4326)


@pytest.mark.parametrize(
    ("table", "frame", "kind", "said"),
    [
        ("features", point_frame(key=["a", None]), InputError, "'key': 1 of 2 rows have no value"),
        ("features", point_frame(other=["a", "b"]), InputError, "'key': the column is absent"),
        ("features", point_frame(key=["a", "b\x00"]), InputError, "'key', row 1"),
        ("features", point_frame(key=["a", "b"], x=["c", "\x00"]), InputError, "'x', row 1"),
        ("features", point_frame(key=["a", "b"], x=[1, np.inf]), RangeError, "infinite"),
        ("features", point_frame(key=["a", "b"]).to_crs(3857), CrsProblem, "EPSG:3857"),
        ("features", point_frame(key=["a", "b"]).set_crs(None, allow_override=True), CrsProblem,
         "no CRS"),
        ("utility_nodes", nodes(key=["a", "a"]), InputError, "stand twice or more: a"),
        ("utility_nodes", nodes(headroom=["much", 1.0]), InputError, "'much' is no number"),
        ("utility_nodes", nodes(headroom=[-1.0, 1.0]), InputError, "ck_utility_node_headroom"),
        ("utility_nodes", nodes(basis=["guessed", "assumed"]), InputError, "utility_node_basis"),
        ("plots", point_frame(key=["a", "b"], block_key="b", number="1"), InputError,
         "a Point cannot be stored as MULTIPOLYGON"),
        ("regions", point_frame(key=["a", "b"], population=[1.5, 2]), InputError,
         "1.5 is no whole number"),
    ],
)  # fmt: skip
def test_bad_rows_are_named_and_nothing_is_kept(database, table, frame, kind, said):
    more = {"level": 1} if table == "regions" else {}
    with pytest.raises(kind, match=said) as caught, transaction(database) as session:
        load(session, spec("bad", table, **more), frame)
    assert kind is not InputError or "bad" in str(caught.value) or "database" in caught.value.what
    with database.connect() as connection:
        assert connection.scalar(text("select count(*) from layer")) == 0


TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20
)  # PostgreSQL's text: any character but zero


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.tuples(TEXTS, st.none() | TEXTS, st.floats(allow_infinity=False)), min_size=1, max_size=8
    )
)
def test_any_text_and_number_come_back(database, rows):
    names, notes, numbers = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "key": [f"{n:03}" for n in range(len(rows))],
            "name_en": pd.Series(names, dtype=object),
            "note": pd.Series(notes, dtype=object),
            "x": pd.Series(numbers, dtype="float64"),
        }
    )
    with transaction(database) as session:
        load(session, spec("any", fields={"x": {"type": "number"}}), frame)
        found = read.layer_frame(session, "any")
    assert found["name_en"].tolist() == list(names)
    assert [None if pd.isna(v) else v for v in found["note"]] == list(notes)
    np.testing.assert_array_equal(found["x"].to_numpy(), np.array(numbers))
