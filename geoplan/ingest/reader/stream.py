"""Read a file in a process of its own, and take its rows as they come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from geoplan.ingest.reader.process import ReaderProcess
from geoplan.ingest.reader.request import Limits, Note, ReadRequest, SourceInfo
from geoplan.ingest.reader.sound import sound
from geoplan.ingest.reader.wire import END, HEADER, info_of, note_of

__all__ = ["Source", "list_layers", "open_source"]


class Source:
    """A file that is being read. Use it as a context manager.

    Attributes
    ----------
    info : SourceInfo
        What the file is; known at once.
    notes : list of Note
        What the reader found and did; complete after the last batch.
    """

    def __init__(self, process: ReaderProcess) -> None:
        self._process = process
        self.notes: list[Note] = []
        try:
            self.info: SourceInfo = info_of(process.frame(HEADER))
            with process.waits():
                self._reader = pa.ipc.open_stream(process.out)
        except (pa.ArrowException, OSError, EOFError) as error:
            died = process.died()
            process.close()
            raise died from error
        except BaseException:
            process.close()
            raise

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
                with self._process.waits():
                    batch = self._reader.read_next_batch()
            except StopIteration:
                break
            except (pa.ArrowException, OSError, EOFError) as error:
                raise self._process.died() from error
            yield sound(batch, where=self._process.name)
        self.notes = [note_of(n) for n in self._process.frame(END)]

    def close(self) -> None:
        """End the reading process, if it still runs, and remove its folder."""
        self._process.close()


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
    return Source(ReaderProcess(request, "rows"))


def list_layers(path: Path, *, limits: Limits | None = None) -> tuple[str, ...]:
    """Return what ``source_layer`` may name in a file: its layers, sheets or packed files.

    Parameters
    ----------
    path : Path
        The file.
    limits : Limits, optional
        What is refused.

    Returns
    -------
    tuple of str
        Empty where the format has no layers, as a CSV.

    Raises
    ------
    FileMissing, InputError
        See :func:`open_source`.
    """
    process = ReaderProcess(ReadRequest(path, limits=limits or Limits()), "layers")
    try:
        return tuple(str(name) for name in process.frame(HEADER))
    finally:
        process.close()
