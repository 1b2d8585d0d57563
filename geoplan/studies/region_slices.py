"""The slices of a national target as a study."""

from __future__ import annotations

import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.slices import TargetSpec
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.persian import to_persian_digits
from geoplan.regions.quarters import quarter_targets
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.studies.index import all_regions
from geoplan.studies.region_actuals import actuals_sheet, standing
from geoplan.studies.region_run import NAMES, RegionStudy, Variable, jsonable, layer_record, tidy
from geoplan.studies.slices import slices_of

__all__ = ["slices_study"]

_STATES = {
    "divided": Text(en="divided", fa="تقسیم شد"),
    "excluded": Text(en="takes no part", fa="سهیم نیست"),
    "unknown": Text(en="too little is known", fa="دانسته‌ها کافی نیست"),
    "no claim": Text(en="no claim", fa="بی‌حق"),
    "orphan": Text(en="its parent is not loaded", fa="منطقهٔ مادر بار نشده"),
}


def slices_study(
    session: Session,
    spec: TargetSpec,
    profile: Profile,
    *,
    level: int | None = None,
    actuals: pd.DataFrame | None = None,
    until: int = 4,
) -> RegionStudy:
    """Return the slices of a target, by quarter and activity too.

    Parameters
    ----------
    session : Session
    spec : TargetSpec
    profile : Profile
    level : int, optional
        Level that is listed and mapped; absent: the target's first. All levels are divided.
    actuals : DataFrame, optional
        What regions report, see `geoplan.regions.quarters.against_target`: adds the table of
        target against actual, and maps the ratio at quarter ``until``.
    until : int
        Last quarter that has ended.

    Raises
    ------
    RangeError
        The target is not divided among regions of this level.
    ProblemsFound
        As `geoplan.studies.slices.slices_of`.
    """
    asked = spec.levels[0] if level is None else level
    if asked not in spec.levels:
        raise RangeError(
            f"target '{spec.id}' is not divided among regions of level {asked}",
            where="--level",
            remedy=f"levels: {', '.join(map(str, spec.levels))}",
        )
    found = slices_of(session, profile, spec)
    frame = found.frame.rename(columns={"name_fa": "name_local"})
    for language in ("en", "fa"):
        frame[f"state_{language}"] = [
            _STATES[s].in_language(language) if s in _STATES else s for s in frame["state"]
        ]
    frame["per_cent"] = frame["slice"] / spec.total
    unit = spec.unit
    quarters = quarter_targets(spec, frame)
    names = frame[["level", "code", "name_en", "name_local"]]
    quarters = quarters.merge(names, on=["level", "code"], how="left")
    columns = _columns(unit)
    title = Text(en=f"{spec.title.en}: slices", fa=f"{spec.title.in_language('fa')}: سهم‌ها")
    here = frame[frame["level"] == asked].sort_values(["slice", "code"], ascending=[False, True])
    others = [n for n in spec.levels if n != asked and (frame["level"] == n).any()]
    sheets = [Sheet("slices", title, columns, here.reset_index(drop=True), notes=found.notices)]
    sheets += [
        Sheet(f"slices, level {n}", title, columns,
              frame[frame["level"] == n].reset_index(drop=True))
        for n in others
    ]  # fmt: skip
    if len(quarters):
        sheets.append(_quarters(quarters, unit))
    told = None
    if actuals is not None:
        told = standing(session, spec, quarter_targets(spec, frame), actuals, until=until)
        told = told.merge(names, on=["level", "code"], how="left")
        sheets.append(actuals_sheet(told, unit))
    if len(found.by_activity):
        sheets.append(_activities(found.by_activity, names, spec))
    amounts = {"slice": ("slice", unit), "fair": ("fair", unit), "unlimited": ("unlimited", unit),
               "share": ("share", "share"), "score": ("score", ""), "need": ("need", ""),
               "capacity": ("capacity", ""), "past": ("past", "")}  # fmt: skip
    status = frame["state"].astype(str).replace("divided", "known")
    variables: dict[str, Variable] = {}
    if told is not None:
        last = told[told["quarter"] == until].set_index(["level", "code"])["cumulative_ratio"]
        frame["ratio"] = [
            last.get((n, c)) for n, c in zip(frame["level"], frame["code"], strict=True)
        ]
        frame["ratio"] = pd.to_numeric(frame["ratio"])
        amounts["ratio"] = ("ratio", "share")
        reached = Text(
            en=f"Actual / target to quarter {until}",
            fa=f"عملکرد به هدف تا سه‌ماههٔ {to_persian_digits(str(until))}",
        )
        variables["ratio"] = Variable(reached, "share")
    return RegionStudy(
        kind="slices",
        spec_id=spec.id,
        spec=spec.model_dump(mode="json"),
        title=title,
        profile=profile,
        level=asked,
        regions=all_regions(session, profile),
        document={
            **found.document,
            "quarters": [jsonable(r) for r in quarters.to_dict("records")],
            **({} if told is None else {"actuals": [jsonable(r) for r in told.to_dict("records")]}),
        },
        values=tidy(frame, amounts, status=status),
        variables={
            "slice": Variable(title, unit),
            "fair": Variable(Text(en="Exact amount before whole lots", fa="مقدار پیش از گردکردن"),
                             unit),
            "unlimited": Variable(Text(en="Without caps and floors", fa="بی سقف و کف"), unit),
            "share": Variable(Text(en="Share", fa="سهم"), "share"),
            "score": Variable(Text(en="Score of the claim", fa="امتیاز")),
            "need": Variable(Text(en="Need", fa="نیاز")),
            "capacity": Variable(Text(en="Capacity", fa="ظرفیت")),
            "past": Variable(Text(en="Past absorption", fa="جذب گذشته")),
            **variables,
        },
        sheets=tuple(sheets),
        rows="slices",
        shown={
            "slices": ("code", "name_en", "name_local", "slice", "per_cent", "need", "capacity",
                       "floor", "cap", "state_en", "state_fa"),
        },
        layers=layer_record(session, profile, _layers(spec, profile)),
        formula=Text(
            en=f"claim = size · ({spec.parts.need.weight:g} need + {spec.parts.capacity.weight:g} "
            f"capacity + {spec.parts.past.weight:g} past); whole lots of {spec.lot:g} {unit} by "
            f"method '{spec.method}'"
        ),
        notices=found.notices,
    )  # fmt: skip


