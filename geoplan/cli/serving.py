"""The private database while somebody serves from it: stopped by the last one who leaves."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from geoplan.settings import Settings
from geoplan.store import cluster

__all__ = ["serving"]


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Stop the private database after the block, where serving started it.

    Several may serve from one home. Each holds a shared lock; who ends and finds no other stops
    the database, also where another had started it, or was killed before it could stop it. A
    database that ran before any of them, or is named by an address, is left alone.
    """
    if settings.database_url is not None:
        yield
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    handle = os.open(settings.home / "serving.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        if not cluster.status(settings).running:
            os.pwrite(handle, b"started", 0)
        try:
            yield
        finally:
            if _alone(handle) and os.fstat(handle).st_size:
                cluster.down(settings)
                os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def _alone(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
