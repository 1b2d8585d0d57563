"""Weights given directly, and the synthesis of two sets of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from geoplan.errors import RangeError, ShapeError

__all__ = ["Synthesis", "combined", "direct"]

Synthesis = Literal["multiply", "mix"]
"""Product of both, or a mixture of both, scaled to sum to 1."""

_SUM = 1e-6
"""How far weights that are used as given may sum from 1: 0.333 three times is not enough."""


def direct(
    weights: Mapping[str, float], *, as_given: bool = False, where: str = "weights"
) -> dict[str, float]:
    """Return weights scaled to sum to 1.

    Parameters
    ----------
    weights : mapping
        Criterion → weight on any one scale, 0 or more, not all 0.
    as_given : bool
        Refuse weights that do not sum to 1 already (to 1e-6), as a slip of the pen.

    Raises
    ------
    RangeError
        A weight is negative or not finite, none is above 0, or the sum is not 1 where it must be.
    """
    bad = {k: v for k, v in weights.items() if not (v >= 0 and math.isfinite(v))}
    if bad:
        raise RangeError(f"weights must be 0 or more: {bad}", where=where)
    total = math.fsum(weights.values())
    if not total > 0:
        raise RangeError("no weight is above 0", where=where, remedy="give at least one weight")
    if as_given and abs(total - 1) > _SUM:
        raise RangeError(
            f"the weights sum to {total:.6g}, not to 1",
            where=where,
            remedy="mend the weights, or leave 'scale' out: they are then divided by their sum",
        )
    return {k: v / total for k, v in weights.items()}


def combined(
    subjective: Mapping[str, float],
    objective: Mapping[str, float],
    *,
    how: Synthesis,
    subjective_share: float = 0.5,
    where: str = "weights.combine",
) -> dict[str, float]:
    """Return one set of weights from judgments and from the data.

    Parameters
    ----------
    subjective, objective : mapping
        Criterion → weight; the same criteria; each sums to 1.
    how : {"multiply", "mix"}
        ``multiply``: sⱼ oⱼ / Σ sₖ oₖ (multiplicative synthesis, Hwang & Yoon 1981): a
        criterion must matter in both. ``mix``: λ sⱼ + (1 − λ) oⱼ.
    subjective_share : float, 0–1
        λ of ``mix``.

    Raises
    ------
    RangeError
        λ outside 0–1; or no criterion has a weight in both.
    """
    if set(subjective) != set(objective):
        raise ShapeError("the two sets of weights are not for the same criteria", where=where)
    if how == "mix":
        if not 0 <= subjective_share <= 1:
            raise RangeError(
                f"the share {subjective_share:g} is not between 0 and 1",
                where=f"{where}.subjective_share",
                remedy="0.5 counts both alike",
            )
        rest = 1 - subjective_share
        return direct(
            {k: subjective_share * w + rest * objective[k] for k, w in subjective.items()},
            where=where,
        )
    product = {k: w * objective[k] for k, w in subjective.items()}
    if not any(product.values()):
        raise RangeError(
            "no criterion has a weight above 0 both by judgment and by the data",
            where=where,
            remedy="use how: mix",
        )
    return direct(product, where=where)
