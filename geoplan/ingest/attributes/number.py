"""Numbers written as text: any digits, stated separators, nothing guessed."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.ingest.attributes.letters import LetterMap
from geoplan.persian import key_letter

__all__ = ["DecimalMark", "read_numbers", "read_whole"]

DecimalMark = Literal[".", ","]
Mask = npt.NDArray[np.bool_]

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_WHOLE = r"^-?\d{1,19}$"
# Thousands in groups of three. A lone "1,234" is not here: it could be 1.234.
_GROUPED = (
    r"^[+-]?\d{1,3}(?:(?:٬\d{3})+(?:\.\d+)?|(?: \d{3})+(?:\.\d+)?"
    r"|(?:,\d{3}){2,}(?:\.\d+)?|,\d{3}\.\d+)$"
)

_SIGNS: dict[str | None, dict[str, str]] = {
    None: {"٫": ".", "،": ",", "−": "-"},
    ".": {"٫": ".", "،": "٬", ",": "٬", "−": "-"},
    ",": {"٫": ".", "،": ".", ",": ".", ".": "٬", "−": "-"},
}
_MAPS: dict[str | None, LetterMap] = {}


def _plain(text: pa.StringArray, decimal: DecimalMark | None) -> pa.StringArray:
    if decimal not in _MAPS:
        signs = _SIGNS[decimal]
        _MAPS[decimal] = LetterMap(
            lambda c: signs[c] if c in signs else key_letter(c), squeeze=True
        )
    return _MAPS[decimal](text)


def read_numbers(text: pa.StringArray, *, decimal: DecimalMark | None = None) -> Any:
    """Return the numbers of a text column.

    Parameters
    ----------
    text : pyarrow.StringArray
        As written: Latin, Persian or Arabic digits; ``٫`` is a decimal and ``٬`` a thousands
        separator; a space or ``٬`` may part groups of three digits.
    decimal : {".", ","}, optional
        What stands before the fraction; the other one parts thousands. Not given: ``.`` is a
        decimal point, and a comma is taken only where it can be nothing but thousands
        (``1,234.5``, ``1,234,567``). ``1,234`` alone and ``12,5`` are not read: the first has two
        meanings, and a column that has the second may have the first.

    Returns
    -------
    DoubleArray, ndarray of bool
        Finite numbers, missing where there is none; True where a text is no number.

    Examples
    --------
    >>> read_numbers(pa.array(["۱۲٫۵", "1,234.5", "1,234"]))[0].to_pylist()
    [12.5, 1234.5, None]
    """
    try:
        value = text.cast(pa.float64())
        finite = pc.fill_null(pc.is_finite(value), True)
        if decimal != "," and pc.all(finite).as_py() is not False:
            return value, np.zeros(len(text), dtype=bool)
    except pa.ArrowInvalid:
        pass
    plain = _plain(text, decimal)
    good = pc.match_substring_regex(plain, _PLAIN)
    grouped = pc.match_substring_regex(plain, _GROUPED)
    if pc.any(grouped).as_py():
        bare = pc.replace_substring_regex(plain, "[٬ ,]", "")
        plain = pc.if_else(grouped, bare, plain)
        good = pc.or_(good, grouped)
    value = pc.if_else(good, plain, pa.scalar(None, pa.string())).cast(pa.float64())
    # '1e999' is written well and is no finite number.
    value = pc.if_else(pc.is_finite(value), value, pa.scalar(None, pa.float64()))
    bad = pc.and_(text.is_valid(), value.is_null())
    return value, np.asarray(bad.to_numpy(zero_copy_only=False), dtype=bool)


def read_whole(text: pa.StringArray) -> pa.Int64Array | None:
    """Return the whole numbers of a text column, exact, or None where one is not plainly whole."""
    if pc.all(pc.match_substring_regex(text, _WHOLE)).as_py() is False:
        return None
    try:
        return text.cast(pa.int64())
    except pa.ArrowInvalid:  # beyond 2⁶³
        return None
