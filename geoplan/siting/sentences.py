"""The sentences that say why a site is in or out, in English and Persian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geoplan.catalogue.text import Text
from geoplan.persian import to_persian_digits

__all__ = ["RESOURCE_NAMES", "Amount", "Named", "both", "fa_number", "joined", "number"]

RESOURCE_NAMES = {
    "water": Text(en="water", fa="آب"),
    "power": Text(en="power", fa="برق"),
    "wastewater": Text(en="wastewater treatment", fa="تصفیهٔ فاضلاب"),
}
"""Resources in the middle of a sentence; another resource goes by its own name."""

_UNITS_FA = {
    "m3/day": "مترمکعب در روز",
    "MVA": "مگاولت‌آمپر",
    "ha": "هکتار",
    "km": "کیلومتر",
    "m": "متر",
    "min": "دقیقه",
    "%": "٪",
    "persons": "نفر",
    "cost-km": "کیلومتر هم‌ارز",
    "km/km2": "کیلومتر بر کیلومتر مربع",
    "km/h": "کیلومتر بر ساعت",
}
_UNITS_EN = {"m3/day": "m³/day"}


def number(value: float, *, decimals: int | None = None) -> str:
    """Return a number as English text: three digits that count, thousands apart.

    >>> number(12345.6), number(12.34), number(0.0456), number(40.0)
    ('12,346', '12.3', '0.0456', '40')
    """
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 or value == round(value) else 1 if size >= 10 else 2
        if 0 < size < 0.1:
            decimals = 4
    return f"{value:,.{decimals}f}"


def fa_number(value: float, *, decimals: int | None = None) -> str:
    """Return a number as Persian text, with Persian digits and separators.

    >>> fa_number(12345.6), fa_number(0.25)
    ('۱۲٬۳۴۶', '۰٫۲۵')
    """
    text = number(value, decimals=decimals)
    return to_persian_digits(text.translate({ord(","): "٬", ord("."): "٫"}))


@dataclass(frozen=True)
class Named:
    """A name in both languages; ids stand in for names that are not known."""

    en: str
    fa: str

    @classmethod
    def of(cls, en: object, local: object, key: str) -> Named:
        """Return the name of something from its columns."""
        english = en if isinstance(en, str) and en else key
        return cls(english, local if isinstance(local, str) and local else english)


@dataclass(frozen=True)
class Amount:
    """A number with its unit, for a sentence."""

    value: float
    unit: str
    decimals: int | None = None

    @property
    def en(self) -> str:
        """In English."""
        unit = _UNITS_EN.get(self.unit, self.unit)
        return f"{number(self.value, decimals=self.decimals)} {unit}".rstrip()

    @property
    def fa(self) -> str:
        """In Persian."""
        unit = _UNITS_FA.get(self.unit, self.unit)
        return f"{fa_number(self.value, decimals=self.decimals)} {unit}".rstrip()


def joined(parts: Sequence[Named | Amount]) -> Named:
    """Return a list in words: «a, b and c»."""
    if len(parts) < 2:
        return Named("".join(p.en for p in parts), "".join(p.fa for p in parts))
    en = ", ".join(p.en for p in parts[:-1]) + f" and {parts[-1].en}"
    fa = "، ".join(p.fa for p in parts[:-1]) + f" و {parts[-1].fa}"
    return Named(en, fa)


def both(en: str, fa: str, **words: object) -> Text:
    """Fill a sentence in both languages.

    ``words`` are put in by name: a `Named`, `Amount` or `Text` in the sentence's language, a
    whole or broken number in its digits, text as it is.
    """
    english: dict[str, str] = {}
    persian: dict[str, str] = {}
    for name, word in words.items():
        if isinstance(word, Named | Amount):
            english[name], persian[name] = word.en, word.fa
        elif isinstance(word, Text):
            english[name], persian[name] = word.en, word.fa or word.en
        elif isinstance(word, int | float):
            english[name], persian[name] = number(word), fa_number(word)
        else:
            english[name] = persian[name] = str(word)
    return Text(en=en.format(**english), fa=fa.format(**persian))
