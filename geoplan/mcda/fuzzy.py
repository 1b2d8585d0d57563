"""Fuzzy overlay: memberships joined by AND, OR, product, sum and gamma."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.mcda.layers import BLOCK, Layers, checked_range
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["fuzzy_overlay"]

Floats = npt.NDArray[np.float64]


@kernel
def _within(value: float) -> float:
    """Return a value kept within 0–1, for what rounding left outside; NaN stays NaN."""
    return 0.0 if value < 0.0 else 1.0 if value > 1.0 else value


@kernel
def _least(total: Floats, value: npt.NDArray[np.floating], power: float) -> None:
    for i in range(len(value)):
        v = _within(np.float64(value[i]))
        v = v if power == 1.0 else v**power
        if v != v or v < total[i]:
            total[i] = v


@kernel
def _times(total: Floats, value: npt.NDArray[np.floating], power: float) -> None:
    if power == 1.0:
        for i in range(len(value)):
            total[i] *= _within(np.float64(value[i]))
    else:
        for i in range(len(value)):
            total[i] *= _within(np.float64(value[i])) ** power


@kernel
def _times_rest(total: Floats, value: npt.NDArray[np.floating], power: float) -> None:
    if power == 1.0:
        for i in range(len(value)):
            total[i] *= 1.0 - _within(np.float64(value[i]))
    else:
        for i in range(len(value)):
            total[i] *= (1.0 - _within(np.float64(value[i]))) ** power


def _joined(product: Floats, rest: Floats, gamma: float) -> Floats:
    if gamma == 0:
        return product
    np.subtract(1.0, rest, out=rest)
    if gamma == 1:
        return rest
    np.power(product, 1.0 - gamma, out=product)
    np.power(rest, gamma, out=rest)
    product *= rest
    return product


def fuzzy_overlay(
    layers: Layers, spec: AggregationSpec, *, threads: int | None = None
) -> npt.NDArray[np.float32]:
    """Return the joined membership of each cell, flat.

    Parameters
    ----------
    layers : Layers
        At least one array.
    spec : AggregationSpec
        Method ``fuzzy_and``, ``fuzzy_or``, ``fuzzy_product``, ``fuzzy_sum`` or ``fuzzy_gamma``.
    threads : int, optional
        The result does not depend on it.

    Notes
    -----
    AND min v, OR max v (Zadeh 1965); product Π v; sum 1 − Π (1 − v); gamma
    (Π v)^(1 − γ) · (1 − Π (1 − v))^γ (Zimmermann & Zysno 1980; Bonham-Carter 1994,
    chapter 9): γ = 0 is the product and γ = 1 the sum, exactly. With ``use_weights`` v is v^δ and
    1 − v is (1 − v)^δ, δ = n · weight / Σ weights (Zimmermann & Zysno 1980; for AND Yager 1977,
    min v^δ; for OR its mirror, 1 − min (1 − v)^δ); equal weights then change nothing.
    """
    n, method = len(layers.values), spec.method
    powers = [float(p) for p in n * layers.shares] if spec.use_weights else [1.0] * n
    gamma = {"fuzzy_product": 0.0, "fuzzy_sum": 1.0}.get(method, spec.gamma or 0.0)
    cells = layers.values[0].size
    out = np.empty(cells, dtype=np.float32)

    def work(first: int, last: int) -> None:
        whole, remains = np.empty(BLOCK), np.empty(BLOCK)
        for start in range(first, last, BLOCK):
            stop = min(start + BLOCK, last)
            joined, rest = whole[: stop - start], remains[: stop - start]
            joined[:], rest[:] = 1.0, 1.0
            for value, power in zip(layers.values, powers, strict=True):
                part = value[start:stop]
                checked_range(part, method)
                if method in ("fuzzy_and", "fuzzy_or"):
                    _least(
                        joined,
                        1.0 - part.astype(np.float64) if method == "fuzzy_or" else part,
                        power,
                    )
                    continue
                _times(joined, part, power)
                if gamma > 0:
                    _times_rest(rest, part, power)
            if method == "fuzzy_and":
                out[start:stop] = joined
            elif method == "fuzzy_or":
                out[start:stop] = 1.0 - joined
            else:
                out[start:stop] = _joined(joined, rest, gamma)

    over_blocks(work, cells, threads=threads if cells > BLOCK else 1)
    return out
