"""Cities, towns and villages; the whole population lives in them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from geoplan.sample.names import Name, Names
from geoplan.sample.place import ANALYSIS_CRS, FloatArray, Place
from geoplan.sample.regions import Regions, spread

__all__ = ["make_settlements"]

_URBAN_SHARE = 0.70
_VARIANTS = ("place", "village_abad", "village_upper", "village_lower", "village_deh")


def make_settlements(
    place: Place, regions: Regions, habitable: FloatArray, names: Names
) -> gpd.GeoDataFrame:
    """Make the settlements.

    Returns
    -------
    GeoDataFrame
        code, name_en, name_fa, class (city, town, village), rank (0 national capital … 4
        village), population, district_code and ``cell`` (flat cell number), largest first.

    Notes
    -----
    Towns follow the rank-size rule, population ∝ rank**−0.95 with capitals first, 70 % of all
    people; villages are log-normal.
    """
    rng = place.rng("settlements")
    land = habitable.ravel()[regions.centres]
    order = np.lexsort((-land * rng.uniform(0.6, 1.4, land.size), regions.rank))
    share = (1.0 + np.arange(land.size)) ** -0.95 * rng.uniform(0.8, 1.25, land.size)
    share[0] *= 1.15
    towns = np.empty(land.size)
    towns[order] = share / share.sum() * place.population * _URBAN_SHARE
    weight = habitable.copy()
    weight.ravel()[regions.centres] = 0.0
    cells = spread(0.01 * (weight > 0) + weight, place.villages, rng, place.grid, apart_m=1_800.0)
    cells = cells[~np.isin(cells, regions.centres)]
    size = rng.lognormal(0.0, 0.9, cells.size)
    rural = size / size.sum() * place.population * (1 - _URBAN_SHARE)
    stock = [names.root() for _ in range(min(names.left, 1 + cells.size // 2))]
    titles = [_village(stock, i) for i in range(cells.size)]
    x, y = place.grid.centre_xy(
        *np.divmod(np.concatenate([regions.centres, cells]), place.grid.cols)
    )
    jitter = rng.uniform(-0.3, 0.3, (2, x.size)) * place.grid.cell_m
    frame = gpd.GeoDataFrame(
        {
            "name_en": [n.en for n in (*regions.titles, *titles)],
            "name_fa": [n.fa for n in (*regions.titles, *titles)],
            "rank": np.concatenate([regions.rank, np.full(cells.size, 4)]),
            "population": np.maximum(np.rint(np.concatenate([towns, rural])), 30).astype(np.int64),
            "cell": np.concatenate([regions.centres, cells]),
        },
        geometry=gpd.points_from_xy(x + jitter[0], y + jitter[1]),
        crs=ANALYSIS_CRS,
    )
    kind = np.where(frame["population"] >= 100_000, "city", "town")
    frame["class"] = np.where(frame["rank"] == 4, "village", kind)
    frame = _with_district(frame, regions)
    frame = frame.sort_values(["rank", "population", "cell"], ascending=[True, False, True])
    frame = frame.sort_values("population", ascending=False, kind="stable", ignore_index=True)
    frame.insert(0, "code", [f"S{i:05d}" for i in range(1, len(frame) + 1)])
    return frame


def _village(stock: list[Name], number: int) -> Name:
    """Return a village's name: each root serves once in each form before the next form."""
    return stock[number % len(stock)].as_kind(_VARIANTS[number // len(stock) % len(_VARIANTS)])


def _with_district(frame: gpd.GeoDataFrame, regions: Regions) -> gpd.GeoDataFrame:
    """Drop villages that fall outside the smoothed land and give the others their district."""
    hit = gpd.sjoin(frame, regions.districts[["code", "geometry"]], predicate="within")
    hit = hit[~hit.index.duplicated()].sort_index()
    hit = hit.rename(columns={"code": "district_code"}).drop(columns="index_right")
    return gpd.GeoDataFrame(hit, geometry="geometry", crs=frame.crs)
