"""Answer well-formed addresses of tiles without the cost of a declared route.

A map asks for dozens of tiles at each move. Matching every route, solving dependencies and
checking parameters take longer than most of the answers: a tile that is held, or 304.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable

from starlette.datastructures import URLPath
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import Receive, Scope, Send

from api.routes.tiles import get_candidate_tile, get_layer_tile, get_region_tile
from api.service import Service

__all__ = ["PlainTiles"]

_NAME = "[A-Za-z0-9_.-]{1,200}"
_ADDRESS = re.compile(
    rf"/tiles/(?:layers/(?P<layer>{_NAME})|regions/(?P<level>[1-3])|runs/(?P<run>{_NAME})"
    r"/candidates)/(?P<z>[0-9]{1,2})/(?P<x>[0-9]{1,7})/(?P<y>[0-9]{1,7})\.mvt"
)
_ASKED = re.compile(rf"(?:run=(?P<run>{_NAME})(?:&|$))?(?:v=(?P<v>[0-9a-f]{{1,64}}))?")


class PlainTiles(BaseRoute):
    """Stands before the declared routes and takes only what they would accept as it is.

    Anything else (an escaped name, an odd number, an unknown parameter) goes on to the declared
    route, which says what is wrong with it. The answers are those of the declared routes.

    Parameters
    ----------
    service : Service
        What the routes need.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match GET of a tile whose address needs no further checking."""
        if scope["type"] != "http" or scope["method"] != "GET":
            return Match.NONE, {}
        path = _ADDRESS.fullmatch(scope["path"])
        asked = _ASKED.fullmatch(scope["query_string"].decode("latin-1")) if path else None
        if path is None or asked is None:
            return Match.NONE, {}
        return Match.FULL, {"plain_tile": (path, asked)}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the declared route does; its errors go the same way."""
        path, asked = scope["plain_tile"]
        answer = await self._answer(Request(scope, receive), path, asked)
        await answer(scope, receive, send)

    def _answer(
        self, request: Request, path: re.Match[str], asked: re.Match[str]
    ) -> Awaitable[Response]:
        z, x, y = int(path["z"]), int(path["x"]), int(path["y"])
        service, v = self._service, asked["v"]
        if path["layer"] is not None:
            return get_layer_tile(service, request, path["layer"], z, x, y, v)
        if path["run"] is not None:
            return get_candidate_tile(service, request, path["run"], z, x, y, v)
        return get_region_tile(service, request, int(path["level"]), z, x, y, asked["run"], v)

    def url_path_for(self, name: str, /, **path_params: object) -> URLPath:
        """Name no address: the declared routes do."""
        raise NoMatchFound(name, dict(path_params))
