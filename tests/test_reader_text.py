"""The text of files: encodings, names of columns, and cells that stay what they are."""

from __future__ import annotations

import codecs
import json
import struct
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from reader_files import FORMATS, own_temporary, plots, read

from geoplan.errors import InputError
from geoplan.ingest.reader import GEOMETRY, ROW
from geoplan.ingest.reader.columns import distinct
from geoplan.ingest.reader.encoding import detect, known_encoding

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")

# As it is typed on an Arabic keyboard: Windows-1256 has no Persian yeh.
SENTENCES = [
    "شهرك صنعتي شمس آباد، قطعه شماره دو",
    "كارخانه توليد قطعات خودرو با ظرفيت بالا",
    "واحد توليدي مواد غذايي و نوشيدني گلستان",
    "چاپ و بسته بندي پژوهش",
]
SHORT = ["قم", "يزد", "كاشان", "اراك", "ري"]
ARABIC = ["المنطقة الصناعية الكبرى في المدينة", "قطعة رقم اثنين", "مصنع الحديد"]
LATIN = ["Müller à Genève", "straße", "Zürich Süd", "Crème brûlée"]


@pytest.mark.parametrize(
    ("texts", "encoding"),
    [
        (SENTENCES, "windows-1256"),
        (SHORT, "windows-1256"),
        (SHORT[:1], "windows-1256"),
        (ARABIC, "windows-1256"),
        (ARABIC, "iso-8859-6"),
        (LATIN, "windows-1252"),
        (LATIN[1:2], "windows-1252"),
        (SENTENCES, "utf-8"),
        (SHORT[:1], "utf-8"),
    ],
)
def test_what_bytes_speak_for(texts: list[str], encoding: str) -> None:
    found = detect("\n".join(texts).encode(encoding))
    assert known_encoding(found.name, where="") == known_encoding(encoding, where="")
    assert 0 < found.confidence < 1


