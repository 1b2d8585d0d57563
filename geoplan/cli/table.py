"""Tables that fit the terminal: what matters least is left out before anything is cut."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Column", "paragraph", "table_lines", "terminal_width"]

_GAP = 2
_LEAST = 60


@dataclass(frozen=True)
class Column:
    """One column.

    Parameters
    ----------
    name : str
        Heading.
    cells : sequence of str
        One per row. A column of empty cells is not shown.
    right : bool
        Align to the right, as numbers.
    rank : int
        0 always stays; where the table is too wide, the highest rank goes first.
    """

    name: str
    cells: Sequence[str]
    right: bool = False
    rank: int = 0

    @property
    def width(self) -> int:
        """Characters of the widest cell."""
        return max(len(self.name), *(len(c) for c in self.cells))


def terminal_width() -> int | None:
    """Return the columns of the terminal; ``None`` for a file or a pipe, where nothing is cut."""
    if not sys.stdout.isatty():
        return None
    return max(_LEAST, shutil.get_terminal_size().columns)


def table_lines(columns: Sequence[Column], width: int | None = None) -> list[str]:
    """Return heading and rows as lines without trailing blanks.

    Parameters
    ----------
    columns : sequence of Column
        All of the same length.
    width : int, optional
        Characters there are.
    """
    shown = [c for c in columns if c.rank == 0 or any(c.cells)]
    while width is not None and sum(c.width + _GAP for c in shown) - _GAP > width:
        rank = max(c.rank for c in shown)
        if rank == 0:
            break
        shown.remove(next(c for c in shown if c.rank == rank))
    rows = [[c.name for c in shown], *zip(*(c.cells for c in shown), strict=True)]
    return [
        (" " * _GAP)
        .join(
            cell.rjust(c.width) if c.right else cell.ljust(c.width)
            for cell, c in zip(row, shown, strict=True)
        )
        .rstrip()
        for row in rows
    ]


def paragraph(first: str, text: str, width: int | None = None) -> str:
    """Return text that starts with ``first`` and goes on below its own beginning."""
    if width is None:
        return first + text
    return textwrap.fill(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    )
