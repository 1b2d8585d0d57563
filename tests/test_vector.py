"""Areas on the ellipsoid, bounds, projecting."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from pyproj import Geod, Transformer
from shapely.geometry import Point, Polygon, box

from geoplan.errors import CrsProblem, EmptyLayer
from geoplan.grid import Grid
from geoplan.vector import (
    areal_scale,
    bounds_of,
    geodesic_area_ha,
    geodesic_area_km2,
    project_frame,
    stretch,
)


def test_area_of_the_octant_of_the_ellipsoid() -> None:
    """WGS 84 has 510,065,621.724 km² (authalic); an octant between meridians has an eighth."""
    octant = gpd.GeoSeries([Polygon([(0, 0), (90, 0), (0, 90)])], crs=4326)
    assert geodesic_area_km2(octant)[0] == pytest.approx(510_065_621.724 / 8, rel=1e-9)


def test_direction_and_holes_and_missing() -> None:
    ring = [(53, 32), (53.1, 32), (53.1, 32.1), (53, 32.1)]
    hole = [(53.02, 32.02), (53.04, 32.02), (53.04, 32.04), (53.02, 32.04)]
    series = gpd.GeoSeries(
        [
            Polygon(ring),
            Polygon(ring[::-1]),
            Polygon(ring, [hole]),
            Polygon(hole),
            None,
            Point(1, 1),
        ],
        crs=4326,
        index=list("abcdef"),
    )
    area = geodesic_area_ha(series)
    assert list(area.index) == list("abcdef")
    assert area["a"] == pytest.approx(area["b"])
    assert area["a"] > 0
    assert area["c"] == pytest.approx(area["a"] - area["d"])
    assert np.isnan(area["e"])
    assert area["f"] == 0


def test_a_square_in_an_equal_area_crs_has_its_own_area() -> None:
    square = gpd.GeoSeries(
        [box(300_000, 200_000, 304_000, 205_000)], crs="+proj=laea +lat_0=32 +lon_0=53 +datum=WGS84"
    )
    assert geodesic_area_ha(square)[0] == pytest.approx(2000.0, rel=1e-6)


def test_areal_scale_by_crs() -> None:
    row, col = np.array([0, 50]), np.array([0, 99])
    laea = Grid("+proj=laea +lat_0=32 +lon_0=53 +datum=WGS84", 0, 0, 1000, 100, 100)
    assert (areal_scale(laea, row, col) == 1).all()
    utm = Grid("EPSG:32639", 500_000, 3_600_000, 1000, 100, 100)
    np.testing.assert_allclose(areal_scale(utm, row, col)[0], 0.9996**2, atol=1e-7)
    with pytest.raises(CrsProblem, match="not metric"):
        areal_scale(Grid("EPSG:4326", 0, 0, 1, 2, 2), row, col)


def test_bounds_and_projecting() -> None:
    frame = gpd.GeoDataFrame(geometry=[Point(53, 32), None, Point(54, 33)], crs=4326)
    assert bounds_of(frame) == (53, 32, 54, 33)
    x_min, *_ = bounds_of(frame, "+proj=laea +lat_0=32 +lon_0=53 +datum=WGS84")
    assert x_min == pytest.approx(0, abs=1e-6)
    with pytest.raises(EmptyLayer):
        bounds_of(frame.iloc[[1]])
    with pytest.raises(CrsProblem, match="without a coordinate reference system"):
        project_frame(gpd.GeoSeries([Point(0, 0)]), "EPSG:4326")
    with pytest.raises(CrsProblem, match="EPSG:999999"):
        project_frame(frame, "EPSG:999999")
    with pytest.raises(CrsProblem, match="outside the area of use"):
        project_frame(gpd.GeoSeries([Point(500_000, 3_000_000)], crs=4326), "EPSG:32639")


def test_stretch_bounds_every_distance_on_the_grid() -> None:
    crs = "+proj=laea +lat_0=32.5 +lon_0=54 +datum=WGS84 +units=m +no_defs"
    grid = Grid(crs, -900_000.0, 850_000.0, 5_000.0, 340, 360)
    most = stretch(grid)
    assert 1.0 < most < 1.01
    rng = np.random.default_rng(3)
    x = rng.uniform(grid.bounds[0], grid.bounds[2], 500)
    y = rng.uniform(grid.bounds[1], grid.bounds[3], 500)
    angle = rng.uniform(0, 2 * np.pi, 500)
    to = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    a = to.transform(x, y)
    b = to.transform(x + 5_000 * np.cos(angle), y + 5_000 * np.sin(angle))
    true = Geod(ellps="WGS84").inv(*a, *b)[2]
    assert (true * most >= 5_000 * (1 - 1e-6)).all()
