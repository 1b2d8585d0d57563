"""Ways of supply lines over the ground: length and cost of the cheapest path of each pair."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue import RESOURCES, Scenario
from geoplan.grid import Grid
from geoplan.raster.cost_path import route_lengths
from geoplan.raster.friction import coarsening, coarser
from geoplan.studies.measure_way import friction_of
from geoplan.studies.surface import Ground

__all__ = ["routes_of"]


def routes_of(
    ground: Ground, scenario: Scenario, sites: pd.DataFrame, sources: pd.DataFrame
) -> Callable[[pd.DataFrame], pd.DataFrame] | None:
    """Return what `geoplan.siting.supply.links` asks for least-cost ways, or None.

    Parameters
    ----------
    ground : Ground
    scenario : Scenario
        ``supply.terrain`` says what a kilometre costs.
    sites, sources : DataFrame
        ``lon``, ``lat``; sites by ``site_id`` (index), sources by ``source_id``.

    Notes
    -----
    The grid is made coarser until the reach of a resource spans 200 cells, and a way is never
    told shorter or cheaper than the straight line on flat ground.
    """
    terrain = scenario.supply.terrain
    wanted = [r for r in RESOURCES if getattr(scenario.supply, r).route == "least_cost"]
    if terrain is None or not wanted:
        return None

    def routes(pairs: pd.DataFrame) -> pd.DataFrame:
        friction = friction_of(ground, terrain)
        parts = []
        for resource in wanted:
            mine = pairs[pairs["resource"] == resource].reset_index(drop=True)
            if mine.empty:
                continue
            reach = float(getattr(scenario.supply, resource).max_km)
            # A way may leave the circle of the straight distance, not the square of its double.
            coarse, grid = coarser(friction, ground.grid, coarsening(ground.grid, 1.5 * reach))
            here, site_number = _cells(sites, mine["site_id"], grid)
            there, source_number = _cells(sources.set_index("source_id"), mine["source_id"], grid)
            km, cost = route_lengths(
                coarse, grid, here, there, np.column_stack([site_number, source_number]),
                1.5 * reach, neighbours=terrain.neighbours,
            )  # fmt: skip
            straight = mine["distance_km"].to_numpy(dtype=np.float64)
            parts.append(
                mine[["site_id", "resource", "source_id"]].assign(
                    route_km=np.maximum(km, straight), route_cost_km=np.maximum(cost, straight)
                )
            )
        columns = ["site_id", "resource", "source_id", "route_km", "route_cost_km"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    return routes


def _cells(
    places: pd.DataFrame, wanted: pd.Series[str], grid: Grid
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the cells of the places that are named, and the number of each name among them."""
    names, number = np.unique(wanted.to_numpy(dtype=str), return_inverse=True)
    rows = places.loc[names]
    points = gpd.GeoSeries(gpd.points_from_xy(rows["lon"], rows["lat"]), crs="EPSG:4326")
    points = points.to_crs(grid.crs)
    row, col = grid.row_col(points.x, points.y)
    return np.column_stack([row, col]), number.astype(np.int64)
