"""Connections and transactions; the one place where database errors become GeoPlan's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2 import errorcodes
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from geoplan.errors import DatabaseLost, DiskFull, GeoPlanError, InputError, Unavailable

__all__ = ["address_of", "database_error", "engine_for", "normal_url", "transaction"]

_CONNECT_SECONDS = 10
_STATEMENT_SECONDS = 600

# Classes of SQLSTATE that mean: this connection is over. 08 connection, 57P* the server is
# stopping, was killed or dropped us.
_GONE = {"57P01", "57P02", "57P03", "57P05"}
# A table or column that GeoPlan names is not there: the database was made by another version.
_OTHER_TABLES = {errorcodes.UNDEFINED_COLUMN, errorcodes.UNDEFINED_TABLE}


def normal_url(url: str) -> str:
    """Return a PostgreSQL address as SQLAlchemy with psycopg2 wants it.

    Raises
    ------
    InputError
        It cannot be read as an address.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InputError(
            "this is not a PostgreSQL address",
            where="GEOPLAN_DATABASE_URL",
            remedy="write postgresql://user:password@host:port/database",
        ) from error
    return parsed.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def address_of(url: str) -> str:
    """Return a database address without its password, for messages."""
    parsed = make_url(url)
    port = f":{parsed.port}" if parsed.port else ""
    return f"{parsed.host or 'localhost'}{port}/{parsed.database or ''}"


def engine_for(url: str, *, statement_seconds: int = _STATEMENT_SECONDS) -> Engine:
    """Return an engine whose failures to connect are :class:`DatabaseLost`.

    Parameters
    ----------
    url : str
        PostgreSQL address.
    statement_seconds : int, s
        A statement that takes longer is stopped.
    """
    engine = create_engine(
        normal_url(url),
        pool_size=5,
        max_overflow=15,
        pool_timeout=30,
        pool_pre_ping=True,
        connect_args={
            "connect_timeout": _CONNECT_SECONDS,
            "application_name": "geoplan",
            "options": f"-c statement_timeout={statement_seconds * 1000} -c timezone=UTC "
            f"-c jit=off",
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
        },
    )
    where = address_of(url)

    @event.listens_for(engine, "handle_error")
    def _translate(context: Any) -> None:
        # The pool's own ping expects the driver's error, to open a new connection by itself.
        if context.is_pre_ping:
            return
        error = context.original_exception
        if isinstance(error, psycopg2.Error) and (context.is_disconnect or _is_gone(error)):
            raise database_error(error, where) from error

    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Open one transaction: everything in it is kept, or nothing.

    Raises
    ------
    DatabaseLost
        The connection broke; nothing of the transaction was kept.
    DiskFull
        The server has no space left; nothing was kept.
    InputError
        The database refused a value; nothing was kept.
    """
    where = address_of(engine.url.render_as_string(hide_password=False))
    try:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session
    except GeoPlanError:
        raise
    except (SQLAlchemyError, psycopg2.Error) as error:
        raise database_error(error, where) from error


def database_error(error: Exception, where: str = "") -> GeoPlanError:
    """Return the GeoPlan error for an error of the driver or of SQLAlchemy."""
    original = error.orig if isinstance(error, DBAPIError) else error
    lines = str(original).strip().splitlines() or [type(original).__name__]
    code = getattr(original, "pgcode", None)
    if code == errorcodes.DISK_FULL:
        return DiskFull(
            "the database server has no space left; nothing was kept",
            where=where,
            remedy="free some space on its disk, then try again",
        )
    if code == errorcodes.QUERY_CANCELED:
        return DatabaseLost(
            f"a statement was stopped: {lines[0]}",
            where=where,
            remedy="try again; nothing was kept",
        )
    if code in _OTHER_TABLES:
        return Unavailable(
            f"the tables of this database are not those of this GeoPlan: {lines[0]}; nothing was "
            "kept",
            where=where,
            remedy="run 'geoplan db migrate'; if that changes nothing, another version made them: "
            "load into a new database, with another --home or GEOPLAN_DATABASE_URL",
        )
    if (isinstance(original, psycopg2.Error) and _is_gone(original)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return DatabaseLost(
            f"the database cannot be reached: {lines[0]}; nothing of this step was kept",
            where=where,
            remedy="see 'geoplan db status', start it with 'geoplan db up', then try again",
        )
    detail = next((x.removeprefix("DETAIL:").strip() for x in lines if x.startswith("DETAIL:")), "")
    what = lines[0] if not detail else f"{lines[0]}: {detail}"
    return InputError(f"the database refused it; nothing was kept: {what}", where=where)


def _is_gone(error: BaseException) -> bool:
    code = getattr(error, "pgcode", None)
    if code is None:
        # No state means that no server answered: refused, timed out, closed in the middle.
        return isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
    return code.startswith("08") or code in _GONE
