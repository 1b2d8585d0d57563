"""``sites.gpkg``: the polygons of all candidates."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyogrio

from geoplan.siting.result import SitingResult

__all__ = ["write_sites"]

_WRITTEN = "2000-01-01T00:00:00.000Z"
"""Fixed date inside the file, so that the same candidates give the same bytes."""


def write_sites(path: Path, result: SitingResult) -> None:
    """Write candidates to a GeoPackage, layer ``sites``, EPSG:4326, best first.

    Parameters
    ----------
    path : Path
        File to make.
    result : SitingResult
        Its ``candidates``.
    """
    frame = result.candidates
    columns = ["rank", "area_ha", "score", "in_portfolio"]
    levels = sorted(spec.level for spec in result.profile.region_levels)
    columns += [f"region{level}_code" for level in levels]
    sites = gpd.GeoDataFrame(
        {"site_id": frame.index.astype(str), **{c: frame[c].to_numpy() for c in columns}},
        geometry=frame.geometry.to_numpy(),
        crs="EPSG:4326",
    )
    order = ["site_id", "rank"]
    order += [c for c in columns if c.startswith("region")] + ["area_ha", "score", "in_portfolio"]
    sites = sites[[*order, "geometry"]]
    sites["area_ha"] = sites["area_ha"].astype("float64").round(2)
    sites["score"] = sites["score"].astype("float64").round(6)
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _WRITTEN})
    try:
        pyogrio.write_dataframe(
            sites, path, layer="sites", driver="GPKG", geometry_type="MultiPolygon",
            promote_to_multi=True,
        )  # fmt: skip
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})
