"""What goes through binary COPY comes out the same, to the last bit."""

from __future__ import annotations

import datetime as dt
import json
import math
import struct
import threading
import time
from typing import Any

import numpy as np
import psycopg2
import pyarrow as pa
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import wkb

from geoplan.errors import InputError, RangeError, ShapeError
from geoplan.store import tables
from geoplan.store.binary import Field, copy_batches, encode
from geoplan.store.binary_fields import fields_of

ALL = [
    Field("yes", "bool"), Field("small", "int2"), Field("whole", "int4"), Field("large", "int8"),
    Field("number", "float8"), Field("day", "date"), Field("moment", "timestamp"),
    Field("words", "text"), Field("raw", "bytea"), Field("attrs", "jsonb"),
    Field("shape", "geometry", srid=32639),
]  # fmt: skip
TYPES = [
    pa.bool_(), pa.int16(), pa.int32(), pa.int64(), pa.float64(), pa.date32(),
    pa.timestamp("us", tz="UTC"), pa.string(), pa.binary(), pa.string(), pa.binary(),
]  # fmt: skip
DDL = (
    'create temp table "odd ""name" ("yes" bool, small int2, whole int4, large int8, '
    "number float8, day date, moment timestamptz, words text, raw bytea, attrs jsonb, "
    "shape geometry(geometry, 32639), n serial)"
)

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=30)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
COORDINATE = st.floats(-1e7, 1e7)
SHAPES = st.one_of(
    st.builds(shapely.Point, COORDINATE, COORDINATE),
    st.builds(lambda x, y, w: shapely.box(x, y, x + w, y + w), COORDINATE, COORDINATE,
              st.floats(1, 1e3)),
    st.builds(lambda a, b: shapely.LineString([a, b]), st.tuples(COORDINATE, COORDINATE),
              st.tuples(COORDINATE, COORDINATE)),
    st.builds(lambda x: shapely.MultiPoint([(x, 0), (0, x)]), COORDINATE),
)  # fmt: skip
ROW = st.tuples(
    st.none() | st.booleans(),
    st.none() | st.integers(-(2**15), 2**15 - 1),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(),
    st.none() | st.dates(),
    st.none() | st.datetimes(timezones=st.just(dt.UTC)),
    st.none() | TEXTS,
    st.none() | st.binary(max_size=40),
    st.none() | st.dictionaries(TEXTS, TEXTS | st.integers(-(2**53), 2**53) | st.none()),
    st.none() | SHAPES,
)


@pytest.fixture
def connection(database):
    url = database.url
    driver = psycopg2.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
    )
    with driver.cursor() as cursor:
        cursor.execute("set timezone to 'UTC'")
        cursor.execute(DDL)
    driver.commit()
    yield driver
    driver.close()


def arrays(rows: list[tuple[Any, ...]], *, large: bool = False) -> list[pa.Array]:
    columns = [list(c) for c in zip(*rows, strict=True)] or [[] for _ in TYPES]
    columns[9] = [None if v is None else json.dumps(v, ensure_ascii=False) for v in columns[9]]
    columns[10] = [None if v is None else v.wkb for v in columns[10]]
    wide = {pa.string(): pa.large_string(), pa.binary(): pa.large_binary()}
    return [
        pa.array(c, type=wide.get(t, t) if large else t)
        for c, t in zip(columns, TYPES, strict=True)
    ]


def stored(connection) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            'select "yes", small, whole, large, number, day, moment, words, raw, attrs, '
            'st_asewkb(shape) from "odd ""name" order by n'
        )
        return [
            (*row[:8], None if row[8] is None else bytes(row[8]), row[9],
             None if row[10] is None else bytes(row[10]))
            for row in cursor.fetchall()
        ]  # fmt: skip


def same(found: tuple[Any, ...], given_row: tuple[Any, ...]) -> None:
    assert found[:4] == given_row[:4]
    if given_row[4] is not None and math.isnan(given_row[4]):
        assert math.isnan(found[4])
    else:
        assert found[4] == given_row[4]
        if given_row[4] == 0:
            assert math.copysign(1, found[4]) == math.copysign(1, given_row[4])
    assert found[5:10] == given_row[5:10]
    expected = given_row[10]
    if expected is None or expected.is_empty:
        assert found[10] is None
    else:
        assert found[10] == wkb.dumps(expected, srid=32639)


