"""Power, water and wastewater: what each place can give, what it gives, what is left."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import scipy.sparse
import shapely
from scipy import ndimage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree, distance_matrix

from geoplan.sample.names import Name, Names
from geoplan.sample.place import ANALYSIS_CRS, Place
from geoplan.sample.relief import Relief
from geoplan.sample.water import Water

__all__ = ["Utilities", "make_utilities"]

_KVA_PER_PERSON = 0.85
_WATER_M3_PER_PERSON = 0.21
_SEWAGE_M3_PER_PERSON = 0.14
_SECONDS_PER_DAY = 86_400.0
_RATINGS_MVA = {63: (15.0, 30.0), 132: (30.0, 50.0), 230: (90.0, 125.0)}


@dataclass(frozen=True, slots=True)
class Utilities:
    """Layers of utilities in the analysis CRS; amounts in MW, MVA and m3/day."""

    power_plants: gpd.GeoDataFrame
    substations: gpd.GeoDataFrame
    grid_lines: gpd.GeoDataFrame
    water_sources: gpd.GeoDataFrame
    wastewater_plants: gpd.GeoDataFrame
    dams: gpd.GeoDataFrame


def make_utilities(
    place: Place, relief: Relief, water: Water, settlements: gpd.GeoDataFrame, names: Names
) -> Utilities:
    """Make the utilities.

    Notes
    -----
    ``headroom = capacity − committed``, never below 0. Load and sewage follow the population
    served; licences follow the flow of rivers and dams. How a figure is known differs by province
    as it does in life: metered where the code is odd, assumed where it is even; licences of dams,
    intakes and desalination are licensed everywhere.
    """
    rng = place.rng("utilities")
    plants = _plants(place, relief, water, settlements, rng, names)
    substations = _substations(place, relief, settlements, rng)
    lines = _grid_lines(substations, plants)
    return Utilities(
        plants,
        substations,
        lines,
        _water_sources(place, relief, water, settlements, rng),
        _wastewater(place, relief, settlements, rng),
        _dams(place, water),
    )


def _table(rows: list[dict[str, object]], prefix: str) -> gpd.GeoDataFrame:
    columns = None if rows else ["name_en", "name_fa", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=ANALYSIS_CRS)
    frame.insert(0, "code", [f"{prefix}{i:03d}" for i in range(1, len(frame) + 1)])
    if {"capacity", "committed"} <= set(frame.columns):
        frame["headroom"] = (frame["capacity"] - frame["committed"]).round(3)
    return frame


def _basis(district_code: str) -> str:
    return "metered" if int(district_code[:2]) % 2 else "assumed"


def _near(point: shapely.Point, metres: float, rng: np.random.Generator) -> shapely.Point:
    angle = rng.uniform(0, 2 * np.pi)
    return shapely.Point(point.x + metres * np.cos(angle), point.y + metres * np.sin(angle))


def _on_land(
    place: Place, relief: Relief, point: shapely.Point, metres: float, rng: np.random.Generator
) -> shapely.Point:
    """Return a place ``metres`` away that is on land, or the place itself."""
    for _ in range(24):
        there = _near(point, metres, rng)
        r, c = place.grid.row_col(there.x, there.y)
        inside = 2 <= r < place.grid.rows - 2 and 2 <= c < place.grid.cols - 2
        if inside and relief.land[r - 2 : r + 3, c - 2 : c + 3].all() and not relief.basin[r, c]:
            return there
    return point


def _plants(
    place: Place,
    relief: Relief,
    water: Water,
    settlements: gpd.GeoDataFrame,
    rng: np.random.Generator,
    names: Names,
) -> gpd.GeoDataFrame:
    rows: list[dict[str, object]] = []

    def add(name: Name, fuel: str, megawatt: float, point: shapely.Point) -> None:
        rows.append(
            {
                "name_en": name.en,
                "name_fa": name.fa,
                "fuel": fuel,
                "capacity_mw": round(megawatt, 1),
                "geometry": point,
            }
        )

    thermal = settlements[settlements["rank"] <= 1].head(6)
    for i, town in enumerate(thermal.itertuples()):
        size = round(town.population * 1.6e-3 / 50) * 50 + 150
        name = Name(town.name_en, town.name_fa).as_kind("power_thermal")
        where = _on_land(place, relief, town.geometry, 9_000, rng)
        add(name, "gas" if i % 3 < 2 else "oil", size, where)
    for dam in water.dams:
        x, y = place.grid.centre_xy(*divmod(dam.cell, place.grid.cols))
        # P = η ρ g Q H with 45 m of fall, over a third of the day
        megawatt = 0.85 * 9.81 * dam.inflow_m3_s * 45 / 1_000 * 3
        add(dam.name.as_kind("power_hydro"), "hydro", megawatt, shapely.Point(float(x), float(y)))
    towns = settlements[settlements["rank"].between(2, 3)]
    count = 3 if place.size == "standard" else 1
    for fuel, kind, low in (("wind", "power_wind", 40), ("solar", "power_solar", 30)):
        for i in rng.choice(len(towns), size=count, replace=False).tolist():
            where = _on_land(place, relief, towns.geometry.iloc[i], 7_000, rng)
            add(names.root().as_kind(kind), fuel, low + 10 * int(rng.integers(0, 12)), where)
    return _table(rows, "G")


def _substations(
    place: Place, relief: Relief, settlements: gpd.GeoDataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    towns = settlements[settlements["rank"] < 4]
    rows: list[dict[str, object]] = []
    for town in towns.itertuples():
        need = town.population * _KVA_PER_PERSON / 1_000 * rng.uniform(1.0, 1.8)
        kv = 230 if need > 90 else 132 if need > 14 else 63
        stations = max(1, round(need / 260))
        for number in range(1, stations + 1):
            load = need / stations
            unit = _RATINGS_MVA[kv][int(rng.integers(0, 2))]
            units = max(2, int(np.ceil(load / (unit * rng.uniform(0.62, 0.9)))))
            suffix = f" {number}" if stations > 1 else ""
            name = Name(town.name_en, town.name_fa).as_kind("substation", suffix)
            rows.append(
                {
                    "name_en": name.en,
                    "name_fa": name.fa,
                    "kind": f"{kv}/20 kV" if kv < 230 else "230/63 kV",
                    "voltage_kv": kv,
                    "units": units,
                    "capacity": units * unit,
                    "committed": round(min(load, units * unit), 2),
                    "basis": _basis(town.district_code),
                    "geometry": _on_land(place, relief, town.geometry, 900 + 700 * number, rng),
                }
            )
    return _table(rows, "E")


def _grid_lines(substations: gpd.GeoDataFrame, plants: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join substations and plants by the shortest tree; a line carries the lower voltage."""
    kv = pd.concat(
        [substations["voltage_kv"], pd.Series(np.where(plants["capacity_mw"] > 100, 230, 132))]
    ).to_numpy()
    codes = [*substations["code"], *plants["code"]]
    xy = np.vstack([shapely.get_coordinates(f.geometry.array) for f in (substations, plants)])
    length = distance_matrix(xy, xy)
    # Lines between strong nodes come first, so that the strong grid hangs together.
    weight = np.where(length > 0, length * (1 + (230 - np.minimum.outer(kv, kv)) / 400), 0)
    tree = minimum_spanning_tree(scipy.sparse.csr_array(weight)).tocoo()
    rows: list[dict[str, object]] = []
    for i, j in sorted(zip(tree.row.tolist(), tree.col.tolist(), strict=True)):
        rows.append(
            {
                "from_node": codes[i],
                "to_node": codes[j],
                "voltage_kv": int(min(kv[i], kv[j])),
                "length_km": round(float(length[i, j]) / 1_000, 3),
                "geometry": shapely.LineString([xy[i], xy[j]]),
            }
        )
    return _table(rows, "H")


