"""One search at a time: most of one objective with at least so much of the other."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from geoplan.siting.model import Program
from geoplan.siting.objective import Answer, Cut, Objective, Point, Reader
from geoplan.siting.problem import FloatArray
from geoplan.siting.solver import Outcome, maximise

__all__ = ["Result", "Searches"]

_MIN_SECONDS = 1.0
_ITERATIONS = 30


@dataclass(frozen=True)
class Result:
    """What one search found; ``bound``: no answer has more of what was searched for."""

    answer: Answer | None
    bound: float | None
    proven: bool
    infeasible: bool = False


class Searches:
    """The searches of one front, which share cuts, time and what they found."""

    def __init__(
        self,
        program: Program,
        first: Objective,
        second: Objective,
        points: int | Literal["all"],
        gap: float,
        time_limit_s: float,
        seed: int,
        read: Reader | None,
        begin: Callable[[Answer], Mapping[int, float]] | None,
    ) -> None:
        self.began = time.perf_counter()
        self.end = self.began + time_limit_s
        self.one = len(program.cost)
        self.program = _with_one(program)
        self.first, self.second = first, second
        self.points: int | Literal["all"] = points
        self.gap = 0.0 if points == "all" else gap
        # A ratio weighed beside the first objective is weighed around a level, which is exact up
        # to how much denominators differ; where no gap is allowed it is raised in its own search.
        self.twice = bool(second.below) and points != "all" and gap == 0
        self.seed = seed
        self.read = read or self._round
        self.begin = begin or self._whole
        self.solves = self.nodes = 0
        self.found: list[Answer] = []
        self.searches_left = 0
        self.delta = 0.0

    # --- one search -------------------------------------------------------------------------

    def _round(self, values: FloatArray) -> Answer:
        v = np.where(self.program.integer[: self.one], np.rint(values), values)
        first, second = self.first.amount(v), self.second.amount(v)
        return Answer(first, second, v, (self.first.steps(first), self.second.steps(second)))

    def _whole(self, answer: Answer) -> dict[int, float]:
        columns = np.flatnonzero(self.program.integer[: self.one])
        return {int(c): float(answer.values[c]) for c in columns}

    def _seconds(self) -> float:
        """Return what the next search may take: three times its even share of what is left."""
        left = self.end - time.perf_counter()
        return min(left, max(_MIN_SECONDS, 3.0 * left / (self.searches_left + 2)))

    def _solve(
        self,
        cost: Mapping[int, float],
        constant: float,
        floors: Sequence[tuple[Objective, int]],
        known: Answer | Mapping[int, float] | None,
    ) -> Result:
        """Maximise ``cost·v + constant`` with each objective at least at its floor."""
        weights = np.zeros(self.one + 1)
        for c, v in cost.items():
            weights[c] = v
        weights[self.one] = constant
        start = self.begin(known) if isinstance(known, Answer) else known
        fallback = known if isinstance(known, Answer) else None
        end = time.perf_counter() + self._seconds()
        self.searches_left = max(self.searches_left - 1, 0)
        tighter = [0.0] * len(floors)
        while True:
            left = end - time.perf_counter()
            if left <= 0:
                return Result(fallback, None, False)
            outcome = self._maximise(weights, floors, tighter, left, start)
            if outcome.status == "infeasible":
                return Result(None, None, True, infeasible=True)
            if outcome.values is None:
                return Result(fallback, outcome.bound, False)
            answer = self.read(outcome.values[: self.one])
            if isinstance(answer, Cut):
                self.program = self.program.with_row(
                    "ruled-out", answer.entries, -np.inf, answer.upper
                )
                continue
            self.found.append(answer)
            below = [k for k, (o, at) in enumerate(floors) if o.steps(self._of(o, answer)) < at]
            if not below:
                return Result(answer, outcome.bound, outcome.status == "optimal")
            # The tolerance let in what falls short by a hair: move the limit towards the step.
            for k in below:
                tighter[k] += 0.2
            if max(tighter) > 0.7:
                return Result(fallback, outcome.bound, False)

    def _maximise(
        self,
        weights: FloatArray,
        floors: Sequence[tuple[Objective, int]],
        tighter: Sequence[float],
        seconds: float,
        start: Mapping[int, float] | None,
    ) -> Outcome:
        program = self.program
        for (objective, steps), more in zip(floors, tighter, strict=True):
            entries, lower = objective.floor(steps, tighter=more)
            program = program.with_row("floor", entries, lower, np.inf)
        outcome = maximise(
            replace(program, cost=weights),
            gap=self.gap,
            time_limit_s=seconds,
            seed=self.seed,
            start=start,
        )
        self.solves += 1
        self.nodes += outcome.nodes
        return outcome

    def _of(self, objective: Objective, answer: Answer) -> float:
        return answer.first if objective is self.first else answer.second

    # --- searches that make a point ---------------------------------------------------------

    def _most_first(self, at: int, known: Answer) -> Result:
        """Return the answer with most of the first objective and at least ``at`` of the second."""
        cost, constant = dict(self.first.entries), self.first.constant
        if self.delta > 0:
            entries, more = self.second.beyond(self._level(at))
            for c, v in entries.items():
                cost[c] = cost.get(c, 0.0) + self.delta * v
            constant += self.delta * more
        return self._solve(cost, constant, [(self.second, at)], known)

    def _most_second(self, at: int | None, known: Answer) -> Result:
        """Return the answer with most of the second objective and at least ``at`` of the first."""
        floors = [] if at is None else [(self.first, at)]
        if not self.second.below:
            found = self._solve(self.second.entries, self.second.constant, floors, known)
            return found if found.answer is not None else replace(found, answer=known)
        best = known
        for _ in range(_ITERATIONS):
            level = best.second
            entries, constant = self.second.beyond(level)
            # Shifted to the size of the numerator, so that a relative gap has a meaning.
            constant += level * self.second.denominator(best.values)
            found = self._solve(entries, constant, floors, best)
            if found.answer is None:
                return Result(best, None, False)
            gained = self.second.steps(found.answer.second) > self.second.steps(level)
            if gained:
                best = found.answer
            if not gained or not found.proven:
                bound = best.second if found.proven else None
                return Result(best, bound, found.proven)
        return Result(best, None, False)

    def _level(self, at: int) -> float:
        """Return the level around which a ratio is weighed; a linear objective needs none."""
        return (at - 0.5) * self.second.step if self.second.below else 0.0

    def _less(self, found: Result, at: int) -> float | None:
        """Return a bound without what the second objective was worth beside the first."""
        if found.bound is None or found.answer is None or self.delta == 0:
            return found.bound
        answer = found.answer
        more = (answer.second - self._level(at)) * self.second.denominator(answer.values)
        return found.bound - self.delta * more

    def _point(self, answer: Answer, bound: float | None, proven: bool) -> Point:
        first, second = self.first.steps(answer.first), self.second.steps(answer.second)
        best = math.inf if bound is None else max(bound, answer.first)
        if proven and best - answer.first < self.first.step:
            best = answer.first
        return Point(first, second, answer, best, proven)


def _with_one(program: Program) -> Program:
    """Return the program with a column that is 1: the place of a constant in the objective."""
    return replace(
        program,
        cost=np.append(program.cost, 0.0),
        lower=np.append(program.lower, 1.0),
        upper=np.append(program.upper, 1.0),
        integer=np.append(program.integer, False),
        names=(*program.names, "one"),
    )
