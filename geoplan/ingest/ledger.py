"""What was found, row by row: counted exactly, listed up to a limit, and which rows it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from geoplan.cadastre import Defect
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import Severity
from geoplan.ingest.inspection import Finding, Tally

__all__ = ["Ledger"]

Ints = npt.NDArray[np.int64]

_ORDER = {"error": 0, "warning": 1, "repaired": 2, "info": 3}
_REPAIRED = "repaired"
_MANY = ("height", "height-refused", "repaired")
_ROWS_TOLD = 20


@dataclass
class Ledger:
    """Collects the defects of one file.

    Parameters
    ----------
    rules : CheckRules
        Says how bad a defect is in this layer.
    most : int
        Defects of one kind that are listed one by one; counts and refused rows stay exact.
    """

    rules: CheckRules
    most: int = 20_000
    _defects: dict[str, list[Defect]] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _areas: dict[str, float] = field(default_factory=dict)
    _refused: list[Ints] = field(default_factory=list)
    _later: dict[int, int] = field(default_factory=dict)
    _shared_keys: list[tuple[int, ...]] = field(default_factory=list)

    def add(self, defects: Iterable[Defect]) -> None:
        """Note defects; those that the layer switches off are left out."""
        for defect in defects:
            # A few checks tell of all rows of a batch at once: heights, axes, rows left out.
            each = len(defect.rows) > 1 and defect.code in _MANY
            if not self._counted(defect.code, len(defect.rows) if each else 1):
                continue
            if defect.area_m2 is not None:
                area = self._areas.get(defect.code, 0.0)
                self._areas[defect.code] = area + defect.area_m2
            listed = self._defects.setdefault(defect.code, [])
            if len(listed) < self.most:
                told = replace(defect, rows=defect.rows[:_ROWS_TOLD]) if each else defect
                listed.append(told)
            if self.rules.severity_of(defect.code) == "error":
                self._refuse(defect)

    def add_rows(self, code: str, rows: Ints, *, text: Callable[[int], str] | str = "") -> None:
        """Note many rows with the same defect of an attribute.

        Parameters
        ----------
        rows : ndarray of int
            Their numbers.
        text : str or callable
            The value as found; a callable gets the position in ``rows``.
        """
        if not self._counted(code, len(rows)):
            return
        listed = self._defects.setdefault(code, [])
        for i in range(min(len(rows), max(0, self.most - len(listed)))):
            said = text if isinstance(text, str) else text(i)
            listed.append(Defect(code, (int(rows[i]),), text=said))
        if self.rules.severity_of(code) == "error":
            self._refused.append(np.asarray(rows, dtype=np.int64))

    def add_unlisted(self, code: str, count: int) -> None:
        """Count further defects of a kind that nobody listed one by one."""
        self._counted(code, max(0, count))
        if code in self._counts:
            self._defects.setdefault(code, [])

    def _counted(self, code: str, count: int) -> bool:
        if not count or self.rules.severity_of(code) == "off":
            return False
        self._counts[code] = self._counts.get(code, 0) + count
        return True

    def _refuse(self, defect: Defect) -> None:
        if defect.code == "duplicate-geometry":
            # Of several rows with one outline the first stays.
            first, *later = sorted(defect.rows)
            self._later |= dict.fromkeys(later, first)
        elif defect.code == "duplicate-key":
            self._shared_keys.append(tuple(sorted(defect.rows)))
        elif defect.code != "gap":
            # Nobody knows which of the rows round a gap is short: it refuses none.
            self._refused.append(np.array(defect.rows, dtype=np.int64))

    def refused(self) -> Ints:
        """Return the numbers of the rows that may not be stored, in order, each once.

        Every row of an error is refused, with two exceptions: of rows with the same outline the
        first stays, also where they share a key; and a gap refuses nobody.
        """
        parts = [*self._refused, np.fromiter(self._later, dtype=np.int64, count=len(self._later))]
        for rows in self._shared_keys:
            same = all(self._later.get(r) == rows[0] for r in rows[1:])
            parts.append(np.array(rows[1:] if same else rows, dtype=np.int64))
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, dtype=np.int64)

    @property
    def tallies(self) -> Mapping[str, Tally]:
        """How often each kind was found, the worst first."""
        found = {
            code: Tally(self._severity(code), count, self._areas.get(code))
            for code, count in self._counts.items()
        }
        return dict(sorted(found.items(), key=lambda kv: (_ORDER[kv[1].severity], kv[0])))

    def findings(self, keys: Callable[[Sequence[int]], tuple[str, ...]]) -> tuple[Finding, ...]:
        """Return the defects as a person reads them.

        Parameters
        ----------
        keys : callable
            Returns the keys of rows.
        """
        out = []
        for code in self.tallies:
            severity = self._severity(code)
            for d in sorted(self._defects[code], key=lambda d: d.rows):
                out.append(
                    Finding(
                        code,
                        severity,
                        d.rows,
                        keys(d.rows),
                        d.area_m2,
                        d.numbers,
                        d.text,
                        d.geometry,
                    )
                )
        return tuple(out)

    def reasons(self, rows: Iterable[int]) -> dict[int, list[dict[str, str]]]:
        """Return why each of some rows is refused, for the quarantine."""
        wanted = set(rows)
        out: dict[int, list[dict[str, str]]] = {row: [] for row in wanted}
        for code, defects in self._defects.items():
            if self.rules.severity_of(code) != "error":
                continue
            for defect in defects:
                for row in wanted.intersection(defect.rows):
                    out[row].append({"code": code, "text": defect.text})
        return out

    def _severity(self, code: str) -> Severity:
        if code == _REPAIRED:
            return "repaired"
        level = self.rules.severity_of(code)
        return "info" if level == "off" else level
