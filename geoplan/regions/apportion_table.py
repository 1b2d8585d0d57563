"""Tables of whole units whose rows and columns both add up: controlled, biproportional rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from geoplan.errors import Problem, ProblemsFound, ShapeError

__all__ = ["TableApportionment", "TableRule", "apportion_table", "fair_shares"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TableRule = Literal["quota", "webster"]

_NEVER = 1 << 60  # longer than any path; two of them still fit in 64 bits
_COST_SCALE = 1 << 30  # costs are whole: float noise of the fair shares breaks no tie


@dataclass(frozen=True)
class TableApportionment:
    """Whole units by row and column.

    Parameters
    ----------
    units : ndarray of int, shape (rows, columns)
        Rows and columns add up to the margins.
    fair : ndarray of float, shape (rows, columns)
        The proportional table before rounding, see `fair_shares`.
    within_quota : ndarray of bool, shape (rows, columns)
        The cell is the fair share rounded down or up.
    """

    units: IntArray
    fair: FloatArray
    within_quota: npt.NDArray[np.bool_]


def fair_shares(
    weights: FloatArray, rows: IntArray, columns: IntArray, *, rounds: int = 2000
) -> FloatArray:
    """Return ``r_i · w_ij · c_j``, the one such table with the given margins.

    Parameters
    ----------
    weights : ndarray of float, shape (rows, columns)
        0 or more; a 0 stays 0.
    rows, columns : ndarray of int
        Margins of one sum.
    rounds : int
        Most rounds of fitting; where zeros of the weights force further cells to zero the fit
        converges slowly and stops here, near the limit.

    Notes
    -----
    Iterative proportional fitting (Deming & Stephan 1940); the limit is the fair share matrix of
    Balinski & Demange (1989), *An axiomatic approach to proportionality between matrices*.
    """
    fitted = np.where((rows[:, None] > 0) & (columns[None, :] > 0), weights, 0.0)
    for _ in range(rounds):
        held = fitted.sum(axis=1)
        fitted = fitted * np.divide(rows, held, out=np.zeros(len(rows)), where=held > 0)[:, None]
        held = fitted.sum(axis=0)
        fitted = fitted * np.divide(columns, held, out=np.zeros(len(columns)), where=held > 0)
        if np.abs(fitted.sum(axis=1) - rows).max(initial=0.0) <= 1e-11 * max(rows.sum(), 1):
            break
    return np.asarray(fitted)


def apportion_table(
    weights: npt.ArrayLike,
    rows: npt.ArrayLike,
    columns: npt.ArrayLike,
    *,
    rule: TableRule = "quota",
    row_names: Sequence[str] | None = None,
    column_names: Sequence[str] | None = None,
) -> TableApportionment:
    """Divide units into a table in proportion to weights; rows and columns add up exactly.

    Parameters
    ----------
    weights : array of float, shape (rows, columns)
        0 or more, finite; 0 closes the cell.
    rows, columns : array of int
        Margins, 0 or more, of one sum.
    rule : {"quota", "webster"}
        ``quota``: every cell is its fair share rounded down or up (controlled rounding), and among
        those tables the one nearest to proportion. ``webster``: the biproportional divisor
        method; a cell may lie farther from its fair share.
    row_names, column_names : sequence of str, optional
        For messages.

    Raises
    ------
    ShapeError
        Weights and margins do not fit together.
    ProblemsFound
        A negative number, margins of different sums, or closed cells that leave a margin out of
        reach: named, with the amounts.

    Notes
    -----
    Both rules minimise ``Σ_ij Σ_{k ≤ x_ij} log((k − 1/2) / f_ij)``, f being the fair shares: the
    minimum over all tables is the biproportional Webster apportionment of Balinski & Demange
    (1989) (Rote & Zachariasen 2007, *Matrix scaling by network flow*, §3; Gaffke & Pukelsheim
    2008, *Divisor methods for proportional representation systems*, §4). ``quota`` keeps each
    cell within ``floor(f) … ceil(f)``; a table of that kind always exists, as the limits of a
    transportation problem are whole and f itself is a solution (Bacharach 1966; Cox 1987, *A
    constructive procedure for unbiased controlled rounding*). Only where the fit did not reach
    its limit are cells let out of it, and ``within_quota`` says which.

    The minimum is found by shortest augmenting paths and cancelled negative cycles, in whole
    numbers; of equal tables the one that prefers earlier rows, then columns, is taken.
    """
    w = np.asarray(weights, dtype=np.float64)
    r, c = np.asarray(rows, dtype=np.int64), np.asarray(columns, dtype=np.int64)
    if w.ndim != 2 or w.shape != (len(r), len(c)):
        raise ShapeError(
            f"weights of shape {w.shape} for {len(r)} rows and {len(c)} columns",
            remedy="give one total for each row and column of the weights",
        )
    by_row = [f"row {i}" for i in range(len(r))] if row_names is None else list(row_names)
    by_column = [f"column {j}" for j in range(len(c))] if column_names is None else [*column_names]
    _check(w, r, c, by_row, by_column)
    fair = fair_shares(w, r, c)
    near = np.round(fair)
    fair = np.where(np.abs(fair - near) < 1e-9 * np.maximum(near, 1.0), near, fair)
    low, high = np.floor(fair).astype(np.int64), np.ceil(fair).astype(np.int64)
    flow = _Flow(fair, low, high)
    lacking = flow.fill(r, c, costly=True)
    if lacking:  # the fit stopped short of its limit, or there is no such table
        open_cells = (w > 0) & (r[:, None] > 0) & (c[None, :] > 0)
        flow.low, flow.high = np.zeros_like(low), np.where(open_cells, int(r.sum()), 0)
        flow.high = np.maximum(flow.high, flow.units)
        lacking = flow.fill(r, c, costly=False)
        if lacking:
            raise _unreachable(flow, r, c, by_row, by_column)
        flow.improve()
    elif rule == "webster":
        open_cells = fair > 0
        flow.low, flow.high = np.zeros_like(low), np.where(open_cells, int(r.sum()), 0)
        flow.improve()
    units = flow.units
    return TableApportionment(units, fair, (units >= low) & (units <= high))


class _Flow:
    """Units in cells, between ``low`` and ``high``, and the network of possible moves."""

    def __init__(self, fair: FloatArray, low: IntArray, high: IntArray) -> None:
        self.units = low.copy()
        self.low, self.high = low, high
        self._log = np.log(np.maximum(fair, 1e-300))
        self.reached: tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]] | None = None

    def _cost(self, k: IntArray) -> IntArray:
        """What the ``k``-th unit of each cell costs."""
        price = (np.log(np.maximum(k - 0.5, 0.5)) - self._log) * _COST_SCALE
        return np.asarray(np.rint(price), dtype=np.int64)

    def _moves(self, costly: bool) -> tuple[IntArray, IntArray]:
        """Return the price of one more (row to column) and of one fewer (column to row)."""
        ones = np.ones_like(self.units)
        more = self._cost(self.units + 1) if costly else ones
        fewer = -self._cost(self.units) if costly else ones
        return (
            np.where(self.units < self.high, more, _NEVER),
            np.where(self.units > self.low, fewer, _NEVER),
        )

    def _shortest(
        self, start: IntArray, costly: bool
    ) -> tuple[IntArray, IntArray, IntArray, IntArray, int]:
        """Bellman and Ford; the last number is a row on a negative cycle, or −1."""
        more, fewer = self._moves(costly)
        n, m = self.units.shape
        to_row, to_column = start.copy(), np.full(m, _NEVER)
        from_column, from_row = np.full(n, -1), np.full(m, -1)
        for _ in range(n + m + 1):
            path = to_row[:, None] + more
            best = path.argmin(axis=0)
            length = path[best, np.arange(m)]
            shorter = (length < to_column) & (length < _NEVER // 2)
            to_column[shorter], from_row[shorter] = length[shorter], best[shorter]
            path = to_column[None, :] + fewer
            back = path.argmin(axis=1)
            length = path[np.arange(n), back]
            closer = (length < to_row) & (length < _NEVER // 2)
            to_row[closer], from_column[closer] = length[closer], back[closer]
            if not closer.any():
                return to_row, to_column, from_column, from_row, -1
        return to_row, to_column, from_column, from_row, int(np.flatnonzero(closer)[0])

    def fill(self, rows: IntArray, columns: IntArray, *, costly: bool) -> bool:
        """Add units along shortest paths until the margins hold; True where they cannot."""
        if not self.units.size:
            return bool(rows.sum() or columns.sum())
        for row in np.flatnonzero(self.units.sum(axis=1) > rows):
            self._trim(self.units[row, :], int(self.units[row, :].sum() - rows[row]))
        for column in np.flatnonzero(self.units.sum(axis=0) > columns):
            self._trim(self.units[:, column], int(self.units[:, column].sum() - columns[column]))
        while True:
            lack_row = rows - self.units.sum(axis=1)
            lack_column = columns - self.units.sum(axis=0)
            if not lack_row.any() and not lack_column.any():
                return False
            start = np.where(lack_row > 0, 0, _NEVER)
            to_row, to_column, from_column, from_row, _ = self._shortest(start, costly)
            ends = np.where(lack_column > 0, to_column, _NEVER)
            j = int(ends.argmin())
            if ends[j] >= _NEVER // 2:
                self.reached = (to_row < _NEVER // 2, to_column < _NEVER // 2)
                return True
            while True:
                i = int(from_row[j])
                self.units[i, j] += 1
                if from_column[i] < 0:
                    break
                j = int(from_column[i])
                self.units[i, j] -= 1

    @staticmethod
    def _trim(line: IntArray, excess: int) -> None:
        for k in np.argsort(-line, kind="stable"):
            taken = min(excess, int(line[k]))
            line[k] -= taken
            excess -= taken

    def improve(self) -> None:
        """Cancel negative cycles until the table costs least."""
        n, m = self.units.shape
        start = np.zeros(n, dtype=np.int64)
        while True:
            _, _, from_column, from_row, row = self._shortest(start, True)
            if row < 0:
                return
            for _ in range(n + m):  # walk back far enough to stand on the cycle
                row = int(from_row[from_column[row]])
            i = row
            while True:
                j = int(from_column[i])
                self.units[i, j] -= 1
                i = int(from_row[j])
                self.units[i, j] += 1
                if i == row:
                    break


def _check(
    w: FloatArray, r: IntArray, c: IntArray, by_row: list[str], by_column: list[str]
) -> None:
    problems = [
        Problem(name, f"its total is {total:,}", "give 0 or more", code="negative")
        for names, totals in ((by_row, r), (by_column, c))
        for name, total in zip(names, totals.tolist(), strict=True)
        if total < 0
    ]
    for i, j in np.argwhere(~np.isfinite(w) | (w < 0)):
        problems.append(
            Problem(
                f"{by_row[i]}, {by_column[j]}",
                f"its weight is {w[i, j]}",
                "give a number of 0 or more",
                code="weight",
            )
        )
    if not problems and r.sum() != c.sum():
        problems.append(
            Problem(
                "totals",
                f"the rows add up to {r.sum():,} and the columns to {c.sum():,}",
                f"change one of them by {abs(int(r.sum() - c.sum())):,}",
                code="totals-differ",
            )
        )
    if problems:
        raise ProblemsFound("the table cannot be divided", problems)


def _unreachable(
    flow: _Flow, r: IntArray, c: IntArray, by_row: list[str], by_column: list[str]
) -> ProblemsFound:
    """Name the rows that need more than the columns open to them hold (Gale 1957)."""
    if flow.reached is None:
        raise AssertionError("asked for a cut that was not looked for")
    rows, columns = flow.reached
    need, room = int(r[rows].sum()), int(c[columns].sum())
    who = ", ".join(name for name, here in zip(by_row, rows, strict=True) if here)
    what = ", ".join(name for name, here in zip(by_column, columns, strict=True) if here)
    return ProblemsFound(
        "no table has these totals",
        [
            Problem(
                who,
                f"they are to get {need:,}, and what is open to them ({what or 'nothing'}) "
                f"holds {room:,}",
                f"open another cell to them, or lower their totals by {need - room:,} in all",
                code="closed-cells",
            )
        ],
    )
