"""Notes of one drawing: each with its place, and a drawing that is all wrong stays readable."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.ingest.reader.request import Note

__all__ = ["MOST_PLACES", "NoteBook", "place"]

MOST_PLACES = 500
"""Notes of one code that are listed one by one; the rest are one note with all their places."""

_MOST_REST = 20_000


def place(xy: npt.ArrayLike) -> bytes | None:
    """Return a point, or a line through several points, as WKB; None where it is nowhere."""
    points = np.atleast_2d(np.asarray(xy, dtype=np.float64))[:, :2]
    if not len(points) or not np.isfinite(points).all():
        return None
    found = shapely.Point(points[0]) if len(points) == 1 else shapely.LineString(points)
    return bytes(shapely.to_wkb(found, flavor="iso"))


class NoteBook:
    """Collects the notes of one drawing."""

    def __init__(self) -> None:
        self._notes: list[Note] = []
        self._seen: Counter[str] = Counter()
        self._rest: dict[str, list[Note]] = {}

    def add(self, note: Note) -> None:
        """Take a note; beyond ``MOST_PLACES`` of its code it is only counted, with its place."""
        self._seen[note.code] += 1
        if self._seen[note.code] <= MOST_PLACES:
            self._notes.append(note)
        else:
            self._rest.setdefault(note.code, []).append(note)

    def extend(self, notes: Sequence[Note]) -> None:
        """Take several notes."""
        for note in notes:
            self.add(note)

    def all(self) -> list[Note]:
        """Return the notes in the order in which they were taken, the summed ones last."""
        summed = []
        for code, notes in self._rest.items():
            places = [n.wkb for n in notes[:_MOST_REST] if n.wkb is not None]
            where = shapely.GeometryCollection([shapely.from_wkb(w) for w in places])
            summed.append(
                Note(
                    code,
                    f"{len(notes):,} more like the {MOST_PLACES} that are listed",
                    notes[0].remedy,
                    rows=tuple(r for n in notes for r in n.rows),
                    count=sum(n.count for n in notes),
                    wkb=bytes(shapely.to_wkb(where, flavor="iso")) if places else None,
                )
            )
        return self._notes + summed
