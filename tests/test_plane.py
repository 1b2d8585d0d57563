"""The plane in which a file is measured."""

import numpy as np
import pytest
import shapely
from pyproj import CRS

from geoplan.ingest.plane import plane_of


def test_metres_stay_and_degrees_go_to_their_zone_and_back() -> None:
    here = np.array([[51.4, 35.7], [51.5, 35.8]])
    plane = plane_of(CRS(4326), here)
    assert plane.crs.to_epsg() == 32639
    there = plane.there(here)
    assert there[0] == pytest.approx([536_194, 3_950_728], abs=30)
    back = plane.back(shapely.Point(there[0]))
    assert (back.x, back.y) == pytest.approx((51.4, 35.7), abs=1e-9)
    metric = plane_of(CRS(32640), there)
    assert metric.is_source and metric.there(there) is there


def test_feet_are_not_metres_and_a_country_is_wider_than_a_zone() -> None:
    assert plane_of(CRS(2263), np.array([[980_000.0, 190_000.0]])).crs.to_epsg() == 32618
    wide = plane_of(CRS(4326), np.array([[44.0, 30.0], [54.0, 32.0], [63.0, 31.0]]))
    assert wide.crs.coordinate_operation.method_name == "Lambert Azimuthal Equal Area"
    assert plane_of(CRS(4326), np.array([[np.nan, np.nan]])).crs.is_projected
