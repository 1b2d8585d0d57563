"""Which sources can serve which sites, how far away, and at what cost of line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pandas as pd
from pyproj import Geod
from scipy.spatial import cKDTree

from geoplan.catalogue.scenario import RESOURCE_UNITS, RESOURCES, SupplySpec
from geoplan.catalogue.text import Text
from geoplan.errors import InputError, RangeError, ShapeError

__all__ = ["LINK_COLUMNS", "PERSIAN", "Routes", "links", "supply_warnings"]

Routes: TypeAlias = Callable[[pd.DataFrame], pd.DataFrame] | pd.DataFrame
"""Lengths of least-cost paths: a table, or what makes one from the pairs that need it."""

LINK_COLUMNS = (
    "site_id",
    "resource",
    "source_id",
    "distance_km",
    "route_km",
    "line_cost",
    "unit_cost",
)

PERSIAN = {"water": "آب", "power": "برق", "wastewater": "فاضلاب"}
_GEOD = Geod(ellps="WGS84")
_EARTH_KM = 6371.0
# A sphere is within 0.6 % of the ellipsoid; the prefilter must never lose a source.
_SPHERE_MARGIN = 1.01


def _unit_vectors(lon: np.ndarray, lat: np.ndarray) -> np.ndarray:
    lam, phi = np.radians(lon), np.radians(lat)
    return np.column_stack([np.cos(phi) * np.cos(lam), np.cos(phi) * np.sin(lam), np.sin(phi)])


def _check_columns(frame: pd.DataFrame, needed: tuple[str, ...], name: str) -> None:
    missing = [c for c in needed if c not in frame.columns]
    if missing:
        raise ShapeError(
            f"{name} lack the columns {', '.join(missing)}",
            remedy=f"give a frame with {', '.join(needed)}",
        )


def _check_places(frame: pd.DataFrame, key: str) -> None:
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        bad = ~((np.abs(lon) <= 180) & (np.abs(lat) <= 90))
    if bad.any():
        i = int(np.flatnonzero(bad)[0])
        raise RangeError(
            f"{key} {frame[key].iloc[i]} lies at lon {lon[i]}, lat {lat[i]}",
            remedy="give a position in degrees: lon −180 to 180, lat −90 to 90",
        )
    twice = frame[key][frame[key].duplicated()]
    if len(twice):
        raise InputError(f"{key} {twice.iloc[0]} occurs twice", remedy="give every key once")


def _check_sources(sources: pd.DataFrame) -> None:
    for row in sources[["source_id", "resource", "headroom", "unit"]].itertuples(index=False):
        if row.resource not in RESOURCE_UNITS:
            raise InputError(
                f"source {row.source_id} supplies '{row.resource}'",
                remedy=f"resources are {', '.join(RESOURCES)}",
            )
        wanted = RESOURCE_UNITS[row.resource]
        if row.unit != wanted:
            raise InputError(
                f"source {row.source_id} counts {row.resource} in '{row.unit}', "
                f"sites in '{wanted}'",
                remedy=f"convert its headroom to {wanted} in the pack",
            )
        known = row.headroom is not None and not pd.isna(row.headroom)
        if known and (row.headroom < 0 or not np.isfinite(row.headroom)):
            raise RangeError(
                f"source {row.source_id} has a headroom of {row.headroom:g} {row.unit}",
                remedy="headroom is capacity − committed and is 0 or more; mend the figures",
            )


def supply_warnings(sources: pd.DataFrame) -> tuple[Text, ...]:
    """Return one notice per resource that has sources whose headroom is not known.

    Parameters
    ----------
    sources : DataFrame
        ``resource`` and ``headroom`` (NULL: not known) at least.
    """
    lines = []
    for resource in RESOURCES:
        part = sources[sources["resource"] == resource]
        unknown = int(part["headroom"].isna().sum())
        if unknown:
            lines.append(
                Text(
                    en=f"{unknown} of {len(part)} {resource} sources have no known headroom "
                    "and are not used as sources",
                    fa=f"ظرفیت آزاد {unknown} منبع از {len(part)} منبع {PERSIAN[resource]} معلوم "
                    "نیست و از آن‌ها استفاده نشد",
                )
            )
    return tuple(lines)


def links(
    sites: pd.DataFrame,
    sources: pd.DataFrame,
    supply: SupplySpec,
    *,
    routes: Routes | None = None,
) -> pd.DataFrame:
    """Return the possible lines from sites to sources.

    Parameters
    ----------
    sites : DataFrame
        ``site_id``, ``lon``, ``lat`` (degrees).
    sources : DataFrame
        ``source_id``, ``resource``, ``kind``, ``headroom``, ``unit``, ``basis``, ``name_en``,
        ``name_local``, ``lon``, ``lat``. A source with NULL headroom is not used (see
        `supply_warnings`), nor is one with headroom 0 unless it may be reinforced.
    supply : SupplySpec
        Reach, number of sources, route and costs of each resource.
    routes : DataFrame or callable, optional
        For resources with ``route: least_cost``: ``site_id``, ``resource``, ``source_id``,
        ``route_km`` (length of the path) and, where the ground makes a kilometre dearer,
        ``route_cost_km`` (kilometres that cost as much as the path). A callable is given the
        pairs (``site_id``, ``resource``, ``source_id``, ``distance_km``) once and returns this.
        A pair that is absent or NaN has no line.

    Returns
    -------
    DataFrame
        ``site_id``, ``resource``, ``source_id``, ``distance_km`` (geodesic on WGS 84, at most
        ``max_km``), ``route_km`` (distance × route factor, or the path's length), ``line_cost``
        (route, or its cost in kilometres, × cost per km), ``unit_cost``. For each site and
        resource the nearest ``max_sources``, nearest first, ties by ``source_id``; sites in the
        order given, resources in the order of ``RESOURCES``.

    Raises
    ------
    RangeError
        A headroom is negative or a position impossible; the message names the source or site.
    InputError
        A unit or resource does not fit, or a least-cost path is asked for and no routes are
        given; the message names the source or resource.
    """
    _check_columns(sites, ("site_id", "lon", "lat"), "sites")
    _check_columns(sources, ("source_id", "resource", "headroom", "unit", "lon", "lat"), "sources")
    _check_sources(sources)
    _check_places(sites, "site_id")
    _check_places(sources, "source_id")
    parts: list[pd.DataFrame] = []
    slon, slat = sites["lon"].to_numpy(dtype=float), sites["lat"].to_numpy(dtype=float)
    site_ids = sites["site_id"].to_numpy()
    for order, resource in enumerate(RESOURCES):
        spec = getattr(supply, resource)
        headroom = pd.to_numeric(sources["headroom"])
        has = headroom.notna() if spec.reinforcement is not None else headroom > 0
        usable = sources[(sources["resource"] == resource) & has]
        usable = usable.sort_values("source_id", kind="stable")
        if usable.empty or not len(sites):
            continue
        ulon, ulat = usable["lon"].to_numpy(dtype=float), usable["lat"].to_numpy(dtype=float)
        angle = min(spec.max_km * _SPHERE_MARGIN / _EARTH_KM, np.pi)
        tree = cKDTree(_unit_vectors(ulon, ulat))
        near = tree.query_ball_point(
            _unit_vectors(slon, slat), 2 * np.sin(angle / 2) + 1e-12, return_sorted=True
        )
        counts = np.fromiter((len(n) for n in near), dtype=np.int64, count=len(near))
        if not counts.sum():
            continue
        i = np.repeat(np.arange(len(sites)), counts)
        s = np.concatenate([np.asarray(n, dtype=np.int64) for n in near])
        km = np.asarray(_GEOD.inv(slon[i], slat[i], ulon[s], ulat[s])[2]) / 1000.0
        keep = km <= spec.max_km
        i, s, km = i[keep], s[keep], km[keep]
        by_distance = np.lexsort((s, km, i))
        i, s, km = i[by_distance], s[by_distance], km[by_distance]
        first = np.searchsorted(i, i, side="left")
        nearest = (np.arange(len(i)) - first) < spec.max_sources
        i, s, km = i[nearest], s[nearest], km[nearest]
        route = km * spec.route_factor
        parts.append(
            pd.DataFrame(
                {
                    "site_id": site_ids[i],
                    "resource": resource,
                    "source_id": usable["source_id"].to_numpy()[s],
                    "distance_km": km,
                    "route_km": route,
                    "line_cost": route * spec.cost_per_km,
                    "unit_cost": float(spec.cost_per_unit),
                    "_i": i,
                    "_r": order,
                }
            )
        )
    if not parts:
        return pd.DataFrame({c: pd.Series(dtype=_DTYPES.get(c, float)) for c in LINK_COLUMNS})
    table = pd.concat(parts, ignore_index=True).sort_values(["_i", "_r"], kind="stable")
    return _routed(table[list(LINK_COLUMNS)].reset_index(drop=True), supply, routes)


def _routed(table: pd.DataFrame, supply: SupplySpec, routes: Routes | None) -> pd.DataFrame:
    """Put the least-cost paths in the place of the straight lines, where they are asked for."""
    wanted = [r for r in RESOURCES if getattr(supply, r).route == "least_cost"]
    mine = table["resource"].isin(wanted)
    if not mine.any():
        return table
    if routes is None:
        raise InputError(
            f"lines of {wanted[0]} follow the least-cost path and no paths are given",
            where=f"supply.{wanted[0]}.route",
            remedy="give the paths to 'links', or say 'route: straight'",
        )
    key = ["site_id", "resource", "source_id"]
    pairs = table.loc[mine, [*key, "distance_km"]].reset_index(drop=True)
    found = routes(pairs) if callable(routes) else routes
    _check_columns(found, (*key, "route_km"), "routes")
    if found.duplicated(key).any():
        row = found.loc[found.duplicated(key)].iloc[0]
        raise ShapeError(
            f"site {row['site_id']} has two routes to {row['source_id']}",
            remedy="give one route for each pair",
        )
    columns = [c for c in ("route_km", "route_cost_km") if c in found.columns]
    path = pairs.merge(found[[*key, *columns]], on=key, how="left")
    km = path["route_km"].to_numpy(dtype=np.float64)
    dear = path["route_cost_km"].to_numpy(dtype=np.float64) if len(columns) > 1 else km
    with np.errstate(invalid="ignore"):
        bad = (km < 0) | (dear < 0)
    if bad.any():
        row = path.iloc[int(np.flatnonzero(bad)[0])]
        raise RangeError(
            f"the route from site {row['site_id']} to {row['source_id']} is negative",
            remedy="a route is 0 km or more; NaN where there is none",
        )
    price = path["resource"].map({r: getattr(supply, r).cost_per_km for r in wanted})
    table = table.copy()
    table.loc[mine, "route_km"] = km
    table.loc[mine, "line_cost"] = dear * price.to_numpy(dtype=np.float64)
    lost = table["route_km"].isna() | table["line_cost"].isna()
    return table[~lost].reset_index(drop=True)


_DTYPES = {"site_id": object, "resource": object, "source_id": object}
