"""Measure → value → weight, and what each criterion adds to each candidate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.catalogue.scenario import CandidateSpec, Criterion
from geoplan.errors import EmptyLayer, RangeError, UnknownName
from geoplan.grid import Grid
from geoplan.mcda.aggregate import weighted_sum
from geoplan.mcda.value import apply_value
from geoplan.siting.candidates import CandidateCells, grow
from geoplan.siting.criteria import Measure, contributions, suitability

LINEAR = {"kind": "linear", "best": 0, "worst": 10}


def criterion(**given: object) -> Criterion:
    return Criterion.model_validate({"measure": "raster", "raster": "r", "value": LINEAR, **given})


def cells_of(*groups: list[int]) -> CandidateCells:
    """Candidates by hand."""
    n = len(groups)
    return CandidateCells(
        offsets=np.concatenate([[0], np.cumsum([len(g) for g in groups])]),
        cells=np.concatenate([np.asarray(g) for g in groups]),
        area_ha=np.full(n, 100.0),
        score=np.full(n, np.nan),
        representative=np.array([g[0] for g in groups]),
        region=np.full(n, -1),
        seeds=n,
        grown=n,
    )


def test_by_hand() -> None:
    """road: 2 km → 0.8, 6 km → 0.4; class 3 → 1, class 4 → 0.5; weights 0.75 and 0.25."""
    measures = {
        "road": Measure(criterion(), np.array([[2.0, 6.0, 0.0]])),
        "climate": Measure(
            criterion(value={"kind": "categorical", "values": {3: 1, 4: 0.5}}),
            np.array([[3.0, 4.0, 7.0]]),
        ),
    }
    weights = {"road": 0.75, "climate": 0.25}
    found = suitability(measures, weights, np.array([[True, True, True]]))
    np.testing.assert_allclose(found.score, [[0.85, 0.425, np.nan]], rtol=1e-6)
    assert found.missing["cells"].tolist() == [0, 1]
    assert found.missing["excluded"].tolist() == [0, 1]
    table = contributions(cells_of([0, 1], [1]), measures, weights, found.fill)
    assert table["measured_road"].tolist() == [4.0, 6.0]
    np.testing.assert_allclose(table["value_road"], [0.6, 0.4], rtol=1e-6)
    np.testing.assert_allclose(table["contribution_road"], [0.45, 0.3], rtol=1e-6)
    assert table["measured_climate"].tolist() == [3.0, 4.0], "ties of classes: the lower"
    np.testing.assert_allclose(table["contribution_climate"], [0.1875, 0.125], rtol=1e-6)
    np.testing.assert_allclose(table["score"], [0.6375, 0.425], rtol=1e-6)


@pytest.mark.parametrize(
    ("policy", "expected"), [("exclude", np.nan), ("zero", 0.0), ("mean", 0.6)]
)
def test_missing_by_policy(policy: str, expected: float) -> None:
    """The mean is over the allowed cells that have a value: (0.8 + 0.4) / 2, not the fourth."""
    measures = {"road": Measure(criterion(missing=policy), np.array([2.0, 6.0, np.nan, 0.0]))}
    found = suitability(measures, {"road": 1.0}, np.array([True, True, True, False]))
    np.testing.assert_allclose(found.score, [0.8, 0.4, expected, np.nan], rtol=1e-6)
    if policy != "exclude":
        table = contributions(cells_of([0, 2]), measures, {"road": 1.0}, found.fill)
        assert table["measured_road"][0] == 2.0, "the mean of what is known"
        assert table["score"][0] == pytest.approx((0.8 + expected) / 2)


def test_missing_is_the_worst_also_when_inverted() -> None:
    measures = {"road": Measure(criterion(missing="zero", invert=True), np.array([2.0, np.nan]))}
    found = suitability(measures, {"road": 1.0}, np.array([True, True]))
    np.testing.assert_allclose(found.score, [0.2, 0.0], rtol=1e-6)


def test_counts_cells_that_only_one_criterion_takes_out() -> None:
    a = Measure(criterion(), np.array([np.nan, np.nan, 1.0]))
    b = Measure(criterion(), np.array([1.0, np.nan, 1.0]))
    found = suitability({"a": a, "b": b}, {"a": 0.5, "b": 0.5}, np.ones(3, dtype=bool))
    assert found.missing["cells"].tolist() == [2, 1]
    assert found.missing["excluded"].tolist() == [1, 0]
    without = suitability({"a": a, "b": b}, {"a": 0.0, "b": 1.0}, np.ones(3, dtype=bool))
    assert np.isfinite(without.score[0]), "a criterion of weight 0 excludes nothing"


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 5), st.integers(0, 2**31))
def test_contributions_sum_to_the_score_of_the_candidate(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (24, 24)
    policies = ["exclude", "zero", "mean"]
    measures = {}
    for k in range(number):
        raw = rng.uniform(-2, 12, shape).astype(np.float32)
        raw[rng.random(shape) < 0.02] = np.nan
        measures[f"c{k}"] = Measure(criterion(missing=policies[k % 3], invert=k % 2 == 1), raw)
    w = rng.random(number) + 0.05
    weights = dict(zip(measures, (w / w.sum()).tolist(), strict=True))
    grid = Grid("+proj=laea +lat_0=32 +lon_0=53", 0.0, 0.0, 500.0, *shape)
    found = suitability(measures, weights, rng.random(shape) < 0.9)
    asked = CandidateSpec(area_ha=(100, 300), spacing_km=0.5, seeds=100, keep=20)
    candidates = grow(found.score, grid, asked)
    table = contributions(candidates, measures, weights, found.fill)
    assert len(table) == len(candidates)
    np.testing.assert_allclose(table["score"], candidates.score, rtol=0, atol=2e-7)
    total = sum(table[f"contribution_{name}"] for name in measures)
    np.testing.assert_allclose(total, table["score"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(candidates.mean_of(found.score), candidates.score, atol=1e-12)


def by_all_values_at_once(
    measures: dict[str, Measure], weights: dict[str, float], allowed: np.ndarray
) -> np.ndarray:
    """Σ weight · value from all values held together, filled by their policy."""
    values = []
    for measure in measures.values():
        value = apply_value(
            measure.criterion.value, measure.array()[allowed], invert=measure.criterion.invert
        )
        if measure.criterion.missing == "mean":
            value[np.isnan(value)] = np.nanmean(value, dtype=np.float64)
        elif measure.criterion.missing == "zero":
            value[np.isnan(value)] = 0
        values.append(value)
    score = np.full(allowed.shape, np.nan, dtype=np.float32)
    total = weighted_sum(values, [weights[name] for name in measures])
    score[allowed] = np.minimum(total, np.float32(1))
    return score


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6), st.integers(0, 2**31))
def test_one_measure_at_a_time_gives_the_same_bytes(number: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (31, 17)
    made = {f"c{k}": rng.uniform(-2, 12, shape).astype(np.float32) for k in range(number)}
    alive: list[str] = []
    policies = ["exclude", "zero", "mean"]
    for raw in made.values():
        raw[rng.random(shape) < 0.1] = np.nan

    def ask(name: str) -> np.ndarray:
        alive.append(name)
        return made[name]

    measures = {
        name: Measure(criterion(missing=policies[k % 3]), lambda name=name: ask(name))
        for k, name in enumerate(made)
    }
    weights = dict(zip(measures, rng.dirichlet(np.ones(number)).tolist(), strict=True))
    if number > 2:
        weights["c0"] = 0.0
    allowed = rng.random(shape) < 0.7
    found = suitability(measures, weights, allowed)
    assert alive == list(made), "each is made once, in order"
    expected = by_all_values_at_once(measures, weights, allowed)
    assert found.score.tobytes() == expected.tobytes()
    other = suitability(measures, weights, allowed, aggregate=weighted_sum)
    np.testing.assert_array_equal(np.minimum(other.score, 1), expected)
    own = [np.isnan(raw) & allowed for raw in made.values()]
    out = [hole & (k % 3 == 0) & (weights[f"c{k}"] > 0) for k, hole in enumerate(own)]
    assert found.missing["cells"].tolist() == [int(h.sum()) for h in own]
    alone = np.sum(out, axis=0) == 1
    assert found.missing["excluded"].tolist() == [int((h & alone).sum()) for h in out]


def test_errors_name_the_criterion() -> None:
    plain = criterion(value={"kind": "identity"})
    with pytest.raises(RangeError, match="12 is not between 0 and 1") as error:
        suitability({"pop": Measure(plain, np.array([12.0]))}, {"pop": 1}, np.array([True]))
    assert error.value.where == "criteria.pop"
    gone = Measure(criterion(missing="mean"), np.array([np.nan]))
    with pytest.raises(EmptyLayer) as empty:
        suitability({"rain": gone}, {"rain": 1}, np.array([True]))
    assert empty.value.where == "criteria.rain"
    with pytest.raises(UnknownName, match="rain, snow"):
        suitability({"rain": gone}, {"snow": 1}, np.array([True]))


def test_numbers_from_the_data_are_those_of_allowed_land() -> None:
    """Linear from the least to the largest allowed measure, 2 to 6; the 100 is not allowed."""
    auto = criterion(value={"kind": "linear"})
    measures = {"road": Measure(auto, np.array([2.0, 3.0, 6.0, 100.0]))}
    found = suitability(measures, {"road": 1.0}, np.array([True, True, True, False]))
    np.testing.assert_allclose(found.score, [0, 0.25, 1, np.nan], rtol=1e-6)
    assert found.statistics["road"].max == 6
    table = contributions(
        cells_of([0, 1]), measures, {"road": 1.0}, found.fill, statistics=found.statistics
    )
    assert table["score"][0] == pytest.approx(0.125)
