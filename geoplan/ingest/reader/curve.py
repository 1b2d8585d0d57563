"""Curved WKB made straight: arcs become chords, unsupported surfaces are named."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from geoplan.errors import InputError
from geoplan.ingest.reader.arc import arc_through

__all__ = [
    "KINDS",
    "BrokenWkb",
    "UnsupportedKind",
    "kind_of",
    "kinds_of",
    "needs_straightening",
    "straighten",
]

KINDS = {
    1: "POINT",
    2: "LINESTRING",
    3: "POLYGON",
    4: "MULTIPOINT",
    5: "MULTILINESTRING",
    6: "MULTIPOLYGON",
    7: "GEOMETRYCOLLECTION",
    8: "CIRCULARSTRING",
    9: "COMPOUNDCURVE",
    10: "CURVEPOLYGON",
    11: "MULTICURVE",
    12: "MULTISURFACE",
    13: "CURVE",
    14: "SURFACE",
    15: "POLYHEDRALSURFACE",
    16: "TIN",
    17: "TRIANGLE",
}
"""Names of the geometry kinds by their ISO 13249-3 code."""

_LINE, _POLYGON, _COLLECTION = 2, 3, 7
_ARCS, _COMPOUND, _CURVE_POLYGON = 8, 9, 10
_PARTS = frozenset({4, 5, 6, 7, 11, 12})
_UNSUPPORTED = frozenset({13, 14, 15, 16, 17})
_STRAIGHT = {8: 2, 9: 2, 10: 3, 11: 5, 12: 6}
_DEEPEST = 32
_MOST_VERTICES = 4_000_000

Floats = npt.NDArray[np.float64]


class UnsupportedKind(InputError):
    """A surface that is no plan: TIN, POLYHEDRALSURFACE, TRIANGLE; ``kind`` is its name."""

    def __init__(self, kind: str) -> None:
        super().__init__(
            f"geometry of the kind {kind} is not supported",
            remedy="save it as polygons (in QGIS: 'Multipart to singleparts' or 'Explode')",
        )
        self.kind = kind


class BrokenWkb(InputError):
    """Bytes that are not well-known binary, or end too early."""

    def __init__(self, why: str) -> None:
        super().__init__(f"a geometry is no well-known binary: {why}")


@dataclass(slots=True)
class _Source:
    data: bytes
    at: int = 0
    vertices: int = 0

    def number(self, layout: str, size: int) -> int:
        try:
            (found,) = struct.unpack_from(layout, self.data, self.at)
        except struct.error:
            raise BrokenWkb(f"it ends after {len(self.data):,} bytes") from None
        self.at += size
        return int(found)

    def head(self) -> tuple[str, int, bool, bool]:
        """Read byte order, kind and dimensions; a reference system (EWKB) is passed over."""
        mark = self.number("<B", 1)
        if mark > 1:
            raise BrokenWkb(f"byte order {mark} at byte {self.at - 1}")
        order = "<" if mark else ">"
        code = self.number(order + "I", 4)
        kind, has_z, has_m = _split(code)
        if kind not in KINDS:
            raise BrokenWkb(f"kind {code} at byte {self.at - 4}")
        if code & 0x20000000:
            self.number(order + "I", 4)
        return order, kind, has_z, has_m

    def count(self, order: str, least_bytes: int) -> int:
        count = self.number(order + "I", 4)
        if count * least_bytes > len(self.data) - self.at:
            raise BrokenWkb(f"{count:,} parts are announced at byte {self.at - 4}")
        return count

    def points(self, order: str, dims: int) -> Floats:
        count = self.count(order, dims * 8)
        found = np.frombuffer(self.data, order + "f8", count * dims, self.at)
        self.at += found.nbytes
        return found.reshape(count, dims).astype(np.float64)


def _split(code: int) -> tuple[int, bool, bool]:
    """Return kind, Z and M of an ISO or EWKB type code."""
    bare = code & 0x0FFFFFFF
    thousands = bare // 1000
    return (
        bare % 1000,
        bool(code & 0x80000000) or thousands in (1, 3),
        bool(code & 0x40000000) or thousands in (2, 3),
    )


def kind_of(wkb: bytes) -> tuple[str, bool, bool]:
    """Return the kind of a geometry, and whether it has Z and M.

    Parameters
    ----------
    wkb : bytes
        WKB, ISO WKB or EWKB in either byte order.

    Raises
    ------
    BrokenWkb
        The bytes are no WKB.

    Examples
    --------
    >>> kind_of(bytes.fromhex("01f0030000") + bytes(4))
    ('CIRCULARSTRING', True, False)
    """
    _, kind, has_z, has_m = _Source(wkb).head()
    return KINDS[kind], has_z, has_m


def kinds_of(
    column: pa.Array,
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return kind, Z and M of every row of a column of WKB, without walking its rows in Python.

    Parameters
    ----------
    column : pyarrow binary or large_binary array
        WKB, ISO WKB or EWKB; null where a row has no geometry.

    Returns
    -------
    kinds : ndarray of int16
        Codes as in ``KINDS``; 0 for null, −1 where the bytes are no WKB.
    has_z, has_m : ndarray of bool
    """
    wide = pa.types.is_large_binary(column.type)
    rows = len(column)
    kinds = np.zeros(rows, dtype=np.int16)
    if rows == 0 or column.null_count == rows:
        return kinds, np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    _, offsets, data = column.buffers()
    starts = np.frombuffer(
        offsets, np.int64 if wide else np.int32, rows + 1, column.offset * (8 if wide else 4)
    ).astype(np.int64)
    heads = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    there = np.ones(rows, dtype=bool)
    if column.null_count:
        there = np.asarray(column.is_valid())
    # A library that read damaged bytes may hand out offsets that leave their buffer.
    sound = (np.diff(starts) >= 5) & (starts[:-1] >= 0) & (starts[1:] <= len(heads))
    use = np.flatnonzero(there & sound)
    first = starts[use]
    order = heads[first]
    bytes4 = [heads[first + k].astype(np.uint32) for k in range(1, 5)]
    little = bytes4[0] | bytes4[1] << 8 | bytes4[2] << 16 | bytes4[3] << 24
    big = bytes4[3] | bytes4[2] << 8 | bytes4[1] << 16 | bytes4[0] << 24
    code = np.where(order == 1, little, big)
    bare = code & 0x0FFFFFFF
    kind = (bare % 1000).astype(np.int16)
    thousands = bare // 1000
    known = (order <= 1) & (kind >= 1) & (kind <= max(KINDS)) & (thousands <= 3)
    kinds[there] = -1
    kinds[use] = np.where(known, kind, -1)
    has_z, has_m = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    has_z[use] = known & (((code & 0x80000000) != 0) | (thousands == 1) | (thousands == 3))
    has_m[use] = known & (((code & 0x40000000) != 0) | (thousands == 2) | (thousands == 3))
    return kinds, has_z, has_m


