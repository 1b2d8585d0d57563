"""Criteria that are ways: along roads, over terrain, and who comes by them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geoplan import raster
from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.way import RoadsSpec, TerrainSpec
from geoplan.errors import EmptyLayer
from geoplan.raster.access import access
from geoplan.raster.cost_path import cost_distance
from geoplan.raster.friction import (
    CONSTRUCTION,
    construction_friction,
    walking_friction,
    with_barriers,
)
from geoplan.raster.network import nearest_node
from geoplan.raster.travel import costs_from, reach
from geoplan.studies.surface import BoolArray, FloatArray, Ground

__all__ = [
    "friction_of",
    "labour_shed",
    "least_cost",
    "network_distance",
    "node_step_m",
    "travel_time",
]

Numbers = npt.NDArray[np.float64]

_LEAST_STEP_M = 100.0
_LABOUR_STEP_M = 500.0


def node_step_m(ground: Ground, measure: str) -> float:
    """Return how far apart the nodes of roads are for a measure, m.

    Half a cell side, at least 100 m: the way from a cell over the nearest node is then at most
    that much longer than over the nearest point of the road. A labour shed asks many roads for
    many people and takes 500 m at least.
    """
    least = _LABOUR_STEP_M if measure == "labour_shed" else _LEAST_STEP_M
    return max(ground.grid.cell_m / 2.0, least)


def _places(ground: Ground, criterion: Criterion) -> tuple[Numbers, Numbers]:
    """Return points that stand for a layer's features: themselves, or the cells they touch."""
    frame = ground.frame(str(criterion.layer), criterion.where)
    if frame.empty:
        chosen = f" where {criterion.where}" if criterion.where else ""
        raise EmptyLayer(
            f"layer '{criterion.layer}' has no feature{chosen}, so no way leads to one",
            remedy="correct 'where', or load the layer",
        )
    shapes = frame.geometry.to_numpy()
    dots = np.isin(shapely.get_type_id(shapes), (0, 4))
    points = shapely.get_coordinates(shapes[dots])
    if not dots.all():
        # features beyond the grid are reached at its edge only through the roads that go on
        touched = raster.rasterise(shapes[~dots], ground.grid, all_touched=True, dtype=np.bool_)
        x, y = ground.grid.centre_xy(*np.nonzero(touched))
        points = np.concatenate((points, np.column_stack((x, y))))
    if not len(points):
        raise EmptyLayer(
            f"no feature of layer '{criterion.layer}' lies in the search area",
            remedy="take the criterion out, or widen the area",
        )
    return points[:, 0], points[:, 1]


def _known(cost: npt.NDArray[np.floating], layer: str | None) -> FloatArray:
    """Return costs as float32, NaN where no way leads; refuse where none leads anywhere."""
    out: FloatArray = cost.astype(np.float32)
    out[~np.isfinite(out)] = np.nan
    if np.isnan(out).all():
        raise EmptyLayer(
            f"no cell of the search area is reached from a feature of layer '{layer}'",
            remedy="check that roads lead to it (roads.join_m, roads.access_km_max), and the "
            "barriers of the terrain",
        )
    return out


def _bar_access(
    roads: RoadsSpec, cost: Numbers, which: npt.NDArray[np.int32], behind: Numbers, per_km: float
) -> None:
    """Set costs to ``inf`` where the straight part is longer than the roads allow."""
    if roads.access_km_max is None:
        return
    for rows in _blocks(len(cost)):
        far = (cost[rows] - behind[which[rows]]) / per_km > roads.access_km_max * (1 + 1e-9)
        cost[rows][far] = np.inf


def network_distance(ground: Ground, criterion: Criterion) -> FloatArray:
    """Return the way to the nearest feature: straight to the nearest road, then by road; km.

    The nearest road is that of the nearest node on a part of the network that leads to a feature;
    the way is not shortened by crossing open land, which a straight line always would.
    """
    roads = _roads(criterion)
    network = ground.network(roads, step_m=node_step_m(ground, criterion.measure), timed=False)
    x, y = _places(ground, criterion)
    node, far = nearest_node(network, x, y)
    km = costs_from(network, node, _joined(far / 1000.0, roads), unit="km")
    start = np.where(np.isfinite(km), 0.0, np.inf)
    straight, which = access(network.x, network.y, start, per_km=1.0, grid=ground.grid)
    if (which < 0).all():
        return _known(straight, criterion.layer)
    _bar_access(roads, straight, which, np.zeros(len(km)), 1.0)
    for rows in _blocks(len(straight)):
        straight[rows] += km[which[rows]]
    return _known(straight, criterion.layer)


def travel_time(ground: Ground, criterion: Criterion) -> FloatArray:
    """Return the time of the quickest way to a feature, by road and off it, min.

    Off the roads the way is straight at ``off_road_km_h``, to any road or to the feature itself.
    With cells of side c the time may be too long, never too short by more than rounding, by up to
    ``3 c / off_road_km_h``: c from roads cut into pieces of c / 2, at both ends of the way (for
    cells of 200 m or more; 200 m below that), and 2 c from handing nodes from cell to cell
    (`geoplan.raster.access`). On the mean it is too long by less than a tenth of that.
    """
    roads = _roads(criterion)
    per_km = 60.0 / float(roads.off_road_km_h or 1.0)
    network = ground.network(roads, step_m=node_step_m(ground, criterion.measure), timed=True)
    x, y = _places(ground, criterion)
    node, far = nearest_node(network, x, y)
    joined = _joined(far / 1000.0, roads)
    minutes = costs_from(network, node, joined * per_km, unit="min")
    start = np.concatenate((minutes, np.zeros(len(x))))
    cost, which = access(
        np.concatenate((network.x, x)),
        np.concatenate((network.y, y)),
        start,
        per_km=per_km,
        grid=ground.grid,
    )
    if (which >= 0).any():
        _bar_access(roads, cost, which, start, per_km)
    return _known(cost, criterion.layer)


