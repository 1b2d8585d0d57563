"""Layers leave GeoPlan: in any of eight formats and any CRS, whole or not at all."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd

from geoplan.errors import InputError, Problem, UnknownName
from geoplan.report.export_about import Provenance
from geoplan.report.export_file import new_file
from geoplan.report.export_frames import Kind, outgoing
from geoplan.report.export_gdal import write_flatgeobuf, write_geopackage
from geoplan.report.export_parquet import write_geoparquet
from geoplan.report.export_shapefile import write_shapefile
from geoplan.report.export_text import write_csv, write_geojson, write_geojsonl

__all__ = ["FORMATS", "Exported", "Provenance", "export_layer", "format_of"]

FORMATS: Mapping[str, tuple[str, ...]] = {
    "geopackage": (".gpkg",),
    "shapefile": (".zip",),
    "geojson": (".geojson", ".json"),
    "geojsonl": (".geojsonl", ".geojsons", ".ndjson"),
    "geoparquet": (".parquet", ".geoparquet"),
    "flatgeobuf": (".fgb",),
    "csv": (".csv",),
    "dxf": (".dxf",),
}
"""Formats by name, and the endings of their files; the first is the usual one."""

_ENCODED = ("shapefile", "csv")
_BESIDE = ("geojsonl", "csv")


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Parameters
    ----------
    path : Path
        The file.
    beside : Path or None
        File that says where the data come from, for formats that have no place for it.
    format, crs : str
        Format and CRS of the file.
    rows, bytes : int
        Rows in it and its size.
    notes : tuple of Problem
        What the format could not hold.
    """

    path: Path
    beside: Path | None
    format: str
    crs: str
    rows: int
    bytes: int
    notes: tuple[Problem, ...]


def format_of(path: Path) -> str:
    """Return the format that the ending of a file names.

    Raises
    ------
    UnknownName
        No format has this ending.
    """
    for name, endings in FORMATS.items():
        if path.suffix.lower() in endings:
            return name
    known = ", ".join(endings[0] for endings in FORMATS.values())
    raise UnknownName(
        f"no format ends with '{path.suffix}'", where=str(path), remedy=f"use one of {known}"
    )


def export_layer(
    data: gpd.GeoDataFrame | Iterable[gpd.GeoDataFrame],
    path: Path,
    *,
    provenance: Provenance,
    format: str | None = None,  # noqa: A002, the word that everybody uses
    crs: str | None = None,
    encoding: str = "utf-8",
    fields: Mapping[str, str] | None = None,
    kind: Kind | None = None,
    surveyed: tuple[str, str] | None = None,
    theme: str | None = None,
    label: str | None = None,
    overwrite: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Exported:
    """Write a layer to a file.

    Parameters
    ----------
    data : GeoDataFrame or iterable of GeoDataFrame
        The layer, or batches of it; batches are written as they come, so that memory does not
        grow with the layer (DXF excepted, which is built in memory).
    path : Path
        File to make; written beside and renamed, so that nothing half-written is ever there.
    provenance : Provenance
        What goes with the data: as table ``about`` (GeoPackage), metadata (GeoParquet,
        FlatGeobuf, GeoJSON), custom properties (DXF), ``about.json`` in the archive (Shapefile)
        or beside the file (CSV, newline-delimited GeoJSON).
    format : str, optional
        A key of `FORMATS`; absent: by the ending of ``path``.
    crs : str, optional
        CRS of the file, for example ``EPSG:32639``; absent: that of the data, and EPSG:4326 for
        GeoJSON.
    encoding : str
        Of the texts of a Shapefile or CSV; everything else is UTF-8.
    fields : mapping, optional
        Column → type of the catalogue (``string``, ``integer``, ``number``, ``boolean``,
        ``date``); only these are written, in this order.
    kind : str, optional
        Kind of geometry that the layer holds (``geometry`` of its YAML). Without it the first
        batch tells.
    surveyed : (str, str), optional
        Columns of the geometry as surveyed (WKB) and of its SRID: where that is the CRS of the
        file, the surveyed coordinates are written unchanged.
    theme : str, optional
        DXF: layer of the drawing; absent: the layer's identifier.
    label : str, optional
        DXF: column that is written on each shape, for example the plot number.
    overwrite : bool
        Replace a file that is there.
    progress : callable, optional
        Told the number of rows written so far.

    Raises
    ------
    InputError, FileMissing, UnknownName
        The file exists, its folder does not, the format or encoding is unknown, the format does
        not hold this geometry, or the encoding lacks a letter.
    CrsProblem
        The CRS is unknown, or the format cannot be in it.
    RangeError
        More than the format can hold.
    ShapeError
        Batches that do not fit together.
    DiskFull
        No space is left.
    """
    name = format or format_of(path)
    if name not in FORMATS:
        raise UnknownName(
            f"no format '{name}'", where=str(path), remedy=f"use one of {', '.join(FORMATS)}"
        )
    if path.suffix.lower() not in FORMATS[name]:
        raise InputError(
            f"a file of the format {name} ends with {' or '.join(FORMATS[name])}",
            where=str(path),
            remedy=f"name it {path.with_suffix(FORMATS[name][0]).name}",
        )
    encoding = _known_encoding(encoding, name)
    if crs is None and name in ("geojson", "geojsonl"):
        crs = "EPSG:4326"
    beside = path.with_name(f"{path.name}.about.json") if name in _BESIDE else None
    with new_file(path, overwrite=overwrite) as part:
        frames = outgoing(data, crs, fields=fields, kind=kind, surveyed=surveyed, progress=progress)
        if name == "geopackage":
            notes = write_geopackage(part, frames, provenance)
        elif name == "shapefile":
            notes = write_shapefile(part, frames, provenance, encoding=encoding)
        elif name == "geojson":
            notes = write_geojson(part, frames, provenance)
        elif name == "geojsonl":
            notes = write_geojsonl(part, frames, provenance)
        elif name == "geoparquet":
            notes = write_geoparquet(part, frames, provenance)
        elif name == "flatgeobuf":
            notes = write_flatgeobuf(part, frames, provenance)
        elif name == "csv":
            notes = write_csv(part, frames, provenance, encoding=encoding)
        else:
            from geoplan.report.export_dxf import write_dxf  # 20 MB that no other format needs

            notes = write_dxf(
                part, frames, provenance, theme=theme or provenance.layer, label=label
            )
        if beside is not None:
            # It belongs to the file, and has to be there when that is.
            with new_file(beside, overwrite=True) as about:
                about.write_text(
                    provenance.json(crs=frames.crs_name, rows=frames.rows) + "\n", encoding="utf-8"
                )
    return Exported(
        path, beside, name, frames.crs_name, frames.rows, path.stat().st_size, tuple(notes)
    )


def _known_encoding(encoding: str, name: str) -> str:
    try:
        found = codecs.lookup(encoding).name
    except LookupError as error:
        raise UnknownName(
            f"no encoding '{encoding}'", where="encoding", remedy="use utf-8 or windows-1256"
        ) from error
    if name not in _ENCODED and found != "utf-8":
        raise InputError(
            f"{name} is always UTF-8", where=f"encoding {encoding}", remedy="leave the encoding out"
        )
    return found
