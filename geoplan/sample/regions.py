"""Three levels of regions: districts grown from their centres, joined to counties and provinces."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import scipy.sparse
import shapely
from scipy import ndimage
from scipy.sparse.csgraph import dijkstra

from geoplan.grid import Grid
from geoplan.sample.names import Name, Names
from geoplan.sample.paths import cost_graph, nearest_source
from geoplan.sample.place import ANALYSIS_CRS, BoolArray, FloatArray, IntArray, Place
from geoplan.sample.relief import Relief, fractal
from geoplan.sample.shapes import coverage
from geoplan.sample.water import Water

__all__ = ["Regions", "habitability", "make_regions", "spread"]


@dataclass(frozen=True, slots=True)
class Regions:
    """The regions and the places that lead them.

    Parameters
    ----------
    provinces, counties, districts : GeoDataFrame
        Code, parent_code, names and polygons in the analysis CRS. Each level tiles the land.
    centres : ndarray of int, shape (districts,)
        Flat cell number of each district's centre, in order of ``districts``.
    rank : ndarray of int, shape (districts,)
        What the centre is: 0 national capital, 1 capital of a province, 2 of a county,
        3 of a district.
    titles : tuple of Name
        Name of each centre.
    """

    provinces: gpd.GeoDataFrame
    counties: gpd.GeoDataFrame
    districts: gpd.GeoDataFrame
    centres: IntArray
    rank: IntArray
    titles: tuple[Name, ...]


def habitability(place: Place, relief: Relief, water: Water) -> FloatArray:
    """Return how good land is for living, 0–1: flat, low, watered; 0 in water.

    Notes
    -----
    Product of falling exponentials of slope (8 %) and height (1,400 m) and of a part that fades
    with the distance to a river (9 km) or the coast (7 km).
    """
    km = place.grid.cell_m / 1_000
    to_river = ndimage.distance_transform_edt(~water.river) * km
    to_sea = ndimage.distance_transform_edt(relief.land) * km
    wet = 0.12 + 0.6 * np.exp(-to_river / 9) + 0.28 * np.exp(-to_sea / 7)
    noise = np.exp(0.45 * fractal(place.grid.shape, place.rng("habitability"), beta=2.6))
    slope = ndimage.uniform_filter(relief.slope, 5)
    value = np.exp(-slope / 8) * np.exp(-np.maximum(relief.z, 0) / 1_400) * wet * noise
    # Clear of the shore and of lakes by two cells, so that smoothed outlines still hold a place.
    dry = ndimage.binary_erosion(relief.land & ~water.lake, iterations=2)
    value = np.where(dry, value, 0.0)
    return np.asarray(value / value.max())


def spread(
    weight: FloatArray, count: int, rng: np.random.Generator, grid: Grid, *, apart_m: float
) -> IntArray:
    """Draw cells by weight that keep a distance; it shrinks until ``count`` of them fit.

    Returns
    -------
    ndarray of int, shape (count,)
        Flat cell numbers in the order drawn; fewer where the weight is 0 almost everywhere.
    """
    flat = weight.ravel()
    cells = np.flatnonzero(flat > 0)
    draw = rng.exponential(size=cells.size) / flat[cells]
    cells = cells[np.argsort(draw, kind="stable")]
    row, col = np.divmod(cells, grid.cols)
    while True:
        radius = apart_m / grid.cell_m
        blocked = np.zeros(weight.shape, dtype=bool)
        reach = int(np.ceil(radius))
        dy, dx = np.ogrid[-reach : reach + 1, -reach : reach + 1]
        disc = dy**2 + dx**2 < radius**2
        taken: list[int] = []
        for cell, r, c in zip(cells.tolist(), row.tolist(), col.tolist(), strict=True):
            if blocked[r, c]:
                continue
            taken.append(cell)
            if len(taken) == count:
                return np.array(taken, dtype=np.int64)
            r0, c0 = max(r - reach, 0), max(c - reach, 0)
            part = blocked[r0 : r + reach + 1, c0 : c + reach + 1]
            part |= disc[r0 - r + reach :, c0 - c + reach :][: part.shape[0], : part.shape[1]]
        if apart_m < grid.cell_m:
            return np.array(taken, dtype=np.int64)
        apart_m *= 0.93


def make_regions(
    place: Place, relief: Relief, water: Water, habitable: FloatArray, names: Names
) -> Regions:
    """Make the three levels.

    Notes
    -----
    Districts are the cells nearest to a centre over ground in which slopes and rivers are dear,
    so that boundaries follow ridges and streams. Counties and provinces are grown over the graph
    of neighbouring districts; each is therefore one piece of land (islands aside).
    """
    rng = place.rng("regions")
    label, _ = ndimage.label(relief.land)
    sizes = np.bincount(label.ravel())
    sizes[0] = 0
    main = label == sizes.argmax()
    area = float(main.sum()) * place.grid.cell_m**2
    weight = np.where(main, 0.04 * (habitable > 0) + habitable, 0.0)
    centres = spread(
        weight, place.districts, rng, place.grid, apart_m=0.8 * (area / place.districts) ** 0.5
    )
    labels = _grow(place, relief, water, main, centres)
    graph = _neighbours(place, labels, centres)
    seats = _choose(centres, place.counties, graph, habitable, rng)
    county_of = _nearest(graph, seats)
    between = _nearest_matrix(graph, seats)
    capitals = _choose(centres[seats], place.provinces, between, habitable, rng)
    province_of = _nearest(between, capitals)
    ordered = _number(place, centres, seats, capitals, county_of, province_of)
    return _frames(place, labels, centres, ordered, names)


def _grow(
    place: Place, relief: Relief, water: Water, main: BoolArray, centres: IntArray
) -> IntArray:
    ground = 1 + relief.slope / 6 + 6.0 * water.river + 3.0 * water.lake
    ground = ground * np.exp(0.7 * fractal(main.shape, place.rng("boundaries"), beta=2.4))
    graph = cost_graph(ground, main, diagonal=True)
    _, _, source = nearest_source(graph, centres)
    index = np.full(main.size, 0, dtype=np.int64)
    index[centres] = np.arange(1, len(centres) + 1)
    labels = np.where(main.ravel(), index[np.maximum(source, 0)], 0).reshape(main.shape)
    for number, window in enumerate(ndimage.find_objects(labels), start=1):
        # Ways across corners can leave crumbs; each district is one piece.
        mine = labels[window] == number
        piece, count = ndimage.label(mine)
        if count > 1:
            home = piece == np.bincount(piece[mine]).argmax()
            labels[window][mine & ~home] = 0
    # Crumbs and islands belong to the nearest district on the mainland.
    near = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    return np.where(relief.land, labels[tuple(near)], 0)


def _neighbours(place: Place, labels: IntArray, centres: IntArray) -> FloatArray:
    """Return distances between centres of districts that share a boundary; 0 for the others."""
    pairs: set[tuple[int, int]] = set()
    for a, b in ((labels[:, :-1], labels[:, 1:]), (labels[:-1], labels[1:])):
        touch = (a != b) & (a > 0) & (b > 0)
        pairs |= set(zip(a[touch].tolist(), b[touch].tolist(), strict=True))
    row, col = np.divmod(centres, place.grid.cols)
    graph = np.zeros((len(centres), len(centres)))
    for i, j in pairs:
        length = np.hypot(row[i - 1] - row[j - 1], col[i - 1] - col[j - 1])
        graph[i - 1, j - 1] = graph[j - 1, i - 1] = length
    return graph


def _choose(
    cells: IntArray, count: int, graph: FloatArray, habitable: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Choose ``count`` of the nodes, good land first, each far from those chosen before."""
    apart = np.asarray(dijkstra(scipy.sparse.csr_array(graph)))
    apart[~np.isfinite(apart)] = 1e6
    good = habitable.ravel()[cells] ** 0.5 * rng.uniform(0.7, 1.3, len(cells))
    chosen = [int(good.argmax())]
    while len(chosen) < min(count, len(cells)):
        value = (0.35 + good) * apart[:, chosen].min(axis=1)
        chosen.append(int(value.argmax()))
    return np.array(chosen, dtype=np.int64)


