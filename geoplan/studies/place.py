"""Why a place that someone points at is, or is not, part of a candidate: from a run's folder."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import rasterio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from rasterio.errors import RasterioError
from rasterio.windows import Window

from geoplan.catalogue.text import Text
from geoplan.errors import FileMissing, RangeError
from geoplan.report.exclusion_raster import rules_at_place
from geoplan.siting.place import NearSite, Removal, patch_around, place_reasons
from geoplan.siting.result import Reason
from geoplan.studies.record import read_document

__all__ = ["PlaceAnswer", "score_shares", "why_place"]

_STEPS = 1000

_FIRST_CELLS = 64
_MOST_CELLS = 2048
"""Half-side of the window around a place that is read first, and at most."""


@dataclass(frozen=True, slots=True)
class PlaceAnswer:
    """What a run says of a place.

    Parameters
    ----------
    lon, lat : float
        Degrees.
    reasons : tuple of Reason
        See `geoplan.siting.place.place_reasons`.
    score : float
        0–1; NaN: none.
    percentile : float
        Share of the allowed land that scores below it, %, told too low by at most the land within
        a thousandth of its score; NaN: none.
    site_id : str or None
        Candidate that holds the place.
    """

    lon: float
    lat: float
    reasons: tuple[Reason, ...]
    score: float
    percentile: float
    site_id: str | None


def score_shares(score: np.ndarray[Any, np.dtype[np.float32]]) -> list[float]:
    """Return the share of allowed land that scores at most 0, 0.001 … 1, for a run's record.

    Parameters
    ----------
    score : ndarray of float32
        0–1; NaN: not allowed.
    """
    count = np.zeros(_STEPS + 1, dtype=np.int64)
    flat = score.reshape(-1)
    for start in range(0, flat.size, 1 << 22):
        part = flat[start : start + (1 << 22)]
        part = part[~np.isnan(part)]
        step = np.ceil(part.astype(np.float64) * _STEPS).clip(0, _STEPS).astype(np.int64)
        count += np.bincount(step, minlength=_STEPS + 1)
    total = int(count.sum())
    if not total:
        return [math.nan] * (_STEPS + 1)
    return [float(v) for v in np.cumsum(count) / total]


def why_place(folder: Path, lon: float, lat: float) -> PlaceAnswer:
    """Return what a run says of a place.

    Parameters
    ----------
    folder : Path
        A run's folder.
    lon, lat : float
        WGS 84, degrees.

    Raises
    ------
    FileMissing
        The run has no ``exclusions.tif`` (made by an older version), lost a file, or a file is
        damaged.
    RangeError
        No such longitude or latitude.
    """
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise RangeError(
            f"lon {lon:g}, lat {lat:g} is no place on Earth",
            where="place",
            remedy="give degrees: longitude -180 to 180, latitude -90 to 90",
        )
    document = read_document(folder)
    exclusions = _file(folder, "exclusions.tif")
    with _reading(exclusions):
        held = rules_at_place(exclusions, lon, lat)
    if held is None:
        return PlaceAnswer(lon, lat, place_reasons(inside=False), math.nan, math.nan, None)
    removed = tuple(_removal(document, rule) for rule in held)
    if removed:
        reasons = place_reasons(inside=True, removed_by=removed)
        return PlaceAnswer(lon, lat, reasons, math.nan, math.nan, None)
    smallest = float(document["scenario"]["candidates"]["area_ha"][0])
    suitability = _file(folder, "suitability.tif")
    with _reading(suitability):
        score, patch_ha = _ground(suitability, lon, lat, smallest)
    percentile = _percentile(document, score)
    holds, nearest, lowest = _sites(folder, document, lon, lat)
    reasons = place_reasons(
        inside=True,
        score=score,
        percentile=percentile,
        patch_ha=patch_ha,
        smallest_ha=smallest,
        lowest_kept=lowest,
        holds=holds,
        nearest=nearest,
        spacing_km=float(document["scenario"]["candidates"].get("spacing_km") or 0.0),
    )
    return PlaceAnswer(lon, lat, reasons, score, percentile, holds.site_id if holds else None)


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise FileMissing(
            f"the run has no {name}",
            where=str(folder),
            remedy="run the scenario again with this version of GeoPlan",
        )
    return path


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Tell of a damaged file by its name: what the drivers say holds the server's folders."""
    try:
        yield
    except (FileMissing, RasterioError, DataSourceError, DataLayerError) as error:
        raise FileMissing(
            f"{path.name} cannot be read", where=str(path), remedy="run the scenario again"
        ) from error


