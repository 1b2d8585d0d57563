"""The metric plane in which the figures of a file are measured."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer

__all__ = ["Plane", "plane_of"]

Floats = npt.NDArray[np.float64]

_WIDE_DEG = 9.0


@dataclass(frozen=True)
class Plane:
    """A projected CRS in metres, and the way there from the CRS of the source.

    Parameters
    ----------
    source, crs : pyproj.CRS
        CRS of the file; CRS of the plane. The same where the file is projected in metres.
    """

    source: CRS
    crs: CRS

    @property
    def is_source(self) -> bool:
        """Whether the file's own coordinates are measured."""
        return bool(self.source == self.crs)

    def there(self, xy: Floats) -> Floats:
        """Return points of the source on the plane, m; what cannot be projected is not finite."""
        return xy if self.is_source else _moved(self._transformer(self.source, self.crs), xy)

    def back(self, geometry: Any) -> Any:
        """Return a geometry of the plane in the CRS of the source."""
        if self.is_source or geometry is None:
            return geometry
        move = self._transformer(self.crs, self.source)
        return shapely.transform(geometry, partial(_moved, move))

    @staticmethod
    def _transformer(one: CRS, other: CRS) -> Transformer:
        return Transformer.from_crs(one, other, always_xy=True)


def _moved(transformer: Transformer, xy: Floats) -> Floats:
    x, y = transformer.transform(xy[:, 0], xy[:, 1])
    return np.column_stack([x, y])


def plane_of(source: CRS, xy: Floats) -> Plane:
    """Return the plane for a file.

    Parameters
    ----------
    source : pyproj.CRS
        CRS of the file.
    xy : ndarray of float, shape (n, 2)
        Some of its points, in that CRS.

    Returns
    -------
    Plane
        The source itself where it is projected in metres; else the UTM zone (WGS 84) of the
        points' middle, or a Lambert azimuthal equal-area plane there where they reach over more
        than 9° of longitude.
    """
    if source.is_projected and all(a.unit_conversion_factor == 1.0 for a in source.axis_info[:2]):
        return Plane(source, source)
    points = _moved(Transformer.from_crs(source, CRS(4326), always_xy=True), xy)
    points = points[np.isfinite(points).all(axis=1)]
    points = points[(np.abs(points[:, 0]) <= 180) & (np.abs(points[:, 1]) <= 90)]
    lon, lat = np.median(points, axis=0) if len(points) else (0.0, 0.0)
    if len(points) and np.ptp(points[:, 0]) > _WIDE_DEG:
        text = f"+proj=laea +lat_0={lat:.1f} +lon_0={lon:.1f} +datum=WGS84 +units=m +no_defs"
        return Plane(source, CRS.from_proj4(text))
    zone = min(60, int((lon + 180) // 6) + 1)
    return Plane(source, CRS.from_epsg((32600 if lat >= 0 else 32700) + zone))
