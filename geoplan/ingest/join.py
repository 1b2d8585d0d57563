"""Attributes from a second file, matched by key, by place, or by both; both remainders told."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from geoplan.catalogue.pack import Join
from geoplan.errors import InputError, UnknownName
from geoplan.ingest.columns import as_text
from geoplan.ingest.findings import Findings, listed
from geoplan.persian import likeness, search_key

__all__ = ["earth_xyz", "join"]

_EARTH_KM = 6371.0088


def earth_xyz(points: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return points (lon, lat in degrees; shape (n, 2)) on the mean sphere, km, shape (n, 3).

    Straight distances between them are chords; for 100 km the chord is 1 m short.
    """
    lon, lat = np.radians(np.asarray(points, dtype=np.float64)).T
    on_unit_sphere = np.column_stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    )
    scaled: npt.NDArray[np.float64] = _EARTH_KM * on_unit_sphere
    return scaled


def _places(frame: pd.DataFrame, rule: Join | None, where: str) -> npt.NDArray[np.float64]:
    if isinstance(frame, gpd.GeoDataFrame):
        on = frame.geometry.to_crs(4326).representative_point()
        return np.column_stack([shapely.get_x(on.array), shapely.get_y(on.array)])
    if rule is None or rule.lon is None or rule.lat is None:
        raise InputError(
            "'near_km' needs places, and this is a table",
            where=where,
            remedy="name its columns in 'lon' and 'lat', or take a file with geometry",
        )
    numbers = frame[[rule.lon, rule.lat]].apply(pd.to_numeric, errors="coerce")
    return np.asarray(numbers, dtype=np.float64)


def _keys(frame: pd.DataFrame, columns: list[str], rule: Join, where: str) -> pd.Series:
    absent = [c for c in columns if c not in frame.columns]
    if absent:
        raise UnknownName(
            f"a join on unknown columns {', '.join(map(repr, absent))}",
            where=where,
            remedy=f"columns: {listed([c for c in frame.columns if c != 'geometry'], most=40)}",
        )
    parts = [as_text(frame[c]) for c in columns]
    if rule.normalise:
        parts = [p.map(lambda v: search_key(v) or None if v is not None else None) for p in parts]
    return pd.Series(
        [
            None if any(v is None for v in values) else "\x1f".join(values)
            for values in zip(*parts, strict=True)
        ],
        index=frame.index,
        dtype=object,
    )


def _by_place(frame: pd.DataFrame, there: pd.DataFrame, rule: Join, where: str) -> pd.DataFrame:
    """Return one row per matched row of ``there``: its position, the row here, the distance."""
    here_xy, there_xy = _places(frame, None, where), _places(there, rule, rule.file)
    here_at = np.flatnonzero(np.isfinite(here_xy).all(axis=1))
    there_at = np.flatnonzero(np.isfinite(there_xy).all(axis=1))
    columns = ["there", "here", "order"]
    if not len(here_at) or not len(there_at) or rule.near_km is None:
        return pd.DataFrame(columns=columns)
    tree = cKDTree(earth_xyz(here_xy[here_at]))
    sought = earth_xyz(there_xy[there_at])
    near = tree.query_ball_point(sought, rule.near_km)
    names_here: list[str | None] | None = None
    names_there: list[str | None] | None = None
    if rule.on:
        (a, b), *_ = rule.on.items()
        _keys(frame, list(rule.on), rule, where)
        _keys(there, list(rule.on.values()), rule, rule.file)
        names_here, names_there = as_text(frame[a]).tolist(), as_text(there[b]).tolist()
    least = 1.0 if rule.similarity is None else rule.similarity
    rows: list[tuple[int, int, tuple[float, float]]] = []
    for i, candidates in enumerate(near):
        best: tuple[tuple[float, float], int] | None = None
        for c in sorted(candidates):
            km = float(np.linalg.norm(tree.data[c] - sought[i]))
            alike = 0.0
            if names_here is not None and names_there is not None:
                one, two = names_here[here_at[c]], names_there[there_at[i]]
                alike = likeness(one or "", two or "")
                if alike < least:
                    continue
            order = (-round(alike, 6), km)
            if best is None or order < best[0]:
                best = (order, int(here_at[c]))
        if best is not None:
            rows.append((int(there_at[i]), best[1], best[0]))
    return pd.DataFrame(rows, columns=columns).sort_values("order", kind="stable")


