"""Which encoding a text is in: what is declared, else what its bytes speak for."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from geoplan.errors import InputError
from geoplan.ingest.reader.dbf import dbf_text
from geoplan.ingest.reader.stage import part_of

__all__ = ["Encoding", "dbf_encoding", "detect", "known_encoding"]

_CANDIDATES = ("windows-1256", "iso-8859-6", "windows-1252")
_UTF8_SHARE = 0.9
_TEXTS = 20_000

# Letters of Persian text by how often they stand, commonest first; and of Arabic keyboards.
_COMMON = "اینرهمدوتبسشکزفلگقخعجپحچصیيكطضژغآئظثذءأؤةى\u200c"
_WEIGHT = {c: 1.0 - i / (2 * len(_COMMON)) for i, c in enumerate(_COMMON)}

_CUT = re.compile(rb"(?:[\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2})\Z")
"""A letter of UTF-8 that was cut off at the end of a field."""

_LDID = {
    0x57: "windows-1252", 0x03: "windows-1252", 0x01: "cp437", 0x02: "cp850", 0xC8: "windows-1250",
    0xC9: "windows-1251", 0xCA: "windows-1254", 0xCB: "windows-1253", 0x7D: "windows-1255",
    0x7E: "windows-1256", 0x4D: "cp936", 0x4E: "cp949", 0x4F: "cp950", 0x13: "cp932",
}  # fmt: skip
"""Language driver of a DBF's header (byte 29) → encoding (Esri, dBASE)."""

_LATIN = ("windows-1252", "iso-8859-1", "cp437", "cp850")
"""What old programs declare by default, whatever the text is."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, how it is known, in words what speaks for it, and how surely (0 to 1)."""

    name: str
    how: str
    evidence: str = ""
    confidence: float = 1.0


def known_encoding(name: str, *, where: str) -> str:
    """Return the name by which both Python and GDAL know an encoding.

    Raises
    ------
    InputError
        There is no such encoding.

    Examples
    --------
    >>> known_encoding("ANSI 1256", where=""), known_encoding("65001", where="")
    ('windows-1256', 'utf-8')
    """
    text = name.strip().lower()
    number = re.fullmatch(r"(?:ansi|oem|cp|windows)?[ _-]?(\d{3,5})", text)
    if number:
        text = "utf-8" if number[1] == "65001" else f"cp{number[1]}"
    text = {"arabic": "windows-1256", "cp88596": "iso-8859-6", "cp88591": "iso-8859-1"}.get(
        text, text
    )
    try:
        found = codecs.lookup(text).name
        "".encode(found)  # a codec of bytes only, as base64, is no encoding
    except LookupError as error:
        raise InputError(
            f"unknown encoding '{name}'", where=where, remedy="for example utf-8 or windows-1256"
        ) from error
    found = re.sub(r"^cp(125\d)$", r"windows-\1", found)
    return re.sub(r"^iso8859-(\d+)$", r"iso-8859-\1", found)


