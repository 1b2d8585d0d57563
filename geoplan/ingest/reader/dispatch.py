"""Open one file by what it is; archives are unpacked first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from geoplan.errors import InputError, RangeError
from geoplan.ingest.reader.kind import DRIVERS, FileKind, kind_of_file
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.request import Note, ReadRequest

__all__ = ["open_file"]

_SIDE = (
    ".dbf", ".shx", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".xml", ".gfs", ".xsd", ".qmd", ".qml",
    ".txt", ".pdf", ".jpg", ".png", ".sld", ".lyr", ".htm", ".html", ".md",
)  # fmt: skip


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
    path = request.path
    notes: list[Note] = []
    if path.is_file() and path.stat().st_size > request.limits.file_bytes:
        raise RangeError(
            f"the file has {path.stat().st_size:,} bytes; the limit is "
            f"{request.limits.file_bytes:,}",
            where=path.name,
            remedy="split it",
        )
    kind = kind_of_file(path)
    if not kind.as_named:
        notes.append(_misnamed(path, kind))
    if kind.format in ("zip", "gzip"):
        path, kind, request = _unpacked(path, kind, request, folder)
    opened = _open(path, kind.format, request, folder)
    opened.notes[:0] = notes
    return opened


def _misnamed(path: Path, kind: FileKind) -> Note:
    return Note(
        "wrong-extension",
        f"the name ends in '{path.suffix}', and the file is {kind.format}",
        "read as what it is; name it right",
    )


def _open(path: Path, kind: str, request: ReadRequest, folder: Path) -> Opened:
    if kind in DRIVERS:
        # Drivers are switched off before GDAL is imported, so the import waits until here.
        from geoplan.ingest.reader.gdal import open_vector, set_environment

        set_environment(kind)
        return open_vector(path, kind, request, folder)
    if kind == "DXF":
        from geoplan.ingest.reader.dxf import read_dxf

        info, batches, found = read_dxf(replace(request, path=path))
        return Opened(info, batches, found)
    if kind == "GeoParquet":
        from geoplan.ingest.reader.parquet import open_parquet

        return open_parquet(path, request)
    if kind == "XLSX":
        from geoplan.ingest.reader.sheet import open_sheet

        return open_sheet(path, request)
    if kind == "CSV":
        from geoplan.ingest.reader.delimited import open_delimited

        return open_delimited(path, request)
    raise InputError(
        f"a {kind} inside an archive is not read", where=request.path.name, remedy="unpack it"
    )


def _unpacked(
    path: Path, kind: FileKind, request: ReadRequest, folder: Path
) -> tuple[Path, FileKind, ReadRequest]:
    """Unpack, and return the one dataset that is meant and what it is."""
    from geoplan.ingest.reader.archive import unpack_gzip, unpack_zip

    if kind.format == "gzip":
        inner = unpack_gzip(path, folder, request.limits)
        return inner, kind_of_file(inner), request
    files = unpack_zip(path, folder, request.limits)
    found: dict[str, Path] = {}
    for file in files:
        geodatabase = next((p for p in file.parents if p.suffix.lower() == ".gdb"), None)
        if geodatabase is not None and geodatabase.is_relative_to(folder):
            found[geodatabase.relative_to(folder).as_posix()] = geodatabase
        elif file.suffix.lower() not in _SIDE and not file.name.startswith((".", "__")):
            found[file.relative_to(folder).as_posix()] = file
    if any(file.name.startswith("a0000000") for file in files) and not found:
        found[path.stem] = folder
    flat = [f for f in files if f.name == "a00000001.gdbtable"]
    if flat and not any(p.suffix.lower() == ".gdb" for p in found.values()):
        found = {path.stem: flat[0].parent}
    if not found:
        raise InputError(
            "the zip holds no file that can be read",
            where=path.name,
            remedy="pack the file itself, with all of its parts",
        )
    wanted = request.source_layer
    if len(found) > 1:
        chosen = [n for n in found if wanted in (n, Path(n).stem, Path(n).name)]
        if len(chosen) != 1:
            raise InputError(
                f"the zip holds {len(found)} files",
                where=path.name,
                remedy=f"name one with --source-layer: {', '.join(sorted(found)[:40])}",
            )
        return found[chosen[0]], kind_of_file(found[chosen[0]]), replace(request, source_layer=None)
    inner = next(iter(found.values()))
    named = next(iter(found))
    if wanted in (named, Path(named).stem, Path(named).name):
        request = replace(request, source_layer=None)
    return inner, kind_of_file(inner), request
