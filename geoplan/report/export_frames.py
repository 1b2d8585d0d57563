"""Rows on their way out: in the CRS that was asked for, with one type for each column."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyproj
import shapely
from pyproj.exceptions import CRSError

from geoplan.errors import CrsProblem, ShapeError
from geoplan.report.export_columns import TYPES, inferred, typed
from geoplan.vector import project_frame

__all__ = ["GEOMETRY", "Kind", "Outgoing", "outgoing", "utm_of"]

Kind = Literal["point", "line", "polygon", "any"]
Shapes = np.ndarray[Any, np.dtype[np.object_]]

GEOMETRY = "geometry"
"""Name of the geometry column in formats that have one."""

_BATCH = 50_000
_DIMENSION: Mapping[Kind, int] = {"point": 0, "line": 1, "polygon": 2}
_NAMES = ("Point", "LineString", "Polygon")


@dataclass
class Outgoing:
    """Batches of one layer, all alike.

    Parameters
    ----------
    schema : pyarrow.Schema
        Columns without the geometry.
    crs : pyproj.CRS
        CRS of every geometry.
    crs_name : str
        The same as an authority code, else as WKT.
    dimension : int or None
        0 points, 1 lines, 2 polygons; ``None`` for any.
    multi, has_z : bool
        Geometries are multi-part; they have heights.
    without : bool or None
        Rows lack a geometry; ``None`` where that is not known before the last batch.
    batches : iterator of (Table, ndarray of Geometry)
        To be read once.
    rows : int
        Rows that were read so far.
    """

    schema: pa.Schema
    crs: pyproj.CRS
    crs_name: str
    dimension: int | None
    multi: bool
    has_z: bool
    without: bool | None
    batches: Iterator[tuple[pa.Table, Shapes]]
    rows: int = 0
    error: BaseException | None = field(default=None)

    @property
    def geometry_type(self) -> str:
        """What GDAL calls the kind of geometry."""
        if self.dimension is None:
            return "Unknown"
        name = f"{'Multi' if self.multi else ''}{_NAMES[self.dimension]}"
        return f"{name} Z" if self.has_z else name

    def arrow(self, prepare: Callable[[pa.Table], pa.Table] | None = None) -> pa.RecordBatchReader:
        """Return the batches as one Arrow stream with the geometry as WKB.

        An error in the middle ends the stream for its reader, which knows only that; it is kept
        in ``error``.
        """
        named = prepare(self.schema.empty_table()).schema if prepare else self.schema
        whole = named.append(pa.field(GEOMETRY, pa.binary(), metadata=_WKB))

        def made() -> Iterator[pa.RecordBatch]:
            try:
                for table, shapes in self.batches:
                    part = prepare(table) if prepare else table
                    wkb = pa.array(shapely.to_wkb(shapes, flavor="iso"), pa.binary())
                    joined = part.append_column(whole.field(GEOMETRY), wkb)
                    yield from joined.cast(whole).combine_chunks().to_batches()
            except BaseException as error:
                self.error = error
                raise

        return pa.RecordBatchReader.from_batches(whole, made())


_WKB = {"ARROW:extension:name": "geoarrow.wkb"}


def outgoing(
    data: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame],
    crs: str | None,
    *,
    fields: Mapping[str, str] | None = None,
    kind: Kind | None = None,
    surveyed: tuple[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Outgoing:
    """Return rows ready to be written.

    Parameters
    ----------
    data : GeoDataFrame or iterable of GeoDataFrame
        A layer, or batches of it with the same columns; at least one.
    crs : str or None
        CRS that is asked for; absent: that of the data.
    fields : mapping, optional
        Column → type of the catalogue; absent columns of a batch are null, others are left out.
        Without it the first batch tells.
    kind : str, optional
        Kind of geometry; without it the first batch tells.
    surveyed : (str, str), optional
        Columns of the geometry as it was surveyed (WKB) and of its SRID. Where the SRID is the
        CRS that is asked for, that geometry is taken as it is. Neither column is written.
    progress : callable, optional
        Told the number of rows so far.

    Raises
    ------
    CrsProblem
        The data have no CRS, or ``crs`` is unknown.
    ShapeError
        No batch, a geometry of another kind, or a column that changes its type.
    """
    first, frames = _first(data)
    target = _target(first, crs)
    ready = (_placed(frame, target, surveyed) for frame in frames)
    head = next(ready)
    dropped = {head.geometry.name, *(surveyed or ())}
    names = list(fields) if fields else [c for c in head.columns if c not in dropped]
    schema = pa.schema([(n, TYPES[fields[n]] if fields else inferred(head[n])) for n in names])
    shapes = _shapes(head)
    whole = isinstance(data, gpd.GeoDataFrame)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    without = bool(empty.any()) if whole else None
    dimension, multi, has_z = _kind_of(shapes, kind, whole=whole)
    authority = target.to_authority(min_confidence=100)
    out = Outgoing(
        schema, target, ":".join(authority) if authority else target.to_wkt(),
        dimension, multi, has_z, without, iter(()),
    )  # fmt: skip

    def batches() -> Iterator[tuple[pa.Table, Shapes]]:
        for frame in itertools.chain([head], ready):
            for start in range(0, len(frame), _BATCH):
                part = frame.iloc[start : start + _BATCH]
                table = typed(part, schema, out.rows)
                yield table, _uniform(_shapes(part), out)
                out.rows += len(part)
                if progress is not None:
                    progress(out.rows)

    out.batches = batches()
    return out


def _first(
    data: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame],
) -> tuple[gpd.GeoDataFrame, Iterator[gpd.GeoDataFrame]]:
    frames = iter([data]) if isinstance(data, gpd.GeoDataFrame) else iter(data)
    first = next(frames, None)
    if first is None:
        raise ShapeError("there is no batch to export", remedy="give one without rows at least")
    return first, itertools.chain([first], frames)


def _target(frame: gpd.GeoDataFrame, crs: str | None) -> pyproj.CRS:
    if frame.crs is None:
        raise CrsProblem("the data have no CRS", remedy="set it before exporting")
    if crs is None:
        return pyproj.CRS.from_user_input(frame.crs)
    try:
        return pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise CrsProblem(
            f"'{crs}' is no CRS", remedy="name one as EPSG:32639, or give its WKT"
        ) from error


def _placed(
    frame: gpd.GeoDataFrame, target: pyproj.CRS, surveyed: tuple[str, str] | None
) -> gpd.GeoDataFrame:
    same = frame.crs is not None and pyproj.CRS.from_user_input(frame.crs) == target
    placed = frame if same else project_frame(frame, target.to_wkt())
    if surveyed is None or surveyed[0] not in frame.columns:
        return placed
    column, srid = surveyed
    wanted = target.to_epsg()
    here = (pd.to_numeric(frame[srid]) == wanted) & frame[column].notna()
    if wanted is None or not here.any():
        return placed
    given = np.array([bytes(v) for v in frame.loc[here, column]], dtype=object)
    shapes = _shapes(placed)
    # A survey's SRID is known from its column; an EWKB that repeats it is the same geometry.
    shapes[here.to_numpy()] = shapely.set_srid(shapely.from_wkb(given), 0)
    return placed.set_geometry(gpd.GeoSeries(shapes, index=placed.index, crs=placed.crs))


def _shapes(frame: gpd.GeoDataFrame) -> Shapes:
    return np.array([*frame.geometry.array, None], dtype=object)[:-1]


def _kind_of(shapes: Shapes, kind: Kind | None, *, whole: bool) -> tuple[int | None, bool, bool]:
    """Return dimension, whether multi-part, and whether with heights."""
    known = shapes[~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)]
    has_z = bool(shapely.has_z(known).any())
    if kind == "any":
        return None, False, has_z
    found = set(shapely.get_dimensions(known).tolist())
    if kind is None and (len(found) != 1 or (shapely.get_type_id(known) == 7).any()):
        return None, False, has_z
    dimension = _DIMENSION[kind] if kind else found.pop()
    multi = bool((shapely.get_type_id(known) >= 4).any())
    # Later batches may hold what the first does not; only points are nearly always single.
    return dimension, multi or (not whole and dimension > 0), has_z


def _uniform(shapes: Shapes, out: Outgoing) -> Shapes:
    known = ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    shapes = shapes.copy()
    shapes[~known] = None
    if out.dimension is not None:
        wrong = known & (
            (shapely.get_dimensions(shapes) != out.dimension) | (shapely.get_type_id(shapes) == 7)
        )
        if wrong.any():
            at = int(np.flatnonzero(wrong)[0])
            raise ShapeError(
                f"{int(wrong.sum()):,} geometries are no {_NAMES[out.dimension].lower()}s but, for "
                f"example, a {shapes[at].geom_type}",
                where=f"row {out.rows + at + 1:,}",
                remedy="export with kind 'any' to a format that takes it, such as GeoPackage",
            )
        if out.multi:
            make = (shapely.multipoints, shapely.multilinestrings, shapely.multipolygons)
            single = np.flatnonzero(known & (shapely.get_type_id(shapes) < 4))
            if len(single):
                lines = shapes[single]
                rings = shapely.get_type_id(lines) == 2
                lines[rings] = [shapely.linestrings(r.coords) for r in lines[rings]]
                shapes[single] = make[out.dimension](lines, indices=np.arange(len(lines)))
        elif (known & (shapely.get_type_id(shapes) >= 4)).any():
            raise ShapeError(
                "a later batch has multi-part geometries, the first has none",
                remedy="export with kind 'any'",
            )
    if out.has_z:
        high: Shapes = shapely.force_3d(shapes, 0.0)
        return high
    if shapely.has_z(shapes[known]).any():
        raise ShapeError(
            "a later batch has heights, the first has none",
            remedy="drop the heights or give all rows one",
        )
    return shapes


def utm_of(frames: Outgoing, shapes: Shapes) -> str:
    """Return the UTM zone of WGS 84 that geometries lie in: ``EPSG:32639 (zone 39 north)``."""
    bounds = shapely.total_bounds(shapes)
    if not np.isfinite(bounds).all():
        return "the UTM zone of the data"
    change = pyproj.Transformer.from_crs(frames.crs, "EPSG:4326", always_xy=True)
    lon, lat = change.transform((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2)
    zone = int(min(max((lon + 180) // 6 + 1, 1), 60))
    side, base = ("north", 32600) if lat >= 0 else ("south", 32700)
    return f"EPSG:{base + zone} (UTM zone {zone} {side})"
