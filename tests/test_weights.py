"""AHP against published tables; direct weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import ProblemsFound, RangeError, ShapeError, UnknownName
from geoplan.mcda.weights import RANDOM_INDEX, ahp, ahp_from_pairs, direct

DRINKS = [
    [1, 9, 5, 2, 1, 1, 1 / 2],
    [1 / 9, 1, 1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
    [1 / 5, 3, 1, 1 / 3, 1 / 4, 1 / 3, 1 / 9],
    [1 / 2, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [1, 9, 4, 2, 1, 2, 1 / 2],
    [1, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [2, 9, 9, 3, 2, 3, 1],
]
REFUSED = [
    [1, 4, 3, 1, 3, 4],
    [1 / 4, 1, 7, 3, 1 / 5, 1],
    [1 / 3, 1 / 7, 1, 1 / 5, 1 / 5, 1 / 6],
    [1, 1 / 3, 5, 1, 1, 1 / 3],
    [1 / 3, 5, 5, 1, 1, 3],
    [1 / 4, 1, 6, 3, 1 / 3, 1],
]


def test_saaty_2008_drinks() -> None:
    names = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]
    result = ahp(DRINKS, names)
    assert list(result.weights) == names
    np.testing.assert_allclose(
        list(result.weights.values()),
        [0.177457, 0.019149, 0.041831, 0.116417, 0.189572, 0.128781, 0.326793],
        atol=5e-7,
    )
    assert result.lambda_max == pytest.approx(7.176629, abs=5e-7)
    assert result.ci == pytest.approx(0.029438, abs=5e-7)
    assert (result.table, result.random_index) == ("saaty-newer", 1.35)
    assert result.cr == pytest.approx(0.029438 / 1.35, abs=1e-6)
    # the ratio as printed, with the index of its time
    older = ahp(DRINKS, names, table="saaty-1980")
    assert older.cr == pytest.approx(0.0223, abs=5e-5)
    assert older.record()["random_index_table"] == "saaty-1980"


def test_wang_and_chin_2011_is_refused() -> None:
    result = ahp(REFUSED, list("abcdef"), limit=np.inf)
    np.testing.assert_allclose(
        list(result.weights.values()), [0.3208, 0.1395, 0.0348, 0.1285, 0.2374, 0.1391], atol=5e-5
    )
    assert result.lambda_max == pytest.approx(7.419870, abs=5e-7)
    assert ahp(REFUSED, limit=np.inf, table="saaty-1980").cr == pytest.approx(
        1.419870 / 5 / 1.24, abs=1e-6
    )
    with pytest.raises(RangeError, match=r"CR = 0\.22\d\d, above 0\.10") as error:
        ahp(REFUSED, list("abcdef"))
    assert result.odd is not None
    odd = result.odd
    assert f"mend {odd.a}/{odd.b} first: given {odd.given:g}" in error.value.remedy
    assert f"would make CR {odd.cr_mended:.4f}" in error.value.remedy


def test_mending_the_named_pair_helps_as_promised() -> None:
    odd = ahp(REFUSED, list("abcdef"), limit=np.inf).odd
    assert odd is not None
    mended = np.array(REFUSED)
    i, j = "abcdef".index(odd.a), "abcdef".index(odd.b)
    mended[i, j], mended[j, i] = odd.implied, 1 / odd.implied
    assert ahp(mended, limit=np.inf).cr == pytest.approx(odd.cr_mended, abs=1e-9)
    assert odd.cr_mended < 0.18 < 0.2272


def test_the_one_wrong_judgment_is_named() -> None:
    w = np.array([0.4, 0.3, 0.2, 0.07, 0.03])
    a = w[:, None] / w[None, :]
    a[3, 1], a[1, 3] = 3.0, 1 / 3  # turned round: the others imply 7/30
    with pytest.raises(RangeError) as error:
        ahp(a, list("abcde"))
    assert "mend d/b first: given 3, while the other judgments imply about 1/4.29" in (
        error.value.remedy
    )


@pytest.mark.parametrize(("matrix", "weights"), [([[1]], [1.0]), ([[1, 4], [0.25, 1]], [0.8, 0.2])])
def test_one_or_two_criteria_cannot_contradict(
    matrix: list[list[float]], weights: list[float]
) -> None:
    result = ahp(matrix)
    np.testing.assert_allclose(list(result.weights.values()), weights)
    assert result.cr == 0.0
    assert result.odd is None


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0.05, 20), min_size=3, max_size=9))
def test_consistent_judgments_give_back_their_weights(w: list[float]) -> None:
    v = np.array(w)
    result = ahp(v[:, None] / v[None, :])
    np.testing.assert_allclose(list(result.weights.values()), v / v.sum(), rtol=1e-9)
    assert 0 <= result.cr < 1e-9


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 8), st.data())
def test_agrees_with_the_eigenvalues_of_lapack(n: int, data: st.DataObject) -> None:
    scale = st.sampled_from([1 / 9, 1 / 7, 1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5, 7, 9])
    a = np.eye(n)
    for i in range(n):
        for j in range(i + 1, n):
            a[i, j] = data.draw(scale)
            a[j, i] = 1 / a[i, j]
    result = ahp(a, limit=np.inf)
    values, vectors = np.linalg.eig(a)
    k = int(np.argmax(values.real))
    assert result.lambda_max == pytest.approx(values[k].real, rel=1e-9)
    vector = np.abs(vectors[:, k].real)
    np.testing.assert_allclose(list(result.weights.values()), vector / vector.sum(), rtol=1e-7)


def test_pairs_by_name_in_either_direction() -> None:
    result = ahp_from_pairs(["water", "power", "road"], {"water/power": 2, "road/water": 1 / 6,
                                                         "power/road": 3})  # fmt: skip
    assert result.weights == pytest.approx({"water": 0.6, "power": 0.3, "road": 0.1})
    assert result.cr == pytest.approx(0, abs=1e-12)


def test_all_problems_of_the_pairs_at_once() -> None:
    with pytest.raises(ProblemsFound) as error:
        ahp_from_pairs(
            ["a", "b", "c", "d"],
            {"a/b": 3, "b/a": 2, "a/x": 1, "a/a": 1, "c/d": -2, "b": 1},
        )
    text = str(error.value)
    assert "weights.pairs.b/a: this pair is given twice" in text
    assert "x is not a criterion" in text
    assert "weights.pairs.a/a: compares a criterion with itself" in text
    assert "weights.pairs.c/d: is -2" in text
    assert "weights.pairs.b: is not a pair" in text
    for missing in ("a/c", "a/d", "b/c", "b/d"):
        assert f"{missing} is missing" in text
    assert len(error.value.problems) == 9


def test_a_table_that_is_not_reciprocal_is_refused() -> None:
    with pytest.raises(ProblemsFound, match="1 problems") as error:
        ahp([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1, 1]], ["a", "b", "c"])
    assert "b/c is 2 but c/b is 1" in str(error.value)
    assert ahp([[1, 3], [0.33, 1]]).weights["c1"] == pytest.approx(0.75)
    with pytest.raises(ProblemsFound, match="c1/c2 is 0"):
        ahp([[1, 0], [0, 1]])
    with pytest.raises(ProblemsFound, match="c1/c2 is missing"):
        ahp([[1, np.nan], [1, 1]])
    with pytest.raises(ProblemsFound, match="c2/c2 is 2"):
        ahp([[1, 1], [1, 2]])
    with pytest.raises(ShapeError):
        ahp([[1, 2, 3], [1, 2, 3]])
    with pytest.raises(RangeError, match="16 criteria"):
        ahp(np.ones((16, 16)))
    with pytest.raises(UnknownName, match="dice"):
        ahp(DRINKS, table="dice")


def test_the_table_of_random_indices() -> None:
    """Saaty's newer row, n = 3 … 15."""
    assert RANDOM_INDEX["saaty-newer"][:8] == (0.52, 0.89, 1.11, 1.25, 1.35, 1.40, 1.45, 1.49)
    assert {len(row) for row in RANDOM_INDEX.values()} == {13}


def test_direct_weights_sum_to_one() -> None:
    assert direct({"a": 3, "b": 1}) == {"a": 0.75, "b": 0.25}
    with pytest.raises(RangeError, match="'b': -1"):
        direct({"a": 3, "b": -1})
    with pytest.raises(RangeError, match="no weight is above 0"):
        direct({"a": 0})
