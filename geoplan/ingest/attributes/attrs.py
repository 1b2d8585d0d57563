"""What has no column of its own, as one JSON object a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from geoplan.ingest.attributes.utf8 import Flat

__all__ = ["json_objects"]

_ESCAPED = r'["\\\x00-\x1f]'


def _escaped(text: pa.StringArray) -> Any:
    """Return text as it stands between the quotes of a JSON string."""
    flat = Flat(text)
    data = flat.data[flat.offsets[0] : flat.offsets[-1]]
    # Hardly any column has a quote or a line break in it: one look at all bytes tells.
    if not bool(((data < 32) | (data == 34) | (data == 92)).any()):
        return text
    odd = pc.match_substring_regex(text, _ESCAPED)
    coded = text.filter(odd).dictionary_encode()
    inner = [json.dumps(t, ensure_ascii=False)[1:-1] for t in coded.dictionary.to_pylist()]
    new = pa.array(inner, pa.string()).take(coded.indices)
    return pc.replace_with_mask(text, pc.fill_null(odd, False), new)


def _plain(column: pa.Array) -> tuple[Any, str]:
    """Return each value of a typed column as JSON without its quotes, and the quote it needs.

    Dates are ISO text. Numbers are the shortest decimals that mean the same double.
    """
    if pa.types.is_string(column.type):
        return _escaped(column), '"'
    return column.cast(pa.string()), '"' if pa.types.is_date(column.type) else ""


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
    text = ""  # what stands between two values
    for name, column in values.items():
        text += ("," if parts else "{") + json.dumps(name, ensure_ascii=False) + ":"
        value, quote = _plain(column)
        if value.null_count and quote:
            value = pc.binary_join_element_wise(quote, value, quote, "")
            quote = ""
        parts += [text + quote, pc.fill_null(value, "null")]
        text = quote
    parts.append(text if values else "{")
    # A comma belongs before an optional part only where something stands before it.
    begun: Any = None
    for name, column in optional.items():
        value, quote = _plain(column)
        front = json.dumps(name, ensure_ascii=False) + ":" + quote
        part = pc.binary_join_element_wise("," + front if values else front, value, quote, "")
        if not values:
            lead = "" if begun is None else pc.if_else(begun, ",", "")
            begun = part.is_valid() if begun is None else pc.or_(begun, part.is_valid())
            part = pc.binary_join_element_wise(lead, part, "")
        parts.append(pc.fill_null(part, ""))
    parts.append("}")
    whole = pc.binary_join_element_wise(*parts, "")
    if isinstance(whole, pa.Scalar):
        return pa.array([whole.as_py()] * rows, pa.string())
    return whole
