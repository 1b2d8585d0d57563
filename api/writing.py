"""Work that may write, with errors that tell a client nothing of the server behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from geoplan.errors import DatabaseLost, GeoPlanError, InputError, Unavailable
from geoplan.store.serve.database import Database, Reading
from geoplan.store.session import transaction

__all__ = ["discreet", "writing"]

_log = logging.getLogger("geoplan.api")


@contextmanager
def writing(database: Database) -> Iterator[Reading]:
    """Open one transaction that may write: everything in it is kept, or nothing.

    Raises
    ------
    DatabaseLost, DiskFull, Unavailable, InputError
        As :func:`geoplan.store.session.transaction`, without its address and words.
    """
    with discreet(), transaction(database.engine()) as session:
        yield session


@contextmanager
def discreet() -> Iterator[None]:
    """Leave the server's address and the database's own words out of errors; the log has them."""
    try:
        yield
    except DatabaseLost as error:
        _note(error)
        raise DatabaseLost(
            "the database cannot be reached; nothing of this was kept",
            where="database",
            remedy="start it with 'geoplan db up', then try again",
        ) from error
    except (Unavailable, InputError) as error:
        # Only what the database itself said comes from an error of the driver or of SQLAlchemy.
        if type(error.__cause__).__module__.partition(".")[0] not in ("sqlalchemy", "psycopg2"):
            raise
        _note(error)
        raise type(error)(
            "the database refused it; nothing of this was kept",
            where="database",
            remedy=error.remedy or "send plain text without control characters",
        ) from error


def _note(error: GeoPlanError) -> None:
    _log.warning("%s: %s", error.where, error.what)
