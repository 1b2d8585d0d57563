"""Weights of criteria: given directly, or from pairwise judgments (AHP)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import Problem, ProblemsFound, RangeError, ShapeError, UnknownName

__all__ = [
    "CR_LIMIT",
    "RANDOM_INDEX",
    "AhpResult",
    "OddPair",
    "ahp",
    "ahp_from_pairs",
    "direct",
]

CR_LIMIT = 0.10
"""Largest consistency ratio that is accepted (Saaty)."""

RANDOM_INDEX: dict[str, tuple[float, ...]] = {
    "saaty-newer": (0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.52, 1.54, 1.56, 1.58, 1.59),
    "saaty-1980": (0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59),
}
"""Mean consistency index of random judgments for n = 3 … 15, by table. The tables disagree enough
to change what is accepted, so a result records which was used."""

_RECIPROCAL = 0.011
"""0.33 is accepted as the reciprocal of 3."""


@dataclass(frozen=True, slots=True)
class OddPair:
    """The judgment that fits the others least: mending it helps most.

    Parameters
    ----------
    a, b : str
        Criteria; ``given`` ≥ 1 says how many times as important as ``b`` ``a`` was judged.
    given, implied : float
        The judgment, and what all others together imply for it.
    cr_mended : float
        Consistency ratio with ``implied`` in its place.
    """

    a: str
    b: str
    given: float
    implied: float
    cr_mended: float


@dataclass(frozen=True, slots=True)
class AhpResult:
    """Weights from pairwise judgments, with the evidence.

    Parameters
    ----------
    weights : dict
        Criterion → weight, in the order given; sums to 1.
    lambda_max, ci, cr : float
        Principal eigenvalue; (λmax − n) / (n − 1); CI / random index. CR is 0 for n ≤ 2.
    random_index : float
        0 for n ≤ 2, where no judgment can contradict another.
    table : str
        Name in :data:`RANDOM_INDEX`.
    odd : OddPair or None
        None for n ≤ 2.
    """

    weights: dict[str, float]
    lambda_max: float
    ci: float
    cr: float
    random_index: float
    table: str
    odd: OddPair | None = field(default=None)

    def record(self) -> dict[str, Any]:
        """Return the evidence as plain values, for a run's record."""
        return {
            "method": "ahp",
            "lambda_max": self.lambda_max,
            "ci": self.ci,
            "cr": self.cr,
            "cr_limit": CR_LIMIT,
            "random_index": self.random_index,
            "random_index_table": self.table,
            "odd_pair": None
            if self.odd is None
            else {
                "pair": f"{self.odd.a}/{self.odd.b}",
                "given": self.odd.given,
                "implied": self.odd.implied,
                "cr_mended": self.odd.cr_mended,
            },
        }


def _principal(matrix: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], float]:
    """Return the eigenvector that sums to 1 and its eigenvalue, by power iteration.

    A positive matrix has one largest eigenvalue with a positive vector (Perron), to which the
    iteration converges from any positive start. Plain sums, so that every machine agrees.
    """
    w = np.full(len(matrix), 1.0 / len(matrix))
    for _ in range(100_000):
        product = (matrix * w).sum(axis=1)
        after = product / product.sum()
        if np.abs(after - w).max() <= 1e-15:
            break
        w = after
    return after, float(((matrix * after).sum(axis=1) / after).mean())


