"""Where the rows of a version lie: in a table of their own, or among those of the layer's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg2 import sql
from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from geoplan.errors import InputError, UnknownName
from geoplan.store import tables
from geoplan.store.write import TABLES

__all__ = ["OWN_TABLE_ROWS", "VersionRows", "driver_of", "may_have_own_table", "version_rows"]

OWN_TABLE_ROWS = 10_000
"""A version of this many rows or more lies in a table of its own."""

_SHARED = (tables.Region.__table__, tables.RegionFact.__table__)


@dataclass(frozen=True, slots=True)
class VersionRows:
    """The rows of one version of a layer, for statements.

    Parameters
    ----------
    layer_id : str
    version_id, number : int
        The version, by its id and by its number within the layer.
    spec : dict
        Catalogue entry of the layer.
    table : Table
        Table whose columns the rows have.
    relation : str or None
        Their own table; ``None``: they are in ``table``.
    """

    layer_id: str
    version_id: int
    number: int
    spec: dict[str, Any]
    table: Table
    relation: str | None

    @property
    def source(self) -> sql.Composable:
        """What stands behind FROM; the shared table without the tables of large versions."""
        if self.relation is not None:
            return sql.Identifier(self.relation)
        return sql.SQL("only {}").format(sql.Identifier(self.table.name))

    def only(self, alias: str | None = None) -> sql.Composable:
        """Return the condition that keeps the rows of this version."""
        if self.relation is not None:
            return sql.SQL("true")
        column = sql.Identifier("version_id")
        named = column if alias is None else sql.SQL("{}.{}").format(sql.Identifier(alias), column)
        return sql.SQL("{} = {}").format(named, sql.Literal(self.version_id))

    @property
    def key(self) -> str:
        """Column by which rows of two versions are the same thing."""
        if "key" not in self.table.c and "code" not in self.table.c:
            raise InputError(
                f"layer '{self.layer_id}' holds figures, its rows have no key", where=self.layer_id
            )
        return "code" if "code" in self.table.c else "key"


def version_rows(session: Session, layer_id: str, number: int | None = None) -> VersionRows:
    """Return where the rows of a version lie.

    Parameters
    ----------
    layer_id : str
    number : int, optional
        Number of the version; absent: the current one.

    Raises
    ------
    UnknownName
        There is no such layer or version.
    InputError
        The layer is a raster.
    """
    layer, version = tables.Layer, tables.LayerVersion
    wanted = version.id == layer.current_version_id if number is None else version.number == number
    row = session.execute(
        select(version.id, version.number, version.relation, layer.spec)
        .join(layer, layer.id == version.layer_id)
        .where(layer.id == layer_id, wanted)
    ).first()
    if row is None:
        raise _unknown(session, layer_id, number)
    model = TABLES.get(str(row.spec.get("table") or "features"))
    if model is None:
        raise InputError(f"layer '{layer_id}' is a raster, it has no rows", where=layer_id)
    table: Any = model.__table__
    return VersionRows(layer_id, row.id, row.number, dict(row.spec), table, row.relation)


def may_have_own_table(table: Table) -> bool:
    """Return whether large versions of a table are kept apart.

    Regions and figures about them are not: they are read across layers, in one statement.
    """
    return table not in _SHARED


def driver_of(session: Session) -> Any:
    """Return the psycopg2 connection of a session, with its pending changes written."""
    session.flush()
    return session.connection().connection.driver_connection


def _unknown(session: Session, layer_id: str, number: int | None) -> UnknownName:
    version = tables.LayerVersion
    known = session.scalars(
        select(version.number).where(version.layer_id == layer_id).order_by(version.number)
    ).all()
    if not known or number is None:
        return UnknownName(
            f"layer '{layer_id}' was never loaded",
            where=layer_id,
            remedy="see 'geoplan layers list' for those that were",
        )
    return UnknownName(
        f"layer '{layer_id}' has no version {number}",
        where=layer_id,
        remedy=f"it has {', '.join(map(str, known[-20:]))}",
    )
