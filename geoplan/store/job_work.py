"""How a worker takes a job, says that it lives, and enters what came of it.

Every change of state is one statement or one locked row, so that two workers never have the same
job. :func:`settle` makes "loaded" part of the load's own transaction: a load is kept exactly once,
whatever is killed when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import and_, case, func, or_, select, update
from sqlalchemy.orm import Session

from geoplan.errors import Stopped
from geoplan.store import tables
from geoplan.store.copy import plain
from geoplan.store.job import BUSY, JobInfo, current_version, find_job, locked_job

__all__ = ["beat", "busy_workers", "claim", "finish", "give_up", "hand_back", "settle"]

_Job = tables.LoadJob


def busy_workers(session: Session) -> list[str]:
    """Return the workers that have a job now, as they entered themselves."""
    asked = (
        select(_Job.worker)
        .where(_Job.state.in_((*BUSY, "done")), _Job.worker.isnot(None))
        .distinct()
    )
    return [str(w) for w in session.scalars(asked)]


def give_up(
    session: Session, *, dead: Sequence[str], stale_s: float, tries: int, problem: Mapping[str, Any]
) -> int:
    """End the jobs whose worker is gone and that nobody shall take up; return how many.

    These are the jobs that workers died of ``tries`` times, and those that were cancelled.
    """
    # What was kept stays kept; only the summary of these is missing.
    session.execute(
        update(_Job)
        .where(_Job.state == "done", _Job.worker.in_(dead))
        .values(worker=None, heartbeat=None, progress=None)
    )
    gone = _abandoned(dead, stale_s)
    ended = {"worker": None, "heartbeat": None, "progress": None, "finished_at": func.now()}
    stopped = session.execute(
        update(_Job).where(gone, _Job.stop_asked).values(state="cancelled", **ended)
    )
    failed = session.execute(
        update(_Job)
        .where(gone, _Job.tries >= tries)
        .values(state="failed", problem=dict(problem), **ended)
    )
    return int(stopped.rowcount + failed.rowcount)  # type: ignore[attr-defined]


def claim(
    session: Session, *, worker: str, place: str, dead: Sequence[str] = (), stale_s: float = 60.0
) -> JobInfo | None:
    """Take the oldest job that waits, or whose worker is gone; ``None`` where there is none.

    Parameters
    ----------
    worker : str
        Who takes it.
    place : str
        Only jobs whose file is here.
    dead : sequence of str
        Workers that are known to be gone; others are gone once their heartbeat is old.
    stale_s : float, s
        Age at which a heartbeat is old.
    """
    free = (
        select(_Job.id)
        .join(tables.Upload, and_(tables.Upload.id == _Job.upload_id, tables.Upload.place == place))
        .where(or_(_Job.state == "queued", _abandoned(dead, stale_s)))
        .order_by(_Job.created_at, _Job.id)
        .limit(1)
        .with_for_update(of=_Job, skip_locked=True)
    )
    job_id = session.scalar(free)
    if job_id is None:
        return None
    job = session.get_one(_Job, job_id, populate_existing=True)
    job.state = "loading" if job.phase == "load" else "running"
    job.worker = worker
    job.tries += 1
    job.progress = None
    job.heartbeat = session.scalar(select(func.clock_timestamp()))
    job.started_at = job.started_at or job.heartbeat
    if job.phase == "check":
        # Before the file is read: what changes meanwhile has changed since the check.
        job.checked_against = current_version(session, job.layer_id)
    session.flush()
    return find_job(session, job_id)


def beat(
    session: Session, job_id: str, *, worker: str, progress: Mapping[str, Any] | None
) -> bool | None:
    """Say that a job is worked on and how far it is; return whether it shall stop.

    A job that :func:`settle` has made ``done`` is the worker's until :func:`finish`.

    Returns
    -------
    bool or None
        Whether somebody cancelled it; ``None`` where the worker does not have the job any more.
    """
    return session.scalar(
        update(_Job)
        .where(_mine(job_id, worker, "done"))
        .values(
            heartbeat=func.clock_timestamp(),
            progress=None if progress is None else plain(dict(progress)),
        )
        .returning(_Job.stop_asked)
    )


def hand_back(session: Session, job_id: str, *, worker: str, counted: bool = False) -> None:
    """Put a job back into the queue, unless it was cancelled meanwhile.

    Parameters
    ----------
    counted : bool
        The try counts towards giving up.
    """
    session.execute(
        update(_Job)
        .where(_mine(job_id, worker))
        .values(
            state=case((_Job.stop_asked, "cancelled"), else_="queued"),
            finished_at=case((_Job.stop_asked, func.now())),
            worker=None,
            heartbeat=None,
            progress=None,
            tries=_Job.tries if counted else func.greatest(_Job.tries - 1, 0),
        )
    )


def finish(
    session: Session,
    job_id: str,
    *,
    worker: str,
    state: Literal["checked", "done", "refused", "failed", "cancelled"],
    summary: Mapping[str, Any] | None = None,
    problem: Mapping[str, Any] | None = None,
    version_id: int | None = None,
) -> bool:
    """Enter what came of a job; return whether the worker still had it.

    A job that :func:`settle` has made ``done`` gets its summary, and stays done.
    """
    values: dict[str, Any] = {
        "state": state,
        "heartbeat": None,
        "worker": None,
        "progress": None,
        "problem": None if problem is None else plain(dict(problem)),
        "finished_at": func.now(),
    }
    if summary is not None:
        values["summary"] = plain(dict(summary))
    if version_id is not None:
        values["version_id"] = version_id
    mine = _mine(job_id, worker, "done") if state == "done" else _mine(job_id, worker)
    done = session.execute(update(_Job).where(mine).values(**values))
    return bool(done.rowcount)  # type: ignore[attr-defined]


def settle(session: Session, job_id: str, version_id: int) -> None:
    """Make a job ``done`` inside the transaction of its load: both are kept, or neither.

    Call it last before the end of the transaction. The row stays locked until then: of two that
    would load for the same job, the second waits, finds it done, and is rolled back.

    Raises
    ------
    Stopped
        The job was cancelled, or is loaded already; roll back.
    UnknownName
        There is no such job.
    """
    job = locked_job(session, job_id)
    if job.state != "loading" or job.stop_asked:
        raise Stopped(
            f"the job is {'cancelled' if job.stop_asked else job.state}; nothing was kept",
            where="job",
        )
    job.state = "done"
    job.version_id = version_id
    job.finished_at = session.scalar(select(func.clock_timestamp()))
    session.flush()


def _mine(job_id: str, worker: str, *more: str) -> Any:
    return and_(_Job.id == job_id, _Job.worker == worker, _Job.state.in_((*BUSY, *more)))


def _abandoned(dead: Sequence[str], stale_s: float) -> Any:
    age = func.make_interval(0, 0, 0, 0, 0, 0, stale_s)
    old = _Job.heartbeat < func.clock_timestamp() - age
    return and_(_Job.state.in_(BUSY), or_(old, _Job.heartbeat.is_(None), _Job.worker.in_(dead)))
