"""The geometry column as it goes out: straight edges, no giant features, odd kinds named."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.ingest.reader.curve import BrokenWkb, UnsupportedKind, needs_straightening, straighten
from geoplan.ingest.reader.request import Note, ReadRequest

__all__ = ["straightened"]


def straightened(
    geometry: pa.Array, first: int, request: ReadRequest, notes: list[Note]
) -> pa.Array:
    """Return the column with chords for arcs; what cannot be is left as it is and noted.

    Parameters
    ----------
    geometry : pyarrow.Array of binary
        WKB of one batch.
    first : int
        Number of its first row.
    notes : list of Note
        Receives how many curves were made straight, and rows that are too large.
    """
    if not (pa.types.is_binary(geometry.type) or pa.types.is_large_binary(geometry.type)):
        geometry = geometry.cast(pa.binary())
    geometry = _without_giants(geometry, first, request, notes)
    curved = np.flatnonzero(needs_straightening(geometry))
    if not len(curved):
        return geometry
    values = geometry.to_pylist()
    made = []
    for i in curved.tolist():
        try:
            values[i], changed = straighten(values[i], request.curve_tolerance_m)
        except (UnsupportedKind, BrokenWkb):
            continue  # the check of figures names the kind and the row
        if changed:
            made.append(first + i)
    if made:
        notes.append(
            Note(
                "curve",
                f"{len(made):,} rows have curves",
                f"made of chords at most {request.curve_tolerance_m:g} from the arc",
                tuple(made[:1000]),
                len(made),
            )
        )
    return pa.array(values, geometry.type)


def _without_giants(
    geometry: pa.Array, first: int, request: ReadRequest, notes: list[Note]
) -> pa.Array:
    size = pc.fill_null(pc.binary_length(geometry), 0).to_numpy(zero_copy_only=False)
    giant = np.flatnonzero(size > request.limits.feature_bytes)
    if not len(giant):
        return geometry
    for i in giant.tolist():
        notes.append(
            Note(
                "giant-geometry",
                f"the geometry of row {first + i:,} has {int(size[i]):,} bytes; the limit is "
                f"{request.limits.feature_bytes:,}",
                "it is not read; split it into parts",
                (first + i,),
            )
        )
    keep = np.ones(len(geometry), dtype=bool)
    keep[giant] = False
    return pc.if_else(pa.array(keep), geometry, pa.scalar(None, geometry.type))
