"""Turn frames into PostgreSQL's COPY text: the fastest way in that loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from psycopg2 import sql
from sqlalchemy import Boolean, Date, Float, Integer, LargeBinary, Table
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from geoplan.errors import InputError, RangeError

__all__ = ["attributes", "cells", "copy_rows", "geometry_cells", "plain"]

NULL = "\\N"

_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"})
_ROWS_AT_ONCE = 2_000


def copy_rows(session: Session, table: Table, columns: Sequence[str], rows: Any) -> None:
    """Send rows of COPY cells in the session's transaction.

    Parameters
    ----------
    session : Session
        Its pending changes are flushed first.
    table : Table
        Target.
    columns : sequence of str
        Columns that each row fills, in order.
    rows : iterable of sequence of str
        Cells from :func:`cells`, :func:`attributes` and :func:`geometry_cells`.
    """
    session.flush()
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    connection = session.connection().connection.driver_connection
    with connection.cursor() as cursor:  # type: ignore[union-attr]
        cursor.copy_expert(statement, _Stream(rows))


class _Stream:
    """What ``copy_expert`` reads from: rows become bytes only as they are asked for."""

    def __init__(self, rows: Any) -> None:
        self._rows: Iterator[Sequence[str]] = iter(rows)
        self._left = b""

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            lines = ["\t".join(row) for row in islice(self._rows, _ROWS_AT_ONCE)]
            self._left = ("\n".join(lines) + "\n").encode() if lines else b""
        if size < 0 or size >= len(self._left):
            out, self._left = self._left, b""
        else:
            out, self._left = self._left[:size], self._left[size:]
        return out


def cells(values: Any, kind: Any, *, where: str) -> list[str]:
    """Return COPY cells of one column.

    Parameters
    ----------
    values : sequence
        One value per row; ``None``, NaN, NaT and NA are NULL.
    kind : SQLAlchemy type
        Type of the column.
    where : str
        Layer and column, for messages.

    Raises
    ------
    InputError
        A value does not fit the type; the message has it and its row.
    RangeError
        An infinite number.
    """
    series = pd.Series(values)
    missing = series.isna().to_numpy()
    out: list[str] = []
    for row, value in enumerate(series.tolist()):
        if missing[row]:
            out.append(NULL)
            continue
        try:
            out.append(_cell(value, kind))
        except RangeError as error:
            raise RangeError(error.what, where=f"{where}, row {row}") from error
        except (ValueError, TypeError, OverflowError) as error:
            raise InputError(
                f"{value!r} is no {_kind_name(kind)}", where=f"{where}, row {row}"
            ) from error
    return out


def _cell(value: Any, kind: Any) -> str:
    if isinstance(kind, Float):
        number = float(value)
        _finite(number)
        return repr(number)
    if isinstance(kind, Integer):
        number = float(value)
        if not number.is_integer():
            raise ValueError(value)
        return str(int(value))
    if isinstance(kind, Boolean):
        if value not in (True, False, 0, 1):
            raise ValueError(value)
        return "t" if value else "f"
    if isinstance(kind, Date):
        if isinstance(value, datetime):
            return value.date().isoformat()
        return (
            value.isoformat() if isinstance(value, date) else date.fromisoformat(value).isoformat()
        )
    if isinstance(kind, LargeBinary):
        return "\\\\x" + bytes(value).hex()
    if isinstance(kind, JSONB):
        return _escaped(_json(value))
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a whole-number key that passed through a column with gaps
    return _escaped(str(value))


def _escaped(text: str) -> str:
    if "\x00" in text:
        raise ValueError("a zero character cannot be stored")
    text.encode()  # a lone half of a letter pair fails here, where its row is known
    return text.translate(_ESCAPES)


def attributes(frame: pd.DataFrame, *, where: str) -> list[str]:
    """Return one COPY cell per row: a JSON object of all columns, missing values as null."""
    if frame.columns.empty:
        return ["{}"] * len(frame)
    parts = [
        _fragments(str(name), series, where=f"{where}, column '{name}'")
        for name, series in frame.items()
    ]
    return ["{" + ",".join(row) + "}" for row in zip(*parts, strict=True)]


def _fragments(name: str, series: pd.Series, *, where: str) -> list[str]:
    front = _escaped(json.dumps(name, ensure_ascii=False)) + ":"
    missing = series.isna().to_numpy()
    out = []
    seen: dict[str, str] = {}  # classes and names repeat from row to row
    for row, value in enumerate(series.tolist()):
        try:
            if missing[row]:
                out.append(front + "null")
            elif type(value) is str:
                if value not in seen:
                    seen[value] = front + _escaped(_json(value))
                out.append(seen[value])
            else:
                out.append(front + _escaped(_json(value)))
        except RangeError as error:
            raise RangeError(error.what, where=f"{where}, row {row}") from error
        except (ValueError, TypeError) as error:
            raise InputError(f"{value!r} cannot be stored", where=f"{where}, row {row}") from error
    return out


def _json(value: Any) -> str:
    kind = type(value)
    if kind is float:
        _finite(value)
        return repr(value)
    if kind is int:
        return str(value)
    text = json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    if "\\u0000" in text:
        raise ValueError("a zero character cannot be stored")
    return text


def plain(value: Any) -> Any:
    """Return a value as JSON can hold it: NaN and NaT are ``None``, dates ISO text.

    Raises
    ------
    RangeError
        An infinite number.
    """
    if value is None or (isinstance(value, str | bool | int) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        if np.isnan(value):
            return None
        _finite(value)
        return value
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(v) for v in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, date):
        return None if value is pd.NaT else value.isoformat()
    if value is pd.NA or value is pd.NaT:
        return None
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return str(value)


def geometry_cells(
    geometry: npt.NDArray[np.object_], *, kind: str, srid: int, where: str
) -> list[str]:
    """Return COPY cells of hexadecimal EWKB.

    Parameters
    ----------
    geometry : ndarray of shapely geometry
        Missing and empty ones are NULL. A single part is stored as a multi-part where the
        column holds those.
    kind : str
        PostGIS type of the column, for example ``MULTIPOLYGON``.

    Raises
    ------
    InputError
        A geometry of another type, or a coordinate that is no number.
    """
    shapes = shapely.force_2d(geometry)
    none = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    shapes[none] = None
    bounds = shapely.bounds(shapes)
    broken = ~none & ~np.isfinite(bounds).all(axis=1)
    if broken.any():
        raise InputError(
            "a coordinate is no number", where=f"{where}, row {int(np.flatnonzero(broken)[0])}"
        )
    if kind != "GEOMETRY":
        shapes = _as_kind(shapes, kind)
        types = shapely.get_type_id(shapes)
        wrong = ~none & (types != _TYPE_IDS[kind])
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"a {shapes[row].geom_type} cannot be stored as {kind}", where=f"{where}, row {row}"
            )
    hexes = shapely.to_wkb(shapely.set_srid(shapes, srid), hex=True, include_srid=True)
    return [NULL if text is None else text for text in hexes.tolist()]


_TYPE_IDS = {"POINT": 0, "LINESTRING": 1, "MULTILINESTRING": 5, "MULTIPOLYGON": 6}
_SINGLE = {
    "MULTILINESTRING": (1, shapely.multilinestrings),
    "MULTIPOLYGON": (3, shapely.multipolygons),
}


def _as_kind(shapes: npt.NDArray[np.object_], kind: str) -> npt.NDArray[np.object_]:
    if kind in _SINGLE:
        single, collect = _SINGLE[kind]
        at = np.flatnonzero(shapely.get_type_id(shapes) == single)
        if len(at):
            shapes[at] = collect(shapes[at], indices=np.arange(len(at)))
    return shapes


def _finite(number: float) -> None:
    if np.isinf(number):
        raise RangeError("an infinite number cannot be stored")


def _kind_name(kind: Any) -> str:
    for name, types in (
        ("number", Float), ("whole number", Integer), ("yes or no", Boolean), ("date", Date),
    ):  # fmt: skip
        if isinstance(kind, types):
            return name
    return "text"
