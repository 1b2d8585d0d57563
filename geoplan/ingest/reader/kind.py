"""What a file is, by its first bytes; its name is never believed."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import InputError
from geoplan.ingest.reader.database import sqlite_kind
from geoplan.ingest.reader.geojson import goes_on
from geoplan.ingest.reader.prolog import xml_start

__all__ = ["DRIVERS", "FileKind", "kind_of_file"]

DRIVERS = {
    "GeoPackage": "GPKG",
    "SpatiaLite": "SQLite",
    "Shapefile": "ESRI Shapefile",
    "GeoJSON": "GeoJSON",
    "GeoJSONSeq": "GeoJSONSeq",
    "FlatGeobuf": "FlatGeobuf",
    "GML": "GML",
    "FileGDB": "OpenFileGDB",
}
"""Formats that GDAL reads, and the one driver that may open each."""

_SUFFIXES = {
    "GeoPackage": (".gpkg",),
    "SpatiaLite": (".sqlite", ".db", ".sqlite3"),
    "Shapefile": (".shp",),
    "GeoJSON": (".geojson", ".json", ".geojsonl", ".ndjson", ".geojsons", ".jsonl"),
    "GeoJSONSeq": (".geojsonl", ".ndjson", ".geojsons", ".json", ".jsonl"),
    "FlatGeobuf": (".fgb",),
    "GML": (".gml", ".xml"),
    "KML": (".kml",),
    "FileGDB": (".gdb",),
    "GeoParquet": (".parquet", ".geoparquet"),
    "DXF": (".dxf",),
    "XLSX": (".xlsx", ".xlsm"),
    "CSV": (".csv", ".tsv", ".txt"),
    "zip": (".zip", ".kmz", ".gdb.zip"),
    "gzip": (".gz",),
    "GeoTIFF": (".tif", ".tiff"),
}
_PARTS = (".dbf", ".prj", ".cpg", ".sbn", ".sbx", ".qix")
_HEAD = 65_536
_FOREIGN = (
    (b"%PDF", "a PDF", "deliver the data that it was drawn from"),
    (b"Rar!\x1a", "a RAR archive", "pack it as zip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "pack it as zip"),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "save it as XLSX"),
    (b"\x00\x01\x00\x00Standard Jet", "an Access database", "export it as FileGDB or GeoPackage"),
    (b"\x00\x01\x00\x00Standard ACE", "an Access database", "export it as FileGDB or GeoPackage"),
    (b"\x89PNG", "a picture", "deliver the data that it was drawn from"),
    (b"\xff\xd8\xff", "a picture", "deliver the data that it was drawn from"),
    (b"ARROW1\x00\x00", "an Arrow file", "deliver it as GeoParquet"),
    (b"BZh91AY&SY", "a bzip2 archive", "pack it as zip"),
    (b"\xfd7zXZ", "an xz archive", "pack it as zip"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", "pack it as zip"),
)
"""Starts of files that people deliver and that are not read."""
_CONTROL = frozenset(map(chr, range(32))) - set("\t\n\r\x0b\x0c\x1a\x1e")
_READABLE = (
    "GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet, GML, KML/KMZ, DXF, FileGDB, "
    "SpatiaLite, CSV, XLSX, or one of them in a zip"
)


@dataclass(frozen=True, slots=True)
class FileKind:
    """What a file is.

    Parameters
    ----------
    format : str
        A name of the table above.
    as_named : bool
        Its name ends as files of that kind do.
    """

    format: str
    as_named: bool


def kind_of_file(path: Path) -> FileKind:
    """Return what a file or a FileGDB's folder is.

    Raises
    ------
    InputError
        It is empty, or of no kind that is read; a GeoTIFF is told to go another way.
    """
    if path.is_dir():
        if any(path.glob("a0000000*.gdbtable")):
            return FileKind("FileGDB", path.suffix.lower() == ".gdb")
        raise InputError(
            "this folder is no FileGDB", where=path.name, remedy="give the file itself"
        )
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise InputError("the file is empty", where=path.name, remedy="deliver it again")
    for start, what, remedy in _FOREIGN:
        if head.startswith(start):
            raise InputError(f"this is {what}", where=path.name, remedy=remedy)
    if head.startswith(b"AC10") and b"\x00" in head[:16]:
        raise InputError("this is a DWG drawing", where=path.name, remedy="save it as DXF")
    if head[257:262] == b"ustar":
        raise InputError("this is a tar archive", where=path.name, remedy="pack it as zip")
    found = _by_content(path, head)
    if found == "GeoTIFF":
        raise InputError(
            "this is a raster, and the layer holds features",
            where=path.name,
            remedy="load it into a raster layer: geoplan layers load FILE --layer RASTER_LAYER",
        )
    if found in (None, "CSV") and path.suffix.lower() in _PARTS:
        raise InputError(
            f"this is the {path.suffix.lower()} part of a Shapefile",
            where=path.name,
            remedy="give the .shp, with all parts beside it",
        )
    if found is None:
        raise InputError(
            "this is no file that can be read", where=path.name, remedy=f"deliver {_READABLE}"
        )
    return FileKind(found, path.name.lower().endswith(_SUFFIXES[found]))


def _by_content(path: Path, head: bytes) -> str | None:
    if head.startswith(b"SQLite format 3\x00"):
        if head[68:72] in (b"GPKG", b"GP10", b"GP11"):
            return "GeoPackage"
        # A damaged file is told by whoever reads it; its name is the best that is left.
        named = "GeoPackage" if path.suffix.lower() == ".gpkg" else "SpatiaLite"
        return sqlite_kind(path) or named
    for start, kind in (
        (b"fgb\x03fgb", "FlatGeobuf"),
        (b"\x00\x00\x27\x0a", "Shapefile"),
        (b"PAR1", "GeoParquet"),
        (b"\x1f\x8b", "gzip"),
        (b"II*\x00", "GeoTIFF"),
        (b"MM\x00*", "GeoTIFF"),
        (b"II+\x00", "GeoTIFF"),
        (b"MM\x00+", "GeoTIFF"),
        (b"AutoCAD Binary DXF\r\n", "DXF"),
    ):
        if head.startswith(start):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped(path)
    return _by_text(path, head)


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:10_000]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise InputError(
            f"the zip cannot be read: {error}", where=path.name, remedy="deliver it again"
        ) from error
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "XLSX"
    if "[Content_Types].xml" in names or "mimetype" in names:
        raise InputError(
            "this is an office document, and no XLSX workbook",
            where=path.name,
            remedy="save it as XLSX",
        )
    return "zip"


def _by_text(path: Path, head: bytes) -> str | None:
    wide = head.startswith((b"<\x00", b"\x00<"))
    text = xml_start(head) if wide else _text(head)
    if text is None:
        rest = head.replace(b"\x00", b"").decode("latin-1")
        if rest.strip() and not any(c in _CONTROL for c in rest):
            raise InputError(
                "this is a text with NUL letters in it",
                where=path.name,
                remedy="save it as UTF-8; it may be UTF-16 without a mark, or damaged",
            )
        return None
    start = text.lstrip("\ufeff\x1e \t\r\n")
    if start.startswith("{") and head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            "this JSON is in UTF-16, and JSON is UTF-8", where=path.name, remedy="save it as UTF-8"
        )
    if start.startswith("{"):
        return _json_kind(text, path)
    if start.startswith(("[{", "[[", "[\n", "[\r\n")):
        raise InputError(
            "this JSON is a list, and no GeoJSON", where=path.name, remedy="deliver it as GeoJSON"
        )
    if start.startswith("<"):
        low = start.lower()
        if "<kml" in low or "opengis.net/kml" in low or "earth.google.com/kml" in low:
            return "KML"
        if "opengis.net/gml" in low or "featurecollection" in low:
            return "GML"
        if "<html" in low[:4096]:
            raise InputError(
                "this is a web page, whatever its name says",
                where=path.name,
                remedy="save the table as XLSX or CSV",
            )
        raise InputError(
            "this XML is neither GML nor KML",
            where=path.name,
            remedy="GML names its namespace http://www.opengis.net/gml within the first 64 KB",
        )
    lines = [line.strip() for line in start.splitlines()[:40]]
    if lines[:1] and lines[0] in ("0", "999") and ("SECTION" in lines or lines[0] == "999"):
        return "DXF"
    if not start.strip("\x00 \t\r\n"):
        raise InputError("the file is empty", where=path.name, remedy="deliver it again")
    if sum(c in _CONTROL for c in text[:4096]) > 8:
        return None
    # Whatever else is text is a table; one column without a delimiter is still one.
    return "CSV"


def _json_kind(text: str, path: Path) -> str:
    first = text.lstrip("\ufeff\x1e \t\r\n")
    if text.startswith("\x1e"):
        return "GeoJSONSeq"
    lines = [line for line in first.splitlines() if line.strip()]
    sequence = (
        len(lines) > 1
        and lines[0].rstrip().endswith("}")
        and lines[1].lstrip("\x1e ").startswith("{")
        and '"Feature"' in lines[0]
    )
    one = len(lines) == 1 and '"Feature"' in lines[0] and "FeatureC" not in lines[0]
    if sequence or (one and goes_on(path)):
        return "GeoJSONSeq"
    if re.search(r'"type"\s*:\s*"Topology"', first) or '"esriGeometry' in first[:4000]:
        raise InputError(
            "this JSON is TopoJSON or Esri JSON, which are not read",
            where=path.name,
            remedy="deliver it as GeoJSON or GeoPackage",
        )
    return "GeoJSON"


def _text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", errors="replace")
    if b"\x00" in head:
        return None
    return head.decode("utf-8", errors="replace")
