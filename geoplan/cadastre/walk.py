"""Compiled walks over well-known binary: every count is checked against the bytes that are left."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from geoplan.raster.kernel import kernel

__all__ = [
    "DEPTH",
    "HAS_M",
    "HAS_Z",
    "NON_FINITE",
    "UNREADABLE",
    "gather",
    "header",
    "survey",
    "u32",
]

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]
Words = npt.NDArray[np.uint64]
Floats = npt.NDArray[np.float64]

HAS_Z, HAS_M, NON_FINITE = 1, 2, 4
"""Bits of a row's flags."""

UNREADABLE = {
    1: "the bytes end too early",
    2: "bytes are left over behind the geometry",
    3: "the byte order is neither 0 nor 1",
    4: "the type is unknown",
    5: "a member is of another kind than its collection",
    6: "collections are nested too deep",
    7: "a polygon has holes but no shell",
    8: "a member is a curve or a surface",
}
"""Why a row cannot be read, by the number that :func:`survey` gives."""

DEPTH = 32
"""Collections inside collections that are followed."""

_EXPONENT = np.uint64(0x7FF0000000000000)
_HUGE = np.uint64((1023 + 40) << 52)
"""Bits of 2⁴⁰, 1.1·10¹²: no plane that maps the earth, in any unit, reaches so far."""
_TINY = np.uint64((1023 - 200) << 52)
"""Bits of 2⁻²⁰⁰, 6·10⁻⁶¹: what is nearer to zero, and not zero, is damage, and underflows."""

_SIGN = np.uint64(0x8000000000000000)


@kernel
def u32(data: Bytes, at: int, little: bool) -> int:
    """Return the unsigned integer of four bytes."""
    a = np.int64(data[at])
    b = np.int64(data[at + 1])
    c = np.int64(data[at + 2])
    d = np.int64(data[at + 3])
    if little:
        return int(a | (b << 8) | (c << 16) | (d << 24))
    return int(d | (c << 8) | (b << 16) | (a << 24))


@kernel
def _u64(data: Bytes, at: int, little: bool) -> np.uint64:
    low = np.uint64(u32(data, at if little else at + 4, little))
    high = np.uint64(u32(data, at + 4 if little else at, little))
    return low | (high << np.uint64(32))


@kernel
def header(data: Bytes, at: int, end: int) -> tuple[int, bool, int, int, int]:
    """Return why not (0: readable), byte order, base type, Z/M bits, and where the body begins."""
    if end - at < 5:
        return 1, True, 0, 0, at
    if data[at] > 1:
        return 3, True, 0, 0, at
    little = data[at] == 1
    word = u32(data, at + 1, little)
    at += 5
    if word & 0x20000000:  # EWKB: an SRID follows
        if end - at < 4:
            return 1, little, 0, 0, at
        at += 4
    kind = word & 0x1FFFFFFF
    family = kind // 1000
    base = kind - family * 1000
    if family > 3 or base < 1 or base > 17:
        return 4, little, 0, 0, at
    flags = 0
    if (word & 0x80000000) or family == 1 or family == 3:
        flags |= 1
    if (word & 0x40000000) or family == 2 or family == 3:
        flags |= 2
    return 0, little, base, flags, at


@kernel
def _same(a: np.uint64, b: np.uint64) -> bool:
    """Compare two doubles by their bits; both zeros are one number."""
    return bool(a == b or ((a | b) & ~_SIGN) == 0)


@kernel
def _sound(bits: np.uint64) -> bool:
    """Tell whether a number is neither NaN nor infinite, absurdly large nor absurdly small."""
    size = bits & ~_SIGN
    return bool(size == 0 or (size >= _TINY and size < _HUGE))


@kernel
def _nan(data: Bytes, at: int, little: bool) -> bool:
    return bool((_u64(data, at, little) & ~_SIGN) > _EXPONENT)


@kernel
def _run(
    data: Bytes, at: int, count: int, stride: int, little: bool, fill: bool, xy: Words, to: int
) -> bool:
    """Copy ``count`` points to ``xy`` from ``to`` on if ``fill``; return whether all are sound."""
    finite = True
    for i in range(count):
        x = _u64(data, at + i * stride, little)
        y = _u64(data, at + i * stride + 8, little)
        if not (_sound(x) and _sound(y)):
            finite = False
        if fill:
            xy[to + i, 0] = x
            xy[to + i, 1] = y
    return finite


