"""What regions specialise in, as a study."""

from __future__ import annotations

import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.pattern import PatternSpec
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.studies.index import all_regions
from geoplan.studies.region_run import NAMES, RegionStudy, Variable, jsonable, layer_record, tidy
from geoplan.studies.specialisation import specialisation_of

__all__ = [
    "ACTIVITY",
    "at_level",
    "checked",
    "named",
    "pattern_layers",
    "specialisation_study",
]

ACTIVITY = (
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


def checked(spec: PatternSpec, profile: Profile) -> None:
    """Refuse a pattern of another country."""
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


def named(frame: pd.DataFrame, regions: pd.DataFrame, spec: PatternSpec) -> pd.DataFrame:
    """Return rows by region and activity with the names of both."""
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
    checked(spec, profile)
    spec = at_level(spec, level)
    found = specialisation_of(session, profile, spec)
    regions = all_regions(session, profile)
    frame = named(found.quotients, regions, spec)
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
                *ACTIVITY,
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
            (*ACTIVITY, *(SheetColumn(n, t, "number", decimals=4) for n, t in number)),
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
        layers=layer_record(session, profile, pattern_layers(spec)),
        formula=_FORMULA,
        notices=found.notices,
    )  # fmt: skip


def _no_values(spec: PatternSpec) -> pd.DataFrame:
    raise RangeError(
        f"no activity of pattern '{spec.id}' has a figure",
        where="--pattern",
        remedy="load the layers and facts that the pattern names",
    )


def pattern_layers(spec: PatternSpec) -> list[str]:
    """Return the layers that a pattern's figures are read from."""
    return sorted({f.layer for f in spec.figures().values() if f.layer})
