"""Read one vector or table entry of a pack into rows of its layer."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
import shapely

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import FieldMap, Join, PackEntry
from geoplan.catalogue.profile import Profile
from geoplan.errors import InputError, UnknownName
from geoplan.expression import select
from geoplan.ingest import shape
from geoplan.ingest.columns import blank_destroyed, blank_missing, make_column, rename
from geoplan.ingest.fields import fit_fields, melt, refuse_incomplete
from geoplan.ingest.findings import Findings, listed
from geoplan.ingest.join import join
from geoplan.ingest.labels import label_rows
from geoplan.ingest.mend import make_valid
from geoplan.ingest.placement import place_rows
from geoplan.ingest.source import open_polygons, open_rows
from geoplan.ingest.staged import Context

__all__ = ["Rows", "read_rows"]

_MULTI = {"regions", "phases", "blocks", "plots", "utility_lines"}


@dataclass
class Rows:
    """The rows of one entry, and the regions before they were cut."""

    frame: gpd.GeoDataFrame | pd.DataFrame
    rows_read: int
    source_crs: str | None
    uncut: gpd.GeoSeries | None


def _joined(frame: pd.DataFrame, rule: Join, context: Context, findings: Findings) -> pd.DataFrame:
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
        names = listed(label_rows(frame, spec, entry)[bare])
        what = f"{int(bare.sum()):,} rows have no geometry: {names}"
        if "drop_empty" in entry.repair:
            findings.refuse("empty-geometry", what, frame.index[bare], remedy="refused")
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
    labels = label_rows(frame, spec, entry)
    if "make_valid" in entry.repair:
        frame = make_valid(frame, findings, labels=labels)
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


def _checked(
    frame: pd.DataFrame, spec: LayerSpec, entry: PackEntry, findings: Findings
) -> pd.DataFrame:
    for rule in entry.checks:
        hit = select(rule.where, frame)
        if not bool(hit.any()):
            continue
        what = (
            f"{int(hit.sum()):,} rows: {rule.what}: {listed(label_rows(frame, spec, entry)[hit])}"
        )
        if rule.refuse:
            findings.refuse(rule.id, what, frame.index[hit], remedy=rule.remedy or "refused")
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
    out = out.reset_index()
    # A group goes on under the number of its first row, so that every row stays accounted for.
    numbers = pd.Series(frame.index, index=frame.index, name="_first")
    out.index = pd.Index(
        numbers.groupby([frame[c] for c in entry.group_by], sort=True, dropna=False).first()
    )
    findings.filter(
        "grouped",
        f"{len(frame):,} rows became {len(out):,} by {', '.join(entry.group_by)}",
        frame.index.difference(out.index),
        remedy="numbers summed",
    )
    if "geometry" in out.columns:
        return gpd.GeoDataFrame(out, geometry="geometry", crs=4326)
    return out


def read_rows(
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
    # Regions may be known by name and code alone, before anybody has drawn them.
    if spec.kind == "vector" and not spatial and spec.table != "regions":
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
            frame = place_rows(frame, spec, entry, context, findings)
    for rule_ in entry.joins:
        frame = _joined(frame, rule_, context, findings)
    frame = _checked(frame.copy(), spec, entry, findings)
    if entry.where is not None:
        kept = select(entry.where, frame)
        findings.filter(
            "where",
            f"{int((~kept).sum()):,} of {len(frame):,} rows do not fit: {entry.where}",
            frame.index[~kept],
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
                open_polygons(entry.clip, context),
                by=entry.clip,
                findings=findings,
                labels=label_rows(frame, spec, entry),
            )
        if entry.to_point:
            frame = frame.set_geometry(frame.geometry.representative_point())
        if spec.kind == "vector":
            frame = shape.fit_kind(
                frame,
                spec.geometry or "any",
                multi=spec.table in _MULTI,
                single=spec.table == "utility_nodes",
                findings=findings,
            )
    if entry.melt is not None:
        rename(frame, {c: c for c in entry.melt}, where=findings.where)
    source = frame
    result = fit_fields(frame, spec, entry, findings)
    result = refuse_incomplete(result, spec, findings)
    if entry.melt is not None:
        result = melt(result, source, spec, entry, findings)
    if not spatial or spec.kind == "table":
        result = pd.DataFrame(result.drop(columns="geometry", errors="ignore"))
    return Rows(result, n, source_crs, uncut)
