"""Inequality between regions: Gini, Hoover, Theil's two measures, Atkinson, concentration.

Every function takes the amount **per person** (or per whatever the weight counts) of each region
and, where regions count unequally, their weights. Missing values are refused and not passed over:
whoever calls decides which regions are left out, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError

__all__ = [
    "Parts",
    "atkinson",
    "between_within",
    "gini",
    "hhi",
    "hoover",
    "theil_l",
    "theil_t",
]

FloatArray = npt.NDArray[np.float64]


def _checked(
    values: npt.ArrayLike, weights: npt.ArrayLike | None, what: str
) -> tuple[FloatArray, FloatArray]:
    """Return values and weights that sum to 1; regions of weight 0 are dropped."""
    y = np.asarray(values, dtype=np.float64)
    w = np.ones(len(y)) if weights is None else np.asarray(weights, dtype=np.float64)
    if y.ndim != 1 or w.shape != y.shape:
        raise ShapeError(
            f"{what}: values have shape {y.shape}, weights {w.shape}",
            remedy="give one value and one weight per region",
        )
    for name, a in (("value", y), ("weight", w)):
        bad = np.flatnonzero(~np.isfinite(a) | (a < 0))
        if len(bad):
            raise RangeError(
                f"{what}: the {name} of region number {bad[0]} is {a[bad[0]]:g}",
                remedy="leave out regions without a figure; none may be below 0",
            )
    total = w.sum()
    if len(y) and not total > 0:
        raise RangeError(f"{what}: no region has a weight above 0", remedy="give the people")
    keep = w > 0
    return y[keep], w[keep] / total if total > 0 else w[keep]


def gini(
    values: npt.ArrayLike, *, weights: npt.ArrayLike | None = None, normalised: bool = False
) -> float:
    """Return the Gini coefficient: half the mean difference of two persons over the mean.

    Parameters
    ----------
    values : array_like of float, shape (regions,), ≥ 0
        Amount per person.
    weights : array_like of float, shape (regions,), ≥ 0, optional
        People; absent: every region counts the same.
    normalised : bool
        Times ``n / (n − 1)``, so that all in one of n equal regions is 1. Without weights only.

    Returns
    -------
    float, 0 (all equal) to below 1
        NaN where there is no region, or nothing to share out.

    Raises
    ------
    ShapeError, RangeError
        Shapes differ; a value or weight is missing or below 0; normalised with weights.

    Notes
    -----
    ``Σ_r Σ_s p_r p_s |y_r − y_s| / (2 ȳ)`` with p the shares of the people (Gini 1912; Sen 1973,
    eq. 2.8.1), computed from the sorted values in O(n log n): with the regions sorted by y and P
    the share of people up to and with r, it is ``Σ_r p_r y_r (2 P_r − p_r − 1) / ȳ``.

    Examples
    --------
    >>> round(gini([20, 50, 20, 10]), 6), round(gini([20, 50, 20, 10], normalised=True), 6)
    (0.3, 0.4)
    """
    y, p = _checked(values, weights, "Gini")
    mean = float((p * y).sum())
    if not mean > 0:
        return float("nan")
    if normalised and weights is not None:
        raise RangeError(
            "a weighted Gini has no factor n / (n − 1)", remedy="ask for one of the two"
        )
    order = np.argsort(y, kind="stable")
    y, p = y[order], p[order]
    found = float((p * y * (2 * np.cumsum(p) - p - 1)).sum() / mean)
    found = min(max(found, 0.0), 1.0)
    if normalised:
        return found * len(y) / (len(y) - 1) if len(y) > 1 else 0.0
    return found


def hoover(values: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> float:
    """Return the Hoover (Pietra, Robin Hood) index: the share that would have to move.

    ``Σ_r p_r |y_r − ȳ| / (2 ȳ)`` (Hoover 1936), 0 to below 1; NaN where there is nothing to share
    out. Parameters and errors as in `gini`. It is at most the Gini.
    """
    y, p = _checked(values, weights, "Hoover")
    mean = float((p * y).sum())
    return float((p * np.abs(y - mean)).sum() / (2 * mean)) if mean > 0 else float("nan")


def theil_t(values: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> float:
    """Return Theil's T: ``Σ_r p_r (y_r/ȳ) ln(y_r/ȳ)``, the entropy measure GE(1).

    0 (all equal) to ``ln`` of the inverse of the smallest weight. A value of 0 adds 0, the limit of
    ``x ln x``. NaN where there is nothing to share out. Parameters and errors as in `gini`
    (Theil 1967, p. 92; Shorrocks 1980). Not to be mixed up with `theil_l`: packages call either
    one "theil".
    """
    y, p = _checked(values, weights, "Theil T")
    mean = float((p * y).sum())
    if not mean > 0:
        return float("nan")
    x = y / mean
    return max(float((p * x * np.log(np.where(x > 0, x, 1.0))).sum()), 0.0)


def theil_l(values: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> float:
    """Return Theil's L, the mean log deviation: ``Σ_r p_r ln(ȳ/y_r)``, GE(0).

    0 (all equal) and up; **infinite** where a region with people has 0, which is what the formula
    says and no error. NaN where there is nothing to share out. Parameters and errors as in `gini`
    (Theil 1967, p. 127; Shorrocks 1980).
    """
    y, p = _checked(values, weights, "Theil L")
    mean = float((p * y).sum())
    if not mean > 0:
        return float("nan")
    if (y == 0).any():
        return float("inf")
    return max(float((p * np.log(mean / y)).sum()), 0.0)


def atkinson(
    values: npt.ArrayLike, *, aversion: float, weights: npt.ArrayLike | None = None
) -> float:
    """Return Atkinson's index: the share of the total that equality would be worth.

    Parameters
    ----------
    values, weights
        As in `gini`.
    aversion : float, ≥ 0
        Aversion to inequality, ε: 0 does not mind it; the larger, the more the poorest count.

    Returns
    -------
    float, 0 to 1
        ``1 − (Σ_r p_r (y_r/ȳ)^(1−ε))^(1/(1−ε))``; at ε = 1 ``1 − Π_r (y_r/ȳ)^p_r`` (Atkinson
        1970, eq. 16). With ε ≥ 1 and a region at 0 it is 1. NaN where there is nothing to share
        out.

    Raises
    ------
    ShapeError, RangeError
        As in `gini`, or ``aversion`` is below 0.
    """
    if not 0 <= aversion < float("inf"):
        raise RangeError(f"an aversion of {aversion:g}", remedy="give 0 or more, for example 0.5")
    y, p = _checked(values, weights, "Atkinson")
    mean = float((p * y).sum())
    if not mean > 0:
        return float("nan")
    x = y / mean
    if aversion >= 1 and (x == 0).any():
        return 1.0
    if abs(aversion - 1.0) < 1e-9:
        level = float(np.exp((p * np.log(x)).sum()))
    else:
        # Around the smallest value, because x^(1−ε) overflows for a strong aversion.
        power = 1.0 - aversion
        low = float(x.min()) if aversion > 1 else 1.0
        level = low * float((p * (x / low) ** power).sum() ** (1.0 / power))
    return min(max(1.0 - level, 0.0), 1.0)


def hhi(values: npt.ArrayLike, *, normalised: bool = False) -> float:
    """Return the Herfindahl–Hirschman index of concentration: ``Σ_r (y_r / Σ y)²``.

    Parameters
    ----------
    values : array_like of float, shape (regions,), ≥ 0
        Amount of each region (not per person).
    normalised : bool
        ``(H − 1/n) / (1 − 1/n)``: 0 spread evenly, 1 all in one.

    Returns
    -------
    float, 1/n to 1
        NaN where there is nothing to share out.

    Raises
    ------
    ShapeError, RangeError
        As in `gini`.

    Examples
    --------
    >>> round(hhi([20, 50, 20, 10]), 6)
    0.34
    """
    y, _ = _checked(values, None, "HHI")
    total = float(y.sum())
    if not total > 0:
        return float("nan")
    found = float(((y / total) ** 2).sum())
    if normalised:
        return (found - 1 / len(y)) / (1 - 1 / len(y)) if len(y) > 1 else 1.0
    return found


@dataclass(frozen=True)
class Parts:
    """A Theil measure in two parts that add up to it.

    Parameters
    ----------
    total, between, within : float
        ``between``: if every region had its group's mean. ``within``: the weighted mean of what
        each group has inside.
    group : dict of str to float
        What each group adds to ``within``.
    """

    total: float
    between: float
    within: float
    group: dict[str, float]


def between_within(
    values: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    measure: str = "theil_t",
    weights: npt.ArrayLike | None = None,
) -> Parts:
    """Return Theil's T or L split into between and within groups of regions.

    Parameters
    ----------
    values, weights
        As in `gini`.
    groups : array_like of str, shape (regions,)
        For example the province of each county.
    measure : {"theil_t", "theil_l"}
        The Gini and Atkinson's index have no such split that adds up.

    Returns
    -------
    Parts
        NaN where there is nothing to share out; for L infinite where a region has 0 (then
        ``between`` is still finite if its group is not all 0).

    Raises
    ------
    ShapeError, RangeError
        As in `gini`; a group is missing; another measure is asked for.

    Notes
    -----
    ``T = Σ_g s_g T_g + Σ_g s_g ln(ȳ_g/ȳ)`` and ``L = Σ_g p_g L_g + Σ_g p_g ln(ȳ/ȳ_g)`` with s the
    group's share of the amount and p of the people (Shorrocks 1980, eq. 27 and 28).
    """
    if measure not in ("theil_t", "theil_l"):
        raise RangeError(
            f"'{measure}' does not split into between and within",
            remedy="choose theil_t or theil_l",
        )
    label = np.asarray(groups, dtype=object)
    y0 = np.asarray(values, dtype=np.float64)
    w0 = np.ones(len(y0)) if weights is None else np.asarray(weights, dtype=np.float64)
    if label.shape != y0.shape:
        raise ShapeError(
            f"groups have shape {label.shape}, values {y0.shape}", remedy="one group per region"
        )
    missing = [k for k, g in enumerate(label.tolist()) if g is None or g != g]
    if missing:
        raise RangeError(
            f"region number {missing[0]} has no group", remedy="leave out regions without one"
        )
    one = theil_t if measure == "theil_t" else theil_l
    total = one(y0, weights=w0)
    y, p = _checked(y0, w0, measure)
    label = label[w0 > 0]
    mean = float((p * y).sum())
    names = sorted({str(g) for g in label})
    if not mean > 0:
        nan = float("nan")
        return Parts(nan, nan, nan, dict.fromkeys(names, nan))
    inside: dict[str, float] = {}
    people, level = np.zeros(len(names)), np.zeros(len(names))
    for k, name in enumerate(names):
        mine = np.array([str(g) == name for g in label])
        people[k] = p[mine].sum()
        level[k] = float((p[mine] * y[mine]).sum()) / people[k]
        share = people[k] * level[k] / mean if measure == "theil_t" else people[k]
        if level[k] > 0:
            inside[name] = float(share * one(y[mine], weights=p[mine]))
        else:
            # Nobody in the group has anything: they are equal among themselves.
            inside[name] = 0.0
    between = one(level, weights=people)
    return Parts(total, between, float(sum(inside.values())), inside)
