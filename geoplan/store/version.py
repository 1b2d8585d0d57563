"""Write a new version of a layer from Arrow batches, inside a caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any, Literal

import pyarrow as pa
from psycopg2 import sql
from sqlalchemy import Table
from sqlalchemy.orm import Session

from geoplan.catalogue import LayerSpec
from geoplan.errors import InputError, Problem
from geoplan.store import tables
from geoplan.store.binary import Field, copy_batches
from geoplan.store.binary_fields import fields_of
from geoplan.store.copy import plain
from geoplan.store.merge import carry_over, key_column, make_unique, refuse_same_keys
from geoplan.store.rows import (
    OWN_TABLE_ROWS,
    VersionRows,
    driver_of,
    may_have_own_table,
    version_rows,
)
from geoplan.store.write import TABLES, new_version

__all__ = ["MODES", "Mode", "VersionWriter", "begin_version"]

Mode = Literal["replace", "append", "upsert"]
MODES: tuple[Mode, ...] = ("replace", "append", "upsert")
"""What becomes of the rows of the version before: left out, kept, kept where no new row has
their key."""

_BY_STORE = ("id", "version_id")


def begin_version(
    session: Session, spec: LayerSpec, *, mode: Mode = "replace", **facts: Any
) -> VersionWriter:
    """Enter a new version of a layer and return what takes its rows.

    The layer stays locked until the transaction ends, so that two loads of it follow each other;
    loads of other layers run beside it.

    Parameters
    ----------
    spec : LayerSpec
        The layer; any but a raster.
    mode : {"replace", "append", "upsert"}
        What becomes of the rows of the current version.
    **facts
        As :func:`geoplan.store.write.new_version` takes them; what is known only at the end goes
        to :meth:`VersionWriter.finish`.

    Raises
    ------
    InputError
        The layer holds no rows, or the mode needs a key that its rows do not have.
    """
    model = TABLES.get(spec.table)
    if model is None:
        raise InputError(f"layer '{spec.id}' is a raster, it has no rows", where=spec.id)
    if mode not in MODES:
        raise InputError(
            f"there is no mode '{mode}'", where=spec.id, remedy=f"use one of {', '.join(MODES)}"
        )
    table: Any = model.__table__
    version_id = new_version(session, spec, **facts)
    version = session.get_one(tables.LayerVersion, version_id)
    version.mode = mode
    layer = session.get_one(tables.Layer, spec.id, populate_existing=True)
    before = None
    if mode != "replace" and layer.current_version_id is not None:
        before = version_rows(session, spec.id)
        if before.table is not table:
            raise InputError(
                f"the current version lies in table '{before.table.name}', the layer now asks for "
                f"'{table.name}'",
                where=spec.id,
                remedy="load with mode 'replace'",
            )
        _ = before.key  # figures about regions have none; said before anything is read
    return VersionWriter(session, spec, version, table, before)


class VersionWriter:
    """Rows of a version that is being written.

    Rows first go into a table of their own without any index. :meth:`finish` builds the indexes,
    or moves the rows into the shared table where there are few of them. Other sessions see
    nothing of it before the caller's transaction is committed; when it is not, nothing is left.

    Parameters
    ----------
    session, spec, version, table, before
        From :func:`begin_version`.
    """

    def __init__(
        self,
        session: Session,
        spec: LayerSpec,
        version: tables.LayerVersion,
        table: Table,
        before: VersionRows | None,
    ) -> None:
        self.relation = f"{table.name}_v{version.id}"
        self.version_id = int(version.id)
        self.number = int(version.number)
        self.rows = 0
        self._session, self._spec, self._version = session, spec, version
        self._table, self._before = table, before
        self._fields = fields_of(table)
        # LIKE and not INHERITS: a child holds a lock on its parent, against which other loads
        # would wait until this one is over. It becomes a child at the end.
        self._run(
            "create table {own} (like {shared} including defaults including constraints "
            "including storage including compression, check (version_id = {id}))"
        )
        self._run("alter table {own} alter column version_id set default {id}")
        self._nested = session.get_nested_transaction()

    def write(self, batch: pa.RecordBatch) -> int:
        """Store one batch; as :meth:`write_all`."""
        return self.write_all([batch])

    def write_all(self, batches: Iterable[pa.RecordBatch]) -> int:
        """Store batches, read and encoded on another thread while the database works.

        Parameters
        ----------
        batches : iterable of RecordBatch
            Columns by name: ``key``, the table's own columns, ``search``, ``attrs`` (JSON objects
            as text), ``geom`` (WKB, EPSG:4326), ``source_geom`` (WKB as surveyed) and
            ``source_srid``. The same columns in every batch; what is absent is NULL. A generator
            may raise: its error comes out as it is. It must not use the session: it runs on the
            other thread.

        Returns
        -------
        int
            Rows stored.

        Raises
        ------
        InputError
            A column that the table has not or needs, or a value that does not fit; the
            transaction is to be rolled back.
        """
        given = iter(batches)
        first = next(given, None)
        if first is None:
            return 0
        names = list(first.schema.names)
        fields = self._named(names)
        # Frozen rows are only allowed while the (sub)transaction that made the table is open.
        frozen = self._session.get_nested_transaction() is self._nested
        stored = copy_batches(
            driver_of(self._session), self.relation, fields, _same(chain([first], given), names),
            freeze=frozen,
        )  # fmt: skip
        self.rows += stored
        return stored

    def finish(
        self,
        *,
        rows_read: int | None = None,
        rows_refused: int | None = None,
        source_crs: str | None = None,
        report: Sequence[Problem] | None = None,
    ) -> int:
        """Carry rows over as the mode asks, make every key unique, build indexes.

        Parameters
        ----------
        rows_read, rows_refused, source_crs, report
            What was not known at the beginning; absent: as said there.

        Returns
        -------
        int
            Rows of the version. It is not current yet:
            :func:`geoplan.store.write.make_current`.

        Raises
        ------
        KeyClash
            Two rows have one key, or mode ``append`` met a key that was there.
        """
        with driver_of(self._session).cursor() as cursor:
            if self._before is not None:
                self._run("analyze {own}")
                if self._version.mode == "append":
                    refuse_same_keys(cursor, self._before, self.relation)
                self.rows += carry_over(cursor, self._before, self.relation)
            box = self._bounds(cursor)
            own = self.rows >= OWN_TABLE_ROWS and may_have_own_table(self._table)
            (self._keep if own else self._move)(cursor)
        version = self._version
        version.relation = self.relation if own else None
        version.rows_stored = self.rows
        version.bbox = box
        version.rows_read = version.rows_read if rows_read is None else rows_read
        version.rows_refused = version.rows_refused if rows_refused is None else rows_refused
        version.source_crs = version.source_crs if source_crs is None else source_crs
        if report is not None:
            version.report = [plain(asdict(problem)) for problem in report]
        self._session.flush()
        return self.rows

    def _named(self, names: Sequence[str]) -> list[Field]:
        where = f"layer '{self._spec.id}'"
        known = [name for name in self._fields if name not in _BY_STORE]
        for name in names:
            if name not in known:
                raise InputError(
                    f"table '{self._table.name}' has no column '{name}'",
                    where=where,
                    remedy=f"it has {', '.join(known)}; other attributes go into attrs",
                )
        for name in known:
            if not self._table.c[name].nullable and name not in names:
                raise InputError(
                    f"the column '{name}' is absent; table '{self._table.name}' needs it",
                    where=where,
                    remedy="map it in the layer's fields",
                )
        return [self._fields[name] for name in names]

    def _keep(self, cursor: Any) -> None:
        """Build the indexes and let the shared table show these rows too."""
        key = key_column(self._table)
        index = sql.SQL("create {} index {} on {} ({})")
        if key is not None:
            statement = index.format(
                sql.SQL("unique"), self._name("key"), self._own, sql.Identifier(key)
            )
            make_unique(cursor, statement, self.relation, key, f"layer '{self._spec.id}'")
        elif "key" in self._table.c:
            cursor.execute(
                index.format(sql.SQL(""), self._name("key"), self._own, sql.Identifier("key"))
            )
        cursor.execute(
            sql.SQL("alter table {} add constraint {} primary key (id)").format(
                self._own, self._name("pkey")
            )
        )
        if "geom" in self._table.c:
            cursor.execute(
                sql.SQL("create index {} on {} using gist (geom)").format(
                    self._name("geom"), self._own
                )
            )
        self._run("analyze {own}")
        self._run("alter table {own} inherit {shared}")

    def _move(self, cursor: Any) -> None:
        """Put few rows into the shared table."""
        names = [sql.Identifier(column.name) for column in self._table.columns]
        statement = sql.SQL("insert into {0} ({1}) select {1} from {2} order by id").format(
            sql.Identifier(self._table.name), sql.SQL(", ").join(names), self._own
        )
        key = key_column(self._table)
        if key is None:
            cursor.execute(statement)
        else:
            make_unique(cursor, statement, self.relation, key, f"layer '{self._spec.id}'")
        self._run("drop table {own}")

    def _bounds(self, cursor: Any) -> list[float] | None:
        if "geom" not in self._table.c:
            return None
        cursor.execute(
            sql.SQL(
                "select st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e) "
                "from (select st_extent(geom) as e from {}) as x"
            ).format(self._own)
        )
        box = list(cursor.fetchone())
        return None if box[0] is None else [float(v) for v in box]

    @property
    def _own(self) -> sql.Identifier:
        return sql.Identifier(self.relation)

    def _name(self, what: str) -> sql.Identifier:
        return sql.Identifier(f"{self.relation}_{what}")

    def _run(self, statement: str) -> None:
        with driver_of(self._session).cursor() as cursor:
            cursor.execute(
                sql.SQL(statement).format(
                    own=self._own, shared=sql.Identifier(self._table.name),
                    id=sql.Literal(self.version_id),
                )
            )  # fmt: skip


def _same(batches: Iterable[pa.RecordBatch], names: list[str]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if batch.schema.names != names:
            raise InputError(
                f"a batch has the columns {', '.join(batch.schema.names)}, the first had "
                f"{', '.join(names)}"
            )
        yield batch
