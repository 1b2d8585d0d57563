"""Rings: area, perimeter, sharp corners, repeated vertices, and a proof that they are simple."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geoplan.cadastre.rings import Rings
from geoplan.raster.kernel import kernel, over_blocks

__all__ = [
    "Limits",
    "Measured",
    "apart2",
    "is_spike",
    "measure",
    "neighbours",
    "row_scale",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]

_SIMPLE, _REPEATED, _SPIKED = 1, 2, 4
_MOST_EDGES = 200
"""Rings of more edges are left to GEOS, whose sweep is then faster than all pairs (measured)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What counts as one vertex and as a spike.

    Parameters
    ----------
    tolerance_m : float
        Vertices nearer than this are one vertex, m.
    spike_angle_deg : float
        A corner sharper than this is a spike, where
    spike_side_m : float
        both of its sides are longer than this, m.
    """

    tolerance_m: float
    spike_angle_deg: float
    spike_side_m: float

    def numbers(self) -> tuple[float, float, float]:
        """Return tolerance², cos² of the angle, side²."""
        return (
            self.tolerance_m**2,
            math.cos(math.radians(self.spike_angle_deg)) ** 2,
            self.spike_side_m**2,
        )


class Measured(NamedTuple):
    """One entry a shape.

    Parameters
    ----------
    area_m2 : ndarray of float
        Shells less holes; 0 without parts.
    perimeter_m : ndarray of float
        All rings.
    simple : ndarray of bool
        One ring, proven to touch itself nowhere. False says nothing.
    repeated, spiked : ndarray of bool
        Has vertices nearer than the tolerance; has a spike.
    """

    area_m2: Floats
    perimeter_m: Floats
    simple: Mask
    repeated: Mask
    spiked: Mask


@kernel
def _turn(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Return on which side of a→b the point c lies; 0 where rounding leaves it open.

    The filter of Shewchuk (1997, *Adaptive precision floating-point arithmetic*), §4.2, stage A,
    with room for underflow.
    """
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    det = left - right
    bound = 3.3306690738754716e-16 * (abs(left) + abs(right)) + 1e-290
    if det > bound:
        return 1
    if det < -bound:
        return -1
    return 0


@kernel
def _is_simple(xy: Floats, a: int, m: int) -> bool:
    """Prove that the ring of ``m`` edges from point ``a`` on meets itself nowhere."""
    for i in range(m):
        x0 = xy[a + i, 0]
        y0 = xy[a + i, 1]
        x1 = xy[a + i + 1, 0]
        y1 = xy[a + i + 1, 1]
        # the next edge shares the vertex x1, y1: it may not turn back on this one
        k = a + 1 if i == m - 1 else a + i + 2
        x2 = xy[k, 0]
        y2 = xy[k, 1]
        onward = (x0 < x1 < x2) or (x0 > x1 > x2) or (y0 < y1 < y2) or (y0 > y1 > y2)
        if not onward and _turn(x0, y0, x1, y1, x2, y2) == 0:
            return False
        low_x = min(x0, x1)
        high_x = max(x0, x1)
        low_y = min(y0, y1)
        high_y = max(y0, y1)
        for j in range(i + 2, m - 1 if i == 0 else m):
            x2 = xy[a + j, 0]
            y2 = xy[a + j, 1]
            x3 = xy[a + j + 1, 0]
            y3 = xy[a + j + 1, 1]
            if (
                max(x2, x3) < low_x
                or min(x2, x3) > high_x
                or max(y2, y3) < low_y
                or min(y2, y3) > high_y
            ):
                continue
            p = _turn(x0, y0, x1, y1, x2, y2)
            if p != 0 and p == _turn(x0, y0, x1, y1, x3, y3):
                continue
            p = _turn(x2, y2, x3, y3, x0, y0)
            if p != 0 and p == _turn(x2, y2, x3, y3, x1, y1):
                continue
            return False
    return True


@kernel
def apart2(xy: Floats, p: int, q: int, mx: float, my: float) -> float:
    """Return the square of the distance between two vertices, m²."""
    dx = (xy[p, 0] - xy[q, 0]) * mx
    dy = (xy[p, 1] - xy[q, 1]) * my
    return float(dx * dx + dy * dy)


@kernel
def neighbours(
    xy: Floats, a: int, m: int, i: int, mx: float, my: float, near2: float
) -> tuple[int, int]:
    """Return the vertices before and after vertex ``i`` that are not nearer than the tolerance.

    At most 64 are passed over on each side, so that no crafted ring takes quadratic time.
    """
    before = i
    after = i
    for _ in range(min(m - 1, 64)):
        before = before - 1 if before > 0 else m - 1
        if not apart2(xy, a + before, a + i, mx, my) < near2:
            break
    for _ in range(min(m - 1, 64)):
        after = after + 1 if after < m - 1 else 0
        if not apart2(xy, a + after, a + i, mx, my) < near2:
            break
    return before, after