def _complete(
    matrix: npt.NDArray[np.float64], names: Sequence[str], where: str
) -> npt.NDArray[np.float64]:
    """Return the matrix made exactly reciprocal, or raise all that is wrong with it."""
    problems = []
    whole = np.eye(len(names))
    for i, a in enumerate(names):
        if not abs(matrix[i, i] - 1) <= 1e-9:
            problems.append(
                Problem(where, f"{a}/{a} is {matrix[i, i]:g}", "a criterion equals itself: 1")
            )
        for j in range(i + 1, len(names)):
            b, given, back = names[j], float(matrix[i, j]), float(matrix[j, i])
            if math.isnan(given) or math.isnan(back):
                problems.append(Problem(where, f"{a}/{b} is missing", "judge this pair"))
            elif not (0 < given < math.inf and 0 < back < math.inf):
                bad = given if not 0 < given < math.inf else back
                problems.append(
                    Problem(where, f"{a}/{b} is {bad:g}", "a judgment is a number above 0")
                )
            elif abs(given * back - 1) > _RECIPROCAL:
                problems.append(
                    Problem(
                        where,
                        f"{a}/{b} is {given:g} but {b}/{a} is {back:g}",
                        f"not reciprocal: make {b}/{a} {1 / given:.4g}",
                    )
                )
            else:
                # the one above 1 was judged, the other rounded
                whole[i, j] = given if given >= 1 else 1 / back
                whole[j, i] = 1 / whole[i, j]
    if problems:
        raise ProblemsFound(f"the judgments have {len(problems)} problems", problems, where=where)
    return whole


def _odd_pair(
    matrix: npt.NDArray[np.float64], names: Sequence[str], random_index: float
) -> OddPair:
    """Return the pair without which the others agree best; ties: the first.

    A pair is left out as Harker (1987) does: both entries 0, and 1 more on either diagonal, whose
    eigenvector is that of the table with the implied ratio in place.
    """
    n = len(names)
    best: tuple[float, int, int, float] | None = None
    for i in range(n):
        for j in range(i + 1, n):
            without = matrix.copy()
            without[i, j] = without[j, i] = 0.0
            without[i, i] = without[j, j] = 2.0
            w, lambda_max = _principal(without)
            if best is None or lambda_max < best[0] - 1e-9:
                best = (lambda_max, i, j, float(w[i] / w[j]))
    if best is None:
        raise ShapeError("no pair of criteria")
    lambda_max, i, j, implied = best
    if matrix[i, j] < 1:
        i, j, implied = j, i, 1 / implied
    cr = max(lambda_max - n, 0.0) / (n - 1) / random_index
    return OddPair(names[i], names[j], float(matrix[i, j]), implied, cr)


def ahp(
    matrix: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    table: str = "saaty-newer",
    limit: float = CR_LIMIT,
    where: str = "weights.pairs",
) -> AhpResult:
    """Return weights from a table of pairwise judgments.

    Parameters
    ----------
    matrix : array_like of float, shape (n, n)
        ``matrix[i, j]`` says how many times as important as criterion j criterion i is; positive
        and reciprocal (to 1 %, so that 0.33 may stand for 1/3). NaN is a missing judgment.
    names : sequence of str, optional
        Default ``c1``, ``c2`` …
    table : str
        Which of :data:`RANDOM_INDEX`.
    limit : float
        Largest consistency ratio that is accepted; ``inf`` accepts any.
    where : str
        Put before an error.

    Returns
    -------
    AhpResult

    Raises
    ------
    ProblemsFound
        Missing, non-positive or non-reciprocal judgments, all at once.
    RangeError
        The consistency ratio is above ``limit``; or there are more than 15 criteria, for which
        no random index is published.

    Notes
    -----
    Saaty (1980, 2008): A w = λmax w, CI = (λmax − n) / (n − 1), CR = CI / RI(n).
    """
    a = np.asarray(matrix, dtype=np.float64)
    if a.ndim != 2 or a.shape[0] != a.shape[1] or a.shape[0] == 0:
        raise ShapeError(f"judgments of shape {a.shape}; a square table is needed", where=where)
    n = len(a)
    given = [f"c{k + 1}" for k in range(n)] if names is None else list(names)
    if len(given) != n:
        raise ShapeError(f"{len(given)} names for {n} criteria", where=where)
    if table not in RANDOM_INDEX:
        raise UnknownName(
            f"random-index table {table!r} is unknown",
            where=where,
            remedy=f"use one of {', '.join(RANDOM_INDEX)}",
        )
    if n > 15:
        raise RangeError(
            f"{n} criteria; random indices are published for up to 15",
            where=where,
            remedy="group the criteria",
        )
    a = _complete(a, given, where)
    w, lambda_max = _principal(a)
    weights = dict(zip(given, w.tolist(), strict=True))
    if n <= 2:
        return AhpResult(weights, float(n), 0.0, 0.0, 0.0, table)
    lambda_max = max(lambda_max, float(n))  # equal in exact arithmetic when consistent
    ci = (lambda_max - n) / (n - 1)
    random_index = RANDOM_INDEX[table][n - 3]
    cr = ci / random_index
    odd = _odd_pair(a, given, random_index)
    if cr > limit:
        raise RangeError(
            f"the judgments contradict each other: consistency ratio CR = {cr:.4f}, "
            f"above {limit:.2f}",
            where=where,
            remedy=f"mend {odd.a}/{odd.b} first: given {_ratio(odd.given)}, while the other "
            f"judgments imply about {_ratio(odd.implied)}, which would make CR "
            f"{odd.cr_mended:.4f}",
        )
    return AhpResult(weights, lambda_max, ci, cr, random_index, table, odd)


