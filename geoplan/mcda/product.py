"""Weighted product: the geometric mean of values."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geoplan.mcda.layers import BLOCK, Layers, checked_range
from geoplan.raster.kernel import over_blocks

__all__ = ["weighted_product"]


def weighted_product(layers: Layers, *, threads: int | None = None) -> npt.NDArray[np.float32]:
    """Return Π v^w of each cell, flat.

    Parameters
    ----------
    layers : Layers
        Weights as they are; those that sum to 1 give the weighted geometric mean.
    threads : int, optional
        The result does not depend on it.

    Notes
    -----
    exp(Σ w ln v) in float64, added in the order given (Bridgman 1922). A value of 0 makes the
    score exactly 0 whatever the others are (ln 0 = −∞, exp −∞ = 0), all values of 1 make it
    exactly 1, and a missing value makes it missing even beside a 0.
    """
    cells = layers.values[0].size
    out = np.empty(cells, dtype=np.float32)

    def work(first: int, last: int) -> None:
        total, room = np.empty(BLOCK), np.empty(BLOCK)
        for start in range(first, last, BLOCK):
            stop = min(start + BLOCK, last)
            part, logarithm = total[: stop - start], room[: stop - start]
            part[:] = 0.0
            for value, weight in zip(layers.values, layers.weights, strict=True):
                checked_range(value[start:stop], "weighted_product")
                np.maximum(value[start:stop], 0.0, out=logarithm)
                with np.errstate(divide="ignore"):  # ln 0 is −∞, as it should be
                    np.log(logarithm, out=logarithm)
                logarithm *= weight
                part += logarithm
            out[start:stop] = np.exp(part, out=part)

    over_blocks(work, cells, threads=threads if cells > BLOCK else 1)
    return out
