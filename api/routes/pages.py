"""The built web page: index, scripts, styles and fonts."""

from __future__ import annotations

import re
from pathlib import Path

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

import geoplan
from api.run_files import matches
from api.service import Serving

__all__ = ["MISSING_PAGE", "router", "standard_folders"]

router = APIRouter(include_in_schema=False)

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
# Vite puts a hash of the content into the name: such a file never changes.
_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.[a-z0-9]+$")

MISSING_PAGE = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>GeoPlan</title>
<body style="font: 16px/1.6 sans-serif; margin: 3rem auto; max-width: 40rem">
<h1>GeoPlan runs, but its map page is not built</h1>
<p>Build it in the checkout, then reload this page:</p>
<pre>cd web &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>The data are served already: <a href="/api/info">/api/info</a>,
<a href="/api/layers">/api/layers</a>, <a href="/api/openapi.json">/api/openapi.json</a>.</p>
</body></html>
"""


def standard_folders() -> tuple[Path, ...]:
    """Return where the built page may lie: in the wheel, else in the checkout."""
    package = Path(geoplan.__file__).resolve().parent
    return (package / "_web", package.parent / "web" / "dist")


@router.api_route("/{path:path}", methods=["GET", "HEAD"])
def get_page(service: Serving, request: Request, path: str) -> Response:
    """Return a file of the built page, or say how to build it."""
    folder = next((f for f in service.web_folders if (f / "index.html").is_file()), None)
    if path in ("", "index.html"):
        if folder is None:
            # 200 would tell a check that the page is there.
            return HTMLResponse(
                MISSING_PAGE, status_code=503, headers={"Cache-Control": "no-store"}
            )
        return _file(request, folder / "index.html", "no-cache")
    if folder is None or "\x00" in path or len(path) > 500:
        raise HTTPException(404)
    root = folder.resolve()
    found = (root / path).resolve()
    if not found.is_relative_to(root) or not found.is_file():
        raise HTTPException(404)
    kept = path.startswith("assets/") and _HASHED.search(path)
    return _file(request, found, "public, max-age=31536000, immutable" if kept else "no-cache")


def _file(request: Request, path: Path, cache: str) -> Response:
    kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    stat = path.stat()
    headers = {"Cache-Control": cache, "ETag": f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'}
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, media_type=kind, headers=headers, stat_result=stat)