@given(
    rows=st.lists(ROW, max_size=30), large=st.booleans(),
    cut=st.tuples(st.integers(0, 40), st.integers(0, 40)), split=st.integers(1, 31),
)  # fmt: skip
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_there_and_back(connection, rows, large, cut, split):
    # A slice has an offset into bitmaps and data; several batches are one COPY.
    sliced = [array.slice(*cut) for array in arrays(rows, large=large)]
    kept = rows[cut[0] : cut[0] + cut[1]]
    batches = [[a.slice(i, split) for a in sliced] for i in range(0, len(kept), split)]
    assert copy_batches(connection, 'odd "name', ALL, batches) == len(kept)
    for found, expected in zip(stored(connection), kept, strict=True):
        same(found, expected)
    connection.rollback()


def test_bytes_by_hand():
    fields = [Field("a", "int4"), Field("b", "text"), Field("c", "jsonb")]
    out = encode(
        fields,
        [pa.array([7, None], pa.int32()), pa.array(["", "پ"]), pa.array(["{}", None])],
    )
    head = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
    first = b"\x00\x03" + b"\x00\x00\x00\x04\x00\x00\x00\x07" + bytes(4) + b"\x00\x00\x00\x03\x01{}"
    second = b"\x00\x03" + b"\xff" * 4 + b"\x00\x00\x00\x02\xd9\xbe" + b"\xff" * 4
    assert bytes(out) == head + first + second + b"\xff\xff"


def test_header_of_a_geometry_by_hand():
    point = struct.pack("<BIdd", 1, 1, 2.0, 3.0)
    body = bytes(encode([Field("g", "geometry", srid=4326)], [pa.array([point])]))[19:-2]
    assert body == b"\x00\x01" + struct.pack(">i", 25) + struct.pack(
        "<BIIdd", 1, 1 | 0x20000000, 4326, 2.0, 3.0
    )


def test_single_becomes_multi_and_empty_null(connection):
    with connection.cursor() as cursor:
        cursor.execute("create temp table parts (g geometry(multipolygon, 4326))")
    field = Field("g", "geometry", srid=4326, shape="MULTIPOLYGON")
    square = shapely.box(0, 0, 1, 1)
    pair = shapely.MultiPolygon([square, shapely.box(2, 2, 3, 3)])
    values = [
        square.wkb, pair.wkb, wkb.dumps(square, srid=4326), wkb.dumps(pair, srid=4326), None,
        shapely.Polygon().wkb, shapely.MultiPolygon().wkb,
    ]  # fmt: skip
    copy_batches(connection, "parts", [field], [[pa.array(values)]])
    with connection.cursor() as cursor:
        cursor.execute("select st_asewkb(g) from parts")
        found = [None if g is None else bytes(g) for (g,) in cursor.fetchall()]
    multi = wkb.dumps(shapely.MultiPolygon([square]), srid=4326)
    whole = wkb.dumps(pair, srid=4326)
    assert found == [multi, whole, multi, whole, None, None, None]


def test_z_and_m_where_the_column_holds_them(connection):
    with connection.cursor() as cursor:
        cursor.execute(
            "create temp table high (g geometry(multipolygonz, 4326), p geometry(pointzm, 4326))"
        )
    fields = [
        Field("g", "geometry", srid=4326, shape="MULTIPOLYGON", flat=False),
        Field("p", "geometry", srid=4326, shape="POINT", flat=False),
    ]
    polygon = shapely.from_wkt("POLYGON Z ((0 0 1, 1 0 2, 1 1 3, 0 0 1))")
    for flavor in ("iso", "extended"):
        shapes = shapely.to_wkb([polygon], flavor=flavor)
        points = shapely.to_wkb([shapely.from_wkt("POINT ZM (1 2 3 4)")], flavor=flavor)
        copy_batches(connection, "high", fields, [[pa.array(list(shapes)), pa.array(list(points))]])
    with connection.cursor() as cursor:
        cursor.execute("select st_astext(g), st_astext(p) from high")
        assert cursor.fetchall() == [
            ("MULTIPOLYGON Z (((0 0 1,1 0 2,1 1 3,0 0 1)))", "POINT ZM (1 2 3 4)")
        ] * 2  # fmt: skip


def geometry_error(value: bytes, **more: Any) -> str:
    field = Field("g", "geometry", srid=4326, **more)
    with pytest.raises(InputError) as caught:
        encode([field], [pa.array([None, value])], first_row=11)
    assert caught.value.where == "column 'g', row 12"
    return caught.value.what


