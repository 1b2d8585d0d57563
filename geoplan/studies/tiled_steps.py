"""What a worker does with the folder of a plan. Each step reads files and writes files.

A step that is done twice (its worker was lost) writes the same bytes again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan import raster
from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.mcda.value_fit import needs_statistics
from geoplan.mcda.value_statistics import ValueStatistics, statistics
from geoplan.raster.distance import distance_in_strip, strip_borders
from geoplan.raster.kernel import threads_limited
from geoplan.siting.allowed import AllowedLand
from geoplan.siting.criteria import value_of
from geoplan.siting.exclude import RuleMask, combine
from geoplan.siting.score_sum import ScoreSum, known_mean, row_sums
from geoplan.siting.tiles import Strip, sum_within_strip
from geoplan.studies.exclusion import rule_mask
from geoplan.studies.measure import measured
from geoplan.studies.surface import BoolArray, FloatArray
from geoplan.studies.tiled_plan import FiledGround, LandPlan, read_rows, save

__all__ = ["Known", "by_strip", "draw", "draw_area", "draw_region", "find_borders",
           "find_known", "find_land", "find_measure", "find_points", "find_rule", "find_score",
           "is_point_density", "needs_all_land", "told"]  # fmt: skip

Known = tuple[ValueStatistics | None, float | None]
"""Of a criterion over all allowed land: statistics of its measure, mean of its value."""


def needs_all_land(criterion: Criterion) -> bool:
    """Return whether a cell's value depends on other cells."""
    return criterion.missing == "mean" or needs_statistics(criterion.value)


def by_strip(rule: ExclusionRule) -> bool:
    """Return whether a rule looks at the raster value of the cell itself and at nothing else."""
    return rule.raster is not None and rule.extent is None and rule.share is None


def is_point_density(criterion: Criterion) -> bool:
    """Return whether a criterion is a plain sum over a disk, which a strip can take alone."""
    return criterion.measure == "density" and criterion.decay in (None, "none")


def draw_area(folder: Path) -> None:
    """Write which cells are searched."""
    plan = LandPlan.read(folder)
    area = gpd.read_parquet(folder / "area.parquet")
    _save_mask(folder / "inside.npy", raster.rasterise(area.geometry, plan.grid, dtype=np.bool_))


def draw(folder: Path, number: int, part: int, parts: int) -> None:
    """Write which cells a share of a layer's features touches.

    Notes
    -----
    The features are shared out, not the grid: scan conversion rounds in the frame of the raster
    that it fills, and a line through the corner of a cell would take another path in a strip.
    """
    plan = LandPlan.read(folder)
    geometry = FiledGround(folder, plan).frame(*plan.drawn[number]).geometry
    present = raster.rasterise(
        geometry.iloc[part::parts], plan.grid, all_touched=True, dtype=np.bool_
    )
    _save_mask(folder / f"present-{number}-{part}.npy", present)


def find_borders(folder: Path, number: int, parts: int, _drawn: Sequence[Any]) -> bool:
    """Join the shares of a layer and write what its strips must know of each other.

    Returns whether any cell is present.
    """
    plan = LandPlan.read(folder)
    present = _Packed([folder / f"present-{number}-{k}.npy" for k in range(parts)], plan.grid.shape)
    starts = np.array([strip.start for strip in plan.strips])
    above, below = strip_borders(cast(Any, present), starts)
    save(folder / f"above-{number}.npy", above)
    save(folder / f"below-{number}.npy", below)
    return bool(np.isfinite(above).any() or np.isfinite(below).any() or present[:].any())


def draw_region(folder: Path, name: str) -> None:
    """Write a value of regions on the grid, NaN outside."""
    plan = LandPlan.read(folder)
    found = gpd.read_parquet(folder / f"region-{name}.parquet")
    found = found[found["value"].notna() & ~(found.geometry.isna() | found.geometry.is_empty)]
    drawn = raster.rasterise(
        found.geometry,
        plan.grid,
        values=found["value"].to_numpy(dtype=np.float32),
        fill=np.nan,
        dtype=np.float32,
    )
    save(folder / f"whole-{name}.npy", drawn)


def find_measure(folder: Path, name: str) -> None:
    """Write a measure that reaches across the grid (ways, lines, wind) on the whole of it."""
    with threads_limited(1):
        plan = LandPlan.read(folder)
        found = measured(FiledGround(folder, plan), plan.criteria[name], pd.DataFrame())
        save(folder / f"whole-{name}.npy", found)


