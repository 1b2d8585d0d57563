"""What was current when, the way back, and rows that a load refused."""

from __future__ import annotations

import datetime as dt
import json
import math
import threading

import pyarrow as pa
import pytest
from alembic import command
from sqlalchemy import text
from test_version import MANY, current_keys, load, many, plots, relations

from geoplan.errors import InputError, UnknownName
from geoplan.store import cluster, read
from geoplan.store.history import delete_version, find_load, history, rollback
from geoplan.store.quarantine import (
    GEOMETRY,
    KEY,
    REASONS,
    ROW,
    drop_quarantine,
    put_quarantine,
    quarantine_loads,
    quarantined,
)
from geoplan.store.schema import alembic_config, migrate
from geoplan.store.session import transaction


def events(engine) -> list[tuple[object, ...]]:
    with transaction(engine) as session:
        said = history(session, "plots").events
    return [(e.action, e.from_number, e.to_number, e.who, e.note) for e in said]


def test_loads_and_rollbacks_are_told_newest_first(database):
    load(database, [many()])
    load(database, [plots(["q-1"])], loaded_by="karim", sha256="cd" * 32, mode="upsert")
    with transaction(database) as session:
        back = rollback(session, "plots", 1, "maryam", "wrong file")
        assert (back.number, back.rows_stored, back.current) == (1, MANY, True)
    assert len(current_keys(database)) == MANY
    assert events(database) == [
        ("rollback", 2, 1, "maryam", "wrong file"),
        ("load", 1, 2, "karim", ""),
        ("load", None, 1, "zahra", ""),
    ]
    with transaction(database) as session:
        versions = history(session, "plots").versions
        assert find_load(session, "plots", "cd" * 32).number == 2
        assert find_load(session, "plots", "ef" * 32) is None
    # The upsert carried the 10,005 rows of version 1 over, so that it is large as well.
    assert [(v.number, v.mode, v.own_table, v.rows_stored, v.current) for v in versions] == [
        (2, "upsert", "plot_v2", MANY + 1, False),
        (1, "replace", "plot_v1", MANY, True),
    ]


def test_forward_again_and_not_twice(database):
    load(database, [plots(["p-1"])])
    load(database, [plots(["q-1"])])
    for number in (1, 2):
        with transaction(database) as session:
            rollback(session, "plots", number, "maryam")
    assert current_keys(database) == ["q-1"]
    with transaction(database) as session, pytest.raises(InputError, match="shows version 2"):
        rollback(session, "plots", 2, "maryam")
    with transaction(database) as session, pytest.raises(UnknownName, match="no version 7") as e:
        rollback(session, "plots", 7, "maryam")
    assert e.value.remedy == "it has 1, 2"
    for call in (history, lambda s, x: rollback(s, x, 1, "m")):
        with transaction(database) as session, pytest.raises(UnknownName, match="never loaded"):
            call(session, "roads")
    assert len(events(database)) == 4


def test_two_rollbacks_at_once_follow_each_other(database):
    for key in ("p-1", "q-1", "r-1"):
        load(database, [plots([key])])
    held = threading.Event()
    done = []

    def second() -> None:
        held.wait(10)
        with transaction(database) as session:
            rollback(session, "plots", 2, "second")
            done.append(True)

    thread = threading.Thread(target=second)
    thread.start()
    with transaction(database) as session:
        rollback(session, "plots", 1, "first")
        held.set()
        thread.join(0.5)
        assert not done  # it waits for this transaction
    thread.join(10)
    assert events(database)[:2] == [
        ("rollback", 1, 2, "second", ""), ("rollback", 3, 1, "first", ""),
    ]  # fmt: skip


