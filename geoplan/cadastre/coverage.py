"""The check that plots tile their blocks: no land twice, none forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geoplan.cadastre.defect import Defect
from geoplan.cadastre.edge import edges_of
from geoplan.cadastre.gap import Gap, find_gaps
from geoplan.cadastre.ground import Ground, geometries, ring_boxes
from geoplan.cadastre.outline import Junctions, Outline, outline_of
from geoplan.cadastre.overlap import suspected_overlaps
from geoplan.cadastre.rings import Rings
from geoplan.cadastre.shared import measure_overlaps, same_outlines
from geoplan.cadastre.slit import Slits, slits_of
from geoplan.cadastre.vertex import snap
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import RangeError, ShapeError

__all__ = ["Survey", "check_coverage", "gap_defects", "ordered", "renamed", "survey"]

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Shapes = npt.NDArray[np.object_]


def check_coverage(
    rings: Rings,
    rows: Ints,
    rules: CheckRules,
    *,
    groups: Ints | None = None,
    broken: Flags | None = None,
    threads: int = 2,
) -> list[Defect]:
    """Return where plots overlap, leave gaps, are the same, or meet without a common vertex.

    Parameters
    ----------
    rings : Rings
        Plots, in metres of a projected CRS. Finite coordinates. Shapes without parts are no plots.
    rows : ndarray of int, shape (shapes,)
        Row of each in the source.
    rules : CheckRules
        ``tolerance_m``, ``overlap_min_m2``, ``gap_min_m2`` and ``gap_max_width_m`` are used.
    groups : ndarray of int, shape (shapes,), optional
        Block of each; a negative number is no block.
    broken : ndarray of bool, shape (shapes,), optional
        Plots whose own geometry is invalid. They are left out, and no gap is reported where the
        hull of one lies: what it covers is not known until its ring is mended.
    threads : int
        Threads to work on.

    Returns
    -------
    list of Defect
        By code and rows. Geometries are exact to the tolerance, in the CRS given.

        ``overlap``
            One per pair of rows, with all the land that both cover and its area.
        ``duplicate-geometry``
            One per set of rows with the same outline wherever it starts, however it runs, and
            whatever vertices lie on its edges. The rows of a set do not overlap each other too.
        ``gap``
            ``numbers["width_m"]`` is the mean width, 2 × area / perimeter: the width of a long
            strip, half the width of a long wedge at its mouth, half the side of a square.
            ``text`` is ``enclosed`` or ``open``. An enclosed gap is a hole in the union of all
            plots; ``rows`` are the plots on its border. It counts when its outline is no wider
            than ``gap_max_width_m``, or of whatever width when a single plot or plots of one
            block surround it. An open gap is the land between edges of two plots that face each
            other, antiparallel to 15°, at a distance of up to ``gap_max_width_m``; it ends at a
            straight line between the corners of both plots, or at right angles to the longer
            edge.
        ``unmatched-vertex``
            A T-junction: a vertex that lies on an unmatched edge which lacks it; all rows that
            meet there.

    Raises
    ------
    ShapeError
        Arrays of other lengths than the number of shapes.
    RangeError
        A coordinate of a plot that is not left out is not finite.

    Notes
    -----
    What is guaranteed, with t = ``tolerance_m``:

    - Vertices within t of each other are one vertex, whichever rows they stand in and in whatever
      order, and so are chains of them. No vertex moves unless another is that near. All that
      follows is exact on these vertices.
    - Every pair of plots that shares land thicker than t is measured, by GEOS, on whole polygons:
      stacked layers, plots inside plots and crossing outlines alike. It is reported when the
      parts with a mean width above t have more than ``overlap_min_m2``; no other pair is.
    - Every hole in the union with more than ``gap_min_m2`` and a mean width above t is found; its
      area is that of the loop of plot edges around it, less plots inside it.
    - The result does not depend on the order of rows.

    GEOS's coverage functions are not used: they find no gaps by default, and more width finds
    fewer of them.
    """
    for name, values in (("rows", rows), ("groups", groups), ("broken", broken)):
        if values is not None and len(values) != len(rings):
            raise ShapeError(
                f"{len(values)} {name} for {len(rings)} plots", where="check_coverage",
                remedy=f"give one of {name} per plot",
            )  # fmt: skip
    found = survey(rings, rules, groups=groups, broken=broken, threads=threads)
    return found.defects(rows)


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found on some shapes, by position.

    Parameters
    ----------
    found : list of Defect
        Defects whose ``rows`` are positions.
    open_outline : Outline
        Edges of owned shapes whose outline goes on at shapes that are not owned.
    """

    found: list[Defect]
    open_outline: Outline

    def defects(self, rows: Ints) -> list[Defect]:
        """Return the defects with positions replaced by rows, in order."""
        return ordered(renamed(self.found, rows))


