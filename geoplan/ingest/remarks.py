"""What the reader of a file noted, among the defects of rows or as problems of the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import shapely

from geoplan.cadastre import Defect
from geoplan.catalogue.checks import DEFECTS
from geoplan.errors import Problem, Severity
from geoplan.ingest.ledger import Ledger
from geoplan.ingest.reader import Note

__all__ = ["blanked", "noted"]

_STOPS = ("giant-geometry", "dxf-recovered", "dxf-broken-entity")
_LOOK = (
    "encoding-detected", "encoding-wrong", "wrong-extension", "dxf-units", "dxf-units-doubtful",
    "dxf-loose-lines", "spherical-edges", "missing-part", "open-elsewhere", "column-renamed",
    "reader-warning", "link-not-followed",
)  # fmt: skip
"""Notes of a reader that stop a load (rows may be missing), and those that a person should see."""


def noted(notes: Iterable[Note], ledger: Ledger | None, *, where: str) -> list[Problem]:
    """Enter notes about rows into the ledger, and return the others as problems of the file.

    Parameters
    ----------
    notes : iterable of Note
        From the reader, after its last batch.
    ledger : Ledger or None
        ``None``: defects of rows are not wanted.
    where : str
        The file's name.
    """
    out = []
    for note in notes:
        if note.code in DEFECTS:
            if ledger is not None:
                _enter(note, ledger)
            continue
        row = f", row {note.rows[0]:,}" if note.rows else ""
        severity: Severity = "error" if note.code in _STOPS else "info"
        if note.code in _LOOK:
            severity = "warning"
        out.append(Problem(where + row, note.what, note.remedy, severity, note.code, note.count))
    return out


def _enter(note: Note, ledger: Ledger) -> None:
    rows = np.array(note.rows, dtype=np.int64)
    place = None if note.wkb is None else shapely.from_wkb(note.wkb)
    if place is not None or not len(rows):
        ledger.add([Defect(note.code, note.rows[:1], None, place, text=note.what)])
        rows = rows[:1]
    else:
        ledger.add_rows(note.code, rows, text=note.what if len(rows) == 1 else "")
    ledger.add_unlisted(note.code, note.count - max(1, len(rows)))


def blanked(
    cells: Mapping[str, int], missing: Iterable[str | float], *, where: str
) -> list[Problem]:
    """Return how many cells held a value that means 'not known'.

    Parameters
    ----------
    cells : mapping
        Field → cells.
    missing : iterable
        The values.
    """
    total = sum(cells.values())
    if not total:
        return []
    shown = ", ".join(f"{k} ({v:,})" for k, v in sorted(cells.items())[:12])
    said = ", ".join(map(str, missing))
    what = f"{total:,} cells hold a value that means 'not known' ({said}): {shown}"
    return [Problem(where, what, "stored as empty", "repaired", "missing-value", total)]
