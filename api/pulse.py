"""The heartbeat of a job that is worked on."""

from __future__ import annotations

import threading
from dataclasses import asdict

from geoplan.errors import GeoPlanError
from geoplan.store import job_work
from geoplan.store.serve.database import Engine
from geoplan.store.session import transaction
from geoplan.studies.delivery_options import Progress

__all__ = ["Pulse"]


class Pulse:
    """A job's heartbeat: tells the table how far it is, and learns whether it shall stop.

    Parameters
    ----------
    engine : Engine
        The database.
    job_id, worker : str
        The job, and who has it.
    seconds : float, s
        Between two beats.

    Attributes
    ----------
    cancelled : bool
        Somebody cancelled the job.
    lost : bool
        Another worker has it now.
    """

    def __init__(self, engine: Engine, job_id: str, worker: str, seconds: float) -> None:
        self._engine, self._job, self._worker, self._seconds = engine, job_id, worker, seconds
        self._ended = threading.Event()
        self._told: Progress | None = None
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
        self.cancelled = False
        self.lost = False

    def __enter__(self) -> Pulse:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def tell(self, progress: Progress) -> None:
        """Remember how far the work is, for the next beat."""
        self._told = progress

    def end(self) -> None:
        """Beat no more."""
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            told = self._told
            try:
                with transaction(self._engine) as session:
                    answer = job_work.beat(
                        session,
                        self._job,
                        worker=self._worker,
                        progress=None if told is None else asdict(told),
                    )
            except GeoPlanError:
                continue  # the work itself will meet the same trouble, or it passes
            self.lost = answer is None
            self.cancelled = bool(answer)
