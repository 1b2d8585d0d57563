"""The thirteen rescaling functions, fuzzy memberships and hedges: by hand and by law."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from geoplan.catalogue.value import ValueSpec
from geoplan.errors import EmptyLayer, RangeError
from geoplan.mcda.value import apply_value, check_unit, monotone, value_table
from geoplan.mcda.value_fit import StatisticsMissing, fitted, needs_statistics
from geoplan.mcda.value_statistics import ValueStatistics

DATA = ValueStatistics(min=0.0, max=500.0, mean=200.0, std=50.0, count=1000)
"""A measure from 0 to 500, the range of the examples in Esri's documentation."""


def spec(kind: str, **keys: Any) -> ValueSpec:
    made: ValueSpec = TypeAdapter(ValueSpec).validate_python({"kind": kind, **keys})
    return made


def value(made: ValueSpec, *x: float, **keys: Any) -> list[float]:
    return [float(v) for v in apply_value(made, np.array(x), statistics=DATA, **keys)]


# --- The thirteen functions of «Rescale by Function» on a measure from 0 to 500 ------------------


def test_exponential() -> None:
    """base_factor = ln 10 / 500, so exp runs from 1 to 10: value (10^(x/500) − 1) / 9."""
    e = spec("exponential")
    assert value(e, 0, 500) == [0, 1]
    np.testing.assert_allclose(value(e, 250), [(math.sqrt(10) - 1) / 9], rtol=1e-6)
    stated = spec("exponential", base_factor=0.01, shift=7, lower=0, upper=100)
    np.testing.assert_allclose(value(stated, 50), [(math.exp(0.5) - 1) / (math.e - 1)], rtol=1e-6)
    steep = spec("exponential", base_factor=50, lower=0, upper=1e6)  # exp would overflow
    assert value(steep, 0, 1e6 - 1e3, 1e6) == [0, 0, 1]
    falling = spec("exponential", base_factor=-0.01, lower=0, upper=100)
    np.testing.assert_allclose(value(falling, 0, 100), [1, 0])
    full = fitted(e, DATA)
    assert full.kind == "exponential"
    np.testing.assert_allclose([full.shift, full.base_factor], [0, math.log(10) / 500])


def test_logarithm() -> None:
    """Fitted, ln((x − shift) · factor) runs from 1 to 10."""
    g = fitted(spec("logarithm"), DATA)
    assert g.kind == "logarithm"
    assert g.shift is not None
    assert g.factor is not None
    np.testing.assert_allclose(math.log((0 - g.shift) * g.factor), 1)
    np.testing.assert_allclose(math.log((500 - g.shift) * g.factor), 10)
    half = (math.log((math.exp(10) + math.e) / 2) - 1) / 9  # at x = 250
    np.testing.assert_allclose(value(spec("logarithm"), 0, 250, 500), [0, half, 1], rtol=1e-6)
    stated = spec("logarithm", shift=-1, factor=3, lower=0, upper=99)
    np.testing.assert_allclose(value(stated, 9), [0.5], rtol=1e-6)  # ln 10 / ln 100


def test_power() -> None:
    np.testing.assert_allclose(value(spec("power"), 0, 100, 250, 500), [0, 0.04, 0.25, 1])
    root = spec("power", shift=0, exponent=0.5, lower=100, upper=400)
    np.testing.assert_allclose(value(root, 225), [0.5], rtol=1e-6)  # (15 − 10) / (20 − 10)
    falling = spec("power", shift=0, exponent=-1, lower=1, upper=2)
    np.testing.assert_allclose(value(falling, 1, 4 / 3, 2), [1, 0.5, 0], atol=1e-7)


def test_logistic_growth_and_decay() -> None:
    """1 % at the minimum, 99 % at the maximum, then stretched: 0, 1/2, 1."""
    np.testing.assert_allclose(value(spec("logistic_growth"), 0, 250, 500), [0, 0.5, 1])
    np.testing.assert_allclose(value(spec("logistic_decay"), 0, 250, 500), [1, 0.5, 0], atol=1e-7)
    # At 3/4 of the way the exponent is −ln 99 / 2, so y = 1/(1 + 99^−½); stretched by 0.98.
    y = (1 / (1 + 99**-0.5) - 0.01) / 0.98
    np.testing.assert_allclose(value(spec("logistic_growth"), 375), [y], rtol=1e-6)
    inner = spec("logistic_growth", minimum=200, maximum=300)
    assert value(inner, 200)[0] == pytest.approx(0.01, abs=1e-6)  # the ends lie farther out


