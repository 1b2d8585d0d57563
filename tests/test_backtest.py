"""Existing estates beside all the land that could be chosen."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import EmptyLayer
from geoplan.grid import Grid
from geoplan.siting.backtest import cells_of, removed_by, share_below, summarise
from geoplan.siting.exclude import RuleMask, combine

GRID = Grid("EPSG:3857", 0.0, 1000.0, 100.0, 10, 12)


def test_cells_of_polygons_and_points():
    shapes = [
        shapely.box(100, 700, 300, 900),  # rows 1–2, columns 1–2
        shapely.Point(1150, 50),  # the last cell
        shapely.box(420, 420, 430, 430),  # holds no centre
        shapely.Point(5000, 0),  # off the grid
    ]
    found = cells_of(shapes, GRID)
    assert [found.of(k).tolist() for k in range(4)] == [
        [1 * 12 + 1, 1 * 12 + 2, 2 * 12 + 1, 2 * 12 + 2],
        [9 * 12 + 11],
        [5 * 12 + 4],
        [],
    ]
    assert found.area_ha.tolist() == [4.0, 1.0, 1.0, 0.0]
    with pytest.raises(EmptyLayer):
        cells_of([], GRID)


def test_share_below_counts_ties_half():
    score = np.array([[0.1, 0.2, np.nan], [0.2, 0.4, 0.8]], dtype=np.float32)
    # 0.2: one below and two equal of five
    assert share_below(score, [0.2, 0.05, 0.9, 0.4, np.nan]) == pytest.approx(
        [0.4, 0.0, 1.0, 0.7, np.nan], nan_ok=True
    )
    assert np.isnan(share_below(np.full((2, 2), np.nan, dtype=np.float32), [0.5])).all()


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
@settings(max_examples=60, deadline=None)
def test_the_mean_over_the_land_itself_is_a_half(levels):
    score = np.array(levels, dtype=np.float32) / 6
    assert share_below(score, score).mean() == pytest.approx(0.5)


def test_rules_that_remove_what_stands():
    slope = np.zeros(GRID.shape, dtype=bool)
    slope[:2] = True
    town = np.zeros(GRID.shape, dtype=bool)
    town[9, 11] = True
    rules = [RuleMask("slope", slope), RuleMask("town", town)]
    exclusions = combine(rules, inside=np.ones(GRID.shape, dtype=bool))
    estates = cells_of([shapely.box(100, 700, 300, 900), shapely.Point(1150, 50)], GRID)
    found = removed_by(estates, exclusions)
    assert found["slope"].tolist() == [0.5, 0.0]
    assert found["town"].tolist() == [0.0, 1.0]
    summary = summarise([80.0, 40.0], dict(found))
    assert (summary.estates, summary.unscored) == (2, 0)
    assert summary.mean_percentile == 60.0
    assert summary.standard_error == pytest.approx(20.0)  # spread 28.28 / √2
    assert summary.upper_quarter == 0.5
    assert summary.excluded == 0.5  # half of an estate is not most of it
    text = summary.text()
    assert "above 60.0 % of the allowed land" in text.en
    assert "۶۰٫۰" in text.fa


def test_without_a_score_there_is_no_mean():
    summary = summarise([np.nan], {})
    assert (summary.estates, summary.unscored) == (0, 1)
    assert np.isnan(summary.mean_percentile)
