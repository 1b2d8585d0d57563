"""The rarer rules of a field mapping, through the functions that packs use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.catalogue.pack import FieldMap
from geoplan.expression import columns_of
from geoplan.ingest import columns
from geoplan.ingest.attributes.letters import search_keys
from geoplan.ingest.attributes.source import BatchColumns, as_text
from geoplan.ingest.findings import Findings
from geoplan.persian import search_key

__all__ = ["compute", "is_shaping", "read_codes", "shape"]

_ALONE = {"codes": None, "default": None, "prefix": None, "unit": None, "decimal": None,
          "calendar": None}  # fmt: skip


def is_shaping(rule: FieldMap) -> bool:
    """Tell whether a rule changes the text of its source or fills what is missing."""
    return any(
        s is not None
        for s in (
            rule.strip_prefix, rule.strip_suffix, rule.zero_pad, rule.head, rule.codes,
            rule.prefix, rule.default,
        )
    )  # fmt: skip


def compute(rule: FieldMap, source: BatchColumns) -> Any:
    """Return the column that a rule's expression gives for one batch."""
    expr = str(rule.expr)
    frame = pd.DataFrame(
        {c: source[c].to_pandas() for c in columns_of(expr)}, index=pd.RangeIndex(len(source))
    )
    made = columns.make_column("expr", FieldMap.model_validate({"expr": expr}), frame, Findings(""))
    try:
        array = pa.array(made, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        array = pa.array(columns.as_text(made).tolist(), pa.string())
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    if pa.types.is_integer(array.type):
        return array.cast(pa.int64())
    if pa.types.is_large_string(array.type) or pa.types.is_null(array.type):
        return array.cast(pa.string())
    if pa.types.is_floating(array.type):
        return array.cast(pa.float64())
    return array


def read_codes(text: pa.StringArray, codes: Mapping[str, str]) -> Any:
    """Return the code of each spelling: as written, else the one whose search key agrees alone.

    Parameters
    ----------
    text : pyarrow.StringArray
        Spellings.
    codes : mapping
        Spelling → code.

    Returns
    -------
    StringArray
        Missing where a spelling has no code, or its search key has two.
    """
    at = pc.index_in(text, pa.array(list(codes), pa.string()))
    out = pa.array(list(codes.values()), pa.string()).take(at)
    if out.null_count == text.null_count:
        return out
    alike: dict[str, set[str]] = {}
    for spelling, code in codes.items():
        alike.setdefault(search_key(spelling), set()).add(code)
    alone = {k: c.pop() for k, c in alike.items() if k and len(c) == 1}
    at = pc.index_in(search_keys(text), pa.array(list(alone), pa.string()))
    return pc.coalesce(out, pa.array(list(alone.values()), pa.string()).take(at))


def _filled(column: pa.Array, default: str | float) -> Any:
    if isinstance(default, float) and (
        pa.types.is_floating(column.type) or pa.types.is_integer(column.type)
    ):
        if pa.types.is_integer(column.type) and default.is_integer():
            return pc.fill_null(column, int(default))
        return pc.fill_null(column.cast(pa.float64(), safe=False), default)
    text = as_text(pa.array([default])).to_pylist()[0]
    return pc.fill_null(as_text(column), text)


def shape(name: str, rule: FieldMap, column: pa.Array) -> Any:
    """Apply the text steps, codes, default and prefix of a rule.

    Parameters
    ----------
    name : str
        The field.
    rule : FieldMap
        Its ``from`` or ``expr`` has given ``column``.
    column : pyarrow.Array
        What the steps start from.

    Returns
    -------
    Array, ndarray of bool
        The result; True where a value has no code.

    Notes
    -----
    Values repeat: each different one goes once through
    :func:`geoplan.ingest.columns.make_column`.
    """
    unknown = np.zeros(len(column), dtype=bool)
    steps = (
        rule.strip_prefix,
        rule.strip_suffix,
        rule.zero_pad,
        rule.head,
        rule.codes,
        rule.prefix,
    )
    if all(s is None for s in steps):
        return (column if rule.default is None else _filled(column, rule.default)), unknown
    coded = as_text(column).dictionary_encode()
    frame = pd.DataFrame({"x": pd.Series(coded.dictionary.to_pylist(), dtype=object)})
    alone = rule.model_copy(update={**_ALONE, "source": "x", "expr": None})
    made = columns.make_column(name, alone, frame, Findings("")).tolist()
    texts = pa.array([None if pd.isna(t) else t for t in made], pa.string())
    if rule.codes is not None:
        found = read_codes(texts, rule.codes)
        lost = pc.and_(texts.is_valid(), found.is_null())
        if pc.any(lost).as_py():
            hit = pc.fill_null(lost.take(coded.indices), False)
            unknown = np.asarray(hit.to_numpy(zero_copy_only=False), dtype=bool)
        texts = found
    out = texts.take(coded.indices)
    if rule.default is not None:
        out = _filled(out, rule.default)
    if rule.prefix is not None:
        out = pc.binary_join_element_wise(rule.prefix, out, "")
    return out, unknown
