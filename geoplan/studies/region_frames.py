"""The regions of a run with their index, as its files and tables hold them."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geoplan.catalogue import Profile
from geoplan.regions import IndexResult, coarser

__all__ = ["coarse_regions", "index_regions"]

_REGION_COLUMNS = [
    "code", "parent_code", "name_en", "name_local", "population", "industrialisation",
    "coverage", "rank", "less_industrialised", "geometry",
]  # fmt: skip


def index_regions(
    regions: gpd.GeoDataFrame, index: IndexResult, profile: Profile
) -> gpd.GeoDataFrame:
    """Return the regions of the index level; see ``SitingResult.regions``."""
    own = regions[regions["level"] == profile.index.level].sort_values("code")
    joined = own.merge(index.frame, left_on="code", right_index=True, how="left")
    return gpd.GeoDataFrame(joined[_REGION_COLUMNS].reset_index(drop=True), crs="EPSG:4326")


def coarse_regions(regions: gpd.GeoDataFrame, index: IndexResult, profile: Profile) -> pd.DataFrame:
    """Return the index of the coarser levels; see ``SitingResult.coarse_regions``."""
    parts = []
    for level in range(1, profile.index.level):
        frame = coarser(index.frame, regions, spec=profile.index, level=level)
        parts.append(frame.reset_index().assign(level=level))
    columns = ["level", "code", *index.frame.columns]
    return pd.concat(parts)[columns] if parts else pd.DataFrame(columns=columns)
