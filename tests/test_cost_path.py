"""Least-cost distance, paths and routes."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geoplan.errors import EmptyLayer, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.raster.cost_path import METRIC_BOUND, cost_distance, least_cost_path, route_lengths
from geoplan.raster.friction import (
    CONSTRUCTION,
    coarsening,
    coarser,
    construction_friction,
    walking_friction,
)

INF = math.inf
NAN = math.nan


def grid_of(shape: tuple[int, int], cell_m: float = 1000.0) -> Grid:
    return Grid("EPSG:6933", 0.0, shape[0] * cell_m, cell_m, *shape)


def brute(friction: np.ndarray, present: np.ndarray, neighbours: int) -> np.ndarray:
    """Dijkstra of scipy on the graph of all steps, written out cell by cell; unit: cells."""
    rows, cols = friction.shape
    ends: list[tuple[int, int, float]] = []
    for r in range(rows):
        for c in range(cols):
            for dr in (-2, -1, 0, 1, 2):
                for dc in (-2, -1, 0, 1, 2):
                    size = abs(dr) + abs(dc)
                    if size == 0 or size > 3 or (size == 2 and 0 in (dr, dc)):
                        continue
                    if size == 3 and neighbours == 8:
                        continue
                    i, j = r + dr, c + dc
                    if not (0 <= i < rows and 0 <= j < cols):
                        continue
                    crossed = [friction[r, c], friction[i, j]]
                    if size == 3:
                        if abs(dr) == 2:
                            crossed += [friction[r + dr // 2, c], friction[r + dr // 2, j]]
                        else:
                            crossed += [friction[r, c + dc // 2], friction[i, c + dc // 2]]
                    if not np.isfinite(crossed).all():
                        continue
                    if size == 2 and not np.isfinite([friction[r, j], friction[i, c]]).any():
                        continue
                    ends.append((r * cols + c, i * cols + j, math.hypot(dr, dc) * np.mean(crossed)))
    start = np.flatnonzero(present.ravel() & np.isfinite(friction.ravel()))
    if not ends or not len(start):
        out = np.full(rows * cols, INF)
        out[start] = 0
        return out.reshape(rows, cols)
    a, b, w = (np.array(v) for v in zip(*ends, strict=True))
    graph = coo_array((w, (a, b)), shape=(rows * cols, rows * cols)).tocsr()
    return dijkstra(graph, indices=start, min_only=True).reshape(rows, cols)


def test_a_grid_worked_by_hand() -> None:
    """3 × 3 km, a dear centre, a barrier beside it.

    ::

        1  1  1        from the upper left cell, 8 neighbours, km:
        1  5  inf      0      1          2
        1  1  1        1      3√2=4.24   inf
                       2      1 + √2     2 + √2

    The centre costs √2 · (1 + 5) / 2 by the diagonal, and 1 + (1 + 5) / 2 = 4 over the side: 4.
    The lower middle is reached by (1,0) and a diagonal: 1 + √2, as that diagonal's other corner
    cell is passable.
    """
    f = np.array([[1, 1, 1], [1, 5, INF], [1, 1, 1]], np.float32)
    start = np.zeros((3, 3), bool)
    start[0, 0] = True
    out = cost_distance(f, grid_of((3, 3)), start)
    r2 = math.sqrt(2)
    np.testing.assert_allclose(out, [[0, 1, 2], [1, 4, INF], [2, 1 + r2, 2 + r2]], rtol=1e-6)


def test_a_barrier_of_corners_holds() -> None:
    f = np.ones((5, 5), np.float32)
    f[np.arange(5), np.arange(5)] = INF  # a line of cells that touch by corners only
    start = np.zeros((5, 5), bool)
    start[0, 4] = True
    for neighbours in (8, 16):
        out = cost_distance(f, grid_of((5, 5)), start, neighbours=neighbours)
        assert np.isinf(out[np.tril_indices(5)]).all()
        assert np.isfinite(out[np.triu_indices(5, 1)]).all()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from([8, 16]))
def test_agrees_with_scipy_on_random_grids(seed: int, neighbours: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 9)), int(rng.integers(1, 9)))
    f = rng.lognormal(0, rng.uniform(0, 4), shape).astype(np.float32)
    f[rng.random(shape) < 0.2] = INF
    f[rng.random(shape) < 0.1] = NAN
    present = rng.random(shape) < 0.2
    out = cost_distance(f, grid_of(shape), present, neighbours=neighbours)
    want = brute(f.astype(float), present, neighbours)
    np.testing.assert_allclose(out[~np.isnan(f)], want[~np.isnan(f)], rtol=1e-5)
    assert np.isnan(out[np.isnan(f)]).all()


@pytest.mark.parametrize("neighbours", [8, 16])
def test_open_ground_keeps_the_metric_bound(neighbours: int) -> None:
    n = 81
    start = np.zeros((n, n), bool)
    start[40, 40] = True
    grid = grid_of((n, n), 100.0)
    out = cost_distance(np.ones((n, n), np.float32), grid, start, neighbours=neighbours)
    dy, dx = np.abs(np.mgrid[-40:41, -40:41]).astype(float)
    straight = np.hypot(dx, dy) * 0.1
    ratio = out[straight > 0] / straight[straight > 0]
    assert ratio.min() >= 1 - 1e-6
    assert ratio.max() <= METRIC_BOUND[neighbours] + 1e-6
    assert ratio.max() > METRIC_BOUND[neighbours] - 0.002, "the bound is tight"
    if neighbours == 8:
        octile = (np.maximum(dx, dy) + (math.sqrt(2) - 1) * np.minimum(dx, dy)) * 0.1
        np.testing.assert_allclose(out, octile, rtol=1e-6)
    assert pytest.approx(1.0824, abs=1e-4) == METRIC_BOUND[8]
    assert pytest.approx(1.0275, abs=1e-4) == METRIC_BOUND[16]


def test_a_path_is_its_own_proof() -> None:
    rng = np.random.default_rng(5)
    shape = (40, 50)
    f = rng.lognormal(0, 1, shape).astype(np.float32)
    f[10:30, 25] = INF
    grid = grid_of(shape, 500.0)
    cells, route_km, cost_km = least_cost_path(f, grid, (20, 3), (18, 45))
    assert cells[0] == (20, 3)
    assert cells[-1] == (18, 45)
    length = cost = 0.0
    for (a, b), (c, d) in itertools.pairwise(cells):
        step = math.hypot(c - a, d - b) * 0.5
        assert max(abs(c - a), abs(d - b)) == 1
        length += step
        cost += step * (float(f[a, b]) + float(f[c, d])) / 2
    assert (length, cost) == (pytest.approx(route_km), pytest.approx(cost_km))
    start = np.zeros(shape, bool)
    start[20, 3] = True
    assert cost_distance(f, grid, start)[18, 45] == pytest.approx(cost_km, rel=1e-6)


def test_no_way_says_so() -> None:
    f = np.ones((5, 5), np.float32)
    f[:, 2] = INF
    with pytest.raises(EmptyLayer, match=r"no way leads from cell \(0, 0\) to cell \(0, 4\)"):
        least_cost_path(f, grid_of((5, 5)), (0, 0), (0, 4))
    with pytest.raises(RangeError, match="end cell"):
        least_cost_path(f, grid_of((5, 5)), (0, 0), (0, 5))


def test_routes_are_those_of_one_search_each() -> None:
    rng = np.random.default_rng(11)
    shape = (60, 70)
    f = rng.lognormal(0, 0.5, shape).astype(np.float32)
    f[rng.random(shape) < 0.1] = INF
    grid = grid_of(shape, 500.0)
    sites = rng.integers(0, 60, (12, 2))
    sources = rng.integers(-5, 75, (20, 2))
    pairs = np.array([(i, j) for j in range(20) for i in range(12)])[rng.permutation(240)]
    route, price = route_lengths(f, grid, sites, sources, pairs, 10.0)
    again = route_lengths(f, grid, sites, sources, pairs, 10.0, threads=1)
    assert route.tobytes() == again[0].tobytes()
    assert price.tobytes() == again[1].tobytes()
    inside = 0
    for (i, j), km, cost in zip(pairs, route, price, strict=True):
        (r, c), (p, q) = sites[i], sources[j]
        if max(abs(r - p), abs(c - q)) > 20 or not (0 <= p < 60 and 0 <= q < 70):
            assert np.isnan(km)
            continue
        top, left = max(0, r - 20), max(0, c - 20)
        window = f[top : r + 21, left : c + 21].copy()
        for cell in [(r, c), *(tuple(sources[n]) for m, n in pairs if m == i)]:
            a, b = cell[0] - top, cell[1] - left
            if 0 <= a < window.shape[0] and 0 <= b < window.shape[1] and np.isinf(window[a, b]):
                window[a, b] = 1
        start = np.zeros(window.shape, bool)
        start[r - top, c - left] = True
        want = cost_distance(window, grid_of(window.shape, 500.0), start)[p - top, q - left]
        if np.isinf(want):
            assert np.isnan(cost)
        else:
            assert cost == pytest.approx(want, rel=1e-6)
            assert km >= 0.5 * math.hypot(r - p, c - q) - 1e-9
            inside += 1
    assert inside > 20


def test_flat_routes_cost_their_length() -> None:
    grid = grid_of((50, 50), 500.0)
    km, cost = route_lengths(
        np.ones((50, 50)), grid, [(25, 25)], [(25, 25), (25, 35), (35, 35), (49, 0)],
        [(0, 0), (0, 1), (0, 2), (0, 3)], 10.0,
    )  # fmt: skip
    np.testing.assert_allclose(km, [0, 5, 5 * math.sqrt(2), NAN])
    np.testing.assert_allclose(cost, km)


def test_wrong_input_is_named() -> None:
    grid = grid_of((3, 3))
    one = np.ones((3, 3), np.float32)
    with pytest.raises(RangeError, match="1 cells have a friction of 0 or less, the lowest -2"):
        cost_distance(np.where(np.eye(3) * [1, 0, 0] > 0, -2, one), grid, one > 0)
    with pytest.raises(RangeError, match="12 neighbours"):
        cost_distance(one, grid, one > 0, neighbours=12)
    with pytest.raises(ShapeError, match="does not lie on a grid"):
        cost_distance(one[:2], grid, one > 0)
    with pytest.raises(RangeError, match="names source 4 of 1"):
        route_lengths(one, grid, [(0, 0)], [(1, 1)], [(0, 4)], 1.0)
    with pytest.raises(RangeError, match="site 0 lies outside the grid"):
        route_lengths(one, grid, [(0, 9)], [(1, 1)], [(0, 0)], 1.0)


def test_friction_of_slope() -> None:
    """Black & Veatch for WECC (2014): 1 below 2 %, 1.4 to 8 %, 1.75 above."""
    out = construction_friction([[0, 1.9, 2, 7.9, 8, 60, NAN]])
    np.testing.assert_allclose(out, [[1, 1, 1.4, 1.4, 1.75, 1.75, NAN]], rtol=1e-6)
    with pytest.raises(RangeError, match="rising slopes"):
        construction_friction([[1.0]], [(5, 1.0), (2, 2.0)])
    assert CONSTRUCTION[0] == (0.0, 1.0)


def test_tobler() -> None:
    """Tobler (1993): 5.037 km/h on the flat; 6 km/h is the most, at −5 %."""
    flat = 6 * math.exp(-3.5 * 0.05)
    assert flat == pytest.approx(5.0367, abs=1e-4)
    up, down = 6 * math.exp(-3.5 * 0.25), 6 * math.exp(-3.5 * 0.15)
    want = flat * (1 / up + 1 / down) / 2
    out = walking_friction([0.0, 20.0])
    np.testing.assert_allclose(out, [1.0, want], rtol=1e-6)


def test_coarser_ground() -> None:
    f = np.array([[1, 3, INF, INF, 2], [1, 3, INF, 4, NAN]], np.float32)
    out, grid = coarser(f, grid_of((2, 5), 100.0), 2)
    np.testing.assert_allclose(out, [[2, INF, 2]])
    assert (grid.cell_m, grid.rows, grid.cols, grid.y_max) == (200.0, 1, 3, 200.0)
    assert coarsening(grid_of((9, 9), 100.0), 80.0) == 4
    assert coarsening(grid_of((9, 9), 500.0), 80.0) == 1
