"""Columns of a frame as Arrow columns of one type each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from geoplan.errors import ShapeError

__all__ = ["TYPES", "inferred", "typed"]

TYPES: Mapping[str, pa.DataType] = {
    "string": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "date": pa.date32(),
}  # fmt: skip
"""Types of the catalogue's fields."""


def inferred(column: pd.Series) -> pa.DataType:
    """Return the Arrow type that a column of a frame is written as."""
    if pd.api.types.is_bool_dtype(column.dtype):
        return pa.bool_()
    if column.dtype == object:
        column = column.map(_flat)
    try:
        found = pa.Array.from_pandas(column).type
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.string()
    if pa.types.is_integer(found):
        return pa.int64()
    if pa.types.is_floating(found) or pa.types.is_decimal(found):
        return pa.float64()
    if pa.types.is_timestamp(found):
        return pa.timestamp("ms", tz="UTC" if found.tz else None)
    if pa.types.is_boolean(found) or pa.types.is_date(found):
        return found
    return pa.string()


def _flat(value: Any) -> Any:
    """Return a cell that a column can hold: lists and mappings become JSON."""
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float) and np.isnan(value):
        return None
    return value


def typed(frame: pd.DataFrame, schema: pa.Schema, before: int) -> pa.Table:
    """Return the columns of a batch with the types of a schema; absent ones are null.

    Raises
    ------
    ShapeError
        A value is not of its column's type; ``before`` rows came before this batch.
    """
    arrays = []
    for column in schema:
        if column.name not in frame.columns:
            arrays.append(pa.nulls(len(frame), column.type))
            continue
        cells = frame[column.name]
        if cells.dtype == object or pa.types.is_string(column.type):
            cells = cells.map(_flat, na_action="ignore")
        if pa.types.is_string(column.type):
            cells = cells.map(str, na_action="ignore").astype(object)
        try:
            arrays.append(_array(cells, column.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError) as error:
            raise ShapeError(
                f"column '{column.name}' holds values that are no {column.type}: {error}",
                where=f"rows {before + 1:,} to {before + len(frame):,}",
                remedy="state the types of the columns, or give the column one type",
            ) from error
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(cells: pd.Series, kind: pa.DataType) -> pa.Array:
    if pa.types.is_integer(kind) and pd.api.types.is_float_dtype(cells.dtype):
        # pandas holds whole numbers with gaps as floats.
        return pa.Array.from_pandas(cells, type=pa.float64()).cast(kind, safe=True)
    if pa.types.is_date(kind) and pd.api.types.is_datetime64_any_dtype(cells.dtype):
        return pa.Array.from_pandas(cells.dt.date, type=kind)
    return pa.Array.from_pandas(cells, type=kind)
