"""Persons downwind, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geoplan.errors import RangeError, UnknownName
from geoplan.grid import Grid
from geoplan.raster.wind import downwind_within, prevailing, rose, weighted_within
from geoplan.raster.zone import sum_within

GRID = Grid("EPSG:6933", 0.0, 21_000.0, 1000.0, 21, 21)
SITE = (10, 10)
X0, Y0 = 10_500.0, 10_500.0


def people(bearing: float, km: float) -> tuple[float, float]:
    """Return the place at a bearing from the site."""
    angle = math.radians(bearing)
    return X0 + 1000 * km * math.sin(angle), Y0 + 1000 * km * math.cos(angle)


def test_a_north_wind_reaches_those_in_the_south() -> None:
    """1,000 persons in each of four directions at 5 km; the wind blows FROM the north."""
    x, y = zip(*(people(b, 5) for b in (0, 90, 180, 270)), strict=True)
    persons = [1000.0, 2000.0, 4000.0, 8000.0]
    for wind, reached in (("N", 4000), ("E", 8000), ("S", 1000), ("W", 2000)):
        out = downwind_within(
            x, y, persons, wind_from=rose({wind: 1.0}), radius_m=10_000, grid=GRID, decay="none"
        )
        assert out[SITE] == reached, f"wind from {wind}"
    out = downwind_within(
        x, y, persons, wind_from=rose({"N": 0.5, "E": 0.3, "SW": 0.2}), radius_m=10_000,
        grid=GRID, decay="none",
    )  # fmt: skip
    assert out[SITE] == pytest.approx(0.5 * 4000 + 0.3 * 8000)


def test_decay_by_hand() -> None:
    """At 5 km of 10: half by 'linear', a fifth by 'inverse', (1 − ¼)² by 'quartic'."""
    x, y = people(180, 5)
    wind = rose({"N": 0.8, "S": 0.2})
    for decay, part in (("none", 1), ("linear", 0.5), ("inverse", 0.2), ("quartic", 0.5625)):
        out = downwind_within(
            [x], [y], [1000.0], wind_from=wind, radius_m=10_000, grid=GRID, decay=decay
        )
        assert out[SITE] == pytest.approx(1000 * 0.8 * part)
    out = downwind_within([x], [y], [1000.0], wind_from=wind, radius_m=4_999, grid=GRID)
    assert out[SITE] == 0


def test_a_prevailing_wind_has_a_spread() -> None:
    """From the north-west, 60° wide: bearings 105° to 165° are reached."""
    wind = prevailing(315, 60)
    for bearing, reached in ((135, 1), (107, 1), (163, 1), (103, 0), (167, 0), (315, 0)):
        x, y = people(bearing, 8)
        out = downwind_within(
            [x], [y], [1.0], wind_from=wind, radius_m=10_000, grid=GRID, decay="none"
        )
        assert out[SITE] == reached, bearing
    across = prevailing(0, 20)
    assert across[[0, 9, 350, 359]].tolist() == [1, 1, 1, 1]
    assert across[[10, 349, 180]].tolist() == [0, 0, 0]


def test_an_even_rose_gives_an_eighth_of_all() -> None:
    rng = np.random.default_rng(1)
    x, y, w = rng.uniform(0, 21_000, 90), rng.uniform(0, 21_000, 90), rng.lognormal(8, 1, 90)
    even = rose(dict.fromkeys(("N", "NE", "E", "SE", "S", "SW", "W", "NW"), 0.125))
    out = downwind_within(x, y, w, wind_from=even, radius_m=7000, grid=GRID, decay="none")
    all_ = sum_within(x, y, w, radius_m=7000, grid=GRID)
    np.testing.assert_allclose(out, all_ / 8, rtol=1e-5)
    plain = weighted_within(x, y, w, radius_m=7000, grid=GRID)
    np.testing.assert_allclose(plain, all_, rtol=1e-6)


def test_order_and_threads_do_not_change_a_bit() -> None:
    rng = np.random.default_rng(3)
    x, y, w = rng.uniform(0, 21_000, 90), rng.uniform(0, 21_000, 90), rng.lognormal(8, 3, 90)
    wind = rose({"N": 0.4, "ENE": 0.6})
    first = downwind_within(x, y, w, wind_from=wind, radius_m=9000, grid=GRID, threads=1)
    p = rng.permutation(90)
    again = downwind_within(x[p], y[p], w[p], wind_from=wind, radius_m=9000, grid=GRID, threads=3)
    assert first.tobytes() == again.tobytes()


def test_sixteen_points_are_narrower() -> None:
    assert rose({"N": 1.0}).sum() == 45
    assert rose({"N": 0.5, "NNE": 0.5}).sum() == pytest.approx(0.5 * 45, abs=0.5)
    assert rose({"N": 0.5, "NNE": 0.5})[[0, 22, 359]].tolist() == [0.5, 0.5, 0.5]


def test_wrong_winds_are_named() -> None:
    with pytest.raises(UnknownName, match="'NO' is no compass point"):
        rose({"NO": 1.0})
    with pytest.raises(RangeError, match=r"sum to 0\.7, not to 1"):
        rose({"N": 0.4, "S": 0.3})
    with pytest.raises(RangeError, match="a wind from 400"):
        prevailing(400, 30)
    with pytest.raises(UnknownName, match="decay 'cubic' is unknown"):
        weighted_within([0], [0], [1], radius_m=1, grid=GRID, decay="cubic")  # type: ignore[arg-type]
    with pytest.raises(RangeError, match="1 of 1 points have no finite place"):
        weighted_within([0], [0], [-1], radius_m=1, grid=GRID)
