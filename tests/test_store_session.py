"""One transaction: kept whole or not at all; errors in words."""

from __future__ import annotations

import socket

import geopandas as gpd
import pytest
from shapely import Point
from sqlalchemy import select, text

from geoplan.catalogue import LayerSpec
from geoplan.errors import DatabaseLost, InputError, UnknownName
from geoplan.store import read, tables, write
from geoplan.store.session import address_of, engine_for, normal_url, transaction

SPEC = LayerSpec.model_validate(
    {
        "id": "wells",
        "title": {"en": "Wells"},
        "theme": "water",
        "kind": "vector",
        "geometry": "point",
    }
)
LOAD = {
    "pack_id": None, "source_file": "wells.gpkg", "sha256": "0" * 64, "loaded_by": "test",
    "rows_read": 1, "rows_refused": 0, "source_crs": "EPSG:4326", "as_of": None, "source": "",
    "licence": "", "confidence": "", "basis": None, "method": None, "synthetic": True,
    "report": [],
}  # fmt: skip


def frame(count: int) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"key": [str(n) for n in range(count)]},
        geometry=[Point(50 + n * 1e-4, 30) for n in range(count)],
        crs=4326,
    )


def kill_other_connections(engine) -> None:
    with engine.connect() as connection:
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        )


def counts(engine) -> tuple[int, int]:
    with engine.connect() as connection:
        return (
            connection.scalar(text("select count(*) from layer_version")),
            connection.scalar(text("select count(*) from feature")),
        )


@pytest.mark.parametrize("when", ["before the rows", "after the rows"])
def test_connection_lost_in_the_middle_leaves_nothing(database, when):
    other = engine_for(database.url.render_as_string(hide_password=False))
    with (
        pytest.raises(DatabaseLost, match="nothing of this step was kept") as caught,
        transaction(database) as session,
    ):
        version = write.new_version(session, SPEC, **LOAD)
        if when == "before the rows":
            kill_other_connections(other)
        write.put_features(session, version, SPEC, frame(5_000))
        kill_other_connections(other)
        write.make_current(session, SPEC.id, version)
    assert "geoplan db" in caught.value.remedy
    other.dispose()
    # The next transaction opens a new connection by itself.
    with transaction(database) as session, pytest.raises(UnknownName):
        read.layer_frame(session, "wells")
    assert counts(database) == (0, 0)


def test_error_of_the_caller_leaves_nothing(database):
    with pytest.raises(ZeroDivisionError), transaction(database) as session:
        version = write.new_version(session, SPEC, **LOAD)
        write.put_features(session, version, SPEC, frame(3))
        raise ZeroDivisionError
    with pytest.raises(KeyboardInterrupt), transaction(database) as session:
        version = write.new_version(session, SPEC, **LOAD)
        write.put_features(session, version, SPEC, frame(3))
        raise KeyboardInterrupt
    assert counts(database) == (0, 0)


def test_refused_value_is_an_input_error(database):
    with pytest.raises(InputError, match="nothing was kept"), transaction(database) as session:
        session.execute(text("insert into layer (id) values ('half')"))
    with transaction(database) as session:
        assert session.scalar(select(tables.Layer.id)) is None


def test_long_statement_is_stopped(database):
    engine = engine_for(database.url.render_as_string(hide_password=False), statement_seconds=1)
    try:
        with (
            pytest.raises(DatabaseLost, match="statement was stopped"),
            transaction(engine) as session,
        ):
            session.execute(text("select pg_sleep(5)"))
    finally:
        engine.dispose()


def test_server_that_is_not_there():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        engine = engine_for(f"postgres://u:secret@127.0.0.1:{port}/none")
        with pytest.raises(DatabaseLost) as caught, transaction(engine) as session:
            session.execute(text("select 1"))
    assert "secret" not in str(caught.value)
    assert caught.value.where == f"127.0.0.1:{port}/none"


def test_addresses():
    url = normal_url("postgres://me:p%40ss@db.example:5433/geo?sslmode=require")
    assert url == "postgresql+psycopg2://me:p%40ss@db.example:5433/geo?sslmode=require"
    assert address_of(url) == "db.example:5433/geo"
    with pytest.raises(InputError, match="not a PostgreSQL address"):
        normal_url("no address at all")
