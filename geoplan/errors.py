"""Every error that GeoPlan raises on purpose.

::

    GeoPlanError                 exit 2  what, where, remedy
    ├── InputError               exit 2  a file, value or name that a person gave
    │   ├── FileMissing
    │   ├── CrsProblem
    │   ├── EmptyLayer
    │   ├── UnknownName          an unknown layer, column, run, region …
    │   ├── RangeError           a number outside its range
    │   ├── ShapeError           arrays or tables that do not fit together
    │   └── ProblemsFound        all problems of one input, listed at once
    ├── AnswerNo                 exit 1  the question was understood; the answer is no
    │   ├── CheckFailed
    │   └── Infeasible           no plan exists; carries the limits that would have to move
    ├── Stopped                  exit 130  stopped as asked; nothing of it was kept
    └── Unavailable              exit 2  something outside GeoPlan is missing or gone
        ├── PostgisMissing
        ├── DatabaseLost
        ├── PortTaken
        └── DiskFull

Where one room alone raises a kind of its own, it stands there: ``NotComparable`` and ``KeyClash``
(store), ``NoToken``, ``TokenRevoked``, ``TooLarge`` and ``TooMany`` (api) are ``InputError``.

A message says what was wrong and with which value, ``where`` says in which file, row, key or
cell, and ``remedy`` says what a person can do about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "AnswerNo",
    "CheckFailed",
    "CrsProblem",
    "DatabaseLost",
    "DiskFull",
    "EmptyLayer",
    "FileMissing",
    "GeoPlanError",
    "Infeasible",
    "InputError",
    "PortTaken",
    "PostgisMissing",
    "Problem",
    "ProblemsFound",
    "RangeError",
    "Relaxation",
    "ShapeError",
    "Stopped",
    "Unavailable",
    "UnknownName",
]

Severity = Literal["error", "warning", "repaired", "info"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about an input.

    Parameters
    ----------
    where : str
        File, layer, row or key path, for example ``roads.gpkg, feature 17``.
    what : str
        What is wrong, with the value.
    remedy : str
        What a person can do, or which rule repaired it.
    severity : {"error", "warning", "repaired", "info"}
        ``error`` stops the load; ``repaired`` was mended by the rule named in ``remedy``.
    code : str
        Stable machine name, for example ``invalid-ring``.
    count : int
        How many features, rows or cells this line stands for.
    """

    where: str
    what: str
    remedy: str = ""
    severity: Severity = "error"
    code: str = "problem"
    count: int = 1


class GeoPlanError(Exception):
    """Base of all errors that a person is meant to read.

    Parameters
    ----------
    what : str
        What was wrong, with the value that was given.
    where : str, optional
        File, row, key path or place.
    remedy : str, optional
        What to do about it.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  → {self.remedy}" if self.remedy else text


class InputError(GeoPlanError):
    """A file, value or name that a person gave cannot be used."""


class FileMissing(InputError):
    """A file that was named does not exist or cannot be read."""


class CrsProblem(InputError):
    """A coordinate reference system is absent, unknown or impossible for the data."""


class EmptyLayer(InputError):
    """A layer holds no usable feature."""


class UnknownName(InputError):
    """A layer, column, region, run or key that does not exist."""


class RangeError(InputError):
    """A number is outside its range."""


class ShapeError(InputError):
    """Arrays or tables do not fit together."""


class ProblemsFound(InputError):
    """All problems of one input at once.

    Parameters
    ----------
    problems : sequence of Problem
        At least one, in the order in which a person would meet them.
    what : str
        The headline, for example ``scenario large-estates has 3 problems``.
    """

    def __init__(self, what: str, problems: Sequence[Problem], *, where: str = "") -> None:
        super().__init__(what, where=where)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        for p in self.problems:
            lines.append(f"  {p.severity:8} {p.where}: {p.what}")
            if p.remedy:
                lines.append(f"           → {p.remedy}")
        return "\n".join(lines)


class AnswerNo(GeoPlanError):
    """The question was understood and the answer is no."""

    exit_code = 1


class CheckFailed(AnswerNo):
    """A check that was asked for did not pass."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """One limit that would have to move for a plan to exist.

    Parameters
    ----------
    limit : str
        Stable name of the limit, for example ``headroom:water:dam-12`` or ``region-cap:08``.
    label : str
        The limit in words; ``label_fa`` is the same in Persian.
    value, needed, by : float
        The limit as given, as it would have to be, and the difference; in ``unit``.
    unit : str
        Unit of the three numbers.
    """

    limit: str
    label: str
    value: float
    needed: float
    by: float
    unit: str
    label_fa: str = ""


class Infeasible(AnswerNo):
    """No plan satisfies all limits.

    Parameters
    ----------
    relaxations : sequence of Relaxation
        The smallest set of moves, by the order legal > safety > capacity > policy, that would
        make a plan exist. Empty when even that was not found.
    """

    def __init__(
        self,
        what: str,
        relaxations: Sequence[Relaxation] = (),
        *,
        where: str = "",
        remedy: str = "",
    ) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.relaxations = tuple(relaxations)

    def __str__(self) -> str:
        lines = [super().__str__()]
        for r in self.relaxations:
            lines.append(f"  {r.label}: {r.value:,.6g} → {r.needed:,.6g} {r.unit} (by {r.by:,.6g})")
        return "\n".join(lines)


class Stopped(GeoPlanError):
    """The work was stopped as asked; nothing of it was kept."""

    exit_code = 130


class Unavailable(GeoPlanError):
    """Something that GeoPlan needs from outside is missing or went away."""


class PostgisMissing(Unavailable):
    """No PostgreSQL with PostGIS was found on this machine."""


class DatabaseLost(Unavailable):
    """The database cannot be reached, or went away in the middle."""


class PortTaken(Unavailable):
    """A network port that was asked for is in use."""


class DiskFull(Unavailable):
    """No space is left where GeoPlan has to write."""
