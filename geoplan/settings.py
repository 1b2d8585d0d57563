"""Settings: small frozen groups, read once by the command line; never at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geoplan.errors import InputError

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
    """

    home: Path
    database_url: str | None = None
    layers_dir: Path | None = None
    runs_dir: Path = Path("runs")
    profile: str | None = None

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
        )

    @property
    def rasters_dir(self) -> Path:
        """Where Cloud-Optimised GeoTIFFs of loaded layers lie."""
        return self.home / "rasters"
