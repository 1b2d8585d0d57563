"""The text of a DBF as bytes, before anyone decodes it."""

from __future__ import annotations

from pathlib import Path

__all__ = ["dbf_text"]

_PIECES, _PIECE = 8, 128 * 1024


def dbf_text(dbf: Path) -> tuple[bytes, int]:
    """Return the bytes of the text fields of some rows, and the language driver.

    Parameters
    ----------
    dbf : Path
        The attribute table of a Shapefile.

    Returns
    -------
    bytes, int
        Names of columns and cells with newlines between them, out of eight places all over the
        file; and byte 29 of the header.
    """
    with dbf.open("rb") as stream:
        head = stream.read(32)
        if len(head) < 32:
            return b"", 0
        rows, start, size = (
            int.from_bytes(head[a:b], "little") for a, b in ((4, 8), (8, 10), (10, 12))
        )
        names, spans = _fields(stream.read(max(0, start - 32)))
        if not size or not spans:
            return b"\n".join(names), head[29]
        some = max(1, _PIECE // size)
        cells = []
        for first in range(0, rows, max(some, -(-rows // _PIECES))):
            stream.seek(start + first * size)
            block = stream.read(some * size)
            cells += [
                block[row + a : row + b].rstrip(b" \x00")
                for row in range(0, len(block) - size + 1, size)
                for a, b in spans
            ]
    return b"\n".join([*names, *cells]), head[29]


def _fields(raw: bytes) -> tuple[list[bytes], list[tuple[int, int]]]:
    """Return the names of columns, and where in a row its text columns lie."""
    names, spans = [], []
    at = 1
    for i in range(0, len(raw) - 31, 32):
        if raw[i] == 0x0D:
            break
        names.append(raw[i : i + 11].split(b"\x00", 1)[0])
        width = raw[i + 16]
        if raw[i + 11 : i + 12] == b"C":
            width += raw[i + 17] << 8  # some programs keep long texts so
            spans.append((at, at + width))
        at += width
    return names, spans
