"""Where features lie: in the country or outside of it, and in which region."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import PackEntry
from geoplan.ingest.findings import Findings, listed
from geoplan.ingest.labels import label_rows
from geoplan.ingest.raster import read_raster, sample
from geoplan.ingest.staged import Context

__all__ = ["inside_country", "place_rows", "region_codes"]

_NEAREST_REGION_DEG = 0.05


def place_rows(
    frame: gpd.GeoDataFrame, spec: LayerSpec, entry: PackEntry, context: Context, findings: Findings
) -> gpd.GeoDataFrame:
    """Compare with the country, give regions and sample rasters."""
    country = context.country()
    if country is not None and spec.id != context.country_layer:
        frame = inside_country(
            frame, country, entry.inside, findings=findings, labels=label_rows(frame, spec, entry)
        )
    layers = (entry.region_of,) if isinstance(entry.region_of, str) else entry.region_of or ()
    for i, layer in enumerate(layers):
        regions = context.outlines(layer, where=findings.where)
        frame[f"{layer}_code"] = region_codes(frame, regions, layer=layer, findings=findings)
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


def inside_country(
    frame: gpd.GeoDataFrame,
    regions: gpd.GeoDataFrame,
    mode: str,
    *,
    findings: Findings,
    labels: pd.Series | None = None,
) -> gpd.GeoDataFrame:
    """Find features that touch no region of the country; keep, tell or leave them out."""
    if mode == "keep" or not len(frame):
        return frame
    tree = shapely.STRtree(regions.geometry.array)
    hit = np.unique(tree.query(frame.geometry.array, predicate="intersects")[0])
    out = np.ones(len(frame), dtype=bool)
    out[hit] = False
    out &= ~(frame.geometry.is_empty | frame.geometry.isna()).to_numpy()
    if not out.any():
        return frame
    names = labels[out] if labels is not None else frame.index[out]
    what = f"{int(out.sum()):,} of {len(frame):,} features lie outside the country: {listed(names)}"
    if mode == "drop":
        findings.filter("outside-country", what, frame.index[out], remedy="left out")
        return frame[~out]
    findings.add("outside-country", what, "kept; 'inside: drop' leaves them out", count=out.sum())
    return frame


def region_codes(
    frame: gpd.GeoDataFrame, regions: gpd.GeoDataFrame, *, layer: str, findings: Findings
) -> pd.Series:
    """Return the code of the region that holds each feature's point on surface.

    A point in no region takes the nearest one within 0.05° (about 5 km), because coasts of
    different sources differ; beyond that it has none. Both cases are counted.
    """
    codes = regions["code"].to_numpy(dtype=object)
    tree = shapely.STRtree(regions.geometry.array)
    points = shapely.point_on_surface(frame.geometry.array)
    out = np.full(len(frame), None, dtype=object)
    here, there = tree.query(points, predicate="intersects")
    # The first code in order wins on a shared border, so that the answer never varies.
    for i, j in sorted(zip(here, there, strict=True), key=lambda ij: (ij[0], codes[ij[1]])):
        if out[i] is None:
            out[i] = codes[j]
    lost = np.array([c is None for c in out], dtype=bool)
    if lost.any():
        at = np.flatnonzero(lost & ~shapely.is_missing(points) & ~shapely.is_empty(points))
        a, b = tree.query_nearest(points[at], max_distance=_NEAREST_REGION_DEG, all_matches=False)
        out[at[a]] = codes[b]
        findings.add(
            "region-nearest",
            f"{len(a):,} features lie in no region of {layer} but within 5 km of one",
            "placed in the nearest",
            severity="info",
            count=len(a),
        )
        findings.add(
            "region-none",
            f"{int(lost.sum()) - len(a):,} features lie in no region of {layer}",
            "their region stays empty",
            count=int(lost.sum()) - len(a),
        )
    return pd.Series(out, index=frame.index, dtype=object)
