"""What covers the ground and what guards or threatens it: cover, farmland, parks, faults."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy import ndimage

from geoplan.sample.names import Names
from geoplan.sample.place import ANALYSIS_CRS, BoolArray, FloatArray, Place
from geoplan.sample.relief import Relief, fractal
from geoplan.sample.shapes import outlines, smooth_line
from geoplan.sample.water import Water

__all__ = ["COVER", "Ground", "make_ground"]

COVER = {
    1: "forest", 2: "shrubland", 3: "grassland", 4: "cropland", 5: "built-up", 6: "bare ground",
    7: "water", 8: "wetland",
}  # fmt: skip
"""Classes of the land-cover raster; 0 is the sea and has no data."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Cover raster on the relief's grid, and the layers of polygons and lines around it."""

    cover: npt.NDArray[np.uint8]
    urban: gpd.GeoDataFrame
    farmland: gpd.GeoDataFrame
    protected: gpd.GeoDataFrame
    faults: gpd.GeoDataFrame


def make_ground(
    place: Place,
    relief: Relief,
    water: Water,
    habitable: FloatArray,
    settlements: gpd.GeoDataFrame,
    names: Names,
) -> Ground:
    """Make land cover, built-up areas, farmland, protected areas and faults.

    Notes
    -----
    Built-up land gives 5,000 people a square kilometre. Farmland is the most habitable eighth of
    the land, irrigated within 6 km of a river. Protected areas are wild ranges and one wetland
    beside the closed lake.
    """
    rng = place.rng("ground")
    dry = relief.land & ~water.lake
    built = _built(place, settlements, rng) & dry
    good = ndimage.gaussian_filter(habitable, 1.5)
    farm = dry & ~built & (good > np.quantile(good[dry], 0.875))
    farm = np.asarray(ndimage.binary_opening(farm, iterations=1))
    shore = ndimage.binary_dilation(relief.basin, iterations=5) & dry & ~built & ~farm
    wild = fractal(place.grid.shape, rng, beta=3.0, longest=90)
    moist = water.runoff_mm / 300 + 0.35 * wild
    cover = np.select(
        [~relief.land, water.lake, built, farm, shore, moist > 0.95, moist > 0.45, moist > 0.05],
        [0, 7, 5, 4, 8, 1, 2, 3],
        default=6,
    ).astype(np.uint8)
    protected = _protected(place, relief, wild, shore, built | farm, names)
    return Ground(
        cover=cover,
        urban=_urban(place, built, settlements),
        farmland=_farmland(place, farm, water, names),
        protected=protected,
        faults=_faults(place, relief, rng, names),
    )


def _built(place: Place, settlements: gpd.GeoDataFrame, rng: np.random.Generator) -> BoolArray:
    mask = np.zeros(place.grid.shape, dtype=bool)
    wobble = 1 + 0.22 * fractal(place.grid.shape, rng, beta=2.4, longest=14)
    towns = settlements[settlements["rank"] < 4]
    rows, cols = np.divmod(towns["cell"].to_numpy(), place.grid.cols)
    for r, c, people in zip(rows, cols, towns["population"], strict=True):
        radius = (people / 5_000 * 1e6 / np.pi) ** 0.5 / place.grid.cell_m
        reach = int(np.ceil(1.8 * radius)) + 1
        window = (
            slice(max(r - reach, 0), min(r + reach + 1, place.grid.rows)),
            slice(max(c - reach, 0), min(c + reach + 1, place.grid.cols)),
        )
        y, x = np.ogrid[window]
        mask[window] |= np.hypot(y - r, x - c) <= np.maximum(radius * wobble[window], 0.7)
    return mask


def _frame(rows: list[dict[str, object]], prefix: str) -> gpd.GeoDataFrame:
    columns = None if rows else ["name_en", "name_fa", "kind", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=ANALYSIS_CRS)
    frame.insert(0, "code", [f"{prefix}{i:03d}" for i in range(1, len(frame) + 1)])
    if not (frame.geom_type == "LineString").any():
        frame["area_km2"] = (frame.area / 1e6).round(3)
    return frame


