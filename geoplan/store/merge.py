"""New rows and the version before: which are carried over, and which stand in each other's way."""

from __future__ import annotations

from typing import Any

import psycopg2
from psycopg2 import sql
from sqlalchemy import Table

from geoplan.errors import InputError
from geoplan.store.rows import VersionRows

__all__ = ["KeyClash", "carry_over", "key_column", "make_unique", "refuse_same_keys"]

_SHOWN = 5


class KeyClash(InputError):
    """Rows have the same key where each must have its own.

    Parameters
    ----------
    keys : tuple of str
        The first of them.
    count : int
        How many there are.
    """

    def __init__(
        self, what: str, keys: tuple[str, ...], count: int, *, where: str = "", remedy: str = ""
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.keys = keys
        self.count = count


def key_column(table: Table) -> str | None:
    """Return the column that is unique within a version; ``None`` where none is."""
    for constraint in table.constraints:
        names = {column.name for column in getattr(constraint, "columns", ())}
        if len(names) == 2 and "version_id" in names:
            return str((names - {"version_id"}).pop())
    return None


def refuse_same_keys(cursor: Any, rows: VersionRows, relation: str) -> None:
    """Refuse new rows whose key the version before has.

    Raises
    ------
    KeyClash
        Its message has the first keys.
    """
    key = sql.Identifier(rows.key)
    cursor.execute(
        sql.SQL(
            "select n.{key}, count(*) over () from {new} n where exists "
            "(select from {old} o where o.{key} = n.{key} and {only}) "
            'order by n.{key} collate "C" limit {most}'
        ).format(
            key=key, new=sql.Identifier(relation), old=rows.source, only=rows.only("o"),
            most=sql.Literal(_SHOWN),
        )
    )  # fmt: skip
    found = cursor.fetchall()
    if found:
        keys, count = tuple(str(k) for k, _ in found), int(found[0][1])
        raise KeyClash(
            f"{count} of the new rows have keys that version {rows.number} has already: "
            f"{_listed(keys, count)}",
            keys,
            count,
            where=f"layer '{rows.layer_id}'",
            remedy="load with mode 'upsert' to replace those rows, or 'replace' to keep only the "
            "new ones",
        )


def carry_over(cursor: Any, rows: VersionRows, relation: str) -> int:
    """Copy the rows of the version before whose keys are not among the new ones; say how many."""
    names = [c.name for c in rows.table.columns if c.name not in ("id", "version_id")]
    cursor.execute(
        sql.SQL(
            "insert into {new} ({names}) select {names} from {old} o where {only} and not exists "
            "(select from {new} n where n.{key} = o.{key})"
        ).format(
            new=sql.Identifier(relation), names=sql.SQL(", ").join(map(sql.Identifier, names)),
            old=rows.source, only=rows.only("o"), key=sql.Identifier(rows.key),
        )
    )  # fmt: skip
    return int(cursor.rowcount)


def make_unique(
    cursor: Any, statement: sql.Composable, relation: str, key: str, where: str
) -> None:
    """Run a statement that needs every key of ``relation`` once.

    Raises
    ------
    KeyClash
        Some stand twice; its message has the first of them.
    """
    cursor.execute("savepoint each_key_once")
    try:
        cursor.execute(statement)
    except psycopg2.errors.UniqueViolation as error:
        cursor.execute("rollback to savepoint each_key_once")
        cursor.execute(
            sql.SQL(
                "select {key}, count(*) over () from {new} group by {key} having count(*) > 1 "
                'order by {key} collate "C" limit {most}'
            ).format(
                key=sql.Identifier(key), new=sql.Identifier(relation), most=sql.Literal(_SHOWN)
            )
        )
        found = cursor.fetchall()
        keys, count = tuple(str(k) for k, _ in found), int(found[0][1]) if found else 0
        raise KeyClash(
            f"{count} keys stand twice or more: {_listed(keys, count)}",
            keys,
            count,
            where=f"{where}, column '{key}'",
            remedy="name a field whose values differ as 'key', or merge these rows",
        ) from error
    cursor.execute("release savepoint each_key_once")


def _listed(keys: tuple[str, ...], count: int) -> str:
    return ", ".join(keys) + (" …" if count > len(keys) else "")
