"""Weights from the values themselves: entropy, CRITIC, MEREC, standard deviation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import Problem, ProblemsFound, RangeError, ShapeError, UnknownName

__all__ = ["OBJECTIVE_METHODS", "ObjectiveMethod", "ObjectiveResult", "objective_weights"]

ObjectiveMethod = Literal["entropy", "critic", "merec", "std"]
OBJECTIVE_METHODS: tuple[ObjectiveMethod, ...] = ("entropy", "critic", "merec", "std")

_CONSTANT = 1e-12
"""A span this small beside the largest value is rounding, not a difference."""

_OTHER = "leave the criterion out, weigh by judgments, or use another method"

Matrix = npt.NDArray[np.float64]
"""Shape (criteria, alternatives), or (criteria,) for a measure of each."""


@dataclass(frozen=True, slots=True)
class ObjectiveResult:
    """Weights from values, with the evidence.

    Parameters
    ----------
    weights : dict
        Criterion → weight, in the order given; sums to 1.
    method : {"entropy", "critic", "merec", "std"}
    normalisation : str
        How values were made comparable, as a formula.
    rows, used : int
        Rows given, and rows without a missing value.
    floored : dict
        Criterion → values that were raised to the floor; empty where there is none.
    measures : dict
        Name of a measure → criterion → number: what the weights are made of.
    """

    weights: dict[str, float]
    method: ObjectiveMethod
    normalisation: str
    rows: int
    used: int
    floored: dict[str, int]
    measures: dict[str, dict[str, float]]

    def record(self) -> dict[str, Any]:
        """Return the evidence as plain values, for a run's record."""
        return {
            "method": self.method,
            "criteria": list(self.weights),
            "weights": list(self.weights.values()),
            "normalisation": self.normalisation,
            "rows": self.rows,
            "rows_used": self.used,
            "raised_to_floor": self.floored,
            "measures": self.measures,
        }


def _checked(
    values: Matrix, names: Sequence[str], method: str, floor: float | None, where: str
) -> tuple[Matrix, dict[str, int]]:
    """Return the rows without a missing value, after all that is wrong with a criterion was said.

    ``values`` and the result are of shape (criteria, alternatives): each criterion lies in one
    piece, which is quick to read and sums in pairs.
    """
    problems = []
    for k, name in enumerate(names):
        column = values[k]
        at = f"criteria.{name}"
        known = column[~np.isnan(column)]
        if known.size == 0:
            problems.append(
                Problem(at, f"criterion '{name}' has no value in any of {len(column)} rows", _OTHER)
            )
        elif np.isinf(known).any():
            problems.append(Problem(at, f"criterion '{name}' has infinite values", _OTHER))
    if problems:
        raise ProblemsFound(f"the values cannot be weighed by {method}", problems, where=where)
    missing = np.isnan(values)
    gappy = missing.any(axis=0)
    rows = np.ascontiguousarray(values[:, ~gappy]) if gappy.any() else values
    if rows.shape[1] < 2:
        worst = int(np.argmax(missing.sum(axis=1)))
        raise RangeError(
            f"{rows.shape[1]} of {values.shape[1]} rows have a value of every criterion; "
            f"'{names[worst]}' is missing most often",
            where=where,
            remedy="leave that criterion out, or draw more rows",
        )
    floored: dict[str, int] = {}
    if floor is not None:
        floored = {n: int((rows[k] < floor).sum()) for k, n in enumerate(names)}
        rows = np.maximum(rows, floor)
    for k, name in enumerate(names):
        column, at = rows[k], f"criteria.{name}"
        low, high = float(column.min()), float(column.max())
        if high - low <= _CONSTANT * max(abs(low), abs(high)):
            problems.append(
                Problem(at, f"criterion '{name}' is {high:g} everywhere: it tells no site apart",
                        _OTHER)
            )  # fmt: skip
        elif method == "merec" and low <= 0:
            problems.append(
                Problem(
                    at,
                    f"criterion '{name}' has {int((column <= 0).sum())} values of 0 or less, "
                    f"least {low:g}: MEREC takes logarithms of ratios",
                    "give 'floor' (for example 0.01), to which lower values are raised, or use "
                    "entropy or critic",
                )
            )
        elif method == "entropy" and low < 0:
            problems.append(
                Problem(
                    at,
                    f"criterion '{name}' has {int((column < 0).sum())} values below 0, "
                    f"least {low:g}: shares of a sum cannot be negative",
                    "use a value function that gives 0 to 1, or use critic or std",
                )
            )
    if problems:
        raise ProblemsFound(f"the values cannot be weighed by {method}", problems, where=where)
    return rows, floored


def _range_scaled(rows: Matrix, benefit: npt.NDArray[np.bool_]) -> Matrix:
    low, high = rows.min(axis=1, keepdims=True), rows.max(axis=1, keepdims=True)
    scaled: Matrix = (rows - low) / (high - low)
    scaled[~benefit] = 1.0 - scaled[~benefit]
    return scaled


def _deviation(scaled: Matrix) -> Matrix:
    spread: Matrix = np.sqrt(((scaled - scaled.mean(axis=1, keepdims=True)) ** 2).mean(axis=1))
    return spread


def _entropy(rows: Matrix, _benefit: npt.NDArray[np.bool_]) -> tuple[Matrix, dict[str, Matrix]]:
    shares = rows / rows.sum(axis=1, keepdims=True)
    logs = np.log(np.where(shares > 0, shares, 1.0))  # 0 ln 0 = 0, its limit
    entropy = -(shares * logs).sum(axis=1) / math.log(rows.shape[1])
    return 1.0 - entropy, {"entropy": entropy, "divergence": 1.0 - entropy}