def _urban(place: Place, built: BoolArray, settlements: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    towns = settlements[settlements["rank"] < 4]
    tree = shapely.STRtree(towns.geometry.array)
    rows = []
    for polygon in outlines(built, place.grid, least_cells=2):
        town = towns.iloc[int(tree.nearest(polygon))]
        rows.append({"name_en": town.name_en, "name_fa": town.name_fa, "geometry": polygon})
    return _frame(rows, "U")


def _farmland(place: Place, farm: BoolArray, water: Water, names: Names) -> gpd.GeoDataFrame:
    to_river = ndimage.distance_transform_edt(~water.river) * place.grid.cell_m
    rows: list[dict[str, object]] = []
    for polygon in outlines(farm, place.grid, least_cells=24):
        point = polygon.representative_point()
        r, c = place.grid.row_col(point.x, point.y)
        near = bool(to_river[r, c] < 6_000)
        named = names.root().as_kind("farmland") if len(rows) < 24 else None
        rows.append(
            {
                "name_en": named.en if named else None,
                "name_fa": named.fa if named else None,
                "kind": "irrigated" if near else "rainfed",
                "grade": 1 if near and to_river[r, c] < 2_500 else 2 if near else 3,
                "geometry": polygon,
            }
        )
    return _frame(rows, "A")


def _protected(
    place: Place,
    relief: Relief,
    wild: FloatArray,
    shore: BoolArray,
    used: BoolArray,
    names: Names,
) -> gpd.GeoDataFrame:
    empty = relief.land & ~ndimage.binary_dilation(used, iterations=2)
    value = np.where(empty & (relief.ridge > 0.25), wild + relief.ridge, -9.0)
    mask = value > np.quantile(value[relief.land], 0.93)
    mask = np.asarray(ndimage.binary_opening(mask, iterations=2))
    rows: list[dict[str, object]] = []
    for polygon in outlines(mask, place.grid, least_cells=80)[:10]:
        kind = "national_park" if len(rows) % 4 == 0 else "protected_area"
        name = names.root().as_kind("park" if kind == "national_park" else "protected")
        rows.append({"name_en": name.en, "name_fa": name.fa, "kind": kind, "geometry": polygon})
    for polygon in outlines(shore, place.grid, least_cells=20)[:2]:
        name = names.root().as_kind("wetland")
        rows.append(
            {"name_en": name.en, "name_fa": name.fa, "kind": "wetland", "geometry": polygon}
        )
    return _frame(rows, "N")


def _faults(
    place: Place, relief: Relief, rng: np.random.Generator, names: Names
) -> gpd.GeoDataFrame:
    """Draw faults along the feet of the ranges, at right angles to the rise of the ridge."""
    rise_y, rise_x = np.gradient(ndimage.gaussian_filter(relief.ridge, 6))
    foot = np.flatnonzero(((relief.ridge > 0.3) & (relief.ridge < 0.75) & relief.land).ravel())
    count = 16 if place.size == "standard" else 5
    longest = 70 if place.size == "standard" else 25
    rows = []
    starts = rng.choice(foot, size=count, replace=False)
    for number, (start, length) in enumerate(
        zip(starts.tolist(), rng.integers(longest // 2, longest, count).tolist(), strict=True)
    ):
        r, c = (float(v) for v in divmod(start, place.grid.cols))
        points = []
        for _ in range(length):
            i, j = round(r), round(c)
            if not (0 <= i < place.grid.rows and 0 <= j < place.grid.cols) or not relief.land[i, j]:
                break
            points.append((r, c))
            steep = float(np.hypot(rise_y[i, j], rise_x[i, j])) or 1.0
            r, c = r - rise_x[i, j] / steep, c + rise_y[i, j] / steep
        if len(points) < 12:
            continue
        x, y = place.grid.centre_xy(*np.array(points[::6] + points[-1:]).T)
        name = names.root().as_kind("fault")
        rows.append(
            {
                "name_en": name.en,
                "name_fa": name.fa,
                "slip_type": ("reverse", "strike-slip", "normal")[number % 3],
                "geometry": shapely.LineString(smooth_line(np.column_stack([x, y]))),
            }
        )
    return _frame(rows, "F")
