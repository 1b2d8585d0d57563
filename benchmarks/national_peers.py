"""The peers of the national bench, on the same data and the same machine.

Programs that work from files (GRASS, GDAL) are timed as they run, reading and writing included;
imports into a GRASS database are not.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from scipy import ndimage

from benchmarks.national import _flow
from benchmarks.national_country import Country, criteria, made, rules
from geoplan import raster
from geoplan.mcda.value import apply_value
from geoplan.raster.distance import distance_m
from geoplan.siting.quantised import QuantisedCriteria

__all__ = ["beside"]

_XARRAY_CELLS = 1_000_000
"""Of its proximity: the rest would take minutes; the rate is carried over."""


def _seconds(work: Callable[[], object], times: int = 1) -> float:
    best = np.inf
    for _ in range(times):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return float(best)


def _tif(path: Path, array: npt.NDArray[Any]) -> str:
    kind = "uint8" if array.dtype == np.bool_ else str(array.dtype)
    with rasterio.open(
        path, "w", driver="GTiff", width=array.shape[1], height=array.shape[0], count=1,
        dtype=kind, transform=rasterio.Affine(100, 0, 0, 0, -100, array.shape[0] * 100.0),
    ) as out:  # fmt: skip
        out.write(array.astype(kind, copy=False), 1)
    return str(path)


def beside(shape: tuple[int, int], folder: Path) -> list[dict[str, Any]]:
    """Return one row per comparison on a country of ``shape``."""
    country = made(shape, folder / "country")
    for _ in range(2):  # the first loads compiled code, which no peer is charged for either
        times: dict[str, float] = {}
        surface, held = _flow(country, times)
    cold = times["exclusions"] + times["score"]
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(len(held.names))).tolist()
    rows: list[dict[str, Any]] = []

    def row(work: str, peer: str, ours: float, theirs: float | None, note: str = "") -> None:
        if theirs is not None:
            rows.append({"work": work, "peer": peer, "ours_s": ours, "peer_s": theirs,
                         "ratio": theirs / ours, "note": note})  # fmt: skip

    theirs = _seconds(lambda: _plain(country))
    row("exclusions and score, cold", "numpy, scipy EDT, rasterio", cold, theirs,
        "distances between cells instead of exact")  # fmt: skip

    by_name = dict(zip(held.names, weights, strict=True))
    ours = _seconds(lambda: held.score_into(by_name, surface.score), 5)
    values = _values(held)
    row("new weights", "numpy, float32", ours, _seconds(lambda: _sum(values, weights), 2))
    row("new weights", "xarray, float32", ours, _xarray_sum(values, weights),
        "xarray-spatial has no overlay of its own")  # fmt: skip
    files = [_tif(folder / f"v{k}.tif", v) for k, v in enumerate(values)]
    row("new weights", "gdal_calc.py", ours, _gdal_calc(files, weights, folder), "files")
    present = raster.rasterise(
        country.frames["road"].geometry, country.grid, all_touched=True, dtype=np.bool_
    )
    mask = _tif(folder / "road.tif", present)
    calc, grow = _grass(files, weights, mask, folder)
    row("new weights", "GRASS r.mapcalc", ours, calc, "files")
    one = _seconds(lambda: distance_m(present, country.grid), 3)
    row("distance to roads", "scipy EDT", one,
        _seconds(lambda: ndimage.distance_transform_edt(~present, sampling=100.0)))  # fmt: skip
    row("distance to roads", "gdal_proximity.py", one, _gdal_proximity(mask, folder), "files")
    row("distance to roads", "GRASS r.grow.distance", one, grow, "files")
    part = present[: _XARRAY_CELLS // shape[1]]
    row("distance to roads", "xarray-spatial proximity", one, _proximity(part, present.size),
        f"on {part.size / 1e6:.1f} M cells, times {present.size / part.size:.1f}")  # fmt: skip
    return rows


def _values(held: QuantisedCriteria) -> list[npt.NDArray[np.float32]]:
    return [held.land.put(held.tables[k][code]) for k, code in enumerate(held.codes)]


def _sum(values: list[npt.NDArray[np.float32]], weights: list[float]) -> npt.NDArray[np.float32]:
    total = np.float32(weights[0]) * values[0]
    for value, weight in zip(values[1:], weights[1:], strict=True):
        total += np.float32(weight) * value
    return total


def _plain(country: Country) -> npt.NDArray[np.float32]:
    """What a careful user writes: one exact transform per layer, kept for rule and criterion."""
    grid = country.grid
    allowed = raster.rasterise(country.area, grid, dtype=np.bool_)
    away: dict[str, npt.NDArray[np.float32]] = {}
    for layer, frame in country.frames.items():
        present = raster.rasterise(frame.geometry, grid, all_touched=True, dtype=np.bool_)
        found = ndimage.distance_transform_edt(~present, sampling=grid.cell_m)
        away[layer] = found.astype(np.float32)
    for rule in rules():
        if rule.layer is None:
            values = np.load(country.folder / f"{rule.raster}.npy")
            allowed &= ~(np.isin(values, rule.classes) if rule.classes else values > rule.above)
        elif rule.beyond_m is None:
            allowed &= away[rule.layer] > (rule.within_m or 0)
        else:
            allowed &= away[rule.layer] <= rule.beyond_m
    total = np.zeros(grid.shape, dtype=np.float32)
    for criterion in criteria().values():
        if criterion.measure == "distance":
            raw = away[str(criterion.layer)] / np.float32(1000)
        elif criterion.measure == "raster":
            raw = np.load(country.folder / f"{criterion.raster}.npy")
        elif criterion.measure == "density":
            frame = country.frames["town"]
            field = np.zeros(grid.shape, dtype=np.float32)
            r, c = grid.row_col(frame.geometry.x, frame.geometry.y)
            np.add.at(field, (r, c), frame["people"].to_numpy(np.float32))
            # a square, not a disk: the cheap way
            raw = ndimage.uniform_filter(field, 501, mode="constant") * np.float32(501**2)
        else:
            raw = raster.rasterise(
                country.regions.geometry, grid, fill=np.nan, dtype=np.float32,
                values=country.regions["value"].to_numpy(np.float32),
            )  # fmt: skip
        value = apply_value(criterion.value, raw, invert=criterion.invert)
        total += np.float32(1 / 12) * value
    total[~allowed] = np.nan
    return total


def _xarray_sum(values: list[npt.NDArray[np.float32]], weights: list[float]) -> float | None:
    try:
        import xarray as xr
    except ImportError:
        return None
    held = [xr.DataArray(v, dims=("y", "x")) for v in values]
    return _seconds(lambda: sum(w * v for w, v in zip(weights, held, strict=True)), 2)


def _proximity(part: npt.NDArray[np.bool_], size: int) -> float | None:
    try:
        import xarray as xr
        from xrspatial import proximity
    except ImportError:
        return None
    rows, cols = part.shape
    found = xr.DataArray(
        part.astype(np.float64), dims=("y", "x"),
        coords={"y": np.arange(rows) * 100.0, "x": np.arange(cols) * 100.0},
    )  # fmt: skip
    proximity(found[:50, :50])  # compiles
    return _seconds(lambda: proximity(found)) * size / part.size


def _run(command: list[str]) -> float | None:
    if shutil.which(command[0]) is None:
        return None
    return _seconds(lambda: subprocess.run(command, check=True, capture_output=True))


def _gdal_calc(files: list[str], weights: list[float], folder: Path) -> float | None:
    letters = "ABCDEFGHIJKL"
    sums = "+".join(f"{w:.6f}*{k}" for w, k in zip(weights, letters, strict=True))
    named = [part for k, file in zip(letters, files, strict=True) for part in (f"-{k}", file)]
    return _run(["gdal_calc.py", *named, f"--calc={sums}", "--type=Float32", "--overwrite",
                 f"--outfile={folder / 'calc.tif'}", "--quiet"])  # fmt: skip


def _gdal_proximity(mask: str, folder: Path) -> float | None:
    out = str(folder / "proximity.tif")
    return _run(["gdal_proximity.py", mask, out, "-distunits", "GEO", "-values", "1", "-q"])


def _grass(
    files: list[str], weights: list[float], mask: str, folder: Path
) -> tuple[float | None, float | None]:
    """Return the seconds of r.mapcalc and r.grow.distance, told by the session itself."""
    if shutil.which("grass") is None:
        return None, None
    script = folder / "grass.sh"
    lines = ["set -e", *(f"r.in.gdal -o --q input={f} output=v{k}" for k, f in enumerate(files))]
    sums = "+".join(f"{w:.6f}*v{k}" for k, w in enumerate(weights))
    lines += [
        f"r.in.gdal -o --q input={mask} output=all",
        "g.region raster=v0",
        "r.mapcalc --q expression='road=if(all==1,1,null())'",
        "date +%s.%N",
        f"r.mapcalc --q expression='score=float({sums})'",
        "date +%s.%N",
        "r.grow.distance --q input=road distance=away",
        "date +%s.%N",
    ]
    script.write_text("\n".join(lines), encoding="utf-8")
    done = subprocess.run(
        ["grass", "--tmp-location", "XY", "--exec", "bash", str(script)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    told = [float(line) for line in done.stdout.split() if line.replace(".", "").isdigit()][-3:]
    return told[1] - told[0], told[2] - told[1]
