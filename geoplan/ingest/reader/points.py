"""Geometry of a table: from WKT, or from two columns of coordinates."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geoplan.errors import InputError, UnknownName
from geoplan.ingest.reader.request import Note, ReadRequest
from geoplan.ingest.reader.unread import Unread
from geoplan.persian import to_latin_digits

__all__ = ["PlacedBy", "placed_by", "srid_in"]

_WKT = ("wkt", "geom", "geometry", "the_geom", "shape")
_PAIRS = (
    ("lon", "lat"), ("longitude", "latitude"), ("long", "lat"), ("lng", "lat"), ("x", "y"),
    ("easting", "northing"), ("طول", "عرض"), ("طول جغرافیایی", "عرض جغرافیایی"),
)  # fmt: skip
_SRID = re.compile(r"\s*SRID\s*=\s*(\d+)\s*;", re.IGNORECASE)


@dataclass(frozen=True)
class PlacedBy:
    """The columns that place a row: ``wkt``, or ``x`` and ``y``."""

    wkt: str | None
    x: str | None
    y: str | None
    degrees: bool
    notes: tuple[Note, ...] = ()
    unread: Unread = field(default_factory=Unread)

    def geometry(self, batch: pa.RecordBatch) -> pa.Array:
        """Return the WKB of each row; null where it has no readable place, which is noted."""
        if self.wkt is not None:
            column = batch.column(self.wkt)
            shapes = _shapes(column)
            there = np.asarray(column.is_valid())
        elif self.x is not None and self.y is not None:
            columns = batch.column(self.x), batch.column(self.y)
            xy = np.column_stack([_numbers(column) for column in columns])
            shapes = shapely.points(xy)
            shapes[~np.isfinite(xy).all(axis=1)] = None
            there = np.asarray(columns[0].is_valid()) | np.asarray(columns[1].is_valid())
        else:
            return pa.nulls(len(batch), pa.binary())
        for i in np.flatnonzero(there & (shapes == None)):  # noqa: E711 - element by element
            given = (str(batch.column(n)[int(i)]) for n in (self.wkt, self.x, self.y) if n)
            self.unread.add(int(i), ", ".join(text[:60] for text in given))
        self.unread.passed += len(batch)
        wkb = shapely.to_wkb(shapes, include_srid=False, flavor="iso", byte_order=1)
        return pa.array(wkb.tolist(), pa.binary())


def srid_in(text: str) -> str | None:
    """Return the one system that WKT names as PostGIS does (``SRID=32639;POINT …``), if any."""
    found = set(_SRID.findall(text)) - {"0"}
    return f"EPSG:{found.pop()}" if len(found) == 1 else None


def _shapes(column: pa.Array) -> Any:
    """Return geometries from WKT, or from hexadecimal WKB, as databases write them out."""
    texts = np.array(column.to_pylist(), dtype=object)
    first = next((t for t in texts if t is not None), "")
    if re.match(r"\s*0[01][0-9A-Fa-f]{8}", first):
        return shapely.from_wkb(texts, on_invalid="ignore")
    if first.lstrip().upper().startswith("SRID="):  # as PostGIS writes it
        texts = np.array([t and _SRID.sub("", t, count=1) for t in texts], dtype=object)
    try:
        return shapely.from_wkt(texts, on_invalid="ignore")
    except NotImplementedError:  # one of them has curves
        return np.array([_shape(t) for t in texts], dtype=object)


def _shape(text: str | None) -> Any:
    with contextlib.suppress(NotImplementedError):
        return shapely.from_wkt(text, on_invalid="ignore")
    return None


def _numbers(column: pa.Array) -> Any:
    """Return numbers of any script; NaN where there is none."""
    try:
        return column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        pass  # some of them are written otherwise
    out = np.full(len(column), np.nan)
    for i, value in enumerate(column.to_pylist()):
        if value is not None and "_" not in value:  # which Python reads over
            with contextlib.suppress(ValueError):
                out[i] = float(to_latin_digits(value).strip().replace("٫", "."))
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
