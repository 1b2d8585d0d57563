"""What stands in front of the first element of an XML file: there, and only there, lies harm."""

from __future__ import annotations

import re
from pathlib import Path

from geoplan.errors import InputError

__all__ = ["refuse_cut_off", "refuse_entities", "xml_start"]

_MOST = 1 << 20
_PLAIN = re.compile(
    r"(utf-?8|us-ascii|ascii|iso-?8859-\d+|windows-125\d|cp125\d|koi8-[ru]|latin-?\d)\Z"
)


def xml_start(raw: bytes) -> str:
    """Return the start of an XML file as text, whatever declares its encoding."""
    if raw.startswith((b"\xff\xfe", b"<\x00")):
        return raw[: len(raw) // 2 * 2].decode("utf-16-le", "replace").lstrip("\ufeff")
    if raw.startswith((b"\xfe\xff", b"\x00<")):
        return raw[: len(raw) // 2 * 2].decode("utf-16-be", "replace").lstrip("\ufeff")
    return raw.decode("latin-1").removeprefix("\xef\xbb\xbf")


def refuse_entities(path: Path, *, where: str) -> str:
    """Refuse XML that declares a document type, before any parser sees it; return its first tag.

    Entities and external references can be declared in a document type only, and a document type
    can stand in front of the first element only; a parser refuses it anywhere else. Text that
    merely looks like one, in a description for instance, is no harm.

    Raises
    ------
    InputError
        ``<!DOCTYPE`` stands in the prolog, the prolog is no XML or longer than a megabyte, or the
        encoding is none in which this can be seen.
    """
    with path.open("rb") as stream:
        raw = stream.read(_MOST)
    wide = raw[:4] in (b"\x00\x00\xfe\xff", b"\xff\xfe\x00\x00", b"\x00\x00\x00<", b"<\x00\x00\x00")
    text = xml_start(raw)
    at = 0
    while not wide:
        while at < len(text) and text[at].isspace():
            at += 1
        if text.startswith("<?", at):
            end = text.find("?>", at)
            if text.startswith("<?xml", at) and end > 0:
                _check_encoding(text[at:end], where)
            at = end + 2 if end >= 0 else len(text)
        elif text.startswith("<!--", at):
            end = text.find("-->", at + 4)
            at = end + 3 if end >= 0 else len(text)
        elif text.startswith("<!", at):
            raise InputError(
                "the XML declares a document type or entities, which can name other files",
                where=where,
                remedy="remove <!DOCTYPE …> and <!ENTITY …>",
            )
        elif root := re.match(r"<([\w:][^\s/>]*)", text[at : at + 300]):
            return root[1]
        else:
            break
    raise InputError(
        "this is no XML that can be read: its first element is not found",
        where=where,
        remedy="deliver it again, as UTF-8",
    )


def refuse_cut_off(path: Path, root: str, *, where: str) -> None:
    """Refuse XML without its last tag; GDAL takes as much of it as there is, or nothing.

    Raises
    ------
    InputError
        The last 4 KB do not end the first element.
    """
    with path.open("rb") as stream:
        start = stream.read(2)
        stream.seek(max(0, path.stat().st_size // 2 * 2 - 4096))
        raw = stream.read()
    wide = start in (b"\xff\xfe", b"<\x00", b"\xfe\xff", b"\x00<")
    code = ("utf-16-le" if start in (b"\xff\xfe", b"<\x00") else "utf-16-be") if wide else "latin-1"
    if f"</{root}" not in raw.decode(code, "replace"):
        raise InputError(
            f"the XML is cut off: its last tag </{root}> is missing",
            where=where,
            remedy="deliver it again",
        )


def _check_encoding(declaration: str, where: str) -> None:
    found = re.search(r"encoding\s*=\s*[\"']([^\"']*)[\"']", declaration)
    name = found[1].strip().lower() if found else "utf-8"
    if not _PLAIN.match(name) and not name.startswith("utf-16"):
        raise InputError(
            f"the XML is in the encoding {name!r}", where=where, remedy="save it as UTF-8"
        )
