"""Put typed columns into the shape that a layer's table stores."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geoplan.catalogue.layer import FieldSpec, LayerSpec
from geoplan.catalogue.pack import PackEntry
from geoplan.errors import UnknownName
from geoplan.ingest import shape
from geoplan.ingest.columns import make_column, typed
from geoplan.ingest.findings import Findings, listed
from geoplan.store import tables

__all__ = ["fit_fields", "melt", "refuse_incomplete", "table_columns", "tell_missing"]

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


_LIMITS: dict[str, dict[str, object]] = {
    "resource": {"codes": ("water", "power", "wastewater", "gas")},
    "basis": {"codes": ("metered", "licensed", "assumed")},
    "headroom": {"minimum": 0},
}
"""What the tables of utilities refuse, found here with the row's name and not when storing."""

_SHAPES = {"POINT": "point", "MULTILINESTRING": "line", "MULTIPOLYGON": "polygon"}
_BY_STORE = ("id", "version_id", "attrs", "geom")


def table_columns(table: str) -> dict[str, FieldSpec]:
    """Return the columns of a table that a pack may fill, with their types and limits."""
    kinds = {int: "integer", float: "number", bool: "boolean"}
    own = {"id", "version_id", "geom", "attrs", "source_geom", "source_srid", "search", "level"}
    out: dict[str, FieldSpec] = {}
    for column in _MODELS[table].__table__.columns:
        if column.name not in own:
            python = column.type.python_type
            kind = "date" if python.__name__ == "date" else kinds.get(python, "string")
            limits = _LIMITS.get(column.name, {}) if table.startswith("utility_") else {}
            out[column.name] = FieldSpec.model_validate({"type": kind, **limits})
    return out


def _within(field: FieldSpec, own: FieldSpec | None) -> FieldSpec:
    """Return a layer's field, its limits tightened to those of the table's column."""
    if own is None:
        return field
    codes = field.codes or own.codes
    if own.codes is not None and codes is not None:
        codes = tuple(c for c in codes if c in own.codes)
    low = [m for m in (field.minimum, own.minimum) if m is not None]
    return field.model_copy(update={"codes": codes, "minimum": max(low, default=None)})


def fit_fields(
    frame: pd.DataFrame, spec: LayerSpec, entry: PackEntry, findings: Findings
) -> pd.DataFrame:
    """Return the layer's own columns, typed, in a fixed order."""
    own = table_columns(spec.table)
    specs = {**own, **{n: _within(f, own.get(n)) for n, f in spec.fields.items()}}
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
            column = make_column(name, entry.fields[name], frame, findings, spec=field)
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
            findings.refuse(
                "required-missing",
                f"{int(empty.sum()):,} rows have no '{name}': {listed(_named(frame[empty], spec))}",
                frame.index[empty],
                remedy="refused",
            )
            frame = frame[~empty]
    return frame


def _named(frame: pd.DataFrame, spec: LayerSpec) -> pd.Series:
    """Return what the rows are called: their names, and their numbers where they have none."""
    out = pd.Series([f"row {i + 1}" for i in frame.index], index=frame.index, dtype=object)
    for column in (spec.key or "key", "name_local", "name_en"):
        if column in frame.columns:
            out = frame[column].astype(object).where(frame[column].notna(), out)
    return out


def tell_missing(frame: pd.DataFrame, spec: LayerSpec, findings: Findings) -> None:
    """Tell what the layer's table needs and an entry does not give, before anything is stored."""
    table = _MODELS[spec.table].__table__
    geom = table.columns.get("geom")
    kind = _SHAPES.get(getattr(geom.type, "geometry_type", "")) if geom is not None else None
    if kind is not None and spec.kind == "vector" and spec.geometry != kind:
        findings.add(
            "wrong-geometry",
            f"table '{spec.table}' holds geometry of kind {kind}, and the layer is of kind "
            f"{spec.geometry}",
            f"write 'geometry: {kind}' in layers/{spec.id}.yaml, or choose another 'table'",
            severity="error",
        )
    if geom is not None and not geom.nullable and not isinstance(frame, gpd.GeoDataFrame):
        findings.add(
            "missing-geometry",
            f"table '{spec.table}' needs a place for each row",
            f"write 'kind: vector' and 'geometry: {kind}' in layers/{spec.id}.yaml",
            severity="error",
        )
    given = set(frame.columns)
    if spec.key is None or spec.key in given:
        given.add("key")
    if "key" in given:
        given.add("code")
    for column in table.columns:
        default = column.default is not None and column.default.is_scalar
        if column.nullable or default or column.name in _BY_STORE:
            continue
        remedy = _REMEDIES.get(column.name, "map it in the entry's 'fields'")
        if column.name not in given:
            findings.add(
                "missing-column",
                f"nothing gives '{column.name}', which table '{spec.table}' needs",
                remedy,
                severity="error",
            )
        elif column.name in frame.columns:
            gaps = frame[column.name].isna()
            names = frame["variable"] if spec.table == "region_facts" else _named(frame, spec)
            findings.add(
                "missing-value-needed",
                f"{int(gaps.sum()):,} of {len(frame):,} rows have no '{column.name}': "
                f"{listed(names[gaps].unique())}",
                remedy,
                severity="error",
                count=int(gaps.sum()),
            )


_REMEDIES = {
    "basis": "say 'basis' in the entry: metered, licensed or assumed",
    "unit": "map 'unit' in the entry's 'fields', or give the field a 'unit' in the layer",
    "key": "map the field that is the layer's 'key'",
    "code": "map the field that is the layer's 'key'",
}


def melt(
    frame: pd.DataFrame, source: pd.DataFrame, spec: LayerSpec, entry: PackEntry, findings: Findings
) -> pd.DataFrame:
    """Turn one wide row into one row per variable, the unit taken from the layer's field."""
    parts = []
    for column, variable in (entry.melt or {}).items():
        known = spec.fields.get(variable)
        part = pd.DataFrame(frame.drop(columns=[c for c in frame if c in spec.fields]))
        part["variable"] = variable
        part["_row"] = frame.index
        part["value"] = pd.to_numeric(source.loc[frame.index, column], errors="coerce")
        if known is not None and known.unit and "unit" not in part:
            part["unit"] = known.unit
        parts.append(part)
    long = pd.concat(parts, ignore_index=True)
    empty = long["value"].isna()
    findings.filter(
        "no-figure",
        f"{len(frame.index.difference(long['_row'][~empty])):,} rows have no figure at all",
        frame.index.difference(long["_row"][~empty]),
        remedy="left out",
    )
    findings.add(
        "melted",
        f"{len(frame):,} rows became {int((~empty).sum()):,} figures"
        + (f"; {int(empty.sum()):,} are empty" if bool(empty.any()) else ""),
        "",
        severity="info",
        count=int((~empty).sum()),
    )
    return long[~empty]
