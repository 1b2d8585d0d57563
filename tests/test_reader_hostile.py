"""Files that are damaged or mean harm: one clear line, nothing else touched, nothing left."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
from reader_files import FORMATS, left_behind, own_temporary, plots, read

from geoplan.errors import FileMissing, InputError, RangeError, UnknownName
from geoplan.ingest.reader import GEOMETRY, Limits

__all__ = ["own_temporary"]

SECRET = "root:x:0:0"


@pytest.fixture(autouse=True)
def _nothing_left(own_temporary: Path) -> Iterator[None]:
    yield
    assert left_behind() == []


def made(name: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return FORMATS[name][1](folder)


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


# -- damage


@pytest.mark.parametrize("name", [n for n in FORMATS if n not in ("gdb", "shp", "shp-1256")])
def test_a_file_that_is_cut_off_is_refused_or_read_whole(name: str, tmp_path: Path) -> None:
    path = made(name, tmp_path / "made")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * 0.6)])
    try:
        _, rows, notes = read(path)
    except InputError as error:
        assert error.what
        assert error.where
        return
    # A table does not know its length; what is cut off within a cell is told.
    assert name in ("csv",)
    assert [n.code for n in notes if n.rows == (len(rows),)] == ["unreadable-geometry"]


@pytest.mark.parametrize("part", [".shp", ".shx", ".dbf"])
def test_a_part_of_a_shapefile_that_is_cut_off(part: str, tmp_path: Path) -> None:
    path = made("shp", tmp_path / "made").with_suffix(part)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=f"the {part} is cut off"):
        read(path.with_suffix(".shp"))


def test_missing_parts_of_a_shapefile(tmp_path: Path) -> None:
    path = made("shp", tmp_path / "made")
    path.with_suffix(".prj").unlink()
    path.with_suffix(".shx").unlink()
    before = sorted(p.name for p in path.parent.iterdir())
    info, rows, notes = read(path)
    assert info.crs is None
    assert [r["floor"] for r in rows] == [1, 2, 3]
    assert all(r[GEOMETRY] for r in rows)
    assert [n.what[:30] for n in notes if n.code == "missing-part"] == [
        "the Shapefile has no .shx part",
        "the Shapefile has no .prj part",
    ]
    assert sorted(p.name for p in path.parent.iterdir()) == before
    path.with_suffix(".dbf").unlink()
    with pytest.raises(FileMissing, match=r"no \.dbf part"):
        read(path)


@pytest.mark.parametrize("cut", [10, 60, 120])
def test_a_line_of_a_sequence_that_is_no_feature(cut: int, tmp_path: Path) -> None:
    path = made("geojsonl", tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-cut], lines[2]]), encoding="utf-8")
    with pytest.raises(InputError, match=r"line 2 holds no whole feature"):
        read(path)
    path.write_text("\n".join(lines)[:-cut], encoding="utf-8")
    with pytest.raises(InputError, match=r"line 3 holds no whole feature"):
        read(path)


@pytest.mark.parametrize("name", ["gpkg", "sqlite"])
def test_pages_of_a_database_that_are_damaged(name: str, tmp_path: Path) -> None:
    """GDAL ends without a word where SQLite finds a damaged page; the rows behind are missing."""
    path = tmp_path / f"plots.{name}"
    frame = gpd.GeoDataFrame(
        {"text": ["x" * 200] * 2000},
        geometry=[shapely.box(i, 0, i + 1, 1) for i in range(2000)],
        crs="EPSG:32639",
    )
    pyogrio.write_dataframe(frame, path, layer="plots", driver={"sqlite": "SQLite"}.get(name))
    raw = bytearray(path.read_bytes())
    for at in range(len(raw) // 3 // 4096 * 4096, len(raw) // 2, 4096):
        raw[at] ^= 0xFF
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError):
        read(path, source_layer="plots")


def test_broken_coordinates_pass_through(tmp_path: Path) -> None:
    frame = plots()
    frame.loc[1, "geometry"] = shapely.Polygon([(0, 0), (float("nan"), 1), (1, 1), (0, 0)])
    path = tmp_path / "nan.gpkg"
    pyogrio.write_dataframe(frame, path)
    _, rows, _ = read(path)
    assert "nan" in str(shapely.get_coordinates(shapely.from_wkb(rows[1][GEOMETRY])))


# -- archives


@pytest.mark.parametrize(
    "name",
    ["../escaped.csv", "/tmp/escaped.csv", "a/../../escaped.csv", "C:\\escaped.csv", "..\\e.csv"],
)
def test_paths_that_climb_out_of_an_archive(name: str, tmp_path: Path) -> None:
    path = zipped(tmp_path / "climb.zip", {name: b"a,b\n1,2\n"})
    with pytest.raises(InputError, match="a path that leaves its folder"):
        read(path)


def test_links_and_devices_in_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        link = zipfile.ZipInfo("plots.csv")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="a link or device"):
        read(path)


def test_a_zip_bomb(tmp_path: Path) -> None:
    path = zipped(tmp_path / "bomb.zip", {"plots.csv": b"0" * 80_000_000})
    assert path.stat().st_size < 100_000
    with pytest.raises(RangeError, match="unpack to more than"):
        read(path)
    packed = tmp_path / "bomb.csv.gz"
    packed.write_bytes(gzip.compress(b"0" * 80_000_000))
    with pytest.raises(RangeError, match="unpack to more than"):
        read(packed)
    with pytest.raises(RangeError, match="to more than 98,304"):
        read(_zip_of(made("gpkg", tmp_path / "a")),
             limits=Limits(unpacked_bytes=10_000))  # fmt: skip


def _zip_of(file: Path) -> Path:
    path = file.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(file, "plots.gpkg")
    return path


def test_too_many_files_twice_the_same_and_nested(tmp_path: Path) -> None:
    many = zipped(tmp_path / "many.zip", {f"{i}.csv": b"" for i in range(30)})
    with pytest.raises(RangeError, match="30 files; the limit is 20"):
        read(many, limits=Limits(members=20))
    with (
        pytest.warns(UserWarning, match="Duplicate"),
        zipfile.ZipFile(tmp_path / "two.zip", "w") as z,
    ):
        z.writestr("a.csv", "a\n1\n")
        z.writestr("a.csv", "a\n2\n")
    with pytest.raises(InputError, match="twice"):
        read(tmp_path / "two.zip")
    nested = zipped(tmp_path / "nested.zip", {"inner.zip": many.read_bytes()})
    with pytest.raises(InputError, match="another archive"):
        read(nested)
    with pytest.raises(InputError, match="a name of 300"):
        read(zipped(tmp_path / "long.zip", {"x" * 300: b"a"}))


def test_an_encrypted_archive(tmp_path: Path) -> None:
    path = zipped(tmp_path / "locked.zip", {"a.csv": b"a\n1\n"})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError, match="encrypted"):
        read(path)


def test_several_files_in_an_archive(tmp_path: Path) -> None:
    gpkg = made("gpkg", tmp_path / "made").read_bytes()
    path = zipped(
        tmp_path / "many.zip",
        {
            "a/one.csv": b"k\n1\n",
            "two.gpkg": gpkg,
            "read me.txt": b"hello",
            "__MACOSX/._two.gpkg": b"x",
        },
    )
    with pytest.raises(InputError, match="the zip holds 2 files") as caught:
        read(path)
    assert caught.value.remedy.endswith("a/one.csv, two.gpkg")
    assert read(path, source_layer="two")[0].format == "GeoPackage"
    assert read(path, source_layer="a/one.csv")[1][0]["k"] == "1"
    assert read(path, source_layer="two.gpkg/plots")[0].layer == "plots"
    with pytest.raises(UnknownName):
        read(path, source_layer="three")


# -- files that point at others


def _vrt(folder: Path) -> Path:
    path = folder / "plots.gpkg"
    path.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/passwd</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    return path


def _wfs(folder: Path) -> Path:
    path = folder / "plots.xml"
    path.write_text("<OGRWFSDataSource><URL>http://127.0.0.1:1/</URL></OGRWFSDataSource>")
    return path


def _entity(encoding: str, ending: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = made(ending, folder / "made")
        text = path.read_text(encoding="utf-8")
        head, _, rest = text.partition("?>")
        head = head.replace("utf-8", encoding).replace("UTF-8", encoding)
        evil = (
            f'{head}?><!-- x --><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + rest.replace("Plot 3", "&e;")
        )
        path.write_bytes(evil.encode(encoding))
        return path

    return make


def _bomb(folder: Path) -> Path:
    path = folder / "laughs.kml"
    entities = '<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9)
    )
    path.write_text(
        f'<?xml version="1.0"?><!DOCTYPE kml [{entities}]><kml xmlns="http://www.opengis.net/kml/2.2">'
        "<Placemark><name>&j;</name></Placemark></kml>"
    )
    return path


def _linked_crs(folder: Path) -> Path:
    path = made("geojson", folder / "made")
    data = json.loads(path.read_text(encoding="utf-8"))
    data["crs"] = {
        "type": "link",
        "properties": {"href": "http://127.0.0.1:1/crs", "type": "ogcwkt"},
    }
    path.write_text(json.dumps(data))
    return path


def _virtual_table(folder: Path) -> Path:
    path = made("gpkg", folder / "made")
    with sqlite3.connect(path) as database:
        database.execute("pragma writable_schema = on")
        database.execute(
            "insert into sqlite_master values ('table', 'spy', 'spy', 0, "
            "'CREATE VIRTUAL TABLE spy USING VirtualOGR(''/etc/passwd'')')"
        )
    database.close()
    return path


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (_vrt, "neither GML nor KML"),
        (_wfs, "neither GML nor KML"),
        (_entity("utf-8", "gml"), "document type"),
        (_entity("utf-16", "gml"), "document type"),
        (_entity("utf-8", "kml"), "document type"),
        (_entity("utf-16", "kml"), "document type"),
        (_bomb, "document type"),
        (_linked_crs, "a link, which is never followed"),
        (_virtual_table, r"virtual \(VirtualOGR\)"),
    ],
)
def test_files_that_point_elsewhere(
    make: Callable[[Path], Path], match: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read(make(tmp_path))
    assert SECRET not in str(caught.value)


def test_a_doctype_in_a_description_is_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "page.kml"
    path.write_text(
        '<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><name>a</name>'
        "<description><![CDATA[<!DOCTYPE html><p>x</p>]]></description>"
        "<Point><coordinates>51,35</coordinates></Point></Placemark></kml>"
    )
    _, rows, _ = read(path)
    assert rows[0]["Description"].startswith("<!DOCTYPE html>")


def test_links_beside_a_file_are_not_followed(tmp_path: Path) -> None:
    """A path that GDAL or pyogrio would read as an instruction is only a name here."""
    folder = tmp_path / "a!b?c"
    folder.mkdir()
    path = made("gpkg", tmp_path / "made").rename(folder / "plots.zip!x.gpkg")
    info, rows, _ = read(path)
    assert (info.format, len(rows)) == ("GeoPackage", 3)
    virtual = tmp_path / "vsicurl"
    virtual.mkdir()
    with pytest.raises(FileMissing):
        read(Path("/vsicurl/http://127.0.0.1:1/x.gpkg"))
    with pytest.raises(FileMissing):
        read(Path("PG:dbname=x"))
    fifo = tmp_path / "pipe.gpkg"
    os.mkfifo(fifo)
    with pytest.raises(InputError, match="this is no file"):
        read(fifo)


def test_a_view_may_select_and_no_more(tmp_path: Path) -> None:
    path = made("gpkg", tmp_path / "made")
    with sqlite3.connect(path) as database:
        database.execute("create view low as select * from plots where floor < 3")
        database.execute("create view bad as select load_extension('/tmp/x') as a, * from plots")
        for name in ("low", "bad"):
            database.execute(
                "insert into gpkg_contents (table_name, data_type, identifier, srs_id) "
                f"values ('{name}', 'features', '{name}', 32639)"
            )
            database.execute(
                "insert into gpkg_geometry_columns values "
                f"('{name}', 'geom', 'POLYGON', 32639, 0, 0)"
            )
    database.close()
    assert len(read(path, source_layer="low")[1]) == 2
    with pytest.raises(InputError, match="does more than plain SQLite can"):
        read(path, source_layer="bad")


@pytest.mark.parametrize("name", ["gpkg", "sqlite"])
def test_a_database_that_is_open_elsewhere(name: str, tmp_path: Path) -> None:
    path = made(name, tmp_path / "made")
    writer = sqlite3.connect(path)
    writer.execute("pragma journal_mode = wal")
    before = sorted(p.name for p in path.parent.iterdir() if not p.name.endswith(("-wal", "-shm")))
    # A trigger of the spatial index needs functions that plain SQLite lacks; names have none.
    writer.execute("create table more as select 1")
    writer.commit()
    _, rows, notes = read(path, source_layer="plots")
    assert len(rows) == 3
    assert [n.code for n in notes] == ["open-elsewhere"]
    writer.close()
    _, rows, notes = read(path, source_layer="plots")
    assert (len(rows), notes) == (3, [])
    assert sorted(p.name for p in path.parent.iterdir()) == before


# -- files that are something else


@pytest.mark.parametrize(
    ("start", "match"),
    [
        (b"AC1015\x00\x00\x00\x00\x00\x00", "a DWG drawing"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"Rar!\x1a\x07", "a RAR archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel"),
        (b"II*\x00", "this is a raster"),
        (b"<html><body><table>", "a web page"),
        (b'{"type":"Topology","objects":{}}', "TopoJSON"),
        (b"\x00" * 200, "no file that can be read"),
    ],
)
def test_files_that_are_not_read_are_named(start: bytes, match: str, tmp_path: Path) -> None:
    path = tmp_path / "plots.shp"
    path.write_bytes(start + b" " * 300)
    with pytest.raises(InputError, match=match) as caught:
        read(path)
    assert caught.value.remedy
