"""Mend invalid polygons: two readings of a broken ring, and the one that fits its neighbours."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.ingest.findings import Findings, listed
from geoplan.vector import geodesic_area_km2

__all__ = ["AREA_TOLERANCE", "make_valid"]

AREA_TOLERANCE = 0.01
"""Share of an area from which a repair, or two readings of it, are told apart one by one."""


def make_valid(
    frame: gpd.GeoDataFrame, findings: Findings, *, labels: pd.Series | None = None
) -> gpd.GeoDataFrame:
    """Mend invalid geometry; tell areas before and after, and where two readings differ.

    Parameters
    ----------
    frame : GeoDataFrame, EPSG:4326
        Its valid features are the neighbours that a repair must fit.
    findings : Findings
        Receives what was found.
    labels : Series, optional
        What each row is called.

    Notes
    -----
    A ring that crosses or touches itself can be read in two ways: GEOS ``make_valid`` by linework
    (even–odd: what is enclosed twice is a hole) or by structure (shells are joined, then holes are
    cut). Where the two differ by more than 1 % of the area, neither is right for every file; the
    one that overlaps the neighbouring features less is taken, and of two that overlap none the
    larger one, which leaves no hole in a layer that covers the land. Elsewhere linework is taken.
    """
    geometry = frame.geometry
    bad = ~geometry.is_valid & geometry.notna() & ~geometry.is_empty
    if not bool(bad.any()):
        return frame
    broken = geometry[bad]
    reasons = [r.split("[")[0] for r in shapely.is_valid_reason(broken.array)]
    kinds = pd.Series(reasons).value_counts()
    before = _areas(broken)
    mended = broken.make_valid(method="linework")
    polygonal = bool((shapely.get_dimensions(broken.array) == 2).any())
    doubtful: list[str] = []
    names = labels if labels is not None else pd.Series(frame.index, index=frame.index)
    if polygonal:
        other = broken.make_valid(method="structure", keep_collapsed=False)
        mended, doubtful = _choose(mended, other, geometry[~bad & geometry.notna()], names)
    after = _areas(mended)
    area = f"; area {before.sum():,.3f} → {after.sum():,.3f} km²" if polygonal else ""
    findings.add(
        "invalid-geometry",
        f"{int(bad.sum()):,} of {len(frame):,} geometries are invalid "
        f"({', '.join(f'{k} {v}' for k, v in kinds.items())}){area}",
        "mended by make_valid",
        severity="repaired",
        count=int(bad.sum()),
    )
    if doubtful:
        findings.add(
            "repair-doubtful",
            f"{len(doubtful):,} can be read in two ways: {listed(doubtful)}",
            "taken: what overlaps the neighbours less, else the larger; look at them in the source",
            count=len(doubtful),
        )
    moved = (after - before).abs() > AREA_TOLERANCE * np.maximum(before, 1e-9)
    if polygonal and bool(moved.any()):
        lines = [
            f"{n}: {b:,.2f} → {a:,.2f} km²"
            for n, b, a in zip(names[moved[moved].index], before[moved], after[moved], strict=True)
        ]
        findings.add(
            "repair-moved-area",
            f"the repair changed {int(moved.sum()):,} areas by more than "
            f"{AREA_TOLERANCE:.0%}: {listed(lines)}",
            "look at them in the source",
            count=int(moved.sum()),
        )
    out = geometry.copy()
    out[bad] = mended
    return frame.set_geometry(out)


def _areas(geometry: gpd.GeoSeries) -> pd.Series:
    return pd.Series(geodesic_area_km2(geometry), index=geometry.index)


def _choose(
    linework: gpd.GeoSeries, structure: gpd.GeoSeries, neighbours: gpd.GeoSeries, names: pd.Series
) -> tuple[gpd.GeoSeries, list[str]]:
    """Return the reading of each geometry that fits, and a line for each where they differ."""
    first, second = _areas(linework), _areas(structure)
    differ = (first - second).abs() > AREA_TOLERANCE * np.maximum(first, second)
    out = linework.copy()
    lines: list[str] = []
    if not bool(differ.any()):
        return out, lines
    tree = shapely.STRtree(neighbours.array)
    around = np.asarray(neighbours.array)
    for label in differ[differ].index:
        readings = (linework[label], structure[label])
        overlaps = []
        for shape in readings:
            near = around[tree.query(shape, predicate="intersects")]
            overlaps.append(float(shapely.area(shapely.intersection(shape, near)).sum()))
        # A sliver along a digitised border is no overlap: a millionth of the shape's own area.
        slack = 1e-6 * max(shapely.area(readings))
        by_overlap = abs(overlaps[0] - overlaps[1]) > slack
        better = int(overlaps[1] < overlaps[0]) if by_overlap else int(second[label] > first[label])
        out[label] = readings[better]
        areas = (first[label], second[label])
        lines.append(
            f"{names[label]}: {areas[better]:,.2f} km² taken, {areas[1 - better]:,.2f} km² left"
        )
    return out, lines
