"""Versions of a layer: what was current when, what differs, the way back, and refused rows."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import shapely
from fastapi import APIRouter, Query
from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response

from api.access import Caller
from api.history_answers import (
    ChangedRow,
    DiffAnswer,
    EventAnswer,
    HistoryAnswer,
    OneSidedRow,
    RefusedLoadAnswer,
    ReshapedRow,
    RollbackRequest,
    VersionAnswer,
)
from api.run_files import CONTENT_TYPES
from api.service import Name, Serving
from api.writing import discreet, writing
from geoplan.store import history as versions
from geoplan.store.copy import plain
from geoplan.store.diff import diff
from geoplan.store.quarantine import quarantine_loads

__all__ = ["router"]

router = APIRouter(tags=["loading"])

_NUMBER = Query(ge=1, le=2_147_483_647)


@router.get("/layers/{layer_id}/history")
def get_layer_history(service: Serving, layer_id: Name) -> HistoryAnswer:
    """Return every version of a layer, and who made it current when."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        found = versions.history(reading, layer_id)
    return HistoryAnswer(
        layer=layer_id,
        versions=[_version(v) for v in found.versions],
        events=[
            EventAnswer.model_validate({**asdict(e), "at": e.at.isoformat()}) for e in found.events
        ],
    )


@router.get("/layers/{layer_id}/diff")
def get_layer_diff(
    service: Serving,
    layer_id: Name,
    from_number: Annotated[int, _NUMBER, Query(alias="from", description="Version before")],
    to_number: Annotated[int, _NUMBER, Query(alias="to", description="Version after")],
    limit: Annotated[
        int, Query(ge=0, le=10_000_000, description="Rows of each list; above 1,000 gets 1,000")
    ] = 100,
    geometry: Annotated[bool, Query(description="With outlines")] = False,
) -> DiffAnswer:
    """Return what differs between two versions: rows added, removed, reshaped, changed."""
    limit = min(limit, service.limits.page)
    with service.database.reading(seconds=service.limits.diff_seconds) as reading:
        found = diff(reading, layer_id, from_number, to_number, most=limit)

    def outline(shape: Any) -> dict[str, Any] | None:
        if not geometry or shape is None:
            return None
        told: dict[str, Any] = json.loads(shapely.to_geojson(shape))
        return told

    def one_sided(rows: Any) -> list[OneSidedRow]:
        return [
            OneSidedRow(
                key=row["key"], area_m2=_number(row["area_m2"]), geometry=outline(row["geometry"])
            )
            for row in rows.to_dict("records")
        ]

    return DiffAnswer(
        layer=layer_id,
        from_number=found.a,
        to_number=found.b,
        rows_from=found.rows_a,
        rows_to=found.rows_b,
        added_count=found.added_count,
        removed_count=found.removed_count,
        reshaped_count=found.reshaped_count,
        changed_count=found.changed_count,
        unchanged_count=found.unchanged_count,
        limit=limit,
        added=one_sided(found.added),
        removed=one_sided(found.removed),
        reshaped=[
            ReshapedRow(
                key=row["key"],
                area_before_m2=_number(row["area_before_m2"]),
                area_after_m2=_number(row["area_after_m2"]),
                moved_m2=_number(row["moved_m2"]),
                geometry_before=outline(row["geometry_before"]),
                geometry=outline(row["geometry"]),
            )
            for row in found.reshaped.to_dict("records")
        ],
        changed=[
            ChangedRow(key=r["key"], field=r["field"], old=plain(r["old"]), new=plain(r["new"]))
            for r in found.changed.to_dict("records")
        ],
    )


@router.post("/layers/{layer_id}/rollback")
def roll_layer_back(
    service: Serving, caller: Caller, layer_id: Name, asked: RollbackRequest
) -> VersionAnswer:
    """Let a layer show another of its versions; nothing is lost, and the record says who and why.

    The layer shows it from the answer on.
    """
    with writing(service.database) as session:
        return _version(versions.rollback(session, layer_id, asked.to, caller, asked.note))


@router.get("/quarantine")
def list_quarantine(
    service: Serving,
    _: Caller,
    layer: Annotated[str | None, Query(max_length=200, description="Only of this layer")] = None,
) -> list[RefusedLoadAnswer]:
    """List the loads whose refused rows are kept, newest first."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        found = quarantine_loads(reading, layer)
    return [
        RefusedLoadAnswer(
            id=load.id,
            layer=load.layer_id,
            at=load.at.isoformat(),
            who=load.who,
            source_file=load.source_file,
            source_format=load.source_format,
            source_crs=load.source_crs,
            rows=load.rows,
            link=f"/api/quarantine/{load.id}",
        )
        for load in found
    ]


@router.get(
    "/quarantine/{load_id}",
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
def get_quarantine(service: Serving, _: Caller, load_id: Name) -> Response:
    """Return the rows that a load refused, as a file in the format of their source."""
    # Imported here: a server that only shows a map starts without the writers of files.
    from geoplan.studies.layer_export import export_quarantine, quarantine_name

    engine = service.database.engine()
    folder = Path(tempfile.mkdtemp(prefix="geoplan-refused-"))
    try:
        with discreet():
            path = folder / quarantine_name(engine, load_id)
            export_quarantine(engine, load_id, path)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return FileResponse(
        path,
        media_type=CONTENT_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(path.name)}",
            "Cache-Control": "no-store",
        },
        background=BackgroundTask(shutil.rmtree, folder, ignore_errors=True),
    )


def _version(version: versions.Version) -> VersionAnswer:
    known = asdict(version)
    return VersionAnswer.model_validate(
        {name: known[name] for name in VersionAnswer.model_fields}
        | {"loaded_at": version.loaded_at.isoformat()}
    )


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
