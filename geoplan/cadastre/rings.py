"""Many polygons as four flat arrays: what checks and encoders walk without an object a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["Rings"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rings:
    """Polygons of many rows.

    Parameters
    ----------
    xy : ndarray of float, shape (points, 2)
        Coordinates (x, y); each ring repeats its first point at its end.
    ring_start : ndarray of int, shape (rings + 1,)
        First point of each ring, and the number of points.
    part_start : ndarray of int, shape (parts + 1,)
        First ring of each part; that ring is its shell, the others are its holes.
    shape_start : ndarray of int, shape (shapes + 1,)
        First part of each shape. A shape without parts is missing or empty.
    """

    xy: Floats
    ring_start: Ints
    part_start: Ints
    shape_start: Ints

    def __len__(self) -> int:
        return len(self.shape_start) - 1

    @classmethod
    def of(cls, shapes: npt.NDArray[np.object_]) -> Rings:
        """Return polygons and multi-polygons as rings; missing and empty ones have no part.

        Raises
        ------
        ValueError
            Another kind of geometry.
        """
        kinds = shapely.get_type_id(shapes)
        bare = shapely.is_missing(shapes) | shapely.is_empty(shapes)
        if not np.isin(kinds[~bare], (3, 6)).all():
            raise ValueError("only polygons and multi-polygons have rings")
        parts, owner = shapely.get_parts(shapes, return_index=True)
        if len(parts):
            _, xy, offsets = shapely.to_ragged_array(parts)
            rings, part_rings = offsets
        else:
            xy, rings, part_rings = np.empty((0, 2)), np.zeros(1), np.zeros(1)
        count = np.bincount(owner, minlength=len(shapes)) if len(owner) else np.zeros(len(shapes))
        return cls(
            np.ascontiguousarray(xy[:, :2], dtype=np.float64),
            np.asarray(rings, dtype=np.int64),
            np.asarray(part_rings, dtype=np.int64),
            np.concatenate([[0], np.cumsum(count)]).astype(np.int64),
        )

    def shapes(self, which: Sequence[int] | Ints | None = None) -> npt.NDArray[np.object_]:
        """Return shapely geometries of all or of some shapes; one without parts is ``None``."""
        wanted = range(len(self)) if which is None else which
        out = np.full(len(wanted), None, dtype=object)
        for i, shape in enumerate(wanted):
            first, last = self.shape_start[shape], self.shape_start[shape + 1]
            parts = [self._part(p) for p in range(first, last)]
            if parts:
                out[i] = parts[0] if len(parts) == 1 else shapely.multipolygons(parts)
        return out

    def _part(self, part: int) -> shapely.Geometry:
        shell, *holes = (
            shapely.linearrings(self.xy[self.ring_start[r] : self.ring_start[r + 1]])
            for r in range(self.part_start[part], self.part_start[part + 1])
        )
        return shapely.polygons(shell, holes or None)

    @staticmethod
    def joined(pieces: Sequence[Rings]) -> Rings:
        """Return several sets of polygons one after the other."""

        def starts(name: str, sizes: Sequence[int]) -> Ints:
            base = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
            found = [getattr(p, name)[:-1] + b for p, b in zip(pieces, base, strict=False)]
            return np.concatenate([*found, base[-1:]])

        return Rings(
            np.concatenate([p.xy for p in pieces]) if pieces else np.empty((0, 2)),
            starts("ring_start", [len(p.xy) for p in pieces]),
            starts("part_start", [len(p.ring_start) - 1 for p in pieces]),
            starts("shape_start", [len(p.part_start) - 1 for p in pieces]),
        )
