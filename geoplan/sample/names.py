"""Invented names, in English and Persian.

Roots are put together from syllables that mean nothing, so that no name pretends to be a real
place. Persian is written with Persian letters (ی, ک) and with a zero-width non-joiner where two
words are written as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

__all__ = ["KINDS", "Name", "Names"]

ZWNJ = "\u200c"

_FIRST = (
    ("Tal", "تال"), ("Vor", "ور"), ("Kis", "کیس"), ("Nav", "ناو"), ("Zar", "زر"), ("Mil", "میل"),
    ("Dor", "در"), ("Shan", "شان"), ("Par", "پر"), ("Rod", "رُد"), ("Sil", "سیل"), ("Gor", "گر"),
    ("Hav", "هاو"), ("Bir", "بیر"), ("Lor", "لور"), ("Yas", "یاس"), ("Man", "مان"), ("Far", "فار"),
    ("Tir", "تیر"), ("Kav", "کاو"), ("Jov", "جو"), ("Ost", "اُست"), ("Arv", "ارو"), ("Bel", "بل"),
    ("Chir", "چیر"), ("Vis", "ویس"), ("Nil", "نیل"), ("Sor", "سور"), ("Dil", "دیل"), ("Rav", "راو"),
)  # fmt: skip
_LAST = (
    ("una", "ونا"), ("evar", "ِوار"), ("andis", "ندیس"), ("okan", "وکان"), ("ilan", "یلان"),
    ("amur", "امور"), ("esta", "ستا"), ("irun", "یرون"), ("avash", "اوش"), ("ondar", "وندر"),
    ("elin", "لین"), ("uvan", "ووان"), ("akis", "اکیس"), ("orad", "وراد"), ("inju", "ینجو"),
    ("atem", "اتم"), ("ubar", "وبار"), ("ezin", "زین"), ("adush", "ادوش"), ("imar", "یمار"),
    ("oshta", "وشتا"), ("avin", "اوین"), ("erkan", "رکان"), ("ulis", "ولیس"), ("anvar", "نوار"),
    ("ipan", "یپان"), ("oman", "ومان"), ("eshar", "شار"), ("usta", "وستا"), ("agul", "اگول"),
)  # fmt: skip

KINDS: dict[str, tuple[str, str]] = {
    "province": ("{} Province", "استان {}"),
    "county": ("{} County", "شهرستان {}"),
    "district": ("{} District", "بخش {}"),
    "place": ("{}", "{}"),
    "village_abad": ("{}-abad", "{}" + ZWNJ + "آباد"),
    "village_deh": ("Deh-e {}", "ده {}"),
    "village_upper": ("Upper {}", "{} بالا"),
    "village_lower": ("Lower {}", "{} پایین"),
    "port": ("Port {}", "بندر {}"),
    "river": ("{} River", "رود {}"),
    "lake": ("Lake {}", "دریاچهٔ {}"),
    "reservoir": ("{} Reservoir", "دریاچهٔ سد {}"),
    "dam": ("{} Dam", "سد {}"),
    "wellfield": ("{} Wellfield", "چاه" + ZWNJ + "های {}"),
    "desalination": ("{} Desalination Plant", "آب" + ZWNJ + "شیرین" + ZWNJ + "کن {}"),
    "intake": ("{} River Intake", "آبگیر رودخانهٔ {}"),
    "wastewater": ("{} Wastewater Plant", "تصفیه" + ZWNJ + "خانهٔ فاضلاب {}"),
    "power_thermal": ("{} Thermal Power Plant", "نیروگاه حرارتی {}"),
    "power_hydro": ("{} Hydro Power Plant", "نیروگاه آبی {}"),
    "power_wind": ("{} Wind Farm", "نیروگاه بادی {}"),
    "power_solar": ("{} Solar Park", "نیروگاه خورشیدی {}"),
    "substation": ("{} Substation", "پست برق {}"),
    "protected": ("{} Protected Area", "منطقهٔ حفاظت" + ZWNJ + "شدهٔ {}"),
    "park": ("{} National Park", "پارک ملی {}"),
    "wetland": ("{} Wetland", "تالاب {}"),
    "farmland": ("{} Plain", "دشت {}"),
    "fault": ("{} Fault", "گسل {}"),
    "estate": ("{} Industrial Estate", "شهرک صنعتی {}"),
    "zone": ("{} Industrial Zone", "ناحیهٔ صنعتی {}"),
    "road": ("Road {}", "جادهٔ {}"),
}
"""How each kind of thing is named in English and Persian."""


@dataclass(frozen=True, slots=True)
class Name:
    """One name in both languages."""

    en: str
    fa: str

    def as_kind(self, kind: str, suffix: str = "") -> Name:
        """Return the name of a ``kind`` called after this one; ``suffix`` tells equals apart."""
        en, fa = KINDS[kind]
        return Name(en.format(self.en) + suffix, fa.format(self.fa) + suffix.translate(_DIGITS))


_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@dataclass
class Names:
    """A stock of names that gives each root once."""

    rng: np.random.Generator
    _roots: list[Name] = field(init=False)

    def __post_init__(self) -> None:
        pairs = [
            Name(a_en + b_en, (a_fa + b_fa).replace("\u064f", "").replace("\u0650", ""))
            for a_en, a_fa in _FIRST
            for b_en, b_fa in _LAST
        ]
        by_fa: dict[str, Name] = {}
        for name in pairs:  # two roots may be spelled alike in Persian, where short vowels are not
            by_fa.setdefault(name.fa, name)
        stock = list(by_fa.values())
        self._roots = [stock[i] for i in self.rng.permutation(len(stock))]

    def root(self) -> Name:
        """Return a root that was not given before."""
        return self._roots.pop()

    def part(self, count: int) -> Names:
        """Return a stock of its own with ``count`` of the roots that are left."""
        other = Names(np.random.default_rng(0))
        other._roots = [self.root() for _ in range(count)]
        return other

    @property
    def left(self) -> int:
        """Roots that are left."""
        return len(self._roots)
