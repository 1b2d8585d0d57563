"""The service without a database: the built page, canned answers and a few vector tiles."""

from __future__ import annotations

import contextlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from stub_tile import Feature, encode_tile

from api.headers import PAGE_POLICY

__all__ = ["Canned", "StubApi"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_TILE = re.compile(r"^/tiles/(.+)/(\d+)/(\d+)/(\d+)\.mvt$")


@dataclass
class Canned:
    """What the stub answers.

    Parameters
    ----------
    answers : dict
        Path → JSON answer. A path with ``?level=…`` is asked for with that level.
    tiles : dict
        What stands between ``/tiles/`` and the zoom → features.
    failures : dict
        Path → (status, problem), answered instead.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    tiles: dict[str, list[Feature]] = field(default_factory=dict)
    failures: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)


class StubApi:
    """A server on a free loopback port; a context manager that gives its address.

    Parameters
    ----------
    dist : Path
        The built page.
    canned : Canned
        What it answers; tests may change it while it runs.
    """

    def __init__(self, dist: Path, canned: Canned) -> None:
        self.dist = dist
        self.canned = canned
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> StubApi:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, target: str) -> tuple[int, str, bytes]:
        """Return status, content type and body for a request target."""
        parts = urlsplit(target)
        path = unquote(parts.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        canned = self.canned
        if path in canned.failures:
            status, problem = canned.failures[path]
            return status, "application/problem+json", json.dumps(problem).encode()
        tile = _TILE.match(path)
        if tile:
            z, x, y = (int(part) for part in tile.groups()[1:])
            body = encode_tile(canned.tiles.get(tile[1], []), z, x, y)
            return 200 if body else 204, "application/vnd.mapbox-vector-tile", body
        level = f"{path}?level={query.get('level')}"
        for key in (level, path):
            if key in canned.answers:
                found = canned.answers[key]
                if path.endswith("/place"):
                    found = {**found, "lon": float(query["lon"]), "lat": float(query["lat"])}
                if path.endswith("/candidates"):
                    found = _page(found, query)
                return 200, "application/json", json.dumps(found).encode()
        file = self.dist / (path.lstrip("/") or "index.html")
        if not path.startswith("/api/") and file.is_file():
            return 200, _TYPES.get(file.suffix, "application/octet-stream"), file.read_bytes()
        problem = {"title": "Not Found", "status": 404, "detail": f"nothing at {path}"}
        return 404, "application/problem+json", json.dumps(problem).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                # The page drops tiles that it no longer needs; that is no error.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    self._answer()

            def _answer(self) -> None:
                status, kind, body = stub.answer(self.path)
                self.send_response(status)
                # The real service's policy: what it forbids must fail here too.
                self.send_header("Content-Security-Policy", PAGE_POLICY)
                self.send_header("Content-Type", kind)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing: the test's own output is what counts."""

        return Handler


def _page(items: list[Any], query: dict[str, str]) -> dict[str, Any]:
    offset, limit = int(query.get("offset", 0)), int(query.get("limit", 100))
    shown = items[offset : offset + limit]
    return {"total": len(items), "offset": offset, "limit": limit, "items": shown}
