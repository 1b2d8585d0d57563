"""Measures of criteria beside their peers, on one machine in one run.

``python -m benchmarks.measures [--quick] [--json]``. A ratio is the peer's time over ours: above
1, ours is faster. GRASS is told the time by the session itself, without its start, import and
export; its answer is compared with ours before the time counts. The rows of scipy and of
xarray-spatial time the call alone, on arrays that are there; building the graph counts for
scipy's Dijkstra, as it does for anyone who would use it.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from rasterio.transform import Affine
from scipy import ndimage
from scipy.signal import fftconvolve
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from benchmarks.core import NATIONAL, Row
from geoplan.grid import Grid
from geoplan.raster import distance_m, zonal_mean
from geoplan.raster.access import access
from geoplan.raster.cost_path import cost_distance, route_lengths
from geoplan.raster.friction import construction_friction, walking_friction
from geoplan.raster.network import RoadNetwork, road_network
from geoplan.raster.travel import costs_from, reach
from geoplan.raster.wind import downwind_within, rose
from geoplan.raster.zone import line_density, share_within

__all__ = ["run"]

Floats = npt.NDArray[np.float32]
QUICK = (850, 875)
_STEPS = ((0, 1), (1, 0), (1, 1), (1, -1))


def _best(work: Callable[[], object], times: int = 2) -> float:
    found = math.inf
    for _ in range(times):
        start = time.perf_counter()
        work()
        found = min(found, time.perf_counter() - start)
    return found


def _row(name: str, ours: float, peer: str = "", peers: float | None = None) -> Row:
    return Row(name, ours, peer, peers, None if peers is None else peers / ours)


def _grid(shape: tuple[int, int]) -> Grid:
    return Grid("EPSG:6933", 0.0, shape[0] * 500.0, 500.0, *shape)


def _slope(shape: tuple[int, int]) -> Floats:
    """Return smooth slopes, %: a third flat, some steep."""
    rng = np.random.default_rng(0)
    z = ndimage.gaussian_filter(rng.random(shape, dtype=np.float32), 6)
    z = (z - z.min()) / (z.max() - z.min())
    return np.clip(z * 30.0 - 8.0, 0.0, None).astype(np.float32)


def _starts(shape: tuple[int, int], number: int) -> npt.NDArray[np.bool_]:
    found = np.zeros(shape, np.bool_)
    found.ravel()[np.random.default_rng(1).choice(found.size, number, replace=False)] = True
    return found


def _write(path: Path, array: npt.NDArray[np.generic]) -> str:
    with rasterio.open(
        path, "w", driver="GTiff", height=array.shape[0], width=array.shape[1], count=1,
        dtype=array.dtype, crs="EPSG:6933", nodata=-1,
        transform=Affine(500.0, 0.0, 0.0, 0.0, -500.0, array.shape[0] * 500.0),
    ) as out:  # fmt: skip
        out.write(array, 1)
    return str(path)


def _grass(
    friction: Floats, present: npt.NDArray[np.bool_], ours: dict[int, Floats]
) -> list[float]:
    """Return the seconds of r.cost with 8 and 16 neighbours, and of r.walk."""
    if shutil.which("grass") is None:
        return []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        f = _write(folder / "friction.tif", friction)
        p = _write(folder / "present.tif", np.where(present, 1, -1).astype(np.int16))
        lines = ["set -e", f"r.in.gdal -o --q input={f} output=f"]
        lines += [f"r.in.gdal -o --q input={p} output=p", "g.region raster=f"]
        for flag, out in (("", "c8"), ("-k", "c16")):
            lines += [
                "date +%s.%N",
                f"r.cost {flag} --q input=f output={out} start_raster=p memory=2000",
                "date +%s.%N",
            ]
            saved = f"output={folder / out}.tif type=Float64 2>/dev/null"
            lines += [f"r.out.gdal --q -f input={out} {saved}"]
        # its walk knows up from down and ours does not, so only the times are compared
        lines += [
            "r.mapcalc --q expression='z=f*400.0'",
            "r.mapcalc --q expression='nought=0.0'",
            "date +%s.%N",
            "r.walk --q elevation=z friction=nought output=w start_raster=p memory=2000",
            "date +%s.%N",
        ]
        script = folder / "cost.sh"
        script.write_text("\n".join(lines), encoding="utf-8")
        done = subprocess.run(
            ["grass", "--tmp-location", "XY", "--exec", "bash", str(script)],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        told = [float(x) for x in done.stdout.split() if x.replace(".", "").isdigit()]
        for neighbours in (8, 16):
            with rasterio.open(folder / f"c{neighbours}.tif") as source:
                theirs = source.read(1) * 0.5  # its unit is cells
            off = np.nanmax(np.abs(theirs - ours[neighbours]) / np.maximum(ours[neighbours], 0.5))
            print(
                f"# r.cost, {neighbours} neighbours: largest relative difference {off:.2g}",
                file=sys.stderr,
            )
        return [told[1] - told[0], told[3] - told[2], told[5] - told[4]]


def _csgraph(friction: Floats, present: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return least costs by scipy's Dijkstra, with its graph of 8 neighbours; cells."""
    rows, cols = friction.shape
    number = np.arange(friction.size).reshape(friction.shape)
    tail, head, price = [], [], []
    for dr, dc in _STEPS:
        a = (slice(0, rows - dr), slice(max(0, -dc), cols - max(0, dc)))
        b = (slice(dr, rows), slice(max(0, dc), cols + min(0, dc)))
        tail.append(number[a].ravel())
        head.append(number[b].ravel())
        price.append(((friction[a] + friction[b]) / 2.0 * math.hypot(dr, dc)).ravel())
    graph = coo_array(
        (np.concatenate(price).astype(np.float64), (np.concatenate(tail), np.concatenate(head))),
        shape=(friction.size, friction.size),
    ).tocsr()
    found: npt.NDArray[np.float64] = dijkstra(
        graph, directed=False, indices=np.flatnonzero(present), min_only=True
    )
    return found


