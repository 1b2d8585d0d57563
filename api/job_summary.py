"""An inspection as the few lines that a person needs before confirming."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from api.labels import label, number
from geoplan.catalogue.checks import DEFECTS
from geoplan.ingest.inspection import Inspection

__all__ = ["summary_of"]

_PROBLEMS = 100  # lines; the report has all
_GRAVITY = ("error", "warning", "repaired", "info")


def summary_of(found: Inspection) -> dict[str, Any]:
    """Return what was found, as :class:`api.job_answers.JobSummary` has it."""
    tallies = sorted(
        found.tallies.items(), key=lambda item: (_GRAVITY.index(item[1].severity), item[0])
    )
    problems = sorted(found.problems, key=lambda p: _GRAVITY.index(p.severity))
    return {
        "file": found.file,
        "sha256": found.sha256,
        "layer": found.layer,
        "title": label(found.title.model_dump()).model_dump(),
        "format": found.source.format,
        "crs": found.crs,
        "crs_how": found.crs_how,
        "crs_evidence": None if found.evidence is None else asdict(found.evidence),
        "encoding": found.source.encoding,
        "rows_read": found.rows_read,
        "rows_good": found.rows_good,
        "rows_refused": found.rows_refused,
        "errors": found.errors,
        "defects": [
            {
                "code": code,
                "title": _title(code),
                "severity": tally.severity,
                "count": tally.count,
                "area_m2": number(tally.area_m2),
            }
            for code, tally in tallies
        ],
        "problems": [asdict(p) for p in problems[:_PROBLEMS]],
        "problems_left_out": max(0, len(problems) - _PROBLEMS),
        "repairs": len(found.repairs),
        "columns": [
            {"field": field, "source": source, "type": kind}
            for field, source, kind in found.columns
        ],
        "unused": list(found.unused),
        "synthetic": found.synthetic,
        "seconds": found.seconds,
    }


def _title(code: str) -> dict[str, str | None]:
    known = DEFECTS.get(code)
    if known is None:
        return {"en": code.replace("-", " ").capitalize(), "local": None}
    return label(known.title.model_dump()).model_dump()
