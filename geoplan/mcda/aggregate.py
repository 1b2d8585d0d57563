"""Aggregation of values into one score: the weighted sum, and the choice of a method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.aggregation import AggregationSpec
from geoplan.errors import RangeError
from geoplan.mcda.fuzzy import fuzzy_overlay
from geoplan.mcda.layers import BLOCK, layers_of
from geoplan.mcda.owa import ordered_average
from geoplan.mcda.product import weighted_product
from geoplan.raster.kernel import kernel, over_blocks

__all__ = ["aggregate", "weighted_sum"]


@kernel
def _add(total: npt.NDArray[np.float64], value: npt.NDArray[np.floating], weight: float) -> None:
    for i in range(len(value)):
        total[i] += weight * np.float64(value[i])


@kernel
def _round(total: npt.NDArray[np.float64], out: npt.NDArray[np.float32]) -> None:
    for i in range(len(out)):
        out[i] = np.float32(total[i])


def weighted_sum(
    values: Sequence[npt.NDArray[np.floating]],
    weights: Sequence[float],
    *,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the weighted sum of values.

    Parameters
    ----------
    values : sequence of ndarray of float, one shape, 0–1
        One array per criterion; NaN is missing.
    weights : sequence of float
        0 or more; used as they are (weights that sum to 1 give a score within 0–1).
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape of the values
        Σ weight · value. NaN where a value with a weight above 0 is missing.

    Notes
    -----
    Added in the order given, in float64, and rounded once. Worked through in blocks that stay in
    the processor's cache, so that each array is read once and no array of the size of the grid
    is made but the result.
    """
    layers = layers_of(values, weights)
    used = list(zip(layers.values, layers.weights, strict=True))
    out = np.zeros(layers.shape, dtype=np.float32)
    flat = out.reshape(-1)

    def work(first: int, last: int) -> None:
        total = np.empty(BLOCK)
        for start in range(first, last, BLOCK):
            stop = min(start + BLOCK, last)
            part = total[: stop - start]
            part[:] = 0.0
            for value, weight in used:
                _add(part, value[start:stop], weight)
            _round(part, flat[start:stop])

    over_blocks(work, flat.size, threads=threads if flat.size > BLOCK else 1)
    return out


def aggregate(
    spec: AggregationSpec,
    values: Sequence[npt.NDArray[np.floating]],
    weights: Sequence[float],
    *,
    threads: int | None = None,
) -> npt.NDArray[np.float32]:
    """Return the score of each cell by the method asked for.

    Parameters
    ----------
    spec : AggregationSpec
        The method and its numbers.
    values : sequence of ndarray of float, one shape, 0–1
        One array per criterion; NaN is missing.
    weights : sequence of float
        0 or more, one per criterion. ``weighted_sum`` and ``weighted_product`` use them as they
        are, ``owa`` and weighted fuzzy methods after bringing their sum to 1. A criterion of
        weight 0 takes no part in any method.
    threads : int, optional
        The result does not depend on it.

    Returns
    -------
    ndarray of float32, shape of the values, 0–1
        NaN where a value with a weight above 0 is missing.

    Raises
    ------
    ShapeError
        Not one weight for each array, arrays of different shapes, or order weights that are not
        as many as the criteria of weight above 0.
    RangeError
        A weight is negative, all are 0, or a value is not between 0 and 1 (not checked by
        ``weighted_sum``, which needs no such range).

    Notes
    -----
    The formulas stand with `weighted_sum`, `geoplan.mcda.product.weighted_product`,
    `geoplan.mcda.owa.ordered_average` and `geoplan.mcda.fuzzy.fuzzy_overlay`. Computed in
    float64 block by block and rounded once; no array of the size of the grid but the result.
    """
    if spec.method == "weighted_sum":
        return weighted_sum(values, weights, threads=threads)
    layers = layers_of(values, weights)
    if not layers.values:
        raise RangeError(
            f"all weights are 0, so method '{spec.method}' has no criterion to join",
            remedy="give at least one criterion a weight above 0",
        )
    if spec.method == "weighted_product":
        score = weighted_product(layers, threads=threads)
    elif spec.method == "owa":
        score = ordered_average(layers, spec, threads=threads)
    else:
        score = fuzzy_overlay(layers, spec, threads=threads)
    return score.reshape(layers.shape)
