"""Arcs as chords: hand-worked counts, the tolerance kept, neighbours that keep sharing vertices."""

from __future__ import annotations

import math
import shutil
import struct
import subprocess

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoplan.errors import RangeError
from geoplan.ingest.reader.arc import arc_through, bulge_arc, chords_of
from geoplan.ingest.reader.curve import (
    BrokenWkb,
    UnsupportedKind,
    kind_of,
    kinds_of,
    needs_straightening,
    straighten,
)

near = st.floats(-1000, 1000)
EAST, NORTH = 512_345.678, 3_945_678.123


def _coords(points: list[tuple[float, ...]], order: str) -> bytes:
    flat = [v for p in points for v in p]
    return struct.pack(f"{order}I{len(flat)}d", len(points), *flat)


def _head(kind: int, order: str = "<") -> bytes:
    return struct.pack(order + "BI", 1 if order == "<" else 0, kind)


def arcs(points: list[tuple[float, ...]], kind: int = 8, order: str = "<") -> bytes:
    return _head(kind, order) + _coords(points, order)


def parts(kind: int, members: list[bytes], order: str = "<") -> bytes:
    return _head(kind, order) + struct.pack(order + "I", len(members)) + b"".join(members)


def test_number_of_chords_by_hand() -> None:
    # r = 10, tol = 0.01: 2 acos(0.999) = 0.0894465…; π / 0.0894465 = 35.12 → 36
    assert chords_of(math.pi, 10.0, 0.01) == 36
    # a quarter circle a chord at least, however large the tolerance
    assert chords_of(2 * math.pi, 0.001, 5.0) == 4
    assert chords_of(math.pi, 0.0, 5.0) == 2
    with pytest.raises(RangeError, match="chords"):
        chords_of(math.pi, 1e15, 0.001)
    with pytest.raises(RangeError, match="tolerance"):
        chords_of(math.pi, 1.0, 0.0)


def test_half_circle_lies_on_its_circle_and_keeps_the_tolerance() -> None:
    made, changed = straighten(
        arcs([(EAST, NORTH), (EAST + 10, NORTH + 10), (EAST + 20, NORTH)]), 0.01
    )
    assert changed
    line = shapely.from_wkb(made)
    xy = shapely.get_coordinates(line)
    assert len(xy) == 37
    assert tuple(xy[0]) == (EAST, NORTH) and tuple(xy[-1]) == (EAST + 20, NORTH)
    away = np.hypot(xy[:, 0] - EAST - 10, xy[:, 1] - NORTH)
    assert np.abs(away - 10).max() < 1e-8
    middles = (xy[1:] + xy[:-1]) / 2
    sagitta = 10 - np.hypot(middles[:, 0] - EAST - 10, middles[:, 1] - NORTH)
    assert 0.009 < sagitta.max() <= 0.01


@given(near, near, near, near, near, near, st.sampled_from([0.001, 0.01, 1.0]))
def test_both_directions_give_the_same_vertices(ax, ay, bx, by, cx, cy, tolerance) -> None:
    a, b, c = (np.array([EAST + x, NORTH + y]) for x, y in ((ax, ay), (bx, by), (cx, cy)))
    try:
        there = arc_through(a, b, c, tolerance)
    except RangeError:
        return
    back = arc_through(c, b, a, tolerance)
    if (a == c).all():  # a full circle: the same points, the same way round
        assert {tuple(p) for p in there} == {tuple(p) for p in back}
    else:
        assert (there == back[::-1]).all()
    assert tuple(there[0]) == tuple(a) and tuple(there[-1]) == tuple(c)


@given(near, near, st.floats(-5, 5), st.sampled_from([0.001, 0.05]))
def test_bulges_too_and_they_are_arcs_through_their_middle(x, y, bulge, tolerance) -> None:
    a, b = np.array([EAST, NORTH]), np.array([EAST + x, NORTH + y])
    try:
        there = bulge_arc(a, b, bulge, tolerance)
    except RangeError:
        return
    assert (there == bulge_arc(b, a, -bulge, tolerance)[::-1]).all()
    if len(there) > 2:
        chord = b - a
        middle = (a + b) / 2 + bulge / 2 * np.array([chord[1], -chord[0]])
        same = arc_through(a, middle, b, tolerance)
        size = np.hypot(*chord) * (1 + bulge**2) / max(abs(bulge), 1e-6)
        if len(same) == len(there):
            assert np.abs(there - same).max() < 1e-6 * max(1.0, size)


