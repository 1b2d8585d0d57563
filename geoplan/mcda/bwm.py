"""Weights from the comparisons with the best and the worst criterion: best-worst method (BWM)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import GeoPlanError, Problem, ProblemsFound, RangeError
from geoplan.mcda.bwm_consistency import InputConsistency, consistency_index, input_consistency

__all__ = ["BwmModel", "BwmResult", "bwm"]

BwmModel = Literal["linear", "nonlinear"]


@dataclass(frozen=True, slots=True)
class BwmResult:
    """Weights from the comparisons with best and worst, with the evidence.

    Parameters
    ----------
    weights : dict
        Criterion → weight, in the order given; sums to 1.
    model : {"linear", "nonlinear"}
    best, worst : str
    best_to_others, others_to_worst : dict
        The judgments, in the order of the criteria.
    xi : float
        Optimum. Linear: ξᴸ, itself the indicator of consistency (0 consistent). Non-linear: ξ*,
        the largest difference between a judgment and the ratio of weights that it stands for.
    consistency_index, consistency_ratio : float or None
        Non-linear only: largest possible ξ for a_BW, and ξ* over it.
    intervals : dict or None
        Non-linear only: least and greatest weight of each criterion over all optimal solutions;
        ``weights`` are their midpoints, scaled to sum to 1.
    check : InputConsistency
        The consistency of the judgments themselves, before any model.
    """

    weights: dict[str, float]
    model: BwmModel
    best: str
    worst: str
    best_to_others: dict[str, float]
    others_to_worst: dict[str, float]
    xi: float
    consistency_index: float | None
    consistency_ratio: float | None
    intervals: dict[str, tuple[float, float]] | None
    check: InputConsistency

    def record(self) -> dict[str, Any]:
        """Return the evidence as plain values, for a run's record."""
        return {
            "method": "bwm",
            "model": self.model,
            "criteria": list(self.weights),
            "weights": list(self.weights.values()),
            "best": self.best,
            "worst": self.worst,
            "best_to_others": self.best_to_others,
            "others_to_worst": self.others_to_worst,
            "xi": self.xi,
            "consistency_index": self.consistency_index,
            "consistency_ratio": self.consistency_ratio,
            "intervals": None
            if self.intervals is None
            else {name: list(pair) for name, pair in self.intervals.items()},
            "weights_are": "the optimum"
            if self.intervals is None
            else "midpoints of the intervals, scaled to sum to 1",
            **self.check.record(),
        }


def _range_problems(
    names: Sequence[str], given: Mapping[str, float], *, to_one: str, scale_max: float, where: str
) -> list[Problem]:
    """Return what is wrong with one of the two rows of judgments; ``to_one`` is compared to 1."""
    found = [
        Problem(f"{where}.{name}", "no such criterion", f"use {', '.join(names)}")
        for name in given
        if name not in names
    ]
    for name in names:
        at = f"{where}.{name}"
        if name == to_one:
            if given.get(name, 1) != 1:
                found.append(
                    Problem(at, f"is {given[name]:g}", "a criterion equals itself: 1, or leave out")
                )
            continue
        if name not in given:
            found.append(Problem(where, f"'{name}' is not compared", "add it, from 1 (alike) up"))
        elif not (math.isfinite(given[name]) and given[name] >= 1):
            found.append(
                Problem(
                    at,
                    f"is {given[name]:g}",
                    "1 or more: no criterion outweighs the best or is outweighed by the worst; "
                    "name another best or worst if one does",
                )
            )
        elif given[name] > scale_max * (1 + 1e-9):
            found.append(
                Problem(
                    at,
                    f"is {given[name]:g}, outside the scale 1 … {scale_max:g}",
                    "judge within the scale, or name the scale you judged on by 'scale_max'",
                )
            )
    return found


