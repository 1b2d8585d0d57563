"""The geometry column as it goes out: straight edges, no giant features, odd kinds left alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.ingest.reader.curve import BrokenWkb, UnsupportedKind, needs_straightening, straighten
from geoplan.ingest.reader.request import Note, ReadRequest

__all__ = ["Straightener"]

_NAMED = 1000
"""Rows that a note names; of more it gives only the number."""


class Straightener:
    """Makes curves straight and keeps giants back, and counts both.

    Parameters
    ----------
    request : ReadRequest
        Tolerance of curves, and the limit of one row's geometry.
    """

    def __init__(self, request: ReadRequest) -> None:
        self._request = request
        self._curved: list[int] = []
        self._curves = 0
        self._giants: list[tuple[int, int]] = []
        self._giant_count = 0

    def of(self, geometry: pa.Array, first: int) -> pa.Array:
        """Return a column with chords for arcs; what cannot be made straight is left as it is.

        Parameters
        ----------
        geometry : pyarrow.Array of binary
            WKB of one batch.
        first : int
            Number of its first row.
        """
        if not (pa.types.is_binary(geometry.type) or pa.types.is_large_binary(geometry.type)):
            geometry = geometry.cast(pa.binary())
        geometry = _iso(self._without_giants(geometry, first))
        curved = np.flatnonzero(needs_straightening(geometry))
        if not len(curved):
            return geometry
        values = geometry.to_pylist()
        for i in curved.tolist():
            try:
                values[i], changed = straighten(values[i], self._request.curve_tolerance_m)
            except (UnsupportedKind, BrokenWkb):
                continue  # the check of figures names the kind and the row
            if changed:
                self._curves += 1
                if len(self._curved) < _NAMED:
                    self._curved.append(first + i)
        return pa.array(values, geometry.type)

    def notes(self) -> list[Note]:
        """Return what was done, one note a kind; call after the last batch."""
        found = []
        if self._curves:
            found.append(
                Note(
                    "curve",
                    f"{self._curves:,} rows have curves",
                    f"made of chords at most {self._request.curve_tolerance_m:g} from the arc",
                    tuple(self._curved),
                    self._curves,
                )
            )
        if self._giant_count:
            row, size = self._giants[0]
            found.append(
                Note(
                    "giant-geometry",
                    f"the geometry of row {row:,} has {size:,} bytes; the limit is "
                    f"{self._request.limits.feature_bytes:,}",
                    "it is not read; split it into parts",
                    tuple(r for r, _ in self._giants),
                    self._giant_count,
                )
            )
        return found

    def _without_giants(self, geometry: pa.Array, first: int) -> pa.Array:
        size = pc.fill_null(pc.binary_length(geometry), 0).to_numpy(zero_copy_only=False)
        giant = np.flatnonzero(size > self._request.limits.feature_bytes)
        if not len(giant):
            return geometry
        self._giant_count += len(giant)
        room = _NAMED - len(self._giants)
        self._giants += [(first + i, int(size[i])) for i in giant[:room].tolist()]
        keep = np.ones(len(geometry), dtype=bool)
        keep[giant] = False
        return pc.if_else(pa.array(keep), geometry, pa.scalar(None, geometry.type))


def _iso(geometry: pa.Array) -> pa.Array:
    """Return the column with big-endian and extended WKB as little-endian ISO WKB."""
    fine = pc.and_(
        pc.equal(pc.binary_slice(geometry, 0, 1), pa.scalar(b"\x01", geometry.type)),
        pc.equal(pc.binary_slice(geometry, 4, 5), pa.scalar(b"\x00", geometry.type)),
    )
    if pc.all(fine).as_py() is not False:  # null: no rows, or none with a geometry
        return geometry
    import shapely

    values = geometry.to_pylist()
    odd = [i for i, ok in enumerate(fine.to_pylist()) if ok is False]
    shapes = shapely.from_wkb([values[i] for i in odd], on_invalid="ignore")
    made = shapely.to_wkb(shapes, byte_order=1, flavor="iso", include_srid=False)
    for i, wkb in zip(odd, made.tolist(), strict=True):
        values[i] = wkb or values[i]  # what GEOS cannot read is left to the checks, as it is
    return pa.array(values, geometry.type)
