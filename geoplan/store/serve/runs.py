"""What a run recorded, beside what :mod:`geoplan.store.read` lists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from geoplan.store.read import RunRow, run, runs
from geoplan.store.serve.database import Reading
from geoplan.store.tables import Run

__all__ = ["RunRow", "recorded_profile", "run", "runs"]


def recorded_profile(reading: Reading, run_id: str) -> Any:
    """Return the profile as the run's document holds it; ``None`` where it holds none."""
    return reading.scalar(select(Run.document[("profile", "document")]).where(Run.id == run_id))
