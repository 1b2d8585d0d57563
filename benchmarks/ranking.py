"""TOPSIS, VIKOR, SPOTIS and PROMETHEE II beside pymcdm, scikit-criteria and plain numpy.

``python -m benchmarks.ranking [--quick] [--json]``. A ratio is the peer's time over ours: above 1,
ours is faster. Both work on the same table in the same run, ours with the check of the table, and
``apart`` is the largest difference of their numbers. The public PROMETHEE compares every pair, so
that it runs on the small table alone; beyond, the peer is what a careful user would write with a
sort, sums and binary searches in numpy.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.ranking import PreferenceSpec
from geoplan.mcda.decision import Decision, decision
from geoplan.mcda.promethee import promethee
from geoplan.mcda.spotis import spotis
from geoplan.mcda.topsis import topsis
from geoplan.mcda.vikor import vikor

__all__ = ["Row", "run"]

CRITERIA = 12

LINEAR = PreferenceSpec(kind="linear", q=0.05, p=0.3)

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One comparison; seconds are the best of three runs (one where a run takes over 5 s)."""

    name: str
    alternatives: int
    ours_s: float
    peer: str
    peer_s: float | None
    ratio: float | None
    apart: float | None


def _best(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    found, out = math.inf, None
    for _ in range(times):
        start = time.perf_counter()
        out = work()
        found = min(found, time.perf_counter() - start)
        if found > 5:
            break
    return found, out


def _row(
    name: str, count: int, ours: tuple[float, Any], peer: str, theirs: tuple[float, Any] | None
) -> Row:
    if theirs is None:
        return Row(name, count, ours[0], peer, None, None, None)
    apart = float(np.abs(np.asarray(ours[1]) - np.asarray(theirs[1])).max())
    return Row(name, count, ours[0], peer, theirs[0], theirs[0] / ours[0], apart)


def _table(count: int, criteria: int = CRITERIA) -> tuple[Decision, Array, Array]:
    rng = np.random.default_rng(0)
    values = rng.random((count, criteria))
    weights = rng.dirichlet(np.full(criteria, 5.0))
    return decision(values, weights), values, weights


def bench_methods(count: int) -> list[Row]:
    """Distance methods at one size against both libraries."""
    import pymcdm.methods as pm
    import skcriteria as sk
    from pymcdm.normalizations import vector_normalization
    from skcriteria.agg.spotis import SPOTIS
    from skcriteria.agg.topsis import TOPSIS
    from skcriteria.agg.vikor import VIKOR
    from skcriteria.preprocessing.scalers import VectorScaler

    _, values, weights = _table(count)
    types = np.ones(CRITERIA)
    bounds = np.tile([0.0, 1.0], (CRITERIA, 1))
    matrix = sk.mkdm(values, objectives=[max] * CRITERIA, weights=weights)

    def sk_topsis() -> Any:
        return TOPSIS().evaluate(VectorScaler(target="matrix").transform(matrix)).e_.similarity

    rows = []
    ours = _best(lambda: topsis(decision(values, weights)).closeness)
    peer = pm.TOPSIS(vector_normalization)
    rows.append(
        _row("TOPSIS, vector", count, ours, "pymcdm", _best(lambda: peer(values, weights, types)))
    )
    rows.append(_row("TOPSIS, vector", count, ours, "scikit-criteria", _best(sk_topsis)))
    ours = _best(lambda: vikor(decision(values, weights)).q)
    rows.append(
        _row("VIKOR", count, ours, "pymcdm", _best(lambda: pm.VIKOR()(values, weights, types)))
    )
    theirs = _best(lambda: VIKOR().evaluate(matrix).e_.q_k)
    rows.append(_row("VIKOR", count, ours, "scikit-criteria", theirs))
    ours = _best(lambda: spotis(decision(values, weights), bounds))
    theirs = _best(lambda: pm.SPOTIS(bounds)(values, weights, types))
    rows.append(_row("SPOTIS", count, ours, "pymcdm", theirs))
    theirs = _best(lambda: SPOTIS().evaluate(matrix, bounds=bounds))
    rows.append(
        _row("SPOTIS", count, ours, "scikit-criteria", (theirs[0], _score_of(theirs[1], ours[1])))
    )
    return rows


def _score_of(result: Any, like: Array) -> Array:
    """Return the distances from a result of scikit-criteria, whatever the version names them."""
    for key in ("score", "scores", "spotis"):
        found = getattr(result.e_, key, None)
        if found is not None and np.shape(found) == like.shape:
            return np.asarray(found)
    return np.full(like.shape, np.nan)


def bench_promethee_pairs(count: int) -> list[Row]:
    """The public PROMETHEE II, pair by pair."""
    import pymcdm.methods as pm

    _, values, weights = _table(count)
    q, p = np.full(CRITERIA, LINEAR.q), np.full(CRITERIA, LINEAR.p)
    ours = _best(lambda: promethee(decision(values, weights), LINEAR).net)

    def pairs() -> Any:  # an object of pymcdm can be called once
        return pm.PROMETHEE_II("vshape_2", p=p, q=q)(values, weights, np.ones(CRITERIA))

    theirs = _best(pairs)
    return [_row("PROMETHEE II, linear", count, ours, "pymcdm", theirs)]


def _net_by_searching(x: Array, q: float, p: float) -> Array:
    """Return net flows of a linear criterion: one sort, sums and four binary searches, in numpy."""
    order = np.argsort(x, kind="stable")
    s = x[order]
    sums = np.concatenate(([0.0], np.cumsum(s)))
    far_below, below = np.searchsorted(s, s - p, "left"), np.searchsorted(s, s - q, "left")
    above, far_above = np.searchsorted(s, s + q, "right"), np.searchsorted(s, s + p, "right")
    plus = far_below + ((below - far_below) * (s - q) - (sums[below] - sums[far_below])) / (p - q)
    minus = (len(x) - far_above) + (
        (sums[far_above] - sums[above]) - (far_above - above) * (s + q)
    ) / (p - q)
    net = np.empty(len(x))
    net[order] = (plus - minus) / (len(x) - 1)
    return net


def bench_promethee_sorted(count: int) -> list[Row]:
    """One criterion of many alternatives, against the same sums in numpy."""
    _, values, weights = _table(count, criteria=1)
    ours = _best(lambda: promethee(decision(values, weights), LINEAR).net)
    theirs = _best(lambda: _net_by_searching(values[:, 0], LINEAR.q, LINEAR.p))
    return [_row("PROMETHEE II, one criterion", count, ours, "numpy, sorted", theirs)]


def run(*, quick: bool = False) -> list[Row]:
    """Return every row, smallest tables first."""
    small, _, _ = _table(50)
    for warm in (topsis, vikor):
        warm(small)
    spotis(small, np.tile([0.0, 1.0], (CRITERIA, 1)))
    promethee(small, LINEAR)
    rows: list[Row] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for count in (2_000,) if quick else (2_000, 100_000):
            rows += bench_methods(count)
        rows += bench_promethee_pairs(500 if quick else 2_000)
        question, _, _ = _table(100_000)
        rows.append(
            _row("PROMETHEE II, linear", 100_000, _best(lambda: promethee(question, LINEAR).net),
                 "pymcdm (needs 80 GB a criterion)", None)
        )  # fmt: skip
        for count in (100_000,) if quick else (1_000_000, 10_000_000):
            rows += bench_promethee_sorted(count)
    return rows


def main() -> None:
    """Print the table, or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small tables only")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args()
    for row in run(quick=given.quick):
        if given.json:
            print(json.dumps(asdict(row)))
            continue
        ratio = "–" if row.ratio is None else f"{row.ratio:.1f}×"
        peer = "–" if row.peer_s is None else f"{row.peer_s:.4f} s"
        apart = "–" if row.apart is None else f"{row.apart:.1e}"
        print(
            f"{row.name:28} {row.alternatives:>11,} {row.ours_s:9.4f} s  "
            f"{row.peer:34} {peer:>11}  {ratio:>8}  apart {apart}"
        )


if __name__ == "__main__":
    main()
