"""A file that is open for reading, in the process that reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from geoplan.ingest.reader.request import Note, SourceInfo

__all__ = ["Opened"]


@dataclass
class Opened:
    """What a file is, its batches, and what was noted; notes are complete after the last batch.

    Batches have the geometry (binary WKB, as found) and the columns of the source; numbers of
    rows and straight edges are seen to by whoever sends them on.
    """

    info: SourceInfo
    batches: Iterator[pa.RecordBatch]
    notes: list[Note] = field(default_factory=list)
