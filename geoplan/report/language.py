"""A reader's language: words, digits, dates and direction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import jdatetime
import pandas as pd
import yaml

from geoplan.catalogue.profile import Profile
from geoplan.catalogue.text import Text
from geoplan.errors import UnknownName

__all__ = ["Language", "languages_of"]

_RIGHT_TO_LEFT = {"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}
_PERSIAN = str.maketrans("0123456789.,-", "۰۱۲۳۴۵۶۷۸۹٫٬−")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_NAMES = {"en": "English", "fa": "فارسی"}
_DASH = "–"
_OTHER_CALENDAR = 1700
"""No law or survey of a run is older by the Gregorian calendar."""

_BARE = ("", "1", "class", "index")
"""Units that are not said after a number."""


@cache
def _words() -> dict[str, Text]:
    path = Path(__file__).parent / "words.yaml"
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {str(key): Text.model_validate(value) for key, value in raw.items()}


@dataclass(frozen=True)
class Language:
    """How one language says things.

    Parameters
    ----------
    code : str
        BCP 47 language code.
    calendar : str
        ``gregorian`` or ``jalali``; Jalali dates are used in Persian text only.
    terms : mapping of str to Text
        Words of the profile, over the report's own.
    """

    code: str
    calendar: str = "gregorian"
    terms: Mapping[str, Text] = field(default_factory=dict)

    @property
    def direction(self) -> str:
        """``rtl`` or ``ltr``."""
        return "rtl" if self.code.split("-")[0] in _RIGHT_TO_LEFT else "ltr"

    @property
    def own_name(self) -> str:
        """What the language calls itself."""
        return _NAMES.get(self.code, self.code)

    def has(self, key: str) -> bool:
        """Return whether there is a word for ``key``."""
        return key in self.terms or key in _words()

    def t(self, key: str, /, **values: Any) -> str:
        """Return the word for ``key``, with ``{name}`` filled in.

        Raises
        ------
        UnknownName
            Neither the profile's terms nor the report's words have it.
        """
        own, text = _words().get(key), self.terms.get(key)
        if text is None and own is None:
            raise UnknownName(f"no word for '{key}'", where="geoplan/report/words.yaml")
        words = (text or cast(Text, own)).in_language(self.code)
        if text is not None and own is not None and own.en[:1].isupper():
            # Terms are written as in running text; where the report has a heading, so has a term.
            words = words[:1].upper() + words[1:]
        for name, value in values.items():
            words = words.replace(f"{{{name}}}", str(value))
        return words

    def word(self, prefix: str, name: Any) -> str:
        """Return the word for ``prefix_name``, else the name itself: names come from data."""
        if _missing(name):
            return _DASH
        key = f"{prefix}_{name}"
        return self.t(key) if self.has(key) else str(name)

    def text(self, value: Text | None, fallback: str = "") -> str:
        """Return a catalogue text in this language."""
        return value.in_language(self.code) if value is not None else fallback

    def name(self, english: Any, local: Any) -> str:
        """Return a name: English readers get the English one, others the local one."""
        first, second = (english, local) if self.code == "en" else (local, english)
        for candidate in (first, second):
            if not _missing(candidate) and str(candidate).strip():
                return str(candidate)
        return _DASH

    def digits(self, text: Any) -> str:
        """Return text with this language's digits; nothing else changes."""
        return str(text).translate(_PERSIAN_DIGITS) if self.code == "fa" else str(text)

    def source(self, english: Any, local: Any, kind: Any) -> str:
        """Return the name of a source; what is built on the site has its kind for a name."""
        name = self.name(english, local)
        return self.word("kind", kind) if name in (_DASH, str(kind)) else name

    def number(self, value: Any, decimals: int = 0) -> str:
        """Return a number with group separators; a dash where missing.

        Examples
        --------
        >>> Language("fa").number(12345.678, 1), Language("en").number(float("nan"))
        ('۱۲٬۳۴۵٫۷', '–')
        """
        if _missing(value):
            return _DASH
        number = float(value)
        if not math.isfinite(number):
            return _DASH
        text = f"{number:,.{decimals}f}"
        if float(text.replace(",", "")) == 0:
            text = text.lstrip("-")
        return text.translate(_PERSIAN) if self.code == "fa" else text.replace("-", "−")

    def amount(self, value: Any) -> str:
        """Return an amount: whole from 100 on, one decimal below."""
        if _missing(value):
            return _DASH
        return self.number(value, 0 if abs(float(value)) >= 100 else 1)

    @property
    def comma(self) -> str:
        """Comma and space between the parts of a list."""
        return "، " if self.code in ("ar", "fa", "ur") else ", "

    @property
    def semicolon(self) -> str:
        """Semicolon and space between the parts of a list."""
        return "؛ " if self.code in ("ar", "fa", "ur") else "; "

    def compact(self, value: Any, figures: int = 6) -> str:
        """Return a number with as many decimals as it needs.

        ``figures`` are the most significant figures shown; no figure before the decimal point
        is ever dropped.
        """
        if _missing(value):
            return _DASH
        number = float(value)
        if abs(number) >= 10 ** (figures - 1):
            return self.number(number)
        text = f"{number:,.{figures}g}"
        if "e" in text:
            return text
        return text.translate(_PERSIAN) if self.code == "fa" else text.replace("-", "−")

    def percent(self, share: Any, decimals: int = 0) -> str:
        """Return a share, 0–1, in per cent."""
        if _missing(share):
            return _DASH
        text = self.number(float(share) * 100, decimals)
        return f"{text}٪" if self.code == "fa" else f"{text}%"

    def small_percent(self, share: Any) -> str:
        """Return a gap, 0–1, in per cent with two figures, never rounded to nothing."""
        if _missing(share):
            return _DASH
        value = float(share) * 100
        decimals = 0 if value == 0 else max(0, 1 - math.floor(math.log10(abs(value))))
        return self.percent(share, min(decimals, 8))

    def unit(self, unit: str) -> str:
        """Return a unit as readers write it."""
        return "" if unit in ("", "1") else self.word("unit", unit)

    def measured(self, value: Any, unit: str, figures: int = 6) -> str:
        """Return a number with its unit; a dash alone where missing. See `compact`.

        Examples
        --------
        >>> Language("en").measured(12.5, "%"), Language("en").measured(3, "km")
        ('12.5%', '3 km')
        """
        if _missing(value):
            return _DASH
        bare = unit in _BARE
        space = "" if bare or unit == "%" else " "
        return f"{self.compact(value, figures)}{space}{'' if bare else self.unit(unit)}"

    def date(self, value: Any) -> str:
        """Return a date; Persian text of a Jalali country gets the Jalali one.

        A text that is no ISO date (a year, ``1399``), or one of another calendar
        (``1378-12-02``), is kept as printed in its source.
        """
        if _missing(value):
            return _DASH
        day = value
        if isinstance(value, str):
            try:
                day = datetime.fromisoformat(value.replace("Z", "+00:00"))
            except ValueError:
                return self.digits(value)
            if len(value) < len("2000-01-01"):
                return self.digits(value)
            if day.year < _OTHER_CALENDAR:
                return self.digits(value.replace("-", "/"))
        if isinstance(day, datetime):
            day = day.date()
        if not isinstance(day, date):
            return self.digits(day)
        if self.code == "fa" and self.calendar == "jalali":
            jalali = jdatetime.date.fromgregorian(date=day)
            return self.digits(f"{jalali.year:04d}/{jalali.month:02d}/{jalali.day:02d}")
        return self.digits(day.isoformat())


def languages_of(profile: Profile) -> tuple[Language, ...]:
    """Return the languages of a country's pages: its default first, English always among them."""
    codes = list(dict.fromkeys([*profile.languages, "en"]))
    return tuple(Language(code, profile.calendar, profile.terms) for code in codes)


def _missing(value: Any) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float) and not math.isfinite(value)
