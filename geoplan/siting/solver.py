"""HiGHS, with everything that could change an answer fixed."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import highspy
import numpy as np

from geoplan.errors import Unavailable
from geoplan.siting.model import Program
from geoplan.siting.problem import FloatArray

__all__ = ["THREADS", "Outcome", "maximise", "solver_version"]

THREADS = 1
"""More threads would make the order of the search, and so ties, depend on the machine."""

_FEASIBILITY = 1e-7
_MIN_SECONDS = 0.05
_BLUR = 1e-6
"""Share by which the solver's objective may differ from that of its values."""


@dataclass(frozen=True)
class Outcome:
    """What the solver says of one program.

    Parameters
    ----------
    status : {"optimal", "time-limit", "infeasible"}
        ``optimal``: within the gap that was asked for. ``time-limit`` may come with no values.
    values : ndarray or None
        One per column.
    reduced : ndarray or None
        Reduced cost of each column, where no column is a whole number: by how much the objective
        would change per unit.
    objective, bound : float or None
        Of the best answer, and the proven upper limit.
    """

    status: Literal["optimal", "time-limit", "infeasible"]
    values: FloatArray | None
    objective: float | None
    bound: float | None
    nodes: int
    seconds: float
    reduced: FloatArray | None = None


def _quiet() -> Any:
    """Return a solver that prints nothing; ``highspy.Highs`` prints a banner when it is made."""
    return highspy._core._Highs()


def _run(highs: Any) -> None:
    """Run beside the main thread, so that Ctrl-C is answered at once and not after the search."""
    worker = threading.Thread(target=highs.run, daemon=True)
    worker.start()
    worker.join()


def solver_version() -> str:
    """Return the version of HiGHS."""
    return str(_quiet().version())


def maximise(
    program: Program,
    *,
    gap: float,
    time_limit_s: float,
    seed: int = 0,
    start: Mapping[int, float] | None = None,
) -> Outcome:
    """Solve a program.

    Parameters
    ----------
    program : Program
    gap : float
        Relative gap at which the search may stop, 0 or more.
    time_limit_s : float
        Seconds; at least a twentieth of a second is given.
    seed : int
        Seed of the solver's own draws.
    start : mapping, optional
        Values of some columns (all whole-number ones that are not 0) from which to begin.

    Raises
    ------
    Unavailable
        The solver failed; its own word for it is in the message.
    """
    began = time.perf_counter()
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(program.cost), len(program.row_lower)
    lp.sense_ = highspy.ObjSense.kMaximize
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = program.cost, program.lower, program.upper
    lp.row_lower_, lp.row_upper_ = program.row_lower, program.row_upper
    lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    lp.a_matrix_.start_ = program.start.astype(np.int32)
    lp.a_matrix_.index_ = program.index.astype(np.int32)
    lp.a_matrix_.value_ = program.value
    whole, free = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
    is_mip = bool(program.integer.any())
    if is_mip:
        lp.integrality_ = [whole if v else free for v in program.integer]
    highs = _quiet()
    for name, value in {
        "output_flag": False,
        "threads": THREADS,
        "parallel": "off",
        "random_seed": seed,
        "time_limit": max(float(time_limit_s), _MIN_SECONDS),
        "mip_rel_gap": float(gap),
        "mip_abs_gap": 1e-9,
        "mip_feasibility_tolerance": _FEASIBILITY,
        "primal_feasibility_tolerance": _FEASIBILITY,
    }.items():
        highs.setOptionValue(name, value)
    if highs.passModel(lp) == highspy.HighsStatus.kError:
        raise Unavailable("the solver refused the model", remedy="report this with the scenario")
    if start and is_mip:
        columns = np.fromiter(start, dtype=np.int32, count=len(start))
        begin = np.fromiter(start.values(), dtype=np.float64, count=len(start))
        highs.setSolution(len(columns), columns, begin)
    _run(highs)
    status = highs.getModelStatus()
    info = highs.getInfo()
    seconds = time.perf_counter() - began
    nodes = max(int(info.mip_node_count), 0)
    found = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    values = np.array(highs.getSolution().col_value, dtype=np.float64) if found else None
    objective = float(info.objective_function_value) if found else None
    if values is not None and objective is not None:
        true = float(np.dot(program.cost, values))
        if abs(true - objective) > _BLUR * max(abs(true), 1.0):
            # HiGHS 1.16 may count a given start twice; its bound is then off by as much.
            if not start:
                raise Unavailable(
                    f"the solver says {objective:.9g} of values that are worth {true:.9g}",
                    remedy="report this with the scenario",
                )
            left = time_limit_s - (time.perf_counter() - began)
            return maximise(program, gap=gap, time_limit_s=left, seed=seed)
    kinds = highspy.HighsModelStatus
    if status == kinds.kOptimal:
        bound = float(info.mip_dual_bound) if is_mip else objective
        duals = None if is_mip else np.array(highs.getSolution().col_dual, dtype=np.float64)
        return Outcome("optimal", values, objective, bound, nodes, seconds, duals)
    if status in (kinds.kInfeasible, kinds.kUnboundedOrInfeasible):
        return Outcome("infeasible", None, None, None, nodes, seconds)
    if status == kinds.kModelEmpty:
        ok = bool((program.row_lower <= 0).all() and (program.row_upper >= 0).all())
        empty = np.zeros(0)
        return (
            Outcome("optimal", empty, 0.0, 0.0, 0, seconds)
            if ok
            else Outcome("infeasible", None, None, None, 0, seconds)
        )
    if status == kinds.kTimeLimit:
        bound = float(info.mip_dual_bound)
        known = bound if np.isfinite(bound) else None
        return Outcome("time-limit", values, objective, known, nodes, seconds)
    raise Unavailable(
        f"the solver stopped with '{highs.modelStatusToString(status)}'",
        remedy="give it more time or a wider gap; report this with the scenario",
    )
