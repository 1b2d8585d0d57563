"""The sentences of a regional pattern: what speaks for an activity, against it, and is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from geoplan.catalogue.pattern import PART_TITLES, Activity, PatternSpec, ResourceNeed
from geoplan.catalogue.text import Text
from geoplan.regions.pattern import Pattern
from geoplan.regions.relatedness import companions
from geoplan.siting.sentences import Amount, Named, both, joined

__all__ = ["Reasons", "reasons_of"]

FloatArray = npt.NDArray[np.float64]

_HIGH, _LOW = 2 / 3, 1 / 3
_ASSUMED = Text(en=" (assumed)", fa=" (فرضی)")
_KNOWN = Named("", "")
_UNKNOWN = {
    "no-figures": Text(en="no figures by region", fa="آماری به تفکیک منطقه در دست نیست"),
    "unknown": Text(en="no figure for this region", fa="برای این منطقه رقمی در دست نیست"),
    "base-unknown": Text(
        en="the size of the region is not known", fa="اندازهٔ صنعت منطقه معلوم نیست"
    ),
    "region-small": Text(
        en="the region has too few units to say", fa="واحدهای منطقه برای داوری کم است"
    ),
    "activity-small": Text(
        en="the nation has too few units to say", fa="واحدهای کشور برای داوری کم است"
    ),
    "too-few": Text(
        en="too few activities have figures by region",
        fa="شمار فعالیت‌هایی که آمار منطقه‌ای دارند کم است",
    ),
    "alike": Text(en="all regions are alike", fa="همهٔ منطقه‌ها یکسان‌اند"),
}
_SUPPLY = {
    "water": ("m3/day", Named("water", "آب")),
    "power": ("MVA", Named("power", "برق")),
}


@dataclass
class Reasons:
    """What is said of one activity in one region."""

    speaks_for: list[Text] = field(default_factory=list)
    against: list[Text] = field(default_factory=list)
    unknown: list[Text] = field(default_factory=list)


def reasons_of(
    spec: PatternSpec, pattern: Pattern, resources: pd.DataFrame
) -> dict[tuple[str, str], Reasons]:
    """Return the sentences of every region and activity.

    Parameters
    ----------
    spec : PatternSpec
    pattern : Pattern
        From `geoplan.regions.pattern.regional_pattern`.
    resources : DataFrame
        As in its `Evidence`, with a column ``assumed``.

    Returns
    -------
    dict of (region, activity) to Reasons
        ``against`` is never empty: where nothing speaks against an activity its weakest part is
        named.
    """
    activities = {a.id: a for a in spec.activities}
    found = {
        (region, kind, need): (value, bool(assumed))
        for region, kind, need, value, assumed in zip(
            resources["region"], resources["activity"], resources["resource"],
            resources["value"], resources["assumed"], strict=True,
        )
    }  # fmt: skip
    amounts = {
        key: np.sort(rows["value"].dropna().to_numpy(dtype=np.float64))
        for key, rows in resources.groupby(["activity", "resource"])
    }
    told = pattern.presence[pattern.proximity.columns]
    out: dict[tuple[str, str], Reasons] = {}
    for (region, kind), rows in pattern.parts.groupby(["region", "activity"], sort=False):
        activity = activities[str(kind)]
        said = out[str(region), str(kind)] = Reasons()
        for row in rows.to_dict("records"):
            part = str(row["part"])
            if part == "resources":
                for need in activity.resources:
                    value, assumed = found.get((region, kind, need.id), (np.nan, False))
                    _resource(said, need, value, assumed, amounts.get((kind, need.id), np.empty(0)))
            elif np.isnan(row["score"]):
                said.unknown.append(_not_known(part, str(row["reason"])))
            elif part == "specialisation":
                _specialised(said, activity, row)
            elif part == "relatedness":
                near = companions(told, pattern.proximity, str(region), activity.id)  # fmt: skip
                _related(said, row, near, activities)
            elif part == "market":
                _market(said, row)
            elif part == "labour":
                _labour(said, spec, row)
            else:
                _supplied(said, spec, part, row)
        if not said.against:
            said.against.append(_weakest(rows))
    return out


def _not_known(part: str, reason: str) -> Text:
    return both(
        "{part}: not known: {why}; it does not count",
        "{part}: معلوم نیست: {why}؛ در امتیاز نیامده است",
        part=PART_TITLES[part], why=_UNKNOWN.get(reason, _UNKNOWN["unknown"]),
    )  # fmt: skip


def _weakest(rows: pd.DataFrame) -> Text:
    known = rows[rows["score"].notna()]
    if known.empty:
        return both(
            "nothing is known of it here",
            "در این منطقه هیچ چیز دربارهٔ آن معلوم نیست",
        )
    row = known.loc[known["score"].idxmin()]
    return both(
        "nothing known speaks plainly against it; its weakest part is {part} ({score})",
        "از دانسته‌ها چیزی آشکارا برخلاف آن نیست؛ ضعیف‌ترین جزء آن «{part}» است ({score})",
        part=PART_TITLES[str(row["part"])],
        score=Amount(float(row["score"]), "", decimals=2),
    )


def _specialised(said: Reasons, activity: Activity, row: Mapping[str, float]) -> None:
    lq, low, high = (float(row[k]) for k in ("value", "low", "high"))
    words: dict[str, object] = {
        "name": activity.title,
        "lq": Amount(lq, "", decimals=2 if lq < 1 else 1),
        "low": Amount(low, "", decimals=2 if low < 1 else 1),
        "high": Amount(high, "", decimals=2 if high < 1 else 1),
    }
    limits_en, limits_fa = " (95 %: {low} to {high})", " (۹۵ درصد: {low} تا {high})"
    if np.isnan(low):
        limits_en, limits_fa = " (capacity: no limits of chance)", " (ظرفیت؛ بی بازهٔ اطمینان)"
        above, below = lq >= 1.25, lq <= 0.8
    else:
        above, below = low > 1, high < 1
    if lq == 0:
        said.against.append(
            both("{name}: none is known in the region (LQ 0)",
                 "{name}: در منطقه هیچ نمونه‌ای شناخته نیست (LQ ۰)", **words)
        )  # fmt: skip
    elif above:
        said.speaks_for.append(
            both("is specialised in it: LQ {lq}" + limits_en,
                 "متخصص است: LQ {lq}" + limits_fa, **words)
        )  # fmt: skip
    elif below:
        said.against.append(
            both("has less of it than its size would give: LQ {lq}" + limits_en,
                 "کمتر از اندازهٔ خود از آن دارد: LQ {lq}" + limits_fa, **words)
        )  # fmt: skip
    elif not np.isnan(low):
        said.unknown.append(
            both("whether it is specialised cannot be told: LQ {lq}" + limits_en,
                 "تخصص آن از تصادف جدا نیست: LQ {lq}" + limits_fa, **words)
        )  # fmt: skip


def _related(
    said: Reasons,
    row: Mapping[str, float],
    near: list[tuple[str, float]],
    activities: Mapping[str, Activity],
) -> None:
    density = Amount(float(row["value"]), "", decimals=2)
    if row["score"] >= _HIGH and near:
        named = []
        for kind, phi in near:
            size = Amount(phi, "", decimals=2)
            title = activities[kind].title
            named.append(Named(f"{title.en} ({size.en})", f"{title.in_language('fa')} ({size.fa})"))
        said.speaks_for.append(
            both("what goes with it is there: {names}; density {density}",
                 "فعالیت‌های هم‌پیوند در منطقه هستند: {names}؛ چگالی {density}",
                 names=joined(named), density=density)
        )  # fmt: skip
    elif row["score"] <= _LOW:
        said.against.append(
            both("little of what goes with it is there: density {density}, in the lowest third",
                 "از فعالیت‌های هم‌پیوند کم دارد: چگالی {density}، در یک‌سوم پایین",
                 density=density)
        )  # fmt: skip


def _resource(
    said: Reasons, need: ResourceNeed, value: float, assumed: bool, known: FloatArray
) -> None:
    mark = _ASSUMED if assumed else _KNOWN
    if np.isnan(value):
        said.unknown.append(
            both("{title}: not known in this region; it does not count",
                 "{title}: در این منطقه معلوم نیست؛ در امتیاز نیامده است", title=need.title)
        )  # fmt: skip
        return
    # Of a bare count the title says what is counted.
    unit = _KNOWN
    if need.figure.value or need.figure.variable:
        unit = Named(f" {need.figure.unit}", f" {need.figure.unit_fa or need.figure.unit}")
    words: dict[str, object] = {
        "title": need.title, "value": Amount(value, ""), "unit": unit, "mark": mark,
    }  # fmt: skip
    if value == 0:
        said.against.append(
            both("{title}: none known in the region{mark}",
                 "{title}: در منطقه شناخته نیست{mark}", **words)
        )  # fmt: skip
        return
    if need.shape == "rank":
        below = int(np.searchsorted(known, value))
        words |= {"below": below, "of": len(known) - 1}
        if below <= _LOW * (len(known) - 1):
            said.against.append(
                both("{title}: {value}{unit}, more than in only {below} of {of} others{mark}",
                     "{title}: {value}{unit}، تنها از {below} منطقه از {of} منطقهٔ دیگر "
                     "بیشتر{mark}", **words)
            )  # fmt: skip
            return
    said.speaks_for.append(
        both("{title}: {value}{unit} in the region{mark}",
             "{title}: {value}{unit} در منطقه{mark}", **words)
    )  # fmt: skip


def _supplied(said: Reasons, spec: PatternSpec, part: str, row: Mapping[str, float]) -> None:
    unit, name = _SUPPLY[part]
    need, free = float(row["need"]), float(row["value"])
    words: dict[str, object] = {
        "name": name, "need": Amount(need, unit), "free": Amount(free, unit),
        "ha": Amount(spec.estate_ha, "ha"), "mark": _ASSUMED if row["assumed"] else _KNOWN,
        "share": Amount(100 * need / free if free > 0 else np.nan, "", decimals=0),
    }  # fmt: skip
    if need > free:
        said.against.append(
            both("{name}: needs {need} per {ha}, the region has {free} left{mark}",
                 "{name}: برای هر {ha} به {need} نیاز دارد و منطقه {free} آزاد دارد{mark}",
                 **words)
        )  # fmt: skip
    elif need > 0.5 * free:
        said.against.append(
            both("{name}: needs {need} per {ha}, {share} % of the {free} that are left{mark}",
                 "{name}: برای هر {ha} به {need} نیاز دارد، {share} درصد از {free} آزاد{mark}",
                 **words)
        )  # fmt: skip
    elif need <= spec.ample_share * free:
        said.speaks_for.append(
            both("{name}: needs {need} per {ha}, only {share} % of the {free} that are left{mark}",
                 "{name}: برای هر {ha} به {need} نیاز دارد، تنها {share} درصد از {free} "
                 "آزاد{mark}", **words)
        )  # fmt: skip


def _labour(said: Reasons, spec: PatternSpec, row: Mapping[str, float]) -> None:
    need, free = float(row["need"]), float(row["value"])
    words: dict[str, object] = {
        "need": Amount(need, "", decimals=0), "free": Amount(free, "", decimals=0),
        "ha": Amount(spec.estate_ha, "ha"), "mark": _ASSUMED if row["assumed"] else _KNOWN,
    }  # fmt: skip
    if need > 0.5 * free:
        said.against.append(
            both("labour: {need} jobs per {ha}, and {free} people are without work{mark}",
                 "نیروی کار: {need} شغل برای هر {ha}، و {free} نفر بیکارند{mark}", **words)
        )  # fmt: skip
    elif need <= spec.ample_share * free:
        said.speaks_for.append(
            both("labour: {need} jobs per {ha}, for {free} people without work{mark}",
                 "نیروی کار: {need} شغل برای هر {ha}، در برابر {free} نفر بیکار{mark}", **words)
        )  # fmt: skip


def _market(said: Reasons, row: Mapping[str, float]) -> None:
    words: dict[str, object] = {"value": Amount(float(row["value"]), "", decimals=0)}
    en = "market: {value} people per km of way within reach, in the {third} third of regions"
    fa = "بازار: {value} نفر به ازای هر کیلومتر راه، در یک‌سوم {third} منطقه‌ها"
    if row["score"] >= _HIGH:
        said.speaks_for.append(both(en, fa, third=Named("highest", "بالای"), **words))
    elif row["score"] <= _LOW:
        said.against.append(both(en, fa, third=Named("lowest", "پایین"), **words))
