"""Rivers, lakes and reservoirs, from rain that runs off the relief."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
from scipy import ndimage
from shapely import Point

from geoplan.sample.flow import Flow, accumulate, route
from geoplan.sample.names import Name, Names
from geoplan.sample.place import ANALYSIS_CRS, BoolArray, FloatArray, IntArray, Place
from geoplan.sample.relief import Relief, fractal, slope_of
from geoplan.sample.shapes import line_through, outlines

__all__ = ["Dam", "Water", "make_water"]

_RIVER_M3_S = {"small": 0.25, "standard": 0.9}
_DAMS = {"small": 2, "standard": 7}
_SECONDS_PER_YEAR = 31_557_600.0


@dataclass(frozen=True, slots=True)
class Dam:
    """A dam: flat cell number, mean inflow (m3/s), area of its lake (km2), name."""

    cell: int
    inflow_m3_s: float
    area_km2: float
    name: Name


@dataclass(frozen=True, slots=True)
class Water:
    """Surface water.

    Parameters
    ----------
    runoff_mm : ndarray of float, mm/year
        Rain that runs off.
    discharge : ndarray of float, m3/s
        Mean flow through each cell.
    river, lake : ndarray of bool
        Cells of rivers; cells of lakes and reservoirs.
    rivers, lakes : GeoDataFrame
        Features in the analysis CRS.
    dams : tuple of Dam
        Largest inflow first.
    """

    runoff_mm: FloatArray
    discharge: FloatArray
    river: BoolArray
    lake: BoolArray
    rivers: gpd.GeoDataFrame
    lakes: gpd.GeoDataFrame
    dams: tuple[Dam, ...]


def make_water(place: Place, relief: Relief, names: Names) -> tuple[Water, Relief]:
    """Make rivers, lakes and reservoirs.

    Returns
    -------
    Water, Relief
        The relief has beds cut for the rivers, so that they run downhill all the way.

    Notes
    -----
    Runoff is rain in excess of what evaporates, invented as 25–700 mm/year: wetter in the ranges
    and towards the north-west, from where the wind blows. m3/s = mm/1000 × m² / s.
    """
    rng = place.rng("water")
    rows, cols = place.grid.shape
    u, v = np.meshgrid(np.linspace(-1, 1, cols), np.linspace(1, -1, rows))
    wet = 0.5 + 0.35 * (0.7 * v - 0.5 * u) + 0.12 * fractal(place.grid.shape, rng, beta=3.0)
    runoff = np.clip(110 * wet + 620 * relief.ridge * np.clip(wet + 0.2, 0.15, 1.2), 25, 700)
    flow = route(relief.z, ~relief.land | relief.basin)
    per_cell = runoff / 1_000 * place.grid.cell_m**2 / _SECONDS_PER_YEAR * relief.land
    discharge = accumulate(flow, per_cell)
    river = relief.land & ~relief.basin & (discharge > _RIVER_M3_S[place.size])
    relief = _cut_beds(place, relief, flow, river)
    dams, flooded = _dams(place, relief, flow, discharge, river, names)
    lake = relief.basin | flooded
    rivers = _reaches(place, flow, discharge, river, names)
    lakes = _lakes(place, relief, flooded, dams, names)
    return Water(runoff, discharge, river, lake, rivers, lakes, dams), relief


def _cut_beds(place: Place, relief: Relief, flow: Flow, river: BoolArray) -> Relief:
    """Cut the beds through every rim that the fine detail of the relief put in their way."""
    height = relief.z.ravel().tolist()
    receiver = flow.receiver.tolist()
    on = river.ravel()
    cells = np.flatnonzero(on)
    for cell in cells[np.argsort(-flow.filled.ravel()[cells], kind="stable")].tolist():
        target = receiver[cell]
        if on[target] and height[target] > height[cell]:
            height[target] = height[cell]
    z = np.array(height).reshape(relief.z.shape)
    return replace(relief, z=z, slope=slope_of(z, place.grid.cell_m))


def _dams(
    place: Place, relief: Relief, flow: Flow, discharge: FloatArray, river: BoolArray, names: Names
) -> tuple[tuple[Dam, ...], BoolArray]:
    """Dam the gorges where a wall of 30–60 m floods much land for its river."""
    donors: dict[int, list[int]] = {}
    receiver = flow.receiver
    for cell in np.flatnonzero(relief.land.ravel() & (receiver >= 0)).tolist():
        donors.setdefault(int(receiver[cell]), []).append(cell)
    z = flow.filled.ravel()
    q = discharge.ravel()
    steep = ndimage.uniform_filter(relief.slope, 5).ravel()
    rivers = river.ravel() & (q > 4 * _RIVER_M3_S[place.size])
    # Gorges first; where a small country has none, gentler valleys have to do.
    best: list[int] = []
    for least in (6.0, 2.5, 1.0):
        able = np.flatnonzero(rivers & (steep > least))
        worth = -q[able] * np.minimum(steep[able], 15)
        best += able[np.argsort(worth, kind="stable")].tolist()
    flooded = np.zeros(z.size, dtype=bool)
    found: list[Dam] = []
    apart = 22_000.0 if place.size == "standard" else 12_000.0
    for cell in dict.fromkeys(best):
        if len(found) == _DAMS[place.size]:
            break
        row, col = divmod(cell, place.grid.cols)
        near = [
            np.hypot(row - d.cell // place.grid.cols, col - d.cell % place.grid.cols) for d in found
        ]
        if near and min(near) * place.grid.cell_m < apart:
            continue
        for wall in (30.0, 45.0, 60.0):
            pool: list[int] = []
            stack = [cell]
            while stack and len(pool) < 400:
                at = stack.pop()
                pool.append(at)
                stack += [d for d in donors.get(at, ()) if z[d] < z[cell] + wall]
            if 12 <= len(pool) <= 160 and not flooded[pool].any():
                flooded[pool] = True
                area = len(pool) * place.grid.cell_m**2 / 1e6
                found.append(Dam(cell, float(q[cell]), area, names.root()))
                break
    mask = flooded.reshape(relief.land.shape)
    return tuple(found), np.asarray(ndimage.binary_closing(mask) & relief.land)


def _reaches(
    place: Place, flow: Flow, discharge: FloatArray, river: BoolArray, names: Names
) -> gpd.GeoDataFrame:
    """Cut the river cells into reaches between confluences, each named after its main stem."""
    receiver = flow.receiver
    q = discharge.ravel()
    on = river.ravel()
    cells = np.flatnonzero(on)
    inflows: dict[int, list[int]] = {}
    for cell in cells.tolist():
        inflows.setdefault(int(receiver[cell]), []).append(cell)
    downstream = cells[np.argsort(-flow.filled.ravel()[cells], kind="stable")]
    order = np.zeros(on.size, dtype=np.int64)
    for cell in downstream.tolist():
        above = sorted((int(order[d]) for d in inflows.get(cell, ())), reverse=True)
        if not above:
            order[cell] = 1
        else:
            order[cell] = above[0] + (len(above) > 1 and above[0] == above[1])
    stem, length = _stems(downstream[::-1], inflows, receiver, on, q)
    titles: dict[int, Name] = {}
    long_ones = sorted((s for s in length if length[s] >= 40), key=lambda s: (-length[s], s))
    for mouth in long_ones[: 60 if place.size == "standard" else 12]:
        titles[mouth] = names.root().as_kind("river")
    rows = []
    for cell in downstream.tolist():
        above = inflows.get(cell, [])
        if len(above) == 1 and stem[cell] == stem[above[0]]:
            continue  # in the middle of a reach
        path = [cell]
        while on[target := int(receiver[path[-1]])]:
            path.append(target)
            if len(inflows[target]) > 1:
                break
        if len(path) < 2:
            continue
        title = titles.get(int(stem[cell]))
        rows.append(
            {
                "name_en": title.en if title else None,
                "name_fa": title.fa if title else None,
                "order": int(order[cell]),
                "discharge_m3_s": round(float(q[path[-2]]), 3),
                "permanent": bool(q[path[-2]] > 2.0 * _RIVER_M3_S[place.size]),
                "geometry": line_through(np.array(path), place.grid),
            }
        )
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=ANALYSIS_CRS)
    frame.insert(0, "code", [f"R{i:04d}" for i in range(1, len(frame) + 1)])
    return frame


def _stems(
    upstream: IntArray,
    inflows: dict[int, list[int]],
    receiver: IntArray,
    on: BoolArray,
    q: FloatArray,
) -> tuple[IntArray, dict[int, int]]:
    """Return the stem of each cell (named by its mouth or confluence) and the stems' lengths."""
    stem = np.zeros(on.size, dtype=np.int64)
    length: dict[int, int] = {}
    for cell in upstream.tolist():
        below = int(receiver[cell])
        main = on[below] and cell == max(inflows[below], key=lambda c: (q[c], -c))
        stem[cell] = stem[below] if main else cell
        length[int(stem[cell])] = length.get(int(stem[cell]), 0) + 1
    return stem, length