def _removal(document: dict[str, Any], rule: str) -> Removal:
    known = {r["rule"]: r for r in document.get("rules", [])}
    found = known.get(rule, {})
    return Removal(
        rule,
        Text(en=found.get("title_en") or rule, local=found.get("title_local")),
        str(found.get("basis") or ""),
        str(found.get("status") or "unverified"),
    )


def _ground(path: Path, lon: float, lat: float, smallest_ha: float) -> tuple[float, float]:
    """Return the score at a place, and the contiguous scored land around it up to a size, ha.

    The window grows until it holds enough land, or all of the land that hangs together here;
    NaN where the widest window does not tell.
    """
    with rasterio.open(path) as source:
        turn = pyproj.Transformer.from_crs("EPSG:4326", source.crs, always_xy=True)
        row, col = source.index(*turn.transform(lon, lat))
        if not (0 <= row < source.height and 0 <= col < source.width):
            return math.nan, math.nan
        cell_ha = abs(source.transform.a * source.transform.e) / 10_000.0
        wanted = math.ceil(smallest_ha / cell_ha)
        half = _FIRST_CELLS
        while True:
            r0, c0 = max(0, row - half), max(0, col - half)
            height = min(source.height, row + half + 1) - r0
            width = min(source.width, col + half + 1) - c0
            part = source.read(1, window=Window(c0, r0, width, height))
            score = float(part[row - r0, col - c0])
            cells, edge = patch_around(~np.isnan(part), row - r0, col - c0, at_most=wanted)
            whole = height == source.height and width == source.width
            if cells >= wanted or not edge or whole:
                return score, cells * cell_ha
            if half >= _MOST_CELLS:
                return score, math.nan
            half *= 2


def _percentile(document: dict[str, Any], score: float) -> float:
    """Return the share of the allowed land that scores below a score, to a thousandth of it, %."""
    shares = document.get("score_shares")
    if not shares or math.isnan(score):
        return math.nan
    # Counted as `score_shares` counts, and only the steps below the place's own: land that
    # scores the same is not below it.
    steps = len(shares) - 1
    below = min(max(math.ceil(score * steps), 0), steps) - 1
    return 100.0 * float(shares[below]) if below >= 0 else 0.0


def _sites(
    folder: Path, document: dict[str, Any], lon: float, lat: float
) -> tuple[NearSite | None, NearSite | None, float]:
    """Return the candidate that holds a place, the nearest one, and the lowest score kept."""
    path = _file(folder, "sites.gpkg")
    with _reading(path):
        frame = gpd.read_file(path, layer="sites")
    if frame.empty:
        return None, None, math.nan
    flat = frame.to_crs(document["grid"]["crs"])
    at = gpd.GeoSeries([shapely.Point(lon, lat)], crs="EPSG:4326").to_crs(flat.crs).iloc[0]
    far = shapely.distance(flat.geometry.to_numpy(), at) / 1000.0
    # Of several that hold it, the best.
    order = np.lexsort((flat["rank"].to_numpy(), far))
    first = flat.iloc[int(order[0])]
    near = NearSite(
        str(first["site_id"]), int(first["rank"]), float(first["score"]), float(far[order[0]]),
        bool(first["in_portfolio"]),
    )  # fmt: skip
    lowest = float(flat["score"].min())
    return (near if near.distance_km == 0 else None), near, lowest
