"""PROMETHEE II: by how much each alternative is preferred to the others, less the reverse.

The definition compares every pair. Of all preference functions but the gaussian the sum over the
others is known from sorted values: how many lie further below than a threshold, and what the ones
in between sum to. Two pointers that only move forward find both, so that a criterion costs one
sort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.ranking import PreferenceSpec
from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.decision import Decision, FloatArray
from geoplan.raster.kernel import THREADS, kernel, over_blocks

__all__ = ["GAUSSIAN_MOST", "Flows", "preferred", "promethee"]

GAUSSIAN_MOST = 20_000
"""Alternatives up to which the gaussian is computed: its pairs have no shorter sum."""

_SMALL = 1 << 14


@dataclass(frozen=True)
class Flows:
    """Flows of each alternative.

    Parameters
    ----------
    plus : ndarray of float64, shape (alternatives,), 0–1
        φ⁺: mean preference over the others.
    minus : ndarray of float64, shape (alternatives,), 0–1
        φ⁻: mean preference of the others over it.
    constant : tuple of str
        Criteria on which all alternatives are equal.
    """

    plus: FloatArray
    minus: FloatArray
    constant: tuple[str, ...]

    @property
    def net(self) -> FloatArray:
        """φ = φ⁺ − φ⁻, −1 to 1; more is better, and all sum to 0."""
        return self.plus - self.minus


def promethee(
    question: Decision,
    preferences: PreferenceSpec | Sequence[PreferenceSpec],
    *,
    threads: int | None = None,
) -> Flows:
    """Return the flows of each alternative in O(n log n) per criterion.

    Parameters
    ----------
    question : Decision
        See `geoplan.mcda.decision.decision`.
    preferences : PreferenceSpec, or one for each criterion
        Thresholds are in the unit of the values.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    Flows

    Raises
    ------
    ShapeError
        Another number of preference functions than of criteria.
    RangeError
        A gaussian on more than `GAUSSIAN_MOST` alternatives.

    Notes
    -----
    ``φ⁺(a) = Σ_b Σ_j w_j P_j(a, b) / (n − 1)``, φ⁻ with a and b exchanged, ``P_j(a, b) =
    F_j(d)`` for d = a − b > 0 (b − a where less is better), else 0 (Brans & Vincke 1985, the
    six types of criterion; flows as means as in Brans & Mareschal 2005). An alternative that
    dominates all others has φ > 0. Thresholds compare the same rounded difference as the
    definition does.
    """
    cols = question.values.shape[1]
    if isinstance(preferences, PreferenceSpec):
        preferences = [preferences] * cols
    if len(preferences) != cols:
        raise ShapeError(f"{len(preferences)} preference functions for {cols} criteria")
    count = len(question.values)
    for name, spec in zip(question.criteria, preferences, strict=True):
        if spec.kind == "gaussian" and count > GAUSSIAN_MOST:
            raise RangeError(
                f"a gaussian preference on {count:,} alternatives (criterion '{name}'); every "
                f"pair would have to be compared, which is done up to {GAUSSIAN_MOST:,}",
                remedy="take a linear preference, which sorts instead",
            )
    plus, minus = np.zeros(count), np.zeros(count)
    if count > 1:
        threads = THREADS if threads is None else max(1, threads)
        together = threads if count > _SMALL else 1
        used = [j for j in range(cols) if question.weights[j] > 0]
        for first in range(0, len(used), together):
            part = used[first : first + together]

            def work(start: int, stop: int, part: list[int] = part) -> list[_Pair]:
                return [
                    _flows(question.sign[j] * question.values[:, j], preferences[j])
                    for j in part[start:stop]
                ]

            # Added in the order of the criteria, whoever was ready first.
            pairs = [p for found in over_blocks(work, len(part), threads=together, block=1)
                     for p in found]  # fmt: skip
            for j, (up, down) in zip(part, pairs, strict=True):
                _add(plus, up, question.weights[j] / (count - 1))
                _add(minus, down, question.weights[j] / (count - 1))
    return Flows(plus, minus, question.constant)


def preferred(d: FloatArray, spec: PreferenceSpec) -> FloatArray:
    """Return the preference of a difference: the definition, pair by pair.

    Parameters
    ----------
    d : ndarray of float64
        Value of one less value of the other; more is better.
    spec : PreferenceSpec

    Returns
    -------
    ndarray of float64, shape of ``d``, 0–1
        0 where ``d`` is 0 or less (Brans & Vincke 1985, the six types of criterion).

    Examples
    --------
    >>> preferred(np.array([-1.0, 0.1, 0.2, 0.4]), PreferenceSpec(kind="linear", q=0.1, p=0.3))
    array([0. , 0. , 0.5, 1. ])
    """
    if spec.kind == "gaussian":
        grown = 1.0 - np.exp(-np.square(d) / (2.0 * spec.s * spec.s))
        return np.where(d > 0, grown, 0.0)
    q, p, between = _thresholds(spec)
    if between == _RAMP and p > q:
        middle = (d - q) / (p - q)
    else:
        middle = np.full(np.shape(d), 0.5 if between == _HALF else 1.0)
    return np.where(d > p, 1.0, np.where((d > q) & (d > 0), middle, 0.0))


_RAMP, _HALF = 0, 1

_Pair = tuple[FloatArray, FloatArray]


def _thresholds(spec: PreferenceSpec) -> tuple[float, float, int]:
    """Return (q, p, between): 0 up to q, 1 above p, a ramp or one half between them."""
    if spec.kind == "usual":
        return 0.0, 0.0, _RAMP
    if spec.kind == "u_shape":
        return spec.q, spec.q, _RAMP
    if spec.kind == "v_shape":
        return 0.0, spec.p, _RAMP
    return spec.q, spec.p, _HALF if spec.kind == "level" else _RAMP


def _flows(x: FloatArray, spec: PreferenceSpec) -> _Pair:
    """Return sums of preferences over the others, and of theirs, of one criterion."""
    up, down = np.empty(len(x)), np.empty(len(x))
    if spec.kind == "gaussian":
        _pairs(x, spec.s, up, down)
        return up, down
    order = np.argsort(x)
    ordered = x[order]
    # Sums of differences from the middle are smaller, and so is their rounding.
    prefix = np.empty(len(x) + 1)
    middle = float(ordered[len(x) // 2])
    _prefix(ordered, middle, prefix)
    q, p, between = _thresholds(spec)
    _sweep(ordered, order, prefix, middle, q, p, between, up, down)
    return up, down


@kernel
def _add(total: FloatArray, part: FloatArray, weight: float) -> None:
    for i in range(len(part)):
        total[i] += weight * part[i]


@kernel
def _prefix(ordered: FloatArray, middle: float, prefix: FloatArray) -> None:
    total = 0.0
    prefix[0] = 0.0
    for i in range(len(ordered)):
        total += ordered[i] - middle
        prefix[i + 1] = total


@kernel
def _sweep(
    x: FloatArray,
    order: npt.NDArray[np.intp],
    prefix: FloatArray,
    middle: float,
    q: float,
    p: float,
    between: int,
    up: FloatArray,
    down: FloatArray,
) -> None:
    """Walk up the sorted values with two pointers for what lies below, two for what lies above.

    Rounded subtraction is monotone, so that ``x[a] - x[b] > q`` changes once along b: the
    pointers meet the definition exactly, also where a difference is a threshold.
    """
    count = len(x)
    width = p - q
    far_below = 0  # values below x[a] by more than p
    some_below = 0  # … by more than q
    some_above = 0  # first value above x[a] by more than q
    far_above = 0  # … by more than p
    for a in range(count):
        value = x[a]
        while far_below < count and value - x[far_below] > p:
            far_below += 1
        while some_below < count and value - x[some_below] > q:
            some_below += 1
        while some_above < count and not x[some_above] - value > q:
            some_above += 1
        while far_above < count and not x[far_above] - value > p:
            far_above += 1
        plus = float(far_below)
        minus = float(count - far_above)
        below = some_below - far_below
        above = far_above - some_above
        if between == 1:
            plus += 0.5 * below
            minus += 0.5 * above
        elif width > 0:
            centred = value - middle
            if below > 0:
                part = below * (centred - q) - (prefix[some_below] - prefix[far_below])
                plus += min(max(part / width, 0.0), float(below))
            if above > 0:
                part = (prefix[far_above] - prefix[some_above]) - above * (centred + q)
                minus += min(max(part / width, 0.0), float(above))
        up[order[a]] = plus
        down[order[a]] = minus


@kernel
def _pairs(x: FloatArray, s: float, up: FloatArray, down: FloatArray) -> None:
    scale = 1.0 / (2.0 * s * s)
    up[:] = 0.0
    down[:] = 0.0
    for a in range(len(x)):
        for b in range(a):
            d = x[a] - x[b]
            grown = 1.0 - np.exp(-d * d * scale)
            if d > 0:
                up[a] += grown
                down[b] += grown
            elif d < 0:
                up[b] += grown
                down[a] += grown
