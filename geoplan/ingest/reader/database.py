"""What lies in an SQLite file, looked at before GDAL opens it: nothing in it may reach out."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from geoplan.errors import InputError

__all__ = ["check_every_row", "refuse_reaching_out", "sqlite_kind"]

_HARMLESS = (
    "rtree", "rtree_i32", "geopoly", "fts3", "fts4", "fts5",
    "virtualspatialindex", "virtualelementary", "virtualknn", "virtualknn2",
)  # fmt: skip
"""Modules whose tables hold their own data, or indexes of it."""

_READ = {
    sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE
}  # fmt: skip
_DENIED = {"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "eval"}


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    name = f"file:{quote(str(path))}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(name, uri=True)) as database:
        database.execute("pragma trusted_schema = off")
        database.text_factory = lambda raw: raw.decode("utf-8", "replace")
        yield database


def sqlite_kind(path: Path) -> str | None:
    """Return ``GeoPackage`` or ``SpatiaLite``, by the tables; ``None`` where it is neither."""
    try:
        with _opened(path) as database:
            names = {str(n).lower() for (n,) in database.execute("select name from sqlite_master")}
    except (sqlite3.Error, UnicodeDecodeError):  # a message of it may hold the damage
        return None
    if "gpkg_contents" in names:
        return "GeoPackage"
    if "geometry_columns" in names or "spatial_ref_sys" in names:
        return "SpatiaLite"
    return None


def refuse_reaching_out(path: Path, layer: str | None, *, where: str) -> None:
    """Refuse virtual tables over other files, and views that do more than select.

    Parameters
    ----------
    path : Path
        The database.
    layer : str or None
        The table or view that will be read.

    Raises
    ------
    InputError
        It is damaged, or something in it could read or write elsewhere.
    """
    try:
        with _opened(path) as database:
            for name, sql in database.execute("select name, sql from sqlite_master"):
                found = re.match(
                    r"\s*create\s+virtual\s+table\b.*?\busing\s+[\"'`\[]?(\w+)", sql or "",
                    re.IGNORECASE | re.DOTALL,
                )  # fmt: skip
                if found and found[1].lower() not in _HARMLESS:
                    raise InputError(
                        f"the table {name!r} is virtual ({found[1]}) and can name another file",
                        where=where,
                        remedy="save it as a plain table",
                    )
            kind = database.execute(
                "select type from sqlite_master where name = ?", (layer,)
            ).fetchone()
            if kind is not None and kind[0] == "view":
                _check_view(database, str(layer), where)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        raise _unreadable(error, where) from error


def check_every_row(path: Path, layer: str, rows: int, *, where: str) -> None:
    """Refuse a table of which not every row was read: GDAL ends without a word at a damaged page.

    Raises
    ------
    InputError
        SQLite counts more rows, or cannot count them.
    """
    quoted = layer.replace('"', '""')
    try:
        with _opened(path) as database:
            (count,) = database.execute(f'select count(*) from "{quoted}"').fetchone()  # noqa: S608
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _unreadable(error, where) from error
    if rows < count:
        raise InputError(
            f"only {rows:,} of {count:,} rows can be read",
            where=where,
            remedy="deliver it again; it may be cut off or damaged",
        )


def _unreadable(error: Exception, where: str) -> InputError:
    return InputError(
        f"the database cannot be read: {error}",
        where=where,
        remedy="deliver it again; it may be cut off or damaged",
    )


def _check_view(database: sqlite3.Connection, layer: str, where: str) -> None:
    def allowed(action: int, _: str | None, name: str | None, *__: str | None) -> int:
        fine = action in _READ and not (
            action == sqlite3.SQLITE_FUNCTION and (name or "").lower() in _DENIED
        )
        return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY

    database.set_authorizer(allowed)
    quoted = layer.replace('"', '""')
    try:
        database.execute(f'select * from "{quoted}" limit 0')  # noqa: S608 - a quoted name
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise InputError(
            f"the view {layer!r} does more than plain SQLite can: {error}",
            where=where,
            remedy="save it as a table",
        ) from error
