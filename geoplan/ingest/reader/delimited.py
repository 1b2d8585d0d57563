"""Delimited text as batches of text columns: nothing is guessed into a number here."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from geoplan.errors import EmptyLayer, InputError, RangeError
from geoplan.ingest.reader.columns import distinct
from geoplan.ingest.reader.encoding import Encoding, detect, known_encoding
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.points import PlacedBy, placed_by, srid_in
from geoplan.ingest.reader.request import GEOMETRY, Note, ReadRequest, SourceInfo
from geoplan.ingest.reader.text_stream import LAST, TextStream

__all__ = ["open_delimited", "placed_batch"]

_HEAD, _PIECE, _PIECES = 1 << 20, 128 * 1024, 8
_DELIMITERS = ",;\t|"
_BLOCK = 16 << 20
_MOST_SPOILT = 1000


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
    raw, sample = _sampled(path)
    if request.encoding is not None:
        encoding = Encoding(known_encoding(request.encoding, where=where), "option")
    else:
        encoding = detect(sample)
    head = raw.decode(encoding.name, errors="replace").lstrip("\ufeff")
    names, skip, delimiter = _header(head, where)
    notes: list[Note] = []
    names = distinct(names, notes)
    if len(names) > request.limits.columns:
        raise RangeError(
            f"{len(names):,} columns; the limit is {request.limits.columns:,}",
            where=where,
            remedy="leave out columns that no field needs",
        )
    placed = placed_by(names, request)
    notes += placed.notes
    if encoding.how == "detected" and encoding.confidence < 1.0:
        notes.append(
            Note(
                "encoding-detected",
                f"read as {encoding.name} ({encoding.evidence})",
                "name it with --encoding",
            )
        )
    crs = srid_in(head) if placed.wkt else "EPSG:4326" if placed.degrees else None
    info = SourceInfo(
        "CSV", None, (), crs if request.crs is None else None,
        encoding.name, encoding.how, "Unknown" if placed.wkt or placed.x else None, None,
        tuple((n, "string") for n in names),
    )  # fmt: skip
    table = _Table(path, names, skip, delimiter, encoding.name, where)
    return Opened(info, table.batches(placed, notes), notes)


def _sampled(path: Path) -> tuple[bytes, bytes]:
    """Return the start of a file; and that with lines out of places all over it."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        pieces = [head]
        size = path.stat().st_size
        if size > _HEAD and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
            for k in range(1, _PIECES + 1):
                stream.seek(_HEAD + (size - _HEAD) * k // _PIECES - min(_PIECE, size - _HEAD))
                # What begins in the middle of a line may begin in the middle of a letter.
                pieces.append(stream.read(_PIECE).partition(b"\n")[2])
    return head, b"\n".join(pieces)


def _header(head: str, where: str) -> tuple[list[str], int, str]:
    """Return the names of columns, how many lines stand above the rows, and the delimiter."""
    lines = head.splitlines(keepends=True)
    above = 0
    while lines and not lines[0].strip():
        above, lines = above + 1, lines[1:]
    delimiter = None
    if lines and (said := re.fullmatch(r"\"?sep=(.)\"?\s*", lines[0])):
        # Excel says its delimiter so.
        delimiter, above, lines = said[1], above + 1, lines[1:]
    if not lines:
        raise EmptyLayer("the table has no rows", where=where, remedy="deliver it with data")
    outside = re.sub(r'"[^"]*"', "", lines[0])  # a name may hold what delimits others
    delimiter = delimiter or max(_DELIMITERS, key=outside.count)
    reader = csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter, strict=True)
    try:
        names = next(reader)
    except (StopIteration, csv.Error) as error:
        raise InputError(
            f"the header cannot be read: {error}", where=where, remedy="close its quotes"
        ) from error
    return [name.strip(" \t\ufeff") for name in names], above + reader.line_num, delimiter


