"""Portfolio: exact choice beside a capacity-aware greedy choice, on made-up countries.

Run ``python -m benchmarks.portfolio [J …]``. One line per case: seconds, gap, size, and how far
the greedy choice falls below.
"""

from __future__ import annotations

import json
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.catalogue.scenario import PortfolioSpec, SupplySpec
from geoplan.siting.greedy import greedy
from geoplan.siting.model import build
from geoplan.siting.portfolio import solve
from geoplan.siting.problem import PortfolioProblem, prepare
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
) -> PortfolioProblem:
    """Return a made-up country of 1,300 km a side.

    Sites lie in clusters with scores that fall off smoothly, as grown candidates do; headroom is
    log-normal and ``tightness`` divides it.
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
    own = [{"kind": "plant", "module_size": 2500, "cost": 2e6, "modules_max": 8}]
    supply = SupplySpec.model_validate(
        {
            "water": {
                "max_km": 60,
                "cost_per_km": line_cost,
                "reuse": {"share_max": 0.4, "cost_per_unit": 300 if line_cost else 0},
                "single_source": single_source,
            },
            "power": {"max_km": 60, "cost_per_km": line_cost, "single_source": single_source},
            "wastewater": {"max_km": 40, "cost_per_km": line_cost, "own": own},
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


CASES = {
    "score only": {},
    "tight": {"tightness": 2.0},
    "one source each": {"single_source": True},
    "lines cost": {"line_cost": 100_000.0, "cost_per_score_point": 2e8},
    "budget": {"line_cost": 100_000.0, "budget": 1.0},
}
"""Name → how `instance` differs. A budget of 1 stands for 90 % of what the best plan costs."""


def main(sizes: list[int]) -> None:
    """Print one line of JSON per case."""
    for size in sizes:
        for name, how in CASES.items():
            for seed in (0, 1):
                how = dict(how)
                if "budget" in how:
                    free = {**how, "budget": None, "cost_per_score_point": 1e15}
                    how["budget"] = solve(build(instance(size, seed=seed, **free))).cost * 0.9
                problem = instance(size, seed=seed, **how)  # type: ignore[arg-type]
                start = time.perf_counter()
                model = build(problem)
                built = time.perf_counter() - start
                plan = solve(model)
                seconds = time.perf_counter() - start
                prepared = prepare(problem)
                taken = greedy(prepared)
                best = sum(problem.sites.loc[list(plan.chosen), "score"])
                peer = float(prepared.score[list(taken)].sum()) if taken else 0.0
                short = len(taken) < problem.spec.count
                line = {
                    "sites": size,
                    "case": name,
                    "seed": seed,
                    "pairs": len(problem.conflicts.pairs),
                    "cliques": len(problem.conflicts.cliques),
                    "build_s": round(built, 2),
                    "total_s": round(seconds, 2),
                    "status": plan.status,
                    "gap": None if plan.record.gap is None else round(plan.record.gap, 7),
                    "nodes": plan.record.nodes,
                    "rows": plan.record.rows,
                    "columns": plan.record.columns,
                    "score": round(best, 4),
                    "greedy_below_%": None
                    if short or not best
                    else round(100 * (1 - peer / best), 2),
                }
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main([int(a) for a in sys.argv[1:]] or [300, 1_000, 3_000])
