"""Read any file of a delivery as a stream of Arrow batches, in a process of its own."""

from typing import TYPE_CHECKING

from geoplan.ingest.reader.request import GEOMETRY, ROW, Limits, Note, ReadRequest, SourceInfo

if TYPE_CHECKING:
    from geoplan.ingest.reader.stream import Source, list_layers, open_source

__all__ = [
    "GEOMETRY",
    "ROW",
    "Limits",
    "Note",
    "ReadRequest",
    "Source",
    "SourceInfo",
    "list_layers",
    "open_source",
]


def __getattr__(name: str) -> object:
    # The reading process imports this package, too, and need not load its parent's side.
    if name in ("Source", "list_layers", "open_source"):
        from geoplan.ingest.reader import stream

        return getattr(stream, name)
    raise AttributeError(name)
