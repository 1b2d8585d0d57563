"""What regions specialise in and what fits them, as studies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.pattern import PART_TITLES, PARTS, PatternSpec
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.siting.sentences import fa_number
from geoplan.studies.index import all_regions
from geoplan.studies.pattern import pattern_of
from geoplan.studies.region_run import NAMES, RegionStudy, Variable, jsonable, layer_record, tidy
from geoplan.studies.specialisation import specialisation_of

__all__ = ["pattern_study", "specialisation_study"]

_ACTIVITY = (
    SheetColumn("activity", Text(en="Activity code", fa="کد فعالیت")),
    SheetColumn("activity_en", Text(en="Activity", fa="فعالیت")),
    SheetColumn("activity_fa", Text(en="Activity", fa="فعالیت")),
)
_FORMULA = Text(
    en="LQ(r, a) = (e_ra / e_r) / (e_a / e): the share of the activity in the region over its "
    "share in the nation",
    fa="LQ(r, a) = (e_ra / e_r) / (e_a / e): سهم فعالیت در منطقه بر سهم آن در کشور",
)
_REASONS = {
    "unknown": Text(en="not known", fa="نامعلوم"),
    "base-unknown": Text(en="size of the region not known", fa="اندازهٔ منطقه نامعلوم"),
    "region-small": Text(en="region too small to tell", fa="منطقه کوچک‌تر از آن است که بتوان گفت"),
    "activity-small": Text(en="too few to tell", fa="شمار کمتر از آن است که بتوان گفت"),
}


def _checked(spec: PatternSpec, profile: Profile) -> None:
    if spec.profile != profile.id:
        raise RangeError(
            f"pattern '{spec.id}' is for profile '{spec.profile}', not '{profile.id}'",
            where="--pattern",
            remedy=f"use --profile {spec.profile}, or a pattern of '{profile.id}'",
        )


def at_level(spec: PatternSpec, level: int | None) -> PatternSpec:
    """Return the pattern at another level; its figures must be known by it."""
    if level is None or level == spec.level:
        return spec
    given = {k: getattr(spec, k) for k in type(spec).model_fields} | {"level": level}
    finest = min((f.level for f in spec.figures().values()), default=level)
    if level > finest:
        raise RangeError(
            f"pattern '{spec.id}' has figures by level {finest} only",
            where="--level",
            remedy=f"use --level {finest} or coarser",
        )
    return PatternSpec.model_validate(given)


def _named(frame: pd.DataFrame, regions: pd.DataFrame, spec: PatternSpec) -> pd.DataFrame:
    own = regions[regions["level"] == spec.level].set_index("code")
    titles = {a.id: a.title for a in spec.activities}
    out = frame.rename(columns={"region": "code"}).reset_index(drop=True)
    out["name_en"] = out["code"].map(own["name_en"])
    out["name_local"] = out["code"].map(own["name_local"])
    out["activity_en"] = [titles[a].en for a in out["activity"]]
    out["activity_fa"] = [titles[a].in_language("fa") for a in out["activity"]]
    return out


def specialisation_study(
    session: Session, spec: PatternSpec, profile: Profile, *, level: int | None = None
) -> RegionStudy:
    """Return the location quotients of a pattern's activities, and their concentration.

    Raises
    ------
    RangeError
        The pattern is of another country, or has no figures by this level.
    ProblemsFound
        A figure is negative or infinite.
    """
    _checked(spec, profile)
    spec = at_level(spec, level)
    found = specialisation_of(session, profile, spec)
    regions = all_regions(session, profile)
    frame = _named(found.quotients, regions, spec)
    for language in ("en", "fa"):
        frame[f"reason_{language}"] = [
            _REASONS[r].in_language(language) if r in _REASONS else None for r in frame["reason"]
        ]
    frame = frame.sort_values(["activity", "lq", "code"], ascending=[True, False, True])
    frame = frame.reset_index(drop=True)
    spread = found.concentration.rename_axis("activity").reset_index()
    titles = {a.id: a.title for a in spec.activities}
    spread["activity_en"] = [titles[a].en for a in spread["activity"]]
    spread["activity_fa"] = [titles[a].in_language("fa") for a in spread["activity"]]
    number = [
        ("herfindahl", Text(en="Herfindahl of its regions", fa="هرفیندال منطقه‌ها")),
        ("locational_gini", Text(en="Locational Gini", fa="جینی مکانی")),
        ("gamma", Text(en="Ellison–Glaeser", fa="الیسون–گلیزر")),
    ]
    units = {a.id: "" if a.amount is None else a.amount.unit for a in spec.activities}
    frame["unit"] = frame["activity"].map(units)
    sheets = (
        Sheet(
            "quotients",
            Text(en="Location quotients", fa="ضریب‌های مکانی"),
            (
                *NAMES,
                *_ACTIVITY,
                SheetColumn("amount", Text(en="Amount", fa="مقدار"), "number"),
                SheetColumn("unit", Text(en="Unit", fa="یکا")),
                SheetColumn("lq", Text(en="Location quotient", fa="ضریب مکانی"), "number"),
                SheetColumn("low", Text(en="From (95 %)", fa="از (۹۵٪)"), "number"),
                SheetColumn("high", Text(en="To (95 %)", fa="تا (۹۵٪)"), "number"),
                SheetColumn("reason_en", Text(en="Why none", fa="چرا ندارد")),
                SheetColumn("reason_fa", Text(en="Why none", fa="چرا ندارد")),
            ),
            frame,
            notes=found.notices,
        ),
        Sheet(
            "concentration",
            Text(en="Concentration of activities", fa="تمرکز فعالیت‌ها"),
            (*_ACTIVITY, *(SheetColumn(n, t, "number", decimals=4) for n, t in number)),
            spread if len(spread) else pd.DataFrame(
                columns=["activity", "activity_en", "activity_fa", *(n for n, _ in number)]
            ),
        ),
    )  # fmt: skip
    parts, variables = [], {}
    for activity, rows in frame.groupby("activity", sort=False):
        name = str(activity)
        assumed = rows["code"].map(found.measured[name].assumed).astype("boolean")
        parts.append(
            tidy(rows, {f"lq_{name}": ("lq", ""), f"amount_{name}": ("amount", units[name])},
                 level=spec.level, status=rows["reason"].replace("", "known"), assumed=assumed)
        )  # fmt: skip
        title = titles[name]
        variables[f"lq_{name}"] = Variable(
            Text(en=f"Location quotient: {title.en}", fa=f"ضریب مکانی: {title.in_language('fa')}")
        )
        variables[f"amount_{name}"] = Variable(title, units[name])
    values = pd.concat(parts, ignore_index=True) if parts else _no_values(spec)
    return RegionStudy(
        kind="specialisation",
        spec_id=spec.id,
        spec=spec.model_dump(mode="json"),
        title=Text(en="Specialisation of regions", fa="تخصص منطقه‌ها"),
        profile=profile,
        level=spec.level,
        regions=regions,
        document={
            "id": spec.id,
            "level": spec.level,
            "quotients": [jsonable(r) for r in found.quotients.to_dict("records")],
            "concentration": [
                jsonable(r)
                for r in found.concentration.rename_axis("activity")
                .reset_index()
                .to_dict("records")
            ],
            "activities": [
                {"id": a.id, "title": a.title.model_dump(exclude_none=True),
                 "unit": units[a.id], "measured": a.id in found.measured}
                for a in spec.activities
            ],
        },
        values=values,
        variables=variables,
        sheets=sheets,
        rows="quotients",
        shown={
            "quotients": ("code", "name_en", "name_local", "activity_en", "activity_fa", "amount",
                          "lq", "low", "high", "reason_en", "reason_fa"),
            "concentration": ("activity_en", "activity_fa", *(n for n, _ in number)),
        },
        layers=layer_record(session, profile, _layers(spec)),
        formula=_FORMULA,
        notices=found.notices,
    )  # fmt: skip


def _no_values(spec: PatternSpec) -> pd.DataFrame:
    raise RangeError(
        f"no activity of pattern '{spec.id}' has a figure",
        where="--pattern",
        remedy="load the layers and facts that the pattern names",
    )


def _layers(spec: PatternSpec) -> list[str]:
    return sorted({f.layer for f in spec.figures().values() if f.layer})


def pattern_study(
    session: Session, spec: PatternSpec, profile: Profile, *, level: int | None = None
) -> RegionStudy:
    """Return what fits where, with reasons, as a study.

    Raises
    ------
    RangeError, InputError, ProblemsFound
        As `specialisation_study` and `geoplan.studies.pattern.pattern_of`.
    """
    _checked(spec, profile)
    spec = at_level(spec, level)
    found = pattern_of(session, profile, spec)
    regions = all_regions(session, profile)
    frame = _named(found.frame, regions, spec)
    parts = [p for p in PARTS if p in frame.columns]
    for key in ("for", "against", "unknown"):
        for language, mark in (("en", "; "), ("fa", "؛ ")):
            frame[f"{key}_{language}"] = [
                mark.join(t.in_language(language) for t in said) or None for said in frame[key]
            ]
    said = [
        SheetColumn(f"{key}_{language}", title)
        for key, title in (
            ("for", Text(en="For", fa="به سود")),
            ("against", Text(en="Against", fa="به زیان")),
            ("unknown", Text(en="Not known", fa="نامعلوم")),
        )
        for language in ("en", "fa")
    ]
    columns = (
        *NAMES,
        SheetColumn("rank", Text(en="Rank in the region", fa="رتبه در منطقه"), "integer"),
        *_ACTIVITY,
        SheetColumn("score", Text(en="Score", fa="امتیاز"), "number", decimals=3),
        SheetColumn("least", Text(en="At least", fa="دست‌کم"), "number", decimals=3),
        SheetColumn("most", Text(en="At most", fa="دست‌بالا"), "number", decimals=3),
        SheetColumn("coverage", Text(en="Known share of the weight", fa="سهم معلوم از وزن"),
                    "share", decimals=0),
        *(SheetColumn(p, PART_TITLES[p], "number", decimals=3) for p in parts),
        *said,
    )  # fmt: skip
    assumed = _assumed(found.pattern.parts, frame)
    best = _best(frame, spec)
    mixes = _mixes(found.mixes, best, spec)
    values, variables = _values(frame, best, assumed, spec)
    titled = Text(en="Best activities", fa="بهترین فعالیت‌ها")
    return RegionStudy(
        kind="pattern",
        spec_id=spec.id,
        spec=spec.model_dump(mode="json"),
        title=spec.title,
        profile=profile,
        level=spec.level,
        regions=regions,
        document=found.document,
        values=values,
        variables=variables,
        sheets=(
            Sheet("best", titled, (
                *NAMES, SheetColumn("best_en", titled), SheetColumn("best_fa", titled),
                SheetColumn("score", Text(en="Best score", fa="بهترین امتیاز"), "number",
                            decimals=3)), best),
            Sheet("pattern", spec.title, columns, frame, notes=found.notices,
                  assumed=pd.DataFrame({"score": assumed})),
            Sheet("mix", Text(en="Industry mix", fa="ترکیب صنایع"), (
                *NAMES, SheetColumn("class", Text(en="Demand class", fa="ردهٔ تقاضا")),
                SheetColumn("share", Text(en="Share", fa="سهم"), "share", decimals=0)), mixes),
        ),
        rows="pattern",
        shown={"best": ("code", "name_en", "name_local", "best_en", "best_fa", "score")},
        layers=layer_record(session, profile, _layers(spec)),
        formula=Text(en=found.pattern.formula),
        notices=found.notices,
    )  # fmt: skip


def _assumed(parts: pd.DataFrame, frame: pd.DataFrame) -> pd.Series:
    doubt = parts[parts["assumed"].fillna(False).astype(bool) & parts["score"].notna()]
    pairs = set(zip(doubt["region"], doubt["activity"], strict=True))
    keys = zip(frame["code"], frame["activity"], strict=True)
    return pd.Series([k in pairs for k in keys], index=frame.index, dtype="boolean")


def _best(frame: pd.DataFrame, spec: PatternSpec) -> pd.DataFrame:
    rows = []
    for code, mine in frame.groupby("code", sort=False):
        known = mine[mine["score"].notna()].head(3)
        row = {"code": str(code), "name_en": mine["name_en"].iloc[0],
               "name_local": mine["name_local"].iloc[0],
               "score": known["score"].max() if len(known) else np.nan}  # fmt: skip
        row["best_en"] = ", ".join(
            f"{r.activity_en} ({r.score:.2f})" for r in known.itertuples()
        ) or "too little is known"  # fmt: skip
        row["best_fa"] = "، ".join(
            f"{r.activity_fa} ({fa_number(float(r.score), decimals=2)})"
            for r in known.itertuples()
        ) or "دانسته‌ها کافی نیست"  # fmt: skip
        rows.append(row)
    columns = ["code", "name_en", "name_local", "score", "best_en", "best_fa"]
    out = pd.DataFrame(rows, columns=columns)
    return out.assign(level=spec.level)


def _mixes(
    mixes: dict[str, dict[str, float]], names: pd.DataFrame, spec: PatternSpec
) -> pd.DataFrame:
    label = names.set_index("code")
    rows = [
        {"code": code, "name_en": label["name_en"].get(code),
         "name_local": label["name_local"].get(code), "class": kind, "share": share}
        for code, mix in mixes.items()
        for kind, share in mix.items()
    ]  # fmt: skip
    columns: Sequence[str] = ["code", "name_en", "name_local", "class", "share"]
    return pd.DataFrame(rows, columns=list(columns)).assign(level=spec.level)


def _values(
    frame: pd.DataFrame, best: pd.DataFrame, assumed: pd.Series, spec: PatternSpec
) -> tuple[pd.DataFrame, dict[str, Variable]]:
    doubted = best["code"].map(assumed.groupby(frame["code"]).any()).astype("boolean")
    parts = [tidy(best, {"best_score": ("score", "")}, level=spec.level, assumed=doubted)]
    variables = {
        "best_score": Variable(Text(en="Score of the best activity", fa="امتیاز بهترین فعالیت"))
    }
    titles = {a.id: a.title for a in spec.activities}
    for activity, rows in frame.groupby("activity", sort=True):
        name, title = f"score_{activity}", titles[str(activity)]
        status = rows["score"].notna().map({True: "known", False: "too-little-data"})
        parts.append(
            tidy(rows, {name: ("score", "")}, level=spec.level, status=status,
                 assumed=assumed.loc[rows.index])
        )  # fmt: skip
        variables[name] = Variable(
            Text(en=f"Score: {title.en}", fa=f"امتیاز: {title.in_language('fa')}")
        )
    return pd.concat(parts, ignore_index=True), variables
