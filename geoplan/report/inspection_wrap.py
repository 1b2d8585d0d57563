"""Lines of a terminal that hold Persian: widths as they are seen, isolates kept whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["display_width", "padded", "table", "wrapped"]

_GAP = 2
_TOKEN = re.compile(r"(?:\u2068[^\u2069]*\u2069|\S)+")


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes: marks none, wide letters two."""
    wide = 0
    for letter in text:
        if unicodedata.category(letter) in ("Mn", "Me", "Cf"):
            continue
        wide += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
    return wide


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks after it, or before it, up to a width."""
    blank = " " * (width - display_width(text))
    return blank + text if right else text + blank


def wrapped(first: str, text: str, width: int, *, hang: int | None = None) -> list[str]:
    """Return ``first`` and ``text`` as lines of at most ``width``, the later ones indented.

    Words are kept whole, and so is what stands between marks of isolation, unless it alone is
    wider than a line.
    """
    indent = " " * (display_width(first) if hang is None else hang)
    lines, line = [], first
    bare = True
    for word in (w for token in _TOKEN.findall(text) for w in _pieces(token, width - len(indent))):
        gap = "" if bare else " "
        if not bare and display_width(line) + 1 + display_width(word) > width:
            lines.append(line.rstrip())
            line, gap = indent, ""
        elif bare and display_width(line) + display_width(word) > width and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += gap + word
        bare = False
    return [*lines, line.rstrip()]


def _pieces(token: str, width: int) -> Iterable[str]:
    while display_width(token) > width:
        size = width
        while display_width(token[:size]) < width:
            size += 1
        yield token[:size]
        token = token[size:]
    yield token


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    right: Sequence[int] = (),
) -> list[str]:
    """Return a table that fits: an empty column goes, and the last one gives way.

    Parameters
    ----------
    heads, rows : sequence
        Headings, and rows of as many cells.
    width : int
        Columns of the terminal.
    right : sequence of int
        Columns that are aligned to the right, as numbers.
    """
    keep = [i for i, cells in enumerate(zip(*rows, strict=True)) if any(cells)]
    sizes = {
        i: max(display_width(heads[i]), *(display_width(row[i]) for row in rows)) for i in keep
    }
    lines = []
    for row in [heads, *rows]:
        cells = [padded(row[i], sizes[i], right=i in right) for i in keep]
        line = (" " * _GAP).join(cells).rstrip()
        lines.append(line if display_width(line) <= width else _cut(line, width))
    return lines


def _cut(line: str, width: int) -> str:
    out, wide = "", 0
    for letter in line:
        wide += display_width(letter)
        if wide > width - 1:
            break
        out += letter
    # An isolate that was cut open is closed, or it would take the next line with it.
    open_marks = out.count("\u2068") - out.count("\u2069")
    return f"{out}{chr(0x2069) * open_marks}…"
