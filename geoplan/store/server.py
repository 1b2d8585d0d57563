"""Make, start and stop one PostgreSQL server in one folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import DiskFull, GeoPlanError, Unavailable
from geoplan.store.account import Account, Place
from geoplan.store.binaries import Binaries

__all__ = [
    "ROLE",
    "Postmaster",
    "free_port",
    "initialise",
    "postmaster",
    "set_password",
    "start",
    "stop",
]

ROLE = "geoplan"

_HOST = "127.0.0.1"
_START_SECONDS = 300  # recovery after a crash may have gigabytes of log to replay
_TRIES = 6
_LOG_MAX_BYTES = 10_000_000
_FULL = ("No space left on device", "Disk quota exceeded", "wrote only")
_TELLING = ("FATAL", "PANIC", "ERROR", "error:", "unrecognized", "invalid value", "syntax error")


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server as its own pid file tells it."""

    pid: int
    port: int
    ready: bool


def free_port(preferred: int | None = None) -> int:
    """Return ``preferred`` when it is free on the loopback address, else a free port."""
    for port in (preferred, 0):
        if port is None:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no free loopback port", remedy="close some programs that listen on ports")


def initialise(place: Place, binaries: Binaries, password: str, *, durable: bool = True) -> None:
    """Make the data folder, or leave nothing.

    Parameters
    ----------
    password : str
        Of the role that owns everything.
    durable : bool
        ``False`` only for throw-away clusters: no flush to disk.

    Raises
    ------
    DiskFull
        No space is left.
    Unavailable
        ``initdb`` failed for another reason; its last lines are in the message.
    """
    # Made under another name and renamed when whole: an interrupted start leaves no half cluster.
    fresh = place.folder / "data.partial"
    shutil.rmtree(fresh, ignore_errors=True)
    secret = place.folder / f".{secrets.token_hex(8)}"
    try:
        handle = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            os.fchown(handle, place.account.uid, place.account.gid)
            file.write(password + "\n")
        done = _run(
            [
                binaries.program("initdb"), "--pgdata", str(fresh), "--username", ROLE,
                "--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8",
                "--locale", "C", "--data-checksums", *(() if durable else ("--no-sync",)),
            ],
            place.account,
        )  # fmt: skip
        if done.returncode != 0:
            raise _failure(
                "the database could not be made", done.stdout + done.stderr, str(place.folder)
            )
        fresh.rename(place.data)
    except OSError as error:
        raise _failure("the database could not be made", str(error), str(place.folder)) from error
    finally:
        secret.unlink(missing_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)


def start(
    place: Place, binaries: Binaries, *, preferred_port: int | None = None, durable: bool = True
) -> int:
    """Start the server and return its port.

    Parameters
    ----------
    preferred_port : int, optional
        Taken when it is free; otherwise the server gets another one.
    durable : bool
        ``False`` only for throw-away clusters: no flush to disk.
    """
    _rotate(place.log)
    said = ""
    for attempt in range(_TRIES):
        port = free_port(preferred_port if attempt == 0 else None)
        offset = _size(place.log)
        done = _run(
            [
                binaries.program("pg_ctl"), "start", "--wait", "--silent",
                "--timeout", str(_START_SECONDS), "--pgdata", str(place.data),
                "--log", str(place.log), "--options", _options(port, durable=durable),
            ],
            place.account,
        )  # fmt: skip
        if done.returncode == 0:
            return port
        said = _tail(place.log, offset) + done.stderr
        if "could not bind" in said or "Address already in use" in said:
            continue
        # The last children of a killed server need a moment to notice that it is gone.
        if "shared memory block" in said or "another server might be running" in said:
            time.sleep(0.5 * (attempt + 1))
            continue
        break
    raise _failure("the database server did not start", said, str(place.log))


def set_password(place: Place, binaries: Binaries, password: str) -> None:
    """Give the role a new password while the server is stopped.

    For a home folder that was deleted while its data, which lie elsewhere, were kept.
    """
    done = _run(
        [
            binaries.program("postgres"), "--single", "-D", str(place.data),
            "-c", "password_encryption=scram-sha-256", "-c", "log_min_messages=warning", "postgres",
        ],
        place.account,
        typed=f"alter role {ROLE} password '{password}'\n",
    )  # fmt: skip
    if done.returncode != 0 or "ERROR" in done.stderr:
        raise _failure("the password could not be set", done.stderr, str(place.folder))


