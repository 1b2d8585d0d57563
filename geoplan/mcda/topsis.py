"""TOPSIS: near to the best that occurs, far from the worst that occurs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geoplan.catalogue.ranking import Normalisation
from geoplan.mcda.decision import Decision, FloatArray
from geoplan.mcda.normalise import divisors
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["Topsis", "topsis"]

_SMALL = 1 << 14
"""Alternatives below which a second thread costs more than it saves."""


@dataclass(frozen=True)
class Topsis:
    """Closeness of each alternative.

    Parameters
    ----------
    closeness : ndarray of float64, shape (alternatives,), 0–1
        1 is the ideal. NaN throughout where no weighted criterion tells alternatives apart.
    to_ideal, to_anti_ideal : ndarray of float64, shape (alternatives,)
        Distances in weighted, normalised units.
    normalisation : str
        The normalisation used: part of the result.
    constant : tuple of str
        Criteria on which all alternatives are equal.
    """

    closeness: FloatArray
    to_ideal: FloatArray
    to_anti_ideal: FloatArray
    normalisation: Normalisation
    constant: tuple[str, ...]


@kernel
def _distances(
    values: FloatArray,
    factor: FloatArray,
    ideal: FloatArray,
    anti: FloatArray,
    start: int,
    stop: int,
    near: FloatArray,
    far: FloatArray,
) -> None:
    cols = values.shape[1]
    for i in range(start, stop):
        plus = 0.0
        minus = 0.0
        for j in range(cols):
            d = (values[i, j] - ideal[j]) * factor[j]
            plus += d * d
            d = (values[i, j] - anti[j]) * factor[j]
            minus += d * d
        near[i] = np.sqrt(plus)
        far[i] = np.sqrt(minus)


def topsis(
    question: Decision, *, normalisation: Normalisation = "vector", threads: int | None = None
) -> Topsis:
    """Return the closeness of each alternative to the ideal.

    Parameters
    ----------
    question : Decision
        See `geoplan.mcda.decision.decision`.
    normalisation : {"vector", "min_max", "max", "sum"}
        See `geoplan.mcda.normalise.divisors`.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    Topsis

    Notes
    -----
    ``C = D⁻ / (D⁺ + D⁻)`` with ``D± = sqrt(Σ (w (r − r±))²)``, r normalised, r⁺ and r⁻ the best
    and the worst r of each criterion (Hwang & Yoon 1981, TOPSIS, steps 1–5). Every distance is a
    difference from a value that occurs, so that a normalisation is only its divisor. A criterion
    of divisor 0 adds nothing.
    """
    values = question.values
    by = divisors(values, normalisation)
    factor = np.where(by > 0, question.weights / np.where(by > 0, by, 1.0), 0.0)
    ideal, anti = question.best, question.worst
    near, far = np.empty(len(values)), np.empty(len(values))

    def work(start: int, stop: int) -> None:
        _distances(values, factor, ideal, anti, start, stop, near, far)

    over_blocks(work, len(values), threads=threads if len(values) > _SMALL else 1)
    total = near + far
    told_apart = bool((total > 0).any())
    closeness = far / total if told_apart else np.full(len(values), np.nan)
    return Topsis(closeness, near, far, normalisation, question.constant)