@kernel
def is_spike(
    xy: Floats, p: int, q: int, r: int, mx: float, my: float, cos2: float, side2: float
) -> bool:
    """Tell whether the corner p–q–r is sharper than allowed and both sides are long."""
    ux = (xy[p, 0] - xy[q, 0]) * mx
    uy = (xy[p, 1] - xy[q, 1]) * my
    vx = (xy[r, 0] - xy[q, 0]) * mx
    vy = (xy[r, 1] - xy[q, 1]) * my
    u2 = ux * ux + uy * uy
    v2 = vx * vx + vy * vy
    dot = ux * vx + uy * vy
    return bool(dot > 0 and u2 > side2 and v2 > side2 and dot * dot > cos2 * u2 * v2)


@kernel
def _measure(
    xy: Floats,
    ring_start: Ints,
    part_start: Ints,
    shape_start: Ints,
    metres: Floats,
    near2: float,
    cos2: float,
    side2: float,
    start: int,
    stop: int,
    area: Floats,
    perimeter: Floats,
    flags: Bytes,
) -> None:
    for s in range(start, stop):
        mx = metres[s, 0]
        my = metres[s, 1]
        total = 0.0
        length = 0.0
        mark = 0
        for part in range(shape_start[s], shape_start[s + 1]):
            for ring in range(part_start[part], part_start[part + 1]):
                a = ring_start[ring]
                m = ring_start[ring + 1] - a - 1
                # relative to the first vertex: products of whole UTM coordinates lose digits
                x0 = xy[a, 0]
                y0 = xy[a, 1]
                px = 0.0
                py = 0.0
                twice = 0.0
                last2 = apart2(xy, a + m - 1, a, mx, my)
                for i in range(m):
                    qx = xy[a + i + 1, 0] - x0
                    qy = xy[a + i + 1, 1] - y0
                    twice += px * qy - qx * py
                    dx = (qx - px) * mx
                    dy = (qy - py) * my
                    d2 = dx * dx + dy * dy
                    length += math.sqrt(d2)
                    px = qx
                    py = qy
                    if d2 < near2:
                        mark |= 2
                    if not last2 < near2 and not (mark & 4):
                        if d2 < near2:
                            before, after = neighbours(xy, a, m, i, mx, my, near2)
                        else:
                            before = i - 1 if i > 0 else m - 1
                            after = i + 1 if i < m - 1 else 0
                        if is_spike(xy, a + before, a + i, a + after, mx, my, cos2, side2):
                            mark |= 4
                    last2 = d2
                if ring == part_start[part]:
                    total += abs(twice)
                else:
                    total -= abs(twice)
        first = shape_start[s]
        if shape_start[s + 1] - first == 1 and part_start[first + 1] - part_start[first] == 1:
            a = ring_start[part_start[first]]
            m = ring_start[part_start[first] + 1] - a - 1
            if 3 <= m <= _MOST_EDGES and _is_simple(xy, a, m):
                mark |= 1
        area[s] = 0.5 * total * mx * my
        perimeter[s] = length
        flags[s] = mark


def row_scale(metres: float | npt.ArrayLike, count: int) -> Floats:
    """Return metres per unit of x and of y for each shape, from one number, a pair or all."""
    return np.ascontiguousarray(
        np.broadcast_to(np.asarray(metres, dtype=np.float64), (count, 2)), dtype=np.float64
    )


def measure(
    rings: Rings,
    limits: Limits,
    *,
    metres: float | npt.ArrayLike = 1.0,
    threads: int | None = None,
) -> Measured:
    """Measure polygons and look at their corners, in one pass.

    Parameters
    ----------
    rings : Rings
    limits : Limits
    metres : float or array of float, shape (2,) or (shapes, 2)
        Metres per unit of x and y. In degrees, those at the shape's place.
    threads : int, optional

    Notes
    -----
    Area by the shoelace formula relative to the first vertex of each ring.

    A ring of m ≤ 200 edges is proven simple where no two edges that share no vertex can touch
    (their boxes are apart, or one lies on one side of the other's line) and no edge turns back
    on the one before. Each step is taken only where its floating-point error cannot change the
    answer, so a proven ring is valid by the rules of OGC Simple Features and GEOS.
    """
    n = len(rings)
    scale = row_scale(metres, n)
    area, perimeter = np.zeros(n), np.zeros(n)
    flags = np.zeros(n, np.uint8)
    over_blocks(
        lambda a, b: _measure(
            rings.xy, rings.ring_start, rings.part_start, rings.shape_start,
            scale, *limits.numbers(), a, b, area, perimeter, flags,
        ),
        n,
        threads=threads,
    )  # fmt: skip
    return Measured(
        area, perimeter, flags & _SIMPLE != 0, flags & _REPEATED != 0, flags & _SPIKED != 0
    )
