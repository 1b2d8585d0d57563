"""Candidates that every plan has, and that none has, by id or by a place inside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geoplan.catalogue.portfolio import Place
from geoplan.errors import InputError, UnknownName

__all__ = ["locked_numbers", "places_to_sites"]

BoolArray = npt.NDArray[np.bool_]


def places_to_sites(
    places: Iterable[Place],
    polygons: gpd.GeoSeries,
    score: pd.Series[Any],
    *,
    every: bool,
    where: str,
) -> frozenset[str]:
    """Return the ids of the candidates that places name.

    Parameters
    ----------
    places : iterable of Place
    polygons : GeoSeries, index ``site_id``
        Outlines of the candidates in any reference system.
    score : Series, index ``site_id``
    every : bool
        Take every candidate that a place lies in (``lock_out``); otherwise the one with the best
        score (``lock_in``), as candidates that overlap exclude each other.
    where : str
        Path in the scenario, for messages.

    Raises
    ------
    UnknownName
        A place lies in no candidate, or an id is none; the message names it.
    """
    found: set[str] = set()
    for k, place in enumerate(places):
        path = f"{where}[{k}]"
        if place.site_id is not None:
            if place.site_id not in polygons.index:
                raise UnknownName(
                    f"'{place.site_id}' is not among the {len(polygons)} candidates",
                    where=path,
                    remedy="give the site_id of a candidate, or lon and lat of a place inside one",
                )
            found.add(place.site_id)
            continue
        point = gpd.GeoSeries([shapely.Point(place.lon, place.lat)], crs="EPSG:4326")
        at = point.to_crs(polygons.crs).iloc[0]
        inside = polygons.index[polygons.intersects(at)]
        if not len(inside):
            raise UnknownName(
                f"no candidate lies at lon {place.lon:g}, lat {place.lat:g}",
                where=path,
                remedy="name the candidate by its site_id, or seed one there",
            )
        best = score.loc[inside].sort_index().sort_values(ascending=False, kind="stable")
        found.update(str(s) for s in (inside if every else best.index[:1]))
    return frozenset(found)


def locked_numbers(
    lock_in: frozenset[str], lock_out: frozenset[str], number: Mapping[str, int]
) -> tuple[tuple[int, ...], BoolArray]:
    """Return the sites that are locked in, and a flag for each that is locked out.

    Raises
    ------
    UnknownName, InputError
        A lock names no candidate, or one both ways.
    """
    for name, locks in (("lock_in", lock_in), ("lock_out", lock_out)):
        unknown = sorted(s for s in locks if s not in number)
        if unknown:
            raise UnknownName(
                f"{name} names site {unknown[0]}, which is not among the {len(number)} candidates",
                where="portfolio",
                remedy="give the site_id of a candidate, or a place inside one",
            )
    both = sorted(lock_in & lock_out)
    if both:
        raise InputError(
            f"site {both[0]} is in lock_in and in lock_out",
            where="portfolio",
            remedy="take it out of one of the two",
        )
    barred = np.zeros(len(number), dtype=np.bool_)
    barred[[number[s] for s in lock_out]] = True
    return tuple(sorted(number[s] for s in lock_in)), barred
