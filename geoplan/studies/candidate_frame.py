"""The candidates of a run as a frame: place, land, values, score, regions."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue import Profile, Scenario
from geoplan.grid import Grid
from geoplan.mcda.leave_one_out import adds_up, leave_one_out
from geoplan.mcda.value_statistics import ValueStatistics
from geoplan.regions import IndexResult
from geoplan.siting import candidates as growth
from geoplan.siting.criteria import Measure, contributions, value_of
from geoplan.siting.usable import usable_area_ha
from geoplan.studies.land import Land
from geoplan.studies.membership import region_columns
from geoplan.studies.surface import Ground

__all__ = ["candidate_frame", "cell_means", "cell_values", "grown"]


def grown(
    ground: Ground, scenario: Scenario, regions: gpd.GeoDataFrame, land: Land
) -> growth.CandidateCells:
    """Return the candidates as cells; see `geoplan.siting.candidates.grow`."""
    region = None
    if scenario.candidates.per_region_keep is not None:
        codes = sorted(regions.loc[regions["level"] == 1, "code"])
        number = pd.Series(np.arange(len(codes), dtype=float), index=codes)
        found = ground.region_values(number, 1)
        found[np.isnan(found)] = -1.0
        region = found.astype(np.int32)
        del found
    return growth.grow(land.surface.score, ground.grid, scenario.candidates, region=region)


def candidate_frame(
    cells: growth.CandidateCells,
    land: Land,
    *,
    grid: Grid,
    scenario: Scenario,
    profile: Profile,
    regions: gpd.GeoDataFrame,
    index: IndexResult,
) -> pd.DataFrame:
    """Return one row per candidate, best first.

    Returns
    -------
    DataFrame, index ``site_id``
        As ``SitingResult.candidates``, with ``outline`` (polygon on the grid) in the place of the
        geometry and without demand.
    """
    frame = _places(cells, grid, regions)
    share = usable_area_ha(land.exclusions, cells.cells, cells.offsets, grid) / (
        np.diff(cells.offsets) * grid.cell_ha
    )
    # Land is counted on the ellipsoid, parts of cells on the grid: the share carries over.
    frame["usable_ha"] = frame["area_ha"] * np.minimum(share, 1.0)
    parts = _worth(cells, land, scenario)
    parts.index = frame.index
    frame["score"] = parts.pop("score")
    frame = frame.join(parts)
    codes = frame[f"region{profile.index.level}_code"]
    frame["industrialisation"] = codes.map(index.frame["industrialisation"]).astype(float)
    frame["less_industrialised"] = codes.map(index.frame["less_industrialised"]).astype("boolean")
    # The order of growth is by mean score in float32; the rank follows the published score.
    frame = frame.sort_values(["score", "area_ha"], ascending=[False, False], kind="stable")
    frame["rank"] = np.arange(1, len(frame) + 1)
    return frame


def _worth(cells: growth.CandidateCells, land: Land, scenario: Scenario) -> pd.DataFrame:
    """Return measures, values, contributions and score of the candidates."""
    parts = contributions(
        cells, land.measures, land.weights, land.surface.fill, statistics=land.surface.statistics
    )
    if adds_up(scenario.aggregation):
        return parts
    # What a criterion adds is not defined: what its loss would take is, cell by cell.
    values = cell_values(
        cells, land.measures, land.surface.fill, statistics=land.surface.statistics
    )
    drop = leave_one_out(scenario.aggregation, values, [land.weights[n] for n in land.measures])
    for k, name in enumerate(land.measures):
        parts[f"contribution_{name}"] = cell_means(cells, drop[k])
    parts["score"] = cells.mean_of(land.surface.score)
    return parts


def cell_values(
    cells: growth.CandidateCells,
    measures: Mapping[str, Measure],
    fill: Mapping[str, float],
    *,
    statistics: Mapping[str, ValueStatistics],
) -> list[npt.NDArray[np.float32]]:
    """Return the value of each criterion at the cells of places, missing ones as by its policy.

    Parameters
    ----------
    cells : CandidateCells
    measures, fill, statistics
        As in `geoplan.siting.criteria.contributions`.

    Returns
    -------
    list of ndarray of float32, shape (cells,), 0–1
        In the order of the measures.
    """
    out = []
    for name, measure in measures.items():
        value = value_of(
            measure.criterion,
            measure.array().reshape(-1)[cells.cells],
            statistics=statistics.get(name),
            where=f"criteria.{name}",
        )
        value[np.isnan(value)] = fill[name]
        out.append(value)
    return out


def cell_means(
    cells: growth.CandidateCells, values: npt.NDArray[np.floating]
) -> npt.NDArray[np.float64]:
    """Return the mean over each place of values at its cells; NaN without a cell."""
    total = np.bincount(cells.owner(), weights=values.astype(np.float64), minlength=len(cells))
    with np.errstate(invalid="ignore"):
        return np.asarray(total / np.diff(cells.offsets))


def _places(cells: growth.CandidateCells, grid: Grid, regions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return id, outline on the grid, area, place and regions of the candidates."""
    count = len(cells)
    width = max(4, len(str(count)))
    ids = pd.Index([f"S{k:0{width}d}" for k in range(1, count + 1)], name="site_id")
    rows, cols = np.divmod(cells.representative, grid.cols)
    x, y = grid.centre_xy(rows, cols)
    points = gpd.GeoSeries(gpd.points_from_xy(x, y), index=ids, crs=grid.crs).to_crs("EPSG:4326")
    frame = pd.DataFrame(
        {
            "rank": np.arange(1, count + 1),
            "area_ha": cells.area_ha,
            "lon": points.x,
            "lat": points.y,
            "outline": growth.polygons(cells, grid).to_numpy(),
        },
        index=ids,
    )
    return frame.join(region_columns(points, regions))
