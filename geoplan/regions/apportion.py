"""Whole units divided in proportion to claims: largest remainders and divisor methods.

Every comparison is of whole numbers (a claim is the decimal it is written as), so the result
depends on no rounding of the machine, and the units add up exactly.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import Problem, ProblemsFound, ShapeError

__all__ = ["Apportionment", "ApportionmentMethod", "apportion"]

ApportionmentMethod = Literal["webster", "hamilton", "jefferson", "adams", "hill"]


@dataclass(frozen=True)
class Apportionment:
    """Whole units by claimant.

    Parameters
    ----------
    units : ndarray of int, shape (n,)
        They add up to the total.
    quotas : ndarray of float, shape (n,)
        Exact proportional amounts, caps and floors kept: ``clip(λ · claim, floor, cap)`` with the
        one λ at which they add up to the total.
    bound : tuple of str, length n
        ``floor`` or ``cap`` where its share of the claims lies beyond that, else ``""``.
    tied : tuple of int
        Positions whose claims to the last unit were equal; the earlier position got it.
    """

    units: npt.NDArray[np.int64]
    quotas: npt.NDArray[np.float64]
    bound: tuple[str, ...]
    tied: tuple[int, ...]


def apportion(
    claims: npt.ArrayLike,
    total: int,
    *,
    method: ApportionmentMethod = "webster",
    floors: npt.ArrayLike | None = None,
    caps: npt.ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> Apportionment:
    """Divide ``total`` whole units in proportion to claims, within floors and caps.

    Parameters
    ----------
    claims : array of float, shape (n,)
        0 or more, finite; only their ratios count. A claim of 0 gets its floor and no more.
    total : int
        Units to divide, 0 or more.
    method : {"webster", "hamilton", "jefferson", "adams", "hill"}
        ``webster`` (Sainte-Laguë), ``jefferson`` (D'Hondt), ``adams`` and ``hill`` are divisor
        methods; ``hamilton`` is largest remainders.
    floors, caps : array of int, shape (n,), optional
        Least and most units of each; a cap below 0 means none.
    names : sequence of str, optional
        What the claimants are called in messages; their positions otherwise.

    Returns
    -------
    Apportionment

    Raises
    ------
    ShapeError
        The arrays are not of one length.
    ProblemsFound
        A claim is negative or not a number, a cap lies below its floor, the floors exceed the
        total, or the caps cannot hold it; all at once, with the amounts.

    Notes
    -----
    A divisor method gives the k-th unit of claimant i the priority ``w_i / s(k)`` and hands out
    the ``total`` highest (Balinski & Young 1982, *Fair Representation*, appendix A, §3), with
    s(k) = k − 1/2 (Webster), k (Jefferson), k − 1 (Adams), √(k(k − 1)) (Hill). Floors are handed
    out first and caps end a row: ``x_i = mid(floor, [w_i / d], cap)`` with one divisor d (ibid.,
    §5, "minimum and maximum requirements"). As a higher total only lengthens the list, nobody
    loses by it (no Alabama paradox).

    Hamilton takes ``floor(q_i)`` and gives what is left by the largest ``q_i − floor(q_i)``, q
    being the quotas within floors and caps. It keeps the quota rule (``floor(q_i) ≤ x_i ≤
    ceil(q_i)``), and can take a unit away when the total rises.

    Ties go to the larger claim, then to the earlier position: sort by code first.

    Examples
    --------
    >>> apportion([6, 6, 2], 10, method="hamilton").units
    array([4, 4, 2])
    >>> apportion([6, 6, 2], 11, method="hamilton").units
    array([5, 5, 1])
    """
    weight = np.asarray(claims, dtype=np.float64)
    n = len(weight)
    low = np.zeros(n, np.int64) if floors is None else np.asarray(floors, dtype=np.int64)
    high = np.full(n, -1, np.int64) if caps is None else np.asarray(caps, dtype=np.int64)
    if weight.ndim != 1 or low.shape != (n,) or high.shape != (n,):
        raise ShapeError(
            f"claims of shape {weight.shape}, floors {low.shape} and caps {high.shape}",
            remedy="give one floor and one cap for each claim",
        )
    labels = [str(i) for i in range(n)] if names is None else list(names)
    high = np.where(high < 0, max(total, 0), high)
    _check(weight, total, low, high, labels)
    exact = _whole(weight)
    lows, highs = low.tolist(), high.tolist()
    # A claim of 0 never competes for a unit.
    highs = [h if w else lo for w, lo, h in zip(exact, lows, highs, strict=True)]
    quotas, rate = _quotas(exact, total, lows, highs)
    if method == "hamilton":
        units, tied = _largest_remainders(exact, total, quotas)
    else:
        units, tied = _divisor(exact, total, lows, highs, quotas, method)
    return Apportionment(
        np.array(units, dtype=np.int64),
        np.array([float(q) for q in quotas]),
        _bound(exact, lows, highs, rate),
        tied,
    )


def _check(
    weight: npt.NDArray[np.float64],
    total: int,
    low: npt.NDArray[np.int64],
    high: npt.NDArray[np.int64],
    labels: list[str],
) -> None:
    problems = []
    if total < 0:
        problems.append(Problem("total", f"{total} units", "give 0 or more", code="negative"))
    for name, w, lo, hi in zip(labels, weight, low, high, strict=True):
        if not np.isfinite(w) or w < 0:
            problems.append(
                Problem(name, f"its claim is {w}", "give a number of 0 or more", code="claim")
            )
        if lo < 0:
            problems.append(Problem(name, f"its floor is {lo}", "give 0 or more", code="negative"))
        if hi < lo:
            problems.append(
                Problem(
                    name,
                    f"its cap {hi:,} lies below its floor {lo:,}",
                    f"raise the cap to {lo:,} or lower the floor to {hi:,}",
                    code="cap-below-floor",
                )
            )
    if not problems:
        held, room = int(low.sum()), int(np.where(weight > 0, high, low).sum())
        if held > total:
            problems.append(
                Problem(
                    "floors",
                    f"the floors add up to {held:,}, {held - total:,} more than the {total:,} "
                    "to divide",
                    f"lower floors by {held - total:,} in all, or raise the total to {held:,}",
                    code="floors-exceed-total",
                )
            )
        if room < total:
            problems.append(
                Problem(
                    "caps",
                    f"the caps hold {room:,}, {total - room:,} less than the {total:,} to divide",
                    f"raise caps by {total - room:,} in all, let another region take part, or "
                    f"lower the total to {room:,}",
                    code="caps-below-total",
                )
            )
    if problems:
        raise ProblemsFound("the units cannot be divided", problems)


def _whole(weight: npt.NDArray[np.float64]) -> list[int]:
    """Return the claims as whole numbers of the same ratios, exactly as they are written.

    0.3 is three tenths here, not the binary fraction next to it: 0.5 and 0.3 tie where they
    should.
    """
    exact = [Fraction(repr(float(w))) for w in weight]
    scale = math.lcm(*(f.denominator for f in exact)) if exact else 1
    return [int(f * scale) for f in exact]


def _quotas(
    exact: list[int], total: int, low: list[int], high: list[int]
) -> tuple[list[Fraction], Fraction]:
    """Return ``clip(λ w, floor, cap)`` that adds up to ``total``, and λ; exact."""
    active = [i for i, w in enumerate(exact) if w]
    fixed = sum(low[i] for i, w in enumerate(exact) if not w)
    breaks = sorted({Fraction(b[i], exact[i]) for i in active for b in (low, high)})

    def amount(rate: Fraction) -> Fraction:
        parts = (min(max(rate * exact[i], Fraction(low[i])), Fraction(high[i])) for i in active)
        return fixed + sum(parts, Fraction(0))

    if not active:
        return [Fraction(x) for x in low], Fraction(0)
    first, last = 0, len(breaks) - 1
    while first < last:  # the first break at which the amount reaches the total
        middle = (first + last) // 2
        if amount(breaks[middle]) >= total:
            last = middle
        else:
            first = middle + 1
    rate = breaks[first]
    if first > 0:
        before, reached = amount(breaks[first - 1]), amount(rate)
        if reached > before:  # linear between two breaks
            step = (rate - breaks[first - 1]) * (total - before) / (reached - before)
            rate = breaks[first - 1] + step
    quotas = [
        Fraction(lo) if not w else min(max(rate * w, Fraction(lo)), Fraction(hi))
        for w, lo, hi in zip(exact, low, high, strict=True)
    ]
    return quotas, rate


def _bound(exact: list[int], low: list[int], high: list[int], rate: Fraction) -> tuple[str, ...]:
    return tuple(
        "floor" if rate * w < lo else "cap" if w and rate * w > hi else ""
        for w, lo, hi in zip(exact, low, high, strict=True)
    )


def _largest_remainders(
    exact: list[int], total: int, quotas: list[Fraction]
) -> tuple[list[int], tuple[int, ...]]:
    units = [int(q) for q in quotas]
    left = total - sum(units)
    order = sorted(
        (i for i, q in enumerate(quotas) if q != units[i]),
        key=lambda i: (units[i] - quotas[i], -exact[i], i),
    )
    for i in order[:left]:
        units[i] += 1
    tied: tuple[int, ...] = ()
    if 0 < left < len(order):
        edge = quotas[order[left]] % 1
        if quotas[order[left - 1]] % 1 == edge:
            tied = tuple(sorted(i for i in order if quotas[i] % 1 == edge))
    return units, tied


def _priority(weight: int, k: int, method: str) -> tuple[int, Fraction]:
    """Return the priority of a claimant's ``k``-th unit; a signpost of 0 comes before all others.

    Hill's is squared: the order is the same and stays exact.
    """
    if method == "webster":
        return 0, Fraction(2 * weight, 2 * k - 1)
    if method == "jefferson":
        return 0, Fraction(weight, k)
    if k == 1:
        return 1, Fraction(weight)
    if method == "adams":
        return 0, Fraction(weight, k - 1)
    return 0, Fraction(weight * weight, k * (k - 1))


def _divisor(
    exact: list[int],
    total: int,
    low: list[int],
    high: list[int],
    quotas: list[Fraction],
    method: str,
) -> tuple[list[int], tuple[int, ...]]:
    """Hand out the highest priorities, starting near the end instead of at the first unit."""

    def gain(i: int) -> tuple[int, Fraction, int, int]:
        """What the next unit of ``i`` is worth; the higher goes first."""
        return (*_priority(exact[i], units[i] + 1, method), exact[i], -i)

    def loss(i: int) -> tuple[int, Fraction, int, int]:
        """What the last unit of ``i`` is worth."""
        return (*_priority(exact[i], units[i], method), exact[i], -i)

    # The nearest whole numbers to the quotas are a few units from the answer. From any start that
    # keeps the bounds, giving to the highest and taking from the lowest ends in the one answer.
    units = [
        min(max(int(q + Fraction(1, 2)), lo), hi)
        for q, lo, hi in zip(quotas, low, high, strict=True)
    ]
    takers = [(_down(gain(i)), i) for i in range(len(exact)) if units[i] < high[i]]
    givers = [(loss(i), i) for i in range(len(exact)) if units[i] > low[i]]
    heapq.heapify(takers)
    heapq.heapify(givers)
    held = sum(units)

    def give() -> None:
        _, i = heapq.heappop(takers)
        units[i] += 1
        if units[i] < high[i]:
            heapq.heappush(takers, (_down(gain(i)), i))

    def take() -> None:
        _, i = heapq.heappop(givers)
        units[i] -= 1
        if units[i] > low[i]:
            heapq.heappush(givers, (loss(i), i))

    while held < total:
        give()
        held += 1
    while held > total:
        take()
        held -= 1
    while True:
        best = max((i for i in range(len(exact)) if units[i] < high[i]), key=gain, default=None)
        worst = min((i for i in range(len(exact)) if units[i] > low[i]), key=loss, default=None)
        if best is None or worst is None or gain(best) <= loss(worst):
            break
        units[best] += 1
        units[worst] -= 1
    tied: tuple[int, ...] = ()
    if best is not None and worst is not None and gain(best)[:2] == loss(worst)[:2]:
        edge = gain(best)[:2]
        tied = tuple(
            i
            for i in range(len(exact))
            if (units[i] < high[i] and gain(i)[:2] == edge)
            or (units[i] > low[i] and loss(i)[:2] == edge)
        )
    return units, tied


def _down(key: tuple[int, Fraction, int, int]) -> tuple[int, Fraction, int, int]:
    """Return a key that sorts the other way round."""
    return -key[0], -key[1], -key[2], -key[3]
