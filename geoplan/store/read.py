"""Read layers and runs out of the database, as frames."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from geoplan.errors import InputError, UnknownName
from geoplan.store import tables
from geoplan.store.frame import current_version, layer_frame

__all__ = [
    "RasterRow",
    "RunRow",
    "candidate",
    "data_version",
    "layer_frame",
    "layer_versions",
    "other_profile",
    "raster_asset",
    "region_facts",
    "run",
    "runs",
    "sources",
]


@dataclass(frozen=True, slots=True)
class RasterRow:
    """Where a raster layer's current file lies and how it is laid out.

    ``transform`` is affine ``a, b, c, d, e, f``: x = a·col + b·row + c, y = d·col + e·row + f.
    """

    layer_id: str
    version_id: int
    path: Path
    sha256: str
    crs: str
    transform: tuple[float, float, float, float, float, float]
    width: int
    height: int
    dtype: str
    nodata: float | None
    unit: str | None
    stats: dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run with the counts that lists show."""

    id: str
    hash: str
    scenario_id: str
    title_en: str
    title_local: str | None
    profile_id: str
    status: str
    created_at: datetime
    synthetic: bool
    assumed: bool
    folder: Path
    candidates: int
    sites: int
    document: dict[str, Any] | None = None


def raster_asset(session: Session, layer_id: str) -> RasterRow:
    """Return where the current file of a raster layer lies.

    Raises
    ------
    UnknownName
        The layer was never loaded.
    InputError
        It is no raster.
    """
    version_id, _ = current_version(session, layer_id)
    row = session.get(tables.RasterAsset, version_id)
    if row is None:
        raise InputError(f"layer '{layer_id}' is no raster", where=layer_id)
    a, b, c, d, e, f = row.transform
    return RasterRow(
        layer_id, version_id, Path(row.path), row.sha256, row.crs, (a, b, c, d, e, f),
        row.width, row.height, row.dtype, row.nodata, row.unit, dict(row.stats),
    )  # fmt: skip


def region_facts(session: Session, level: int | None = None) -> pd.DataFrame:
    """Return every current figure about regions.

    Parameters
    ----------
    level : int, optional
        Only regions of this level.

    Returns
    -------
    DataFrame
        ``layer_id``, ``level``, ``region_code``, ``variable``, ``value``, ``text_value``,
        ``unit``, ``as_of``, ``source``, ``confidence``; ordered by level, variable and region.
    """
    fact = tables.RegionFact
    names = ["level", "region_code", "variable", "value", "text_value", "unit", "as_of", "source",
             "confidence"]  # fmt: skip
    query = (
        select(tables.Layer.id.label("layer_id"), *(getattr(fact, name) for name in names))
        .join(tables.Layer, tables.Layer.current_version_id == fact.version_id)
        .order_by(
            fact.level, fact.variable.collate("C"), fact.region_code.collate("C"),
            tables.Layer.id.collate("C"), fact.id,
        )
    )  # fmt: skip
    if level is not None:
        query = query.where(fact.level == level)
    rows = session.execute(query).all()
    frame = pd.DataFrame(rows, columns=["layer_id", *names])
    return frame.astype({"level": "int64", "value": "float64"})


def other_profile(session: Session, profile_id: str) -> str | None:
    """Return another profile whose layers this database shows; ``None`` where there is none."""
    version, layer = tables.LayerVersion, tables.Layer
    found: str | None = session.scalar(
        select(version.profile_id)
        .join(layer, layer.current_version_id == version.id)
        .where(version.profile_id != profile_id)
        .limit(1)
    )
    return found


