"""Migrations make exactly the tables that the code knows."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import Geometry, alembic_helpers
from sqlalchemy import inspect, text

from geoplan.errors import InputError
from geoplan.store import cluster
from geoplan.store.schema import alembic_config, head_revision, known_revisions, migrate
from geoplan.store.tables import Base


def differences(connection) -> list[object]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_object": alembic_helpers.include_object,
            "compare_type": True,
            "compare_server_default": True,
        },
    )
    return compare_metadata(context, Base.metadata)


def constraints(connection) -> set[tuple[str, str, str]]:
    rows = connection.execute(
        text(
            "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) "
            "from pg_constraint where connamespace = 'public'::regnamespace "
            "and conrelid::regclass::text not in ('spatial_ref_sys', 'alembic_version')"
        )
    )
    return {tuple(row) for row in rows}


def test_migrations_equal_the_models(database):
    with database.connect() as connection:
        assert differences(connection) == []


def test_constraints_equal_the_models(database):
    # Alembic compares no check constraints and no ondelete of its own; so both sides are made.
    with database.begin() as connection:
        migrated = constraints(connection)
        connection.execute(text("drop schema public cascade; create schema public"))
        connection.execute(text("create extension postgis"))
        Base.metadata.create_all(connection)
        assert constraints(connection) == migrated


def test_one_spatial_index_for_each_geometry(database):
    expected = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Geometry)
    }
    with database.connect() as connection:
        rows = connection.execute(
            text(
                "select c.relname, a.attname from pg_index i "
                "join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid "
                "join pg_am m on m.oid = x.relam "
                "join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey) "
                "where m.amname = 'gist'"
            )
        ).all()
    found = [tuple(row) for row in rows]
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_down_and_up_again(database):
    with database.begin() as connection:
        command.downgrade(alembic_config(connection), "base")
    with database.connect() as connection:
        left = set(inspect(connection).get_table_names())
    assert left <= {"alembic_version", "spatial_ref_sys"}
    url = database.url.render_as_string(hide_password=False)
    assert migrate(url)
    assert not migrate(url)
    with database.connect() as connection:
        assert differences(connection) == []


def test_file_names_tell_the_revisions(database):
    with database.connect() as connection:
        scripts = ScriptDirectory.from_config(alembic_config(connection))
    assert scripts.get_heads() == [head_revision()]
    assert {s.revision for s in scripts.walk_revisions()} == set(known_revisions())


def test_database_of_a_newer_version_is_refused(database):
    with database.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(InputError, match="9999") as caught:
        cluster.migrate(database.url.render_as_string(hide_password=False))
    assert "newer GeoPlan" in caught.value.remedy