@kernel
def _walk(
    data: Bytes,
    at: int,
    end: int,
    raw: bool,
    fill: bool,
    xy: Words,
    seq: Ints,
    part: Ints,
    left: Ints,
    member: Ints,
    out: Ints,
    gap: Floats,
) -> None:
    """Walk one geometry.

    ``out`` holds kind, flags, why, and how many points, runs and parts were met, which are also
    the places in ``xy``, ``seq`` and ``part`` where the next ones go when ``fill`` is set; last,
    how many bytes the geometry has without Z, M and SRID.
    ``raw`` keeps rings as they are; else they are closed and have four points or more.
    """
    depth = 0
    left[0] = 1
    member[0] = 0
    out[0] = 0
    out[1] = 0
    out[2] = 0
    gap[0] = 0.0
    while depth >= 0:
        if left[depth] == 0:
            depth -= 1
            continue
        left[depth] -= 1
        why, little, base, flags, at = header(data, at, end)
        if why:
            out[2] = why
            return
        out[1] |= flags
        if out[0] == 0:
            out[0] = base
            if base > 7:
                return  # curves and surfaces are named, not read
        elif base > 7:
            out[2] = 8
            return
        elif member[depth] and member[depth] != base:
            out[2] = 5
            return
        out[6] += 5
        stride = 16 + (8 if flags & 1 else 0) + (8 if flags & 2 else 0)
        if base == 1:
            if end - at < stride:
                out[2] = 1
                return
            # an empty point is NaN NaN
            void = _nan(data, at, little) and _nan(data, at + 8, little)
            if raw or not void:
                if fill:
                    _run(data, at, 1, stride, little, True, xy, out[3])
                    seq[out[4]] = out[3]
                out[3] += 1
                out[4] += 1
            out[6] += 16
            sound = _sound(_u64(data, at, little)) and _sound(_u64(data, at + 8, little))
            if not (void or sound):
                out[1] |= 4
            at += stride
            continue
        if end - at < 4:
            out[2] = 1
            return
        count = u32(data, at, little)
        at += 4
        out[6] += 4
        if base >= 4:
            if depth + 1 >= len(left):
                out[2] = 6
                return
            depth += 1
            left[depth] = count
            member[depth] = base - 3 if base < 7 else 0
            continue
        if base == 2:
            if count * stride > end - at:
                out[2] = 1
                return
            if not _run(data, at, count, stride, little, fill, xy, out[3]):
                out[1] |= 4
            if raw or count > 0:
                if fill:
                    seq[out[4]] = out[3]
                out[4] += 1
            out[3] += count
            out[6] += 16 * count
            at += count * stride
            continue
        shell = 0
        for ring in range(count):
            if end - at < 4:
                out[2] = 1
                return
            n = u32(data, at, little)
            at += 4
            if n * stride > end - at:
                out[2] = 1
                return
            if not _run(data, at, n, stride, little, fill, xy, out[3]):
                out[1] |= 4
            out[6] += 4 + 16 * n
            if raw:
                if fill:
                    seq[out[4]] = out[3]
                out[4] += 1
                out[3] += n
                at += n * stride
                continue
            if ring == 0:
                shell = n
                if n > 0:
                    if fill:
                        part[out[5]] = out[4]
                    out[5] += 1
            elif shell == 0 and n > 0:
                out[2] = 7
                return
            if n > 0:
                if fill:
                    seq[out[4]] = out[3]
                out[4] += 1
                last = at + (n - 1) * stride
                x0 = _u64(data, at, little)
                y0 = _u64(data, at + 8, little)
                x1 = _u64(data, last, little)
                y1 = _u64(data, last + 8, little)
                total = n
                if not (_same(x0, x1) and _same(y0, y1)):
                    total += 1
                    dx = np.uint64(x0).view(np.float64) - np.uint64(x1).view(np.float64)
                    dy = np.uint64(y0).view(np.float64) - np.uint64(y1).view(np.float64)
                    gap[0] = max(gap[0], math.sqrt(dx * dx + dy * dy))
                total = max(total, 4)
                if fill:
                    for i in range(n, total):
                        xy[out[3] + i, 0] = x0
                        xy[out[3] + i, 1] = y0
                out[3] += total
            at += n * stride
    if at != end:
        out[2] = 2


@kernel
def survey(
    data: Bytes,
    offset: Ints,
    present: npt.NDArray[np.bool_],
    raw: bool,
    start: int,
    stop: int,
    rows: Ints,
    gaps: Floats,
) -> None:
    """Fill ``rows`` and ``gaps`` for a block of rows.

    Columns: kind, flags, why, points, runs, parts, bytes when written flat.
    """
    left = np.empty(DEPTH, np.int64)
    member = np.empty(DEPTH, np.int64)
    xy = np.empty((0, 2), np.uint64)
    none = np.empty(0, np.int64)
    out = np.empty(7, np.int64)
    for i in range(start, stop):
        if present[i]:
            out[3] = 0
            out[4] = 0
            out[5] = 0
            out[6] = 0
            _walk(
                data, offset[i], offset[i + 1], raw, False, xy, none, none, left, member, out,
                gaps[i : i + 1],
            )  # fmt: skip
            for k in range(7):
                rows[i, k] = out[k]


@kernel
def gather(
    data: Bytes,
    offset: Ints,
    wanted: npt.NDArray[np.bool_],
    raw: bool,
    start: int,
    stop: int,
    xy_at: Ints,
    seq_at: Ints,
    part_at: Ints,
    xy: Words,
    seq: Ints,
    part: Ints,
) -> None:
    """Copy the coordinates of the wanted rows of a block to their places."""
    left = np.empty(DEPTH, np.int64)
    member = np.empty(DEPTH, np.int64)
    out = np.empty(7, np.int64)
    gap = np.empty(1, np.float64)
    for i in range(start, stop):
        if wanted[i]:
            out[3] = xy_at[i]
            out[4] = seq_at[i]
            out[5] = part_at[i]
            out[6] = 0
            _walk(data, offset[i], offset[i + 1], raw, True, xy, seq, part, left, member, out, gap)