def needs_straightening(column: pa.Array) -> npt.NDArray[np.bool_]:
    """Tell for every row of a column of WKB whether it must go through :func:`straighten`.

    True for curves and for all kinds that may hold or be what is refused: collections,
    surfaces, bytes that are no WKB. False for null and for the plain straight kinds.
    """
    kinds, _, _ = kinds_of(column)
    return (kinds >= _COLLECTION) | (kinds < 0)


def straighten(wkb: bytes, tolerance: float) -> tuple[bytes, bool]:
    """Return a geometry with chords in place of its arcs.

    Parameters
    ----------
    wkb : bytes
        WKB, ISO WKB or EWKB in either byte order.
    tolerance : float, units of the coordinates
        Largest distance between an arc and its chords.

    Returns
    -------
    wkb : bytes
        ISO WKB, little-endian, with the dimensions of the source: CIRCULARSTRING and
        COMPOUNDCURVE become LINESTRING, CURVEPOLYGON POLYGON, MULTICURVE MULTILINESTRING,
        MULTISURFACE MULTIPOLYGON. The bytes given, where nothing is curved.
    changed : bool
        Whether anything was curved.

    Raises
    ------
    UnsupportedKind
        TIN, POLYHEDRALSURFACE, TRIANGLE, alone or in a collection.
    BrokenWkb
        The bytes are no WKB.
    RangeError
        An arc needs too many chords.
    """
    source = _Source(wkb)
    out = bytearray()
    if not _copy(source, out, tolerance, 0):
        return wkb, False
    return bytes(out), True