def test_geometry_that_does_not_fit_is_named():
    square = shapely.box(0, 0, 1, 1)
    assert "another type" in geometry_error(shapely.Point(1, 2).wkb, shape="MULTIPOLYGON")
    assert "another type" in geometry_error(shapely.MultiPolygon([square]).wkb, shape="POLYGON")
    assert "Z or M" in geometry_error(shapely.to_wkb(shapely.Point(1, 2, 3), flavor="iso"))
    assert "Z or M" in geometry_error(shapely.to_wkb(shapely.Point(1, 2, 3), flavor="extended"))
    assert "another SRID" in geometry_error(wkb.dumps(square, srid=32639))
    assert "little-endian" in geometry_error(shapely.to_wkb(square, byte_order=0))
    assert "end before" in geometry_error(b"\x01\x03\x00\x00")
    assert "end before" in geometry_error(shapely.Point(1, 2).wkb[:-1])


@pytest.mark.parametrize(
    ("kind", "array", "error", "said"),
    [
        ("int2", pa.array([1, 40_000]), RangeError, "40000 is no int2"),
        ("int4", pa.array([1, 2**31]), RangeError, "is no int4"),
        ("int8", pa.array([1, 2**63], pa.uint64()), RangeError, "is no int8"),
        ("float8", pa.array([1, 2**53 + 1]), RangeError, "float8"),
        ("date", pa.array([0, -719_163], pa.int32()).cast(pa.date32()), RangeError, "years 1 to"),
        ("date", pa.array([0, 2_932_897], pa.int32()).cast(pa.date32()), RangeError, "years 1 to"),
        ("timestamp", pa.array([0, -(2**62)]).cast(pa.timestamp("us")), RangeError, "years 1 to"),
        ("timestamp", pa.array([0, 1]).cast(pa.timestamp("ns")), RangeError, "without loss"),
        ("text", pa.array(["a", "b\0c"]), InputError, "zero character"),
        ("jsonb", pa.array(["{}", '{"a": ["\\u0000"]}']), InputError, "zero character"),
    ],
)
def test_values_that_cannot_be_stored_name_their_row(kind, array, error, said):
    with pytest.raises(error, match=said) as caught:
        encode([Field("v", kind)], [array], first_row=1)
    assert caught.value.where == "column 'v', row 2"


def test_no_error_where_only_a_null_hides_nonsense():
    # What lies under a null is no value: neither a range nor a zero byte counts there.
    bits = pa.py_buffer(b"\x01")
    days = pa.Array.from_buffers(
        pa.date32(), 2, [bits, pa.py_buffer(np.array([0, 2**31 - 1], "<i4").tobytes())]
    )
    text = pa.Array.from_buffers(
        pa.string(), 2,
        [bits, pa.py_buffer(np.array([0, 1, 3], "<i4").tobytes()), pa.py_buffer(b"a\0\0")],
    )  # fmt: skip
    body = bytes(encode([Field("d", "date"), Field("t", "text")], [days, text]))[19:-2]
    row = b"\x00\x02" + struct.pack(">ii", 4, -10_957) + struct.pack(">i", 1) + b"a"
    assert body == row + b"\x00\x02" + b"\xff" * 8


def test_backslash_before_u0000_is_only_text(connection):
    value = {"a": "\\u0000", "b": "\\"}
    fields = [Field("attrs", "jsonb")]
    copy_batches(connection, 'odd "name', fields, [[pa.array([json.dumps(value)])]])
    assert stored(connection)[0][9] == value


def test_text_that_is_no_utf8_names_its_row():
    bad = pa.array([b"ok", b"\xc8\xc9", b"\xed\xa0\x80"]).view(pa.string())
    with pytest.raises(InputError, match="cannot be read") as caught:
        encode([Field("t", "text")], [bad])
    assert caught.value.where == "column 't', row 2"


def test_more_than_a_gigabyte_is_told():
    # Memory that is never touched: the bytes of the value are not looked at before its size.
    room = np.zeros(2**30 + 3, dtype=np.uint8)
    offset = np.array([0, 3, 3 + 2**30], dtype="<i8")
    huge = pa.Array.from_buffers(
        pa.large_binary(), 2, [None, pa.py_buffer(offset.tobytes()), pa.py_buffer(room)]
    )
    with pytest.raises(RangeError, match="1,073,741,824 bytes") as caught:
        encode([Field("b", "bytea")], [huge])
    assert caught.value.where == "column 'b', row 2"


