"""The jobs that a recorded plan brings to regions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from geoplan.catalogue.text import Text
from geoplan.errors import FileMissing, InputError, Problem
from geoplan.siting.sentences import both
from geoplan.studies.record import read_document

__all__ = ["PlanJobs", "plan_jobs"]


@dataclass(frozen=True, eq=False)
class PlanJobs:
    """Chosen sites of a run with their jobs and regions.

    Parameters
    ----------
    run_id, run_hash, profile_id : str
        Of the run's record.
    frame : DataFrame
        ``site_id``, ``jobs`` (persons), ``region1_code`` … as text.
    """

    run_id: str
    run_hash: str
    profile_id: str
    frame: pd.DataFrame

    @property
    def sites(self) -> int:
        """Number of chosen sites."""
        return len(self.frame)

    def by_region(self, level: int) -> pd.Series:
        """Return the jobs by region of a level; sites without such a region are left out."""
        column = f"region{level}_code"
        if column not in self.frame.columns:
            return pd.Series(dtype="float64")
        return self.frame.groupby(column)["jobs"].sum()

    def problems(self, regions: pd.DataFrame, level: int) -> list[Problem]:
        """Return why these jobs cannot be added to the regions of a level."""
        column = f"region{level}_code"
        if column not in self.frame.columns or self.frame[column].isna().all():
            if self.frame.empty:
                return []
            return [Problem("--run", f"the run's sites have no region of level {level}",
                            "choose a level that the run knew", code="run-level")]  # fmt: skip
        known = set(regions.loc[regions["level"] == level, "code"])
        strange = sorted(set(self.frame[column].dropna()) - known)
        if strange:
            return [Problem("--run", f"the run names region {', '.join(strange[:5])}, which is "
                            "not loaded", "load the regions that the run was made with, or make "
                            "the run again", code="run-region")]  # fmt: skip
        return []

    def notices(self, level: int) -> list[Text]:
        """Return what of the plan is not counted."""
        column = f"region{level}_code"
        out = []
        lost = 0 if column not in self.frame.columns else int(self.frame[column].isna().sum())
        if lost:
            out.append(both("{count} sites lie in no region of this level; their jobs are not "
                            "counted",
                            "{count} سایت در هیچ منطقه‌ای از این سطح نیست و شغل‌هایش شمرده نشد",
                            count=lost))  # fmt: skip
        without = int(self.frame["jobs"].isna().sum())
        if without:
            out.append(both("the jobs of {count} sites are not known and count as none",
                            "شغل‌های {count} سایت معلوم نیست و صفر شمرده شده است",
                            count=without))  # fmt: skip
        return out

    def record(self) -> dict[str, Any]:
        """Return what identifies the plan, for a document."""
        return {"run_id": self.run_id, "hash": self.run_hash, "sites": self.sites,
                "jobs": float(self.frame["jobs"].sum())}  # fmt: skip


def plan_jobs(folder: Path, *, profile_id: str) -> PlanJobs:
    """Return the chosen sites of a run folder.

    Raises
    ------
    FileMissing, InputError
        It is no run folder, its table is damaged, or the run is of another country.
    """
    document = read_document(folder)
    of = str((document.get("profile") or {}).get("id") or "")
    if of != profile_id:
        raise InputError(
            f"the run is of profile '{of}', not '{profile_id}'",
            where=str(folder),
            remedy=f"use --profile {of}, or name a run of '{profile_id}'",
        )
    path = folder / "portfolio.csv"
    if not path.is_file():
        raise FileMissing("the run has no portfolio.csv", where=str(folder),
                          remedy="run the scenario again")  # fmt: skip
    try:
        frame = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
        frame = frame.replace("", pd.NA)
        regions = [c for c in frame.columns if c.startswith("region") and c.endswith("_code")]
        out = pd.DataFrame(frame[["site_id", *regions]])
        out["jobs"] = pd.to_numeric(frame["jobs"]).astype("float64")
    except (KeyError, ValueError) as error:
        raise InputError(
            f"portfolio.csv cannot be read: {error}", where=str(path),
            remedy="run the scenario again",
        ) from error  # fmt: skip
    return PlanJobs(str(document["run_id"]), str(document.get("hash") or ""), of, out)
