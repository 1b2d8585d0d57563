"""Road graphs, ways along them, and access from every cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geoplan.errors import EmptyLayer, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.access import access
from geoplan.raster.network import RoadNetwork, nearest_node, road_network
from geoplan.raster.travel import costs_from, reach

KM = 1000.0


def line(*points: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(x * KM, y * KM) for x, y in points])


def node_at(network: RoadNetwork, x: float, y: float) -> int:
    node, far = nearest_node(network, [x * KM], [y * KM])
    assert far[0] == pytest.approx(0, abs=1e-6)
    return int(node[0])


def csr(network: RoadNetwork, unit: str) -> coo_array:
    n = len(network.x)
    tail = np.repeat(np.arange(n), np.diff(network.first))
    weight = network.minutes if unit == "min" else network.length_m / KM
    keep = np.lexsort((weight, network.to, tail))
    tail, to, weight = tail[keep], network.to[keep], weight[keep]
    new = np.ones(len(tail), bool)  # the cheapest of parallel pieces; a matrix would add them
    new[1:] = (tail[1:] != tail[:-1]) | (to[1:] != to[:-1])
    return coo_array((weight[new], (tail[new], to[new])), shape=(n, n)).tocsr()


def random_roads(rng: np.random.Generator) -> RoadNetwork:
    """Return roads among 15 places, so that many share vertices."""
    places = rng.uniform(0, 40, (15, 2))
    roads = [
        line(*(tuple(places[i]) for i in rng.permutation(15)[: int(rng.integers(2, 5))]))
        for _ in range(int(rng.integers(2, 12)))
    ]
    return road_network(roads, rng.uniform(20, 110, len(roads)), step_m=rng.uniform(300, 9000))


def test_a_crossroads_worked_by_hand() -> None:
    """A fast road west to east, a slow one to the north that leaves it at its middle vertex.

    From the north end (10, 6): 6 km at 30 km/h = 12 min to the junction, then 10 km at 60 km/h =
    10 min to either end: 22 min, 16 km. A third road, at (50, 0), is joined to nothing.
    """
    network = road_network(
        [line((0, 0), (10, 0), (20, 0)), line((10, 0), (10, 6)), line((50, 0), (53, 0))],
        [60.0, 30.0, 90.0],
        step_m=2500.0,
    )
    north = node_at(network, 10, 6)
    minutes = costs_from(network, [north], [0.0], unit="min")
    km = costs_from(network, [north], [0.0], unit="km")
    for x in (0, 20):
        assert minutes[node_at(network, x, 0)] == pytest.approx(22)
        assert km[node_at(network, x, 0)] == pytest.approx(16)
    assert minutes[node_at(network, 10, 2)] == pytest.approx(8), "a piece of 6 km is cut at 2 and 4"
    assert np.isinf(minutes[node_at(network, 50, 0)])
    assert network.component_km.tolist() == pytest.approx([26, 3])
    assert network.component[node_at(network, 53, 0)] == 1
    assert network.length_m.max() <= 2500
    assert network.length_m.sum() / 2 == pytest.approx(29_000)


def test_crossings_join_only_when_asked() -> None:
    """A cross without a shared vertex, and an end that stops 20 m short of a road."""
    roads = [line((0, 5), (10, 5)), line((5, 0), (5, 10)), line((8, 9), (8, 5.02))]
    apart = road_network(roads, 60.0, step_m=KM, join_m=30.0)
    assert apart.component_km.tolist() == pytest.approx([10, 10, 3.98])
    joined = road_network(roads, 60.0, step_m=KM, join_m=30.0, join_crossings=True)
    assert len(joined.component_km) == 1
    cost = costs_from(joined, [node_at(joined, 5, 10)], [0.0], unit="km")
    assert cost[node_at(joined, 10, 5)] == pytest.approx(10)
    assert cost[node_at(joined, 8, 9)] == pytest.approx(5 + 3 + 4, abs=0.04)
    short = road_network(roads, 60.0, step_m=KM, join_m=10.0, join_crossings=True)
    assert len(short.component_km) == 2, "20 m is more than 10 m"


def test_vertices_within_the_tolerance_are_one() -> None:
    roads = [line((0, 0), (5, 0)), line((5.0004, 0), (9, 0))]
    assert len(road_network(roads, 50.0, step_m=KM, join_m=1.0).component_km) == 1
    assert len(road_network(roads, 50.0, step_m=KM, join_m=0.1).component_km) == 2


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from(["km", "min"]))
def test_costs_are_those_of_scipy(seed: int, unit: str) -> None:
    rng = np.random.default_rng(seed)
    network = random_roads(rng)
    nodes = rng.integers(0, len(network.x), 3)
    head = rng.uniform(0, 20, 3)
    got = costs_from(network, nodes, head, unit=unit)
    each = dijkstra(csr(network, unit), indices=nodes) + head[:, None]
    np.testing.assert_allclose(got, each.min(axis=0), rtol=1e-9)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**31))
def test_reach_is_that_of_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = random_roads(rng)
    nodes = rng.integers(0, len(network.x), 8)
    head = rng.uniform(0, 20, 8)
    people = rng.integers(0, 10_000, 8).astype(float)
    rows = rng.permutation(len(network.x))[: len(network.x) // 2 + 1].astype(np.int64)
    got = reach(network, nodes, head, people, minutes=30, step_min=2.0, rows=rows)
    time = dijkstra(csr(network, "min"), indices=nodes) + head[:, None]
    for k in range(16):
        want = np.where(time[:, rows] <= 2.0 * k + 1e-6, people[:, None], 0).sum(axis=0)
        np.testing.assert_allclose(got[:, k], want, rtol=1e-9)


def brute_access(grid: Grid, x: np.ndarray, y: np.ndarray, start: np.ndarray, per_km: float):
    row, col = np.mgrid[: grid.rows, : grid.cols]
    cx, cy = grid.centre_xy(row, col)
    far = np.hypot(cx[..., None] - x, cy[..., None] - y) / KM
    return (start + per_km * far).min(axis=-1)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**31))
def test_access_keeps_its_bound(seed: int) -> None:
    """Never below the least, and above it by less than two cell sides; on the mean far less."""
    rng = np.random.default_rng(seed)
    grid = Grid("EPSG:6933", 0.0, 20_000.0, 500.0, 40, 50)
    number = int(rng.integers(1, 60))
    x, y = rng.uniform(-1000, 26_000, number), rng.uniform(-1000, 21_000, number)
    start = rng.uniform(0, rng.choice([0.0, 5.0, 60.0]) + 1e-9, number)
    cost, which = access(x, y, start, per_km=3.0, grid=grid)
    want = brute_access(grid, x, y, start, 3.0)
    assert (cost >= want - 1e-9).all()
    assert (cost - want).max() <= 2 * 0.5 * 3.0
    assert (cost - want).mean() <= 0.05 * 0.5 * 3.0
    row, col = np.mgrid[:40, :50]
    cx, cy = grid.centre_xy(row, col)
    np.testing.assert_allclose(
        cost, start[which] + 3.0 * np.hypot(cx - x[which], cy - y[which]) / KM, rtol=1e-12
    )


def test_points_without_a_way_are_left_out() -> None:
    grid = Grid("EPSG:6933", 0.0, 1000.0, 100.0, 10, 10)
    cost, which = access([50, 950], [950, 50], [math.inf, 2.0], per_km=1.0, grid=grid)
    assert (which == 1).all()
    assert cost[9, 9] == 2.0
    cost, which = access([50], [950], [math.inf], per_km=1.0, grid=grid)
    assert (which == -1).all()
    assert np.isinf(cost).all()


def test_time_over_roads_against_every_point_of_them() -> None:
    """The whole chain against a thousand points per road: within one step and two cell sides."""
    grid = Grid("EPSG:6933", 0.0, 40_000.0, 500.0, 80, 80)
    roads = [line((0, 20), (20, 20), (40, 25)), line((20, 20), (22, 40)), line((20, 20), (5, 0))]
    speed = np.array([80.0, 50.0, 60.0])
    coarse = road_network(roads, speed, step_m=500.0)
    fine = road_network(roads, speed, step_m=20.0)
    out = []
    for network in (coarse, fine):
        node, far = nearest_node(network, [39_000.0], [25_500.0])
        time = costs_from(network, node, far / KM * 3.0, unit="min")
        out.append((network, time))
    got, _ = access(coarse.x, coarse.y, out[0][1], per_km=3.0, grid=grid)
    want = brute_access(grid, fine.x, fine.y, out[1][1], 3.0)
    excess = got - want
    assert excess.min() >= -0.1
    assert excess.max() <= (2 + 1) * 0.5 * 3.0
    assert excess.mean() <= 0.1 * 0.5 * 3.0


def test_the_same_bits_again() -> None:
    rng = np.random.default_rng(2)
    network = random_roads(rng)
    again = random_roads(np.random.default_rng(2))
    assert network.to.tobytes() == again.to.tobytes()
    a = reach(network, [0, 1], [0, 0], [0.1, 0.7], minutes=9, step_min=1.0, rows=np.arange(3))
    b = reach(network, [1, 0], [0, 0], [0.7, 0.1], minutes=9, step_min=1.0, rows=np.arange(3))
    one = reach(
        network, [0, 1], [0, 0], [0.1, 0.7], minutes=9, step_min=1.0, rows=np.arange(3), threads=1
    )
    assert a.tobytes() == b.tobytes() == one.tobytes()


def test_wrong_input_is_named() -> None:
    with pytest.raises(RangeError, match="1 of 2 roads have no speed above 0 km/h"):
        road_network([line((0, 0), (1, 0))] * 2, [50.0, math.nan], step_m=100.0)
    with pytest.raises(ShapeError, match="1 speeds for 2 roads"):
        road_network([line((0, 0), (1, 0))] * 2, [50.0], step_m=100.0)
    with pytest.raises(EmptyLayer, match="no road line has a length"):
        road_network([line((0, 0), (0, 0))], 50.0, step_m=100.0)
    with pytest.raises(RangeError, match="a cost of 0 per km"):
        access([0], [0], [0], per_km=0, grid=Grid("x", 0, 0, 1, 2, 2))