def stop(place: Place, binaries: Binaries) -> None:
    """Stop the server; open transactions are rolled back."""
    done = _run(
        [
            binaries.program("pg_ctl"), "stop", "--wait", "--silent", "--mode", "fast",
            "--timeout", "120", "--pgdata", str(place.data),
        ],
        place.account,
    )  # fmt: skip
    if done.returncode != 0 and postmaster(place) is not None:
        raise _failure(
            "the database server did not stop", done.stdout + done.stderr, str(place.log)
        )


def postmaster(place: Place) -> Postmaster | None:
    """Return the server that runs on this data folder; a stale pid file is removed."""
    file = place.data / "postmaster.pid"
    try:
        lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    try:
        pid, said = int(lines[0]), Path(lines[1])
    except (IndexError, ValueError):
        return None
    # A copied folder brings the other server's pid file along; after a crash or a restart of the
    # machine, the number may belong to another program.
    if said.exists() and place.data.exists() and not said.samefile(place.data):
        file.unlink(missing_ok=True)
        return None
    if not _is_server(pid, place.data):
        file.unlink(missing_ok=True)
        return None
    port = int(lines[3]) if len(lines) > 3 and lines[3].isdigit() else 0
    return Postmaster(pid, port, ready=len(lines) > 7 and lines[7].strip() == "ready")


def _is_server(pid: int, data: Path) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    process = Path("/proc") / str(pid)
    if process.is_dir():
        try:
            name = (process / "comm").read_text(encoding="utf-8", errors="replace")
            if not name.startswith(("postgres", "postmaster")):
                return False
            return (process / "cwd").samefile(data)
        except PermissionError:
            return True
        except OSError:
            return False
    done = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "post" in done.stdout


def _options(port: int, *, durable: bool) -> str:
    memory = _memory_mb()
    settings = {
        "listen_addresses": _HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
        "shared_buffers": f"{min(512, max(64, memory // 16))}MB",
        "effective_cache_size": f"{max(256, memory // 3)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "128MB",
        "max_wal_size": "2GB",
        "max_connections": "60",
        # Freshly loaded layers get their statistics soon after the load.
        "autovacuum_naptime": "15s",
        "random_page_cost": "1.1",
        # Tiles and lookups are many and short: compiling or sharing each one costs more than it
        # saves, and shared query memory is small inside containers.
        "jit": "off",
        "max_parallel_workers_per_gather": "0",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_min_messages": "warning",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
        "lc_messages": "C",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    return " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in settings.items())


def _memory_mb() -> int:
    try:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20)
    except (OSError, ValueError):
        return 2048


def _run(
    command: Sequence[str], account: Account, *, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    # A lean environment: PGPORT, PGDATA, PGOPTIONS and a foreign locale would change what is
    # started. Its own session: Ctrl-C in the terminal must not reach the server.
    return subprocess.run(
        command, cwd="/", input=typed, capture_output=True, text=True,
        errors="replace", check=False, start_new_session=True, umask=0o077,
        env={"PATH": os.defpath, "LC_ALL": "C", "LANG": "C", "TZ": "UTC"},
        **account.run_as,
    )  # fmt: skip


def _failure(what: str, said: str, where: str) -> GeoPlanError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [x for x in lines if any(word in x for word in _TELLING)]
    short = "; ".join((telling or lines)[-3:]) or "no reason was given"
    if any(word in said for word in _FULL):
        return DiskFull(
            f"{what}: no space is left on the disk",
            where=where,
            remedy="free some space, or set GEOPLAN_HOME to a larger disk; nothing was kept",
        )
    return Unavailable(f"{what}: {short}", where=where, remedy=f"read {where}, then try again")


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _tail(file: Path, offset: int) -> str:
    try:
        with file.open("rb") as log:
            log.seek(offset)
            return log.read(100_000).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _rotate(log: Path) -> None:
    if _size(log) > _LOG_MAX_BYTES:
        with contextlib.suppress(OSError):
            log.replace(log.with_suffix(".log.1"))
