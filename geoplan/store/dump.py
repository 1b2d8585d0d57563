"""Back a database up to a file, and put such a file in its place."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from sqlalchemy.engine import URL, make_url

from geoplan.errors import DiskFull, FileMissing, InputError, Unavailable
from geoplan.store.binaries import find_binaries
from geoplan.store.schema import current_revision, known_revisions, migrate
from geoplan.store.session import address_of, database_error

__all__ = ["backup_database", "restore_database"]


def backup_database(url: str, file: Path) -> None:
    """Write a whole, consistent copy; ``file`` appears only when it is complete.

    Raises
    ------
    FileMissing
        The folder of ``file`` does not exist.
    DiskFull, Unavailable
        The copy could not be finished; an older ``file`` is untouched.
    """
    if not file.parent.is_dir():
        raise FileMissing(
            "the folder does not exist", where=str(file.parent), remedy="make it first"
        )
    partial = file.with_name(f".{file.name}.{secrets.token_hex(4)}.partial")
    try:
        _client("pg_dump", url, ["--format=custom", "--no-owner", f"--file={partial}"], str(file))
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def restore_database(url: str, file: Path) -> None:
    """Replace the database by a backup.

    The backup is read into a database of its own and brought to the newest tables; only then do
    the two change names, in one transaction, and the old one is dropped.

    Raises
    ------
    FileMissing
        There is no such file.
    InputError
        It is not a backup of GeoPlan, or not a whole one.
    """
    if not file.is_file():
        raise FileMissing("there is no such backup", where=str(file), remedy="check the path")
    target = make_url(url)
    name = str(target.database)
    fresh, old = (f"{name}_{word}_{secrets.token_hex(4)}" for word in ("restored", "replaced"))
    try:
        with contextlib.closing(_connect(target, _neighbour(target))) as connection:
            connection.autocommit = True
            _execute(connection, "create database {} template template0 encoding 'UTF8'", fresh)
            try:
                _fill(target.set(database=fresh), file)
                _swap(connection, name, fresh, old)
            except BaseException:
                _execute(connection, "drop database if exists {} with (force)", fresh)
                raise
            _execute(connection, "drop database if exists {} with (force)", old)
    except psycopg2.Error as error:
        raise database_error(error, address_of(url)) from error


def _fill(url: URL, file: Path) -> None:
    address = url.render_as_string(hide_password=False)
    _client(
        "pg_restore", address,
        ["--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={url.database}"],
        str(file), last=str(file),
    )  # fmt: skip
    with contextlib.closing(_connect(url)) as connection, connection.cursor() as cursor:
        revision = current_revision(cursor)
    if revision not in known_revisions():
        raise InputError(
            "it is not a backup of GeoPlan" if revision is None else
            f"it was made by a newer GeoPlan (version {revision} of the tables)",
            where=str(file),
            remedy="give a file that 'geoplan db backup' wrote, to a GeoPlan as new as its maker",
        )  # fmt: skip
    migrate(address)


def _swap(connection: Any, name: str, fresh: str, old: str) -> None:
    """Give ``fresh`` the name ``name``; both renames happen or neither."""
    _execute(connection, "alter database {} with allow_connections false", name)
    try:
        for attempt in range(20):
            with connection.cursor() as cursor:
                cursor.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity "
                    "where datname in (%s, %s) and pid <> pg_backend_pid()",
                    (name, fresh),
                )
            try:
                connection.autocommit = False
                with connection:
                    _execute(connection, "alter database {} rename to {}", name, old)
                    _execute(connection, "alter database {} rename to {}", fresh, name)
                return
            except psycopg2.errors.ObjectInUse:
                if attempt == 19:
                    raise
                time.sleep(0.1)
            finally:
                connection.autocommit = True
    except BaseException:
        _execute(connection, "alter database {} with allow_connections true", name)
        raise


def _neighbour(url: URL) -> str:
    """Return a database other than the target: one cannot rename the database one is in."""
    return "template1" if url.database == "postgres" else "postgres"


def _connect(url: URL, database: str | None = None) -> Any:
    return psycopg2.connect(
        host=url.host, port=url.port, user=url.username, password=url.password,
        dbname=database or url.database, connect_timeout=10,
    )  # fmt: skip


def _execute(connection: Any, statement: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _client(
    program: str, url: str, options: Sequence[str], where: str, *, last: str | None = None
) -> None:
    target = make_url(url)
    # The password goes by the environment: arguments can be read by every user of the machine.
    env = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    env |= {
        "PGHOST": target.host or "localhost",
        "PGPORT": str(target.port or 5432),
        "PGUSER": target.username or "",
        "PGPASSWORD": str(target.password or ""),
        "PGDATABASE": target.database or "",
        "PGCONNECT_TIMEOUT": "10",
        "LC_ALL": "C",
    }
    command = [find_binaries().program(program), *options, *([last] if last else [])]
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        errors="replace", check=False,
    )  # fmt: skip
    if done.returncode == 0:
        return
    lines = [x for x in done.stderr.strip().splitlines() if x] or ["no reason was given"]
    if "No space left on device" in done.stderr:
        raise DiskFull(
            "no space is left on the disk; nothing was changed",
            where=where,
            remedy="free some space, or choose another disk",
        )
    if program == "pg_restore":
        raise InputError(
            f"the backup could not be read: {lines[0]}; the database is as it was",
            where=where,
            remedy="give a whole file that 'geoplan db backup' wrote",
        )
    raise Unavailable(f"the backup could not be made: {lines[0]}", where=where)