def find_points(folder: Path, name: str) -> None:
    """Write the points of a density and their weights."""
    plan = LandPlan.read(folder)
    criterion = plan.criteria[name]
    frame = FiledGround(folder, plan).frame(str(criterion.layer), criterion.where)
    points = frame.geometry.representative_point()
    weights = (
        pd.to_numeric(frame[criterion.weight_field], errors="coerce").fillna(0.0).to_numpy(float)
        if criterion.weight_field
        else np.ones(len(frame))
    )
    save(folder / f"points-{name}.npy", np.stack([points.x, points.y, weights]))


def find_rule(folder: Path, rule_id: str) -> None:
    """Write where a rule holds, on the whole grid: as the rule itself says it."""
    with threads_limited(1):
        plan = LandPlan.read(folder)
        rule = next(r for r in plan.rules if r.id == rule_id)
        found = rule_mask(FiledGround(folder, plan), rule)
        if isinstance(found.share, np.ndarray):
            save(folder / f"share-{rule_id}.npy", found.share)
        _save_mask(folder / f"rule-{rule_id}.npy", found.removed)


def find_land(
    folder: Path, index: int, finish: bool, _ready: Sequence[Any]
) -> tuple[set[str], pd.DataFrame | None]:
    """Write the exclusions of a strip, and its score or else its measures.

    Parameters
    ----------
    folder : Path
    index : int
        Number of the strip.
    finish : bool
        No criterion needs other cells: write the score.

    Returns
    -------
    known : set of str
        Rules by strip whose raster has a value here.
    missing : DataFrame or None
        The strip's table of missing measures, where its score is written.
    """
    with threads_limited(1):
        plan = LandPlan.read(folder)
        strip = plan.strips[index]
        ground = FiledGround(folder, plan, strip)
        inside = _rows(folder / "inside.npy", plan, strip)
        known = {
            rule.id
            for rule in plan.rules
            if by_strip(rule) and not np.isnan(ground.raster(str(rule.raster))).all()
        }
        found = combine(
            _masks(ground, plan, strip),
            inside=inside,
            count=len(plan.rules),
            usable_share_min=plan.usable_share_min,
            threads=1,
        )
        save(folder / f"bits-{index}.npy", found.bits)
        land = AllowedLand.of(found.allowed)
        measures = (
            (name, land.take(_measure(ground, strip, name, criterion)))
            for name, criterion in plan.criteria.items()
        )
        if finish:
            return known, _score(plan, land, measures, {}, folder, index)
        for name, raw in measures:
            save(folder / f"measure-{name}-{index}.npy", raw)
        save(folder / f"allowed-{index}.npy", np.packbits(found.allowed, axis=1))
        return known, None


def find_known(folder: Path, name: str, _landed: Sequence[Any]) -> Known:
    """Return what a criterion's values follow from over all allowed land."""
    with threads_limited(1):
        plan = LandPlan.read(folder)
        criterion = plan.criteria[name]
        files = [folder / f"measure-{name}-{strip.index}.npy" for strip in plan.strips]
        of_data = None
        if needs_statistics(criterion.value):
            of_data = statistics(np.concatenate([np.load(file) for file in files]))
        if criterion.missing != "mean":
            return of_data, None
        totals: list[float] = []
        number = 0
        for strip, file in zip(plan.strips, files, strict=True):
            value = value_of(criterion, np.load(file), statistics=of_data, where=f"criteria.{name}")
            rows, known = row_sums(value, _allowed(folder, plan, strip))
            totals += rows.tolist()
            number += known
        return of_data, known_mean(totals, number, name)


def find_score(folder: Path, index: int, known: dict[str, Known]) -> pd.DataFrame:
    """Write the score of a strip from its measures; return the table of missing measures."""
    with threads_limited(1):
        plan = LandPlan.read(folder)
        land = _allowed(folder, plan, plan.strips[index])
        measures = (
            (name, np.load(folder / f"measure-{name}-{index}.npy")) for name in plan.criteria
        )
        return _score(plan, land, measures, known, folder, index)


