"""Rewrite a text column letter by letter: keys, search text, digits."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from numba import njit

from geoplan.ingest.attributes.utf8 import Bytes, Flat, Offsets, character, is_clean
from geoplan.persian import key_form, key_letter, search_key

__all__ = ["LetterMap", "key_forms", "search_keys", "search_text"]

_CODES = 0x110000
_UNKNOWN = -1
_CONTEXT = -2
_PART = "\x1f"


@njit(cache=True, nogil=True)
def _rewrite(
    offsets: Offsets,
    data: Bytes,
    valid: npt.NDArray[np.bool_],
    start: npt.NDArray[np.int32],
    size: npt.NDArray[np.int16],
    pool: Bytes,
    squeeze: bool,
) -> tuple[Offsets, Bytes, npt.NDArray[np.bool_], list[int]]:
    """Return the new text, rows that depend on context, and letters that are not known yet.

    Where letters are unknown the text is not complete.
    """
    unknown = [0 for _ in range(0)]
    n = len(valid)
    out_offsets = np.zeros(n + 1, np.int32)
    out = np.empty(offsets[n] - offsets[0] + 64, np.uint8)
    context = np.zeros(n, np.bool_)
    to = 0
    for row in range(n):
        if valid[row]:
            at, end = offsets[row], offsets[row + 1]
            begin = to
            space = False
            while at < end:
                code, width = character(data, at, end)
                at += width
                length = size[code]
                if length < 0:
                    if length == -1:
                        size[code] = -3
                        unknown.append(code)
                    elif length == -2:
                        context[row] = True
                        break
                    continue
                if to + length + 2 > len(out):
                    larger = np.empty(2 * len(out) + length + 64, np.uint8)
                    larger[:to] = out[:to]
                    out = larger
                for k in range(start[code], start[code] + length):
                    byte = pool[k]
                    if squeeze and byte == 32:
                        space = to > begin
                        continue
                    if space:
                        out[to] = 32
                        to += 1
                        space = False
                    out[to] = byte
                    to += 1
        out_offsets[row + 1] = to
    return out_offsets, out[:to], context, unknown


@njit(cache=True, nogil=True)
def _are_keys(offsets: Offsets, data: Bytes, valid: npt.NDArray[np.bool_]) -> bool:
    """Tell whether all texts are ASCII keys already."""
    for row in range(len(valid)):
        if valid[row]:
            at, end = offsets[row], offsets[row + 1]
            if not is_clean(data, at, end):
                return False
            for i in range(at, end - 1):
                if data[i] == 32 and data[i + 1] == 32:
                    return False
    return True


class LetterMap:
    """A rewriting of text that looks at one letter at a time.

    Parameters
    ----------
    letter : callable
        What one character becomes.
    whole : callable, optional
        The same for a text, for texts in which neighbouring letters matter.
    context : callable, optional
        Tells of a character whether its neighbours matter.
    squeeze : bool
        Outer spaces go and inner ones collapse.

    Notes
    -----
    The map is learnt as letters are met: what a code point becomes is asked once, then looked
    up in a table. A thousand letters serve a country's files.
    """

    def __init__(
        self,
        letter: Callable[[str], str],
        *,
        whole: Callable[[str], str] | None = None,
        context: Callable[[str], bool] | None = None,
        squeeze: bool = False,
    ) -> None:
        self._letter, self._whole, self._context = letter, whole, context
        self._squeeze = squeeze
        self._start = np.zeros(_CODES, dtype=np.int32)
        self._size = np.full(_CODES, _UNKNOWN, dtype=np.int16)
        self._pool: Bytes = np.zeros(0, dtype=np.uint8)
        self._learn(range(128))

    def _learn(self, codes: range | list[int]) -> None:
        parts = []
        at = len(self._pool)
        for code in codes:
            char = chr(code)
            if self._context is not None and self._context(char):
                self._size[code] = _CONTEXT
                continue
            out = self._letter(char).encode()
            self._start[code], self._size[code] = at, len(out)
            at += len(out)
            parts.append(out)
        self._pool = np.concatenate([self._pool, np.frombuffer(b"".join(parts), dtype=np.uint8)])

    def __call__(self, array: pa.StringArray) -> pa.StringArray:
        """Return the rewritten column; missing stays missing."""
        flat = Flat(array)
        while True:
            offsets, data, context, unknown = _rewrite(
                flat.offsets, flat.data, flat.valid,
                self._start, self._size, self._pool, self._squeeze,
            )  # fmt: skip
            if not len(unknown):
                break
            self._learn(list(unknown))
        out = Flat.array(offsets, data, flat.valid)
        if self._whole is not None and bool(context.any()):
            mask = pa.array(context)
            coded = array.filter(mask).dictionary_encode()
            texts = pa.array([self._whole(t) for t in coded.dictionary.to_pylist()], pa.string())
            out = pc.replace_with_mask(out, mask, texts.take(coded.indices))
        return out


def _needs_neighbours(char: str) -> bool:
    composed = unicodedata.normalize("NFC", char)
    out = "".join(map(key_letter, composed))
    return any(
        unicodedata.category(c)[0] == "M" or 0x1100 <= ord(c) <= 0x11FF for c in composed + out
    )


def _key_letter(char: str) -> str:
    return "".join(map(key_letter, unicodedata.normalize("NFC", char)))


_MAPS: dict[str, LetterMap] = {}


def key_forms(array: pa.StringArray) -> pa.StringArray:
    """Return :func:`geoplan.persian.key_form` of each row; empty keys are missing."""
    # Most keys are written well; a column of them is returned as it is.
    flat = Flat(array)
    if _are_keys(flat.offsets, flat.data, flat.valid):
        return array
    if "key" not in _MAPS:
        _MAPS["key"] = LetterMap(
            _key_letter, whole=key_form, context=_needs_neighbours, squeeze=True
        )
    return _without_empty(_MAPS["key"](array))


def search_keys(array: pa.StringArray) -> pa.StringArray:
    """Return :func:`geoplan.persian.search_key` of each row; empty keys are missing."""
    if "search" not in _MAPS:
        # Marks are dropped and nothing is composed, so that no letter depends on its neighbours.
        _MAPS["search"] = LetterMap(search_key)
    return _without_empty(_MAPS["search"](array))


def search_text(columns: Sequence[pa.StringArray]) -> pa.StringArray:
    """Return the search keys of several columns, parted by spaces; none is missing.

    Parameters
    ----------
    columns : sequence of pyarrow.StringArray
        At least one; a missing value adds nothing.
    """
    if "text" not in _MAPS:
        # The separator becomes the only space there is.
        _MAPS["text"] = LetterMap(lambda c: " " if c == _PART else search_key(c), squeeze=True)
    # Arrow 26 gives no rows at all where every part of every row is missing.
    first = pc.fill_null(columns[0], "")
    rest = [c for c in columns[1:] if c.null_count < len(c)]
    if rest:
        first = pc.binary_join_element_wise(first, *rest, _PART, null_handling="skip")
    return _MAPS["text"](first)


def _without_empty(array: pa.StringArray) -> pa.StringArray:
    empty = pc.equal(array, "")
    if not pc.any(empty).as_py():
        return array
    return pc.if_else(empty, pa.scalar(None, pa.string()), array)
