"""Weights from a table of pairwise judgments: the analytic hierarchy process (AHP)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.mcda.judgments import Table, parts_of, reciprocal_table, table_of_pairs

__all__ = [
    "CR_LIMIT",
    "RANDOM_INDEX",
    "AhpResult",
    "OddPair",
    "ahp",
    "ahp_from_pairs",
    "random_index",
]

CR_LIMIT = 0.10
"""Largest consistency ratio that is accepted (Saaty)."""

RANDOM_INDEX: dict[str, tuple[float, ...]] = {
    "saaty-newer": (0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49, 1.52, 1.54, 1.56, 1.58, 1.59),
    "saaty-1980": (0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59),
}
"""Mean consistency index of random judgments for n = 3 … 15, by table. The tables disagree enough
to change what is accepted, so a result records which was used."""


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
        0 where no judgment can contradict another: n ≤ 2, or judgments that form a tree.
    table : str
        Name in :data:`RANDOM_INDEX`.
    odd : OddPair or None
        None where no judgment can contradict another.
    judgments : tuple of tuple of float
        The table as used, reciprocal; NaN is a missing judgment.
    missing : int
        Pairs that were not judged.
    """

    weights: dict[str, float]
    lambda_max: float
    ci: float
    cr: float
    random_index: float
    table: str
    odd: OddPair | None = field(default=None)
    judgments: tuple[tuple[float, ...], ...] = ()
    missing: int = 0

    def record(self) -> dict[str, Any]:
        """Return the evidence as plain values, for a run's record."""
        return {
            "method": "ahp",
            "criteria": list(self.weights),
            "weights": list(self.weights.values()),
            "judgments": [[None if math.isnan(x) else x for x in row] for row in self.judgments],
            "missing": self.missing,
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


def random_index(n: int, *, missing: int = 0, table: str = "saaty-newer") -> float:
    """Return the mean consistency index of random judgments.

    Parameters
    ----------
    n : int, up to 15
        Criteria.
    missing : int
        Pairs that are not judged.
    table : str
        Which of :data:`RANDOM_INDEX`.

    Returns
    -------
    float
        RI(n) · (1 − 2m / ((n − 1)(n − 2))) for m missing pairs (Ágoston & Csató 2022, Omega 108,
        the linear approximation): fewer judgments contradict each other less, and those that form
        a tree not at all. 0 for n ≤ 2.
    """
    if n <= 2:
        return 0.0
    closed = (n - 1) * (n - 2) // 2  # judgments beyond a tree: each can contradict the others
    return RANDOM_INDEX[table][n - 3] * (max(closed - missing, 0) / closed)


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


def _harker(table: Table) -> npt.NDArray[np.float64]:
    """Return the matrix whose eigenvector fills the gaps with the ratios it implies.

    Harker (1987), Math. Modelling 9: a missing entry is 0, and its row has 1 more on the diagonal.
    """
    gaps = np.isnan(table)
    matrix = np.where(gaps, 0.0, table)
    matrix[np.diag_indices(len(table))] += gaps.sum(axis=1)
    return matrix


def _odd_pair(table: Table, names: Sequence[str], ratio_index: float) -> OddPair | None:
    """Return the pair without which the others agree best; ties: the first.

    A pair is left out as Harker (1987) does, whose eigenvector is that of the table with the
    implied ratio in place. A pair that nothing else implies is passed over.
    """
    n = len(names)
    gappy = bool(np.isnan(table).any())  # without gaps, no single judgment is all that joins
    pairs, without = [], []
    for i in range(n):
        for j in range(i + 1, n):
            rest = table.copy()
            rest[i, j] = rest[j, i] = math.nan
            if not gappy or (not math.isnan(table[i, j]) and len(parts_of(rest)) == 1):
                pairs.append((i, j))
                without.append(_harker(rest))
    if not pairs:
        return None
    # all tables at once: the same iteration as for one
    stack = np.stack(without)
    w = np.full((len(stack), n), 1.0 / n)
    for _ in range(10_000):
        product = (stack * w[:, None, :]).sum(axis=2)
        after = product / product.sum(axis=1, keepdims=True)
        moved = float(np.abs(after - w).max())
        w = after
        if moved <= 1e-14:
            break
    eigenvalues = ((stack * w[:, None, :]).sum(axis=2) / w).mean(axis=1).tolist()
    k = 0
    for other, value in enumerate(eigenvalues):
        if value < eigenvalues[k] - 1e-9:
            k = other
    (i, j), implied = pairs[k], float(w[k, pairs[k][0]] / w[k, pairs[k][1]])
    if table[i, j] < 1:
        i, j, implied = j, i, 1 / implied
    cr = max(eigenvalues[k] - n, 0.0) / (n - 1) / ratio_index
    return OddPair(names[i], names[j], float(table[i, j]), implied, cr)


def ahp(
    matrix: npt.ArrayLike,
    names: Sequence[str] | None = None,
    *,
    table: str = "saaty-newer",
    limit: float = CR_LIMIT,
    incomplete: bool = False,
    where: str = "weights.pairs",
    whose: str = "",
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
    incomplete : bool
        Judgments may be missing, as long as the others join all criteria.
    where : str
        Put before an error.
    whose : str
        Of which group or judge the judgments are, for an error: ``"of judge b"``.

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
    Saaty (1980, 2008): A w = λmax w, CI = (λmax − n) / (n − 1), CR = CI / RI(n). Incomplete
    tables: Harker (1987), with the random index of :func:`random_index`. That index belongs to
    the smallest λmax that any filling of the gaps has; Harker's is never below it, so that the
    ratio errs on the strict side.
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
    a = reciprocal_table(a, given, incomplete=incomplete, where=where)
    missing = int(np.isnan(a).sum()) // 2
    w, lambda_max = _principal(_harker(a))
    weights = dict(zip(given, w.tolist(), strict=True))
    rows = tuple(tuple(row) for row in a.tolist())
    index = random_index(n, missing=missing, table=table)
    if index == 0:
        return AhpResult(weights, float(n), 0.0, 0.0, 0.0, table, None, rows, missing)
    lambda_max = max(lambda_max, float(n))  # equal in exact arithmetic when consistent
    ci = (lambda_max - n) / (n - 1)
    cr = ci / index
    odd = _odd_pair(a, given, index)
    if cr > limit:
        raise RangeError(
            f"the judgments{f' {whose}' if whose else ''} contradict each other: "
            f"consistency ratio CR = {cr:.4f}, above {limit:.2f}",
            where=where,
            remedy="judge again"
            if odd is None
            else f"mend {odd.a}/{odd.b} first: given {_ratio(odd.given)}, while the other "
            f"judgments imply about {_ratio(odd.implied)}, which would make CR "
            f"{odd.cr_mended:.4f}",
        )
    return AhpResult(weights, lambda_max, ci, cr, index, table, odd, rows, missing)


def _ratio(value: float) -> str:
    return f"{value:.3g}" if value >= 1 else f"1/{1 / value:.3g}"


def ahp_from_pairs(
    names: Sequence[str],
    pairs: Mapping[str, float],
    *,
    table: str = "saaty-newer",
    limit: float = CR_LIMIT,
    incomplete: bool = False,
    scale_max: float | None = None,
    where: str = "weights.pairs",
    whose: str = "",
) -> AhpResult:
    """Return weights from judgments by name.

    Parameters
    ----------
    names : sequence of str
        All criteria.
    pairs : mapping
        ``{'a/b': 3}``: a is 3 times as important as b. Every pair once, in either direction.
    scale_max : float, optional
        Largest judgment of the scale; none: any.

    Raises
    ------
    ProblemsFound
        An unknown criterion, a pair given twice, missing, not positive or off the scale; all at
        once.
    RangeError
        The consistency ratio is above ``limit``.
    """
    matrix = table_of_pairs(names, pairs, incomplete=incomplete, scale_max=scale_max, where=where)
    return ahp(
        matrix,
        list(names),
        table=table,
        limit=limit,
        incomplete=incomplete,
        where=where,
        whose=whose,
    )
