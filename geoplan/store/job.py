"""Jobs that check and load files in the background, as rows: asked for, looked at, confirmed.

A job is *queued*, then *running* (a check) or *loading*; it ends as *checked*, *done*, *refused*,
*failed* or *cancelled*. Confirming a check queues it again as a load. How a worker takes a job and
what it tells is in :mod:`geoplan.store.job_work`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from geoplan.errors import CheckFailed, UnknownName
from geoplan.store import tables
from geoplan.store.upload import UploadInfo, upload_info

__all__ = [
    "BUSY",
    "FINISHED",
    "JobInfo",
    "add_job",
    "cancel",
    "confirm",
    "current_version",
    "find_job",
    "list_jobs",
    "locked_job",
    "unfinished",
]

BUSY = ("running", "loading")
"""States in which a worker has the job."""

FINISHED = ("checked", "done", "refused", "failed", "cancelled")
"""States that only a person moves on from."""

_Job = tables.LoadJob
_ALIVE_S = 60.0  # seconds after its last heartbeat that a worker is thought to be at work


@dataclass(frozen=True, slots=True)
class JobInfo:
    """A job with the file that it is about.

    Parameters
    ----------
    id, layer_id : str
        The job; the layer that it is for.
    upload : UploadInfo
        The file.
    options : mapping
        As it was asked for.
    phase, state : str
        ``check`` or ``load``; and how far it is.
    asked_by, confirmed_by : str or None
        Who asked for it; who let it load.
    tries : int
        How often a worker took it up and did not hand it back.
    stop_asked : bool
        Somebody cancelled it while it ran.
    progress, summary, problem : mapping or None
        How far the work is; what was found; why it did not come about.
    checked_against : int or None
        Version of the layer that was current at the check.
    version_id, version_number : int or None
        Version that the load made: its id, and its number within the layer.
    """

    id: str
    layer_id: str
    upload: UploadInfo
    options: Mapping[str, Any]
    phase: Literal["check", "load"]
    state: str
    asked_by: str
    confirmed_by: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    tries: int
    stop_asked: bool
    progress: Mapping[str, Any] | None
    summary: Mapping[str, Any] | None
    problem: Mapping[str, Any] | None
    checked_against: int | None
    version_id: int | None
    version_number: int | None


def add_job(
    session: Session,
    *,
    job_id: str,
    upload_id: str,
    layer_id: str,
    options: Mapping[str, Any],
    phase: Literal["check", "load"],
    asked_by: str,
) -> JobInfo:
    """Queue a job for an upload that exists and return it.

    Raises
    ------
    UnknownName
        There is no such upload.
    """
    # Locked: a sweep must not take the file away between this line and the end.
    known = session.scalar(
        select(tables.Upload.id)
        .where(tables.Upload.id == upload_id)
        .with_for_update(key_share=True)
    )
    if known is None:
        raise UnknownName(
            f"there is no upload '{upload_id[:80]}'",
            where="upload",
            remedy="send the file again with PUT /api/uploads",
        )
    session.add(
        _Job(
            id=job_id,
            upload_id=upload_id,
            layer_id=layer_id,
            options=dict(options),
            phase=phase,
            state="queued",
            asked_by=asked_by,
            tries=0,
            stop_asked=False,
        )
    )
    session.flush()
    return find_job(session, job_id)


def find_job(session: Session, job_id: str) -> JobInfo:
    """Return a job.

    Raises
    ------
    UnknownName
        There is none of this id.
    """
    found = _read(session, _Job.id == job_id, limit=1)
    if not found:
        raise _unknown(job_id)
    return found[0]


def list_jobs(
    session: Session, *, limit: int, offset: int = 0, state: str | None = None
) -> tuple[int, list[JobInfo]]:
    """Return how many jobs there are, and a page of them, newest first."""
    wanted = (_Job.state == state) if state else _Job.id.isnot(None)
    total = session.scalar(select(func.count()).select_from(_Job).where(wanted)) or 0
    return total, _read(session, wanted, limit=limit, offset=offset)


def unfinished(session: Session, asked_by: str) -> int:
    """Return how many jobs of a person wait or run."""
    asked = select(func.count()).where(_Job.asked_by == asked_by, _Job.state.notin_(FINISHED))
    return session.scalar(asked) or 0


def confirm(
    session: Session,
    job_id: str,
    *,
    confirmed_by: str,
    options: Mapping[str, Any],
    anyway: bool = False,
) -> JobInfo:
    """Queue what was checked as a load.

    Parameters
    ----------
    options : mapping
        Options that are added to those of the check, such as ``accept_crs``.
    anyway : bool
        Load even though the layer has a newer version than at the check.

    Raises
    ------
    UnknownName
        There is no such job.
    CheckFailed
        It was not checked, its file has errors, or the layer has changed since.
    """
    job = locked_job(session, job_id)
    # A refused check can be loaded where the person now says what was missing.
    again = job.state == "refused" and job.phase == "check" and bool(options)
    if job.phase != "check" or not (job.state == "checked" or again):
        raise _not_confirmable(job)
    current = current_version(session, job.layer_id)
    if not anyway and current != job.checked_against:
        raise CheckFailed(
            f"layer '{job.layer_id}' has a newer version than at the check",
            where="layer",
            remedy="check the file again, or confirm with anyway=true",
        )
    job.options = {**job.options, **options}
    job.phase, job.state, job.tries, job.stop_asked = "load", "queued", 0, False
    job.confirmed_by, job.finished_at, job.problem, job.progress = confirmed_by, None, None, None
    session.flush()
    return find_job(session, job_id)


def cancel(session: Session, job_id: str) -> JobInfo:
    """Cancel a job: at once while it waits, at the next batch of rows while it runs.

    Raises
    ------
    UnknownName
        There is no such job.
    CheckFailed
        It has ended.
    """
    job = locked_job(session, job_id)
    if job.state in BUSY:
        job.stop_asked = True
    elif job.state in ("queued", "checked"):
        job.state = "cancelled"
        job.finished_at = session.scalar(select(func.now()))
    else:
        raise CheckFailed(f"the job has ended: {job.state}", where="job")
    session.flush()
    return find_job(session, job_id)


def current_version(session: Session, layer_id: str) -> int | None:
    """Return the id of the version that a layer shows; ``None`` where it was never loaded."""
    return session.scalar(
        select(tables.Layer.current_version_id).where(tables.Layer.id == layer_id)
    )


def locked_job(session: Session, job_id: str) -> tables.LoadJob:
    """Return a job's row, locked until the end of the transaction.

    Raises
    ------
    UnknownName
        There is none of this id.
    """
    asked = select(_Job).where(_Job.id == job_id).with_for_update()
    job = session.scalar(asked.execution_options(populate_existing=True))
    if job is None:
        raise _unknown(job_id)
    return job


def _unknown(job_id: str) -> UnknownName:
    return UnknownName(
        f"there is no job '{job_id[:80]}'",
        where="job",
        remedy="finished jobs are removed after a while; ask again with POST /api/jobs",
    )


def _not_confirmable(job: tables.LoadJob) -> CheckFailed:
    if job.phase == "load":
        return CheckFailed(
            f"the job was confirmed before: {job.state}",
            where="job",
            remedy="see GET /api/jobs/ID for what came of it",
        )
    if job.state in ("queued", "running"):
        return CheckFailed(
            "the check has not ended", where="job", remedy="wait until its state is 'checked'"
        )
    remedies = {
        "refused": "correct the file, or confirm with what the report asks for, such as "
        "accept_crs or partial",
        "failed": "ask for the check again with POST /api/jobs",
        "cancelled": "ask for the check again with POST /api/jobs",
    }
    return CheckFailed(
        f"there is nothing to load: the check ended as {job.state}",
        where="job",
        remedy=remedies.get(job.state, ""),
    )


def _read(session: Session, wanted: Any, *, limit: int, offset: int = 0) -> list[JobInfo]:
    version = tables.LayerVersion
    asked = (
        select(_Job, tables.Upload, version.number, _writing_up())
        .join(tables.Upload, tables.Upload.id == _Job.upload_id)
        .outerjoin(version, version.id == _Job.version_id)
        .where(wanted)
        .order_by(_Job.created_at.desc(), _Job.id)
        .limit(limit)
        .offset(offset)
        .execution_options(populate_existing=True)
    )
    return [_info(*row) for row in session.execute(asked)]


def _writing_up() -> Any:
    # Kept, but its worker still writes the report: "done" now would come with that of the check.
    age = func.clock_timestamp() - _Job.heartbeat
    alive = and_(_Job.worker.isnot(None), age < func.make_interval(0, 0, 0, 0, 0, 0, _ALIVE_S))
    return and_(_Job.state == "done", alive)


def _info(
    job: tables.LoadJob, upload: tables.Upload, number: int | None, writing_up: bool | None
) -> JobInfo:
    return JobInfo(
        id=job.id,
        layer_id=job.layer_id,
        upload=upload_info(upload),
        options=job.options,
        phase="load" if job.phase == "load" else "check",
        state="loading" if writing_up else job.state,
        asked_by=job.asked_by,
        confirmed_by=job.confirmed_by,
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        tries=job.tries,
        stop_asked=job.stop_asked,
        progress=job.progress,
        summary=job.summary,
        problem=job.problem,
        checked_against=job.checked_against,
        version_id=job.version_id,
        version_number=number,
    )
