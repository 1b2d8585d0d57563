"""Rows whose geometry stands in the file and cannot be read."""

from __future__ import annotations

from dataclasses import dataclass, field

from geoplan.ingest.reader.request import Note

__all__ = ["Unread"]

_NAMED = 1000


@dataclass
class Unread:
    """Counts rows, and keeps what to say of the first thousand.

    Attributes
    ----------
    passed : int
        Rows of the batches before the one that is looked at.
    """

    passed: int = 0
    _count: int = 0
    _said: list[tuple[int, str]] = field(default_factory=list)

    def add(self, at: int, what: str) -> None:
        """Keep one row.

        Parameters
        ----------
        at : int
            Its place in its batch, from 0.
        what : str
            What stands there, or why it cannot be read.
        """
        self._count += 1
        if len(self._said) < _NAMED:
            self._said.append((self.passed + at + 1, what))

    def notes(self) -> list[Note]:
        """Return a note for each row, and one for all that are not named."""
        remedy = "mend it in the source"
        found = [
            Note("unreadable-geometry", f"the geometry cannot be read: {what}", remedy, (row,))
            for row, what in self._said
        ]
        more = self._count - len(self._said)
        if more:
            what = f"{more:,} more rows have a geometry that cannot be read"
            found.append(Note("unreadable-geometry", what, remedy, count=more))
        return found
