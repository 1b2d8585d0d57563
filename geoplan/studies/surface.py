"""From layers in the database to arrays on the analysis grid."""

from __future__ import annotations

from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy.orm import Session

from geoplan import raster
from geoplan.catalogue import LayerSpec, Scenario
from geoplan.catalogue.way import RoadsSpec
from geoplan.errors import EmptyLayer, UnknownName
from geoplan.expression import select
from geoplan.grid import Grid
from geoplan.ingest.cog import read_cog
from geoplan.raster.network import RoadNetwork, road_network
from geoplan.regions import IndexResult
from geoplan.store import read

__all__ = ["BoolArray", "FloatArray", "Ground", "search_area"]

FloatArray = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]


@dataclass
class Ground:
    """The grid of one study and the layers read for it, each read once.

    Parameters
    ----------
    session : Session
        Database.
    layers : dict
        Catalogue by layer id.
    grid : Grid
        Analysis grid.
    regions : GeoDataFrame
        Regions of every level, EPSG:4326.
    index : IndexResult
        Industrialisation of the regions of the index level.
    index_level : int
        That level.
    """

    session: Session
    layers: dict[str, LayerSpec]
    grid: Grid
    regions: gpd.GeoDataFrame
    index: IndexResult
    index_level: int
    _frames: dict[str, gpd.GeoDataFrame] = field(default_factory=dict)
    _rasters: dict[str, FloatArray] = field(default_factory=dict)
    _distances: dict[tuple[str, str | None], FloatArray] = field(default_factory=dict)
    _networks: dict[tuple[str, float, bool], RoadNetwork] = field(default_factory=dict)

    def frame(self, layer: str, where: str | None = None) -> gpd.GeoDataFrame:
        """Return a layer's features in the grid's CRS, those with a geometry."""
        if layer not in self._frames:
            found = read.layer_frame(self.session, layer)
            found = found[~(found.geometry.isna() | found.geometry.is_empty)]
            self._frames[layer] = found.to_crs(self.grid.crs)
        frame = self._frames[layer]
        return frame[select(where, frame)] if where else frame

    def raster(self, layer: str) -> FloatArray:
        """Return a raster layer on the grid, NaN where it has no data."""
        if layer not in self._rasters:
            spec = self.layers[layer]
            if spec.derived is not None:
                self._rasters[layer] = raster.slope_percent(
                    self.raster(spec.derived.source), self.grid
                )
            else:
                asset = read.raster_asset(self.session, layer)
                found = read_cog(asset.path, window=self.grid)
                self._rasters[layer] = raster.to_grid(
                    found.array,
                    transform=found.transform,
                    crs=found.crs,
                    nodata=found.nodata,
                    grid=self.grid,
                    resampling="nearest" if spec.categorical else "bilinear",
                )
        return self._rasters[layer]

    def distance(self, layer: str, where: str | None) -> FloatArray:
        """Return the distance to the nearest cell that a feature touches, m."""
        key = (layer, where)
        if key not in self._distances:
            frame = self.frame(layer, where)
            if frame.empty:
                chosen = f" where {where}" if where else ""
                raise EmptyLayer(
                    f"layer '{layer}' has no feature{chosen}, so no distance can be measured",
                    remedy="correct 'where', or load the layer",
                )
            present = raster.rasterise(frame.geometry, self.grid, all_touched=True, dtype=np.bool_)
            if not present.any():
                raise EmptyLayer(
                    f"no feature of layer '{layer}' lies in the search area",
                    remedy="take the rule or criterion out, or widen the area",
                )
            self._distances[key] = raster.distance_m(present, self.grid)
        return self._distances[key]

    def region_values(self, values: pd.Series, level: int) -> FloatArray:
        """Return a value of regions on the grid, NaN outside and where it is missing."""
        own = self.regions[self.regions["level"] == level]
        own = own[~(own.geometry.isna() | own.geometry.is_empty)]
        given = own["code"].map(values)
        have = own[given.notna()].to_crs(self.grid.crs)
        if have.empty:
            return np.full(self.grid.shape, np.nan, dtype=np.float32)
        return raster.rasterise(
            have.geometry,
            self.grid,
            values=given[given.notna()].to_numpy(dtype=np.float32),
            fill=np.nan,
            dtype=np.float32,
        )

    def network(self, roads: RoadsSpec, *, step_m: float, timed: bool) -> RoadNetwork:
        """Return the graph of a criterion's roads; without ``timed`` all speeds are 60 km/h."""
        key = (roads.model_dump_json(), step_m, timed)
        if key not in self._networks:
            frame = self.frame(roads.layer, roads.where)
            if frame.empty:
                raise EmptyLayer(
                    f"layer '{roads.layer}' has no road"
                    + (f" where {roads.where}" if roads.where else ""),
                    remedy="correct 'roads.where', or load the layer",
                )
            speeds = np.full(len(frame), 60.0)
            if timed:
                classes = frame[roads.class_field]
                named = classes.astype("string").astype(object)
                speeds = named.map(roads.speeds_km_h).to_numpy(dtype=np.float64)
                lacking = classes[np.isnan(speeds)].fillna("(none)").value_counts()
                if len(lacking):
                    raise UnknownName(
                        f"{int(lacking.sum())} roads of layer '{roads.layer}' are of a class "
                        f"without a speed: {', '.join(f'{k} ({n})' for k, n in lacking.items())}",
                        where="roads.speeds_km_h",
                        remedy="give each class a speed, or leave its roads out by 'roads.where'",
                    )
            self._networks[key] = road_network(
                frame.geometry.to_numpy(),
                speeds,
                step_m=step_m,
                join_m=roads.join_m,
                join_crossings=roads.join_crossings,
            )
        return self._networks[key]

    def release(self) -> None:
        """Forget distances and rasters; frames and road networks stay."""
        self._distances.clear()
        self._rasters.clear()