def _critic(rows: Matrix, benefit: npt.NDArray[np.bool_]) -> tuple[Matrix, dict[str, Matrix]]:
    scaled = _range_scaled(rows, benefit)
    deviation = _deviation(scaled)
    standard = (scaled - scaled.mean(axis=1, keepdims=True)) / deviation[:, None]
    n = len(rows)
    conflict = np.zeros(n)
    for k in range(n):
        # a criterion at a time and in plain sums: no threads of a linear-algebra library
        correlation = (standard * standard[k]).mean(axis=1)
        correlation[k] = 1.0
        conflict[k] = (1.0 - np.clip(correlation, -1.0, 1.0)).sum()
    if n == 1:
        conflict[:] = 1.0  # one criterion conflicts with none, and has all the weight
    return deviation * conflict, {"standard_deviation": deviation, "conflict": conflict}


def _merec(rows: Matrix, benefit: npt.NDArray[np.bool_]) -> tuple[Matrix, dict[str, Matrix]]:
    # |ln (min / x)| or |ln (x / max)|: the distance of the logarithms
    logs = np.log(rows)
    ends = np.where(benefit, logs.min(axis=1), logs.max(axis=1))
    logs = np.abs(logs - ends[:, None])
    total = logs.sum(axis=0)
    n = len(rows)
    with_all = np.log1p(total / n)
    without = np.log1p(np.maximum(total - logs, 0.0) / n)
    effect = np.abs(without - with_all).sum(axis=1)
    return effect, {"removal_effect": effect}


def _std(rows: Matrix, benefit: npt.NDArray[np.bool_]) -> tuple[Matrix, dict[str, Matrix]]:
    deviation = _deviation(_range_scaled(rows, benefit))
    return deviation, {"standard_deviation": deviation}


_METHODS = {
    "entropy": (_entropy, "x / Σx of the criterion (shares)"),
    "critic": (_critic, "(x − min) / (max − min), turned round for costs"),
    "merec": (_merec, "min / x for benefits, x / max for costs"),
    "std": (_std, "(x − min) / (max − min), turned round for costs"),
}


def objective_weights(
    values: npt.ArrayLike,
    names: Sequence[str],
    method: ObjectiveMethod,
    *,
    directions: Mapping[str, int] | None = None,
    floor: float | None = None,
    where: str = "weights",
) -> ObjectiveResult:
    """Return weights from how values differ between alternatives.

    Parameters
    ----------
    values : array_like of float, shape (alternatives, criteria)
        Values 0–1, or raw measures with their ``directions``. NaN is missing: such a row is left
        out, and counted.
    names : sequence of str
        One per column.
    method : {"entropy", "critic", "merec", "std"}
    directions : mapping, optional
        Criterion → 1 where more is better, −1 where less is; default 1. Entropy does not depend
        on it.
    floor : float, optional
        Lower values are raised to it, and counted.
    where : str
        Put before an error.

    Returns
    -------
    ObjectiveResult

    Raises
    ------
    ProblemsFound
        Criteria without any value, that are the same everywhere, or of a sign that the method has
        no meaning for; all at once.
    RangeError
        Fewer than two rows without a missing value; or all criteria move as one (CRITIC).

    Notes
    -----
    entropy: pᵢⱼ = xᵢⱼ / Σᵢ xᵢⱼ, eⱼ = −Σᵢ p ln p / ln m, w ∝ 1 − eⱼ (Shannon 1948; Hwang & Yoon
    1981). Zeros count as the limit 0 ln 0 = 0.
    critic: w ∝ σⱼ Σₖ (1 − rⱼₖ) of range-scaled values (Diakoulaki, Mavrotas & Papayannakis 1995,
    Computers & Operations Research 22, eqs. 2 to 6).
    merec: Sᵢ = ln(1 + (1/n) Σⱼ |ln nᵢⱼ|), the same without j, w ∝ Σᵢ |S′ᵢⱼ − Sᵢ|
    (Keshavarz-Ghorabaee et al. 2021, Symmetry 13, 525).
    std: w ∝ σⱼ of range-scaled values.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(names) or not len(names):
        raise ShapeError(f"values of shape {array.shape} for {len(names)} criteria", where=where)
    if method not in _METHODS:
        raise UnknownName(
            f"objective method {method!r} is unknown",
            where=where,
            remedy=f"use one of {', '.join(OBJECTIVE_METHODS)}",
        )
    signs = [(directions or {}).get(name, 1) for name in names]
    wrong = {n: s for n, s in zip(names, signs, strict=True) if s not in (1, -1)}
    if wrong:
        raise RangeError(f"a direction is 1 or -1: {wrong}", where=where)
    rows, floored = _checked(np.ascontiguousarray(array.T), names, method, floor, where)
    work, normalisation = _METHODS[method]
    raw, measures = work(rows, np.array(signs) > 0)
    total = math.fsum(raw)
    if not total > 1e-12:
        raise RangeError(
            "all criteria rank all sites alike: there is no conflict to weigh by",
            where=where,
            remedy="use entropy or std, or weigh by judgments",
        )
    return ObjectiveResult(
        {n: max(float(x), 0.0) / total for n, x in zip(names, raw, strict=True)},
        method,
        normalisation,
        len(array),
        rows.shape[1],
        floored,
        {
            what: dict(zip(names, (float(x) for x in row), strict=True))
            for what, row in measures.items()
        },
    )
