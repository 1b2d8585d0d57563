"""The closed expression language."""

import pandas as pd
import pytest

from geoplan.errors import InputError, RangeError, UnknownName
from geoplan.expression import columns_of, evaluate, select

FRAME = pd.DataFrame(
    {
        "voltage": ["400000;230000", None, "63000"],
        "mw": [100.0, None, 5.0],
        "kind": ["a", "b", None],
    }
)


def test_arithmetic_keeps_missing_missing() -> None:
    assert evaluate("mw * 2 + 1", FRAME).fillna(-1).tolist() == [201.0, -1.0, 11.0]


def test_text_before_a_separator_becomes_a_number() -> None:
    got = evaluate("where(isnull(voltage), 60, number(first_of(voltage, ';')) / 1000)", FRAME)
    assert got.tolist() == [400.0, 60.0, 63.0]


def test_missing_compares_as_false() -> None:
    assert select("mw > 1", FRAME).tolist() == [True, False, True]
    assert select("not (mw > 1)", FRAME).tolist() == [False, True, False]
    assert select("kind in ['a', 'b'] and mw >= 100", FRAME).tolist() == [True, False, False]
    assert select("kind == 'a' or mw == 5", FRAME).tolist() == [True, False, True]


def test_min_and_max_pass_over_missing_values() -> None:
    assert evaluate("max(mw, 50)", FRAME).tolist() == [100.0, 50.0, 50.0]


def test_columns_are_named() -> None:
    assert columns_of("where(isnull(voltage), 1, mw)") == ("mw", "voltage")


def test_an_unknown_column_is_told_with_those_known() -> None:
    with pytest.raises(UnknownName, match="'mx'") as error:
        evaluate("mx + 1", FRAME)
    assert "kind, mw, voltage" in error.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "mw.__class__",
        "(lambda: 1)()",
        "[x for x in mw]",
        "open('f')",
        "mw ** 9999999",
        "mw if mw else 1",
        "f'{mw}'",
        "mw := 3",
        "voltage[0]",
    ],
)
def test_nothing_outside_the_language_runs(text: str) -> None:
    with pytest.raises(InputError):
        evaluate(text, FRAME)


def test_length_and_depth_are_limited() -> None:
    with pytest.raises(RangeError):
        evaluate("1 + " * 600 + "1", FRAME)
    with pytest.raises((RangeError, InputError)):
        evaluate("-" * 1500 + "1", FRAME)


def test_text_against_numbers_is_told() -> None:
    with pytest.raises(InputError, match="does not fit"):
        evaluate("kind * mw", FRAME)


KEYWORDS = pd.DataFrame(
    {"class": ["primary", "track", None], "from": [1, 2, 3], "is": [0, 1, 2], "yield": [5.0, 6, 7]}
)


def test_columns_may_be_called_like_words_of_python() -> None:
    assert select("class == 'primary'", KEYWORDS).tolist() == [True, False, False]
    assert select("class in ['track', 'lane'] and yield > 5", KEYWORDS).tolist() == [
        False,
        True,
        False,
    ]
    assert evaluate("from * 2 + yield", KEYWORDS).tolist() == [7, 10, 13]
    assert evaluate("where(isnull(class), 0, from)", KEYWORDS).tolist() == [1, 2, 0]
    assert columns_of("class == 'x' and from > 1") == ("class", "from")


@pytest.mark.parametrize("text", ["'class'", '"from class to yield"', "'it is class'"])
def test_words_inside_text_stay_as_they_are(text: str) -> None:
    assert evaluate(text, KEYWORDS) == text[1:-1]


def test_a_part_of_a_name_is_no_keyword() -> None:
    frame = pd.DataFrame({"class_2": [1], "subclass": [2], "for_sale": [3]})
    assert evaluate("class_2 + subclass + for_sale", frame).tolist() == [6]


def test_an_unknown_keyword_column_is_named_as_it_was_written() -> None:
    with pytest.raises(UnknownName, match="unknown column 'class'"):
        evaluate("class == 'a'", FRAME)


@pytest.mark.parametrize("text", ["lambda: 1", "class", "import os", "mw if mw else 1"])
def test_keywords_stay_names_and_start_nothing(text: str) -> None:
    with pytest.raises(InputError):
        evaluate(text, FRAME)
