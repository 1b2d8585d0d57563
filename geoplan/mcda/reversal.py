"""Rank reversal: whether the order of the best changes when others come or go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geoplan.errors import RangeError
from geoplan.mcda.decision import Decision, FloatArray

__all__ = ["MOST_TESTS", "Reversal", "reversals"]

MOST_TESTS = 10
"""Alternatives left out, and copies added, at most: the work is twice as many rankings."""

_MOST_VALUES = 5_000_000
"""Values that are ranked again for each kind of test; large tables are tested fewer times."""

_TIE_DECIMALS = 12


@dataclass(frozen=True)
class Reversal:
    """What came of ranking again.

    Parameters
    ----------
    top : int
        How many of the best were watched.
    dropped, dropped_changed : int
        Rankings without one of the worst, and those in which the order of the best changed.
    copied, copied_changed : int
        Rankings with a dominated copy of one of the best, and those in which the order changed.
    moved_most : int
        Most of the watched places that another alternative took in one ranking.
    first_changed : int
        Rankings in which another alternative came first.
    """

    top: int
    dropped: int
    dropped_changed: int
    copied: int
    copied_changed: int
    moved_most: int
    first_changed: int

    @property
    def free(self) -> bool:
        """No ranking changed the order of the best."""
        return self.dropped_changed + self.copied_changed == 0


def reversals(question: Decision, score: Callable[[Decision], FloatArray], *, top: int) -> Reversal:
    """Rank again without each of the worst, and with a dominated copy of each of the best.

    Parameters
    ----------
    question : Decision
        All alternatives.
    score : callable
        From a decision to one number an alternative, more is better; the method under test.
    top : int
        How many of the best are watched; at least 1.

    Returns
    -------
    Reversal
        At most 2 × `MOST_TESTS` rankings, fewer of tables above half a million values; the
        numbers made are in it.

    Notes
    -----
    A copy lies halfway between its alternative and the worst value that occurs on each criterion:
    dominated, and within the range of what occurs. One that would equal its alternative is not
    tested. An order is by score, equal scores (to 12 decimals) in the order of the rows; a copy
    has no place in it. Neither change should matter to a method without reversal (Wang & Luo
    2009; Mareschal, De Smet & Nemery 2008).
    """
    if top < 1:
        raise RangeError(f"the best {top} of a ranking", remedy="watch 1 or more")
    values = question.values
    count = len(values)
    top = min(top, count)
    most = min(MOST_TESTS, max(1, _MOST_VALUES // values.size))
    base = _order(score(question))
    best = base[:top]
    number = np.arange(count)
    dropped, changed, moved, other_first = 0, [0, 0], 0, 0

    def compare(order: npt.NDArray[np.intp], kind: int) -> None:
        nonlocal moved, other_first
        differ = int((order[:top] != best).sum())
        changed[kind] += differ > 0
        moved = max(moved, differ)
        other_first += int(order[0] != best[0])

    for row in base[max(top, count - most) :][::-1]:
        kept = np.delete(number, row)
        compare(kept[_order(score(question.with_values(values[kept])))], 0)
        dropped += 1
    worst = question.worst
    copied = 0
    for row in best[:most]:
        copy = values[row] + (worst - values[row]) / 2.0
        if np.array_equal(copy, values[row]):
            continue
        order = _order(score(question.with_values(np.vstack([values, copy]))))
        compare(order[order != count], 1)
        copied += 1
    return Reversal(top, dropped, changed[0], copied, changed[1], moved, other_first)


def _order(score: FloatArray) -> npt.NDArray[np.intp]:
    key = np.where(np.isnan(score), np.inf, -np.round(score, _TIE_DECIMALS))
    return np.argsort(key, kind="stable")
