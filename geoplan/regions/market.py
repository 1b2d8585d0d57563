"""Market access of regions: people within reach, the nearer the more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.errors import ShapeError

__all__ = ["market_potential", "own_distance_km"]

FloatArray = npt.NDArray[np.float64]


def own_distance_km(area_km2: npt.ArrayLike) -> FloatArray:
    """Return the mean way inside a region: ``⅔ √(area / π)``, km (Head and Mayer 2010).

    That is the mean distance of a disc's points from its centre.
    """
    return np.asarray(2 / 3 * np.sqrt(np.asarray(area_km2, dtype=np.float64) / np.pi))


def market_potential(people: npt.ArrayLike, distance_km: npt.ArrayLike) -> FloatArray:
    """Return Harris's market potential of each region.

    Parameters
    ----------
    people : array_like of float, shape (regions,), persons
        NaN where not known; such a region adds nothing to others and has none itself.
    distance_km : array_like of float, shape (regions, regions), km
        Between regions; on the diagonal the way inside (`own_distance_km`), above 0. NaN where a
        region has no place.

    Returns
    -------
    ndarray of float, shape (regions,), persons/km
        ``Σ_s people_s / d_rs`` (Harris 1954).
    """
    p = np.asarray(people, dtype=np.float64)
    d = np.asarray(distance_km, dtype=np.float64)
    if p.ndim != 1 or d.shape != (len(p), len(p)):
        raise ShapeError(
            f"{p.shape} regions and distances of shape {d.shape}",
            remedy="give a square of distances, one row per region",
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(d > 0, p[None, :] / d, np.nan)
    out = np.nansum(terms, axis=1)
    return np.where(np.isnan(np.diagonal(terms)), np.nan, out)
