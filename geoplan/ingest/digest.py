"""The hash of a delivered file with everything that belongs to it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from geoplan.errors import FileMissing

__all__ = ["digest", "family"]

_SIDECARS = (".dbf", ".shx", ".prj", ".cpg")


def family(path: Path) -> list[Path]:
    """Return the file with its parts: those of a Shapefile, those in a FileGDB's folder.

    Raises
    ------
    FileMissing
        There is no such file.
    """
    if path.is_dir():
        parts = sorted(p for p in path.rglob("*") if p.is_file() and not p.is_symlink())
        return [p for p in parts if p.suffix != ".lock"]
    if not path.is_file():
        raise FileMissing("there is no such file", where=str(path), remedy="check the path")
    if path.suffix.lower() != ".shp":
        return [path]
    near = [path.with_suffix(x) for s in _SIDECARS for x in (s, s.upper())]
    return [path, *(p for p in near if p.is_file())]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file with its parts.

    Raises
    ------
    FileMissing
        It is not there, or cannot be read.
    """
    found = hashlib.sha256()
    for part in family(path):
        if path.is_dir():
            found.update(part.relative_to(path).as_posix().encode() + b"\0")
        try:
            with part.open("rb") as stream:
                while chunk := stream.read(1 << 20):
                    found.update(chunk)
        except OSError as error:
            raise FileMissing(
                f"this file cannot be read: {error.strerror}",
                where=part.name,
                remedy="check its permissions",
            ) from error
    return found.hexdigest()
