"""What a job does with its file: the studies behind a seam that tests can replace."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from geoplan.catalogue import Catalogue
from geoplan.ingest.inspection import Inspection
from geoplan.settings import Settings
from geoplan.store.serve.database import Engine
from geoplan.studies.delivery_options import DeliveryOptions, Progress

__all__ = ["Delivery", "Loaded", "Studies", "Work"]


@dataclass(frozen=True, slots=True)
class Work:
    """One file to check or load.

    Parameters
    ----------
    engine : Engine
        The database.
    file : Path
        The file that was sent.
    options : DeliveryOptions
        How it is to be read and loaded.
    progress : callable
        Told how far the work is; cheap.
    stop : callable
        Whether the work shall end at the next batch, by :class:`geoplan.errors.Stopped`.
    job_id : str
        A load calls :func:`geoplan.store.job_work.settle` with it, last in its transaction.
    loaded_by : str
        Whose load it is.
    """

    engine: Engine
    file: Path
    options: DeliveryOptions
    progress: Callable[[Progress], None]
    stop: Callable[[], bool]
    job_id: str
    loaded_by: str


class Loaded(Protocol):
    """What came of a load."""

    @property
    def version(self) -> int | None:
        """Id of the version that the layer shows now; ``None``: refused, nothing was kept."""

    @property
    def rows_stored(self) -> int:
        """Rows of that version."""

    @property
    def inspection(self) -> Inspection:
        """What was found in the file."""

    @property
    def unchanged(self) -> bool:
        """The layer showed just this before; nothing was stored."""

    @property
    def quarantine(self) -> str | None:
        """Name under which refused rows are kept."""


class Delivery(Protocol):
    """Checks and loads files."""

    def check(self, work: Work) -> Inspection:
        """Read and check the file; nothing is kept."""

    def load(self, work: Work) -> Loaded:
        """Check and load the file in one transaction."""

    def report(self, inspection: Inspection, folder: Path) -> None:
        """Write ``report.json``, ``report.html`` and ``problems.gpkg`` into ``folder``."""


class Studies:
    """Checks and loads by :mod:`geoplan.studies.delivery`.

    Parameters
    ----------
    settings : Settings
        Where things are kept.
    catalogue : Catalogue
        Layers and profiles.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._catalogue = catalogue

    def check(self, work: Work) -> Inspection:
        """Read and check the file; nothing is kept."""
        # Imported here and below: a server that only shows a map starts without them.
        from geoplan.studies.delivery import check_delivery

        return check_delivery(
            work.engine,
            self._settings,
            self._catalogue,
            work.file,
            work.options,
            progress=work.progress,
            stop=work.stop,
        )

    def load(self, work: Work) -> Loaded:
        """Check and load the file in one transaction."""
        from geoplan.studies.delivery import load_delivery

        return load_delivery(
            work.engine,
            self._settings,
            self._catalogue,
            work.file,
            work.options,
            progress=work.progress,
            stop=work.stop,
            loaded_by=work.loaded_by,
            job_id=work.job_id,
        )

    def report(self, inspection: Inspection, folder: Path) -> None:
        """Write ``report.json``, ``report.html`` and ``problems.gpkg`` into ``folder``."""
        from geoplan.report.inspection_file import write_inspection

        made = datetime.now(UTC).date().isoformat()
        for name in ("report.html", "problems.gpkg", "report.json"):
            write_inspection(inspection, folder / name, language="fa", made=made)
