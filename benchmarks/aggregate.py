"""Value functions and the ways of joining values, beside numpy and numexpr, in one run.

``python -m benchmarks.aggregate [--quick] [--json]``. A ratio is the peer's time over ours: above
1, ours is faster. The peers are what a careful user would write with numpy (whole arrays, the
same precision inside) and with numexpr (blocks and threads of its own). Results are compared
before they are timed.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.core import NATIONAL, Row, _best, _row
from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.catalogue.value import ExponentialValue, GaussianValue, LargeValue, ValueSpec
from geoplan.mcda.aggregate import aggregate
from geoplan.mcda.value import apply_value
from geoplan.mcda.value_statistics import statistics

__all__ = ["run"]

Floats = npt.NDArray[np.floating]
_CRITERIA = 12


def _numexpr() -> Any:
    """Return numexpr, or None where it is not installed."""
    return importlib.import_module("numexpr") if importlib.util.find_spec("numexpr") else None


def _values(shape: tuple[int, int]) -> tuple[list[npt.NDArray[np.float32]], list[float]]:
    rng = np.random.default_rng(2)
    values = [rng.random(shape, dtype=np.float32) for _ in range(_CRITERIA)]
    weights = rng.random(_CRITERIA) + 0.1
    return values, (weights / weights.sum()).tolist()


def _numpy_sum(values: list[Floats], weights: list[float]) -> Floats:
    total = np.zeros(values[0].shape)
    for value, weight in zip(values, weights, strict=True):
        total += weight * value.astype(np.float64)
    return total.astype(np.float32)


def _numpy_product(values: list[Floats], weights: list[float]) -> Floats:
    total = np.zeros(values[0].shape)
    for value, weight in zip(values, weights, strict=True):
        total += weight * np.log(value.astype(np.float64))
    return np.exp(total).astype(np.float32)


def _numpy_gamma(values: list[Floats], gamma: float) -> Floats:
    product, rest = np.ones(values[0].shape), np.ones(values[0].shape)
    for value in values:
        product *= value
        rest *= 1 - value.astype(np.float64)
    joined: Floats = product ** (1 - gamma) * (1 - rest) ** gamma
    return joined.astype(np.float32)


def _numpy_owa(values: list[Floats], weights: list[float], orness: float) -> Floats:
    """Quantifier-guided average by sorting: the arrays stacked, ordered, summed, raised."""
    stack = np.stack(values)
    order = np.argsort(-stack, axis=0)
    ordered = np.take_along_axis(stack, order, axis=0)
    share = np.cumsum(np.asarray(weights)[order], axis=0) ** ((1 - orness) / orness)
    part = np.diff(share, axis=0, prepend=0)
    total: Floats = (part * ordered).sum(axis=0)
    return total.astype(np.float32)


def _numexpr_of(expression: str, names: dict[str, Any]) -> Callable[[], Floats]:
    engine = _numexpr()
    return lambda: engine.evaluate(expression, local_dict=names).astype(np.float32)


def _terms(template: str, join: str) -> str:
    return join.join(template.format(k=k) for k in range(_CRITERIA))


def _compared(
    name: str, ours: Callable[[], Floats], peers: dict[str, Callable[[], Floats]], peer_runs: int
) -> list[Row]:
    result, seconds = ours(), _best(ours)
    rows = []
    for peer, work in peers.items():
        np.testing.assert_allclose(result, work(), rtol=2e-5, atol=2e-6)
        rows.append(_row(name, seconds, peer, _best(work, peer_runs)))
    return rows


def bench_methods(shape: tuple[int, int]) -> list[Row]:
    """Twelve criteria joined in four ways."""
    values, weights = _values(shape)
    names: dict[str, Any] = {f"v{k}": v for k, v in enumerate(values)}
    names |= {f"w{k}": w for k, w in enumerate(weights)}
    engine = _numexpr() is not None
    every = _terms("v{k}", "*")
    rest = _terms("(1-v{k})", "*")
    cases: list[tuple[str, AggregationSpec, dict[str, Callable[[], Floats]]]] = [
        (
            "weighted sum of 12",
            AggregationSpec(),
            {"numpy": lambda: _numpy_sum(values, weights)}
            | ({"numexpr": _numexpr_of(_terms("w{k}*v{k}", "+"), names)} if engine else {}),
        ),
        (
            "weighted product of 12",
            AggregationSpec(method="weighted_product"),
            {"numpy": lambda: _numpy_product(values, weights)}
            | (
                {"numexpr": _numexpr_of(f"exp({_terms('w{k}*log(v{k})', '+')})", names)}
                if engine
                else {}
            ),
        ),
        (
            "ordered weighted average of 12, orness 0.3",
            AggregationSpec(method="owa", orness=0.3),
            {"numpy argsort": lambda: _numpy_owa(values, weights, 0.3)},
        ),
        (
            "fuzzy gamma of 12, 0.9",
            AggregationSpec(method="fuzzy_gamma", gamma=0.9),
            {"numpy": lambda: _numpy_gamma(values, 0.9)}
            | (
                {"numexpr": _numexpr_of(f"(({every})**0.1)*((1-{rest})**0.9)", names)}
                if engine
                else {}
            ),
        ),
    ]
    rows = []
    for name, spec, peers in cases:

        def ours(spec: AggregationSpec = spec) -> Floats:
            return aggregate(spec, values, weights)

        rows += _compared(name, ours, peers, 1)
    given = AggregationSpec(method="owa", orness=0.3, order_from="max_entropy")
    seconds = _best(lambda: aggregate(given, values, weights))
    rows.append(_row("ordered weighted average of 12, max. entropy", seconds, "", None))
    return rows


def bench_functions(shape: tuple[int, int]) -> list[Row]:
    """One criterion valued in three ways, and its statistics."""
    x = np.random.default_rng(3).random(shape, dtype=np.float32) * np.float32(500) + np.float32(1)
    known = statistics(x)
    wide = (known.max - known.min) / 2
    middle = known.min + wide
    rate = np.log(10) / (2 * wide)
    cases: list[tuple[str, ValueSpec, str]] = [
        (
            "gaussian",
            GaussianValue(kind="gaussian"),
            f"exp(-{np.log(10) / wide**2}*(x-{middle})**2)",
        ),
        ("large", LargeValue(kind="large"), f"1/(1+(x/{middle})**(-5.0))"),
        (
            "exponential, rescaled",
            ExponentialValue(kind="exponential"),
            f"(exp({rate}*(x-{known.min}))-1)/9",
        ),
    ]
    rows = []
    for name, spec, formula in cases:

        def ours(spec: ValueSpec = spec) -> Floats:
            return apply_value(spec, x, statistics=known)

        whole = x.astype(np.float64)

        def plain(formula: str = formula, whole: Floats = whole) -> Floats:
            return eval(formula, {"x": whole, "exp": np.exp}).astype(np.float32)  # type: ignore[no-any-return]

        peers: dict[str, Callable[[], Floats]] = {"numpy": plain}
        if _numexpr() is not None:
            peers["numexpr"] = _numexpr_of(formula, {"x": whole})
        rows += _compared(f"value function: {name}", ours, peers, 1)
    seconds = _best(lambda: statistics(x))

    def peer() -> tuple[float, ...]:
        return float(x.min()), float(x.max()), float(x.mean(dtype="f8")), float(x.std(dtype="f8"))

    rows.append(_row("statistics of a measure", seconds, "numpy, no NaN", _best(peer, 1)))
    return rows


def run(shape: tuple[int, int] = NATIONAL) -> list[Row]:
    """Run every bench once small, to load the compiled code, then at size."""
    benches = (bench_methods, bench_functions)
    for bench in benches:
        bench((200, 200))
    return [row for bench in benches for row in bench(shape)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a grid of 850 × 875 cells")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = run((850, 875) if given.quick else NATIONAL)
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    print(f"{'':48}{'ours s':>9}  {'peer':16}{'peer s':>9}{'ratio':>8}")
    for row in rows:
        peer = f"{row.peer_s:9.3f}{row.ratio:8.1f}" if row.peer_s and row.ratio else ""
        print(f"{row.name:48}{row.ours_s:9.3f}  {row.peer:16}{peer}")


if __name__ == "__main__":
    main()
