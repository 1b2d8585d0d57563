"""The reading process: open one file, send its rows, say what was noted, end."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from geoplan.errors import EmptyLayer, GeoPlanError, InputError, RangeError
from geoplan.ingest.reader.request import GEOMETRY, ROW, Limits, Note, ReadRequest
from geoplan.ingest.reader.wire import (
    END,
    ERROR,
    HEADER,
    said_of_error,
    said_of_note,
    write_frame,
)

__all__ = ["confine", "main", "serve"]

_OWN = (ROW, GEOMETRY)

_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


def confine(limits: Limits) -> None:
    """Limit this process: memory, size of the files it writes, no core dumps."""
    os.environ.update(_THREADS)
    for what, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.unpacked_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))


def serve(request: ReadRequest, folder: Path, out: BinaryIO) -> int:
    """Read a file and send everything; return the exit code.

    Whatever goes wrong goes out as one error frame: in front of the rows, or behind them.
    """
    begun = False
    try:
        from geoplan.ingest.reader.dispatch import open_file

        opened = open_file(request, folder)
        for batch in _prepared(opened.batches, request, opened.notes):
            if not begun:
                columns = tuple((f.name, str(f.type)) for f in batch.schema if f.name not in _OWN)
                write_frame(out, HEADER, asdict(replace(opened.info, columns=columns)))
                writer = pa.ipc.new_stream(out, batch.schema)
                schema = batch.schema
                begun = True
            writer.write_batch(batch if batch.schema.equals(schema) else batch.cast(schema))
        if not begun:
            raise EmptyLayer(
                "the layer has no features",
                where=request.path.name,
                remedy="deliver it with data",
            )
        writer.close()
        write_frame(out, END, [said_of_note(n) for n in opened.notes])
        return 0
    except GeoPlanError as error:
        failure: GeoPlanError = error
    except MemoryError:
        failure = _too_large(request)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            return 0  # the parent has seen enough
        failure = _unreadable(request, error)
    except Exception as error:  # noqa: BLE001
        # Damaged bytes can raise anything in a library. The parent gets one line, never a
        # traceback; what the library said stands in it.
        failure = _too_large(request) if _is_memory(error) else _unreadable(request, error)
    if begun:
        writer.close()
    write_frame(out, ERROR, said_of_error(failure))
    return 3


def _prepared(
    batches: Iterator[pa.RecordBatch], request: ReadRequest, notes: list[Note]
) -> Iterator[pa.RecordBatch]:
    """Number the rows, make curves straight, and hold every row against the limits."""
    from geoplan.ingest.reader.straight import straightened

    row = 0
    for batch in batches:
        n = len(batch)
        if row + n > request.limits.rows:
            raise RangeError(
                f"more than {request.limits.rows:,} rows",
                where=request.path.name,
                remedy="split the file",
            )
        names = batch.schema.names
        geometry = straightened(batch.column(GEOMETRY), row + 1, request, notes)
        numbers = (
            batch.column(ROW) if ROW in names else pa.array(range(row + 1, row + n + 1), pa.int64())
        )
        rest = [c for c in names if c not in (GEOMETRY, ROW)]
        yield pa.RecordBatch.from_arrays(
            [numbers, geometry, *(batch.column(c) for c in rest)], names=[ROW, GEOMETRY, *rest]
        )
        row += n


def _too_large(request: ReadRequest) -> InputError:
    return RangeError(
        f"reading it takes more than {request.limits.memory_bytes / 1e9:.0f} GB of memory",
        where=request.path.name,
        remedy="it may be damaged; else split it, or deliver it as GeoPackage",
    )


def _is_memory(error: Exception) -> bool:
    text = f"{type(error).__name__} {error}".lower()
    return any(w in text for w in ("out of memory", "cannot allocate", "bad_alloc", "memoryerror"))


def _unreadable(request: ReadRequest, error: Exception) -> InputError:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(
        f"the file cannot be read: {text}",
        where=request.path.name,
        remedy="deliver it again; it may be cut off or damaged",
    )


def main() -> int:
    """Read the request from standard input and answer on standard output."""
    import json

    from geoplan.ingest.reader.wire import request_of

    said = json.loads(sys.stdin.buffer.read())
    request = request_of(said["request"])
    confine(request.limits)
    # Libraries print; what they print must not get between the frames.
    out = os.fdopen(os.dup(1), "wb", buffering=1 << 20)
    os.dup2(2, 1)
    code = serve(request, Path(said["folder"]), out)
    with contextlib.suppress(BrokenPipeError):
        out.flush()
    # Nothing here is worth the time that tearing down libraries takes.
    os._exit(code)
