"""Which points lie in the country: quick for the many that lie deep inside one region."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["Country"]

Floats = npt.NDArray[np.float64]


class Country:
    """The outlines of a country's level-1 regions, EPSG:4326.

    Parameters
    ----------
    outlines : sequence of shapely geometry
        Polygons; an empty sequence holds every point.
    """

    def __init__(self, outlines: Sequence[Any]) -> None:
        self._outlines = np.asarray([g for g in outlines if g is not None], dtype=object)
        shapely.prepare(self._outlines)
        self._tree = shapely.STRtree(self._outlines) if len(self._outlines) else None

    def outside(self, lon: Floats, lat: Floats) -> npt.NDArray[np.bool_]:
        """Return which points lie in no region.

        Parameters
        ----------
        lon, lat : ndarray of float, degrees
            A point that is no number counts as inside: it is another defect.
        """
        out = np.zeros(len(lon), dtype=bool)
        known = np.isfinite(lon) & np.isfinite(lat)
        if self._tree is None or not known.any():
            return out
        x, y = lon[known], lat[known]
        whole = shapely.box(x.min(), y.min(), x.max(), y.max())
        # A cadastral file lies in one province: one question answers for all of its rows.
        for i in self._tree.query(whole):
            if shapely.covers(self._outlines[i], whole):
                return out
        lost = np.ones(len(x), dtype=bool)
        for i in self._tree.query(whole):
            at = np.flatnonzero(lost)
            if not len(at):
                break
            lost[at[shapely.intersects_xy(self._outlines[i], x[at], y[at])]] = False
        out[known] = lost
        return out