def _ratio(value: float) -> str:
    return f"{value:.3g}" if value >= 1 else f"1/{1 / value:.3g}"


def ahp_from_pairs(
    names: Sequence[str],
    pairs: Mapping[str, float],
    *,
    table: str = "saaty-newer",
    limit: float = CR_LIMIT,
    where: str = "weights.pairs",
) -> AhpResult:
    """Return weights from judgments by name.

    Parameters
    ----------
    names : sequence of str
        All criteria.
    pairs : mapping
        ``{'a/b': 3}``: a is 3 times as important as b. Every pair once, in either direction.

    Raises
    ------
    ProblemsFound
        An unknown criterion, a pair given twice, missing or not positive; all at once.
    RangeError
        The consistency ratio is above ``limit``.
    """
    place = {name: k for k, name in enumerate(names)}
    matrix = np.full((len(place), len(place)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    problems = []
    for key, value in pairs.items():
        a, slash, b = (part.strip() for part in key.partition("/"))
        unknown = [name for name in (a, b) if name not in place]
        at = f"{where}.{key}"
        if not slash or unknown:
            what = f"{', '.join(unknown)} is not a criterion" if slash else "is not a pair"
            problems.append(Problem(at, what, f"write 'a/b' with {', '.join(names)}"))
        elif a == b:
            problems.append(Problem(at, "compares a criterion with itself", "leave it out"))
        elif not (math.isfinite(value) and value > 0):
            problems.append(Problem(at, f"is {value:g}", "a judgment is a number above 0"))
            matrix[place[a], place[b]] = matrix[place[b], place[a]] = 1.0  # said once is enough
        elif not math.isnan(matrix[place[a], place[b]]):
            problems.append(Problem(at, "this pair is given twice", "keep one of them"))
        else:
            matrix[place[a], place[b]] = value
            matrix[place[b], place[a]] = 1.0 / value
    for i, a in enumerate(names):
        problems += [
            Problem(where, f"{a}/{b} is missing", "judge this pair")
            for b in names[i + 1 :]
            if math.isnan(matrix[i, place[b]])
        ]
    if problems:
        raise ProblemsFound(f"the judgments have {len(problems)} problems", problems, where=where)
    return ahp(matrix, list(names), table=table, limit=limit, where=where)


def direct(weights: Mapping[str, float], *, where: str = "weights") -> dict[str, float]:
    """Return weights scaled to sum to 1.

    Parameters
    ----------
    weights : mapping
        Criterion → weight on any one scale, 0 or more, not all 0.

    Raises
    ------
    RangeError
        A weight is negative or not finite, or none is above 0.
    """
    bad = {k: v for k, v in weights.items() if not (v >= 0 and math.isfinite(v))}
    if bad:
        raise RangeError(f"weights must be 0 or more: {bad}", where=where)
    total = math.fsum(weights.values())
    if not total > 0:
        raise RangeError("no weight is above 0", where=where, remedy="give at least one weight")
    return {k: v / total for k, v in weights.items()}
