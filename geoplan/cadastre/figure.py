"""Checks of each figure on its own: kind, rings, spikes, slivers, stated area."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.cadastre.corner import corners
from geoplan.cadastre.defect import Defect
from geoplan.cadastre.ring import Limits, measure, row_scale
from geoplan.cadastre.validity import first_points, reasons, shapes_of, valid
from geoplan.cadastre.walk import UNREADABLE
from geoplan.cadastre.wkb import KINDS, Kind, Parsed
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import ShapeError

__all__ = ["Figures", "check_figures", "limits_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

_CODES = {"point": (1, 4), "line": (2, 5), "polygon": (3, 6), "any": (1, 2, 3, 4, 5, 6)}


class Figures(NamedTuple):
    """What was found in a batch.

    Parameters
    ----------
    defects : list of Defect
        By kind of check, then in order of the rows.
    refused : ndarray of bool
        Rows with a defect of severity ``error``, and rows that nothing could be loaded of.
    area_m2 : ndarray of float
        NaN for what has no area or could not be read.
    """

    defects: list[Defect]
    refused: Mask
    area_m2: Floats


class _Findings:
    """Collects defects by the severities of a layer."""

    def __init__(self, rows: Ints, rules: CheckRules) -> None:
        self.rows, self.rules = rows, rules
        self.defects: list[Defect] = []
        self.refused: Mask = np.zeros(len(rows), np.bool_)

    def wants(self, code: str) -> bool:
        return self.rules.severity_of(code) != "off"

    def refuse(self, code: str, index: int | Ints) -> None:
        if self.rules.severity_of(code) == "error":
            self.refused[index] = True

    def add(
        self,
        code: str,
        index: int,
        *,
        area_m2: float | None = None,
        geometry: shapely.Geometry | None = None,
        numbers: Mapping[str, float] | None = None,
        text: str = "",
    ) -> None:
        self.refuse(code, index)
        self.defects.append(
            Defect(code, (int(self.rows[index]),), area_m2, geometry, numbers or {}, text)
        )


def limits_of(rules: CheckRules) -> Limits:
    """Return the tolerances of corners that the rules of a layer set."""
    return Limits(rules.tolerance_m, rules.spike_angle_deg, rules.spike_side_m)


def check_figures(
    parsed: Parsed,
    rows: npt.ArrayLike,
    rules: CheckRules,
    *,
    kind: Kind,
    stated_area_m2: Floats | None = None,
    area_m2: Floats | None = None,
    metres: float | npt.ArrayLike = 1.0,
    skip: Mask | None = None,
    threads: int | None = None,
) -> Figures:
    """Check the geometry of each row on its own.

    Parameters
    ----------
    parsed : Parsed
        A batch, parsed with the same ``kind``.
    rows : array of int
        Number of each row in the source.
    rules : CheckRules
        Tolerances and severities.
    kind : {"polygon", "line", "point", "any"}
        What the layer holds.
    stated_area_m2 : ndarray of float, optional
        Area that the source states, m²; NaN where it states none.
    area_m2 : ndarray of float, optional
        Measured area, m², where the plane of the coordinates is not the one to measure in (a
        geographic source). Absent: planar, in the CRS of the source, by the shoelace formula.
    metres : float or array of float, shape (2,) or (rows, 2)
        Metres per unit of x and y: see :func:`geoplan.cadastre.reproject.metres_per_unit`.
    skip : ndarray of bool, optional
        Rows that are left out as asked and not checked, for example without geometry.
    threads : int, optional

    Returns
    -------
    Figures

    Raises
    ------
    ShapeError
        The arrays have different lengths.

    Notes
    -----
    Valid is what GEOS calls valid. The width of a sliver is 2 × area / perimeter (of a strip far
    longer than wide, its width). Areas differ where the difference is above both
    ``area_difference_m2`` and ``area_difference_share`` of the stated area. A row that cannot be
    read, is of another kind or has a coordinate that is no number is refused whatever severity
    the layer gives it, because nothing could be loaded.
    """
    rows = np.asarray(rows, dtype=np.int64)
    n = len(parsed)
    for name, given in (("rows", rows), ("stated areas", stated_area_m2), ("areas", area_m2)):
        if given is not None and len(given) != n:
            raise ShapeError(f"{len(given):,} {name} for {n:,} geometries")
    found = _Findings(rows, rules)
    scale = row_scale(metres, n)
    some = np.ones(n, np.bool_) if skip is None else ~skip
    usable = _readable(found, parsed, kind, some)
    _heights(found, parsed, usable)
    _open_rings(found, parsed, usable, scale)
    polygon = usable & np.isin(parsed.kind, _CODES["polygon"])
    measured = measure(parsed.rings, limits_of(rules), metres=scale, threads=threads)
    area = np.where(polygon, measured.area_m2 if area_m2 is None else area_m2, np.nan)
    good = polygon & valid(parsed.rings, measured.simple, of=polygon)
    cornered = polygon & ~_invalid(found, parsed, np.flatnonzero(polygon & ~good))
    _short_lines(found, parsed, usable)
    _corners(found, parsed, cornered & measured.repeated, cornered & measured.spiked, scale)
    _slivers(found, parsed, good, area, measured.perimeter_m)
    if stated_area_m2 is not None:
        _stated(found, parsed, polygon, area, stated_area_m2)
    found.refused |= some & ~usable & ~(parsed.missing | parsed.empty)
    return Figures(found.defects, found.refused, area)


def _readable(found: _Findings, parsed: Parsed, kind: Kind, some: Mask) -> Mask:
    """Tell of rows that nothing can be loaded of, and return the others."""
    bare = some & (parsed.missing | parsed.empty)
    rest = some & ~bare
    unreadable = rest & (parsed.unreadable > 0)
    unsupported = rest & (parsed.kind > 7)
    rest &= ~(unreadable | unsupported)
    wrong = rest & ~np.isin(parsed.kind, _CODES[kind])
    lost = rest & ~wrong & parsed.non_finite
    if found.wants("empty-geometry"):
        for i in _numbers(bare):
            found.add("empty-geometry", i, text="" if parsed.missing[i] else KINDS[parsed.kind[i]])
    for i in _numbers(unreadable):
        found.add("unreadable-geometry", i, text=UNREADABLE[int(parsed.unreadable[i])])
    for i in _numbers(unsupported):
        found.add("unsupported-kind", i, text=KINDS[parsed.kind[i]])
    for i in _numbers(wrong):
        found.add("wrong-kind", i, text=KINDS[parsed.kind[i]])
    for i in _numbers(lost):
        found.add("broken-coordinate", i, geometry=_known_place(parsed, i))
    return rest & ~(wrong | lost)


def _known_place(parsed: Parsed, row: int) -> shapely.Geometry | None:
    """Return the vertices of a row whose coordinates are numbers."""
    rings, lines = parsed.rings, parsed.lines
    first = rings.ring_start[rings.part_start[rings.shape_start[[row, row + 1]]]]
    line = lines.line_start[lines.shape_start[[row, row + 1]]]
    xy = np.concatenate([rings.xy[slice(*first)], lines.xy[slice(*line)]])
    xy = np.unique(xy[(np.abs(xy) < 2.0**40).all(axis=1)], axis=0)
    return shapely.multipoints(xy) if len(xy) else None


def _heights(found: _Findings, parsed: Parsed, usable: Mask) -> None:
    """Tell of Z and M once for all rows of a batch."""
    code = "height" if found.rules.heights == "drop" else "height-refused"
    for which, name in ((parsed.has_z, "Z"), (parsed.has_m, "M")):
        index = np.flatnonzero(which & usable)
        if len(index) and found.wants(code):
            found.refuse(code, index)
            found.defects.append(
                Defect(
                    code, tuple(found.rows[index].tolist()), numbers={"rows": len(index)}, text=name
                )
            )


def _open_rings(found: _Findings, parsed: Parsed, usable: Mask, scale: Floats) -> None:
    index = np.flatnonzero((parsed.open_gap > 0) & usable)
    if len(index) and found.wants("open-ring"):
        places = shapely.points(first_points(parsed.rings, index))
        gap = parsed.open_gap[index] * np.sqrt(scale[index].prod(axis=1))
        for i, place, width in _rows_of(index, places, gap):
            found.add("open-ring", i, geometry=place, numbers={"gap_m": width})


def _invalid(found: _Findings, parsed: Parsed, index: Ints) -> Mask:
    """Tell of invalid rings, and return rows with too few points to speak of corners."""
    short = np.zeros(len(parsed), np.bool_)
    if len(index):
        for i, reason in zip(index.tolist(), reasons(parsed.rings, index), strict=True):
            short[i] = reason.text.startswith("Too few points")
            if found.wants("invalid-ring"):
                found.add("invalid-ring", i, geometry=reason.place, text=reason.text)
    return short


def _short_lines(found: _Findings, parsed: Parsed, usable: Mask) -> None:
    """Tell of lines that have no two different points: GEOS calls them invalid."""
    lines = parsed.lines
    if len(lines.line_start) < 2 or not found.wants("invalid-ring"):
        return
    start = lines.line_start[:-1]
    size = np.diff(lines.line_start)
    moved = (lines.xy != np.repeat(lines.xy[start], size, axis=0)).any(axis=1)
    still = ~np.logical_or.reduceat(moved, start)
    owner = np.repeat(np.arange(len(parsed)), np.diff(lines.shape_start))
    for i in np.unique(owner[still]).tolist():
        if usable[i]:
            first = lines.line_start[lines.shape_start[i]]
            found.add(
                "invalid-ring",
                i,
                geometry=shapely.Point(lines.xy[first]),
                text="Too few points in geometry component",
            )


def _corners(found: _Findings, parsed: Parsed, repeated: Mask, spiked: Mask, scale: Floats) -> None:
    rings, limits = parsed.rings, limits_of(found.rules)
    which = np.flatnonzero(repeated)
    if len(which) and found.wants("repeated-vertex"):
        near = corners(rings, which, limits, spikes=False, metres=scale)
        cuts = np.searchsorted(near.shape, which, side="right")
        for i, places in zip(which.tolist(), np.split(rings.xy[near.tip], cuts[:-1]), strict=True):
            found.add(
                "repeated-vertex",
                i,
                geometry=shapely.multipoints(places),
                numbers={"vertices": float(len(places))},
            )
    which = np.flatnonzero(spiked)
    if len(which) and found.wants("spike"):
        sharp = corners(rings, which, limits, spikes=True, metres=scale)
        tips = shapely.points(rings.xy[sharp.tip])
        for i, tip, angle, depth, area in _rows_of(
            sharp.shape, tips, sharp.angle_deg, sharp.depth_m, sharp.area_m2
        ):
            found.add(
                "spike",
                i,
                geometry=tip,
                area_m2=area,
                numbers={"angle_deg": angle, "depth_m": depth},
            )


def _slivers(found: _Findings, parsed: Parsed, good: Mask, area: Floats, perimeter: Floats) -> None:
    limit = found.rules.sliver_width_m
    with np.errstate(invalid="ignore"):
        thin = good & (2 * area < limit * perimeter)
    index = np.flatnonzero(thin)
    if len(index) and found.wants("sliver"):
        shapes = shapes_of(parsed.rings, index)
        width = 2 * area[index] / perimeter[index]
        for i, shape, wide, size in _rows_of(index, shapes, width, area[index]):
            found.add("sliver", i, geometry=shape, area_m2=size, numbers={"width_m": wide})


def _stated(found: _Findings, parsed: Parsed, polygon: Mask, area: Floats, stated: Floats) -> None:
    rules = found.rules
    with np.errstate(invalid="ignore"):
        off = np.abs(area - stated)
        differs = (
            polygon
            & (off > rules.area_difference_m2)
            & (off > rules.area_difference_share * np.abs(stated))
        )
    index = np.flatnonzero(differs)
    if len(index) and found.wants("stated-area"):
        shapes = shapes_of(parsed.rings, index)
        for i, shape, size, said in _rows_of(index, shapes, area[index], stated[index]):
            found.add(
                "stated-area",
                i,
                geometry=shape,
                area_m2=abs(size - said),
                numbers={"measured_m2": size, "stated_m2": said},
            )


def _numbers(which: Mask) -> list[int]:
    return [int(i) for i in np.flatnonzero(which)]


def _rows_of(index: Ints, *columns: npt.NDArray[Any]) -> Iterable[tuple[Any, ...]]:
    """Walk columns together as plain Python values."""
    return zip(index.tolist(), *(column.tolist() for column in columns), strict=True)
