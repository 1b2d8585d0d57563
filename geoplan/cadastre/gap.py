"""Gaps: land that no plot covers, enclosed by plots or between two of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.cadastre.ground import Ground
from geoplan.cadastre.loop import enclosing_loops
from geoplan.cadastre.outline import Outline
from geoplan.cadastre.slit import Slits
from geoplan.catalogue.checks import CheckRules

__all__ = ["Gap", "find_gaps"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Gap:
    """Uncovered land.

    Parameters
    ----------
    shapes : tuple of int
        The shapes around it, in order.
    geometry : shapely.Geometry
        The land.
    enclosed : bool
        Plots stand all around it; else it is open at an end.
    """

    shapes: tuple[int, ...]
    geometry: shapely.Geometry
    enclosed: bool

    @property
    def width_m(self) -> float:
        """Mean width, 2 × area / perimeter: that of a long strip, half of a square's side."""
        return float(2 * self.geometry.area / self.geometry.length)


def find_gaps(
    outline: Outline, slits: Slits, ground: Ground, rules: CheckRules, groups: Ints | None
) -> list[Gap]:
    """Return the gaps along an outline.

    Parameters
    ----------
    outline : Outline
        Unmatched edges; whole outlines.
    slits : Slits
        Its edges that face each other.
    ground : Ground
        All shapes.
    rules : CheckRules
        Tolerances.
    groups : ndarray of int, shape (shapes,), optional
        Block of each shape; a negative number is no block.
    """
    enclosed, loop_of = _enclosed(outline, ground, rules, groups)
    return enclosed + _open(outline, slits, loop_of, ground, rules)


def _enclosed(
    outline: Outline, ground: Ground, rules: CheckRules, groups: Ints | None
) -> tuple[list[Gap], Ints]:
    loop_of = np.full(len(outline), -1, dtype=np.int64)
    kept: list[Ints] = []
    land: list[shapely.Geometry] = []
    for loop in enclosing_loops(outline, rules.gap_min_m2):
        around = np.unique(outline.shape[loop])
        shape = shapely.Polygon(outline.xy[outline.tail[loop]])
        width = 2 * shape.area / shape.length
        one = len(around) == 1
        if groups is not None:
            one |= bool(groups[around[0]] >= 0 and (groups[around] == groups[around[0]]).all())
        if width > rules.tolerance_m and (one or width <= rules.gap_max_width_m):
            kept.append(loop)
            land.append(shape)
    if not kept:
        return [], loop_of
    pieces = np.array(land, dtype=object)
    pinched = ~shapely.is_valid(pieces)
    pieces[pinched] = shapely.make_valid(pieces[pinched])
    free, unknown = ground.covered(pieces, rules.tolerance_m)
    out = []
    for k, loop in enumerate(kept):
        parts = [] if unknown[k] else _parts(free[k], rules)
        if parts:
            loop_of[loop] = k
        beside = tuple(np.unique(outline.shape[loop]).tolist())
        out += [Gap(beside, part, True) for part in parts if part.area > rules.gap_min_m2]
    return out, loop_of


def _open(
    outline: Outline, slits: Slits, loop_of: Ints, ground: Ground, rules: CheckRules
) -> list[Gap]:
    if not len(slits.edges):
        return []
    # The land beside an edge of an enclosed gap is that gap.
    rest = (loop_of[slits.edges] < 0).all(axis=1)
    if not rest.any():
        return []
    # One gap for each two plots, however many edges face each other between them.
    pair = np.sort(outline.shape[slits.edges[rest]], axis=1)
    pairs, at = np.unique(pair, axis=0, return_inverse=True)
    at = at.reshape(-1)
    order = np.argsort(at, kind="stable")
    members = np.split(slits.land[rest][order], np.cumsum(np.bincount(at))[:-1])
    land = np.array([m[0] if len(m) == 1 else shapely.union_all(m) for m in members], dtype=object)
    large = shapely.area(land) > rules.gap_min_m2
    land, pairs = land[large], pairs[large]
    free, unknown = ground.covered(land, rules.tolerance_m)
    out = []
    for k in np.flatnonzero(~unknown):
        parts = _parts(free[k], rules)
        whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
        if whole.area > rules.gap_min_m2:
            out.append(Gap((int(pairs[k, 0]), int(pairs[k, 1])), whole, False))
    return out


def _parts(land: shapely.Geometry, rules: CheckRules) -> list[shapely.Polygon]:
    """Return the polygons of some land that are wider than the tolerance."""
    parts = shapely.get_parts(shapely.get_parts(land))
    parts = parts[shapely.get_type_id(parts) == 3]
    return list(parts[2 * shapely.area(parts) > rules.tolerance_m * shapely.length(parts)])