def test_symmetric_linear_and_linear() -> None:
    s = spec("symmetric_linear")
    np.testing.assert_allclose(value(s, 0, 125, 250, 375, 500), [0, 0.5, 1, 0.5, 0])
    valley = spec("symmetric_linear", minimum=500, maximum=0)
    np.testing.assert_allclose(value(valley, 0, 125, 250, 500), [1, 0.5, 0, 1])
    np.testing.assert_allclose(value(spec("linear"), 0, 125, 500), [0, 0.25, 1])
    with pytest.raises(RangeError, match="'best' and 'worst' are both 500"):
        value(spec("linear", worst=500), 0)  # the best comes from the data, and is 500 as well


def test_gaussian_and_near() -> None:
    g = spec("gaussian", midpoint=10, spread=0.1)
    np.testing.assert_allclose(value(g, 10, 12), [1, math.exp(-0.4)], rtol=1e-6)
    n = spec("near", midpoint=10, spread=0.1)
    np.testing.assert_allclose(value(n, 10, 12, math.inf), [1, 1 / 1.4, 0], rtol=1e-6)
    # Fitted: a tenth of the height at both ends; rescaled: nothing there.
    np.testing.assert_allclose(value(spec("gaussian"), 0, 250, 500), [0.1, 1, 0.1], rtol=1e-6)
    np.testing.assert_allclose(value(spec("near"), 0, 250, 500), [0.1, 1, 0.1], rtol=1e-6)
    stretched = spec("near", rescale=True)
    np.testing.assert_allclose(value(stretched, 0, 250, 500), [0, 1, 0], atol=1e-7)
    # Half-way up: 1/(1 + 9/4) = 4/13; (4/13 − 1/10) / (9/10).
    np.testing.assert_allclose(value(stretched, 125), [(4 / 13 - 0.1) / 0.9], rtol=1e-6)


def test_large_and_small() -> None:
    big, little = spec("large", midpoint=10), spec("small", midpoint=10)
    np.testing.assert_allclose(value(big, 10, 20, 5), [0.5, 32 / 33, 1 / 33], rtol=1e-6)
    np.testing.assert_allclose(value(little, 10, 20, 5), [0.5, 1 / 33, 32 / 33], rtol=1e-6)
    assert value(big, 0, -3, math.inf) == [0, 0, 1]
    assert value(little, 0, -3, math.inf) == [1, 1, 0]
    assert value(spec("large"), 250) == [0.5]


def test_ms_large_and_ms_small() -> None:
    """a·m = 200, b·s = 50: at 350 the value of «small» is 50 / (150 + 50) = 1/4."""
    assert value(spec("ms_small"), 100, 200, 350) == [1, 1, 0.25]
    assert value(spec("ms_large"), 100, 200, 350, math.inf) == [0, 0, 0.75, 1]
    own = spec("ms_small", mean=10, std=2, mean_multiplier=1.5, std_multiplier=2)
    assert value(own, 15, 17, 19) == [1, pytest.approx(4 / 6), 0.5]
    # Rescaled between 0 and 500: the least value is 50 / 350 = 1/7.
    np.testing.assert_allclose(
        value(spec("ms_small", rescale=True), 350, 500), [(1 / 4 - 1 / 7) * 7 / 6, 0], atol=1e-6
    )


# --- Memberships -----------------------------------------------------------------------------


def test_triangle_and_trapezoid() -> None:
    t = spec("triangular", corners=[0, 10, 40])
    assert value(t, -1, 0, 5, 10, 25, 40, math.inf) == [0, 0, 0.5, 1, 0.5, 0, 0]
    upright = spec("triangular", corners=[10, 10, 20])
    assert value(upright, 9.99, 10, 15) == [0, 1, 0.5]
    z = spec("trapezoidal", corners=[0, 10, 20, 30])
    assert value(z, 5, 10, 15, 20, 22.5, 30) == [0.5, 1, 1, 1, 0.75, 0]


