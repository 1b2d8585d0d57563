"""Two runs side by side: what was asked, on which data, and what became of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geoplan.errors import FileMissing, InputError
from geoplan.studies.record import read_document

__all__ = ["Change", "RunComparison", "compare_runs", "match_sites"]

OVERLAP = 0.5
"""Least share of common land (intersection over union) at which two candidates are one place."""

_SILENT = ("title", "notes")
_RESULTS = ("objective", "bound", "gap", "status", "seconds", "nodes")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs: its path, and what it is in either run (None: not there)."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True)
class RunComparison:
    """What differs between two runs.

    Parameters
    ----------
    before, after : str
        Run ids.
    scenario, profile, software : tuple of Change
        What differs in the question, in the country's rules and in the programs.
    layers : tuple of Change
        Layer id → the version read, where the data differ (by sha256).
    weights : DataFrame
        ``criterion``, ``before``, ``after``; criteria of either run.
    result : tuple of Change
        Status, objective, bound, gap of the plan; sites and candidates.
    sites : DataFrame
        Sites of either plan, in the order of the first, then the second: ``before``, ``after``
        (site ids, None where there is none), ``change`` (``kept``, ``left``, ``entered``),
        ``rank_before``, ``rank_after``, ``score_before``, ``score_after``, ``overlap``.
    matched : int
        Candidates of the first run that are the same place as one of the second.
    kendall_tau : float
        Kendall's τ-b of the ranks of the matched candidates; NaN with fewer than two.
    """

    before: str
    after: str
    scenario: tuple[Change, ...]
    profile: tuple[Change, ...]
    software: tuple[Change, ...]
    layers: tuple[Change, ...]
    weights: pd.DataFrame
    result: tuple[Change, ...]
    sites: pd.DataFrame
    matched: int
    kendall_tau: float


def compare_runs(before: Path, after: Path) -> RunComparison:
    """Compare two run folders, from their files alone.

    Parameters
    ----------
    before, after : Path
        Run folders.

    Raises
    ------
    FileMissing
        A folder lacks a file.
    InputError
        The runs are of two countries.

    Notes
    -----
    Site ids are given anew in each run, so places are matched by land: two candidates are the
    same place where their common land is at least half of the land of both together (each the
    other's best). Areas are measured in the analysis CRS of the first run, which is equal-area.
    """
    a, b = read_document(before), read_document(after)
    if a["profile"]["id"] != b["profile"]["id"]:
        raise InputError(
            f"run {a['run_id']} is of {a['profile']['id']}, run {b['run_id']} of "
            f"{b['profile']['id']}",
            where="run",
            remedy="compare two runs of one country",
        )
    first, second = _ranking(before), _ranking(after)
    places = match_sites(
        _outlines(before, a["grid"]["crs"]), _outlines(after, a["grid"]["crs"]), least=OVERLAP
    )
    one = first["rank"].reindex(places["before"]).to_numpy(dtype=float)
    two = second["rank"].reindex(places["after"]).to_numpy(dtype=float)
    return RunComparison(
        before=str(a["run_id"]),
        after=str(b["run_id"]),
        scenario=tuple(_differences(a["scenario"], b["scenario"], skip=_SILENT)),
        profile=tuple(
            _differences(a["profile"]["document"], b["profile"]["document"], skip=_SILENT)
        ),
        software=tuple(_differences(a.get("software", {}), b.get("software", {}))),
        layers=tuple(_layers(a.get("layers", {}), b.get("layers", {}))),
        weights=_weights(a["weights"], b["weights"]),
        result=tuple(_results(a, b)),
        sites=_plan(first, second, places),
        matched=len(places),
        kendall_tau=_tau(one, two),
    )


def _tau(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> float:
    if len(a) < 2:
        return float("nan")
    from scipy.stats import kendalltau

    return float(kendalltau(a, b).statistic)


def match_sites(
    before: gpd.GeoSeries, after: gpd.GeoSeries, *, least: float = OVERLAP
) -> pd.DataFrame:
    """Return which sites of two runs are the same place.

    Parameters
    ----------
    before, after : GeoSeries of polygons, index site ids, one equal-area CRS
    least : float
        Least intersection over union, above 0 and at most 1.

    Returns
    -------
    DataFrame
        ``before``, ``after``, ``overlap``; each site at most once, the pairs of the greatest
        overlap first served; in the order of ``before``.
    """
    i, j = after.sindex.query(before.to_numpy(), predicate="intersects")
    one, two = _valid(before.to_numpy())[i], _valid(after.to_numpy())[j]
    # The union of two is what both cover less what they share: no union need be built.
    common = shapely.area(shapely.intersection(one, two))
    # Rounding may carry the common land a hair beyond the whole.
    share = np.minimum(common / (shapely.area(one) + shapely.area(two) - common), 1.0)
    taken_i: set[int] = set()
    taken_j: set[int] = set()
    rows = []
    for k in np.lexsort((j, i, -share)):
        if share[k] < least or i[k] in taken_i or j[k] in taken_j:
            continue
        taken_i.add(i[k])
        taken_j.add(j[k])
        rows.append((int(i[k]), before.index[i[k]], after.index[j[k]], float(share[k])))
    rows.sort()
    return pd.DataFrame([r[1:] for r in rows], columns=["before", "after", "overlap"])


def _valid(shapes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return outlines that can be intersected: one that touches itself may cross when turned."""
    out = np.array(shapes, dtype=object)
    bad = ~shapely.is_valid(out)
    out[bad] = shapely.make_valid(out[bad])
    return out


def _ranking(folder: Path) -> pd.DataFrame:
    path = folder / "ranking.csv"
    if not path.is_file():
        raise FileMissing("the run has no ranking.csv", where=str(path))
    frame = pd.read_csv(path, dtype={"site_id": str}, low_memory=False)
    return frame.set_index("site_id")


def _outlines(folder: Path, crs: str) -> gpd.GeoSeries:
    path = folder / "sites.gpkg"
    if not path.is_file():
        raise FileMissing("the run has no sites.gpkg", where=str(path))
    frame = gpd.read_file(path, layer="sites", columns=["site_id"]).set_index("site_id")
    return gpd.GeoSeries(frame.geometry.to_crs(crs))


def _differences(a: Any, b: Any, *, path: str = "", skip: tuple[str, ...] = ()) -> Iterator[Change]:
    """Yield what differs, deepest path first named; lists of named things by their ids."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for key in dict.fromkeys([*a, *b]):
            if key not in skip:
                at = f"{path}.{key}" if path else str(key)
                yield from _differences(a.get(key), b.get(key), path=at, skip=skip)
        return
    if _named(a) and _named(b):
        left, right = {x["id"]: x for x in a}, {x["id"]: x for x in b}
        for key in dict.fromkeys([*left, *right]):
            yield from _differences(left.get(key), right.get(key), path=f"{path}[{key}]", skip=skip)
        return
    if a != b:
        yield Change(path, a, b)


def _named(value: Any) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(x, Mapping) and "id" in x for x in value)
    )


def _layers(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*a, *b}):
        one, two = a.get(name), b.get(name)
        if one is None or two is None or one.get("sha256") != two.get("sha256"):
            yield Change(name, _version(one), _version(two))


def _version(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {k: record.get(k) for k in ("version", "rows", "loaded_at", "sha256") if k in record}


def _weights(a: Mapping[str, float], b: Mapping[str, float]) -> pd.DataFrame:
    names = list(dict.fromkeys([*a, *b]))
    return pd.DataFrame(
        {
            "criterion": names,
            "before": [a.get(n, np.nan) for n in names],
            "after": [b.get(n, np.nan) for n in names],
        }
    )


def _results(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Change]:
    for name in _RESULTS[:4]:
        one, two = a["solver"].get(name), b["solver"].get(name)
        if one != two:
            yield Change(name, one, two)
    for name in ("sites", "candidates"):
        if a.get(name) != b.get(name):
            yield Change(name, a.get(name), b.get(name))


def _plan(first: pd.DataFrame, second: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """Return the sites of either plan with what became of them."""
    forward = dict(zip(places["before"], places["after"], strict=True))
    backward = dict(zip(places["after"], places["before"], strict=True))
    overlap = dict(zip(places["before"], places["overlap"], strict=True))
    in_first = [str(s) for s in first.index[first["in_portfolio"]]]
    in_second = [str(s) for s in second.index[second["in_portfolio"]]]
    chosen = set(in_second)
    rows: list[dict[str, Any]] = []

    def row(one: str | None, two: str | None, change: str) -> None:
        rows.append(
            {
                "before": one,
                "after": two,
                "change": change,
                "rank_before": first["rank"].get(one, np.nan),
                "rank_after": second["rank"].get(two, np.nan),
                "score_before": first["score"].get(one, np.nan),
                "score_after": second["score"].get(two, np.nan),
                "overlap": overlap.get(one, np.nan) if one is not None else np.nan,
            }
        )

    for site in in_first:
        other = forward.get(site)
        row(site, other, "kept" if other in chosen else "left")
    kept = {forward.get(s) for s in in_first}
    for site in in_second:
        if site not in kept:
            row(backward.get(site), site, "entered")
    columns = [
        "before", "after", "change", "rank_before", "rank_after", "score_before", "score_after",
        "overlap",
    ]  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    for name in ("before", "after"):
        # A column of text would turn None into NaN, which is true and no id.
        found[name] = pd.Series([r[name] for r in rows], dtype=object)
    return found
