"""What a reader of the slices must know beside them, in English and Persian."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from geoplan.catalogue.slices import TargetSpec
from geoplan.catalogue.text import Text
from geoplan.persian import to_persian_digits
from geoplan.regions.slice_claims import PARTS, figures_wanted
from geoplan.regions.slice_words import LISTED, PART_WORDS, digits, fill, listed, name_of, unit_of

__all__ = ["notices_of"]


def notices_of(
    spec: TargetSpec,
    frame: pd.DataFrame,
    by_activity: pd.DataFrame,
    figures: Mapping[int, Mapping[str, pd.Series]],
    ties: Sequence[Sequence[str]],
) -> tuple[Text, ...]:
    """Return what a reader of the slices must know beside them."""
    out = []
    if spec.parts.status != "read":
        out.append(
            Text(
                en=f"The weights of need, capacity and past absorption are {spec.parts.status}: "
                f"{spec.parts.basis}.",
                fa=f"وزن‌های نیاز، ظرفیت و جذب گذشته قطعی نیست ({_status_fa(spec.parts.status)}).",
            )
        )
    for level, rows in frame.groupby("level"):
        n = digits(int(level))
        for part in PARTS:
            if not getattr(spec.parts, part).weight:
                continue
            missing = rows[rows[part].isna() & rows["state"].isin(["divided", "no claim"])]
            if len(missing):
                who = (
                    Text(en="any region", fa="هیچ منطقه‌ای")
                    if rows[part].isna().all()
                    else _named(missing)
                )
                out.append(
                    fill(
                        "Level {n}: {part} is not known of {who}; the other parts decide.",
                        "سطح {n}: {part} برای {who} معلوم نیست؛ بخش‌های دیگر تعیین‌کننده‌اند.",
                        n=n,
                        who=who,
                        part=PART_WORDS[part],
                    )
                )
        for state, en, fa in (
            (
                "unknown",
                "no slice for {who}: nothing that makes a claim is known",
                "بدون سهم: {who}؛ چیزی برای سنجش ادعا معلوم نیست",
            ),
            (
                "orphan",
                "no slice for {who}: the region above is not loaded",
                "بدون سهم: {who}؛ منطقهٔ بالادست بارگذاری نشده است",
            ),
            ("no claim", "no slice for {who}: a claim of 0", "بدون سهم: {who}؛ ادعا صفر است"),
        ):
            named = rows[(rows["state"] == state) & (rows["slice"] == 0)]
            if len(named):
                who = _named(named)
                out.append(fill(f"Level {{n}}: {en}.", f"سطح {{n}}: {fa}.", n=n, who=who))
        whole = rows[rows["not_handed_down"] > 0]
        if len(whole):
            out.append(
                fill(
                    "Level {n}: {amount} {unit} of {who} are not divided further; nothing is known "
                    "of their parts.",
                    "سطح {n}: {amount} {unit} از سهم {who} میان بخش‌ها تقسیم نشد؛ دربارهٔ آن‌ها چیزی "
                    "معلوم نیست.",
                    n=n,
                    amount=digits(float(whole["not_handed_down"].sum())),
                    unit=unit_of(spec),
                    who=_named(whole),
                )
            )
    for name, wanted in figures_wanted(spec).items():
        if name.startswith("activity."):
            for level, known in sorted(figures.items()):
                codes = frame.loc[frame["level"] == level, "code"]
                lacking = int(known.get(name, pd.Series(dtype=float)).reindex(codes).isna().sum())
                if lacking:
                    out.append(
                        Text(
                            en=f"Level {level}: {wanted} is not known of {lacking} regions; the "
                            f"share alone decides on {name.removeprefix('activity.')} there.",
                            fa=to_persian_digits(
                                f"سطح {level}: «{wanted}» برای {lacking} منطقه معلوم "
                                "نیست؛ آنجا تنها سهم منطقه تعیین‌کننده است."
                            ),
                        )
                    )
    outside = int((~by_activity["within_quota"].astype(bool)).sum()) if len(by_activity) else 0
    if outside:
        out.append(
            fill(
                "{n} cells of region and activity lie farther than one lot from proportion.",
                "{n} خانهٔ منطقه و فعالیت بیش از یک واحد از تناسب فاصله دارد.",
                n=digits(outside),
            )
        )
    for tied in ties:
        codes = ", ".join(tied)
        out.append(
            Text(
                en=f"Regions {codes} were level for a last lot; the larger claim got it, then the "
                "smaller code.",
                fa=f"مناطق {to_persian_digits(codes)} بر سر آخرین واحد برابر بودند؛ "
                "ادعای بزرگ‌تر و سپس کد کوچک‌تر آن را گرفت.",
            )
        )
    return tuple(out)


def _status_fa(status: str) -> str:
    words = {
        "proposed": "پیشنهادی",
        "unverified": "تأییدنشده",
        "calculated": "محاسبه‌شده",
        "in force": "لازم‌الاجرا",
        "superseded": "منسوخ",
    }
    return words.get(status, status)


def _named(rows: pd.DataFrame) -> Text:
    names = [name_of(row) for _, row in rows.head(LISTED * 2).iterrows()]
    return listed(names, len(rows) - len(names))
