"""Loops that write fields of PostgreSQL's binary COPY: a length of four bytes, then the value.

Every function writes one column of some rows. ``first`` is the first of these rows in the column,
``at`` says where the field of each starts in ``out``, and is moved behind it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from geoplan.raster.kernel import kernel

__all__ = [
    "GEOMETRY_PROBLEMS",
    "measure_geometry",
    "put_bytes",
    "put_fixed",
    "put_geometry",
    "zeros",
]

GEOMETRY_PROBLEMS = {
    1: "the bytes end before the geometry does",
    2: "the bytes are not little-endian WKB",
    3: "the geometry is of another type than the column",
    4: "the geometry has Z or M, the column has neither",
    5: "the geometry names another SRID than the column",
}
"""What :func:`measure_geometry` finds, by its number."""

_SRID = 0x20000000
_Z_OR_M = 0xC0000000


@kernel
def _put_length(out: Any, at: Any, length: Any) -> None:
    out[at] = (length >> 24) & 255
    out[at + 1] = (length >> 16) & 255
    out[at + 2] = (length >> 8) & 255
    out[at + 3] = length & 255


@kernel
def _put_little(out: Any, at: Any, value: Any) -> None:
    out[at] = value & 255
    out[at + 1] = (value >> 8) & 255
    out[at + 2] = (value >> 16) & 255
    out[at + 3] = (value >> 24) & 255


@kernel
def _little(data: Any, at: Any) -> Any:
    return (
        np.int64(data[at])
        | np.int64(data[at + 1]) << 8
        | np.int64(data[at + 2]) << 16
        | np.int64(data[at + 3]) << 24
    )


@kernel
def put_fixed(data: Any, width: int, valid: Any, first: int, at: Any, out: Any) -> None:
    """Write little-endian values of ``width`` bytes in network order."""
    for i in range(len(at)):
        to = at[i]
        if not valid[first + i]:
            _put_length(out, to, -1)
            at[i] = to + 4
            continue
        _put_length(out, to, width)
        last = (first + i + 1) * width - 1
        for k in range(width):
            out[to + 4 + k] = data[last - k]
        at[i] = to + 4 + width


@kernel
def put_bytes(
    data: Any, offset: Any, valid: Any, prefix: int, first: int, at: Any, out: Any
) -> None:
    """Write bytes as they are, after the byte ``prefix`` where that is not negative."""
    for i in range(len(at)):
        to = at[i]
        row = first + i
        if not valid[row]:
            _put_length(out, to, -1)
            at[i] = to + 4
            continue
        start = offset[row]
        length = offset[row + 1] - start
        if prefix >= 0:
            _put_length(out, to, length + 1)
            out[to + 4] = prefix
            to += 5
        else:
            _put_length(out, to, length)
            to += 4
        for k in range(length):
            out[to + k] = data[start + k]
        at[i] = to + length


@kernel
def measure_geometry(
    data: Any, offset: Any, valid: Any, shape: int, srid: int, flat: bool, size: Any, problem: Any
) -> None:
    """Find the bytes that each geometry needs, and what stands against storing it.

    Parameters
    ----------
    shape : int
        Number of the WKB type that the column holds, 0: any.
    flat : bool
        The column has neither Z nor M.
    size : array of int64
        Gets the length of the value; 0 and ``valid`` False for an empty geometry.
    problem : array of int8
        Gets a key of :data:`GEOMETRY_PROBLEMS`, or 0.
    """
    for row in range(len(valid)):
        size[row] = 0
        if not valid[row]:
            continue
        start = offset[row]
        length = offset[row + 1] - start
        if length < 9:
            problem[row] = 1
            continue
        if data[start] != 1:
            problem[row] = 2
            continue
        code = _little(data, start + 1)
        named = code & _SRID != 0
        number = code & 0x0FFFFFFF
        kind = number % 1000
        body = start + 5 + (4 if named else 0)
        head = 4 if kind != 1 else 16
        if offset[row + 1] < body + head:
            problem[row] = 1
            continue
        if named and _little(data, start + 5) != srid:
            problem[row] = 5
            continue
        if kind == 1:
            # An empty point is two NaN; the exponent all ones and a fraction that is not 0.
            void = True
            for axis in range(2):
                p = body + 8 * axis
                high = (np.int64(data[p + 7]) & 127) << 4 | np.int64(data[p + 6]) >> 4
                rest = np.int64(data[p + 6]) & 15
                for k in range(6):
                    rest |= np.int64(data[p + k])
                void = void and high == 2047 and rest != 0
        else:
            void = _little(data, body) == 0
        if void:
            valid[row] = False
            continue
        if flat and (number >= 1000 or code & _Z_OR_M != 0):
            problem[row] = 4
            continue
        if shape == 0 or kind == shape:
            size[row] = length + (0 if named else 4)
        elif 4 <= shape <= 6 and kind == shape - 3:
            size[row] = length + (9 if named else 13)
        else:
            problem[row] = 3


@kernel
def put_geometry(
    data: Any,
    offset: Any,
    valid: Any,
    size: Any,
    shape: int,
    srid: int,
    first: int,
    at: Any,
    out: Any,
) -> None:
    """Write EWKB with ``srid``; a single part becomes a multi-part where ``shape`` is one."""
    for i in range(len(at)):
        to = at[i]
        row = first + i
        if not valid[row]:
            _put_length(out, to, -1)
            at[i] = to + 4
            continue
        _put_length(out, to, size[row])
        to += 4
        start = offset[row]
        code = _little(data, start + 1)
        named = code & _SRID != 0
        bare = code & ~np.int64(_SRID)
        kind = (bare & 0x0FFFFFFF) % 1000
        body = start + 5 + (4 if named else 0)
        out[to] = 1
        if shape != 0 and kind != shape:
            # Z and M of the part are said by the whole as well.
            _put_little(out, to + 1, (bare + 3) | _SRID)
            _put_little(out, to + 5, srid)
            _put_little(out, to + 9, 1)
            to += 13
            out[to] = 1
            _put_little(out, to + 1, bare)
            to += 5
        else:
            _put_little(out, to + 1, bare | _SRID)
            _put_little(out, to + 5, srid)
            to += 9
        length = offset[row + 1] - body
        for k in range(length):
            out[to + k] = data[body + k]
        at[i] = to + length


@kernel
def zeros(data: Any) -> int:
    """Return how many bytes are zero."""
    count = 0
    for k in range(len(data)):
        count += data[k] == 0
    return count
