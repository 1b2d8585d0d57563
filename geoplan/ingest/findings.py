"""What was found while a file was read: collected, so that all of it is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from geoplan.errors import Problem, Severity
from geoplan.ingest.account import Left

__all__ = ["Findings", "listed"]


def listed(names: Iterable[object], *, most: int = 5) -> str:
    """Return the first few names, and how many more there are."""
    texts = [str(n) for n in names]
    head = ", ".join(texts[:most])
    return f"{head} and {len(texts) - most:,} more" if len(texts) > most else head


@dataclass
class Findings:
    """The findings of one file, and the rows that did not become part of the layer.

    Parameters
    ----------
    where : str
        What is being read, for example ``roads ← transport/roads.gpkg``.
    left : list of Left
        Source rows that were filtered or refused, in the order in which it happened.
    """

    where: str
    problems: list[Problem] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)

    def add(
        self,
        code: str,
        what: str,
        remedy: str = "",
        *,
        severity: Severity = "warning",
        count: int = 1,
        at: str = "",
    ) -> None:
        """Note a finding; one with ``count`` 0 is none."""
        if count:
            where = f"{self.where}, {at}" if at else self.where
            self.problems.append(Problem(where, what, remedy, severity, code, int(count)))

    def filter(self, code: str, what: str, rows: pd.Index, *, remedy: str = "") -> None:
        """Note rows, by their number in the file, that a stated rule leaves out."""
        if len(rows):
            self.left.append(Left(code, np.asarray(rows), refused=False))
            self.add(code, what, remedy, severity="info", count=len(rows))

    def refuse(self, code: str, what: str, rows: pd.Index, *, remedy: str = "") -> None:
        """Note rows, by their number in the file, that cannot be stored."""
        if len(rows):
            self.left.append(Left(code, np.asarray(rows), refused=True))
            self.add(code, what, remedy, severity="warning", count=len(rows))
