"""Checks and loads that run in the background."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi import Path as UrlPath

from api.access import Caller
from api.errors import TooMany
from api.job_answers import ConfirmRequest, JobAnswer, JobPage, JobRequest, State
from api.jobs_told import job_answer
from api.run_files import file_answer
from api.service import Service, Serving
from api.writing import writing
from geoplan.errors import UnknownName
from geoplan.store import job as jobs
from geoplan.studies.delivery_options import DeliveryOptions

__all__ = ["router"]

router = APIRouter(tags=["loading"])

_WAITING = 50  # jobs of one person that may wait or run

JobId = Annotated[
    str,
    UrlPath(
        min_length=1,
        max_length=64,
        pattern="^[0-9a-z-]+$",
        description="Id of a job. Nobody can guess it: who knows it may read the job",
    ),
]


def _file(kind: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {kind: {"schema": {"type": "string"}}}}}


@router.post("/jobs", status_code=202)
def create_job(
    service: Serving, caller: Caller, asked: JobRequest, response: Response
) -> JobAnswer:
    """Queue a check or a load of an upload; `Location` says where to ask how far it is."""
    _check_names(service, asked.options)
    with writing(service.database) as session:
        if jobs.unfinished(session, caller) >= _WAITING:
            raise TooMany(
                f"{_WAITING} jobs of '{caller}' wait or run already",
                where="jobs",
                remedy="wait until some have ended, or cancel some",
            )
        job = jobs.add_job(
            session,
            job_id=secrets.token_hex(16),
            upload_id=asked.upload,
            layer_id=asked.options.layer,
            options=asked.options.model_dump(mode="json", by_alias=True),
            phase=asked.action,
            asked_by=caller,
        )
    service.worker.wake()
    response.headers["Location"] = f"/api/jobs/{job.id}"
    return job_answer(job)


@router.get("/jobs")
def list_jobs(
    service: Serving,
    _: Caller,
    state: Annotated[State | None, Query(description="Only jobs in this state")] = None,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="Jobs left out first")] = 0,
    limit: Annotated[
        int, Query(ge=0, le=10_000_000, description="Jobs wanted; a wish above 1,000 gets 1,000")
    ] = 50,
) -> JobPage:
    """List the jobs, newest first; `total` counts all that match."""
    limit = min(limit, service.limits.page)
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        total, found = jobs.list_jobs(reading, limit=limit, offset=offset, state=state)
    return JobPage(total=total, offset=offset, limit=limit, items=[job_answer(j) for j in found])


@router.get("/jobs/{job_id}")
def get_job(service: Serving, job_id: JobId, response: Response) -> JobAnswer:
    """Return how far a job is, what was found, and what can be done next."""
    response.headers["Cache-Control"] = "no-store"
    return job_answer(_job(service, job_id))


@router.get("/jobs/{job_id}/report", responses=_file("application/json"), response_class=Response)
def get_job_report(service: Serving, request: Request, job_id: JobId) -> Response:
    """Return all that was found in the file, as JSON."""
    return _report(service, request, job_id, "report.json")


@router.get("/jobs/{job_id}/report.html", responses=_file("text/html"), response_class=Response)
def get_job_page(service: Serving, request: Request, job_id: JobId) -> Response:
    """Return the report as a page with a map."""
    return _report(service, request, job_id, "report.html")


@router.get(
    "/jobs/{job_id}/problems.gpkg",
    responses=_file("application/geopackage+sqlite3"),
    response_class=Response,
)
def get_job_problems(service: Serving, request: Request, job_id: JobId) -> Response:
    """Return the places of the problems as a GeoPackage."""
    return _report(service, request, job_id, "problems.gpkg")


@router.post("/jobs/{job_id}/confirm", status_code=202)
def confirm_job(
    service: Serving,
    caller: Caller,
    job_id: JobId,
    response: Response,
    asked: ConfirmRequest | None = None,
) -> JobAnswer:
    """Load what was checked, with the options of the check and those given here.

    Refused where the layer has a newer version than at the check, unless `anyway` is true.
    """
    asked = asked or ConfirmRequest()
    added = {name: True for name in ("accept_crs", "partial") if getattr(asked, name)}
    with writing(service.database) as session:
        job = jobs.confirm(session, job_id, confirmed_by=caller, options=added, anyway=asked.anyway)
    service.worker.wake()
    response.headers["Location"] = f"/api/jobs/{job.id}"
    return job_answer(job)


@router.post("/jobs/{job_id}/cancel", status_code=202)
def cancel_job(service: Serving, _: Caller, job_id: JobId) -> JobAnswer:
    """Cancel a job: at once while it waits, at the next batch of rows while it runs."""
    with writing(service.database) as session:
        return job_answer(jobs.cancel(session, job_id))


def _job(service: Service, job_id: str) -> jobs.JobInfo:
    with service.database.reading(seconds=service.limits.query_seconds) as reading:
        return jobs.find_job(reading, job_id)


def _report(service: Service, request: Request, job_id: str, name: str) -> Response:
    job = _job(service, job_id)
    listed = job.summary.get("files", []) if job.summary else []
    if name not in listed:
        raise UnknownName(
            f"the job has no {name}",
            where="job",
            remedy=f"it is {job.state}; a report is there once the file was read",
        )
    answer = file_answer(
        request, service.settings.jobs_dir / job.id, dict.fromkeys(listed, None), name
    )
    # It changes when the check is loaded, and no one but who knows the address may keep it.
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _check_names(service: Service, options: DeliveryOptions) -> None:
    # What a job would only find out when its turn comes is said at once.
    service.catalogue.layer(options.layer)
    known = list(service.catalogue.profiles())
    if options.profile is not None and options.profile not in known:
        raise UnknownName(
            f"there is no profile '{options.profile[:80]}'",
            where="options.profile",
            remedy=f"known: {', '.join(known) or 'none'}",
        )
