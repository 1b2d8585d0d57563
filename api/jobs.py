"""The worker: runs queued checks and loads in a thread of the server, one at a time."""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
import time
from pathlib import Path
from typing import Any, Literal

from api.delivery import Delivery, Loaded, Work
from api.errors import problem_of
from api.job_summary import summary_of
from api.presence import Presence
from api.pulse import Pulse
from api.uploads import Uploads, remove_unknown
from geoplan.errors import (
    AnswerNo,
    CheckFailed,
    DatabaseLost,
    FileMissing,
    InputError,
    Stopped,
    Unavailable,
)
from geoplan.ingest.inspection import Inspection
from geoplan.settings import Settings
from geoplan.store import job_work
from geoplan.store.job import JobInfo
from geoplan.store.serve.database import Database, Engine
from geoplan.store.session import transaction
from geoplan.store.upload import known_uploads, remove_old
from geoplan.studies.delivery_options import DeliveryOptions

__all__ = ["Pace", "Worker"]

_log = logging.getLogger("geoplan.jobs")

_SWEEP_S = 3600.0
End = Literal["checked", "done", "refused", "failed", "cancelled"]


class Pace:
    """How often a worker looks, beats and gives up; tests are in more of a hurry.

    Parameters
    ----------
    poll_s, beat_s, stale_s : float, s
        Between two looks for a job; between two heartbeats; age at which a heartbeat is old.
    tries : int
        Workers that may die of a job before it is given up.
    """

    __slots__ = ("beat_s", "poll_s", "stale_s", "tries")

    def __init__(
        self, *, poll_s: float = 1.0, beat_s: float = 1.0, stale_s: float = 60.0, tries: int = 3
    ) -> None:
        self.poll_s, self.beat_s, self.stale_s, self.tries = poll_s, beat_s, stale_s, tries


