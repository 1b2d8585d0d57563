"""Batches that come out of damaged files, made safe to read."""

from __future__ import annotations

import pyarrow as pa

from geoplan.errors import InputError

__all__ = ["sound"]


def sound(batch: pa.RecordBatch, *, where: str = "") -> pa.RecordBatch:
    """Return a batch whose every value can be read, or refuse it.

    Libraries hand out what damaged bytes made of their buffers: offsets that leave them (GDAL,
    FlatGeobuf), text that is no UTF-8 (GDAL, Parquet). Reading such a batch reads foreign memory,
    so this belongs where a batch crosses from the reading process to the caller.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        A batch from the reading process.
    where : str
        Name of the file, for the message.

    Returns
    -------
    pyarrow.RecordBatch
        The batch itself where nothing is wrong. Bytes that are no UTF-8 are U+FFFD, which the
        check of attributes reports as destroyed text.

    Raises
    ------
    InputError
        A column is broken in any other way.
    """
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        columns = [
            _column(column, name, where)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
    return batch


def _column(column: pa.Array, name: str, where: str) -> pa.Array:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid as error:
        why = str(error)
    else:
        return column
    try:
        if pa.types.is_string(column.type):
            raw = column.view(pa.binary())
        elif pa.types.is_large_string(column.type):
            raw = column.view(pa.large_binary())
        else:
            raise pa.ArrowInvalid(why)
        raw.validate(full=True)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"the column '{name}' is damaged: {' '.join(str(error).split())}",
            where=where,
            remedy="deliver the file again; it may be cut off or damaged",
        ) from None
    values = [None if v is None else v.decode("utf-8", "replace") for v in raw.to_pylist()]
    return pa.array(values, column.type)
