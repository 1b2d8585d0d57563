"""Write a finished run: once, whole, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy.orm import Session

from geoplan.catalogue.text import Text
from geoplan.errors import InputError
from geoplan.store import tables
from geoplan.store.copy import cells, copy_rows, geometry_cells, plain

__all__ = ["put_run"]

# Column of a candidate → resource and unit of its demand.
_DEMAND = (
    ("water_m3_per_day", "water", "m3/day"),
    ("power_mva", "power", "MVA"),
    ("wastewater_m3_per_day", "wastewater", "m3/day"),
)


def put_run(
    session: Session,
    *,
    run_id: str,
    run_hash: str,
    result: Any,
    document: dict[str, Any],
    folder: Path,
) -> None:
    """Store a run with its regions, candidates, sources, supply and studies.

    Parameters
    ----------
    run_id : str
        Not used before.
    run_hash : str
        Hash of everything that fixes the answer.
    result : SitingResult
        Taken by its fields: the store knows no siting.
    document : dict
        What ``run.json`` holds; NaN is stored as null.
    folder : Path
        Where the run's files lie.

    Raises
    ------
    InputError
        There is a run of that id.
    """
    if session.get(tables.Run, run_id) is not None:
        raise InputError(
            f"there is a run '{run_id}' already; runs are never changed",
            where="run",
            remedy="give the new run another id",
        )
    scenario = result.scenario
    synthetic = bool(document.get("synthetic", result.profile.synthetic)) or any(
        version.get("synthetic") for version in result.layer_versions.values()
    )
    known = len(result.sources) > 0
    assumed = known and bool((result.sources["basis"] == "assumed").any())
    assumed = assumed or bool(document.get("assumed"))
    session.add(
        tables.Run(
            id=run_id,
            hash=run_hash,
            scenario_id=scenario.id,
            title_en=scenario.title.en,
            title_local=_local(scenario.title),
            profile_id=result.profile.id,
            status=result.solver.status,
            synthetic=synthetic,
            assumed=assumed,
            folder=str(folder),
            document=plain(document),
        )
    )
    session.flush()
    _put_regions(session, run_id, result, str(document.get("index_formula") or ""))
    _put_candidates(session, run_id, result)
    _put_sources(session, run_id, result.sources)
    _put_supply(session, run_id, result.supply)
    session.add_all(
        tables.RunStudy(run_id=run_id, name=name, document=plain(document))
        for name, document in result.documents.items()
    )


def _put_regions(session: Session, run_id: str, result: Any, formula: str) -> None:
    titles = {i.id: _label(i.title) for i in result.profile.index.indicators}
    lines: dict[str, list[dict[str, Any]]] = {}
    for row in _records(result.index_detail):
        lines.setdefault(str(row.pop("code")), []).append(
            {"id": row["indicator"], "title": titles.get(row.pop("indicator")), **row}
        )
    frame = pd.DataFrame(result.regions)
    table = pd.DataFrame(
        {
            "code": frame["code"],
            "level": result.profile.index.level,
            "industrialisation": frame["industrialisation"],
            "coverage": frame["coverage"],
            "rank": frame["rank"],
            "less_industrialised": frame["less_industrialised"],
            "detail": [
                {"formula": formula, "indicators": lines.get(str(code), [])}
                for code in frame["code"]
            ],
        }
    )
    coarse = pd.DataFrame(result.coarse_regions)
    if len(coarse):
        note = "population-weighted mean of the regions it holds; " + formula
        coarse = coarse.assign(detail=[{"formula": note, "indicators": []}] * len(coarse))
        table = pd.concat([table, coarse[table.columns]], ignore_index=True)
    _copy(session, tables.RunRegion, run_id, table, None)


def _put_candidates(session: Session, run_id: str, result: Any) -> None:
    frame = result.candidates
    costs = result.portfolio.set_index("site_id")["cost"] if len(result.portfolio) else {}
    details = list(_details(frame, result, costs))
    wanted = ["rank", "area_ha", "score", "lon", "lat", "served_alone", "in_portfolio"]
    table = pd.DataFrame(frame[wanted]).reset_index(drop=True)
    table.insert(0, "site_id", [str(s) for s in frame.index])
    for level in (1, 2, 3):
        name = f"region{level}_code"
        table[name] = frame[name].tolist() if name in frame.columns else None
    table["detail"] = details
    _copy(session, tables.Candidate, run_id, table, np.array(frame.geometry.array, dtype=object))


def _details(frame: Any, result: Any, costs: Any) -> Iterator[dict[str, Any]]:
    names = [c for c in result.scenario.criteria if f"value_{c}" in frame.columns]
    medians = {
        c: pd.to_numeric(frame[f"measured_{c}"], errors="coerce").median()
        for c in names
        if f"measured_{c}" in frame.columns
    }
    levels = [n for n in (1, 2, 3) if f"region{n}_code" in frame.columns]
    extra = ("industrialisation", "less_industrialised", "inclusion_acceptability", "jobs")
    for row in _records(pd.DataFrame(frame.drop(columns=frame.geometry.name)).reset_index()):
        site = str(row["site_id"])
        yield {
            "regions": [
                {
                    "level": n,
                    "code": row[f"region{n}_code"],
                    "name": {
                        "en": row.get(f"region{n}_name_en"),
                        "local": row.get(f"region{n}_name_local"),
                    },
                }
                for n in levels
                if row[f"region{n}_code"] is not None
            ],
            "demand": [
                {"resource": resource, "amount": row.get(column), "unit": unit}
                for column, resource, unit in _DEMAND
            ],
            "criteria": [
                {
                    "id": c,
                    "title": _label(result.scenario.criteria[c].title) or {"en": c},
                    "measured": row.get(f"measured_{c}"),
                    "unit": result.scenario.criteria[c].unit,
                    "value": row[f"value_{c}"],
                    "weight": result.weights.get(c),
                    "contribution": row.get(f"contribution_{c}"),
                    "national_median": medians.get(c),
                }
                for c in names
            ],
            "reasons": [
                {"code": reason.code, "text": _label(reason.text)}
                for reason in result.reasons.get(site, ())
            ],
            "cost": costs.get(site),
            **{name: row.get(name) for name in extra},
        }


def _put_sources(session: Session, run_id: str, sources: pd.DataFrame) -> None:
    names = ["source_id", "resource", "kind", "name_en", "name_local", "headroom", "used", "unit",
             "basis"]  # fmt: skip
    points = _points(sources["lon"], sources["lat"])
    _copy(session, tables.RunSource, run_id, pd.DataFrame(sources)[names], points)


def _put_supply(session: Session, run_id: str, supply: pd.DataFrame) -> None:
    names = ["site_id", "resource", "source_id", "kind", "amount", "unit", "distance_km", "cost",
             "basis"]  # fmt: skip
    ends = pd.DataFrame(supply)[["source_lon", "source_lat", "site_lon", "site_lat"]]
    pairs = ends.to_numpy(dtype=float).reshape(-1, 2, 2)
    # Own supply stands on the site: no line.
    whole = np.isfinite(pairs).all(axis=(1, 2)) & (pairs[:, 0] != pairs[:, 1]).any(axis=1)
    lines = np.full(len(supply), None, dtype=object)
    if whole.any():
        lines[whole] = shapely.linestrings(pairs[whole])
    _copy(session, tables.SupplyAssignment, run_id, pd.DataFrame(supply)[names], lines)


def _copy(
    session: Session, model: Any, run_id: str, frame: pd.DataFrame, geometry: Any | None
) -> None:
    table = model.__table__
    where = f"run '{run_id}', {table.name}"
    columns, parts = ["run_id"], [cells([run_id] * len(frame), table.c.run_id.type, where=where)]
    for name in frame.columns:
        columns.append(name)
        parts.append(cells(frame[name].tolist(), table.c[name].type, where=f"{where}, {name}"))
    if geometry is not None:
        kind = table.c.geom.type.geometry_type
        columns.append("geom")
        parts.append(geometry_cells(geometry, kind=kind, srid=tables.SRID, where=where))
    copy_rows(session, table, columns, zip(*parts, strict=True))


def _points(lon: pd.Series, lat: pd.Series) -> np.ndarray[Any, Any]:
    pairs = np.column_stack([lon.to_numpy(dtype=float), lat.to_numpy(dtype=float)])
    have = np.isfinite(pairs).all(axis=1)
    out = np.full(len(pairs), None, dtype=object)
    if have.any():
        out[have] = shapely.points(pairs[have])
    return out


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(k): plain(v) for k, v in row.items()} for row in frame.to_dict("records")]


def _label(text: Text | None) -> dict[str, str | None] | None:
    return None if text is None else {"en": text.en, "local": _local(text)}


def _local(text: Text) -> str | None:
    return text.local or text.fa
