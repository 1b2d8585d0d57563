"""``exclusions.tif``: which rules hold in every cell, to be asked without the data behind them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import rasterio
from affine import Affine
from rasterio.io import MemoryFile
from rasterio.windows import Window

from geoplan.errors import FileMissing, InputError, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.siting.exclude import Exclusions
from geoplan.siting.exclude_rules import RuleBits

__all__ = ["RULES_TAG", "rules_at_place", "write_exclusions"]

RULES_TAG = "GEOPLAN_EXCLUSIONS"
"""Metadata item with the rules, as JSON: see `write_exclusions`."""

_ROWS = 512
_KINDS = ("uint8", "uint16", "uint32", "uint64")


def write_exclusions(path: Path, exclusions: Exclusions, grid: Grid) -> None:
    """Write the bits of all rules, one unsigned whole number a cell.

    Parameters
    ----------
    path : Path
        File to make: a tiled GeoTIFF, the same bytes for the same exclusions.
    exclusions : Exclusions
    grid : Grid

    Raises
    ------
    ShapeError
        The exclusions do not lie on the grid.

    Notes
    -----
    Bit k is set where the condition of rule k holds, whether or not another rule forces the land
    in. The metadata item ``GEOPLAN_EXCLUSIONS`` holds ``rules``, in the order of the bits, each
    with ``id``, ``effect``, for land forced in ``over`` (the rules that give way) and for parts of
    cells ``share``; and ``too_little``, the bit of cells of which rules with a share leave too
    little, or null. Outside the area all bits of the type are set, which is the file's nodata
    value; where more than 31 bits are needed, a second band holds 1 inside and 0 outside instead.
    """
    if exclusions.bits.shape != grid.shape:
        what = f"exclusions are {exclusions.bits.shape}, the grid is {grid.shape}"
        raise ShapeError(what, where=path.name)
    rules = exclusions.rules
    count = len(rules.ids)
    # A 65th bit does not exist; the part that is left is then not told.
    flagged = bool(rules.partial) and count < 64
    used = count + flagged
    kind = _KINDS[(used > 7) + (used > 15) + (used > 31)]
    wide = kind == "uint64"
    outside = np.iinfo(kind).max
    with (
        rasterio.Env(GDAL_NUM_THREADS="2"),
        MemoryFile(ext=".tif") as memory,
    ):
        with memory.open(
            driver="GTiff", width=grid.cols, height=grid.rows, count=1 + wide, dtype=kind,
            crs=grid.crs, transform=Affine(*grid.transform), nodata=None if wide else outside,
            compress="DEFLATE", tiled=True, blockxsize=512, blockysize=512, interleave="band",
            BIGTIFF="IF_SAFER",
        ) as file:  # fmt: skip
            file.update_tags(**{RULES_TAG: _record(exclusions, count if flagged else None)})
            file.set_band_description(1, "exclusion rules, one bit each")
            if wide:
                file.set_band_description(2, "1 inside the search area")
            for start in range(0, grid.rows, _ROWS):
                stop = min(start + _ROWS, grid.rows)
                inside = exclusions.inside[start:stop]
                held = exclusions.bits[start:stop].astype(kind)
                if flagged:
                    held[exclusions.too_little(start, stop)] |= np.dtype(kind).type(1 << count)
                held[~inside] = 0 if wide else outside
                window = Window(0, start, grid.cols, stop - start)
                file.write(held, 1, window=window)
                if wide:
                    file.write(inside.astype(kind), 2, window=window)
        # On a full disk GDAL leaves a short file and says nothing; Python does.
        path.write_bytes(memory.read())


def _record(exclusions: Exclusions, too_little: int | None) -> str:
    rules, shares = exclusions.rules, iter(exclusions.shares)
    listed: list[dict[str, Any]] = []
    for k, name in enumerate(rules.ids):
        item: dict[str, Any] = {"id": name, "effect": "exclude"}
        if rules.include >> k & 1:
            item = {"id": name, "effect": "include", "over": list(rules.names(rules.over[k]))}
        elif rules.partial >> k & 1:
            share = next(shares)
            item["share"] = share if isinstance(share, float) else "covered"
        listed.append(item)
    record = {
        "rules": listed,
        "too_little": too_little,
        "usable_share_min": exclusions.usable_share_min,
    }
    return json.dumps(record, ensure_ascii=False, sort_keys=True)


def rules_at_place(path: Path, lon: float, lat: float) -> tuple[str, ...] | None:
    """Return the rules that remove the land at a place, from the file alone.

    Parameters
    ----------
    path : Path
        ``exclusions.tif`` of a run.
    lon, lat : float
        Degrees WGS 84.

    Returns
    -------
    tuple of str, or None
        Ids in the order of the scenario, empty where the land is allowed; rules with a share are
        named where together they leave too little. None: outside the area that was looked at.

    Raises
    ------
    RangeError
        Longitude or latitude is no place on Earth.
    FileMissing
        The file does not exist or cannot be read.
    InputError
        The file is not one of exclusions.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise RangeError(
            f"longitude {lon!r}, latitude {lat!r}",
            remedy="give degrees: longitude −180 to 180, latitude −90 to 90",
        )
    try:
        with rasterio.open(path) as file:
            record = file.tags().get(RULES_TAG)
            if record is None:
                raise InputError(
                    "the file names no exclusion rules",
                    where=path.name,
                    remedy="name the exclusions.tif of a run",
                )
            there = pyproj.Transformer.from_crs("EPSG:4326", file.crs, always_xy=True)
            x, y = there.transform(lon, lat)
            if not (np.isfinite(x) and np.isfinite(y)):
                return None
            transform = file.transform
            col = int(np.floor((x - transform.c) / transform.a))
            row = int(np.floor((y - transform.f) / transform.e))
            if not (0 <= row < file.height and 0 <= col < file.width):
                return None
            values = file.read(window=Window(col, row, 1, 1))[:, 0, 0]
            held = int(values[0])
            if (len(values) == 2 and not values[1]) or (
                len(values) == 1 and held == np.iinfo(values.dtype).max
            ):
                return None
    except rasterio.errors.RasterioIOError as error:
        raise FileMissing(
            f"cannot be read: {error}", where=path.name, remedy="run the scenario again"
        ) from error
    return _removing(json.loads(record), held)


def _removing(record: dict[str, Any], held: int) -> tuple[str, ...]:
    listed = record["rules"]
    rules = RuleBits.of(
        [item["id"] for item in listed],
        include=[item["id"] for item in listed if item["effect"] == "include"],
        partial=[item["id"] for item in listed if "share" in item],
        over={item["id"]: tuple(item["over"]) for item in listed if "over" in item},
    )
    force = rules.in_force(held & ((1 << len(listed)) - 1))
    removing = force & rules.hard
    if record["too_little"] is not None and held >> record["too_little"] & 1:
        removing |= force & rules.partial
    return rules.names(removing)
