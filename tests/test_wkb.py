"""Well-known binary: read as shapely reads it, hostile bytes survived, coordinates rewritten."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.cadastre.rings import Rings
from geoplan.cadastre.walk import UNREADABLE
from geoplan.cadastre.wkb import (
    coordinates_of,
    parse,
    with_coordinates,
    write_multipolygon,
)
from geoplan.errors import ShapeError

number = st.floats(-1e7, 1e7, allow_nan=False, allow_subnormal=False) | st.sampled_from(
    [0.0, -0.0, 1.0, 539_123.25]
)
place = st.tuples(number, number, number, number)


def _closed(ring: list[tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [*ring, ring[0]]


ring = st.lists(place, min_size=3, max_size=6).map(_closed)
polygon = st.lists(ring, min_size=0, max_size=3)
line = st.just([]) | st.lists(place, min_size=2, max_size=5)
single = st.one_of(
    st.tuples(st.just(1), st.none() | place),
    st.tuples(st.just(2), line),
    st.tuples(st.just(3), polygon),
)
several = st.one_of(
    st.tuples(st.just(4), st.lists(place.map(lambda p: (1, p)), max_size=3)),
    st.tuples(st.just(5), st.lists(line.map(lambda p: (2, p)), max_size=3)),
    st.tuples(st.just(6), st.lists(polygon.map(lambda p: (3, p)), max_size=3)),
)
geometry = st.recursive(
    single | several,
    lambda inner: st.tuples(st.just(7), st.lists(inner, max_size=3)),
    max_leaves=5,
)


def encoded(shape: tuple[int, object], draw: random.Random, z: bool, m: bool, iso: bool) -> bytes:
    """Write WKB of our own, byte order and SRID by chance at each level."""
    base, body = shape
    order = draw.choice("<>")
    srid = not iso and draw.random() < 0.3
    word = base + (1000 * z + 2000 * m if iso else 0)
    if not iso:
        word |= (0x80000000 if z else 0) | (0x40000000 if m else 0) | (0x20000000 if srid else 0)
    out = struct.pack(order + "BI", order == "<", word)
    if srid:
        out += struct.pack(order + "I", 32639)

    def points(found: list[tuple[float, ...]]) -> bytes:
        return b"".join(struct.pack(order + "d" * (2 + z + m), *p[: 2 + z + m]) for p in found)

    if base == 1:
        return out + points([body if body is not None else (np.nan,) * 4])  # type: ignore[list-item]
    out += struct.pack(order + "I", len(body))  # type: ignore[arg-type]
    if base == 2:
        return out + points(body)  # type: ignore[arg-type]
    for inner in body:  # type: ignore[attr-defined]
        if base == 3:
            out += struct.pack(order + "I", len(inner)) + points(inner)
        else:
            out += encoded(inner, draw, z, m, iso)
    return out


def parts_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Leave out empty parts, as parsed rings do."""
    full = [p for p in shapely.get_parts(shape) if not p.is_empty]
    return full[0] if len(full) == 1 else shapely.multipolygons(full)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(geometry, min_size=1, max_size=4),
    st.randoms(use_true_random=False),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_as_shapely_reads_it(
    shapes: list[tuple[int, object]], draw: random.Random, z: bool, m: bool, iso: bool
) -> None:
    raw = [None, *(encoded(s, draw, z, m, iso) for s in shapes), None]
    column = pa.array(raw, draw.choice([pa.binary(), pa.large_binary()]))
    cut = draw.randrange(2)
    found = parse(column[cut:], "any")
    truth = shapely.from_wkb(np.array(raw[cut:], dtype=object))
    assert not found.unreadable.any()
    for i, shape in enumerate(truth):
        if shape is None:
            assert found.missing[i]
            assert found.kind[i] == 0
            continue
        assert found.kind[i] == shapes[i + cut - 1][0]
        assert bool(found.empty[i]) == shape.is_empty
        assert (found.has_z[i], found.has_m[i]) == (z, m)
        kind = found.kind[i]
        if kind in (3, 6) and not shape.is_empty:
            mine = found.rings.shapes([i])[0]
            assert shapely.equals_exact(mine, parts_of(shapely.force_2d(shape)))
        if kind in (2, 5):
            a, b = found.lines.shape_start[i], found.lines.shape_start[i + 1]
            starts = found.lines.line_start[a : b + 1]
            full = [p for p in shapely.get_parts(shape) if not p.is_empty]
            assert len(full) == b - a
            for part, s, e in zip(full, starts[:-1], starts[1:], strict=True):
                np.testing.assert_array_equal(found.lines.xy[s:e], shapely.get_coordinates(part))
        if kind in (1, 4):
            a, b = found.points.shape_start[i], found.points.shape_start[i + 1]
            np.testing.assert_array_equal(found.points.xy[a:b], shapely.get_coordinates(shape))


