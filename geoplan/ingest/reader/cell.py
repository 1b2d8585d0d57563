"""Cells of an SQLite table that are not of their column's type."""

from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from geoplan.errors import InputError

__all__ = ["CellCheck"]

_INTEGER = re.compile(r"(TINY|SMALL|MEDIUM|BIG)?INT(EGER)?\b")


class CellCheck:
    """Looks for cells that SQLite keeps, and that GDAL makes something else of.

    A column of SQLite holds whatever was put into it. GDAL reads a text in a column of numbers
    as 0, 1.5 in one of whole numbers as 1, ``02/01/2024`` as 1970-01-01 and 31 Ordibehesht
    (``1403-02-31``) as 1403-03-03, and says nothing. The search runs beside the reading, on a
    thread that does not hold the interpreter.

    Parameters
    ----------
    path : Path
        The database.
    table : str
        The table that is read; a view is left alone.
    days : bool
        Whether days are written ``YYYY-MM-DD``, as a GeoPackage has to; other databases may
        count them.
    """

    def __init__(self, path: Path, table: str, *, days: bool) -> None:
        self._path = path
        self._table = table
        self._days = days
        self._found: tuple[int, str, str] | None = None
        self._thread = threading.Thread(target=self._search, daemon=True)
        self._thread.start()

    def finish(self, *, where: str) -> None:
        """Wait for the search.

        Raises
        ------
        InputError
            There is such a cell; names the first.
        """
        self._thread.join()
        if self._found is None:
            return
        row, column, value = self._found
        raise InputError(
            f"the cell of column '{column}' in the row with fid {row} holds {value}, which is not "
            "of the type that the column declares",
            where=where,
            remedy="mend it, or save the layer with that column as text; read as it is, it would "
            "become another number or day",
        )

    def _search(self) -> None:
        name = f"file:{quote(str(self._path))}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(name, uri=True)) as database:
                database.execute("pragma trusted_schema = off")
                self._found = _first_wrong(database, self._table, self._days)
        except (sqlite3.Error, OverflowError, UnicodeError):
            return  # whoever reads it tells what is damaged


def _first_wrong(
    database: sqlite3.Connection, table: str, days: bool
) -> tuple[int, str, str] | None:
    quoted = _quoted(table)
    kind = database.execute("select type from sqlite_master where name = ?", (table,)).fetchone()
    if kind is None or kind[0] != "table":
        return None
    tests = {}
    for _, name, declared, *_, key in database.execute(f"pragma table_info({quoted})"):
        test = None if key else _test(_quoted(name), declared.upper(), days=days)
        if test is not None:
            tests[name] = test
    if not tests:
        return None
    wanted = ", ".join([*map(_quoted, tests), *tests.values()])
    found = database.execute(
        f"select rowid, {wanted} from {quoted} where {' or '.join(tests.values())} limit 1"  # noqa: S608
    ).fetchone()
    if found is None:
        return None
    values, wrong = found[1 : 1 + len(tests)], found[1 + len(tests) :]
    at = next(i for i, flag in enumerate(wrong) if flag)
    return found[0], list(tests)[at], repr(values[at])[:80]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _test(name: str, declared: str, *, days: bool) -> str | None:
    """Return when a cell is wrong, by the type that its column declares; ``None``: never."""
    # Texts and bytes stand above all numbers in SQLite's order.
    if _INTEGER.match(declared):
        return f"({name} >= '' or typeof({name}) = 'real')"  # a whole real is kept as an integer
    if declared.startswith(("REAL", "DOUBLE", "FLOAT")):
        return f"({name} >= '')"
    if days and declared in ("DATE", "DATETIME"):
        # Counting moves 30 February on to March, as GDAL does; a day that there is stays itself.
        day, whole = f"replace(substr({name}, 1, 10), '/', '-')", f"replace({name}, '/', '-')"
        wrong = f"(date({day}, '+0 days') is not {day} or julianday({whole}) is null)"
        return f"(date({name}, '+0 days') is not {name} and {wrong})"
    return None
