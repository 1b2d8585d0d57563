"""The geometry of a batch: read, repaired as asked, checked, placed, and held against others."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from pyproj import Transformer

from geoplan.cadastre import Defect
from geoplan.cadastre.figure import check_figures
from geoplan.cadastre.parent import check_parents
from geoplan.cadastre.repair import repair_figures
from geoplan.cadastre.reproject import (
    ellipsoidal_areas,
    metres_per_unit,
    rows_of_points,
    to_wgs84,
)
from geoplan.cadastre.thin import taken
from geoplan.cadastre.wkb import (
    Parsed,
    coordinates_of,
    parse,
    with_coordinates,
    write_multipolygon,
)
from geoplan.catalogue.checks import CheckRules
from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.mapping import FileMapping
from geoplan.ingest.attributes.fields import Fields
from geoplan.ingest.attributes.letters import key_forms
from geoplan.ingest.plane import Plane
from geoplan.ingest.spool import Spool

__all__ = ["FigureStep", "Shapes"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_MULTI = {"phases", "blocks", "plots", "utility_lines"}
_MULTIPOINT = 4
_PARTITION = 50_000
"""Plots whose neighbours are checked at a time: what memory holds of a file of any size."""


@dataclass(frozen=True)
class Shapes:
    """The geometry of a batch after this step; arrays have one entry a row.

    Parameters
    ----------
    geometry, surveyed : pyarrow.Array
        WKB in EPSG:4326 and in the CRS of the source; null where a row has none.
    lon, lat : ndarray of float, degrees
        One point of each row; NaN where it has none.
    refused : ndarray of bool
        Rows with an error of their own.
    dropped : ndarray of bool
        Rows without geometry that are left out as asked.
    defects : list of Defect
        What was found; places in the CRS of the source.
    """

    geometry: pa.Array
    surveyed: pa.Array
    lon: Floats
    lat: Floats
    refused: Mask
    dropped: Mask
    defects: list[Defect]


class FigureStep:
    """Does for each batch what concerns its geometry, and remembers what neighbours need.

    Parameters
    ----------
    spec, mapping : LayerSpec, FileMapping
        The layer, and the repairs that are wanted.
    plane : Plane
        Where figures are measured.
    swap : bool
        x and y change places, as the CRS evidence said.
    parents : mapping or None
        Key → polygon, EPSG:4326.
    folder : Path
        For temporary files.
    neighbours, checks : bool
        Whether rows are held against each other; whether anything is checked.
    stack : ExitStack
        Closes the temporary files.
    """

    def __init__(
        self,
        spec: LayerSpec,
        mapping: FileMapping,
        plane: Plane,
        *,
        swap: bool,
        parents: dict[str, shapely.Geometry] | None,
        folder: Path,
        neighbours: bool,
        checks: bool,
        stack: ExitStack,
    ) -> None:
        self._spec, self._plane, self._checks = spec, plane, checks
        self._rules: CheckRules = spec.checks
        self._kind: Any = spec.geometry or "any"
        self._crs = plane.source.to_wkt()
        self._geographic = bool(plane.source.is_geographic)
        self._repairs = tuple(mapping.repair)
        self._swap = swap and "swap_axes" not in self._repairs
        self._groups: dict[str, int] = {}
        self._spool: Spool | None = None
        if neighbours and self._rules.coverage and self._kind == "polygon":
            self._spool = stack.enter_context(Spool(folder, partition=_PARTITION))
        self._parents: dict[str, shapely.Geometry] | None = None
        if checks and parents is not None and self._rules.parent_field:
            there = Transformer.from_crs(4326, plane.crs, always_xy=True)
            self._parents = {
                key: shapely.make_valid(
                    shapely.transform(shape, there.transform, interleaved=False)
                )
                for key, shape in parents.items()
                if shape is not None
            }

    def take(self, wkb: pa.Array, fields: Fields) -> Shapes:
        """Return the geometry of one batch."""
        if self._swap:
            wkb = with_coordinates(wkb, _turned).wkb
        parsed = parse(wkb, self._kind)
        n = len(parsed)
        refused, dropped = np.zeros(n, np.bool_), np.zeros(n, np.bool_)
        defects: list[Defect] = []
        if self._repairs:
            parsed, defects, refused, dropped = repair_figures(
                parsed,
                fields.rows,
                self._rules,
                self._repairs,
                metres=metres_per_unit(self._crs, parsed.rings),
            )
        geometry, surveyed = self._placed(wkb, parsed, repaired=bool(defects))
        if self._checks:
            figures = check_figures(
                parsed,
                fields.rows,
                self._rules,
                kind=self._kind,
                stated_area_m2=self._stated(fields),
                area_m2=ellipsoidal_areas(parsed.rings) if self._geographic else None,
                metres=metres_per_unit(self._crs, parsed.rings),
                skip=dropped,
            )
            defects += figures.defects
            refused |= figures.refused & ~dropped
            defects += self._off_earth(geometry, surveyed, fields, refused | dropped, refused)
            defects += self._single_points(parsed, fields, refused)
            self._hold(parsed, fields, refused | dropped, defects)
        lon, lat = _one_point(geometry)
        return Shapes(geometry, surveyed, lon, lat, refused, dropped, defects)

    def neighbours(self) -> list[Defect]:
        """Return what is wrong between the rows of all batches."""
        if self._spool is None:
            return []
        return [self._from_plane(d) for d in self._spool.check(self._rules)]

    def _placed(
        self, wkb: pa.Array, parsed: Parsed, *, repaired: bool
    ) -> tuple[pa.Array, pa.Array]:
        """Return WKB in EPSG:4326 and in the CRS of the source, in the kind of the table."""
        multi = self._spec.table in _MULTI
        surveyed = with_coordinates(wkb, None, multi=multi).wkb
        geometry = with_coordinates(wkb, self._to_wgs84, multi=multi).wkb
        if repaired:
            # What was repaired is known as rings only; other kinds stay as they were read.
            drawn = pa.array(np.diff(parsed.rings.shape_start) > 0)
            there = replace(parsed.rings, xy=self._to_wgs84(parsed.rings.xy))
            surveyed = pc.if_else(
                drawn, write_multipolygon(parsed.rings, single=not multi), surveyed
            )
            geometry = pc.if_else(drawn, write_multipolygon(there, single=not multi), geometry)
        return geometry, surveyed

    def _to_wgs84(self, xy: Floats) -> Floats:
        there = to_wgs84(xy, self._crs)
        # What lies beyond the earth is no number, so that its row cannot be written.
        there.xy[~there.on_earth] = np.nan
        return there.xy

    def _off_earth(
        self, geometry: pa.Array, surveyed: pa.Array, fields: Fields, known: Mask, refused: Mask
    ) -> list[Defect]:
        """Refuse rows whose coordinates lie nowhere on earth in the CRS of the file."""
        lost = pc.and_(geometry.is_null(), surveyed.is_valid()).to_numpy(zero_copy_only=False)
        index = np.flatnonzero(lost & ~known)
        refused[index] = True
        text = f"not on earth in {self._plane.source.name}"
        return [Defect("broken-coordinate", (int(fields.rows[i]),), text=text) for i in index]

    def _stated(self, fields: Fields) -> Floats | None:
        name = self._rules.stated_area
        if name is None or name not in fields.values:
            return None
        stated: Floats = pc.cast(fields.values[name], pa.float64()).to_numpy(zero_copy_only=False)
        return stated

    def _single_points(self, parsed: Parsed, fields: Fields, refused: Mask) -> list[Defect]:
        if self._spec.table != "utility_nodes":
            return []
        many = np.flatnonzero(parsed.kind == _MULTIPOINT)
        refused[many] = True
        return [Defect("wrong-kind", (int(fields.rows[i]),), text="multi-point") for i in many]

    def _hold(self, parsed: Parsed, fields: Fields, out: Mask, defects: list[Defect]) -> None:
        """Hold the good polygons against their parents, and keep all for their neighbours."""
        if self._spool is None and self._parents is None:
            return
        rings = parsed.rings
        drawn = np.flatnonzero(~parsed.non_finite & (np.diff(rings.shape_start) > 0))
        rings, rows, broken = taken(rings, drawn), fields.rows[drawn], out[drawn]
        if not self._plane.is_source:
            rings = replace(rings, xy=self._plane.there(rings.xy))
            first = rings.ring_start[rings.part_start[rings.shape_start]]
            finite = np.asarray(np.isfinite(rings.xy).all(axis=1), np.bool_)
            near = rows_of_points(finite, first)
            rings, rows = taken(rings, np.flatnonzero(near)), rows[near]
            drawn, broken = drawn[near], broken[near]
        name = self._rules.parent_field
        above = fields.values.get(name) if name is not None else None
        if above is not None:
            above = key_forms(above).take(pa.array(drawn))
        if self._parents is not None and above is not None:
            good = np.flatnonzero(~broken)
            keys = above.take(pa.array(good)).to_pylist()
            found = check_parents(taken(rings, good), rows[good], keys, self._parents, self._rules)
            defects += [self._from_plane(d) for d in found]
        if self._spool is not None:
            # Broken ones are kept, too: where one lies, nobody can say that there is a gap.
            groups = None if above is None else self._numbers(above)
            self._spool.add(rows, rings, groups, broken)

    def _numbers(self, above: pa.Array) -> Ints:
        """Return a number for each name, the same in every batch; -1 where there is none."""
        coded = above.dictionary_encode()
        names = [
            self._groups.setdefault(n, len(self._groups)) for n in coded.dictionary.to_pylist()
        ]
        number = np.array([*names, -1], dtype=np.int64)
        at = pc.fill_null(coded.indices, len(names)).to_numpy(zero_copy_only=False)
        out: Ints = number[at]
        return out

    def _from_plane(self, defect: Defect) -> Defect:
        if self._plane.is_source:
            return defect
        return replace(defect, geometry=self._plane.back(defect.geometry))


def _turned(xy: Floats) -> Floats:
    return np.ascontiguousarray(xy[:, ::-1])


def _one_point(wkb: pa.Array) -> tuple[Floats, Floats]:
    """Return the first point of each row; NaN where it has none."""
    xy, first = coordinates_of(wkb)
    out = np.full((len(wkb), 2), np.nan)
    full = np.diff(first) > 0
    out[full] = xy[first[:-1][full]]
    return out[:, 0], out[:, 1]
