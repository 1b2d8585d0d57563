"""Numbers, days and units of source columns; duplicate keys of a whole file."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from itertools import product

import jdatetime
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import InputError
from geoplan.ingest.attributes.day import day_of, days_from_jalali, read_days
from geoplan.ingest.attributes.keys import DuplicateKey, KeyIndex
from geoplan.ingest.attributes.number import read_numbers, read_whole
from geoplan.ingest.attributes.unit import UNITS, convert, unit_factor
from geoplan.persian import to_jalali, to_persian_digits


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12.0),
        ("-3.5", -3.5),
        ("+7", 7.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("۱۲۳٫۴۵", 123.45),
        ("٣٬٤٥٦", 3456.0),
        ("۱٬۲۳۴٬۵۶۷٫۸", 1234567.8),
        ("1,234.5", 1234.5),
        ("1,234,567", 1234567.0),
        ("12 345", 12345.0),
        ("12\u00a0345.5", 12345.5),
        ("−4", -4.0),
        ("\u200f۱۲", 12.0),
        # Two meanings, or none: never guessed.
        ("1,234", None),
        ("12,5", None),
        ("1.234,5", None),
        ("1.234.567", None),
        ("1234,567.8", None),
        ("12,34,567", None),
        ("1 23", None),
        ("12/5", None),
        ("12 ha", None),
        ("0x10", None),
        ("1_000", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
    ],
)
def test_numbers_by_hand(text: str, number: float | None) -> None:
    value, bad = read_numbers(pa.array([text, None]))
    assert value.to_pylist() == [number, None]
    assert bad.tolist() == [number is None, False]


@pytest.mark.parametrize(
    ("text", "decimal", "number"),
    [
        ("1,234", ".", 1234.0),
        ("1,234", ",", 1.234),
        ("12,5", ",", 12.5),
        ("1.234,5", ",", 1234.5),
        ("1.234", ",", 1234.0),
        ("1.23", ",", None),
        ("۱،۵", ",", 1.5),
        ("۱٫۵", ",", 1.5),
        ("12,5", ".", None),
    ],
)
def test_a_stated_decimal_mark_settles_it(text: str, decimal: str, number: float | None) -> None:
    assert read_numbers(pa.array([text]), decimal=decimal)[0].to_pylist() == [number]  # type: ignore[arg-type]


@settings(deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_go_there_and_back(numbers: list[float]) -> None:
    texts = [to_persian_digits(repr(n)).replace(".", "٫") for n in numbers]
    value, bad = read_numbers(pa.array(texts))
    assert value.to_pylist() == numbers
    assert not bad.any()


@settings(deadline=None)
@given(st.integers(-(10**12), 10**12))
def test_grouped_numbers_go_there_and_back(number: int) -> None:
    texts = [f"{number:,}".replace(",", "٬"), to_persian_digits(f"{number:,}.25")]
    value, _ = read_numbers(pa.array(texts), decimal=".")
    sign = -1 if number < 0 else 1
    assert value.to_pylist() == [number, number + sign * 0.25]


def test_whole_numbers_stay_exact() -> None:
    # 2^53 + 1 has no double.
    whole = read_whole(pa.array(["9007199254740993", "007", None]))
    assert whole is not None
    assert whole.to_pylist() == [9007199254740993, 7, None]
    assert read_whole(pa.array(["0x10"])) is None
    assert read_whole(pa.array(["1.5"])) is None


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-03-20", date(2024, 3, 20)),
        ("2024/3/5", date(2024, 3, 5)),
        ("20240320", date(2024, 3, 20)),
        (20240320, date(2024, 3, 20)),
        (14030101.0, date(2024, 3, 20)),
        ("2024-03-20 23:59:59.5", date(2024, 3, 20)),
        ("2024-03-20T00:30:00+03:30", date(2024, 3, 19)),
        ("2024-03-20T23:00:00-03:30", date(2024, 3, 21)),
        ("2024-03-20T10:00Z", date(2024, 3, 20)),
        ("۱۴۰۳/۰۱/۰۱", date(2024, 3, 20)),
        ("١٤٠٣-١-١", date(2024, 3, 20)),
        ("1403.1.1", date(2024, 3, 20)),
        ("14030101", date(2024, 3, 20)),
        ("1399/12/30", date(2021, 3, 20)),
        (date(2024, 3, 20), date(2024, 3, 20)),
        (date(1403, 1, 1), date(2024, 3, 20)),
        (datetime(2024, 3, 20, 23, 0, tzinfo=UTC), date(2024, 3, 20)),
        # Days that never were, and what could be several days.
        ("1402/12/30", None),
        ("2023-02-29", None),
        ("1402/13/01", None),
        ("1402/07/31", None),
        ("1402/0/1", None),
        ("1402/05-31", None),
        ("31/05/1402", None),
        ("02/05/31", None),
        ("1402", None),
        ("1402/05", None),
        ("1650/01/01", None),
        ("2101/01/01", None),
        ("2024-03-20 25:00", None),
        ("soon", None),
        (45371, None),
        (45371.5, None),
        (True, None),
        (float("nan"), None),
    ],
)
def test_days_by_hand(value: object, day: date | None) -> None:
    assert day_of(value) == day


def test_calendars_that_are_told() -> None:
    assert day_of("1403/01/01", "gregorian") == date(1403, 1, 1)
    assert day_of("2024/03/20", "jalali") is None
    # Excel counts 2024-03-20 as 45371 and has a 29 February 1900, which is no day.
    assert day_of(45371.75, "excel") == day_of("45371", "excel") == date(2024, 3, 20)
    assert day_of(61, "excel") == date(1900, 3, 1)
    assert day_of(60, "excel") is None
    assert day_of(59, "excel") == date(1900, 2, 28)
    assert day_of(1, "excel") == date(1900, 1, 1)


def test_all_jalali_days_are_those_of_jdatetime() -> None:
    for year, month, day in product(range(1300, 1420), range(14), range(33)):
        days = days_from_jalali(year, month, day)
        try:
            found = jdatetime.date(year, month, day).togregorian()
        except ValueError:
            assert days is None
        else:
            assert days is not None
            assert found == date.fromordinal(days + date(1970, 1, 1).toordinal())


@given(st.dates(date(1825, 1, 1), date(2100, 12, 31)))
def test_days_go_there_and_back(day: date) -> None:
    assert day_of(to_jalali(day)) == day
    assert day_of(day.isoformat()) == day
    assert day_of(f"{day:%Y%m%d}") == day


def test_columns_of_days() -> None:
    days, bad = read_days(pa.array(["1403/01/01", None, "1402/12/30", "2024-03-20"]))
    assert days.to_pylist() == [date(2024, 3, 20), None, None, date(2024, 3, 20)]
    assert bad.tolist() == [False, False, True, False]
    moments = pa.array([datetime(2024, 3, 20, 12), None], pa.timestamp("ms"))
    assert read_days(moments)[0].to_pylist() == [date(2024, 3, 20), None]
    # A program took Jalali dates for Gregorian ones.
    assert read_days(pa.array([date(1403, 1, 1)]))[0].to_pylist() == [date(2024, 3, 20)]
    assert read_days(pa.array([14030101, None]))[0].to_pylist() == [date(2024, 3, 20), None]


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("ha", "m2", Fraction(10_000)),
        ("m2", "km2", Fraction(1, 1_000_000)),
        ("cm", "m", Fraction(1, 100)),
        ("l/s", "m3/day", Fraction(864, 10)),
        ("L/s", "m3/day", Fraction(864, 10)),
        ("MW", "kW", Fraction(1000)),
        ("kVA", "MVA", Fraction(1, 1000)),
        ("%", "share", Fraction(1, 100)),
        ("مترمربع", "ha", Fraction(1, 10_000)),
        ("persons", "persons", Fraction(1)),
    ],
)
def test_factors_by_hand(source: str, target: str, factor: Fraction) -> None:
    assert unit_factor(source, target) == factor


@pytest.mark.parametrize(
    ("source", "target"), [("kW", "MVA"), ("m", "m2"), ("acre", "ha"), ("m2", "persons")]
)
def test_units_that_do_not_fit(source: str, target: str) -> None:
    with pytest.raises(InputError):
        unit_factor(source, target)


def test_units_go_there_and_back() -> None:
    for a, (kind, _) in UNITS.items():
        for b, (other, _) in UNITS.items():
            if kind == other:
                assert unit_factor(a, b) * unit_factor(b, a) == 1
    # 0.3 m² would be 0.30000000000000004 as 3000 × (1 / 10 000).
    assert convert(3000.0, unit_factor("m2", "ha")) == 0.3


@settings(deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh"), st.text(max_size=40)))))
def test_duplicate_keys_are_those_of_a_dictionary(batches: list[list[str | None]]) -> None:
    index = KeyIndex()
    known: dict[str, list[int]] = {}
    row = 1
    for batch in batches:
        rows = np.arange(row, row + len(batch), dtype=np.int64)
        row += len(batch)
        index.add(pa.array(batch, pa.string()), rows)
        for key, n in zip(batch, rows.tolist(), strict=True):
            if key is not None:
                known.setdefault(key, []).append(n)
    assert len(index) == len(known)
    assert index.duplicates() == tuple(
        DuplicateKey(k, tuple(r)) for k, r in known.items() if len(r) > 1
    )


def test_an_index_grows_by_some_thirty_bytes_a_row() -> None:
    index = KeyIndex()
    for start in range(0, 300_000, 50_000):
        keys = pa.array([f"K{i}" for i in range(start, start + 50_000)])
        index.add(keys, np.arange(start + 1, start + 50_001))
    index.add(pa.array(["K7", "K299999", "new"]), np.array([300_001, 300_002, 300_003]))
    assert index.nbytes / len(index) < 40
    assert index.duplicates() == (
        DuplicateKey("K7", (8, 300_001)),
        DuplicateKey("K299999", (300_000, 300_002)),
    )
