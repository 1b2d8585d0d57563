"""The exact front of two objectives over one mixed-integer program."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from geoplan.errors import RangeError
from geoplan.siting.model import Program
from geoplan.siting.objective import Answer, Front, FrontStatus, Objective, Point, Reader
from geoplan.siting.searches import Searches

__all__ = ["nondominated"]

_SPREAD = 11
"""Points laid evenly first when all are asked for, so that time running out leaves a whole view."""

_TRADE = 1e-3
"""Share of the first objective's range that the whole range of the second may weigh where the
points are evenly laid (AUGMECON2's eps, there 1e-6 … 1e-3)."""


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
    walk = _Walk(program, first, second, points, gap, time_limit_s, seed, read, begin)
    return walk.run(start)


class _Walk(Searches):
    """The order of the searches."""

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
