"""Rows against the block, phase or estate that must hold them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.cadastre.defect import Defect
from geoplan.cadastre.reproject import rows_of_points
from geoplan.cadastre.ring import row_scale
from geoplan.cadastre.rings import Rings
from geoplan.cadastre.validity import is_valid, shapes_of
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import ShapeError

__all__ = ["check_parents"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Objects = npt.NDArray[np.object_]

_AT_ONCE = 20_000


@np.errstate(all="ignore")  # GEOS divides by what it then finds to be zero
def check_parents(
    rings: Rings,
    rows: npt.ArrayLike,
    parent_key: Sequence[str | None],
    parents: Mapping[str, shapely.Geometry],
    rules: CheckRules,
    *,
    metres: float | npt.ArrayLike = 1.0,
    gaps: bool = False,
) -> list[Defect]:
    """Check that each polygon lies in the polygon that it names.

    Parameters
    ----------
    rings : Rings
        Polygons of the rows. Rows without parts, invalid ones and those with broken coordinates
        are passed over: the checks of figures tell of them.
    rows : array of int
        Number of each row in the source.
    parent_key : sequence of str or None
        What each row names as its block, phase or estate; ``None``: nothing, which is told as an
        unknown parent without text.
    parents : mapping
        Valid polygons by key, in the CRS of ``rings``.
    rules : CheckRules
        ``outside_min_m2``, ``gap_min_m2``, ``gap_max_width_m``.
    metres : float or array of float
        Metres per unit of x and y, as in :func:`geoplan.cadastre.figure.check_figures`.
    gaps : bool
        Look for strips along the outline of a parent that none of its rows covers. Needs all
        rows of a parent at once; a parent without rows is not divided and has no gap.

    Returns
    -------
    list of Defect
        ``unknown-parent``; ``outside-parent`` with the part outside, its area, and the key as
        text; ``gap`` with the strip, its area, ``width_m`` and the rows around it.

    Raises
    ------
    ShapeError
        The arrays have different lengths, or a parent that is named is invalid.

    Notes
    -----
    The width of a gap is the diameter of its largest inscribed circle. What is wider than
    ``gap_max_width_m`` somewhere is a street or open land, with all that is connected to it.
    """
    rows = np.asarray(rows, dtype=np.int64)
    n = len(rings)
    if len(rows) != n or len(parent_key) != n:
        raise ShapeError(f"{len(rows):,} rows and {len(parent_key):,} keys for {n:,} polygons")
    scale = row_scale(metres, n)
    out: list[Defect] = []
    if rules.severity_of("unknown-parent") != "off":
        out += [
            Defect("unknown-parent", (int(row),), text=key or "")
            for row, key in zip(rows.tolist(), parent_key, strict=True)
            if key is None or key not in parents
        ]
    outside = rules.severity_of("outside-parent") != "off"
    gaps = gaps and rules.severity_of("gap") != "off"
    first = rings.ring_start[rings.part_start[rings.shape_start]]
    near = np.asarray((np.abs(rings.xy) < 2.0**40).all(axis=1), np.bool_)
    full = (np.diff(first) > 0) & rows_of_points(near, first)
    for key, index, shapes in _with_shapes(rings, _groups(parent_key, parents, full)):
        parent = parents[key]
        if not parent.is_valid:
            raise ShapeError(
                f"the outline of {key!r} is invalid: {shapely.is_valid_reason(parent)}",
                remedy="repair the parent layer first",
            )
        if outside:
            out += _outside(key, parent, shapes, index, rows, rules, scale)
        if gaps:
            good = is_valid(shapes)
            out += _gaps(key, parent, shapes[good], rows[index[good]], rules, scale[index[0]])
    return out


def _groups(
    parent_key: Sequence[str | None], parents: Mapping[str, shapely.Geometry], full: npt.ArrayLike
) -> Iterator[tuple[str, Ints]]:
    """Give each parent with the numbers of its rows, in order of their first row."""
    number: dict[str, int] = {}
    code = np.fromiter(
        (
            number.setdefault(key, len(number)) if key is not None and key in parents else -1
            for key in parent_key
        ),
        np.int64,
        len(parent_key),
    )
    code[~np.asarray(full, np.bool_)] = -1
    order = np.argsort(code, kind="stable")
    edges = np.searchsorted(code[order], np.arange(len(number) + 1))
    for i, key in enumerate(number):
        if edges[i] < edges[i + 1]:
            yield key, order[edges[i] : edges[i + 1]]


def _with_shapes(
    rings: Rings, groups: Iterator[tuple[str, Ints]]
) -> Iterator[tuple[str, Ints, Objects]]:
    """Add the polygons of each group, made for many groups at once and not for all."""
    held: list[tuple[str, Ints]] = []

    def made() -> Iterator[tuple[str, Ints, Objects]]:
        shapes = shapes_of(rings, np.concatenate([index for _, index in held]))
        cuts = np.cumsum([len(index) for _, index in held])
        for (key, index), some in zip(held, np.split(shapes, cuts[:-1]), strict=True):
            yield key, index, some

    count = 0
    for group in groups:
        held.append(group)
        count += len(group[1])
        if count >= _AT_ONCE:
            yield from made()
            held.clear()
            count = 0
    if held:
        yield from made()


def _outside(
    key: str,
    parent: shapely.Geometry,
    shapes: Objects,
    index: Ints,
    rows: Ints,
    rules: CheckRules,
    scale: Floats,
) -> list[Defect]:
    shapely.prepare(parent)
    some = np.flatnonzero(~shapely.covers(parent, shapes))
    some = some[is_valid(shapes[some])]
    if not len(some):
        return []
    beyond = shapely.difference(shapes[some], parent)
    factor = scale[index[some]].prod(axis=1)
    area = shapely.area(beyond) * factor
    whole = shapely.area(shapes[some]) * factor
    return [
        Defect(
            "outside-parent",
            (int(rows[index[some[k]]]),),
            float(area[k]),
            beyond[k],
            {"outside_share": float(area[k] / whole[k])},
            key,
        )
        for k in np.flatnonzero(area > rules.outside_min_m2)
    ]


def _gaps(
    key: str,
    parent: shapely.Geometry,
    shapes: Objects,
    rows: Ints,
    rules: CheckRules,
    scale: Floats,
) -> list[Defect]:
    if not len(shapes):
        return []
    left = shapely.get_parts(shapely.difference(parent, _covered(shapes)))
    left = left[shapely.get_dimensions(left) == 2]
    left = left[shapely.area(left) * scale.prod() > rules.gap_min_m2]
    # those inside, between rows only, are gaps between neighbours and told by their check
    left = left[shapely.intersects(left, shapely.boundary(parent))]
    tree = shapely.STRtree(shapes) if len(left) else None
    out = []
    for gap in left:
        flat = shapely.transform(gap, lambda xy: xy * scale)
        width = 2 * shapely.length(shapely.maximum_inscribed_circle(flat))
        if tree is not None and width <= rules.gap_max_width_m:
            near = np.sort(rows[tree.query(gap, predicate="intersects")])
            out.append(
                Defect(
                    "gap",
                    tuple(near.tolist()),
                    float(shapely.area(flat)),
                    gap,
                    {"width_m": float(width)},
                    key,
                )
            )
    return out


def _covered(shapes: Objects) -> shapely.Geometry:
    """Return the union of polygons.

    Edges that two polygons share cancel out, sixteen times faster than a union and equal to it
    where polygons share whole edges and do not overlap. What remains covers each point that an
    odd number of polygons cover: its area is the sum of theirs only if none overlap.
    """
    try:
        quick = shapely.coverage_union_all(shapes)
    except shapely.GEOSException:  # edges that cross make no rings
        return shapely.union_all(shapes)
    total = float(shapely.area(shapes).sum())
    if is_valid(np.array([quick]))[0] and abs(float(shapely.area(quick)) - total) <= 1e-9 * total:
        return quick
    return shapely.union_all(shapes)