class Worker:
    """Takes jobs from the table and does them, until told to stop.

    Parameters
    ----------
    settings : Settings
        Folders, and how long things are kept.
    database : Database
        Where the jobs are.
    uploads : Uploads
        Where the files are.
    delivery : Delivery
        What is done with them.
    pace : Pace, optional
        How often it looks.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        uploads: Uploads,
        delivery: Delivery,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._settings = settings
        self._database = database
        self._uploads = uploads
        self._delivery = delivery
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._swept = -_SWEEP_S
        self.name = secrets.token_hex(8)

    def start(self) -> None:
        """Start looking for jobs, unless it does so already; also after :meth:`stop`."""
        self._stopping.clear()
        self.wake()

    def wake(self) -> None:
        """Look for a job now: one was queued."""
        self._wake.set()
        with self._lock:
            asleep = self._thread is None or not self._thread.is_alive()
            if asleep and not self._stopping.is_set():
                # Daemon: a worker that cannot stop must not keep the server from ending; another
                # one takes its job up.
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()

    def stop(self, *, seconds: float = 20.0) -> None:
        """Stop at the next batch of rows and hand the job back; wait for it at most ``seconds``."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with Presence(self._settings.jobs_dir, self.name) as presence:
                self._loop(presence)
        except OSError:
            _log.exception("no job is taken: %s cannot be used", self._settings.jobs_dir)

    def _loop(self, presence: Presence) -> None:
        while not self._stopping.is_set():
            try:
                job = self._next(presence)
                if job is not None:
                    self._work(job)
                    continue
                self._sweep(presence)
            except Unavailable as error:
                _log.warning("jobs wait: %s", error.what)
                self._stopping.wait(self._pace.poll_s * 2)
            except Exception:  # noqa: BLE001  (logged below)
                # Whatever it is, the next job gets its turn; this one is taken up again
                # when its heartbeat is old.
                _log.exception("unexpected error of the worker")
                self._stopping.wait(self._pace.poll_s * 2)
            self._wake.wait(self._pace.poll_s)
            self._wake.clear()

    def _next(self, presence: Presence) -> JobInfo | None:
        pace = self._pace
        with transaction(self._database.engine()) as session:
            dead = presence.dead(job_work.busy_workers(session))
            job_work.give_up(
                session, dead=dead, stale_s=pace.stale_s, tries=pace.tries, problem=_deadly(pace)
            )
            return job_work.claim(
                session,
                worker=self.name,
                place=self._uploads.place(),
                dead=dead,
                stale_s=pace.stale_s,
            )

    def _work(self, job: JobInfo) -> None:
        engine = self._database.engine()
        with Pulse(engine, job.id, self.name, self._pace.beat_s) as pulse:
            try:
                state, filled = self._do(engine, job, pulse)
            except Stopped:
                if not pulse.cancelled:
                    pulse.end()
                    if not pulse.lost:
                        with transaction(engine) as session:
                            job_work.hand_back(session, job.id, worker=self.name)
                    return
                state, filled = "cancelled", {}
            except DatabaseLost as error:
                pulse.end()
                _log.warning("job %s waits for the database: %s", job.id, error.what)
                if job.tries < self._pace.tries:
                    with transaction(engine) as session:
                        job_work.hand_back(session, job.id, worker=self.name, counted=True)
                    return
                state, filled = "failed", {"problem": _told(error)}
            except Exception as error:  # noqa: BLE001  (told in the job, logged if unknown)
                refused = isinstance(error, InputError | AnswerNo)
                state = "refused" if refused else "failed"
                filled = {"problem": _told(error)}
            pulse.end()
            with transaction(engine) as session:
                job_work.finish(session, job.id, worker=self.name, state=state, **filled)

    def _do(self, engine: Engine, job: JobInfo, pulse: Pulse) -> tuple[End, dict[str, Any]]:
        file = self._uploads.path(job.upload)
        if not file.is_file() or file.stat().st_size != job.upload.size:
            raise FileMissing(
                "the uploaded file is not here any more",
                where=job.upload.name,
                remedy="send it again with PUT /api/uploads, then ask for a new check",
            )
        work = Work(
            engine=engine,
            file=file,
            options=DeliveryOptions.model_validate(job.options),
            progress=pulse.tell,
            stop=lambda: self._stopping.is_set() or pulse.cancelled or pulse.lost,
            job_id=job.id,
            loaded_by=job.confirmed_by or job.asked_by,
        )
        if job.phase == "check":
            return self._check(work, job)
        return self._load(work, job)

    def _check(self, work: Work, job: JobInfo) -> tuple[End, dict[str, Any]]:
        found = self._delivery.check(work)
        if found.sha256 != job.upload.sha256:
            raise _changed(job)
        filled: dict[str, Any] = {"summary": self._report(job, found)}
        if found.errors and not work.options.partial:
            return "refused", {**filled, "problem": _refusal(found)}
        return "checked", filled

    def _load(self, work: Work, job: JobInfo) -> tuple[End, dict[str, Any]]:
        if _digest(work.file) != job.upload.sha256:
            raise _changed(job)
        try:
            loaded: Loaded = self._delivery.load(work)
        except (InputError, AnswerNo) as error:
            found = getattr(error, "inspection", None)
            if not isinstance(found, Inspection):
                raise
            return "refused", {"summary": self._report(job, found), "problem": _told(error)}
        found = loaded.inspection
        if loaded.version is None:
            return "refused", {"summary": self._report(job, found), "problem": _refusal(found)}
        told = {
            "rows_stored": loaded.rows_stored,
            "unchanged": loaded.unchanged,
            "quarantine": loaded.quarantine,
        }
        summary = {**self._report(job, found), **told}
        return "done", {"summary": summary, "version_id": loaded.version}

    def _report(self, job: JobInfo, found: Inspection) -> dict[str, Any]:
        folder = self._settings.jobs_dir / job.id
        summary = summary_of(found)
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._delivery.report(found, folder)
        except Exception as error:  # noqa: BLE001  (logged below)
            # The load stands or falls by its file, not by the space that its report finds.
            _log.exception("the report of job %s cannot be written", job.id)
            summary["report_problem"] = getattr(error, "what", type(error).__name__)
        written = folder.iterdir() if folder.is_dir() else ()
        summary["files"] = sorted(f.name for f in written if f.is_file())
        return summary

    def _sweep(self, presence: Presence) -> None:
        if time.monotonic() - self._swept < _SWEEP_S:
            return
        self._swept = time.monotonic()
        with transaction(self._database.engine()) as session:
            remove_old(session, days=self._settings.keep_days)
        with transaction(self._database.engine()) as session:
            uploads, jobs = known_uploads(session)
            presence.sweep(job_work.busy_workers(session))
        self._uploads.sweep(uploads)
        remove_unknown(self._settings.jobs_dir, jobs)


def _told(error: Exception) -> dict[str, Any]:
    return problem_of(error).model_dump(mode="json")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _changed(job: JobInfo) -> FileMissing:
    return FileMissing(
        "the uploaded file is not what was sent any more",
        where=job.upload.name,
        remedy="send it again with PUT /api/uploads, then ask for a new check",
    )


def _refusal(found: Inspection) -> dict[str, Any]:
    refusal = CheckFailed(
        f"{found.errors:,} errors stop this file; nothing was kept",
        where=found.file,
        remedy="the report lists them: correct the file, or ask for partial loading",
    )
    return _told(refusal)


def _deadly(pace: Pace) -> dict[str, Any]:
    gone = Unavailable(
        f"the server ended {pace.tries} times in the middle of this job",
        where="job",
        remedy="see the server's log; the file may need more memory than this machine has",
    )
    return _told(gone)
