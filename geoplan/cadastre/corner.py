"""Spikes and repeated vertices, one by one, with their angle and depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geoplan.cadastre.ring import Limits, apart2, is_spike, neighbours, row_scale
from geoplan.cadastre.rings import Rings
from geoplan.raster.kernel import kernel

__all__ = ["Corners", "corners"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Corners(NamedTuple):
    """Vertices of interest, one entry each; places are numbers of points in ``Rings.xy``.

    ``before`` and ``after`` are the neighbours that are not nearer than the tolerance. The depth
    is the distance of the tip from the side ``before``–``after``, the area that of the triangle.
    """

    shape: Ints
    tip: Ints
    before: Ints
    after: Ints
    angle_deg: Floats
    depth_m: Floats
    area_m2: Floats


@kernel
def _mark(
    xy: Floats,
    ring_start: Ints,
    part_start: Ints,
    shape_start: Ints,
    metres: Floats,
    near2: float,
    cos2: float,
    side2: float,
    wanted: Ints,
    spikes: bool,
    found: Ints,
) -> int:
    """Write (shape, vertex, before, after) of each spike or repeated vertex; return how many."""
    n = 0
    for s in wanted:
        mx = metres[s, 0]
        my = metres[s, 1]
        for part in range(shape_start[s], shape_start[s + 1]):
            for ring in range(part_start[part], part_start[part + 1]):
                a = ring_start[ring]
                m = ring_start[ring + 1] - a - 1
                for i in range(m):
                    near = apart2(xy, a + (i - 1 if i > 0 else m - 1), a + i, mx, my) < near2
                    if near == spikes:
                        continue
                    before, after = neighbours(xy, a, m, i, mx, my, near2)
                    if spikes and not is_spike(
                        xy, a + before, a + i, a + after, mx, my, cos2, side2
                    ):
                        continue
                    if n < len(found):
                        found[n, 0] = s
                        found[n, 1] = a + i
                        found[n, 2] = a + before
                        found[n, 3] = a + after
                    n += 1
    return n


def corners(
    rings: Rings,
    which: npt.ArrayLike,
    limits: Limits,
    *,
    spikes: bool,
    metres: float | npt.ArrayLike = 1.0,
) -> Corners:
    """Return the spikes, or the repeated vertices, of some shapes.

    Parameters
    ----------
    rings : Rings
    which : array of int
        Numbers of the shapes.
    limits : Limits
    spikes : bool
        True: spikes. False: vertices nearer than the tolerance to the one before.
    metres : float or array of float
        As in :func:`measure`.
    """
    wanted = np.ascontiguousarray(which, dtype=np.int64)
    scale = row_scale(metres, len(rings))

    def run(found: Ints) -> int:
        return int(
            _mark(
                rings.xy, rings.ring_start, rings.part_start, rings.shape_start,
                scale, *limits.numbers(), wanted, spikes, found,
            )
        )  # fmt: skip

    found = np.empty((run(np.empty((0, 4), np.int64)), 4), np.int64)
    run(found)
    shape, tip, before, after = np.ascontiguousarray(found.T)
    p, q, r = (rings.xy[i] * scale[shape] for i in (before, tip, after))
    u, v, w = p - q, r - q, r - p
    cross = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    dot = (u * v).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        along = np.clip(-(u * w).sum(axis=1) / (w * w).sum(axis=1), 0, 1)
    along = np.nan_to_num(along)
    depth = np.hypot(*(u + along[:, None] * w).T)
    angle = np.degrees(np.arctan2(np.abs(cross), dot))
    return Corners(shape, tip, before, after, angle, depth, np.abs(cross) / 2)
