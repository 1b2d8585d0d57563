"""One part of what weights rest on, and the words that it is told with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from geoplan.catalogue import Scenario
from geoplan.report.language import Language

__all__ = ["Evidence", "EvidenceWords"]


@dataclass(frozen=True)
class Evidence:
    """One part of what weights rest on.

    Parameters
    ----------
    title : str
        Heading; may be empty.
    facts : list of (str, str)
        Terms and values.
    notes : list of str
        Sentences.
    header, rows : list
        A table, its first column names; empty where there is none.
    """

    title: str
    facts: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class EvidenceWords:
    """Titles of criteria, weights and judgments in the reader's language."""

    scenario: Scenario
    language: Language

    def name(self, key: str) -> str:
        """Return the title of a criterion."""
        criterion = self.scenario.criteria.get(key)
        return self.language.text(criterion.title, key) if criterion else key

    def t(self, key: str, **values: Any) -> str:
        """Return a word."""
        return self.language.t(key, **values)

    def weight(self, value: Any) -> str:
        """Return a weight, 0 to 1."""
        return self.language.number(value, 3)

    def judgment(self, value: Any) -> str:
        """Return a judgment as people give it: 3, or 1/3."""
        if value is None:
            return self.language.number(None)
        number = float(value)
        if 0 < number < 1:
            return f"{self.language.digits(1)}/{self.language.compact(round(1 / number, 3))}"
        return self.language.compact(round(number, 3))
