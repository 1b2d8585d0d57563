"""Days of the Jalali and the Gregorian calendar, from text, numbers and date columns."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from geoplan.persian import key_form

__all__ = ["Calendar", "day_of", "days_from_jalali", "read_days"]

Calendar = Literal["auto", "jalali", "gregorian", "excel"]

_JALALI_YEARS = (1200, 1500)
_GREGORIAN_YEARS = (1800, 2100)
_TOLD_JALALI = (1178, 1633)  # within these the 33-year cycle agrees with the sun
_TEXT = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|(\d{2})(\d{2}))"
    r"(?:(?:T|\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
_EXCEL_ZERO = date(1899, 12, 30).toordinal()
_UNIX_ZERO = date(1970, 1, 1).toordinal()
_LAST_EXCEL = date(9999, 12, 31).toordinal() - _EXCEL_ZERO


def days_from_jalali(year: int, month: int, day: int) -> int | None:
    """Return days since 1970-01-01 of a Jalali date, or None where there is no such day.

    Parameters
    ----------
    year, month, day : int
        A Jalali date; years 1178 to 1633.

    Notes
    -----
    Years of a 33-year cycle with 8 leap years, the 1, 5, 9, 13, 17, 22, 26 and 30 of it: the
    arithmetic of ``jdatetime``, which agrees with the equinox in these years.
    """
    leap = year % 33 in (1, 5, 9, 13, 17, 22, 26, 30)
    length = 31 if month <= 6 else 30 if month <= 11 or leap else 29
    if not (_in(year, _TOLD_JALALI) and 1 <= month <= 12 and 1 <= day <= length):
        return None
    y = year - 979
    before = 365 * y + (y // 33) * 8 + (y % 33 + 3) // 4
    before += 31 * (month - 1) if month <= 7 else 186 + 30 * (month - 7)
    # 979/01/01 was 135 061 days before 1970-01-01.
    return before + day - 1 - 135_061


def _gregorian(year: int, month: int, day: int) -> int | None:
    try:
        return date(year, month, day).toordinal() - _UNIX_ZERO
    except ValueError:
        return None


def _in(year: int, years: tuple[int, int]) -> bool:
    return years[0] <= year <= years[1]


def _day(year: int, month: int, day: int, calendar: Calendar) -> int | None:
    if calendar == "jalali" or (calendar == "auto" and _in(year, _JALALI_YEARS)):
        return days_from_jalali(year, month, day)
    if calendar == "gregorian" or (calendar == "auto" and _in(year, _GREGORIAN_YEARS)):
        return _gregorian(year, month, day)
    return None


def _excel(serial: float) -> int | None:
    whole = int(serial // 1)
    # Excel has a 29 February 1900 (serial 60) that never was; before it the count is one behind.
    if whole == 60 or not 1 <= whole <= _LAST_EXCEL:
        return None
    return _EXCEL_ZERO + whole + (1 if whole < 60 else 0) - _UNIX_ZERO


def _from_text(text: str, calendar: Calendar) -> int | None:
    text = text.strip() if text.isascii() else key_form(text)
    if calendar == "excel":
        return _excel(float(text)) if re.fullmatch(r"\d{1,7}(\.\d+)?", text) else None
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    year, _, m, d, m8, d8, hour, minute, second, zone = found.groups()
    if hour is not None and (int(hour) > 23 or int(minute) > 59 or int(second or 0) > 60):
        return None
    days = _day(int(year), int(m or m8), int(d or d8), calendar)
    if days is not None and zone not in (None, "Z"):
        # The day in UTC, as for a column of moments.
        local = datetime(1970, 1, 1, int(hour), int(minute), tzinfo=UTC).timestamp()
        offset = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
        days += int((local - (offset if zone[0] == "+" else -offset)) // 86_400)
    return days


def day_of(value: object, calendar: Calendar = "auto") -> date | None:
    """Return the day that one value names, or None.

    Parameters
    ----------
    value : object
        Text as in :func:`read_days`, a whole number of 8 digits, a date or a moment.
    calendar : {"auto", "jalali", "gregorian", "excel"}
        As in :func:`read_days`.

    Examples
    --------
    >>> day_of("۱۴۰۳/۱/۱"), day_of("1402/12/30"), day_of("20240320")
    (datetime.date(2024, 3, 20), None, datetime.date(2024, 3, 20))
    """
    if isinstance(value, datetime | date):
        moment = value
        if isinstance(moment, datetime) and moment.tzinfo is not None:
            moment = moment.astimezone(UTC)
        days = _day(moment.year, moment.month, moment.day, calendar)
    elif isinstance(value, str):
        days = _from_text(value, calendar)
    elif isinstance(value, int | float | np.number) and np.isfinite(float(value)):
        days = _from_number(float(value), calendar)
    else:
        return None
    ordinal = None if days is None else days + _UNIX_ZERO
    return None if ordinal is None or not 1 <= ordinal <= 3_652_059 else date.fromordinal(ordinal)


def _from_number(value: float, calendar: Calendar) -> int | None:
    if calendar == "excel":
        return _excel(value)
    return _from_text(str(int(value)), calendar) if value.is_integer() and value > 0 else None


def read_days(column: pa.Array, *, calendar: Calendar = "auto") -> Any:
    """Return the days of a column.

    Parameters
    ----------
    column : pyarrow.Array
        Text ``YYYY/MM/DD`` with ``/``, ``-`` or ``.``, or ``YYYYMMDD``, any digits, a time of day
        after it or none; whole numbers ``YYYYMMDD``; dates and moments.
    calendar : {"auto", "jalali", "gregorian", "excel"}
        ``auto``: years 1200 to 1500 are Jalali and 1800 to 2100 Gregorian, others are no year.
        A date column whose years are 1200 to 1500 holds Jalali dates that a program took for
        Gregorian ones. ``excel``: numbers count days from 1899-12-30; never taken unless told.

    Returns
    -------
    Date32Array, ndarray of bool
        Days, missing where there is none; True where a value is no day of its calendar.
    """
    missing = column.is_null()
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        column = column.cast(pa.date32(), safe=False)
        years = pc.min_max(pc.year(column))
        low, high = years["min"].as_py(), years["max"].as_py()
        plain = calendar == "gregorian" or (
            calendar == "auto" and (low is None or (_in(low, _GREGORIAN_YEARS) and high <= 2100))
        )
        if plain:
            return column, np.zeros(len(column), dtype=bool)
    # Days repeat: each is read once.
    coded = column.dictionary_encode()
    days = [day_of(v, calendar) for v in coded.dictionary.to_pylist()]
    out = pa.array(days, pa.date32()).take(coded.indices)
    bad = pc.and_not(out.is_null(), missing)
    return out, np.asarray(bad.to_numpy(zero_copy_only=False), dtype=bool)
