"""VIKOR: a compromise between the sum of regrets and the largest regret."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError
from geoplan.mcda.decision import Decision, FloatArray
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["Vikor", "vikor"]

_SMALL = 1 << 14

_EQUAL = 1e-12
"""Difference of two measures that counts as none; rounding is smaller."""


@dataclass(frozen=True)
class Vikor:
    """Regrets of each alternative, and the compromise.

    Parameters
    ----------
    s, r, q : ndarray of float64, shape (alternatives,), 0–1
        Sum of weighted regrets, largest weighted regret, and both together; less is better.
    compromise : tuple of int
        Rows of the compromise set, best first.
    advantage, stability : bool
        Conditions C1 and C2 of the best alternative.
    equal_s, equal_r : bool
        All alternatives have the same S, or R: that part of Q is 0, not divided by 0.
    constant : tuple of str
        Criteria on which all alternatives are equal; nobody regrets anything there.
    v : float
        Weight of S in Q.
    """

    s: FloatArray
    r: FloatArray
    q: FloatArray
    compromise: tuple[int, ...]
    advantage: bool
    stability: bool
    equal_s: bool
    equal_r: bool
    constant: tuple[str, ...]
    v: float


@kernel
def _regrets(
    values: FloatArray,
    factor: FloatArray,
    best: FloatArray,
    start: int,
    stop: int,
    s: FloatArray,
    r: FloatArray,
) -> None:
    cols = values.shape[1]
    for i in range(start, stop):
        total = 0.0
        largest = 0.0
        for j in range(cols):
            regret = (best[j] - values[i, j]) * factor[j]
            total += regret
            largest = max(largest, regret)
        s[i] = total
        r[i] = largest


def vikor(question: Decision, *, v: float = 0.5, threads: int | None = None) -> Vikor:
    """Return the regrets of each alternative and the compromise set.

    Parameters
    ----------
    question : Decision
        See `geoplan.mcda.decision.decision`.
    v : float, 0–1
        Weight of the sum of regrets against the largest regret.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    Vikor

    Raises
    ------
    RangeError
        ``v`` is outside 0–1.

    Notes
    -----
    ``S = Σ w (f* − f)/(f* − f⁻)``, ``R = max w (f* − f)/(f* − f⁻)``,
    ``Q = v (S − S*)/(S⁻ − S*) + (1 − v)(R − R*)/(R⁻ − R*)`` (Opricovic & Tzeng 2004, eqs 2–4).
    The alternative a′ that is first by Q is the compromise alone if C1 ``Q(a″) − Q(a′) ≥ DQ``,
    ``DQ = 1/(J − 1)``, and C2: a′ is also first by S or by R. If only C2 fails, the compromise is
    {a′, a″}; if C1 fails, all a with ``Q(a) − Q(a′) < DQ`` (ibid., the last step).
    """
    if not 0 <= v <= 1:
        raise RangeError(f"VIKOR's v is {v:g}", remedy="give v between 0 and 1")
    values = question.values
    best = question.best
    span = question.high - question.low
    factor = question.sign * np.where(span > 0, question.weights / np.where(span > 0, span, 1), 0.0)
    s, r = np.empty(len(values)), np.empty(len(values))

    def work(start: int, stop: int) -> None:
        _regrets(values, factor, best, start, stop, s, r)

    over_blocks(work, len(values), threads=threads if len(values) > _SMALL else 1)
    s_part, equal_s = _unit(s)
    r_part, equal_r = _unit(r)
    q = v * s_part + (1 - v) * r_part
    compromise, advantage, stability = _compromise(s, r, q)
    return Vikor(
        s, r, q, compromise, advantage, stability, equal_s, equal_r, question.constant, float(v)
    )


def _unit(x: FloatArray) -> tuple[FloatArray, bool]:
    low, high = float(x.min()), float(x.max())
    if high - low <= _EQUAL:
        return np.zeros(len(x)), True
    return (x - low) / (high - low), False


def _compromise(s: FloatArray, r: FloatArray, q: FloatArray) -> tuple[tuple[int, ...], bool, bool]:
    order: npt.NDArray[np.intp] = np.argsort(q, kind="stable")
    first = int(order[0])
    if len(q) == 1:
        return (first,), True, True
    needed = 1.0 / (len(q) - 1)
    behind = q[order] - q[first]
    advantage = bool(behind[1] >= needed - _EQUAL)
    stability = bool(s[first] <= s.min() + _EQUAL or r[first] <= r.min() + _EQUAL)
    if not advantage:
        return tuple(int(i) for i in order[behind < needed - _EQUAL]), advantage, stability
    return tuple(int(i) for i in order[: 1 if stability else 2]), advantage, stability
