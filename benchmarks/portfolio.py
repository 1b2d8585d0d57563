"""Portfolio: exact choice beside a capacity-aware greedy choice, on made-up countries.

Run ``python -m benchmarks.portfolio [J …] [--quick] [--json FILE]``. One line per case: seconds,
gap, size, and how far the greedy choice falls below. The last line sets the solver beside spopt,
on the one question that both can answer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.catalogue.scenario import PortfolioSpec, SupplySpec
from geoplan.siting.assign import Assignment, assign
from geoplan.siting.greedy import greedy
from geoplan.siting.model import Columns, Program, build
from geoplan.siting.narrow import net_value
from geoplan.siting.portfolio import solve
from geoplan.siting.problem import PortfolioProblem, prepare
from geoplan.siting.solver import maximise
from geoplan.siting.spacing import conflicts
from geoplan.siting.supply import links

__all__ = ["instance", "main"]

_CRS = "+proj=laea +lat_0=32.5 +lon_0=54 +datum=WGS84 +units=m +type=crs"
_HALF_M = 650_000.0


def instance(
    sites: int,
    *,
    sources: int = 400,
    seed: int = 0,
    tightness: float = 1.0,
    line_cost: float = 0.0,
    budget: float | None = None,
    cost_per_score_point: float | None = None,
    single_source: bool = False,
    count: int = 15,
    spacing_km: float = 40.0,
    time_limit_s: float = 120.0,
    levels: tuple[float, ...] = (1.0,),
    basins: bool = False,
    reinforcement: float | None = None,
) -> PortfolioProblem:
    """Return a made-up country of 1,300 km a side.

    Sites lie in clusters with scores that fall off smoothly, as grown candidates do; headroom is
    log-normal and ``tightness`` divides it. ``basins``: the sources of water in each square of
    330 km may give no more than half of their headroom together. ``reinforcement``: cost of a
    module of 5,000 m³ of water a day, two at each source.
    """
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-_HALF_M, _HALF_M, (max(20, sites // 40), 2))
    quality = rng.uniform(0.45, 0.75, len(centres))
    home = rng.integers(0, len(centres), sites)
    xy = centres[home] + rng.normal(0, 45_000, (sites, 2))
    area = rng.uniform(800, 2000, sites)
    score = np.clip(quality[home] + rng.normal(0, 0.05, sites), 0, 1)
    ids = [f"S{k:05d}" for k in range(sites)]
    side = np.sqrt(area * 1e4)
    polygons = gpd.GeoSeries(
        [
            shapely.box(x - a / 2, y - a / 2, x + a / 2, y + a / 2)
            for (x, y), a in zip(xy, side, strict=True)
        ],
        index=pd.Index(ids, name="site_id"),
        crs=_CRS,
    )
    degrees = polygons.centroid.to_crs("EPSG:4326")
    region = (
        np.floor((xy[:, 0] + 1e6) / 330_000) * 10 + np.floor((xy[:, 1] + 1e6) / 330_000)
    ).astype(int)
    poor = rng.random(region.max() + 1) < 0.5
    frame = pd.DataFrame(
        {
            "score": score,
            "region": [f"{r:03d}" for r in region],
            "less_industrialised": poor[region],
            "lon": degrees.x.to_numpy(),
            "lat": degrees.y.to_numpy(),
        },
        index=polygons.index,
    )
    water = area * 16 * rng.uniform(0.8, 1.2, sites)
    demand = pd.DataFrame(
        {
            "water_m3_per_day": water,
            "nonpotable_m3_per_day": 0.4 * water,
            "power_mva": area * 0.16,
            "wastewater_m3_per_day": 0.55 * water,
        },
        index=polygons.index,
    )
    rows = []
    for r, share, size, unit in (
        ("water", 0.4, 22_000, "m3/day"),
        ("power", 0.35, 230, "MVA"),
        ("wastewater", 0.25, 15_000, "m3/day"),
    ):
        n = int(sources * share)
        near = rng.integers(0, len(centres), n)
        place = centres[near] + rng.normal(0, 50_000, (n, 2))
        lonlat = gpd.GeoSeries(gpd.points_from_xy(*place.T), crs=_CRS).to_crs("EPSG:4326")
        head = size * rng.lognormal(0, 0.7, n) / tightness
        rows += [
            {
                "source_id": f"{r}:{k:04d}",
                "resource": r,
                "kind": "dam",
                "headroom": round(float(head[k]), 1),
                "unit": unit,
                "basis": "assumed",
                "name_en": f"{r} {k}",
                "name_local": None,
                "lon": lonlat.x[k],
                "lat": lonlat.y[k],
            }
            for k in range(n)
        ]
    table = pd.DataFrame(rows)
    table["basin"] = [
        f"{int(x // 3.5)}-{int(y // 3)}" for x, y in zip(table["lon"], table["lat"], strict=True)
    ]
    water_head = table[table["resource"] == "water"].groupby("basin")["headroom"].sum()
    caps = [
        {
            "id": f"basin-{b}",
            "resource": "water",
            "sources": {"basin": b},
            "max": round(0.5 * float(h), 1),
            "unit": "m3/day",
        }
        for b, h in water_head.items()
    ]
    module = {"module_size": 5_000, "cost": reinforcement or 0.0, "modules_max": 2}
    own = [{"kind": "plant", "module_size": 2500, "cost": 2e6, "modules_max": 8}]
    supply = SupplySpec.model_validate(
        {
            "water": {
                "max_km": 60,
                "cost_per_km": line_cost,
                "reuse": {"share_max": 0.4, "cost_per_unit": 300 if line_cost else 0},
                "single_source": single_source,
                "reinforcement": module if reinforcement is not None else None,
            },
            "power": {"max_km": 60, "cost_per_km": line_cost, "single_source": single_source},
            "wastewater": {"max_km": 40, "cost_per_km": line_cost, "own": own},
            "caps": caps if basins else [],
        }
    )
    spec = PortfolioSpec(
        count=count,
        per_region_max=2,
        less_industrialised_share_min=0.6,
        spacing_km=spacing_km,
        budget=budget,
        cost_per_score_point=cost_per_score_point,
        time_limit_s=time_limit_s,
        levels=levels,
    )
    return PortfolioProblem(
        sites=frame,
        demand=demand,
        links=links(frame.reset_index(), table, supply),
        sources=table,
        conflicts=conflicts(polygons, spacing_km=spacing_km),
        spec=spec,
        supply=supply,
    )


CASES: dict[str, dict[str, Any]] = {
    "score only": {},
    "tight": {"tightness": 2.0},
    "one source each": {"single_source": True},
    "lines cost": {"line_cost": 100_000.0, "cost_per_score_point": 2e8},
    "budget": {"line_cost": 100_000.0, "budget": 1.0},
    "levels": {"levels": (0.5, 0.75, 1.0)},
    "basins and modules": {
        "tightness": 2.0,
        "basins": True,
        "reinforcement": 1e6,
        "line_cost": 100_000.0,
        "cost_per_score_point": 2e8,
    },
}
"""Name → how `instance` differs. A budget of 1 stands for 90 % of what the best plan costs."""

_QUICK = ("score only", "lines cost", "levels")


def _case(size: int, name: str, seed: int) -> dict[str, Any]:
    """Solve one case and return its figures, beside the capacity-aware greedy choice."""
    how = dict(CASES[name])
    if "budget" in how:
        free = {**how, "budget": None, "cost_per_score_point": 1e15}
        how["budget"] = solve(build(instance(size, seed=seed, **free))).cost * 0.9
    problem = instance(size, seed=seed, **how)
    start = time.perf_counter()
    model = build(problem)
    built = time.perf_counter() - start
    plan = solve(model)
    seconds = time.perf_counter() - start
    prepared = prepare(problem)
    start = time.perf_counter()
    value = net_value(prepared)
    taken = greedy(prepared, value=value)
    greedy_s = time.perf_counter() - start
    short = len(taken) < problem.spec.count
    best = plan.record.objective
    # The greedy plan is given its cheapest supply, as the exact one is.
    peer = None
    if not short:
        supply = [assign(prepared, r, taken, time_limit_s=60, seed=0) for r in prepared.resources]
        if all(isinstance(a, Assignment) for a in supply):
            cost = sum(a.cost for a in supply if isinstance(a, Assignment))
            price = problem.spec.cost_per_score_point
            peer = float(prepared.score[list(taken)].sum()) - (cost / price if price else 0.0)
            if problem.spec.budget is not None and cost > problem.spec.budget:
                peer = None
    return {
        "sites": size,
        "case": name,
        "seed": seed,
        "pairs": len(problem.conflicts.pairs),
        "cliques": len(problem.conflicts.cliques),
        "build_s": round(built, 2),
        "total_s": round(seconds, 2),
        "greedy_s": round(greedy_s, 2),
        "status": plan.status,
        "gap": None if plan.record.gap is None else round(plan.record.gap, 7),
        "nodes": plan.record.nodes,
        "rows": plan.record.rows,
        "columns": plan.record.columns,
        "objective": None if best is None else round(best, 4),
        "greedy_below_%": None if peer is None or not best else round(100 * (1 - peer / best), 2),
    }


def _one_commodity(sites: int, *, seed: int = 0) -> dict[str, Any]:
    """Choose 15 of ``sites`` for one commodity, beside spopt's capacitated location model.

    spopt's LSCP-with-capacity and p-median serve clients from facilities; the question that both
    can answer is: 15 facilities, each with a capacity, that serve all clients at the least
    weighted distance. Here the clients are a tenth as many points with a demand each.
    """
    import pulp  # peers are installed for the bench alone; tests import the cases above
    from spopt.locate import PMedian

    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 100, (sites, 2))
    client = rng.uniform(0, 100, (max(sites // 10, 20), 2))
    weight = rng.integers(1, 20, len(client)).astype(float)
    distance = np.hypot(*(client[:, None] - place[None]).transpose(2, 0, 1))
    count = 15
    capacity = np.full(sites, max(weight.max(), weight.sum() / count) * 1.5)
    start = time.perf_counter()
    peer = PMedian.from_cost_matrix(
        distance, weight, p_facilities=count, facility_capacities=capacity, name="peer"
    ).solve(pulp.HiGHS(msg=False, timeLimit=120))
    spopt_s = time.perf_counter() - start
    start = time.perf_counter()
    program = _median_program(distance, weight, capacity, count)
    outcome = maximise(program, gap=1e-4, time_limit_s=120, seed=0)
    seconds = time.perf_counter() - start
    return {
        "sites": sites,
        "case": "one commodity, capacitated p-median",
        "seed": seed,
        "total_s": round(seconds, 2),
        "spopt_s": round(spopt_s, 2),
        "ratio": round(seconds / spopt_s, 3),
        "status": outcome.status,
        "objective": None if outcome.objective is None else round(-outcome.objective, 3),
        "spopt_objective": round(float(peer.problem.objective.value()), 3),
    }


def _median_program(distance: Any, weight: Any, capacity: Any, count: int) -> Program:
    """Return the capacitated p-median as a program, clients split among facilities."""
    clients, places = distance.shape
    cols = Columns()
    y = [cols.column(f"y:{j}", integer=True) for j in range(places)]
    z = [
        [cols.column(f"z:{i}:{j}", cost=-weight[i] * distance[i, j], integer=True)
         for j in range(places)]
        for i in range(clients)
    ]  # fmt: skip
    cols.row("count", [(c, 1.0) for c in y], lower=count, upper=count)
    for i in range(clients):
        cols.row(f"served:{i}", [(c, 1.0) for c in z[i]], lower=1.0, upper=1.0)
        for j in range(places):
            cols.row(f"open:{i}:{j}", [(z[i][j], 1.0), (y[j], -1.0)], upper=0.0)
    for j in range(places):
        entries = [(z[i][j], float(weight[i])) for i in range(clients)]
        cols.row(f"capacity:{j}", [*entries, (y[j], -float(capacity[j]))], upper=0.0)
    return cols.program()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line of JSON per case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sites", nargs="*", type=int, help="numbers of candidates")
    parser.add_argument(
        "--quick", action="store_true", help="3,000 candidates, few cases, one seed"
    )
    parser.add_argument("--case", action="append", choices=sorted(CASES), help="only these cases")
    parser.add_argument("--no-peer", action="store_true", help="leave spopt out")
    parser.add_argument("--json", type=Path, help="write the lines here as a list too")
    options = parser.parse_args(arguments)
    sizes = options.sites or ([3_000] if options.quick else [300, 1_000, 3_000])
    names = options.case or (_QUICK if options.quick else tuple(CASES))
    lines: list[dict[str, Any]] = []
    for size in sizes:
        for name in names:
            for seed in (0,) if options.quick else (0, 1):
                lines.append(_case(size, name, seed))
                print(json.dumps(lines[-1]), flush=True)
    if not options.no_peer:
        lines.append(_one_commodity(60 if options.quick else 150))
        print(json.dumps(lines[-1]), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(lines, indent=1))


if __name__ == "__main__":
    main()
