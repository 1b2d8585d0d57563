"""One thing that is wrong with one row or between rows, with its place and its size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import shapely

__all__ = ["Defect"]


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect of a file.

    Parameters
    ----------
    code : str
        A key of :data:`geoplan.catalogue.checks.DEFECTS`.
    rows : tuple of int
        Rows of the source that are involved, counted from 1; empty where no row is (a gap at the
        edge of a block names the rows around it).
    area_m2 : float or None
        Area of the overlap, gap, sliver or difference, m².
    geometry : shapely.Geometry or None
        Where it is, in the CRS of the source.
    numbers : mapping
        Further figures by name with their unit in the name, for example ``width_m``,
        ``area_before_m2``, ``stated_m2``.
    text : str
        A value or reason as found, for example GEOS's reason or the text of a cell.
    """

    code: str
    rows: tuple[int, ...]
    area_m2: float | None = None
    geometry: shapely.Geometry | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
