"""What the criteria of a scenario measure, from layers to arrays on the grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan import raster
from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.way import WindSpec
from geoplan.errors import EmptyLayer, GeoPlanError, UnknownName
from geoplan.raster.wind import Decay, downwind_within, prevailing, rose, weighted_within
from geoplan.raster.zone import line_density, share_within, zonal_mean
from geoplan.regions import ancestors
from geoplan.studies.measure_way import (
    labour_shed,
    least_cost,
    network_distance,
    persons_of,
    travel_time,
)
from geoplan.studies.surface import FloatArray, Ground

__all__ = ["measured", "wind_from"]


def measured(
    ground: Ground, criterion: Criterion, facts: pd.DataFrame, *, where: str = ""
) -> FloatArray:
    """Return a criterion's raw measure on the grid, in its unit; NaN where not known.

    Parameters
    ----------
    ground : Ground
    criterion : Criterion
    facts : DataFrame
        ``level``, ``region_code``, ``variable``, ``value``.
    where : str
        Path of the criterion in the scenario, for errors: ``criteria.road``.

    Raises
    ------
    EmptyLayer
        The layer has no feature to measure, or no way leads to one.
    UnknownName
        A fact, or a class of road without a speed.
    """
    try:
        return _MEASURES[criterion.measure](ground, criterion, facts)
    except GeoPlanError as error:
        # 'criteria.port' + 'roads.speeds_km_h': the whole path
        error.where = ".".join(part for part in (where, error.where) if part) or error.where
        raise


def _distance(ground: Ground, criterion: Criterion, _: pd.DataFrame) -> FloatArray:
    metres = ground.distance(str(criterion.layer), criterion.where)
    return metres if criterion.unit == "m" else metres / np.float32(1000.0)


def _raster(ground: Ground, criterion: Criterion, _: pd.DataFrame) -> FloatArray:
    return ground.raster(str(criterion.raster))


def _density(ground: Ground, criterion: Criterion, _: pd.DataFrame) -> FloatArray:
    frame = ground.frame(str(criterion.layer), criterion.where)
    points = frame.geometry.representative_point()
    weights = (
        pd.to_numeric(frame[criterion.weight_field], errors="coerce")
        .fillna(0.0)
        .to_numpy(dtype=np.float64)
        if criterion.weight_field
        else np.ones(len(frame))
    )
    x, y, radius = points.x.to_numpy(), points.y.to_numpy(), _radius_m(criterion)
    decay: Decay = criterion.decay or "none"
    if decay == "none":
        return raster.sum_within(x, y, weights, radius_m=radius, grid=ground.grid)
    return weighted_within(x, y, weights, radius_m=radius, grid=ground.grid, decay=decay)


def _line_density(ground: Ground, criterion: Criterion, _: pd.DataFrame) -> FloatArray:
    frame = ground.frame(str(criterion.layer), criterion.where)
    return line_density(frame.geometry.to_numpy(), radius_m=_radius_m(criterion), grid=ground.grid)


def _downwind(ground: Ground, criterion: Criterion, _: pd.DataFrame) -> FloatArray:
    x, y, persons = persons_of(ground, criterion)
    return downwind_within(
        x,
        y,
        persons,
        wind_from=wind_from(criterion.wind),
        radius_m=_radius_m(criterion),
        grid=ground.grid,
        decay=criterion.decay or "linear",
    )


def wind_from(wind: WindSpec | None) -> npt.NDArray[np.float64]:
    """Return the share of time that the wind blows FROM each degree, shape (360,)."""
    if wind is None:
        return np.ones(360)
    if wind.blows_from is not None:
        return rose({str(name): share for name, share in wind.blows_from.items()})
    return prevailing(float(wind.from_deg or 0.0), float(wind.spread_deg or 360.0))


def _share(ground: Ground, criterion: Criterion, _: pd.DataFrame) -> FloatArray:
    """Return the share of the disk or region that is covered, %; unknown cells do not count."""
    known = np.ones(ground.grid.shape, np.bool_)
    if criterion.raster is not None:
        found = ground.raster(criterion.raster)
        known = ~np.isnan(found)
        mask = np.isin(found, criterion.classes or ())
    else:
        frame = ground.frame(str(criterion.layer), criterion.where)
        if frame.empty or not (frame.geometry.geom_type.str.contains("Polygon")).any():
            raise EmptyLayer(
                f"layer '{criterion.layer}' has no polygon"
                + (f" where {criterion.where}" if criterion.where else ""),
                remedy="a share needs polygons: correct 'where' or name another layer",
            )
        mask = raster.rasterise(frame.geometry, ground.grid, dtype=np.bool_)
    if criterion.radius_km is not None:
        return share_within(mask, radius_m=_radius_m(criterion), grid=ground.grid, known=known)
    level = int(criterion.level or 1)
    codes = ground.regions.loc[ground.regions["level"] == level, "code"]
    number = pd.Series(np.arange(len(codes), dtype=float), index=codes.to_numpy())
    zones = np.nan_to_num(_on_finest(ground, number, level), nan=-1.0).astype(np.int32)
    values = np.where(known, mask, np.nan)
    share = np.append(zonal_mean(values, zones, count=len(codes)) * 100.0, np.nan)
    return share[zones].astype(np.float32)


def _region(ground: Ground, criterion: Criterion, facts: pd.DataFrame) -> FloatArray:
    if criterion.index is not None:
        return ground.region_values(ground.index.frame["industrialisation"], ground.index_level)
    level = criterion.level or 1
    rows = facts[(facts["level"] == level) & (facts["variable"] == criterion.fact)]
    if rows.empty:
        known = sorted(facts.loc[facts["level"] == level, "variable"].unique())
        raise UnknownName(
            f"no region of level {level} has a fact '{criterion.fact}'",
            where="fact",
            remedy=f"known: {', '.join(known) or 'none'}",
        )
    return _on_finest(ground, rows.set_index("region_code")["value"].astype(float), level)


def _radius_m(criterion: Criterion) -> float:
    return float(criterion.radius_km or 0.0) * 1000.0


def _on_finest(ground: Ground, values: pd.Series, level: int) -> FloatArray:
    """Return a fact of ``level`` drawn on the finest regions that have geometry.

    Borders of coarse and fine levels come from different sources and do not meet; drawn on the
    same regions as the index, a cell's fact and its index always belong to the same region.
    """
    have = ground.regions[~(ground.regions.geometry.isna() | ground.regions.geometry.is_empty)]
    finest = int(have["level"].max())
    if finest <= level:
        return ground.region_values(values, level)
    up = ancestors(ground.regions, finest)[level]
    return ground.region_values(up.map(values), finest)


_MEASURES = {
    "distance": _distance,
    "raster": _raster,
    "region": _region,
    "density": _density,
    "line_density": _line_density,
    "network_distance": lambda ground, criterion, _: network_distance(ground, criterion),
    "travel_time": lambda ground, criterion, _: travel_time(ground, criterion),
    "cost_distance": lambda ground, criterion, _: least_cost(ground, criterion),
    "share": _share,
    "labour_shed": lambda ground, criterion, _: labour_shed(ground, criterion),
    "downwind": _downwind,
}