def detect(raw: bytes) -> Encoding:
    """Return the encoding that bytes of text speak for.

    Parameters
    ----------
    raw : bytes
        Texts with newlines between them; the last may be cut off.

    Notes
    -----
    Letters of several bytes that are valid UTF-8 nearly throughout are hardly ever anything else.
    Otherwise each code page reads the bytes above 127. Arabic pages are scored by the mean
    commonness of the letter that each byte becomes (1 the commonest, below 0 none at all), times
    the share of such letters that stand beside another, as letters of words do. The Latin page is
    scored by the share of accented letters that stand beside a plain one. The confidence is the
    lead of the best over the next, 0.4 counting as certain.
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        return Encoding("utf-8-sig", "declared", "byte order mark")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Encoding("utf-16", "declared", "byte order mark")
    values = np.frombuffer(raw, np.uint8)
    high = int((values > 127).sum())
    if not high:
        return Encoding("utf-8", "detected", "only ASCII")
    fine, texts = _valid_utf8(raw)
    if fine >= _UTF8_SHARE * texts:
        return Encoding(
            "utf-8", "detected", f"{fine:,} of {texts:,} texts beyond ASCII are valid UTF-8", 0.99
        )
    scores = {name: _score(values, name) for name in _CANDIDATES}
    ranked = sorted(scores, key=lambda n: -scores[n])
    lead = scores[ranked[0]] - scores[ranked[1]]
    said = ", ".join(f"{n} {scores[n]:.2f}" for n in ranked)
    return Encoding(
        ranked[0], "detected", f"likeness to its language: {said}", min(0.99, max(0.0, lead / 0.4))
    )


def _valid_utf8(raw: bytes) -> tuple[int, int]:
    """Return how many texts beyond ASCII are valid UTF-8 but for a cut at their end; and of all."""
    fine = total = 0
    for text in raw.splitlines():
        if text.isascii():
            continue
        total += 1
        try:
            _CUT.sub(b"", text.rstrip()).decode("utf-8")
        except UnicodeDecodeError:
            continue
        # What is nothing but a cut letter speaks for nothing.
        fine += not _CUT.sub(b"", text.rstrip()).isascii()
        if total >= _TEXTS:
            break
    return fine, total


@cache
def _table(name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Return the weight of each byte in an Arabic page, and which are letters of words."""
    weight = np.zeros(256)
    for byte in range(128, 256):
        try:
            weight[byte] = _WEIGHT.get(bytes([byte]).decode(name), 0.0)
        except UnicodeDecodeError:
            weight[byte] = -1.0
    return weight, weight > 0


def _score(values: npt.NDArray[np.uint8], name: str) -> float:
    high = values > 127
    padded = np.concatenate([[32], values, [32]])
    if name == "windows-1252":
        letter = np.zeros(256, dtype=bool)
        for byte in range(128, 256):
            letter[byte] = bytes([byte]).decode(name, "replace").isalpha()
        plain = ((padded | 32) >= ord("a")) & ((padded | 32) <= ord("z")) & (padded < 128)
        # An accented letter stands among plain ones; in a row of them it is another script.
        beside = (plain[:-2] | plain[2:])[high]
        is_letter = letter[values[high]]
        weights = np.where(is_letter, np.where(beside, 0.9, 0.1), 0.2)
        return float(weights.mean())
    weight, letters = _table(name)
    of_word = letters[padded]
    beside = (of_word[:-2] | of_word[2:]) & of_word[1:-1]
    count = int(of_word.sum())
    together = float(beside.sum()) / count if count else 0.0
    return float(weight[values[high]].mean()) * (0.5 + 0.5 * together)


def dbf_encoding(shp: Path, given: str | None) -> tuple[Encoding, str | None]:
    """Return the encoding of a Shapefile's attributes, and what contradicts the declaration.

    Parameters
    ----------
    shp : Path
        The ``.shp``; its ``.dbf`` and ``.cpg`` lie beside it.
    given : str or None
        What a person said; it wins.
    """
    if given is not None:
        return Encoding(known_encoding(given, where=shp.name), "option"), None
    dbf = part_of(shp, ".dbf")
    raw, driver = dbf_text(dbf) if dbf is not None else (b"", 0)
    stated: Encoding | None = None
    doubt = None
    cpg = part_of(shp, ".cpg")
    if cpg is not None:
        with cpg.open("rb") as stream:
            said = stream.read(200).decode("ascii", "replace").strip("\x00\ufffd \t\r\n")
        try:
            stated = Encoding(known_encoding(said, where=cpg.name), "cpg", said) if said else None
        except InputError:
            doubt = f"its .cpg says {said!r}, which is no encoding"
    if stated is None and driver in _LDID:
        stated = Encoding(_LDID[driver], "declared", f"language driver {driver:#x}")
    found = detect(raw)
    if stated is None:
        return found, doubt
    if found.evidence == "only ASCII" or _fits(found, stated.name):
        return stated, doubt
    return found, f"the file says {stated.name}, and its bytes are {found.name} ({found.evidence})"


def _fits(found: Encoding, stated: str) -> bool:
    if found.name == stated:
        return True
    if "utf-8" in (found.name, stated):
        return False
    # A Latin page was the default of old programs; others were chosen by someone.
    return stated not in _LATIN or found.name in _LATIN
