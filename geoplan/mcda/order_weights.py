"""Order weights of the ordered weighted average, and what they stand for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.errors import RangeError, ShapeError

__all__ = [
    "OrderWeights",
    "max_entropy_weights",
    "order_weights_of",
    "orness",
    "quantifier_weights",
    "tradeoff",
]


@dataclass(frozen=True, slots=True)
class OrderWeights:
    """Order weights with their place between AND and OR.

    Parameters
    ----------
    weights : tuple of float
        From the best value of a cell to its worst; they sum to 1.
    orness : float, 0–1
        As these weights have it; the quantifier meets the orness asked for only roughly where
        criteria are few.
    andness : float, 0–1
        1 − orness.
    tradeoff : float, 0–1
        How far values make up for each other: 1 equal order weights, 0 one value alone counts.
    """

    weights: tuple[float, ...]
    orness: float
    andness: float
    tradeoff: float


def orness(weights: Sequence[float]) -> float:
    """Return Σ (n − j) w_j / (n − 1), j = 1 the best value (Yager 1988); 0.5 for one value."""
    n = len(weights)
    if n == 1:
        return 0.5
    return math.fsum((n - 1 - j) * w for j, w in enumerate(weights)) / (n - 1)


def tradeoff(weights: Sequence[float]) -> float:
    """Return 1 − √(n Σ (w_j − 1/n)² / (n − 1)) (Jiang & Eastman 2000)."""
    n = len(weights)
    if n == 1:
        return 1.0
    spread = math.fsum((w - 1 / n) ** 2 for w in weights)
    return max(0.0, 1.0 - math.sqrt(n * spread / (n - 1)))


def _checked(value: float, n: int) -> None:
    if not 0 <= value <= 1:
        raise RangeError(f"orness {value:g} is not between 0 and 1")
    if n < 1:
        raise ShapeError("no criterion to order", remedy="give at least one weight above 0")


def _ends(value: float, n: int) -> tuple[float, ...] | None:
    """Return the order weights of pure AND, pure OR, and of one criterion."""
    if n == 1 or value == 1:
        return (1.0, *(0.0,) * (n - 1))
    return (*(0.0,) * (n - 1), 1.0) if value == 0 else None


def quantifier_weights(value: float, n: int) -> tuple[float, ...]:
    """Return (j/n)^α − ((j − 1)/n)^α, α = (1 − orness) / orness.

    Parameters
    ----------
    value : float, 0–1
        Orness; it is met exactly as n grows, and at 0, 0.5 and 1.
    n : int
        Criteria.

    Notes
    -----
    Regular increasing monotone quantifier Q(p) = p^α with orness ∫Q = 1/(1 + α) (Yager 1996,
    Quantifier guided aggregation using OWA operators).
    """
    _checked(value, n)
    ends = _ends(value, n)
    if ends is not None:
        return ends
    steps = (np.arange(n + 1) / n) ** ((1 - value) / value)
    return tuple(float(w) for w in np.diff(steps))


def max_entropy_weights(value: float, n: int) -> tuple[float, ...]:
    """Return the most even order weights that have exactly this orness.

    Parameters
    ----------
    value : float, 0–1
        Orness.
    n : int
        Criteria.

    Notes
    -----
    Maximise −Σ w ln w with Σ w = 1 and Σ (n − j) w_j = (n − 1) · orness (O'Hagan 1988). The
    solution is a geometric series, w_j ∝ exp(t (n − j)) (Filev & Yager 1995; Fullér & Majlender
    2001); t is found by bracketing.
    """
    _checked(value, n)
    ends = _ends(value, n)
    if ends is not None:
        return ends
    place = np.arange(n - 1, -1, -1) / (n - 1)

    def series(t: float) -> npt.NDArray[np.float64]:
        power = t * (n - 1) * place
        weight = np.exp(power - power.max())
        return np.asarray(weight / weight.sum())

    if value == 0.5:
        return (1.0 / n,) * n
    most = 1.0
    while not series(-most) @ place < value < series(most) @ place:
        most *= 2
    t = brentq(lambda t: float(series(t) @ place) - value, -most, most, xtol=1e-14)
    return tuple(float(w) for w in series(float(t)))


def order_weights_of(spec: AggregationSpec, n: int) -> OrderWeights:
    """Return the order weights of a specification for ``n`` criteria of weight above 0.

    Raises
    ------
    ShapeError
        Order weights are given, and there are not ``n`` of them.
    RangeError
        The method is not ``owa``.
    """
    if spec.method != "owa":
        raise RangeError(f"method '{spec.method}' has no order weights")
    if spec.order_weights is not None:
        if len(spec.order_weights) != n:
            raise ShapeError(
                f"{len(spec.order_weights)} order weights, but {n} criteria of weight above 0",
                where="aggregation.order_weights",
                remedy=f"give {n} order weights, or 'orness' instead",
            )
        weights = spec.order_weights
    elif spec.order_from == "max_entropy":
        weights = max_entropy_weights(spec.orness or 0.0, n)
    else:
        weights = quantifier_weights(spec.orness or 0.0, n)
    degree = orness(weights)
    return OrderWeights(weights, degree, 1.0 - degree, tradeoff(weights))
