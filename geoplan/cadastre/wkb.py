"""Well-known binary in Arrow ↔ arrays of coordinates, without an object per row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from geoplan.cadastre import compose, walk
from geoplan.cadastre.rings import Rings
from geoplan.errors import ShapeError
from geoplan.raster.kernel import over_blocks

__all__ = [
    "KINDS",
    "Kind",
    "Lines",
    "Parsed",
    "Points",
    "Rewritten",
    "coordinates_of",
    "parse",
    "with_coordinates",
    "write_multipolygon",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Kind = Literal["polygon", "line", "point", "any"]

KINDS = {
    1: "point", 2: "line", 3: "polygon", 4: "multi-point", 5: "multi-line", 6: "multi-polygon",
    7: "collection", 8: "circular string", 9: "compound curve", 10: "curve polygon",
    11: "multi-curve", 12: "multi-surface", 13: "curve", 14: "surface",
    15: "polyhedral surface (multipatch)", 16: "TIN", 17: "triangle",
}  # fmt: skip
"""Names of the types of WKB by their number (OGC 06-103r4 §8.2.3)."""

_FAMILY = {"point": (1, 4), "line": (2, 5), "polygon": (3, 6)}


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of many rows: points (x, y), first point of each line, first line of each row."""

    xy: Floats
    line_start: Ints
    shape_start: Ints


@dataclass(frozen=True, slots=True)
class Points:
    """Points of many rows: (x, y), and the first point of each row."""

    xy: Floats
    shape_start: Ints


@dataclass(frozen=True, slots=True)
class Parsed:
    """What the geometries of a batch are; arrays have one entry a row.

    Parameters
    ----------
    kind : ndarray of int8
        Type of WKB, a key of :data:`KINDS`; 0 where it is missing or cannot be read.
    missing : ndarray of bool
        No bytes at all.
    unreadable : ndarray of int8
        0, else why: a key of :data:`geoplan.cadastre.walk.UNREADABLE`.
    empty : ndarray of bool
        Readable, of a supported kind, and without a coordinate.
    has_z, has_m, non_finite : ndarray of bool
        Z or M were there (and are left out); x or y of some point is no finite number, or beyond
        ±2⁴⁰ (1.1·10¹²), or within ±2⁻²⁰⁰ but not zero: no coordinate of the earth lies there, and
        products overflow or underflow.
    open_gap : ndarray of float, units of the CRS
        Largest distance between first and last point of a ring; 0: all rings are closed.
    rings : Rings
        Polygons and multi-polygons. Every ring is closed and has four points or more: an open
        one got its first point again, and one of fewer points got it until there were four.
        Empty parts and rings are left out.
    lines, points : Lines, Points
        Lines and points. Rows of other kinds, unreadable and empty ones have none.
    """

    kind: npt.NDArray[np.int8]
    missing: Mask
    unreadable: npt.NDArray[np.int8]
    empty: Mask
    has_z: Mask
    has_m: Mask
    non_finite: Mask
    open_gap: Floats
    rings: Rings
    lines: Lines
    points: Points

    def __len__(self) -> int:
        return len(self.kind)

    def with_rings(self, rings: Rings) -> Parsed:
        """Return the same with other polygons, for example after a repair."""
        if len(rings) != len(self):
            raise ShapeError(f"{len(rings):,} polygons for {len(self):,} rows")
        return replace(self, rings=rings)


class Rewritten(NamedTuple):
    """WKB with other coordinates, and the rows that could not be written (null in ``wkb``)."""

    wkb: pa.Array
    failed: Mask


@dataclass(frozen=True, slots=True)
class _Buffers:
    data: npt.NDArray[np.uint8]
    offset: Ints
    present: Mask

    @classmethod
    def of(cls, geometry: pa.Array) -> _Buffers:
        if isinstance(geometry, pa.ChunkedArray):
            geometry = geometry.combine_chunks()
        if not (pa.types.is_binary(geometry.type) or pa.types.is_large_binary(geometry.type)):
            raise ShapeError(
                f"geometry of type {geometry.type}",
                remedy="give a column of binary or large_binary",
            )
        geometry.validate(full=True)  # the kernels trust the offsets
        n = len(geometry)
        wide = pa.types.is_large_binary(geometry.type)
        _, offsets, data = geometry.buffers()
        if offsets is None or n == 0:
            offset = np.zeros(n + 1, np.int64)
        else:
            number = np.frombuffer(offsets, np.int64 if wide else np.int32)
            offset = number[geometry.offset : geometry.offset + n + 1].astype(np.int64)
        return cls(
            np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8),
            offset,
            geometry.is_valid().to_numpy(zero_copy_only=False),
        )


