"""Geometry of a table: from WKT, or from two columns of coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geoplan.errors import InputError, UnknownName
from geoplan.ingest.reader.request import Note, ReadRequest
from geoplan.persian import to_latin_digits

__all__ = ["PlacedBy", "placed_by"]

_WKT = ("wkt", "geom", "geometry", "the_geom", "shape")
_PAIRS = (
    ("lon", "lat"), ("longitude", "latitude"), ("long", "lat"), ("lng", "lat"), ("x", "y"),
    ("easting", "northing"), ("طول", "عرض"), ("طول جغرافیایی", "عرض جغرافیایی"),
)  # fmt: skip


@dataclass(frozen=True)
class PlacedBy:
    """The columns that place a row: ``wkt``, or ``x`` and ``y``."""

    wkt: str | None
    x: str | None
    y: str | None
    degrees: bool
    notes: tuple[Note, ...] = ()

    def geometry(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the WKB of each row; null where it has no readable place."""
        if self.wkt is not None:
            texts = np.array(batch.column(self.wkt).to_pylist(), dtype=object)
            shapes = shapely.from_wkt(texts, on_invalid="ignore")
        elif self.x is not None and self.y is not None:
            xy = np.column_stack([_numbers(batch.column(self.x)), _numbers(batch.column(self.y))])
            shapes = shapely.points(xy)
            shapes[~np.isfinite(xy).all(axis=1)] = None
        else:
            return pa.nulls(len(batch), pa.binary())
        return pa.array(shapely.to_wkb(shapes, include_srid=False).tolist(), pa.binary())


def _numbers(column: pa.Array) -> Any:
    out = np.full(len(column), np.nan)
    for i, value in enumerate(column.to_pylist()):
        if value is None:
            continue
        text = to_latin_digits(str(value)).strip().replace("٫", ".")
        try:
            out[i] = float(text)
        except ValueError:
            out[i] = np.nan
    return out


def placed_by(names: list[str], request: ReadRequest) -> PlacedBy:
    """Find the columns that place the rows: those that were named, else the usual names.

    Raises
    ------
    UnknownName, InputError
        A named column is not there; only one of two was named.
    """
    where = request.path.name
    if (request.lon is None) != (request.lat is None):
        raise InputError("name both --lon and --lat, or neither", where=where)
    for column in (request.wkt, request.lon, request.lat):
        if column is not None and column not in names:
            raise UnknownName(
                f"the table has no column '{column}'",
                where=where,
                remedy=f"its columns: {', '.join(names[:40])}",
            )
    if request.wkt is not None:
        return PlacedBy(request.wkt, None, None, False)
    if request.lon is not None:
        return PlacedBy(None, request.lon, request.lat, True)
    lower = {name.strip().lower(): name for name in names}
    for name in _WKT:
        if name in lower:
            note = Note("columns-detected", f"the geometry is taken from column '{lower[name]}'")
            return PlacedBy(lower[name], None, None, False, (note,))
    for x, y in _PAIRS:
        if x in lower and y in lower:
            said = f"the place is taken from columns '{lower[x]}' and '{lower[y]}'"
            note = Note("columns-detected", said, "name others with --lon and --lat")
            return PlacedBy(None, lower[x], lower[y], x[:1] == "l" or x.startswith("طول"), (note,))
    return PlacedBy(None, None, None, False)
