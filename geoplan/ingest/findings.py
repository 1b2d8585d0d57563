"""What was found while a file was read: collected, so that all of it is told at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from geoplan.errors import Problem, Severity

__all__ = ["Findings", "listed"]


def listed(names: Iterable[object], *, most: int = 5) -> str:
    """Return the first few names, and how many more there are."""
    texts = [str(n) for n in names]
    head = ", ".join(texts[:most])
    return f"{head} and {len(texts) - most:,} more" if len(texts) > most else head


@dataclass
class Findings:
    """The findings of one file, and the rows that were filtered by a stated rule.

    Parameters
    ----------
    where : str
        What is being read, for example ``roads ← transport/roads.gpkg``.
    """

    where: str
    problems: list[Problem] = field(default_factory=list)
    filtered: dict[str, int] = field(default_factory=dict)
    refused: int = 0

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

    def filter(self, code: str, what: str, count: int, *, remedy: str = "") -> None:
        """Note rows that a stated rule leaves out."""
        if count:
            self.filtered[code] = self.filtered.get(code, 0) + int(count)
            self.add(code, what, remedy, severity="info", count=count)

    def refuse(self, code: str, what: str, count: int, *, remedy: str = "") -> None:
        """Note rows that cannot be stored."""
        if count:
            self.refused += int(count)
            self.add(code, what, remedy, severity="warning", count=count)
