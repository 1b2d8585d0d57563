"""The industrialisation of regions as a study: the profile's index, or a composite one."""

from __future__ import annotations

from typing import Any

import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.composite import CompositeSpec
from geoplan.catalogue.text import Text
from geoplan.errors import RangeError
from geoplan.regions import coarser
from geoplan.regions.composite import CompositeResult
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.siting.sentences import both
from geoplan.studies.composite import composite_document, composite_of, region_sentence
from geoplan.studies.index import all_regions, index_of
from geoplan.studies.region_run import NAMES, RegionStudy, Variable, jsonable, layer_record, tidy

__all__ = ["composite_study", "index_study"]

_INDEX = Text(en="Industrialisation index", fa="شاخص صنعتی‌شدن")
_RANK = Text(en="Rank, 1 most industrialised", fa="رتبه، ۱ صنعتی‌ترین")
_COVERAGE = Text(en="Known share of the weight", fa="سهم معلوم از وزن")
_LESS = Text(en="Less industrialised", fa="کمتر صنعتی")
_DETAIL = (
    *NAMES,
    SheetColumn("indicator", Text(en="Indicator", fa="نماگر")),
    SheetColumn("value", Text(en="Value", fa="مقدار"), "number", decimals=4),
    SheetColumn("unit", Text(en="Unit", fa="یکا")),
    SheetColumn("normalised", Text(en="Normalised", fa="بهنجار"), "number", decimals=3),
    SheetColumn("weight", Text(en="Weight", fa="وزن"), "number", decimals=3),
)
_ORIGIN = (
    SheetColumn("as_of", Text(en="As of", fa="تاریخ")),
    SheetColumn("source", Text(en="Source", fa="منبع")),
)


def index_study(session: Session, profile: Profile, *, level: int | None = None) -> RegionStudy:
    """Return the profile's own index as a study.

    Parameters
    ----------
    session : Session
    profile : Profile
    level : int, optional
        Coarser than the index's own: means of its regions, weighted by people.

    Raises
    ------
    RangeError
        A finer level than the index has, or one that the profile has not.
    """
    own = profile.index.level
    asked = own if level is None else level
    if not 1 <= asked <= own:
        raise RangeError(
            f"the index of profile '{profile.id}' has no value at level {asked}",
            where="--level",
            remedy=f"levels: {', '.join(str(n) for n in range(1, own + 1))}; a composite index may "
            "have others: --composite NAME",
        )
    regions = all_regions(session, profile)
    result = index_of(session, profile, regions)
    frame, formula = result.frame, result.formula
    if asked < own:
        frame = coarser(frame, regions, spec=profile.index, level=asked)
        formula = "population-weighted mean of the regions it holds; " + formula
    names = regions[regions["level"] == asked].set_index("code")
    frame = frame.join(names[["name_en", "name_local", "parent_code"]])
    frame = frame.sort_values(["rank", "name_en"], na_position="last")
    detail = result.detail.copy()
    known = regions[regions["level"] == own].set_index("code")
    for column in ("name_en", "name_local"):
        detail[column] = detail["code"].map(known[column])
    rows = frame.rename_axis("code").reset_index()
    sheets = [
        Sheet(
            "regions",
            _INDEX,
            (
                SheetColumn("rank", _RANK, "integer"),
                *NAMES,
                SheetColumn("industrialisation", _INDEX, "number", decimals=3),
                SheetColumn("coverage", _COVERAGE, "share", decimals=0),
                SheetColumn("less_industrialised", _LESS, "flag"),
            ),
            rows,
        )
    ]
    if asked == own:
        sheets.append(Sheet("indicators", Text(en="Indicators", fa="نماگرها"),
                            (*_DETAIL, *_ORIGIN), detail))  # fmt: skip
    status = frame["industrialisation"].notna().map({True: "known", False: "too-little-data"})
    less = rows.assign(less=rows["less_industrialised"].astype("Float64"))
    values = tidy(
        less,
        {"industrialisation": ("industrialisation", ""), "rank": ("rank", ""),
         "coverage": ("coverage", "share"), "less_industrialised": ("less", "0 or 1")},
        level=asked,
        status=status,
    )  # fmt: skip
    shown = ("rank", "code", "name_en", "name_local", "industrialisation", "coverage",
             "less_industrialised")  # fmt: skip
    return RegionStudy(
        kind="index",
        spec_id=f"{profile.id}-index",
        spec={"index": profile.index.model_dump(mode="json", by_alias=True), "level": asked},
        title=_INDEX,
        profile=profile,
        level=asked,
        regions=regions,
        document={
            "formula": formula,
            "regions": [jsonable({"code": c, **r}) for c, r in frame.to_dict("index").items()],
            "indicators": [jsonable(r) for r in result.detail.to_dict("records")],
        },
        values=values,
        variables={
            "industrialisation": Variable(_INDEX),
            "rank": Variable(_RANK),
            "coverage": Variable(_COVERAGE, "share", "equal"),
        },
        sheets=tuple(sheets),
        rows="regions",
        shown={"regions": shown},
        layers=layer_record(session, profile, (i.layer for i in profile.index.indicators)),
        formula=Text(en=formula),
    )


