"""Files that are sent to be loaded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from api.access import Caller
from api.job_answers import UploadAnswer
from api.jobs_told import upload_answer
from api.service import Name, Serving
from geoplan.errors import InputError
from geoplan.store.upload import find_upload

__all__ = ["router"]

router = APIRouter(tags=["loading"])

_BODY = {
    "requestBody": {
        "required": True,
        "description": "The file as it is: no form, no parts",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.put(
    "/uploads",
    status_code=201,
    openapi_extra=_BODY,
    responses={200: {"model": UploadAnswer, "description": "The same file was here before"}},
)
async def put_upload(
    service: Serving,
    caller: Caller,
    request: Request,
    response: Response,
    name: Annotated[
        str, Query(min_length=1, max_length=1000, description="Name of the file, with its ending")
    ],
    sha256: Annotated[
        str | None,
        Query(pattern="^[0-9a-fA-F]{64}$", description="Refused where the bytes have another"),
    ] = None,
) -> UploadAnswer:
    """Take a file. The same bytes under the same name are answered with the first upload."""
    try:
        upload, new = await service.uploads.receive(
            request.stream(),
            name=name,
            sent_by=caller,
            length=_length(request),
            sha256=sha256,
        )
    except ClientDisconnect as error:
        raise InputError(
            "the connection ended before the file was whole; nothing of it was kept",
            where="body",
            remedy="send it again",
        ) from error
    if not new:
        response.status_code = 200
    response.headers["Location"] = f"/api/uploads/{upload.id}"
    return upload_answer(upload)


@router.get("/uploads/{upload_id}")
def get_upload(service: Serving, _: Caller, upload_id: Name) -> UploadAnswer:
    """Return what is known of an upload."""
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return upload_answer(find_upload(reading, upload_id))


def _length(request: Request) -> int | None:
    given = request.headers.get("content-length", "")
    return int(given) if given.isdecimal() and len(given) < 20 else None
