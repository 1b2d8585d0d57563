"""Rows that a load refused: kept as the source had them, given back as it gave them."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

import pyarrow as pa
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from geoplan.errors import InputError, UnknownName
from geoplan.store import tables
from geoplan.store.binary import copy_batches
from geoplan.store.binary_fields import fields_of
from geoplan.store.rows import driver_of

__all__ = [
    "GEOMETRY",
    "KEY",
    "REASONS",
    "ROW",
    "RefusedLoad",
    "drop_quarantine",
    "put_quarantine",
    "quarantine_loads",
    "quarantined",
]

ROW, KEY, GEOMETRY, REASONS = "__row__", "__key__", "__geometry__", "__reasons__"
"""Columns of a batch that are not the source's: row number from 1, key, WKB in the CRS of the
source, and why the row was refused (a JSON list of ``code`` and ``text``)."""

_OURS = (ROW, KEY, GEOMETRY)
_FIELDS = ("load_id", "row_number", "key", "reasons", "attrs", "source_geom")


@dataclass(frozen=True, slots=True)
class RefusedLoad:
    """A load whose refused rows are kept.

    Parameters
    ----------
    id : str
        Name of the load, as given to :func:`put_quarantine`.
    source_schema : Schema
        Columns of the source, with their types.
    rows : int
        How many rows it refused.
    """

    id: str
    layer_id: str
    at: datetime
    who: str
    source_file: str
    source_format: str
    source_crs: str | None
    source_schema: pa.Schema
    rows: int


def put_quarantine(
    session: Session,
    layer_id: str,
    *,
    load_id: str,
    who: str,
    source_file: str,
    source_format: str,
    source_crs: str | None,
    rows: Iterable[pa.RecordBatch],
    reasons: Mapping[int, Sequence[Mapping[str, str]]],
) -> int:
    """Keep the rows that a load refused.

    Parameters
    ----------
    load_id : str
        Name by which they are found again; new.
    rows : iterable of RecordBatch
        ``__row__``, ``__key__``, ``__geometry__`` and the source's own columns, all alike.
    reasons : mapping
        Row number → why, each with ``code`` and ``text``.

    Returns
    -------
    int
        Rows kept. Without a row nothing is entered.

    Raises
    ------
    InputError
        A batch lacks a column that it needs.
    """
    given = iter(rows)
    first = next(given, None)
    if first is None:
        return 0
    for name in _OURS:
        if name not in first.schema.names:
            raise InputError(f"the rows have no column '{name}'", where=f"layer '{layer_id}'")
    schema = pa.schema([field for field in first.schema if field.name not in _OURS])
    load = tables.QuarantineLoad(
        id=load_id, layer_id=layer_id, who=who, source_file=source_file,
        source_format=source_format, source_crs=source_crs,
        source_schema=schema.serialize().to_pybytes(), rows=0,
    )  # fmt: skip
    session.add(load)
    table: Any = tables.QuarantineRow.__table__
    known = fields_of(table)

    def encoded() -> Iterator[list[pa.Array]]:
        yield _columns(first, load_id, schema.names, reasons)
        for batch in given:
            yield _columns(batch, load_id, schema.names, reasons)

    fields = [known[name] for name in _FIELDS]
    load.rows = copy_batches(driver_of(session), table.name, fields, encoded())
    session.flush()
    return load.rows


def quarantine_loads(session: Session, layer_id: str | None = None) -> list[RefusedLoad]:
    """Return the loads whose refused rows are kept, newest first; of one layer or of all."""
    load = tables.QuarantineLoad
    query = select(load).order_by(load.at.desc(), load.id)
    if layer_id is not None:
        query = query.where(load.layer_id == layer_id)
    return [_told(row) for row in session.scalars(query)]


def quarantined(
    session: Session, load_id: str, *, rows_at_once: int = 5_000
) -> Iterator[pa.RecordBatch]:
    """Give the refused rows of a load, in the order of the source.

    Returns
    -------
    iterator of RecordBatch
        ``__row__``, ``__key__``, ``__geometry__``, ``__reasons__``, then the source's columns with
        the types that the source had.

    Raises
    ------
    UnknownName
        There is no such load.
    """
    load = _told(_load(session, load_id))
    return _read(session, load, rows_at_once)


def drop_quarantine(session: Session, load_id: str) -> int:
    """Forget the refused rows of a load and return how many there were.

    Raises
    ------
    UnknownName
        There is no such load.
    """
    rows = int(_load(session, load_id).rows)
    session.execute(delete(tables.QuarantineLoad).where(tables.QuarantineLoad.id == load_id))
    return rows


def _load(session: Session, load_id: str) -> tables.QuarantineLoad:
    row = session.get(tables.QuarantineLoad, load_id)
    if row is None:
        raise UnknownName(
            f"there are no refused rows of a load '{load_id}'",
            where="quarantine",
            remedy="list the loads that refused rows, and take a name from there",
        )
    return row


def _told(row: tables.QuarantineLoad) -> RefusedLoad:
    return RefusedLoad(
        row.id, row.layer_id, row.at, row.who, row.source_file, row.source_format, row.source_crs,
        pa.ipc.read_schema(pa.py_buffer(row.source_schema)), row.rows,
    )  # fmt: skip


def _columns(
    batch: pa.RecordBatch,
    load_id: str,
    names: Sequence[str],
    reasons: Mapping[int, Sequence[Mapping[str, str]]],
) -> list[pa.Array]:
    numbers = batch.column(ROW)
    keys = batch.column(KEY).cast(pa.string()).to_pylist()
    values = [batch.column(name).to_pylist() for name in names]
    attrs = [
        json.dumps(dict(zip(names, map(_stored, row), strict=True)), ensure_ascii=False)
        for row in zip(*values, strict=True)
    ]
    said = [
        json.dumps([{k: _shown(v) for k, v in r.items()} for r in reasons.get(row, ())],
                   ensure_ascii=False)
        for row in numbers.to_pylist()
    ]  # fmt: skip
    return [
        pa.repeat(pa.scalar(load_id), len(numbers)),
        numbers,
        pa.array([None if key is None else _shown(key) for key in keys], pa.string()),
        pa.array(said, pa.string()),
        pa.array(attrs if names else ["{}"] * len(numbers), pa.string()),
        batch.column(GEOMETRY),
    ]


def _shown(text: str) -> str:
    return text.replace("\0", "\ufffd")  # PostgreSQL stores no zero character


def _stored(value: Any) -> Any:
    """Return a source value as JSON can hold it, so that :func:`_given` finds it again."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str) and "\0" in value:
        return {"base64": base64.b64encode(value.encode()).decode()}
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, list):
        return [_stored(part) for part in value]
    if isinstance(value, dict):
        return {"map": {name: _stored(part) for name, part in value.items()}}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _given(value: Any, kind: pa.DataType) -> Any:
    """Return a stored value as Arrow takes it for a column of type ``kind``."""
    if isinstance(value, list):
        return [_given(part, kind.value_type) for part in value]
    if isinstance(value, dict):
        if "base64" in value:
            raw = base64.b64decode(value["base64"])
            return raw if _holds_bytes(kind) else raw.decode()
        return {name: _given(part, kind.field(name).type) for name, part in value["map"].items()}
    if isinstance(value, str) and pa.types.is_floating(kind):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and pa.types.is_floating(kind):
        return float(value)
    if isinstance(value, str) and pa.types.is_time(kind):
        return time.fromisoformat(value)
    if isinstance(value, str) and not _holds_text(kind):
        return pa.scalar(value).cast(kind).as_py()
    return value


