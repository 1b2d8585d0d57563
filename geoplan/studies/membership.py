"""Which regions a site belongs to, on every level, consistently."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from geoplan.regions import ancestors
from geoplan.studies.index import region_code_at

__all__ = ["region_columns"]


def region_columns(points: gpd.GeoSeries, regions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return region codes and names of points on every level.

    Parameters
    ----------
    points : GeoSeries, EPSG:4326
        One point inside each site.
    regions : GeoDataFrame, EPSG:4326
        Regions of every level: ``code``, ``parent_code``, ``level``, names, geometry (may be
        missing on fine levels).

    Returns
    -------
    DataFrame, the index of ``points``
        ``region{n}_code``, ``region{n}_name_en``, ``region{n}_name_local`` for each level n.

    Notes
    -----
    The finest level that has geometry decides, and coarser codes follow its parents: borders of
    levels come from different sources, and a site must not lie in a county of one province and
    in another province.
    """
    have = regions[~(regions.geometry.isna() | regions.geometry.is_empty)]
    levels = sorted(int(v) for v in regions["level"].unique())
    finest = int(have["level"].max())
    code = region_code_at(points, have[have["level"] == finest], near_m=20_000)
    up = ancestors(regions, finest)
    names = regions.set_index(["level", "code"])[["name_en", "name_local"]]
    out = pd.DataFrame(index=points.index)
    for level in levels:
        codes = code.map(up[level]) if level <= finest else pd.Series(pd.NA, index=points.index)
        out[f"region{level}_code"] = codes.astype(object)
        for column in ("name_en", "name_local"):
            lookup = names[column].xs(level, level="level")
            out[f"region{level}_{column}"] = codes.map(lookup).astype(object)
    return out
