"""Where the rules of a scenario remove land, from layers to masks on the grid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely

from geoplan import raster
from geoplan.catalogue import Profile, Scenario
from geoplan.catalogue.exclusion import ExclusionExtent, ExclusionRule
from geoplan.catalogue.text import Text
from geoplan.errors import EmptyLayer, RangeError
from geoplan.grid import Grid
from geoplan.raster.cover import cover
from geoplan.raster.near import near
from geoplan.regions import ancestors
from geoplan.siting.exclude import RuleMask
from geoplan.siting.exclude_value import holds
from geoplan.studies.scenario_land import resolve_rule
from geoplan.studies.surface import BoolArray, Ground

__all__ = ["described", "excluded", "region_numbers", "resolved_rules", "rule_mask", "rule_masks"]

_BOX_STEP = 0.05
"""Degrees between corners of a box's edge: parallels are curved in the plane of the grid."""


def resolved_rules(scenario: Scenario, profile: Profile) -> list[ExclusionRule]:
    """Return the exclusions with what they take from the profile filled in."""
    return [resolve_rule(rule, profile)[0] for rule in scenario.exclude]


def rule_masks(ground: Ground, rules: Iterable[ExclusionRule]) -> Iterator[RuleMask]:
    """Return the masks of rules, made one at a time; see `geoplan.siting.exclude.combine`."""
    for rule in rules:
        yield rule_mask(ground, rule)


def rule_mask(ground: Ground, rule: ExclusionRule) -> RuleMask:
    """Return where a rule holds and what it does there.

    Parameters
    ----------
    ground : Ground
    rule : ExclusionRule
        Resolved: see `resolved_rules`.

    Raises
    ------
    EmptyLayer
        No feature is chosen, or the raster has no data on the grid.
    RangeError
        The extent holds no cell of the grid.
    """
    if rule.share == "covered":
        shapes = _chosen(ground, rule)
        part = cover(shapes, ground.grid, within_m=float(rule.within_m or 0.0))
        extent = _extent(ground, rule)
        if extent is not None:
            part[~extent] = 0
        return RuleMask(rule.id, part > 0, share=part)
    where = excluded(ground, rule)
    if rule.effect == "include":
        return RuleMask(rule.id, where, "include", rule.over)
    return RuleMask(rule.id, where, share=None if rule.share is None else float(rule.share))


def excluded(ground: Ground, rule: ExclusionRule) -> BoolArray:
    """Return where the condition of a rule holds (True), on the whole grid.

    Notes
    -----
    Distances are those between the features themselves, wherever they lie, and the land of a
    cell (`geoplan.raster.near`), not between cells. A rule that removes land up to a distance
    takes every cell of which any land lies within it, so that nothing forbidden is left; all
    others go by the cell's centre. `ExclusionRule.cells` says otherwise. A metre is one of the
    plane of the grid: an equal-area plane stretches some directions and shortens others, by three
    in a thousand 1,000 km from its centre.
    """
    if rule.layer is not None:
        limit = float(rule.within_m or 0.0) if rule.beyond_m is None else rule.beyond_m
        out = near(_chosen(ground, rule), ground.grid, limit, part=rule.part)
        if rule.outside != (rule.beyond_m is not None):
            np.logical_not(out, out=out)
    else:
        out = _by_value(ground, rule)
    extent = _extent(ground, rule)
    if extent is not None:
        out &= extent
    return out


def _chosen(ground: Ground, rule: ExclusionRule) -> npt.NDArray[np.object_]:
    frame = ground.frame(str(rule.layer), rule.where)
    if frame.empty:
        chosen = f" where {rule.where}" if rule.where else ""
        raise EmptyLayer(
            f"layer '{rule.layer}' has no feature{chosen}, so no distance can be measured",
            where=f"exclude.{rule.id}",
            remedy="correct 'where', or load the layer",
        )
    shapes = np.asarray(frame.geometry.array, dtype=object)
    if rule.share == "covered" and not rule.within_m and shapely.get_dimensions(shapes).max() < 2:
        raise EmptyLayer(
            f"layer '{rule.layer}' has no polygon, so its features cover no land at 0 m",
            where=f"exclude.{rule.id}.share",
            remedy="give 'within_m', or a share as a number",
        )
    return shapes


def _by_value(ground: Ground, rule: ExclusionRule) -> BoolArray:
    try:
        return holds(
            ground.raster(str(rule.raster)),
            above=rule.above,
            below=rule.below,
            between=rule.between,
            one_of=[*(rule.equals or ()), *(rule.classes or ())],
            outside=rule.outside,
            missing=rule.missing == "exclude" and rule.effect == "exclude",
        )
    except EmptyLayer as error:
        raise EmptyLayer(
            f"raster '{rule.raster}': {error.what}",
            where=f"exclude.{rule.id}",
            remedy="load a raster that covers the search area, or take the rule out",
        ) from error


