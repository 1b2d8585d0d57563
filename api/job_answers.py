"""What the routes of uploads and jobs take and answer."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas import Answer, Label, ProblemBody
from geoplan.studies.delivery_options import DeliveryOptions

__all__ = [
    "ConfirmRequest",
    "DefectLine",
    "JobAnswer",
    "JobPage",
    "JobProgress",
    "JobRequest",
    "JobSummary",
    "JobVersion",
    "State",
    "UploadAnswer",
]

State = Literal["queued", "running", "checked", "loading", "done", "refused", "failed", "cancelled"]


class Asked(BaseModel):
    """Base of what a client sends; an unknown name is a mistake, not a wish to be ignored."""

    model_config = ConfigDict(extra="forbid")


class UploadAnswer(Answer):
    """A file that was sent."""

    id: str
    name: str = Field(description="Its name here: the last component, without control characters")
    bytes: int
    sha256: str
    sent_by: str
    created_at: str


class JobRequest(Asked):
    """Check an uploaded file for a layer, or load it at once."""

    upload: str = Field(
        min_length=1,
        max_length=100,
        pattern=r"^[^\x00-\x1f\x7f]+$",
        description="Id of the upload",
    )
    action: Literal["check", "load"] = Field(
        "check", description="check: report, then wait for the confirmation; load: both at once"
    )
    options: DeliveryOptions


class ConfirmRequest(Asked):
    """Load what was checked."""

    accept_crs: bool = Field(False, description="Take the CRS that the report proposes")
    partial: bool = Field(False, description="Store the good rows, put the others in quarantine")
    anyway: bool = Field(
        False, description="Load even though the layer has a newer version than at the check"
    )


class JobProgress(Answer):
    """How far a job is."""

    step: str
    share: float = Field(description="Share of the whole that is done, 0–1")
    rows_done: int
    rows_total: int | None = Field(description="Where the file knows")
    rows_per_s: float | None
    seconds_left: float | None


class DefectLine(Answer):
    """How often one defect was found."""

    code: str
    title: Label
    severity: str
    count: int
    area_m2: float | None


class JobSummary(Answer):
    """What was found in the file; the report has each finding."""

    # It was written by the GeoPlan that did the work, which may have been another version.
    model_config = ConfigDict(extra="ignore")

    file: str
    sha256: str
    layer: str
    title: Label
    format: str
    crs: str
    crs_how: str = Field(description="declared, option or proposed")
    crs_evidence: dict[str, Any] | None = Field(
        description="crs, declared, reason, swap_axes, inside_share, declared_share, others"
    )
    encoding: str | None
    rows_read: int
    rows_good: int
    rows_refused: int
    errors: int = Field(description="Findings that stop a load")
    defects: list[DefectLine]
    problems: list[dict[str, Any]] = Field(
        description="Of the file or a column: where, what, remedy, severity, code, count"
    )
    problems_left_out: int
    repairs: int
    columns: list[dict[str, str]] = Field(description="field, source, type")
    unused: list[str] = Field(description="Columns of the file that no field takes")
    synthetic: bool
    seconds: float
    files: list[str] = Field(default_factory=list, description="Files of the report")
    report_problem: str | None = Field(None, description="Why the report could not be written")
    rows_stored: int | None = Field(None, description="After a load")
    unchanged: bool | None = Field(None, description="The layer showed just this already")
    quarantine: str | None = Field(None, description="Name under which refused rows are kept")


class JobVersion(Answer):
    """The version that a load made."""

    id: int
    number: int | None


class JobAnswer(Answer):
    """A job."""

    id: str
    state: State
    action: Literal["check", "load"] = Field(description="What it does now or did last")
    layer: str
    upload: UploadAnswer
    options: dict[str, Any]
    asked_by: str
    confirmed_by: str | None
    stopping: bool = Field(description="Cancelled, but still at work until the next batch")
    created_at: str
    started_at: str | None
    finished_at: str | None
    progress: JobProgress | None
    summary: JobSummary | None
    problem: ProblemBody | None = Field(description="Why it was refused or failed")
    version: JobVersion | None
    links: dict[str, str] = Field(description="What can be asked or done next, by name")


class JobPage(Answer):
    """A page of jobs, newest first."""

    total: int
    offset: int
    limit: int
    items: list[JobAnswer]
