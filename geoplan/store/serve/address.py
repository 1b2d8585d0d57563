"""Web Mercator tiles: which piece of the Earth an address means."""

from __future__ import annotations

import math
from dataclasses import dataclass

from geoplan.errors import RangeError

__all__ = ["EXTENT", "MARGIN", "MAX_ZOOM", "TileAddress"]

MAX_ZOOM = 22
EXTENT = 4096  # units across a tile
MARGIN = 64  # units drawn beyond each edge, so that outlines do not show the tile's border


@dataclass(frozen=True, slots=True)
class TileAddress:
    """One tile of the square web map: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    @classmethod
    def checked(cls, z: int, x: int, y: int) -> TileAddress:
        """Return the address; ``RangeError`` when there is no such tile."""
        if not 0 <= z <= MAX_ZOOM:
            raise RangeError(
                f"zoom {z} is outside 0 to {MAX_ZOOM}", where="z", remedy="ask for a zoom in range"
            )
        side = 1 << z
        for name, value in (("x", x), ("y", y)):
            if not 0 <= value < side:
                raise RangeError(
                    f"{name} = {value} is outside 0 to {side - 1} at zoom {z}",
                    where=name,
                    remedy="ask for a tile that exists; rows count from the north",
                )
        return cls(z, x, y)

    def box(self, margin: float = 0.0) -> tuple[float, float, float, float]:
        """Return west, south, east, north in degrees.

        Parameters
        ----------
        margin : float, tile units (1/4096 of the side)
            Added on every side; cut at the edge of the web map, so that the result stays within
            ±180° and ±85.06° and never wraps.

        Notes
        -----
        ``lat = atan(sinh(π (1 − 2 y / 2^z)))``, the inverse of spherical Mercator.
        """
        side = float(1 << self.z)
        extra = margin / EXTENT
        west, east = max(0.0, self.x - extra), min(side, self.x + 1 + extra)
        north, south = max(0.0, self.y - extra), min(side, self.y + 1 + extra)
        return (
            west / side * 360 - 180,
            math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * south / side)))),
            east / side * 360 - 180,
            math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * north / side)))),
        )

    @property
    def unit_degrees(self) -> float:
        """Degrees of longitude per tile unit."""
        return 360.0 / (1 << self.z) / EXTENT