def labour_shed(ground: Ground, criterion: Criterion) -> FloatArray:
    """Return the persons who reach each cell by road in time; 0 where nobody does.

    Settlements join the network at the nearest node, cells at the nearest that any settlement
    leads to, both straight at ``off_road_km_h``; nodes are 500 m apart, or half a cell where that
    is longer. Times are rounded up to whole steps of a minute (or a sixtieth of a longer limit),
    so that nobody is counted who takes longer by the model; who is within one step of the limit
    may be left out, and so may who would walk straight across, or take a better road than the
    nearest.
    """
    roads = _roads(criterion)
    limit = float(criterion.minutes or 0.0)
    per_km = 60.0 / float(roads.off_road_km_h or 1.0)
    network = ground.network(roads, step_m=node_step_m(ground, criterion.measure), timed=True)
    x, y, persons = persons_of(ground, criterion)
    node, far = nearest_node(network, x, y)
    joined = _joined(far / 1000.0, roads) * per_km
    # a stub that is joined to no settlement must not stand before the road behind it
    lead = np.isfinite(costs_from(network, node, joined, unit="min"))
    straight, which = access(
        network.x, network.y, np.where(lead, 0.0, np.inf), per_km=1.0, grid=ground.grid
    )
    if not lead.any():
        return np.zeros(ground.grid.shape, dtype=np.float32)
    rows = np.unique(which).astype(np.int64)
    row_of = np.full(len(network.x), -1, np.int64)
    row_of[rows] = np.arange(len(rows))
    step = max(1.0, limit / 60.0) if limit >= 1.0 else limit
    steps = int(np.floor(limit / step + 1e-9))
    table = reach(
        network,
        node,
        joined,
        persons * (criterion.working_age_share or 1.0),
        minutes=limit,
        step_min=step,
        rows=rows,
    )
    _bar_access(roads, straight, which, np.zeros(len(network.x)), 1.0)
    out = np.empty(straight.shape, dtype=np.float32)
    for rows_of in _blocks(len(out)):
        left = np.floor((steps * step - straight[rows_of] * per_km) / step + 1e-9)
        column = np.where(np.isfinite(left), left, -1).clip(-1, steps).astype(np.int64)
        out[rows_of] = np.where(column >= 0, table[row_of[which[rows_of]], column.clip(0)], 0.0)
    return out


def _blocks(rows: int) -> Iterator[slice]:
    """Return blocks of rows, so that what is computed between holds little memory."""
    return (slice(a, a + 256) for a in range(0, rows, 256))


def persons_of(ground: Ground, criterion: Criterion) -> tuple[Numbers, Numbers, Numbers]:
    """Return place and number of persons of each feature that has a number; m, m, persons."""
    frame = ground.frame(str(criterion.layer), criterion.where)
    persons = pd.to_numeric(frame[str(criterion.weight_field)], errors="coerce")
    frame, persons = frame[persons.notna()], persons[persons.notna()]
    if frame.empty:
        raise EmptyLayer(
            f"no feature of layer '{criterion.layer}' has a number of '{criterion.weight_field}'",
            remedy="correct 'where' or 'weight_field', or load the layer with it",
        )
    points = frame.geometry.representative_point()
    return points.x.to_numpy(), points.y.to_numpy(), persons.to_numpy(dtype=np.float64)


def friction_of(ground: Ground, terrain: TerrainSpec) -> FloatArray:
    """Return what a kilometre costs in each cell: ``inf`` on barriers, NaN unknown; unitless."""
    slope = ground.raster(terrain.slope)
    if terrain.method == "walking":
        friction = walking_friction(slope)
    else:
        friction = construction_friction(slope, terrain.multipliers or CONSTRUCTION)
    for barrier in terrain.barriers:
        frame = ground.frame(barrier.layer, barrier.where)
        mask: BoolArray = raster.rasterise(
            frame.geometry, ground.grid, all_touched=True, dtype=np.bool_
        )
        friction = with_barriers(friction, mask)
    return friction


def least_cost(ground: Ground, criterion: Criterion) -> FloatArray:
    """Return the cost of the cheapest way over terrain to a feature, cost-km."""
    terrain = criterion.terrain
    assert terrain is not None  # noqa: S101 - the model has checked it
    frame = ground.frame(str(criterion.layer), criterion.where)
    present = raster.rasterise(frame.geometry, ground.grid, all_touched=True, dtype=np.bool_)
    if not present.any():
        raise EmptyLayer(
            f"no feature of layer '{criterion.layer}' lies in the search area",
            remedy="take the criterion out, correct 'where', or widen the area",
        )
    cost = cost_distance(
        friction_of(ground, terrain), ground.grid, present, neighbours=terrain.neighbours
    )
    return _known(cost, criterion.layer)


def _joined(km: Numbers, roads: RoadsSpec) -> Numbers:
    """Return access of features with ``inf`` where it is longer than the roads allow."""
    return km if roads.access_km_max is None else np.where(km > roads.access_km_max, np.inf, km)


def _roads(criterion: Criterion) -> RoadsSpec:
    assert criterion.roads is not None  # noqa: S101 - the model has checked it
    return criterion.roads
