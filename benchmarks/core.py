"""Distance, weighted sum and region growing beside their peers, on one machine in one run.

``python -m benchmarks.core [--quick] [--json]``. A ratio is the peer's time over ours: above 1,
ours is faster. The peers are what a careful user would write with scipy, numpy and heapq.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from geoplan.catalogue.scenario import CandidateSpec
from geoplan.grid import Grid
from geoplan.mcda.aggregate import weighted_sum
from geoplan.raster import distance_m, slope_percent, sum_within
from geoplan.siting.candidates import grow
from geoplan.siting.growth import Limits, grow_regions

__all__ = ["BENCHES", "Row", "bench_density", "bench_distance", "bench_growth", "bench_slope",
           "bench_weighted_sum", "run"]  # fmt: skip

NATIONAL = (3_400, 3_500)
"""A large country at 500 m."""


@dataclass(frozen=True)
class Row:
    """One comparison; seconds are the best of three runs."""

    name: str
    ours_s: float
    peer: str
    peer_s: float | None
    ratio: float | None


def _best(work: Callable[[], object], times: int = 3) -> float:
    found = math.inf
    for _ in range(times):
        start = time.perf_counter()
        work()
        found = min(found, time.perf_counter() - start)
    return found


def _row(name: str, ours: float, peer: str, peers: float | None) -> Row:
    return Row(name, ours, peer, peers, None if peers is None else peers / ours)


def _grid(shape: tuple[int, int]) -> Grid:
    return Grid("+proj=laea +lat_0=32 +lon_0=53", -875_000.0, 850_000.0, 500.0, *shape)


def _land(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Return smooth values on about half of an ellipse: a country with its mountains taken out."""
    rng = np.random.default_rng(0)
    value = ndimage.gaussian_filter(rng.random(shape, dtype=np.float32), 8)
    value = (value - value.min()) / (value.max() - value.min())
    mask = ndimage.gaussian_filter(rng.random(shape, dtype=np.float32), 4)
    row, col = np.ogrid[: shape[0], : shape[1]]
    inside = ((row / shape[0] - 0.5) / 0.43) ** 2 + ((col / shape[1] - 0.5) / 0.43) ** 2 < 1
    allowed = inside & (mask < np.quantile(mask[::7, ::7], 0.7))
    return np.where(allowed, value, np.nan).astype(np.float32)


