"""Run a recorded scenario again and compare what comes out, byte for byte."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from geoplan.catalogue import Catalogue, Profile, Scenario
from geoplan.errors import InputError
from geoplan.studies.record import read_document
from geoplan.studies.steps import Progress, silent

__all__ = ["ASKED", "REPLAYED", "ReplayReport", "ReplayedFile", "replay_run"]

REPLAYED = ("ranking.csv", "portfolio.csv", "supply.csv", "sources.csv", "exclusions.csv")
"""Files of every run whose bytes must not change; pictures and timings may."""

ASKED = (
    "exclusions_by_region.csv", "regions.csv", "methods.csv", "smaa.csv", "pareto.csv",
    "alternatives.csv", "trade_offs.csv", "suitability.tif", "exclusions.tif", "decisive.tif",
)  # fmt: skip
"""The same, of the runs that recorded them."""


@dataclass(frozen=True, slots=True)
class ReplayedFile:
    """One file and its sha256 as recorded and as it came out again."""

    name: str
    recorded: str
    replayed: str

    @property
    def same(self) -> bool:
        """Whether the bytes are the same."""
        return self.recorded == self.replayed


@dataclass(frozen=True)
class ReplayReport:
    """Whether a run came out the same again.

    Parameters
    ----------
    identical : bool
        Every one of the files has the same sha256.
    files : tuple of ReplayedFile
        One per name of `REPLAYED`, and of `ASKED` where the run recorded it.
    """

    identical: bool
    files: tuple[ReplayedFile, ...]


def replay_run(
    engine: Engine,
    catalogue: Catalogue,
    folder: Path,
    *,
    progress: Progress = silent,
) -> ReplayReport:
    """Run the scenario and profile recorded in ``folder`` again, on the same layer data.

    Raises
    ------
    InputError
        A layer that the run read has other data now; its name and both checksums are told.
    """
    from geoplan.studies.site import compute_and_write

    document = read_document(folder)
    scenario = Scenario.model_validate(document["scenario"])
    profile = Profile.model_validate(document["profile"]["document"])
    with tempfile.TemporaryDirectory(prefix="geoplan-replay-") as work:
        again = Path(work) / "run"
        again.mkdir()
        compute_and_write(
            engine,
            catalogue,
            scenario,
            profile,
            again,
            run_id=str(document["run_id"]),
            expected={k: str(v.get("sha256")) for k, v in document["layers"].items()},
            progress=progress,
        )
        files: list[ReplayedFile] = []
        recorded_too = [name for name in ASKED if name in (document.get("files") or {})]
        for name in (*REPLAYED, *recorded_too):
            if not (folder / name).is_file():
                raise InputError(
                    f"'{name}' is missing", where=str(folder), remedy="run the scenario again"
                )
            recorded = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            replayed = hashlib.sha256((again / name).read_bytes()).hexdigest()
            files.append(ReplayedFile(name, recorded, replayed))
    return ReplayReport(all(f.same for f in files), tuple(files))
