"""Tables for people: nothing is cut in the middle, and a pipe gets everything."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.cli.table import Column, paragraph, table_lines

COLUMNS = (
    Column("layer", ["roads", "provinces"]),
    Column("rows", ["5,577", "31"], right=True),
    Column("made", ["", ""], right=True, rank=1),
    Column("as of", ["1992", ""], rank=1),
    Column("title", ["Roads", "Provinces"], rank=2),
)


def test_numbers_stand_below_each_other_and_empty_columns_go() -> None:
    assert table_lines(COLUMNS) == [
        "layer       rows  as of  title",
        "roads      5,577  1992   Roads",
        "provinces     31         Provinces",
    ]


@pytest.mark.parametrize(
    ("width", "heading"),
    [
        (34, "layer       rows  as of  title"),
        (33, "layer       rows  as of"),
        (22, "layer       rows"),
        (5, "layer       rows"),
    ],
)
def test_what_matters_least_goes_first(width: int, heading: str) -> None:
    assert table_lines(COLUMNS, width)[0] == heading


@given(
    st.lists(st.sampled_from(["a", "of", "words", "1,234.5", "رودخانه"]), max_size=60),
    st.integers(30, 120),
)
def test_a_paragraph_keeps_its_words_and_its_width(words: list[str], width: int) -> None:
    text = paragraph("  warning   ", " ".join(words), width)
    assert text.split() == ["warning", *words] or not words
    assert all(len(line) <= width for line in text.splitlines())
    assert all(line.startswith(" " * 12) for line in text.splitlines()[1:])


def test_a_pipe_gets_one_line() -> None:
    assert paragraph("  error  ", "word " * 60) == "  error  " + "word " * 60
