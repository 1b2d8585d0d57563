"""Narrow spaces between two plots: the land between unmatched edges that face each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from numba import njit

from geoplan.cadastre.cells import box_pairs, boxes_of_segments
from geoplan.cadastre.outline import Outline

__all__ = ["FACING_DEG", "Slits", "slits_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

FACING_DEG = 15.0
"""Edges face each other when they are antiparallel to this angle."""


@dataclass(frozen=True, slots=True)
class Slits:
    """Pairs of edges that face each other.

    Parameters
    ----------
    edges : ndarray of int, shape (slits, 2)
        The two edges.
    land : ndarray of geometry, shape (slits,)
        The land between them; other shapes may lie in it.
    """

    edges: Ints
    land: npt.NDArray[np.object_]


def slits_of(outline: Outline, width: float, tolerance: float) -> Slits:
    """Return the pairs of edges of two shapes that face each other within ``width``.

    Parameters
    ----------
    outline : Outline
        Unmatched edges.
    width : float, m
        Largest distance, at right angles to one of the edges.
    tolerance : float, m
        Edges nowhere farther apart than this do not count.

    Notes
    -----
    The land is the quadrilateral over the stretch in which the edges stand side by side. Where
    both end within ``width`` of each other, its side joins their ends; else it stands at right
    angles on the first edge.
    """
    xy = outline.xy
    a, b = xy[outline.tail], xy[outline.head]
    pairs = box_pairs(boxes_of_segments(a, b), grow=width / 2)
    kept, corners = _facing(
        pairs, a, b, outline.shape, width, tolerance, np.cos(np.deg2rad(FACING_DEG))
    )
    land = shapely.make_valid(shapely.polygons(corners)) if len(kept) else np.empty(0, object)
    return Slits(kept, land)


@njit(cache=True, nogil=True)
def _facing(
    pairs: Ints, a: Floats, b: Floats, shape: Ints, width: float, tolerance: float, least: float
) -> tuple[Ints, Floats]:
    kept = np.empty((256, 2), dtype=np.int64)
    out = np.empty((256, 4, 2))
    n = 0
    for k in range(len(pairs)):
        e, f = pairs[k, 0], pairs[k, 1]
        if shape[e] == shape[f]:
            continue
        # The longer edge carries the frame; it lies along x, its right side is y > 0.
        ex, ey = b[e, 0] - a[e, 0], b[e, 1] - a[e, 1]
        fx, fy = b[f, 0] - a[f, 0], b[f, 1] - a[f, 1]
        le, lf = np.sqrt(ex * ex + ey * ey), np.sqrt(fx * fx + fy * fy)
        if ex * fx + ey * fy > -least * le * lf:
            continue
        if lf > le or (lf == le and (a[f, 0], a[f, 1]) < (a[e, 0], a[e, 1])):
            e, f, ex, ey, le = f, e, fx, fy, lf
        ux, uy = ex / le, ey / le
        s1 = ux * (b[f, 0] - a[e, 0]) + uy * (b[f, 1] - a[e, 1])
        h1 = uy * (b[f, 0] - a[e, 0]) - ux * (b[f, 1] - a[e, 1])
        s2 = ux * (a[f, 0] - a[e, 0]) + uy * (a[f, 1] - a[e, 1])
        h2 = uy * (a[f, 0] - a[e, 0]) - ux * (a[f, 1] - a[e, 1])
        low, high = max(0.0, s1), min(le, s2)
        if high - low <= tolerance:
            continue
        rise = (h2 - h1) / (s2 - s1)
        h_low, h_high = h1 + rise * (low - s1), h1 + rise * (high - s1)
        if min(h_low, h_high) < -tolerance or max(h_low, h_high) <= tolerance:
            continue
        if min(h_low, h_high) > width:
            continue
        low_cut, high_cut = h_low > width, h_high > width
        if low_cut:
            low = s1 + (width - h1) / rise
        if high_cut:
            high = s1 + (width - h1) / rise
        e_low, e_high, f_low, f_high = low, high, low, high
        if not low_cut and s1 * s1 + h1 * h1 <= width * width:
            e_low, f_low = 0.0, s1
        if not high_cut and (s2 - le) ** 2 + h2 * h2 <= width * width:
            e_high, f_high = le, s2
        if n == len(kept):
            kept = np.concatenate((kept, np.empty((n, 2), dtype=np.int64)))
            out = np.concatenate((out, np.empty((n, 4, 2))))
        kept[n, 0], kept[n, 1] = e, f
        corners = ((e_low, 0.0), (e_high, 0.0), (f_high, 0.0), (f_low, 0.0))
        for c in range(4):
            s = corners[c][0]
            h = 0.0 if c < 2 else h1 + rise * (s - s1)
            out[n, c, 0] = a[e, 0] + s * ux + h * uy
            out[n, c, 1] = a[e, 1] + s * uy - h * ux
        n += 1
    return kept[:n], out[:n]
