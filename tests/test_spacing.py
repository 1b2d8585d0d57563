"""Spacing conflicts against all pairs, and clique covers."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import CrsProblem, RangeError
from geoplan.siting.spacing import clique_cover, conflicts

ALBERS = "+proj=aea +lat_1=27 +lat_2=37 +lat_0=32 +lon_0=54 +datum=WGS84 +units=m +type=crs"
GEOD = pyproj.Geod(ellps="WGS84")


def _true_km(a: shapely.Polygon, b: shapely.Polygon) -> float:
    """Distance between two boxes in a projection that is true around their middle."""
    lon, lat = pyproj.Transformer.from_crs(ALBERS, 4326, always_xy=True).transform(
        *np.asarray(shapely.centroid(shapely.union(a, b)).coords[0])
    )
    local = f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84 +units=m +type=crs"
    move = pyproj.Transformer.from_crs(ALBERS, local, always_xy=True)
    parts = [
        shapely.transform(
            shapely.segmentize(g, 100), lambda xy: np.column_stack(move.transform(*xy.T))
        )
        for g in (a, b)
    ]
    return float(shapely.distance(*parts)) / 1000


def test_conflicts_are_all_pairs_within_the_spacing() -> None:
    rng = np.random.default_rng(5)
    corner = rng.uniform((-900e3, -800e3), (900e3, 800e3), (30, 2))
    xy = (corner[:, None, :] + rng.uniform(-60e3, 60e3, (30, 4, 2))).reshape(-1, 2)
    size = rng.uniform(2000, 6000, (len(xy), 2))
    boxes = [shapely.box(x, y, x + w, y + h) for (x, y), (w, h) in zip(xy, size, strict=True)]
    names = [f"S{k:03d}" for k in range(len(boxes))]
    found = conflicts(gpd.GeoSeries(boxes, index=names, crs=ALBERS), spacing_km=40)
    got = dict(
        zip(
            zip(found.pairs["a"], found.pairs["b"], strict=True),
            found.pairs["distance_km"],
            strict=True,
        )
    )
    checked = 0
    for i, k in itertools.combinations(range(len(boxes)), 2):
        if shapely.distance(boxes[i], boxes[k]) > 60e3:
            assert (names[i], names[k]) not in got
            continue
        km = _true_km(boxes[i], boxes[k])
        if abs(km - 40) > 0.01:
            assert ((names[i], names[k]) in got) == (km < 40), (names[i], names[k], km)
        if (names[i], names[k]) in got:
            assert got[names[i], names[k]] == pytest.approx(km, abs=0.02)
            checked += 1
    assert checked > 30
    _covers(list(got), found.cliques)


def test_distances_near_the_limit_are_geodesic() -> None:
    # Two boxes on one meridian, far from the standard parallels: 40 km apart by the ellipsoid,
    # but not on the map.
    move = pyproj.Transformer.from_crs(4326, ALBERS, always_xy=True)
    south = 25.0
    for gap_m, close in ((39_950, True), (40_050, False)):
        _, north, _ = GEOD.fwd(54.0, south, 0, gap_m)
        low = shapely.Polygon(
            np.column_stack(move.transform([54, 54.03, 54.03, 54], [24.98, 24.98, south, south]))
        )
        high = shapely.Polygon(
            np.column_stack(
                move.transform([54, 54.03, 54.03, 54], [north, north, north + 0.02, north + 0.02])
            )
        )
        found = conflicts(gpd.GeoSeries([low, high], index=["a", "b"], crs=ALBERS), spacing_km=40)
        assert (len(found.pairs) == 1) is close


def test_touching_and_overlapping_sites() -> None:
    squares = gpd.GeoSeries(
        [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(15, 0, 25, 10)],
        index=["a", "b", "c"],
        crs=ALBERS,
    )
    at_zero = conflicts(squares, spacing_km=0).pairs
    assert list(zip(at_zero["a"], at_zero["b"], strict=True)) == [("b", "c")]
    assert len(conflicts(squares, spacing_km=0.001).pairs) == 2
    assert len(conflicts(squares, spacing_km=0.1).pairs) == 3


def _covers(pairs: list[tuple[str, str]], cliques: tuple[tuple[str, ...], ...]) -> None:
    edges = {tuple(sorted(p)) for p in pairs}
    held = {e for c in cliques for e in itertools.combinations(sorted(c), 2)}
    assert held == edges


@settings(max_examples=60, deadline=None)
@given(st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] != p[1])))
def test_cliques_hold_exactly_the_pairs(raw: set[tuple[int, int]]) -> None:
    pairs = [(f"{a:02d}", f"{b:02d}") for a, b in raw]
    cliques = clique_cover(sorted(pairs))
    _covers(pairs, cliques)
    assert cliques == clique_cover(sorted(pairs, reverse=True))


def test_bad_input_is_refused() -> None:
    square = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], index=["a"], crs=4326)
    with pytest.raises(CrsProblem):
        conflicts(square, spacing_km=1)
    with pytest.raises(RangeError):
        conflicts(square.set_crs(ALBERS, allow_override=True), spacing_km=-1)
