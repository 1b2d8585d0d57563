"""What fits which region, as a study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.pattern import PART_TITLES, PARTS, PatternSpec
from geoplan.catalogue.text import Text
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.siting.sentences import fa_number
from geoplan.studies.index import all_regions
from geoplan.studies.pattern import pattern_of
from geoplan.studies.region_run import NAMES, RegionStudy, Variable, layer_record, tidy
from geoplan.studies.region_specialisation import (
    ACTIVITY,
    at_level,
    checked,
    named,
    pattern_layers,
)

__all__ = ["pattern_study"]


def pattern_study(
    session: Session, spec: PatternSpec, profile: Profile, *, level: int | None = None
) -> RegionStudy:
    """Return what fits where, with reasons, as a study.

    Raises
    ------
    RangeError, InputError, ProblemsFound
        As `specialisation_study` and `geoplan.studies.pattern.pattern_of`.
    """
    checked(spec, profile)
    spec = at_level(spec, level)
    found = pattern_of(session, profile, spec)
    regions = all_regions(session, profile)
    frame = named(found.frame, regions, spec)
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
        *ACTIVITY,
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
        layers=layer_record(session, profile, pattern_layers(spec)),
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
