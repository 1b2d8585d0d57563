"""Persian text: keys, search keys, digits, Jalali dates, and text that an encoding destroyed."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from difflib import SequenceMatcher

import jdatetime

from geoplan.errors import RangeError

__all__ = [
    "from_jalali",
    "is_destroyed",
    "key_form",
    "key_letter",
    "likeness",
    "search_key",
    "to_jalali",
    "to_latin_digits",
    "to_persian_digits",
]

_LATIN = "0123456789"
_PERSIAN = "۰۱۲۳۴۵۶۷۸۹"
_ARABIC = "٠١٢٣٤٥٦٧٨٩"

_TO_PERSIAN = str.maketrans(_LATIN + _ARABIC, _PERSIAN + _PERSIAN)
_TO_LATIN = str.maketrans(_PERSIAN + _ARABIC, _LATIN + _LATIN)

# Letters that keyboards, encodings and neighbouring languages write in several ways.
_LETTERS = str.maketrans(
    {
        "ي": "ی", "ى": "ی", "ې": "ی", "ے": "ی",
        "ك": "ک", "ڪ": "ک",
        "ة": "ه", "ە": "ه", "ہ": "ه", "ھ": "ه", "ۃ": "ه",
        "ٱ": "ا", "ء": None, "ـ": None,
        "ı": "i", "ø": "o", "æ": "ae", "ß": "ss",
    }
)  # fmt: skip

# A key keeps its letters apart; only what keyboards of one language write in two ways is one.
_KEY_LETTERS = {"ي": "ی", "ى": "ی", "ك": "ک", "ـ": ""}

# Arabic presentation forms: glyphs that old DOS and CAD fonts stored instead of letters.
_PRESENTATION = re.compile("[\ufb50-\ufdff\ufe70-\ufefe]")

# Signs that stand before digits in Arabic; Unicode calls them format characters, people see them.
_VISIBLE_FORMAT = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2")

# Written "??" once; a lone question mark is punctuation.
_DESTROYED = re.compile(r"\?{2,}|�|^\s*\?\s*$")


def to_latin_digits(text: str) -> str:
    """Return ``text`` with Persian and Arabic digits as 0–9.

    >>> to_latin_digits("۱۴۰۲ و ٣٫٥")
    '1402 و 3٫5'
    """
    return text.translate(_TO_LATIN)


def to_persian_digits(text: str) -> str:
    """Return ``text`` with every digit as ۰–۹, for display.

    >>> to_persian_digits("1402")
    '۱۴۰۲'
    """
    return text.translate(_TO_PERSIAN)


def search_key(text: str) -> str:
    """Return the form of a name in which its spellings agree.

    Letters of one sound that keyboards write apart (ي/ی, ك/ک, ة/ه, آ/ا, ئ/ی) become one, digits
    become 0–9, case is folded, and diacritics, tatweel, half-spaces, spaces and punctuation go.
    Latin accents go too, so that ``Eşfahān`` and ``Esfahan`` agree.

    Parameters
    ----------
    text : str
        A name.

    Returns
    -------
    str
        Only letters and digits; empty when nothing is left. Applying it twice changes nothing.

    Examples
    --------
    >>> search_key("كهگيلويه و بوير‌احمد") == search_key("کهگیلویه وبویراحمد")
    True
    """
    key = text
    # A fold may uncover a letter that the next round maps; two rounds reach the fixed point.
    for _ in range(3):
        folded = unicodedata.normalize("NFKD", key.translate(_TO_LATIN)).casefold()
        folded = folded.translate(_LETTERS)
        result = "".join(c for c in folded if unicodedata.category(c)[0] in "LN")
        if result == key:
            break
        key = result
    return key


def key_letter(letter: str) -> str:
    """Return what one character becomes in a key: itself, another, a space, or nothing.

    Parameters
    ----------
    letter : str
        One character.

    Returns
    -------
    str
        Any white space is one space; half-spaces, direction marks, tatweel and control
        characters are nothing; a presentation form becomes its letters.
    """
    if letter in _KEY_LETTERS:
        return _KEY_LETTERS[letter]
    if letter.isspace():
        return " "
    if _PRESENTATION.match(letter):
        # Isolated marks are defined as space and mark; the space is no part of the text.
        plain = unicodedata.normalize("NFKC", letter)
        plain = plain.lstrip(" ") if plain != letter else plain
        return plain if plain == letter else "".join(map(key_letter, plain))
    if unicodedata.category(letter) in ("Cc", "Cf") and letter not in _VISIBLE_FORMAT:
        return ""
    return letter.translate(_TO_LATIN)


def key_form(text: str) -> str:
    """Return the form of a key in which its ways of typing agree, and nothing more.

    Arabic ي, ى and ك become Persian ی and ک, digits become 0–9, presentation forms become
    letters, half-spaces, direction marks and tatweel go, spaces are trimmed and collapsed. Signs,
    letters and case stay: unlike :func:`search_key`, two keys that a person tells apart stay two.

    Parameters
    ----------
    text : str
        A key as written.

    Returns
    -------
    str
        Composed (NFC); empty when nothing is left. Applying it twice changes nothing.

    Examples
    --------
    >>> key_form(" ۱۲/۳  الف"), key_form("ك-٧")
    ('12/3 الف', 'ک-7')
    """
    letters = "".join(map(key_letter, unicodedata.normalize("NFC", text)))
    return " ".join(unicodedata.normalize("NFC", letters).split())


def likeness(a: str, b: str) -> float:
    """Return how alike two names are, 0 to 1, by their search keys.

    Twice the number of letters in matching blocks over the number of letters of both
    (Ratcliff and Obershelp 1988). Two empty names are 0 alike.
    """
    ka, kb = search_key(a), search_key(b)
    if not ka or not kb:
        return 0.0
    # The measure depends on the order of its arguments; sorting makes it symmetric.
    first, second = sorted((ka, kb))
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def is_destroyed(text: object) -> bool:
    """Tell whether an encoding destroyed this text: runs of ``??``, or U+FFFD.

    >>> is_destroyed("????? ???"), is_destroyed("چرا؟"), is_destroyed("Why?")
    (True, False, False)
    """
    return isinstance(text, str) and _DESTROYED.search(text) is not None


def to_jalali(day: date, *, persian_digits: bool = True) -> str:
    """Return a Gregorian date in the Jalali calendar, ``YYYY/MM/DD``.

    >>> to_jalali(date(2024, 3, 20), persian_digits=False)
    '1403/01/01'
    """
    if isinstance(day, datetime):
        day = day.date()
    text = jdatetime.date.fromgregorian(date=day).strftime("%Y/%m/%d")
    return to_persian_digits(text) if persian_digits else text


def from_jalali(text: str) -> date:
    """Return the Gregorian date of a Jalali ``YYYY/MM/DD`` (any digits; ``/``, ``-`` or ``.``).

    Raises
    ------
    RangeError
        It is not a day of the Jalali calendar.
    """
    parts = re.split(r"[/\-.]", to_latin_digits(text.strip()))
    try:
        year, month, day = (int(p) for p in parts)
        found: date = jdatetime.date(year, month, day).togregorian()
    except (TypeError, ValueError) as error:
        raise RangeError(
            f"'{text}' is not a Jalali date", remedy="write year/month/day, for example 1402/05/31"
        ) from error
    return found