def _starts(counts: Ints) -> Ints:
    out = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=out[1:])
    return out


def _surveyed(source: _Buffers, raw: bool, threads: int | None) -> tuple[Ints, Floats]:
    n = len(source.present)
    rows, gaps = np.zeros((n, 7), np.int64), np.zeros(n)
    over_blocks(
        lambda a, b: walk.survey(source.data, source.offset, source.present, raw, a, b, rows, gaps),
        n,
        threads=threads,
    )
    return rows, gaps


def _gathered(
    source: _Buffers, rows: Ints, wanted: Mask, raw: bool, threads: int | None
) -> tuple[Floats, Ints, Ints, tuple[Ints, Ints, Ints]]:
    """Return points, first point of each run, first run of each part, and first of each a row."""
    point, run, part = (_starts(np.where(wanted, rows[:, k], 0)) for k in (3, 4, 5))
    xy = np.empty((point[-1], 2), np.uint64)
    runs, parts = np.empty(run[-1] + 1, np.int64), np.empty(part[-1] + 1, np.int64)
    runs[-1], parts[-1] = point[-1], run[-1]
    over_blocks(
        lambda a, b: walk.gather(
            source.data, source.offset, wanted, raw, a, b, point, run, part, xy, runs, parts
        ),
        len(wanted) if wanted.any() else 0,
        threads=threads,
    )
    return xy.view(np.float64), runs, parts, (point, run, part)


def parse(geometry: pa.Array, kind: Kind = "any", *, threads: int | None = None) -> Parsed:
    """Read a column of WKB straight from its buffers.

    Parameters
    ----------
    geometry : pyarrow.Array of binary or large_binary
        ISO WKB or EWKB, either byte order, with Z and M or without; sliced, with nulls.
        The bytes may be hostile: nothing is read outside a row, no count is believed.
    kind : {"polygon", "line", "point", "any"}
        Whose coordinates are kept. What a row is, is told of every row.
    threads : int, optional

    Raises
    ------
    ShapeError
        Not a column of binary.
    """
    source = _Buffers.of(geometry)
    rows, gaps = _surveyed(source, False, threads)
    code, flags, why = rows[:, 0], rows[:, 1], rows[:, 2]
    readable = source.present & (why == 0)

    def wanted(family: str) -> Mask:
        if kind not in (family, "any"):
            return np.zeros(len(code), np.bool_)
        return np.asarray(readable & np.isin(code, _FAMILY[family]), np.bool_)

    xy, ring, part, (_, _, shape) = _gathered(source, rows, wanted("polygon"), False, threads)
    line_xy, line, _, (_, line_shape, _) = _gathered(source, rows, wanted("line"), False, threads)
    point_xy, _, _, (point_shape, _, _) = _gathered(source, rows, wanted("point"), False, threads)
    return Parsed(
        np.where(why == 0, code, 0).astype(np.int8),
        ~source.present,
        why.astype(np.int8),
        readable & (rows[:, 3] == 0) & (code <= 7),
        readable & (flags & walk.HAS_Z != 0),
        readable & (flags & walk.HAS_M != 0),
        readable & (flags & walk.NON_FINITE != 0),
        gaps,
        Rings(xy, ring, part, shape),
        Lines(line_xy, line, line_shape),
        Points(point_xy, point_shape),
    )


def coordinates_of(geometry: pa.Array, *, threads: int | None = None) -> tuple[Floats, Ints]:
    """Return all coordinates (x, y) in the order of the bytes, and the first one of each row.

    An empty point counts as one of NaN. Unreadable and unsupported rows have none.
    """
    source = _Buffers.of(geometry)
    rows, _ = _surveyed(source, True, threads)
    wanted = source.present & (rows[:, 2] == 0) & (rows[:, 0] <= 7)
    xy, _, _, (point, _, _) = _gathered(source, rows, wanted, True, threads)
    return xy, point