def test_a_version_that_is_shown_is_not_deleted(database):
    load(database, [many()])
    load(database, [many("q")])
    with transaction(database) as session, pytest.raises(InputError, match="the one that it shows"):
        delete_version(session, "plots", 2, "maryam")
    with transaction(database) as session:
        delete_version(session, "plots", 1, "maryam", "no space")
    assert relations(database) == {"plot_v2"}
    assert events(database)[0] == ("delete", 1, None, "maryam", "no space")
    # Numbers are never given twice while the versions after them live.
    assert load(database, [plots(["r-1"])]) == 3
    with transaction(database) as session:
        assert [v.number for v in history(session, "plots").versions] == [3, 2]


def test_the_record_outlives_the_layer(database):
    load(database, [plots(["p-1"])])
    with transaction(database) as session:
        session.execute(text("delete from layer"))
    assert events(database) == [("load", None, 1, "zahra", "")]


def test_backup_and_restore_keep_own_tables(database, settings, tmp_path):
    load(database, [many()])
    cluster.backup(settings, tmp_path / "geoplan.dump")
    load(database, [plots(["q-1"])])
    cluster.restore(settings, tmp_path / "geoplan.dump")
    database.dispose()
    assert len(current_keys(database)) == MANY
    assert load(database, [many("q")]) == 2
    with transaction(database) as session:
        assert session.scalar(text("select count(*) from plot")) == 2 * MANY
        session.execute(text("delete from layer"))
    assert relations(database) == set()


def test_a_database_with_rows_is_brought_up_and_down(database):
    with database.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
        connection.execute(
            text(
                "insert into layer (id, title_en, theme, kind, spec) "
                "values ('plots', 'Plots', 'cadastre', 'vector', '{\"table\": \"plots\"}')"
            )
        )
        for number in (1, 2):
            connection.execute(
                text(
                    "insert into layer_version (id, layer_id, number, source_file, sha256, "
                    "loaded_by, loaded_at, rows_read, rows_stored, rows_refused, source, licence, "
                    "confidence, "
                    "synthetic, report) values (:n, 'plots', :n, 'a.gpkg', 'ab', :who, "
                    "timestamptz '2026-01-01' + :n * interval '1 day', 1, 1, 0, '', '', '', false, "
                    "'[]')"
                ),
                {"n": number, "who": f"user {number}"},
            )
            connection.execute(
                text(
                    "insert into plot (version_id, key, block_key, number, attrs, geom) values "
                    "(:n, 'p-1', 'b', '1', '{\"a\": 1}', "
                    "'srid=4326;multipolygon(((0 0,1 0,1 1,0 0)))')"
                ),
                {"n": number},
            )
        connection.execute(text("update layer set current_version_id = 2"))
        connection.execute(text("select setval('layer_version_id_seq', 2)"))
    assert migrate(database.url.render_as_string(hide_password=False))
    assert events(database) == [
        ("load", 1, 2, "user 2", ""), ("load", None, 1, "user 1", ""),
    ]  # fmt: skip
    assert current_keys(database) == ["p-1"]
    with transaction(database) as session:
        rollback(session, "plots", 1, "maryam")
    load(database, [many()])
    assert relations(database) == {"plot_v3"}
    # Down again the rows of the large version stand among the others.
    with database.begin() as connection:
        command.downgrade(alembic_config(connection), "0001")
        counts = connection.execute(
            text("select version_id, count(*) from plot group by 1 order by 1")
        ).all()
    assert relations(database) == set()
    assert [tuple(row) for row in counts] == [(1, 1), (2, 1), (3, MANY)]
    assert migrate(database.url.render_as_string(hide_password=False))
    with transaction(database) as session:
        assert len(read.layer_frame(session, "plots", columns=["key"])) == MANY


