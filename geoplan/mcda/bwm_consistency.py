"""How far the judgments of a best-worst comparison contradict each other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "CONSISTENCY_INDEX",
    "INPUT_THRESHOLD",
    "InputConsistency",
    "consistency_index",
    "input_consistency",
]

CONSISTENCY_INDEX = (0.0, 0.44, 1.0, 1.63, 2.3, 3.0, 3.73, 4.47, 5.23)
"""Largest ξ of the non-linear model for a_BW = 1 … 9 (Rezaei 2015, table 1)."""

INPUT_THRESHOLD: dict[int, tuple[float, ...]] = {
    2: (0.0,) * 7,
    3: (0.1667,) * 7,
    4: (0.1121, 0.1529, 0.1898, 0.2206, 0.2527, 0.2577, 0.2683),
    5: (0.1354, 0.1994, 0.2306, 0.2546, 0.2716, 0.2844, 0.2960),
    6: (0.1330, 0.1990, 0.2643, 0.3044, 0.3144, 0.3221, 0.3262),
    7: (0.1294, 0.2457, 0.2819, 0.3029, 0.3144, 0.3251, 0.3403),
    8: (0.1309, 0.2521, 0.2958, 0.3154, 0.3408, 0.3620, 0.3657),
    9: (0.1359, 0.2681, 0.3062, 0.3337, 0.3517, 0.3620, 0.3662),
}
"""Largest input-based consistency ratio that is accepted, by a_BW, for 3 … 9 criteria (Liang,
Brunelli & Rezaei 2020, Omega 96, table 3)."""


@dataclass(frozen=True, slots=True)
class InputConsistency:
    """The consistency of best-worst judgments, before any model.

    Parameters
    ----------
    ratio : float, 0 or more
        max |a_Bj a_jW − a_BW| / (a_BW² − a_BW) (Liang, Brunelli & Rezaei 2020).
    threshold : float or None
        None where none is published: more than 9 criteria, or a_BW that is not 2 … 9.
    accepted : bool or None
        None where there is a contradiction and no threshold to hold it against.
    worst : str or None
        The criterion whose two judgments fit worst; None where all fit.
    over, under : float
        Its a_Bj and a_jW.
    """

    ratio: float
    threshold: float | None
    accepted: bool | None
    worst: str | None
    over: float
    under: float

    def record(self) -> dict[str, Any]:
        """Return the check as plain values."""
        return {
            "input_consistency_ratio": self.ratio,
            "input_consistency_threshold": self.threshold,
            "accepted": self.accepted,
            "odd_criterion": self.worst,
        }


def consistency_index(best_over_worst: float) -> float:
    """Return the largest ξ of the non-linear model.

    Parameters
    ----------
    best_over_worst : float, 1 or more
        a_BW.

    Returns
    -------
    float
        As published for the whole numbers 1 … 9; between and beyond, the formula behind them: the
        smaller root of ξ² − (1 + 2a) ξ + (a² − a) = 0 (Rezaei 2015, section 3).
    """
    a = best_over_worst
    if a == int(a) and 1 <= a <= len(CONSISTENCY_INDEX):
        return CONSISTENCY_INDEX[int(a) - 1]
    return (1 + 2 * a - math.sqrt(1 + 8 * a)) / 2


def input_consistency(
    names: Sequence[str],
    over: npt.NDArray[np.float64],
    under: npt.NDArray[np.float64],
    best_over_worst: float,
) -> InputConsistency:
    """Return how far the two judgments of each criterion are from a_BW.

    Parameters
    ----------
    names : sequence of str
    over, under : ndarray of float, shape (criteria,)
        a_Bj and a_jW, 1 … a_BW.
    best_over_worst : float
        a_BW.
    """
    a = best_over_worst
    gaps = np.abs(over * under - a)
    k = int(np.argmax(gaps))
    # with a_BW = 1 all judgments are 1, and all fit
    ratio = float(gaps[k]) / (a * a - a) if a > 1 else 0.0
    if ratio < 1e-12:
        return InputConsistency(0.0, _threshold(a, len(names)), True, None, 1.0, 1.0)
    threshold = _threshold(a, len(names))
    accepted = None if threshold is None else ratio <= threshold
    return InputConsistency(ratio, threshold, accepted, names[k], float(over[k]), float(under[k]))


def _threshold(best_over_worst: float, n: int) -> float | None:
    row = INPUT_THRESHOLD.get(int(best_over_worst)) if best_over_worst % 1 == 0 else None
    return row[n - 3] if row is not None and 3 <= n <= 9 else None
