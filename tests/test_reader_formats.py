"""What is peculiar to a format: parts, layers, kinds of geometry, and files by other programs."""

from __future__ import annotations

import json
import math
import shutil
import sqlite3
import struct
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from reader_files import FORMATS, left_behind, own_temporary, plots, read

from geoplan.errors import InputError, UnknownName
from geoplan.ingest.reader import GEOMETRY, ROW

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")


# -- Shapefile


def test_parts_in_capitals_and_mixed(tmp_path: Path) -> None:
    FORMATS["shp"][1](tmp_path)
    for part in sorted(tmp_path.iterdir()):
        part.rename(tmp_path / ("PLOTS" + part.suffix.upper()))
    (tmp_path / "PLOTS.DBF").rename(tmp_path / "plots.Dbf")
    info, rows, notes = read(tmp_path / "PLOTS.SHP")
    assert (info.layer, len(rows), notes) == ("PLOTS", 3, [])
    assert info.crs == "EPSG:32639"
    assert rows[0]["name"] == plots()["name"][0]


@pytest.mark.parametrize("part", [".dbf", ".prj", ".cpg"])
def test_a_part_given_alone(part: str, tmp_path: Path) -> None:
    path = FORMATS["shp"][1](tmp_path)
    with pytest.raises(InputError, match=f"the {part} part of a Shapefile") as caught:
        read(path.with_suffix(part))
    assert "give the .shp" in caught.value.remedy


def test_rows_marked_as_deleted_and_parts_of_two_files(tmp_path: Path) -> None:
    path = FORMATS["shp"][1](tmp_path)
    dbf = path.with_suffix(".dbf")
    raw = bytearray(dbf.read_bytes())
    start, size = struct.unpack_from("<HH", raw, 8)
    raw[start + size] = ord("*")  # the second of three
    dbf.write_bytes(bytes(raw))
    _, rows, notes = read(path)
    assert [r["floor"] for r in rows] == [1, 3]
    assert notes == []
    struct.pack_into("<I", raw, 4, 2)
    dbf.write_bytes(bytes(raw))
    with pytest.raises(InputError, match=r"the \.shx has 3 rows and the \.dbf 2"):
        read(path)


