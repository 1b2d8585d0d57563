"""A made-up country for the national bench: smooth fields and random walks from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.grid import Grid
from geoplan.raster.kernel import kernel, over_blocks
from geoplan.studies.surface import FloatArray, Ground

__all__ = ["Country", "CountryGround", "criteria", "made", "rules"]

_CRS = "+proj=laea +lat_0=32.5 +lon_0=54 +datum=WGS84 +units=m"
_TERMS = 6
_FULL = 165e6


@dataclass(frozen=True)
class Country:
    """Grid, area, features by layer and the folder of its rasters."""

    grid: Grid
    area: gpd.GeoSeries
    frames: dict[str, gpd.GeoDataFrame]
    regions: gpd.GeoDataFrame
    folder: Path


@kernel
def _field_rows(
    along_y: npt.NDArray[np.float32],
    along_x: npt.NDArray[np.float32],
    low: float,
    high: float,
    whole: bool,
    out: npt.NDArray[np.float32],
    start: int,
    stop: int,
) -> None:
    for r in range(start, stop):
        for c in range(out.shape[1]):
            v = np.float32(0.0)
            for t in range(len(along_y)):
                v += along_y[t, r] * along_x[t, c]
            x = low + (high - low) * (0.5 + 0.5 * v / len(along_y))
            out[r, c] = np.floor(x) if whole else x


def _field(
    grid: Grid, rng: np.random.Generator, low: float, high: float, *, whole: bool = False
) -> FloatArray:
    waves = rng.uniform(0.5, 60, (2, _TERMS, 1)) * grid.cell_m / 1.3e6 * 6.28
    shift = rng.uniform(0, 6.28, (2, _TERMS, 1))
    along_y = np.sin(waves[0] * np.arange(grid.rows) + shift[0]).astype(np.float32) * 2
    along_x = np.sin(waves[1] * np.arange(grid.cols) + shift[1]).astype(np.float32)
    out = np.empty(grid.shape, dtype=np.float32)
    over_blocks(lambda a, b: _field_rows(along_y, along_x, low, high, whole, out, a, b), grid.rows)
    return out


def _walks(
    grid: Grid, rng: np.random.Generator, number: float, corners: int, step_m: float
) -> gpd.GeoDataFrame:
    count = max(3, round(number * grid.size / _FULL))
    x0, y0, x1, y1 = grid.bounds
    start = rng.uniform((x0, y0), (x1, y1), (count, 2))
    turn = rng.uniform(0, 6.28, (count, 1)) + np.cumsum(rng.normal(0, 0.25, (count, corners)), 1)
    xy = start[:, None] + np.cumsum(np.stack([np.cos(turn), np.sin(turn)], 2) * step_m, 1)
    return gpd.GeoDataFrame(geometry=shapely.linestrings(xy), crs=_CRS)


def _points(grid: Grid, rng: np.random.Generator, number: float) -> gpd.GeoDataFrame:
    count = max(10, round(number * grid.size / _FULL))
    x0, y0, x1, y1 = grid.bounds
    places = shapely.points(rng.uniform((x0, y0), (x1, y1), (count, 2)))
    return gpd.GeoDataFrame({"people": rng.lognormal(6, 1.5, count)}, geometry=places, crs=_CRS)


def made(shape: tuple[int, int], folder: Path, seed: int = 0) -> Country:
    """Return the country and write its rasters."""
    rng = np.random.default_rng(seed)
    rows, cols = shape
    grid = Grid(_CRS, -cols * 50.0, rows * 50.0, 100.0, rows, cols)
    folder.mkdir(parents=True, exist_ok=True)
    for name, low, high, whole in (
        ("slope", 0, 26, False), ("elevation", -500, 3800, False), ("rain", 20, 900, False),
        ("heat", 2, 34, False), ("cover", 0, 12, True),
    ):  # fmt: skip
        np.save(folder / f"{name}.npy", _field(grid, rng, low, high, whole=whole))
    turn = np.linspace(0, 6.2831, 400)
    wide = 1 + 0.08 * np.sin(5 * turn) + 0.04 * np.sin(11 * turn)
    ring = np.column_stack([np.cos(turn) * wide * cols * 48, np.sin(turn) * wide * rows * 48])
    parks = _points(grid, rng, 600)
    parks["geometry"] = parks.buffer(rng.uniform(2_000, 12_000, len(parks)))
    frames = {
        "road": _walks(grid, rng, 3_000, 80, 1_500),
        "rail": _walks(grid, rng, 150, 150, 3_000),
        "river": _walks(grid, rng, 2_000, 200, 800),
        "power": _walks(grid, rng, 800, 40, 5_000),
        "fault": _walks(grid, rng, 400, 60, 2_000),
        "town": _points(grid, rng, 15_000),
        "well": _points(grid, rng, 30_000),
        "park": parks,
    }
    x = np.linspace(grid.bounds[0], grid.bounds[2], 7)
    y = np.linspace(grid.bounds[1], grid.bounds[3], 6)
    boxes = [shapely.box(x[i], y[j], x[i + 1], y[j + 1]) for i in range(6) for j in range(5)]
    regions = gpd.GeoDataFrame({"value": rng.random(len(boxes))}, geometry=boxes, crs=_CRS)
    return Country(grid, gpd.GeoSeries([shapely.Polygon(ring)], crs=_CRS), frames, regions, folder)


def rules() -> tuple[ExclusionRule, ...]:
    """Return twelve rules: eight by distance to features, three by raster, one too far away."""
    near = {"park": 1000, "river": 100, "road": 150, "rail": 150, "town": 1000, "fault": 500,
            "power": 60, "well": 200}  # fmt: skip
    given: list[dict[str, Any]] = [
        {"id": f"near_{k}", "layer": k, "within_m": m} for k, m in near.items()
    ]
    given += [
        {"id": "far", "layer": "road", "beyond_m": 40_000},
        {"id": "steep", "raster": "slope", "above": 21},
        {"id": "high", "raster": "elevation", "above": 3_000},
        {"id": "cover", "raster": "cover", "classes": [9, 10]},
    ]
    return tuple(ExclusionRule.model_validate(rule) for rule in given)


def criteria() -> dict[str, Criterion]:
    """Return twelve criteria: six distances, three rasters, a category, a region, a density."""

    def linear(best: float, worst: float) -> dict[str, Any]:
        return {"kind": "linear", "best": best, "worst": worst}

    given: dict[str, dict[str, Any]] = {
        "road": {"layer": "road", "value": linear(0, 40)},
        "rail": {"layer": "rail", "value": linear(0, 150)},
        "power": {"layer": "power", "value": {"kind": "sigmoid", "midpoint": 20, "spread": -15}},
        "town": {"layer": "town", "value": {"kind": "piecewise",
                 "points": [[0, 0], [5, 1], [25, 0.6], [60, 0]]}},
        "river": {"layer": "river", "value": linear(0, 30)},
        "fault": {"layer": "fault", "value": linear(60, 0)},
        "slope": {"raster": "slope", "value": linear(0, 18), "missing": "mean"},
        "rain": {"raster": "rain", "value": {"kind": "sigmoid", "midpoint": 400, "spread": 300}},
        "heat": {"raster": "heat", "value": linear(10, 34)},
        "cover": {"raster": "cover", "value": {"kind": "categorical", "other": 0.1,
                  "values": {0: 1, 1: 0.8, 2: 0.5, 4: 0.4, 5: 0.2}}},
        "people": {"layer": "town", "measure": "density", "weight_field": "people",
                   "radius_km": 25, "value": linear(50_000, 0)},
        "index": {"measure": "region", "index": "industrialisation", "invert": True},
    }  # fmt: skip
    return {
        name: Criterion.model_validate(
            {"measure": "raster" if "raster" in c else "distance",
             **({"unit": "km"} if "layer" in c and "measure" not in c else {}), **c}
        )
        for name, c in given.items()
    }  # fmt: skip


class CountryGround(Ground):
    """The country's layers; each raster and distance is made when it is asked for, and not kept."""

    def __init__(self, country: Country) -> None:
        nothing: Any = None
        super().__init__(nothing, {}, country.grid, nothing, nothing, 0)
        self.country = country

    def frame(self, layer: str, where: str | None = None) -> gpd.GeoDataFrame:
        """Return a layer's features; no rule or criterion of the country chooses among them."""
        del where
        return self.country.frames[layer]

    def raster(self, layer: str) -> FloatArray:
        """Read a raster that lies on the grid."""
        found: FloatArray = np.load(self.country.folder / f"{layer}.npy")
        return found

    def distance(self, layer: str, where: str | None) -> FloatArray:
        """Return the distance without keeping it."""
        found = super().distance(layer, where)
        self._distances.clear()
        return found
