"""Cells of a CSV file: fixed decimals, empty where missing, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from geoplan.errors import ShapeError

__all__ = ["DECIMALS", "Column", "Kind", "cell", "csv_bytes", "unit_suffix"]

Kind = Literal[
    "text", "integer", "flag", "area", "score", "degree", "amount", "km", "cost", "measure", "share"
]

DECIMALS: Mapping[str, int] = {
    "area": 2,
    "score": 6,
    "degree": 6,
    "amount": 6,
    "km": 3,
    "cost": 2,
    "measure": 4,
    "share": 4,
}
"""Decimals of each kind of number: more than the data deserve, so that sums re-add."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    header : str
        Name in the file, with the unit where there is one.
    kind : str
        Decides the format; see `DECIMALS`.
    field : str, optional
        Column of the frame; absent: the same as ``header``.
    """

    header: str
    kind: Kind
    field: str | None = None

    @property
    def source(self) -> str:
        """Column of the frame."""
        return self.field or self.header


def cell(value: Any, kind: Kind) -> str:
    """Return one cell as text.

    Parameters
    ----------
    value : object
        None, NaN, NaT and infinities are missing and give an empty cell.
    kind : str
        ``text`` that starts like a spreadsheet formula gets an apostrophe before it, because
        names come from other people's files; numbers never do.

    Examples
    --------
    >>> cell(-0.0000001, "score"), cell(float("nan"), "area"), cell("=1+1", "text")
    ('0.000000', '', "'=1+1")
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return ""
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    if kind == "text":
        text = str(value)
        return f"'{text}" if text.startswith(_FORMULA) else text
    if kind == "flag":
        return "true" if bool(value) else "false"
    number = float(value)
    if not math.isfinite(number):
        return ""
    if kind == "integer":
        return str(round(number))
    decimals = DECIMALS[kind]
    text = f"{number:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def csv_bytes(
    frame: pd.DataFrame, columns: Sequence[Column], *, table: str, extra: Iterable[str] = ()
) -> bytes:
    r"""Return a table as UTF-8 CSV with ``\n`` line ends and no byte-order mark.

    Parameters
    ----------
    frame : DataFrame
        An empty frame gives the header alone, whatever columns it has.
    columns : sequence of Column
        What is written, in order.
    table : str
        File name, for messages.
    extra : iterable of str
        Columns that may be absent from the frame; their cells are then empty.

    Raises
    ------
    ShapeError
        The frame lacks a column.
    """
    optional = set(extra)
    absent = [
        c.source for c in columns if c.source not in frame.columns and c.source not in optional
    ]
    if absent and len(frame):
        raise ShapeError(
            f"the frame lacks {', '.join(absent)}",
            where=table,
            remedy="the columns of a run's frames are fixed in geoplan.siting.result",
        )
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c.header for c in columns])
    if len(frame):
        writer.writerows(zip(*(_column(frame, c) for c in columns), strict=True))
    return out.getvalue().encode("utf-8")


def _column(frame: pd.DataFrame, column: Column) -> list[str]:
    if column.source not in frame.columns:
        return [""] * len(frame)
    make: Callable[[Any], str] = lambda value: cell(value, column.kind)  # noqa: E731
    return [make(value) for value in frame[column.source].tolist()]


def unit_suffix(unit: str) -> str:
    """Return a unit as the end of a column name; empty for a pure number.

    Examples
    --------
    >>> unit_suffix("m3/day"), unit_suffix("%"), unit_suffix(""), unit_suffix("index")
    ('_m3_per_day', '_percent', '', '')
    """
    if unit in ("", "index", "0-1", "1"):
        return ""
    words = unit.replace("%", "percent").replace("/", " per ").replace("²", "2").replace("³", "3")
    slug = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return f"_{slug}" if slug else ""
