"""Put the rows of several entries together as one layer."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import PackEntry
from geoplan.catalogue.profile import Profile
from geoplan.ingest.entry import Rows
from geoplan.ingest.findings import Findings, listed
from geoplan.ingest.join import earth_xyz
from geoplan.ingest.staged import Context

__all__ = ["gather", "leave_near", "regions_of", "stamp", "tell_parents"]


def stamp(rows: Rows, spec: LayerSpec, entry: PackEntry) -> gpd.GeoDataFrame | pd.DataFrame:
    """Add to each row what its entry says of all of them."""
    frame = rows.frame
    if "_row" not in frame:
        frame = frame.assign(_row=frame.index)
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


def leave_near(
    frame: gpd.GeoDataFrame | pd.DataFrame,
    earlier: Sequence[gpd.GeoDataFrame | pd.DataFrame],
    km: float,
    findings: Findings,
) -> gpd.GeoDataFrame | pd.DataFrame:
    """Leave out rows that lie near one of an earlier entry of the layer."""
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
        frame.index[near],
        remedy="left out",
    )
    return frame[~near]


def gather(
    frames: Sequence[gpd.GeoDataFrame | pd.DataFrame], spec: LayerSpec, findings: Findings
) -> gpd.GeoDataFrame | pd.DataFrame:
    """Put the rows of all entries together, give each its key, and look for doubles."""
    whole = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    if any(isinstance(f, gpd.GeoDataFrame) for f in frames):
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


def regions_of(
    whole: gpd.GeoDataFrame | pd.DataFrame, uncut: gpd.GeoSeries | None
) -> gpd.GeoDataFrame:
    """Return the regions as they were before anything was cut from them."""
    geometry = np.full(len(whole), None, dtype=object)
    if uncut is not None:
        geometry = uncut.loc[whole["_row"]].array
    elif isinstance(whole, gpd.GeoDataFrame):
        geometry = whole.geometry.array
    names = {
        c: whole[c].to_numpy() if c in whole else np.full(len(whole), None, dtype=object)
        for c in ("code", "name_en", "name_local")
    }
    return gpd.GeoDataFrame(names, geometry=geometry, crs=4326)


def tell_parents(
    whole: pd.DataFrame, spec: LayerSpec, profile: Profile, context: Context, findings: Findings
) -> None:
    """Tell which regions name a parent that the level above does not have."""
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
