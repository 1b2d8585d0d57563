"""Read any file of a delivery as a stream of Arrow batches, in a process of its own."""

from geoplan.ingest.reader.request import GEOMETRY, ROW, Limits, Note, ReadRequest, SourceInfo

__all__ = ["GEOMETRY", "ROW", "Limits", "Note", "ReadRequest", "SourceInfo"]