def composite_study(
    session: Session, spec: CompositeSpec, profile: Profile, *, level: int | None = None
) -> RegionStudy:
    """Return a composite index with the intervals of its ranks as a study.

    Raises
    ------
    RangeError, ProblemsFound
        As `geoplan.studies.composite.composite_of`.
    """
    result = composite_of(session, spec, profile, level=level)
    regions = all_regions(session, profile)
    frame = _rows(result, regions)
    asked = result.spec
    detail = result.detail.merge(frame[["code", "name_en", "name_local"]], on="code", how="left")
    titles = {i.id: i.title for i in asked.indicators}
    detail["title_en"] = [titles[i].en for i in detail["indicator"]]
    detail["title_fa"] = [titles[i].in_language("fa") for i in detail["indicator"]]
    units = {i.id: i.unit for i in asked.indicators}
    index_title = asked.title
    low, high = (round(100 * q, 1) for q in asked.draws.interval)
    span = f"{high - low:g} %"
    columns = (
        SheetColumn("rank", _RANK, "integer"),
        *NAMES,
        SheetColumn("index", Text(en="Index", fa="شاخص"), "number", decimals=3),
        SheetColumn("rank_low", Text(en=f"Rank from ({span})", fa="رتبه از"), "integer"),
        SheetColumn("rank_high", Text(en="Rank to", fa="رتبه تا"), "integer"),
        SheetColumn("rank_median", Text(en="Median rank", fa="میانهٔ رتبه"), "integer"),
        SheetColumn("share_less", Text(en="Less industrialised in share of draws",
                                       fa="سهم روش‌هایی که کمتر صنعتی است"),
                    "share", decimals=0),
        SheetColumn("verdict_en", Text(en="Verdict", fa="نتیجه")),
        SheetColumn("verdict_fa", Text(en="Verdict", fa="نتیجه")),
        SheetColumn("coverage", _COVERAGE, "share", decimals=0),
        SheetColumn("handed_down_share", Text(en="Share handed down from a coarser region",
                                              fa="سهم به‌ارث‌رسیده از منطقهٔ بزرگ‌تر"),
                    "share", decimals=0),
        SheetColumn("sentence_en", Text(en="In words", fa="به زبان ساده")),
        SheetColumn("sentence_fa", Text(en="In words", fa="به زبان ساده")),
    )  # fmt: skip
    assumed = pd.DataFrame({"index": [bool(x) for x in frame["imputed"]]}, index=frame.index)
    sheets = (
        Sheet("regions", index_title, columns, frame, notes=(*_handed_down(frame), *asked.notes),
              assumed=assumed),
        Sheet("indicators", Text(en="Indicators", fa="نماگرها"),
              (*NAMES, SheetColumn("title_en", Text(en="Indicator", fa="نماگر")),
               SheetColumn("title_fa", Text(en="Indicator", fa="نماگر")), *_DETAIL[4:],
               SheetColumn("origin", Text(en="Origin", fa="خاستگاه")), *_ORIGIN), detail),
        Sheet("importance", Text(en="What the ranks depend on", fa="رتبه‌ها به چه وابسته‌اند"),
              (SheetColumn("factor_en", Text(en="Choice", fa="انتخاب")),
               SheetColumn("factor_fa", Text(en="Choice", fa="انتخاب")),
               SheetColumn("share", Text(en="Share of the variance of ranks",
                                         fa="سهم از پراکندگی رتبه‌ها"), "share", decimals=1)),
              _importance(result)),
    )  # fmt: skip
    values = tidy(
        frame,
        {name: (name, "") for name in ("index", "rank", "rank_low", "rank_high")}
        | {"share_less": ("share_less", "share"), "coverage": ("coverage", "share")},
        level=asked.level,
        status=frame["status"],
        assumed=assumed["index"],
    )
    parts = [
        tidy(rows, {str(name): ("value", units[str(name)])}, level=asked.level,
             status=rows["origin"].replace("", "known"), assumed=rows["origin"] == "imputed")
        for name, rows in detail.groupby("indicator", sort=False)
    ]  # fmt: skip
    layers = (f.layer for f in asked.layer_facts)
    return RegionStudy(
        kind="composite",
        spec_id=asked.id,
        spec=asked.model_dump(mode="json"),
        title=index_title,
        profile=profile,
        level=asked.level,
        regions=regions,
        document=composite_document(result, pd.DataFrame(regions)),
        values=pd.concat([values, *parts], ignore_index=True),
        variables={
            "index": Variable(index_title),
            "rank": Variable(_RANK),
            "share_less": Variable(columns[8].title, "share", "equal"),
            "coverage": Variable(_COVERAGE, "share", "equal"),
            **{i.id: Variable(i.title, i.unit) for i in asked.indicators},
        },
        sheets=sheets,
        rows="regions",
        shown={
            "regions": ("rank", "code", "name_en", "name_local", "index", "rank_low", "rank_high",
                        "share_less", "verdict_en", "verdict_fa"),
            "importance": ("factor_en", "factor_fa", "share"),
        },
        layers=layer_record(session, profile, layers),
        formula=Text(en=result.formula),
        notices=(*_handed_down(frame), *asked.notes),
    )  # fmt: skip