def layer_versions(session: Session, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what is known of the current version of each layer; layers never loaded are absent."""
    version, layer = tables.LayerVersion, tables.Layer
    rows = session.execute(
        select(version)
        .join(layer, layer.current_version_id == version.id)
        .where(layer.id.in_(list(ids)))
        .order_by(layer.id.collate("C"))
    ).scalars()
    return {
        row.layer_id: {
            "version_id": row.id,
            "number": row.number,
            "sha256": row.sha256,
            "pack_id": row.pack_id,
            "profile_id": row.profile_id,
            "source_file": row.source_file,
            "as_of": row.as_of,
            "source": row.source,
            "licence": row.licence,
            "confidence": row.confidence,
            "basis": row.basis,
            "method": {"en": row.method_en, "local": row.method_local} if row.method_en else None,
            "synthetic": row.synthetic,
            "rows": row.rows_stored,
            "bbox": row.bbox,
        }
        for row in rows
    }


def sources(session: Session, layer_ids: Sequence[str]) -> gpd.GeoDataFrame:
    """Return places that supply water or power or take wastewater.

    Parameters
    ----------
    layer_ids : sequence of str
        Layers of utility nodes.

    Returns
    -------
    GeoDataFrame, EPSG:4326
        ``source_id`` (``<layer>:<key>``), ``layer_id``, ``key``, ``resource``, ``kind``,
        ``name_en``, ``name_local``, ``capacity``, ``committed``, ``headroom`` (NaN: not known),
        ``unit``, ``basis``, ``method_en``, ``method_local``, ``as_of``, ``lon``, ``lat``,
        ``geometry``; ordered by ``source_id``.

    Raises
    ------
    UnknownName
        A layer was never loaded.
    InputError
        A layer holds no utility nodes.
    """
    names = ["key", "resource", "kind", "name_en", "name_local", "capacity", "committed",
             "headroom", "unit", "basis", "method_en", "method_local", "as_of"]  # fmt: skip
    parts = []
    for layer_id in dict.fromkeys(layer_ids):
        version_id, spec = current_version(session, layer_id)
        if spec.get("table") != "utility_nodes":
            raise InputError(
                f"layer '{layer_id}' holds no utility nodes",
                where=layer_id,
                remedy="name a layer whose table is utility_nodes",
            )
        frame = layer_frame(session, layer_id, columns=names)
        frame.insert(0, "layer_id", layer_id)
        frame.insert(0, "source_id", layer_id + ":" + frame["key"].astype(str))
        version = session.get_one(tables.LayerVersion, version_id)
        for column in ("method_en", "method_local", "as_of"):
            given = getattr(version, column)
            if given is not None:
                frame[column] = frame[column].astype(object).where(frame[column].notna(), given)
        parts.append(frame)
    if not parts:
        raise InputError("no layer of sources was named", where="supply")
    table = pd.concat(parts, ignore_index=True)
    table.insert(len(table.columns) - 1, "lon", table.geometry.x)
    table.insert(len(table.columns) - 1, "lat", table.geometry.y)
    table = table.sort_values("source_id", ignore_index=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=tables.SRID)


def runs(session: Session) -> list[RunRow]:
    """Return all runs, newest first, without their documents."""
    return [_run_row(row, None) for row in session.execute(_run_query())]


def run(session: Session, run_id: str) -> RunRow:
    """Return one run with its document.

    Raises
    ------
    UnknownName
        There is none of that id.
    """
    row = session.execute(_run_query().where(tables.Run.id == run_id)).first()
    if row is None:
        known = list(session.scalars(select(tables.Run.id).order_by(tables.Run.created_at.desc())))
        close = get_close_matches(run_id, known, n=1)
        raise UnknownName(
            f"there is no run '{run_id}'",
            where="run",
            remedy=f"did you mean '{close[0]}'?" if close else "see 'geoplan site list'",
        )
    document = session.scalar(select(tables.Run.document).where(tables.Run.id == run_id))
    return _run_row(row, document)


def candidate(session: Session, run_id: str, site_id: str) -> dict[str, Any]:
    """Return one candidate of a run: rank, score, area, flags, and its detail.

    Returns
    -------
    dict
        ``site_id``, ``rank``, ``score``, ``area_ha``, ``in_portfolio``, ``served_alone``, and the
        members of ``detail``: ``criteria``, ``reasons``, ``demand``, ``regions``, ``cost``.

    Raises
    ------
    UnknownName
        There is no such run or site.
    """
    row = session.get(tables.Candidate, (run_id, site_id))
    if row is None:
        run(session, run_id)
        some = session.scalar(
            select(tables.Candidate.site_id)
            .where(tables.Candidate.run_id == run_id)
            .order_by(tables.Candidate.rank)
            .limit(1)
        )
        raise UnknownName(
            f"run '{run_id}' has no site '{site_id}'",
            where="site",
            remedy=f"see ranking.csv; ids look like {some}",
        )
    return {
        "site_id": row.site_id,
        "rank": row.rank,
        "score": row.score,
        "area_ha": row.area_ha,
        "in_portfolio": row.in_portfolio,
        "served_alone": row.served_alone,
        **row.detail,
    }


def data_version(session: Session) -> str:
    """Return a text that changes whenever a layer version is made current or a run is put."""
    layers = session.execute(
        select(tables.Layer.id, tables.LayerVersion.id, tables.LayerVersion.loaded_at)
        .join(tables.LayerVersion, tables.LayerVersion.id == tables.Layer.current_version_id)
        .order_by(tables.Layer.id)
    ).all()
    done = session.execute(select(tables.Run.id, tables.Run.hash).order_by(tables.Run.id)).all()
    text = repr([tuple(map(str, row)) for row in (*layers, *done)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _run_query() -> Any:
    run_, site = tables.Run, tables.Candidate
    counts = (
        select(
            site.run_id,
            func.count().label("candidates"),
            func.count().filter(site.in_portfolio).label("sites"),
        )
        .group_by(site.run_id)
        .subquery()
    )
    plain = [c for c in run_.__table__.c if c.name != "document"]
    return (
        select(
            *plain,
            func.coalesce(counts.c.candidates, 0).label("candidates"),
            func.coalesce(counts.c.sites, 0).label("sites"),
        )
        .outerjoin(counts, counts.c.run_id == run_.id)
        .order_by(run_.created_at.desc(), run_.id.desc())
    )


def _run_row(row: Any, document: dict[str, Any] | None) -> RunRow:
    return RunRow(
        row.id, row.hash, row.scenario_id, row.title_en, row.title_local, row.profile_id,
        row.status, row.created_at, row.synthetic, row.assumed, Path(row.folder),
        row.candidates, row.sites, document,
    )  # fmt: skip
