"""Fuzzy memberships and transforms as bare arithmetic on arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

__all__ = [
    "bell",
    "exponential",
    "gaussian",
    "large",
    "logarithm",
    "logistic",
    "ms_large",
    "ms_small",
    "near",
    "power",
    "s_curve",
    "small",
    "symmetric_linear",
    "trapezoid",
]

Block = npt.NDArray[np.float64]


def gaussian(x: Block, midpoint: float, spread: float) -> Block:
    """exp(−spread · (x − midpoint)²): Esri, FuzzyGaussian and TfGaussian."""
    return np.exp(-spread * (x - midpoint) ** 2)


def near(x: Block, midpoint: float, spread: float) -> Block:
    """1 / (1 + spread · (x − midpoint)²): Esri, FuzzyNear and TfNear."""
    value: Block = 1.0 / (1.0 + spread * (x - midpoint) ** 2)
    return value


def large(x: Block, midpoint: float, spread: float) -> Block:
    """1 / (1 + (x / midpoint)^−spread): Esri, FuzzyLarge and TfLarge; 0 for x ≤ 0, its limit."""
    value: Block = 1.0 / (1.0 + (np.maximum(x, 0.0) / midpoint) ** -spread)
    return value


def small(x: Block, midpoint: float, spread: float) -> Block:
    """1 / (1 + (x / midpoint)^spread): Esri, FuzzySmall and TfSmall; 1 for x ≤ 0, its limit."""
    value: Block = 1.0 / (1.0 + (np.maximum(x, 0.0) / midpoint) ** spread)
    return value


def ms_small(x: Block, a: float, b: float, mean: float, std: float) -> Block:
    """b·s / (x − a·m + b·s) for x > a·m, else 1: Esri, FuzzyMSSmall and TfMSSmall.

    Esri's page of FuzzyMSSmall gives 0 for x ≤ a·m, which would make the smallest measures the
    worst and break the curve at a·m, where its other branch is 1; its purpose («small input
    values have a higher membership») and its graph have 1.
    """
    over = np.maximum(x - a * mean, 0.0)
    value: Block = b * std / (over + b * std)
    return value


def ms_large(x: Block, a: float, b: float, mean: float, std: float) -> Block:
    """1 − b·s / (x − a·m + b·s) for x > a·m, else 0: Esri, FuzzyMSLarge and TfMSLarge."""
    return 1.0 - ms_small(x, a, b, mean, std)


def bell(x: Block, midpoint: float, width: float, slope: float) -> Block:
    """1 / (1 + |(x − c) / a|^(2b)): generalised bell (Jang 1993, ANFIS)."""
    value: Block = 1.0 / (1.0 + np.abs((x - midpoint) / width) ** (2.0 * slope))
    return value


def trapezoid(x: Block, corners: Sequence[float]) -> Block:
    """max(0, min((x − a)/(b − a), 1, (d − x)/(d − c))); an upright side is a step.

    A triangle has b = c. (Pedrycz & Gomide 1998, An Introduction to Fuzzy Sets.)
    """
    a, b, c, d = corners
    rise = (x - a) / (b - a) if b > a else np.where(x >= b, 1.0, 0.0)
    fall = (d - x) / (d - c) if d > c else np.where(x <= c, 1.0, 0.0)
    return np.clip(np.minimum(rise, fall), 0.0, 1.0)


def s_curve(x: Block, start: float, end: float) -> Block:
    """S-function: 2t² up to half-way, 1 − 2(1 − t)² from there, t = (x − start)/(end − start).

    Zadeh 1975, Calculus of fuzzy restrictions, with β half-way between α and γ.
    """
    t = np.clip((x - start) / (end - start), 0.0, 1.0)
    return np.where(t <= 0.5, 2.0 * t * t, 1.0 - 2.0 * (1.0 - t) ** 2)


def exponential(x: Block, base_factor: float, low: float, high: float) -> Block:
    """exp((x − shift) · base_factor) up to a factor and a constant, without overflow.

    Esri's TfExponential; stretched to 0–1 the shift drops out, so the larger end of the range
    stands in for it.
    """
    return np.expm1(base_factor * (x - (high if base_factor > 0 else low)))


def logarithm(x: Block, shift: float, factor: float) -> Block:
    """ln((x − shift) · factor): Esri, TfLogarithm."""
    return np.log((x - shift) * factor)


def power(x: Block, shift: float, exponent: float) -> Block:
    """(x − shift)^exponent: Esri, TfPower."""
    value: Block = (x - shift) ** exponent
    return value


def logistic(x: Block, minimum: float, maximum: float, percent: float) -> Block:
    """1 / (1 + exp(L − 2·L·(x − minimum)/(maximum − minimum))), L = ln(100/percent − 1).

    ``percent`` % at ``minimum``, 100 − ``percent`` % at ``maximum``, half of it half-way: Esri's
    TfLogisticGrowth (percent below 50) and TfLogisticDecay (above 50).
    """
    steep = math.log(100.0 / percent - 1.0)
    value: Block = 1.0 / (1.0 + np.exp(steep * (1.0 - 2.0 * (x - minimum) / (maximum - minimum))))
    return value


def symmetric_linear(x: Block, minimum: float, maximum: float) -> Block:
    """1 half-way between ``minimum`` and ``maximum``, 0 at both: Esri, TfSymmetricLinear.

    With ``minimum`` above ``maximum`` 0 half-way and 1 at both ends.
    """
    middle, half = (minimum + maximum) / 2.0, abs(maximum - minimum) / 2.0
    peak = np.clip(1.0 - np.abs(x - middle) / half, 0.0, 1.0)
    return peak if minimum < maximum else 1.0 - peak
