"""Read the entries of a pack into staged layers. No database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import Pack, PackEntry
from geoplan.catalogue.profile import Profile
from geoplan.errors import InputError, Problem, ProblemsFound, RangeError
from geoplan.ingest.entry import Rows, read_rows
from geoplan.ingest.findings import Findings, listed
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.join import earth_xyz
from geoplan.ingest.raster import (
    RASTER_SUFFIXES,
    RasterFile,
    quantisation,
    read_raster,
    statistics,
    write_cog,
)
from geoplan.ingest.staged import Context, Staged
from geoplan.raster import dequantise

__all__ = ["Context", "Staged", "by_layer", "fingerprint", "read_entry", "read_layer"]

# Part of every fingerprint: raise it when the same file and entry give other rows than before.
_REVISION = 1


def by_layer(pack: Pack) -> dict[str, list[PackEntry]]:
    """Return the entries of a pack grouped by layer, layers in the order of their first entry."""
    out: dict[str, list[PackEntry]] = {}
    for entry in pack.entries:
        out.setdefault(entry.layer, []).append(entry)
    return out


def files_of(entry: PackEntry) -> list[str]:
    """Return every file that an entry reads."""
    clip = [entry.clip] if entry.clip and ("/" in entry.clip or "." in entry.clip) else []
    return [entry.file, *[j.file for j in entry.joins], *clip, *entry.sample.values()]


def fingerprint(
    entries: Sequence[PackEntry],
    spec: LayerSpec,
    profile: Profile,
    folder: PackFolder,
    *,
    depends_on: Sequence[str] = (),
) -> str:
    """Return the SHA-256 of everything that decides a layer's rows: entries, layer, files.

    Parameters
    ----------
    depends_on : sequence of str
        Fingerprints of region layers that place or cut this one.
    """
    document: dict[str, Any] = {
        "revision": _REVISION,
        "entries": [e.model_dump(mode="json", by_alias=True) for e in entries],
        # How a layer is drawn or titled does not change its rows.
        "layer": spec.model_dump(mode="json", exclude={"style", "title", "description"}),
        "bbox": list(profile.bbox),
        "files": {f: folder.sha256(f) for e in entries for f in files_of(e)},
        "depends_on": list(depends_on),
    }
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _told(findings: Findings, error: InputError) -> None:
    """Turn an exception into a finding, so that the other entries are still checked."""
    if isinstance(error, ProblemsFound):
        findings.problems += error.problems
        return
    code = {
        "FileMissing": "missing-file",
        "CrsProblem": "wrong-crs",
        "EmptyLayer": "empty-layer",
        "UnknownName": "unknown-name",
        "RangeError": "out-of-range",
    }.get(type(error).__name__, "unreadable")
    where = error.where if error.where in findings.where else f"{findings.where}, {error.where}"
    at = where.rstrip(", ") if error.where and error.where not in findings.where else findings.where
    findings.problems.append(Problem(at, error.what, error.remedy, "error", code))


def _raster(
    entry: PackEntry, spec: LayerSpec, context: Context, sha: str, findings: Findings
) -> tuple[RasterFile | None, str]:
    surface = read_raster(
        context.folder.file(entry.file),
        crs=entry.crs,
        where=entry.file,
        categorical=spec.categorical,
    )
    if not spec.categorical:
        values = surface.values
        low = -np.inf if spec.minimum is None else spec.minimum
        high = np.inf if spec.maximum is None else spec.maximum
        off = (values < low) | (values > high)
        findings.add(
            "out-of-range",
            f"{int(off.sum()):,} cells lie outside {low:g} … {high:g} {spec.unit or ''}",
            "stored as empty",
            severity="repaired",
            count=int(off.sum()),
        )
        values[off] = np.nan
        missing = int(np.isnan(values).sum())
        findings.add(
            "missing-cells",
            f"{missing:,} of {values.size:,} cells have no data",
            "stay empty",
            severity="info",
            count=missing,
        )
        found = quantisation(values)
        if found is not None:
            cells = values.size - missing
            what = (
                f"heights come in steps of {found.step:g} {spec.unit or ''}: {found.values} distinct "
                f"values in {cells:,} cells"
            )
            if "dequantise" in entry.repair:
                step = entry.dequantise_step or found.step
                before = values.copy() if context.rasters_dir is not None else None
                if before is not None:
                    surface.values = dequantise(values, step).astype(np.float32)
                    moved = np.abs(surface.values - before)
                    changed = int((moved > 0).sum())
                    most = float(np.nanmax(moved))
                    # A height is known to half a step; finer digits would only weigh.
                    surface.values = np.round(surface.values, 2)
                    told = f"; {changed:,} cells moved, none by more than {most:.2f} {spec.unit or ''}"
                else:
                    told = ""
                findings.add(
                    "quantised",
                    what + told,
                    f"smoothed within ± half a step of {step:g}",
                    severity="repaired",
                    count=cells,
                )
            else:
                findings.add(
                    "quantised", what, "add 'dequantise' to 'repair'; slopes will have cliffs",
                    count=cells,
                )  # fmt: skip
        elif "dequantise" in entry.repair:
            findings.add("not-quantised", "no steps were found", "not smoothed", severity="info")
    statistics(surface, categorical=spec.categorical)
    if context.rasters_dir is None:
        return None, surface.crs
    raster = write_cog(
        surface, context.rasters_dir, sha, categorical=spec.categorical, unit=spec.unit
    )
    return raster, surface.crs


def read_entry(
    root: Path,
    pack: Pack,
    entry: PackEntry,
    spec: LayerSpec,
    profile: Profile,
    context: Context | None = None,
) -> Staged:
    """Read and check one entry on its own. See :func:`read_layer`."""
    context = context or Context(PackFolder(root), country_layer=profile.region_levels[0].layer)
    return read_layer(pack, [entry], spec, profile, context)


def read_layer(
    pack: Pack,
    entries: Sequence[PackEntry],
    spec: LayerSpec,
    profile: Profile,
    context: Context,
    *,
    sha256: str | None = None,
) -> Staged:
    """Read all entries of one layer and put their rows one after the other.

    Parameters
    ----------
    pack : Pack
        The pack, for what all its entries share.
    entries : sequence of PackEntry
        The layer's entries in order.
    spec, profile : LayerSpec, Profile
        What the layer is; where the country lies.
    context : Context
        Folder, regions read before, where rasters go. Regions read here are added to it.
    sha256 : str, optional
        The fingerprint, where it is known.

    Returns
    -------
    Staged
        Findings of all entries; those of severity ``error`` mean it must not be stored. It never
        raises for what is wrong in the data, so that one pass finds everything.
    """
    findings = Findings(f"{spec.id} ← {entries[0].file}")
    frames: list[gpd.GeoDataFrame | pd.DataFrame] = []
    uncut: list[gpd.GeoSeries] = []
    raster: RasterFile | None = None
    rows_read = 0
    crs: list[str] = []
    sha = sha256 or ""
    try:
        sha = sha256 or fingerprint(entries, spec, profile, context.folder)
    except InputError:
        # The entry whose file this is tells it below, in its turn.
        sha = ""
    if spec.derived is not None:
        findings.add(
            "derived-layer",
            f"'{spec.id}' is computed from '{spec.derived.source}'",
            "remove the entry",
            severity="error",
        )
        return _staged(spec, entries, findings, None, None, 0, sha, crs)
    for entry in entries:
        findings.where = f"{spec.id} ← {entry.file}"
        try:
            if spec.kind == "raster":
                if len(entries) > 1:
                    raise RangeError("a raster layer has one entry", where=entry.file)
                raster, found = _raster(entry, spec, context, sha, findings)
                rows_read += 1
                crs.append(found)
                continue
            if entry.file.lower().endswith(RASTER_SUFFIXES):
                raise InputError(f"layer '{spec.id}' is no raster", where=entry.file)
            rows = read_rows(pack, entry, spec, profile, context, findings)
        except InputError as error:
            _told(findings, error)
            continue
        rows_read += rows.rows_read
        frame = _stamped(rows, spec, entry)
        if entry.apart_km is not None and frames:
            frame = _apart(frame, frames, entry.apart_km, findings)
        frames.append(frame)
        if rows.source_crs:
            crs.append(rows.source_crs)
        if rows.uncut is not None:
            uncut.append(rows.uncut)
    whole = _together(frames, spec, findings) if frames else None
    if whole is not None and spec.table == "regions" and uncut:
        context.regions[spec.id] = _regions(whole, uncut[0] if len(uncut) == 1 else None)
    if whole is not None and "parent_code" in whole and spec.level and spec.level > 1:
        _parents(whole, spec, profile, context, findings)
    return _staged(spec, entries, findings, whole, raster, rows_read, sha, crs)


def _staged(
    spec: LayerSpec,
    entries: Sequence[PackEntry],
    findings: Findings,
    frame: gpd.GeoDataFrame | pd.DataFrame | None,
    raster: RasterFile | None,
    rows_read: int,
    sha: str,
    crs: Sequence[str],
) -> Staged:
    return Staged(
        layer=spec.id,
        frame=None if frame is None else frame.drop(columns="_row", errors="ignore"),
        raster=raster,
        report=findings.problems,
        rows_read=rows_read,
        rows_refused=findings.refused,
        filtered=dict(findings.filtered),
        sha256=sha,
        source_crs=", ".join(dict.fromkeys(crs)) or None,
        source_file=" + ".join(dict.fromkeys(e.file for e in entries)),
    )


def _stamped(rows: Rows, spec: LayerSpec, entry: PackEntry) -> gpd.GeoDataFrame | pd.DataFrame:
    """Add to each row what its entry says of all of them."""
    frame = rows.frame.assign(_row=rows.frame.index)
    if spec.table in ("utility_nodes", "utility_lines") and entry.basis is not None:
        frame["basis"] = entry.basis
    if spec.table == "utility_nodes":
        frame["method_en"] = entry.method.en if entry.method else None
        frame["method_local"] = entry.method.in_language("fa") if entry.method else None
    if spec.table in ("utility_nodes", "region_facts") and "as_of" not in frame:
        frame["as_of"] = entry.as_of
    if spec.table == "region_facts":
        for name, value in (("source", entry.source), ("confidence", entry.confidence)):
            if name not in frame:
                frame[name] = value
        frame["level"] = spec.level
    if spec.table == "regions":
        frame["level"] = spec.level
    return frame


def _apart(
    frame: gpd.GeoDataFrame | pd.DataFrame,
    earlier: Sequence[gpd.GeoDataFrame | pd.DataFrame],
    km: float,
    findings: Findings,
) -> gpd.GeoDataFrame | pd.DataFrame:
    from scipy.spatial import cKDTree

    if not isinstance(frame, gpd.GeoDataFrame) or not len(frame):
        return frame
    points = pd.concat([f.geometry for f in earlier if isinstance(f, gpd.GeoDataFrame)])
    there = points.representative_point()
    here = frame.geometry.representative_point()
    tree = cKDTree(earth_xyz(np.column_stack([there.x, there.y])))
    near = tree.query(earth_xyz(np.column_stack([here.x, here.y])))[0] <= km
    names = frame["name_en"][near] if "name_en" in frame else frame.index[near]
    findings.filter(
        "already-there",
        f"{int(near.sum()):,} rows lie within {km:g} km of one already read: {listed(names)}",
        int(near.sum()),
        remedy="left out",
    )
    return frame[~near]


def _together(
    frames: Sequence[gpd.GeoDataFrame | pd.DataFrame], spec: LayerSpec, findings: Findings
) -> gpd.GeoDataFrame | pd.DataFrame:
    whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    if isinstance(frames[0], gpd.GeoDataFrame):
        whole = gpd.GeoDataFrame(whole, geometry="geometry", crs=4326)
    if spec.table == "region_facts":
        twice = whole.duplicated(["region_code", "variable"], keep=False)
        names = (whole["region_code"] + " " + whole["variable"])[twice].unique()
        findings.add(
            "duplicate-fact",
            f"{len(names):,} figures are given more than once: {listed(names)}",
            "give each figure in one entry",
            severity="error",
            count=len(names),
        )
    else:
        if spec.key is None:
            whole["key"] = [f"{i + 1:06d}" for i in range(len(whole))]
        elif spec.key in whole:
            whole["key"] = whole[spec.key]
        if "key" in whole:
            twice = whole["key"].duplicated(keep=False) & whole["key"].notna()
            names = whole["key"][twice].unique()
            findings.add(
                "duplicate-key",
                f"{len(names):,} keys name more than one row: {listed(names)}",
                "mend the source, or choose another 'key' for the layer",
                severity="error",
                count=int(twice.sum()),
            )
    if isinstance(whole, gpd.GeoDataFrame) and spec.geometry == "point" and len(whole):
        same = whole.geometry.to_wkb().duplicated(keep=False)
        findings.add(
            "same-place",
            f"{int(same.sum()):,} points share their place with another",
            "kept",
            severity="info",
            count=int(same.sum()),
        )
    if not len(whole):
        findings.add(
            "empty-layer",
            "no row is left to store",
            "look at the findings above; they say where rows went",
            severity="error",
        )
    first = [c for c in ("key", "name_en", "name_local") if c in whole.columns]
    whole = whole[[*first, *[c for c in whole.columns if c not in first]]]
    return whole.reset_index(drop=True)


def _regions(
    whole: gpd.GeoDataFrame | pd.DataFrame, uncut: gpd.GeoSeries | None
) -> gpd.GeoDataFrame:
    geometry = uncut.loc[whole["_row"]].array if uncut is not None else whole.geometry.array
    names = {
        c: whole[c].to_numpy() if c in whole else np.full(len(whole), None, dtype=object)
        for c in ("code", "name_en", "name_local")
    }
    return gpd.GeoDataFrame(names, geometry=geometry, crs=4326)


def _parents(
    whole: pd.DataFrame, spec: LayerSpec, profile: Profile, context: Context, findings: Findings
) -> None:
    above = [r.layer for r in profile.region_levels if r.level == (spec.level or 0) - 1]
    if not above or above[0] not in context.regions:
        return
    known = set(context.regions[above[0]]["code"])
    lost = ~whole["parent_code"].isin(known)
    names = sorted(set(whole["parent_code"][lost].dropna()))
    findings.add(
        "unknown-parent",
        f"{int(lost.sum()):,} regions belong to {len(names):,} regions that '{above[0]}' does not "
        f"have: {listed(names)}",
        "kept; the two sources are of different years",
        count=int(lost.sum()),
    )
