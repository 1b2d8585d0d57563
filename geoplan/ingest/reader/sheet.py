"""Workbooks: the rows of one sheet as batches of text columns."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from geoplan.errors import EmptyLayer, InputError, RangeError, UnknownName
from geoplan.ingest.reader.columns import distinct
from geoplan.ingest.reader.delimited import placed_batch
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.points import PlacedBy, placed_by
from geoplan.ingest.reader.request import Note, ReadRequest, SourceInfo

__all__ = ["open_sheet", "sheets_of"]

_BATCH = 10_000
_MOST_UNPACKED = 2_000_000_000


def open_sheet(path: Path, request: ReadRequest) -> Opened:
    """Open one sheet of an XLSX; its first row that is not empty is the header.

    Raises
    ------
    InputError, UnknownName, EmptyLayer, RangeError
        It is damaged, has several sheets and none was named, no rows, too many columns.
    """
    import python_calamine

    where = request.path.name
    book = _book(path, request)
    names = [str(n) for n in book.sheet_names]
    name = _sheet(names, request.source_layer, where)
    try:
        rows = book.get_sheet_by_name(name).to_python(skip_empty_area=True)
    except python_calamine.CalamineError as error:
        raise _unreadable(error, where) from error
    while rows and not any(_text(cell) for cell in rows[0]):
        rows.pop(0)
    if len(rows) < 2:
        raise EmptyLayer("the sheet has no rows", where=where, remedy="deliver it with data")
    notes: list[Note] = []
    header = distinct([(_text(cell) or "").strip() for cell in rows[0]], notes)
    if len(header) > request.limits.columns:
        raise RangeError(
            f"{len(header):,} columns; the limit is {request.limits.columns:,}", where=where
        )
    placed = placed_by(header, request)
    info = SourceInfo(
        "XLSX", name, tuple(names), "EPSG:4326" if placed.degrees and not request.crs else None,
        "UTF-8", "declared", "Unknown" if placed.wkt or placed.x else None, len(rows) - 1,
        tuple((n, "string") for n in header),
    )  # fmt: skip
    notes += placed.notes
    return Opened(info, _batches(rows[1:], header, placed, notes), notes)


def sheets_of(path: Path, request: ReadRequest) -> list[str]:
    """Return the names of the sheets of a workbook."""
    return [str(name) for name in _book(path, request).sheet_names]


def _book(path: Path, request: ReadRequest) -> Any:
    import python_calamine

    where = request.path.name
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(m.file_size for m in archive.infolist())
        if unpacked > min(_MOST_UNPACKED, request.limits.unpacked_bytes):
            raise RangeError(
                f"the workbook unpacks to {unpacked:,} bytes", where=where, remedy="deliver a CSV"
            )
        return python_calamine.CalamineWorkbook.from_path(str(path))
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError) as error:
        raise _unreadable(error, where) from error


def _unreadable(error: Exception, where: str) -> InputError:
    return InputError(
        f"the workbook cannot be read: {str(error)[:200]}",
        where=where,
        remedy="deliver it again, or as CSV",
    )


def _batches(
    rows: list[list[Any]], header: list[str], placed: PlacedBy, notes: list[Note]
) -> Iterator[pa.RecordBatch]:
    for start in range(0, len(rows), _BATCH):
        some = [[_text(cell) for cell in row] for row in rows[start : start + _BATCH]]
        columns = [pa.array([row[i] for row in some], pa.string()) for i in range(len(header))]
        yield placed_batch(pa.RecordBatch.from_arrays(columns, names=header), placed)
    notes += placed.unread.notes()


def _text(cell: Any) -> str | None:
    """Return a cell as text: whole numbers without a decimal point, dates in ISO."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        midnight = cell.time() == time(0)
        return cell.date().isoformat() if midnight else cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)


def _sheet(names: list[str], wanted: str | None, where: str) -> str:
    if wanted is not None and wanted not in names:
        raise UnknownName(
            f"the workbook has no sheet '{wanted}'",
            where=where,
            remedy=f"its sheets: {', '.join(names)}",
        )
    if wanted is None and len(names) != 1:
        raise InputError(
            f"the workbook has {len(names)} sheets",
            where=where,
            remedy=f"name one with --source-layer: {', '.join(names)}",
        )
    return wanted or names[0]
