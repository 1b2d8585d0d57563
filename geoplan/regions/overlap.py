"""Which region lies on which: shares of area between two divisions of one country."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyproj
import shapely
from pyproj.exceptions import CRSError

from geoplan.errors import CrsProblem

__all__ = ["Mended", "Overlap", "equal_area", "mend_division", "overlap_shares"]

_DOUBT = 0.01
"""Share of a shape on which two ways of mending may differ before a person is told."""


@dataclass(frozen=True, slots=True)
class Mended:
    """Row numbers of shapes that were not valid, and of those that can be read in two ways."""

    invalid: tuple[int, ...]
    doubtful: tuple[int, ...]


class Overlap:
    """Shares of area of every pair of an old and a new region.

    Parameters
    ----------
    pairs : DataFrame
        ``old``, ``new`` (row numbers), ``area_km2``; sorted; only pairs that share an area.
    old_km2, new_km2 : ndarray of float
        Area of each region, km²; NaN without a shape.
    """

    def __init__(
        self,
        pairs: pd.DataFrame,
        old_km2: npt.NDArray[np.float64],
        new_km2: npt.NDArray[np.float64],
    ) -> None:
        self.pairs = pairs
        self.old_km2, self.new_km2 = old_km2, new_km2
        shape = (len(old_km2), len(new_km2))
        area = np.zeros(shape)
        area[pairs["old"].to_numpy(dtype=int), pairs["new"].to_numpy(dtype=int)] = pairs["area_km2"]
        # Of a coastal region only one source may draw the sea: what the other source nowhere
        # covers says nothing about which region it was.
        self.covered_old = area.sum(axis=1)
        self.covered_new = area.sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.of_old = area / old_km2[:, None]
            self.of_new = area / new_km2[None, :]
            self.in_old = np.nan_to_num(area / self.covered_old[:, None])
            self.in_new = np.nan_to_num(area / self.covered_new[None, :])
            self.cover_of_old = self.covered_old / old_km2
            self.cover_of_new = self.covered_new / new_km2
        self.area = area

    @property
    def either(self) -> npt.NDArray[np.float64]:
        """The larger share of each pair, within the area that both sources cover."""
        return np.asarray(np.maximum(self.in_old, self.in_new))

    @property
    def both(self) -> npt.NDArray[np.float64]:
        """The smaller share of each pair, within the area that both sources cover."""
        return np.asarray(np.minimum(self.in_old, self.in_new))


def equal_area(crs: str) -> pyproj.CRS:
    """Return the CRS, which must keep areas and be in metres.

    Raises
    ------
    CrsProblem
        Unknown, or its areas are not true.
    """
    try:
        found = pyproj.CRS.from_user_input(crs)
    except CRSError as error:
        raise CrsProblem(f"'{crs}' is no CRS", remedy="name the profile's analysis CRS") from error
    operation = found.coordinate_operation
    method = operation.method_name if operation is not None else ""
    if not found.is_projected or "equal area" not in method.lower():
        raise CrsProblem(
            f"'{crs}' does not keep areas ({method or 'no projection'})",
            remedy="name an equal-area CRS, for example the profile's analysis CRS",
        )
    return found


def mend_division(shapes: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.object_], Mended]:
    """Return the shapes of one division, valid, in the plane they were given in.

    A ring that crosses itself can be read in two ways: by counting crossings (GEOS' *linework*)
    or as shells less holes (*structure*). Where the readings differ by over 1 % of the shape,
    the part in question belongs to it when no other region of the division lies there (regions
    of a division fill the country and do not overlap), and the shape is named as doubtful.

    Parameters
    ----------
    shapes : ndarray of geometry
        Polygons; missing ones stay missing.
    """
    bad = np.flatnonzero(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes))
    made = shapes.copy()
    made[bad] = shapely.make_valid(shapes[bad], method="structure", keep_collapsed=False)
    crossed = shapely.make_valid(shapes[bad])
    doubtful = []
    tree = shapely.STRtree(made)
    for place, other in zip(bad, crossed, strict=True):
        parts = shapely.get_parts(other)
        other = shapely.union_all(parts[shapely.get_dimensions(parts) == 2])
        question = shapely.symmetric_difference(made[place], other)
        whole = shapely.union(made[place], other)
        if shapely.area(question) <= _DOUBT * shapely.area(whole):
            continue
        doubtful.append(int(place))
        near = [n for n in sorted(tree.query(question)) if n != place]
        taken = shapely.area(shapely.intersection(question, shapely.union_all(made[near])))
        free = taken < shapely.area(question) / 2
        made[place] = whole if free else shapely.intersection(made[place], other)
    return made, Mended(tuple(map(int, bad)), tuple(doubtful))


def overlap_shares(
    old: gpd.GeoSeries, new: gpd.GeoSeries, *, crs: str
) -> tuple[Overlap, tuple[Mended, Mended]]:
    """Return the overlaps, and which shapes of each side had to be mended.

    Parameters
    ----------
    old, new : GeoSeries, any CRS
        Polygons; a missing or empty one overlaps nothing.
    crs : str
        Equal-area CRS of the measurement.

    Raises
    ------
    CrsProblem
        ``crs`` does not keep areas, or a series has no CRS.
    """
    target = equal_area(crs)
    flat: list[npt.NDArray[np.object_]] = []
    told = []
    for name, series in (("old", old), ("new", new)):
        if series.crs is None:
            raise CrsProblem(f"the {name} regions have no CRS", remedy="set it, then match again")
        moved = np.asarray(series.to_crs(target).array, dtype=object)
        made, mended = mend_division(moved)
        flat.append(made)
        told.append(mended)
    a, b = flat
    one, two = shapely.STRtree(b).query(a, predicate="intersects")
    area = shapely.area(shapely.intersection(a[one], b[two])) / 1e6
    pairs = pd.DataFrame({"old": one, "new": two, "area_km2": area})
    pairs = pairs[pairs["area_km2"] > 0].sort_values(["old", "new"], ignore_index=True)
    sizes = [np.where(shapely.is_missing(s) | shapely.is_empty(s), np.nan, shapely.area(s) / 1e6)
             for s in flat]  # fmt: skip
    return Overlap(pairs, sizes[0], sizes[1]), (told[0], told[1])