def test_arrays_that_do_not_fit_the_fields():
    with pytest.raises(ShapeError, match="1 columns for 2"):
        encode([Field("a", "int4"), Field("b", "int4")], [pa.array([1])])
    with pytest.raises(ShapeError, match="column 'b' has 1 of 2 rows"):
        encode([Field("a", "int4"), Field("b", "int4")], [pa.array([1, 2]), pa.array([1])])
    with pytest.raises(ShapeError, match="string do not fit type int4"):
        encode([Field("a", "int4")], [pa.array(["1"])])


def test_other_forms_of_the_same_column(connection):
    words = pa.array(["a", None, "پ"])
    forms = [
        words.dictionary_encode(), words.cast(pa.string_view()), pa.chunked_array([words]),
        pa.nulls(3),
    ]  # fmt: skip
    for form in forms:
        copy_batches(connection, 'odd "name', [Field("words", "text")], [[form]])
    assert [row[7] for row in stored(connection)] == ["a", None, "پ"] * 3 + [None] * 3


def test_a_whole_row_may_be_larger_than_a_block(connection):
    big = "ب" * 1_500_000
    many = pa.array([big, "x", big, None] * 3)
    copy_batches(connection, 'odd "name', [Field("words", "text")], [[many]])
    assert [row[7] for row in stored(connection)] == [big, "x", big, None] * 3


def numbered(count: int) -> list[pa.Array]:
    return [pa.array(range(count), pa.int32())]


def test_error_of_the_source_comes_out_as_it_is(connection):
    closed = threading.Event()

    def batches():
        try:
            yield numbered(10)
            raise InputError("the file ended early", where="a.gpkg")
        finally:
            closed.set()

    with pytest.raises(InputError, match="ended early"):
        copy_batches(connection, 'odd "name', [Field("whole", "int4")], batches())
    assert closed.is_set()
    connection.rollback()
    assert stored(connection) == []


def test_refused_row_counts_through_all_batches(connection):
    text = [Field("words", "text")]
    with pytest.raises(InputError) as caught:
        copy_batches(
            connection, 'odd "name', text, [[pa.array(["a", "b"])], [pa.array(["c", "\0"])]]
        )
    assert caught.value.where == "column 'words', row 4"


def test_error_of_the_database_stops_the_source(connection):
    closed = threading.Event()

    def batches():
        try:
            while True:
                yield numbered(20_000)
        finally:
            closed.set()

    with connection.cursor() as cursor:
        cursor.execute("create temp table picky (whole int4 check (whole < 10))")
    with pytest.raises(psycopg2.errors.CheckViolation):
        copy_batches(connection, "picky", [Field("whole", "int4")], batches())
    assert closed.is_set()
    assert not [t for t in threading.enumerate() if t.name == "encode"]


def test_lost_connection_stops_the_source(database, connection):
    def batches():
        yield numbered(1000)
        with database.connect() as other:
            other.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        for _ in range(10_000):
            yield numbered(20_000)

    with pytest.raises(psycopg2.Error):
        copy_batches(connection, 'odd "name', [Field("whole", "int4")], batches())
    assert not [t for t in threading.enumerate() if t.name == "encode"]


def test_interruption_ends_copy_and_source(connection):
    import _thread

    sent = threading.Event()

    def interrupt():
        _thread.interrupt_main()
        sent.set()

    def batches():
        yield numbered(10)
        threading.Timer(0.2, interrupt).start()
        sent.wait(10)  # however busy the machine is
        time.sleep(0.6)
        yield numbered(10)

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        copy_batches(connection, 'odd "name', [Field("whole", "int4")], batches())
    assert time.monotonic() - started < 15
    connection.rollback()
    assert stored(connection) == []


def test_freeze_into_a_table_of_the_same_transaction(connection):
    with connection.cursor() as cursor:
        cursor.execute("create table fresh (whole int4)")
        copy_batches(connection, "fresh", [Field("whole", "int4")], [numbered(5)], freeze=True)
        cursor.execute("select count(*) from fresh")
        assert cursor.fetchone() == (5,)


def test_fields_of_the_tables():
    fields = fields_of(tables.Plot.__table__)
    assert fields["geom"] == Field("geom", "geometry", 4326, "MULTIPOLYGON")
    assert {n: f.kind for n, f in fields.items()} | {"geom": "geometry"} == {
        "id": "int8", "version_id": "int8", "key": "text", "block_key": "text", "number": "text",
        "area_m2": "float8", "frontage_m": "float8", "depth_m": "float8", "zone": "text",
        "status": "text", "attrs": "jsonb", "geom": "geometry", "source_geom": "bytea",
        "source_srid": "int4", **({"search": "text"} if "search" in fields else {}),
    }  # fmt: skip
