"""Short read-only transactions for the service, and what a database error means to a client."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, Row, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from geoplan.errors import DatabaseLost, InputError, Unavailable
from geoplan.settings import Settings

# Engine stands here too, so that who serves names no SQLAlchemy of its own.
__all__ = ["Database", "Engine", "Reading"]

_log = logging.getLogger("geoplan.store")

Reading = Session
"""An open read-only transaction, as :meth:`Database.reading` hands it out."""

_CANCELLED = "57014"  # query_canceled: statement_timeout
_BAD_TEXT = ("22021", "22P05")  # characters that PostgreSQL cannot store


class Database:
    """The database behind the service; found on first use, so that building an app does no work.

    Parameters
    ----------
    settings : Settings
        Where the database is, when no engine is given.
    engine : Engine, optional
        An engine that is open already.
    """

    def __init__(self, settings: Settings, engine: Engine | None = None) -> None:
        self._settings = settings
        self._engine = engine
        self._lock = threading.Lock()

    def engine(self) -> Engine:
        """Return the engine; start or find the database on the first call."""
        with self._lock:
            if self._engine is None:
                # Imported here: a page or an OpenAPI document needs no database at all.
                from geoplan.store.cluster import ensure
                from geoplan.store.session import engine_for

                self._engine = engine_for(ensure(self._settings))
            return self._engine

    @contextmanager
    def reading(self, *, seconds: float = 10.0) -> Iterator[Reading]:
        """Open a read-only transaction whose statements may take ``seconds`` each.

        Raises
        ------
        DatabaseLost
            The database cannot be reached or went away.
        Unavailable
            A statement took longer than ``seconds``.
        """
        with self._translated(seconds), self.engine().connect() as connection:
            connection.execute(text(_preamble(seconds)))
            with Session(bind=connection) as reading:
                yield reading

    def check(self, *, seconds: float) -> None:
        """Ask the server for nothing; the errors are those of :meth:`reading`."""
        with self.reading(seconds=seconds) as reading:
            reading.execute(text("SELECT 1"))

    def one(self, sql: str, values: Mapping[str, Any], *, seconds: float = 10.0) -> Row[Any]:
        """Return the one row of a finished statement, in a single exchange with the server.

        Parameters
        ----------
        sql : str
            Driver's SQL with ``%(name)s`` places; nothing from outside may stand in the text.
        values : mapping
            Values of the places.
        seconds : float
            As for :meth:`reading`, whose errors it shares.
        """
        # Several statements in one message are one transaction of their own, so SET LOCAL ends
        # with it; BEGIN and ROLLBACK would be two more exchanges, and so would SQLAlchemy's
        # isolation level AUTOCOMMIT, which resets the driver's on both sides.
        with self._translated(seconds), self.engine().connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            driver.autocommit = True
            try:
                return connection.exec_driver_sql(_preamble(seconds) + sql, dict(values)).one()
            finally:
                if not driver.closed:
                    driver.autocommit = False

    @contextmanager
    def _translated(self, seconds: float) -> Iterator[None]:
        try:
            yield
        except DatabaseLost as error:
            # An engine may translate every operational error; a timeout is not a lost database.
            cause = error.__cause__ or error.__context__
            if isinstance(cause, DBAPIError) and _code(cause) == _CANCELLED:
                raise _too_slow(seconds) from error
            # Its own text has the server's address and the driver's words: for the log only.
            _log.warning("%s: %s", error.where, error.what)
            raise _lost() from error
        except DBAPIError as error:
            code = _code(error)
            if code == _CANCELLED:
                raise _too_slow(seconds) from error
            if code in _BAD_TEXT:
                raise InputError(
                    "a name holds a character that cannot be stored",
                    remedy="send plain text without control characters",
                ) from error
            if code is None or code[:2] in ("08", "53", "57") or error.connection_invalidated:
                raise _lost() from error
            raise
        except SQLAlchemyError as error:
            if type(error).__name__ == "TimeoutError":
                raise Unavailable(
                    "all database connections are busy", remedy="try again in a few seconds"
                ) from error
            raise


def _preamble(seconds: float) -> str:
    limit = int(seconds * 1000)
    return f"SET LOCAL transaction_read_only = on; SET LOCAL statement_timeout = {limit}; "


def _code(error: DBAPIError) -> str | None:
    return getattr(error.orig, "pgcode", None)


def _lost() -> DatabaseLost:
    return DatabaseLost(
        "the database cannot be reached",
        where="database",
        remedy="start it with 'geoplan db up', then try again",
    )


def _too_slow(seconds: float) -> Unavailable:
    return Unavailable(
        f"the database needed more than {seconds:g} s for this",
        where="database",
        remedy="ask for less: a closer zoom, fewer rows or another layer",
    )
