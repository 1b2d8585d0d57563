"""Settings: small frozen groups, read once by the command line; never at import."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import InputError, RangeError

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where GeoPlan keeps things and what it connects to.

    Parameters
    ----------
    home : Path
        Private folder: database cluster, rasters, runs (``GEOPLAN_HOME``; default ``.geoplan``
        in the working directory).
    database_url : str or None
        ``GEOPLAN_DATABASE_URL``; ``None`` means the private cluster.
    layers_dir : Path or None
        Extra catalogue folder (``GEOPLAN_LAYERS_DIR``).
    runs_dir : Path
        Where run folders are written (``GEOPLAN_RUNS_DIR``; default ``<home>/runs``).
    profile : str or None
        Profile that the map opens with (``GEOPLAN_PROFILE``).
    upload_mb : float, MB
        Largest file that the service takes (``GEOPLAN_UPLOAD_MB``; default 4,000).
    keep_days : float, days
        How long the service keeps files that were sent to it, with the reports of their checks
        (``GEOPLAN_KEEP_DAYS``; default 30).
    """

    home: Path
    database_url: str | None = None
    layers_dir: Path | None = None
    runs_dir: Path = Path("runs")
    profile: str | None = None
    upload_mb: float = 4_000.0
    keep_days: float = 30.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from environment variables."""
        env = os.environ if environ is None else environ
        home = Path(env.get("GEOPLAN_HOME") or ".geoplan").absolute()
        url = env.get("GEOPLAN_DATABASE_URL") or None
        if url is not None and not url.startswith(("postgresql://", "postgres://", "postgresql+")):
            raise InputError(
                "GEOPLAN_DATABASE_URL is not a PostgreSQL address",
                where="GEOPLAN_DATABASE_URL",
                remedy="write postgresql://user:password@host:port/database, or unset it",
            )
        layers = env.get("GEOPLAN_LAYERS_DIR")
        runs = env.get("GEOPLAN_RUNS_DIR")
        return cls(
            home=home,
            database_url=url,
            layers_dir=Path(layers).absolute() if layers else None,
            runs_dir=Path(runs).absolute() if runs else home / "runs",
            profile=env.get("GEOPLAN_PROFILE") or None,
            upload_mb=_positive(env, "GEOPLAN_UPLOAD_MB", 4_000.0),
            keep_days=_positive(env, "GEOPLAN_KEEP_DAYS", 30.0),
        )

    @property
    def rasters_dir(self) -> Path:
        """Where Cloud-Optimised GeoTIFFs of loaded layers lie."""
        return self.home / "rasters"

    @property
    def uploads_dir(self) -> Path:
        """Where files lie that were sent to the service, each in a folder of its own."""
        return self.home / "uploads"

    @property
    def jobs_dir(self) -> Path:
        """Where the reports of checks and loads lie, each job's in a folder of its own."""
        return self.home / "jobs"


def _positive(env: Mapping[str, str], name: str, default: float) -> float:
    given = env.get(name)
    if not given:
        return default
    try:
        value = float(given)
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise RangeError(
            f"{name} is '{given[:40]}', not a number above 0",
            where=name,
            remedy=f"give a number, or unset it for {default:g}",
        )
    return value
