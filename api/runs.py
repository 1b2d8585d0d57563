"""Tell runs: their rows and the document that each carries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from api.labels import dicts, label, number
from api.schemas import RunDetail, RunSummary
from geoplan.store.serve.database import Reading
from geoplan.store.serve.runs import RunRow, run, runs, studies

__all__ = ["read_run", "read_runs", "run_files"]


def _summary(row: RunRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "scenario_id": row.scenario_id,
        "title": label({"en": row.title_en, "local": row.title_local}),
        "status": row.status,
        "created_at": row.created_at.isoformat(),
        "synthetic": row.synthetic,
        "assumed": row.assumed,
        "sites": row.sites,
        "candidates": row.candidates,
    }


def read_runs(reading: Reading) -> list[RunSummary]:
    """Return all runs, newest first."""
    return [RunSummary(**_summary(row)) for row in runs(reading)]


def read_run(reading: Reading, run_id: str, **addresses: Any) -> RunDetail:
    """Return one run with its solver, timings, warnings and files; ``UnknownName`` if none."""
    row = run(reading, run_id)
    document: Mapping[str, Any] = row.document or {}
    solver = document.get("solver") or {}
    return RunDetail(
        **_summary(row),
        hash=row.hash,
        objective=number(solver.get("objective")),
        bound=number(solver.get("bound")),
        gap=number(solver.get("gap")),
        timings=dicts(document.get("timings")),
        warnings=[label(x) for x in document.get("warnings") or []],
        assumptions=[label(x) for x in document.get("assumptions") or []],
        limits=dict(document.get("limits") or {}),
        criteria=[
            {**c, "title": label(c.get("title")).model_dump()}
            for c in dicts(document.get("criteria"))
        ],
        relaxations=dicts(document.get("relaxations")),
        files=sorted(_files(document)),
        studies=studies(reading, run_id),
        **addresses,
    )


def run_files(reading: Reading, run_id: str) -> tuple[Path, dict[str, str | None]]:
    """Return a run's folder, and its files with their sha256 where the document has one."""
    row = run(reading, run_id)
    return row.folder, _files(row.document or {})


def _files(document: Mapping[str, Any]) -> dict[str, str | None]:
    files = document.get("files") or {}
    if isinstance(files, Mapping):
        return {str(k): str(v) if v else None for k, v in files.items()}
    return {str(name): None for name in files}