def with_coordinates(
    geometry: pa.Array,
    transform: Callable[[Floats], Floats] | None,
    *,
    srid: int | None = None,
    multi: bool = False,
    threads: int | None = None,
) -> Rewritten:
    """Write geometries again with other coordinates; Z and M are left out.

    Parameters
    ----------
    geometry : pyarrow.Array of binary or large_binary
    transform : callable, optional
        From and to coordinates of shape (points, 2); absent: they stay as they are.
    srid : int, optional
        Written into the header of each row (EWKB); absent: ISO WKB.
    multi : bool
        Points, lines and polygons become multi-points, multi-lines and multi-polygons.

    Returns
    -------
    Rewritten
        Failed are rows that are unreadable, of an unsupported kind, or have a coordinate that
        is not finite afterwards (empty points excepted).
    """
    source = _Buffers.of(geometry)
    rows, _ = _surveyed(source, True, threads)
    code = rows[:, 0]
    wanted = source.present & (rows[:, 2] == 0) & (code <= 7)
    xy, _, _, (point, _, _) = _gathered(source, rows, wanted, True, threads)
    void = np.asarray(np.isnan(xy).all(axis=1), np.bool_)  # an empty point
    if transform is not None:
        xy = np.array(transform(xy), dtype=np.float64, order="C")
        if xy.shape != (len(void), 2):
            raise ShapeError(f"{len(void):,} coordinates went in, {xy.shape} came out")
        xy[void] = np.nan
    lost = ~void & ~np.isfinite(xy).all(axis=1)
    if lost.any():
        wanted[np.searchsorted(point, np.flatnonzero(lost), side="right") - 1] = False
    size = rows[:, 6] + (0 if srid is None else 4) + np.where(multi & (code < 4), 9, 0)
    to = _starts(np.where(wanted, size, 0))
    out = np.empty(to[-1], np.uint8)
    over_blocks(
        lambda a, b: compose.rewrite(
            source.data, source.offset, wanted, code, multi, -1 if srid is None else srid, a, b,
            point, xy.reshape(-1).view(np.uint8), to, out,
        ),
        len(wanted),
        threads=threads,
    )  # fmt: skip
    return Rewritten(_binary(to, out, wanted), source.present & ~wanted)


def write_multipolygon(
    rings: Rings,
    which: npt.ArrayLike | None = None,
    srid: int | None = None,
    *,
    single: bool = False,
    threads: int | None = None,
) -> pa.Array:
    """Return polygons as WKB, little-endian.

    Parameters
    ----------
    rings : Rings
    which : array of int, optional
        Numbers of the shapes, in the order wanted; absent: all.
    srid : int, optional
        Written into the header (EWKB); absent: ISO WKB.
    single : bool
        A shape of one part is written as a polygon, not as a multi-polygon of one.

    Returns
    -------
    pyarrow.BinaryArray
        Null for a shape without parts. ``LargeBinaryArray`` above 2 GB.
    """
    wanted = (
        np.arange(len(rings), dtype=np.int64)
        if which is None
        else np.ascontiguousarray(which, dtype=np.int64)
    )
    if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(rings)):
        raise ShapeError(f"shape {int(wanted.max())} of {len(rings)}")
    # where the parts of a shape begin, in parts, in rings and in points; and where they end
    shape = rings.shape_start
    part = np.stack([shape[wanted], shape[wanted + 1]])
    ring = rings.part_start[part]
    parts, ring_n, points = (e - b for b, e in (part, ring, rings.ring_start[ring]))
    head = 5 if srid is None else 9
    bare = (parts == 1) if single else np.zeros(len(wanted), np.bool_)
    size = np.where(bare, head + 4, head + 4 + 9 * parts) + 4 * ring_n + 16 * points
    to = _starts(np.where(parts > 0, size, 0))
    out = np.empty(to[-1], np.uint8)
    xy = np.ascontiguousarray(rings.xy, dtype="<f8").reshape(-1).view(np.uint8)
    over_blocks(
        lambda a, b: compose.write_polygons(
            wanted, single, -1 if srid is None else srid, a, b,
            xy, rings.ring_start, rings.part_start, shape, to, out,
        ),
        len(wanted),
        threads=threads,
    )  # fmt: skip
    return _binary(to, out, parts > 0)


def _binary(offset: Ints, data: npt.NDArray[np.uint8], valid: Mask) -> pa.Array:
    small = offset[-1] < 2**31
    bits = None if valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    number = offset.astype(np.int32) if small else offset
    return pa.Array.from_buffers(
        pa.binary() if small else pa.large_binary(),
        len(valid),
        [bits, pa.py_buffer(number), pa.py_buffer(data)],
    )
