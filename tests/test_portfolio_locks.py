"""Sites that every plan has, and that none has."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_portfolio import _pair

from geoplan.errors import InputError, UnknownName
from geoplan.siting.portfolio import build, solve
from geoplan.siting.relax import apply, relax


def test_a_locked_site_is_in_the_plan_and_the_others_make_room() -> None:
    # A and B share a dam that serves one of them; B is worth less, but locked in.
    problem = _pair()
    assert solve(build(problem)).chosen == ("A", "C")
    plan = solve(build(replace(problem, lock_in=frozenset({"B"}))))
    assert (plan.status, plan.chosen) == ("optimal", ("B", "C"))
    plan = solve(build(replace(problem, lock_out=frozenset({"A"}))))
    assert (plan.status, plan.chosen) == ("optimal", ("B", "C"))


@pytest.mark.parametrize(
    ("lock_in", "lock_out", "limits"),
    [({"A", "B"}, set(), {"lock-in:B"}), (set(), {"A", "C"}, {"lock-out:C"})],
)
def test_locks_that_leave_no_plan_are_named(
    lock_in: set[str], lock_out: set[str], limits: set[str]
) -> None:
    problem = replace(_pair(), lock_in=frozenset(lock_in), lock_out=frozenset(lock_out))
    assert solve(build(problem)).status == "infeasible"
    moves = relax(problem)
    named = {m.limit.partition(":")[0] for m in moves[:-1]}
    assert named == {limit.partition(":")[0] for limit in limits}
    assert len(moves) == 2
    assert (moves[0].value, moves[0].needed, moves[0].by) == (1.0, 0.0, 1.0)
    assert solve(build(apply(problem, moves[:-1]))).chosen


def test_more_locks_than_sites_asked_for() -> None:
    problem = replace(_pair({"count": 1}), lock_in=frozenset({"A", "C"}))
    assert solve(build(problem)).status == "infeasible"
    moves = relax(problem)
    assert [m.limit.partition(":")[0] for m in moves[:-1]] == ["lock-in"]


def test_a_lock_on_nothing_and_a_lock_both_ways_are_errors() -> None:
    with pytest.raises(UnknownName, match="site Z"):
        build(replace(_pair(), lock_in=frozenset({"Z"})))
    both = frozenset({"A"})
    with pytest.raises(InputError, match="site A is in lock_in and in lock_out"):
        build(replace(_pair(), lock_in=both, lock_out=both))
