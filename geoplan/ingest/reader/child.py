"""The reading process: open one file, send its rows, say what was noted, end."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa

from geoplan.errors import DiskFull, EmptyLayer, FileMissing, GeoPlanError, InputError, RangeError
from geoplan.ingest.reader.request import GEOMETRY, ROW, Note, ReadRequest
from geoplan.ingest.reader.sound import sound
from geoplan.ingest.reader.wire import (
    END,
    ERROR,
    HEADER,
    said_of_error,
    said_of_note,
    write_frame,
)

__all__ = ["serve", "tell_layers"]

_OWN = (ROW, GEOMETRY)


def serve(request: ReadRequest, folder: Path, out: IO[bytes]) -> int:
    """Read a file and send everything; return the exit code.

    Whatever goes wrong goes out as one error frame: in front of the rows, or behind them.
    """
    writer: pa.RecordBatchStreamWriter | None = None

    def send() -> None:
        nonlocal writer
        from geoplan.ingest.reader.dispatch import open_file

        opened = open_file(request, folder)
        for batch in _prepared(opened.batches, request, opened.notes):
            if writer is None:
                columns = tuple((f.name, str(f.type)) for f in batch.schema if f.name not in _OWN)
                write_frame(out, HEADER, asdict(replace(opened.info, columns=columns)))
                writer = pa.ipc.new_stream(out, batch.schema)
                schema = batch.schema
            writer.write_batch(batch if batch.schema.equals(schema) else batch.cast(schema))
        if writer is None:
            raise EmptyLayer(
                "the layer has no features",
                where=request.path.name,
                remedy="deliver it with data",
            )
        writer.close()
        write_frame(out, END, [said_of_note(n) for n in opened.notes])

    failure = _failure(send, request)
    if failure is None:
        return 0
    try:
        if writer is not None:
            writer.close()
        write_frame(out, ERROR, said_of_error(failure))
    except BrokenPipeError:
        pass  # the parent has seen enough
    return 3


def tell_layers(request: ReadRequest, folder: Path, out: IO[bytes]) -> int:
    """Send the names of a file's layers; return the exit code."""

    def send() -> None:
        from geoplan.ingest.reader.listing import layers_in

        write_frame(out, HEADER, layers_in(request, folder))

    failure = _failure(send, request)
    if failure is not None:
        write_frame(out, ERROR, said_of_error(failure))
        return 3
    return 0


def _failure(work: Callable[[], None], request: ReadRequest) -> GeoPlanError | None:
    """Do some work, and return what went wrong in words for a person."""
    try:
        work()
    except GeoPlanError as error:
        return error
    except (MemoryError, pa.ArrowMemoryError):
        return _too_large(request)
    except BrokenPipeError:
        return None  # the parent has seen enough
    except PermissionError as error:
        return FileMissing(
            f"there is no permission to read it ({error.strerror})",
            where=request.path.name,
            remedy="let GeoPlan's user read it: chmod a+r, and a+x on its folders",
        )
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFull(
                "no space is left to unpack the file",
                where=request.path.name,
                remedy="free some space, or set TMPDIR to a folder on another disk",
            )
        return _unreadable(request, error)
    except Exception as error:  # noqa: BLE001
        # Damaged bytes can raise anything in a library. The parent gets one line, never a
        # traceback; what the library said stands in it.
        return _too_large(request) if _is_memory(error) else _unreadable(request, error)
    return None


def _prepared(
    batches: Iterator[pa.RecordBatch], request: ReadRequest, notes: list[Note]
) -> Iterator[pa.RecordBatch]:
    """Number the rows, make curves straight, and hold every row against the limits."""
    from geoplan.ingest.reader.straight import Straightener

    straight = Straightener(request)
    row = 0
    for found in batches:
        batch = sound(found, where=request.path.name)
        n = len(batch)
        if row + n > request.limits.rows:
            raise RangeError(
                f"more than {request.limits.rows:,} rows",
                where=request.path.name,
                remedy="split the file",
            )
        names = batch.schema.names
        if ROW in names:
            numbers = batch.column(ROW)
        else:
            numbers = pa.array(np.arange(row + 1, row + n + 1, dtype=np.int64))
        geometry = straight.of(batch.column(GEOMETRY), row + 1)
        rest = [c for c in names if c not in _OWN]
        yield pa.RecordBatch.from_arrays(
            [numbers, geometry, *(batch.column(c) for c in rest)], names=[ROW, GEOMETRY, *rest]
        )
        row += n
    notes.extend(straight.notes())


def _too_large(request: ReadRequest) -> InputError:
    return RangeError(
        f"reading it takes more than {request.limits.memory_bytes / 1e9:.3g} GB of memory",
        where=request.path.name,
        remedy="it may be damaged; else split it, or deliver it as GeoPackage",
    )


def _is_memory(error: Exception) -> bool:
    text = f"{type(error).__name__} {error}".lower()
    words = ("out of memory", "cannot allocate", "bad_alloc", "memoryerror", "failed to map")
    return any(word in text for word in words)


def _unreadable(request: ReadRequest, error: Exception) -> InputError:
    text = " ".join(str(error).split())[:200] or type(error).__name__
    return InputError(
        f"the file cannot be read: {text}",
        where=request.path.name,
        remedy="deliver it again; it may be cut off or damaged",
    )
