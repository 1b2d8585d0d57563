"""Weights beside pymcdm, scikit-criteria and scipy: the same numbers, and the time they take.

``python -m benchmarks.weights [--quick] [--json]``. A ratio is the peer's time over ours: above 1,
ours is faster. ``difference`` is the largest difference between two weights. Ours checks the
values, keeps the evidence and, for AHP, seeks the judgment to mend; the peers do none of it.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from pymcdm.weights import critic_weights as pymcdm_critic
from pymcdm.weights import entropy_weights as pymcdm_entropy
from pymcdm.weights import merec_weights as pymcdm_merec
from pymcdm.weights.subjective import AHP
from scipy.optimize import linprog, minimize
from skcriteria.preprocessing.weighters import critic_weights as skcriteria_critic
from skcriteria.preprocessing.weighters import entropy_weights as skcriteria_entropy
from skcriteria.preprocessing.weighters import merec_weights as skcriteria_merec

from geoplan.mcda.ahp import ahp
from geoplan.mcda.bwm import bwm
from geoplan.mcda.objective import ObjectiveMethod, objective_weights

__all__ = ["Row", "bench_ahp", "bench_bwm", "bench_objective", "run"]

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One comparison; seconds are the best of several runs."""

    name: str
    ours_s: float
    peer: str
    peer_s: float
    ratio: float
    difference: float


def _best(work: Callable[[], object], times: int = 5) -> float:
    found = math.inf
    for _ in range(times):
        start = time.perf_counter()
        work()
        found = min(found, time.perf_counter() - start)
    return found


def _row(
    name: str, ours: Callable[[], Vector], peer: str, theirs: Callable[[], Vector], times: int = 5
) -> Row:
    difference = float(np.abs(ours() - theirs()).max())
    a, b = _best(ours, times), _best(theirs, times)
    return Row(name, a, peer, b, b / a, difference)


def _judgments(n: int) -> Vector:
    """Return judgments of one to nine around weights that are drawn, little contradictory."""
    rng = np.random.default_rng(n)
    w = rng.uniform(1, 4, n)
    table = np.eye(n)
    for i in range(n):
        for j in range(i + 1, n):
            ratio = w[i] / w[j]
            table[i, j] = round(ratio) if ratio >= 1 else 1 / round(1 / ratio)
            table[j, i] = 1 / table[i, j]
    return table


def bench_ahp(_rows: int) -> list[Row]:
    """Eigenvector and consistency ratio, with 7 and 15 criteria."""
    out = []
    for n in (7, 15):
        table = _judgments(n)
        names = [f"c{k}" for k in range(n)]

        def ours(table: Vector = table, names: list[str] = names) -> Vector:
            return np.array(list(ahp(table, names, limit=math.inf).weights.values()))

        def theirs(table: Vector = table) -> Vector:
            asked = AHP(matrix=table)
            weights = np.asarray(asked())
            asked.get_cr()
            return weights

        out.append(_row(f"AHP, {n} criteria, with the pair to mend", ours, "pymcdm", theirs))
    return out


def bench_objective(rows: int) -> list[Row]:
    """Entropy, CRITIC and MEREC on a sample of cells."""
    values = np.random.default_rng(3).uniform(0.05, 1.0, (rows, 12))
    names = [f"c{k}" for k in range(12)]
    more = np.ones(12, dtype=int)
    peers: tuple[tuple[ObjectiveMethod, str, Callable[[], Vector]], ...] = (
        ("entropy", "pymcdm", lambda: pymcdm_entropy(values)),
        ("entropy", "scikit-criteria", lambda: skcriteria_entropy(values)),
        ("critic", "pymcdm", lambda: pymcdm_critic(values)),
        ("critic", "scikit-criteria", lambda: skcriteria_critic(values, more)),
        ("merec", "pymcdm", lambda: pymcdm_merec(values, more)),
        ("merec", "scikit-criteria", lambda: skcriteria_merec(values, more)),
    )
    out = []
    for method, peer, theirs in peers:

        def ours(method: ObjectiveMethod = method) -> Vector:
            return np.array(list(objective_weights(values, names, method).weights.values()))

        out.append(_row(f"{method}, {rows:,} cells × 12 criteria", ours, peer, theirs, 3))
    return out


def _by_bisection(over: Vector, under: Vector) -> float:
    """Return ξ* as a careful user would: bisection on ξ, each step a linear program."""
    n = len(over)

    def feasible(xi: float) -> bool:
        rows = []
        for j in range(n):
            for left, right, a in ((0, j, over[j]), (j, n - 1, under[j])):
                if left == right:
                    continue
                for sign in (1.0, -1.0):
                    row = np.zeros(n)
                    row[left] += sign
                    row[right] -= sign * a + xi
                    rows.append(row)
        solved = linprog(
            np.zeros(n), A_ub=rows, b_ub=np.zeros(len(rows)), A_eq=[np.ones(n)], b_eq=[1.0]
        )
        return bool(solved.status == 0)

    low, high = 0.0, float(over.max())
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if feasible(middle) else (middle, high)
    return high


def _by_descent(over: Vector, under: Vector) -> float:
    """Return ξ as a general optimiser finds it, from equal weights."""
    n = len(over)
    found = minimize(
        lambda x: x[n],
        np.append(np.full(n, 1.0 / n), float(over.max())),
        method="SLSQP",
        bounds=[(1e-6, 1)] * n + [(0, None)],
        constraints=[
            {"type": "eq", "fun": lambda x: x[:n].sum() - 1},
            {"type": "ineq", "fun": lambda x: x[n] - np.abs(x[0] / x[:n] - over)},
            {"type": "ineq", "fun": lambda x: x[n] - np.abs(x[:n] / x[n - 1] - under)},
        ],
        options={"maxiter": 500},
    )
    return float(found.x[n])


def bench_bwm(_rows: int) -> list[Row]:
    """The non-linear best-worst model; the difference is between the optima ξ*."""
    over = np.array([1.0, 2, 3, 3, 4, 5, 6, 7, 9])
    under = np.array([9.0, 5, 4, 3, 3, 2, 2, 2, 1])
    names = [f"c{k}" for k in range(len(over))]

    def ours() -> Vector:
        found = bwm(
            names,
            best=names[0],
            worst=names[-1],
            best_to_others=dict(zip(names, over.tolist(), strict=True)),
            others_to_worst=dict(zip(names, under.tolist(), strict=True)),
            model="nonlinear",
        )
        return np.array([found.xi])

    return [
        _row("BWM, non-linear, 9 criteria, with intervals", ours, peer,
             lambda work=work: np.array([work(over, under)]), 3)
        for peer, work in (
            ("scipy linprog, bisection", _by_bisection), ("scipy SLSQP", _by_descent),
        )
    ]  # fmt: skip


def run(rows: int = 10_000) -> list[Row]:
    """Run every bench."""
    return [row for bench in (bench_ahp, bench_objective, bench_bwm) for row in bench(rows)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 cells")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = run(1_000 if given.quick else 10_000)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(f"{'':46}{'ours ms':>9}  {'peer':26}{'peer ms':>9}{'ratio':>8}{'difference':>12}")
    for row in rows:
        print(
            f"{row.name:46}{row.ours_s * 1e3:9.2f}  {row.peer:26}{row.peer_s * 1e3:9.2f}"
            f"{row.ratio:8.1f}{row.difference:12.1e}"
        )


if __name__ == "__main__":
    main()