def test_utf8_that_is_cut_at_the_width_of_a_field() -> None:
    texts = [text.encode()[: len(text.encode()) // 2 | 1] for text in SENTENCES * 5]
    assert detect(b"\n".join(texts)).name == "utf-8"


@given(st.text(st.characters(codec="cp1256", exclude_characters="\r\n"), max_size=60))
def test_no_bytes_are_without_an_encoding(text: str) -> None:
    found = detect(text.encode("cp1256"))
    assert codecs.lookup(found.name)
    assert 0 <= found.confidence <= 1


def test_names_of_encodings() -> None:
    for name in ("1256", "CP1256", "windows-1256", "ANSI 1256", "Windows_1256"):
        assert known_encoding(name, where="") == "windows-1256"
    assert known_encoding("65001", where="") == "utf-8"
    for name in ("nonsense", "base64", ""):
        with pytest.raises(InputError, match="unknown encoding"):
            known_encoding(name, where="")


def shapefile(folder: Path, texts: list[str], encoding: str, *, driver: int = 0) -> Path:
    """Write a Shapefile by hand, column name included, that does not say its encoding."""
    frame = gpd.GeoDataFrame(
        {"a": ["x" * 80] * len(texts)},
        geometry=[shapely.box(i, 0, i + 1, 1) for i in range(len(texts))],
        crs="EPSG:32639",
    )
    path = folder / "plots.shp"
    pyogrio.write_dataframe(frame, path, driver="ESRI Shapefile")
    path.with_suffix(".cpg").unlink()
    size = 81
    head = struct.pack("<4BIHH20x", 3, 124, 1, 1, len(texts), 65, size)
    head = head[:29] + bytes([driver]) + head[30:]
    name = "نام".encode(encoding).ljust(11, b"\0")
    field = name + b"C" + bytes(4) + bytes([80, 0]) + bytes(14)
    rows = b"".join(b" " + t.encode(encoding)[:80].ljust(80) for t in texts)
    path.with_suffix(".dbf").write_bytes(head + field + b"\r" + rows + b"\x1a")
    return path


@pytest.mark.parametrize("texts", [SENTENCES, SHORT])
@pytest.mark.parametrize("encoding", ["windows-1256", "utf-8"])
def test_a_shapefile_that_does_not_say_its_encoding(
    texts: list[str], encoding: str, tmp_path: Path
) -> None:
    info, rows, notes = read(shapefile(tmp_path, texts, encoding))
    assert (info.encoding, info.encoding_how) == (encoding, "detected")
    assert [r["نام"] for r in rows] == texts
    (note,) = [n for n in notes if n.code == "encoding-detected"]
    assert encoding in note.what


def test_what_a_shapefile_says_of_its_encoding(tmp_path: Path) -> None:
    path = shapefile(tmp_path, SENTENCES, "windows-1256", driver=0x57)
    info, rows, notes = read(path)  # the default of an old program, and a lie
    assert (info.encoding, rows[0]["نام"]) == ("windows-1256", SENTENCES[0])
    assert "encoding-wrong" in [n.code for n in notes]
    path.with_suffix(".cpg").write_text("1256")
    info, rows, notes = read(path)
    assert (info.encoding, info.encoding_how, notes) == ("windows-1256", "cpg", [])
    path.with_suffix(".cpg").write_text("what?")
    info, _, notes = read(path)
    assert info.encoding == "windows-1256"
    assert [n.code for n in notes] == ["encoding-wrong"]
    _, rows, _ = read(path, encoding="iso-8859-1")  # a person decides, whatever it looks like
    assert next(v for k, v in rows[0].items() if not k.startswith("__")) == SENTENCES[0].encode(
        "windows-1256"
    ).decode("iso-8859-1")


def test_declared_utf8_that_is_none_in_some_cells(tmp_path: Path) -> None:
    path = shapefile(tmp_path, SENTENCES * 20, "utf-8")
    path.with_suffix(".cpg").write_text("UTF-8")
    raw = bytearray(path.with_suffix(".dbf").read_bytes())
    raw[65 + 81 + 1 : 65 + 81 + 9] = "كارخانه".encode("windows-1256") + b"\xed"
    path.with_suffix(".dbf").write_bytes(bytes(raw))
    info, rows, _ = read(path)
    assert info.encoding == "utf-8"
    assert rows[0]["نام"] == SENTENCES[0]
    assert "\ufffd" in rows[1]["نام"]  # destroyed, and seen as such later


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1256"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_in_each_encoding(encoding: str, delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "wells.csv"
    rows = [["نام", "کد" if encoding != "windows-1256" else "كد", "x", "y"]]
    rows += [[text.replace("،", ""), f"00{i}", "51.5", "35.5"] for i, text in enumerate(SENTENCES)]
    text = "\r\n".join(delimiter.join(row) for row in rows) + "\r\n"
    path.write_bytes(text.encode(encoding))
    info, found, _ = read(path)
    assert known_encoding(info.encoding or "", where="") == known_encoding(encoding, where="")
    assert [r["نام"] for r in found] == [row[0] for row in rows[1:]]
    assert [r[rows[0][1]] for r in found] == ["000", "001", "002", "003"]
    assert shapely.from_wkb(found[0][GEOMETRY]).coords[0] == (51.5, 35.5)


def test_a_header_as_excel_and_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(b'\r\nsep=;\r\n"a ""b""\r\nc;d";;a;a\r\n1;2;3;\r\n"x\r\ny";"";5;6\r\n')
    _, rows, notes = read(path)
    names = [k for k in rows[0] if k not in (ROW, GEOMETRY)]
    assert names == ['a "b"\r\nc;d', "column_2", "a", "a_2"]
    assert [[r[n] for n in names] for r in rows] == [
        ["1", "2", "3", None],
        ["x\r\ny", None, "5", "6"],
    ]
    assert [n.code for n in notes] == ["column-renamed"]


def test_rows_with_other_than_the_cells_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "ragged.csv"
    path.write_text("a,b\n1,2\n1,2,3\n4\n5,6\n")
    with pytest.raises(InputError, match=r"2 rows have other than the 2 cells.*3 cells.*1 cells"):
        read(path)


def test_places_of_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "places.csv"
    path.write_text("k;wkt\n1;POINT (1 2)\n2;POINT (1\n3;\n4;POINT Z (1 2 3)\n")
    _, rows, notes = read(path)
    assert [r[GEOMETRY] is None for r in rows] == [False, True, True, False]
    assert rows[3][GEOMETRY][:5].hex() == "01e9030000"  # ISO: 1001
    assert [(n.code, n.rows) for n in notes if n.code != "columns-detected"] == [
        ("unreadable-geometry", (2,))
    ]
    point = shapely.set_srid(shapely.Point(1, 2), 4326)
    path.write_text(f"k,geom\n1,{shapely.to_wkb(point, hex=True, include_srid=True)}\n")
    _, rows, _ = read(path)
    assert shapely.from_wkb(rows[0][GEOMETRY]) == shapely.Point(1, 2)


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "geojson", "parquet"])
def test_names_with_quotes_newlines_and_our_own(suffix: str, tmp_path: Path) -> None:
    names = ['say "x"', "two\nlines", "it's", "semi;colon, comma", ROW, GEOMETRY, "نام"]
    frame = plots()[["geometry"]].assign(**{n: [f"{n} {i}" for i in range(3)] for n in names})
    path = tmp_path / f"names.{suffix}"
    if suffix == "parquet":
        frame.to_parquet(path)
    else:
        pyogrio.write_dataframe(frame, path)
    info, rows, notes = read(path)
    found = [name for name, _ in info.columns]
    assert [n for n in found if n in names] == [*names[:4], "نام"]
    assert {ROW + "_2", GEOMETRY + "_2"} <= set(found)
    row = min(rows, key=lambda r: shapely.from_wkb(r[GEOMETRY]).bounds)
    assert row[GEOMETRY + "_2"] == f"{GEOMETRY} 0"
    assert row["two\nlines"] == "two\nlines 0"
    assert "column-renamed" in [n.code for n in notes]


