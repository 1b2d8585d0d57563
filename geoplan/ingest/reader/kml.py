"""KML: every placemark a row, with its extended data, its folder and its geometry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

import pyarrow as pa

from geoplan.errors import InputError, RangeError, UnknownName
from geoplan.ingest.reader.columns import distinct
from geoplan.ingest.reader.kml_shape import Shape
from geoplan.ingest.reader.opened import Opened
from geoplan.ingest.reader.prolog import refuse_entities
from geoplan.ingest.reader.request import GEOMETRY, Note, ReadRequest, SourceInfo
from geoplan.ingest.reader.unread import Unread

__all__ = ["folders_of", "open_kml"]

_BATCH = 8_192
_CHUNK = 1 << 18
_FIXED = {"name": "Name", "description": "Description"}
_LINKS = ("NetworkLink", "GroundOverlay", "ScreenOverlay", "PhotoOverlay")


class _Row(NamedTuple):
    folder: str
    wkb: bytes | None
    why: str
    values: dict[str, str]


class _Placemarks:
    """Takes what the parser meets, and keeps the placemarks that are complete.

    Parameters
    ----------
    with_shapes : bool
        The first pass is after names only, and leaves coordinates alone.
    """

    def __init__(self, *, with_shapes: bool, most_bytes: int) -> None:
        self.rows: list[_Row] = []
        self.names: dict[str, None] = {}
        self.folders: dict[str, int] = {}
        self.links = 0
        self.seen = 0
        self._with_shapes = with_shapes
        self._most = most_bytes
        self._path: list[str] = []
        self._folders: list[str] = []
        self._local: dict[str, str] = {}
        self._parser = expat.ParserCreate()
        self._values: dict[str, str] | None = None
        self._shape: Shape | None = None
        self._key = ""
        self._text: list[str] | None = None

    def parser(self) -> Any:
        """Return the parser that speaks to this object."""
        self._parser.StartElementHandler = self.start
        self._parser.EndElementHandler = self.end
        return self._parser

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element, and listen to its text only where that is wanted."""
        name = self._local.get(tag) or self._local.setdefault(tag, tag.rpartition(":")[2])
        self._path.append(name)
        if self._begins(name, attributes):
            self._text = []
            self._parser.CharacterDataHandler = self._text.append
        elif self._text is not None:
            self._text = None
            self._parser.CharacterDataHandler = None

    def _begins(self, name: str, attributes: dict[str, str]) -> bool:
        """Note what begins, and return whether its text is wanted."""
        if self._values is None:
            if name == "Folder":
                self._folders.append("")
            elif name == "Placemark":
                self._values, self._key = {}, ""
                self._shape = Shape(self._most) if self._with_shapes else None
            elif name in _LINKS:
                self.links += 1
            return name == "name" and self._path[-2:-1] == ["Folder"]
        if name in ("Data", "SimpleData"):
            self._key = attributes.get("name", "")
            return name == "SimpleData"
        if name == "coordinates":
            return self._with_shapes
        if name == "value" or (self._path[-2] == "Placemark" and name in _FIXED):
            return True
        if self._shape is not None:
            self._shape.start(name)
        return False

    def end(self, _: str) -> None:
        """End an element, and keep what it held."""
        name = self._path.pop()
        text = None
        if self._text is not None:
            text, self._text = "".join(self._text), None
            self._parser.CharacterDataHandler = None
        if self._values is None:
            if name == "Folder" and self._folders:
                self._folders.pop()
            elif name == "name" and text is not None and self._folders:
                self._folders[-1] = text.strip()
            return
        if name == "Placemark":
            self._finish()
        elif name == "coordinates" and self._shape is not None:
            self._shape.coordinates(text or "")
        elif text is not None and (name in ("value", "SimpleData")):
            self._keep(self._key, text)
        elif text is not None and name in _FIXED:
            self._keep(_FIXED[name], text)
        elif self._shape is not None:
            self._shape.end(name)

    def _keep(self, key: str, text: str) -> None:
        assert self._values is not None  # noqa: S101
        self.names.setdefault(key)
        if text.strip():
            self._values[key] = text.strip() if key in _FIXED.values() else text

    def _finish(self) -> None:
        self.seen += 1
        folder = "/".join(filter(None, self._folders))
        self.folders[folder] = self.folders.get(folder, 0) + 1
        wkb, why = self._shape.wkb() if self._shape is not None else (None, "")
        self.rows.append(_Row(folder, wkb, why, self._values or {}))
        self._values = None
        self._shape = None


