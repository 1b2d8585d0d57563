"""The land part of a run as a folder of files that any worker can read."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.windows import Window

from geoplan.catalogue.criterion import Criterion
from geoplan.catalogue.exclusion import ExclusionRule
from geoplan.errors import FileMissing, RangeError, ShapeError, UnknownName
from geoplan.expression import select
from geoplan.grid import Grid
from geoplan.siting.tiles import Strip, in_strips
from geoplan.studies.surface import FloatArray, Ground

__all__ = ["FiledGround", "LandPlan", "named", "read_rows", "save"]


@dataclass(frozen=True, slots=True)
class LandPlan:
    """All that the exclusions and the score of a run follow from.

    Parameters
    ----------
    grid : Grid
    area : GeoSeries
        Polygons that are searched, in the grid's CRS.
    rules : tuple of ExclusionRule
        Resolved: distances and legal basis are filled in.
    criteria : dict
        Criterion id → criterion, in order.
    weights : dict
        Criterion id → weight.
    frames : dict
        Layer id → features with a geometry, in the grid's CRS, with the fields that expressions
        ask for. All layers that rules and criteria name.
    rasters : dict
        Raster id → file on the grid, row for row: ``.npy`` of float32 (NaN missing), or a GeoTIFF
        of one band. A shared folder: every worker must see it under this path.
    regions : dict
        Criterion id of measure ``region`` → polygons with a column ``value``.
    measures : dict
        Criterion id → raster file of its measure, in its unit, for those that were taken before
        and need no step.
    strip_rows : int
        Rows of a strip; 0 chooses.
    usable_share_min : float, 0–1
        A cell of which rules with a share leave less is not allowed.
    """

    grid: Grid
    area: gpd.GeoSeries
    rules: tuple[ExclusionRule, ...]
    criteria: Mapping[str, Criterion]
    weights: Mapping[str, float]
    frames: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    rasters: Mapping[str, Path] = field(default_factory=dict)
    regions: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    measures: Mapping[str, Path] = field(default_factory=dict)
    strip_rows: int = 0
    usable_share_min: float = 0.0

    @property
    def strips(self) -> tuple[Strip, ...]:
        """The strips of the grid, from the north."""
        return in_strips(self.grid, rows=self.strip_rows)

    @property
    def asked(self) -> dict[str, Criterion]:
        """The criteria whose measure was not taken before."""
        return {name: c for name, c in self.criteria.items() if name not in self.measures}

    @property
    def drawn(self) -> tuple[tuple[str, str | None], ...]:
        """Layers and expressions of which criteria need the distance, each once."""
        keys = [(str(c.layer), c.where) for c in self.asked.values() if c.measure == "distance"]
        return tuple(dict.fromkeys(keys))

    def write(self, folder: Path) -> None:
        """Write the plan into an empty folder.

        Raises
        ------
        RangeError
            The folder holds something: strips of another run could be taken for this one's.
        UnknownName, ShapeError, FileMissing
            A layer, region or raster that is named is not there, or is not on the grid.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RangeError(
                f"the folder {folder} is not empty", remedy="give a new folder for each run"
            )
        self._check()
        area = gpd.GeoDataFrame(geometry=self.area.reset_index(drop=True))
        area.to_parquet(folder / "area.parquet")
        for kind, frames in (("frame", self.frames), ("region", self.regions)):
            for name, frame in frames.items():
                frame.reset_index(drop=True).to_parquet(folder / f"{kind}-{name}.parquet")
        said = {
            "grid": asdict(self.grid),
            "rules": [rule.model_dump(mode="json") for rule in self.rules],
            "criteria": {n: c.model_dump(mode="json") for n, c in self.criteria.items()},
            "weights": dict(self.weights),
            "frames": list(self.frames),
            "rasters": {name: str(path) for name, path in self.rasters.items()},
            "regions": list(self.regions),
            "measures": {name: str(path) for name, path in self.measures.items()},
            "strip_rows": self.strip_rows,
            "usable_share_min": self.usable_share_min,
        }
        (folder / "plan.json").write_text(json.dumps(said, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> LandPlan:
        """Return the plan of a folder without its frames, which are read as they are needed."""
        said = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        return cls(
            grid=Grid(**said["grid"]),
            area=gpd.GeoSeries(),
            rules=tuple(ExclusionRule.model_validate(r) for r in said["rules"]),
            criteria={n: Criterion.model_validate(c) for n, c in said["criteria"].items()},
            weights=said["weights"],
            rasters={name: Path(path) for name, path in said["rasters"].items()},
            measures={name: Path(path) for name, path in said["measures"].items()},
            strip_rows=said["strip_rows"],
            usable_share_min=said["usable_share_min"],
        )

    def _check(self) -> None:
        items: list[tuple[str, ExclusionRule | Criterion]] = [
            *((f"exclude.{r.id}", r) for r in self.rules),
            *((f"criteria.{n}", c) for n, c in self.asked.items()),
        ]
        for path in self.measures.values():
            read_rows(path, self.grid, Strip(0, 0, 1))
        for place, item in items:
            said = item.model_dump(mode="json")
            for layer in named(said, "layer"):
                if layer not in self.frames:
                    raise UnknownName(f"no features of layer '{layer}' were given", where=place)
            for name in named(said, "raster"):
                if name not in self.rasters:
                    raise UnknownName(f"no file of raster '{name}' was given", where=place)
                read_rows(self.rasters[name], self.grid, Strip(0, 0, 1))
        for name, criterion in self.asked.items():
            if criterion.measure == "region" and name not in self.regions:
                raise UnknownName("no regions were given", where=f"criteria.{name}")
            if criterion.measure == "share" and criterion.radius_km is None:
                raise RangeError(
                    "a share by regions cannot be taken in strips",
                    where=f"criteria.{name}",
                    remedy="give it as a measure 'region', with the share as the value",
                )


def named(said: Any, key: str) -> list[str]:
    """Return what is given under ``key`` anywhere in a rule or criterion."""
    if isinstance(said, list):
        return [name for part in said for name in named(part, key)]
    if not isinstance(said, dict):
        return []
    own = [str(said[key])] if isinstance(said.get(key), str) else []
    return own + [name for part in said.values() for name in named(part, key)]


class FiledGround(Ground):
    """Layers read from the folder of a plan, on the whole grid or on a strip of it."""

    def __init__(self, folder: Path, plan: LandPlan, strip: Strip | None = None) -> None:
        nothing = cast(Any, None)
        super().__init__(nothing, {}, plan.grid if strip is None else strip.of(plan.grid),
                         nothing, nothing, 0)  # fmt: skip
        self.folder = folder
        self.plan = plan
        self.strip = strip

    def frame(self, layer: str, where: str | None = None) -> gpd.GeoDataFrame:
        """Return a layer's features in the grid's CRS."""
        if layer not in self._frames:
            self._frames[layer] = gpd.read_parquet(self.folder / f"frame-{layer}.parquet")
        frame = self._frames[layer]
        return frame[select(where, frame)] if where else frame

    def raster(self, layer: str) -> FloatArray:
        """Return the raster's rows."""
        if layer not in self._rasters:
            rows = self.strip or Strip(0, 0, self.grid.rows)
            self._rasters[layer] = read_rows(self.plan.rasters[layer], self.plan.grid, rows)
        return self._rasters[layer]


def read_rows(path: Path, grid: Grid, strip: Strip) -> FloatArray:
    """Return the rows of a raster file that lies on the grid; NaN where it has no data.

    Raises
    ------
    FileMissing, ShapeError
        ShapeError: the file is not on the grid.
    """
    if not path.exists():
        raise FileMissing("the raster does not exist", where=str(path))
    if path.suffix == ".npy":
        whole = np.load(path, mmap_mode="r")
        if whole.shape != grid.shape:
            raise ShapeError(f"{whole.shape} cells, the grid {grid.shape}", where=str(path))
        return np.array(whole[strip.start : strip.stop], dtype=np.float32)
    with rasterio.open(path) as source:
        lies = tuple(source.transform)[:6]
        if source.shape != grid.shape or not np.allclose(lies, grid.transform, rtol=0, atol=1e-6):
            raise ShapeError(
                f"{source.shape} cells at {lies}, the grid {grid.shape} at {grid.transform}",
                where=str(path),
                remedy="warp the raster to the grid once, before the run is cut into strips",
            )
        window = Window(0, strip.start, grid.cols, strip.stop - strip.start)
        found = source.read(1, window=window)
        out: npt.NDArray[np.float32] = found.astype(np.float32)
        if source.nodata is not None and not np.isnan(source.nodata):
            out[found == np.asarray(source.nodata).astype(found.dtype)] = np.nan
    return out


def save(path: Path, array: npt.NDArray[Any]) -> None:
    """Write an array, wholly or not at all: a worker may be stopped at any moment."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        np.save(file, array)
    part.replace(path)
