"""Vector tiles of layers, regions and candidates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as UrlPath
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.current import Current
from api.routes.regions import run_and_layers
from api.run_files import matches
from api.service import Name, RunQuery, Service, Serving
from api.tile_store import MadeTile
from api.tile_urls import region_version
from geoplan.errors import UnknownName
from geoplan.store.serve.address import MAX_ZOOM, TileAddress
from geoplan.store.serve.current import CurrentRun
from geoplan.store.serve.tile import make_tile
from geoplan.store.serve.tile_query import TileQuery, candidate_query, layer_query, region_query

__all__ = ["MVT_TYPE", "router"]

router = APIRouter(prefix="/tiles", tags=["tiles"])

MVT_TYPE = "application/vnd.mapbox-vector-tile"

Zoom = Annotated[int, UrlPath(ge=0, le=MAX_ZOOM, description="Zoom")]
Column = Annotated[int, UrlPath(ge=0, description="Column, 0 in the west")]
Line = Annotated[int, UrlPath(ge=0, description="Row, 0 in the north")]
Version = Annotated[
    str | None,
    Query(max_length=64, description="Version in a layer's `tiles` address; lets a client keep it"),
]
Level = Annotated[int, UrlPath(ge=1, le=3, description="Region level; 1 is the coarsest")]

_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A tile; `X-GeoPlan-Truncated` and a layer `meta` say when it is not all",
        "content": {MVT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
    204: {"description": "Nothing lies in this tile"},
    304: {"description": "The client's tile is current"},
}


@router.get("/layers/{layer_id}/{z}/{x}/{y}.mvt", responses=_ANSWERS, response_class=Response)
async def get_layer_tile(
    service: Serving,
    request: Request,
    layer_id: Name,
    z: Zoom,
    x: Column,
    y: Line,
    v: Version = None,
) -> Response:
    """Return a tile of a layer; source layer `layer`, properties named as in the catalogue."""
    tile = TileAddress.checked(z, x, y)
    layer = (await _current(service)).layer(layer_id)
    return await _answer(
        service, request, tile, ("layer", layer.id), layer.token, v, lambda: layer_query(layer)
    )


@router.get("/regions/{level}/{z}/{x}/{y}.mvt", responses=_ANSWERS, response_class=Response)
async def get_region_tile(
    service: Serving,
    request: Request,
    level: Level,
    z: Zoom,
    x: Column,
    y: Line,
    run: RunQuery = None,
    v: Version = None,
) -> Response:
    """Return a tile of regions with the industrialisation that a run computed."""
    tile = TileAddress.checked(z, x, y)
    current = await _current(service)
    known = current.regions.get((run, level))
    if known is None:
        known = await run_in_threadpool(run_and_layers, service, run, level)
        # An unknown run has raised: what is asked cannot make this grow.
        current.regions[run, level] = known
    run_id, layers = known
    if not layers:
        raise UnknownName(
            f"no regions of level {level} are loaded",
            where="level",
            remedy="/api/info lists the levels; load them with 'geoplan pack load'",
        )
    seen: CurrentRun | None = current.runs.get(run_id) if run_id else None
    version = region_version(layers, seen)
    return await _answer(
        service,
        request,
        tile,
        ("regions", level),
        version,
        v,
        lambda: region_query(layers, level, run_id),
    )


@router.get(
    "/runs/{run_id}/candidates/{z}/{x}/{y}.mvt", responses=_ANSWERS, response_class=Response
)
async def get_candidate_tile(
    service: Serving, request: Request, run_id: Name, z: Zoom, x: Column, y: Line, v: Version = None
) -> Response:
    """Return a tile of a run's candidates."""
    tile = TileAddress.checked(z, x, y)
    run = (await _current(service)).run(run_id)
    return await _answer(
        service, request, tile, ("run", run.id), run.token, v, lambda: candidate_query(run.id)
    )


async def _current(service: Service) -> Current:
    # What is held is answered in the event loop: a 304 then costs neither thread nor database.
    held = service.snapshot.fresh()
    return held if held is not None else await run_in_threadpool(service.snapshot.get)


async def _answer(
    service: Service,
    request: Request,
    tile: TileAddress,
    name: tuple[object, ...],
    version: str,
    asked: str | None,
    query: Callable[[], TileQuery],
) -> Response:
    # Weak: the version says that the data are the same, not that the bytes are.
    headers = {
        "ETag": f'W/"{version}"',
        "Cache-Control": "public, max-age=31536000, immutable"
        if asked == version
        else "public, no-cache",
        "Vary": "Accept-Encoding",
    }
    if matches(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    key = (*name, version, tile)
    made = service.tiles.get(key)
    if made is None:
        made = await run_in_threadpool(_make, service, tile, (*name, version), query)
        service.tiles.put(key, made)
    if not made.body:
        return Response(status_code=204, headers=headers)
    if made.truncated:
        headers["X-GeoPlan-Truncated"] = f"shown={made.shown}; matched={made.matched}"
    if made.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(made.packed, headers=headers, media_type=MVT_TYPE)
    return Response(made.body, headers=headers, media_type=MVT_TYPE)


def _make(
    service: Service, tile: TileAddress, key: tuple[object, ...], query: Callable[[], TileQuery]
) -> MadeTile:
    statement = service.statements.get(key, query)
    limits = service.limits
    made = make_tile(
        service.database, statement, tile, most=limits.tile_features, seconds=limits.tile_seconds
    )
    return MadeTile.of(made)