def _parsed(path: Path, taken: _Placemarks, where: str) -> Iterator[None]:
    """Parse a file, and pause after each piece of it."""

    def refuse(*_: Any) -> None:
        raise InputError(
            "the XML declares a document type or entities, which can name other files",
            where=where,
            remedy="remove <!DOCTYPE …> and <!ENTITY …>",
        )

    parser = taken.parser()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
                yield
            parser.Parse(b"", True)
            yield
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise InputError(
            f"the KML cannot be read: {error}",
            where=where,
            remedy="deliver it again; it may be cut off or damaged",
        ) from error


def _surveyed(path: Path, request: ReadRequest) -> _Placemarks:
    where = request.path.name
    refuse_entities(path, where=where)
    found = _Placemarks(with_shapes=False, most_bytes=request.limits.feature_bytes)
    for _ in _parsed(path, found, where):
        found.rows.clear()
        if len(found.names) > request.limits.columns:
            raise RangeError(
                f"more than {request.limits.columns:,} columns; that is the limit",
                where=where,
                remedy="leave out data that no field needs",
            )
    return found


def folders_of(path: Path, request: ReadRequest) -> list[str]:
    """Return the folders of a KML that hold placemarks; a nested one as ``outer/inner``."""
    return [name for name in _surveyed(path, request).folders if name]


def open_kml(path: Path, request: ReadRequest) -> Opened:
    """Open a KML: all of its placemarks, or those of the folder that ``source_layer`` names.

    Columns are ``Name``, ``Description``, ``Folder``, and one for each name of the extended data;
    all are text. Links to other files are counted and never followed.

    Raises
    ------
    InputError, UnknownName, RangeError
        It is damaged, declares entities, lacks the folder, or has too many columns.
    """
    where = request.path.name
    first = _surveyed(path, request)
    folders = [name for name in first.folders if name]
    wanted = request.source_layer
    if wanted is not None and wanted not in folders:
        raise UnknownName(
            f"the KML has no folder '{wanted}'",
            where=where,
            remedy=f"its folders: {', '.join(folders[:40]) or 'none'}",
        )
    notes: list[Note] = []
    if first.links:
        notes.append(
            Note(
                "link-not-followed",
                f"{first.links:,} links to other files or pictures were not followed",
                "deliver what they point at as files",
                count=first.links,
            )
        )
    fixed = [*_FIXED.values(), "Folder"]
    keys = [key for key in first.names if key not in _FIXED.values()]
    names = distinct([*fixed, *keys], notes)
    count = first.folders.get(wanted, 0) if wanted is not None else first.seen
    info = SourceInfo(
        "KML", wanted, tuple(folders), "EPSG:4326", "UTF-8", "declared", "Unknown", count,
        tuple((name, "string") for name in names),
    )  # fmt: skip
    return Opened(info, _batches(path, request, names, [*fixed[:-1], *keys], notes), notes)


def _batches(
    path: Path, request: ReadRequest, names: list[str], keys: list[str], notes: list[Note]
) -> Iterator[pa.RecordBatch]:
    found = _Placemarks(with_shapes=True, most_bytes=request.limits.feature_bytes)
    wanted = request.source_layer
    kept: list[_Row] = []
    unread = Unread()

    def batch() -> pa.RecordBatch:
        texts = [pa.array([row.values.get(key) for row in kept], pa.string()) for key in keys]
        folder = pa.array([row.folder or None for row in kept], pa.string())
        columns = [*texts[:2], folder, *texts[2:]]
        shapes = pa.array([row.wkb for row in kept], pa.binary())
        for i, row in enumerate(kept):
            if row.why:
                unread.add(i, row.why)
        unread.passed += len(kept)
        return pa.RecordBatch.from_arrays([shapes, *columns], names=[GEOMETRY, *names])

    for _ in _parsed(path, found, request.path.name):
        kept += [row for row in found.rows if wanted is None or row.folder == wanted]
        found.rows.clear()
        if len(kept) >= _BATCH:
            yield batch()
            kept = []
    if kept:
        yield batch()
    notes += unread.notes()
