"""The industrialisation index from the database."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.errors import EmptyLayer
from geoplan.regions import IndexResult, ancestors, industrialisation, measure_indicator
from geoplan.store import read

__all__ = ["all_regions", "index_of", "region_code_at"]


def all_regions(session: Session, profile: Profile) -> gpd.GeoDataFrame:
    """Return the loaded regions of every level: codes, parents, names, population, geometry.

    Raises
    ------
    EmptyLayer
        The coarsest level is not loaded.
    """
    parts = []
    for level in profile.region_levels:
        versions = read.layer_versions(session, [level.layer])
        if level.layer not in versions:
            continue
        frame = read.layer_frame(session, level.layer)
        keep = ["code", "parent_code", "level", "name_en", "name_local", "population", "geometry"]
        parts.append(frame[keep])
    if not parts or int(parts[0]["level"].iloc[0]) != 1:
        first = profile.region_levels[0]
        raise EmptyLayer(
            f"the regions of profile '{profile.id}' are not loaded",
            where=first.layer,
            remedy="load the country's pack: geoplan pack load",
        )
    return gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), crs="EPSG:4326")


def region_code_at(points: gpd.GeoSeries, regions: gpd.GeoDataFrame, *, near_m: float) -> pd.Series:
    """Return the code of the region that holds each point, else the nearest within ``near_m``.

    Parameters
    ----------
    points : GeoSeries, EPSG:4326
        Missing points give a missing code.
    regions : GeoDataFrame, EPSG:4326
        ``code`` and geometry of one level.
    near_m : float
        How far outside every region a point may lie (digitised borders do not meet exactly), m.
    """
    held = regions[~shapely.is_missing(regions.geometry.to_numpy())].sort_values("code")
    out = pd.Series(pd.NA, index=points.index, dtype=object)
    present = points[~(points.is_empty | points.isna())]
    if held.empty or present.empty:
        return out
    tree = shapely.STRtree(held.geometry.to_numpy())
    codes = held["code"].to_numpy()
    which, region = tree.query(present.geometry.to_numpy(), predicate="intersects")
    # Sorted by code, so a point on a border belongs to the smallest code, whatever the order.
    for point, found in sorted(zip(which.tolist(), region.tolist(), strict=True), reverse=True):
        out.loc[present.index[point]] = codes[found]
    lost = present[out.loc[present.index].isna()]
    if len(lost):
        which, region = tree.query_nearest(
            lost.geometry.to_numpy(), max_distance=near_m / 80_000.0, all_matches=False
        )
        for point, found in zip(which.tolist(), region.tolist(), strict=True):
            out.loc[lost.index[point]] = codes[found]
    return out


def index_of(session: Session, profile: Profile, regions: gpd.GeoDataFrame) -> IndexResult:
    """Return the profile's industrialisation index for all its regions.

    Parameters
    ----------
    session : Session
        Database.
    profile : Profile
        Its ``index`` says what is combined, and how.
    regions : GeoDataFrame
        From `all_regions`.
    """
    spec = profile.index
    facts = read.region_facts(session)
    measured: dict[str, pd.DataFrame] = {}
    for indicator in spec.indicators:
        features, as_of, source = None, None, ""
        if indicator.layer is not None:
            features = read.layer_frame(session, indicator.layer)
            version = read.layer_versions(session, [indicator.layer])[indicator.layer]
            as_of, source = version.get("as_of"), str(version.get("source") or "")
            if "region_code" not in features.columns or features["region_code"].isna().all():
                level = regions[regions["level"] == indicator.level]
                features = features.copy()
                features["region_code"] = region_code_at(
                    features.geometry.representative_point(), level, near_m=5_000
                )
            else:
                features = _to_level(features, regions, indicator.level)
        measured[indicator.id] = measure_indicator(
            indicator,
            regions=regions,
            index_level=spec.level,
            facts=facts,
            features=features,
            features_as_of=as_of,
            features_source=source,
        )
    codes = pd.Index(sorted(regions.loc[regions["level"] == spec.level, "code"]), name="code")
    return industrialisation(spec, measured, codes)


def _to_level(
    features: gpd.GeoDataFrame, regions: gpd.GeoDataFrame, level: int
) -> gpd.GeoDataFrame:
    """Return features with ``region_code`` lifted to ``level`` where it names a finer region."""
    moved = features.copy()
    mapping: dict[str, str] = {}
    for own in sorted(set(regions["level"])):
        if own >= level:
            lifted = ancestors(regions, int(own))[level]
            mapping.update({str(c): p for c, p in lifted.items() if isinstance(p, str)})
    moved["region_code"] = moved["region_code"].map(mapping)
    return moved
