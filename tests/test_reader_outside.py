"""What a file may not do: name others, reach the network, or pass off its words as code."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reader_files import FORMATS, own_temporary, plots, read

from geoplan.errors import FileMissing, InputError, RangeError
from geoplan.ingest.reader import GEOMETRY, Limits

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")

GML = """<?xml version="1.0"?>{before}
<ogr:FeatureCollection xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude"
 xmlns:ogr="http://ogr/" xmlns:gml="http://www.opengis.net/gml"
 xsi:schemaLocation="http://ogr/ {url}/a.xsd http://b/ file://{file} http://c/ {file}">
<gml:featureMember><ogr:p><ogr:geom><gml:Point srsName="{srs}">
<gml:coordinates>1,2</gml:coordinates></gml:Point></ogr:geom><ogr:n>x</ogr:n>
<ogr:far xlink:href="{url}/b#a"/><ogr:near xlink:href="file://{file}#a"/>
<ogr:t><xi:include href="file://{file}" parse="text"/></ogr:t></ogr:p>
</gml:featureMember></ogr:FeatureCollection>"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_no_reference_is_followed(tmp_path: Path) -> None:
    other = tmp_path / "other" / "sentinel.xml"
    other.parent.mkdir()
    other.write_text("<secret/>")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        path = tmp_path / "plots.gml"
        text = GML.format(
            before=f'<?xml-stylesheet href="file://{other}"?>', url=url, file=other, srs=other
        )
        path.write_text(text)
        # Beside it, what would change how GDAL reads it.
        (tmp_path / "plots.gfs").write_text(
            "<GMLFeatureClassList><GMLFeatureClass><Name>planted</Name>"
            "<ElementPath>p</ElementPath></GMLFeatureClass></GMLFeatureClassList>"
        )
        script = (
            "import sys; from pathlib import Path; sys.path.insert(0, 'tests');"
            "from geoplan.ingest.reader import ReadRequest, open_source\n"
            "with open_source(ReadRequest(Path(sys.argv[1]))) as source:\n"
            "    print(source.info.layers, sum(len(b) for b in source))"
        )
        log = tmp_path / "calls.txt"
        said = subprocess.run(
            ["strace", "-f", "-qq", "-e", "trace=openat,open,connect,sendto,execve", "-o", log,
             sys.executable, "-P", "-c", script, path],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        with pytest.raises(TimeoutError):
            server.accept()
    assert said.strip() == "('p',) 1"
    calls = [c for c in log.read_text().splitlines() if "O_PATH" not in c]
    assert any("plots.gml" in c for c in calls)  # the log is one
    assert not [c for c in calls if "sentinel" in c or f"{tmp_path}/plots.gfs" in c]
    assert not [c for c in calls if "sin_port" in c or "sin6_port" in c]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_document_type_behind_a_long_comment(encoding: str, tmp_path: Path) -> None:
    evil = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    path = tmp_path / "late.gml"
    head = f'<?xml version="1.0" encoding="{encoding}"?><!-- opengis.net/gml {"x" * 200_000} -->'
    body = (
        GML.partition("?>")[2].format(before=evil, url="", file="", srs="").replace(">x<", ">&e;<")
    )
    path.write_bytes((head + body).encode(encoding))
    with pytest.raises(InputError, match="document type"):
        read(path)


# -- what Parquet says of itself


def parquet(folder: Path, table: pa.Table | None = None, **changes: Any) -> Path:
    path = FORMATS["parquet"][1](folder)
    given = pq.read_table(path)
    geo = {**json.loads(given.schema.metadata[b"geo"]), **changes}
    table = given if table is None else table
    pq.write_table(
        table.replace_schema_metadata({"geo": json.dumps(geo)}), path, compression="zstd",
        use_dictionary=False, write_statistics=False,
    )  # fmt: skip
    return path


def column(**said: Any) -> dict[str, Any]:
    return {"columns": {"geometry": {"encoding": "WKB", **said}}}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"primary_column": "absent"}, "a geometry column 'absent' that is not there"),
        ({"columns": [1]}, "'geometry' that is not there"),
        ({"columns": {"geometry": 7}}, "'geometry' that is not there"),
        (
            {"primary_column": "floor", "columns": {"floor": {"encoding": "WKB"}}},
            "'floor' holds int64, and no bytes",
        ),
        (
            {"primary_column": "name", "columns": {"name": {"encoding": "WKB"}}},
            "'name' holds .*string, and no bytes",
        ),
    ],
)
def test_metadata_that_lies(changes: dict[str, Any], match: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read(parquet(tmp_path, **changes))
    assert caught.value.remedy


@pytest.mark.parametrize(
    "crs", ["+init=/etc/passwd:x", 17, ["a"], {"id": {"authority": "/etc/passwd", "code": "x"}}]
)
def test_a_system_that_is_none_never_names_a_file(crs: Any, tmp_path: Path) -> None:
    info, rows, _ = read(parquet(tmp_path, **column(crs=crs, geometry_types={"a": 1})))
    assert len(rows) == 3
    assert info.crs == json.dumps(crs)
    assert read(parquet(tmp_path, **column(crs="EPSG:32639")))[0].crs == "EPSG:32639"


def test_a_page_of_parquet_that_unpacks_to_gigabytes(tmp_path: Path) -> None:
    shapes = plots().geometry.to_wkb()
    text = pa.array(["x" * 200_000_000] * 3, pa.large_string())
    path = parquet(tmp_path, pa.table({"geometry": pa.array(shapes, pa.binary()), "a": text}))
    assert path.stat().st_size < 200_000
    with pytest.raises(RangeError, match=r"more than 0\.8 GB of memory"):
        read(path, limits=Limits(memory_bytes=800_000_000))


# -- workbooks


def workbook(folder: Path, change: Any) -> Path:
    made = FORMATS["xlsx"][1](folder)
    path = folder / "changed.xlsx"
    with zipfile.ZipFile(made) as given, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name in given.namelist():
            content = given.read(name)
            out.writestr(name, change(content) if "sheet1" in name else content)
    return path


def cell(place: str, text: bytes) -> bytes:
    row = "".join(c for c in place if c.isdigit()).encode()
    return (
        b'<row r="' + row + b'"><c r="' + place.encode() + b'" t="inlineStr"><is><t>' + text
        + b"</t></is></c></row></sheetData>"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda x: x[: len(x) // 2], "the workbook cannot be read"),
        (lambda _: b"", "the workbook cannot be read|no rows"),
        (
            # A dense sheet of it would have 17 thousand million cells.
            lambda x: x.replace(b"</sheetData>", cell("XFD1048576", b"x")),
            "was ended by it|memory|columns",
        ),
        (
            lambda x: x.replace(
                b"<worksheet", b'<!DOCTYPE a [<!ENTITY e SYSTEM "/etc/passwd">]><worksheet', 1
            ).replace(b"</sheetData>", cell("A9", b"&e;")),
            "the workbook cannot be read",
        ),
        (lambda x: x + b" " * 12_000_000, "the workbook unpacks to 12,"),
    ],
)
def test_workbooks_that_are_refused(change: Any, match: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=match) as caught:
        read(workbook(tmp_path, change), limits=Limits(unpacked_bytes=10_000_000))
    assert "root:" not in str(caught.value)


# -- paths that are no file


def test_paths_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "gone.gpkg").symlink_to("/nowhere.gpkg")
    for path in ("loop", "gone.gpkg", "a\x00b", "x" * 300, "x/" * 3000):
        with pytest.raises(FileMissing):
            read(tmp_path / path)
    with pytest.raises(InputError, match="no file"):
        read(Path("/dev/zero"))
    with pytest.raises(InputError, match="no FileGDB"):
        read(tmp_path)
    made = FORMATS["gpkg"][1](tmp_path)
    (tmp_path / "link.gpkg").symlink_to(made)
    assert all(row[GEOMETRY] for row in read(tmp_path / "link.gpkg")[1])