@dataclass(frozen=True)
class _Table:
    path: Path
    names: list[str]
    skip: int
    delimiter: str
    encoding: str
    where: str

    def batches(self, placed: PlacedBy, notes: list[Note]) -> Iterator[pa.RecordBatch]:
        """Give the rows; a row with other than the header's cells ends them with an error."""
        spoilt: list[tuple[int | None, int]] = []
        rows = 0

        def skipped(row: pacsv.InvalidRow) -> str:
            spoilt.append((row.number, row.actual_columns))
            return "skip"

        # The last batch ends with the row that was put behind the file, so one is kept back.
        kept: pa.RecordBatch | None = None
        try:
            for batch in self._reader(skipped):
                if len(spoilt) > _MOST_SPOILT:
                    break
                if not len(batch):
                    continue
                if kept is not None:
                    rows += len(kept)
                    yield placed_batch(kept, placed)
                kept = batch
        except (pa.ArrowInvalid, UnicodeDecodeError, OSError) as error:
            raise self._unreadable(error) from error
        if len(spoilt) <= _MOST_SPOILT:
            if kept is None or kept.column(0)[len(kept) - 1].as_py() != LAST:
                raise self._unclosed(rows + len(kept or ()) + len(spoilt))
            kept = kept.slice(0, len(kept) - 1)
            if len(kept):
                rows += len(kept)
                yield placed_batch(kept, placed)
            notes += placed.unread.notes()
        if spoilt:
            raise self._ragged(spoilt)
        if not rows:
            raise EmptyLayer(
                "the table has no rows", where=self.where, remedy="deliver it with data"
            )

    def _reader(self, skipped: Callable[[pacsv.InvalidRow], str]) -> pacsv.CSVStreamingReader:
        last = self.delimiter.join([LAST, *[""] * (len(self.names) - 1)])
        stream = TextStream(self.path, self.encoding, last, where=self.where)
        return pacsv.open_csv(
            pa.PythonFile(stream, mode="r"),
            read_options=pacsv.ReadOptions(
                column_names=self.names, skip_rows=self.skip, block_size=_BLOCK, use_threads=False
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=skipped
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(self.names, pa.string()), strings_can_be_null=True,
                null_values=[""], quoted_strings_can_be_null=True,
            ),
        )  # fmt: skip

    def _unreadable(self, error: Exception) -> InputError:
        text = " ".join(str(error).split())[:200]
        if "Empty CSV" in text:
            return EmptyLayer("the table has no rows", where=self.where, remedy="give it some")
        if "straddling" in text:
            return RangeError(
                f"a row has more than {_BLOCK:,} bytes; perhaps a quote is never closed",
                where=self.where,
                remedy="close the quote, or deliver the table as GeoPackage",
            )
        remedy = "deliver it again; it may be cut off or damaged"
        if isinstance(error, UnicodeDecodeError) or "UTF8" in text:
            remedy = "name its --encoding, for example windows-1256"
        return InputError(f"the table cannot be read: {text}", where=self.where, remedy=remedy)

    def _unclosed(self, row: int) -> InputError:
        return InputError(
            f"a quote is opened in row {row:,} and never closed, so the rest of the file is one "
            "cell",
            where=self.where,
            remedy='close it; a quote that belongs to a text is written twice, as in "6"" pipe"',
        )

    def _ragged(self, spoilt: list[tuple[int | None, int]]) -> InputError:
        # Numbers count the lines that were parsed, without the header.
        shown = ", ".join(
            f"{cells} cells" if number is None else f"row {number:,} ({cells} cells)"
            for number, cells in spoilt[:10]
        )
        more = "at least " if len(spoilt) > _MOST_SPOILT else ""
        return InputError(
            f"{more}{len(spoilt):,} rows have other than the {len(self.names)} cells of the "
            f"header: {shown}{' …' if len(spoilt) > 10 else ''}",
            where=self.where,
            remedy="give every row as many cells as the header; quote cells that hold the "
            f"delimiter {self.delimiter!r}",
        )


def placed_batch(batch: pa.RecordBatch, placed: PlacedBy) -> pa.RecordBatch:
    """Return a batch of a table with its geometry in front."""
    return pa.RecordBatch.from_arrays(
        [placed.geometry(batch), *batch.columns], names=[GEOMETRY, *batch.schema.names]
    )
