"""Encoding of the text of a drawing: what it says, and what its bytes say."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from geoplan.ingest.reader.request import Note

__all__ = ["encoding_of"]

_HEADER_BYTES = 1 << 20
_SAMPLE_BYTES = 1 << 20
_HIGH = re.compile(rb"[\x80-\xff]+")
_VERSION = re.compile(rb"\$ACADVER\s+1\s+(AC\d{4})")
_CODEPAGE = re.compile(rb"\$DWGCODEPAGE\s+3[ \t]*\r?\n[ \t]*([\w-]+)", re.IGNORECASE)
_PLAIN = frozenset({"cp1252", "latin-1", "ascii"})


def encoding_of(path: Path, given: str | None, binary: bool) -> tuple[str, str, list[Note]]:
    """Return the encoding of a drawing's text, how it was found, and a note where it was guessed.

    Parameters
    ----------
    path : Path
        The drawing.
    given : str or None
        Encoding by the person who loads; it wins.
    binary : bool
        A binary drawing: what it declares is believed, its numbers look like text.

    Returns
    -------
    encoding, how : str
        ``how`` is ``option``, ``declared`` or ``detected``.
    notes : list of Note
        ``encoding-detected`` where the text contradicts what the drawing says.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEADER_BYTES)
        version, page = _VERSION.search(head), _CODEPAGE.search(head)
        declared = None
        if version and version[1] >= b"AC1021":  # since R2007 text is always UTF-8
            declared = "utf-8"
        elif page:
            declared = _codec(page[1].decode("ascii", "replace"))
        if given is not None:
            return given, "option", []
        if binary:  # its numbers look like text of any encoding
            return declared or "cp1252", "declared", []
        runs: list[bytes] = []
        size, chunk = 0, head
        while chunk and size < _SAMPLE_BYTES:
            for run in _HIGH.findall(chunk):
                runs.append(run)
                size += len(run)
            chunk = stream.read(_HEADER_BYTES)
    detected = _detect(runs, declared)
    if detected == declared:
        return detected, "declared", []
    if not runs:
        return declared or "ascii", "declared" if declared else "detected", []
    note = Note(
        "encoding-detected",
        f"text is read as {detected}; the drawing says {declared or 'nothing'}",
        "if names look wrong, give the encoding with --encoding",
    )
    return detected, "detected", [note]


def _codec(codepage: str) -> str | None:
    """Return the Python codec of ``ANSI_1256`` and the like; None where it is unknown."""
    name = codepage.lower().replace("ansi_", "cp").replace("dos", "cp")
    name = {"cp936": "gbk", "cp1200": "utf-8", "cp1361": "johab"}.get(name, name)
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def _detect(runs: list[bytes], declared: str | None) -> str:
    """Return the encoding of runs of bytes beyond ASCII.

    UTF-8 can hardly arise by chance. Persian words in Windows-1256 are runs of such bytes, while
    the accents that Windows-1252 is declared for stand alone between ASCII letters.
    """
    if not runs:
        return declared or "ascii"
    valid = sum(_is_utf8(r) for r in runs)
    if valid >= 0.98 * len(runs):
        return "utf-8"
    if declared is not None and declared not in _PLAIN and declared != "utf-8":
        return declared
    text = b"".join(runs)
    arabic = sum("\u0600" <= c <= "\u06ff" for c in text.decode("cp1256", "replace"))
    if len(text) >= 2 * len(runs) and arabic >= 0.7 * len(text):
        return "cp1256"
    return "cp1252" if declared in (None, "utf-8", "ascii") else str(declared)


def _is_utf8(run: bytes) -> bool:
    try:
        run.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
