"""The exclusions of a country beside atlite, GDAL and GRASS: seconds, and cell by cell.

``python -m benchmarks.exclusions [--quick | --national] [--json]``. Eleven rules, eight of them
buffers, on a made-up country of 1,285 km a side: cells of 500 m, with ``--national`` of 100 m
(165 million). A ratio is the peer's time over ours on the same question in the same run: above 1,
ours is faster. Every figure holds reading the rasters and burning in the features; the peers that
are programs are started once per step, as their users do.

What the peers measure is not the same, so ours is run in the peer's own way where it has one:

``centre``  a cell is removed when its centre is within the distance: atlite's way.
``cells``   centre of the cell to the centre of the nearest cell that a feature touches: the way
            of gdal_proximity and r.grow.distance.
``any``     a cell is removed when any of its land is within the distance: GeoPlan's rule. The
            last columns say of each peer how many cells it leaves although forbidden land lies in
            them, and how many it removes although none does.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import rasterio
import shapely
from affine import Affine

from geoplan.grid import Grid
from geoplan.raster.burn import rasterise
from geoplan.raster.distance import distance_m
from geoplan.raster.near import near
from geoplan.siting.exclude import RuleMask, accounting, combine
from geoplan.siting.exclude_value import holds

__all__ = ["BUFFERS", "Outcome", "main", "run"]

BoolArray = npt.NDArray[np.bool_]
Way = Literal["any", "centre", "cells"]

_CRS = "EPSG:3395"
_SIDE_M = 1_285_000.0

BUFFERS: dict[str, float] = {
    "towns": 1_500.0, "urban": 1_000.0, "rivers": 300.0, "roads": 150.0, "lakes": 1_000.0,
    "faults": 200.0, "airports": 5_000.0, "capital": 50_000.0,
}  # fmt: skip
"""Feature → the distance up to which land is removed, m."""

_SLOPE, _HEIGHT, _CLASSES = 15.0, 2_800.0, (5, 7)


@dataclass(frozen=True)
class Outcome:
    """One way to answer: its seconds, and how far its cells are from those of the same question.

    ``differ`` counts cells unlike ours in the same way of measuring; ``forbidden_left`` and
    ``free_removed`` are against every cell that holds forbidden land.
    """

    name: str
    way: str
    seconds: float | None
    ratio: float | None
    differ: int | None
    forbidden_left: int | None
    free_removed: int | None
    note: str = ""


@dataclass(frozen=True)
class Country:
    """A grid, features by name and the rasters' files."""

    grid: Grid
    features: dict[str, gpd.GeoSeries]
    rasters: dict[str, Path]


def made(cell_m: float, side_m: float, folder: Path, *, seed: int = 3) -> Country:
    """Return a country of random walks and smooth fields; its density is that of a real one."""
    rng = np.random.default_rng(seed)
    cells = round(side_m / cell_m)
    grid = Grid(_CRS, 5_000_000.0, 4_500_000.0, cell_m, cells, cells)
    scale = (side_m / _SIDE_M) ** 2
    x_min, y_min, x_max, y_max = grid.bounds

    def places(count: float) -> npt.NDArray[np.float64]:
        # A tenth of the features lies outside, across the border.
        low, high = (x_min - 0.05 * side_m,) * 2, (x_max + 0.05 * side_m,) * 2
        xy = rng.uniform(low, high, (max(int(count * scale), 2), 2))
        return np.column_stack([xy[:, 0], xy[:, 1] - x_min + y_min])

    def walks(count: float, corners: int, step: float) -> npt.NDArray[np.object_]:
        return np.array(
            [
                shapely.LineString(p + rng.normal(0, step, (corners, 2)).cumsum(axis=0))
                for p in places(count)
            ]
        )

    def patches(count: float, size: float) -> npt.NDArray[np.object_]:
        found = []
        for p in places(count):
            angle = np.sort(rng.uniform(0, 2 * np.pi, 24))
            far = size * rng.lognormal(0, 0.4, 24)
            shell = p + np.column_stack([np.cos(angle) * far, np.sin(angle) * far])
            found.append(shapely.make_valid(shapely.Polygon(shell)))
        return np.array(found)

    features = {
        "towns": shapely.points(places(3_000)),
        "urban": patches(900, 2_500.0),
        "rivers": walks(900, 150, 700.0),
        "roads": walks(2_000, 120, 900.0),
        "lakes": patches(400, 3_000.0),
        "faults": walks(1_200, 20, 2_000.0),
        "airports": shapely.points(places(90)),
        "capital": shapely.points([[(x_min + x_max) / 2, (y_min + y_max) / 2]]),
    }
    rasters = {}
    for name, low, high in (("slope", 0, 25), ("height", -20, 3_600), ("cover", 1, 8.99)):
        rasters[name] = folder / f"{name}.tif"
        _field(rasters[name], grid, rng, low, high, whole=name == "cover")
    return Country(
        grid, {n: gpd.GeoSeries(v, crs=_CRS) for n, v in features.items()}, rasters
    )  # fmt: skip


