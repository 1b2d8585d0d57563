"""What has to be known of a FlatGeobuf before GDAL reads it."""

from __future__ import annotations

import struct
from pathlib import Path

__all__ = ["EXTRA", "every_row_of", "has_index"]

EXTRA = "__geoplan_extra__"
"""Column that :func:`every_row_of` adds, and that nobody asked for."""

_INDEX_FIELD = 9  # of the header table: name, envelope, type, z, m, t, tm, columns, count, index
_USUAL = 16


def has_index(path: Path) -> bool:
    """Return whether a FlatGeobuf has its index of places; only without one can places be absent.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bool
        False also for a header that cannot be understood.

    Notes
    -----
    The header is a FlatBuffers table behind eight bytes of signature and four of length: the
    table starts with the (backward) distance to its list of fields, which gives for each field
    its distance from the table's start, 0 where it has its default.
    """
    with path.open("rb") as stream:
        raw = stream.read(1 << 16)
    try:
        table = 12 + int(struct.unpack_from("<I", raw, 12)[0])
        fields = table - int(struct.unpack_from("<i", raw, table)[0])
        if fields < 0:
            return False
        length = int(struct.unpack_from("<H", raw, fields)[0])
        place = 4 + 2 * _INDEX_FIELD
        at = int(struct.unpack_from("<H", raw, fields + place)[0]) if place < length else 0
        size = int(struct.unpack_from("<H", raw, table + at)[0]) if at else _USUAL
    except struct.error:
        return False
    return size > 1


def every_row_of(layer: str) -> str:
    """Return a query for all rows of a layer that GDAL answers row by row.

    Its fast way through a FlatGeobuf writes the geometry behind an absent one over the first of
    the batch (GDAL 3.12). A query that computes anything takes the slow way, which is right.
    """
    quoted = layer.replace("\\", "\\\\").replace('"', '\\"')
    return f'SELECT *, 1 AS "{EXTRA}" FROM "{quoted}"'  # noqa: S608 - a quoted name