def _cells(array: npt.NDArray[np.floating]) -> Any:
    """Return an array as xarray-spatial takes it."""
    import xarray as xr

    rows, cols = array.shape
    return xr.DataArray(
        array, dims=("y", "x"),
        coords={"y": np.arange(rows) * -500.0, "x": np.arange(cols) * 500.0},
    )  # fmt: skip


def bench_cost(shape: tuple[int, int], *, peers: bool = True) -> list[Row]:
    """Least-cost distance from 200 places over terrain."""
    grid, friction = _grid(shape), construction_friction(_slope(shape))
    present = _starts(shape, min(200, friction.size // 50))
    ours = {n: cost_distance(friction, grid, present, neighbours=n) for n in (8, 16)}
    took = {
        n: _best(partial(cost_distance, friction, grid, present, neighbours=n)) for n in (8, 16)
    }
    if not peers:
        return []
    told = _grass(friction, present, ours)
    rows = []
    for n, peer in zip((8, 16), told[:2] or (None, None), strict=True):
        knight = " -k" if n == 16 else ""
        rows.append(_row(f"least cost, {n} neighbours", took[n], f"GRASS r.cost{knight}", peer))
    start = time.perf_counter()
    theirs = _csgraph(friction, present).reshape(shape) * 0.5
    peer = time.perf_counter() - start
    np.testing.assert_allclose(ours[8], theirs, rtol=1e-5)
    rows.append(_row("least cost, 8 neighbours", took[8], "scipy csgraph.dijkstra", peer))
    try:
        from xrspatial import cost_distance as peer_cost

        sources, ground = (_cells(a) for a in (present.astype(np.float64), friction))
        peer_cost(sources[:50, :50], ground[:50, :50]).to_numpy()
        peer = _best(lambda: peer_cost(sources, ground).to_numpy(), 1)
        rows.append(_row("least cost, 8 neighbours", took[8], "xarray-spatial cost_distance", peer))
    except ImportError:
        pass
    walk = walking_friction(_slope(shape))
    walked = _best(partial(cost_distance, walk, grid, present), 1)
    rows.append(
        _row("least cost, walking (Tobler)", walked, "GRASS r.walk", told[2] if told else None)
    )
    return rows


def bench_routes(shape: tuple[int, int], *, peers: bool = True) -> list[Row]:
    """Routes of 1,000 sites to sources within 80 km; the peer is asked for 10 sites, scaled up."""
    rng = np.random.default_rng(2)
    grid, friction = _grid(shape), construction_friction(_slope(shape))
    number = 1000 if peers else 10
    sites = np.column_stack([rng.integers(0, n, number) for n in shape])
    sources = np.column_stack(
        [rng.integers(0, n, 600 * friction.size // 11_900_000 + 4) for n in shape]
    )
    far = np.hypot(*(sites[:, None] - sources[None]).transpose(2, 0, 1))
    pairs = np.argwhere(far <= 160)
    if not len(pairs):
        return []
    ours = _best(lambda: route_lengths(friction, grid, sites, sources, pairs, 80.0), 1)
    if not peers:
        return []
    chosen = np.unique(pairs[:, 0])[:10]
    start = time.perf_counter()
    for s in chosen:
        r, c = sites[s]
        top, left = max(0, r - 160), max(0, c - 160)
        window = friction[top : r + 161, left : c + 161]
        present = np.zeros(window.shape, np.bool_)
        present[r - top, c - left] = True
        _csgraph(window, present)
    peer = (time.perf_counter() - start) * len(np.unique(pairs[:, 0])) / len(chosen)
    return [_row(f"routes, {number:,} sites, {len(pairs):,} pairs, 80 km", ours,
                 "scipy, a window each, sampled", peer)]  # fmt: skip


def bench_distance(shape: tuple[int, int], *, peers: bool = True) -> list[Row]:
    """Straight distance."""
    grid, present = _grid(shape), _starts(shape, 20)
    present |= np.random.default_rng(3).random(shape) < 1e-3
    ours = _best(partial(distance_m, present, grid), 3)
    if not peers:
        return []
    rows = []
    try:
        from xrspatial import proximity

        cells = _cells(present.astype(np.float64))
        proximity(cells[:50, :50]).to_numpy()
        peer = _best(lambda: proximity(cells).to_numpy(), 1)
        rows.append(_row("distance, 0.1 % present", ours, "xarray-spatial proximity", peer))
    except ImportError:
        pass
    if shutil.which("gdal_proximity.py"):
        with tempfile.TemporaryDirectory() as name:
            source = _write(Path(name) / "in.tif", present.astype(np.int16))
            command = ["gdal_proximity.py", source, str(Path(name) / "out.tif")]
            command += ["-distunits", "GEO", "-values", "1", "-q"]
            peer = _best(lambda: subprocess.run(command, check=True, capture_output=True), 1)
        rows.append(_row("distance, 0.1 % present", ours, "gdal_proximity.py, with files", peer))
    return rows


def bench_zone(shape: tuple[int, int], *, peers: bool = True) -> list[Row]:
    """Share of a class within 10 km, and means of 400 zones."""
    grid = _grid(shape)
    mask = _slope(shape) > 6.0
    ours = _best(partial(share_within, mask, radius_m=10_000.0, grid=grid))
    r, c = np.ogrid[-20:21, -20:21]
    disk = r * r + c * c <= 400
    zones = (
        np.arange(shape[0])[:, None] * 20 // shape[0] * 20 + np.arange(shape[1]) * 20 // shape[1]
    )
    zones = zones.astype(np.int32)
    values = _slope(shape)
    means = _best(partial(zonal_mean, values, zones))
    if not peers:
        return []
    one = np.ones(shape)

    def fft() -> object:
        return fftconvolve(mask.astype(float), disk, "same") / fftconvolve(one, disk, "same")

    filter_ = _best(
        lambda: ndimage.convolve(mask.astype(np.float32), disk.astype(np.float32), mode="constant"),
        1,
    )
    return [
        _row("share within 10 km, exact", ours, "scipy FFT, rounded", _best(fft, 1)),
        _row("share within 10 km, exact", ours, "scipy.ndimage.convolve, count only", filter_),
        _row("means of 400 zones", means, "scipy.ndimage.mean",
             _best(lambda: ndimage.mean(values, zones, np.arange(400)), 1)),
    ]  # fmt: skip


def _roads(shape: tuple[int, int]) -> tuple[list[shapely.LineString], npt.NDArray[np.float64]]:
    """Return roads that join each of many places with its nearest ones, in bent lines."""
    rng = np.random.default_rng(4)
    number = max(30, 6000 * shape[0] * shape[1] // 11_900_000)
    places = rng.uniform(0, 1, (number, 2)) * (shape[1] * 500.0, shape[0] * 500.0)
    tree = shapely.STRtree(shapely.points(places))
    side = math.sqrt(shape[0] * shape[1] / number) * 500.0
    a, b = tree.query(shapely.points(places), predicate="dwithin", distance=1.3 * side)
    keep = a < b
    lines = []
    for i, j in zip(a[keep], b[keep], strict=True):
        share = np.linspace(0, 1, 12)[:, None]
        points = places[i] * (1 - share) + places[j] * share
        points[1:-1] += rng.normal(0, 0.01 * side, (10, 2))
        lines.append(shapely.LineString(points))
    return lines, rng.choice([50.0, 80.0, 100.0], len(lines))


def _as_csr(network: RoadNetwork) -> object:
    n = len(network.x)
    tail = np.repeat(np.arange(n), np.diff(network.first))
    return coo_array((network.minutes, (tail, network.to)), shape=(n, n)).tocsr()


def bench_roads(shape: tuple[int, int], *, peers: bool = True) -> list[Row]:
    """Build a network; times from 20 destinations; access of all cells; a labour shed."""
    grid = _grid(shape)
    lines, speeds = _roads(shape)
    build = partial(road_network, lines, speeds, step_m=250.0)
    network = build()
    start = np.random.default_rng(5).integers(0, len(network.x), 20)
    minutes = costs_from(network, start, np.zeros(20), unit="min")
    spread = partial(access, network.x, network.y, minutes, per_km=3.0, grid=grid)
    spread()
    coarse = road_network(lines, speeds, step_m=500.0)
    rng = np.random.default_rng(6)
    towns = rng.integers(0, len(coarse.x), 3000 if peers else 20)
    everyone = np.arange(len(coarse.x))
    shed = partial(reach, coarse, towns, np.zeros(len(towns)), rng.lognormal(9, 2, len(towns)),
                   minutes=60.0, step_min=1.0, rows=everyone)  # fmt: skip
    if not peers:
        shed()
        return []
    graph = _as_csr(network)
    theirs = dijkstra(graph, indices=start, min_only=True)
    known = np.isfinite(minutes)
    np.testing.assert_allclose(minutes[known], theirs[known], rtol=1e-9)
    thin = _as_csr(coarse)
    sample = towns[:30]
    begun = time.perf_counter()
    total = np.zeros((len(coarse.x), 61))
    for town in sample:
        found = dijkstra(thin, indices=town, limit=60.0)
        near = np.flatnonzero(np.isfinite(found))
        total[near, np.ceil(found[near]).astype(int)] += 1.0
    peer = (time.perf_counter() - begun) * len(towns) / len(sample)
    timed = partial(costs_from, network, start, np.zeros(20), unit="min")
    theirs_s = _best(lambda: dijkstra(graph, indices=start, min_only=True))
    lines_s = _best(partial(line_density, lines, radius_m=20_000.0, grid=grid), 1)
    return [
        _row(f"network, {len(lines):,} roads, {len(network.x):,} nodes", _best(build, 1)),
        _row("times from 20 destinations", _best(timed), "scipy csgraph.dijkstra", theirs_s),
        _row("access of every cell", _best(spread)),
        _row(f"labour shed, {len(towns):,} settlements, 60 min", _best(shed, 1),
             "scipy, one search each, sampled", peer),
        _row("line density, 20 km", lines_s),
    ]  # fmt: skip


def bench_wind(shape: tuple[int, int], *, peers: bool = True) -> list[Row]:
    """Persons downwind of every cell; the peer is a kernel by FFT on places moved to cells."""
    rng = np.random.default_rng(7)
    grid = _grid(shape)
    number = max(50, 5000 * shape[0] * shape[1] // 11_900_000)
    x, y = rng.uniform(0, shape[1] * 500.0, number), rng.uniform(0, shape[0] * 500.0, number)
    persons = rng.lognormal(9, 2, number)
    wind = rose({"N": 0.1, "NW": 0.5, "W": 0.3, "S": 0.1})
    ours = _best(
        partial(downwind_within, x, y, persons, wind_from=wind, radius_m=30_000.0, grid=grid)
    )
    if not peers:
        return []
    field = np.zeros(shape)
    np.add.at(field, grid.row_col(x, y), persons)
    r, c = np.mgrid[-60:61, -60:61]
    weight = np.clip(1 - np.hypot(r, c) / 60, 0, None)
    weight *= wind[(np.degrees(np.arctan2(c, -r)) + 180.0).astype(int) % 360]
    peer = _best(lambda: fftconvolve(field, weight[::-1, ::-1], "same"), 1)
    return [
        _row(f"downwind, {number:,} settlements, 30 km", ours, "scipy FFT, places at cells", peer)
    ]


BENCHES = (bench_cost, bench_routes, bench_distance, bench_zone, bench_roads, bench_wind)


def run(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Run every bench once small, to load the compiled code, then at size."""
    for bench in BENCHES:
        bench((200, 200), peers=False)
    return [row for bench in BENCHES for row in bench(shape)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a grid of 850 × 875 cells")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = run(QUICK if given.quick else NATIONAL)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(f"{'':52}{'ours s':>9}  {'peer':36}{'peer s':>9}{'ratio':>8}")
    for row in rows:
        peer = f"{row.peer_s:9.3f}{row.ratio:8.1f}" if row.peer_s and row.ratio else ""
        print(f"{row.name:52}{row.ours_s:9.3f}  {row.peer:36}{peer}")


if __name__ == "__main__":
    main()