def _iso(kind: int, has_z: bool, has_m: bool) -> bytes:
    return struct.pack("<BI", 1, kind + 1000 * has_z + 2000 * has_m)


def _copy(source: _Source, out: bytearray, tolerance: float, depth: int) -> bool:
    """Write one geometry to ``out`` as straight ISO WKB; tell whether it was curved."""
    if depth > _DEEPEST:
        raise BrokenWkb(f"it is nested more than {_DEEPEST} deep")
    order, kind, has_z, has_m = source.head()
    dims = 2 + has_z + has_m
    if kind in _UNSUPPORTED:
        raise UnsupportedKind(KINDS[kind])
    out += _iso(_STRAIGHT.get(kind, kind), has_z, has_m)
    if kind == 1:
        end = source.at + 8 * dims
        if end > len(source.data):
            raise BrokenWkb(f"it ends after {len(source.data):,} bytes")
        out += np.frombuffer(source.data, order + "f8", dims, source.at).astype("<f8").tobytes()
        source.at = end
        return False
    if kind == _LINE:
        _write(out, source.points(order, dims))
        return False
    if kind == _POLYGON:
        rings = source.count(order, 4)
        out += struct.pack("<I", rings)
        for _ in range(rings):
            _write(out, source.points(order, dims))
        return False
    if kind in (_ARCS, _COMPOUND):
        _write(out, _curve(source, order, kind, dims, tolerance, depth))
        return True
    if kind == _CURVE_POLYGON:
        rings = source.count(order, 9)
        out += struct.pack("<I", rings)
        for _ in range(rings):
            _write(out, _member(source, dims, tolerance, depth + 1))
        return True
    parts = source.count(order, 5)
    out += struct.pack("<I", parts)
    curved = [_copy(source, out, tolerance, depth + 1) for _ in range(parts)]
    return kind in (11, 12) or any(curved)


def _member(source: _Source, dims: int, tolerance: float, depth: int) -> Floats:
    """Return the vertices of one ring or one piece of a compound curve."""
    if depth > _DEEPEST:
        raise BrokenWkb(f"it is nested more than {_DEEPEST} deep")
    order, kind, has_z, has_m = source.head()
    if 2 + has_z + has_m != dims:
        raise BrokenWkb(f"its parts differ in dimensions at byte {source.at}")
    if kind == _LINE:
        return source.points(order, dims)
    if kind in (_ARCS, _COMPOUND):
        return _curve(source, order, kind, dims, tolerance, depth)
    raise BrokenWkb(f"a ring or curve holds a {KINDS[kind]}")


def _curve(
    source: _Source, order: str, kind: int, dims: int, tolerance: float, depth: int
) -> Floats:
    if kind == _COMPOUND:
        count = source.count(order, 9)
        pieces = [_member(source, dims, tolerance, depth + 1) for _ in range(count)]
    else:
        points = source.points(order, dims)
        if len(points) and (len(points) < 3 or len(points) % 2 == 0):
            raise BrokenWkb(f"a CIRCULARSTRING has {len(points)} points")
        pieces = []
        for k in range(0, len(points) - 2, 2):
            pieces.append(arc_through(points[k], points[k + 1], points[k + 2], tolerance))
            source.vertices += len(pieces[-1])
            if source.vertices > _MOST_VERTICES:
                raise BrokenWkb(f"its arcs need more than {_MOST_VERTICES:,} chords")
    pieces = [p for p in pieces if len(p)]
    if not pieces:
        return np.empty((0, dims))
    joined = [pieces[0]]
    for before, piece in pairwise(pieces):
        joined.append(piece[1:] if (before[-1] == piece[0]).all() else piece)
    return np.concatenate(joined)


def _write(out: bytearray, points: Floats) -> None:
    out += struct.pack("<I", len(points))
    out += np.ascontiguousarray(points, dtype="<f8").tobytes()
