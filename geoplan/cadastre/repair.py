"""Repairs of figures, only by name, each with its area before and after."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely

from geoplan.cadastre.defect import Defect
from geoplan.cadastre.figure import limits_of
from geoplan.cadastre.mend import Mended, mend
from geoplan.cadastre.ring import Measured, measure, row_scale
from geoplan.cadastre.rings import Rings
from geoplan.cadastre.thin import taken, thin
from geoplan.cadastre.validity import first_points, reasons, shapes_of, valid
from geoplan.cadastre.wkb import Lines, Parsed, Points
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import ShapeError, UnknownName

__all__ = ["REPAIRS", "Repaired", "repair_figures"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

REPAIRS = {
    "swap_axes": "x and y of every row change places",
    "drop_empty": "rows without geometry are left out",
    "close_rings": "open rings whose ends are within close_tolerance_m are closed",
    "remove_repeated": "vertices nearer than tolerance_m to the one before are left out",
    "remove_spikes": "tips of corners sharper than spike_angle_deg are left out",
    "make_valid": "invalid rings are read anew, by linework or by structure",
}
"""Repairs by name, in the order in which they are made, and what each does."""


class Repaired(NamedTuple):
    """A batch after its repairs.

    Parameters
    ----------
    parsed : Parsed
        To be checked and loaded. A row whose repair was refused is as it was.
    defects : list of Defect
        ``ring-closed``, ``repaired`` and ``repair-refused``, with ``area_before_m2`` and
        ``area_after_m2``.
    refused : ndarray of bool
        Rows whose repair was refused.
    dropped : ndarray of bool
        Rows without geometry that are left out, as asked.
    """

    parsed: Parsed
    defects: list[Defect]
    refused: Mask
    dropped: Mask


@np.errstate(all="ignore")  # GEOS divides by what it then finds to be zero
def repair_figures(
    parsed: Parsed,
    rows: npt.ArrayLike,
    rules: CheckRules,
    wanted: Collection[str],
    *,
    metres: float | npt.ArrayLike = 1.0,
    around: npt.NDArray[np.object_] | None = None,
) -> Repaired:
    """Repair polygons of a batch, where asked and needed.

    Parameters
    ----------
    parsed : Parsed
    rows : array of int
        Number of each row in the source.
    rules : CheckRules
        ``repair_area_share`` is the largest share by which a repair may change an area.
    wanted : collection of str
        Keys of :data:`REPAIRS`.
    metres : float or array of float
        Metres per unit of x and y, after axes were swapped.
    around : ndarray of shapely geometries, optional
        Further neighbours, for example parents' other rows: what a repair must fit. The valid
        rows of the batch are neighbours anyway.

    Raises
    ------
    UnknownName
        A repair that does not exist.
    ShapeError
        ``rows`` and ``parsed`` have different lengths.

    Notes
    -----
    The area before is that of the shoelace formula, shells less holes: in a bow-tie its lobes
    count against each other, so that only small crossings are within tolerance. A repaired row
    is valid and polygonal, or its repair is refused. A row whose figure is in order is untouched.
    """
    unknown = sorted(set(wanted) - set(REPAIRS))
    if unknown:
        raise UnknownName(
            f"unknown repair {', '.join(unknown)}", remedy=f"one of: {', '.join(REPAIRS)}"
        )
    rows = np.asarray(rows, dtype=np.int64)
    n = len(parsed)
    if len(rows) != n:
        raise ShapeError(f"{len(rows):,} rows for {n:,} geometries")
    scale = row_scale(metres, n)
    defects: list[Defect] = []
    if "swap_axes" in wanted:
        parsed = _swapped(parsed)
        defects += _whole(rows, ~parsed.missing & ~parsed.empty, "swap_axes")
    dropped: Mask = np.zeros(n, np.bool_)
    if "drop_empty" in wanted:
        dropped = parsed.missing | parsed.empty
        defects += _whole(rows, dropped, "drop_empty")
    usable = np.isin(parsed.kind, (3, 6)) & ~parsed.empty & ~parsed.non_finite
    if "close_rings" in wanted:
        parsed, closed = _closed(parsed, rows, rules, usable, scale)
        defects += closed
    figures = _Figures(parsed.rings, rules, scale, usable, around)
    rings, told, refused = figures.repaired(wanted, rows)
    return Repaired(parsed.with_rings(rings), defects + told, refused, dropped)


def _whole(rows: Ints, which: Mask, name: str) -> list[Defect]:
    """Tell of a repair of many rows at once."""
    if not which.any():
        return []
    some = tuple(rows[which].tolist())
    return [Defect("repaired", some, numbers={"rows": float(len(some))}, text=name)]


def _swapped(parsed: Parsed) -> Parsed:
    rings, lines, points = parsed.rings, parsed.lines, parsed.points

    def turned(xy: Floats) -> Floats:
        return np.ascontiguousarray(xy[:, ::-1])

    return replace(
        parsed,
        rings=Rings(turned(rings.xy), rings.ring_start, rings.part_start, rings.shape_start),
        lines=Lines(turned(lines.xy), lines.line_start, lines.shape_start),
        points=Points(turned(points.xy), points.shape_start),
    )


def _closed(
    parsed: Parsed, rows: Ints, rules: CheckRules, usable: Mask, scale: Floats
) -> tuple[Parsed, list[Defect]]:
    gap = parsed.open_gap * np.sqrt(scale.prod(axis=1))
    index = np.flatnonzero((gap > 0) & (gap <= rules.close_tolerance_m) & usable)
    if not len(index):
        return parsed, []
    left = parsed.open_gap.copy()
    left[index] = 0.0
    places = shapely.points(first_points(parsed.rings, index))
    area = measure(parsed.rings, limits_of(rules), metres=scale).area_m2
    told = [
        Defect(
            "ring-closed",
            (int(rows[i]),),
            geometry=place,
            numbers={"gap_m": gap[i], "area_before_m2": area[i], "area_after_m2": area[i]},
            text="close_rings",
        )
        for i, place in zip(index, places, strict=True)
    ]
    return replace(parsed, open_gap=left), told


class _Figures:
    """The repairs that change the outline of single rows."""

    def __init__(
        self,
        rings: Rings,
        rules: CheckRules,
        scale: Floats,
        usable: Mask,
        around: npt.NDArray[np.object_] | None,
    ) -> None:
        self.rings, self.rules, self.scale, self.usable = rings, rules, scale, usable
        self.around = around

    def measured(self, rings: Rings, which: Ints | None = None) -> Measured:
        scale = self.scale if which is None else self.scale[which]
        return measure(rings, limits_of(self.rules), metres=scale)

    def repaired(self, wanted: Collection[str], rows: Ints) -> tuple[Rings, list[Defect], Mask]:
        """Return all shapes, what was done, and which rows were refused."""
        refused = np.zeros(len(self.rings), np.bool_)
        repeated, spikes = "remove_repeated" in wanted, "remove_spikes" in wanted
        mending = "make_valid" in wanted
        if not (repeated or spikes or mending):
            return self.rings, [], refused
        before = self.measured(self.rings)
        good = valid(self.rings, before.simple, of=self.usable)
        need = self.usable & (
            (before.repeated & repeated) | (before.spiked & spikes) | (~good & mending)
        )
        index = np.flatnonzero(need)
        if not len(index):
            return self.rings, [], refused
        thinned = thin(
            taken(self.rings, index),
            limits_of(self.rules),
            repeated=repeated,
            spikes=spikes,
            metres=self.scale[index],
        )
        rings = thinned.rings
        bad = np.flatnonzero(~valid(rings, self.measured(rings, index).simple))
        mended: dict[int, Mended] = {}
        places = [shapely.multipoints(p) if len(p) else None for p in thinned.removed]
        if mending and len(bad):
            spots = [reason.place for reason in reasons(rings, bad)]
            found = mend(shapes_of(rings, bad), self._neighbours(good, rings, bad))
            mended = dict(zip(bad.tolist(), found, strict=True))
            for i, spot in zip(bad.tolist(), spots, strict=True):
                places[i] = places[i] if places[i] is not None else spot
            rings = _put(rings, bad, [m.shape for m in found])
        after = self.measured(rings, index)
        filled = np.diff(rings.shape_start) > 0
        sound = filled & valid(rings, after.simple)
        changed = np.abs(after.area_m2 - before.area_m2[index])
        within = changed <= self.rules.repair_area_share * before.area_m2[index]
        told = []
        for k, i in enumerate(index.tolist()):
            names, numbers, text = self._account(k, thinned.repeated, thinned.spikes, mended)
            numbers["area_before_m2"] = float(before.area_m2[i])
            numbers["area_after_m2"] = float(after.area_m2[k])
            ok = bool(sound[k] and within[k])
            if not filled[k]:
                text = "no polygon would be left"
            elif not sound[k]:
                text = "it would still be invalid"
            told.append(
                Defect(
                    "repaired" if ok else "repair-refused",
                    (int(rows[i]),),
                    float(changed[k]),
                    places[k],
                    numbers,
                    "; ".join(filter(None, [", ".join(names), text])),
                )
            )
            refused[i] = not ok
        keep = np.arange(len(self.rings))
        accepted = np.flatnonzero(~refused[index])
        keep[index[accepted]] = len(self.rings) + np.arange(len(accepted))
        return taken(Rings.joined([self.rings, taken(rings, accepted)]), keep), told, refused

    @staticmethod
    def _account(
        k: int, repeated: Ints, spikes: Ints, mended: dict[int, Mended]
    ) -> tuple[list[str], dict[str, float], str]:
        names, numbers, text = [], {}, ""
        if repeated[k] or spikes[k]:
            numbers["vertices_removed"] = float(repeated[k] + spikes[k])
        if repeated[k]:
            names.append("remove_repeated")
        if spikes[k]:
            names.append("remove_spikes")
        if k in mended:
            names.append(f"make_valid by {mended[k].reading}")
            numbers["parts"] = float(mended[k].parts)
            if mended[k].dropped:
                numbers["lines_dropped"] = float(mended[k].dropped)
            text = mended[k].doubt
        return names, numbers, text

    def _neighbours(self, good: Mask, rings: Rings, bad: Ints) -> npt.NDArray[np.object_]:
        """Return valid shapes whose boxes meet one of the shapes that are mended."""
        full = np.flatnonzero(good & self.usable)
        extra = np.empty(0, object) if self.around is None else self.around
        if not len(full):
            return extra
        some = taken(self.rings, full)
        owner = some.ring_start[some.part_start[some.shape_start[:-1]]]
        low, high = (f.reduceat(some.xy, owner) for f in (np.minimum, np.maximum))
        tree = shapely.STRtree(shapely.box(*low.T, *high.T))
        hit = np.unique(tree.query(shapes_of(rings, bad))[1])
        return np.concatenate([extra, shapes_of(some, hit)])


def _put(rings: Rings, index: Ints, shapes: list[shapely.Geometry | None]) -> Rings:
    """Return the shapes with some of them replaced."""
    new = Rings.of(np.array([*shapes, None], dtype=object)[:-1])
    order = np.arange(len(rings))
    order[index] = len(rings) + np.arange(len(index))
    return taken(Rings.joined([rings, new]), order)
