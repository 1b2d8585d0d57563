"""Open any file of a pack by what it is: vector data, a table, or a table with points."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from geoplan.errors import CrsProblem, InputError
from geoplan.ingest.columns import rename
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.reader import GEOMETRY, ROW, ReadRequest, open_source
from geoplan.ingest.staged import Context
from geoplan.ingest.table import read_table
from geoplan.ingest.vector import VECTOR_SUFFIXES, parse_crs, read_vector

__all__ = ["is_file", "is_table", "open_polygons", "open_rows"]

_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")
_OTHER_SUFFIXES = (
    ".zip", ".kml", ".kmz", ".gml", ".dxf", ".parquet", ".geoparquet", ".sqlite", ".xlsx",
    ".geojsonl", ".geojsons", ".ndjson",
)  # fmt: skip
"""Formats that only the reader of deliveries knows, in its own process."""


def open_rows(
    folder: PackFolder,
    file: str,
    *,
    source_layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    lon: str | None = None,
    lat: str | None = None,
) -> tuple[gpd.GeoDataFrame | pd.DataFrame, str | None]:
    """Open a vector file or a table by its name; a table with lon and lat gets points."""
    path = folder.file(file)
    suffix = path.suffix.lower()
    if suffix in VECTOR_SUFFIXES:
        return read_vector(path, source_layer=source_layer, encoding=encoding, crs=crs, where=file)
    if suffix in _OTHER_SUFFIXES:
        return _read_apart(path, file, source_layer, encoding, crs, lon, lat)
    if suffix not in _TABLE_SUFFIXES:
        known = ", ".join((*VECTOR_SUFFIXES, *_OTHER_SUFFIXES, ".csv", ".csv.gz", ".tif"))
        raise InputError(
            f"files of kind '{suffix or path.name}' are not read", where=file, remedy=f"use {known}"
        )
    frame = read_table(path, encoding=encoding, where=file)
    if lon is None and lat is None:
        return frame, None
    if lon is None or lat is None:
        raise InputError("name both 'lon' and 'lat', or neither", where=file)
    rename(frame, {lon: lon, lat: lat}, where=file)
    xy = frame[[lon, lat]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    stated = parse_crs(crs or "EPSG:4326", where=file)
    if stated.is_geographic:
        off = (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90)
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise CrsProblem(
                f"{int(off.sum()):,} rows are not longitude and latitude, the first in row "
                f"{row + 2}: {xy[row, 0]:g}, {xy[row, 1]:g}",
                where=file,
                remedy="check 'lon' and 'lat', or name the CRS in 'crs'",
            )
    points = shapely.points(xy)
    points[~np.isfinite(xy).all(axis=1)] = None
    authority = stated.to_authority()
    return (
        gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(points, crs=stated)),
        ":".join(authority) if authority else str(stated.name),
    )


def _read_apart(
    path: Path,
    file: str,
    source_layer: str | None,
    encoding: str | None,
    crs: str | None,
    lon: str | None,
    lat: str | None,
) -> tuple[gpd.GeoDataFrame | pd.DataFrame, str | None]:
    """Read a whole file in a process of its own."""
    request = ReadRequest(path, source_layer=source_layer, encoding=encoding, lon=lon, lat=lat)
    with open_source(request) as source:
        batches = list(source)
        info = source.info
    table = pa.Table.from_batches(batches)
    names = [n for n in table.schema.names if n not in (ROW, GEOMETRY)]
    frame = table.select(names).to_pandas()
    for name in frame.columns:
        if pd.api.types.is_string_dtype(frame[name]) or frame[name].dtype == object:
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
    shapes = shapely.from_wkb(np.array(table.column(GEOMETRY).to_pylist(), dtype=object))
    if info.geometry_type is None and shapely.is_missing(shapes).all():
        return frame, None
    stated = info.crs or crs
    if stated is None:
        raise CrsProblem(
            "the file does not say its coordinate reference system",
            where=file,
            remedy="name it in the pack: crs: EPSG:…",
        )
    known = parse_crs(stated, where=file)
    authority = known.to_authority()
    return (
        gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=known)),
        ":".join(authority) if authority else str(known.name),
    )


def is_table(file: str) -> bool:
    """Tell whether a file is a table, which has geometry only by 'lon' and 'lat'."""
    return file.lower().endswith(_TABLE_SUFFIXES)


def is_file(clip: str) -> bool:
    """Tell whether a 'clip' names a file; else it is a layer, whose id has no dot or slash."""
    return "/" in clip or "." in clip


def open_polygons(clip: str, context: Context) -> list[shapely.Geometry]:
    """Return the polygons of a file of the pack, or of a layer of regions, in EPSG:4326."""
    if is_file(clip):
        found, _ = open_rows(context.folder, clip)
        if not isinstance(found, gpd.GeoDataFrame):
            raise InputError("'clip' needs polygons", where=clip)
        return list(found.to_crs(4326).geometry.dropna())
    return list(context.outlines(clip, where=f"clip: {clip}").geometry)
