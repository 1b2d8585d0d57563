"""Roads and railways: cheapest ways over the ground between towns, each network in one piece."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import scipy.sparse
import shapely
from scipy import ndimage
from scipy.sparse.csgraph import dijkstra, minimum_spanning_tree

from geoplan.sample.names import Name
from geoplan.sample.paths import cost_graph, nearest_source, walk_back
from geoplan.sample.place import ANALYSIS_CRS, FloatArray, IntArray, Place
from geoplan.sample.relief import Relief, fractal
from geoplan.sample.shapes import smooth_line
from geoplan.sample.water import Water

__all__ = ["Networks", "make_networks"]

_STEP = 2  # the ways are searched on cells of twice the relief's side
_DETOUR = 1.7
_VILLAGES = 0.25


@dataclass(frozen=True, slots=True)
class Networks:
    """``roads``, ``railways`` and ``ports`` in the analysis CRS."""

    roads: gpd.GeoDataFrame
    railways: gpd.GeoDataFrame
    ports: gpd.GeoDataFrame


@dataclass(frozen=True, slots=True)
class _Ground:
    slope: FloatArray
    river: FloatArray
    passable: np.ndarray
    cols: int


def make_networks(
    place: Place, relief: Relief, water: Water, settlements: gpd.GeoDataFrame
) -> Networks:
    """Make roads, railways and ports.

    Notes
    -----
    Main roads join the seats of counties, other roads all towns and the larger villages, railways
    the capitals of provinces. Pairs of neighbouring towns come from one search from all of them
    at once (Mehlhorn 1988); the minimum spanning tree is built, and further pairs where the way
    over the tree is more than 1.7 times as long.
    """
    ground = _ground(relief, water)
    row, col = np.divmod(settlements["cell"].to_numpy(), place.grid.cols)
    node = (row // _STEP) * ground.cols + col // _STEP
    ground.passable.ravel()[node] = True
    rank = settlements["rank"].to_numpy()
    position = dict(
        zip(
            node[::-1].tolist(),
            shapely.get_coordinates(settlements.geometry.array)[::-1].tolist(),
            strict=True,
        )
    )
    # Uneven ground: over a plain of one price every way would run in eight straight directions.
    uneven = np.exp(0.4 * fractal(ground.slope.shape, place.rng("ways"), beta=2.2, longest=30))
    dear = uneven * (1 + (ground.slope / 5) ** 1.5 + 3 * ground.river)
    primary = _join(dear, ground, np.unique(node[rank <= 2]), loops=True)
    cheaper = dear.copy()
    cheaper.ravel()[list({n for edge in primary for n in edge})] *= 0.35
    secondary = _join(cheaper, ground, np.unique(node[rank <= 3]), loops=True) - primary
    built = np.array(sorted({n for edge in primary | secondary for n in edge}))
    _, previous, _ = nearest_source(cost_graph(cheaper, ground.passable, diagonal=True), built)
    villages = np.flatnonzero(rank == 4)
    for i in villages[: int(len(villages) * _VILLAGES)]:
        path = walk_back(previous, int(node[i]))
        secondary |= {_edge(a, b) for a, b in itertools.pairwise(path)}
    secondary -= primary
    roads = _lines(place, ground, primary, secondary, position)
    flat = uneven**0.6 * (1 + (ground.slope / 2.5) ** 2 + 3 * ground.river)
    rails = _join(flat, ground, np.unique(node[rank <= 1]), loops=False)
    railways = _lines(place, ground, rails, set(), position).drop(columns="class")
    railways["code"] = [f"T{i:03d}" for i in range(1, len(railways) + 1)]
    return Networks(roads, railways, _ports(place, relief, settlements))


def _ground(relief: Relief, water: Water) -> _Ground:
    def coarse(a: np.ndarray) -> FloatArray:
        rows, cols = a.shape[0] // _STEP, a.shape[1] // _STEP
        blocks = a[: rows * _STEP, : cols * _STEP].reshape(rows, _STEP, cols, _STEP)
        return np.asarray(blocks.mean(axis=(1, 3)), dtype=np.float64)

    passable = (coarse(relief.land) > 0) & (coarse(water.lake) < 0.5)
    return _Ground(coarse(relief.slope), coarse(water.river), passable, passable.shape[1])


def _edge(a: int, b: int) -> tuple[int, int]:
    return (a, b) if a < b else (b, a)


def _join(
    cost: FloatArray, ground: _Ground, nodes: IntArray, *, loops: bool
) -> set[tuple[int, int]]:
    """Return the grid edges of ways that join all ``nodes``."""
    graph = cost_graph(cost, ground.passable, diagonal=True)
    distance, previous, source = nearest_source(graph, nodes)
    edges = scipy.sparse.coo_array(graph)
    a, b = edges.row, edges.col
    meet = (source[a] >= 0) & (source[b] >= 0) & (source[a] < source[b])
    a, b, w = a[meet], b[meet], edges.data[meet]
    length = distance[a] + w + distance[b]
    index = {int(n): i for i, n in enumerate(nodes)}
    best: dict[tuple[int, int], int] = {}
    for k in np.lexsort((b, a, length)).tolist():
        best.setdefault((index[int(source[a[k]])], index[int(source[b[k]])]), k)
    pairs = list(best.items())
    size = (len(nodes), len(nodes))
    rows = np.array([p[0] for p, _ in pairs])
    cols = np.array([p[1] for p, _ in pairs])
    lengths = np.array([length[k] for _, k in pairs])
    tree = minimum_spanning_tree(scipy.sparse.csr_array((lengths, (rows, cols)), shape=size))
    chosen = set(zip(*(part.tolist() for part in tree.nonzero()), strict=True))
    if loops:
        over_tree = dijkstra(tree, directed=False)
        chosen |= {p for p, k in pairs if over_tree[p] > _DETOUR * length[k]}
    out: set[tuple[int, int]] = set()
    for pair in sorted(chosen):
        k = best[pair] if pair in best else best[pair[::-1]]
        path = walk_back(previous, int(a[k]))[::-1] + walk_back(previous, int(b[k]))
        out |= {_edge(p, q) for p, q in itertools.pairwise(path)}
    return out


def _lines(
    place: Place,
    ground: _Ground,
    primary: set[tuple[int, int]],
    secondary: set[tuple[int, int]],
    position: dict[int, list[float]],
) -> gpd.GeoDataFrame:
    """Join edges to smooth lines between towns, forks and changes of class."""
    kind = dict.fromkeys(primary, "primary") | dict.fromkeys(secondary, "secondary")
    near: dict[int, list[int]] = {}
    for a, b in sorted(kind):
        near.setdefault(a, []).append(b)
        near.setdefault(b, []).append(a)

    def is_end(n: int) -> bool:
        kinds = {kind[_edge(n, m)] for m in near[n]}
        return n in position or len(near[n]) != 2 or len(kinds) > 1

    def xy(n: int) -> list[float]:
        if n in position:
            return position[n]
        r, c = divmod(n, ground.cols)
        x, y = place.grid.centre_xy(r * _STEP + (_STEP - 1) / 2, c * _STEP + (_STEP - 1) / 2)
        return [float(x), float(y)]

    rows: list[dict[str, object]] = []
    done: set[tuple[int, int]] = set()
    for start in sorted(n for n in near if is_end(n)):
        for first in near[start]:
            if _edge(start, first) in done:
                continue
            path = [start, first]
            while not is_end(path[-1]):
                a, b = near[path[-1]]
                path.append(b if a == path[-2] else a)
            done |= {_edge(p, q) for p, q in itertools.pairwise(path)}
            line = shapely.LineString(smooth_line(np.array([xy(n) for n in path]), 3))
            rows.append({"class": kind[_edge(start, first)], "geometry": line})
    frame = gpd.GeoDataFrame(rows, geometry="geometry", crs=ANALYSIS_CRS)
    frame["length_km"] = (frame.length / 1_000).round(3)
    frame = frame.sort_values(["class", "length_km"], ascending=[True, False], kind="stable")
    frame = frame.reset_index(drop=True)
    frame.insert(0, "code", [f"W{i:04d}" for i in range(1, len(frame) + 1)])
    return frame


def _ports(place: Place, relief: Relief, settlements: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Put ports at the largest seats within 5 km of the sea, at most six."""
    to_sea = ndimage.distance_transform_edt(relief.land) * place.grid.cell_m
    near = to_sea.ravel()[settlements["cell"].to_numpy()] < 5_000
    towns = settlements[near & (settlements["rank"] <= 2).to_numpy()].head(6)
    names = [
        Name(e, f).as_kind("port") for e, f in zip(towns["name_en"], towns["name_fa"], strict=True)
    ]
    return gpd.GeoDataFrame(
        {
            "code": [f"P{i:02d}" for i in range(1, len(towns) + 1)],
            "name_en": [n.en for n in names],
            "name_fa": [n.fa for n in names],
        },
        geometry=list(towns.geometry),
        crs=ANALYSIS_CRS,
    )
