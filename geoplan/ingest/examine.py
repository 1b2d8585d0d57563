"""One pass over a delivered file: fields, figures, places and neighbours, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import shapely

from geoplan.cadastre import Defect
from geoplan.cadastre.wkb import coordinates_of
from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.mapping import FileMapping
from geoplan.errors import EmptyLayer, Problem
from geoplan.ingest.attributes.fields import CellFinding, Fields
from geoplan.ingest.attributes.keys import KeyIndex
from geoplan.ingest.attributes.plan import AttributePlan
from geoplan.ingest.country import Country
from geoplan.ingest.crs_choice import CrsChoice, choose_crs
from geoplan.ingest.figures import FigureStep, Shapes
from geoplan.ingest.inspection import Inspection, Repair
from geoplan.ingest.ledger import Ledger
from geoplan.ingest.plane import Plane, plane_of
from geoplan.ingest.reader import GEOMETRY, ReadRequest, Source, SourceInfo, open_source
from geoplan.ingest.remarks import blanked, noted

__all__ = ["Checked", "Examination", "Given"]

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_SAMPLE = 2_000
_OUTLINES = 8_000
_GIVEN = {
    "utility_nodes": ("basis", "as_of", "method_en", "method_local"),
    "utility_lines": ("basis",),
}


@dataclass(frozen=True)
class Given:
    """What a file is held against.

    Parameters
    ----------
    spec : LayerSpec
        The layer.
    mapping : FileMapping
        How columns become fields.
    bbox, analysis_crs : tuple of 4 float, str
        Of the country, degrees; and its own CRS.
    outlines : GeoDataFrame or None
        The country's level-1 regions, EPSG:4326, where they are loaded.
    near : GeoDataFrame or None
        Rows that the file should lie among: the parent layer, or the layer as it is now.
    parents : mapping or None
        Key of each row of the parent layer → its polygon, EPSG:4326; ``None``: not loaded.
    accept_crs : bool
        The CRS that the coordinates speak for may be taken.
    """

    spec: LayerSpec
    mapping: FileMapping
    bbox: tuple[float, float, float, float]
    analysis_crs: str | None = None
    outlines: gpd.GeoDataFrame | None = None
    near: gpd.GeoDataFrame | None = None
    parents: Mapping[str, shapely.Geometry] | None = None
    accept_crs: bool = False


@dataclass(frozen=True)
class Checked:
    """One batch, ready to be stored; the same rows in the same order everywhere.

    Parameters
    ----------
    fields : Fields
        Key, search text, attributes and typed values.
    geometry : pyarrow.Array
        WKB, EPSG:4326; null where a row has none.
    surveyed : pyarrow.Array
        WKB in the CRS of the source, after repairs.
    refused, dropped : ndarray of bool
        Rows with an error of their own (errors between rows are known only at the end); rows that
        are left out as asked.
    source : pyarrow.RecordBatch
        The rows as they were read.
    """

    fields: Fields
    geometry: pa.Array
    surveyed: pa.Array
    refused: Mask
    dropped: Mask
    source: pa.RecordBatch


class Examination:
    """Reads a file once and checks everything about it.

    Use it as a context manager; iterate over :meth:`batches` to the end, then ask for
    :meth:`inspection`.

    Parameters
    ----------
    path : Path
        The file.
    given : Given
        What it is held against.
    folder : Path
        Where temporary files may lie.
    neighbours : bool
        Check rows against each other, too. A second pass over a file need not.
    checks : bool
        Whether anything is checked; without, rows are only read, typed and placed (for
        measurements).
    """

    def __init__(
        self,
        path: Path,
        given: Given,
        *,
        folder: Path,
        neighbours: bool = True,
        checks: bool = True,
    ) -> None:
        self.path, self.given, self._folder = path, given, folder
        self._neighbours = neighbours and checks
        self._checks = checks
        self.ledger = Ledger(given.spec.checks)
        self.problems: list[Problem] = []
        self.repairs: list[Repair] = []
        self.rows_read = 0
        self.rows_dropped = 0
        self._keys: list[pa.Array] = []
        self._rows: list[npt.NDArray[np.int32]] = []
        self._outlines: list[bytes] = []
        self._every = 1
        self._order: npt.NDArray[np.int32] | None = None
        self._blanked: dict[str, int] = {}
        self._stack = ExitStack()
        self._done = False

    def __enter__(self) -> Examination:
        try:
            self._open()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    # -- opening

    def _open(self) -> None:
        spec, mapping = self.given.spec, self.given.mapping
        self._source: Source = self._stack.enter_context(
            open_source(
                ReadRequest(
                    self.path,
                    source_layer=mapping.source_layer,
                    encoding=mapping.encoding,
                    crs=mapping.crs,
                    lon=mapping.lon,
                    lat=mapping.lat,
                    wkt=mapping.wkt,
                    dxf_layers=mapping.dxf_layers,
                    curve_tolerance_m=spec.checks.curve_tolerance_m,
                    close_tolerance_m=spec.checks.close_tolerance_m,
                )
            )
        )
        self.info: SourceInfo = self._source.info
        self._rest = iter(self._source)
        self._first = next(self._rest, None)
        if self._first is None:
            raise EmptyLayer(
                "the file has no rows", where=self.path.name, remedy="deliver it with data"
            )
        if self.info.geometry_type is None and GEOMETRY not in self._first.schema.names:
            raise EmptyLayer(
                "the file has no geometry, and the layer needs it",
                where=self.path.name,
                remedy="name the columns of a table in --lon and --lat, or in --wkt",
            )
        self.plan = AttributePlan.compile(
            spec,
            mapping.fields,
            self.info.columns,
            missing=mapping.missing,
            where=self.path.name,
            given=_GIVEN.get(spec.table, ()) if mapping.basis is not None else (),
        )
        self.problems += self.plan.notes
        sample = self._sample(self._first)
        self.crs: CrsChoice = choose_crs(
            sample,
            declared=self.info.crs,
            option=mapping.crs,
            accept=self.given.accept_crs,
            bbox=self.given.bbox,
            outlines=self.given.outlines,
            near=self.given.near,
            analysis_crs=self.given.analysis_crs,
            where=self.path.name,
        )
        self.problems += self.crs.problems
        swap = self.crs.swap or "swap_axes" in mapping.repair
        self.plane: Plane = plane_of(self.crs.crs, sample[:, ::-1] if swap else sample)
        parents = self.given.parents
        self._figures = FigureStep(
            spec,
            mapping,
            self.plane,
            swap=swap,
            parents=None if parents is None else dict(parents),
            folder=self._folder,
            neighbours=self._neighbours,
            checks=self._checks,
            stack=self._stack,
        )
        outlines = self.given.outlines
        self._country = Country([] if outlines is None else list(outlines.geometry))
        self._index = KeyIndex()
        if spec.checks.parent and self.given.parents is None and self._checks:
            self.problems.append(
                Problem(
                    self.path.name,
                    f"layer '{spec.checks.parent}' is not loaded: whether each row lies inside its "
                    f"'{spec.checks.parent_field}' was not checked",
                    f"load '{spec.checks.parent}' first",
                    "info",
                    "parent-not-loaded",
                )
            )

    def _sample(self, batch: pa.RecordBatch) -> npt.NDArray[np.float64]:
        """Return one point of each of some rows, in the coordinates of the file."""
        geometry = batch.column(GEOMETRY)
        step = max(1, len(geometry) // _SAMPLE)
        some = geometry.take(pa.array(np.arange(0, len(geometry), step)))
        xy, first = coordinates_of(some)
        at = first[:-1][np.diff(first) > 0]
        points = xy[at]
        return points[np.isfinite(points).all(axis=1)]

    # -- reading

    def batches(self) -> Iterator[Checked]:
        """Give every batch, checked; after the last one all defects are known."""
        batch = self._first
        self._first = None
        while batch is not None:
            yield self._checked(batch)
            batch = next(self._rest, None)
        self._finish()

    def _checked(self, batch: pa.RecordBatch) -> Checked:
        fields = self.plan.apply(batch)
        self.rows_read += len(fields.rows)
        self._rows.append(fields.rows.astype(np.int32))
        # A copy: the key may be a view of the whole batch, which must not stay.
        self._keys.append(fields.key.take(pa.array(np.arange(len(fields.key)))))
        for name, count in fields.blanked.items():
            self._blanked[name] = self._blanked.get(name, 0) + count
        refused = np.zeros(len(fields.rows), dtype=bool)
        shapes = self._figures.take(batch.column(GEOMETRY), fields)
        if self._checks:
            for cell in fields.findings:
                self._note_cells(cell)
                if self.ledger.rules.severity_of(cell.code) == "error":
                    refused |= np.isin(fields.rows, cell.rows)
            self._note_shapes(shapes, fields)
            self._index.add(fields.key, fields.rows)
        self.rows_dropped += int(shapes.dropped.sum())
        self._remember(shapes.surveyed)
        return Checked(
            fields,
            shapes.geometry,
            shapes.surveyed,
            refused | shapes.refused,
            shapes.dropped,
            batch,
        )

    def _remember(self, surveyed: pa.Array) -> None:
        """Keep some outlines for the map: every n-th of all that were read."""
        self._outlines += [w for w in surveyed[:: self._every].to_pylist() if w is not None]
        while len(self._outlines) > _OUTLINES:
            self._outlines = self._outlines[::2]
            self._every *= 2

    def _note_cells(self, cell: CellFinding) -> None:
        def said(i: int) -> str:
            value = cell.texts[i].as_py()
            return cell.field if value is None else f"{cell.field}: {value}"

        self.ledger.add_rows(cell.code, cell.rows, text=said)

    def _note_shapes(self, shapes: Shapes, fields: Fields) -> None:
        self.ledger.add(shapes.defects)
        keys = (
            dict(zip(fields.rows.tolist(), fields.key.to_pylist(), strict=True))
            if any(d.code == "repaired" for d in shapes.defects)
            else {}
        )
        for defect in shapes.defects:
            if defect.code == "repaired" and len(defect.rows) == 1:
                (row,) = defect.rows
                numbers = defect.numbers
                self.repairs.append(
                    Repair(
                        row,
                        keys.get(row) or "",
                        defect.text,
                        numbers.get("area_before_m2", float("nan")),
                        numbers.get("area_after_m2", float("nan")),
                    )
                )
        lost = self._country.outside(shapes.lon, shapes.lat)
        if lost.any():
            self.ledger.add_rows("outside-country", fields.rows[lost])

    def _finish(self) -> None:
        self._done = True
        if self._checks:
            self.ledger.add(
                Defect("duplicate-key", d.rows, text=d.key) for d in self._index.duplicates()
            )
            self.ledger.add(self._figures.neighbours())
        self.problems += noted(
            self._source.notes, self.ledger if self._checks else None, where=self.path.name
        )
        self.problems += blanked(self._blanked, self.given.mapping.missing, where=self.path.name)

    # -- answering

    def keys(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Return the keys of rows by their number; empty text where a row has none."""
        if self._order is None:
            self._order = np.concatenate(self._rows) if self._rows else np.empty(0, np.int32)
            self._whole = pa.chunked_array(self._keys, pa.string())
        at = np.searchsorted(self._order, rows)
        out = []
        for row, i in zip(rows, at.tolist(), strict=True):
            there = i < len(self._order) and self._order[i] == row
            out.append((self._whole[i].as_py() or "") if there else "")
        return tuple(out)

    def inspection(self, *, sha256: str, seconds: float, synthetic: bool = False) -> Inspection:
        """Return all that was found; after the last batch.

        Parameters
        ----------
        sha256 : str
            Hash of the file.
        seconds : float
            How long it took.
        synthetic : bool
            Made-up data, by the profile.
        """
        spec = self.given.spec
        refused = len(self.ledger.refused())
        return Inspection(
            file=self.path.name,
            sha256=sha256,
            layer=spec.id,
            title=spec.title,
            source=self.info,
            crs=self.crs.name,
            crs_how=self.crs.how,
            evidence=self.crs.evidence,
            columns=self.plan.columns,
            unused=self.plan.unused,
            rows_read=self.rows_read,
            rows_good=self.rows_read - refused - self.rows_dropped,
            rows_refused=refused,
            findings=self.ledger.findings(self.keys),
            tallies=self.ledger.tallies,
            problems=tuple(self.problems),
            repairs=tuple(self.repairs),
            rules=spec.checks,
            synthetic=synthetic,
            seconds=seconds,
            outlines=tuple(self._outlines),
        )