def _score(
    plan: LandPlan,
    land: AllowedLand,
    measures: Iterator[tuple[str, npt.NDArray[np.floating]]],
    known: dict[str, Known],
    folder: Path,
    index: int,
) -> pd.DataFrame:
    total = ScoreSum(land.size)
    for name, raw in measures:
        criterion = plan.criteria[name]
        of_data, mean = known.get(name, (None, None))
        value = value_of(criterion, raw, statistics=of_data, where=f"criteria.{name}")
        fill = mean if mean is not None else 0.0 if criterion.missing == "zero" else np.nan
        total.add(name, criterion, plan.weights[name], value, fill)
    save(folder / f"score-{index}.npy", land.put(total.score()))
    return total.missing()


def _masks(ground: FiledGround, plan: LandPlan, strip: Strip) -> Iterator[RuleMask]:
    for rule in plan.rules:
        if by_strip(rule):
            # A raster without any value is refused; that may be said of a whole grid only, so
            # the strip gets one more row that has values.
            found = rule_mask(_WithSpareRow(ground.folder, plan, strip), rule)
            yield replace(found, removed=found.removed[:-1])
        else:
            removed = _rows(ground.folder / f"rule-{rule.id}.npy", plan, strip)
            yield RuleMask(rule.id, removed, **told(ground.folder, rule, strip))


class _WithSpareRow(FiledGround):
    def raster(self, layer: str) -> FloatArray:
        return np.vstack([super().raster(layer), np.zeros((1, self.grid.cols), np.float32)])


def told(folder: Path, rule: ExclusionRule, strip: Strip | None) -> dict[str, Any]:
    """Return what a rule's mask says beside where it holds: effect, rules set aside, share."""
    share: Any = rule.share
    if (folder / f"share-{rule.id}.npy").exists():
        rows = slice(None) if strip is None else slice(strip.start, strip.stop)
        share = np.array(np.load(folder / f"share-{rule.id}.npy", mmap_mode="r")[rows])
    return {"effect": rule.effect, "over": rule.over, "share": share}


def _measure(ground: FiledGround, strip: Strip, name: str, criterion: Criterion) -> FloatArray:
    """Return a criterion's measure on a strip, as `geoplan.studies.measure.measured` does."""
    folder, plan = ground.folder, ground.plan
    if name in plan.measures:
        return read_rows(plan.measures[name], plan.grid, strip)
    if criterion.measure == "raster":
        return ground.raster(str(criterion.raster))
    if is_point_density(criterion):
        x, y, weights = np.load(folder / f"points-{name}.npy")
        return sum_within_strip(
            x,
            y,
            weights,
            radius_m=float(criterion.radius_km or 0.0) * 1000.0,
            grid=plan.grid,
            strip=strip,
        )
    if criterion.measure != "distance":
        return read_rows(folder / f"whole-{name}.npy", plan.grid, strip)
    key = (str(criterion.layer), criterion.where)
    if key not in ground._distances:
        number = plan.drawn.index(key)
        files = sorted(folder.glob(f"present-{number}-*.npy"))
        above = np.load(folder / f"above-{number}.npy", mmap_mode="r")[strip.index]
        below = np.load(folder / f"below-{number}.npy", mmap_mode="r")[strip.index]
        ground._distances[key] = distance_in_strip(
            _Packed(files, plan.grid.shape)[strip.start : strip.stop],
            np.array(above),
            np.array(below),
            cell_m=plan.grid.cell_m,
        )
    metres = ground._distances[key]
    return metres if criterion.unit == "m" else metres / np.float32(1000.0)


class _Packed:
    """Masks in files, eight cells a byte, joined as they are read."""

    def __init__(self, files: list[Path], shape: tuple[int, int]) -> None:
        self.shape = shape
        self._parts = [np.load(file, mmap_mode="r") for file in files]

    def __getitem__(self, rows: slice) -> BoolArray:
        bits = np.array(self._parts[0][rows])
        for part in self._parts[1:]:
            bits |= part[rows]
        return np.unpackbits(bits, axis=1, count=self.shape[1]).view(np.bool_)


def _save_mask(path: Path, mask: BoolArray) -> None:
    save(path, np.packbits(mask, axis=1))


def _rows(path: Path, plan: LandPlan, strip: Strip) -> BoolArray:
    return _Packed([path], plan.grid.shape)[strip.start : strip.stop]


def _allowed(folder: Path, plan: LandPlan, strip: Strip) -> AllowedLand:
    packed = np.load(folder / f"allowed-{strip.index}.npy")
    return AllowedLand.of(np.unpackbits(packed, axis=1, count=plan.grid.cols).view(np.bool_))
