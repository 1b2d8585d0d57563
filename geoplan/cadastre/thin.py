"""Leave out vertices: repeated ones, and the tips of spikes."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geoplan.cadastre.ring import Limits, apart2, is_spike, row_scale
from geoplan.cadastre.rings import Rings
from geoplan.raster.kernel import kernel

__all__ = ["Thinned", "taken", "thin"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


class Thinned(NamedTuple):
    """Shapes with fewer vertices.

    Parameters
    ----------
    rings : Rings
        The shapes asked for, in that order. Holes and further parts that collapse are left out;
        a shape that collapses altogether has no part.
    repeated, spikes : ndarray of int
        How many vertices of each kind were left out of each shape.
    removed : list of ndarray of float, shape (vertices, 2)
        Their places, for each shape.
    """

    rings: Rings
    repeated: Ints
    spikes: Ints
    removed: list[Floats]


@kernel
def _thin_ring(
    xy: Floats,
    a: int,
    m: int,
    mx: float,
    my: float,
    near2: float,
    cos2: float,
    side2: float,
    repeated: bool,
    spikes: bool,
    before: Ints,
    after: Ints,
    why: npt.NDArray[np.uint8],
) -> int:
    """Mark vertices left out in ``why`` (1 repeated, 2 spike); return how many stay."""
    for i in range(m):
        before[i] = i - 1 if i > 0 else m - 1
        after[i] = i + 1 if i < m - 1 else 0
        why[i] = 0
    stay = m
    if repeated:
        i = 0
        for _ in range(m):
            k = after[i]
            if stay > 1 and apart2(xy, a + i, a + k, mx, my) < near2:
                gone = k if k != 0 else i  # the first vertex stays: a neighbour may share it
                why[gone] = 1
                stay -= 1
                after[before[gone]] = after[gone]
                before[after[gone]] = before[gone]
                i = before[gone] if gone == i else i
            else:
                i = k
    if spikes:
        i = 0
        while why[i] != 0:
            i += 1
        quiet = 0  # vertices in a row at which nothing was done
        while quiet < stay and stay >= 3:
            p = before[i]
            q = after[i]
            for _ in range(min(stay, 64)):
                if not apart2(xy, a + p, a + i, mx, my) < near2:
                    break
                p = before[p]
            for _ in range(min(stay, 64)):
                if not apart2(xy, a + q, a + i, mx, my) < near2:
                    break
                q = after[q]
            if is_spike(xy, a + p, a + i, a + q, mx, my, cos2, side2):
                # the tip, and what lies at the tip
                k = after[p]
                while k != q:
                    why[k] = 2
                    stay -= 1
                    k = after[k]
                after[p] = q
                before[q] = p
                if p != q and stay > 1 and apart2(xy, a + p, a + q, mx, my) < near2:
                    why[q] = 1
                    stay -= 1
                    after[p] = after[q]
                    before[after[q]] = p
                i = p
                quiet = 0
            else:
                i = after[i]
                quiet += 1
    return stay


@kernel
def _thin(
    xy: Floats,
    ring_start: Ints,
    part_start: Ints,
    shape_start: Ints,
    metres: Floats,
    near2: float,
    cos2: float,
    side2: float,
    repeated: bool,
    spikes: bool,
    longest: int,
    why: npt.NDArray[np.uint8],
    left: Ints,
) -> None:
    before = np.empty(longest, np.int64)
    after = np.empty(longest, np.int64)
    for s in range(len(shape_start) - 1):
        for part in range(shape_start[s], shape_start[s + 1]):
            for ring in range(part_start[part], part_start[part + 1]):
                a = ring_start[ring]
                m = ring_start[ring + 1] - a - 1
                left[ring] = _thin_ring(
                    xy, a, m, metres[s, 0], metres[s, 1], near2, cos2, side2, repeated, spikes,
                    before, after, why[a : a + m],
                )  # fmt: skip
                why[a + m] = 4  # the closing point


def _counts(start: Ints, keep: Mask) -> Ints:
    """Return the starts of groups of which only some members are kept."""
    return np.asarray(np.concatenate([[0], np.cumsum(keep)])[start], np.int64)


def _spread(start: Ints, which: Ints) -> Ints:
    """Return the members of some groups, in order of the groups."""
    size = np.diff(start)[which]
    begin = np.cumsum(size) - size
    return np.asarray(np.arange(size.sum()) + np.repeat(start[which] - begin, size), np.int64)


def _starts(start: Ints, which: Ints) -> Ints:
    return np.asarray(np.concatenate([[0], np.cumsum(np.diff(start)[which])]), np.int64)


def taken(rings: Rings, which: npt.ArrayLike) -> Rings:
    """Return some shapes, in the order given; a shape may be taken twice."""
    shape = np.asarray(which, dtype=np.int64)
    part = _spread(rings.shape_start, shape)
    ring = _spread(rings.part_start, part)
    return Rings(
        rings.xy[_spread(rings.ring_start, ring)],
        _starts(rings.ring_start, ring),
        _starts(rings.part_start, part),
        _starts(rings.shape_start, shape),
    )


def thin(
    rings: Rings,
    limits: Limits,
    *,
    repeated: bool,
    spikes: bool,
    metres: float | npt.ArrayLike = 1.0,
) -> Thinned:
    """Leave out repeated vertices and tips of spikes.

    Parameters
    ----------
    rings : Rings
    limits : Limits
        As in :func:`geoplan.cadastre.ring.measure`.
    repeated, spikes : bool
        What is left out.
    metres : float or array of float
        Metres per unit of x and y.

    Notes
    -----
    Of vertices nearer than the tolerance the first one stays, so that a vertex shared with a
    neighbour moves as little as possible. Where a tip is left out and its feet are one vertex,
    one foot is left out too. That is repeated until no spike is left. A ring of fewer than three
    vertices has collapsed.
    """
    n = len(rings)
    why = np.zeros(len(rings.xy), np.uint8)
    left = np.zeros(len(rings.ring_start) - 1, np.int64)
    longest = int(np.diff(rings.ring_start).max(initial=1))
    _thin(
        rings.xy, rings.ring_start, rings.part_start, rings.shape_start,
        row_scale(metres, n), *limits.numbers(), repeated, spikes, longest, why, left,
    )  # fmt: skip
    full = left >= 3
    shell = rings.part_start[:-1]
    part_of_ring = np.repeat(np.arange(len(shell)), np.diff(rings.part_start))
    keep_part = full[shell]
    keep_ring = full & keep_part[part_of_ring]
    keep_point = (why == 0) & np.repeat(keep_ring, np.diff(rings.ring_start))
    # every ring that stays is closed with its own first point
    first = np.concatenate([[0], np.cumsum(keep_point)])[rings.ring_start]
    points = rings.xy[keep_point]
    size = np.diff(first)[keep_ring]
    begin = first[:-1][keep_ring]
    xy = np.insert(points, begin + size, points[begin], axis=0) if len(begin) else points
    thinned = Rings(
        xy,
        np.concatenate([[0], np.cumsum(size + 1)]).astype(np.int64),
        _counts(rings.part_start, keep_ring)[np.concatenate([keep_part, [True]])],
        _counts(rings.shape_start, keep_part),
    )
    owner = rings.ring_start[rings.part_start[rings.shape_start]]
    gone = np.concatenate([[[0, 0]], np.cumsum(np.stack([why == 1, why == 2], axis=1), axis=0)])
    number = np.diff(gone[owner], axis=0)
    places = rings.xy[(why == 1) | (why == 2)]
    cuts = gone.sum(axis=1)[owner]
    return Thinned(
        thinned,
        number[:, 0],
        number[:, 1],
        [places[a:b] for a, b in itertools.pairwise(cuts)],
    )
