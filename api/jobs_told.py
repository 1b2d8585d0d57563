"""Jobs and uploads as the service answers them."""

from __future__ import annotations

from datetime import datetime

from api.job_answers import (
    JobAnswer,
    JobProgress,
    JobSummary,
    JobVersion,
    UploadAnswer,
)
from api.schemas import ProblemBody
from geoplan.store.job import BUSY, JobInfo
from geoplan.store.upload import UploadInfo

__all__ = ["job_answer", "upload_answer"]


def upload_answer(upload: UploadInfo) -> UploadAnswer:
    """Return an upload as it is answered."""
    return UploadAnswer(
        id=upload.id,
        name=upload.name,
        bytes=upload.size,
        sha256=upload.sha256,
        sent_by=upload.sent_by,
        created_at=upload.created_at.isoformat(),
    )


def job_answer(job: JobInfo) -> JobAnswer:
    """Return a job as it is answered, with the addresses of what can be done next."""
    version = None
    if job.version_id is not None:
        version = JobVersion(id=job.version_id, number=job.version_number)
    return JobAnswer.model_validate(
        {
            "id": job.id,
            "state": job.state,
            "action": job.phase,
            "layer": job.layer_id,
            "upload": upload_answer(job.upload),
            "options": dict(job.options),
            "asked_by": job.asked_by,
            "confirmed_by": job.confirmed_by,
            "stopping": job.stop_asked and job.state in BUSY,
            "created_at": job.created_at.isoformat(),
            "started_at": _when(job.started_at),
            "finished_at": _when(job.finished_at),
            "progress": JobProgress.model_validate(job.progress) if job.progress else None,
            "summary": JobSummary.model_validate(job.summary) if job.summary else None,
            "problem": ProblemBody.model_validate(job.problem) if job.problem else None,
            "version": version,
            "links": _links(job),
        }
    )


def _links(job: JobInfo) -> dict[str, str]:
    own = f"/api/jobs/{job.id}"
    links = {"self": own}
    files = job.summary.get("files", []) if job.summary else []
    for name, path in (
        ("report", "report.json"),
        ("report_html", "report.html"),
        ("problems", "problems.gpkg"),
    ):
        if path in files:
            links[name] = f"{own}/{path.removesuffix('.json')}"
    if job.state == "checked":
        links["confirm"] = f"{own}/confirm"
    if job.state in (*BUSY, "queued", "checked"):
        links["cancel"] = f"{own}/cancel"
    if job.version_id is not None:
        links["layer"] = f"/api/layers/{job.layer_id}"
        links["history"] = f"/api/layers/{job.layer_id}/history"
    if job.summary and job.summary.get("quarantine"):
        links["quarantine"] = f"/api/quarantine/{job.summary['quarantine']}"
    return links


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
