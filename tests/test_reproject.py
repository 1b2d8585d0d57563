"""To WGS 84, bit for bit as pyproj; sizes on the ellipsoid."""

from __future__ import annotations

import numpy as np
import pyproj
import pytest
import shapely

from geoplan.cadastre.reproject import (
    ellipsoidal_areas,
    metres_per_degree,
    metres_per_unit,
    rows_of_points,
    to_wgs84,
)
from geoplan.cadastre.rings import Rings
from geoplan.errors import CrsProblem


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("crs", ["EPSG:32639", "EPSG:4326", "EPSG:3857", "EPSG:2059"])
def test_bit_for_bit_as_pyproj(crs: str, threads: int) -> None:
    draw = np.random.default_rng(1)
    if crs == "EPSG:4326":
        xy = draw.uniform((44, 25), (63, 40), (120_000, 2))
    else:
        xy = draw.uniform((3e5, 3e6), (7e5, 4.4e6), (120_000, 2))
    xy = xy[draw.integers(0, len(xy), 250_000)]  # with points that come again, near and far
    x, y = pyproj.Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(*xy.T)
    before = xy.copy()
    found = to_wgs84(xy, crs, threads=threads)
    np.testing.assert_array_equal(found.xy, np.stack([x, y], axis=1))
    np.testing.assert_array_equal(xy, before)
    assert found.on_earth.all()


def test_what_is_not_on_earth() -> None:
    xy = np.array([[500_000, 3.9e6], [np.nan, 0], [np.inf, 1], [1e12, 1e12]])
    assert list(to_wgs84(xy, "EPSG:32639").on_earth) == [True, False, False, False]
    degrees = np.array([[51.0, 35.0], [51.0, 95.0], [539_000.0, 3.9e6]])
    assert list(to_wgs84(degrees, "EPSG:4326").on_earth) == [True, False, False]
    good = np.array([True, False, True, True])
    assert list(rows_of_points(good, np.array([0, 1, 1, 3, 4]))) == [True, True, False, True]


def test_an_unknown_crs() -> None:
    with pytest.raises(CrsProblem, match="EPSG:999999"):
        to_wgs84(np.zeros((1, 2)), "EPSG:999999")
    with pytest.raises(CrsProblem, match="EPSG:999999"):
        metres_per_unit("EPSG:999999", Rings.of(np.array([], dtype=object)))


def test_metres_per_degree_as_printed() -> None:
    """The NGA's table: at 0° 111,320 and 110,574 m, at 60° 55,800 and 111,412 m."""
    np.testing.assert_allclose(
        metres_per_degree([0, 60]), [[111_319.49, 110_574.28], [55_800.00, 111_412.27]], atol=0.02
    )


def test_metres_per_unit() -> None:
    rings = Rings.of(np.array([shapely.box(51, 60, 52, 61), None], dtype=object))
    assert metres_per_unit("EPSG:32639", rings) == 1.0
    assert metres_per_unit("EPSG:2263", rings) == pytest.approx(0.3048006096)  # US survey feet
    in_degrees = metres_per_unit("EPSG:4326", rings)
    np.testing.assert_allclose(in_degrees, [[55_800.00, 111_412.27], [1, 1]], atol=0.02)


def test_areas_on_the_ellipsoid_as_geographiclib() -> None:
    hole = (
        "POLYGON((51 35,51.01 35,51.01 35.01,51 35.01,51 35),"
        "(51.002 35.002,51.004 35.002,51.004 35.004,51.002 35.002))"
    )
    shapes = np.array(
        [
            shapely.box(51, 35, 51.001, 35.001),
            shapely.from_wkt(hole),
            None,
            shapely.box(44, 25, 63, 40),  # Iran's box: measured by geodesics
            shapely.box(51, 35, 51.01, 95),
            shapely.MultiPolygon(
                [shapely.box(60, 1, 60.01, 1.01), shapely.box(-70, -50, -69.99, -49.99)]
            ),
        ],
        dtype=object,
    )
    found = ellipsoidal_areas(Rings.of(shapes))
    geod = pyproj.Geod(ellps="WGS84")
    truth = [
        np.nan if s is None else abs(geod.geometry_area_perimeter(shapely.orient_polygons(s))[0])
        for s in shapes
    ]
    np.testing.assert_allclose(found[[0, 1]], np.array(truth)[[0, 1]], rtol=3e-7)
    np.testing.assert_allclose(found[[3, 5]], np.array(truth)[[3, 5]], rtol=3e-7)
    assert list(np.isnan(found)) == [False, False, True, False, True, False]
