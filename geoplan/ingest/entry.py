"""Read one vector or table entry of a pack into rows of its layer."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.catalogue.layer import FieldSpec, LayerSpec
from geoplan.catalogue.pack import FieldMap, Join, Pack, PackEntry
from geoplan.catalogue.profile import Profile
from geoplan.errors import CrsProblem, InputError, UnknownName
from geoplan.expression import select
from geoplan.ingest import shape
from geoplan.ingest.columns import (
    as_text,
    blank_destroyed,
    blank_missing,
    make_column,
    rename,
    typed,
)
from geoplan.ingest.findings import Findings, listed
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.join import join
from geoplan.ingest.raster import read_raster, sample
from geoplan.ingest.staged import Context
from geoplan.ingest.table import read_table
from geoplan.ingest.vector import VECTOR_SUFFIXES, parse_crs, read_vector
from geoplan.store import tables

__all__ = ["Rows", "open_rows", "read_rows", "table_columns"]

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
_MULTI = {"regions", "phases", "blocks", "plots", "utility_lines"}
_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")


@dataclass
class Rows:
    """The rows of one entry, and the regions before they were cut."""

    frame: gpd.GeoDataFrame | pd.DataFrame
    rows_read: int
    source_crs: str | None
    uncut: gpd.GeoSeries | None


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


def open_rows(
    folder: PackFolder,
    file: str,
    *,
    source_layer: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
    lon: str | None = None,
    lat: str | None = None,
) -> tuple[gpd.GeoDataFrame | pd.DataFrame, str | None]:
    """Open a vector file or a table by its name; a table with lon and lat gets points."""
    path = folder.file(file)
    suffix = path.suffix.lower()
    if suffix in VECTOR_SUFFIXES:
        return read_vector(path, source_layer=source_layer, encoding=encoding, crs=crs, where=file)
    if suffix not in _TABLE_SUFFIXES:
        known = ", ".join((*VECTOR_SUFFIXES, ".csv", ".csv.gz", ".tif"))
        raise InputError(
            f"files of kind '{suffix or path.name}' are not read", where=file, remedy=f"use {known}"
        )
    frame = read_table(path, encoding=encoding, where=file)
    if lon is None and lat is None:
        return frame, None
    if lon is None or lat is None:
        raise InputError("name both 'lon' and 'lat', or neither", where=file)
    rename(frame, {lon: lon, lat: lat}, where=file)
    xy = frame[[lon, lat]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    stated = parse_crs(crs or "EPSG:4326", where=file)
    if stated.is_geographic:
        off = (np.abs(xy[:, 0]) > 180) | (np.abs(xy[:, 1]) > 90)
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise CrsProblem(
                f"{int(off.sum()):,} rows are not longitude and latitude, the first in row "
                f"{row + 2}: {xy[row, 0]:g}, {xy[row, 1]:g}",
                where=file,
                remedy="check 'lon' and 'lat', or name the CRS in 'crs'",
            )
    points = shapely.points(xy)
    points[~np.isfinite(xy).all(axis=1)] = None
    authority = stated.to_authority()
    return (
        gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(points, crs=stated)),
        ":".join(authority) if authority else str(stated.name),
    )


def _joined(
    frame: pd.DataFrame, rule: Join, context: Context, findings: Findings
) -> pd.DataFrame:
    there, _ = open_rows(
        context.folder, rule.file, source_layer=rule.source_layer, encoding=rule.encoding
    )
    there = rename(there, rule.columns, where=rule.file)
    inner = Findings(f"{findings.where}, join {rule.file}")
    blank_missing(there, rule.missing, inner)
    for name, how in rule.prepare.items():
        there[name] = make_column(name, how, there, inner)
    for name, text in rule.compute.items():
        there[name] = make_column(name, FieldMap(expr=text), there, inner)
    if rule.where is not None:
        there = there[select(rule.where, there)]
    findings.problems += inner.problems
    return join(frame, there.reset_index(drop=True), rule, findings)


def _labels(frame: pd.DataFrame, spec: LayerSpec, entry: PackEntry) -> pd.Series:
    """Return a name for each source row, for messages: the best column that the entry maps."""
    label = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    for field in ("name_en", "name_local", spec.key or ""):
        rule = entry.fields.get(field)
        source = rule if isinstance(rule, str) else rule.source if rule else None
        if source in frame.columns:
            label = label.where(label.notna(), as_text(frame[source]))
    numbers = pd.Series([f"row {i + 1}" for i in range(len(frame))], index=frame.index)
    return label.where(label.notna(), numbers)


def _mend(
    frame: gpd.GeoDataFrame,
    spec: LayerSpec,
    entry: PackEntry,
    profile: Profile,
    findings: Findings,
) -> gpd.GeoDataFrame:
    frame = shape.to_wgs84(frame, findings.where)
    if "swap_axes" in entry.repair:
        frame = shape.swap_axes(frame, profile.bbox, findings)
    bare = frame.geometry.isna() | frame.geometry.is_empty
    if bool(bare.any()):
        names = listed(_labels(frame, spec, entry)[bare])
        what = f"{int(bare.sum()):,} rows have no geometry: {names}"
        if "drop_empty" in entry.repair:
            findings.refuse("empty-geometry", what, int(bare.sum()), remedy="refused")
        else:
            findings.add(
                "empty-geometry",
                what,
                "mend the source, or add 'drop_empty' to 'repair'",
                severity="error",
                count=int(bare.sum()),
            )
        frame = frame[~bare]
    if "close_rings" in entry.repair and spec.geometry == "polygon":
        frame = shape.close_rings(frame, findings)
    labels = _labels(frame, spec, entry)
    if "make_valid" in entry.repair:
        frame = shape.make_valid(frame, findings, labels=labels)
    else:
        bad = ~frame.geometry.is_valid
        findings.add(
            "invalid-geometry",
            f"{int(bad.sum()):,} geometries are invalid: {listed(labels[bad])}",
            "mend the source, or add 'make_valid' to 'repair'",
            severity="error",
            count=int(bad.sum()),
        )
    if len(frame):
        x0, y0, x1, y1 = profile.bbox
        near = shapely.box(x0 - 1, y0 - 1, x1 + 1, y1 + 1)
        if not bool(shapely.intersects(frame.geometry.array, near).any()):
            b = frame.total_bounds
            findings.add(
                "wrong-place",
                f"no feature lies near the country; they lie in {b[0]:.2f} … {b[2]:.2f}, "
                f"{b[1]:.2f} … {b[3]:.2f}",
                "check the CRS, or add 'swap_axes' to 'repair'",
                severity="error",
                count=len(frame),
            )
    return frame


def _placed(
    frame: gpd.GeoDataFrame, spec: LayerSpec, entry: PackEntry, context: Context, findings: Findings
) -> gpd.GeoDataFrame:
    """Compare with the country, give regions and sample rasters."""
    country = context.country()
    if country is not None and spec.id != context.country_layer:
        frame = shape.inside_country(
            frame, country, entry.inside, findings=findings, labels=_labels(frame, spec, entry)
        )
    layers = (entry.region_of,) if isinstance(entry.region_of, str) else entry.region_of or ()
    for i, layer in enumerate(layers):
        regions = context.region_layer(layer, where=findings.where)
        frame[f"{layer}_code"] = shape.region_codes(
            frame, regions, layer=layer, findings=findings
        )
        for name in ("name_en", "name_local"):
            if name in regions:
                by_code = dict(zip(regions["code"], regions[name], strict=True))
                frame[f"{layer}_{name}"] = frame[f"{layer}_code"].map(by_code)
        if i == 0:
            frame["region_code"] = frame[f"{layer}_code"]
    for name, file in entry.sample.items():
        surface = read_raster(context.folder.file(file), where=file, categorical=True)
        points = gpd.GeoSeries(shapely.point_on_surface(frame.geometry.array), crs=4326)
        points = points.to_crs(surface.crs)
        xy = np.column_stack([points.x, points.y])
        frame[name] = sample(surface, xy)
    return frame


def _checked(frame: pd.DataFrame, spec: LayerSpec, entry: PackEntry, findings: Findings) -> pd.DataFrame:
    for rule in entry.checks:
        hit = select(rule.where, frame)
        if not bool(hit.any()):
            continue
        what = f"{int(hit.sum()):,} rows: {rule.what}: {listed(_labels(frame, spec, entry)[hit])}"
        if rule.refuse:
            findings.refuse(rule.id, what, int(hit.sum()), remedy=rule.remedy or "refused")
            frame = frame[~hit]
            continue
        for column in rule.clear:
            if column not in frame.columns:
                raise UnknownName(f"check '{rule.id}' clears unknown column '{column}'")
            frame[column] = frame[column].mask(hit)
        findings.add(
            rule.id,
            what,
            rule.remedy or ("stored as empty" if rule.clear else "kept"),
            severity="repaired" if rule.clear else "warning",
            count=int(hit.sum()),
        )
    return frame


def _grouped(frame: pd.DataFrame, entry: PackEntry, findings: Findings) -> pd.DataFrame:
    rename(frame, {c: c for c in entry.group_by}, where=findings.where)
    n = len(frame)
    numeric = [
        c
        for c in frame.columns
        if c not in entry.group_by
        and c != "geometry"
        and pd.api.types.is_numeric_dtype(frame[c])
        and not pd.api.types.is_bool_dtype(frame[c])
    ]
    groups = frame.groupby(list(entry.group_by), sort=True, dropna=False)
    out = groups[numeric].sum(min_count=1)
    for c in frame.columns:
        if c not in entry.group_by and c not in numeric:
            out[c] = groups[c].first()
    findings.filter(
        "grouped",
        f"{n:,} rows became {len(out):,} by {', '.join(entry.group_by)}",
        n - len(out),
        remedy="numbers summed",
    )
    if "geometry" in out.columns:
        return gpd.GeoDataFrame(out.reset_index(), geometry="geometry", crs=4326)
    return out.reset_index()


def _fields(
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


def _refused(frame: pd.DataFrame, spec: LayerSpec, findings: Findings) -> pd.DataFrame:
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


def read_rows(
    pack: Pack,
    entry: PackEntry,
    spec: LayerSpec,
    profile: Profile,
    context: Context,
    findings: Findings,
) -> Rows:
    """Read an entry step by step: mend, rename, place, join, check, select, cut, type.

    Raises
    ------
    InputError
        Something without which no row can be made: file, column, CRS, expression.
    """
    frame, source_crs = open_rows(
        context.folder,
        entry.file,
        source_layer=entry.source_layer,
        encoding=entry.encoding,
        crs=entry.crs,
        lon=entry.lon,
        lat=entry.lat,
    )
    n = len(frame)
    frame = rename(frame, entry.columns, where=entry.file)
    spatial = isinstance(frame, gpd.GeoDataFrame)
    if spec.kind == "vector" and not spatial:
        raise InputError(
            f"layer '{spec.id}' needs geometry and this is a table",
            where=entry.file,
            remedy="name 'lon' and 'lat', or deliver a vector file",
        )
    blank_missing(frame, entry.missing, findings)
    blank_destroyed(frame, findings)
    for name, rule in entry.prepare.items():
        frame[name] = make_column(name, rule, frame, findings)
    if isinstance(frame, gpd.GeoDataFrame):
        frame = _mend(frame, spec, entry, profile, findings)
        if len(frame):
            frame = _placed(frame, spec, entry, context, findings)
    for rule_ in entry.joins:
        frame = _joined(frame, rule_, context, findings)
    frame = _checked(frame.copy(), spec, entry, findings)
    if entry.where is not None:
        kept = select(entry.where, frame)
        findings.filter(
            "where",
            f"{int((~kept).sum()):,} of {len(frame):,} rows do not fit: {entry.where}",
            int((~kept).sum()),
            remedy="left out",
        )
        frame = frame[kept]
    if entry.group_by:
        frame = _grouped(frame, entry, findings)
    uncut: gpd.GeoSeries | None = None
    if isinstance(frame, gpd.GeoDataFrame):
        uncut = frame.geometry
        if entry.clip is not None:
            frame = shape.clip(
                frame,
                _cutter(entry.clip, context),
                by=entry.clip,
                findings=findings,
                labels=_labels(frame, spec, entry),
            )
        if entry.to_point:
            frame = frame.set_geometry(frame.geometry.representative_point())
        if spec.kind == "vector":
            frame = shape.fit_kind(
                frame, spec.geometry or "any", multi=spec.table in _MULTI, findings=findings
            )
    if entry.melt is not None:
        rename(frame, {c: c for c in entry.melt}, where=findings.where)
    source = frame
    result = _fields(frame, spec, entry, findings)
    result = _refused(result, spec, findings)
    if entry.melt is not None:
        result = _melted(result, source, spec, entry, findings)
    if not spatial or spec.kind == "table":
        result = pd.DataFrame(result.drop(columns="geometry", errors="ignore"))
    return Rows(result, n, source_crs, uncut)


def _cutter(clip: str, context: Context) -> list[shapely.Geometry]:
    if "/" in clip or "." in clip:
        found, _ = open_rows(context.folder, clip)
        if not isinstance(found, gpd.GeoDataFrame):
            raise InputError("'clip' needs polygons", where=clip)
        return list(found.to_crs(4326).geometry)
    return list(context.region_layer(clip, where=f"clip: {clip}").geometry)


def _melted(
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
