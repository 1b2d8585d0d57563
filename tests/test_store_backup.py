"""Backup and restore: the same data come back, and a bad file changes nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from geoplan.errors import FileMissing, InputError
from geoplan.store import cluster


def put(engine, *ids: str) -> None:
    with engine.begin() as connection:
        connection.execute(text("delete from run"))
        for run_id in ids:
            connection.execute(
                text(
                    "insert into run (id, hash, scenario_id, title_en, profile_id, status, "
                    "synthetic, assumed, folder, document) values "
                    "(:id, 'h', 's', 'پانزده شهرک', 'iran', 'optimal', false, true, '', '{}')"
                ),
                {"id": run_id},
            )


def ids(engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select id from run order by id")))


def databases(engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("select datname from pg_database")))


def test_there_and_back(database, settings, tmp_path):
    file = tmp_path / "geoplan.dump"
    put(database, "one", "two")
    cluster.backup(settings, file)
    put(database, "three")
    before = databases(database)
    # A connection that is open at that moment (a map being served) does not stop it.
    held = database.connect()
    held.execute(text("select 1"))
    cluster.restore(settings, file)
    held.invalidate()
    database.dispose()
    assert ids(database) == ["one", "two"]
    assert databases(database) == before
    cluster.backup(settings, file)  # over the old file
    cluster.restore(settings, file)
    database.dispose()
    assert ids(database) == ["one", "two"]
    assert [f.name for f in tmp_path.iterdir() if "partial" in f.name] == []


@pytest.mark.parametrize("fault", ["cut", "text", "foreign"])
def test_bad_backup_changes_nothing(database, settings, tmp_path, fault, template_url):
    file = tmp_path / "bad.dump"
    put(database, "one")
    if fault == "text":
        file.write_text("this is no backup")
    else:
        if fault == "foreign":
            with database.begin() as connection:
                connection.execute(text("alter table alembic_version rename to other"))
        cluster_backup = cluster.backup_database
        cluster_backup(database.url.render_as_string(hide_password=False), file)
        if fault == "foreign":
            with database.begin() as connection:
                connection.execute(text("alter table other rename to alembic_version"))
        if fault == "cut":
            whole = file.read_bytes()
            file.write_bytes(whole[: len(whole) // 2])
    before = databases(database)
    with pytest.raises(InputError, match="backup") as caught:
        cluster.restore(settings, file)
    assert caught.value.where == str(file)
    database.dispose()
    assert ids(database) == ["one"]
    assert databases(database) == before


def test_missing_file_and_folder(settings, tmp_path):
    with pytest.raises(FileMissing, match="no such backup"):
        cluster.restore(settings, tmp_path / "none.dump")
    with pytest.raises(FileMissing, match="folder does not exist"):
        cluster.backup(settings, tmp_path / "none" / "a.dump")
