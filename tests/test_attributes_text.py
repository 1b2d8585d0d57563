"""Text columns without a Python object a cell: the same as letter by letter in Python."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.ingest.attributes.letters import key_forms, search_keys
from geoplan.ingest.attributes.utf8 import trim
from geoplan.persian import is_destroyed, key_form, search_key

LETTERS = "آابپکكيىیءئأإةه۱١1/- ?\u200c\u200f\u0640\u064b\u0651\u0653\u0654ﻙﻼﷺ\u00a0\tAé\u0301"
TEXTS = st.lists(
    st.one_of(st.none(), st.text(max_size=8), st.text(st.sampled_from(LETTERS), max_size=8)),
    max_size=12,
)


@settings(deadline=None)  # the first call compiles
@given(TEXTS)
def test_keys_of_a_column_are_the_keys_of_its_cells(texts: list[str | None]) -> None:
    expected = [None if t is None else key_form(t) or None for t in texts]
    assert key_forms(pa.array(texts, pa.string())).to_pylist() == expected


@settings(deadline=None)  # the first call compiles
@given(TEXTS)
def test_search_keys_of_a_column_are_those_of_its_cells(texts: list[str | None]) -> None:
    expected = [None if t is None else search_key(t) or None for t in texts]
    assert search_keys(pa.array(texts, pa.string())).to_pylist() == expected


@settings(deadline=None)  # the first call compiles
@given(TEXTS)
def test_trimmed_and_emptied_as_by_hand(texts: list[str | None]) -> None:
    out, destroyed = trim(pa.array(texts, pa.string()))
    expected = []
    for text in texts:
        bare = None if text is None else text.strip().strip("\x00 \t\n\u00a0")
        lost = is_destroyed(text) or (bare is not None and "\x00" in bare)
        expected.append(None if lost or not bare else bare)
    plain = [e for t, e in zip(texts, expected, strict=True) if t is None or "\x00" not in t]
    got = [e for t, e in zip(texts, out.to_pylist(), strict=True) if t is None or "\x00" not in t]
    assert got == plain
    said = {i for i, t in enumerate(texts) if is_destroyed(t)}
    assert said <= set(destroyed.tolist())
    assert all("\x00" in (texts[i] or "") for i in set(destroyed.tolist()) - said)


def test_trim_by_hand() -> None:
    out, destroyed = trim(
        pa.array(
            ["  a b ", "??", "why?", "? ?", "?", "", " ", None, "a\x00b", "x\x00\x00", "a\ufffd"]
        )
    )
    assert out.to_pylist() == [
        "a b", None, "why?", "? ?", None, None, None, None, None, "x", None,
    ]  # fmt: skip
    assert destroyed.tolist() == [1, 4, 8, 10]


def test_sound_columns_are_not_copied() -> None:
    column = pa.array(["تهران", "x", None])
    assert trim(column)[0] is column


def test_slices_keep_their_rows() -> None:
    whole = pa.array(["a", "ك ", None, "٣", "d"])
    assert key_forms(whole[1:4]).to_pylist() == ["ک", None, "3"]
    assert trim(whole[1:4])[0].to_pylist() == ["ك", None, "٣"]


def test_bytes_that_are_no_utf8_are_destroyed_text() -> None:
    data = np.frombuffer(b"ok\xd9x\xed\xa0\x80", dtype=np.uint8)
    offsets = np.array([0, 2, 4, 7], dtype=np.int32)
    array = pa.StringArray.from_buffers(3, pa.py_buffer(offsets), pa.py_buffer(data))
    out, destroyed = trim(array)
    assert out.to_pylist() == ["ok", None, None]
    assert destroyed.tolist() == [1, 2]


@pytest.mark.parametrize("rows", [0, 3])
def test_columns_of_nothing(rows: int) -> None:
    nothing = pa.array([None] * rows, pa.string())
    assert key_forms(nothing).to_pylist() == search_keys(nothing).to_pylist() == [None] * rows