def _extent(ground: Ground, rule: ExclusionRule) -> BoolArray | None:
    """Return the cells whose centre lies in a rule's extent; None: all."""
    if rule.extent is None:
        return None
    out = _extent_cells(ground, rule.extent, f"exclude.{rule.id}.extent")
    if not out.any():
        named = rule.extent.box if rule.extent.layer is None else f"layer '{rule.extent.layer}'"
        raise RangeError(
            f"the extent ({named}) holds no cell of the search area's grid",
            where=f"exclude.{rule.id}.extent",
            remedy="correct the extent, or take the rule out",
        )
    return out


def _extent_cells(ground: Ground, extent: ExclusionExtent, where: str) -> BoolArray:
    grid = ground.grid
    out = np.ones(grid.shape, dtype=np.bool_)
    if extent.layer is not None:
        frame = ground.frame(extent.layer, extent.where)
        shapes = np.asarray(frame.geometry.array, dtype=object)
        areas = shapes[shapely.get_dimensions(shapes) == 2]
        if not len(areas):
            chosen = f" where {extent.where}" if extent.where else ""
            raise EmptyLayer(
                f"layer '{extent.layer}' has no polygon{chosen}, so it bounds nothing",
                where=where,
                remedy="name a layer of polygons, or correct 'where'",
            )
        out &= near(areas, grid, 0.0, part="centre")
    if extent.box is not None:
        land = _box(extent.box, grid)
        out &= near([land], grid, 0.0, part="centre")
    return out


def _box(box: tuple[float, float, float, float], grid: Grid) -> shapely.Geometry:
    """Return a box in degrees, as far as it can meet the grid, in the grid's plane."""
    there = pyproj.Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    west, south, east, north = there.transform_bounds(*grid.bounds, densify_pts=51)
    # Far corners of the world have no place in the plane; a degree round the grid is enough.
    around = shapely.box(west - 1.0, max(south - 1.0, -90.0), east + 1.0, min(north + 1.0, 90.0))
    cut = shapely.intersection(shapely.box(*box), around)
    if shapely.get_dimensions(cut) < 2:
        return shapely.Polygon()
    fine = shapely.segmentize(cut, _BOX_STEP)
    return gpd.GeoSeries([fine], crs="EPSG:4326").to_crs(grid.crs).iloc[0]


def region_numbers(ground: Ground) -> tuple[npt.NDArray[np.int32], pd.DataFrame]:
    """Return the finest regions on the grid, and the regions to which they belong.

    Returns
    -------
    labels : ndarray of int32, shape (rows, cols)
        Row of the region that holds the cell's centre; −1: none.
    regions : DataFrame, index code
        One column per level; see `geoplan.siting.exclude_area.accounting_by_region`.

    Notes
    -----
    The finest level that has geometry decides, and coarser regions are sums of its regions: the
    borders of levels come from different sources and do not meet.
    """
    have = ground.regions[~(ground.regions.geometry.isna() | ground.regions.geometry.is_empty)]
    finest = int(have["level"].max())
    up = ancestors(ground.regions, finest).sort_index()
    own = have[have["level"] == finest].to_crs(ground.grid.crs)
    labels = raster.rasterise(
        own.geometry,
        ground.grid,
        values=up.index.get_indexer(own["code"]).astype(np.int32),
        fill=-1,
        dtype=np.int32,
    )
    return labels, up


def described(
    table: pd.DataFrame, rules: Iterable[ExclusionRule], profile: Profile | None = None
) -> pd.DataFrame:
    """Return areas by rule with what each rule is.

    Parameters
    ----------
    table : DataFrame
        ``rule``, ``area_ha_alone``, ``area_ha_only`` in the order of the rules.
    rules : iterable of ExclusionRule
        Resolved.
    profile : Profile, optional
        Its rule sets have the dates of rules that are taken from them; absent: only dates that
        the rules give themselves.

    Returns
    -------
    DataFrame
        ``rule``, ``title_en``, ``title_local``, ``effect``, ``share`` (text: a number, 'covered'
        or empty), ``basis``, ``dated`` (the rule's own date, else that of its rule
        set as printed there), ``status``, and the areas.
    """
    by_id = {rule.id: rule for rule in rules}
    sets = profile.rule_sets if profile is not None else ()
    enacted = {s.id: s.enacted for s in sets if s.enacted != "n.d."}
    chosen = [by_id[name] for name in table["rule"]]
    titles = [rule.title or Text(en=rule.id) for rule in chosen]
    return pd.DataFrame(
        {
            "rule": table["rule"],
            "title_en": [t.en for t in titles],
            "title_local": [t.local or t.fa for t in titles],
            "effect": [rule.effect for rule in chosen],
            "share": ["" if r.share is None else _share(r.share) for r in chosen],
            "basis": [rule.basis for rule in chosen],
            "dated": [r.dated or enacted.get((r.rule or "").partition("/")[0]) for r in chosen],
            "status": [rule.status or "unverified" for rule in chosen],
            "area_ha_alone": table["area_ha_alone"],
            "area_ha_only": table["area_ha_only"],
        }
    )


def _share(share: float | str) -> str:
    return share if isinstance(share, str) else f"{share:g}"
