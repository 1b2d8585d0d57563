"""Transactions that write, with errors that tell a client nothing of the server behind."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from geoplan.errors import DatabaseLost, DiskFull, InputError, Unavailable
from geoplan.store.serve.database import Database, Reading
from geoplan.store.session import transaction

__all__ = ["writing"]

_log = logging.getLogger("geoplan.api")


@contextmanager
def writing(database: Database) -> Iterator[Reading]:
    """Open one transaction that may write: everything in it is kept, or nothing.

    Raises
    ------
    DatabaseLost, DiskFull, Unavailable, InputError
        As :func:`geoplan.store.session.transaction`, without its address and words.
    """
    try:
        with transaction(database.engine()) as session:
            yield session
    except DatabaseLost as error:
        _log.warning("%s: %s", error.where, error.what)
        raise DatabaseLost(
            "the database cannot be reached; nothing of this was kept",
            where="database",
            remedy="start it with 'geoplan db up', then try again",
        ) from error
    except DiskFull:
        raise
    except (Unavailable, InputError) as error:
        # Only what the database itself said has one of these as its cause.
        if error.__cause__ is None or isinstance(error.__cause__, OSError):
            raise
        _log.warning("%s: %s", error.where, error.what)
        kind = type(error)
        raise kind(
            "the database refused it; nothing of this was kept",
            where="database",
            remedy=error.remedy or "send plain text without control characters",
        ) from error
