"""What a front is made of: objectives in whole steps, answers, points."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from geoplan.siting.problem import FloatArray

__all__ = ["Answer", "Cut", "Front", "FrontStatus", "Objective", "Point", "Reader"]

FrontStatus = Literal["exact", "within-gap", "time-limit", "infeasible"]
"""``exact``: every point proven to the solver's tolerance; ``within-gap``: every point proven to
the gap asked for; ``time-limit``: what was found in time, each point's gap stated."""


@dataclass(frozen=True)
class Objective:
    """A quantity to be made large, ``(a·v + a₀) / (b·v + b₀)``, counted in whole steps.

    Parameters
    ----------
    entries : mapping of int to float
        ``a`` by column.
    step : float, > 0
        Two answers whose amounts round to the same number of steps are equal.
    constant : float
        ``a₀``.
    below : mapping of int to float
        ``b`` by column; the denominator is positive for every answer.
    below_constant : float
        ``b₀``.
    """

    entries: Mapping[int, float]
    step: float
    constant: float = 0.0
    below: Mapping[int, float] = field(default_factory=dict)
    below_constant: float = 1.0

    def amount(self, values: FloatArray) -> float:
        """Return the quantity at an answer, in its own unit."""
        return (_dot(self.entries, values) + self.constant) / self.denominator(values)

    def denominator(self, values: FloatArray) -> float:
        """Return ``b·v + b₀``."""
        return _dot(self.below, values) + self.below_constant

    def steps(self, amount: float) -> int:
        """Return an amount in whole steps, halves up."""
        return math.floor(amount / self.step + 0.5)

    def beyond(self, level: float) -> tuple[dict[int, float], float]:
        """Return ``a − level·b`` by column and its constant: ≥ 0 where the amount is ≥ level."""
        entries = dict(self.entries)
        for c, v in self.below.items():
            entries[c] = entries.get(c, 0.0) - level * v
        return entries, self.constant - level * self.below_constant

    def floor(self, steps: int, *, tighter: float = 0.0) -> tuple[dict[int, float], float]:
        """Return the row ``entries·v ≥ lower`` that says: at least so many steps.

        The limit lies half a step lower, where no whole number is, so that the solver's tolerance
        lets nothing else in and keeps nothing out.
        """
        entries, constant = self.beyond((steps - 0.5 + tighter) * self.step)
        scale = 10.0 / (max((abs(v) for v in entries.values()), default=0.0) or 1.0)
        return {c: v * scale for c, v in entries.items()}, -constant * scale


@dataclass(frozen=True)
class Answer:
    """One answer that holds exactly.

    Parameters
    ----------
    first, second : float
        Both objectives.
    values : ndarray
        One per column.
    key : hashable
        The same for answers that are the same to the reader.
    """

    first: float
    second: float
    values: FloatArray
    key: Hashable = None


@dataclass(frozen=True)
class Cut:
    """A row that an answer breaks which only the solver's tolerance allowed."""

    entries: Mapping[int, float]
    upper: float


@dataclass(frozen=True)
class Point:
    """One point of a front.

    Parameters
    ----------
    first, second : int
        Both objectives in whole steps.
    answer : Answer
    bound : float
        No answer with at least this much of the second objective has more of the first.
    proven : bool
        The solver closed its gap.
    """

    first: int
    second: int
    answer: Answer
    bound: float
    proven: bool

    @property
    def gap(self) -> float:
        """Relative gap of the first objective that is left open."""
        open_ = max(self.bound - self.answer.first, 0.0)
        return 0.0 if open_ <= 0 else open_ / max(abs(self.answer.first), 1e-12)


@dataclass(frozen=True)
class Front:
    """Non-dominated points, most of the first objective first.

    Parameters
    ----------
    points : tuple of Point
    status : FrontStatus
    complete : bool
        No other non-dominated point exists.
    open_between : tuple of (int, int)
        Amounts of the second objective, in steps, between which points may be missing.
    second_bound : float or None
        No answer has more of the second objective; None where that was not proven.
    solves, nodes : int
        Programs solved, and nodes of their searches.
    seconds : float
    """

    points: tuple[Point, ...]
    status: FrontStatus
    complete: bool
    open_between: tuple[tuple[int, int], ...]
    second_bound: float | None
    solves: int
    nodes: int
    seconds: float


Reader = Callable[[FloatArray], Answer | Cut]
"""Turns the solver's values into an answer, or a row that rules them out."""


def _dot(entries: Mapping[int, float], values: FloatArray) -> float:
    # In the order of the columns, so that one answer has one amount.
    return math.fsum(entries[c] * float(values[c]) for c in sorted(entries))
