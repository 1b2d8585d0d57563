"""A portfolio problem with its limits moved, as a relaxation says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from geoplan.errors import Relaxation
from geoplan.siting.problem import PortfolioProblem, prepare
from geoplan.siting.spacing import Conflicts

__all__ = ["apply"]


def apply(problem: PortfolioProblem, moves: Iterable[Relaxation]) -> PortfolioProblem:
    """Return the problem with its limits moved.

    Parameters
    ----------
    problem : PortfolioProblem
    moves : iterable of Relaxation
        From `relax`; ``count:all-limits-kept`` is left aside, as it is an alternative.
        ``supply:<resource>`` becomes one source beside the sites that have none.
    """
    update: dict[str, object] = {}
    caps = dict(problem.region_caps)
    lock_in, lock_out = problem.lock_in, problem.lock_out
    cap_limits, quota_limits = dict(problem.cap_limits), dict(problem.quota_limits)
    sources, links, conflicts = problem.sources.copy(), problem.links, problem.conflicts
    for move in moves:
        kind, _, rest = move.limit.partition(":")
        if move.limit == "count":
            update["count"] = int(move.needed)
        elif kind == "quota" and rest:
            quota_limits[rest] = int(move.needed)
        elif kind == "area":
            update["area_ha_min"] = move.needed or None
        elif kind == "quota":
            update["less_industrialised_share_min"] = move.needed / problem.spec.count
        elif kind == "budget":
            update["budget"] = move.needed
        elif kind == "region-cap":
            caps[rest] = int(move.needed)
        elif kind == "cap":
            cap_limits[rest.partition(":")[2]] = move.needed
        elif kind == "reinforcement":
            resource, _, source = rest.partition(":")
            row = (sources["resource"] == resource) & (sources["source_id"] == source)
            if "modules_max" not in sources.columns:
                sources["modules_max"] = np.nan
            sources.loc[row, "modules_max"] = move.needed
        elif kind == "lock-in":
            lock_in -= {rest}
        elif kind == "lock-out":
            lock_out -= {rest}
        elif kind == "spacing":
            km = conflicts.pairs["distance_km"]
            conflicts = Conflicts.of_pairs(conflicts.pairs[(km < move.needed) | (km <= 0)])
        elif kind == "headroom":
            resource, _, source = rest.partition(":")
            row = (sources["resource"] == resource) & (sources["source_id"] == source)
            sources["headroom"] = sources["headroom"].astype("float64")
            sources.loc[row, "headroom"] = move.needed
        elif kind == "supply":
            name = f"new:{rest}"
            new = {"source_id": name, "resource": rest, "headroom": move.needed}
            sources = pd.concat([sources, pd.DataFrame([new])], ignore_index=True)
            without = _without_source(problem, rest)
            more = pd.DataFrame({"site_id": without, "resource": rest, "source_id": name})
            zero = dict.fromkeys(("distance_km", "route_km", "line_cost", "unit_cost"), 0.0)
            links = pd.concat([links, more.assign(**zero)], ignore_index=True)
    spec = problem.spec.model_copy(update=update)
    return replace(
        problem,
        spec=spec,
        sources=sources,
        links=links,
        conflicts=conflicts,
        region_caps=caps,
        lock_in=lock_in,
        lock_out=lock_out,
        cap_limits=cap_limits,
        quota_limits=quota_limits,
    )


def _without_source(problem: PortfolioProblem, resource: str) -> list[str]:
    """Return the sites that no source of a resource with anything left can reach."""
    prepared = prepare(problem)
    found = next(r for r in prepared.resources if r.name == resource)
    served = {prepared.site(j) for j in np.unique(found.link_site).tolist()}
    return [s for s in prepared.place_ids if s not in served]
