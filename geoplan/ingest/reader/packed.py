"""Which file of an archive is meant."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from geoplan.errors import InputError, UnknownName
from geoplan.ingest.reader.archive import unpack_gzip, unpack_zip
from geoplan.ingest.reader.request import ReadRequest

__all__ = ["chosen_of", "datasets_in"]

_PARTS = (
    ".dbf", ".shx", ".prj", ".cpg", ".qix", ".sbn", ".sbx", ".fbn", ".fbx", ".ain", ".aih", ".idm",
    ".ind", ".gfs", ".xsd", ".qmd", ".qml", ".sld", ".lyr", ".lyrx", ".qpj", ".atx", ".ixs", ".mxs",
)  # fmt: skip
_ASIDE = (
    ".txt", ".xml", ".pdf", ".jpg", ".jpeg", ".png", ".gif", ".bmp", ".svg", ".htm", ".html", ".md",
    ".doc", ".docx", ".tfw", ".url", ".ini", ".db", ".lnk", ".css", ".js",
)  # fmt: skip
"""What people pack beside their data; looked at only where there is nothing else."""


def datasets_in(files: list[Path], folder: Path, stem: str) -> dict[str, Path]:
    """Return the datasets among unpacked files, by their name in the archive.

    Parameters
    ----------
    files : list of Path
        What was unpacked, under ``folder``.
    stem : str
        Name for a FileGDB that was packed without its folder.
    """
    found: dict[str, Path] = {}
    aside: dict[str, Path] = {}
    for file in files:
        if file.name.startswith((".", "__")) or "__MACOSX" in file.parts:
            continue
        if file.suffix.lower() in (".gdbtable", ".gdbtablx", ".gdbindexes", ".spx", ".freelist"):
            home = file.parent
            name = home.relative_to(folder).as_posix() if home != folder else stem
            found[name] = home
        elif file.parent in found.values() or any(
            p.suffix.lower() == ".gdb" for p in file.relative_to(folder).parents
        ):
            continue  # the small files of a FileGDB
        elif file.suffix.lower() in _ASIDE:
            aside[file.relative_to(folder).as_posix()] = file
        elif file.suffix.lower() not in _PARTS and not file.name.lower().endswith(".shp.xml"):
            found[file.relative_to(folder).as_posix()] = file
    homes = [p for p in found.values() if p.is_dir()]
    found = {n: p for n, p in found.items() if p.is_dir() or p.parent not in homes}
    return found or aside


def chosen_of(request: ReadRequest, kind: str, folder: Path) -> ReadRequest:
    """Unpack an archive, and return the request for the one file of it that is meant.

    ``source_layer`` names the file (``plots.gpkg``, ``plots``) where there are several, and may
    go on with a layer of it (``plots.gpkg/parcels``).

    Raises
    ------
    InputError, UnknownName
        There is no file that can be read in it; several, and none named; not the one named.
    """
    path = request.path
    room = folder / "unpacked"
    room.mkdir()
    if kind == "gzip":
        return replace(request, path=unpack_gzip(path, room, request.limits))
    found = datasets_in(unpack_zip(path, room, request.limits), room, path.name.split(".")[0])
    if not found:
        raise InputError(
            "the zip holds no file that can be read",
            where=path.name,
            remedy="pack the file itself, with all of its parts",
        )
    wanted = request.source_layer
    for means in (_exact, _by_stem):
        named = [(p, layer) for n, p in found.items() for ok, layer in [means(n, wanted)] if ok]
        if len(named) == 1:
            return replace(request, path=named[0][0], source_layer=named[0][1])
    if len(found) == 1:
        return replace(request, path=next(iter(found.values())))
    main = [p for n, p in found.items() if n.lower() == "doc.kml"]
    if main and path.suffix.lower() == ".kmz" and wanted is None:
        return replace(request, path=main[0])
    shown = ", ".join(sorted(found)[:40])
    if wanted is not None:
        raise UnknownName(
            f"'{wanted}' names no single file of the zip",
            where=path.name,
            remedy=f"it holds {shown}",
        )
    raise InputError(
        f"the zip holds {len(found)} files", where=path.name,
        remedy=f"name one with --source-layer: {shown}",
    )  # fmt: skip


def _exact(name: str, wanted: str | None) -> tuple[bool, str | None]:
    if wanted is None:
        return False, None
    if wanted == name:
        return True, None
    return wanted.startswith(name + "/"), wanted.removeprefix(name + "/")


def _by_stem(name: str, wanted: str | None) -> tuple[bool, str | None]:
    return wanted is not None and wanted in (Path(name).name, Path(name).stem), None