def _layers(spec: TargetSpec, profile: Profile) -> list[str | None]:
    parts = (spec.parts.need, spec.parts.capacity, spec.parts.past)
    named: list[str | None] = [x for p in parts for m in p.measures for x in m.layers]
    return named + [i.layer for i in profile.index.indicators]


def _columns(unit: str) -> tuple[SheetColumn, ...]:
    return (
        *NAMES,
        SheetColumn("slice", Text(en="Slice", fa="سهم"), "number", unit, decimals=0),
        SheetColumn("per_cent", Text(en="Of the target", fa="از هدف"), "share", decimals=1),
        SheetColumn("need", Text(en="Need", fa="نیاز"), "number", decimals=3),
        SheetColumn("capacity", Text(en="Capacity", fa="ظرفیت"), "number", decimals=3),
        SheetColumn("past", Text(en="Past absorption", fa="جذب گذشته"), "number", decimals=3),
        SheetColumn("score", Text(en="Score", fa="امتیاز"), "number", decimals=3),
        SheetColumn("fair", Text(en="Exact amount", fa="مقدار دقیق"), "number", unit),
        SheetColumn("unlimited", Text(en="Without caps and floors", fa="بی سقف و کف"), "number",
                    unit),
        SheetColumn("floor", Text(en="Floor", fa="کف"), "number", unit, decimals=0),
        SheetColumn("cap", Text(en="Cap", fa="سقف"), "number", unit, decimals=0),
        SheetColumn("state_en", Text(en="State", fa="وضعیت")),
        SheetColumn("state_fa", Text(en="State", fa="وضعیت")),
        SheetColumn("reason_en", Text(en="Reason", fa="دلیل")),
        SheetColumn("reason_fa", Text(en="Reason", fa="دلیل")),
    )  # fmt: skip


def _quarters(frame: pd.DataFrame, unit: str) -> Sheet:
    columns = (
        SheetColumn("level", Text(en="Level", fa="سطح"), "integer"),
        *NAMES,
        SheetColumn("quarter", Text(en="Quarter", fa="سه‌ماهه"), "integer"),
        SheetColumn("target", Text(en="Target", fa="هدف"), "number", unit, decimals=0),
    )
    return Sheet("quarters", Text(en="By quarter", fa="به تفکیک سه‌ماهه"), columns, frame)


def _activities(frame: pd.DataFrame, names: pd.DataFrame, spec: TargetSpec) -> Sheet:
    titles = {a.id: a.title for a in spec.activities}
    rows = frame.merge(names, on=["level", "code"], how="left")
    rows["activity_en"] = [titles[a].en for a in rows["activity"]]
    rows["activity_fa"] = [titles[a].in_language("fa") for a in rows["activity"]]
    columns = (
        SheetColumn("level", Text(en="Level", fa="سطح"), "integer"),
        *NAMES,
        SheetColumn("activity_en", Text(en="Activity", fa="فعالیت")),
        SheetColumn("activity_fa", Text(en="Activity", fa="فعالیت")),
        SheetColumn("slice", Text(en="Slice", fa="سهم"), "number", spec.unit, decimals=0),
        SheetColumn("fair", Text(en="Exact amount", fa="مقدار دقیق"), "number", spec.unit),
        SheetColumn("within_quota", Text(en="Within one lot of it", fa="در یک سهم از آن"), "flag"),
    )
    return Sheet("activities", Text(en="By activity", fa="به تفکیک فعالیت"), columns, rows)
