"""Hand out a file of a run's folder: only what the run lists, only from inside the folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from fastapi import Request
from starlette.responses import FileResponse, Response

from api.headers import DOCUMENT_POLICY
from geoplan.errors import FileMissing, UnknownName

__all__ = ["CONTENT_TYPES", "file_answer", "matches"]

CONTENT_TYPES = {
    ".csv": "text/csv; charset=utf-8",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
    ".txt": "text/plain; charset=utf-8",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Content type by ending; anything else is an octet stream."""

_SHOWN = (".html", ".json", ".pdf", ".png", ".txt")  # the others are saved


def matches(request: Request, etag: str) -> bool:
    """Return whether the client's copy is current (``If-None-Match``, weak comparison)."""
    asked = request.headers.get("if-none-match")
    if asked is None:
        return False
    bare = etag.removeprefix("W/")
    return asked.strip() == "*" or any(
        part.strip().removeprefix("W/") == bare for part in asked.split(",")
    )


def file_answer(
    request: Request, folder: Path, files: Mapping[str, str | None], name: str
) -> Response:
    """Return the file ``name`` of a run.

    Parameters
    ----------
    request : Request
        For the client's ``If-None-Match`` and ``Range``.
    folder : Path
        The run's folder.
    files : mapping
        Names that the run lists, each with its sha256 where known.
    name : str
        What was asked for.

    Raises
    ------
    UnknownName
        The run lists no such file.
    FileMissing
        The run lists it, but it is not in the folder any more.
    """
    if name not in files:
        raise UnknownName(
            f"the run has no file '{name[:80]}'",
            where="files",
            remedy=f"it has: {', '.join(sorted(files)) or 'none'}",
        )
    root = folder.resolve()
    path = (root / name).resolve()
    # resolve() follows links: a link or '..' that leads out of the folder ends here.
    if not path.is_relative_to(root) or not path.is_file():
        raise FileMissing(
            f"'{name}' is not in the run's folder any more",
            where=name,
            remedy="run it again with 'geoplan site replay', or restore the folder",
        )
    ending = path.suffix.lower()
    shown = "inline" if ending in _SHOWN else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(path.name)}",
        "Cache-Control": "no-cache",
    }
    if ending == ".html":
        headers["Content-Security-Policy"] = DOCUMENT_POLICY
    digest = files[name]
    if digest:
        headers["ETag"] = f'"{digest[:32]}"'
        if matches(request, headers["ETag"]):
            return Response(status_code=304, headers=headers)
    kind = CONTENT_TYPES.get(ending, "application/octet-stream")
    return FileResponse(path, media_type=kind, headers=headers)
