"""Delimited text as batches of text columns: nothing is guessed into a number here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from geoplan.errors import EmptyLayer, InputError, RangeError
from geoplan.ingest.reader.encoding import Encoding, detect, known_encoding
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.points import PlacedBy, placed_by
from geoplan.ingest.reader.request import GEOMETRY, Note, ReadRequest, SourceInfo

__all__ = ["open_delimited", "placed_batch"]

_SAMPLE = 2_000_000
_DELIMITERS = ",;\t|"


def open_delimited(path: Path, request: ReadRequest) -> Opened:
    """Open a CSV, TSV or the like.

    Raises
    ------
    InputError
        It is not text in its encoding, or a row has more or fewer cells than the header.
    EmptyLayer
        It has no rows.
    """
    where = request.path.name
    with path.open("rb") as stream:
        raw = stream.read(_SAMPLE)
    if request.encoding is not None:
        encoding = Encoding(known_encoding(request.encoding, where=where), "option")
    else:
        encoding = detect(raw)
    head = raw.decode(encoding.name, errors="replace").lstrip("\ufeff")
    if "\x00" in head:
        raise InputError("this is not a text table", where=where, remedy="deliver it as CSV")
    first = head.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        names = next(csv.reader(io.StringIO(head), delimiter=delimiter))
    except (StopIteration, csv.Error) as error:
        raise InputError(f"the header cannot be read: {error}", where=where) from error
    names = _header(names, request, where)
    placed = placed_by(names, request)
    notes = [*placed.notes]
    if encoding.how == "detected" and encoding.evidence != "only ASCII":
        notes.append(
            Note(
                "encoding-detected",
                f"read as {encoding.name} ({encoding.evidence})",
                "name it with --encoding",
            )
        )
    info = SourceInfo(
        "CSV", None, (), "EPSG:4326" if placed.degrees and request.crs is None else None,
        encoding.name, encoding.how, "Unknown" if placed.wkt or placed.x else None, None,
        tuple((n, "string") for n in names),
    )  # fmt: skip
    return Opened(info, _batches(path, names, delimiter, encoding.name, placed, where), notes)


def _header(names: list[str], request: ReadRequest, where: str) -> list[str]:
    out: list[str] = []
    for i, name in enumerate(names):
        clean = name.strip().strip("\ufeff") or f"column_{i + 1}"
        while clean in out:
            clean += "_2"
        out.append(clean)
    if len(out) > request.limits.columns:
        raise RangeError(
            f"{len(out):,} columns; the limit is {request.limits.columns:,}",
            where=where,
            remedy="leave out columns that no field needs",
        )
    return out


def _batches(
    path: Path, names: list[str], delimiter: str, encoding: str, placed: PlacedBy, where: str
) -> Iterator[pa.RecordBatch]:
    wrong: list[tuple[int | None, int]] = []

    def spoilt(row: pacsv.InvalidRow) -> str:
        wrong.append((row.number, row.actual_columns))
        return "skip"

    rows = 0
    try:
        reader = pacsv.open_csv(
            path,
            read_options=pacsv.ReadOptions(
                column_names=names, skip_rows=1, block_size=8 << 20, use_threads=False,
                encoding="utf8" if encoding.startswith("utf-8") else encoding,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=spoilt
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True,
                null_values=[""], quoted_strings_can_be_null=True,
            ),
        )  # fmt: skip
        for batch in reader:
            if len(batch):
                rows += len(batch)
                yield placed_batch(batch, placed)
            if wrong:
                break
    except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
        text = " ".join(str(error).split())[:200]
        if "Empty CSV" in text:
            raise EmptyLayer(
                "the table has no rows", where=where, remedy="deliver it with data"
            ) from error
        raise InputError(
            f"the table cannot be read: {text}", where=where, remedy="name its --encoding"
        ) from error
    if wrong:
        number, cells = wrong[0]
        at = f"row {number:,}" if number is not None else f"a row after row {rows:,}"
        raise InputError(
            f"{at} has {cells} cells; the header has {len(names)}",
            where=where,
            remedy="give every row as many cells as the header",
        )
    if not rows:
        raise EmptyLayer("the table has no rows", where=where, remedy="deliver it with data")


def placed_batch(batch: pa.RecordBatch, placed: PlacedBy) -> pa.RecordBatch:
    """Return a batch of a table with its geometry in front."""
    return pa.RecordBatch.from_arrays(
        [placed.geometry(batch), *batch.columns], names=[GEOMETRY, *batch.schema.names]
    )
