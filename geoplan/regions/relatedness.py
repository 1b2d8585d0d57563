"""Which activities go together, and how near a region's activities are to one it has not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from geoplan.errors import RangeError

__all__ = ["companions", "density", "proximity", "specialised"]


def specialised(quotients: pd.DataFrame, *, above: float = 1.0) -> pd.DataFrame:
    """Return which regions are specialised in which activities.

    Parameters
    ----------
    quotients : DataFrame, index region, columns activity
        Location quotients (revealed comparative advantage, Balassa 1965); NaN unknown.
    above : float
        Quotient above which a region is specialised.

    Returns
    -------
    DataFrame of float
        1 specialised, 0 not, NaN unknown.
    """
    return (quotients > above).astype(float).where(quotients.notna())


def proximity(presence: pd.DataFrame) -> pd.DataFrame:
    """Return how often activities are found together.

    Parameters
    ----------
    presence : DataFrame of float, index region, columns activity
        From `specialised`: 1, 0 or NaN.

    Returns
    -------
    DataFrame, activity × activity, 0 to 1, symmetric
        NaN on the diagonal, and where one of the two is specialised in no region where both are
        known.

    Raises
    ------
    RangeError
        A cell is neither 0, 1 nor NaN.

    Notes
    -----
    ``φ_ab = min(P(a | b), P(b | a)) = |a and b| / max(|a|, |b|)`` over regions (Hidalgo, Klinger,
    Barabási and Hausmann 2007, Science 317, equation (1)). Regions where one of the two is not
    known are left out of that pair.
    """
    m = presence.to_numpy(dtype=np.float64)
    known = ~np.isnan(m)
    if not np.isin(m[known], (0.0, 1.0)).all():
        raise RangeError("presence must be 0 or 1", remedy="pass it through specialised()")
    one = np.where(known, m, 0.0)
    both = one.T @ one
    # Where a is present and b is known at all, present or not.
    there = one.T @ known.astype(np.float64)
    larger = np.maximum(there, there.T)
    smaller = np.minimum(there, there.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = np.where(smaller > 0, both / larger, np.nan)
    np.fill_diagonal(phi, np.nan)
    return pd.DataFrame(phi, index=presence.columns, columns=presence.columns)


def density(presence: pd.DataFrame, phi: pd.DataFrame) -> pd.DataFrame:
    """Return how much of what goes with each activity each region has already.

    Parameters
    ----------
    presence : DataFrame of float, index region, columns activity
        From `specialised`.
    phi : DataFrame, activity × activity
        From `proximity`.

    Returns
    -------
    DataFrame, index region, columns activity, 0 to 1
        NaN where no other activity of the region has a known proximity above 0.

    Notes
    -----
    ``ω_ra = Σ_b M_rb φ_ab / Σ_b φ_ab`` over b ≠ a (Hidalgo et al. 2007, supporting text): the
    activity itself is left out, so a region is not near to what it has for having it.
    """
    m = presence.reindex(columns=phi.columns).to_numpy(dtype=np.float64)
    known = ~np.isnan(m)
    weight = np.nan_to_num(phi.to_numpy(dtype=np.float64))
    have = np.where(known, m, 0.0) @ weight
    could = known.astype(np.float64) @ weight
    with np.errstate(divide="ignore", invalid="ignore"):
        out = np.where(could > 0, have / could, np.nan)
    return pd.DataFrame(out, index=presence.index, columns=phi.columns)


def companions(
    presence: pd.DataFrame, phi: pd.DataFrame, region: str, activity: str, *, top: int = 3
) -> list[tuple[str, float]]:
    """Return the region's own activities that are nearest to one, with their proximity.

    Parameters
    ----------
    presence, phi : DataFrame
        As for `density`.
    region, activity : str
        The cell.
    top : int
        How many at most.

    Returns
    -------
    list of (activity, proximity)
        Nearest first; equal ones by name. Empty where none is above 0.
    """
    own = presence.loc[region]
    near = phi[activity]
    found = [
        (str(name), float(near[name]))
        for name in phi.index
        if name != activity and own.get(name) == 1.0 and near[name] > 0
    ]
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))[:top]
