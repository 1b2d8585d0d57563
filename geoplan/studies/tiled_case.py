"""From the layers of a run to a plan that workers can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.studies.measure import measured
from geoplan.studies.surface import Ground
from geoplan.studies.tiled_plan import LandPlan, named, save

__all__ = ["land_plan"]


def land_plan(
    ground: Ground,
    area: gpd.GeoSeries,
    rules: Sequence[ExclusionRule],
    criteria: Mapping[str, Criterion],
    weights: Mapping[str, float],
    facts: pd.DataFrame,
    folder: Path,
    *,
    strip_rows: int = 0,
    usable_share_min: float = 0.0,
) -> LandPlan:
    """Return the plan of a run; its rasters and measures by region are written into ``folder``.

    Parameters
    ----------
    ground : Ground
        Layers are read from here once, one after the other.
    area : GeoSeries
        Polygons that are searched, in the grid's CRS.
    rules : sequence of ExclusionRule
        Resolved.
    criteria, weights : mapping
    facts : DataFrame
        See `geoplan.studies.measure.measured`.
    folder : Path
        New or empty, shared with the workers; another one than that of the run.
    strip_rows, usable_share_min
        See `geoplan.studies.tiled_plan.LandPlan`.

    Notes
    -----
    Rasters are warped to the grid here, once: a warp in pieces is not the warp of the whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    said = [part.model_dump(mode="json") for part in (*rules, *criteria.values())]
    frames = {name: ground.frame(name) for part in said for name in named(part, "layer")}
    rasters: dict[str, Path] = {}
    for name in dict.fromkeys(n for part in said for n in named(part, "raster")):
        rasters[name] = folder / f"raster-{name}.npy"
        save(rasters[name], ground.raster(name))
        ground.release()
    measures: dict[str, Path] = {}
    for name, criterion in criteria.items():
        by_region = criterion.measure == "share" and criterion.radius_km is None
        if criterion.measure == "region" or by_region:
            measures[name] = folder / f"measure-{name}.npy"
            save(measures[name], measured(ground, criterion, facts))
            ground.release()
    return LandPlan(
        grid=ground.grid,
        area=area,
        rules=tuple(rules),
        criteria=dict(criteria),
        weights=dict(weights),
        frames=frames,
        rasters=rasters,
        measures=measures,
        strip_rows=strip_rows,
        usable_share_min=usable_share_min,
    )
