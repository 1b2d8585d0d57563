"""The columns of our tables as binary COPY fills them."""

from __future__ import annotations

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer, LargeBinary, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from geoplan.errors import ShapeError
from geoplan.store.binary_columns import Field, Kind

__all__ = ["fields_of"]


def fields_of(table: Table) -> dict[str, Field]:
    """Return the columns of a table as COPY fills them, by name."""
    return {column.name: _field(column.name, column.type) for column in table.columns}


def _field(name: str, kind: Any) -> Field:
    if isinstance(kind, Geometry):
        return Field(name, "geometry", kind.srid, str(kind.geometry_type), kind.dimension == 2)
    kinds: tuple[tuple[type, Kind], ...] = (
        (Boolean, "bool"), (BigInteger, "int8"), (Integer, "int4"), (Float, "float8"),
        (DateTime, "timestamp"), (Date, "date"), (LargeBinary, "bytea"), (JSONB, "jsonb"),
        (Text, "text"),
    )  # fmt: skip
    for known, ours in kinds:
        if isinstance(kind, known):
            return Field(name, ours)
    raise ShapeError(f"a column of type {kind} is not filled by COPY", where=f"column '{name}'")
