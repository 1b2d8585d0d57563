"""Values in one byte: what is exact, how far the rest is off, and where weights decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.catalogue.scenario import Criterion
from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.siting.allowed import AllowedLand
from geoplan.siting.criteria import Measure, suitability
from geoplan.siting.quantised import (
    MISSING,
    QuantisedCriteria,
    Quantiser,
    quantise,
    top_share_map,
)

IDENTITY = {"measure": "raster", "raster": "r", "value": {"kind": "identity"}}


def quantised(*values: list[float], fill: float = np.nan) -> QuantisedCriteria:
    arrays = [np.array([v], dtype=np.float32) for v in values]
    names = [f"c{k}" for k in range(len(arrays))]
    allowed = np.ones(arrays[0].shape, dtype=bool)
    fed = ((n, a, fill) for n, a in zip(names, arrays, strict=True))
    return quantise(fed, allowed, names)


def test_allowed_land_there_and_back() -> None:
    mask = np.random.default_rng(0).random((37, 23)) < 0.4
    land = AllowedLand.of(mask)
    values = np.arange(mask.size, dtype=np.float64).reshape(mask.shape)
    np.testing.assert_array_equal(land.take(values), values[mask])
    np.testing.assert_array_equal(land.put(land.take(values)), np.where(mask, values, np.nan))
    with pytest.raises(ShapeError, match=r"criteria\.road"):
        land.take(values[1:], where="criteria.road")


def test_few_values_are_exact_and_many_are_half_a_step_off() -> None:
    """0.1, 0.3 and 1/3 are kept as they are; 0 to 1 in 1,000 steps is 1/508 off at most."""
    few = quantised([0.1, 0.3, 1 / 3, 0.1, np.nan], fill=0.25)
    assert few.error.tolist() == [0.0]
    expected = np.array([[0.1, 0.3, 1 / 3, 0.1, 0.25]], dtype=np.float32)
    np.testing.assert_array_equal(few.score({"c0": 1.0}), expected)
    assert few.codes[0].tolist() == [0, 1, 2, 0, MISSING]

    line = np.linspace(0, 1, 1001, dtype=np.float32)
    many = quantised(line.tolist())
    assert many.error[0] == pytest.approx(1 / 508)
    off = np.abs(many.score({"c0": 1.0})[0] - line).max()
    assert 0.9 / 508 < off <= 1 / 508 + 1e-7
    half = quantised((line / 2 + 0.25).tolist())
    assert half.error[0] == pytest.approx(0.5 / 508), "the step fits the range of the values"


def test_255_values_are_exact_and_256_are_not() -> None:
    rng = np.random.default_rng(2)
    values = rng.choice(rng.random(255, dtype=np.float32), 70_000)
    assert len(np.unique(values)) == 255
    exact = quantised(values.tolist())
    np.testing.assert_array_equal(exact.score({"c0": 1.0})[0], values)
    assert quantised([*values.tolist(), 0.123456]).error[0] > 0


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(0, 2**31))
def test_scores_lie_within_the_bound(number: int, seed: int) -> None:
    """Against the full-precision score, missing policies and weights of 0 included."""
    rng = np.random.default_rng(seed)
    shape = (19, 41)
    measures = {}
    for k in range(number):
        raw = rng.random(shape) ** rng.integers(1, 4)
        if k % 2:
            raw = np.round(raw * 6) / 6
        raw[rng.random(shape) < rng.choice([0.0, 0.1])] = np.nan
        policy = ["exclude", "zero", "mean"][int(rng.integers(3))]
        measures[f"c{k}"] = Measure(
            Criterion.model_validate({**IDENTITY, "missing": policy}), raw.astype(np.float32)
        )
    allowed = rng.random(shape) < 0.8
    drawn = rng.dirichlet(np.ones(number)) * (rng.random(number) < 0.8)
    drawn[0] += 1 - drawn.sum()
    weights = dict(zip(measures, drawn.tolist(), strict=True))
    quantiser = Quantiser(AllowedLand.of(allowed), tuple(measures))
    exact = suitability(measures, weights, allowed, quantiser=quantiser).score
    held = quantiser.finish()
    found = held.score(weights)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(exact))
    assert np.nanmax(np.abs(found - exact), initial=0) <= held.error_bound(weights)
    np.testing.assert_array_equal(held.score_cells(weights), found[allowed])
    again = np.full(shape, 7, dtype=np.float32)
    held.score_into(weights, again, threads=3)
    np.testing.assert_array_equal(again[allowed], found[allowed])
    assert (again[~allowed] == 7).all(), "other cells are left as they are"


def test_where_the_weights_decide() -> None:
    """Ten cells, the best three. All on c0: cells 7–9; all on c1: cells 0–2; half and half: all
    alike, so that all ten are on the threshold and in."""
    held = quantised([k / 9 for k in range(10)], [1 - k / 9 for k in range(10)])
    both = top_share_map(held, [[1.0, 0.0], [0.0, 1.0]], 0.3)
    np.testing.assert_array_equal(both, [[0.5, 0.5, 0.5, 0, 0, 0, 0, 0.5, 0.5, 0.5]])
    assert both.dtype == np.float32
    one = top_share_map(held, [[1.0, 0.0]] * 4, 0.25)
    np.testing.assert_array_equal(one, [[0, 0, 0, 0, 0, 0, 0, 1, 1, 1]], "at least a quarter")


def test_best_share_without_sorting_is_the_one_with_sorting() -> None:
    rng = np.random.default_rng(4)
    held = quantised(*(rng.random(5_000).tolist() for _ in range(3)))
    draws = rng.dirichlet(np.ones(3), 20)
    found = top_share_map(held, draws, 0.1)
    hits = np.zeros(5_000)
    for w in draws:
        score = held.score_cells(dict(zip(held.names, w.tolist(), strict=True)))
        hits += score >= np.sort(score)[-500]
    # cells within 1/65,534 of the threshold may be in beside it
    assert (found[0] * 20 >= hits - 1e-6).all()
    assert np.abs(found[0] * 20 - hits).sum() < 0.002 * hits.sum() + 5
    for threads in (1, 3):
        np.testing.assert_array_equal(top_share_map(held, draws, 0.1, threads=threads), found)


def test_missing_cells_have_no_place() -> None:
    held = quantised([0.1, 0.2, np.nan, 0.4])
    found = top_share_map(held, [[1.0]], 0.3)
    np.testing.assert_array_equal(found, [[0, 0, np.nan, 1]])


def test_errors_say_what_is_wrong() -> None:
    held = quantised([0.1, 0.2], [0.3, 0.4])
    with pytest.raises(UnknownName, match="c1"):
        held.score({"c0": 1.0})
    with pytest.raises(RangeError, match="-1"):
        held.score({"c0": -1.0, "c1": 2.0})
    with pytest.raises(ShapeError, match="float64"):
        held.score_into({"c0": 0.5, "c1": 0.5}, np.empty((1, 2)))  # type: ignore[arg-type]
    with pytest.raises(ShapeError, match="one column per criterion"):
        top_share_map(held, [[1.0]], 0.1)
    with pytest.raises(RangeError, match="share of 1"):
        top_share_map(held, [[0.5, 0.5]], 1)
    with pytest.raises(RangeError, match=r"1\.5 is not between 0 and 1") as error:
        quantised([1.5])
    assert error.value.where == "criteria.c0"
    with pytest.raises(UnknownName, match="no values were given for b"):
        Quantiser(AllowedLand.of(np.ones(2, dtype=bool)), ("b",)).finish()
