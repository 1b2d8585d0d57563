"""Read a file in a process of its own, and take its rows as they come."""

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
from types import TracebackType
from typing import Any

import pyarrow as pa

from geoplan.errors import FileMissing, GeoPlanError, InputError
from geoplan.ingest.reader.request import Note, ReadRequest, SourceInfo
from geoplan.ingest.reader.wire import (
    END,
    ERROR,
    HEADER,
    error_of,
    info_of,
    note_of,
    read_frame,
    said_of_request,
)
from geoplan.partial import held, sweep

__all__ = ["Source", "open_source"]

_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "NUMBA_CACHE_DIR",
         "PROJ_DATA", "PROJ_LIB", "GDAL_DATA", "LD_LIBRARY_PATH")  # fmt: skip
"""What the reading process inherits of the environment: no proxies, no credentials."""


class Source:
    """A file that is being read. Use it as a context manager.

    Attributes
    ----------
    info : SourceInfo
        What the file is; known at once.
    notes : list of Note
        What the reader found and did; complete after the last batch.
    """

    def __init__(self, request: ReadRequest, process: subprocess.Popen[bytes], folder: Any) -> None:
        self._request, self._process, self._folder = request, process, folder
        self._waiting: float | None = None
        self._silent = False
        self._closed = False
        self._watch = threading.Thread(target=self._watchdog, name="reader-watch", daemon=True)
        assert process.stdout is not None  # noqa: S101
        self._out = process.stdout
        self.notes: list[Note] = []
        self._watch.start()
        self.info: SourceInfo = info_of(self._frame(HEADER))
        try:
            with self._waits():
                self._reader = pa.ipc.open_stream(self._out)
        except (pa.ArrowException, OSError, EOFError) as error:
            raise self._died() from error

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while True:
            try:
                with self._waits():
                    batch = self._reader.read_next_batch()
            except StopIteration:
                break
            except (pa.ArrowException, OSError, EOFError) as error:
                raise self._died() from error
            yield batch
        self.notes = [note_of(n) for n in self._frame(END)]

    def close(self) -> None:
        """End the reading process, if it still runs, and remove its folder."""
        if self._closed:
            return
        self._closed = True
        self._kill()
        with contextlib.suppress(OSError):
            self._out.close()
        self._folder.__exit__(None, None, None)

    def _frame(self, wanted: bytes) -> Any:
        with self._waits():
            found = read_frame(self._out)
        if found is None:
            raise self._died()
        tag, value = found
        if tag == ERROR:
            raise error_of(value)
        if tag != wanted:
            raise self._died()
        return value

    @contextlib.contextmanager
    def _waits(self) -> Iterator[None]:
        self._waiting = time.monotonic()
        try:
            yield
        finally:
            self._waiting = None

    def _watchdog(self) -> None:
        while not self._closed and self._process.poll() is None:
            since = self._waiting
            if since is not None and time.monotonic() - since > self._request.limits.idle_s:
                self._silent = True
                self._kill()
                return
            time.sleep(0.2)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _died(self) -> GeoPlanError:
        """Return why the process ended without an answer."""
        where = self._request.path.name
        if self._silent:
            return InputError(
                f"reading it gave nothing for {self._request.limits.idle_s:.0f} s and was stopped",
                where=where,
                remedy="it may be damaged; else split it, or deliver it as GeoPackage",
            )
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._kill()
            code = self._process.returncode
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return InputError(
            f"the file made its reader fail ({name}); nothing else was touched",
            where=where,
            remedy="it is damaged: deliver it again, or save it as GeoPackage in its own program",
        )


def open_source(request: ReadRequest) -> Source:
    """Open a delivered file for reading.

    Parameters
    ----------
    request : ReadRequest
        The file and what is said of it.

    Returns
    -------
    Source
        Its batches have :data:`ROW`, :data:`GEOMETRY` and the columns of the source.

    Raises
    ------
    FileMissing
        There is no such file.
    InputError
        It cannot be read; whatever is in it, the caller is safe.
    """
    path = request.path
    if not path.exists():
        raise FileMissing("there is no such file", where=str(path), remedy="check the path")
    place = Path(tempfile.gettempdir())
    sweep(place, "geoplan-read")
    folder = held(place / "geoplan-read")
    room = folder.__enter__()
    try:
        room.chmod(0o700)
        environment = {k: v for k in _KEPT if (v := os.environ.get(k)) is not None}
        process = subprocess.Popen(
            [sys.executable, "-m", "geoplan.ingest.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**environment, "TMPDIR": str(room)},
            start_new_session=True,
            bufsize=1 << 20,
        )
        asked = {**said_of_request(request), "path": str(path.absolute())}
        said = {"request": asked, "folder": str(room)}
        try:
            assert process.stdin is not None  # noqa: S101
            process.stdin.write(json.dumps(said).encode())
            process.stdin.close()
        except BrokenPipeError:
            pass  # it ended already; what it said comes below
    except BaseException:
        folder.__exit__(*sys.exc_info())
        raise
    source = Source.__new__(Source)
    try:
        source.__init__(request, process, folder)  # type: ignore[misc]
    except BaseException:
        source.close()
        raise
    return source