def bench_distance(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Exact distance, sparse to dense features, against scipy's exact transform."""
    rows = []
    for share in (1e-5, 1e-3, 1e-1):
        present = np.random.default_rng(1).random(shape) < share
        grid = _grid(shape)
        ours = _best(partial(distance_m, present, grid))
        peer = _best(partial(ndimage.distance_transform_edt, ~present, sampling=500.0), 1)
        rows.append(_row(f"distance, {share:g} present", ours, "scipy EDT", peer))
    return rows


def bench_weighted_sum(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Twelve criteria, against the sum of numpy products."""
    rng = np.random.default_rng(2)
    values = [rng.random(shape, dtype=np.float32) for _ in range(12)]
    weights = (rng.random(12) / 6).tolist()
    ours = _best(lambda: weighted_sum(values, weights))
    peer = _best(lambda: sum(w * v for w, v in zip(weights, values, strict=True)))
    return [_row("weighted sum of 12 (float64 inside)", ours, "numpy, float32", peer)]


def bench_slope(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Horn slope, against two Sobel filters of scipy."""
    z = np.random.default_rng(3).random(shape, dtype=np.float32)
    ours = _best(lambda: slope_percent(z, _grid(shape)))

    def sobel() -> npt.NDArray[np.float32]:
        gx = ndimage.sobel(z, axis=1) / 4000.0
        gy = ndimage.sobel(z, axis=0) / 4000.0
        slope: npt.NDArray[np.float32] = 100 * np.hypot(gx, gy)
        return slope

    return [_row("slope, NaN-aware", ours, "scipy Sobel, not NaN-aware", _best(sobel, 1))]


def bench_density(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Sum of 5,000 weighted points within 50 km, against an FFT convolution with a disk."""
    from scipy.signal import fftconvolve

    rng = np.random.default_rng(4)
    grid = _grid(shape)
    x_min, y_min, x_max, y_max = grid.bounds
    x, y, w = rng.uniform(x_min, x_max, 5000), rng.uniform(y_min, y_max, 5000), rng.random(5000)
    ours = _best(lambda: sum_within(x, y, w, radius_m=50_000, grid=grid))
    field = np.zeros(shape)
    np.add.at(field, grid.row_col(x, y), w)
    r, c = np.ogrid[-100:101, -100:101]
    disk = (r * r + c * c <= 100 * 100).astype(np.float64)
    peer = _best(lambda: fftconvolve(field, disk, mode="same"), 1)
    return [_row("density, 5,000 points, 50 km", ours, "scipy FFT", peer)]


def _heapq_growth(score: npt.NDArray[np.float32], seed: int, most: int, radius: float) -> int:
    """Grow one region by the same utility with the standard library."""
    rows, cols = score.shape
    r0, c0 = divmod(seed, cols)
    heap = [(-2.0, seed)]
    seen = {seed}
    region: list[int] = []
    while heap and len(region) < most:
        _, cell = heapq.heappop(heap)
        region.append(cell)
        row, col = divmod(cell, cols)
        for r, c in ((row + 1, col), (row - 1, col), (row, col + 1), (row, col - 1)):
            near = r * cols + c
            if 0 <= r < rows and 0 <= c < cols and near not in seen and score[r, c] == score[r, c]:
                seen.add(near)
                shape = 1 - math.hypot(r - r0, c - c0) / radius
                heapq.heappush(heap, (-(0.5 * float(score[r, c]) + 0.5 * shape), near))
    return len(region)


def bench_growth(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """20,000 seeds to 1,000 candidates; growth alone; and growth with large regions."""
    score = _land(shape)
    grid = _grid(shape)
    asked = CandidateSpec(area_ha=(800, 2000), seeds=20_000, keep=1000, spacing_km=5)
    whole = _best(lambda: grow(score, grid, asked))
    rows = [_row("candidates, 20,000 seeds of 80 cells, all steps", whole, "", None)]
    allowed = np.flatnonzero(np.isfinite(score))
    for most in (80, 2000):
        number = min(20_000, allowed.size)
        seeds = allowed[:: allowed.size // number][:number].astype(np.int64)
        limits = Limits(
            np.ones(number, np.int64),
            np.full(number, most),
            compactness=0.5,
            radius=math.sqrt(most / math.pi),
        )
        ours = _best(partial(grow_regions, score, seeds, limits, drop=9.0), 2)
        # the peer is slow: a sample, scaled up
        sample = seeds[:: max(1, number // (100 if most > 100 else 1000))]
        start = time.perf_counter()
        for seed in sample.tolist():
            _heapq_growth(score, seed, most, limits.radius)
        peer = (time.perf_counter() - start) * number / len(sample)
        rows.append(_row(f"growth, {number:,} regions of {most:,} cells", ours,
                         "heapq + set, sampled", peer))  # fmt: skip
    return rows


BENCHES: tuple[Callable[[tuple[int, int]], list[Row]], ...] = (
    bench_distance,
    bench_weighted_sum,
    bench_slope,
    bench_density,
    bench_growth,
)


def run(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Run every bench once small, to load the compiled code, then at size."""
    for bench in BENCHES:
        bench((200, 200))
    return [row for bench in BENCHES for row in bench(shape)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a grid of 850 × 875 cells")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = run((850, 875) if given.quick else NATIONAL)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(f"{'':52}{'ours s':>9}  {'peer':28}{'peer s':>9}{'ratio':>8}")
    for row in rows:
        peer = f"{row.peer_s:9.3f}{row.ratio:8.1f}" if row.peer_s and row.ratio else ""
        print(f"{row.name:52}{row.ours_s:9.3f}  {row.peer:28}{peer}")


if __name__ == "__main__":
    main()
