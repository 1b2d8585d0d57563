"""Put typed columns into the shape that a layer's table stores."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.catalogue.layer import FieldSpec, LayerSpec
from geoplan.catalogue.pack import PackEntry
from geoplan.errors import UnknownName
from geoplan.ingest import shape
from geoplan.ingest.columns import make_column, typed
from geoplan.ingest.findings import Findings, listed
from geoplan.store import tables

__all__ = ["fit_fields", "melt", "refuse_incomplete", "table_columns"]

_MODELS: dict[str, type[tables.Base]] = {
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


def table_columns(table: str) -> dict[str, FieldSpec]:
    """Return the columns of a table that a pack may fill, with their types."""
    kinds = {int: "integer", float: "number", bool: "boolean"}
    own = {"id", "version_id", "geom", "attrs", "source_geom", "source_srid", "level"}
    out: dict[str, FieldSpec] = {}
    for column in _MODELS[table].__table__.columns:
        if column.name not in own:
            python = column.type.python_type
            kind = "date" if python.__name__ == "date" else kinds.get(python, "string")
            out[column.name] = FieldSpec.model_validate({"type": kind})
    return out


def fit_fields(
    frame: pd.DataFrame, spec: LayerSpec, entry: PackEntry, findings: Findings
) -> pd.DataFrame:
    """Return the layer's own columns, typed, in a fixed order."""
    own = table_columns(spec.table)
    specs = {**own, **spec.fields}
    text = FieldSpec.model_validate({"type": "string"})
    specs |= {n: text for n in ("key", "name_en", "name_local") if n not in specs}
    unknown = [f for f in entry.fields if f not in specs]
    if unknown:
        raise UnknownName(
            f"layer '{spec.id}' has no field {', '.join(map(repr, unknown))}",
            where=findings.where,
            remedy=f"its fields: {', '.join(sorted(specs))}",
        )
    out = pd.DataFrame(index=frame.index)
    for name, field in specs.items():
        if name in entry.fields:
            column = make_column(name, entry.fields[name], frame, findings)
        elif name in frame.columns and name in spec.fields:
            column = frame[name]
        else:
            continue
        out[name] = typed(name, column, field, findings)
    if "area_km2" in spec.fields and "area_km2" not in out and isinstance(frame, gpd.GeoDataFrame):
        out["area_km2"] = shape.area_km2(frame.geometry).round(6)
    if isinstance(frame, gpd.GeoDataFrame):
        return gpd.GeoDataFrame(out, geometry=frame.geometry, crs=4326)
    return out


def refuse_incomplete(frame: pd.DataFrame, spec: LayerSpec, findings: Findings) -> pd.DataFrame:
    """Refuse rows without a required field, and count them."""
    needed = [f for f, s in spec.fields.items() if s.required and spec.table != "region_facts"]
    if spec.table == "region_facts":
        needed += ["region_code"]
    for name in needed:
        if name not in frame.columns:
            raise UnknownName(
                f"the field '{name}' is required and nothing maps to it",
                where=findings.where,
                remedy="add it to 'fields'",
            )
        empty = frame[name].isna()
        if bool(empty.any()):
            shown = next(
                (frame[c][empty] for c in ("name_en", "name_local", "key") if c in frame.columns),
                pd.Series([f"row {i + 1}" for i in np.flatnonzero(empty)]),
            )
            findings.refuse(
                "required-missing",
                f"{int(empty.sum()):,} rows have no '{name}': {listed(shown)}",
                int(empty.sum()),
                remedy="refused",
            )
            frame = frame[~empty]
    return frame


def melt(
    frame: pd.DataFrame, source: pd.DataFrame, spec: LayerSpec, entry: PackEntry, findings: Findings
) -> pd.DataFrame:
    """Turn one wide row into one row per variable, the unit taken from the layer's field."""
    parts = []
    for column, variable in (entry.melt or {}).items():
        known = spec.fields.get(variable)
        part = pd.DataFrame(frame.drop(columns=[c for c in frame if c in spec.fields]))
        part["variable"] = variable
        part["value"] = pd.to_numeric(source.loc[frame.index, column], errors="coerce")
        if known is not None and known.unit and "unit" not in part:
            part["unit"] = known.unit
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    empty = long["value"].isna()
    findings.add(
        "melted",
        f"{len(frame):,} rows became {int((~empty).sum()):,} figures"
        + (f"; {int(empty.sum()):,} are empty" if bool(empty.any()) else ""),
        "",
        severity="info",
        count=int((~empty).sum()),
    )
    return long[~empty]
