"""The private PostGIS cluster: made, started, migrated and found again by itself.

``GEOPLAN_DATABASE_URL`` set means that server, and nothing here starts or stops it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2

from geoplan.errors import DatabaseLost, DiskFull, InputError, Unavailable
from geoplan.settings import Settings
from geoplan.store import server
from geoplan.store.account import Place, choose_place, known_place
from geoplan.store.binaries import Binaries, find_binaries
from geoplan.store.dump import backup_database, restore_database
from geoplan.store.schema import current_revision, head_revision
from geoplan.store.schema import migrate as migrate_database
from geoplan.store.session import address_of, normal_url

__all__ = [
    "DATABASE",
    "ClusterStatus",
    "backup",
    "down",
    "ensure",
    "migrate",
    "password_file",
    "restore",
    "status",
    "up",
]

DATABASE = "geoplan"

_LOCK_SECONDS = 180


@dataclass(frozen=True)
class ClusterStatus:
    """What is known of the database.

    Parameters
    ----------
    running : bool
        It answers.
    data_dir : Path or None
        PostgreSQL's data folder; ``None`` for a server that GeoPlan does not run, or none yet.
    port : int or None
        Its port while it runs.
    url : str or None
        Address with password, for SQLAlchemy; do not print it.
    server_version, postgis_version : str or None
        While it runs.
    reason : str
        Where it lies and why there, or why it does not run.
    """

    running: bool
    data_dir: Path | None
    port: int | None
    url: str | None
    server_version: str | None
    postgis_version: str | None
    reason: str


def ensure(settings: Settings) -> str:
    """Return the address of a running database with all tables; start and make it if needed.

    Parameters
    ----------
    settings : Settings
        ``database_url`` wins over the private cluster in ``home``.

    Raises
    ------
    PostgisMissing
        No PostgreSQL with PostGIS on this machine.
    DatabaseLost
        ``database_url`` does not answer.
    DiskFull, Unavailable, InputError
        The private cluster cannot be made or started; the log file is named.
    """
    if settings.database_url is not None:
        url = normal_url(settings.database_url)
        migrate_database(url)
        return url
    place = known_place(settings.home)
    if place is not None and password_file(settings).exists():
        running = _running_url(settings, place)
        if running is not None and _at_head(running):
            return running
    found = up(settings).url
    if found is None:  # up() either runs it or raises
        raise Unavailable("the database did not start", where=str(settings.home))
    return found


def up(settings: Settings, *, durable: bool = True) -> ClusterStatus:
    """Make what is missing of the private cluster, start it, migrate it. Repeating it is safe.

    Parameters
    ----------
    durable : bool
        ``False`` only for throw-away clusters in tests: nothing is flushed to disk.
    """
    if settings.database_url is not None:
        migrate_database(normal_url(settings.database_url))
        return status(settings)
    home = settings.home
    _make_home(home)
    with _locked(home):
        place = known_place(home) or choose_place(home)
        if not (place.data / "PG_VERSION").exists():
            password = secrets.token_urlsafe(24)
            _write_private(password_file(settings), password)
            server.initialise(place, find_binaries(), password, durable=durable)
        binaries = find_binaries(major=_major(place), where=str(place.data))
        if not password_file(settings).exists():
            _renew_password(settings, place, binaries)
        url = _running_url(settings, place)
        if url is None:
            port = server.start(
                place,
                binaries,
                preferred_port=_last_port(home),
                durable=durable,
            )
            (home / "database.port").write_text(f"{port}\n", encoding="ascii")
            url = _url(settings, port)
        _create_database(url)
        migrate_database(url)
    return status(settings)


def down(settings: Settings) -> ClusterStatus:
    """Stop the private cluster; a server named by ``database_url`` is left alone."""
    if settings.database_url is None and known_place(settings.home) is not None:
        with _locked(settings.home):
            place = known_place(settings.home)
            if place is not None and server.postmaster(place) is not None:
                server.stop(place, find_binaries(major=_major(place), where=str(place.data)))
    return status(settings)


def status(settings: Settings) -> ClusterStatus:
    """Tell whether the database runs, where it lies and why there. Starts nothing."""
    if settings.database_url is not None:
        url = normal_url(settings.database_url)
        reason = f"GEOPLAN_DATABASE_URL is set: {address_of(url)}"
        return _answering(url, None, None, reason)
    place = known_place(settings.home)
    if place is None:
        return ClusterStatus(
            False, None, None, None, None, None,
            f"no database yet in {settings.home}; 'geoplan db up' makes one",
        )  # fmt: skip
    found = server.postmaster(place)
    if found is None or not found.port:
        return ClusterStatus(False, place.data, None, None, None, None, f"stopped; {place.reason}")
    if not password_file(settings).exists():
        reason = f"{password_file(settings)} is gone, 'geoplan db up' makes another"
        return ClusterStatus(False, place.data, found.port, None, None, None, reason)
    return _answering(_url(settings, found.port), place.data, found.port, place.reason)


def backup(settings: Settings, file: Path) -> None:
    """Write the database to ``file``, in PostgreSQL's custom format; rasters are not in it."""
    backup_database(ensure(settings), file)