def renamed(found: Iterable[Defect], rows: Ints) -> list[Defect]:
    """Return defects whose rows are positions, with the rows that stand there."""
    return [
        Defect(
            d.code, tuple(sorted(int(rows[i]) for i in d.rows)), d.area_m2, d.geometry, d.numbers,
            d.text,
        )
        for d in found
    ]  # fmt: skip


def ordered(found: Iterable[Defect]) -> list[Defect]:
    """Return defects by code, rows and place."""
    return sorted(
        found, key=lambda d: (d.code, d.rows, d.geometry.bounds if d.geometry is not None else ())
    )


def survey(
    rings: Rings,
    rules: CheckRules,
    *,
    groups: Ints | None = None,
    broken: Flags | None = None,
    owned: Flags | None = None,
    threads: int = 2,
) -> Survey:
    """Return what is wrong with the owned shapes among some shapes.

    Parameters
    ----------
    rings, rules, groups, broken, threads
        As in :func:`check_coverage`.
    owned : ndarray of bool, shape (shapes,), optional
        Shapes to report on; all by default. Every shape whose box comes within
        ``gap_max_width_m`` of the box of an owned one has to be there. What concerns several
        shapes is reported where the first of them is owned; a gap, where all edges around it are,
        else those edges are handed back.
    """
    count = len(rings)
    mine = np.ones(count, dtype=bool) if owned is None else owned
    bad = np.zeros(count, dtype=bool) if broken is None else broken
    boxes = ring_boxes(rings)
    sound = _without(rings, bad)
    vertices = snap(sound.xy, rules.tolerance_m)
    edges = edges_of(sound, vertices.of, vertices.xy)
    snapped = Rings(vertices.xy[vertices.of], sound.ring_start, sound.part_start, sound.shape_start)

    first = same_outlines(edges)
    pairs = suspected_overlaps(
        edges, vertices.xy, ring_boxes(snapped), rules.tolerance_m, threads=threads
    )
    pairs = pairs[mine[pairs[:, 0]] & (first[pairs[:, 0]] != first[pairs[:, 1]])]
    found = _shared(pairs, first, mine, snapped, rules)

    outline, junctions = outline_of(edges, vertices.xy, rules.tolerance_m)
    del edges, vertices
    found += _unmatched(junctions, mine)
    slits = slits_of(outline, rules.gap_max_width_m, rules.tolerance_m)
    ground = Ground(boxes, bad, lambda which: geometries(rings, which))
    if mine.all():
        return Survey(
            found + gap_defects(find_gaps(outline, slits, ground, rules, groups)),
            outline.part(np.zeros(len(outline), dtype=bool)),
        )
    whole = _whole(outline, slits, mine[outline.shape])
    number = np.cumsum(whole) - 1
    inside = whole[slits.edges].all(axis=1)
    here = Slits(number[slits.edges[inside]], slits.land[inside])
    gaps = find_gaps(outline.part(whole), here, ground, rules, groups)
    return Survey(found + gap_defects(gaps), outline.part(~whole & mine[outline.shape]))


