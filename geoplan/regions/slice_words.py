"""How each slice came about, in English and Persian."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from geoplan.catalogue.slices import TargetSpec
from geoplan.catalogue.text import Text
from geoplan.persian import to_persian_digits
from geoplan.regions.slice_claims import PARTS

__all__ = ["LISTED", "PART_WORDS", "digits", "fill", "listed", "name_of", "reasons_of", "unit_of"]

PART_WORDS = {
    "need": Text(en="need", fa="نیاز"),
    "capacity": Text(en="capacity", fa="ظرفیت"),
    "past": Text(en="past", fa="جذب گذشته"),
}
"""The parts of a claim in a sentence."""

_UNIT_FA = {
    "ha": "هکتار",
    "m3/day": "مترمکعب در روز",
    "MVA": "مگاولت‌آمپر",
    "jobs": "شغل",
    "persons": "نفر",
    "IRR bn": "میلیارد ریال",
    "USD": "دلار",
}
LISTED = 3
"""Regions that a sentence names one by one; the others are counted."""


def digits(value: float, decimals: int = 0) -> Text:
    """Return a number as text in both languages.

    >>> digits(1234.5, 1).fa
    '۱٬۲۳۴٫۵'
    """
    en = f"{value:,.{decimals}f}"
    return Text(en=en, fa=to_persian_digits(en.translate({ord(","): "٬", ord("."): "٫"})))


def unit_of(spec: TargetSpec) -> Text:
    """Return the target's unit for a sentence."""
    return Text(en=spec.unit, fa=_UNIT_FA.get(spec.unit, spec.unit))


def name_of(row: pd.Series) -> Text:
    """Return the name of a region; its code stands in for a name that is not known."""
    en = row["name_en"] if isinstance(row["name_en"], str) and row["name_en"] else row["code"]
    fa = row["name_fa"] if isinstance(row["name_fa"], str) and row["name_fa"] else en
    return Text(en=str(en), fa=str(fa))


def fill(en: str, fa: str, **words: Text) -> Text:
    """Fill a sentence in both languages, each word in its own."""
    english = {k: v.en for k, v in words.items()}
    persian = {k: v.fa or v.en for k, v in words.items()}
    return Text(en=en.format(**english), fa=fa.format(**persian))


def listed(items: Sequence[Text], others: int) -> Text:
    """Return «a, b and 3 other regions»."""
    shown = list(items)
    if others > 0:
        n = digits(others)
        word = "other region" if others == 1 else "other regions"
        shown.append(Text(en=f"{n.en} {word}", fa=f"{n.fa} منطقهٔ دیگر"))
    if len(shown) == 1:
        return shown[0]
    en = ", ".join(t.en for t in shown[:-1]) + f" and {shown[-1].en}"
    fa = "، ".join(t.fa or t.en for t in shown[:-1]) + f" و {shown[-1].fa}"
    return Text(en=en, fa=fa)


