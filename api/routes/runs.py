"""Siting runs: candidates, portfolio, supply, sources and files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api import sites
from api.place import place_detail
from api.run_files import file_answer
from api.runs import read_run, read_runs, run_files
from api.schemas import (
    CandidatePage,
    CandidateSummary,
    PlaceDetail,
    RunDetail,
    RunSummary,
    SiteDetail,
    SourceInfo,
    SupplyLine,
)
from api.service import Code, Name, Service, Serving
from api.tile_urls import candidate_tiles, region_tiles
from geoplan.errors import UnknownName
from geoplan.store.serve.database import Reading
from geoplan.store.serve.runs import study

__all__ = ["router"]

router = APIRouter(tags=["runs"])

_GEOJSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}},
    304: {"description": "The client's copy is current"},
}


@contextmanager
def _run(service: Service, run_id: str) -> Iterator[Reading]:
    """Open a transaction for an existing run."""
    service.snapshot.get().run(run_id)
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        yield reading


@router.get("/runs")
def list_runs(service: Serving) -> list[RunSummary]:
    """List the runs, newest first."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return read_runs(reading)


@router.get("/runs/latest")
def get_latest_run(service: Serving) -> RunDetail:
    """Return the newest run of the country shown."""
    current = service.snapshot.get()
    profile_id, _ = service.countries.chosen(current)
    latest = current.latest_run(profile_id)
    if latest is None:
        raise UnknownName(
            "there is no run yet", where="run", remedy="make one with 'geoplan site run'"
        )
    return _detail(service, latest.id)


@router.get("/runs/{run_id}")
def get_run(service: Serving, run_id: Name) -> RunDetail:
    """Return a run with its solver, timings, warnings, assumptions and files."""
    return _detail(service, run_id)


def _detail(service: Service, run_id: str) -> RunDetail:
    current = service.snapshot.get()
    run = current.run(run_id)
    layers = service.countries.region_layers(current, run.profile_id)
    with _run(service, run_id) as reading:
        return read_run(
            reading,
            run_id,
            tiles=candidate_tiles(run),
            region_tiles=region_tiles(layers, run, named=True),
        )


@router.get("/runs/{run_id}/candidates")
def list_candidates(
    service: Serving,
    run_id: Name,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="Rows left out first")] = 0,
    limit: Annotated[
        int,
        Query(ge=0, le=10_000_000, description="Rows wanted; a wish above 1,000 gets 1,000"),
    ] = 100,
    in_portfolio: Annotated[
        bool | None, Query(description="Only chosen sites, or only the others")
    ] = None,
    region: Code = None,
) -> CandidatePage:
    """Return a page of candidates, best first; `total` counts all that match."""
    with _run(service, run_id) as reading:
        return sites.read_candidates(
            reading,
            run_id,
            offset=offset,
            limit=min(limit, service.limits.page),
            in_portfolio=in_portfolio,
            region=region,
        )


@router.get("/runs/{run_id}/portfolio")
def list_portfolio(service: Serving, run_id: Name) -> list[CandidateSummary]:
    """List the chosen sites, best first."""
    with _run(service, run_id) as reading:
        return sites.read_portfolio(reading, run_id)


@router.get("/runs/{run_id}/portfolio.geojson", responses=_GEOJSON, response_class=Response)
def get_portfolio_geojson(service: Serving, run_id: Name) -> Response:
    """Return the chosen sites as GeoJSON polygons."""
    with _run(service, run_id) as reading:
        found = sites.portfolio_geojson(reading, run_id)
    return JSONResponse(found, media_type="application/geo+json")


@router.get("/runs/{run_id}/supply")
def list_supply(service: Serving, run_id: Name) -> list[SupplyLine]:
    """List what each chosen site takes from which source."""
    with _run(service, run_id) as reading:
        return sites.read_supply(reading, run_id)


@router.get("/runs/{run_id}/supply.geojson", responses=_GEOJSON, response_class=Response)
def get_supply_geojson(service: Serving, run_id: Name) -> Response:
    """Return the supply as GeoJSON lines from source to site."""
    with _run(service, run_id) as reading:
        found = sites.supply_geojson(reading, run_id)
    return JSONResponse(found, media_type="application/geo+json")


@router.get("/runs/{run_id}/sources")
def list_sources(service: Serving, run_id: Name) -> list[SourceInfo]:
    """List the sources that the run knew, with headroom, use and basis."""
    with _run(service, run_id) as reading:
        return sites.read_sources(reading, run_id)


@router.get("/runs/{run_id}/sites/{site_id}")
def get_site(service: Serving, run_id: Name, site_id: Name) -> SiteDetail:
    """Return a candidate with the reasons for its place and its supply."""
    with _run(service, run_id) as reading:
        return sites.read_site(reading, run_id, site_id)


@router.get("/runs/{run_id}/place")
def get_run_place(
    service: Serving,
    run_id: Name,
    lon: Annotated[float, Query(ge=-180, le=180, description="Longitude, degrees")],
    lat: Annotated[float, Query(ge=-90, le=90, description="Latitude, degrees")],
) -> PlaceDetail:
    """Return why a place is, or is not, part of a candidate: the rules that remove it."""
    with _run(service, run_id) as reading:
        folder, _ = run_files(reading, run_id)
    return place_detail(folder, lon, lat)


@router.get("/runs/{run_id}/studies/{name}")
def get_run_study(service: Serving, run_id: Name, name: Name) -> dict[str, Any]:
    """Return what a study of the run found: the front, rank acceptability, other methods."""
    with _run(service, run_id) as reading:
        return study(reading, run_id, name)


@router.get("/runs/{run_id}/files/{name}", responses=_FILE, response_class=Response)
def get_run_file(service: Serving, request: Request, run_id: Name, name: Name) -> Response:
    """Return one of the files that the run lists."""
    with _run(service, run_id) as reading:
        folder, files = run_files(reading, run_id)
    return file_answer(request, folder, files, name)
