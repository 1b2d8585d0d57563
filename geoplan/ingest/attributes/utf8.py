"""Text columns as flat bytes: what Arrow has no function for, without a Python object a cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

__all__ = ["Bytes", "Flat", "Offsets", "character", "is_clean", "trim"]

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int32]

_PLAIN, _DESTROYED = 0, 2  # and 1: blank


class Flat:
    """The bytes of a text column.

    Parameters
    ----------
    array : pyarrow.StringArray
        The column; a slice will do.

    Attributes
    ----------
    offsets : ndarray of int32, shape (rows + 1,)
        Where each row's bytes begin in ``data``.
    data : ndarray of uint8
        All bytes.
    valid : ndarray of bool
        False where the row is missing.
    """

    __slots__ = ("data", "offsets", "valid")

    def __init__(self, array: pa.StringArray) -> None:
        n = len(array)
        _, offsets, data = array.buffers()
        if offsets is None or offsets.size == 0:
            self.offsets: Offsets = np.zeros(n + 1, dtype=np.int32)
        else:
            first = array.offset
            self.offsets = np.frombuffer(offsets, dtype=np.int32)[first : first + n + 1]
        self.data: Bytes = (
            np.zeros(0, dtype=np.uint8)
            if data is None or data.size == 0
            else np.frombuffer(data, dtype=np.uint8)
        )
        self.valid: npt.NDArray[np.bool_] = (
            np.ones(n, dtype=bool)
            if not array.null_count
            else np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool)
        )

    @property
    def ascii(self) -> bool:
        """Whether all bytes are ASCII."""
        used = self.data[self.offsets[0] : self.offsets[-1]]
        return not len(used) or bool(used.max() < 128)

    @staticmethod
    def array(offsets: Offsets, data: Bytes, valid: npt.NDArray[np.bool_]) -> pa.StringArray:
        """Return bytes as a text column."""
        n = len(valid)
        missing = n - int(np.count_nonzero(valid))
        bitmap = pa.py_buffer(np.packbits(valid, bitorder="little")) if missing else None
        buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(data)]
        return pa.StringArray.from_buffers(n, buffers[1], buffers[2], bitmap, missing)


@njit(cache=True, nogil=True)
def character(data: Bytes, at: int, end: int) -> tuple[int, int]:
    """Return the code point that begins at a byte, and its length in bytes.

    Bytes that are no UTF-8 (overlong and surrogate forms too) are U+FFFD, one byte long.
    """
    a = int(data[at])
    if a < 0x80:
        return a, 1
    if 0xC2 <= a < 0xE0:
        if at + 1 < end and (data[at + 1] & 0xC0) == 0x80:
            return ((a & 0x1F) << 6) | int(data[at + 1] & 0x3F), 2
    elif 0xE0 <= a < 0xF0:
        if at + 2 < end and (data[at + 1] & 0xC0) == 0x80 and (data[at + 2] & 0xC0) == 0x80:
            code = ((a & 0x0F) << 12) | (int(data[at + 1] & 0x3F) << 6) | int(data[at + 2] & 0x3F)
            if code >= 0x800 and not 0xD800 <= code < 0xE000:
                return code, 3
    elif (
        0xF0 <= a < 0xF5
        and at + 3 < end
        and (data[at + 1] & 0xC0) == 0x80
        and (data[at + 2] & 0xC0) == 0x80
        and (data[at + 3] & 0xC0) == 0x80
    ):
        code = (
            ((a & 0x07) << 18)
            | (int(data[at + 1] & 0x3F) << 12)
            | (int(data[at + 2] & 0x3F) << 6)
            | int(data[at + 3] & 0x3F)
        )
        if 0x10000 <= code < 0x110000:
            return code, 4
    return 0xFFFD, 1


@njit(cache=True, nogil=True)
def _is_space(c: int) -> bool:
    if c < 0x80:
        return c == 32 or 9 <= c <= 13 or 28 <= c <= 31
    return (
        c == 0x85
        or c == 0xA0
        or c == 0x1680
        or 0x2000 <= c <= 0x200A
        or c == 0x2028
        or c == 0x2029
        or c == 0x202F
        or c == 0x205F
        or c == 0x3000
    )


@njit(cache=True, nogil=True)
def is_clean(data: Bytes, at: int, end: int) -> bool:
    """Tell whether a text is plainly ASCII without space at its ends, ``?`` or control bytes."""
    if at == end or data[at] == 32 or data[end - 1] == 32:
        return False
    for i in range(at, end):
        b = data[i]
        if b < 32 or b >= 127 or b == 63:
            return False
    return True


@njit(cache=True, nogil=True)
def _bounds(
    offsets: Offsets, data: Bytes, valid: npt.NDArray[np.bool_]
) -> tuple[Offsets, Offsets, npt.NDArray[np.uint8], bool]:
    """Return where each text begins and ends without outer space, and what state it is in."""
    n = len(valid)
    start = np.zeros(n, np.int32)
    stop = np.zeros(n, np.int32)
    state = np.zeros(n, np.uint8)
    changed = False
    for row in range(n):
        if not valid[row]:
            start[row] = offsets[row]
            stop[row] = offsets[row]
            continue
        at, end = offsets[row], offsets[row + 1]
        if is_clean(data, at, end):
            start[row] = at
            stop[row] = end
            continue
        first, last = end, end
        seen = False
        destroyed = False
        zero = False
        question = False
        count = 0
        while at < end:
            c, width = character(data, at, end)
            # A zero byte pads a field; one inside a text cannot be stored.
            if c == 0 or _is_space(c):
                zero = zero or (c == 0 and seen)
                question = False
            else:
                if not seen:
                    first = at
                    seen = True
                destroyed = destroyed or zero or c == 0xFFFD or (c == 63 and question)
                question = c == 63
                last = at + width
                count += 1
            at += width
        if not seen:
            state[row] = 1
            last = first
        elif destroyed or (count == 1 and data[first] == 63):
            state[row] = 2
        start[row] = first
        stop[row] = last
        if first != offsets[row] or last != offsets[row + 1] or state[row] != 0:
            changed = True
    return start, stop, state, changed


@njit(cache=True, nogil=True)
def _cut(start: Offsets, stop: Offsets, data: Bytes) -> tuple[Offsets, Bytes]:
    n = len(start)
    offsets = np.zeros(n + 1, np.int32)
    for row in range(n):
        offsets[row + 1] = offsets[row] + (stop[row] - start[row])
    out = np.empty(offsets[n], np.uint8)
    for row in range(n):
        at = offsets[row]
        for i in range(start[row], stop[row]):
            out[at] = data[i]
            at += 1
    return offsets, out


def trim(array: pa.StringArray) -> tuple[pa.StringArray, Any]:
    """Take off outer space, and empty what is blank or destroyed.

    Parameters
    ----------
    array : pyarrow.StringArray
        Text as read; bytes that are no UTF-8 count as destroyed.

    Returns
    -------
    StringArray, ndarray of int
        The text; the rows whose text an encoding destroyed (runs of ``??``, a lone ``?``,
        U+FFFD, a zero byte inside), as :func:`geoplan.persian.is_destroyed` says.
    """
    flat = Flat(array)
    start, stop, state, changed = _bounds(flat.offsets, flat.data, flat.valid)
    if not changed:
        return array, np.empty(0, dtype=np.int64)
    destroyed = np.flatnonzero(state == _DESTROYED)
    gone = state != _PLAIN
    start[gone] = stop[gone]
    offsets, data = _cut(start, stop, flat.data)
    return Flat.array(offsets, data, flat.valid & ~gone), destroyed
