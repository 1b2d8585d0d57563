"""A composite index of regions from the database, and its document for pages."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.catalogue.composite import CompositeSpec, LayerFact
from geoplan.catalogue.profile import Indicator
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound, RangeError
from geoplan.regions import ancestors, measure_indicator
from geoplan.regions.composite import CompositeResult, composite_of_facts
from geoplan.siting.sentences import Named, both, joined
from geoplan.store import read
from geoplan.studies.index import all_regions, region_code_at

__all__ = ["composite_document", "composite_of", "region_sentence"]

_NEAR_M = 5_000

Document = dict[str, Any]


def composite_of(
    session: Session, spec: CompositeSpec, profile: Profile, *, level: int | None = None
) -> CompositeResult:
    """Return an index from the facts and layers in the database.

    Parameters
    ----------
    session : Session
        Database.
    spec : CompositeSpec
        What is computed.
    profile : Profile
        Country of the regions; the index must be of this profile.
    level : int, optional
        Region level in place of the index's own.

    Raises
    ------
    RangeError
        The index is of another profile, or the profile has no such level.
    ProblemsFound
        Layers that are not loaded, or all problems of the facts.
    """
    if spec.profile != profile.id:
        raise RangeError(
            f"index '{spec.id}' is of profile '{spec.profile}', not '{profile.id}'",
            remedy=f"use --profile {spec.profile}, or an index of '{profile.id}'",
        )
    asked = spec if level is None else spec.at_level(level)
    levels = [r.level for r in profile.region_levels]
    if asked.level not in levels:
        raise RangeError(
            f"profile '{profile.id}' has no regions of level {asked.level}",
            remedy=f"levels: {', '.join(map(str, levels))}",
        )
    regions = all_regions(session, profile)
    facts = read.region_facts(session)
    made = _layer_facts(session, asked, regions)
    if made:
        facts = pd.concat([facts, *made], ignore_index=True)
    return composite_of_facts(asked, regions=pd.DataFrame(regions), facts=facts)


def _layer_facts(
    session: Session, spec: CompositeSpec, regions: gpd.GeoDataFrame
) -> list[pd.DataFrame]:
    """Return the facts that indicators need from layers, as rows of facts."""
    needed = {name for i in spec.indicators for name in i.facts}
    wanted = [f for f in spec.layer_facts if f.variable in needed]
    versions = read.layer_versions(session, sorted({f.layer for f in wanted}))
    lost = [f for f in wanted if f.layer not in versions]
    if lost:
        raise ProblemsFound(
            f"index '{spec.id}' needs layers that are not loaded",
            [
                Problem(f"fact '{f.variable}'", f"layer '{f.layer}' is not loaded",
                        "load the layer, or take the indicator out of the index",
                        code="layer-missing")
                for f in lost
            ],
        )  # fmt: skip
    return [_counted(session, f, regions, versions[f.layer]) for f in wanted]


def _counted(
    session: Session, fact: LayerFact, regions: gpd.GeoDataFrame, version: dict[str, Any]
) -> pd.DataFrame:
    features = read.layer_frame(session, fact.layer).copy()
    if "region_code" in features.columns and features["region_code"].notna().any():
        features["region_code"] = features["region_code"].map(_holders(regions, fact.level))
    else:
        level = regions[regions["level"] == fact.level]
        points = features.geometry.representative_point()
        features["region_code"] = region_code_at(points, level, near_m=_NEAR_M)
    counted = Indicator(
        id=fact.variable, title=Text(en=fact.variable), level=fact.level, layer=fact.layer,
        where=fact.where, value=fact.value, unit=fact.unit, weight=1, basis="",
    )  # fmt: skip
    found = measure_indicator(
        counted,
        regions=regions,
        index_level=fact.level,
        facts=pd.DataFrame(),
        features=features,
        features_as_of=version.get("as_of"),
        features_source=str(version.get("source") or fact.layer),
    )
    return pd.DataFrame(
        {
            "layer_id": fact.layer,
            "level": fact.level,
            "region_code": found.index.to_numpy(),
            "variable": fact.variable,
            "value": found["value"].to_numpy(dtype=float),
            "unit": fact.unit,
            "as_of": found["as_of"].to_numpy(),
            "source": found["source"].to_numpy(),
        }
    )


def _holders(regions: gpd.GeoDataFrame, level: int) -> dict[str, str]:
    """Return, for each region of this level or finer, the code of the one that holds it."""
    held: dict[str, str] = {}
    for own in sorted(set(regions["level"])):
        if own >= level:
            lifted = ancestors(regions, int(own))[level]
            held.update({str(c): p for c, p in lifted.items() if isinstance(p, str)})
    return held


def region_sentence(result: CompositeResult, code: str) -> Text:
    """Return what the index says of one region, in words.

    Parameters
    ----------
    result : CompositeResult
    code : str
        A region of ``result.frame``.
    """
    spec, row = result.spec, result.frame.loc[code]
    titles = {
        i.id: Named(
            i.title.en,
            i.title.fa or i.title.en,
        )
        for i in spec.indicators
    }
    if row["status"] != "indexed":
        return both(
            "No index: {share} % of the weight is known and {needed} % is needed. Missing: "
            "{missing}.",
            "شاخص ندارد: {share}٪ از وزن معلوم است و {needed}٪ لازم است. نامعلوم: {missing}.",
            share=round(100 * float(row["coverage"])),
            needed=round(100 * spec.missing.coverage_min),
            missing=joined([titles[i] for i in row["missing"]]),
        )
    words = {
        "less-industrialised": Named("less industrialised", "کمتر صنعتی"),
        "not-less-industrialised": Named("not less industrialised", "نه کمتر صنعتی"),
        "depends-on-method": Named("a matter of method", "وابسته به روش"),
    }
    span = spec.draws.interval[1] - spec.draws.interval[0]
    return both(
        "Rank {rank} of {count}; between {low} and {high} in {span} % of {draws} ways to compute "
        "it. In the less industrialised part in {less} % of them: {verdict}.",
        "رتبهٔ {rank} از {count}؛ در {span}٪ از {draws} روش محاسبه میان {low} و {high}. در {less}٪ "
        "آن‌ها در بخش کمتر صنعتی: {verdict}.",
        rank=int(row["rank"]),
        count=int((result.frame["status"] == "indexed").sum()),
        low=int(row["rank_low"]),
        high=int(row["rank_high"]),
        span=round(100 * span),
        draws=len(result.draws.methods),
        less=round(100 * float(row["share_less"])),
        verdict=words[str(row["verdict"])],
    )


def composite_document(result: CompositeResult, regions: pd.DataFrame) -> Document:
    """Return the index as one document of plain values.

    Parameters
    ----------
    result : CompositeResult
    regions : DataFrame
        ``code``, ``level``, ``parent_code``, ``name_en``, ``name_local``.

    Returns
    -------
    dict
        ``id``, ``title``, ``level``, ``formula``, ``method``, ``indicators`` (with weights),
        ``regions`` (each with its ``sentence``), ``values``, ``changed``, ``spared``,
        ``spared_in_draws``, ``importance``, ``choices``, ``counts``, ``remarks``, ``notes``.
        Missing is ``None``.
    """
    spec = result.spec
    names = regions[regions["level"] == spec.level].set_index("code")
    names = names[["parent_code", "name_en", "name_local"]].reindex(result.frame.index)
    rows = result.frame.join(names).reset_index()
    found = [
        {**_plain(row), "sentence": region_sentence(result, str(row["code"])).model_dump()}
        for row in rows.to_dict("records")
    ]
    status = result.frame["status"]
    return {
        "id": spec.id,
        "title": spec.title.model_dump(),
        "profile": spec.profile,
        "level": spec.level,
        "formula": result.formula,
        "method": {
            "outliers": spec.outliers.model_dump(mode="json"),
            "normalisation": spec.normalisation,
            "weighting": spec.weighting,
            "aggregation": spec.aggregation,
            "zero_shift": spec.zero_shift,
            "missing": spec.missing.model_dump(mode="json"),
            "topsis": spec.topsis,
            "draws": spec.draws.model_dump(mode="json"),
        },
        "indicators": [
            {
                **i.model_dump(mode="json"),
                "weights": {str(w): float(result.weights.loc[i.id, w]) for w in result.weights},
            }
            for i in spec.indicators
        ],
        "regions": found,
        "values": _records(result.detail),
        "changed": _records(result.changed),
        "spared": list(result.spared),
        "spared_in_draws": {rule: list(names) for rule, names in result.draws.spared.items()},
        "importance": _records(result.draws.importance),
        "choices": _records(result.draws.choices),
        "counts": {
            "regions": len(result.frame),
            "indexed": int((status == "indexed").sum()),
            "too_little_data": int((status != "indexed").sum()),
            "firm": int((result.draws.frame["firm"]).sum()),
            "verdicts": {
                str(k): int(n) for k, n in result.draws.frame["verdict"].value_counts().items()
            },
        },
        "remarks": [
            {"where": p.where, "what": p.what, "remedy": p.remedy, "severity": p.severity,
             "code": p.code, "count": p.count}
            for p in result.remarks
        ],
        "notes": [n.model_dump() for n in spec.notes],
    }  # fmt: skip


def _records(frame: pd.DataFrame) -> list[Document]:
    return [_plain(row) for row in frame.to_dict("records")]


def _plain(row: dict[Any, Any]) -> Document:
    """Return JSON-able values; NaN and NA are ``None``."""
    out: Document = {}
    for key, value in row.items():
        if isinstance(value, list):
            out[str(key)] = value
        elif pd.isna(value):
            out[str(key)] = None
        else:
            out[str(key)] = value.item() if hasattr(value, "item") else value
    return out
