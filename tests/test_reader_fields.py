"""Values of every type as they arrive: none invented, one schema for all batches of a file."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from reader_files import own_temporary, read

from geoplan.errors import InputError
from geoplan.ingest.reader import GEOMETRY, ReadRequest, open_source
from geoplan.ingest.reader.flatgeobuf import has_index

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")

MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 678000)


def typed(folder: Path, name: str, driver: str, count: int = 20_000, **options: str) -> Path:
    """Write more rows than one batch holds; in the middle each column has a row without a value."""
    number = np.arange(count, dtype="int64")
    frame = gpd.GeoDataFrame(
        {
            "big": number + 2**60,
            "small": pd.array(number % 100, dtype="Int32"),
            "real": np.where(number == 10, np.nan, number + 0.5),
            "flag": number % 2 == 0,
            "moment": pd.Series([pd.Timestamp(MOMENT)] * count),
            "text": pd.Series([f"قطعه {i}" for i in number], dtype=object),
        },
        geometry=shapely.points(51 + number / count, 35.0),
        crs=4326,
    )
    frame.loc[10, ["small", "moment", "text"]] = None
    path = folder / name
    pyogrio.write_dataframe(frame, path, driver=driver, **options)
    return path


@pytest.mark.parametrize(
    ("name", "driver", "options"),
    [
        ("t.gpkg", "GPKG", {}),
        ("t.gdb", "OpenFileGDB", {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"}),
        ("t.fgb", "FlatGeobuf", {}),
        ("u.fgb", "FlatGeobuf", {"SPATIAL_INDEX": "NO"}),
        ("t.geojson", "GeoJSON", {}),
        ("t.geojsonl", "GeoJSONSeq", {}),
        ("t.sqlite", "SQLite", {"SPATIALITE": "NO"}),
    ],
)
def test_values_of_every_type(
    name: str, driver: str, options: dict[str, str], tmp_path: Path
) -> None:
    with open_source(ReadRequest(typed(tmp_path, name, driver, **options))) as source:
        batches = list(source)
    assert len(batches) > 1
    assert {str(b.schema) for b in batches} == {str(batches[0].schema)}
    assert [n for n, _ in source.info.columns] == ["big", "small", "real", "flag", "moment", "text"]
    rows = [row for batch in batches for row in batch.to_pylist()]
    rows.sort(key=lambda r: r["big"])  # an indexed FlatGeobuf has an order of its own
    assert [r["big"] for r in rows] == list(range(2**60, 2**60 + 20_000))
    last = rows[-1]
    assert (last["small"], last["real"], bool(last["flag"])) == (99, 19_999.5, False)
    assert last["moment"].replace(tzinfo=None) == MOMENT
    assert last["text"] == "قطعه 19999"
    missing = [rows[10][n] for n in ("small", "real", "moment", "text")]
    assert [v is None or v != v for v in missing] == [True] * 4


def test_text_in_windows_1256_throughout_a_long_file(tmp_path: Path) -> None:
    count = 120_000
    frame = gpd.GeoDataFrame(
        {"name": [f"شهرك صنعتي {i}" for i in range(count)]},
        geometry=shapely.points(np.arange(count) % 90, np.arange(count) % 80),
        crs=4326,
    )
    path = tmp_path / "long.shp"
    pyogrio.write_dataframe(frame, path, encoding="windows-1256")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[29] = 0
    path.with_suffix(".dbf").write_bytes(raw)
    info, rows, _ = read(path)
    assert info.encoding == "windows-1256"
    assert [r["name"] for r in rows] == list(frame["name"])


@pytest.mark.parametrize("absent", [(1, 3), (0,), (0, 1, 2, 3), (3,), ()])
def test_absent_places_of_a_flatgeobuf(absent: tuple[int, ...], tmp_path: Path) -> None:
    """GDAL's own batches put the place behind an absent one over the first."""
    shapes = [None if i in absent else shapely.Point(51 + i, 35) for i in range(4)]
    frame = gpd.GeoDataFrame({"i": range(4)}, geometry=shapes, crs=4326)
    path = tmp_path / "absent.fgb"
    layer = 'say "x"\\ y'
    pyogrio.write_dataframe(frame, path, SPATIAL_INDEX="NO", geometry_type="Point", layer=layer)
    assert not has_index(path)
    info, rows, _ = read(path)
    assert info.columns == (("i", "int64"),)
    assert info.layer == layer
    found = [r[GEOMETRY] and shapely.from_wkb(r[GEOMETRY]) for r in rows]
    assert found == shapes


def test_a_flatgeobuf_with_its_index(tmp_path: Path) -> None:
    path = tmp_path / "t.fgb"
    frame = gpd.GeoDataFrame({"i": [1]}, geometry=[shapely.Point(51, 35)], crs=4326)
    pyogrio.write_dataframe(frame, path)
    assert has_index(path)
    for size in (3, 12, 14, 20, 40):
        path.write_bytes(path.read_bytes()[:size])
        assert has_index(path) in (True, False)