def _water_sources(
    place: Place,
    relief: Relief,
    water: Water,
    settlements: gpd.GeoDataFrame,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    rows: list[dict[str, object]] = []

    def add(name: Name, kind: str, licence: float, used: float, basis: str, at: object) -> None:
        capacity = float(max(round(licence / 100) * 100, 500))
        rows.append(
            {
                "name_en": name.en,
                "name_fa": name.fa,
                "kind": kind,
                "capacity": capacity,
                "committed": float(round(capacity * used / 10) * 10),
                "basis": basis,
                "geometry": at,
            }
        )

    for dam in water.dams:
        x, y = place.grid.centre_xy(*divmod(dam.cell, place.grid.cols))
        licence = 0.3 * dam.inflow_m3_s * _SECONDS_PER_DAY
        used = rng.uniform(0.72, 0.93)
        add(dam.name.as_kind("dam"), "dam", licence, used, "licensed", shapely.Point(x, y))
    towns = settlements[settlements["rank"] <= 2]
    river = np.argwhere(
        water.river & (water.discharge > np.quantile(water.discharge[water.river], 0.6))
    )
    tree = cKDTree(river)
    to_sea = ndimage.distance_transform_edt(relief.land) * place.grid.cell_m
    for town in towns.itertuples():
        r, c = divmod(town.cell, place.grid.cols)
        title = Name(town.name_en, town.name_fa)
        gap, at = tree.query((r, c))
        if gap * place.grid.cell_m < 9_000:
            rr, cc = river[at]
            x, y = place.grid.centre_xy(rr, cc)
            licence = 0.08 * float(water.discharge[rr, cc]) * _SECONDS_PER_DAY
            used = rng.uniform(0.55, 0.92)
            add(title.as_kind("intake"), "intake", licence, used, "licensed", shapely.Point(x, y))
        wells = town.population * _WATER_M3_PER_PERSON * rng.uniform(0.6, 0.9) + 6_000
        basis = _basis(town.district_code)
        where = _on_land(place, relief, town.geometry, 5_500, rng)
        add(title.as_kind("wellfield"), "wells", wells, rng.uniform(0.55, 0.92), basis, where)
        if to_sea[r, c] < 8_000 and town.population > 20_000:
            fresh = town.population * _WATER_M3_PER_PERSON * 0.6 + 8_000
            used = rng.uniform(0.5, 0.85)
            where = _on_land(place, relief, town.geometry, 3_000, rng)
            add(title.as_kind("desalination"), "desalination", fresh, used, "licensed", where)
    return _table(rows, "Q")


def _wastewater(
    place: Place, relief: Relief, settlements: gpd.GeoDataFrame, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    least = 12_000
    towns = settlements[(settlements["rank"] < 4) & (settlements["population"] >= least)]
    rows: list[dict[str, object]] = []
    for town in towns.itertuples():
        used = town.population * _SEWAGE_M3_PER_PERSON
        capacity = float(np.ceil(used * rng.uniform(1.08, 1.6) / 500) * 500)
        name = Name(town.name_en, town.name_fa).as_kind("wastewater")
        rows.append(
            {
                "name_en": name.en,
                "name_fa": name.fa,
                "kind": "plant",
                "capacity": capacity,
                "committed": float(round(used)),
                "basis": _basis(town.district_code),
                "geometry": _on_land(place, relief, town.geometry, 3_200, rng),
            }
        )
    return _table(rows, "Z")


def _dams(place: Place, water: Water) -> gpd.GeoDataFrame:
    rows: list[dict[str, object]] = []
    for dam in water.dams:
        x, y = place.grid.centre_xy(*divmod(dam.cell, place.grid.cols))
        name = dam.name.as_kind("dam")
        rows.append(
            {
                "name_en": name.en,
                "name_fa": name.fa,
                "discharge_l_per_s": round(dam.inflow_m3_s * 1_000, 1),
                "area_km2": round(dam.area_km2, 2),
                "geometry": shapely.Point(float(x), float(y)),
            }
        )
    return _table(rows, "D")
