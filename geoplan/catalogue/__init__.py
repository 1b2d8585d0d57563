"""Layers, packs, profiles and scenarios: the data that makes a country, as typed models."""

from geoplan.catalogue.folder import Catalogue
from geoplan.catalogue.layer import LayerSpec
from geoplan.catalogue.pack import Pack, PackEntry
from geoplan.catalogue.profile import Profile
from geoplan.catalogue.scenario import RESOURCE_UNITS, RESOURCES, Scenario

__all__ = [
    "RESOURCES",
    "RESOURCE_UNITS",
    "Catalogue",
    "LayerSpec",
    "Pack",
    "PackEntry",
    "Profile",
    "Scenario",
]
