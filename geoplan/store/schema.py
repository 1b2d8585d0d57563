"""Bring a database to the tables that this GeoPlan knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from geoplan.errors import DatabaseLost, InputError, PostgisMissing
from geoplan.store.binaries import MIN_POSTGIS, MIN_POSTGRES, install_remedy
from geoplan.store.session import address_of, database_error

__all__ = ["alembic_config", "current_revision", "head_revision", "known_revisions", "migrate"]

_FOLDER = Path(__file__).parent / "migrations"
_LOCK = 7_210_431_377  # any number, the same for every process that migrates


def known_revisions() -> tuple[str, ...]:
    """Return the revisions in order; a file's name starts with its revision."""
    # Read from file names: starting a command must not wait for Alembic to be imported.
    return tuple(
        sorted(f.name.split("_", 1)[0] for f in (_FOLDER / "versions").glob("[0-9]*_*.py"))
    )


def head_revision() -> str:
    """Return the newest revision."""
    return known_revisions()[-1]


def current_revision(cursor: Any) -> str | None:
    """Return the revision of the database behind an open cursor; ``None`` when it is empty."""
    cursor.execute("select to_regclass('alembic_version') is not null")
    if not cursor.fetchone()[0]:
        return None
    cursor.execute("select version_num from alembic_version")
    row = cursor.fetchone()
    return None if row is None else str(row[0])


def alembic_config(connection: Connection) -> Any:
    """Return Alembic's configuration for a connection, without a file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def migrate(url: str) -> bool:
    """Bring the database to the newest revision, in one transaction; return whether it moved.

    Raises
    ------
    PostgisMissing
        The server is too old, or has no PostGIS that this user may switch on.
    InputError
        A newer GeoPlan has been at this database.
    DatabaseLost
        The server cannot be reached, or went away.
    """
    where = address_of(url)
    engine = create_engine(make_url(url), poolclass=NullPool, connect_args={"connect_timeout": 10})
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            raw = connection.connection.cursor()
            revision = current_revision(raw)
            if revision == head_revision():
                return False
            if revision is not None and revision not in known_revisions():
                raise InputError(
                    f"the database is at version {revision}, this GeoPlan knows up to "
                    f"{head_revision()}",
                    where=where,
                    remedy="use the newer GeoPlan that it was last used with",
                )
            _check_server(raw, where)

            from alembic import command

            command.upgrade(alembic_config(connection), "head")
            return True
    except OperationalError as error:
        raise DatabaseLost(
            f"the database cannot be reached: {str(error.orig).strip().splitlines()[0]}",
            where=where,
            remedy="see 'geoplan db status'",
        ) from error
    except (DBAPIError, psycopg2.Error) as error:
        raise database_error(error, where) from error
    finally:
        engine.dispose()


def _check_server(cursor: Any, where: str) -> None:
    cursor.execute("select current_setting('server_version_num')::int / 10000")
    major = cursor.fetchone()[0]
    if major < MIN_POSTGRES:
        raise PostgisMissing(
            f"the server is PostgreSQL {major}; {MIN_POSTGRES} or newer is needed",
            where=where,
            remedy=install_remedy(),
        )
    cursor.execute(
        "select coalesce(installed_version, default_version), installed_version is not null, "
        "(select rolsuper from pg_roles where rolname = current_user) "
        "from pg_available_extensions where name = 'postgis'"
    )
    row = cursor.fetchone()
    if row is None:
        raise PostgisMissing("the server has no PostGIS", where=where, remedy=install_remedy(major))
    version, installed, may = row
    if tuple(int(n) for n in version.split(".")[:2]) < MIN_POSTGIS:
        raise PostgisMissing(
            f"the server's PostGIS is {version}; {'.'.join(map(str, MIN_POSTGIS))} is needed",
            where=where,
            remedy=install_remedy(major),
        )
    if not installed and not may:
        raise PostgisMissing(
            "PostGIS is not switched on in this database",
            where=where,
            remedy="ask an administrator to run: CREATE EXTENSION postgis",
        )