def _holds_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_string(kind)
        or pa.types.is_large_string(kind)
        or pa.types.is_string_view(kind)
        or (pa.types.is_dictionary(kind) and _holds_text(kind.value_type))
    )


def _holds_bytes(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)
    )


def _read(session: Session, load: RefusedLoad, rows_at_once: int) -> Iterator[pa.RecordBatch]:
    row = tables.QuarantineRow
    after = -(2**62)
    while True:
        found = session.execute(
            select(row.row_number, row.key, row.source_geom, row.reasons, row.attrs)
            .where(row.load_id == load.id, row.row_number > after)
            .order_by(row.row_number)
            .limit(rows_at_once)
        ).all()
        if not found:
            return
        after = found[-1].row_number
        numbers, keys, shapes, reasons, attrs = zip(*found, strict=True)
        arrays = [
            pa.array(numbers, pa.int64()),
            pa.array(keys, pa.string()),
            pa.array(shapes, pa.binary()),
            pa.array([json.dumps(r, ensure_ascii=False) for r in reasons], pa.string()),
        ]
        for field in load.source_schema:
            values = [_given(a.get(field.name), field.type) for a in attrs]
            arrays.append(pa.array(values, field.type))
        names = [ROW, KEY, GEOMETRY, REASONS, *load.source_schema.names]
        yield pa.RecordBatch.from_arrays(arrays, names=names)
