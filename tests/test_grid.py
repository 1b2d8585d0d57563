"""The analysis grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.errors import RangeError
from geoplan.grid import Grid

METRIC = "EPSG:32639"


def test_covering_snaps_to_whole_cells() -> None:
    grid = Grid.covering((120.0, -30.0, 980.0, 410.0), cell_m=100, crs=METRIC, margin=0)
    assert grid.bounds == (100.0, -100.0, 1000.0, 500.0)
    assert grid.shape == (6, 9)
    assert grid.cell_ha == 1.0


@given(
    st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(1, 1e5), st.floats(1, 1e5),
    st.sampled_from([25.0, 100.0, 500.0]),
)  # fmt: skip
def test_covering_holds_its_bounds_and_lines_up(
    x: float, y: float, width: float, height: float, cell: float
) -> None:
    grid = Grid.covering((x, y, x + width, y + height), cell_m=cell, crs=METRIC)
    x_min, y_min, x_max, y_max = grid.bounds
    assert x_min <= x
    assert y_min <= y
    assert x_max >= x + width
    assert y_max >= y + height
    assert x_min % cell == 0
    assert y_max % cell == 0


@given(st.integers(0, 39), st.integers(0, 59))
def test_cell_centres_lead_back_to_their_cell(row: int, col: int) -> None:
    grid = Grid(METRIC, 1000.0, 9000.0, 250.0, 40, 60)
    x, y = grid.centre_xy(row, col)
    back = grid.row_col(x, y)
    assert (int(back[0]), int(back[1])) == (row, col)


def test_transform_maps_corners() -> None:
    grid = Grid(METRIC, 1000.0, 9000.0, 250.0, 40, 60)
    a, b, c, d, e, f = grid.transform
    assert (a * 60 + b * 40 + c, d * 60 + e * 40 + f) == (grid.bounds[2], grid.bounds[1])


def test_sizes_must_be_positive() -> None:
    with pytest.raises(RangeError, match="not greater than zero"):
        Grid(METRIC, 0, 0, 0, 1, 1)
    with pytest.raises(RangeError, match="empty"):
        Grid(METRIC, 0, 0, 1, 0, 1)
    with pytest.raises(RangeError, match="not greater than zero"):
        Grid.covering((0, 0, 1, 1), cell_m=-5, crs=METRIC)


def test_points_outside_are_told_by_their_index() -> None:
    grid = Grid(METRIC, 0.0, 100.0, 10.0, 10, 10)
    rows, cols = grid.row_col(np.array([-1.0, 105.0]), np.array([50.0, 50.0]))
    assert cols.tolist() == [-1, 10]
    assert rows.tolist() == [5, 5]
