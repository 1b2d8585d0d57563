"""What has to be known of GeoJSON besides what GDAL says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from geoplan.errors import InputError

__all__ = ["check_every_line", "goes_on", "refuse_linked_crs"]

_LINK = re.compile(rb'"crs"\s*:\s*\{[^{}]{0,200}"type"\s*:\s*"(?:link|url|ogcwkt_link)"', re.I)
_LINK_LATER = re.compile(
    rb'"crs"\s*:\s*\{[^{}]{0,200}"properties"\s*:\s*\{[^{}]{0,2000}"href"', re.I
)
_BLOCK = 1 << 22
_BLANK = b" \t\r\n\xef\xbb\xbf"


def refuse_linked_crs(path: Path, *, where: str) -> None:
    """Refuse a ``crs`` member that is a link to elsewhere.

    Raises
    ------
    InputError
        The file names its coordinate system by an address.
    """
    tail = b""
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            text = tail + block
            if b"crs" in text and (_LINK.search(text) or _LINK_LATER.search(text)):
                raise InputError(
                    "its 'crs' is a link, which is never followed",
                    where=where,
                    remedy="name the system there, for example urn:ogc:def:crs:EPSG::32639, or "
                    "deliver it as GeoPackage",
                )
            tail = text[-4096:]


def goes_on(path: Path) -> bool:
    """Return whether more than blanks stands behind the first line that is not blank."""
    began = ended = False
    with path.open("rb") as stream:
        while piece := stream.readline(_BLOCK):
            if ended and piece.strip():
                return True
            began = began or bool(piece.strip())
            ended = ended or (began and piece.endswith(b"\n"))
    return False


def check_every_line(path: Path, rows: int, *, where: str) -> None:
    """Find lines of newline-delimited GeoJSON that hold no whole feature.

    GDAL passes over what is no feature, and takes a line that is cut off for as much of a feature
    as it holds.

    Parameters
    ----------
    path : Path
        The file.
    rows : int
        How many features were read.

    Raises
    ------
    InputError
        Names the first line that is no whole feature.
    """
    count = 0
    for record in _records(path):
        count += 1
        if not _looks_whole(record) and (why := _fault(record)):
            raise _no_feature(count, why, where)
    if count <= rows:
        return
    for number, record in enumerate(_records(path), 1):
        if why := _fault(record):
            raise _no_feature(number, why, where)
    raise InputError(
        f"{count:,} lines hold features, and {rows:,} of them can be read", where=where
    )


def _looks_whole(record: bytes) -> bool:
    text = record.strip(_BLANK)
    return text.endswith(b"}") and text.count(b"{") == text.count(b"}")


def _fault(record: bytes) -> str | None:
    """Return why a record is no feature; ``None`` where it is one."""
    try:
        found = json.loads(record.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        return str(error)[:120]
    whole = isinstance(found, dict) and found.get("type") == "Feature"
    return None if whole else "no GeoJSON feature"


def _no_feature(number: int, why: str, where: str) -> InputError:
    return InputError(
        f"line {number:,} holds no whole feature: {why}",
        where=where,
        remedy="mend the line, or leave it out; if it is the last, the file is cut off",
    )


def _records(path: Path) -> Iterator[bytes]:
    """Give the texts between newlines or record separators that are not blank."""
    with path.open("rb") as stream:
        separated = stream.read(3).lstrip(b"\xef\xbb\xbf").startswith(b"\x1e")
        stream.seek(0)
        if not separated:
            yield from (line for line in stream if line.strip(_BLANK))
            return
        rest = b""
        while block := stream.read(_BLOCK):
            *whole, rest = (rest + block).split(b"\x1e")
            yield from (part for part in whole if part.strip(_BLANK))
        if rest.strip():
            yield rest