def test_neighbours_over_a_shared_arc_leave_neither_gap_nor_overlap() -> None:
    a, m, b = (EAST, NORTH), (EAST + 7.31, NORTH + 12.9), (EAST + 3.3, NORTH + 30.07)
    left = [b, (EAST - 40, NORTH + 30.0), (EAST - 40, NORTH), a]
    right = [a, (EAST + 40, NORTH), (EAST + 40, NORTH + 30.0), b]
    west = parts(10, [parts(9, [arcs([a, m, b]), arcs(left, kind=2)])])
    east = parts(10, [parts(9, [arcs(right, kind=2), arcs([b, m, a])])])
    one, other = (shapely.from_wkb(straighten(w, 0.01)[0]) for w in (west, east))
    assert one.geom_type == "Polygon" and one.is_valid and other.is_valid
    assert shapely.coverage_is_valid([one, other])
    assert one.intersection(other).area == 0


def test_full_circle_from_either_of_two_opposite_starts() -> None:
    p, q = (EAST - 3, NORTH + 4), (EAST + 3, NORTH - 4)  # r = 5
    made = [
        shapely.Polygon(shapely.get_coordinates(shapely.from_wkb(straighten(arcs(ring), 0.01)[0])))
        for ring in ([p, q, p], [q, p, q])
    ]
    assert made[0].exterior.coords[0] == p and made[1].exterior.coords[0] == q
    assert set(made[0].exterior.coords) == set(made[1].exterior.coords)
    n = len(made[0].exterior.coords) - 1
    assert n == 2 * chords_of(math.pi, 5, 0.01)
    assert made[0].area == pytest.approx(n / 2 * 25 * math.sin(2 * math.pi / n), rel=1e-6)
    assert made[0].exterior.is_ccw


def test_what_is_no_arc_stays_as_it_is() -> None:
    line = shapely.from_wkb(straighten(arcs([(0, 0), (1, 1), (2, 2)]), 0.01)[0])
    assert list(line.coords) == [(0, 0), (1, 1), (2, 2)]
    broken = shapely.from_wkb(straighten(arcs([(0, 0), (math.nan, 1), (2, 2)]), 0.01)[0])
    assert len(broken.coords) == 3
    dot = shapely.from_wkb(straighten(arcs([(1, 1), (1, 1), (1, 1)]), 0.01)[0])
    assert set(dot.coords) == {(1, 1)}
    assert shapely.from_wkb(straighten(_head(8) + bytes(4), 0.01)[0]).is_empty


@pytest.mark.parametrize("order", ["<", ">"])
def test_heights_and_measures_run_along_and_ewkb_is_read(order: str) -> None:
    iso, _ = straighten(arcs([(0, 0, 5.0), (1, 1, 6.0), (2, 0, 7.0)], 1008, order), 0.01)
    z = shapely.get_coordinates(shapely.from_wkb(iso), include_z=True)[:, 2]
    assert z[0] == 5 and z[-1] == 7 and np.allclose(np.diff(z, 2), 0)
    assert iso[:5] == _head(1002)
    ewkb = _head(0x20000000 | 0x80000000 | 8, order) + struct.pack(order + "I", 32639)
    ewkb += _coords([(0, 0, 5.0), (1, 1, 6.0), (2, 0, 7.0)], order)
    assert straighten(ewkb, 0.01)[0] == iso
    assert kind_of(ewkb) == ("CIRCULARSTRING", True, False)
    zm, _ = straighten(arcs([(0, 0, 5, 1), (1, 1, 6, 1), (2, 0, 7, 1)], 3008, order), 0.01)
    assert zm[:5] == _head(3002)
    assert kind_of(zm) == ("LINESTRING", True, True)


def test_every_curved_kind_has_its_straight_one() -> None:
    arc = arcs([(0, 0), (1, 1), (2, 0)])
    back = arcs([(2, 0), (0, 0)], kind=2)
    ring = parts(9, [arc, back])
    square = _head(3) + struct.pack("<I", 1) + _coords([(9, 9), (10, 9), (10, 10), (9, 9)], "<")
    for wkb, kind in (
        (ring, "LineString"),
        (parts(10, [ring]), "Polygon"),
        (parts(11, [arc, ring, back]), "MultiLineString"),
        (parts(12, [parts(10, [ring]), square]), "MultiPolygon"),
        (parts(7, [square, parts(7, [arc])]), "GeometryCollection"),
    ):
        made, changed = straighten(wkb, 0.001)
        assert changed and shapely.from_wkb(made).geom_type == kind
    surface = shapely.from_wkb(straighten(parts(12, [parts(10, [ring]), square]), 0.001)[0])
    assert surface.is_valid
    assert surface.area == pytest.approx(math.pi / 2 + 0.5, abs=math.pi * 0.001)
    assert straighten(square, 0.1) == (square, False)
    assert straighten(parts(7, [square]), 0.1) == (parts(7, [square]), False)