def restore(settings: Settings, file: Path) -> None:
    """Replace the database by a backup, once the backup has been read whole."""
    restore_database(ensure(settings), file)


def migrate(url: str) -> None:
    """Bring the database at ``url`` to the newest tables."""
    migrate_database(normal_url(url))


def password_file(settings: Settings) -> Path:
    """Return the file that holds the private cluster's password (mode 0600)."""
    return settings.home / "database.password"


def _renew_password(settings: Settings, place: Place, binaries: Binaries) -> None:
    if server.postmaster(place) is not None:
        server.stop(place, binaries)
    password = secrets.token_urlsafe(24)
    server.set_password(place, binaries, password)
    _write_private(password_file(settings), password)


def _url(settings: Settings, port: int, database: str = DATABASE) -> str:
    try:
        password = password_file(settings).read_text(encoding="ascii").strip()
    except OSError as error:
        raise InputError(
            f"the database's password cannot be read: {error.strerror}",
            where=str(password_file(settings)),
            remedy="run as the user that made it, or choose another folder with GEOPLAN_HOME",
        ) from error
    return f"postgresql+psycopg2://{server.ROLE}:{password}@127.0.0.1:{port}/{database}"


def _running_url(settings: Settings, place: Place) -> str | None:
    """Return the address of this place's server if it runs, waiting while it is starting."""
    until = time.monotonic() + 60
    while (found := server.postmaster(place)) is not None:
        if found.port and found.ready:
            return _url(settings, found.port)
        if time.monotonic() > until:
            raise Unavailable(
                "the database server is starting and not ready after 60 s",
                where=str(place.log),
                remedy="wait, or stop it with 'geoplan db down'",
            )
        time.sleep(0.1)
    return None


def _connect(url: str, database: str | None = None) -> Any:
    from sqlalchemy.engine import make_url

    parsed = make_url(url)
    return psycopg2.connect(
        host=parsed.host, port=parsed.port, user=parsed.username, password=parsed.password,
        dbname=database or parsed.database, connect_timeout=10,
    )  # fmt: skip


def _at_head(url: str) -> bool:
    try:
        with contextlib.closing(_connect(url)) as connection, connection.cursor() as cursor:
            return current_revision(cursor) == head_revision()
    except psycopg2.Error:
        return False


def _create_database(url: str) -> None:
    try:
        with contextlib.closing(_connect(url, "postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("select 1 from pg_database where datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"create database {DATABASE} template template0 encoding 'UTF8'")
    except psycopg2.Error as error:
        raise DatabaseLost(
            f"the database that was started does not answer: {str(error).strip()}",
            where=address_of(url),
            remedy="see 'geoplan db status'",
        ) from error


def _answering(url: str, data: Path | None, port: int | None, reason: str) -> ClusterStatus:
    try:
        with contextlib.closing(_connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(
                "select current_setting('server_version'), inet_server_port(), "
                "(select extversion from pg_extension where extname = 'postgis')"
            )
            version, at, postgis = cursor.fetchone()
    except psycopg2.Error as error:
        lines = str(error).strip().splitlines() or ["no reason was given"]
        return ClusterStatus(False, data, port, None, None, None, f"{reason}; {lines[0]}")
    return ClusterStatus(True, data, port or at, url, version.split()[0], postgis, reason)


def _major(place: Place) -> int:
    return int((place.data / "PG_VERSION").read_text(encoding="ascii").split(".")[0])


def _last_port(home: Path) -> int | None:
    try:
        return int((home / "database.port").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe = home / f".{secrets.token_hex(6)}"
        probe.write_text("x", encoding="ascii")
        probe.unlink()
    except OSError as error:
        if error.errno == 28:
            raise DiskFull(
                "no space is left on the disk",
                where=str(home),
                remedy="free some space, or set GEOPLAN_HOME to a larger disk",
            ) from error
        raise InputError(
            f"GeoPlan's private folder cannot be written: {error.strerror}",
            where=str(home),
            remedy="set GEOPLAN_HOME to a folder that you may write",
        ) from error


def _write_private(file: Path, text: str) -> None:
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        os.fchmod(handle, 0o600)
        out.write(text + "\n")


@contextlib.contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Let one process at a time make, start or stop the cluster of ``home``."""
    file = home / "database.lock"
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + _LOCK_SECONDS
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Unavailable(
                        f"another process has been starting or stopping the database for "
                        f"{_LOCK_SECONDS} s",
                        where=str(file),
                        remedy="wait for it, or end it",
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(handle)
