"""SMAA-2: 2,000 sites × 15 criteria × 10,000 draws, beside the same in numpy.

``python -m benchmarks.smaa [--quick] [--json]``. The bar is 2 s for the full rank matrix on two
cores. No public Python library computes it at this size; the peer is what a careful user would
write: weights by exponentials, one matrix product a block, ``argsort`` and a count. A ratio is
the peer's time over ours: above 1, ours is faster. ``apart`` is the largest difference of
first-rank acceptabilities in standard errors (both draw at random: below 5 is agreement).
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.robustness import WeightDraws
from geoplan.mcda.smaa import smaa
from geoplan.mcda.weight_draws import sampler

__all__ = ["Row", "run"]

CRITERIA = 15

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One case; seconds are the best of three runs."""

    name: str
    sites: int
    draws: int
    ours_s: float
    bar_s: float | None
    peer: str
    peer_s: float | None
    ratio: float | None
    apart: float | None


def _best(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    found, out = math.inf, None
    for _ in range(times):
        start = time.perf_counter()
        out = work()
        found = min(found, time.perf_counter() - start)
    return found, out


def _in_numpy(values: Array, draws: int) -> Array:
    """Return counts of ranks: the plain way, in blocks that fit memory."""
    rng = np.random.default_rng(1)
    count = len(values)
    counts = np.zeros((count, count), np.int32)
    places = np.arange(count)
    for start in range(0, draws, 250):
        weights = rng.standard_exponential((min(250, draws - start), values.shape[1]))
        weights /= weights.sum(axis=1, keepdims=True)
        order = np.argsort(-(weights @ values.T), axis=1)
        for row in order:
            counts[row, places] += 1
    return counts


def run(*, quick: bool = False) -> list[Row]:
    """Return the cases, the bar first."""
    sites, draws = (300, 1_000) if quick else (2_000, 10_000)
    values = np.random.default_rng(0).random((sites, CRITERIA))
    stated = {f"c{j}": 1 / CRITERIA for j in range(CRITERIA)}
    box = {name: (0.8 * w, 1.2 * w) for name, w in stated.items()}
    kinds = {
        "uniform weights, full rank matrix": WeightDraws(distribution="uniform"),
        "weights around stated ones": WeightDraws(distribution="dirichlet"),
        "weights within ± 20 %": WeightDraws(distribution="intervals", intervals=box),
        "weights in an order": WeightDraws(distribution="order", order=tuple(stated)),
    }
    smaa(values[:50], sampler(WeightDraws(distribution="uniform"), stated), draws=300, seed=0,
         half_width=np.full(CRITERIA, 0.1))  # fmt: skip
    rows = []
    for number, (name, spec) in enumerate(kinds.items()):
        weights = sampler(spec, stated)
        smaa(values[:50], weights, draws=10, seed=0)
        ours_s, ours = _best(lambda w=weights: smaa(values, w, draws=draws, seed=1))
        if number:
            rows.append(Row(name, sites, draws, ours_s, None, "–", None, None, None))
            continue
        peer_s, counts = _best(lambda: _in_numpy(values, draws), 1)
        p = (ours.counts[:, 0] + counts[:, 0]) / (2 * draws)
        error = np.sqrt(np.maximum(p * (1 - p), 1e-12) * 2 / draws)
        apart = float((np.abs(ours.counts[:, 0] - counts[:, 0]) / draws / error).max())
        bar = None if quick else 2.0
        rows.append(Row(name, sites, draws, ours_s, bar, "numpy", peer_s, peer_s / ours_s, apart))
    weights = sampler(WeightDraws(distribution="uniform"), stated)
    half = np.full(CRITERIA, 0.05)
    ours_s, _ = _best(lambda: smaa(values, weights, draws=draws, seed=1, half_width=half))
    rows.append(
        Row("uniform weights, values ± 0.05", sites, draws, ours_s, None, "–", None, None, None)
    )
    return rows


def main() -> None:
    """Print the table, or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few sites and draws")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args()
    for row in run(quick=given.quick):
        if given.json:
            print(json.dumps(asdict(row)))
            continue
        bar = "" if row.bar_s is None else f" (bar {row.bar_s:g} s)"
        peer = ""
        if row.peer_s is not None and row.ratio is not None and row.apart is not None:
            peer = f"  {row.peer} {row.peer_s:.3f} s  {row.ratio:.1f}×  apart {row.apart:.1f} s.e."
        print(f"{row.name:34} {row.sites:,} × {row.draws:,}  {row.ours_s:.3f} s{bar}{peer}")


if __name__ == "__main__":
    main()