def _telling(rule: Join) -> list[str]:
    """Return the columns that tell a person which row of the second file is meant."""
    return [*rule.on.values(), *(c for c, how in rule.take.items() if how == "first")][:3]


def _label(frame: pd.DataFrame, columns: list[str]) -> pd.Series:
    shown = [c for c in columns if c in frame.columns] or [
        c for c in frame.columns if c != "geometry"
    ][:1]
    return frame[shown].apply(lambda row: " ".join(str(v) for v in row), axis=1)


def join(frame: pd.DataFrame, there: pd.DataFrame, rule: Join, findings: Findings) -> pd.DataFrame:
    """Add columns of ``there`` to ``frame``; no row of ``frame`` is added or lost.

    Parameters
    ----------
    frame : DataFrame or GeoDataFrame
        The rows that receive.
    there : DataFrame or GeoDataFrame
        The second file, already renamed and selected.
    rule : Join
        How rows match and how several become one.
    findings : Findings
        Receives what matched nothing, on both sides, with the first names.

    Raises
    ------
    UnknownName
        A column of the rule is not there.
    """
    absent = [c for c in rule.take if c not in there.columns and rule.take[c] != "count"]
    if absent:
        raise UnknownName(
            f"the join takes unknown columns {', '.join(map(repr, absent))}",
            where=rule.file,
            remedy=f"columns: {listed([c for c in there.columns if c != 'geometry'], most=40)}",
        )
    here_columns, there_columns = list(rule.on), list(rule.on.values())
    if rule.near_km is not None:
        pairs = _by_place(frame, there, rule, findings.where)
        here_key = pd.Series(np.arange(len(frame)), index=frame.index)
        matched = there.iloc[pairs["there"].to_numpy(int)].assign(_key=pairs["here"].to_numpy(int))
        lost = np.setdiff1d(np.arange(len(there)), pairs["there"].to_numpy(int))
        unmatched_there = there.iloc[lost]
    else:
        here_key = _keys(frame, here_columns, rule, findings.where)
        keyed = there.assign(_key=_keys(there, there_columns, rule, rule.file))
        matched = keyed[keyed["_key"].isin(set(here_key.dropna()))]
        unmatched_there = keyed[~keyed.index.isin(matched.index)].drop_duplicates("_key")
    grouped = matched.groupby("_key", sort=False)
    frame = frame.copy()
    for column, how in rule.take.items():
        if how == "count":
            taken = grouped.size()
        elif how == "first":
            taken = grouped[column].first()
        else:
            numeric = pd.to_numeric(matched[column], errors="coerce").groupby(matched["_key"])
            taken = numeric.sum(min_count=1) if how == "sum" else getattr(numeric, how)()
        found = here_key.map(taken)
        if rule.fill and column in frame.columns:
            found = frame[column].astype(object).where(frame[column].notna(), found)
        frame[column] = found
    without = ~here_key.isin(matched["_key"])
    if bool(without.any()) and rule.near_km is None:
        names = _label(frame[without], here_columns)
        findings.add(
            "join-unmatched",
            f"{int(without.sum()):,} of {len(frame):,} rows match nothing in {rule.file}: "
            f"{listed(names.unique())}",
            "left as they are" if rule.fill else f"{', '.join(rule.take)} stay empty there",
            severity="info" if rule.fill else "warning",
            count=int(without.sum()),
        )
    if len(unmatched_there):
        findings.add(
            "join-left-over",
            f"{len(unmatched_there):,} rows of {rule.file} match nothing here: "
            f"{listed(_label(unmatched_there, _telling(rule)).unique())}",
            "not used",
            severity="info",
            count=len(unmatched_there),
        )
    return frame
