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
    """Find lines of newline-delimited GeoJSON that hold no feature; GDAL passes over them.

    Parameters
    ----------
    path : Path
        The file.
    rows : int
        How many features were read.

    Raises
    ------
    InputError
        There are more lines than features; names the first that is no feature.
    """
    count = sum(1 for _ in _records(path))
    if count <= rows:
        return
    first = f"{count - rows:,} of {count:,} lines hold no feature"
    for number, record in enumerate(_records(path), 1):
        try:
            found = json.loads(record)
            fine = isinstance(found, dict) and found.get("type") == "Feature"
            why = "no GeoJSON feature"
        except (ValueError, RecursionError) as error:
            fine, why = False, str(error)[:120]
        if not fine:
            first += f"; the first is line {number:,}: {why}"
            break
    raise InputError(first, where=where, remedy="mend the line, or leave it out")


def _records(path: Path) -> Iterator[bytes]:
    """Give the texts between newlines or record separators that are not blank."""
    with path.open("rb") as stream:
        separated = stream.read(3).lstrip(b"\xef\xbb\xbf").startswith(b"\x1e")
        stream.seek(0)
        if not separated:
            yield from (line for line in stream if line.strip(b" \t\r\n\xef\xbb\xbf"))
            return
        rest = b""
        while block := stream.read(_BLOCK):
            *whole, rest = (rest + block).split(b"\x1e")
            yield from (part for part in whole if part.strip(b" \t\r\n\xef\xbb\xbf"))
        if rest.strip():
            yield rest