def test_s_z_and_pi() -> None:
    """2·¼² = 1/8 a quarter of the way, 1/2 half-way, 7/8 three quarters."""
    s, z = spec("s", start=0, end=8), spec("z", start=0, end=8)
    assert value(s, -1, 0, 2, 4, 6, 8, 9) == [0, 0, 0.125, 0.5, 0.875, 1, 1]
    assert value(z, 0, 2, 4, 6, 8) == [1, 0.875, 0.5, 0.125, 0]
    pi = spec("pi", corners=[0, 8, 10, 18])
    assert value(pi, 2, 8, 9, 10, 12, 18) == [0.125, 1, 1, 1, 0.875, 0]


def test_bell() -> None:
    b = spec("bell", midpoint=10, width=2, slope=2)
    np.testing.assert_allclose(value(b, 10, 12, 8, 14), [1, 0.5, 0.5, 1 / 17], rtol=1e-6)


def test_hedges_by_hand() -> None:
    corner = {"start": 0, "end": 8}
    for hedge, expected in {
        "very": 1 / 64,
        "extremely": 1 / 512,
        "somewhat": math.sqrt(1 / 8),
        "more_or_less": math.sqrt(1 / 8),
        "not": 7 / 8,
    }.items():
        np.testing.assert_allclose(
            value(spec("s", **corner, hedge=[hedge]), 2), [expected], rtol=1e-6
        )
    np.testing.assert_allclose(value(spec("s", **corner, hedge=["very", "not"]), 2), [63 / 64])
    np.testing.assert_allclose(value(spec("s", **corner, hedge=["not", "very"]), 2), [49 / 64])


def test_thresholds_by_hand() -> None:
    line = spec("linear", worst=0, best=10, lower=2, upper=8)
    np.testing.assert_allclose(value(line, 0, 2, 5, 8, 99), [0.2, 0.2, 0.5, 0.8, 0.8])
    cut = spec("linear", worst=0, best=10, lower=2, upper=8, below="missing", above=0)
    np.testing.assert_allclose(value(cut, 1.99, 2, 8, 8.01), [np.nan, 0.2, 0.8, 0])
    np.testing.assert_allclose(value(cut, 1, 2, 9, invert=True), [np.nan, 0.8, 1])
    stretched = spec("linear", worst=0, best=10, lower=2, upper=8, rescale=True)
    np.testing.assert_allclose(value(stretched, 2, 5, 8), [0, 0.5, 1], rtol=1e-6)
    hedged = spec("linear", worst=0, best=10, lower=2, below=0.9, hedge=["very"])
    np.testing.assert_allclose(value(hedged, 1, 5), [0.9, 0.25], rtol=1e-6)


# --- Numbers from the data -------------------------------------------------------------------


def test_which_functions_need_the_data() -> None:
    for kind in ("exponential", "gaussian", "large", "ms_large", "power", "linear"):
        assert needs_statistics(spec(kind)), kind
        with pytest.raises(StatisticsMissing, match=f"'{kind}' takes"):
            apply_value(spec(kind), [1.0])
    for whole in (
        spec("gaussian", midpoint=1, spread=2),
        spec("ms_large", mean=1, std=2),
        spec("power", lower=0, upper=4),
        spec("s", start=0, end=1),
        spec("identity"),
    ):
        assert not needs_statistics(whole)
    assert needs_statistics(spec("s", start=0, end=1, rescale=True))


@pytest.mark.parametrize(
    "kind",
    [
        "exponential",
        "logarithm",
        "power",
        "logistic_growth",
        "logistic_decay",
        "symmetric_linear",
        "gaussian",
        "near",
        "large",
        "small",
        "ms_large",
        "ms_small",
        "linear",
    ],
)
def test_what_is_recorded_gives_the_same_without_the_data(kind: str) -> None:
    x = np.linspace(-50, 550, 301)
    for made in (spec(kind), spec(kind, rescale=True)):
        whole = fitted(made, DATA)
        assert not needs_statistics(whole)
        np.testing.assert_array_equal(apply_value(whole, x), apply_value(made, x, statistics=DATA))


