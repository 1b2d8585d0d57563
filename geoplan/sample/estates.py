"""Industrial estates that exist already: where they lie, and which of them have a cadastre."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from scipy import ndimage

from geoplan.sample.cadastre import Cadastre, Frame, lay_out
from geoplan.sample.ground import Ground
from geoplan.sample.names import Name
from geoplan.sample.networks import Networks
from geoplan.sample.place import ANALYSIS_CRS, CADASTRE_CRS, BoolArray, Place
from geoplan.sample.regions import Regions
from geoplan.sample.relief import Relief
from geoplan.sample.water import Water

__all__ = ["Estates", "make_estates"]

_COUNT = {"small": 7, "standard": 26}
_WITH_PLOTS = {"small": 3, "standard": 5}


@dataclass(frozen=True, slots=True)
class Estates:
    """``estates``, ``phases``, ``blocks`` and ``plots`` in the CRS of the cadastre."""

    estates: gpd.GeoDataFrame
    phases: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    plots: gpd.GeoDataFrame


def make_estates(
    place: Place,
    relief: Relief,
    water: Water,
    ground: Ground,
    networks: Networks,
    regions: Regions,
    settlements: gpd.GeoDataFrame,
    facts: pd.DataFrame,
) -> Estates:
    """Make the estates.

    Notes
    -----
    Estates stand near towns of counties with industry, on free land of less than 4 % slope. The
    first few have phases, blocks and plots; the others have only their boundary, as in a real
    register.
    """
    rng = place.rng("estates")
    free = _free(relief, water, ground)
    to_cadastre = Transformer.from_crs(ANALYSIS_CRS, CADASTRE_CRS, always_xy=True)
    towns = settlements[settlements["rank"] < 4].reset_index(drop=True)
    industry = (
        towns["district_code"].str[:4].map(facts.set_index("region_code")["employed_industry"])
    )
    weight = np.sqrt(industry.to_numpy(dtype=float)) * np.sqrt(towns["population"].to_numpy())
    order = np.argsort(rng.exponential(size=len(towns)) / weight, kind="stable")
    rows: list[dict[str, object]] = []
    cadastres: list[Cadastre] = []
    used: list[shapely.Polygon] = []
    roads = shapely.STRtree(networks.roads.geometry.array)
    for number in [*order.tolist(), *order.tolist()]:
        if len(rows) == _COUNT[place.size]:
            break
        town = towns.iloc[number]
        whole = len(cadastres) < _WITH_PLOTS[place.size]
        frame = _site(place, town, free, used, roads, networks, rng, to_cadastre, whole=whole)
        if frame is None:
            continue
        code = f"I{len(rows) + 1:03d}"
        again = sum(1 for r in rows if r["town"] == town["code"])
        rows.append(_row(code, town, frame, rng, again=again, whole=whole))
        if whole:
            cadastres.append(
                lay_out(code, frame, rng, opened=int(str(rows[-1]["approved_on"])[:4]))
            )
    made = gpd.GeoDataFrame(rows, geometry="geometry", crs=CADASTRE_CRS).drop(columns="town")
    inside = gpd.GeoDataFrame(
        geometry=made.representative_point().to_crs(ANALYSIS_CRS), crs=ANALYSIS_CRS
    )
    tree = shapely.STRtree(regions.counties.geometry.array)
    nearest = tree.nearest(inside.geometry.array)
    made["region_code"] = regions.counties["code"].to_numpy()[nearest]

    def together(part: str) -> gpd.GeoDataFrame:
        joined = pd.concat([getattr(c, part) for c in cadastres], ignore_index=True)
        return gpd.GeoDataFrame(joined, geometry="geometry", crs=CADASTRE_CRS)

    return Estates(made, together("phases"), together("blocks"), together("plots"))


def _free(relief: Relief, water: Water, ground: Ground) -> BoolArray:
    taken = ~relief.land | water.lake | np.isin(ground.cover, (0, 4, 5, 7, 8))
    taken |= ndimage.binary_dilation(water.river)
    steep = ndimage.uniform_filter(relief.slope, 3) > 4
    return np.asarray(ndimage.binary_erosion(~(taken | steep)))


def _site(
    place: Place,
    town: pd.Series,
    free: BoolArray,
    used: list[shapely.Polygon],
    roads: shapely.STRtree,
    networks: Networks,
    rng: np.random.Generator,
    to_cadastre: Transformer,
    *,
    whole: bool,
) -> Frame | None:
    """Find free land 3–16 km from the town, near a road; None where there is none."""
    for _ in range(60):
        area = rng.uniform(150, 330) if whole else rng.lognormal(4.6, 0.7)
        width = round((float(np.clip(area, 25, 480)) * 1e4 * rng.uniform(1.3, 2.0)) ** 0.5)
        height = round(float(np.clip(area, 25, 480)) * 1e4 / width)
        angle, turn = rng.uniform(0, 2 * np.pi), rng.uniform(-0.6, 0.6)
        reach = rng.uniform(3_000, 16_000)
        x = town.geometry.x + reach * np.cos(angle)
        y = town.geometry.y + reach * np.sin(angle)
        u, v = np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.5, 0.5, 9))
        px = x + u * width * np.cos(turn) - v * height * np.sin(turn)
        py = y + u * width * np.sin(turn) + v * height * np.cos(turn)
        row, col = place.grid.row_col(px, py)
        if row.min() < 0 or col.min() < 0:
            continue
        if row.max() >= place.grid.rows or col.max() >= place.grid.cols:
            continue
        if not free[row, col].all():
            continue
        spot = shapely.Point(x, y).buffer(0.7 * np.hypot(width, height))
        road = networks.roads.geometry.array[roads.nearest(spot)]
        if any(spot.intersects(o) for o in used) or road.distance(shapely.Point(x, y)) > 6_000:
            continue
        if road.intersects(spot.buffer(-0.35 * min(width, height))):
            continue  # a road would run through it
        used.append(spot)
        east, north = to_cadastre.transform(x, y)
        return Frame(round(east, 3), round(north, 3), float(turn), width, height)
    return None


def _row(
    code: str, town: pd.Series, frame: Frame, rng: np.random.Generator, *, again: int, whole: bool
) -> dict[str, object]:
    gross = frame.width * frame.height / 1e4
    kind = "zone" if gross < 50 else "estate"
    name = Name(town["name_en"], town["name_fa"]).as_kind(kind, f" {again + 1}" if again else "")
    year = int(rng.integers(1988, 2016))
    state = str(rng.choice(["developing", "allotting", "saturated"], p=[0.3, 0.5, 0.2]))
    return {
        "code": code,
        "name_en": name.en,
        "name_fa": name.fa,
        "kind": kind,
        "ownership": "state" if rng.random() < 0.8 else "non_state",
        "status": "allotting" if whole else state,
        "gross_ha": round(gross, 3),
        "approved_on": f"{year}-{int(rng.integers(1, 13)):02d}-{int(rng.integers(1, 28)):02d}",
        "town": town["code"],
        "geometry": frame.outline(),
    }
