"""What every command shares: settings, catalogue, and how an answer is printed."""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from geoplan.catalogue import Catalogue
from geoplan.settings import Settings

__all__ = ["AppContext", "console", "print_json", "print_table"]

_WIDE = 200
"""Columns assumed where output goes to a file or a pipe: nothing is cut there."""

console = Console(
    highlight=False, soft_wrap=True, markup=False, width=None if sys.stdout.isatty() else _WIDE
)
"""Standard output for people; brackets in names and data are printed as they are."""


@dataclass(frozen=True, slots=True)
class AppContext:
    """What the global options decided; commands read it from ``ctx.obj``."""

    settings: Settings
    catalogue: Catalogue
    profile: str | None = None


def print_json(value: Any) -> None:
    """Print one JSON document, for machines; nothing else goes to standard output then."""
    sys.stdout.write(jsonlib.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(
    title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, right: Sequence[int] = ()
) -> None:
    """Print a table; ``right`` names the columns (by number) that are aligned to the right."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for number, name in enumerate(columns):
        # Numbers stay whole; on a narrow terminal names and sentences wrap instead.
        number_column = number in right
        table.add_column(
            name,
            justify="right" if number_column else "left",
            no_wrap=number_column,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*["" if cell is None else str(cell) for cell in row])
    console.print(table)


def as_plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a mapping with paths and dates as text, ready for JSON."""
    plain: dict[str, Any] = jsonlib.loads(jsonlib.dumps(value, default=str))
    return plain
