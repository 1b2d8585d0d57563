"""Every format, read in a process of its own: the same rows, and nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely
from pyproj import CRS
from reader_files import FORMATS, left_behind, own_temporary, plots, read

from geoplan.errors import EmptyLayer, FileMissing, InputError, RangeError, UnknownName
from geoplan.ingest.reader import GEOMETRY, ROW, Limits

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_gives_the_same_plots(name: str, tmp_path: Path) -> None:
    expected, make = FORMATS[name]
    path = make(tmp_path)
    before = sorted(p.name for p in tmp_path.rglob("*"))
    info, rows, _ = read(path)
    assert info.format == expected
    assert [r[ROW] for r in rows] == [1, 2, 3]
    lonlat = expected in ("GeoJSON", "GeoJSONSeq", "KML")
    want = plots("EPSG:4326" if lonlat else "EPSG:32639")
    if expected in ("CSV", "XLSX"):
        assert info.crs is None
    else:
        assert info.crs is not None
        assert CRS.from_user_input(info.crs).to_epsg() in (
            want.crs.to_epsg(),
            4326 if lonlat else 0,
        )
    # FlatGeobuf keeps its features in the order of their places.
    rows.sort(key=lambda r: shapely.from_wkb(r[GEOMETRY]).bounds)
    for row, shape in zip(rows, want.geometry, strict=True):
        found = shapely.get_parts(shapely.from_wkb(row[GEOMETRY]))[0]
        assert found.equals_exact(shape, 1e-6, normalize=True)
    if name == "shp-1256":
        assert (info.encoding, info.encoding_how) == ("windows-1256", "detected")
        assert rows[1]["name"] == "كارخانه ي فولاد"
        assert rows[0]["code"] == "12/3"
    elif expected != "KML":
        assert [r["name"] for r in rows] == list(want["name"])
        assert [str(r["code"]) for r in rows] == list(want["code"])
        assert [None if r["area"] is None else float(r["area"]) for r in rows] == [
            100.0,
            400.5,
            None,
        ]
    else:
        assert [r["Name"] for r in rows] == list(want["name"])
    assert sorted(p.name for p in tmp_path.rglob("*")) == before  # nothing is written beside it
    assert left_behind() == []


def test_coordinates_of_a_table_by_name_and_by_option(tmp_path: Path) -> None:
    table = tmp_path / "wells.csv"
    table.write_text("id,lon,lat\n01,51.5,35.7\n02,,\n03,۵۱٫۶,35.8\n", encoding="utf-8")
    info, rows, notes = read(table)
    assert info.crs == "EPSG:4326"
    assert [r["id"] for r in rows] == ["01", "02", "03"]
    assert rows[1][GEOMETRY] is None
    assert shapely.from_wkb(rows[2][GEOMETRY]).coords[0] == (51.6, 35.8)
    assert "columns-detected" in [n.code for n in notes]
    with pytest.raises(UnknownName, match="no column 'lng'"):
        read(table, lon="lng", lat="lat")


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("شهرک صنعتي بزرگ، قطعه شماره دو", "windows-1256", "cp1256"),
        ("شهرک صنعتی بزرگ، قطعهٔ دو", "utf-8", "utf-8"),
        ("Müller à Genève, straße", "windows-1252", "cp1252"),
        ("plain text", "ascii", "utf-8"),
        ("المنطقة الصناعية الكبرى في المدينة", "iso-8859-6", "iso8859-6"),
    ],
)
def test_the_encoding_of_bytes(text: str, encoding: str, found: str) -> None:
    import codecs

    from geoplan.ingest.reader.encoding import detect

    raw = "\n".join([text] * 3).encode(encoding, errors="replace")
    assert codecs.lookup(detect(raw).name).name == found


def test_a_cpg_that_lies_is_told(tmp_path: Path) -> None:
    path = FORMATS["shp-1256"][1](tmp_path)
    path.with_suffix(".cpg").write_text("UTF-8")
    info, rows, notes = read(path)
    assert info.encoding == "windows-1256"
    assert rows[1]["name"] == "كارخانه ي فولاد"
    assert "encoding-wrong" in [n.code for n in notes]


def test_a_wrong_extension_is_told_and_read(tmp_path: Path) -> None:
    path = FORMATS["gpkg"][1](tmp_path).rename(tmp_path / "plots.csv")
    info, rows, notes = read(path)
    assert (info.format, len(rows)) == ("GeoPackage", 3)
    assert [n.code for n in notes] == ["wrong-extension"]


def test_limits_of_columns_rows_and_features(tmp_path: Path) -> None:
    wide = plots()
    for i in range(300):
        wide[f"c{i}"] = i
    import pyogrio

    path = tmp_path / "wide.gpkg"
    pyogrio.write_dataframe(wide, path)
    _, rows, _ = read(path)
    assert rows[0]["c299"] == 299
    with pytest.raises(RangeError, match="304 columns; the limit is 100"):
        read(path, limits=Limits(columns=100))
    with pytest.raises(RangeError, match="more than 2 rows"):
        read(path, limits=Limits(rows=2))
    _, rows, notes = read(path, limits=Limits(feature_bytes=50))
    assert {r[GEOMETRY] for r in rows} == {None}
    assert [(n.code, n.rows, n.count) for n in notes] == [("giant-geometry", (1, 2, 3), 3)]


def test_missing_empty_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        read(tmp_path / "nothing.gpkg")
    empty = tmp_path / "empty.gpkg"
    empty.touch()
    with pytest.raises(InputError, match="the file is empty"):
        read(empty)
    noise = tmp_path / "noise.gpkg"
    noise.write_bytes(bytes(range(256)) * 20)
    with pytest.raises(InputError, match="no file that can be read"):
        read(noise)
    header = tmp_path / "header.csv"
    header.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(EmptyLayer):
        read(header)
