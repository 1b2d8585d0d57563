"""The sentences of a join of regions, English and Persian."""

from __future__ import annotations

from geoplan.catalogue.text import Text
from geoplan.persian import to_persian_digits

__all__ = ["sentence"]

_SENTENCES = {
    "code": ("same code", "کد یکسان"),
    "name": ("same name in the same parent", "نام یکسان در همان استان"),
    "variant": ("'{old}' and '{new}' are spellings of one name in the same parent",
                "«{old}» و «{new}» دو نوشتارِ یک نام در همان استان‌اند"),
    "geometry": ("same place: {of_old} of the old and {of_new} of the new area",
                 "همان مکان: {of_old} از مساحت قدیم و {of_new} از مساحت جدید"),
    "renamed": ("renamed: '{old}' is now '{new}'; {of_old} of the old area lies in it and makes "
                "up {of_new} of it",
                "تغییر نام: «{old}» اکنون «{new}» است؛ {of_old} از مساحت قدیم در آن است و {of_new} "
                "از آن را می‌سازد"),
    "renamed-code": ("same code, other name: '{old}' is now '{new}'",
                     "کد یکسان با نامی دیگر: «{old}» اکنون «{new}» است"),
    "moved": ("parent {old_parent} became {new_parent}",
              "استان {old_parent} به {new_parent} تغییر کرده است"),
    "shrank": ("it keeps {of_old} of its old area", "{of_old} از مساحت قدیم خود را نگه داشته است"),
    "grew": ("{of_new} of the new area was in it before",
             "{of_new} از مساحت جدید پیش‌تر در آن بود"),
    "split": ("split from '{old}': {of_new} of the new region lies in it, {of_old} of the old "
              "region's area",
              "جداشده از «{old}»: {of_new} از منطقهٔ جدید در آن است، برابر {of_old} از مساحت قدیم"),
    "split-more": ("parts also from {others}", "بخش‌هایی هم از {others}"),
    "sea": ("{open} of it lies in no region of the other source (sea or gap)",
            "{open} از آن در هیچ منطقه‌ای از منبع دیگر نیست (دریا یا شکاف)"),
    "merged": ("merged into '{new}': {of_old} of the old area lies in it",
               "ادغام‌شده در «{new}»: {of_old} از مساحت قدیم در آن است"),
    "scattered": ("no name agrees and its area lies across several regions: {others}",
                  "هیچ نامی همخوان نیست و مساحت آن میان چند منطقه است: {others}"),
    "uncovered": ("no name agrees and {open} of its area lies in no region of the other source",
                  "هیچ نامی همخوان نیست و {open} از مساحت آن در هیچ منطقه‌ای از منبع دیگر نیست"),
    "nearest": ("what is covered lies in {others}", "بخش پوشیدهٔ آن در {others} است"),
    "no-shape": ("no name in the same parent agrees, and without shapes its place is not known",
                 "هیچ نامی در همان استان همخوان نیست و بدون هندسه جای آن معلوم نیست"),
    "ambiguous": ("its name fits more than one region of the other source ({others}), and no "
                  "shape tells them apart",
                  "نام آن با بیش از یک منطقه از منبع دیگر ({others}) می‌خواند و هندسه آن‌ها را جدا "
                  "نمی‌کند"),
    "no-name": ("it has no name, and no shape that fits",
                "نام ندارد و هندسه‌ای همخوان هم نیست"),
    "conflict-apart": ("conflict: {method} says one region, but they share {of_old} of the old and "
                       "{of_new} of the new area",
                       "ناسازگاری: {method} یکی می‌داند، اما تنها {of_old} از مساحت قدیم و {of_new} "
                       "از مساحت جدید مشترک است"),
    "conflict-rival": ("conflict: by area it is '{rival}' ({of_rival} in common)",
                       "ناسازگاری: از نظر مساحت، «{rival}» است ({of_rival} مشترک)"),
    "conflict-elsewhere": ("conflict: the name '{old}' now belongs to region {code}",
                           "ناسازگاری: نام «{old}» اکنون از آنِ منطقهٔ {code} است"),
    "conflict-name": ("conflict: same code, but the names '{old}' and '{new}' differ and no shape "
                      "confirms it",
                      "ناسازگاری: کد یکسان است اما نام‌های «{old}» و «{new}» متفاوت‌اند و هندسه‌ای "
                      "آن را تأیید نمی‌کند"),
}  # fmt: skip

_METHODS = {"code": ("the code", "کد"), "name": ("the name", "نام"),
            "variant": ("the name", "نام"), "geometry": ("the shape", "هندسه")}  # fmt: skip


def sentence(key: str, **words: float | str) -> Text:
    """Return one sentence; shares are written in per cent, methods by their names."""
    en, fa = _SENTENCES[key]
    english: dict[str, str] = {}
    persian: dict[str, str] = {}
    for name, word in words.items():
        if name == "method":
            english[name], persian[name] = _METHODS[str(word)]
        elif isinstance(word, str):
            english[name], persian[name] = word, _persian(word)
        else:
            english[name] = _percent(word)
            persian[name] = to_persian_digits(english[name].rstrip("%")).replace(".", "٫") + "٪"
    return Text(en=en.format(**english), fa=fa.format(**persian))


def _persian(word: str) -> str:
    return to_persian_digits(word).replace(", ", "، ").replace("%", "٪")


def _percent(share: float) -> str:
    value = 100.0 * share
    return f"{value:.1f}%" if 0 < value < 10 or 99 < value < 99.95 else f"{value:.0f}%"
