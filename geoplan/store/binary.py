"""Arrow columns → PostgreSQL's binary COPY: no object per cell, every value exact."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import psycopg2
import pyarrow as pa
from psycopg2 import sql

from geoplan.errors import ShapeError
from geoplan.store.binary_columns import Field, Kind, column_of
from geoplan.store.pipe import Pipe

__all__ = ["Batch", "Field", "Kind", "copy_batches", "encode"]

Batch: TypeAlias = "pa.RecordBatch | Sequence[pa.Array]"
"""Rows: one array for each field, in order."""

_BLOCK = 1 << 20  # bytes sent at once; large enough to be rare, small enough to stay in the cache
_PART = 16 << 20  # bytes in one COPY; see _Part
_START = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"


def encode(fields: Sequence[Field], batch: Batch, *, first_row: int = 1) -> memoryview:
    """Return a whole binary COPY of one batch: header, rows, end.

    Parameters
    ----------
    fields : sequence of Field
    batch : RecordBatch or sequence of pyarrow.Array
        One array for each field. Text is string or large_string, date is date32, geometry is ISO
        WKB or EWKB, little-endian; empty geometry is NULL. Whole numbers may be of another width.
    first_row : int
        Number of the first row, for messages.

    Raises
    ------
    InputError
        A value that the column cannot hold; the message names column and row.
    RangeError
        A whole number, a date or a value of 1 GB or more that is out of range.
    ShapeError
        The arrays do not fit the fields.
    """
    return memoryview(b"".join((_START, *_blocks(fields, batch, first_row), _END)))


def copy_batches(
    connection: Any, table: str, fields: Sequence[Field], batches: Iterable[Batch],
    *, freeze: bool = False,
) -> int:  # fmt: skip
    """Send batches by COPY, in the transaction of ``connection``.

    Batches are read and encoded on a thread of their own while the database stores the ones
    before; the connection is used by the calling thread only.

    Parameters
    ----------
    connection : psycopg2 connection
    table : str
        Name of the table.
    fields : sequence of Field
        What each batch holds, in order.
    batches : iterable
        Read on the other thread; a generator is closed there, also after an error.
    freeze : bool
        Rows count as old at once. Only into a table made in the same (sub)transaction.

    Returns
    -------
    int
        Rows stored.

    Raises
    ------
    InputError, RangeError, ShapeError
        As :func:`encode`; rows count from 1 through all batches. Whatever ``batches`` raises comes
        out as it is. The transaction is then to be rolled back.
    """
    statement = sql.SQL("copy {} ({}) from stdin (format binary{})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(sql.Identifier(field.name) for field in fields),
        sql.SQL(", freeze" if freeze else ""),
    )
    rows = 0
    with connection.cursor() as cursor, Pipe(_stream(fields, batches)) as pipe:
        try:
            while not pipe.ended:
                cursor.copy_expert(statement, _Part(pipe), _BLOCK)
                rows += int(cursor.rowcount)
        except psycopg2.Error as error:
            if pipe.error is not None:
                raise pipe.error from error
            raise
    return rows


class _Part:
    """One COPY of a long one.

    While rows are sent, libpq does not look whether the server has refused one of them: a single
    COPY would read a file of any size to its end before its first bad row is told.
    """

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._left = _PART
        self._next = _START

    def read(self, _size: int = -1) -> bytes:
        block, self._next = self._next, b""
        if block or self._left < 0:
            return block
        block = self._pipe.read() if self._left else b""
        self._left = max(0, self._left - len(block))
        if not block:
            self._left = -1
            return _END
        return block


def _stream(fields: Sequence[Field], batches: Iterable[Batch]) -> Iterator[bytes]:
    given = iter(batches)
    try:
        row = 1
        for batch in given:
            yield from _blocks(fields, batch, row)
            row += _length(batch)
    finally:
        close = getattr(given, "close", None)
        if close is not None:
            close()


def _length(batch: Batch) -> int:
    if isinstance(batch, pa.RecordBatch):
        return int(batch.num_rows)
    return len(batch[0]) if batch else 0


def _blocks(fields: Sequence[Field], batch: Batch, first_row: int) -> Iterator[bytes]:
    arrays = batch.columns if isinstance(batch, pa.RecordBatch) else list(batch)
    if len(arrays) != len(fields):
        raise ShapeError(f"{len(arrays)} columns for {len(fields)} fields")
    rows = _length(batch)
    for field, array in zip(fields, arrays, strict=True):
        if len(array) != rows:
            raise ShapeError(f"column '{field.name}' has {len(array):,} of {rows:,} rows")
    columns = [column_of(f, a, first_row) for f, a in zip(fields, arrays, strict=True)]
    end = np.zeros(rows + 1, dtype=np.int64)
    end[1:] = 2
    for column in columns:
        end[1:] += column.size
    np.cumsum(end, out=end)
    start = 0
    while start < rows:
        stop = int(np.searchsorted(end, end[start] + _BLOCK, side="right")) - 1
        stop = min(rows, max(stop, start + 1))
        out = np.empty(end[stop] - end[start], dtype=np.uint8)
        at = end[start:stop] - end[start]
        out[at] = len(fields) >> 8
        out[at + 1] = len(fields) & 255
        at += 2
        for column in columns:
            column.put(start, at, out)
        yield out.tobytes()
        start = stop
