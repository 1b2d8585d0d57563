"""Stored measures of regions: what was found, on which data, and its maps."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.headers import DOCUMENT_POLICY
from api.region_studies import (
    RegionStudySummary,
    RegionValueRow,
    read_studies,
    read_study,
    read_values,
    study_map,
)
from api.run_files import matches
from api.service import LevelQuery, Name, Serving
from geoplan import __version__

__all__ = ["router"]

router = APIRouter(tags=["regions"])

_PLAIN = r"^[^\x00-\x1f\x7f]+$"
_VARIABLE = Annotated[
    str | None, Query(max_length=200, pattern=_PLAIN, description="Variable of the study")
]
_PROFILE = Annotated[
    str | None, Query(max_length=100, pattern=_PLAIN, description="Only studies of this profile")
]
_DOCUMENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/json": {"schema": {"type": "object"}}}}
}
_SVG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/svg+xml": {"schema": {"type": "string"}}}},
    304: {"description": "The client's copy is current"},
}


@router.get("/regions/studies")
def list_region_studies(service: Serving, profile: _PROFILE = None) -> list[RegionStudySummary]:
    """List the stored measures of regions, newest first."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return read_studies(reading, profile)


@router.get("/regions/studies/{study_id}", response_class=JSONResponse, responses=_DOCUMENT)
def get_region_study(service: Serving, study_id: Name) -> JSONResponse:
    """Return what a study found and, as `study`, what it rests on: question, layers, software."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return JSONResponse(read_study(reading, study_id))


@router.get("/regions/studies/{study_id}/values")
def list_region_values(
    service: Serving, study_id: Name, level: LevelQuery = None, variable: _VARIABLE = None
) -> list[RegionValueRow]:
    """List a study's values by region, of one level or one variable where asked."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return read_values(reading, study_id, level=level, variable=variable)


@router.get(
    "/regions/studies/{study_id}/map.svg", response_class=Response, responses=_SVG
)  # fmt: skip
def get_region_map(
    request: Request,
    service: Serving,
    study_id: Name,
    level: LevelQuery = None,
    variable: _VARIABLE = None,
    language: Annotated[
        Literal["en", "fa"], Query(description="Language of the map's words and digits")
    ] = "en",
) -> Response:
    """Return the map of one variable of a study; absent `variable`: its main one."""
    current = service.snapshot.get()
    # A study never changes, and its shapes are those of the version that it read.
    asked = "\n".join(map(str, (study_id, level, variable, language, __version__)))
    etag = f'"{hashlib.sha256(asked.encode()).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": "private, no-cache",
               "content-security-policy": DOCUMENT_POLICY}  # fmt: skip
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        if matches(request, etag):
            read_values(reading, study_id, level=level, variable=variable)
            return Response(status_code=304, headers=headers)
        svg = study_map(
            reading, service.countries, current, study_id,
            level=level, variable=variable, language=language,
        )  # fmt: skip
    return Response(svg, media_type="image/svg+xml", headers=headers)