def test_a_single_feature_of_two_gigabytes(tmp_path: Path) -> None:
    path = FORMATS["shp"][1](tmp_path)
    index = bytearray(path.with_suffix(".shx").read_bytes())
    at, size = path.stat().st_size, 2_000_000_000
    struct.pack_into(">II", index, 108, at // 2, size // 2)  # the second of three
    path.with_suffix(".shx").write_bytes(bytes(index))
    with path.open("r+b") as stream:
        stream.seek(24)
        stream.write(struct.pack(">I", (at + 8 + size) // 2))
        stream.seek(at)
        stream.write(struct.pack(">II", 2, size // 2))
        stream.write(struct.pack("<I4d3I", 5, 0, 0, 1, 1, 1, 124_999_990, 0))
        stream.truncate(at + 8 + size)  # the rest is a hole, and reads as zeros
    _, rows, notes = read(path)
    assert [r[GEOMETRY] is None for r in rows] == [False, True, False]
    assert [(n.code, n.rows) for n in notes] == [("unreadable-geometry", (2,))]
    assert "2,000,000,000 bytes" in notes[0].what


def test_names_in_a_zip_of_an_old_packer(tmp_path: Path) -> None:
    class Old(zipfile.ZipInfo):
        def _encodeFilenameFlags(self) -> tuple[bytes, int]:
            return self.filename.encode("windows-1256"), 0  # and no flag that says UTF-8

    inner = tmp_path / "inner"
    inner.mkdir()
    FORMATS["shp"][1](inner)
    path = tmp_path / "old.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted(inner.iterdir()):
            archive.writestr(Old("قطعات" + part.suffix), part.read_bytes())
    info, rows, _ = read(path)
    assert (info.layer, len(rows)) == ("قطعات", 3)


# -- databases


def test_curves_and_kinds_that_are_not_supported(tmp_path: Path) -> None:
    path = tmp_path / "curves.gpkg"
    pyogrio.write_dataframe(plots(), path, layer="plots")
    arc = struct.pack("<BII6d", 1, 8, 3, 0, 0, 1, 1, 2, 0)
    back = struct.pack("<BII4d", 1, 2, 2, 2, 0, 0, 0)
    compound = struct.pack("<BII", 1, 9, 2) + arc + back
    half_disc = struct.pack("<BII", 1, 10, 1) + compound
    triangle = struct.pack("<BIII8d", 1, 17, 1, 4, 0, 0, 1, 0, 1, 1, 0, 0)
    tin = struct.pack("<BII", 1, 16, 1) + triangle
    head = b"GP\0\x01" + struct.pack("<i", 32639)
    with sqlite3.connect(path) as database:
        for (name,) in database.execute(
            "select name from sqlite_master where type = 'trigger'"
        ).fetchall():
            database.execute(f'drop trigger "{name}"')
        for row, wkb in ((1, half_disc), (2, tin)):
            database.execute("update plots set geom = ? where fid = ?", (head + wkb, row))
    database.close()
    _, rows, notes = read(path, curve_tolerance_m=1e-4)
    straight = shapely.from_wkb(rows[0][GEOMETRY])
    assert straight.geom_type == "Polygon"
    # Half a disc of radius 1; segments of the sagitta s lose 2/3 · s · π at most.
    assert straight.area == pytest.approx(math.pi / 2, abs=2 / 3 * 1e-4 * math.pi)
    assert struct.unpack_from("<I", rows[1][GEOMETRY], 1)[0] == 16  # named by the check of figures
    assert [(n.code, n.rows) for n in notes] == [("curve", (1,))]


@pytest.mark.parametrize("driver", ["SpatiaLite", "GPKG", "KML", "GML", "FlatGeobuf", "GeoJSONSeq"])
def test_files_of_another_gdal(driver: str, tmp_path: Path) -> None:
    """Debian's ogr2ogr is older than the library that reads, and was built by others."""
    program = shutil.which("ogr2ogr")
    if program is None:
        pytest.skip("no ogr2ogr on this machine: apt-get install gdal-bin")
    source = FORMATS["geojson"][1](tmp_path)
    target = tmp_path / "out" / ("plots.fgb" if driver == "FlatGeobuf" else "plots.dat")
    target.parent.mkdir()
    options = ["-f", driver]
    if driver == "SpatiaLite":
        options = ["-f", "SQLite", "-dsco", "SPATIALITE=YES"]
    made = subprocess.run(
        [program, *options, str(target), str(source)], capture_output=True, text=True
    )
    if "spatialite" in made.stderr.lower():
        pytest.skip("ogr2ogr was built without SpatiaLite")
    info, rows, _ = read(target)
    assert info.format == {"GPKG": "GeoPackage"}.get(driver, driver)
    by_name = {r.get("name") or r.get("Name"): r for r in rows}
    wanted = plots("EPSG:4326")
    assert set(by_name) == set(wanted["name"])
    for name, code, shape in zip(wanted["name"], wanted["code"], wanted.geometry, strict=True):
        assert by_name[name]["code"] == code
        found = shapely.get_parts(shapely.from_wkb(by_name[name][GEOMETRY]))[0]
        assert found.equals_exact(shape, 1e-6, normalize=True)
    assert left_behind() == []


# -- one file, several layers


def test_a_geodatabase_of_two_layers(tmp_path: Path) -> None:
    path = tmp_path / "two.gdb"
    for layer in ("plots", "blocks"):
        pyogrio.write_dataframe(plots(), path, driver="OpenFileGDB", layer=layer)
    with pytest.raises(InputError, match="the file has 2 layers") as caught:
        read(path)
    assert "plots, blocks" in caught.value.remedy
    info, rows, _ = read(path, source_layer="blocks")
    assert (info.layer, info.layers, len(rows)) == ("blocks", ("plots", "blocks"), 3)
    with pytest.raises(UnknownName, match="no layer 'roads'"):
        read(path, source_layer="roads")


def test_a_drawing_comes_through_the_same_door(tmp_path: Path) -> None:
    import ezdxf.filemanagement

    drawing = ezdxf.filemanagement.new("R2010")
    drawing.units = 6
    space = drawing.modelspace()
    for k in range(3):
        x = 500_000 + 20 * k
        space.add_lwpolyline(
            [(x, 0), (x + 20, 0), (x + 20, 20), (x, 20)], close=True, dxfattribs={"layer": "PLOT"}
        )
        space.add_text(f"قطعه {k}").set_placement((x + 10, 10))
    path = tmp_path / "plan.dxf"
    drawing.saveas(path)
    info, rows, _ = read(path)
    assert info.format == "DXF"
    assert sorted(r["text"] for r in rows) == ["قطعه 0", "قطعه 1", "قطعه 2"]
    assert [r[ROW] for r in rows] == [1, 2, 3]


def test_geojson_that_names_its_system(tmp_path: Path) -> None:
    path = tmp_path / "utm.geojson"
    data = json.loads(plots().to_json(to_wgs84=False, drop_id=True))
    data["crs"] = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32639"}}
    path.write_text(json.dumps(data), encoding="utf-8")
    info, rows, _ = read(path)
    assert info.crs == "EPSG:32639"
    assert shapely.from_wkb(rows[0][GEOMETRY]).bounds[0] == 500_000.0


@pytest.mark.parametrize(
    "options",
    [{"byte_order": 0}, {"flavor": "extended", "include_srid": True}, {"flavor": "iso"}],
)
def test_well_known_binary_of_any_flavour_becomes_iso(
    options: dict[str, Any], tmp_path: Path
) -> None:
    path = FORMATS["parquet"][1](tmp_path)
    table = pq.read_table(path)
    at = table.schema.get_field_index("geometry")
    shapes = shapely.set_srid(shapely.force_3d(plots().geometry.to_numpy(), 7.0), 32639)
    wkb = pa.array(shapely.to_wkb(shapes, **options).tolist(), pa.binary())
    pq.write_table(table.set_column(at, table.schema.field(at), wkb), path)
    _, rows, notes = read(path)
    assert [r[GEOMETRY] for r in rows] == shapely.to_wkb(shapes, flavor="iso").tolist()
    assert rows[0][GEOMETRY][:5].hex() == "01eb030000"
    assert notes == []
