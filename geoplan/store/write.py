"""Write layers into the database: every function inside a caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from geoalchemy2 import Geometry
from pyproj import Transformer
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geoplan.catalogue import LayerSpec
from geoplan.catalogue.text import Text
from geoplan.errors import CrsProblem, InputError, Problem, UnknownName
from geoplan.store import tables
from geoplan.store.copy import attributes, cells, copy_rows, geometry_cells, plain
from geoplan.store.run import put_run

__all__ = [
    "TABLES",
    "make_current",
    "new_version",
    "put_features",
    "put_layer",
    "put_raster",
    "put_run",
]

TABLES: dict[str, type[tables.Base]] = {
    "features": tables.Feature,
    "regions": tables.Region,
    "region_facts": tables.RegionFact,
    "estates": tables.Estate,
    "phases": tables.Phase,
    "blocks": tables.Block,
    "plots": tables.Plot,
    "utility_nodes": tables.UtilityNode,
    "utility_lines": tables.UtilityLine,
}
"""Table of each ``table`` of the catalogue that holds rows."""

_NOT_OWN = ("id", "version_id", "attrs", "geom", "search")


def put_layer(session: Session, spec: LayerSpec) -> None:
    """Enter a layer's catalogue entry, or bring title, theme and style of a known one up to date.

    Parameters
    ----------
    spec : LayerSpec
        The layer; its rows and versions stay as they are.
    """
    entry = {
        "title_en": spec.title.en,
        "title_local": spec.title.local or spec.title.fa,
        "theme": spec.theme,
        "kind": spec.kind,
        "spec": spec.model_dump(mode="json", by_alias=True),
    }
    session.execute(
        insert(tables.Layer)
        .values(id=spec.id, **entry)
        .on_conflict_do_update(index_elements=["id"], set_=entry)
    )


def new_version(
    session: Session,
    spec: LayerSpec,
    *,
    pack_id: str | None,
    source_file: str,
    sha256: str,
    loaded_by: str,
    rows_read: int,
    rows_refused: int,
    source_crs: str | None,
    as_of: str | None,
    source: str,
    licence: str,
    confidence: str,
    basis: str | None,
    method: Text | None,
    synthetic: bool,
    report: Sequence[Problem],
    profile_id: str | None = None,
) -> int:
    """Enter one load of a layer and return its id; it is not current yet.

    Parameters
    ----------
    spec : LayerSpec
        The layer; its catalogue entry is stored or brought up to date.
    rows_read, rows_refused : int
        Counts of the load; what is stored is counted by :func:`put_features`.
    method : Text or None
        How assumed figures were derived.
    report : sequence of Problem
        What was found in the file.
    profile_id : str, optional
        Country the load belongs to.
    """
    # The row stays locked until the end of the transaction: two loads get two numbers.
    put_layer(session, spec)
    last = session.scalar(
        select(func.max(tables.LayerVersion.number)).where(tables.LayerVersion.layer_id == spec.id)
    )
    version = tables.LayerVersion(
        layer_id=spec.id,
        number=(last or 0) + 1,
        pack_id=pack_id,
        profile_id=profile_id,
        source_file=source_file,
        sha256=sha256,
        loaded_by=loaded_by,
        rows_read=rows_read,
        rows_stored=0,
        rows_refused=rows_refused,
        source_crs=source_crs,
        as_of=as_of,
        source=source,
        licence=licence,
        confidence=confidence,
        basis=basis,
        method_en=method.en if method else None,
        method_local=(method.local or method.fa) if method else None,
        synthetic=synthetic,
        report=[plain(asdict(problem)) for problem in report],
    )
    session.add(version)
    session.flush()
    return int(version.id)


def put_features(
    session: Session, version_id: int, spec: LayerSpec, frame: gpd.GeoDataFrame | pd.DataFrame
) -> int:
    """Store rows of a layer by COPY and return how many.

    Parameters
    ----------
    version_id : int
        From :func:`new_version`.
    spec : LayerSpec
        ``spec.table`` names the table.
    frame : GeoDataFrame or DataFrame
        ``key``, ``name_en``, ``name_local`` and the table's own columns; every other column goes
        into ``attrs``. Geometry in EPSG:4326 or none. Regions without ``code`` take ``key``;
        ``level`` comes from ``spec`` where it is absent.

    Raises
    ------
    CrsProblem
        Geometry in another CRS.
    InputError
        A needed column is absent or has gaps, a key stands twice, a value does not fit.
    """
    model = TABLES.get(spec.table)
    where = f"layer '{spec.id}'"
    if model is None:
        raise InputError(f"table '{spec.table}' holds no rows", where=where)
    table: Any = model.__table__
    frame = _complete(frame, spec, table)
    _check_keys(frame, table, where)
    count = len(frame)
    columns, parts = ["version_id"], [[str(version_id)] * count]
    own = [c for c in table.columns if c.name not in _NOT_OWN and c.name in frame.columns]
    for column in own:
        columns.append(column.name)
        parts.append(
            cells(frame[column.name], column.type, where=f"{where}, column '{column.name}'")
        )
    bounds = None
    if "geom" in table.c:
        geometry = _geometry(frame, where)
        kind: Geometry = table.c.geom.type
        columns.append("geom")
        parts.append(
            geometry_cells(geometry, kind=kind.geometry_type, srid=tables.SRID, where=where)
        )
        bounds = _bounds(frame)
    if "attrs" in table.c:
        known = {c.name for c in own} | {"geometry"} | ({"key"} if "code" in table.c else set())
        rest = pd.DataFrame(frame)[[c for c in frame.columns if c not in known]]
        columns.append("attrs")
        parts.append(attributes(rest, where=where))
    copy_rows(session, table, columns, zip(*parts, strict=True))
    _count(session, version_id, count, bounds)
    return count


def put_raster(
    session: Session,
    version_id: int,
    *,
    path: str | Path,
    sha256: str,
    crs: str,
    width: int,
    height: int,
    transform: Sequence[float],
    dtype: str,
    nodata: float | None,
    unit: str | None,
    stats: Mapping[str, Any],
) -> None:
    """Enter a Cloud-Optimised GeoTIFF that lies beside the database.

    Parameters
    ----------
    transform : sequence of 6 float
        Affine ``a, b, c, d, e, f``: x = a·col + b·row + c, y = d·col + e·row + f.
    stats : mapping
        Figures about the values; NaN is stored as null.
    """
    a, b, c, d, e, f = (float(v) for v in tuple(transform)[:6])
    session.add(
        tables.RasterAsset(
            version_id=version_id,
            path=str(path),
            sha256=sha256,
            crs=crs,
            width=int(width),
            height=int(height),
            transform=[a, b, c, d, e, f],
            dtype=dtype,
            nodata=None if nodata is None else float(nodata),
            unit=unit,
            stats=plain(dict(stats)),
        )
    )
    session.flush()
    xs = [a * col + b * row + c for col, row in _corners(width, height)]
    ys = [d * col + e * row + f for col, row in _corners(width, height)]
    box = Transformer.from_crs(crs, tables.SRID, always_xy=True).transform_bounds(
        min(xs), min(ys), max(xs), max(ys), densify_pts=21
    )
    _count(session, version_id, 1, [float(v) for v in box])


def make_current(
    session: Session,
    layer_id: str,
    version_id: int,
    *,
    who: str | None = None,
    note: str = "",
    action: Literal["load", "rollback"] = "load",
) -> None:
    """Let a layer show this version from the end of the transaction on, and enter that it does.

    Parameters
    ----------
    who : str, optional
        Who did it; default: who loaded the version.
    note : str
        Why, for the record.
    action : {"load", "rollback"}
        What it is called there.

    Raises
    ------
    UnknownName
        The layer has no such version.
    """
    version = session.get(tables.LayerVersion, version_id)
    if version is None or version.layer_id != layer_id:
        raise UnknownName(f"layer '{layer_id}' has no version with id {version_id}")
    layer = session.get_one(tables.Layer, layer_id, with_for_update=True, populate_existing=True)
    before = layer.current_version_id
    shown = None if before is None else session.get_one(tables.LayerVersion, before).number
    layer.current_version_id = version_id
    session.add(
        tables.LayerEvent(
            layer_id=layer_id, who=who or version.loaded_by, action=action, from_number=shown,
            to_number=version.number, note=note,
        )
    )  # fmt: skip
    session.flush()


def _complete(frame: pd.DataFrame, spec: LayerSpec, table: Any) -> pd.DataFrame:
    """Return the frame with what the catalogue and the table give by default."""
    given: dict[str, Any] = {}
    if "code" in table.c and "code" not in frame.columns and "key" in frame.columns:
        given["code"] = frame["key"]
    if "level" in table.c and "level" not in frame.columns:
        given["level"] = spec.level
    frame = frame.assign(**given)
    for column in table.columns:
        default = column.default
        if column.nullable or column.name in _NOT_OWN or default is None or not default.is_scalar:
            continue
        if column.name in frame.columns:
            frame = frame.assign(**{column.name: frame[column.name].fillna(default.arg)})
        else:
            frame = frame.assign(**{column.name: default.arg})
    for column in table.columns:
        if column.nullable or column.name in _NOT_OWN:
            continue
        where = f"layer '{spec.id}', column '{column.name}'"
        if column.name not in frame.columns:
            raise InputError(
                f"the column is absent; table '{spec.table}' needs it",
                where=where,
                remedy="map it in the pack's 'fields'",
            )
        gaps = frame[column.name].isna().to_numpy()
        if gaps.any():
            raise InputError(
                f"{int(gaps.sum())} of {len(gaps)} rows have no value, the first is row "
                f"{int(np.flatnonzero(gaps)[0])}",
                where=where,
                remedy="give it a default in the pack, or refuse these rows",
            )
    return frame


def _check_keys(frame: pd.DataFrame, table: Any, where: str) -> None:
    name = "code" if "code" in table.c else "key"
    unique = any(
        {c.name for c in constraint.columns} == {"version_id", name}
        for constraint in table.constraints
    )
    if not unique:
        return
    twice = frame.loc[frame[name].duplicated(), name].astype(str).unique()
    if len(twice):
        raise InputError(
            f"{len(twice)} keys stand twice or more: {', '.join(twice[:5])}",
            where=f"{where}, column '{name}'",
            remedy="name a field whose values differ as 'key', or merge these rows",
        )


def _geometry(frame: pd.DataFrame, where: str) -> np.ndarray[Any, Any]:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        return np.full(len(frame), None, dtype=object)
    series = frame.geometry
    if not series.isna().all() and (series.crs is None or series.crs.to_epsg() != tables.SRID):
        raise CrsProblem(
            f"the geometry is in {series.crs or 'no CRS'}, not in EPSG:{tables.SRID}", where=where
        )
    return np.array(series.array, dtype=object)


def _bounds(frame: pd.DataFrame) -> list[float] | None:
    if not isinstance(frame, gpd.GeoDataFrame) or frame.active_geometry_name is None:
        return None
    box = [float(v) for v in frame.geometry.total_bounds]
    return box if np.isfinite(box).all() else None


def _count(session: Session, version_id: int, rows: int, box: list[float] | None) -> None:
    version = session.get(tables.LayerVersion, version_id)
    if version is None:
        raise UnknownName(f"there is no layer version with id {version_id}")
    version.rows_stored += rows
    if box is not None:
        old = version.bbox
        version.bbox = box if old is None else [
            min(old[0], box[0]), min(old[1], box[1]), max(old[2], box[2]), max(old[3], box[3])
        ]  # fmt: skip
    session.flush()


def _corners(width: int, height: int) -> tuple[tuple[int, int], ...]:
    return (0, 0), (width, 0), (0, height), (width, height)