@settings(max_examples=80, deadline=None)
@given(st.lists(geometry, min_size=1, max_size=4), st.randoms(use_true_random=False), st.booleans())
def test_rewritten_as_shapely_transforms_it(
    shapes: list[tuple[int, object]], draw: random.Random, iso: bool
) -> None:
    raw = [*(encoded(s, draw, True, True, iso) for s in shapes), None]
    out, failed = with_coordinates(pa.array(raw, pa.binary()), lambda xy: xy * 2 + 1, srid=4326)
    assert not failed.any()
    truth = shapely.transform(
        shapely.force_2d(shapely.from_wkb(np.array(raw, dtype=object))), lambda xy: xy * 2 + 1
    )
    mine = shapely.from_wkb(np.array(out.to_pylist(), dtype=object))
    assert mine[-1] is None
    for a, b in zip(mine[:-1], truth[:-1], strict=True):
        assert shapely.equals_exact(a, b)
        assert shapely.get_srid(a) == 4326
        assert not a.has_z
    plain = with_coordinates(pa.array(raw, pa.binary()), None).wkb
    xy, start = coordinates_of(pa.array(raw, pa.binary()))
    same, again = coordinates_of(plain)
    np.testing.assert_array_equal(xy, same)
    np.testing.assert_array_equal(start, again)


def test_every_beginning_of_a_geometry_is_too_short() -> None:
    shape = shapely.from_wkt(
        "GEOMETRYCOLLECTION(POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1)),MULTIPOINT(1 2,3 4),"
        "MULTILINESTRING((0 0,1 1)))"
    )
    whole = shapely.to_wkb(shape)
    found = parse(pa.array([whole[:n] for n in range(len(whole))], pa.binary()))
    assert set(found.unreadable) == {1}
    assert not found.kind.any()
    assert parse(pa.array([whole + b"\0"], pa.binary())).unreadable[0] == 2


def head(word: int, count: int | None = None) -> bytes:
    return struct.pack("<BI", 1, word) + (b"" if count is None else struct.pack("<I", count))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", 1),
        (b"\x02" + bytes(20), 3),
        (head(0), 4),
        (head(18), 4),
        (head(4001), 4),
        (head(3, 0xFFFFFFFF), 1),  # four thousand million rings
        (head(6, 0xFFFFFFFF), 1),
        (head(2, 0x10000000) + bytes(64), 1),
        (head(6, 1) + head(2, 0), 5),
        (head(7, 1) * 40, 6),
        (head(3, 2) + struct.pack("<I", 0) + struct.pack("<I2d", 1, 0, 0), 7),
        (head(7, 1) + head(10, 0), 8),
    ],
)
def test_hostile_bytes_have_a_reason(raw: bytes, why: int) -> None:
    found = parse(pa.array([raw, shapely.to_wkb(shapely.box(0, 0, 1, 1))], pa.binary()))
    assert list(found.unreadable) == [why, 0]
    assert why in UNREADABLE
    assert len(found.rings.shapes([1])[0].exterior.coords) == 5


def test_curves_and_surfaces_are_named_not_read() -> None:
    found = parse(pa.array([head(16, 0), head(1015, 3), head(0x80000000 | 10, 1)], pa.binary()))
    assert list(found.kind) == [16, 15, 10]
    assert not found.unreadable.any()
    assert with_coordinates(pa.array([head(16, 0)], pa.binary()), None).failed.all()


def ring_wkb(*rings: list[tuple[float, float]]) -> bytes:
    out = head(3, len(rings))
    for r in rings:
        out += struct.pack("<I", len(r)) + b"".join(struct.pack("<2d", *p) for p in r)
    return out


def test_rings_are_closed_and_filled_up() -> None:
    column = pa.array(
        [
            ring_wkb([(0, 0), (4, 0), (4, 3)]),
            ring_wkb([(1, 1)]),
            ring_wkb([(0, 0), (1, 0), (1, 1), (0, 0)], []),
            ring_wkb([(-0.0, 0), (1, 0), (1, 1), (0, -0.0)]),
        ],
        pa.binary(),
    )
    found = parse(column, "polygon")
    assert list(found.open_gap) == [5.0, 0, 0, 0]
    assert list(np.diff(found.rings.ring_start)) == [4, 4, 4, 4]
    assert found.rings.xy[3].tolist() == [0, 0]
    assert found.rings.xy[4:8].tolist() == [[1, 1]] * 4


def test_coordinates_that_are_no_numbers() -> None:
    nan, inf = float("nan"), float("inf")
    raw = [
        ring_wkb([(0, 0), (1, 0), (nan, 1), (0, 0)]),
        ring_wkb([(0, 0), (1, -inf), (1, 1), (0, 0)]),
        struct.pack("<BI2d", 1, 1, nan, 0),
        struct.pack("<BI2d", 1, 1, nan, nan),
        struct.pack("<BI3d", 1, 1001, 1, 2, nan),  # only Z
        ring_wkb([(0, 0), (1, 0), (2.0**40, 1), (0, 0)]),
        ring_wkb([(0, 0), (1, 0), (2.0**40 - 1, 1), (0, 0)]),
        ring_wkb([(0, 0), (1, 0), (1, -1e-310), (0, 0)]),
    ]
    found = parse(pa.array(raw, pa.binary()))
    assert list(found.non_finite) == [True, True, True, False, False, True, False, True]
    assert list(found.empty) == [False, False, False, True, False, False, False, False]
    out, failed = with_coordinates(pa.array(raw, pa.binary()), lambda xy: xy + 1)
    assert list(failed) == [True, True, True, False, False, False, False, False]
    assert shapely.from_wkb(out[4].as_py()).equals(shapely.Point(2, 3))
    assert shapely.from_wkb(out[3].as_py()).is_empty


