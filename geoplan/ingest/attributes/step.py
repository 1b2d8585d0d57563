"""One field of a layer out of one batch: made by its rule, typed, its misfits emptied and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.catalogue.layer import FieldSpec
from geoplan.catalogue.pack import FieldMap
from geoplan.ingest.attributes.day import read_days
from geoplan.ingest.attributes.fields import CellFinding
from geoplan.ingest.attributes.letters import key_forms
from geoplan.ingest.attributes.number import read_numbers, read_whole
from geoplan.ingest.attributes.rule import compute, is_shaping, read_codes, shape
from geoplan.ingest.attributes.source import BatchColumns, as_text, indices
from geoplan.ingest.attributes.unit import convert
from geoplan.ingest.attributes.utf8 import trim

__all__ = ["ARROW", "Made", "Step"]

ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
}
"""Arrow type of each type of a field."""

_WORDS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_INT64 = 2.0**63


def _whole(limit: float, toward: Callable[[float], int]) -> int:
    return toward(limit) if abs(limit) < _INT64 else (2**63 - 1 if limit > 0 else -(2**63))


@dataclass(frozen=True, slots=True)
class Made:
    """A field of one batch.

    Parameters
    ----------
    value : pyarrow.Array
        Typed.
    written : pyarrow.StringArray or None
        Of a key: how it was written, where that differs.
    findings : list of CellFinding
        What did not fit.
    """

    value: pa.Array
    written: pa.StringArray | None
    findings: list[CellFinding]


@dataclass(frozen=True, slots=True)
class Step:
    """How one field is made, resolved once.

    Parameters
    ----------
    field, spec : str, FieldSpec
        The field, its type, range and codes.
    rule : FieldMap
        How it comes out of the columns.
    origin : str
        The same in words: a column, an expression, or ``default``.
    sources : tuple of str
        Columns of the file that it uses.
    factor : Fraction or None
        Unit of the source × factor = unit of the field.
    is_key : bool
        It names this row or another: written in one way.
    missing_code : str or None
        Code of the finding for a row without a value, where it must have one.
    """

    field: str
    spec: FieldSpec
    rule: FieldMap
    origin: str
    sources: tuple[str, ...] = ()
    factor: Fraction | None = None
    is_key: bool = False
    missing_code: str | None = None

    def run(self, source: BatchColumns) -> Made:
        """Make the field for one batch."""
        found: list[CellFinding] = []
        raw = self._raw(source)
        column = raw
        if is_shaping(self.rule):
            column, unknown = shape(self.field, self.rule, raw)
            self._tell(found, "unknown-code", np.flatnonzero(unknown), raw, source)
        written: Any = None
        kind = self.spec.type
        if kind == "string":
            value = as_text(column)
            if column is not raw or self.rule.expr is not None:
                value = trim(value)[0]
            if self.is_key:
                value, written = self._key(value)
            if self.spec.codes is not None:
                value = self._coded(value, column, source, found)
        elif kind in ("integer", "number"):
            value = self._number(column, source, found)
        elif kind == "boolean":
            value = self._boolean(column, source, found)
        else:
            value, bad = read_days(column, calendar=self.rule.calendar or "auto")
            self._tell(found, "wrong-type", np.flatnonzero(bad), column, source)
        value = value.cast(ARROW[kind])
        if self.missing_code is not None and value.null_count:
            self._tell(found, self.missing_code, indices(value.is_null()), column, source)
        return Made(value, written, found)

    def _raw(self, source: BatchColumns) -> Any:
        if self.rule.expr is not None:
            return compute(self.rule, source)
        if self.rule.source is not None:
            return source[self.rule.source]
        return pa.nulls(len(source), pa.string())

    def _tell(
        self,
        found: list[CellFinding],
        code: str,
        at: Any,
        column: pa.Array,
        source: BatchColumns,
    ) -> None:
        if len(at):
            texts = as_text(column.take(pa.array(at)))
            found.append(CellFinding(code, self.field, self.origin, source.rows[at], texts))

    @staticmethod
    def _key(text: pa.StringArray) -> tuple[Any, Any]:
        key = key_forms(text)
        same = pc.equal(key, text)
        if pc.all(same).as_py() is not False and key.null_count == text.null_count:
            return key, None
        return key, pc.if_else(pc.fill_null(same, False), pa.scalar(None, pa.string()), text)

    def _coded(
        self, value: Any, column: pa.Array, source: BatchColumns, found: list[CellFinding]
    ) -> Any:
        allowed = pa.array(self.spec.codes or (), pa.string())
        good = pc.or_(pc.is_in(value, allowed), value.is_null())
        if pc.all(good).as_py() is not False:
            return value
        out = read_codes(value, {c: c for c in self.spec.codes or ()})
        lost = pc.and_(value.is_valid(), out.is_null())
        self._tell(found, "unknown-code", indices(lost), column, source)
        return out

    def _number(self, column: Any, source: BatchColumns, found: list[CellFinding]) -> Any:
        whole = self.spec.type == "integer"
        value: Any = None
        if pa.types.is_boolean(column.type):
            value = column.cast(pa.int64())
        elif pa.types.is_integer(column.type):
            value = column
        elif pa.types.is_floating(column.type):
            bad = pc.invert(pc.fill_null(pc.is_finite(column), True))
            self._tell(found, "wrong-type", indices(bad), column, source)
            value = pc.if_else(bad, pa.scalar(None, pa.float64()), column)
        else:
            text = as_text(column)
            if whole and self.rule.decimal is None:
                value = read_whole(text)
            if value is None:
                value, lost = read_numbers(text, decimal=self.rule.decimal)
                self._tell(found, "wrong-type", np.flatnonzero(lost), column, source)
        if self.factor is not None and self.factor != 1:
            numbers = convert(value.cast(pa.float64(), safe=False).to_numpy(False), self.factor)
            value = pa.array(numbers, from_pandas=True)
        if whole and pa.types.is_floating(value.type):
            value = self._rounded(value, column, source, found)
        elif not whole:
            value = value.cast(pa.float64(), safe=False)
        return self._in_range(value, column, source, found)

    def _rounded(
        self, value: Any, column: pa.Array, source: BatchColumns, found: list[CellFinding]
    ) -> Any:
        huge = pc.greater_equal(pc.abs(value), _INT64)
        self._tell(found, "wrong-type", indices(huge), column, source)
        value = pc.if_else(huge, pa.scalar(None, pa.float64()), value)
        near = pc.round(value, round_mode="half_to_even")
        self._tell(found, "not-whole", indices(pc.not_equal(near, value)), column, source)
        return near.cast(pa.int64())

    def _in_range(
        self, value: Any, column: pa.Array, source: BatchColumns, found: list[CellFinding]
    ) -> Any:
        out: Any = None
        whole = pa.types.is_integer(value.type)
        # Whole numbers are compared as such: beyond 2⁵³ a double is not exact.
        if self.spec.minimum is not None:
            least = _whole(self.spec.minimum, ceil) if whole else self.spec.minimum
            out = pc.less(value, pa.scalar(least, value.type))
        if self.spec.maximum is not None:
            most = _whole(self.spec.maximum, floor) if whole else self.spec.maximum
            high = pc.greater(value, pa.scalar(most, value.type))
            out = high if out is None else pc.or_(out, high)
        if out is None or not pc.any(out).as_py():
            return value
        self._tell(found, "out-of-range", indices(out), column, source)
        return pc.if_else(out, pa.scalar(None, value.type), value)

    def _boolean(self, column: Any, source: BatchColumns, found: list[CellFinding]) -> Any:
        if pa.types.is_boolean(column.type):
            return column
        text = pc.utf8_lower(as_text(column))
        at = pc.index_in(text, pa.array(list(_WORDS)))
        value = pa.array(list(_WORDS.values())).take(at)
        lost = pc.and_(text.is_valid(), value.is_null())
        self._tell(found, "wrong-type", indices(lost), column, source)
        return value