def test_surfaces_that_are_no_plan_are_named() -> None:
    triangle = shapely.to_wkb(shapely.Point(0, 0))
    for code, name in ((15, "POLYHEDRALSURFACE"), (16, "TIN"), (17, "TRIANGLE"), (1016, "TIN")):
        with pytest.raises(UnsupportedKind, match=name) as caught:
            straighten(parts(7, [parts(code, [triangle])]), 0.01)
        assert caught.value.kind == name


def test_broken_bytes_are_refused() -> None:
    good = parts(10, [parts(9, [arcs([(0, 0), (1, 1), (2, 0)]), arcs([(2, 0), (0, 0)], kind=2)])])
    for end in range(len(good)):
        with pytest.raises(BrokenWkb):
            straighten(good[:end], 0.01)
    deep = arcs([(0, 0), (1, 1)], kind=2)
    for _ in range(40):
        deep = parts(7, [deep])
    for wkb in (
        b"\x02\x08\0\0\0",
        _head(99) + bytes(4),
        arcs([(0, 0), (1, 1)]),
        _head(8) + struct.pack("<I", 2**32 - 1),
        parts(10, [square_point()]),
        deep,
    ):
        with pytest.raises(BrokenWkb):
            straighten(wkb, 0.01)


def square_point() -> bytes:
    return shapely.to_wkb(shapely.Point(0, 0))


@given(st.binary(max_size=200), st.sampled_from([8, 9, 10, 11, 12, 7, 1010, 0xA000000A]))
def test_any_bytes_give_wkb_or_a_problem(tail: bytes, kind: int) -> None:
    try:
        made, _ = straighten(_head(kind) + tail, 0.01)
    except (BrokenWkb, UnsupportedKind, RangeError):
        return
    assert made


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_column_is_judged_at_once(kind: pa.DataType) -> None:
    arc = arcs([(0, 0), (1, 1), (2, 0)])
    rows = [
        None,
        shapely.to_wkb(shapely.box(0, 0, 1, 1)),
        arc,
        shapely.to_wkb(shapely.Point(1, 2, 3), byte_order=0, flavor="iso"),
        b"\x01",
        parts(7, [arc]),
        _head(0xC000000A) + bytes(4),
        b"\x07\x01\0\0\0",
    ]
    column = pa.array([b"x", *rows], kind)[1:]
    kinds, has_z, has_m = kinds_of(column)
    assert kinds.tolist() == [0, 3, 8, 1, -1, 7, 10, -1]
    assert has_z.tolist() == [False, False, False, True, False, False, True, False]
    assert has_m.tolist() == [False] * 6 + [True, False]
    assert needs_straightening(column).tolist() == [
        False, False, True, False, True, True, True, True,
    ]  # fmt: skip
    assert kinds_of(pa.array([], kind))[0].tolist() == []
    assert kinds_of(pa.array([None], kind))[0].tolist() == [0]


def test_offsets_that_leave_their_buffer_are_no_wkb() -> None:
    """As GDAL hands them out for a damaged FlatGeobuf."""
    good = shapely.to_wkb(shapely.Point(1, 2))
    offsets = np.array([0, 21, 4000, 10, 31], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(good * 2)]
    column = pa.Array.from_buffers(pa.binary(), 4, buffers)
    assert kinds_of(column)[0].tolist() == [1, -1, -1, -1]


@pytest.mark.skipif(shutil.which("ogr2ogr") is None, reason="needs ogr2ogr")
def test_gdal_reads_our_bytes_of_a_curve_as_we_meant_them(tmp_path) -> None:
    """The hand-made bytes are those that GDAL writes for the same text."""
    wkt = "CURVEPOLYGON(COMPOUNDCURVE(CIRCULARSTRING(0 0,1 1,2 0),(2 0,0 0)))"
    table = tmp_path / "a.csv"
    table.write_text(f'WKT,n\n"{wkt}",1\n')
    made = tmp_path / "a.gpkg"
    subprocess.run(
        ["ogr2ogr", "-f", "GPKG", made, table, "-oo", "GEOM_POSSIBLE_NAMES=WKT"], check=True
    )
    import sqlite3

    with sqlite3.connect(made) as db:
        (blob,) = db.execute("select geom from a").fetchone()
    wkb = blob[
        -len(parts(10, [parts(9, [arcs([(0, 0), (1, 1), (2, 0)]), arcs([(2, 0), (0, 0)], 2)])])) :
    ]
    assert shapely.from_wkb(straighten(wkb, 0.001)[0]).area == pytest.approx(math.pi / 2, abs=0.01)