def search_area(
    scenario: Scenario, frame: gpd.GeoDataFrame, crs: str
) -> tuple[Grid, gpd.GeoDataFrame]:
    """Return the grid that covers the searched regions, and those regions.

    Parameters
    ----------
    scenario : Scenario
        ``area`` and ``grid``.
    frame : GeoDataFrame, EPSG:4326
        The layer named by ``area.layer``.
    crs : str
        Analysis CRS.
    """
    chosen = frame[~(frame.geometry.isna() | frame.geometry.is_empty)]
    for column, values in (scenario.area.where or {}).items():
        text = chosen[column].astype(str)
        unknown = sorted(set(values) - set(text))
        if unknown:
            raise UnknownName(
                f"no region of layer '{scenario.area.layer}' has {column} {', '.join(unknown)}",
                where=f"area.where.{column}",
                remedy=f"known: {', '.join(sorted(text.unique())[:40])}",
            )
        chosen = chosen[text.isin(values)]
    if chosen.empty:
        raise EmptyLayer(
            f"layer '{scenario.area.layer}' has no region with a geometry to search",
            where="area",
            remedy="load the regions, or correct area.where",
        )
    projected = chosen.to_crs(crs)
    x_min, y_min, x_max, y_max = (float(v) for v in projected.total_bounds)
    bounds = (x_min, y_min, x_max, y_max)
    cell = scenario.grid.cell_m
    rows = (bounds[3] - bounds[1]) / cell
    cols = (bounds[2] - bounds[0]) / cell
    if rows * cols > 400e6:
        raise UnknownName(
            f"a grid of {rows:,.0f} × {cols:,.0f} cells is too large for one machine",
            where="grid.cell_m",
            remedy="use larger cells or a smaller area; at most 400 million cells",
        )
    return Grid.covering(bounds, cell_m=cell, crs=crs, margin=2), projected
