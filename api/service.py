"""What every route needs, made once by ``create_app`` and handed over by FastAPI."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi import Path as UrlPath

from api.country import Countries
from api.current import Snapshot
from api.jobs import Worker
from api.limits import Limits
from api.tile_store import TileStore
from api.uploads import Uploads
from geoplan.catalogue import Catalogue
from geoplan.settings import Settings
from geoplan.store.serve.database import Database
from geoplan.store.serve.tile import TileStatements

__all__ = ["Code", "LevelQuery", "Name", "RunQuery", "Service", "Serving"]

_PLAIN = r"^[^\x00-\x1f\x7f]+$"


@dataclass(frozen=True)
class Service:
    """Settings, catalogue, database, and what is remembered between requests."""

    settings: Settings
    limits: Limits
    catalogue: Catalogue
    countries: Countries
    database: Database
    snapshot: Snapshot
    tiles: TileStore
    statements: TileStatements
    uploads: Uploads
    worker: Worker
    web_folders: tuple[Path, ...]


def _service(request: Request) -> Service:
    service: Service = request.app.state.geoplan
    return service


Serving = Annotated[Service, Depends(_service)]
Name = Annotated[
    str, UrlPath(min_length=1, max_length=200, pattern=_PLAIN, description="Name of one thing")
]
Code = Annotated[str | None, Query(max_length=100, pattern=_PLAIN, description="Region code")]
LevelQuery = Annotated[int | None, Query(ge=1, le=3, description="Region level; 1 is the coarsest")]
RunQuery = Annotated[
    str | None,
    Query(max_length=200, pattern=_PLAIN, description="Run id; absent: the latest run"),
]
