"""What the criteria of a scenario measure, from layers to arrays on the grid."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan import raster
from geoplan.catalogue.criterion import Criterion
from geoplan.errors import UnknownName
from geoplan.regions import ancestors
from geoplan.studies.surface import FloatArray, Ground

__all__ = ["measured"]


def measured(ground: Ground, criterion: Criterion, facts: pd.DataFrame) -> FloatArray:
    """Return a criterion's raw measure on the grid, in its unit; NaN where not known."""
    if criterion.measure == "distance":
        metres = ground.distance(str(criterion.layer), criterion.where)
        return metres if criterion.unit == "m" else metres / np.float32(1000.0)
    if criterion.measure == "raster":
        return ground.raster(str(criterion.raster))
    if criterion.measure == "density":
        frame = ground.frame(str(criterion.layer), criterion.where)
        points = frame.geometry.representative_point()
        weights = (
            pd.to_numeric(frame[criterion.weight_field], errors="coerce")
            .fillna(0.0)
            .to_numpy(dtype=np.float64)
            if criterion.weight_field
            else np.ones(len(frame))
        )
        return raster.sum_within(
            points.x.to_numpy(),
            points.y.to_numpy(),
            weights,
            radius_m=float(criterion.radius_km or 0.0) * 1000.0,
            grid=ground.grid,
        )
    if criterion.index is not None:
        return ground.region_values(ground.index.frame["industrialisation"], ground.index_level)
    level = criterion.level or 1
    rows = facts[(facts["level"] == level) & (facts["variable"] == criterion.fact)]
    if rows.empty:
        known = sorted(facts.loc[facts["level"] == level, "variable"].unique())
        raise UnknownName(
            f"no region of level {level} has a fact '{criterion.fact}'",
            where="criteria",
            remedy=f"known: {', '.join(known) or 'none'}",
        )
    return _on_finest(ground, rows.set_index("region_code")["value"].astype(float), level)


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
