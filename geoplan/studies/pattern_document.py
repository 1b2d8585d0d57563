"""The document of a regional pattern."""

from __future__ import annotations

from typing import Any

import pandas as pd

from geoplan.catalogue.pattern import PART_TITLES, PARTS, PatternSpec
from geoplan.catalogue.text import Text
from geoplan.regions.industry_mix import MIX_RULE
from geoplan.regions.pattern import Pattern
from geoplan.studies.specialisation import Specialisation

__all__ = ["pattern_document"]


def _plain(value: Any) -> Any:
    return None if value is None or pd.isna(value) else float(value)


def pattern_document(
    spec: PatternSpec,
    pattern: Pattern,
    frame: pd.DataFrame,
    special: Specialisation,
    mixes: dict[str, dict[str, float]],
    notices: list[Text],
) -> dict[str, Any]:
    """Return the pattern as plain data, ready for JSON.

    Parameters
    ----------
    spec, pattern, special
        What was asked, scored and measured.
    frame : DataFrame
        ``pattern.frame`` with names and sentences.
    mixes : dict of region to industry mix
    notices : list of Text

    Returns
    -------
    dict
        Text is ``{"en": …, "fa": …}``, what is not known is None.
    """
    activities = {a.id: a for a in spec.activities}
    parts = [p for p in PARTS if p in frame.columns]
    regions = []
    for code, rows in frame.groupby("region", sort=False):
        first = rows.iloc[0]
        listed = []
        for row in rows.to_dict("records"):
            listed.append(
                {
                    "activity": row["activity"],
                    "class": activities[str(row["activity"])].demand_class,
                    "score": _plain(row["score"]),
                    "coverage": _plain(row["coverage"]),
                    "least": _plain(row["least"]),
                    "most": _plain(row["most"]),
                    "rank": None if pd.isna(row["rank"]) else int(row["rank"]),
                    "parts": {p: _plain(row[p]) for p in parts},
                    **{k: [_words(t) for t in row[k]] for k in ("for", "against", "unknown")},
                }
            )
        regions.append(
            {
                "code": str(code),
                "name_en": None if pd.isna(first["name_en"]) else first["name_en"],
                "name_local": None if pd.isna(first["name_local"]) else first["name_local"],
                "mix": mixes.get(str(code)),
                "activities": listed,
            }
        )
    return {
        "id": spec.id,
        "title": _words(spec.title),
        "profile": spec.profile,
        "level": spec.level,
        "estate_ha": spec.estate_ha,
        "formula": pattern.formula,
        "mix_rule": _words(MIX_RULE),
        "mix": spec.mix.model_dump(),
        "weights": {p: spec.weights[p] for p in PARTS if p in spec.weights},
        "weights_status": spec.weights_status,
        "parts": {p: _words(PART_TITLES[p]) for p in parts},
        "activities": [_activity(a.id, spec, special) for a in spec.activities],
        "regions": regions,
        "notices": [_words(n) for n in notices],
    }


def _activity(name: str, spec: PatternSpec, special: Specialisation) -> dict[str, Any]:
    activity = next(a for a in spec.activities if a.id == name)
    found = special.measured.get(name)
    spread = special.concentration.loc[name] if name in special.concentration.index else None
    return {
        "id": name,
        "title": _words(activity.title),
        "class": activity.demand_class,
        "counted": activity.counted,
        "unit": None if activity.amount is None else activity.amount.unit,
        "basis": None if activity.amount is None else activity.amount.basis,
        "as_of": None if found is None else found.as_of,
        "source": None if found is None else found.source,
        "locational_gini": None if spread is None else _plain(spread["locational_gini"]),
        "ellison_glaeser": None if spread is None else _plain(spread["gamma"]),
        "resources": [
            {"id": r.id, "title": _words(r.title), "unit": r.figure.unit, "status": r.status,
             "basis": r.figure.basis}
            for r in activity.resources
        ],
        "note": None if activity.note is None else _words(activity.note),
    }  # fmt: skip


def _words(text: Text) -> dict[str, str]:
    return {"en": text.en, "fa": text.in_language("fa")}
