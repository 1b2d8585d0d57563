"""Fronts of plans, and the exact front beside what a careful user would write with scipy.

``python -m benchmarks.pareto [--quick] [--json]``. A ratio is the peer's time over ours: above 1,
ours is faster. The peer is the same ε-constraint walk written with `scipy.optimize.milp` (also
HiGHS): one search for each point and one to raise it, each from nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import Bounds, LinearConstraint, milp

from benchmarks.portfolio import instance
from geoplan.catalogue.equity import EquityObjective
from geoplan.siting.equity import EquityTerms
from geoplan.siting.front import front_of_plans
from geoplan.siting.model import Columns
from geoplan.siting.objective import Objective
from geoplan.siting.pareto import nondominated
from geoplan.siting.problem import prepare

__all__ = ["Row", "main", "run"]

OBJECTIVES: tuple[EquityObjective, ...] = ("deprivation", "shortfall", "deviation", "gini")


@dataclass(frozen=True)
class Row:
    """One front."""

    name: str
    points: int
    status: str
    searches: int
    worst_gap: float
    ours_s: float
    peer: str
    peer_s: float | None
    ratio: float | None


def _knapsack(items: int, seed: int) -> tuple[npt.NDArray[np.int64], ...]:
    rng = np.random.default_rng(seed)
    profit, load = rng.integers(10, 101, (2, items)), rng.integers(10, 101, (2, items))
    return profit, load, load.sum(axis=1) // 2


def _peer(
    profit: npt.NDArray[np.int64], load: npt.NDArray[np.int64], limit: npt.NDArray[np.int64]
) -> list[tuple[int, int]]:
    """Return all non-dominated points of a two-objective knapsack, with scipy."""
    one, two = profit
    n = len(one)

    def best(
        cost: npt.NDArray[np.int64], row: npt.NDArray[np.int64] | None, least: int
    ) -> npt.NDArray[np.int64] | None:
        rows = [LinearConstraint(load, ub=limit)]
        if row is not None:
            rows.append(LinearConstraint(row[None, :], lb=least))
        found = milp(
            -cost, constraints=rows, integrality=np.ones(n), bounds=Bounds(0, 1),
            options={"mip_rel_gap": 0.0},
        )  # fmt: skip
        return None if found.x is None else np.rint(found.x).astype(np.int64)

    out: list[tuple[int, int]] = []
    x = best(one, None, 0)
    while x is not None:
        x = best(two, one, int(one @ x))
        if x is None:
            break
        out.append((int(one @ x), int(two @ x)))
        x = best(one, two, out[-1][1] + 1)
    return out


def _knapsack_row(items: int, seed: int = 1) -> Row:
    profit, load, limit = _knapsack(items, seed)
    cols = Columns()
    for j in range(items):
        cols.column(f"x{j}", integer=True)
    for k in range(2):
        entries = [(j, float(v)) for j, v in enumerate(load[k])]
        cols.row(f"limit{k}", entries, upper=float(limit[k]))
    one, two = (Objective({j: float(v) for j, v in enumerate(p)}, 1.0) for p in profit)
    start = time.perf_counter()
    front = nondominated(cols.program(), one, two)
    ours = time.perf_counter() - start
    start = time.perf_counter()
    peer = _peer(profit, load, limit)
    theirs = time.perf_counter() - start
    if [(p.first, p.second) for p in front.points] != peer:
        raise SystemExit(f"the fronts of {items} items differ")
    return Row(
        f"knapsack of {items}, all points",
        len(front.points),
        front.status,
        front.solves,
        0.0,
        ours,
        "scipy milp",
        theirs,
        theirs / ours,
    )


def _plans_row(sites: int, objective: EquityObjective, *, limit: float, seed: int = 0) -> Row:
    prepared = prepare(instance(sites, seed=seed))
    rng = np.random.default_rng(seed)
    regions = len(prepared.region_codes)
    people = rng.lognormal(13, 1, regions)
    terms = EquityTerms(
        objective,
        benefit=np.rint(rng.uniform(800, 2000, sites) * 5),
        region=prepared.region,
        codes=prepared.region_codes,
        population=people,
        base=people * rng.lognormal(-3.5, 0.6, regions),
        industrialisation=rng.random(regions),
    )
    start = time.perf_counter()
    front = front_of_plans(prepared, terms, points=11, time_limit_s=limit)
    ours = time.perf_counter() - start
    gap = max((p.gap for p in front.points), default=float("nan"))
    name = f"{sites} candidates, {objective}, 11 points"
    return Row(name, len(front.points), front.status, front.solves, gap, ours, "", None, None)


def run(*, quick: bool) -> list[Row]:
    """Return one row a front."""
    sizes = [300] if quick else [300, 1_000]
    rows = [_knapsack_row(n) for n in ([30] if quick else [30, 50])]
    for n in sizes:
        rows += [_plans_row(n, o, limit=20.0 if quick else 120.0) for o in OBJECTIVES]
    return rows


def main(argv: list[str] | None = None) -> None:
    """Print the table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small cases only")
    parser.add_argument("--json", action="store_true", help="one JSON list")
    options = parser.parse_args(argv)
    rows = run(quick=options.quick)
    if options.json:
        print(json.dumps([asdict(r) for r in rows]))
        return
    for r in rows:
        beside = "" if r.ratio is None else f"  {r.peer} {r.peer_s:.2f} s, ratio {r.ratio:.2f}"
        print(
            f"{r.name:45} {r.points:3} points  {r.searches:3} searches  {r.ours_s:7.2f} s  "
            f"{r.status}, worst gap {r.worst_gap:.1e}{beside}"
        )


if __name__ == "__main__":
    main()