def _nearest(graph: FloatArray, chosen: IntArray) -> IntArray:
    """Return which of ``chosen`` each node is nearest to."""
    _, _, source = nearest_source(scipy.sparse.csr_array(graph), chosen)
    index = np.zeros(len(graph), dtype=np.int64)
    index[chosen] = np.arange(len(chosen))
    return index[np.maximum(source, 0)]


def _nearest_matrix(graph: FloatArray, chosen: IntArray) -> FloatArray:
    """Return distances between the groups of ``chosen`` that touch; 0 for the others."""
    group = _nearest(graph, chosen)
    length = np.asarray(dijkstra(scipy.sparse.csr_array(graph), indices=chosen))[:, chosen]
    touch = np.zeros_like(length, dtype=bool)
    a, b = np.nonzero(graph)
    touch[group[a], group[b]] = True
    np.fill_diagonal(touch, False)
    return np.where(touch, length, 0.0)


@dataclass(frozen=True, slots=True)
class _Numbered:
    order: IntArray  # districts in order of code
    codes: tuple[str, ...]
    rank: IntArray


def _number(
    place: Place,
    centres: IntArray,
    seats: IntArray,
    capitals: IntArray,
    county_of: IntArray,
    province_of: IntArray,
) -> _Numbered:
    """Number provinces from north-west to south-east, and what is inside them in the same way."""
    row, col = np.divmod(centres, place.grid.cols)
    reading = row + 0.5 * col
    rank = np.full(len(centres), 3, dtype=np.int64)
    rank[seats] = 2
    rank[seats[capitals]] = 1
    rank[seats[capitals[0]]] = 0  # chosen first: the best land
    province_rank = np.argsort(np.argsort(reading[seats[capitals]], kind="stable"))
    districts = sorted(
        range(len(centres)),
        key=lambda d: (
            province_rank[province_of[county_of[d]]],
            reading[seats[county_of[d]]],
            county_of[d],
            reading[d],
        ),
    )
    codes: list[str] = []
    province = county = number = 0
    last: tuple[int, int] = (-1, -1)
    for d in districts:
        here = (int(province_rank[province_of[county_of[d]]]) + 1, int(county_of[d]))
        if here[0] != last[0]:
            county = 0
        if here != last:
            county, number = county + 1, 0
        province, number, last = here[0], number + 1, here
        codes.append(f"{province:02d}{county:02d}{number:02d}")
    return _Numbered(np.array(districts, dtype=np.int64), tuple(codes), rank[districts])


