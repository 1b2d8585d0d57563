"""The whole country in memory: every part made in its turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from geoplan.sample.estates import Estates, make_estates
from geoplan.sample.ground import Ground, make_ground
from geoplan.sample.industry import add_population, make_facts
from geoplan.sample.names import Names
from geoplan.sample.networks import Networks, make_networks
from geoplan.sample.place import Place
from geoplan.sample.regions import Regions, habitability, make_regions
from geoplan.sample.relief import Relief, make_relief
from geoplan.sample.settlements import make_settlements
from geoplan.sample.utilities import Utilities, make_utilities
from geoplan.sample.water import Water, make_water

__all__ = ["Country", "Progress", "make_country"]

Progress = Callable[[str, float], None]
"""Called with what is being made and how much is done, 0–1."""


@dataclass(frozen=True, slots=True)
class Country:
    """Everything that was made; vector layers in the analysis CRS, estates in the cadastre's."""

    place: Place
    relief: Relief
    water: Water
    regions: Regions
    settlements: gpd.GeoDataFrame
    networks: Networks
    ground: Ground
    utilities: Utilities
    province_facts: pd.DataFrame
    county_facts: pd.DataFrame
    estates: Estates


def make_country(place: Place, progress: Progress | None = None) -> Country:
    """Make a country.

    Parameters
    ----------
    place : Place
        Seed, size and grid.
    progress : callable, optional
        Told what is being made.
    """

    def say(what: str, done: float) -> None:
        if progress is not None:
            progress(what, done)

    names = Names(place.rng("names"))
    say("relief", 0.05)
    relief = make_relief(place)
    say("rivers and lakes", 0.25)
    water, relief = make_water(place, relief, names)
    say("regions", 0.45)
    habitable = habitability(place, relief, water)
    regions = make_regions(place, relief, water, habitable, names)
    say("land cover", 0.55)
    # Set apart before the villages take every root that is left.
    stock = names.part(80)
    settlements = make_settlements(place, regions, habitable, names)
    ground = make_ground(place, relief, water, habitable, settlements, stock)
    say("roads and rail", 0.65)
    networks = make_networks(place, relief, water, settlements)
    say("utilities", 0.75)
    utilities = make_utilities(place, relief, water, settlements, stock)
    say("industry", 0.8)
    add_population(regions, settlements)
    province_facts, county_facts = make_facts(place, regions, settlements)
    say("estates", 0.85)
    estates = make_estates(
        place, relief, water, ground, networks, regions, settlements, county_facts
    )
    return Country(
        place,
        relief,
        water,
        regions,
        settlements,
        networks,
        ground,
        utilities,
        province_facts,
        county_facts,
        estates,
    )
