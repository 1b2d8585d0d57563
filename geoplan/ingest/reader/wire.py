"""How the reading process talks to its parent: framed JSON round one Arrow stream.

``header frame · Arrow IPC stream · end frame``; or an error frame instead of the header. A frame
is one letter, eight bytes of length, and JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from geoplan import errors
from geoplan.errors import GeoPlanError, InputError, Problem, ProblemsFound
from geoplan.ingest.reader.request import Limits, Note, ReadRequest, SourceInfo

__all__ = [
    "END", "ERROR", "HEADER", "error_of", "info_of", "note_of", "read_frame", "request_of",
    "said_of_error", "said_of_note", "said_of_request", "write_frame",
]  # fmt: skip

HEADER, END, ERROR = b"H", b"N", b"E"
_MOST = 512 * 1024 * 1024


def write_frame(stream: IO[bytes], tag: bytes, value: Any) -> None:
    """Write one frame."""
    raw = json.dumps(value, ensure_ascii=False).encode("utf-8", errors="surrogatepass")
    stream.write(tag + len(raw).to_bytes(8, "big") + raw)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[bytes, Any] | None:
    """Return the next frame; ``None`` where the other side ended without one."""
    head = stream.read(9)
    if len(head) < 9 or head[:1] not in (HEADER, END, ERROR):
        return None
    size = int.from_bytes(head[1:], "big")
    if size > _MOST:
        return None
    raw = stream.read(size)
    if len(raw) < size:
        return None
    try:
        return head[:1], json.loads(raw.decode("utf-8", errors="surrogatepass"))
    except ValueError:
        return None


def said_of_request(request: ReadRequest) -> dict[str, Any]:
    """Return a request as JSON can hold it."""
    return {**asdict(request), "path": str(request.path), "dxf_layers": dict(request.dxf_layers)}


def request_of(said: Mapping[str, Any]) -> ReadRequest:
    """Return the request that was said."""
    return ReadRequest(**{**said, "path": Path(said["path"]), "limits": Limits(**said["limits"])})


def info_of(said: Mapping[str, Any]) -> SourceInfo:
    """Return what was said of a source."""
    columns = tuple((str(a), str(b)) for a, b in said["columns"])
    return SourceInfo(**{**said, "layers": tuple(said["layers"]), "columns": columns})


def said_of_note(note: Note) -> dict[str, Any]:
    """Return a note as JSON can hold it."""
    return {
        **asdict(note),
        "rows": list(note.rows),
        "wkb": None if note.wkb is None else note.wkb.hex(),
    }


def note_of(said: Mapping[str, Any]) -> Note:
    """Return the note that was said."""
    wkb = said["wkb"]
    return Note(
        **{**said, "rows": tuple(said["rows"]), "wkb": None if wkb is None else bytes.fromhex(wkb)}
    )


def said_of_error(error: GeoPlanError) -> dict[str, Any]:
    """Return an error as JSON can hold it."""
    problems = [asdict(p) for p in error.problems] if isinstance(error, ProblemsFound) else []
    kind = next(c.__name__ for c in type(error).__mro__ if hasattr(errors, c.__name__))
    return {
        "kind": kind,
        "what": error.what,
        "where": error.where,
        "remedy": error.remedy,
        "problems": problems,
    }


def error_of(said: Mapping[str, Any]) -> GeoPlanError:
    """Return the error that was said."""
    if said["problems"]:
        return ProblemsFound(
            said["what"], [Problem(**p) for p in said["problems"]], where=said["where"]
        )
    kind = getattr(errors, str(said["kind"]), InputError)
    if not (isinstance(kind, type) and issubclass(kind, GeoPlanError)):
        kind = InputError
    return kind(said["what"], where=said["where"], remedy=said["remedy"])
