"""GeoJSON, newline-delimited GeoJSON and CSV with WKT."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoplan.errors import CrsProblem, InputError, Problem
from geoplan.report.cells import cell
from geoplan.report.export_about import Provenance
from geoplan.report.export_frames import Outgoing, Shapes

__all__ = ["write_csv", "write_geojson", "write_geojsonl"]

_DECIMALS = 9
_LONLAT = ("EPSG:4326", "OGC:CRS84")


def write_geojson(path: Path, frames: Outgoing, about: Provenance) -> list[Problem]:
    """Write one FeatureCollection (RFC 7946), with ``about`` as a foreign member.

    Notes
    -----
    Longitude and latitude with nine decimals (0.1 mm); outer rings counter-clockwise (§3.1.6).

    Raises
    ------
    CrsProblem
        Another CRS than EPSG:4326 was asked for.
    """
    _lonlat_only(frames, "GeoJSON")
    with path.open("w", encoding="utf-8", newline="\n") as out:
        name = json.dumps(about.layer, ensure_ascii=False)
        out.write(f'{{"type":"FeatureCollection","name":{name},\n')
        out.write(f'"about":{about.json(crs=frames.crs_name)},\n"features":[')
        before = "\n"
        for feature in _features(frames):
            out.write(before + feature)
            before = ",\n"
        out.write("\n]}\n")
    return []


def write_geojsonl(path: Path, frames: Outgoing, about: Provenance) -> list[Problem]:  # noqa: ARG001
    """Write one feature a line; where the data come from stands in the file beside it.

    Raises
    ------
    CrsProblem
        Another CRS than EPSG:4326 was asked for.
    """
    _lonlat_only(frames, "GeoJSON")
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for feature in _features(frames):
            out.write(feature + "\n")
    return []


def _lonlat_only(frames: Outgoing, format_: str) -> None:
    if frames.crs_name not in _LONLAT:
        raise CrsProblem(
            f"{format_} holds longitude and latitude (EPSG:4326) only, not {frames.crs_name}",
            where="RFC 7946 §4",
            remedy="export with --crs EPSG:4326, or to GeoPackage in the CRS that you want",
        )


def _features(frames: Outgoing) -> Iterator[str]:
    for table, shapes in frames.batches:
        geometry = shapely.to_geojson(_rounded(shapes))
        columns = [c.to_pylist() for c in table.columns]
        names = table.column_names
        for at, shape in enumerate(geometry):
            values = {n: _json_value(column[at]) for n, column in zip(names, columns, strict=True)}
            properties = json.dumps(
                values, ensure_ascii=False, separators=(",", ":"), allow_nan=False
            )
            yield f'{{"type":"Feature","properties":{properties},"geometry":{shape or "null"}}}'


def _rounded(shapes: Shapes) -> Shapes:
    out: Shapes = shapely.transform(
        shapes, lambda xy: np.round(xy, _DECIMALS), include_z=bool(shapely.has_z(shapes).any())
    )
    areas = shapely.get_dimensions(out) == 2
    out[areas] = shapely.orient_polygons(out[areas])
    return out


def _json_value(value: Any) -> Any:
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def write_csv(path: Path, frames: Outgoing, about: Provenance, *, encoding: str) -> list[Problem]:
    """Write a table whose last column ``wkt`` is the geometry, with all its figures.

    A text that a spreadsheet would take for a formula gets an apostrophe before it; the notes
    say how many.

    Raises
    ------
    InputError
        A text that the encoding does not have.
    """
    guarded = 0
    names = frames.schema.names
    wkt = "wkt"
    while wkt in names:
        wkt += "_"
    try:
        with path.open("w", encoding=encoding, newline="") as out:
            writer = csv.writer(out, lineterminator="\r\n")
            writer.writerow([*names, wkt])
            for table, shapes in frames.batches:
                texts = shapely.to_wkt(shapes, rounding_precision=-1, trim=True)
                columns = []
                for column in table.columns:
                    values = column.to_pylist()
                    cells = [_cell(v) for v in values]
                    guarded += sum(
                        isinstance(v, str) and v != c for v, c in zip(values, cells, strict=True)
                    )
                    columns.append(cells)
                writer.writerows(
                    zip(*columns, ["" if t is None else t for t in texts], strict=True)
                )
    except UnicodeEncodeError as error:
        raise InputError(
            f"{encoding} has no '{error.object[error.start]}'",
            where=about.layer,
            remedy="export as utf-8, or utf-8-sig for Excel",
        ) from error
    if not guarded:
        return []
    return [
        Problem(
            about.layer, f"{guarded:,} texts that look like a formula got an apostrophe before",
            "export to GeoPackage to keep them as they are", "info", "formula", guarded,
        )
    ]  # fmt: skip


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return cell(value, "flag")
    if isinstance(value, str):
        return cell(value, "text")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else ""
    return str(value)
