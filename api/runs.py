"""Read runs: rows of ``run`` and the document that each carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, func, select

from api.labels import dicts, label, number, texts
from api.schemas import RunDetail, RunSummary
from geoplan.errors import UnknownName
from geoplan.store.tables import Candidate, Run

__all__ = ["read_run", "read_runs", "run_files"]

_COUNTS = (
    select(
        Candidate.run_id,
        func.count().label("candidates"),
        func.count().filter(Candidate.in_portfolio).label("sites"),
    )
    .group_by(Candidate.run_id)
    .subquery()
)
_SUMMARY = select(
    Run.id,
    Run.hash,
    Run.scenario_id,
    Run.title_en,
    Run.title_local,
    Run.status,
    Run.created_at,
    Run.synthetic,
    Run.assumed,
    func.coalesce(_COUNTS.c.sites, 0).label("sites"),
    func.coalesce(_COUNTS.c.candidates, 0).label("candidates"),
).outerjoin(_COUNTS, _COUNTS.c.run_id == Run.id)


def _summary(row: Row[Any]) -> dict[str, Any]:
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


def read_runs(connection: Connection) -> list[RunSummary]:
    """Return all runs, newest first."""
    rows = connection.execute(_SUMMARY.order_by(Run.created_at.desc(), Run.id.desc()))
    return [RunSummary(**_summary(row)) for row in rows]


def read_run(connection: Connection, run_id: str) -> RunDetail:
    """Return one run with its solver, timings, warnings and files; ``UnknownName`` if none."""
    row = connection.execute(_SUMMARY.add_columns(Run.document).where(Run.id == run_id)).first()
    if row is None:
        raise _unknown(run_id)
    document: Mapping[str, Any] = row.document or {}
    solver = document.get("solver") or {}
    return RunDetail(
        **_summary(row),
        hash=row.hash,
        objective=number(solver.get("objective")),
        bound=number(solver.get("bound")),
        gap=number(solver.get("gap")),
        timings=dicts(document.get("timings")),
        warnings=texts(document.get("warnings")),
        assumptions=[label(x) for x in document.get("assumptions") or []],
        limits=dict(document.get("limits") or {}),
        criteria=[
            {**c, "title": label(c.get("title")).model_dump()}
            for c in dicts(document.get("criteria"))
        ],
        relaxations=dicts(document.get("relaxations")),
        files=sorted(_files(document)),
    )


def run_files(connection: Connection, run_id: str) -> tuple[str, dict[str, str | None]]:
    """Return a run's folder, and its files with their sha256 where the document has one."""
    row = connection.execute(select(Run.folder, Run.document).where(Run.id == run_id)).first()
    if row is None:
        raise _unknown(run_id)
    return row.folder, _files(row.document or {})


def _files(document: Mapping[str, Any]) -> dict[str, str | None]:
    files = document.get("files") or {}
    if isinstance(files, Mapping):
        return {str(k): str(v) if v else None for k, v in files.items()}
    return {str(name): None for name in files}


def _unknown(run_id: str) -> UnknownName:
    return UnknownName(
        f"no run '{run_id[:80]}'",
        where="run",
        remedy="/api/runs lists the runs; 'geoplan site run' makes one",
    )
