"""Hedges: words that sharpen or soften a value between 0 and 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from geoplan.catalogue.value_shape import Hedge

__all__ = ["HEDGE_POWERS", "hedged"]

HEDGE_POWERS: dict[Hedge, float] = {
    "very": 2.0,
    "extremely": 3.0,
    "somewhat": 0.5,
    "more_or_less": 0.5,
}
"""Power of each hedge: concentration ``very`` 2 and dilation ``more_or_less`` 1/2 are Zadeh's
(1972, A fuzzy-set-theoretic interpretation of linguistic hedges, Journal of Cybernetics 2(3), CON
and DIL); ``somewhat`` 1/2 and ``very`` 2 are the hedges of Esri's Fuzzy Membership; ``extremely`` 3
is common practice and has no single source."""


def hedged(value: npt.NDArray[np.float64], hedges: Sequence[Hedge]) -> npt.NDArray[np.float64]:
    """Return values with hedges applied in the order given.

    Parameters
    ----------
    value : ndarray of float, 0–1
        NaN stays NaN.
    hedges : sequence of {"very", "extremely", "somewhat", "more_or_less", "not"}
        ``not`` is 1 − v (Zadeh's complement); the others are powers, see `HEDGE_POWERS`.

    Examples
    --------
    >>> hedged(np.array([0.25]), ["somewhat", "not"])
    array([0.5])
    """
    for hedge in hedges:
        if hedge == "not":
            value = 1.0 - value
        elif hedge in ("somewhat", "more_or_less"):
            value = np.sqrt(value)
        else:
            value = value ** HEDGE_POWERS[hedge]
    return value
