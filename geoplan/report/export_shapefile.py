"""Shapefile in a zip: short names, long texts and everything else that a dBASE file cannot hold."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geoplan.errors import InputError, Problem, RangeError
from geoplan.report.export_about import Provenance
from geoplan.report.export_frames import Outgoing
from geoplan.report.export_gdal import write_arrow

__all__ = ["dbf_names", "write_shapefile"]

_NAME_BYTES = 10
_TEXT_BYTES = 254
_SHAPEFILE_BYTES = 2**31 - 1
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def dbf_names(names: list[str], encoding: str = "utf-8") -> dict[str, str]:
    """Return names of at most ten bytes, each its own, also when letter case is ignored.

    Parameters
    ----------
    names : list of str
        Column names.
    encoding : str
        Of the file; a Persian letter takes two bytes in UTF-8.

    Examples
    --------
    >>> dbf_names(["code", "occupied_area", "occupied_ares"])
    {'code': 'code', 'occupied_area': 'occupied_a', 'occupied_ares': 'occupied_1'}
    """
    out: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        clean = re.sub(r"[\x00-\x1f\x7f]", "_", name) or "_"
        short = _cut(clean, _NAME_BYTES, encoding)
        turn = 0
        while short.lower() in taken:
            turn += 1
            tail = f"_{turn}"
            short = _cut(clean, _NAME_BYTES - len(tail), encoding) + tail
        taken.add(short.lower())
        out[name] = short
    return out


def _cut(text: str, most: int, encoding: str) -> str:
    while len(text.encode(encoding, errors="replace")) > most:
        text = text[:-1]
    return text


def write_shapefile(
    path: Path, frames: Outgoing, about: Provenance, *, encoding: str
) -> list[Problem]:
    """Write a zipped Shapefile with its ``.cpg``, ``fields.csv`` and ``about.json``.

    Returns
    -------
    list of Problem
        What the format could not hold: names and texts that were cut, times as text.

    Raises
    ------
    InputError
        Several kinds of geometry, or text that the encoding does not have.
    RangeError
        More than 2 GB.
    """
    if frames.dimension is None:
        raise InputError(
            "a Shapefile holds one kind of geometry, and this layer has several",
            where=about.layer,
            remedy="export to GeoPackage",
        )
    names = dbf_names(frames.schema.names, encoding)
    fitting = _Fitting(names, encoding)
    for name in names.values():
        _refuse_unknown_letters(name, encoding, "the names of the columns")
    counted = frames.batches
    frames.batches = _within_2_gb(counted, about.layer)
    stem = re.sub(r"[^\w.-]+", "_", about.layer)
    shape = path.parent / f"{stem}.shp"
    write_arrow(
        shape, frames, "ESRI Shapefile", fitting, encoding=_gdal_encoding(encoding),
        layer_options={"2GB_LIMIT": "YES"},
    )  # fmt: skip
    # Programs that read the .cpg know the code page by its name alone.
    shape.with_suffix(".cpg").write_text(_gdal_encoding(encoding), encoding="ascii")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(path.parent.glob(f"{stem}.*")):
            if part != path:
                _add(archive, part.name, part)
        _add(archive, "fields.csv", _mapping(names, frames.schema))
        _add(archive, "about.json", about.json(crs=frames.crs_name, rows=frames.rows))
    return fitting.notes()


def _gdal_encoding(encoding: str) -> str:
    found = re.fullmatch(r"(?:windows|cp)[-_]?(\d+)", encoding, re.IGNORECASE)
    return f"CP{found[1]}" if found else encoding.upper().replace("UTF8", "UTF-8")


def _add(archive: zipfile.ZipFile, name: str, content: Path | str) -> None:
    info = zipfile.ZipInfo(name, _ZIP_DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    if isinstance(content, str):
        archive.writestr(info, content)
        return
    info.file_size = content.stat().st_size
    with content.open("rb") as source, archive.open(info, "w") as target:
        while block := source.read(1 << 20):
            target.write(block)


def _mapping(names: Mapping[str, str], schema: pa.Schema) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["in_file", "field", "type"])
    writer.writerows([short, name, str(schema.field(name).type)] for name, short in names.items())
    return out.getvalue()


def _within_2_gb(
    batches: Iterator[tuple[pa.Table, Any]], layer: str
) -> Iterator[tuple[pa.Table, Any]]:
    size = 100
    for table, shapes in batches:
        # Record: header 8, box and counts 44, each part 4, each vertex 16 bytes (24 with Z).
        points = shapely.get_num_coordinates(shapes)
        rings = shapely.get_num_interior_rings(shapely.get_parts(shapes)) + 1
        known = ~shapely.is_missing(shapes)
        height = 8 if shapely.has_z(shapes[known]).any() else 0
        size += int(points.sum()) * (16 + height) + int(np.maximum(rings, 1).sum()) * 4
        size += len(shapes) * 52
        if size > _SHAPEFILE_BYTES:
            raise RangeError(
                f"the outlines take more than the {_SHAPEFILE_BYTES:,} bytes of a Shapefile",
                where=layer,
                remedy="export to GeoPackage or GeoParquet, or a part of the layer",
            )
        yield table, shapes


def _refuse_unknown_letters(text: str, encoding: str, place: str) -> int:
    """Return the bytes that a text takes; refuse one that the encoding cannot write."""
    try:
        return len(text.encode(encoding))
    except UnicodeEncodeError as error:
        raise InputError(
            f"{encoding} has no '{text[error.start]}', which stands in {place}",
            where=f"'{text[:60]}'",
            remedy="export as utf-8; every current program reads it",
        ) from error


class _Fitting:
    """Makes the columns fit a dBASE file, and remembers what did not."""

    def __init__(self, names: Mapping[str, str], encoding: str) -> None:
        self.names, self.encoding = names, encoding
        self.cut: dict[str, int] = {}
        self.as_text: set[str] = set()
        self.as_number: set[str] = set()

    def __call__(self, table: pa.Table) -> pa.Table:
        arrays = [self._column(n, table[n]) for n in table.column_names]
        return pa.table(arrays, names=[self.names[n] for n in table.column_names])

    def _column(self, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
        if pa.types.is_timestamp(column.type):
            self.as_text.add(name)
            text = pc.strftime(column, format="%Y-%m-%dT%H:%M:%S")
            return pc.replace_substring_regex(text, r"\.000$", "")
        if pa.types.is_boolean(column.type):
            self.as_number.add(name)
            return column.cast(pa.int32())
        if not pa.types.is_string(column.type):
            return column
        texts = column.to_pylist()
        return pa.chunked_array([pa.array([self._text(name, t) for t in texts], pa.string())])

    def _text(self, name: str, text: str | None) -> str | None:
        if text is None or (len(text) * 4 <= _TEXT_BYTES and self.encoding == "utf-8"):
            return text
        size = _refuse_unknown_letters(text, self.encoding, f"'{name}'")
        if size <= _TEXT_BYTES:
            return text
        self.cut[name] = self.cut.get(name, 0) + 1
        return _cut(text, _TEXT_BYTES, self.encoding)

    def notes(self) -> list[Problem]:
        """Return what the format could not hold."""
        found = []
        shortened = {n: s for n, s in self.names.items() if n != s}
        if shortened:
            pairs = ", ".join(f"{name} → {short}" for name, short in shortened.items())
            found.append(
                Problem(
                    "Shapefile", f"names were cut to 10 bytes: {pairs}",
                    "fields.csv in the archive has the full names", "info", "name-cut",
                    len(shortened),
                )
            )  # fmt: skip
        for name, count in self.cut.items():
            found.append(
                Problem(
                    "Shapefile", f"{count:,} texts of '{name}' were cut to 254 bytes",
                    "export to GeoPackage to keep them whole", "warning", "text-cut", count,
                )
            )  # fmt: skip
        for name in sorted(self.as_text):
            found.append(Problem("Shapefile", f"times of '{name}' are texts", "", "info", "type"))
        for name in sorted(self.as_number):
            found.append(
                Problem("Shapefile", f"'{name}' is 1 for yes and 0 for no", "", "info", "type")
            )
        return found
