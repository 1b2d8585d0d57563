"""What a reader of a run must be told, in both languages."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from geoplan.catalogue import LayerSpec, Profile, Scenario
from geoplan.catalogue.text import Text
from geoplan.errors import Relaxation
from geoplan.persian import to_persian_digits
from geoplan.siting.supply import PERSIAN

__all__ = [
    "assumptions",
    "in_persian",
    "missing_measures",
    "orphan_regions",
    "robustness",
    "unknown_index",
]


def _fa(number: float) -> str:
    return to_persian_digits(f"{number:,}").replace(",", "٬")


def orphan_regions(lost: pd.DataFrame, profile: Profile) -> list[Text]:
    """Return a notice for each level that has regions whose parent is not loaded."""
    titles = {level.level: level.title for level in profile.region_levels}
    out = []
    for number, part in lost.groupby("level"):
        level = int(str(number))
        own, above = titles[level], titles[level - 1]
        code = part["code"].iloc[0]
        out.append(
            Text(
                en=f"{len(part)} regions of level {level} ({own.en}) name a parent that is not "
                f"loaded (for example {code}); they belong to no {above.en.lower()}",
                fa=f"{_fa(len(part))} منطقه از سطح «{own.in_language('fa')}» به منطقهٔ بالاتری "
                f"اشاره می‌کنند که بارگذاری نشده است (مانند {code})؛ پس در هیچ "
                f"«{above.in_language('fa')}» شمرده نمی‌شوند",
            )
        )
    return out


def unknown_index(unknown: int, total: int) -> list[Text]:
    """Return a notice where regions have too little data for the index."""
    if not unknown:
        return []
    return [
        Text(
            en=f"{unknown} of {total} regions have too little data for the industrialisation "
            "index; they count as neither more nor less industrialised",
            fa=f"{_fa(unknown)} منطقه از {_fa(total)} برای شاخص صنعتی‌شدن دادهٔ کافی ندارند؛ "
            "نه کمتر صنعتی و نه بیشتر صنعتی شمرده می‌شوند",
        )
    ]


def missing_measures(missing: pd.DataFrame, scenario: Scenario) -> list[Text]:
    """Return a notice for each criterion without data on some allowed cells.

    Parameters
    ----------
    missing : DataFrame
        ``criterion``, ``policy``, ``cells``, ``excluded``, as `criteria.Suitability.missing`.
    """
    out = []
    for row in missing.itertuples(index=False):
        if not row.cells:
            continue
        title = scenario.criteria[str(row.criterion)].title or Text(en=str(row.criterion))
        en = {
            "exclude": f"left out ({row.excluded:,} for this reason only)",
            "zero": "given the value 0",
            "mean": "given the mean value",
        }[str(row.policy)]
        fa = {
            "exclude": f"کنار گذاشته شد ({_fa(row.excluded)} یاخته تنها به همین دلیل)",
            "zero": "ارزش صفر گرفت",
            "mean": "ارزش میانگین گرفت",
        }[str(row.policy)]
        out.append(
            Text(
                en=f"{title.en}: {row.cells:,} allowed cells have no data and were {en}",
                fa=f"{title.in_language('fa')}: {_fa(row.cells)} یاختهٔ مجاز داده ندارد و {fa}",
            )
        )
    return out


def robustness() -> Text:
    """Return the notice that robustness was asked for but is not computed."""
    return Text(
        en="robustness was asked for but is not computed in this version; "
        "inclusion_acceptability is empty",
        fa="پایداری خواسته شده بود، ولی در این نسخه محاسبه نمی‌شود؛ ستون "
        "inclusion_acceptability خالی است",
    )


def assumptions(
    versions: dict[str, dict[str, object]], sources: pd.DataFrame, layers: dict[str, LayerSpec]
) -> tuple[Text, ...]:
    """Return what was assumed, in words: the method of each layer of assumed headroom."""
    used = set(sources.loc[sources["basis"] == "assumed", "source_id"].str.partition(":")[0])
    out = []
    for name, version in sorted(versions.items()):
        if name not in used and version.get("basis") != "assumed":
            continue
        title = layers[name].title if name in layers else Text(en=name)
        method = version.get("method")
        told = method if isinstance(method, dict) else {}
        en = told.get("en") or "headroom is assumed; no operator's figures were at hand"
        fa = told.get("local") or "ظرفیت آزاد فرضی است؛ رقمی از بهره‌بردار در دست نبود"
        out.append(Text(en=f"{title.en}: {en}", fa=f"{title.in_language('fa')}: {fa}"))
    return tuple(out)


def in_persian(
    relaxation: Relaxation, *, regions: pd.DataFrame, sources: pd.DataFrame
) -> Relaxation:
    """Return a limit that would have to move with its words in Persian.

    Parameters
    ----------
    relaxation : Relaxation
        As `relax` returns it.
    regions : DataFrame
        ``code``, ``name_en``, ``name_local``.
    sources : DataFrame
        ``source_id``, ``name_en``, ``name_local``.
    """
    kind, _, rest = relaxation.limit.partition(":")
    if kind == "headroom":
        resource, _, source = rest.partition(":")
        name = _name(sources, "source_id", source)
        text = f"ظرفیت آزاد {PERSIAN.get(resource, resource)} از «{name}»"
    elif kind == "region-cap":
        text = f"بیشترین شمار مکان‌ها در «{_name(regions, 'code', rest)}»"
    elif kind == "cap":
        resource, _, cap = rest.partition(":")
        text = f"سقف مشترک {PERSIAN.get(resource, resource)} با شناسهٔ «{cap}»"
    elif kind == "reinforcement":
        resource, _, source = rest.partition(":")
        name = _name(sources, "source_id", source)
        text = f"شمار مدول‌های تقویت {PERSIAN.get(resource, resource)} در «{name}»"
    elif kind in ("lock-in", "lock-out"):
        text = f"قید {'بودن' if kind == 'lock-in' else 'نبودن'} مکان {rest} در طرح"
    elif kind == "quota" and rest:
        text = f"سهمیهٔ «{rest.rsplit(':', 1)[0]}»"
    elif kind == "supply":
        text = f"تأمین {PERSIAN.get(rest, rest)} برای مکان‌هایی که منبعی در دسترس ندارند"
    elif relaxation.limit == "count:all-limits-kept":
        text = "یا: بیشترین شمار مکان‌ها با حفظ همهٔ محدودیت‌ها"
    else:
        text = {
            "quota": "کمترین شمار مکان‌ها در مناطق کمتر صنعتی",
            "spacing": "کمترین فاصلهٔ مکان‌ها از هم",
            "area": "کمترین مساحت طرح",
            "budget": "کل هزینه",
            "count": "شمار مکان‌های طرح",
        }.get(kind, relaxation.label)
    return replace(relaxation, label_fa=text)


def _name(frame: pd.DataFrame, key: str, value: str) -> str:
    rows = frame[frame[key].astype(str) == value]
    for column in ("name_local", "name_en"):
        if len(rows) and isinstance(rows[column].iloc[0], str):
            return str(rows[column].iloc[0])
    return value
