"""Build the service. Nothing happens at import, and building it touches no database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

import geoplan
from api import errors
from api.body_limit import BodyLimit
from api.country import Countries
from api.current import Snapshot
from api.delivery import Delivery, Studies
from api.headers import SecurityHeaders
from api.jobs import Pace, Worker
from api.limits import Limits
from api.routes import (
    history,
    info,
    jobs,
    layers,
    pages,
    region_studies,
    regions,
    runs,
    tiles,
    uploads,
)
from api.routes.plain_tiles import PlainTiles
from api.schemas import ProblemBody
from api.service import Service
from api.tile_store import TileStore
from api.uploads import Uploads
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
from geoplan.store.serve.database import Database, Engine
from geoplan.store.serve.tile import TileStatements

__all__ = ["create_app"]

_DESCRIPTION = """\
Regions, layers, siting runs, candidates and supply of industrial estates. Lists say their total;
a tile that leaves features out says so; a figure that is assumed is marked `assumed`. Errors are
`application/problem+json` (RFC 9457) with `detail`, `where` and `remedy`.
"""

_TAGS = [
    {"name": "service", "description": "Whether it runs, and what the page needs to start."},
    {"name": "layers", "description": "Catalogued data that can be switched on."},
    {"name": "regions", "description": "Administrative regions and their industrialisation."},
    {"name": "runs", "description": "Siting runs: candidates, portfolio, supply, files."},
    {
        "name": "loading",
        "description": "Send a file, check it, confirm, load. What changes something needs a token "
        "of `geoplan user add`.",
    },
    {"name": "tiles", "description": "Mapbox vector tiles; the source layer is named `layer`."},
]

_NOT_PACKED = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/vnd.mapbox-vector-tile",  # packed once, when the tile is made
    "application/geopackage+sqlite3",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "image/tiff",
)


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    catalogue: Catalogue | None = None,
    limits: Limits | None = None,
    web_folder: Path | None = None,
    delivery: Delivery | None = None,
    pace: Pace | None = None,
) -> FastAPI:
    """Return the service.

    Parameters
    ----------
    settings : Settings
        Where things are kept.
    engine : Engine, optional
        An open database; absent: the settings' database, found on the first request.
    catalogue : Catalogue, optional
        Absent: the bundled one with the settings' folder on top.
    limits : Limits, optional
        How much one request may ask for.
    web_folder : Path, optional
        A built web page; absent: the one in the wheel, else the checkout's ``web/dist``.
    delivery : Delivery, optional
        What checks and loads uploaded files; absent: the studies.
    pace : Pace, optional
        How often queued jobs are looked for.

    Raises
    ------
    FileMissing
        The settings name a catalogue folder that does not exist.
    """
    limits = limits or Limits()
    catalogue = catalogue or Catalogue.standard(settings.layers_dir)
    database = Database(settings, engine)
    received = Uploads(settings, database)
    worker = Worker(
        settings, database, received, delivery or Studies(settings, catalogue), pace=pace
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        # Without an open database nothing is looked for: a page or a document needs none.
        if engine is not None:
            worker.start()
        yield
        await to_thread.run_sync(worker.stop)

    app = FastAPI(
        title="GeoPlan",
        version=geoplan.__version__,
        description=_DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # the stock pages load their scripts from another host
        redoc_url=None,
        openapi_tags=_TAGS,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        responses={
            "4XX": {"model": ProblemBody, "description": "The request cannot be answered"},
            "5XX": {"model": ProblemBody, "description": "The service cannot answer now"},
        },
    )
    service = Service(
        settings=settings,
        limits=limits,
        catalogue=catalogue,
        countries=Countries(catalogue, settings.profile, database),
        database=database,
        snapshot=Snapshot(database, seconds=limits.fresh_seconds),
        tiles=TileStore(limits.tile_cache_mb),
        statements=TileStatements(),
        uploads=received,
        worker=worker,
        web_folders=(web_folder,) if web_folder else pages.standard_folders(),
    )
    app.state.geoplan = service
    errors.install(app)
    app.add_middleware(
        GZipMiddleware, minimum_size=1_400, compresslevel=4, exclude_content_types=_NOT_PACKED
    )
    app.add_middleware(BodyLimit, most=limits.body_bytes, streamed="/api/uploads")
    app.add_middleware(SecurityHeaders)
    app.router.routes.insert(0, PlainTiles(service))
    # The studies of regions come before the regions, whose codes may be any word.
    for part in (info, layers, region_studies, regions, runs, uploads, jobs, history):
        app.include_router(part.router, prefix="/api")
    app.include_router(tiles.router)
    app.include_router(pages.router)  # last: it answers whatever is left
    return app


def _operation_id(route: APIRoute) -> str:
    # 'list_runs' → 'listRuns': the name that the generated client's function gets.
    head, *rest = route.name.split("_")
    return head + "".join(part.capitalize() for part in rest)
