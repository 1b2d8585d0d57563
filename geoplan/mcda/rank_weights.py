"""Weights from an order of importance alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Literal

from geoplan.errors import RangeError, UnknownName

__all__ = ["RankMethod", "place_weights", "rank_weights"]

RankMethod = Literal["roc", "rank_sum", "rank_exponent", "rank_reciprocal"]


def place_weights(n: int, method: RankMethod, *, exponent: float = 2.0) -> list[float]:
    """Return the weights of places 1 … n.

    Parameters
    ----------
    n : int, 1 or more
        Criteria.
    method : str
        ``roc`` rank-order centroid, (1/n) Σₖ₌ᵢⁿ 1/k: the mean of all weights that keep the order
        (Barron & Barrett 1996, Management Science 42). ``rank_sum``
        2 (n + 1 − i) / (n (n + 1)), ``rank_exponent`` (n + 1 − i)ᵖ / Σ, ``rank_reciprocal``
        (1/i) / Σ 1/k (Stillwell, Seaver & Edwards 1981, Org. Behavior & Human Performance 28).
    exponent : float, 0 or more
        p of ``rank_exponent``: 0 gives equal weights, 1 those of ``rank_sum``.

    Returns
    -------
    list of float
        Never rising; sums to 1.
    """
    if method == "roc":
        return [math.fsum(1 / k for k in range(i, n + 1)) / n for i in range(1, n + 1)]
    if method == "rank_sum":
        raw = [float(n + 1 - i) for i in range(1, n + 1)]
    elif method == "rank_exponent":
        if not (exponent >= 0 and math.isfinite(exponent)):
            raise RangeError(
                f"the exponent is {exponent:g}",
                where="weights.exponent",
                remedy="give a number of 0 or more: 0 weighs all alike, 1 is the rank sum",
            )
        # of the share of the best place, so that no power overflows
        raw = [((n + 1 - i) / n) ** exponent for i in range(1, n + 1)]
    elif method == "rank_reciprocal":
        raw = [1 / i for i in range(1, n + 1)]
    else:
        raise UnknownName(
            f"rank method {method!r} is unknown",
            where="weights.method",
            remedy="use roc, rank_sum, rank_exponent or rank_reciprocal",
        )
    total = math.fsum(raw)
    return [x / total for x in raw]


def rank_weights(
    order: Sequence[Sequence[str]], method: RankMethod, *, exponent: float = 2.0
) -> dict[str, float]:
    """Return weights from criteria in order of importance.

    Parameters
    ----------
    order : sequence of sequence of str
        Most important first; criteria of one inner sequence are tied, and each gets the mean of
        the weights of the places that they take together.
    method, exponent
        As in :func:`place_weights`.

    Returns
    -------
    dict
        Criterion → weight, in the order given; sums to 1.

    Raises
    ------
    RangeError
        A criterion has several places, or the exponent is below 0.
    """
    twice = [n for n, count in Counter(n for tied in order for n in tied).items() if count > 1]
    if twice:
        raise RangeError(
            f"{', '.join(twice)} has several places", where="weights.order", remedy="keep one"
        )
    places = place_weights(sum(len(tied) for tied in order), method, exponent=exponent)
    weights: dict[str, float] = {}
    taken = 0
    for tied in order:
        mean = math.fsum(places[taken : taken + len(tied)]) / max(len(tied), 1)
        weights |= dict.fromkeys(tied, mean)
        taken += len(tied)
    return weights