def _profile(grid: Grid, dtype: str) -> dict[str, object]:
    return {
        "driver": "GTiff", "width": grid.cols, "height": grid.rows, "count": 1, "dtype": dtype,
        "crs": grid.crs, "transform": Affine(*grid.transform), "tiled": True,
    }  # fmt: skip


def _field(
    path: Path, grid: Grid, rng: np.random.Generator, low: float, high: float, *, whole: bool
) -> None:
    waves = rng.uniform(2, 40, (5, 2)), rng.uniform(0, 2 * np.pi, 5)
    x = np.linspace(0, 1, grid.cols)
    kind = np.uint8 if whole else np.float32
    with rasterio.open(path, "w", **_profile(grid, np.dtype(kind).name)) as file:
        for start in range(0, grid.rows, 256):
            stop = min(start + 256, grid.rows)
            y = np.arange(start, stop)[:, None] / grid.rows
            z = sum(
                np.sin(2 * np.pi * (a * x + b * y) + c)
                for (a, b), c in zip(waves[0], waves[1], strict=True)
            )
            share = 0.5 + np.asarray(z) / 10.0
            window = rasterio.windows.Window(0, start, grid.cols, stop - start)
            file.write((low + (high - low) * share).astype(kind), 1, window=window)


def _read(path: Path) -> npt.NDArray[np.float32]:
    with rasterio.open(path) as file:
        return np.asarray(file.read(1, out_dtype="float32"))


def _rules(country: Country, way: Way) -> object:
    yield RuleMask("slope", holds(_read(country.rasters["slope"]), above=_SLOPE))
    yield RuleMask("height", holds(_read(country.rasters["height"]), above=_HEIGHT))
    yield RuleMask("cover", holds(_read(country.rasters["cover"]), one_of=_CLASSES))
    for name, metres in BUFFERS.items():
        shapes = country.features[name].to_numpy()
        if way == "cells":
            touched = rasterise(shapes, country.grid, all_touched=True)
            yield RuleMask(name, distance_m(touched, country.grid) <= metres)
        else:
            yield RuleMask(name, near(shapes, country.grid, metres, part=way))


def ours(country: Country, way: Way) -> tuple[BoolArray, float]:
    """Return removed cells and seconds: masks, bits, the area of every rule, allowed land."""
    start = time.perf_counter()
    inside = np.ones(country.grid.shape, dtype=np.bool_)
    found = combine(_rules(country, way), inside=inside, count=11)  # type: ignore[arg-type]
    accounting(found, country.grid)
    removed = ~found.allowed
    return removed, time.perf_counter() - start


