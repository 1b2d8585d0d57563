"""Weights drawn at random: any, around stated ones, within intervals, or in an order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from geoplan.catalogue.robustness import WeightDraws
from geoplan.errors import RangeError, UnknownName
from geoplan.mcda.decision import FloatArray
from geoplan.raster.kernel import kernel

__all__ = ["WeightSampler", "sampler"]

WeightSampler = Callable[[np.random.Generator, int], FloatArray]
"""From a generator and a number of draws to weights, shape (draws, criteria); rows sum to 1."""

_TOLERANCE = 1e-9

_WHERE = "robustness.weights"


def sampler(spec: WeightDraws, weights: Mapping[str, float]) -> WeightSampler:
    """Return what draws weights.

    Parameters
    ----------
    spec : WeightDraws
        Distribution and its parameters.
    weights : mapping
        Criterion → stated weight, above 0, sum 1; the order of the columns.

    Returns
    -------
    callable
        ``sample(generator, draws)``: ndarray of float64, shape (draws, criteria).

    Raises
    ------
    UnknownName
        ``intervals`` or ``order`` name a criterion without weight, or ``order`` leaves one out.
    RangeError
        No weights that sum to 1 lie within the intervals.

    Notes
    -----
    ``uniform``: exponentials over their sum, which is uniform on the simplex (Devroye 1986,
    ch. V, th. 2.2). ``order``: the same, sorted; its mean is the rank-order centroid.
    ``dirichlet``: Dirichlet(concentration × weight), whose mean is the stated weight.
    ``intervals``: uniform on the simplex cut by the intervals; exact by shifting where no upper
    end cuts, else by Gibbs steps that move weight between two criteria at a time (Smith 1984;
    Tervonen et al. 2013 on SMAA), 4 m² steps between draws, so that draws are nearly independent.
    """
    names = list(weights)
    count = len(names)
    if spec.distribution == "uniform":
        return lambda generator, draws: _uniform(generator, draws, count)
    if spec.distribution == "dirichlet":
        stated = np.array([weights[name] for name in names], dtype=np.float64)
        if not (stated > 0).all():
            raise RangeError(
                f"weight {stated.min():g} of criterion '{names[int(stated.argmin())]}'",
                where=_WHERE,
                remedy="draw only criteria with a weight above 0",
            )
        shape = spec.concentration * stated / stated.sum()

        def around(generator: np.random.Generator, draws: int) -> FloatArray:
            return _over_sum(generator.standard_gamma(shape, size=(draws, count)))

        return around
    if spec.distribution == "order":
        unlike = sorted(set(spec.order) ^ set(names))
        if unlike:
            raise UnknownName(
                f"the order and the weighted criteria differ in {', '.join(unlike)}",
                where=f"{_WHERE}.order",
                remedy=f"name each of {', '.join(names)} once, the most important first",
            )
        place = [names.index(name) for name in spec.order]

        def ordered(generator: np.random.Generator, draws: int) -> FloatArray:
            out = np.empty((draws, count))
            out[:, place] = np.sort(_uniform(generator, draws, count), axis=1)[:, ::-1]
            return out

        return ordered
    return _intervals(spec, names)


def _uniform(generator: np.random.Generator, draws: int, count: int) -> FloatArray:
    return _over_sum(generator.standard_exponential((draws, count)))


def _over_sum(parts: FloatArray) -> FloatArray:
    total = np.zeros(len(parts))
    for j in range(parts.shape[1]):  # a fixed order, whatever the machine's vectors are
        total += parts[:, j]
    return np.asarray(parts / total[:, None])


def _intervals(spec: WeightDraws, names: list[str]) -> WeightSampler:
    unknown = sorted(set(spec.intervals) - set(names))
    if unknown:
        raise UnknownName(
            f"no weighted criterion {', '.join(unknown)}",
            where=f"{_WHERE}.intervals",
            remedy=f"the weighted criteria are {', '.join(names)}",
        )
    low = np.array([spec.intervals.get(name, (0.0, 1.0))[0] for name in names])
    high = np.array([spec.intervals.get(name, (0.0, 1.0))[1] for name in names])
    least, most = float(low.sum()), float(high.sum())
    if least > 1 + _TOLERANCE or most < 1 - _TOLERANCE:
        wrong = (
            f"least weights sum to {least:g}"
            if least > 1 + _TOLERANCE
            else f"most weights sum to {most:g}"
        )
        raise RangeError(
            f"no weights that sum to 1 lie within the intervals: the {wrong}",
            where=f"{_WHERE}.intervals",
            remedy="widen them until the least sum to at most 1 and the most to at least 1",
        )
    count = len(names)
    room = max(0.0, 1.0 - least)
    if (high >= low + room - _TOLERANCE).all():
        return lambda generator, draws: low + room * _uniform(generator, draws, count)
    width = high - low
    start = low + room * width / width.sum() if width.sum() > 0 else low
    thin = 4 * count * count

    def walk(generator: np.random.Generator, draws: int) -> FloatArray:
        out = np.empty((draws, count))
        point = start.copy()
        _walk(point, low, high, generator.random((10 * thin, 3)), 10 * thin, out[:0])
        for k in range(draws):
            _walk(point, low, high, generator.random((thin, 3)), thin, out[k : k + 1])
        return out

    return walk


@kernel
def _walk(
    point: FloatArray, low: FloatArray, high: FloatArray, u: FloatArray, steps: int, out: FloatArray
) -> None:
    """Move weight between two criteria, uniformly within what both allow."""
    count = len(point)
    for k in range(steps):
        i = int(u[k, 0] * count)
        j = int(u[k, 1] * (count - 1))
        if j >= i:
            j += 1
        both = point[i] + point[j]
        least = max(low[i], both - high[j])
        most = min(high[i], both - low[j])
        if most > least:
            point[i] = least + u[k, 2] * (most - least)
            point[j] = both - point[i]
    for row in range(len(out)):
        for j in range(count):
            out[row, j] = point[j]
