"""What a file is, by its first bytes; its name is never believed."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import InputError

__all__ = ["DRIVERS", "FileKind", "kind_of_file", "refuse_entities"]

DRIVERS = {
    "GeoPackage": "GPKG",
    "SpatiaLite": "SQLite",
    "Shapefile": "ESRI Shapefile",
    "GeoJSON": "GeoJSON",
    "GeoJSONSeq": "GeoJSONSeq",
    "FlatGeobuf": "FlatGeobuf",
    "GML": "GML",
    "KML": "KML",
    "FileGDB": "OpenFileGDB",
}
"""Formats that GDAL reads, and the one driver that may open each."""

_SUFFIXES = {
    "GeoPackage": (".gpkg",),
    "SpatiaLite": (".sqlite", ".db", ".sqlite3"),
    "Shapefile": (".shp",),
    "GeoJSON": (".geojson", ".json"),
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
_HEAD = 65_536
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
    found = _by_content(path, head)
    if found == "GeoTIFF":
        raise InputError(
            "this is a raster, and the layer holds features",
            where=path.name,
            remedy="load it into a raster layer: geoplan layers load FILE --layer RASTER_LAYER",
        )
    if found is None:
        raise InputError(
            "this is no file that can be read", where=path.name, remedy=f"deliver {_READABLE}"
        )
    return FileKind(found, path.name.lower().endswith(_SUFFIXES[found]))


def _by_content(path: Path, head: bytes) -> str | None:
    if head.startswith(b"SQLite format 3\x00"):
        gpkg = head[68:72] in (b"GPKG", b"GP10", b"GP11") or path.suffix.lower() == ".gpkg"
        return "GeoPackage" if gpkg else "SpatiaLite"
    for start, kind in (
        (b"fgb\x03fgb", "FlatGeobuf"),
        (b"\x00\x00\x27\x0a", "Shapefile"),
        (b"PAR1", "GeoParquet"),
        (b"\x1f\x8b", "gzip"),
        (b"II*\x00", "GeoTIFF"),
        (b"MM\x00*", "GeoTIFF"),
        (b"II+\x00", "GeoTIFF"),
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
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(
            f"the zip cannot be read: {error}", where=path.name, remedy="deliver it again"
        ) from error
    if "xl/workbook.xml" in names or "[Content_Types].xml" in names:
        return "XLSX"
    return "zip"


def _by_text(path: Path, head: bytes) -> str | None:
    text = _text(head)
    if text is None:
        return None
    start = text.lstrip("\ufeff\x1e \t\r\n")
    if start.startswith("{"):
        return _json_kind(text, path)
    if start.startswith("<"):
        low = start.lower()
        if "<kml" in low or "opengis.net/kml" in low or "earth.google.com/kml" in low:
            return "KML"
        if "opengis.net/gml" in low or "featurecollection" in low:
            return "GML"
        raise InputError(
            "this XML is neither GML nor KML",
            where=path.name,
            remedy="GML names its namespace http://www.opengis.net/gml within the first 64 KB",
        )
    lines = [line.strip() for line in start.splitlines()[:40]]
    if lines[:1] and lines[0] in ("0", "999") and ("SECTION" in lines or lines[0] == "999"):
        return "DXF"
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
    if sequence or (len(lines) == 1 and '"Feature"' in lines[0] and "FeatureC" not in lines[0]):
        return "GeoJSONSeq"
    if '"Topology"' in first[:400] or '"esriGeometry' in first[:4000]:
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


def refuse_entities(path: Path, *, where: str) -> None:
    """Refuse XML that declares a document type or entities; GDAL never sees it.

    Raises
    ------
    InputError
        ``<!DOCTYPE`` or ``<!ENTITY`` stands anywhere in the file, in UTF-8 or UTF-16.
    """
    marks = [
        m.encode(code)
        for m in ("<!DOCTYPE", "<!ENTITY", "<!doctype", "<!entity")
        for code in ("utf-8", "utf-16-le", "utf-16-be")
    ]
    tail = b""
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            block = tail + chunk
            if any(mark in block for mark in marks):
                raise InputError(
                    "the XML declares a document type or entities, which can name other files",
                    where=where,
                    remedy="remove <!DOCTYPE …> and <!ENTITY …>",
                )
            tail = block[-32:]
