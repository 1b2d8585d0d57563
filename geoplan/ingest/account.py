"""Where every row of a layer's files went: nothing is dropped silently, nothing counted twice."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Account", "Balance", "Left"]

RowNumbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Left:
    """Rows of a file that one entry did not take, and why."""

    code: str
    rows: RowNumbers
    refused: bool


@dataclass(frozen=True)
class Balance:
    """The account of a layer: ``read + made = stored + refused + filtered``.

    Parameters
    ----------
    read : int
        Rows in the files; a file that several entries read counts once.
    made : int
        Rows stored beyond the first of each row read: a wide row melted into figures, or a row
        that two entries take.
    refused : int
        Rows that cannot be stored.
    filtered : dict
        Rows left out by a stated rule, by the rule's code.
    """

    read: int = 0
    made: int = 0
    refused: int = 0
    filtered: dict[str, int] = field(default_factory=dict)


@dataclass
class Account:
    """Collects, entry by entry, which rows of which source were kept and which were left."""

    _read: dict[Hashable, int] = field(default_factory=dict)
    _kept: dict[Hashable, list[RowNumbers]] = field(default_factory=dict)
    _left: dict[Hashable, list[Left]] = field(default_factory=dict)

    def enter(self, source: Hashable, read: int, kept: RowNumbers, left: Sequence[Left]) -> None:
        """Note what one entry made of a source.

        Parameters
        ----------
        source : hashable
            Names the rows: the file and the layer in it.
        read : int
            Rows in the source.
        kept : ndarray
            Numbers of the rows taken, once for every row that came out of them.
        left : sequence of Left
            The other rows.
        """
        self._read[source] = read
        self._kept.setdefault(source, []).append(kept)
        self._left.setdefault(source, []).extend(left)

    def balance(self) -> Balance:
        """Return the account of all entries.

        Notes
        -----
        A row counts as left out only if no entry took it: two entries that share a file by
        ``where`` leave to each other what the other takes. Where several entries left it, the
        reason other than ``where`` counts, because that entry had chosen the row.
        """
        made = refused = 0
        filtered: dict[str, int] = {}
        for source, parts in self._kept.items():
            taken, times = np.unique(np.concatenate(parts), return_counts=True)
            made += int(times.sum()) - len(taken)
            known = taken
            for left in sorted(self._left[source], key=lambda x: x.code == "where"):
                rows = np.setdiff1d(left.rows, known)
                known = np.union1d(known, rows)
                if left.refused:
                    refused += len(rows)
                elif len(rows):
                    filtered[left.code] = filtered.get(left.code, 0) + len(rows)
        return Balance(sum(self._read.values()), made, refused, filtered)