@pytest.mark.parametrize("single", [True, False])
def test_polygons_are_written_as_postgis_takes_them(single: bool) -> None:
    two = shapely.from_wkt(
        "MULTIPOLYGON(((0 0,9 0,9 9,0 0),(4 1,5 1,5 2,4 1)),((20 0,21 0,21 1,20 0)))"
    )
    shapes = np.array([shapely.box(0, 0, 1, 2), None, two], dtype=object)
    out = write_multipolygon(Rings.of(shapes), [2, 0, 1, 2], 32639, single=single)
    assert out.type == pa.binary()
    back = shapely.from_wkb(np.array(out.to_pylist(), dtype=object))
    assert list(shapely.get_type_id(back)) == [6, 3 if single else 6, -1, 6]
    assert list(shapely.get_srid(back[[0, 1]])) == [32639, 32639]
    assert shapely.equals_exact(back[0], two)
    assert shapely.equals_exact(shapely.get_parts(back[1])[0], shapes[0])
    assert out[0].as_py() == shapely.to_wkb(shapely.set_srid(two, 32639), include_srid=True)
    with pytest.raises(ShapeError):
        write_multipolygon(Rings.of(shapes), [3])


def test_promotion_to_several() -> None:
    raw = [shapely.to_wkb(shapely.Point(1, 2)), shapely.to_wkb(shapely.box(0, 0, 1, 1))]
    out = with_coordinates(pa.array(raw, pa.binary()), None, srid=7, multi=True).wkb
    back = shapely.from_wkb(np.array(out.to_pylist(), dtype=object))
    assert [b.geom_type for b in back] == ["MultiPoint", "MultiPolygon"]


def test_only_binary_columns() -> None:
    with pytest.raises(ShapeError, match="string"):
        parse(pa.array(["POINT (1 2)"]))
    assert len(parse(pa.array([], pa.binary()))) == 0
    assert len(parse(pa.chunked_array([pa.array([None], pa.binary())]))) == 1


def mutated(seed: int, count: int) -> list[bytes]:
    """Return geometries with bits flipped, bytes cut out, and bytes made up."""
    draw = random.Random(seed)
    shapes = [
        shapely.box(0, 0, 5, 5),
        shapely.from_wkt("MULTIPOLYGON Z(((0 0 1,9 0 1,9 9 1,0 0 1),(4 1 1,5 1 1,5 2 1,4 1 1)))"),
        shapely.from_wkt("GEOMETRYCOLLECTION(LINESTRING(0 0,1 1),MULTIPOINT(1 2,3 4))"),
    ]
    out = []
    for _ in range(count):
        raw = bytearray(shapely.to_wkb(draw.choice(shapes), byte_order=draw.randrange(2)))
        for _ in range(draw.randrange(1, 4)):
            what = draw.randrange(3)
            at = draw.randrange(len(raw))
            if what == 0:
                raw[at] ^= 1 << draw.randrange(8)
            elif what == 1:
                raw[at : at + 4] = draw.choice([b"\xff" * 4, bytes(4), b"\x01\0\0\0"])
            elif len(raw) > 4:
                del raw[at : at + draw.randrange(1, 9)]
            if not raw:
                raw = bytearray(1)
        out.append(bytes(raw))
    return out


@pytest.mark.filterwarnings("ignore:invalid value")
def test_damaged_bytes_are_read_as_geos_reads_them_or_not_at_all() -> None:
    raw = mutated(1, 20_000)
    found = parse(pa.array(raw, pa.binary()))
    straight = np.where((found.kind > 7) | (found.unreadable == 8), None, np.array(raw, object))
    truth = shapely.from_wkb(straight, on_invalid="ignore")
    read = 0
    for i, shape in enumerate(truth):
        # GEOS lets bytes lie behind the end, and passes over bits of the type that mean nothing
        if shape is None or found.unreadable[i] in (2, 3, 4):
            continue
        assert found.unreadable[i] == 0, raw[i].hex()
        read += 1
        if found.kind[i] in (3, 6) and not shape.is_empty and not found.non_finite[i]:
            mine = found.rings.shapes([i])[0]
            assert shapely.equals_exact(mine, parts_of(shapely.force_2d(shape)))
    assert read > 500


def test_no_byte_outside_a_row_is_touched() -> None:
    """The same loops without compiling: Python would raise IndexError beyond the last byte."""
    program = (
        "import pyarrow as pa\n"
        "from tests.test_wkb import mutated\n"
        "from geoplan.cadastre.wkb import parse, with_coordinates\n"
        "for raw in mutated(2, 1500):\n"
        "    column = pa.array([raw], pa.binary())\n"
        "    parse(column, threads=1)\n"
        "    with_coordinates(column, None, threads=1)\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": "."},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
