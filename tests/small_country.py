"""A country of two square provinces, and what is needed to read files about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely

from geoplan.catalogue import LayerSpec, Pack, Profile
from geoplan.ingest import Context, PackFolder, Staged, read_layer

COEFFICIENT = {"value": 0.5, "unit": "-", "basis": "test", "status": "proposed"}
PROFILE = Profile.model_validate(
    {
        "id": "nowhere",
        "title": {"en": "Nowhere"},
        "country": "XX",
        "synthetic": True,
        "analysis_crs": "EPSG:6933",
        "bbox": [50, 30, 54, 34],
        "region_levels": [{"level": 1, "layer": "provinces", "title": {"en": "Province"}}],
        "demand_classes": {
            "all": {
                "title": {"en": "All"},
                "grade": [1, 5],
                **dict.fromkeys(
                    ("water", "return_ratio", "connected_power", "coincidence", "jobs"), COEFFICIENT
                ),
            }
        },
        "coefficients": {"network_loss": COEFFICIENT},
        "index": {
            "level": 1,
            "indicators": [
                {
                    "id": "people",
                    "title": {"en": "People"},
                    "level": 1,
                    "variable": "people",
                    "unit": "persons",
                    "weight": 1,
                    "basis": "test",
                }
            ],
        },
    }
)


def spec(**given: Any) -> LayerSpec:
    """Return a layer; by default points named ``things``."""
    base = {
        "id": "things",
        "title": {"en": "Things"},
        "theme": "industry",
        "kind": "vector",
        "geometry": "point",
    }
    return LayerSpec.model_validate(base | given)


PROVINCES = spec(
    id="provinces",
    theme="administration",
    geometry="polygon",
    table="regions",
    level=1,
    key="code",
    fields={"code": {"type": "string", "required": True}, "area_km2": {"type": "number"}},
)


def points(path: Path, places: dict[str, tuple[float, float] | None], **columns: Any) -> None:
    """Write a GeoPackage of points named after the keys."""
    geometry = [shapely.Point(p) if p else None for p in places.values()]
    gpd.GeoDataFrame({"label": list(places), **columns}, geometry=geometry, crs=4326).to_file(path)


def provinces(folder: Path) -> None:
    """Write two provinces of 1° × 1° side by side, (51..53, 31..32)."""
    shapes = [shapely.box(51, 31, 52, 32), shapely.box(52, 31, 53, 32)]
    frame = gpd.GeoDataFrame({"no": [1, 2], "title": ["West", "East"]}, geometry=shapes, crs=4326)
    frame.to_file(folder / "provinces.gpkg")


PROVINCE_ENTRY = {
    "layer": "provinces",
    "file": "provinces.gpkg",
    "fields": {"code": {"from": "no", "zero_pad": 2}, "name_en": "title"},
}


def stage(
    folder: Path,
    layer: LayerSpec,
    *entries: dict[str, Any],
    country: bool = False,
    rasters: Path | None = None,
) -> Staged:
    """Read entries of one layer, after the provinces where asked for."""
    named = [{"layer": layer.id, **e} for e in entries]
    pack = Pack.model_validate(
        {"id": "p", "title": {"en": "P"}, "profile": "nowhere", "entries": named}
    )
    context = Context(
        PackFolder(folder), rasters_dir=rasters, country_layer="provinces" if country else None
    )
    if country:
        provinces(folder)
        before = Pack.model_validate(
            {"id": "q", "title": {"en": "Q"}, "profile": "nowhere", "entries": [PROVINCE_ENTRY]}
        )
        done = read_layer(before, before.entries, PROVINCES, PROFILE, context)
        assert not done.errors
    staged = read_layer(pack, pack.entries, layer, PROFILE, context)
    filtered = sum(staged.filtered.values())
    if not staged.errors and staged.frame is not None:
        there = staged.rows_read + staged.balance.made
        assert there == staged.rows_stored + staged.rows_refused + filtered
    return staged


def codes(staged: Staged, severity: str | None = None) -> dict[str, int]:
    """Return the findings' codes and counts."""
    return {p.code: p.count for p in staged.report if severity in (None, p.severity)}


def dem(path: Path, z: np.ndarray, **profile: Any) -> None:
    """Write a height raster near the country."""
    given = {
        "driver": "GTiff",
        "height": z.shape[0],
        "width": z.shape[1],
        "count": 1,
        "dtype": z.dtype.name,
        "crs": "EPSG:4326",
        "nodata": -32768,
        "transform": rasterio.Affine(0.005, 0, 51, 0, -0.005, 32),
    }
    with rasterio.open(path, "w", **(given | profile)) as sink:
        sink.write(z, 1)


def stepped() -> np.ndarray:
    """A ramp of 0 to 3,000 m in steps of 31.25 m, rounded to whole metres as such files are."""
    ramp = np.tile(np.linspace(0, 3000, 200), (120, 1))
    return np.round(np.round(ramp / 31.25) * 31.25).astype(np.int16)
