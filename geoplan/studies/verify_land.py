"""Checks of land: areas, allowed cells, scores and the spacing of candidates."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import rasterio.features
import rasterio.windows
import shapely

from geoplan.studies.distance import area_ha
from geoplan.studies.evidence import Evidence, NotSo

__all__ = ["CHECKS"]

_AREA_SHARE = 1e-3
_SCORE = 2e-5


def _areas(e: Evidence) -> str:
    low, high = (float(v) for v in e.scenario["candidates"]["area_ha"])
    ranking, sites = e.ranking, e.sites
    for site, stated in ranking["area_ha"].items():
        true = area_ha(sites.geometry[site])
        if abs(true - stated) > _AREA_SHARE * true:
            raise NotSo(f"site {site} covers {true:,.2f} ha, {stated:,.2f} is stated")
        if not low * (1 - _AREA_SHARE) <= stated <= high * (1 + _AREA_SHARE):
            raise NotSo(f"site {site} has {stated:,.2f} ha, not {low:g} to {high:g}")
    return f"{len(ranking):,} areas are geodesic and within {low:g} to {high:g} ha"


def _cells(e: Evidence) -> dict[str, np.ndarray]:
    """Return the scores of the cells whose centre lies in each polygon."""
    return _inside(e, e.surface)


def _inside(e: Evidence, surface: np.ndarray) -> dict[str, np.ndarray]:
    """Return the values of the cells whose centre lies in each polygon."""
    flat = e.sites.geometry.to_crs(e.crs)
    rows, cols = surface.shape
    out: dict[str, np.ndarray] = {}
    for site, polygon in flat.items():
        window = rasterio.windows.from_bounds(*polygon.bounds, transform=e.transform)
        r0, c0 = max(int(window.row_off) - 1, 0), max(int(window.col_off) - 1, 0)
        r1 = min(int(window.row_off + window.height) + 2, rows)
        c1 = min(int(window.col_off + window.width) + 2, cols)
        if r1 <= r0 or c1 <= c0:
            raise NotSo(f"site {site} lies outside suitability.tif")
        origin = e.transform @ e.transform.translation(c0, r0)
        inside = rasterio.features.geometry_mask(
            [polygon], out_shape=(r1 - r0, c1 - c0), transform=origin, invert=True
        )
        out[str(site)] = surface[r0:r1, c0:c1][inside]
    return out


def _allowed(e: Evidence) -> str:
    for site, scores in _cells(e).items():
        bad = int(np.isnan(scores).sum())
        if bad or not len(scores):
            raise NotSo(f"site {site}: {bad} of {len(scores)} cells are not allowed land")
    told = _rules(e)
    return f"all {len(e.sites):,} candidates lie on allowed land only{told}"


def _rules(e: Evidence) -> str:
    """Ask exclusions.tif, where a run has it, which rules hold on the land of each candidate."""
    path = e.folder / "exclusions.tif"
    if not path.is_file():
        return ""
    try:
        with rasterio.open(path) as file:
            record = json.loads(file.tags()["GEOPLAN_EXCLUSIONS"])
            bits = file.read(1)
            outside = file.read(2) == 0 if file.count == 2 else bits == np.iinfo(bits.dtype).max
    except (rasterio.errors.RasterioError, KeyError, ValueError) as error:
        raise NotSo(f"exclusions.tif cannot be read ({error})") from error
    if bits.shape != e.surface.shape:
        raise NotSo(f"exclusions.tif has {bits.shape} cells, suitability.tif {e.surface.shape}")
    names = [str(rule["id"]) for rule in record["rules"]]
    asked = [str(rule["id"]) for rule in e.scenario.get("exclude", [])]
    if names != asked:
        raise NotSo("exclusions.tif does not hold the scenario's rules in their order")
    for site, beyond in _inside(e, outside).items():
        if beyond.any():
            raise NotSo(f"site {site}: {int(beyond.sum())} cells lie outside the search area")
    for site, held in _inside(e, bits).items():
        for rule in _removing(record["rules"], names, held):
            raise NotSo(f"site {site}: rule {rule} removes land of it, says exclusions.tif")
        flag = record["too_little"]
        if flag is not None and (held >> held.dtype.type(flag) & held.dtype.type(1)).any():
            raise NotSo(f"site {site}: rules with a share leave too little of a cell of it")
    return f", and none of {len(names)} rules removes any of it"


def _removing(rules: list[dict[str, Any]], names: list[str], held: np.ndarray) -> list[str]:
    """Return the rules that remove some of the cells, one rule at a time."""

    def holds(name: str) -> np.ndarray:
        return np.asarray(held >> held.dtype.type(names.index(name)) & held.dtype.type(1) == 1)

    found = []
    for rule in rules:
        if rule["effect"] == "include" or "share" in rule:
            continue
        left = holds(rule["id"])
        for other in rules:
            if rule["id"] in other.get("over", ()):
                left &= ~holds(other["id"])
        if left.any():
            found.append(str(rule["id"]))
    return found


def _scores(e: Evidence) -> str:
    ranking = e.ranking
    for site, scores in _cells(e).items():
        mean = float(np.mean(scores, dtype=np.float64)) if len(scores) else np.nan
        stated = float(ranking.at[site, "score"])
        if not abs(mean - stated) <= _SCORE:
            raise NotSo(f"site {site} scores {stated:.6f}, its land has a mean of {mean:.6f}")
    return f"{len(ranking):,} scores are the mean of suitability.tif over the site"


def _apart(e: Evidence) -> str:
    """Candidates are kept apart in the plane of the grid, as they are grown there."""
    spacing = float(e.scenario["candidates"].get("spacing_km", 5.0))
    flat = e.sites.geometry.to_crs(e.crs)
    shapes, ids = np.asarray(flat.array), list(flat.index)
    # Corners come back from degrees within a centimetre.
    limit = spacing * 1000 - 0.5
    if limit <= 0:
        return "no spacing was asked for"
    a, b = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=limit)
    pairs = [(i, k) for i, k in zip(a, b, strict=True) if i < k]
    if pairs:
        i, k = pairs[0]
        km = shapely.distance(shapes[i], shapes[k]) / 1000
        raise NotSo(f"candidates {ids[i]} and {ids[k]} are {km:.3f} km apart, not {spacing:g}")
    return f"candidates are at least {spacing:g} km apart on the grid"


def _points(e: Evidence) -> str:
    ranking, sites = e.ranking, e.sites
    points = pd.Series(
        shapely.points(ranking["lon"].to_numpy(), ranking["lat"].to_numpy()), index=ranking.index
    )
    # Six decimals of a degree are 0.1 m.
    for site, point in points.items():
        if sites.geometry[site].distance(point) > 2e-6:
            raise NotSo(f"the place of site {site} in ranking.csv is not inside its polygon")
    return "the place of every candidate is inside it"


CHECKS: tuple[tuple[str, Callable[[Evidence], str]], ...] = (
    ("areas", _areas),
    ("places", _points),
    ("allowed land", _allowed),
    ("scores", _scores),
    ("candidate spacing", _apart),
)
"""Name and question of each check."""
