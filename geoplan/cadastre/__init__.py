"""Checks of cadastral polygons: rings, neighbours, parents. Arrays in, defects out; no IO."""

from geoplan.cadastre.defect import Defect
from geoplan.cadastre.rings import Rings

__all__ = ["Defect", "Rings"]