def test_data_that_do_not_do() -> None:
    same = ValueStatistics(5.0, 5.0, 5.0, 0.0, 10)
    none = ValueStatistics(math.nan, math.nan, math.nan, math.nan, 0)
    with pytest.raises(RangeError, match="the same in all allowed cells"):
        apply_value(spec("logistic_growth"), [5.0], statistics=same)
    with pytest.raises(RangeError, match="standard deviation of 0: the measure is 5"):
        apply_value(spec("ms_small"), [5.0], statistics=same)
    with pytest.raises(EmptyLayer, match="no allowed cell"):
        apply_value(spec("gaussian"), [5.0], statistics=none)
    below = ValueStatistics(-20.0, -10.0, -15.0, 2.0, 10)
    with pytest.raises(RangeError, match="'large' does not fit the data: 'midpoint' -15"):
        apply_value(spec("large"), [1.0], statistics=below)
    with pytest.raises(RangeError, match="'shift' 3 is not less than 'lower' 0"):
        apply_value(spec("logarithm", shift=3), [1.0], statistics=DATA)
    with pytest.raises(RangeError, match="level between its thresholds 20 and 30"):
        apply_value(spec("linear", worst=0, best=10, lower=20, upper=30, rescale=True), [1.0])


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"kind": "triangular", "corners": [0, 9, 3]}, r"corners must rise: \[0.0, 9.0, 3.0\]"),
        ({"kind": "trapezoidal", "corners": [1, 1, 1, 1]}, "corners must rise"),
        ({"kind": "pi", "corners": [0, 0, 1, 2]}, "a side of no width"),
        ({"kind": "gaussian", "spread": 0}, "greater than 0"),
        ({"kind": "bell", "midpoint": 0, "width": -1}, "greater than 0"),
        ({"kind": "ms_large", "std_multiplier": 0}, "greater than 0"),
        ({"kind": "s", "start": 4, "end": 4}, "'start' 4 is not less than 'end' 4"),
        ({"kind": "power", "exponent": 1}, "a straight line"),
        ({"kind": "power", "exponent": -2}, "needs a 'shift' below 'lower'"),
        ({"kind": "exponential", "base_factor": 0}, "flat"),
        ({"kind": "logistic_growth", "y_intercept_percent": 60}, "less than 50"),
        ({"kind": "logistic_decay", "minimum": 3, "maximum": 2}, "'minimum' 3 is not less"),
        ({"kind": "symmetric_linear", "minimum": 2, "maximum": 2}, "are both 2"),
        ({"kind": "power", "rescale": False}, "Input should be True"),
        ({"kind": "linear", "best": 1, "worst": 0, "lower": 5, "upper": 2}, "exchange them"),
        ({"kind": "linear", "best": 1, "worst": 0, "below": 0}, "'below' has no threshold"),
        ({"kind": "linear", "best": 1, "worst": 0, "upper": 1, "above": 2}, "less than or equal"),
        ({"kind": "linear", "best": math.nan, "worst": 0}, "finite"),
        ({"kind": "piecewise", "points": [[3, 0], [1, 1]]}, "the x of 'points' must rise"),
        ({"kind": "s", "start": 0, "end": 1, "hedge": ["rather"]}, "'very'"),
    ],
)
def test_what_is_no_function_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TypeAdapter(ValueSpec).validate_python(keys)


