"""A mixed-integer linear program as arrays, and while it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

__all__ = ["Columns", "Program"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Program:
    """``max cost·v`` subject to ``row_lower ≤ A v ≤ row_upper``, bounds, some whole numbers.

    ``A`` is held by rows: row k has the columns ``index[start[k]:start[k+1]]``.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    names: tuple[str, ...]
    start: IntArray
    index: IntArray
    value: FloatArray
    row_lower: FloatArray
    row_upper: FloatArray
    row_names: tuple[str, ...]

    def with_row(
        self, name: str, entries: Mapping[int, float], lower: float, upper: float
    ) -> Program:
        """Return the program with one more row."""
        return Program(
            self.cost,
            self.lower,
            self.upper,
            self.integer,
            self.names,
            np.append(self.start, self.start[-1] + len(entries)),
            np.append(self.index, np.fromiter(entries, dtype=np.int64, count=len(entries))),
            np.append(self.value, np.fromiter(entries.values(), dtype=np.float64)),
            np.append(self.row_lower, lower),
            np.append(self.row_upper, upper),
            (*self.row_names, name),
        )


@dataclass
class Columns:
    """A program while it is written."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[bool] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    start: list[int] = field(default_factory=lambda: [0])
    index: list[int] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)
    row_names: list[str] = field(default_factory=list)

    def column(
        self, name: str, *, cost: float = 0.0, upper: float = 1.0, integer: bool = False
    ) -> int:
        """Add a column between 0 and ``upper``; return its number."""
        self.cost.append(cost)
        self.lower.append(0.0)
        self.upper.append(upper)
        self.integer.append(integer)
        self.names.append(name)
        return len(self.cost) - 1

    def row(
        self,
        name: str,
        entries: Iterable[tuple[int, float]],
        *,
        lower: float = -np.inf,
        upper: float = np.inf,
    ) -> None:
        """Add a row."""
        for c, v in entries:
            self.index.append(c)
            self.value.append(v)
        self.start.append(len(self.index))
        self.row_lower.append(lower)
        self.row_upper.append(upper)
        self.row_names.append(name)

    def program(self) -> Program:
        """Return the finished program."""
        return Program(
            np.array(self.cost, dtype=np.float64),
            np.array(self.lower, dtype=np.float64),
            np.array(self.upper, dtype=np.float64),
            np.array(self.integer, dtype=np.bool_),
            tuple(self.names),
            np.array(self.start, dtype=np.int64),
            np.array(self.index, dtype=np.int64),
            np.array(self.value, dtype=np.float64),
            np.array(self.row_lower, dtype=np.float64),
            np.array(self.row_upper, dtype=np.float64),
            tuple(self.row_names),
        )