def _lakes(
    place: Place, relief: Relief, flooded: BoolArray, dams: tuple[Dam, ...], names: Names
) -> gpd.GeoDataFrame:
    rows = []
    for polygon in outlines(relief.basin, place.grid, least_cells=4):
        name = names.root().as_kind("lake")
        rows.append(
            {"name_en": name.en, "name_fa": name.fa, "kind": "salt_lake", "geometry": polygon}
        )
    for polygon in outlines(flooded, place.grid, least_cells=6):
        nearest = min(dams, key=lambda d: (polygon.distance(_at(place, d.cell)), d.cell))
        label = nearest.name.as_kind("reservoir")
        rows.append(
            {
                "name_en": label.en,
                "name_fa": label.fa,
                "kind": "reservoir",
                "geometry": polygon,
            }
        )
    columns = None if rows else ["name_en", "name_fa", "kind", "geometry"]
    frame = gpd.GeoDataFrame(rows, columns=columns, geometry="geometry", crs=ANALYSIS_CRS)
    frame["area_km2"] = (frame.area / 1e6).round(3)
    frame.insert(0, "code", [f"L{i:03d}" for i in range(1, len(frame) + 1)])
    return frame


def _at(place: Place, cell: int) -> Point:
    x, y = place.grid.centre_xy(*divmod(cell, place.grid.cols))
    return Point(float(x), float(y))
