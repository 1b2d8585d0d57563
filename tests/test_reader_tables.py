"""Tables and GeoJSON as hands and programs damage them: every row, or one clear line."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path

import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from reader_files import own_temporary, read

from geoplan.errors import EmptyLayer, InputError, RangeError
from geoplan.ingest.reader import GEOMETRY, ROW

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")

FEATURE = '{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[1,2]}}'


def file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def cells(path: Path) -> list[list[str | None]]:
    _, rows, _ = read(path)
    return [[v for k, v in row.items() if k not in (ROW, GEOMETRY)] for row in rows]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a,b\n1,"x"', [["1", "x"]]),
        ('a,b\n1,""', [["1", None]]),
        ('a,b\n1,"x\n"\n', [["1", "x\n"]]),
        ('a,b\n1,6" pipe\n2,"6"" pipe"\n', [["1", '6" pipe'], ["2", '6" pipe']]),
        ("a,b\r1,2\r3,4\r", [["1", "2"], ["3", "4"]]),
        ("a,b\r\n1,2\r\n\r\n3,4", [["1", "2"], ["3", "4"]]),
        ("a,b\n1,2\n\x1a", [["1", "2"]]),
        ("a\n1\n\n2", [["1"], ["2"]]),
    ],
)
def test_every_row_comes_however_the_file_ends(
    text: str, expected: list[list[str | None]], tmp_path: Path
) -> None:
    assert cells(file(tmp_path, "t.csv", text)) == expected


@pytest.mark.parametrize(
    ("text", "match"),
    [
        # One cell would hold the rest of the file, and nobody would miss the other rows.
        ('a,b\n1,"x\n2,y\n3,z\n', "a quote is opened in row 1 and never closed"),
        ('a,b\n1,2\n"3,4\n5,6\n', "a quote is opened in row 2 and never closed"),
        ('"a,b\n1,2\n', "the header cannot be read"),
        (b"a,b\n1,x\x00y\n", "NUL letters"),
        (b"a,b\n" + b"1,2\n" * 30_000 + b"1,x\x00y\n", "a NUL stands in the text, at byte 120,008"),
        ("name;code\nabc;1\n".encode("utf-16-le"), "NUL letters"),
        ("a,b\n1,2,3\n1\n1,2\n", "2 rows have other than the 2 cells"),
    ],
)
def test_tables_that_are_refused(text: str | bytes, match: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read(file(tmp_path, "t.csv", text))
    assert caught.value.remedy


def test_a_line_of_two_hundred_megabytes(tmp_path: Path) -> None:
    path = file(tmp_path, "long.csv", b"a,b\n1," + b"x" * 200_000_000 + b"\n")
    with pytest.raises(RangeError, match="a row has more than 16,777,216 bytes"):
        read(path)


def test_an_encoding_that_shows_late(tmp_path: Path) -> None:
    text = "a;b\n" + "plain;1\n" * 300_000 + "شهرك صنعتي شمس آباد;2\n"
    info, rows, _ = read(file(tmp_path, "late.csv", text.encode("windows-1256")))
    assert (info.encoding, len(rows)) == ("windows-1256", 300_001)
    assert rows[-1]["a"] == "شهرك صنعتي شمس آباد"


@settings(deadline=None, max_examples=15)
@given(
    rows=st.lists(
        st.lists(st.text("ab,\";\n\r' ی", max_size=5), min_size=2, max_size=2),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_is_read(rows: list[list[str]]) -> None:
    rows = [["", "end"], *rows, ["0", "end"]]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "there.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([["k", "v"], *rows])
        found = cells(path)
    want = [[cell or None for cell in row] for row in rows]
    assert found == want


def test_wkt_as_postgis_writes_it_and_with_curves(tmp_path: Path) -> None:
    lines = [
        "wkt,k",
        '"SRID=32639;POINT(1 2)",1',
        '"CIRCULARSTRING(0 0,1 1,2 0)",2',
        '"POINT(3 4)",3',
    ]
    info, rows, notes = read(file(tmp_path, "w.csv", "\n".join(lines)))
    assert info.crs == "EPSG:32639"
    assert [r[GEOMETRY] and shapely.from_wkb(r[GEOMETRY]).wkt for r in rows] == [
        "POINT (1 2)",
        None,
        "POINT (3 4)",
    ]
    assert [n.rows for n in notes if n.code == "unreadable-geometry"] == [(2,)]


def test_numbers_that_only_python_takes_for_numbers(tmp_path: Path) -> None:
    path = file(tmp_path, "n.csv", "lon,lat\n1_0,2\ninf,2\n1e400,2\n۵۱٫۵,35\n")
    _, rows, notes = read(path)
    assert [r[GEOMETRY] is None for r in rows] == [True, True, True, False]
    assert [n.rows for n in notes if n.code == "unreadable-geometry"] == [(1,), (2,), (3,)]


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        ("one.geojson", FEATURE, 1),
        ("one.geojsonl", FEATURE + "\n\n", 1),
        ("two.geojsonl", FEATURE + "\n" + FEATURE, 2),
        # The first feature is longer than what is looked at to know the kind.
        ("big.geojsonl", "\n".join([FEATURE.replace("1,", f'"{"x" * 70_000}",', 1)] * 3), 3),
        ("bare.geojson", '{"type":"Point","coordinates":[1,2]}', 1),
        ("nan.geojson", FEATURE.replace("[1,2]", "[NaN,Infinity]"), 1),
    ],
)
def test_geojson_of_one_feature_and_of_lines(
    name: str, text: str, count: int, tmp_path: Path
) -> None:
    _, rows, notes = read(file(tmp_path, name, text))
    assert len(rows) == count
    assert notes == []


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[" * 10_000, "a list, and no GeoJSON"),
        (FEATURE.replace(":1}", ":" + "[" * 10_000 + "]" * 10_000 + "}"), r"nest(ed|ing)"),
        ('{"type":"FeatureCollection","features":[]}', "no features"),
        (json.dumps({"bbox": [0] * 200, "type": "Topology", "arcs": []}), "TopoJSON"),
        (FEATURE.encode("utf-16"), "UTF-16"),
    ],
)
def test_json_that_is_refused(text: str | bytes, match: str, tmp_path: Path) -> None:
    with pytest.raises((InputError, EmptyLayer), match=match) as caught:
        read(file(tmp_path, "x.json", text))
    assert str(tmp_path) not in caught.value.what
