"""Batches as GDAL gives them, with the geometry in its place and attributes that are plain."""

from __future__ import annotations

import json

import pyarrow as pa

from geoplan.ingest.reader.request import GEOMETRY

__all__ = ["shaped"]


def shaped(batch: pa.RecordBatch, geometry: str | None, fields: list[str]) -> pa.RecordBatch:
    """Return a batch with the geometry under its own name, and the attributes in order."""
    places = [
        i
        for i, field in enumerate(batch.schema)
        if isinstance(field.type, pa.ExtensionType)
        or b"wkb" in (field.metadata or {}).get(b"ARROW:extension:name", b"")
    ]
    if not places and geometry and geometry in batch.schema.names:
        places = [batch.schema.names.index(geometry)]
    # A row has one place here: of several geometry columns the first.
    shape = _plain(batch.column(places[0])) if places else pa.nulls(len(batch), pa.binary())
    rest = [c for i, c in enumerate(batch.columns) if i not in places]
    if len(rest) != len(fields):
        raise RuntimeError(f"{len(fields)} fields are announced and {len(rest)} come")
    columns = [shape, *(_attribute(column) for column in rest)]
    return pa.RecordBatch.from_arrays(columns, names=[GEOMETRY, *fields])


def _plain(column: pa.Array) -> pa.Array:
    return column.storage if isinstance(column, pa.ExtensionArray) else column


def _attribute(column: pa.Array) -> pa.Array:
    column = _plain(column)
    kind = column.type
    if pa.types.is_nested(kind):
        texts = [
            None if v is None else json.dumps(v, ensure_ascii=False, default=str)
            for v in column.to_pylist()
        ]
        return pa.array(texts, pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())
    return column
