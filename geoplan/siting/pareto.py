"""The exact front of two objectives over one mixed-integer program."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from geoplan.errors import RangeError
from geoplan.siting.model import Program
from geoplan.siting.problem import FloatArray
from geoplan.siting.solver import Outcome, maximise

__all__ = ["Answer", "Cut", "Front", "FrontStatus", "Objective", "Point", "nondominated"]

FrontStatus = Literal["exact", "within-gap", "time-limit", "infeasible"]
"""``exact``: every point proven to the solver's tolerance; ``within-gap``: every point proven to
the gap asked for; ``time-limit``: what was found in time, each point's gap stated."""

_SPREAD = 11
"""Points laid evenly first when all are asked for, so that time running out leaves a whole view."""

_TRADE = 1e-3
"""Share of the first objective's range that the whole range of the second may weigh where the
points are evenly laid (AUGMECON2's eps, there 1e-6 … 1e-3)."""

_MIN_SECONDS = 1.0
_ITERATIONS = 30


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


Reader = Callable[[FloatArray], "Answer | Cut"]


def nondominated(
    program: Program,
    first: Objective,
    second: Objective,
    *,
    points: int | Literal["all"] = "all",
    gap: float = 0.0,
    time_limit_s: float = math.inf,
    seed: int = 0,
    read: Reader | None = None,
    start: Mapping[int, float] | None = None,
    begin: Callable[[Answer], Mapping[int, float]] | None = None,
) -> Front:
    """Return the non-dominated points of ``max first, max second`` over a program.

    Parameters
    ----------
    program : Program
        Its own cost is not used.
    first : Objective
        Linear (no ``below``).
    second : Objective
        Linear, or a ratio of linear terms.
    points : int or "all"
        So many levels of the second objective, evenly laid between its ends (2 or more; levels
        with the same answer give one point), or every point there is.
    gap : float
        Relative gap at which each search may stop; 0 where all points are asked for.
    time_limit_s : float
        For everything together.
    seed : int
        Seed of the solver's own draws.
    read : callable, optional
        Turns the solver's values into an `Answer`, or a `Cut` where they do not hold exactly.
        Absent: whole-number columns are rounded.
    start : mapping, optional
        Values of columns from which the first search begins.
    begin : callable, optional
        The start that an answer gives to the next search; absent: its whole-number columns.

    Returns
    -------
    Front

    Raises
    ------
    RangeError
        Fewer than two points are asked for, or the first objective is a ratio.

    Notes
    -----
    The ε-constraint method (Haimes, Lasdon and Wismer 1971): ``max first`` subject to ``second ≥
    ε``. The ends are found lexicographically, each objective first and then the other at no loss
    of it, because the plain optimum of one alone may be dominated and then gives a false range
    (Mavrotas 2009, §3.1).

    An even number of points: AUGMECON2 (Mavrotas and Florios 2013, eq. 4), ``max first + δ·s``
    with ``second − s = ε_k``. Levels that an answer's surplus ``s`` already covers are passed
    over (the bypass coefficient), and the first level without an answer ends the search (early
    exit). As ``δ > 0`` an answer of it is never dominated; a ratio is, where no gap is allowed,
    instead raised at no loss of the first objective in a second search.

    All points: after these, every gap between two neighbours is gone through by ``ε = second of
    the point before + 1 step``, widest gap first. Each search yields the next point or proves
    that there is none, so with n points it takes some n + k searches. Both objectives are whole
    numbers of steps and the limits lie between these, so neither skipping nor tolerance can lose
    a point (Laumanns, Thiele and Zitzler 2006 need the step for the same reason).

    A ratio is raised by Dinkelbach's iteration (1967): maximise ``a·v − κ b·v`` with κ the ratio
    of the best answer known until nothing is gained.
    """
    if points != "all" and points < 2:
        raise RangeError(
            f"a front of {points} points was asked for", remedy="ask for 2 or more, or for all"
        )
    if first.below:
        raise RangeError("the first objective is a ratio", remedy="make it the second")
    search = _Search(program, first, second, points, gap, time_limit_s, seed, read, begin)
    return search.run(start)


