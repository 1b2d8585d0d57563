"""Open one file by what it is; archives are unpacked first."""

from __future__ import annotations

from pathlib import Path

from geoplan.errors import InputError, RangeError
from geoplan.ingest.reader.kind import DRIVERS, FileKind, kind_of_file
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.request import Note, ReadRequest

__all__ = ["open_file", "resolved"]


def open_file(request: ReadRequest, folder: Path) -> Opened:
    """Open a delivered file.

    Parameters
    ----------
    request : ReadRequest
        The file and what is said of it.
    folder : Path
        Private folder for what has to be unpacked or copied.

    Raises
    ------
    GeoPlanError
        It cannot be read; the message says why and what to do.
    """
    notes: list[Note] = []
    inner, kind = resolved(request, folder, notes)
    opened = _open(kind.format, inner, folder)
    opened.notes[:0] = notes
    return opened


def resolved(request: ReadRequest, folder: Path, notes: list[Note]) -> tuple[ReadRequest, FileKind]:
    """Return the request for the file that is meant, unpacked where it was packed, and its kind.

    Raises
    ------
    InputError, RangeError, UnknownName
        It is too large, of no kind that is read, or an archive of several and none was named.
    """
    path = request.path
    size = path.stat().st_size
    if path.is_dir():
        size = sum(p.stat().st_size for p in path.iterdir() if p.is_file())
    if size > request.limits.file_bytes:
        raise RangeError(
            f"the file has {size:,} bytes; the limit is {request.limits.file_bytes:,}",
            where=path.name,
            remedy="split it",
        )
    kind = kind_of_file(path)
    if not kind.as_named:
        notes.append(
            Note(
                "wrong-extension",
                f"the name ends in '{path.suffix}', and the file is {kind.format}",
                "read as what it is; name it right",
            )
        )
    if kind.format not in ("zip", "gzip"):
        return request, kind
    from geoplan.ingest.reader.packed import chosen_of

    request = chosen_of(request, kind.format, folder)
    kind = kind_of_file(request.path)
    if kind.format in ("zip", "gzip"):
        raise InputError(
            "the archive holds another archive, which is not unpacked",
            where=path.name,
            remedy="unpack it, and deliver one zip",
        )
    return request, kind


def _open(kind: str, request: ReadRequest, folder: Path) -> Opened:
    path = request.path
    if kind in DRIVERS:
        # Drivers are switched off before GDAL is imported, so the import waits until here.
        from geoplan.ingest.reader.gdal import open_vector, set_environment

        set_environment(kind, request)
        return open_vector(path, kind, request, folder)
    if kind == "DXF":
        from geoplan.ingest.reader.dxf import read_dxf

        info, batches, found = read_dxf(request)
        return Opened(info, batches, found)
    if kind == "GeoParquet":
        from geoplan.ingest.reader.parquet import open_parquet

        return open_parquet(path, request)
    if kind == "KML":
        from geoplan.ingest.reader.kml import open_kml

        return open_kml(path, request)
    if kind == "XLSX":
        from geoplan.ingest.reader.sheet import open_sheet

        return open_sheet(path, request)
    if kind == "CSV":
        from geoplan.ingest.reader.delimited import open_delimited

        return open_delimited(path, request)
    raise InputError(f"a {kind} is not read here", where=path.name, remedy="deliver a GeoPackage")
