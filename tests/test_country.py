"""Points in and out of a country of two regions."""

import numpy as np
import shapely

from geoplan.ingest.country import Country

WEST, EAST = shapely.box(50, 30, 52, 32), shapely.box(52, 30, 54, 32)


def test_points_deep_inside_one_region_on_the_border_and_outside() -> None:
    country = Country([WEST, EAST])
    lon = np.array([51.0, 52.0, 53.9, 54.1, 51.0, np.nan])
    lat = np.array([31.0, 31.0, 31.9, 31.0, 29.9, 31.0])
    assert country.outside(lon, lat).tolist() == [False, False, False, True, True, False]
    assert country.outside(lon[:1], lat[:1]).tolist() == [False]


def test_without_outlines_nothing_is_outside() -> None:
    assert not Country([]).outside(np.array([0.0]), np.array([0.0])).any()