@dataclass(frozen=True)
class _Result:
    answer: Answer | None
    bound: float | None
    proven: bool
    infeasible: bool = False


class _Search:
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
    ) -> _Result:
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
                return _Result(fallback, None, False)
            outcome = self._maximise(weights, floors, tighter, left, start)
            if outcome.status == "infeasible":
                return _Result(None, None, True, infeasible=True)
            if outcome.values is None:
                return _Result(fallback, outcome.bound, False)
            answer = self.read(outcome.values[: self.one])
            if isinstance(answer, Cut):
                self.program = self.program.with_row(
                    "ruled-out", answer.entries, -np.inf, answer.upper
                )
                continue
            self.found.append(answer)
            below = [k for k, (o, at) in enumerate(floors) if o.steps(self._of(o, answer)) < at]
            if not below:
                return _Result(answer, outcome.bound, outcome.status == "optimal")
            # The tolerance let in what falls short by a hair: move the limit towards the step.
            for k in below:
                tighter[k] += 0.2
            if max(tighter) > 0.7:
                return _Result(fallback, outcome.bound, False)

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

    def _most_first(self, at: int, known: Answer) -> _Result:
        """Return the answer with most of the first objective and at least ``at`` of the second."""
        cost, constant = dict(self.first.entries), self.first.constant
        if self.delta > 0:
            entries, more = self.second.beyond(self._level(at))
            for c, v in entries.items():
                cost[c] = cost.get(c, 0.0) + self.delta * v
            constant += self.delta * more
        return self._solve(cost, constant, [(self.second, at)], known)

    def _most_second(self, at: int | None, known: Answer) -> _Result:
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
                return _Result(best, None, False)
            gained = self.second.steps(found.answer.second) > self.second.steps(level)
            if gained:
                best = found.answer
            if not gained or not found.proven:
                bound = best.second if found.proven else None
                return _Result(best, bound, found.proven)
        return _Result(best, None, False)

    def _level(self, at: int) -> float:
        """Return the level around which a ratio is weighed; a linear objective needs none."""
        return (at - 0.5) * self.second.step if self.second.below else 0.0

    def _less(self, found: _Result, at: int) -> float | None:
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

    # --- the front --------------------------------------------------------------------------

    def run(self, start: Mapping[int, float] | None) -> Front:
        """Return the front."""
        levels = _SPREAD if self.points == "all" else self.points
        self.searches_left = 4 + (levels - 2) * (2 if self.twice else 1)
        top = self._solve(self.first.entries, self.first.constant, [], start)
        if top.answer is None:
            return self._front([], [], "infeasible" if top.infeasible else "time-limit", None)
        # The bound of the plain optimum stands for both ends of the tie it is in.
        raised = self._most_second(self.first.steps(top.answer.first), top.answer)
        left = self._point(raised.answer or top.answer, top.bound, top.proven and raised.proven)
        high = self._most_second(None, left.answer)
        ceiling = high.answer or left.answer
        at = self.second.steps(ceiling.second)
        if at <= left.second:
            return self._front([left], [], None, high.bound, closed=high.proven)
        last = self._most_first(at, ceiling)
        right = self._point(last.answer or ceiling, last.bound, last.proven and high.proven)
        points, gaps = self._spread(left, right, levels)
        if self.points == "all":
            points, gaps = self._fill(points, gaps)
        closed = self.points == "all" and not gaps and high.proven
        return self._front(points, gaps, None, high.bound, closed=closed)

    def _spread(
        self, left: Point, right: Point, levels: int
    ) -> tuple[list[Point], list[tuple[Point, Point, int]]]:
        """Return a point for each even level, and the gaps whose levels below are not searched."""
        points, gaps = [left], []
        width = right.second - left.second
        range_first = max(left.answer.first - right.answer.first, self.first.step)
        range_second = max(right.answer.second - left.answer.second, self.second.step)
        if self.points != "all" and not self.twice:
            self.delta = _TRADE * range_first / range_second
        for k in range(1, levels - 1):
            at = left.second + -(-width * k // (levels - 1))
            self.searches_left = (levels - 1 - k) * (2 if self.twice else 1)
            if at <= points[-1].second:
                continue
            if at >= right.second or time.perf_counter() >= self.end:
                break
            found = self._most_first(at, right.answer)
            if found.answer is None or found.infeasible:
                break
            answer, proven, bound = found.answer, found.proven, self._less(found, at)
            if self.twice:
                raised = self._most_second(self.first.steps(answer.first), answer)
                answer = raised.answer or answer
                proven = proven and raised.proven
            point = self._point(answer, bound, proven)
            gaps.append((points[-1], point, at))
            points.append(point)
            if point.second >= right.second:
                break
        gaps.append((points[-1], right, right.second))
        points.append(right)
        return points, gaps

    def _fill(
        self, points: list[Point], gaps: list[tuple[Point, Point, int]]
    ) -> tuple[list[Point], list[tuple[Point, Point, int]]]:
        """Go through every gap, widest first; return all points and the gaps left open."""
        heap: list[tuple[float, int, Point, Point, int]] = []

        def push(a: Point, b: Point, limit: int) -> None:
            if a.second + 1 < limit and b.first < a.first:
                area = float(a.first - b.first) * float(limit - a.second)
                heapq.heappush(heap, (-area, a.second, a, b, limit))

        for a, b, limit in gaps:
            push(a, b, limit)
        while heap:
            if time.perf_counter() >= self.end:
                break
            area, order, a, b, limit = heapq.heappop(heap)
            self.searches_left = 1
            found = self._most_first(a.second + 1, b.answer)
            if found.answer is None or not found.proven:
                if found.answer is not None:
                    points.append(self._point(found.answer, found.bound, False))
                heapq.heappush(heap, (area, order, a, b, limit))
                break
            point = self._point(found.answer, found.bound, found.proven)
            if point.first <= b.first or point.second >= b.second:
                continue
            points.append(point)
            push(point, b, limit)
        return points, [(a, b, limit) for _, _, a, b, limit in heap]

    def _front(
        self,
        points: Sequence[Point],
        gaps: Sequence[tuple[Point, Point, int]],
        status: FrontStatus | None,
        second_bound: float | None,
        *,
        closed: bool = False,
    ) -> Front:
        kept = self._undominated(points)
        if status is None:
            if not all(p.proven for p in kept) or (self.points == "all" and not closed):
                status = "time-limit"
            else:
                status = "exact" if all(p.gap <= 1e-6 for p in kept) else "within-gap"
        return Front(
            points=tuple(kept),
            status=status,
            complete=closed and status == "exact",
            open_between=tuple(sorted((a.second, limit) for a, _, limit in gaps))
            if self.points == "all"
            else (),
            second_bound=second_bound,
            solves=self.solves,
            nodes=self.nodes,
            seconds=time.perf_counter() - self.began,
        )

    def _undominated(self, points: Sequence[Point]) -> list[Point]:
        """Return the points that no answer seen in any search dominates, each pair once."""
        pairs = {(self.first.steps(a.first), self.second.steps(a.second)) for a in self.found}
        best = -math.inf
        kept: set[tuple[int, int]] = set()
        for first, second in sorted(pairs | {(p.first, p.second) for p in points}, reverse=True):
            if second > best:
                best = second
                kept.add((first, second))
        out: dict[tuple[int, int], Point] = {}
        for p in points:
            pair = (p.first, p.second)
            if pair in kept and (pair not in out or p.gap < out[pair].gap):
                out[pair] = p
        return [out[pair] for pair in sorted(out, reverse=True)]


def _dot(entries: Mapping[int, float], values: FloatArray) -> float:
    # In the order of the columns, so that one answer has one amount.
    return math.fsum(entries[c] * float(values[c]) for c in sorted(entries))


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
