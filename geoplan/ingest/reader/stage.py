"""A delivered file under a plain name in the private folder, where GDAL may write beside it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

from geoplan.ingest.reader.request import Note

__all__ = ["part_of", "staged"]

_SUFFIX = {
    "GeoPackage": ".gpkg", "SpatiaLite": ".sqlite", "Shapefile": ".shp", "GeoJSON": ".geojson",
    "GeoJSONSeq": ".geojsonl", "FlatGeobuf": ".fgb", "GML": ".gml", "FileGDB": ".gdb",
}  # fmt: skip
_PARTS = (".shp", ".shx", ".dbf", ".prj")


def staged(path: Path, kind: str, folder: Path, notes: list[Note]) -> Path:
    """Return a path in the private folder by which GDAL opens a file, and no other beside it.

    Nothing in the name can mean more than a name (GDAL and pyogrio read ``/vsi…``, ``!`` and
    ``?`` as instructions), indexes and hints beside the file (``.qix``, ``.gfs``, ``.aux.xml``)
    are not seen, and whatever GDAL writes beside it stays private.

    Parameters
    ----------
    path : Path
        A real file, or the folder of a FileGDB.
    kind : str
        What it is.
    folder : Path
        The private folder.
    notes : list of Note
        Receives what stands out.
    """
    home = folder / ".open"
    home.mkdir()
    stem = re.sub(r"[^\w\- .]", "_", path.name.rsplit(".", 1)[0])[:60].strip(". ") or "source"
    target = home / (stem + _SUFFIX[kind])
    if kind == "Shapefile":
        for suffix in _PARTS:
            part = part_of(path, suffix)
            if part is not None:
                target.with_name(stem + suffix).symlink_to(part.absolute())
        return target
    unsaved = [
        side
        for mark in ("-wal", "-journal")
        if (side := path.with_name(path.name + mark)).is_file() and side.stat().st_size
    ]
    # The driver of SpatiaLite cannot be told that nothing may be written beside the file.
    if (kind in ("GeoPackage", "SpatiaLite") and unsaved) or (
        kind == "SpatiaLite" and _write_ahead(path)
    ):
        _settled(path, unsaved, target)
        if not unsaved:
            return target
        notes.append(
            Note(
                "open-elsewhere",
                f"another program has it open, or ended in the middle: {unsaved[0].name}",
                "read with what that program had saved; close it there and deliver it again",
            )
        )
        return target
    target.symlink_to(path.absolute(), target_is_directory=path.is_dir())
    return target


def part_of(shp: Path, suffix: str) -> Path | None:
    """Return a part of a Shapefile, however its name is written in capitals; ``None``: absent."""
    for exact in (suffix, suffix.upper()):
        if (found := shp.with_suffix(exact)).is_file():
            return found
    stem = shp.name.rsplit(".", 1)[0]
    wanted = (stem + suffix).casefold()
    try:
        beside = [p for p in shp.parent.iterdir() if p.name.casefold() == wanted and p.is_file()]
    except OSError:
        return None
    return beside[0] if len(beside) == 1 else None


def _write_ahead(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(20)[18:20] == b"\x02\x02"


def _settled(path: Path, unsaved: list[Path], target: Path) -> None:
    """Copy a database with its journal, and let SQLite bring the copy to rest."""
    shutil.copyfile(path, target)
    for side in unsaved:
        shutil.copyfile(side, target.with_name(target.name + side.name.removeprefix(path.name)))
    with sqlite3.connect(target) as database:
        database.execute("pragma trusted_schema = off")
        database.execute("pragma journal_mode = delete").fetchall()
        database.execute("select count(*) from sqlite_master").fetchall()
    database.close()
