"""The record of a run (``run.json``): what was asked, on which data, how it was answered."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version as installed
from typing import Any

from geoplan import __version__
from geoplan.catalogue import Profile, Scenario
from geoplan.siting.result import SitingResult

__all__ = ["canonical", "run_document", "run_hash"]


def canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spare space: the same value, the same text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def run_hash(scenario: Scenario, profile: Profile, versions: dict[str, dict[str, Any]]) -> str:
    """Return the sha256 of everything that fixes a run's answer.

    Parameters
    ----------
    scenario, profile
        The question and the country's rules and coefficients.
    versions : dict
        Layer id → its version record; only the sha256 of each counts, so that the same files
        loaded elsewhere give the same hash.
    """
    parts = {
        "scenario": scenario.model_dump(mode="json", by_alias=True),
        # Sorting keys forgets it, and it decides columns and the last bits of a sum.
        "order": [list(scenario.criteria), list(scenario.demand.mix)],
        "profile": profile.model_dump(mode="json", by_alias=True),
        "layers": {k: v.get("sha256") for k, v in sorted(versions.items())},
        "software": __version__,
    }
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def run_document(
    result: SitingResult, *, run_id: str, digest: str, scenario_sha256: str, formula: str
) -> dict[str, Any]:
    """Return the record of a finished run, ready for JSON.

    Parameters
    ----------
    result : SitingResult
        The run.
    run_id, digest : str
        Its name and `run_hash`.
    scenario_sha256 : str
        sha256 of the canonical scenario.
    formula : str
        Formula of the industrialisation index.
    """
    scenario, profile = result.scenario, result.profile
    title = scenario.title
    solver = result.solver
    return {
        "run_id": run_id,
        "hash": digest,
        "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": {"en": title.en, "fa": title.fa, "local": title.local or title.fa},
        "scenario": scenario.model_dump(mode="json", by_alias=True),
        "scenario_sha256": scenario_sha256,
        "profile": {
            "id": profile.id,
            "title": profile.title.model_dump(),
            "country": profile.country,
            "synthetic": profile.synthetic,
            "currency": profile.currency,
            "price_year": profile.price_year,
            "calendar": profile.calendar,
            "document": profile.model_dump(mode="json", by_alias=True),
        },
        "synthetic": profile.synthetic,
        "assumed": bool(
            (result.sources["basis"] == "assumed").any() if len(result.sources) else False
        ),
        "grid": {
            "crs": result.grid.crs,
            "cell_m": result.grid.cell_m,
            "rows": result.grid.rows,
            "cols": result.grid.cols,
            "x_min": result.grid.x_min,
            "y_max": result.grid.y_max,
        },
        "layers": result.layer_versions,
        "weights": result.weights,
        "weight_record": result.weight_record,
        "rules": [
            {k: row.get(k) for k in ("rule", "title_en", "title_local", "basis", "status")}
            for row in result.exclusions.to_dict("records")
        ],
        "values": result.documents.get("values"),
        "score_shares": result.score_shares,
        "demand_mixes": result.demand_mixes,
        "criteria": [
            {
                "id": name,
                "title": criterion.title.model_dump() if criterion.title else {"en": name},
                "unit": criterion.unit,
                "weight": result.weights[name],
                "basis": criterion.basis,
            }
            for name, criterion in scenario.criteria.items()
        ],
        "index_formula": formula,
        "solver": {
            "name": solver.name,
            "version": solver.version,
            "status": solver.status,
            "objective": solver.objective,
            "bound": solver.bound,
            "gap": solver.gap,
            "seconds": solver.seconds,
            "nodes": solver.nodes,
            "rows": solver.rows,
            "columns": solver.columns,
            "binaries": solver.binaries,
            "seed": solver.seed,
            "threads": solver.threads,
            "gap_asked": solver.gap_asked,
            "time_limit_s": solver.time_limit_s,
        },
        "status": solver.status,
        "limits": scenario.portfolio.model_dump(mode="json"),
        "relaxations": [
            {
                "limit": r.limit,
                "label": r.label,
                "label_fa": r.label_fa,
                "value": r.value,
                "needed": r.needed,
                "by": r.by,
                "unit": r.unit,
            }
            for r in result.relaxations
        ],
        "seed": scenario.seed,
        "sites": len(result.portfolio),
        "candidates": len(result.candidates),
        "warnings": [t.model_dump() for t in result.warnings],
        "assumptions": [t.model_dump() for t in result.assumptions],
        "timings": [
            {"step": t.step, "seconds": t.seconds, "peak_mb": t.peak_mb} for t in result.timings
        ],
        "software": {
            "geoplan": __version__,
            "python": platform.python_version(),
            **{
                name: installed(name)
                for name in ("numpy", "scipy", "shapely", "geopandas", "highspy", "numba")
            },
        },
    }
