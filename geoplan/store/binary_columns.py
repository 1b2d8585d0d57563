"""Arrow columns made ready for binary COPY, each value checked against its column."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.errors import InputError, RangeError, ShapeError
from geoplan.store import binary_kernel as kernels

__all__ = ["LARGEST", "SHAPES", "Column", "Field", "Kind", "column_of"]

Kind = Literal[
    "bool", "int2", "int4", "int8", "float8", "date", "timestamp", "text", "bytea", "jsonb",
    "geometry",
]  # fmt: skip
SHAPES = {
    "GEOMETRY": 0, "POINT": 1, "LINESTRING": 2, "POLYGON": 3, "MULTIPOINT": 4,
    "MULTILINESTRING": 5, "MULTIPOLYGON": 6, "GEOMETRYCOLLECTION": 7,
}  # fmt: skip
"""Number of each PostGIS type in WKB (OGC 06-103r4 §8.2.3); 0 is any."""

LARGEST = 0x3FFFFFFF
"""Bytes of the largest value that PostgreSQL takes, 1 GB less one."""

_WHOLE = {"int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64()}
_DAYS = 10_957  # from 1970-01-01 to 2000-01-01, PostgreSQL's day 0
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, from 1970-01-01
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Field:
    """A column that COPY fills.

    Parameters
    ----------
    name : str
        Column of the table.
    kind : Kind
        Its type; ``timestamp`` stands for both, with and without time zone (UTC).
    srid : int
        Geometry: written into every value.
    shape : str
        Geometry: PostGIS type, a key of :data:`SHAPES`. A single part is stored as a multi-part
        where the column holds those.
    flat : bool
        Geometry: the column has neither Z nor M.
    """

    name: str
    kind: Kind
    srid: int = 0
    shape: str = "GEOMETRY"
    flat: bool = True


@dataclass(slots=True)
class Column:
    """A column ready to be written: ``size`` is that of a whole field, its length included."""

    valid: npt.NDArray[np.bool_]
    data: npt.NDArray[np.uint8]
    size: npt.NDArray[np.int64]

    def put(self, first: int, at: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> None:
        """Write the rows from ``first`` on, one at each place in ``at``; move the places on."""
        raise NotImplementedError


@dataclass(slots=True)
class _Fixed(Column):
    width: int

    def put(self, first: int, at: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> None:
        kernels.put_fixed(self.data, self.width, self.valid, first, at, out)


@dataclass(slots=True)
class _Bytes(Column):
    offset: npt.NDArray[np.int64]
    prefix: int

    def put(self, first: int, at: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> None:
        kernels.put_bytes(self.data, self.offset, self.valid, self.prefix, first, at, out)


@dataclass(slots=True)
class _Shapes(Column):
    offset: npt.NDArray[np.int64]
    length: npt.NDArray[np.int64]
    shape: int
    srid: int

    def put(self, first: int, at: npt.NDArray[np.int64], out: npt.NDArray[np.uint8]) -> None:
        kernels.put_geometry(
            self.data, self.offset, self.valid, self.length, self.shape, self.srid, first, at, out
        )


def column_of(field: Field, array: pa.Array, first_row: int) -> Column:
    """Return an array ready to be written; rows in messages count from ``first_row``."""
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    wanted = _arrow_type(field)
    if pa.types.is_null(array.type):
        array = pa.nulls(len(array), wanted)
    valid = _valid(array)
    if field.kind in ("text", "jsonb", "bytea", "geometry"):
        return _variable(field, array, valid, first_row)
    values = _values(field, array, valid, first_row)
    size = np.where(valid, 4 + values.itemsize, 4).astype(np.int64)
    return _Fixed(valid, values.view(np.uint8), size, values.itemsize)


def _valid(array: pa.Array) -> npt.NDArray[np.bool_]:
    bits = array.buffers()[0]
    if bits is None or array.null_count == 0:
        return np.ones(len(array), dtype=np.bool_)
    packed = np.frombuffer(bits, dtype=np.uint8)
    flags = np.unpackbits(packed, bitorder="little")[array.offset : array.offset + len(array)]
    return flags.view(np.bool_).copy()


def _values(field: Field, array: pa.Array, valid: npt.NDArray[np.bool_], first_row: int) -> Any:
    """Return the values as little-endian numbers, as PostgreSQL counts them."""
    kind, found = field.kind, array.type
    if kind == "bool" and pa.types.is_boolean(found):
        return pc.fill_null(array, False).to_numpy(zero_copy_only=False).astype(np.uint8)
    if kind in _WHOLE and pa.types.is_integer(found):
        limits = np.iinfo(_WHOLE[kind].to_pandas_dtype())
        values = _plain(array)
        outside = valid & ((values < limits.min) | (values > limits.max))
        _refuse(field, outside, first_row, lambda i: f"{values[i]} is no {kind}", RangeError)
        return np.where(valid, values, 0).astype(f"<i{limits.bits // 8}")
    if kind == "float8" and (pa.types.is_floating(found) or pa.types.is_integer(found)):
        values = _plain(array)
        if pa.types.is_integer(found):
            lost = valid & ((values > 2**53) | (values < -(2**53)))
            _refuse(field, lost, first_row, lambda i: f"{values[i]} is no exact float8", RangeError)
        return values.astype("<f8")
    if kind == "date" and pa.types.is_date(found):
        if found != pa.date32():
            array = _cast(field, array, pa.date32(), first_row)
        days = _plain(array.view(pa.int32())).astype(np.int64)
        outside = valid & ((days < _FIRST_DAY) | (days > _LAST_DAY))
        _refuse(field, outside, first_row, _no_day("day", "days"), RangeError, days)
        return (np.where(valid, days, 0) - _DAYS).astype("<i4")
    if kind == "timestamp" and pa.types.is_timestamp(found):
        array = _cast(field, array, pa.timestamp("us", tz=found.tz), first_row)
        moments = _plain(array.view(pa.int64()))
        outside = valid & (
            (moments < _FIRST_DAY * _DAY_US) | (moments >= (_LAST_DAY + 1) * _DAY_US)
        )
        _refuse(field, outside, first_row, _no_day("moment", "µs"), RangeError, moments)
        return (np.where(valid, moments, 0) - _DAYS * _DAY_US).astype("<i8")
    raise _other_type(field, array)


def _plain(array: pa.Array) -> npt.NDArray[Any]:
    """Return the numbers of a fixed-width array; what lies under a null is anything."""
    kind = np.dtype(array.type.to_pandas_dtype())
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        return np.zeros(len(array), dtype=kind)
    return np.frombuffer(data, dtype=kind)[array.offset : array.offset + len(array)]


def _variable(
    field: Field, array: pa.Array, valid: npt.NDArray[np.bool_], first_row: int
) -> Column:
    kind, found = field.kind, array.type
    text = kind in ("text", "jsonb")
    if text and pa.types.is_string_view(found):
        array = array.cast(pa.large_string())
    elif not text and pa.types.is_binary_view(found):
        array = array.cast(pa.large_binary())
    elif not (_is_text(found) if text else _is_bytes(found)):
        raise _other_type(field, array)
    try:
        array.validate(full=True)  # the kernels trust the offsets, PostgreSQL wants UTF-8
    except pa.ArrowInvalid as error:
        raise _unreadable(field, array, first_row, error) from error
    offset, data = _offsets(array)
    length = np.where(valid, np.diff(offset), 0)
    if text and kernels.zeros(data[offset[0] : offset[-1]]):
        _refuse_zero(field, data, offset, valid, first_row)
    if kind == "jsonb":
        _refuse_json_zero(field, array, first_row)
    if kind == "geometry":
        problem = np.zeros(len(array), dtype=np.int8)
        shape = SHAPES[field.shape]
        kernels.measure_geometry(
            data, offset, valid, shape, field.srid, field.flat, length, problem
        )
        _refuse(field, problem > 0, first_row, lambda i: _geometry_problem(field, int(problem[i])))
    elif kind == "jsonb":
        length = np.where(valid, length + 1, 0)
    _refuse(
        field, length > LARGEST, first_row,
        lambda i: f"{length[i]:,} bytes are more than the 1 GB that a value may have", RangeError,
    )  # fmt: skip
    if kind == "geometry":
        return _Shapes(valid, data, length + 4, offset, length, shape, field.srid)
    return _Bytes(valid, data, length + 4, offset, 1 if kind == "jsonb" else -1)


def _offsets(array: pa.Array) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    wide = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    _, offsets, data = array.buffers()
    if offsets is None or len(array) == 0:
        offset = np.zeros(len(array) + 1, dtype=np.int64)
    else:
        all_of_them = np.frombuffer(offsets, dtype=np.int64 if wide else np.int32)
        offset = all_of_them[array.offset : array.offset + len(array) + 1].astype(np.int64)
    bytes_ = np.empty(0, np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return offset, bytes_


def _is_text(found: pa.DataType) -> bool:
    return bool(pa.types.is_string(found) or pa.types.is_large_string(found))


def _is_bytes(found: pa.DataType) -> bool:
    return bool(pa.types.is_binary(found) or pa.types.is_large_binary(found))


def _arrow_type(field: Field) -> pa.DataType:
    return {
        "bool": pa.bool_(), "float8": pa.float64(), "date": pa.date32(),
        "timestamp": pa.timestamp("us"), "text": pa.string(), "jsonb": pa.string(),
        "bytea": pa.binary(), "geometry": pa.binary(), **_WHOLE,
    }[field.kind]  # fmt: skip


def _cast(field: Field, array: pa.Array, kind: pa.DataType, first_row: int) -> pa.Array:
    try:
        return array.cast(kind)
    except pa.ArrowInvalid as error:
        for i in range(len(array)):
            try:
                array.slice(i, 1).cast(kind)
            except pa.ArrowInvalid:
                raise RangeError(
                    f"{array[i]} cannot be stored without loss", where=_where(field, first_row + i)
                ) from error
        raise


def _refuse(
    field: Field, wrong: Any, first_row: int, say: Any,
    error: type[InputError] = InputError, values: Any = None,
) -> None:  # fmt: skip
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        what = say(i) if values is None else say(values[i])
        raise error(what, where=_where(field, first_row + i))


def _no_day(what: str, unit: str) -> Any:
    return lambda value: f"a {what} {value:,} {unit} from 1970-01-01 is outside the years 1 to 9999"


def _geometry_problem(field: Field, code: int) -> str:
    said = kernels.GEOMETRY_PROBLEMS[code]
    return f"{said} ({field.shape}, SRID {field.srid})"


def _refuse_zero(
    field: Field, data: Any, offset: Any, valid: npt.NDArray[np.bool_], first_row: int
) -> None:
    places = offset[0] + np.flatnonzero(data[offset[0] : offset[-1]] == 0)
    rows = np.searchsorted(offset, places, side="right") - 1
    for row in rows:
        if valid[row]:
            raise InputError(
                "a zero character cannot be stored", where=_where(field, first_row + int(row))
            )


def _refuse_json_zero(field: Field, array: pa.Array, first_row: int) -> None:
    hits = pc.fill_null(pc.match_substring(array, "\\u0000"), False)
    for i in np.flatnonzero(hits.to_numpy(zero_copy_only=False)):
        # A backslash that is itself escaped may stand before "u0000"; only a parser knows.
        if _has_zero(json.loads(array[int(i)].as_py())):
            raise InputError(
                "a zero character cannot be stored", where=_where(field, first_row + int(i))
            )


def _has_zero(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\0" in name or _has_zero(part) for name, part in value.items())
    if isinstance(value, list):
        return any(map(_has_zero, value))
    return isinstance(value, str) and "\0" in value


def _unreadable(field: Field, array: pa.Array, first_row: int, error: Exception) -> InputError:
    for i in range(len(array)):
        try:
            array.slice(i, 1).validate(full=True)
        except pa.ArrowInvalid as reason:
            return InputError(
                f"the value cannot be read: {reason}", where=_where(field, first_row + i)
            )
    return InputError(f"the column cannot be read: {error}", where=f"column '{field.name}'")


def _other_type(field: Field, array: pa.Array) -> ShapeError:
    return ShapeError(
        f"values of Arrow type {array.type} do not fit type {field.kind}",
        where=f"column '{field.name}'",
    )


def _where(field: Field, row: int) -> str:
    return f"column '{field.name}', row {row:,}"
