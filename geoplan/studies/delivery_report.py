"""An inspection as the list of problems that stays with a layer version."""

from __future__ import annotations

from geoplan.catalogue.checks import DEFECTS
from geoplan.errors import Problem
from geoplan.ingest.inspection import Inspection

__all__ = ["problems_of"]

_SHOWN = 5


def problems_of(found: Inspection) -> list[Problem]:
    """Return one problem for each kind of defect, with exact counts, and those of the file.

    Parameters
    ----------
    found : Inspection
        What was found.
    """
    out = []
    for code, tally in found.tallies.items():
        named = [
            ", ".join(key or f"row {row:,}" for key, row in zip(f.keys, f.rows, strict=False))
            for f in found.findings
            if f.code == code
        ]
        area = f", {tally.area_m2:,.2f} m² in all" if tally.area_m2 is not None else ""
        shown = "; ".join(named[:_SHOWN]) + (" …" if len(named) > _SHOWN else "")
        title = DEFECTS[code].title.en if code in DEFECTS else code
        what = f"{title}: {tally.count:,}{area}: {shown}"
        out.append(Problem(found.file, what, "", tally.severity, code, tally.count))
    return [*out, *found.problems]
