"""The process that reads: started, listened to, watched, and ended whatever happens."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import geoplan
from geoplan.errors import FileMissing, GeoPlanError, InputError
from geoplan.ingest.reader.request import ReadRequest
from geoplan.ingest.reader.wire import ERROR, error_of, read_frame, said_of_request
from geoplan.partial import full_disk_told, held, sweep

__all__ = ["ReaderProcess"]

_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV", "PROJ_DATA", "PROJ_LIB", "GDAL_DATA",
    "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX",
)  # fmt: skip
"""What the reading process inherits of the environment: no proxies, no credentials."""

_PREFIX = "geoplan-read"


class ReaderProcess:
    """A process that reads one file and answers in frames.

    Parameters
    ----------
    request : ReadRequest
        The file.
    task : {"rows", "layers"}
        What is wanted of it.

    Raises
    ------
    FileMissing, InputError, DiskFull
        There is no such file, it is no file, or there is no place to unpack it.
    """

    def __init__(self, request: ReadRequest, task: str) -> None:
        _check(request.path)
        self._request = request
        self._lock = threading.Lock()
        self._waiting: float | None = None
        self._silent = self._closed = False
        self._stack = contextlib.ExitStack()
        place = Path(tempfile.gettempdir())
        sweep(place, _PREFIX)
        try:
            with full_disk_told(place):
                room = self._stack.enter_context(held(place / _PREFIX))
                room.chmod(0o700)
            self._process = self._started(room)
            self._stack.callback(self._end)
            self._watch = threading.Thread(target=self._watchdog, name="reader-watch", daemon=True)
            self._watch.start()
            self._ask(task, room)
        except BaseException:
            self.close()
            raise

    @property
    def out(self) -> IO[bytes]:
        """What the process sends."""
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdout

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    @property
    def name(self) -> str:
        """Name of the file."""
        return self._request.path.name

    def frame(self, wanted: bytes) -> Any:
        """Return the next frame, which has to be of the wanted kind.

        Raises
        ------
        GeoPlanError
            What the process said instead, or how it ended.
        """
        with self.waits():
            found = read_frame(self.out)
        if found is None:
            raise self.died()
        tag, value = found
        if tag == ERROR:
            raise error_of(value)
        if tag != wanted:
            raise self.died()
        return value

    @contextlib.contextmanager
    def waits(self) -> Iterator[None]:
        """Hold the time of the block against the limit of silence."""
        self._waiting = time.monotonic()
        try:
            yield
        finally:
            self._waiting = None

    def died(self) -> GeoPlanError:
        """End the process, and return why it gave no answer."""
        where = self._request.path.name
        code = self._end(grace_s=5.0)
        if self._silent:
            return InputError(
                f"reading it gave nothing for {self._request.limits.idle_s:.0f} s and was stopped",
                where=where,
                remedy="it may be damaged; else split it, or deliver it as GeoPackage",
            )
        how = f"exit code {code}"
        if code < 0:
            with contextlib.suppress(ValueError):
                how = signal.Signals(-code).name
        memory = self._request.limits.memory_bytes / 1e9
        return InputError(
            f"the process that reads the file was ended by it ({how}); nothing else was touched",
            where=where,
            remedy=f"it is damaged, or one feature needs more than {memory:.3g} GB: deliver it "
            "again, or save it as GeoPackage in its own program",
        )

    def close(self) -> None:
        """End the process, if it still runs, and remove its folder."""
        if not self._closed:
            self._closed = True
            self._stack.close()

    def _started(self, room: Path) -> subprocess.Popen[bytes]:
        environment = {k: v for k in _KEPT if (v := os.environ.get(k)) is not None}
        # This very GeoPlan; and never a module that lies where the caller happens to stand (-P).
        paths = (os.environ.get("PYTHONPATH"), str(Path(geoplan.__file__).parents[1]))
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "geoplan.ingest.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=room,
            env={**environment, "TMPDIR": str(room)},
            start_new_session=True,
            bufsize=1 << 20,
        )

    def _ask(self, task: str, room: Path) -> None:
        asked = {**said_of_request(self._request), "path": str(self._request.path.absolute())}
        said = {"task": task, "request": asked, "folder": str(room)}
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # it ended already; what it said comes later
            self._process.stdin.write(json.dumps(said).encode() + b"\n")
            self._process.stdin.flush()
        # The pipe stays open: the process ends when it closes, also where nobody can close it.

    def _watchdog(self) -> None:
        while not self._closed:
            with self._lock:
                if self._process.poll() is not None:
                    return
            since = self._waiting
            if since is not None and time.monotonic() - since > self._request.limits.idle_s:
                self._silent = True
                self._end()
                return
            time.sleep(0.2)

    def _end(self, grace_s: float = 0.0) -> int:
        """End the process and all of its session; return its exit code."""
        # The lock keeps the number ours: another thread could reap it, and it would be reused.
        with self._lock:
            if grace_s and self._process.returncode is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(timeout=grace_s)
            if self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            code = self._process.wait()
        if self._closed:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        return code


def _check(path: Path) -> None:
    try:
        there = path.exists()
    except OSError as error:  # a name that is too long, a folder that may not be entered
        raise FileMissing(
            f"it cannot be reached: {error.strerror}",
            where=str(path)[:300],
            remedy="check the path",
        ) from error
    if not there:
        raise FileMissing("there is no such file", where=str(path), remedy="check the path")
    if not (path.is_file() or path.is_dir()):
        raise InputError("this is no file", where=str(path), remedy="give a file or a FileGDB")
