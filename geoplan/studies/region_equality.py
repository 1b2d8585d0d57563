"""Inequality between regions as a study."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.text import Text
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.studies.index import all_regions
from geoplan.studies.region_inequality import (
    MEASURES,
    Inequality,
    InequalityQuestion,
    inequality_of,
)
from geoplan.studies.region_plan import PlanJobs
from geoplan.studies.region_run import NAMES, RegionStudy, Variable, jsonable, layer_record, tidy

__all__ = ["inequality_study"]

_TIMES = {
    "before": Text(en="Before", fa="پیش"),
    "after": Text(en="After", fa="پس"),
    "change": Text(en="Change", fa="تغییر"),
}
_FORMULA = Text(
    en="y = fact / people of each region, weighted by people p. Gini = Σ Σ p_r p_s |y_r − y_s| / "
    "2ȳ; Hoover = Σ p |y − ȳ| / 2ȳ; Theil T = Σ p (y/ȳ) ln(y/ȳ); Theil L = Σ p ln(ȳ/y); Atkinson "
    "= 1 − (Σ p (y/ȳ)^(1−ε))^(1/(1−ε)), at ε = 1 1 − Π (y/ȳ)^p; Herfindahl = Σ (share of the "
    "amount)²; T and L = between + within provinces (Shorrocks 1980)",
    fa="y = رقم / جمعیت هر منطقه با وزن جمعیت p. جینی = Σ Σ p_r p_s |y_r − y_s| / 2ȳ؛ هوور = "
    "Σ p |y − ȳ| / 2ȳ؛ تایل T = Σ p (y/ȳ) ln(y/ȳ)؛ تایل L = Σ p ln(ȳ/y)؛ اتکینسون = "
    "1 − (Σ p (y/ȳ)^(1−ε))^(1/(1−ε))؛ هرفیندال = Σ (سهم از مقدار)²؛ T و L = میان استان‌ها + درون "
    "استان‌ها",
)


def inequality_study(
    session: Session, profile: Profile, question: InequalityQuestion, *, plan: PlanJobs | None
) -> RegionStudy:
    """Return how unequally regions share a fact as a study.

    Raises
    ------
    ProblemsFound
        As `geoplan.studies.region_inequality.inequality_of`.
    """
    found = inequality_of(session, profile, question, plan=plan)
    regions = all_regions(session, profile)
    facts = found.question["columns"]
    fact, per = facts["fact"], facts["per"]
    unit = f"{fact['unit']} / {per['unit']}"
    later = facts.get("fact_later")
    what = f"{fact['variable']} / {per['variable']}"
    if later is not None:
        what += f" → {later['variable']} / {facts['per_later']['variable']}"
    if plan is not None:
        what += f" + {plan.run_id}"
    title = Text(en=f"Inequality between regions: {what}", fa=f"نابرابری میان منطقه‌ها: {what}")
    frame = found.frame.rename_axis("code").reset_index()
    frame = frame.sort_values(["value", "code"], na_position="last").reset_index(drop=True)
    values, variables = _values(found, frame, question.level, (fact["unit"], unit), plan)
    sheets = [_measures(found, title), _regions(found, frame, title, (fact["unit"], per["unit"]))]
    if len(found.parts):
        sheets += [_parts(found), _groups(found, regions)]
    spec = {
        "fact": fact["variable"], "per": per["variable"],
        "fact_later": None if later is None else later["variable"],
        "per_later": None if later is None else facts["per_later"]["variable"],
        "level": question.level, "sum_up": question.sum_up,
        "plan": None if plan is None else plan.record(),
    }  # fmt: skip
    times = [t for t in _TIMES if t in found.measures.columns]
    shown: dict[str, tuple[str, ...]] = {"measures": ("measure_en", "measure_fa", *times)}
    if len(found.parts):
        suffixes = ("", "_after") if found.two else ("",)
        shown["between and within"] = ("measure_en", "measure_fa", *(
            f"{name}{s}" for s in suffixes for name in ("total", "between", "within",
                                                        "between_share")))  # fmt: skip
    return RegionStudy(
        kind="inequality",
        spec_id=what,
        spec=spec,
        title=title,
        profile=profile,
        level=question.level,
        regions=regions,
        document=_document(found, frame),
        values=values,
        variables=variables,
        sheets=tuple(sheets),
        rows="regions",
        shown=shown,
        layers=layer_record(session, profile),
        formula=_FORMULA,
        notices=found.notices,
        assumptions=found.assumptions,
    )


def _values(
    found: Inequality,
    frame: pd.DataFrame,
    level: int,
    units: tuple[str, str],
    plan: PlanJobs | None,
) -> tuple[pd.DataFrame, dict[str, Variable]]:
    amount, ratio = units
    columns = {"per_person": ("value", ratio), "amount": ("amount", amount)}
    variables = {
        "per_person": Variable(Text(en="Amount per person", fa="سرانه"), ratio),
        "amount": Variable(Text(en="Amount", fa="مقدار"), amount),
    }
    status = frame["counted"].map({True: "known", False: "left-out"})
    parts = [tidy(frame, columns, level=level, status=status)]
    if found.two:
        after = {"per_person_after": ("value_after", ratio), "change": ("change", ratio),
                 "amount_after": ("amount_after", amount)}  # fmt: skip
        variables |= {
            "per_person_after": Variable(Text(en="Per person, after", fa="سرانه، پس"), ratio),
            "change": Variable(
                Text(en="Change per person", fa="تغییر سرانه"), ratio,
                # A plan only adds: two colours around 0 would show a gain where there is none.
                "diverging" if plan is None else "equal", count=6 if plan is None else 5,
            ),
            "amount_after": Variable(Text(en="Amount, after", fa="مقدار، پس"), amount),
        }  # fmt: skip
        # What a plan brings is assumed; a later date is not.
        assumed = pd.Series(False, index=frame.index, dtype="boolean")
        if plan is not None:
            assumed = (frame["added"] > 0).astype("boolean")
        parts.append(tidy(frame, after, level=level, status=status, assumed=assumed))
        if plan is not None:
            variables["added"] = Variable(Text(en="Jobs of the plan", fa="شغل‌های برنامه"), amount)
            parts.append(tidy(frame, {"added": ("added", amount)}, level=level, status=status,
                              assumed=assumed))  # fmt: skip
    for name in found.groups.columns:
        groups = found.groups[[name]].rename_axis("code").reset_index()
        variable = f"within_{name}"
        parts.append(tidy(groups, {variable: (str(name), "")}, level=1))
        variables[variable] = Variable(
            Text(en=f"What each province adds within: {name}", fa=f"سهم درون هر استان: {name}")
        )
    return pd.concat(parts, ignore_index=True), variables


def _measures(found: Inequality, title: Text) -> Sheet:
    rows = found.measures.rename_axis("measure").reset_index()
    rows["measure_en"] = [MEASURES[m].en for m in rows["measure"]]
    rows["measure_fa"] = [MEASURES[m].in_language("fa") for m in rows["measure"]]
    columns = (
        SheetColumn("measure_en", Text(en="Measure", fa="سنجه")),
        SheetColumn("measure_fa", Text(en="Measure", fa="سنجه")),
        *(
            SheetColumn(t, _TIMES[t], "number", decimals=6)
            for t in _TIMES
            if t in found.measures.columns
        ),
    )
    return Sheet("measures", title, columns, rows, notes=(*found.notices, *found.assumptions))


def _regions(found: Inequality, frame: pd.DataFrame, title: Text, units: tuple[str, str]) -> Sheet:
    amount, per = units
    ratio = f"{amount} / {per}"
    columns = [
        *NAMES,
        SheetColumn("amount", Text(en="Amount", fa="مقدار"), "number", amount),
        SheetColumn("per", Text(en="Divided by", fa="بخش بر"), "number", per, decimals=0),
        SheetColumn("value", Text(en="Per person", fa="سرانه"), "number", ratio, decimals=6),
    ]
    if "added" in frame.columns:
        columns.append(SheetColumn("added", Text(en="Jobs of the plan", fa="شغل‌های برنامه"),
                                   "number", amount, decimals=0))  # fmt: skip
    if found.two:
        columns += [
            SheetColumn("amount_after", Text(en="Amount, after", fa="مقدار، پس"), "number", amount),
            SheetColumn("per_after", Text(en="Divided by, after", fa="بخش بر، پس"), "number", per,
                        decimals=0),
            SheetColumn("value_after", Text(en="Per person, after", fa="سرانه، پس"), "number",
                        ratio, decimals=6),
            SheetColumn("change", Text(en="Change", fa="تغییر"), "number", ratio, decimals=6),
        ]  # fmt: skip
    columns.append(SheetColumn("counted", Text(en="Counted", fa="شمرده شد"), "flag"))
    guess = None
    if "added" in frame.columns:
        names = ("added", "amount_after", "value_after", "change")
        guess = pd.DataFrame(dict.fromkeys(names, frame["added"] > 0), index=frame.index)
    return Sheet("regions", title, tuple(columns), frame, assumed=guess)


def _parts(found: Inequality) -> Sheet:
    rows = found.parts.copy()
    rows["measure_en"] = [MEASURES[m].en for m in rows["measure"]]
    rows["measure_fa"] = [MEASURES[m].in_language("fa") for m in rows["measure"]]
    titles = {
        "total": Text(en="Total", fa="کل"),
        "between": Text(en="Between provinces", fa="میان استان‌ها"),
        "within": Text(en="Within provinces", fa="درون استان‌ها"),
        "between_share": Text(en="Share between", fa="سهم میان استان‌ها"),
    }
    columns = [
        SheetColumn("measure_en", Text(en="Measure", fa="سنجه")),
        SheetColumn("measure_fa", Text(en="Measure", fa="سنجه")),
    ]
    for suffix, mark in (("", ""), ("_after", "after")):
        for name, text in titles.items():
            if f"{name}{suffix}" not in rows.columns:
                continue
            title = text if not mark else Text(en=f"{text.en}, after", fa=f"{text.fa}، پس")
            kind: Any = "share" if name == "between_share" else "number"
            decimals = 1 if kind == "share" else 6
            columns.append(SheetColumn(f"{name}{suffix}", title, kind, decimals=decimals))
    return Sheet("between and within", Text(en="Between and within provinces",
                 fa="میان استان‌ها و درون آن‌ها"), tuple(columns), rows)  # fmt: skip


def _groups(found: Inequality, regions: pd.DataFrame) -> Sheet:
    rows = found.groups.rename_axis("code").reset_index()
    own = regions[regions["level"] == 1].set_index("code")
    rows["name_en"] = rows["code"].map(own["name_en"])
    rows["name_local"] = rows["code"].map(own["name_local"])
    columns = [*NAMES]
    for name in found.groups.columns:
        measure, _, after = str(name).partition("_after")
        text = MEASURES["theil_t" if measure.endswith("_t") else "theil_l"]
        late = str(name).endswith("_after") or bool(after)
        title = text if not late else Text(en=f"{text.en}, after", fa=f"{text.fa}، پس")
        columns.append(SheetColumn(str(name), title, "number", decimals=6))
    return Sheet("within provinces", Text(en="What each province adds within",
                 fa="سهم هر استان از نابرابری درون"), tuple(columns), rows)  # fmt: skip


def _document(found: Inequality, frame: pd.DataFrame) -> dict[str, Any]:
    def records(rows: pd.DataFrame) -> list[Any]:
        return [jsonable(r) for r in rows.to_dict("records")]

    return {
        "question": found.question,
        "measures": {
            str(name): jsonable({**row, "title": MEASURES[str(name)].model_dump(exclude_none=True)})
            for name, row in found.measures.to_dict("index").items()
        },
        "between_within": records(found.parts),
        "within_provinces": records(found.groups.rename_axis("code").reset_index())
        if len(found.groups)
        else [],
        "regions": records(frame),
    }