# -- cells of a database that are not what their column says


@contextmanager
def plain_table(folder: Path, *columns: str) -> Iterator[tuple[Path, sqlite3.Connection]]:
    path = folder / "t.gpkg"
    frame = gpd.GeoDataFrame({"k": [1, 2, 3]}, geometry=[shapely.Point(51, 35)] * 3, crs=4326)
    pyogrio.write_dataframe(frame, path)
    with closing(sqlite3.connect(path)) as database:
        kinds = "select name from sqlite_master where type = 'trigger'"
        for (name,) in database.execute(kinds).fetchall():
            database.execute(f'drop trigger "{name}"')
        for column in columns:
            database.execute(f"alter table t add column {column}")
        yield path, database
        database.commit()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("INTEGER", "12/3"),
        ("MEDIUMINT", 1.5),
        ("TINYINT", b"\x01"),
        ("REAL", "twelve"),
        ("DOUBLE", ""),
        ("DATE", "02/01/2024"),
        ("DATE", "1403-02-31"),  # a day of the Jalali calendar, and none of the other
        ("DATE", 20240102),
        ("DATE", ""),
        ("DATETIME", "2024-01-02T25:00:00Z"),
    ],
)
def test_cells_that_gdal_would_make_something_else_of(
    kind: str, value: Any, tmp_path: Path
) -> None:
    with plain_table(tmp_path, f'"a ""b""" {kind}') as (path, database):
        database.execute('update t set "a ""b""" = ? where k = 2', (value,))
    with pytest.raises(InputError, match=r'column \'a "b"\' in the row with fid 2 holds') as caught:
        read(path)
    assert "as text" in caught.value.remedy


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("INTEGER", "12", 12),
        ("INTEGER", 3.0, 3),
        ("REAL", 3, 3.0),
        ("BOOLEAN", 1, True),
        ("TEXT", 12, "12"),
        ("TEXT(5)", "12/3", "12/3"),
        ("BLOB", b"\x00\xff", "00ff"),
        ("DATE", "2024-02-29", dt.date(2024, 2, 29)),
        ("DATE", "2024/02/29", dt.date(2024, 2, 29)),
        ("DATETIME", "2024-01-02T03:04:05.678Z", MOMENT.replace(tzinfo=dt.UTC)),
    ],
)
def test_cells_as_they_are(kind: str, value: Any, expected: Any, tmp_path: Path) -> None:
    with plain_table(tmp_path, f"a {kind}") as (path, database):
        database.execute("update t set a = ? where k <> 1", (value,))
    _, rows, _ = read(path)
    assert [r["a"] for r in rows] == [None, expected, expected]


# -- geometry


def test_every_kind_of_geometry_is_straight_iso_wkb(tmp_path: Path) -> None:
    kinds = {
        "POINT Z (1 2 3)": (1001, "POINT Z (1 2 3)"),
        "POINT M (1 2 3)": (2001, None),
        "POINT ZM (1 2 3 4)": (3001, None),
        "MULTIPOLYGON Z (((0 0 1,1 0 1,1 1 1,0 0 1)))": (1006, None),
        "GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (0 0,1 1))": (7, None),
        "CIRCULARSTRING (0 0,1 1,2 0)": (2, None),
        "CURVEPOLYGON (CIRCULARSTRING (0 0,1 1,2 0,1 -1,0 0))": (3, None),
        "MULTISURFACE (CURVEPOLYGON (CIRCULARSTRING (0 0,1 1,2 0,1 -1,0 0)),((5 5,6 5,6 6,5 5)))": (
            6,
            None,
        ),
        "TIN Z (((0 0 0,0 1 0,1 1 0,0 0 0)))": (1016, None),  # left alone; the check names it
    }
    table = tmp_path / "kinds.csv"
    lines = [f'{i},"{wkt}"' for i, wkt in enumerate(kinds)]
    table.write_text("\n".join(["id,WKT", *lines, "99,"]) + "\n")
    path = tmp_path / "kinds.gpkg"
    subprocess.run(
        ["ogr2ogr", "-f", "GPKG", path, table, "-nlt", "GEOMETRY",
         "-oo", "GEOM_POSSIBLE_NAMES=WKT", "-oo", "KEEP_GEOM_COLUMNS=NO"],
        check=True, capture_output=True,
    )  # fmt: skip
    _, rows, notes = read(path)
    raw = [r[GEOMETRY] for r in rows]
    assert raw[-1] is None
    assert {value[0] for value in raw[:-1]} == {1}
    assert [int.from_bytes(value[1:5], "little") for value in raw[:-1]] == [
        code for code, _ in kinds.values()
    ]
    disc = shapely.from_wkb(raw[6])
    assert disc.area == pytest.approx(np.pi, abs=2 * np.pi * 0.01)
    assert [(n.count, n.rows) for n in notes if n.code == "curve"] == [(3, (6, 7, 8))]
