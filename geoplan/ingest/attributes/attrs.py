"""What has no column of its own, as one JSON object a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["json_objects", "json_values"]

_ESCAPED = r'["\\\x00-\x1f]'


def _quoted(text: pa.StringArray) -> Any:
    """Return text as JSON strings."""
    odd = pc.match_substring_regex(text, _ESCAPED)
    if pc.any(odd).as_py():
        coded = text.filter(odd).dictionary_encode()
        inner = [json.dumps(t, ensure_ascii=False)[1:-1] for t in coded.dictionary.to_pylist()]
        new = pa.array(inner, pa.string()).take(coded.indices)
        text = pc.replace_with_mask(text, pc.fill_null(odd, False), new)
    return pc.binary_join_element_wise('"', text, '"', "")


def json_values(column: pa.Array) -> Any:
    """Return each value of a typed column as JSON, missing as missing.

    Dates are ISO text. Numbers are the shortest decimals that mean the same double.
    """
    kind = column.type
    if pa.types.is_string(kind):
        return _quoted(column)
    if pa.types.is_date(kind):
        return pc.binary_join_element_wise('"', column.cast(pa.string()), '"', "")
    return column.cast(pa.string())


def json_objects(
    values: Mapping[str, pa.Array], optional: Mapping[str, pa.Array], rows: int
) -> Any:
    """Return one JSON object a row.

    Parameters
    ----------
    values : mapping
        Name → column; a missing value is ``null``.
    optional : mapping
        Name → column; a missing value is left out.
    rows : int
        Number of rows.

    Returns
    -------
    StringArray
    """
    parts: list[Any] = []
    for name, column in values.items():
        front = ("," if parts else "{") + json.dumps(name, ensure_ascii=False) + ":"
        parts += [front, pc.fill_null(json_values(column), "null")]
    if not parts:
        parts = ["{"]
    # A comma belongs before an optional part only where something stands before it.
    begun: Any = None
    for name, column in optional.items():
        front = json.dumps(name, ensure_ascii=False) + ":"
        part = pc.binary_join_element_wise(front, json_values(column), "")
        if values:
            part = pc.binary_join_element_wise(",", part, "")
        else:
            lead = "" if begun is None else pc.if_else(begun, ",", "")
            begun = part.is_valid() if begun is None else pc.or_(begun, part.is_valid())
            part = pc.binary_join_element_wise(lead, part, "")
        parts.append(pc.fill_null(part, ""))
    parts.append("}")
    whole = pc.binary_join_element_wise(*parts, "")
    if isinstance(whole, pa.Scalar):
        return pa.array([whole.as_py()] * rows, pa.string())
    return whole
