"""The composite index of provinces and counties with 1,000 draws, beside plain pandas and pymcdm.

``python -m benchmarks.regions [--quick] [--json]``. The peer of the draws is what an analyst would
write: a loop over draws, each in pandas (treat, normalise, weigh, rank). It runs fewer draws and
is scaled to the same number. TOPSIS of the same table is compared with pymcdm's, and ``apart`` is
the largest difference of their numbers. Bar: 31 provinces and 429 counties together below 5 s.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.composite import CompositeIndicator, CompositeSpec, DrawsSpec
from geoplan.catalogue.text import Text
from geoplan.regions.composite import composite_of_facts
from geoplan.regions.index_draws import draw_index
from geoplan.regions.index_score import Scorer

__all__ = ["Row", "run"]

INDICATORS = 9
PROVINCES, COUNTIES = 31, 429
BAR_S = 5.0

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One comparison; seconds are the best of three runs."""

    name: str
    regions: int
    draws: int
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
    return found, out


def _values(count: int) -> Array:
    """Return skewed, correlated indicators, of which one has many zeros."""
    rng = np.random.default_rng(count)
    common = rng.standard_normal(count)[:, None]
    values = np.exp(0.6 * common + 0.8 * rng.standard_normal((count, INDICATORS)))
    values[:, -1] = np.where(rng.random(count) < 0.6, 0.0, values[:, -1])
    return np.asarray(values)


def _spec(draws: int) -> CompositeSpec:
    marks = tuple(
        CompositeIndicator(
            id=f"i{k}", title=Text(en=f"i{k}"), formula=f"v{k} / people * 100000",
            denominator=("people",), level=1, unit="per 100,000", source="made", as_of="made",
            weight=1 + k % 3,
        )
        for k in range(INDICATORS)
    )  # fmt: skip
    return CompositeSpec(
        id="bench", title=Text(en="bench"), profile="none", level=1, indicators=marks,
        draws=DrawsSpec(draws=draws),
    )  # fmt: skip


def _facts(values: Array) -> tuple[pd.DataFrame, pd.DataFrame]:
    codes = [f"{i:04d}" for i in range(len(values))]
    columns = {f"v{k}": values[:, k] for k in range(INDICATORS)} | {
        "people": np.full(len(codes), 1e5)
    }
    parts = [
        pd.DataFrame({"region_code": codes, "variable": name, "value": column})
        for name, column in columns.items()
    ]
    facts = pd.concat(parts, ignore_index=True).assign(level=1, unit="1", as_of="x", source="x")
    regions = pd.DataFrame({"code": codes, "parent_code": None, "level": 1})
    return regions, facts.astype({"value": float})


def _loop(values: Array, draws: int) -> Array:
    """Return ranks draw by draw, in pandas; weights equal or drawn."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(values)
    ranks = np.empty((len(values), draws))
    for d in range(draws):
        table = frame
        rule = rng.integers(4)
        if rule == 1:
            table = table.clip(table.quantile(0.05), table.quantile(0.95), axis=1)
        elif rule == 2:
            low, high = table.quantile(0.25), table.quantile(0.75)
            table = table.clip(low - 1.5 * (high - low), high + 1.5 * (high - low), axis=1)
        elif rule == 3:
            table = table.transform(np.log1p)
        how = rng.integers(3)
        if how == 0:
            table = (table - table.min()) / (table.max() - table.min())
        elif how == 1:
            table = (table - table.mean()) / table.std(ddof=0)
        else:
            table = (table.rank() - 1) / (len(table) - 1)
        weights = rng.uniform(0.8, 1.2, INDICATORS)
        weights /= weights.sum()
        if rng.integers(2):
            table = np.log(table - table.min() + 0.01)
        ranks[:, d] = table.mul(weights, axis=1).sum(axis=1).rank(ascending=False, method="min")
    return ranks


def bench_draws(count: int, draws: int, peer_draws: int) -> Row:
    """Draws of one level beside a loop in pandas."""
    values, spec = _values(count), _spec(draws)
    codes, all_of_them = [str(i) for i in range(count)], np.ones(count, dtype=bool)
    ours = _best(lambda: draw_index(Scorer(values, spec), codes, all_of_them))[0]
    theirs = _best(lambda: _loop(values, peer_draws), 1)[0] * draws / peer_draws
    peer = f"pandas, a loop over draws ({peer_draws:,} run)"
    return Row("rank draws", count, draws, ours, peer, theirs, theirs / ours, None)


def bench_topsis(count: int) -> Row:
    """TOPSIS of the index beside pymcdm, the whole index being computed on our side."""
    import pymcdm.methods as pm
    from pymcdm.normalizations import vector_normalization

    values, spec = _values(count), _spec(1)
    regions, facts = _facts(values)
    ours, result = _best(lambda: composite_of_facts(spec, regions=regions, facts=facts), 1)
    weights = np.array([i.weight for i in spec.indicators])
    peer = pm.TOPSIS(vector_normalization)
    theirs, closeness = _best(lambda: peer(values, weights / weights.sum(), np.ones(INDICATORS)))
    apart = float(np.abs(result.frame["topsis"].to_numpy() - closeness).max())
    name = "whole index, 1 draw (TOPSIS column checked)"
    return Row(name, count, 1, ours, "pymcdm TOPSIS alone", theirs, None, apart)


def bench_bar(draws: int) -> Row:
    """Provinces and counties with checks, measuring and draws: the bar of 5 s."""
    levels = [(_spec(draws), *_facts(_values(n))) for n in (PROVINCES, COUNTIES)]

    def both() -> None:
        for spec, regions, facts in levels:
            composite_of_facts(spec, regions=regions, facts=facts)

    ours = _best(both)[0]
    return Row("both levels, from facts", PROVINCES + COUNTIES, draws, ours, f"bar of {BAR_S:g} s",
               BAR_S, BAR_S / ours, None)  # fmt: skip


def run(*, quick: bool = False) -> list[Row]:
    """Return every row."""
    draws, peer = (1_000, 50) if quick else (1_000, 1_000)
    rows = [bench_bar(draws)]
    rows += [bench_draws(count, draws, peer) for count in (PROVINCES, COUNTIES)]
    rows.append(bench_topsis(COUNTIES))
    if not quick:
        rows.append(bench_draws(COUNTIES, 20_000, 1_000))
    return rows


def main() -> None:
    """Print the table, or JSON lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer draws of the peer")
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
            f"{row.name:44} {row.regions:>5,} {row.draws:>7,} {row.ours_s:9.4f} s  "
            f"{row.peer:38} {peer:>11}  {ratio:>8}  apart {apart}"
        )


if __name__ == "__main__":
    main()