def _handed_down(frame: pd.DataFrame) -> tuple[Text, ...]:
    """Say how much of the index is the figure of a coarser region, where any is."""
    share = float(frame["handed_down_share"].median()) if len(frame) else 0.0
    if not share > 0:
        return ()
    return (
        both(
            "{share} % of the weight is known only by a coarser region and is the same in all of "
            "its parts: differences along the borders of provinces come from that too.",
            "{share}٪ از وزن تنها در سطح منطقهٔ بزرگ‌تر معلوم است و در همهٔ بخش‌های آن یکسان: "
            "تفاوت‌ها در مرز استان‌ها از این نیز هست.",
            share=round(100 * share),
        ),
    )


_VERDICTS = {
    "less-industrialised": Text(en="less industrialised", fa="کمتر صنعتی"),
    "not-less-industrialised": Text(en="not less industrialised", fa="نه کمتر صنعتی"),
    "depends-on-method": Text(en="depends on the method", fa="وابسته به روش"),
}


_FACTORS = {
    "outliers": Text(en="treatment of outliers", fa="برخورد با مقدارهای دورافتاده"),
    "normalisation": Text(en="normalisation", fa="بهنجارسازی"),
    "weighting": Text(en="weights", fa="وزن‌ها"),
    "aggregation": Text(en="aggregation", fa="ترکیب"),
    "rest": Text(en="interactions and perturbed weights", fa="اثرهای توأم و لرزش وزن‌ها"),
}


def _importance(result: CompositeResult) -> pd.DataFrame:
    rows = result.draws.importance.copy()
    for language in ("en", "fa"):
        rows[f"factor_{language}"] = [
            _FACTORS[f].in_language(language) if f in _FACTORS else f for f in rows["factor"]
        ]
    return rows


def _rows(result: CompositeResult, regions: pd.DataFrame) -> pd.DataFrame:
    names = regions[regions["level"] == result.spec.level].set_index("code")
    frame = result.frame.join(names[["name_en", "name_local", "parent_code"]])
    frame = frame.sort_values(["rank", "name_en"], na_position="last")
    frame = frame.rename_axis("code").reset_index()
    sentences = [region_sentence(result, str(code)) for code in frame["code"]]
    frame["sentence_en"] = [s.en for s in sentences]
    frame["sentence_fa"] = [s.in_language("fa") for s in sentences]

    def verdict(value: Any, language: str) -> str | None:
        found = _VERDICTS.get(str(value))
        return None if found is None else found.in_language(language)

    frame["verdict_en"] = [verdict(v, "en") for v in frame["verdict"]]
    frame["verdict_fa"] = [verdict(v, "fa") for v in frame["verdict"]]
    return frame
