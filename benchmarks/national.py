"""Exclusions, score and new weights on a national grid, beside peers and the memory's own speed.

``python -m benchmarks.national [--quick] [--json] [--no-peers]``. The country has 12,500 × 13,200
cells of 100 m (165 M; ``--quick``: 10.6 M), 12 rules and 12 criteria. It is computed cold in a
process of its own, whose largest memory is told. Peers run on 10.6 M cells and ours beside them
on the same; a ratio is the peer's time over ours, above 1: ours is faster.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.national_country import Country, CountryGround, criteria, made, rules
from geoplan import raster
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.siting.allowed import AllowedLand
from geoplan.siting.criteria import Measure, suitability
from geoplan.siting.exclude import combine
from geoplan.siting.quantised import QuantisedCriteria, Quantiser, top_share_map
from geoplan.studies.exclusion import rule_masks
from geoplan.studies.measure import measured

__all__ = ["bandwidth_gb_s", "bench", "main"]

NATIONAL = (12_500, 13_200)
QUICK = (3_200, 3_300)
FLOOR_B = 17
"""Bytes a cell: 12 codes, a mask, a score of four bytes."""


@kernel
def _copy(source: npt.NDArray[np.float32], out: npt.NDArray[np.float32], a: int, b: int) -> None:
    for i in range(a, b):
        out[i] = source[i]


def bandwidth_gb_s() -> float:
    """Return what two threads read and write, 10⁹ B/s: the best of five copies of 1 GiB."""
    source = np.zeros(1 << 28, dtype=np.float32)
    out = np.ones_like(source)
    best = np.inf
    for _ in range(6):
        start = time.perf_counter()
        over_blocks(lambda a, b: _copy(source, out, a, b), source.size)
        best = min(best, time.perf_counter() - start)
    return 2 * source.nbytes / best / 1e9


def _flow(country: Country, times: dict[str, float]) -> tuple[Any, QuantisedCriteria]:
    """Do what a run does, timed step by step."""
    ground = CountryGround(country)
    start = time.perf_counter()
    inside = raster.rasterise(country.area, country.grid, dtype=np.bool_)
    given = rules()
    exclusions = combine(rule_masks(ground, given), inside=inside, count=len(given))
    allowed = exclusions.allowed
    times["exclusions"] = time.perf_counter() - start
    asked = criteria()

    def raw(name: str) -> npt.NDArray[np.floating]:
        if asked[name].measure != "region":
            return measured(ground, asked[name], None)  # type: ignore[arg-type]
        values = country.regions["value"].to_numpy(np.float32)
        drawn: npt.NDArray[np.float32] = raster.rasterise(
            country.regions.geometry, country.grid, values=values, fill=np.nan, dtype=np.float32
        )
        return drawn

    start = time.perf_counter()
    measures = {n: Measure(c, lambda n=n: raw(n)) for n, c in asked.items()}  # type: ignore[misc]
    quantiser = Quantiser(AllowedLand.of(allowed), tuple(asked))
    weights = {name: 1 / len(asked) for name in asked}
    surface = suitability(measures, weights, allowed, quantiser=quantiser)
    times["score"] = time.perf_counter() - start
    return surface, quantiser.finish()


def _ours(shape: tuple[int, int], folder: str, pipe: Any) -> None:
    country = made(shape, Path(folder))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times: dict[str, float] = {}
    worked = time.process_time()
    surface, held = _flow(country, times)
    worked = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    rng = np.random.default_rng(1)
    weights = dict(zip(held.names, rng.dirichlet(np.ones(len(held.names))).tolist(), strict=True))
    again = []
    for _ in range(5):
        start = time.perf_counter()
        held.score_into(weights, surface.score)
        again.append(time.perf_counter() - start)
    start = time.perf_counter()
    top_share_map(held, rng.dirichlet(np.ones(len(held.names)), 5), 0.05)
    draw = (time.perf_counter() - start) / 5
    pipe.send(
        {
            "cells": country.grid.size,
            "allowed": held.land.size,
            "exclusions_s": times["exclusions"],
            "score_s": times["score"],
            "cold_s": times["exclusions"] + times["score"],
            "cold_cpu_s": worked,
            "reweigh_s": float(np.median(again)),
            "draw_of_top_share_s": draw,
            "peak_gib": peak,
            "peak_before_gib": before / 2**20,
            "error_bound": held.error_bound(weights),
        }
    )


def bench(shape: tuple[int, int], folder: Path) -> dict[str, Any]:
    """Return the figures of a country computed cold in a process of its own."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_ours, args=(shape, str(folder), there))
    process.start()
    there.close()
    try:
        found: dict[str, Any] = here.recv()
    finally:
        process.join()
    found["bandwidth_gb_s"] = bandwidth_gb_s()
    rate = found["bandwidth_gb_s"] * 1e9
    found["floor_s"] = FLOOR_B * found["cells"] / rate
    # what one pass over allowed land has to move: codes and score, and the mask of the grid
    found["floor_allowed_s"] = (16 * found["allowed"] + found["cells"]) / rate
    found["over_floor"] = found["reweigh_s"] / found["floor_s"]
    found["over_floor_allowed"] = found["reweigh_s"] / found["floor_allowed_s"]
    return found


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10.6 M cells instead of 165 M")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        found = bench(QUICK if given.quick else NATIONAL, Path(name) / "country")
        found["peers"] = []
        if not given.no_peers:
            from benchmarks.national_peers import beside

            found["peers"] = beside(QUICK, Path(name) / "peers")
    if given.json:
        print(json.dumps(found))
        return 0
    print(
        f"{found['cells'] / 1e6:.1f} M cells, {found['allowed'] / 1e6:.1f} M allowed, 12 rules, "
        f"12 criteria\n"
        f"cold           {found['cold_s']:8.2f} s   exclusions {found['exclusions_s']:.2f}, "
        f"score {found['score_s']:.2f} (bar at 165 M: 30); processor {found['cold_cpu_s']:.1f} s\n"
        f"new weights    {found['reweigh_s']:8.3f} s   (bar: 1); scores within "
        f"{found['error_bound']:.5f}\n"
        f"one draw of the map of the best 5 %: {found['draw_of_top_share_s']:.3f} s\n"
        f"largest memory {found['peak_gib']:8.2f} GiB (bar: 8)\n"
        f"memory speed   {found['bandwidth_gb_s']:8.1f} GB/s\n"
        f"floor, {FLOOR_B} B a cell of the grid: {found['floor_s']:.3f} s; new weights take "
        f"{found['over_floor']:.2f} of it\n"
        f"floor, allowed cells only: {found['floor_allowed_s']:.3f} s; new weights take "
        f"{found['over_floor_allowed']:.1f} of it"
    )
    for row in found["peers"]:
        print(
            f"{row['work']:28} {row['peer']:28} ours {row['ours_s']:8.3f} s  peer "
            f"{row['peer_s']:8.3f} s  ratio {row['ratio']:7.1f}  {row['note']}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
