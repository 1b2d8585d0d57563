"""What was found in one delivered file: everything, at once, before anything is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import shapely

from geoplan.catalogue.checks import CheckRules
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, Severity
from geoplan.ingest.reader.request import SourceInfo

__all__ = ["CrsEvidence", "Finding", "Inspection", "Repair", "Tally"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect as a person reads it: its rows by number and key, its size and its place.

    Parameters
    ----------
    code, severity : str
        A key of :data:`geoplan.catalogue.checks.DEFECTS`, and how bad it is in this layer.
    rows : tuple of int
        Rows of the source, from 1.
    keys : tuple of str
        Keys of these rows as stored, in the same order; empty strings where a row has none.
    area_m2 : float or None
        Its area, m².
    numbers : mapping
        Further figures, unit in the name.
    text : str
        The value or reason as found.
    geometry : shapely.Geometry or None
        Its place, in ``Inspection.crs``.
    """

    code: str
    severity: Severity
    rows: tuple[int, ...]
    keys: tuple[str, ...] = ()
    area_m2: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    geometry: shapely.Geometry | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How often a defect was found, and its area in all; exact, also where not each is listed."""

    severity: Severity
    count: int
    area_m2: float | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """A repair that was asked for and made."""

    row: int
    key: str
    how: str
    area_before_m2: float
    area_after_m2: float


@dataclass(frozen=True, slots=True)
class CrsEvidence:
    """Which CRS the coordinates speak for.

    Parameters
    ----------
    crs : str
        Proposed CRS, for example ``EPSG:32639``.
    declared : str or None
        What the file says.
    reason : str
        ``absent``, ``impossible``, ``axes-swapped``, ``zone-off`` or ``fits``.
    swap_axes : bool
        x and y have to be exchanged.
    inside_share : float
        Share of sampled features that fall on the country's regions with it, 0 to 1.
    declared_share : float or None
        The same with what the file says.
    others : tuple of (str, float)
        Other candidates with their share, best first.
    """

    crs: str
    declared: str | None
    reason: Literal["absent", "impossible", "axes-swapped", "zone-off", "fits"]
    swap_axes: bool
    inside_share: float
    declared_share: float | None = None
    others: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Inspection:
    """All that is known of a file after it was read and checked.

    Parameters
    ----------
    file, sha256 : str
        Its name without a folder, and its hash.
    layer, title : str, Text
        Layer of the catalogue.
    source : SourceInfo
        What the file is.
    crs, crs_how : str
        CRS that was used, and ``declared``, ``option`` or ``proposed``.
    evidence : CrsEvidence or None
        Where the coordinates were held against the country's regions.
    columns : tuple of (str, str, str)
        Field of the layer, where it comes from in the file, type.
    unused : tuple of str
        Columns of the file that no field takes.
    rows_read, rows_good, rows_refused : int
        Rows in the file; rows that can be stored; rows with an error.
    findings : tuple of Finding
        Row defects in the order of severity, code, row; ``tallies`` has the exact counts.
    problems : tuple of Problem
        What concerns the file or a column as a whole.
    repairs : tuple of Repair
        Repairs made.
    rules : CheckRules
        Tolerances that were used.
    synthetic : bool
        Made-up data.
    seconds : float
        How long it took.
    outlines : tuple of bytes
        WKB of some of the rows, spread over the file, in ``crs``: the ground of a map.
    """

    file: str
    sha256: str
    layer: str
    title: Text
    source: SourceInfo
    crs: str
    crs_how: str
    evidence: CrsEvidence | None
    columns: tuple[tuple[str, str, str], ...]
    unused: tuple[str, ...]
    rows_read: int
    rows_good: int
    rows_refused: int
    findings: tuple[Finding, ...]
    tallies: Mapping[str, Tally]
    problems: tuple[Problem, ...]
    repairs: tuple[Repair, ...]
    rules: CheckRules
    synthetic: bool
    seconds: float
    outlines: tuple[bytes, ...] = ()

    @property
    def errors(self) -> int:
        """How many findings and problems stop a load."""
        rows = sum(t.count for t in self.tallies.values() if t.severity == "error")
        return rows + sum(p.severity == "error" for p in self.problems)
