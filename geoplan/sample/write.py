"""Write a country as a pack: the files and the pack.yaml that maps them to layers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyogrio
import rasterio
import rasterio.features
import shapely
import yaml
from rasterio.transform import Affine
from scipy import ndimage

from geoplan.catalogue import Pack
from geoplan.sample.country import Country
from geoplan.sample.entries import pack_document
from geoplan.sample.industry import long_facts
from geoplan.sample.place import ANALYSIS_CRS, FloatArray, Place
from geoplan.sample.relief import fractal

__all__ = ["MARKER", "read_marker", "write_country"]

MARKER = "sample.json"
"""File that says a folder was made here, and how."""

_FIXED_DATE = "2024-01-01T00:00:00Z"
_NODATA = -32768.0
_FINER = 2


def write_country(country: Country, folder: Path) -> dict[str, int]:
    """Write every file of the pack into an existing folder.

    Returns
    -------
    dict
        Rows (or cells with data) by layer id.

    Notes
    -----
    Vector layers are in EPSG:4326, rounded to 1e-7°, point for point, so that regions still tile;
    the cadastre stays in its own CRS, rasters in the analysis CRS at 250 m. Dates inside the
    GeoPackages are fixed, so one seed gives the same bytes with the same GDAL.
    """
    rows: dict[str, int] = {}
    for layer, frame in _open_layers(country).items():
        if len(frame):
            _write_gpkg(_degrees(frame), folder / "country.gpkg", layer)
            rows[layer] = len(frame)
    for layer in ("estates", "phases", "blocks", "plots"):
        frame = getattr(country.estates, layer)
        _write_gpkg(frame, folder / "cadastre.gpkg", layer)
        rows[layer] = len(frame)
    for name, facts in (
        ("province_facts", country.province_facts),
        ("county_facts", country.county_facts),
    ):
        table = long_facts(facts)
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        rows[name] = len(table)
    height, cover = _finer(country)
    _write_tif(folder / "elevation.tif", height.astype(np.float32), country.place, _NODATA)
    _write_tif(folder / "land_cover.tif", cover, country.place, 0)
    rows["elevation"] = int((height != _NODATA).sum())
    rows["land_cover"] = int((cover != 0).sum())
    document = pack_document(country)
    Pack.model_validate(document)
    (folder / "pack.yaml").write_text(
        yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=100), encoding="utf-8"
    )
    place = country.place
    note = {"made_by": "geoplan sample", "synthetic": True, "seed": place.seed, "size": place.size}
    (folder / MARKER).write_text(
        json.dumps({**note, "rows": rows}, indent=2) + "\n", encoding="utf-8"
    )
    return rows


def _open_layers(country: Country) -> dict[str, gpd.GeoDataFrame]:
    """Return the layers of country.gpkg by the name they have in it."""
    regions, utilities, ground = country.regions, country.utilities, country.ground
    return {
        "land": gpd.GeoDataFrame(
            {"code": ["X"]},
            geometry=[shapely.union_all(regions.provinces.geometry.array)],
            crs=ANALYSIS_CRS,
        ),
        "provinces": regions.provinces,
        "counties": regions.counties,
        "districts": regions.districts,
        "settlements": country.settlements.drop(columns=["cell", "rank"]).assign(
            county_seat=country.settlements["rank"] <= 2,
            county_code=country.settlements["district_code"].str[:4],
            province_code=country.settlements["district_code"].str[:2],
        ),
        "urban_areas": ground.urban,
        "roads": country.networks.roads,
        "railways": country.networks.railways,
        "ports": country.networks.ports,
        "rivers": country.water.rivers,
        "lakes": country.water.lakes,
        "dams": utilities.dams,
        "power_plants": utilities.power_plants,
        "substations": utilities.substations,
        "grid_lines": utilities.grid_lines,
        "water_sources": utilities.water_sources,
        "wastewater_plants": utilities.wastewater_plants,
        "protected_areas": ground.protected,
        "farmland": ground.farmland,
        "faults": ground.faults,
    }


def _degrees(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    out = frame.to_crs(4326)
    rounded = shapely.transform(out.geometry.array, lambda xy: np.round(xy, 7))
    return gpd.GeoDataFrame(out.drop(columns="geometry"), geometry=rounded, crs=4326)


def _write_gpkg(frame: gpd.GeoDataFrame, path: Path, layer: str) -> None:
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _FIXED_DATE})
    try:
        text = frame.select_dtypes(include=["object", "string"]).columns
        frame = frame.assign(
            **{c: frame[c].astype(object).where(frame[c].notna(), None) for c in text}
        )
        multi = frame.geom_type.nunique() > 1
        pyogrio.write_dataframe(frame, path, layer=layer, driver="GPKG", promote_to_multi=multi)
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _finer(country: Country) -> tuple[FloatArray, npt.NDArray[np.uint8]]:
    """Return heights and cover on cells of half the side, cut to the land as it is drawn."""
    place, relief = country.place, country.relief
    height = ndimage.zoom(relief.z, _FINER, order=3, mode="nearest", grid_mode=True)
    steep = ndimage.zoom(
        ndimage.gaussian_filter(relief.slope, 2), _FINER, order=1, mode="nearest", grid_mode=True
    )
    grain = fractal(height.shape, place.rng("grain"), beta=2.6, longest=12)
    height = np.maximum(height + 0.12 * steep * grain, 0.5)
    lake = np.kron(relief.basin, np.ones((_FINER, _FINER), dtype=bool))
    height = np.where(lake, np.median(relief.z[relief.basin]) if lake.any() else 0, height)
    land = rasterio.features.rasterize(
        country.regions.provinces.geometry.array,
        out_shape=height.shape,
        transform=_transform(place),
        fill=0,
        default_value=1,
        dtype=np.uint8,
    ).astype(bool)
    cover = np.kron(country.ground.cover, np.ones((_FINER, _FINER), dtype=np.uint8))
    gap = land & (cover == 0)
    if gap.any():  # the drawn coast and the cells differ by a fraction of a cell
        nearest = ndimage.distance_transform_edt(
            cover == 0, return_distances=False, return_indices=True
        )
        cover = np.where(gap, cover[tuple(nearest)], cover)
    height = np.where(land, np.round(height, 1), _NODATA)
    return height, np.where(land, cover, 0).astype(np.uint8)


def _transform(place: Place) -> Affine:
    grid = place.grid
    return Affine(grid.cell_m / _FINER, 0, grid.x_min, 0, -grid.cell_m / _FINER, grid.y_max)


def _write_tif(path: Path, values: npt.NDArray[Any], place: Place, nodata: float) -> None:
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=values.shape[0],
        width=values.shape[1],
        count=1,
        dtype=values.dtype.name,
        crs=place.grid.crs,
        transform=_transform(place),
        nodata=nodata,
        tiled=True,
        compress="deflate",
        predictor=3 if values.dtype.kind == "f" else 2,
    ) as sink:
        sink.write(values, 1)


def read_marker(folder: Path) -> dict[str, Any] | None:
    """Return what made a folder; ``None`` where it was not made here."""
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    made_here = isinstance(found, dict) and found.get("made_by") == "geoplan sample"
    return found if made_here else None
