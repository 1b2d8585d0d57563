"""Read delimited text, plain or gzipped, without guessing codes into numbers."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import pandas as pd

from geoplan.errors import EmptyLayer, InputError, RangeError

__all__ = ["read_table"]

_MAX_BYTES = 2_000_000_000


def _decompressed(path: Path, where: str) -> bytes:
    parts: list[bytes] = []
    total = 0
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
            while chunk := stream.read(1 << 20):
                total += len(chunk)
                # Counted while reading, so that a small archive cannot fill the memory.
                if total > _MAX_BYTES:
                    raise RangeError(
                        f"the table is larger than {_MAX_BYTES:,} bytes when unpacked",
                        where=where,
                        remedy="split it",
                    )
                parts.append(chunk)
    except (gzip.BadGzipFile, EOFError, OSError) as error:
        raise InputError(
            f"the file cannot be read: {error}", where=where, remedy="deliver it again"
        ) from error
    return b"".join(parts)


def read_table(path: Path, *, encoding: str | None = None, where: str = "") -> pd.DataFrame:
    """Read a CSV (``,`` ``;`` tab or ``|``), optionally gzipped.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str, optional
        Default UTF-8, with or without a byte order mark.
    where : str
        Name for messages.

    Returns
    -------
    DataFrame
        A column is numeric only if every value is a number and none starts with a superfluous
        zero, so that codes such as ``0321`` stay text. Empty cells are missing.

    Raises
    ------
    InputError
        Not text in this encoding, or rows that do not fit the header.
    EmptyLayer
        No rows.
    """
    where = where or path.name
    raw = _decompressed(path, where)
    try:
        text = raw.decode(encoding or "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"the table is not {encoding or 'UTF-8'} text: byte {error.start:,} does not fit",
            where=where,
            remedy="name its 'encoding' in the pack, for example windows-1256",
        ) from error
    except LookupError as error:
        raise InputError(
            f"unknown encoding '{encoding}'", where=where, remedy="for example utf-8, windows-1256"
        ) from error
    if "\x00" in text:
        raise InputError(
            "this is not a text table", where=where, remedy="deliver it as CSV in UTF-8"
        )
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t|", key=head.count)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=delimiter,
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            quoting=csv.QUOTE_MINIMAL,
            engine="c",
            index_col=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
        raise InputError(
            f"the table cannot be read: {str(error).strip()}",
            where=where,
            remedy="give every row as many cells as the header",
        ) from error
    if frame.empty:
        raise EmptyLayer("the table has no rows", where=where, remedy="deliver it with data")
    for name in frame.columns:
        frame[name] = _numbers(frame[name])
    return frame


def _numbers(column: pd.Series) -> pd.Series:
    present = column.dropna()
    if present.empty:
        return column
    coded = present.str.match(r"[+-]?0\d")
    if bool(coded.any()):
        return column
    numbers = pd.to_numeric(present, errors="coerce")
    if bool(numbers.isna().any()) or not bool(present.str.match(r"\s*[+-]?[\d.]").all()):
        return column
    # Long digit strings are codes; float64 cannot hold them.
    if bool((present.str.len() > 15).any()) and bool(present.str.fullmatch(r"\d+").any()):
        return column
    whole: pd.Series = pd.to_numeric(column, errors="coerce")
    return whole