def _frames(
    place: Place, labels: IntArray, centres: IntArray, numbered: _Numbered, names: Names
) -> Regions:
    shapes = coverage(labels, place.grid, tolerance_m=1.4 * place.grid.cell_m)
    order = numbered.order.tolist()
    titles = tuple(names.root() for _ in order)
    seat: dict[str, tuple[int, Name]] = {}
    for code, rank, title in zip(numbered.codes, numbered.rank.tolist(), titles, strict=True):
        if code[:4] not in seat or rank < seat[code[:4]][0]:
            seat[code[:4]] = (rank, title)

    def frame(rows: list[dict[str, object]]) -> gpd.GeoDataFrame:
        made = gpd.GeoDataFrame(rows, geometry="geometry", crs=ANALYSIS_CRS)
        made["area_km2"] = (made.area / 1e6).round(3)
        return made

    def row(code: str, parent: str | None, name: Name, geometry: object) -> dict[str, object]:
        return {
            "code": code,
            "parent_code": parent,
            "name_en": name.en,
            "name_fa": name.fa,
            "geometry": geometry,
        }

    districts = frame(
        [
            row(code, code[:4], title.as_kind("district"), shapes[d])
            for code, d, title in zip(numbered.codes, order, titles, strict=True)
        ]
    )

    def joined(length: int, kind: str) -> gpd.GeoDataFrame:
        rows = []
        parts = districts.geometry.groupby(districts["code"].str[:length], sort=True)
        for code, geometry in parts:
            name = names.root() if kind == "province" else seat[str(code)][1]
            parent = str(code)[: length - 2] or None
            union = shapely.union_all(geometry.array)
            rows.append(row(str(code), parent, name.as_kind(kind), union))
        return frame(rows)

    return Regions(
        provinces=joined(2, "province"),
        counties=joined(4, "county"),
        districts=districts,
        centres=centres[numbered.order],
        rank=numbered.rank,
        titles=titles,
    )
