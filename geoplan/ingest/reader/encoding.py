"""Which encoding a text is in: what is declared, else what its bytes speak for."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import InputError

__all__ = ["Encoding", "dbf_encoding", "detect", "known_encoding"]

_CANDIDATES = ("windows-1256", "iso-8859-6", "windows-1252")
_SAMPLE = 2_000_000

# Letters of Persian text by how often they stand, commonest first; and of Arabic keyboards.
_COMMON = "اینرهمدوتبسشکزفلگقخعجپحچصیيكطضژغآئظثذءأؤةى\u200c"
_WEIGHT = {c: 1.0 - i / (2 * len(_COMMON)) for i, c in enumerate(_COMMON)}

_LDID = {
    0x57: "windows-1252", 0x03: "windows-1252", 0x01: "cp437", 0x02: "cp850", 0xC8: "windows-1250",
    0xC9: "windows-1251", 0xCA: "windows-1254", 0xCB: "windows-1253", 0x7D: "windows-1255",
    0x7E: "windows-1256", 0x4D: "cp936", 0x4E: "cp949", 0x4F: "cp950", 0x13: "cp932",
}  # fmt: skip
"""Language driver of a DBF's header (byte 29) → encoding (Esri, dBASE)."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, how it is known, and in words what speaks for it."""

    name: str
    how: str
    evidence: str = ""


def known_encoding(name: str, *, where: str) -> str:
    """Return the codec's own name.

    Raises
    ------
    InputError
        There is no such encoding.
    """
    text = name.strip().lower()
    if text.isdigit():
        text = "utf-8" if text == "65001" else f"cp{text}"
    text = {"ansi 1256": "windows-1256", "arabic": "windows-1256"}.get(text, text)
    try:
        return codecs.lookup(text).name
    except LookupError as error:
        raise InputError(
            f"unknown encoding '{name}'", where=where, remedy="for example utf-8 or windows-1256"
        ) from error


def detect(raw: bytes) -> Encoding:
    """Return the encoding that bytes of text speak for.

    Notes
    -----
    Bytes that are UTF-8 throughout, with letters of several bytes, are hardly ever anything else.
    Otherwise each code page reads the bytes above 127: the share that become letters of Persian
    or Arabic, weighted by how common these are, against the share that become accented Latin
    letters inside Latin words.
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        return Encoding("utf-8-sig", "declared", "byte order mark")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Encoding("utf-16", "declared", "byte order mark")
    high = sum(b > 127 for b in raw)
    if not high:
        return Encoding("utf-8", "detected", "only ASCII")
    try:
        # The sample may end inside a letter.
        codecs.getincrementaldecoder("utf-8")().decode(raw)
        return Encoding("utf-8", "detected", f"{high:,} bytes above 127, all valid UTF-8")
    except UnicodeDecodeError:
        pass
    scores = {name: _score(raw, name) for name in _CANDIDATES}
    best = max(scores, key=lambda n: (scores[n], n == "windows-1256"))
    said = ", ".join(f"{n} {s:.2f}" for n, s in sorted(scores.items(), key=lambda kv: -kv[1]))
    return Encoding(best, "detected", f"likeness to its language by code page: {said}")


def _score(raw: bytes, name: str) -> float:
    text = raw.decode(name, errors="replace")
    total, weight = 0, 0.0
    before = " "
    for i, c in enumerate(text):
        if ord(c) < 128:
            before = c
            continue
        total += 1
        if name == "windows-1252":
            after = text[i + 1] if i + 1 < len(text) else " "
            # An accented letter stands among plain ones; in a row of them it is another script.
            plain = (before.isascii() and before.isalpha()) or (after.isascii() and after.isalpha())
            weight += 0.9 if c.isalpha() and plain else 0.1 if c.isalpha() else 0.2
        else:
            weight += _WEIGHT.get(c, 0.0)
        before = c
    return weight / total if total else 0.0


def dbf_encoding(shp: Path, given: str | None) -> tuple[Encoding, str | None]:
    """Return the encoding of a Shapefile's attributes, and what contradicts the declaration.

    Parameters
    ----------
    shp : Path
        The ``.shp``; its ``.dbf`` and ``.cpg`` lie beside it.
    given : str or None
        What a person said; it wins.
    """
    raw, driver = _dbf_text(shp)
    if given is not None:
        return Encoding(known_encoding(given, where=shp.name), "option"), None
    stated: Encoding | None = None
    cpg = next((p for x in (".cpg", ".CPG") if (p := shp.with_suffix(x)).is_file()), None)
    if cpg is not None:
        said = cpg.read_bytes()[:200].decode("ascii", errors="replace").strip().strip("\x00")
        if said:
            stated = Encoding(known_encoding(said, where=cpg.name), "cpg", said)
    elif driver in _LDID:
        stated = Encoding(known_encoding(_LDID[driver], where=shp.name), "declared", f"{driver:#x}")
    found = detect(raw)
    if stated is None:
        return found, None
    if found.evidence == "only ASCII" or _fits(raw, stated.name):
        return stated, None
    doubt = (
        f"the file says {stated.name}, and its bytes are "
        f"{'UTF-8' if found.name == 'utf-8' else found.name} ({found.evidence})"
    )
    return Encoding(found.name, "detected", found.evidence), doubt


def _fits(raw: bytes, name: str) -> bool:
    if name == "utf-8":
        return detect(raw).name == "utf-8"
    if detect(raw).name == "utf-8":
        return False
    # cp1252 declared and Arabic bytes inside is the common lie: an old Windows wrote the default.
    found = detect(raw).name
    return name not in ("cp1252", "iso8859-1") or codecs.lookup(found).name == "cp1252"


def _dbf_text(shp: Path) -> tuple[bytes, int]:
    """Return the bytes of the text fields of some rows, and the language driver."""
    dbf = next((p for x in (".dbf", ".DBF") if (p := shp.with_suffix(x)).is_file()), None)
    if dbf is None:
        return b"", 0
    with dbf.open("rb") as stream:
        head = stream.read(32)
        if len(head) < 32:
            return b"", 0
        rows = int.from_bytes(head[4:8], "little")
        start = int.from_bytes(head[8:10], "little")
        size = int.from_bytes(head[10:12], "little")
        driver = head[29]
        fields = stream.read(max(0, start - 32))
        spans = []
        at = 1
        for i in range(0, len(fields) - 31, 32):
            if fields[i] == 0x0D:
                break
            width = fields[i + 16]
            if fields[i + 11 : i + 12] == b"C":
                spans.append((at, at + width))
            at += width
        if not size or not spans:
            return b"", driver
        stream.seek(start)
        block = stream.read(min(_SAMPLE, rows * size))
    parts = [
        block[row + a : row + b].rstrip(b" \x00")
        for row in range(0, len(block) - size + 1, size)
        for a, b in spans
    ]
    return b"\n".join(parts), driver