def atlite_(country: Country) -> tuple[BoolArray, float]:
    """Return the cells that atlite's ExclusionContainer removes, and its seconds."""
    from atlite.gis import ExclusionContainer, shape_availability

    grid = country.grid
    start = time.perf_counter()
    container = ExclusionContainer(crs=grid.crs, res=grid.cell_m)
    files = {name: str(path) for name, path in country.rasters.items()}
    container.add_raster(files["slope"], codes=lambda v: v > _SLOPE, nodata=-9999)
    container.add_raster(files["height"], codes=lambda v: v > _HEIGHT, nodata=-9999)
    container.add_raster(files["cover"], codes=list(_CLASSES), nodata=0)
    for name, metres in BUFFERS.items():
        container.add_geometry(country.features[name], buffer=metres)
    area = gpd.GeoSeries([shapely.box(*grid.bounds)], crs=grid.crs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free, transform = shape_availability(area, container)
    seconds = time.perf_counter() - start
    # atlite pads its window to whole cells from 0; ours lies on it.
    row = round((transform.f - grid.y_max) / grid.cell_m)
    col = round((grid.x_min - transform.c) / grid.cell_m)
    return ~free[row : row + grid.rows, col : col + grid.cols], seconds


def _masks(country: Country, folder: Path) -> dict[str, Path]:
    """Burn the features in with gdal_rasterize, all that they touch."""
    x_min, y_min, x_max, y_max = country.grid.bounds
    out = {}
    for name, shapes in country.features.items():
        vector, out[name] = folder / f"{name}.gpkg", folder / f"{name}.tif"
        shapes.to_file(vector)
        _call(
            "gdal_rasterize", "-q", "-at", "-burn", "1", "-init", "0", "-ot", "Byte",
            "-te", x_min, y_min, x_max, y_max, "-tr", country.grid.cell_m, country.grid.cell_m,
            vector, out[name],
        )  # fmt: skip
    return out


def _call(*words: object) -> None:
    subprocess.run([str(w) for w in words], check=True, capture_output=True)


def gdal(country: Country, folder: Path) -> tuple[BoolArray, float]:
    """Return what gdal_rasterize, gdal_proximity and gdal_calc remove, and their seconds."""
    start = time.perf_counter()
    masks = _masks(country, folder)
    near_files = {}
    for name, path in masks.items():
        near_files[name] = folder / f"near_{name}.tif"
        # -maxdist stops the search where the answer is known; beyond it stands the nodata value.
        _call(
            "gdal_proximity.py", path, near_files[name], "-q", "-values", 1, "-distunits", "GEO",
            "-maxdist", BUFFERS[name] + 2 * country.grid.cell_m, "-nodata", 1e9,
        )  # fmt: skip
    letters = dict(zip([*country.rasters, *near_files], "ABCDEFGHIJK", strict=True))
    files = {**country.rasters, **near_files}
    terms = [f"({letters['slope']}>{_SLOPE})", f"({letters['height']}>{_HEIGHT})"]
    terms += [f"({letters['cover']}=={code})" for code in _CLASSES]
    terms += [f"({letters[name]}<={metres})" for name, metres in BUFFERS.items()]
    words: list[object] = ["gdal_calc.py", "--quiet", "--hideNoData", "--type=Byte"]
    for name, letter in letters.items():
        words += [f"-{letter}", files[name]]
    words += [f"--outfile={folder / 'removed.tif'}", f"--calc={'+'.join(terms)}>0"]
    _call(*words)
    seconds = time.perf_counter() - start
    return _read(folder / "removed.tif") > 0, seconds


def grass(country: Country, folder: Path) -> tuple[BoolArray, float]:
    """Return what r.grow.distance and r.mapcalc remove, and their seconds without the start."""
    start = time.perf_counter()
    masks = _masks(country, folder)
    burnt = time.perf_counter() - start
    lines = ["set -e", "date +%s.%N"]
    for name, path in {**country.rasters, **masks}.items():
        lines.append(f"r.in.gdal -o --q --overwrite input={path} output={name}")
    lines.append("g.region raster=slope")
    terms = [f"slope>{_SLOPE}", f"height>{_HEIGHT}", *(f"cover=={code}" for code in _CLASSES)]
    for name, metres in BUFFERS.items():
        lines.append(f"r.mapcalc --q expression='have=if({name}==1,1,null())' --overwrite")
        # The tool stops beyond this distance and writes nothing there.
        lines.append(f"r.grow.distance --q input=have distance=away_{name}")
        terms.append(f"away_{name}<={metres}")
    lines += [
        f"r.mapcalc --q expression='removed=if({'||'.join(terms)},1,0)'",
        f"r.out.gdal --q -m input=removed output={folder / 'grass.tif'} type=Byte",
        "date +%s.%N",
    ]
    script = folder / "grass.sh"
    script.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["grass", "--tmp-location", "XY", "--exec", "bash", str(script)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = [float(line) for line in done.stdout.split() if line.replace(".", "").isdigit()]
    return _read(folder / "grass.tif") > 0, burnt + told[-1] - told[-2]


def run(cell_m: float, side_m: float) -> list[Outcome]:
    """Return ours in three ways, and every peer that is installed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = made(1_000.0, 32_000.0, folder)
        for way in ("any", "centre", "cells"):
            ours(small, way)  # compiled before the clock starts
        country = made(cell_m, side_m, folder)
        removed, times = {}, {}
        rows = []
        ways: tuple[Way, ...] = ("any", "centre", "cells")
        for way in ways:
            removed[way], times[way] = ours(country, way)
            rows.append(
                Outcome(
                    "GeoPlan", way, times[way], None, None,
                    int((removed["any"] & ~removed[way]).sum()),
                    int((removed[way] & ~removed["any"]).sum()),
                )
            )  # fmt: skip
        peers: list[tuple[str, Way, Callable[[], tuple[BoolArray, float]], bool, str]] = [
            ("atlite ExclusionContainer", "centre", lambda: atlite_(country), True,
             "buffers are polygons of 64 corners, inside the true circle"),
            ("gdal_proximity + gdal_calc", "cells", lambda: gdal(country, folder),
             shutil.which("gdal_proximity.py") is not None, ""),
            ("GRASS r.grow.distance + r.mapcalc", "cells", lambda: grass(country, folder),
             shutil.which("grass") is not None, ""),
        ]  # fmt: skip
        for label, way, ask, there, note in peers:
            if not there:
                rows.append(Outcome(label, way, None, None, None, None, None, "not installed"))
                continue
            try:
                found, seconds = ask()
            except (ImportError, MemoryError, subprocess.CalledProcessError) as error:
                told = getattr(error, "stderr", None) or error
                note = f"failed: {str(told).strip()[-200:]}"
                rows.append(Outcome(label, way, None, None, None, None, None, note))
                continue
            rows.append(
                Outcome(
                    label, way, seconds, seconds / times["any"],
                    int((found != removed[way]).sum()),
                    int((removed["any"] & ~found).sum()),
                    int((found & ~removed["any"]).sum()),
                    note,
                )
            )  # fmt: skip
    return rows


def main(arguments: list[str] | None = None) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="a quarter of the side")
    parser.add_argument("--national", action="store_true", help="cells of 100 m: 165 million")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    cell = 100.0 if given.national else 500.0
    rows = run(cell, _SIDE_M / 4 if given.quick else _SIDE_M)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    print(f"{'':36}{'way':8}{'s':>9}{'ratio':>8}{'differ':>10}{'left':>10}{'too many':>10}")
    for row in rows:
        numbers = [row.differ, row.forbidden_left, row.free_removed]
        seconds = "–" if row.seconds is None else f"{row.seconds:.2f}"
        ratio = "" if row.ratio is None else f"{row.ratio:.1f}"
        cells = "".join(f"{'' if n is None else format(n, ','):>10}" for n in numbers)
        print(f"{row.name:36}{row.way:8}{seconds:>9}{ratio:>8}{cells}  {row.note}")


if __name__ == "__main__":
    main()
