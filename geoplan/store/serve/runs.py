"""What a run recorded, beside what :mod:`geoplan.store.read` lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from geoplan.errors import UnknownName
from geoplan.store.read import RunRow, run, runs
from geoplan.store.serve.database import Reading
from geoplan.store.tables import Run, RunStudy

__all__ = ["RunRow", "recorded_profile", "run", "runs", "studies", "study"]


def recorded_profile(reading: Reading, run_id: str) -> Any:
    """Return the profile as the run's document holds it; ``None`` where it holds none."""
    return reading.scalar(select(Run.document[("profile", "document")]).where(Run.id == run_id))


def studies(reading: Reading, run_id: str) -> list[str]:
    """Return the names of the studies that a run holds, in order."""
    names = select(RunStudy.name).where(RunStudy.run_id == run_id).order_by(RunStudy.name)
    return [str(name) for name in reading.scalars(names)]


def study(reading: Reading, run_id: str, name: str) -> dict[str, Any]:
    """Return what a study of a run found.

    Raises
    ------
    UnknownName
        The run holds no such study.
    """
    where = (RunStudy.run_id == run_id) & (RunStudy.name == name)
    found = reading.scalar(select(RunStudy.document).where(where))
    if found is None:
        known = studies(reading, run_id)
        raise UnknownName(
            f"the run holds no study '{name[:80]}'",
            where="studies",
            remedy=f"it holds: {', '.join(known) or 'none'}; ask for it in the scenario",
        )
    return dict(found)
