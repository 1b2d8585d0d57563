"""Persian text: keys that agree, digits, dates, destroyed names."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoplan.errors import RangeError
from geoplan.persian import (
    from_jalali,
    is_destroyed,
    key_form,
    key_letter,
    likeness,
    search_key,
    to_jalali,
    to_latin_digits,
    to_persian_digits,
)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("كهگيلويه و بوير احمد", "کهگیلویه وبویراحمد"),
        ("بوئین میاندشت", "بویین میاندشت"),
        ("خمینی‌شهر", "خميني شهر"),
        ("آمل", "امل"),
        ("مُحمَّد", "محمد"),
        ("تـهـران", "تهران"),
        ("بقعة", "بقعه"),
        ("منطقه ۲۲", "منطقه ٢٢"),
        ("Eşfahān", "ESFAHAN"),
        ("Chahār Maḩāl", "Chahar Mahal"),
        ("Bandar-e ‘Abbās", "bandar e abbas"),
    ],
)
def test_spellings_of_one_name_agree(a: str, b: str) -> None:
    assert search_key(a) == search_key(b) != ""


@pytest.mark.parametrize(("a", "b"), [("ری", "راه"), ("بم", "قم"), ("ساری", "ساوه")])
def test_different_names_stay_apart(a: str, b: str) -> None:
    assert search_key(a) != search_key(b)


@given(st.text())
def test_a_key_is_its_own_key(text: str) -> None:
    assert search_key(search_key(text)) == search_key(text)


@given(st.text(), st.text())
def test_likeness_is_bounded_and_symmetric(a: str, b: str) -> None:
    assert 0.0 <= likeness(a, b) == likeness(b, a) <= 1.0


def test_likeness_by_hand() -> None:
    assert likeness("Shiraz", "Shīrāz") == 1.0
    # keys 'abcd' and 'bcde': the block 'bcd' has 3 letters, 2 * 3 / 8.
    assert likeness("abcd", "bcde") == pytest.approx(0.75)
    assert likeness("", "x") == 0.0


def test_digits_go_there_and_back() -> None:
    assert to_persian_digits("1402/05") == "۱۴۰۲/۰۵"
    assert to_latin_digits("۱۴۰۲ ٠١") == "1402 01"


@pytest.mark.parametrize("text", ["??????", "????????? ????", "Sh\ufffdraz", "?"])
def test_destroyed_text_is_found(text: str) -> None:
    assert is_destroyed(text)


@pytest.mark.parametrize("text", ["تهران", "چرا؟", "Kavir-e ?ajj", "", None, 3])
def test_sound_text_is_left_alone(text: object) -> None:
    assert not is_destroyed(text)


def test_jalali_new_year_days() -> None:
    # 1403 began on 20 March 2024 and 1395, a leap year, ended on 20 March 2017.
    assert to_jalali(date(2024, 3, 20), persian_digits=False) == "1403/01/01"
    assert to_jalali(date(2017, 3, 20)) == "۱۳۹۵/۱۲/۳۰"
    assert from_jalali("۱۳۹۵/۱۲/۳۰") == date(2017, 3, 20)


@given(st.dates(date(1925, 1, 1), date(2100, 12, 31)))
def test_dates_go_there_and_back(day: date) -> None:
    assert from_jalali(to_jalali(day)) == day


@pytest.mark.parametrize("text", ["1396/12/30", "1402/13/01", "soon", "", "1402/1"])
def test_impossible_days_are_refused(text: str) -> None:
    with pytest.raises(RangeError, match="not a Jalali date"):
        from_jalali(text)


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("۱۲/۳ الف", "12/3 الف"),
        ("١٢/٣  الف ", "12/3 الف"),
        ("123", "123"),
        ("ك-٧", "ک-7"),
        ("علي", "علی"),
        ("موسى", "موسی"),
        ("پلاک\u200cها", "پلاکها"),
        ("\u202b۱۴\u202c", "14"),
        ("بـلـوک ۲", "بلوک 2"),
        # Presentation forms of 'کد', as a CAD font stored them.
        ("\ufb8e\ufeaa", "کد"),
        ("A-7\u00a0b", "A-7 b"),
        ("\ufeffx\x00", "x"),
        ("\u200f \u200c", ""),
    ],
)
def test_keys_by_hand(written: str, key: str) -> None:
    assert key_form(written) == key


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("۱۲/۳", "123"),
        ("12-3", "12/3"),
        ("A7", "a7"),
        ("۱۲ الف", "۱۲ ب"),
        ("1 2", "12"),
        ("آ", "ا"),
    ],
)
def test_keys_that_a_person_tells_apart_stay_apart(a: str, b: str) -> None:
    assert key_form(a) != key_form(b)


PERSIAN = st.text(
    st.sampled_from("آابپکكيىیءئأإةه۱١1/- \u200c\u200f\u0640\u064b\u0651\u0653\u0654ﻙﻼﷺﷲ")
)


@given(st.one_of(st.text(), PERSIAN))
def test_a_key_form_is_its_own_key_form(text: str) -> None:
    assert key_form(key_form(text)) == key_form(text)


@given(st.one_of(st.text(), PERSIAN))
def test_names_that_agree_as_keys_agree_in_search(text: str) -> None:
    assert search_key(key_form(text)) == search_key(text)


def test_a_letter_of_a_key_is_a_fixed_point() -> None:
    for code in (*range(0x3000), *range(0xFB50, 0xFF00)):
        out = key_letter(chr(code))
        assert "".join(map(key_letter, out)) == out