SOURCE = {
    ROW: pa.array([3, 17, 99], pa.int64()),
    KEY: pa.array(["p-3", None, "پ\0"]),
    GEOMETRY: pa.array([b"\x01\x02", None, b"\x00"], pa.binary()),
    "شماره": pa.array(["۱۲", None, "a\0b"]),
    'odd "name"': pa.array([2**62, None, -1], pa.int64()),
    "area": pa.array([0.1, math.inf, None], pa.float64()),
    "small": pa.array([1.5, None, 2.0], pa.float32()),
    "day": pa.array([dt.date(1403, 1, 1), None, dt.date(2024, 2, 29)]),
    "moment": pa.array([dt.datetime(2024, 1, 2, 3, 4, 5, 678), None, None], pa.timestamp("us")),
    "zoned": pa.array([dt.datetime(2024, 1, 2, tzinfo=dt.UTC), None, None],
                      pa.timestamp("ms", tz="UTC")),
    "clock": pa.array([dt.time(1, 2, 3), None, None], pa.time32("ms")),
    "raw": pa.array([b"\x00\xff", b"", None], pa.binary()),
    "yes": pa.array([True, None, False]),
    "tags": pa.array([["a", "ب"], [], None], pa.list_(pa.string())),
    "wide": pa.array(["x", "", None], pa.large_string()),
    "nothing": pa.nulls(3),
}  # fmt: skip
REASONS_GIVEN = {
    3: [{"code": "invalid-ring", "text": "the ring crosses itself"}],
    99: [{"code": "null-key", "text": "key \0"}, {"code": "empty", "text": "no shape"}],
}


def put(session, load_id: str = "load-1", layer_id: str = "plots", **more) -> int:
    batch = pa.record_batch(SOURCE)
    return put_quarantine(
        session, layer_id, **({
            "load_id": load_id, "who": "zahra", "source_file": "plots.shp",
            "source_format": "Shapefile", "source_crs": "EPSG:32639",
            "rows": [batch.slice(0, 2), batch.slice(2)], "reasons": REASONS_GIVEN,
        } | more),
    )  # fmt: skip


def test_refused_rows_come_back_as_the_source_had_them(database):
    with transaction(database) as session:
        assert put(session) == 3
    with transaction(database) as session:
        (load_,) = quarantine_loads(session, "plots")
        found = pa.Table.from_batches(list(quarantined(session, "load-1", rows_at_once=2)))
    source = pa.table(SOURCE)
    assert (load_.who, load_.source_file, load_.source_format) == (
        "zahra",
        "plots.shp",
        "Shapefile",
    )
    assert (load_.source_crs, load_.rows) == ("EPSG:32639", 3)
    assert load_.source_schema.names == source.schema.names[3:]
    assert found.schema.names == [ROW, KEY, GEOMETRY, REASONS, *source.schema.names[3:]]
    for name in source.schema.names:
        if name != KEY:
            assert found.column(name).to_pylist() == source.column(name).to_pylist(), name
            assert found.schema.field(name).type == source.schema.field(name).type
    assert found.column(KEY).to_pylist() == ["p-3", None, "پ\ufffd"]
    reasons = [json.loads(r) for r in found.column(REASONS).to_pylist()]
    assert reasons[:2] == [REASONS_GIVEN[3], []]
    assert [r["code"] for r in reasons[2]] == ["null-key", "empty"]


def test_quarantines_are_listed_and_dropped(database):
    with transaction(database) as session:
        put(session, "one")
    with transaction(database) as session:
        put(session, "two")
        put(session, "other", "blocks")
        assert put(session, "empty", rows=[]) == 0
    with transaction(database) as session:
        assert [x.id for x in quarantine_loads(session, "plots")] == ["two", "one"]
        assert {x.id for x in quarantine_loads(session)} == {"one", "two", "other"}
        assert drop_quarantine(session, "two") == 3
        for call in (drop_quarantine, quarantined):
            with pytest.raises(UnknownName, match="'two'"):
                call(session, "two")
    with transaction(database) as session:
        assert [x.id for x in quarantine_loads(session, "plots")] == ["one"]
        assert session.scalar(text("select count(*) from quarantine_row")) == 6


def test_rows_without_a_number_are_refused(database):
    with transaction(database) as session, pytest.raises(InputError, match="__row__"):
        put(session, rows=[pa.record_batch({"a": [1]})])
