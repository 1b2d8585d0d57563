"""Compiled writing of well-known binary: little-endian, two dimensions, with or without SRID."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.cadastre.walk import DEPTH, header, u32
from geoplan.raster.kernel import kernel

__all__ = ["rewrite", "write_polygons"]

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]


@kernel
def _put(out: Bytes, at: int, word: int) -> int:
    out[at] = word & 255
    out[at + 1] = (word >> 8) & 255
    out[at + 2] = (word >> 16) & 255
    out[at + 3] = (word >> 24) & 255
    return at + 4


@kernel
def _head(out: Bytes, at: int, base: int, srid: int) -> int:
    out[at] = 1
    if srid < 0:
        return _put(out, at + 1, base)
    at = _put(out, at + 1, base | 0x20000000)
    return _put(out, at, srid)


@kernel
def rewrite(
    data: Bytes,
    offset: Ints,
    wanted: npt.NDArray[np.bool_],
    kinds: Ints,
    multi: bool,
    srid: int,
    start: int,
    stop: int,
    xy_at: Ints,
    xy: Bytes,
    out_at: Ints,
    out: Bytes,
) -> None:
    """Write the wanted rows again, little-endian and flat, with other coordinates.

    ``xy`` are the new coordinates as bytes, 16 a point. The rows were surveyed before: nothing
    here can run past their end.
    """
    left = np.empty(DEPTH, np.int64)
    for i in range(start, stop):
        if not wanted[i]:
            continue
        at = offset[i]
        to = out_at[i]
        point = xy_at[i] * 16
        if multi and kinds[i] < 4:
            to = _head(out, to, kinds[i] + 3, srid)
            to = _put(out, to, 1)
            to = _head(out, to, kinds[i], -1)
        else:
            to = _head(out, to, kinds[i], srid)
        top = True
        depth = 0
        left[0] = 1
        while depth >= 0:
            if left[depth] == 0:
                depth -= 1
                continue
            left[depth] -= 1
            _, little, base, flags, at = header(data, at, offset[i + 1])
            if not top:
                to = _head(out, to, base, -1)
            top = False
            stride = 16 + (8 if flags & 1 else 0) + (8 if flags & 2 else 0)
            runs = 1
            if base >= 4:
                depth += 1
                left[depth] = u32(data, at, little)
                to = _put(out, to, left[depth])
                at += 4
                continue
            if base == 3:
                runs = u32(data, at, little)
                to = _put(out, to, runs)
                at += 4
            for _run_number in range(runs):
                n = 1
                if base > 1:
                    n = u32(data, at, little)
                    to = _put(out, to, n)
                    at += 4
                out[to : to + 16 * n] = xy[point : point + 16 * n]
                point += 16 * n
                to += 16 * n
                at += n * stride


@kernel
def write_polygons(
    which: Ints,
    single: bool,
    srid: int,
    start: int,
    stop: int,
    xy: Bytes,
    ring_start: Ints,
    part_start: Ints,
    shape_start: Ints,
    out_at: Ints,
    out: Bytes,
) -> None:
    """Write shapes as polygons and multi-polygons, little-endian."""
    for i in range(start, stop):
        first = shape_start[which[i]]
        last = shape_start[which[i] + 1]
        if first == last:
            continue
        to = out_at[i]
        bare = single and last - first == 1
        if not bare:
            to = _head(out, to, 6, srid)
            to = _put(out, to, last - first)
        for p in range(first, last):
            to = _head(out, to, 3, srid if bare else -1)
            to = _put(out, to, part_start[p + 1] - part_start[p])
            for r in range(part_start[p], part_start[p + 1]):
                a = ring_start[r]
                n = ring_start[r + 1] - a
                to = _put(out, to, n)
                out[to : to + 16 * n] = xy[16 * a : 16 * (a + n)]
                to += 16 * n