# --- Direction, tables, units ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"kind": "identity"}, "rising"),
        ({"kind": "linear", "best": 2, "worst": 40}, "falling"),
        ({"kind": "linear", "best": 2, "worst": 40, "hedge": ["not"]}, "rising"),
        ({"kind": "linear", "best": 2, "worst": 40, "upper": 50, "above": 0.5}, "neither"),
        ({"kind": "linear", "best": 2, "worst": 40, "upper": 30, "above": 0}, "falling"),
        ({"kind": "linear", "best": 2, "worst": 40, "upper": 30, "above": "missing"}, "falling"),
        ({"kind": "sigmoid", "midpoint": 0, "spread": 3}, "rising"),
        ({"kind": "piecewise", "points": [[0, 0], [1, 1], [2, 0.5]]}, "neither"),
        ({"kind": "piecewise", "points": [[0, 0.4], [1, 0.4]]}, "flat"),
        ({"kind": "piecewise", "points": [[0, 0], [1, 1], [2, 0.5]], "upper": 1}, "rising"),
        ({"kind": "categorical", "values": {1: 0, 2: 1}}, "neither"),
        ({"kind": "categorical", "values": {1: 0.5, 2: 0.5}}, "flat"),
        ({"kind": "gaussian", "midpoint": 5, "spread": 0.1}, "neither"),
        ({"kind": "gaussian", "midpoint": 5, "spread": 0.1, "upper": 5}, "rising"),
        ({"kind": "triangular", "corners": [0, 0, 9], "lower": 0}, "falling"),
        ({"kind": "z", "start": 0, "end": 9}, "falling"),
        ({"kind": "ms_small"}, "falling"),
        ({"kind": "logarithm"}, "rising"),
        ({"kind": "exponential", "base_factor": -1}, "falling"),
        ({"kind": "power"}, "rising"),
        ({"kind": "logistic_decay", "hedge": ["very", "not"]}, "rising"),
        ({"kind": "linear"}, "rising"),
    ],
)
def test_direction(keys: dict[str, Any], expected: str) -> None:
    made: ValueSpec = TypeAdapter(ValueSpec).validate_python(keys)
    assert monotone(made) == expected
    mirrored = {"rising": "falling", "falling": "rising"}.get(expected, expected)
    assert monotone(made, invert=True) == mirrored


def test_direction_that_depends_on_the_data() -> None:
    with pytest.raises(StatisticsMissing):
        monotone(spec("linear", best=100))
    assert monotone(spec("linear", best=100), DATA) == "rising"
    assert monotone(spec("gaussian"), DATA) == "neither"


def test_a_table_has_both_ends_and_even_steps() -> None:
    x, v = value_table(spec("s", start=0, end=8), 0, 8, n=9)
    np.testing.assert_array_equal(x, np.arange(9))
    np.testing.assert_allclose(v[[0, 2, 4, 6, 8]], [0, 0.125, 0.5, 0.875, 1])
    x, v = value_table(spec("categorical", values={1: 0.5, 4: 1, 9: 0}), 0, 5)
    assert (x.tolist(), v.tolist()) == ([1, 4], [0.5, 1])
    with pytest.raises(RangeError, match="from 3 to 3"):
        value_table(spec("identity"), 3, 3)
    with pytest.raises(RangeError, match="1 steps"):
        value_table(spec("identity"), 0, 1, n=1)


def test_a_unit_that_is_another() -> None:
    check_unit(spec("s", start=0, end=8, unit="km"), "km")
    check_unit(spec("s", start=0, end=8), "km")
    check_unit(spec("identity"), "km")
    with pytest.raises(RangeError, match="is in 'm', the criterion in 'km'") as error:
        check_unit(spec("s", start=0, end=8, unit="m"), "km", where="criteria.roads")
    assert error.value.where == "criteria.roads"


# --- Laws ------------------------------------------------------------------------------------

number = st.floats(-1000, 1000, allow_nan=False).map(lambda v: round(v, 3))
rising3 = st.lists(number, min_size=3, max_size=3, unique=True).map(sorted)
rising4 = st.lists(number, min_size=4, max_size=4, unique=True).map(sorted)
hedges = st.lists(
    st.sampled_from(["very", "extremely", "somewhat", "more_or_less", "not"]), max_size=2
)


@st.composite
def specs(draw: st.DrawFn) -> ValueSpec:
    kind = draw(
        st.sampled_from(
            [
                "linear",
                "exponential",
                "logarithm",
                "power",
                "logistic_growth",
                "logistic_decay",
                "symmetric_linear",
                "gaussian",
                "near",
                "large",
                "small",
                "ms_large",
                "ms_small",
                "triangular",
                "trapezoidal",
                "s",
                "z",
                "pi",
                "bell",
            ]
        )
    )
    keys: dict[str, Any] = {"hedge": draw(hedges)}
    if kind in ("triangular",):
        keys["corners"] = draw(rising3)
    elif kind in ("trapezoidal", "pi"):
        keys["corners"] = draw(rising4)
    elif kind in ("s", "z"):
        keys["start"], _, keys["end"] = draw(rising3)
    elif kind == "bell":
        keys |= {"midpoint": draw(number), "width": draw(st.floats(0.1, 100))}
    elif kind in ("gaussian", "near"):
        keys |= {"midpoint": draw(number), "spread": draw(st.floats(1e-6, 10))}
    if draw(st.booleans()):
        keys["lower"], keys["upper"] = -100.0, 700.0
        keys["below"] = draw(st.sampled_from([None, 0.0, 0.4, "missing"]))
        keys["above"] = draw(st.sampled_from([None, 0.0, 0.4, "missing"]))
    return spec(kind, **keys)


