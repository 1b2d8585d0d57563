"""SPOTIS: published distances, and its freedom from rank reversal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geoplan.errors import RangeError, ShapeError
from geoplan.mcda.decision import decision
from geoplan.mcda.spotis import spotis

DEZERT = [[10.5, -3.1, 1.7], [-4.7, 0, 3.4], [8.1, 0.3, 1.3], [3.2, 7.3, -5.3]]
BOUNDS = [(-5, 12), (-6, 10), (-8, 5)]


def _question(rows: list[list[float]]) -> np.ndarray:
    return spotis(decision(rows, [0.2, 0.3, 0.5], directions=["max", "min", "max"]), BOUNDS)


def test_dezert_2020() -> None:
    assert np.allclose(_question(DEZERT), [0.1989, 0.3705, 0.3063, 0.7491], atol=5e-5)


def test_pymcdm_documentation() -> None:
    # Its SPOTIS.make_bounds: bounds from the data, equal weights, more is better. The first by
    # hand: (44/44 + 35/70 + 0)/3.
    table = np.array([[96, 145, 200], [100, 145, 200], [120, 170, 80], [140, 180, 140],
                      [100, 110, 30]], dtype=float)  # fmt: skip
    bounds = np.column_stack([table.min(axis=0), table.max(axis=0)])
    found = spotis(decision(table, np.full(3, 1 / 3)), bounds)
    assert found[0] == pytest.approx((44 / 44 + 35 / 70 + 0) / 3)
    assert np.allclose(found, [0.5, 0.4697, 0.4344, 0.1176, 0.9697], atol=5e-5)


def test_leaving_one_out_changes_no_other() -> None:
    # The others' distances are the same numbers, whichever is left out.
    full = _question(DEZERT)
    for out in range(4):
        rest = [i for i in range(4) if i != out]
        assert np.array_equal(_question([DEZERT[i] for i in rest]), full[rest])


def test_outside_the_bounds_names_the_value() -> None:
    with pytest.raises(RangeError, match=r"value 13 of alternative '0' on criterion '0'") as error:
        spotis(decision([[13.0]], [1.0]), [(-5, 12)])
    assert "widen" in error.value.remedy
    with pytest.raises(RangeError, match=r"bounds \[3, 3\] of criterion '0'"):
        spotis(decision([[3.0]], [1.0]), [(3, 3)])
    with pytest.raises(ShapeError, match="for 1 criteria"):
        spotis(decision([[3.0]], [1.0]), [(3, 4), (3, 4)])


@settings(max_examples=60, deadline=None)
@given(arrays(np.float64, st.tuples(st.integers(2, 8), st.just(3)), elements=st.floats(0, 1)))
def test_on_unit_values_it_is_what_the_weighted_sum_lacks(table: np.ndarray) -> None:
    found = spotis(decision(table, [0.2, 0.3, 0.5]), [(0, 1)] * 3)
    assert np.allclose(found, 1 - table @ [0.2, 0.3, 0.5], atol=1e-12)