def _judgments(
    names: Sequence[str],
    best: str,
    worst: str,
    best_to_others: Mapping[str, float],
    others_to_worst: Mapping[str, float],
    *,
    scale_max: float,
    where: str,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return a_Bj and a_jW in the order of the criteria, or raise all that is wrong with them."""
    problems = [
        Problem(f"{where}.{key}", f"no criterion '{name}'", f"use one of {', '.join(names)}")
        for key, name in (("best", best), ("worst", worst))
        if name not in names
    ]
    if best == worst and len(names) > 1:
        problems.append(
            Problem(f"{where}.worst", f"'{worst}' is also the best", "name another criterion")
        )
    problems += _range_problems(
        names, best_to_others, to_one=best, scale_max=scale_max, where=f"{where}.best_to_others"
    )
    problems += _range_problems(
        names, others_to_worst, to_one=worst, scale_max=scale_max, where=f"{where}.others_to_worst"
    )
    if not problems and len(names) > 1:
        span, back = best_to_others[worst], others_to_worst[best]
        if span != back:
            problems.append(
                Problem(
                    f"{where}.best_to_others.{worst}",
                    f"{best} over {worst} is {span:g} here but {back:g} in others_to_worst",
                    "it is one judgment: give the same number twice",
                )
            )
        else:
            problems += [
                Problem(
                    f"{where}.{row}.{name}",
                    f"is {given[name]:g}, more than best over worst, {span:g}",
                    f"nothing is further apart than {best} and {worst}: lower it, or raise "
                    f"{best} over {worst}",
                )
                for row, given in (
                    ("best_to_others", best_to_others),
                    ("others_to_worst", others_to_worst),
                )
                for name in names
                if given.get(name, 1) > span
            ]
    if problems:
        raise ProblemsFound(f"the judgments have {len(problems)} problems", problems, where=where)
    to_others = {**best_to_others, best: 1.0}
    to_worst = {**others_to_worst, worst: 1.0}
    return np.array([to_others[n] for n in names]), np.array([to_worst[n] for n in names])


def _linear(
    over: npt.NDArray[np.float64], under: npt.NDArray[np.float64], b: int, w: int
) -> tuple[list[float], float]:
    """Solve the linear model: min ξ, |w_B − a_Bj w_j| ≤ ξ, |w_j − a_jW w_W| ≤ ξ (Rezaei 2016)."""
    from scipy.optimize import linprog  # slow to import, and only needed here

    n = len(over)
    rows = []
    for j in range(n):
        for left, factor, right in ((b, over[j], j), (j, under[j], w)):
            if left == right:
                continue
            row = np.zeros(n + 1)
            row[left] += 1.0
            row[right] -= factor
            for sign in (1.0, -1.0):
                bound = sign * row
                bound[n] = -1.0
                rows.append(bound)
    found = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=np.array(rows),
        b_ub=np.zeros(len(rows)),
        A_eq=np.append(np.ones(n), 0.0)[None, :],
        b_eq=[1.0],
        bounds=(0, None),
        method="highs-ds",
    )
    if found.status != 0:
        # equal weights are feasible and ξ is bounded below: only the solver itself can fail
        raise GeoPlanError(
            f"the linear best-worst model was not solved: {found.message}",
            where="weights",
            remedy="use model: nonlinear, which needs no solver",
        )
    weights = [max(float(x), 0.0) for x in found.x[:n]]
    total = math.fsum(weights)
    return [x / total for x in weights], max(float(found.x[n]), 0.0)


def _bounds(
    over: npt.NDArray[np.float64], under: npt.NDArray[np.float64], span: float, xi: float
) -> tuple[float, float]:
    """Return the least and greatest r = w_B / w_W that a deviation of ξ allows.

    w_B / w_j may lie in a_Bj ± ξ and w_j / w_W in a_jW ± ξ; r is their product.
    """
    low = np.maximum(over - xi, 0.0) * np.maximum(under - xi, 0.0)
    high = (over + xi) * (under + xi)
    return max(float(low.max()), span - xi), min(float(high.min()), span + xi)


def _nonlinear(
    over: npt.NDArray[np.float64], under: npt.NDArray[np.float64], b: int, w: int
) -> tuple[float, list[tuple[float, float]]]:
    """Return ξ* and the interval of each weight over all optimal solutions.

    The model min max(|w_B/w_j − a_Bj|, |w_j/w_W − a_jW|) (Rezaei 2015, eq. of step 5) is solved
    without a solver. For a fixed ξ it asks only for one r = w_B/w_W that all criteria allow, so
    ξ* is the root of a function that rises with ξ: found by bisection to the last bit. At ξ* the
    least and greatest r meet; given r, each w_j/w_W has an interval of its own, free of the
    others, from which least and greatest weights follow directly (they are the optima of the two
    linear programs per criterion of Rezaei 2016).
    """
    others = [j for j in range(len(over)) if j not in (b, w)]
    span = float(over[w])
    a, c = over[others], under[others]
    if not others:
        total = 1 + span
        ends = {b: (span / total, span / total), w: (1 / total, 1 / total)}
        return 0.0, [ends[j] for j in range(len(over))]
    low, high = 0.0, span  # at ξ = a_BW all is allowed
    first = _bounds(a, c, span, 0.0)
    if first[0] <= first[1]:
        high = 0.0
    while low < high:
        middle = low + (high - low) / 2
        if middle in (low, high):
            break
        least, greatest = _bounds(a, c, span, middle)
        if least <= greatest:
            high = middle
        else:
            low = middle
    xi = high
    least, greatest = _bounds(a, c, span, xi)
    r = least + (greatest - least) / 2
    bottom = np.maximum(c - xi, r / (a + xi))
    with np.errstate(divide="ignore"):
        top = np.minimum(c + xi, np.where(a > xi, r / np.maximum(a - xi, 0.0), np.inf))
    bottom, top = np.minimum(bottom, top), np.maximum(bottom, top)  # equal but for rounding
    least_sum, greatest_sum = 1 + r + math.fsum(bottom), 1 + r + math.fsum(top)
    out: dict[int, tuple[float, float]] = {
        b: (r / greatest_sum, r / least_sum),
        w: (1 / greatest_sum, 1 / least_sum),
    }
    for k, j in enumerate(others):
        lo, hi = float(bottom[k]), float(top[k])
        out[j] = (lo / (greatest_sum - hi + lo), hi / (least_sum - lo + hi))
    return xi, [out[j] for j in range(len(over))]


def bwm(
    names: Sequence[str],
    *,
    best: str,
    worst: str,
    best_to_others: Mapping[str, float],
    others_to_worst: Mapping[str, float],
    model: BwmModel = "linear",
    scale_max: float = 9.0,
    gate: bool = True,
    where: str = "weights",
) -> BwmResult:
    """Return weights from the comparisons with the best and the worst criterion.

    Parameters
    ----------
    names : sequence of str
        All criteria.
    best, worst : str
        The most and the least important criterion.
    best_to_others, others_to_worst : mapping
        Criterion → how many times as important the best is as it, and it as the worst: 1 (alike)
        to ``scale_max``. Best over worst stands in both; a criterion against itself may be left
        out.
    model : {"linear", "nonlinear"}
        ``linear`` (Rezaei 2016): one optimum. ``nonlinear`` (Rezaei 2015): the ratios themselves,
        intervals of weights, a consistency ratio.
    scale_max : float
        Largest judgment of the scale. The published consistency indices and thresholds are for
        scales up to 9.
    gate : bool
        Refuse judgments above the published threshold of consistency.
    where : str
        Put before an error.

    Raises
    ------
    ProblemsFound
        Unknown or missing criteria, judgments off the scale, or at odds with best and worst; all
        at once.
    RangeError
        The judgments contradict each other by more than the threshold of Liang et al. (2020).

    Notes
    -----
    ξᴸ of the linear model is its own indicator: it is not divided by the consistency index, which
    belongs to the non-linear model (Rezaei 2016, section 4).
    """
    over, under = _judgments(
        names, best, worst, best_to_others, others_to_worst, scale_max=scale_max, where=where
    )
    b, w = names.index(best), names.index(worst)
    check = input_consistency(names, over, under, float(over[w]))
    if gate and check.accepted is False:
        raise RangeError(
            f"the judgments contradict each other: input-based consistency ratio "
            f"{check.ratio:.4f}, above {check.threshold:.4f}",
            where=where,
            remedy=f"mend '{check.worst}' first: {best} over it is {check.over:g} and it over "
            f"{worst} is {check.under:g}, which implies {check.over * check.under:g} for {best} "
            f"over {worst}, given {over[w]:g}",
        )
    index = ratio = intervals = None
    if len(names) == 1:
        weights, xi = [1.0], 0.0
    elif model == "linear":
        weights, xi = _linear(over, under, b, w)
    else:
        xi, ends = _nonlinear(over, under, b, w)
        middles = [(low + high) / 2 for low, high in ends]
        total = math.fsum(middles)
        weights = [m / total for m in middles]
        intervals = dict(zip(names, ends, strict=True))
        index = consistency_index(float(over[w]))
        ratio = xi / index if index > 0 else 0.0
    return BwmResult(
        dict(zip(names, weights, strict=True)),
        model,
        best,
        worst,
        dict(zip(names, over.tolist(), strict=True)),
        dict(zip(names, under.tolist(), strict=True)),
        xi,
        index,
        ratio,
        intervals,
        check,
    )