xs = st.lists(
    st.one_of(st.floats(-2000, 2000), st.sampled_from([math.nan, math.inf, -math.inf])), max_size=20
)


@settings(deadline=None, max_examples=300, derandomize=True)
@given(specs(), xs)
def test_between_0_and_1_and_missing_stays_missing(made: ValueSpec, x: list[float]) -> None:
    measure = np.array(x)
    out = apply_value(made, measure, statistics=DATA)
    known = out[~np.isnan(out)]
    assert ((known >= 0) & (known <= 1)).all()
    assert np.isnan(out[np.isnan(measure)]).all()
    beyond = np.zeros(len(measure), dtype=bool)
    if getattr(made, "below", None) == "missing":
        beyond |= measure < -100
    if getattr(made, "above", None) == "missing":
        beyond |= measure > 700
    np.testing.assert_array_equal(np.isnan(out), np.isnan(measure) | beyond)


@settings(deadline=None, max_examples=200, derandomize=True)
@given(specs(), st.lists(st.floats(-2000, 2000), min_size=2, max_size=20))
def test_goes_the_way_it_says(made: ValueSpec, x: list[float]) -> None:
    direction = monotone(made, DATA)
    out = apply_value(made, np.sort(x), statistics=DATA).astype(float)
    steps = np.diff(out[~np.isnan(out)])
    if direction == "rising":
        assert (steps >= -1e-6).all()
    elif direction == "falling":
        assert (steps <= 1e-6).all()
    elif direction == "flat":
        np.testing.assert_allclose(steps, 0, atol=1e-6)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(st.floats(0, 8))
def test_hedges_keep_their_order(x: float) -> None:
    """extremely ≤ very ≤ the value ≤ somewhat."""
    level = [
        value(spec("s", start=0, end=8, hedge=hedge), x)[0]
        for hedge in (["extremely"], ["very"], [], ["somewhat"])
    ]
    assert level == sorted(level)
    assert value(spec("s", start=0, end=8, hedge=["not", "not"]), x)[0] == pytest.approx(level[2])


@pytest.mark.parametrize(
    "kind",
    [
        "exponential",
        "logarithm",
        "power",
        "logistic_growth",
        "logistic_decay",
        "symmetric_linear",
        "gaussian",
        "near",
        "large",
        "small",
        "ms_large",
        "ms_small",
    ],
)
def test_rescaled_functions_reach_0_and_1(kind: str) -> None:
    """ScaledY = (Y − min Y) / (max Y − min Y): both ends of the scale are taken."""
    out = apply_value(spec(kind, rescale=True), np.linspace(0, 500, 1001), statistics=DATA)
    assert (float(out.min()), float(out.max())) == (0.0, 1.0)


@pytest.mark.parametrize(
    "kind",
    [
        "exponential",
        "logarithm",
        "power",
        "logistic_growth",
        "logistic_decay",
        "symmetric_linear",
        "gaussian",
        "near",
        "ms_large",
        "ms_small",
    ],
)
def test_the_unit_of_the_data_does_not_count(kind: str) -> None:
    """«Celsius or Fahrenheit will produce the same output evaluation values.»"""
    celsius = np.linspace(0, 500, 51)
    fahrenheit = celsius * 1.8 + 32
    # A mean at a·m has no unit-free meaning unless a = 1, which it is.
    other = ValueStatistics(32.0, 932.0, 392.0, 90.0, 1000)
    np.testing.assert_allclose(
        apply_value(spec(kind, rescale=True), celsius, statistics=DATA),
        apply_value(spec(kind, rescale=True), fahrenheit, statistics=other),
        atol=1e-6,
    )
