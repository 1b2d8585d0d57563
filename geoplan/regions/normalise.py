"""Indicators on one scale, 1 (or the larger z-score) being the most industrialised."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from geoplan.catalogue.composite import Normalisation
from geoplan.errors import Problem, ProblemsFound, ShapeError

__all__ = ["goalposts", "normalised"]

FloatArray = npt.NDArray[np.float64]


def goalposts(
    values: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, *, reverse: bool = False
) -> FloatArray:
    """Return where values lie between two goalposts.

    Parameters
    ----------
    values : array_like of float
        NaN stays NaN.
    low, high : array_like of float
        Goalposts in the same unit, ``low < high``; they broadcast against the values.
    reverse : bool
        The low goalpost is the best.

    Returns
    -------
    ndarray of float64, 0–1

    Notes
    -----
    ``clip((x − low) / (high − low), 0, 1)`` (as in the Human Development Index; COINr
    ``n_goalposts``).

    Examples
    --------
    >>> goalposts([1.0, 11.0, -1.0], 0.0, 10.0).tolist()
    [0.1, 1.0, 0.0]
    """
    x = np.asarray(values, dtype=np.float64)
    a, b = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    scaled = np.clip((x - a) / (b - a), 0.0, 1.0)
    return np.asarray(1.0 - scaled if reverse else scaled)


def normalised(
    values: FloatArray,
    method: Normalisation,
    *,
    more: npt.NDArray[np.bool_],
    names: Sequence[str],
    bounds: FloatArray | None = None,
    targets: FloatArray | None = None,
) -> FloatArray:
    """Return indicators on one scale, higher being more industrialised.

    Parameters
    ----------
    values : ndarray of float64, shape (regions, indicators)
        NaN where not known.
    method : {"minmax", "zscore", "rank", "goalposts", "target"}
    more : ndarray of bool, shape (indicators,)
        True where a higher value is more industrialised.
    names : sequence of str
        Ids of the indicators, for messages.
    bounds : ndarray of float64, shape (2, indicators), optional
        Low and high goalposts, for ``goalposts``.
    targets : ndarray of float64, shape (indicators,), optional
        For ``target``.

    Returns
    -------
    ndarray of float64, shape (regions, indicators)
        0–1; of ``zscore``: mean 0, standard deviation 1. NaN stays NaN.

    Raises
    ------
    ProblemsFound
        Indicators without a value, or with the same value everywhere (not for ``goalposts``,
        which do not look at other regions); targets that the worst region has reached. All are
        named.
    ShapeError
        ``bounds`` or ``targets`` are needed and absent.

    Notes
    -----
    minmax ``(x − min) / (max − min)``; zscore ``(x − mean) / sd``, sd with the divisor n; rank
    ``(r − 1) / (n − 1)``, ties sharing the mean rank; goalposts: see `goalposts`; target
    ``min(1, (x − worst) / (target − worst))``, worst being the least industrialised value that
    occurs (OECD/JRC Handbook 2008, §5; COINr ``n_dist2targ``). ``less`` turns 0–1 scales round
    and changes the sign of z-scores.
    """
    if method == "goalposts":
        if bounds is None:
            raise ShapeError("goalposts were not given", remedy="give two for each indicator")
        scaled = goalposts(values, bounds[0], bounds[1])
        return np.asarray(np.where(more, scaled, 1.0 - scaled))
    _refuse_constant(values, names)
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    if method == "minmax":
        scaled = (values - low) / (high - low)
        return np.asarray(np.where(more, scaled, 1.0 - scaled))
    if method == "zscore":
        scaled = (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)
        return np.asarray(np.where(more, scaled, -scaled))
    if method == "rank":
        order = rankdata(values, axis=0, nan_policy="omit")
        scaled = (order - 1) / (np.isfinite(values).sum(axis=0) - 1)
        return np.asarray(np.where(more, scaled, 1.0 - scaled))
    if targets is None:
        raise ShapeError("targets were not given", remedy="give one for each indicator")
    worst = np.where(more, low, high)
    span = targets - worst
    reached = np.flatnonzero(np.where(more, span <= 0, span >= 0))
    if len(reached):
        raise ProblemsFound(
            f"{len(reached)} targets are reached by every region",
            [
                Problem(
                    f"indicator '{names[j]}'",
                    f"target {targets[j]:g}; the worst region has {worst[j]:g}",
                    "set a target that some region has not reached",
                    code="target-reached",
                )
                for j in reached.tolist()
            ],
        )
    return np.asarray(np.minimum((values - worst) / span, 1.0))


def _refuse_constant(values: FloatArray, names: Sequence[str]) -> None:
    problems = []
    for j, name in enumerate(names):
        known = values[:, j][~np.isnan(values[:, j])]
        if not known.size:
            problems.append(
                Problem(f"indicator '{name}'", "no region has a value",
                        "load its facts, or leave the indicator out", code="indicator-empty",
                        count=len(values))
            )  # fmt: skip
        elif known.min() == known.max():
            problems.append(
                Problem(f"indicator '{name}'",
                        f"{known[0]:g} in all {known.size} regions: it tells none apart",
                        "leave the indicator out", code="indicator-constant", count=known.size)
            )  # fmt: skip
    if problems:
        raise ProblemsFound(f"{len(problems)} indicators cannot be normalised", problems)