def reasons_of(spec: TargetSpec, frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the sentences of every row of the slices, English and Persian.

    Parameters
    ----------
    spec : TargetSpec
    frame : DataFrame
        As in `SliceResult`, without the reasons.
    """
    held = frame.set_index(["level", "code"])["slice"]
    out: list[Text | None] = [None] * len(frame)
    for (level, parent), group in _groups(frame):
        total = spec.total if level == 1 else int(held.get((level - 1, parent), 0))
        flow = _flow(group)
        for position, row in group.iterrows():
            out[int(position)] = _reason(spec, row, total, flow)
    filled = [t for t in out if t is not None]
    return [t.en for t in filled], [t.fa or t.en for t in filled]


def _groups(frame: pd.DataFrame) -> list[tuple[tuple[int, str], pd.DataFrame]]:
    parent = frame["parent_code"].where(frame["level"] > 1, "").astype(object).fillna("")
    return [
        ((int(k[0]), str(k[1])), g)
        for k, g in frame.groupby([frame["level"], parent.rename("up")], sort=True)
    ]


def _flow(group: pd.DataFrame) -> dict[str, tuple[int, Text]]:
    """Return what caps freed and floors took in one total, and who got or gave it."""
    change = group["slice"] - group["unlimited"]
    out = {}
    # A region that a cap's units lift to its own cap gained from them all the same.
    for bound, other, sign in (("cap", "floor", 1), ("floor", "cap", -1)):
        amount = int((-sign * change[group["bound"] == bound]).clip(lower=0).sum())
        moved = (sign * change).where(group["bound"] != other, 0)
        moved = moved[moved > 0].sort_values(ascending=False, kind="stable")
        mark = "+" if sign > 0 else "−"
        named = []
        for position in moved.index[:LISTED]:
            name, n = name_of(group.loc[position]), digits(float(moved[position]))
            named.append(Text(en=f"{name.en} ({mark}{n.en})", fa=f"{name.fa} ({mark}{n.fa})"))
        if named:
            out[bound] = (amount, listed(named, len(moved) - len(named)))
    return out


def _reason(
    spec: TargetSpec, row: pd.Series, total: int, flow: dict[str, tuple[int, Text]]
) -> Text:
    unit = unit_of(spec)
    given = {(x.level, x.region): x.reason for x in spec.exclusions if x.activity is None}
    key = (int(row["level"]), str(row["code"]))
    name = name_of(row)
    if row["state"] == "excluded":
        return fill(
            "{name} takes no part: {why}",
            "{name} سهمی نمی‌گیرد: {why}",
            name=name,
            why=given.get(key)
            or Text(en="all its parts are excluded", fa="همهٔ بخش‌های آن کنار گذاشته شده‌اند"),
        )
    if row["state"] == "orphan":
        return fill(
            "{name} gets nothing: region {up}, to which it belongs, is not loaded.",
            "{name} سهمی نگرفت: منطقهٔ {up} که به آن تعلق دارد بارگذاری نشده است.",
            name=name,
            up=Text(en=str(row["parent_code"]), fa=to_persian_digits(str(row["parent_code"]))),
        )
    parts = [_claimed(spec, row)]
    amount = digits(float(row["slice"]))
    if row["state"] == "unknown":
        parts.append(
            fill(
                "It gets its floor, {n} {unit}.",
                "کف آن داده می‌شود: {n} {unit}.",
                n=amount,
                unit=unit,
            )
            if row["slice"]
            else Text(
                en="It gets nothing until they are known.", fa="تا معلوم‌شدن آن‌ها سهمی نمی‌گیرد."
            )
        )
        return _run(name, parts)
    if pd.isna(row["share"]) or row["state"] == "no claim":
        parts.append(
            Text(
                en="With a claim of 0 it gets its floor or nothing.",
                fa="با ادعای صفر تنها کف خود را، اگر باشد، می‌گیرد.",
            )
        )
        return _run(name, parts)
    parts.append(
        fill(
            "That is {share} % of {total} {unit}: {n} {unit}.",
            "این {share} درصد از {total} {unit} است: {n} {unit}.",
            share=digits(100 * float(row["share"]), 1),
            total=digits(total),
            unit=unit,
            n=digits(float(row["unlimited"])),
        )
    )
    parts += _limited(spec, row, flow, unit)
    return _run(name, parts)


def _run(name: Text, parts: Sequence[Text]) -> Text:
    return Text(
        en=f"{name.en}: " + " ".join(p.en for p in parts),
        fa=f"{name.fa}: " + " ".join(p.fa or p.en for p in parts),
    )


def _claimed(spec: TargetSpec, row: pd.Series) -> Text:
    terms, missing = [], []
    for part in PARTS:
        weight = getattr(spec.parts, part).weight
        if not weight:
            continue
        label = PART_WORDS[part]
        if pd.isna(row[part]):
            missing.append(label)
            continue
        terms.append(
            fill(
                "{part} {x} × {w}",
                "{part} {x} × {w}",
                part=label,
                x=digits(float(row[part]), 2),
                w=_weight(weight),
            )
        )
    if not terms:
        return Text(
            en="need, capacity and past absorption are all unknown.",
            fa="نیاز، ظرفیت و جذب گذشته هیچ‌کدام معلوم نیست.",
        )
    sums = Text(en=" + ".join(t.en for t in terms), fa=" + ".join(str(t.fa) for t in terms))
    known = (
        1.0
        if not missing
        else sum(getattr(spec.parts, p).weight for p in PARTS if not pd.isna(row[p]))
    )
    if missing:
        text = fill(
            "({sums}) / {known} = {score}, as there is no figure of {missing}.",
            "({sums}) / {known} = {score}؛ {missing} معلوم نیست.",
            sums=sums,
            known=digits(known, 2),
            score=digits(float(row["score"]), 2),
            missing=Text(
                en=" or ".join(m.en for m in missing), fa=" و ".join(str(m.fa) for m in missing)
            ),
        )
    else:
        text = fill(
            "{sums} = {score}.",
            "{sums} = {score}.",
            sums=sums,
            score=digits(float(row["score"]), 2),
        )
    if spec.size is None:
        return text
    if pd.isna(row["size"]):
        return Text(
            en=f"{text.en} Its size ({spec.size}) is unknown.",
            fa=f"{text.fa} اندازهٔ آن ({spec.size}) معلوم نیست.",
        )
    size = digits(float(row["size"]))
    return Text(
        en=f"{text.en} Times {spec.size} {size.en}.",
        fa=f"{text.fa} ضرب در {_size_fa(spec)} {size.fa}.",
    )


def _weight(weight: float) -> Text:
    return Text(en=f"{weight:g}", fa=to_persian_digits(f"{weight:g}".replace(".", "٫")))


def _size_fa(spec: TargetSpec) -> str:
    return "جمعیت" if spec.size == "population" else str(spec.size)


def _more(change: int, bound: str) -> Text:
    """Say which way the limits of others moved a slice, and whether its own stopped that."""
    if change > 0:
        if bound == "cap":
            return Text(en="more, up to its own cap", fa="تا سقف خودش به آن افزود")
        return Text(en="more", fa="به آن افزود")
    if bound == "floor":
        return Text(en="less, down to its own floor", fa="تا کف خودش از آن کاست")
    return Text(en="less", fa="از آن کاست")


def _limited(
    spec: TargetSpec, row: pd.Series, flow: dict[str, tuple[int, Text]], unit: Text
) -> list[Text]:
    change = int(row["slice"] - row["unlimited"])
    limit = next(
        (x for x in spec.limits if (x.level, x.region) == (row["level"], row["code"])), None
    )
    out = []
    if row["bound"] == "cap" and change < 0:
        total, who = flow.get("cap", (0, None))
        words = {
            "cap": digits(float(row["cap"])),
            "n": digits(-change),
            "unit": unit,
            "all": digits(total),
        }
        if who is None:
            out.append(
                fill("Cut to its cap {cap} {unit}.", "به سقف {cap} {unit} بریده شد.", **words)
            )
        elif total == -change:
            out.append(
                fill(
                    "Cut to its cap {cap} {unit}; the {n} {unit} went to {who}.",
                    "به سقف {cap} {unit} بریده شد؛ {n} {unit} به {who} رسید.",
                    who=who,
                    **words,
                )
            )
        else:
            out.append(
                fill(
                    "Cut to its cap {cap} {unit}; the {n} {unit} are part of the {all} that caps "
                    "freed, which went to {who}.",
                    "به سقف {cap} {unit} بریده شد؛ این {n} {unit} بخشی از {all} آزادشده از سقف‌هاست "
                    "که به {who} رسید.",
                    who=who,
                    **words,
                )
            )
    elif row["bound"] == "floor" and change > 0:
        _, who = flow.get("floor", (0, None))
        words = {"floor": digits(float(row["floor"])), "n": digits(change), "unit": unit}
        out.append(
            fill(
                "Raised to its floor {floor} {unit}; the {n} {unit} came from {who}.",
                "تا کف {floor} {unit} بالا برده شد؛ {n} {unit} از {who} آمد.",
                who=who,
                **words,
            )
            if who is not None
            else fill(
                "Raised to its floor {floor} {unit}.", "تا کف {floor} {unit} بالا برده شد.", **words
            )
        )
    elif change:
        out.append(
            fill(
                "The limits of others leave it {n} {unit} {more}: {total} {unit}.",
                "محدودیت دیگر مناطق {n} {unit} {more}: {total} {unit}.",
                n=digits(abs(change)),
                unit=unit,
                total=digits(float(row["slice"])),
                more=_more(change, str(row["bound"])),
            )
        )
    if out and limit is not None and limit.reason is not None and row["bound"]:
        out.append(fill("Reason: {why}.", "دلیل: {why}.", why=limit.reason))
    if row["not_handed_down"]:
        out.append(
            Text(
                en="It is not divided further: nothing is known of its parts.",
                fa="میان بخش‌های آن تقسیم نشد: دربارهٔ آن‌ها چیزی معلوم نیست.",
            )
        )
    return out
