"""The columns of one batch as they are read: text trimmed, 'not known' and destroyed emptied."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.ingest.attributes.fields import Rows
from geoplan.ingest.attributes.number import read_numbers
from geoplan.ingest.attributes.utf8 import trim

__all__ = ["BatchColumns", "as_text", "indices"]

_EXACT = 2**53


def indices(mask: Any) -> Any:
    """Return where an Arrow mask is true, as numpy indices; missing is false."""
    if not pc.any(mask).as_py():
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(pc.fill_null(mask, False).to_numpy(zero_copy_only=False))


def as_text(column: pa.Array) -> Any:
    """Return a column as text: whole numbers without a decimal point, days in ISO.

    As :func:`geoplan.ingest.columns.as_text` does for a Series.
    """
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind):
        whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT))
        if pc.all(whole).as_py() is not False:
            return column.cast(pa.int64()).cast(pa.string())
        coded = column.dictionary_encode()
        texts = [
            str(int(v)) if np.isfinite(v) and v.is_integer() else repr(v)
            for v in coded.dictionary.to_pylist()
        ]
        return pa.array(texts, pa.string()).take(coded.indices)
    if pa.types.is_timestamp(kind):
        text = column.cast(pa.timestamp("us"), safe=False).cast(pa.string())
        return pc.replace_substring_regex(text, r"(?: 00:00:00)?\.0+$", "")
    return column.cast(pa.string())


def _plain(column: pa.Array) -> Any:
    """Return a column in one of the few types that the rest knows."""
    kind = column.type
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_uint64(kind):
        fits = pc.less_equal(column, pa.scalar(2**63 - 1, pa.uint64()))
        whole = pc.all(fits).as_py() is not False
        return column.cast(pa.int64() if whole else pa.float64(), safe=False)
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        column = column.cast(pa.float64())
        # NaN is how many formats write 'missing'.
        nan = pc.is_nan(column)
        return (
            pc.if_else(nan, pa.scalar(None, pa.float64()), column)
            if pc.any(nan).as_py()
            else column
        )
    if pa.types.is_date(kind):
        return column.cast(pa.date32())
    if pa.types.is_time(kind):
        return column.cast(pa.string())
    if pa.types.is_nested(kind):
        texts = [
            None if v is None else json.dumps(v, ensure_ascii=False, default=str)
            for v in column.to_pylist()
        ]
        return pa.array(texts, pa.string())
    return column


class BatchColumns:
    """Columns of one batch, each made ready once.

    Parameters
    ----------
    batch : pyarrow.RecordBatch
        As the reader gives it.
    rows : ndarray of int
        Row numbers.
    missing : sequence of str or number
        Values that mean 'not known': text cells equal to a text or written as a number of them,
        number cells equal to a number.
    """

    def __init__(self, batch: pa.RecordBatch, rows: Rows, missing: Sequence[str | float]) -> None:
        self._batch, self.rows = batch, rows
        self._texts = pa.array(sorted({m.strip() for m in missing if isinstance(m, str)}))
        self._numbers = pa.array(
            sorted({float(m) for m in missing if not isinstance(m, str)}), pa.float64()
        )
        self._ready: dict[str, pa.Array] = {}
        self.destroyed: dict[str, tuple[Rows, pa.StringArray]] = {}
        self.blanked: dict[str, int] = {}

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows)

    def __getitem__(self, name: str) -> pa.Array:
        """Return a column: ``string``, ``int64``, ``double``, ``bool``, a date or a moment."""
        if name not in self._ready:
            self._ready[name] = self._make_ready(name)
        return self._ready[name]

    def _make_ready(self, name: str) -> Any:
        raw = _plain(self._batch.column(name))
        column = raw
        if pa.types.is_string(raw.type):
            column, destroyed = trim(raw)
            if len(destroyed):
                self.destroyed[name] = (self.rows[destroyed], raw.take(pa.array(destroyed)))
        blank = self._blank(column)
        if blank is not None and pc.any(blank).as_py():
            self.blanked[name] = int(pc.sum(blank).as_py())
            column = pc.if_else(blank, pa.scalar(None, column.type), column)
        return column

    def _blank(self, column: pa.Array) -> Any:
        kind = column.type
        if pa.types.is_string(kind):
            blank = pc.is_in(column, self._texts) if len(self._texts) else None
            if len(self._numbers):
                numbers, _ = read_numbers(column)
                hit = pc.is_in(numbers, self._numbers)
                blank = hit if blank is None else pc.or_(blank, hit)
            return blank
        if len(self._numbers) and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return pc.is_in(column.cast(pa.float64(), safe=False), self._numbers)
        return None
