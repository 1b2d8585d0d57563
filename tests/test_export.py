"""Layers leave GeoPlan and come back the same: eight formats, Persian, CRS, limits."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoplan.catalogue.text import Text
from geoplan.errors import (
    CrsProblem,
    DiskFull,
    FileMissing,
    InputError,
    RangeError,
    ShapeError,
    UnknownName,
)
from geoplan.report import export_shapefile
from geoplan.report.export import FORMATS, Provenance, export_layer, format_of
from geoplan.report.export_file import new_file
from geoplan.report.export_shapefile import dbf_names

ABOUT = Provenance(
    "plots", Text(en="Plots", fa="قطعه‌ها"), 3, "1402-05-31", "شرکت شهرک‌های صنعتی", "CC-BY-4.0",
    "surveyed", synthetic=True, assumed=True, sha256="ab" * 32, loaded_at="2024-01-02T03:04:05Z",
    loaded_by="زهرا",
)  # fmt: skip
X, Y = 562_000.0, 3_611_000.0
NAMES = ["۱۲/الف", "کد ي ك", 'a "b"\nc', "=1+1", None]


def frame(**changes: Any) -> gpd.GeoDataFrame:
    """Five plots, the third with a hole, in EPSG:32639 with millimetres."""
    shapes = [
        shapely.box(X + n * 20.123, Y + 0.001, X + n * 20.123 + 20, Y + 40.007) for n in range(5)
    ]
    shapes[2] = shapes[2].difference(shapely.box(X + 45, Y + 10, X + 50, Y + 20))
    columns = {
        "code": NAMES,
        "area_m2": [800.25, np.nan, 1e-9, -4.5, 123456789.123456],
        "floors": pd.array([1, None, 3, 2**40, 5], dtype="Int64"),
        "idle": pd.array([True, False, None, True, True], dtype="boolean"),
        "since": [date(2024, 3, 20), None, date(1999, 12, 31), date(2024, 2, 29), date(2000, 1, 1)],
        "کاربری": ["صنعتی", "خدمات", "", "فضای سبز", "انبار"],
    }
    return gpd.GeoDataFrame({**columns, **changes}, geometry=shapes, crs="EPSG:32639")


def export(tmp_path: Path, name: str, data: Any = None, **options: Any) -> Any:
    path = tmp_path / f"out{FORMATS[name][0]}"
    given_ = frame() if data is None else data
    return export_layer(given_, path, provenance=ABOUT, **options)


def opened(path: Path) -> gpd.GeoDataFrame:
    if path.suffix == ".parquet":
        return gpd.read_parquet(path)
    if path.suffix == ".zip":
        return pyogrio.read_dataframe(f"/vsizip/{path}/plots.shp")
    layer = "plots" if path.suffix == ".gpkg" else None
    return pyogrio.read_dataframe(path, layer=layer)


def same_values(back: gpd.GeoDataFrame, names: dict[str, str] | None = None) -> None:
    """Hold every value against what went out; missing is missing."""
    for name, column in frame().drop(columns="geometry").items():
        found = back[(names or {}).get(str(name), str(name))]
        for before, after in zip(column, found, strict=True):
            if before is None or before is pd.NA or before != before:
                assert pd.isna(after), (name, before, after)
            elif isinstance(before, date):
                assert pd.Timestamp(after).date() == before
            else:
                assert after == before, (name, before, after)


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf", "geoparquet"])
def test_formats_that_hold_everything(tmp_path: Path, name: str) -> None:
    done = export(tmp_path, name)
    assert (done.rows, done.crs, done.format) == (5, "EPSG:32639", name)
    assert done.bytes == done.path.stat().st_size
    assert done.notes == ()
    back = opened(done.path)
    if name == "flatgeobuf":  # its index sorts the rows
        back = back.iloc[back.geometry.bounds.minx.argsort()].reset_index(drop=True)
    same_values(back)
    assert back.crs.to_epsg() == 32639
    for before, after in zip(frame().geometry, back.geometry, strict=True):
        # The same vertices to the last bit; a ring may start elsewhere.
        assert shapely.equals(before.normalize(), after.normalize())
        assert set(shapely.get_coordinates(before).ravel()) == set(
            shapely.get_coordinates(after).ravel()
        )


def test_shapefile_is_a_zip_that_says_its_encoding_and_names(tmp_path: Path) -> None:
    data = frame(occupied_area_m2=1.0, occupied_area_ha=2.0)
    done = export(tmp_path, "shapefile", data)
    with zipfile.ZipFile(done.path) as archive:
        names = archive.namelist()
        assert sorted(n.split(".")[1] for n in names) == [
            "cpg", "csv", "dbf", "json", "prj", "shp", "shx",
        ]  # fmt: skip
        assert archive.read("plots.cpg") == b"UTF-8"
        mapping = {
            row["field"]: row["in_file"]
            for row in csv.DictReader(io.StringIO(archive.read("fields.csv").decode()))
        }
        about = json.loads(archive.read("about.json"))
    assert mapping["occupied_area_m2"] == "occupied_a"
    assert mapping["occupied_area_ha"] == "occupied_1"
    assert mapping["کاربری"] == "کاربر"  # ten bytes of UTF-8
    assert about["source"] == "شرکت شهرک‌های صنعتی"
    back = opened(done.path)
    assert back.crs.to_epsg() == 32639
    assert list(back["code"])[:2] == NAMES[:2]
    assert back["idle"].tolist()[:2] == [1, 0]
    assert pd.isna(back["area_m2"][1])
    assert list(back[mapping["کاربری"]])[3] == "فضای سبز"
    assert back["since"][0].date() == date(2024, 3, 20)
    for before, after in zip(frame().geometry, back.geometry, strict=True):
        assert shapely.equals(before, after)
    codes = {note.code: note for note in done.notes}
    assert codes["name-cut"].count == 3
    assert "occupied_area_ha → occupied_1" in codes["name-cut"].what
    assert [p.name for p in tmp_path.iterdir()] == ["out.zip"]


def test_texts_beyond_254_bytes_are_cut_between_letters_and_told(tmp_path: Path) -> None:
    done = export(tmp_path, "shapefile", frame(code=["ق" * 200, "b" * 254, "c" * 255, "d", "e"]))
    (note,) = [n for n in done.notes if n.code == "text-cut"]
    assert (note.count, note.severity) == (2, "warning")
    assert opened(done.path)["code"].tolist()[:3] == ["ق" * 127, "b" * 254, "c" * 254]


def test_times_and_lists_survive_as_far_as_the_format_goes(tmp_path: Path) -> None:
    moment = datetime(2024, 3, 20, 12, 30, 15, tzinfo=UTC)
    data = frame(at=[moment] * 5, more=[{"نام": [1, 2]}] * 5)
    shape = export(tmp_path, "shapefile", data)
    assert opened(shape.path)["at"][0] == "2024-03-20T12:30:15"
    assert any("'at' are texts" in n.what for n in shape.notes)
    package = opened(export(tmp_path, "geopackage", data).path)
    assert pd.Timestamp(package["at"][0]).tz_convert("UTC") == pd.Timestamp(moment)
    assert json.loads(package["more"][0]) == {"نام": [1, 2]}


def test_an_encoding_without_a_letter_is_refused(tmp_path: Path) -> None:
    arabic = frame(code=["كد ي", "a", "b", "c", "d"]).drop(columns="کاربری")
    done = export(tmp_path, "shapefile", arabic, encoding="windows-1256")
    with zipfile.ZipFile(done.path) as archive:
        assert archive.read("plots.cpg") == b"CP1256"
        assert "كد ي".encode("cp1256") in archive.read("plots.dbf")
    assert opened(done.path)["code"][0] == "كد ي"
    done.path.unlink()
    with pytest.raises(InputError, match="cp1256 has no 'ی'"):
        export(tmp_path, "shapefile", encoding="windows-1256")
    with pytest.raises(InputError, match="cp1256 has no"):
        export(tmp_path, "csv", encoding="windows-1256")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnknownName, match="no encoding"):
        export(tmp_path, "csv", encoding="klingon")
    with pytest.raises(InputError, match="always UTF-8"):
        export(tmp_path, "geopackage", encoding="windows-1256")


@given(st.lists(st.text(max_size=14), unique=True, max_size=60))
def test_short_names_are_short_unique_and_stable(names: list[str]) -> None:
    short = dbf_names(names)
    assert list(short) == names
    assert all(0 < len(s.encode("utf-8", "replace")) <= 10 for s in short.values())
    assert len({s.lower() for s in short.values()}) == len(names)
    assert dbf_names(names) == short


def test_two_gigabytes_are_told_before_a_program_chokes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_shapefile, "_SHAPEFILE_BYTES", 700)
    with pytest.raises(RangeError, match="700 bytes of a Shapefile"):
        export(tmp_path, "shapefile")
    assert list(tmp_path.iterdir()) == []


def test_geojson_is_rfc_7946(tmp_path: Path) -> None:
    done = export(tmp_path, "geojson")
    document = json.loads(done.path.read_text(encoding="utf-8"))
    assert "crs" not in document
    assert document["about"]["synthetic"] == "yes"
    assert document["about"]["title_fa"] == "قطعه‌ها"
    first = document["features"][0]
    assert first["properties"]["code"] == "۱۲/الف"
    assert document["features"][1]["properties"]["area_m2"] is None
    change = pyproj.Transformer.from_crs(32639, 4326, always_xy=True)
    wanted = {
        (round(lon, 9), round(lat, 9))
        for lon, lat in zip(*change.transform(*frame().geometry[0].exterior.xy), strict=True)
    }
    assert {tuple(p) for p in first["geometry"]["coordinates"][0]} == wanted
    for feature in document["features"]:
        shell, *holes = feature["geometry"]["coordinates"]
        assert shapely.is_ccw(shapely.linearrings(shell))  # §3.1.6
        assert not any(shapely.is_ccw(shapely.linearrings(h)) for h in holes)
    back = opened(done.path)
    same_values(back.assign(since=pd.to_datetime(back["since"])))
    with pytest.raises(CrsProblem, match="only, not EPSG:32639") as caught:
        export_layer(frame(), tmp_path / "b.geojson", provenance=ABOUT, crs="EPSG:32639")
    assert "--crs EPSG:4326" in caught.value.remedy


def test_geojson_lines_and_what_stands_beside(tmp_path: Path) -> None:
    done = export(tmp_path, "geojsonl")
    lines = done.path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["type"] for line in lines] == ["Feature"] * 5
    assert done.beside is not None
    about = json.loads(done.beside.read_text(encoding="utf-8"))
    assert (about["rows"], about["licence"], about["assumed"]) == ("5", "CC-BY-4.0", "yes")
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "out.geojsonl", "out.geojsonl.about.json",
    ]  # fmt: skip


def test_csv_holds_every_figure_and_no_formula(tmp_path: Path) -> None:
    done = export(tmp_path, "csv")
    rows = list(csv.DictReader(io.StringIO(done.path.read_text(encoding="utf-8"), newline="")))
    assert [r["code"] for r in rows] == ["۱۲/الف", "کد ي ك", 'a "b"\nc', "'=1+1", ""]
    assert rows[4]["area_m2"] == "123456789.123456"
    assert (rows[1]["area_m2"], rows[1]["floors"], rows[2]["idle"]) == ("", "", "")
    assert (rows[0]["idle"], rows[0]["since"]) == ("true", "2024-03-20")
    for row, shape in zip(rows, frame().geometry, strict=True):
        assert shapely.from_wkt(row["wkt"]).equals_exact(shape, 0.0)
    assert [n.code for n in done.notes] == ["formula"]


def test_geoparquet_says_where_and_whence(tmp_path: Path) -> None:
    done = export(tmp_path, "geoparquet")
    metadata = pq.read_metadata(done.path).metadata
    geo = json.loads(metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert geo["version"] == "1.1.0"
    assert column["geometry_types"] == ["Polygon"]
    assert pyproj.CRS.from_json_dict(column["crs"]).to_epsg() == 32639
    assert column["bbox"] == pytest.approx(frame().total_bounds.tolist(), abs=0)
    assert json.loads(metadata[b"geoplan"])["version"] == "3"


def test_geopackage_has_a_table_about(tmp_path: Path) -> None:
    done = export(tmp_path, "geopackage")
    with sqlite3.connect(done.path) as base:
        about = dict(base.execute("select name, value from about").fetchall())
    assert about["layer"] == "plots"
    assert about["as_of"] == "1402-05-31"
    assert about["loaded_by"] == "زهرا"
    assert (about["synthetic"], about["assumed"], about["rows"]) == ("yes", "yes", "5")
    again = export_layer(frame(), tmp_path / "again.gpkg", provenance=ABOUT)
    assert again.path.read_bytes() == done.path.read_bytes()


def test_flatgeobuf_describes_itself(tmp_path: Path) -> None:
    done = export(tmp_path, "flatgeobuf")
    assert "شرکت شهرک‌های صنعتی".encode() in done.path.read_bytes()[:4000]


# DXF.


def test_dxf_has_rings_numbers_and_persian(tmp_path: Path) -> None:
    done = export(tmp_path, "dxf", theme="cadastre/plots", label="code")
    drawing = ezdxf.readfile(done.path)
    audit = drawing.audit()
    assert (audit.errors, audit.fixes) == ([], [])
    assert drawing.dxfversion == "AC1024"  # R2010
    assert drawing.header["$INSUNITS"] == 6  # metres
    space = drawing.modelspace()
    rings = space.query("LWPOLYLINE")
    assert len(rings) == 6  # five shells and a hole
    assert {r.dxf.layer for r in rings} == {"cadastre_plots"}
    assert all(r.closed for r in rings)
    wanted = [
        set(map(tuple, shapely.get_coordinates(ring).tolist()))
        for ring in shapely.get_rings(frame().geometry.to_numpy())
    ]
    found = [{(float(x), float(y)) for x, y in r.get_points("xy")} for r in rings]
    assert found == wanted  # to the last bit
    texts = space.query("TEXT")
    assert [t.dxf.text for t in texts] == ["۱۲/الف", "کد ي ك", 'a "b" c', "=1+1"]
    assert {t.dxf.layer for t in texts} == {"cadastre_plots-number"}
    for text, shape in zip(texts, frame().geometry, strict=False):
        assert shape.contains(shapely.Point(text.dxf.align_point.x, text.dxf.align_point.y))
    about = dict(drawing.header.custom_vars.properties)
    assert about["geoplan:source"] == "شرکت شهرک‌های صنعتی"
    assert about["geoplan:rows"] == "5"
    handles = [e.dxf.handle for e in drawing.entitydb.values() if e.dxf.handle]
    assert len(handles) == len(set(handles))
    assert int(str(drawing.header["$HANDSEED"]), 16) > max(int(h, 16) for h in handles)
    (note,) = done.notes
    assert "کاربری" in note.what


def test_dxf_holds_points_and_lines(tmp_path: Path) -> None:
    data = gpd.GeoDataFrame(
        {"name": ["پست", "خط", None]},
        geometry=[
            shapely.Point(X, Y),
            shapely.MultiLineString([[(X, Y), (X + 5, Y)], [(X, Y + 5), (X + 5, Y + 5.5)]]),
            None,
        ],
        crs="EPSG:32639",
    )
    done = export(tmp_path, "dxf", data, label="name")
    space = ezdxf.readfile(done.path).modelspace()
    assert [e.dxftype() for e in space] == ["POINT", "LWPOLYLINE", "LWPOLYLINE", "TEXT", "TEXT"]
    assert not any(e.closed for e in space.query("LWPOLYLINE"))


def test_dxf_in_degrees_is_refused_with_the_zone(tmp_path: Path) -> None:
    with pytest.raises(CrsProblem, match="in metres, and EPSG:4326 is not") as caught:
        export(tmp_path, "dxf", crs="EPSG:4326")
    assert "EPSG:32639 (UTM zone 39 north)" in caught.value.remedy
    with pytest.raises(CrsProblem, match="in metres"):
        export(tmp_path, "dxf", crs="EPSG:2263")  # feet
    assert list(tmp_path.iterdir()) == []


# CRS and surveyed coordinates.


def test_any_crs_and_its_way_back(tmp_path: Path) -> None:
    done = export(tmp_path, "geopackage", crs="EPSG:3857")
    back = opened(done.path).to_crs("EPSG:32639")
    for before, after in zip(frame().geometry, back.geometry, strict=True):
        assert shapely.hausdorff_distance(before, after) < 1e-6
    with pytest.raises(CrsProblem, match="'EPSG:nonsense' is no CRS"):
        export_layer(frame(), tmp_path / "b.gpkg", provenance=ABOUT, crs="EPSG:nonsense")
    bare = frame().set_crs(None, allow_override=True)
    with pytest.raises(CrsProblem, match="no CRS"):
        export_layer(bare, tmp_path / "b.gpkg", provenance=ABOUT)


@pytest.mark.parametrize("name", ["geopackage", "shapefile", "geoparquet", "dxf"])
def test_surveyed_coordinates_come_back_unchanged(tmp_path: Path, name: str) -> None:
    survey = frame()
    served = survey.to_crs("EPSG:4326")
    served["source_geom"] = [
        shapely.to_wkb(shapely.set_srid(s, 32639), include_srid=n % 2 == 0)
        for n, s in enumerate(survey.geometry)
    ]
    served["source_srid"] = 32639
    # There and back again, doubles are not the same: what was surveyed has to be used.
    projected = served.to_crs("EPSG:32639")
    assert not any(
        a.equals_exact(b, 0.0) for a, b in zip(projected.geometry, survey.geometry, strict=True)
    )
    done = export(tmp_path, name, served, crs="EPSG:32639", surveyed=("source_geom", "source_srid"))
    if name == "dxf":
        rings = ezdxf.readfile(done.path).modelspace().query("LWPOLYLINE")
        found = {(float(x), float(y)) for r in rings for x, y in r.get_points("xy")}
    else:
        back = opened(done.path)
        assert not {"source_geom", "source_srid"} & set(back.columns)
        found = {tuple(p) for p in shapely.get_coordinates(back.geometry.to_numpy()).tolist()}
    wanted = shapely.get_coordinates(survey.geometry.to_numpy()).tolist()
    assert found == {tuple(p) for p in wanted}


def test_surveys_in_another_zone_are_projected(tmp_path: Path) -> None:
    served = frame().to_crs("EPSG:4326")
    served["source_geom"] = [shapely.to_wkb(s) for s in frame().geometry]
    served["source_srid"] = [32639, 32640, None, 32639, 32639]
    done = export(
        tmp_path, "geopackage", served, crs="EPSG:32639", surveyed=("source_geom", "source_srid")
    )
    for before, after in zip(frame().geometry, opened(done.path).geometry, strict=True):
        assert shapely.hausdorff_distance(before, after) < 1e-6


# Batches.


def batches(count: int = 3) -> Iterator[gpd.GeoDataFrame]:
    for n in range(count):
        part = frame(code=[f"{n}-{i}" for i in range(5)])
        yield part.set_geometry(part.geometry.translate(0, n * 50))


@pytest.mark.parametrize("name", list(FORMATS))
def test_batches_make_one_file(tmp_path: Path, name: str) -> None:
    seen: list[int] = []
    done = export(tmp_path, name, batches(), progress=seen.append, kind="polygon", label="code")
    assert (done.rows, seen) == (15, [5, 10, 15])
    if name in ("geopackage", "geoparquet", "geojson"):
        assert opened(done.path)["code"].tolist() == [
            f"{n}-{i}" for n in range(3) for i in range(5)
        ]


def test_columns_that_are_empty_at_first_have_the_type_they_are_given(tmp_path: Path) -> None:
    first, second = frame(area_m2=None, code=None), frame()
    types = {"code": "string", "area_m2": "number", "since": "date", "absent": "integer"}
    done = export(tmp_path, "geopackage", iter([first, second]), fields=types)
    back = opened(done.path)
    assert list(back.columns) == [*types, "geometry"]
    assert back["area_m2"][9] == 123456789.123456
    assert back["absent"].isna().all()
    assert "float" in str(back["area_m2"].dtype)


def test_an_error_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[gpd.GeoDataFrame]:
        yield frame()
        raise DiskFull("the database is full")

    old = export(tmp_path, "geopackage").path.read_bytes()
    for name in FORMATS:
        path = tmp_path / f"out{FORMATS[name][0]}"
        with pytest.raises(DiskFull, match="the database is full"):
            export_layer(broken(), path, provenance=ABOUT, overwrite=True, kind="polygon")
    assert [p.name for p in tmp_path.iterdir()] == ["out.gpkg"]
    assert (tmp_path / "out.gpkg").read_bytes() == old


def test_batches_that_do_not_fit_are_told(tmp_path: Path) -> None:
    points = frame().set_geometry(frame().geometry.centroid)
    with pytest.raises(ShapeError, match="5 geometries are no polygons but, for example, a Point"):
        export(tmp_path, "geopackage", iter([frame(), points]))
    with pytest.raises(ShapeError, match="column 'floors'"):
        export(tmp_path, "geopackage", iter([frame(), frame(floors=["many"] * 5)]))
    with pytest.raises(ShapeError, match="no batch"):
        export(tmp_path, "geopackage", iter([]))
    mixed = pd.concat([frame(), points])
    with pytest.raises(InputError, match="holds one kind of geometry"):
        export(tmp_path, "shapefile", mixed)
    assert list(tmp_path.iterdir()) == []
    assert export(tmp_path, "geopackage", mixed).rows == 10


def test_rows_without_geometry(tmp_path: Path) -> None:
    data = frame()
    data.loc[1, "geometry"] = None
    for name in FORMATS:
        assert export(tmp_path, name, data).rows == 5
    for name in ("geopackage", "shapefile", "geojson", "geoparquet", "flatgeobuf"):
        back = opened(tmp_path / f"out{FORMATS[name][0]}")
        assert back.geometry.isna().sum() == 1, name
    with pytest.raises(InputError, match="1 rows have no geometry"):
        export_layer(iter([data]), tmp_path / "b.fgb", provenance=ABOUT)


def test_heights_are_kept_where_the_layer_has_them(tmp_path: Path) -> None:
    high = frame().set_geometry(shapely.force_3d(frame().geometry.to_numpy(), 1_590.5))
    high = gpd.GeoDataFrame(high, crs="EPSG:32639")
    for name in ("geopackage", "shapefile", "geoparquet", "flatgeobuf", "geojson"):
        back = opened(export(tmp_path, name, high).path)
        heights = shapely.get_coordinates(back.geometry.to_numpy(), include_z=True)[:, 2]
        assert set(heights) == {1_590.5}, name


# Files.


def test_formats_by_ending_and_no_surprise(tmp_path: Path) -> None:
    assert format_of(Path("a.GPKG")) == "geopackage"
    with pytest.raises(UnknownName, match="no format ends with '\\.xyz'"):
        export_layer(frame(), tmp_path / "a.xyz", provenance=ABOUT)
    with pytest.raises(InputError, match="ends with \\.gpkg"):
        export_layer(frame(), tmp_path / "a.csv", provenance=ABOUT, format="geopackage")
    with pytest.raises(UnknownName, match="no format 'kml'"):
        export_layer(frame(), tmp_path / "a.kml", provenance=ABOUT, format="kml")
    with pytest.raises(FileMissing, match="does not exist"):
        export_layer(frame(), tmp_path / "no" / "a.gpkg", provenance=ABOUT)


def test_an_existing_file_is_refused_unless_asked(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        export_layer(frame(), path, provenance=ABOUT)
    assert path.read_text() == "mine"
    export_layer(frame(), path, provenance=ABOUT, overwrite=True)
    assert path.read_text(encoding="utf-8").startswith("code,")


def test_a_file_made_meanwhile_is_not_lost(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(InputError, match="exists already"), new_file(path) as part:
        part.write_text("ours")
        path.write_text("theirs")
    assert path.read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(shutil.which("ogrinfo") is None, reason="no ogrinfo on this machine")
@pytest.mark.parametrize("name", ["geopackage", "shapefile", "geojson", "flatgeobuf", "dxf"])
def test_another_gdal_reads_the_same(tmp_path: Path, name: str) -> None:
    done = export(tmp_path, name, label="code")
    where = f"/vsizip/{done.path}/plots.shp" if name == "shapefile" else str(done.path)
    layer = {"dxf": "entities", "geopackage": "plots"}.get(name)
    shown = subprocess.run(
        ["ogrinfo", "-ro", "--config", "DXF_ENCODING", "UTF-8", where,
         *([layer] if layer else ["-al"])],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "۱۲/الف" in shown
    assert f"Feature Count: {10 if name == 'dxf' else 5}" in shown
    if name == "geojson":
        assert "WGS 84" in shown
    elif name != "dxf":
        assert "UTM zone 39N" in shown.replace("UTM_Zone_39N", "UTM zone 39N")
    if name != "dxf":
        assert shown.count("POLYGON (") == 5
        assert "فضای سبز" in shown