def gap_defects(gaps: list[Gap]) -> list[Defect]:
    """Return gaps as defects whose rows are positions of shapes."""
    return [
        Defect(
            "gap", gap.shapes, float(gap.geometry.area), gap.geometry, {"width_m": gap.width_m},
            "enclosed" if gap.enclosed else "open",
        )
        for gap in gaps
    ]  # fmt: skip


def _without(rings: Rings, bad: Flags) -> Rings:
    """Return the rings with the shapes that are left out emptied."""
    if not bad.any() and np.isfinite(rings.xy).all():
        return rings
    first = rings.ring_start[rings.part_start[rings.shape_start]]
    keep_point = np.repeat(~bad, np.diff(first))
    lost = ~np.isfinite(rings.xy).all(axis=1) & keep_point
    if lost.any():
        shape = int(np.searchsorted(first, np.flatnonzero(lost)[0], side="right")) - 1
        raise RangeError(
            "a coordinate is not a number", where=f"plot {shape + 1} of the check",
            remedy="leave plots without finite coordinates out by the mask",
        )  # fmt: skip

    def kept(start: Ints, keep: Flags) -> tuple[Ints, Flags]:
        size = np.diff(start)
        return np.concatenate([[0], np.cumsum(size[keep])]), np.repeat(keep, size)

    sizes = np.where(bad, 0, np.diff(rings.shape_start))
    part = np.repeat(~bad, np.diff(rings.shape_start))
    part_start, ring = kept(rings.part_start, part)
    ring_start, point = kept(rings.ring_start, ring)
    return Rings(
        rings.xy[point], ring_start, part_start, np.concatenate([[0], np.cumsum(sizes)])
    )  # fmt: skip


def _shared(
    pairs: Ints, first: Ints, mine: Flags, snapped: Rings, rules: CheckRules
) -> list[Defect]:
    """Return overlaps, and sets of shapes that are the same."""
    ids, at = np.unique(pairs, return_inverse=True)
    shapes = geometries(snapped, ids)
    land, area, same = measure_overlaps(shapes, at.reshape(-1, 2), rules)
    out = [
        Defect("overlap", (int(a), int(b)), float(area[k]), land[k])
        for k, (a, b) in enumerate(pairs)
        if area[k] > 0 and not same[k]
    ]
    twin = np.flatnonzero(first != np.arange(len(first)))
    links = np.concatenate([np.stack([first[twin], twin], axis=1), pairs[same]])
    if not len(links):
        return out
    members, at = np.unique(links, return_inverse=True)
    at = at.reshape(-1, 2)
    _, label = connected_components(
        coo_array((np.ones(len(at)), (at[:, 0], at[:, 1])), shape=(len(members),) * 2),
        directed=False,
    )
    order = np.lexsort((members, label))
    for group in np.split(members[order], np.flatnonzero(np.diff(label[order])) + 1):
        if mine[group[0]]:
            shape = geometries(snapped, group[:1])[0]
            out.append(
                Defect("duplicate-geometry", tuple(group.tolist()), float(shape.area), shape)
            )
    return out


def _unmatched(junctions: Junctions, mine: Flags) -> list[Defect]:
    points = shapely.points(junctions.xy)
    return [
        Defect("unmatched-vertex", tuple(met.tolist()), None, points[k])
        for k, met in enumerate(junctions.shapes)
        if mine[met[0]]
    ]


def _whole(outline: Outline, slits: Slits, mine: Flags) -> Flags:
    """Return the edges of outlines all of whose edges, facing ones included, are owned."""
    count = len(outline.xy)
    faces = outline.tail[slits.edges]
    tail = np.concatenate([outline.tail, faces[:, 0]])
    head = np.concatenate([outline.head, faces[:, 1]])
    _, label = connected_components(
        coo_array((np.ones(len(tail), dtype=np.int8), (tail, head)), shape=(count, count)),
        directed=False,
    )
    label = label[outline.tail]
    halved = np.zeros(count, dtype=bool)
    halved[label[~mine]] = True
    whole: Flags = ~halved[label]
    return whole