@given(st.lists(st.text(max_size=4), max_size=8))
def test_names_become_distinct(names: list[str]) -> None:
    notes: list[Any] = []
    out = distinct(names, notes)
    assert len(set(out)) == len(out) == len(names)
    assert not {ROW, GEOMETRY, ""} & set(out)
    if len(set(names)) == len(names) and "" not in names and "\x00" not in "".join(names):
        assert out == names
        assert not notes


def test_codes_with_leading_zeros_stay_text(tmp_path: Path) -> None:
    frame = plots().assign(code=["0012", "0013", "0014"])
    paths = [tmp_path / name for name in ("a.gml", "a.kml", "a.csv")]
    pyogrio.write_dataframe(frame, paths[0], driver="GML")
    pyogrio.write_dataframe(frame.to_crs(4326), paths[1], driver="KML")
    frame.drop(columns="geometry").to_csv(paths[2])
    for path in paths:
        for beside in (".xsd", ".gfs"):
            path.with_suffix(beside).unlink(missing_ok=True)
        _, rows, _ = read(path)
        assert [r["code"] for r in rows] == ["0012", "0013", "0014"], path


def test_a_kml_of_folders_and_extended_data(tmp_path: Path) -> None:
    path = tmp_path / "plan.kml"
    path.write_text(
        """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>
<name>طرح</name><NetworkLink><Link><href>http://127.0.0.1:1/x.kml</href></Link></NetworkLink>
<Folder><name>فاز یک</name>
 <Placemark><name>قطعه ۱</name><ExtendedData><Data name="متراژ"><value>1200</value></Data>
  <SchemaData><SimpleData name="code">007</SimpleData></SchemaData></ExtendedData>
  <Polygon><outerBoundaryIs><LinearRing><coordinates>51,35 51.1,35 51.1, 35.1 51,35</coordinates>
  </LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>
  51.01,35.01 51.02,35.01 51.02,35.02 51.01,35.01</coordinates></LinearRing></innerBoundaryIs>
  </Polygon>
 </Placemark>
 <Folder><name>راه</name><Placemark><MultiGeometry>
  <Point><coordinates>51,35,7</coordinates></Point><Point><coordinates>52,36,8</coordinates></Point>
 </MultiGeometry></Placemark></Folder>
</Folder>
<Placemark><name>بی‌جا</name></Placemark>
<Placemark><Point><coordinates>x,y</coordinates></Point></Placemark>
<Placemark><gx:Track><gx:coord>1 2 3</gx:coord></gx:Track></Placemark>
</Document></kml>""",
        encoding="utf-8",
    )
    info, rows, notes = read(path)
    assert info.layers == ("فاز یک", "فاز یک/راه")
    assert [r["Folder"] for r in rows] == ["فاز یک", "فاز یک/راه", None, None, None]
    assert (rows[0]["Name"], rows[0]["متراژ"], rows[0]["code"]) == ("قطعه ۱", "1200", "007")
    shapes = [r[GEOMETRY] and shapely.from_wkb(r[GEOMETRY]) for r in rows]
    assert shapes[0].equals(
        shapely.Polygon(
            [(51, 35), (51.1, 35), (51.1, 35.1)], [[(51.01, 35.01), (51.02, 35.01), (51.02, 35.02)]]
        )
    )
    assert shapes[1].wkt == "MULTIPOINT Z ((51 35 7), (52 36 8))"
    assert shapes[2:] == [None] * 3
    assert [(n.code, n.rows) for n in notes] == [
        ("link-not-followed", ()),
        ("unreadable-geometry", (4,)),
        ("unreadable-geometry", (5,)),
    ]
    _, some, _ = read(path, source_layer="فاز یک/راه")
    assert [r[ROW] for r in some] == [1]


def test_geoparquet_says_its_system_as_it_likes(tmp_path: Path) -> None:
    path = FORMATS["parquet"][1](tmp_path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])
    for crs, expected in ((None, None), ("absent", "OGC:CRS84")):
        column = geo["columns"]["geometry"]
        column.pop("crs", None)
        if crs is None:
            column["crs"] = None
        pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo)}), path)
        assert read(path)[0].crs == expected
    geo["columns"]["geometry"]["encoding"] = "polygon"
    pq.write_table(table.replace_schema_metadata({b"geo": json.dumps(geo)}), path)
    with pytest.raises(InputError, match="encoded as 'polygon'"):
        read(path)
    pq.write_table(table.replace_schema_metadata({}), path)
    with pytest.raises(InputError, match="does not say where its geometry is"):
        read(path)
