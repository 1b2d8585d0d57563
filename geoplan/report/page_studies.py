"""What was asked beside the plan, made ready for the page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from geoplan.report.acceptability_picture import ranks_svg
from geoplan.report.language import Language
from geoplan.report.order import site_numbers
from geoplan.report.page_sites import site_labels
from geoplan.report.pareto_picture import pareto_svg
from geoplan.siting.result import SitingResult

__all__ = ["finest_name", "place_names", "removed_by", "site_words", "studies_of"]

_TOP_SHOWN = 15
_NEAREST = 8
_DRAWN_ROWS = 20
_DRAWN = (
    "first_acceptability", "top_acceptability", "standard_error", "mean_rank", "confidence",
)  # fmt: skip
_METHODS = ("topsis", "vikor", "promethee", "spotis")
_REMOVED = re.compile(r"(?P<rule>.+) \((?P<share>\d+) %\)")
"""How `geoplan.studies.backtest` writes a rule and the land that it takes."""


def studies_of(result: SitingResult, languages: Sequence[Language]) -> dict[str, Any]:
    """Return study → what the page shows of it; only the studies that the run has."""
    made = {
        "pareto": _pareto(result, languages),
        "smaa": _smaa(result, languages),
        "inclusion": _inclusion(result),
        "methods": _methods(result),
        "alternatives": _alternatives(result),
        "trade_offs": _trade_offs(result),
        "backtest": _backtest(result),
    }
    return {name: found for name, found in made.items() if found}


def place_names(language: Language, row: Mapping[str, Any]) -> list[str]:
    """Return the names of the regions around a site that are known, coarsest first."""
    levels = sorted(int(c[6:-5]) for c in row if c.startswith("region") and c.endswith("_code"))
    pairs = [(row.get(f"region{n}_name_en"), row.get(f"region{n}_name_local")) for n in levels]
    return [
        language.name(*pair)
        for pair in pairs
        if any(isinstance(name, str) and name.strip() for name in pair)
    ]


def finest_name(language: Language, row: Mapping[str, Any]) -> str:
    """Return the name of the finest region that is known; empty where none is."""
    return (place_names(language, row) or [""])[-1]


def site_words(language: Language, labels: Mapping[str, Mapping[str, Any]], site: str) -> str:
    """Return a candidate by its number, finest region and id, for a picture."""
    row = labels.get(site)
    if row is None:
        return site
    number = f"{language.digits(row['number'])}." if row.get("number") else ""
    words = " ".join(part for part in (number, finest_name(language, row)) if part)
    return f"{words} ({site})" if words else site


def removed_by(result: SitingResult, language: Language, text: Any) -> list[tuple[str, str]]:
    """Return titles of rules and the share of an estate's land that each removes."""
    titles = {
        str(row["rule"]): language.name(row["title_en"], row["title_local"])
        for row in result.exclusions.to_dict("records")
    }
    parts = text.split("; ") if isinstance(text, str) else []
    found = [_REMOVED.fullmatch(part) for part in parts if part]
    return [
        (titles.get(m["rule"], m["rule"]), language.percent(float(m["share"]) / 100))
        for m in found
        if m
    ]


def _document(result: SitingResult, name: str) -> Mapping[str, Any]:
    found = result.documents.get(name)
    return found if isinstance(found, Mapping) else {}


def _pareto(result: SitingResult, languages: Sequence[Language]) -> dict[str, Any]:
    document = _document(result, "pareto")
    if not document:
        return {}
    points = list(document.get("points", []))
    return {
        "document": document,
        "points": points,
        "first": points[0] if points else None,
        "pictures": {
            each.code: Markup(pareto_svg(document, each))  # noqa: S704, escaped there
            for each in languages
        },
    }


def _smaa(result: SitingResult, languages: Sequence[Language]) -> dict[str, Any]:
    document = _document(result, "smaa")
    if not document:
        return {}
    rows = list(document.get("sites", []))
    numbers = site_numbers(result)
    labels = site_labels(result)
    drawn = rows[:_DRAWN_ROWS]
    # The document holds the best alone; a chosen site may stand far behind them.
    chosen = [_drawn_site(result, site) for site in numbers if site in result.smaa.index]
    shown = [r["site_id"] for r in rows[:_TOP_SHOWN]]
    return {
        "document": document,
        "rows": [*rows[:_TOP_SHOWN], *(r for r in chosen if r["site_id"] not in shown)],
        "central": [r for r in chosen if any(v is not None for v in r["central"].values())],
        "never_first": [
            r["site_id"] for r in chosen if all(v is None for v in r["central"].values())
        ],
        "pictures": {
            each.code: Markup(  # noqa: S704, escaped there
                ranks_svg(
                    [(site_words(each, labels, r["site_id"]), r["ranks"]) for r in drawn],
                    each,
                    marked=document.get("top"),
                )
            )
            for each in languages
        },
    }


def _drawn_site(result: SitingResult, site: str) -> dict[str, Any]:
    """Return a site's row of the table of draws, in the document's shape."""
    row = result.smaa.loc[site]
    names = result.documents["smaa"]["stated_weights"]
    central = {name: float(row[f"central_{name}"]) for name in names}
    return {
        "site_id": site,
        **{name: float(row[name]) for name in _DRAWN},
        "central": {n: None if math.isnan(v) else v for n, v in central.items()},
    }


def _inclusion(result: SitingResult) -> dict[str, Any]:
    document = _document(result, "inclusion")
    if not document:
        return {}
    numbers = site_numbers(result)
    held = {str(row["site_id"]): row for row in document.get("sites", [])}
    chosen = [
        held.get(site, {"site_id": site, "inclusion": 0.0, "standard_error": 0.0})
        for site in numbers
    ]
    others = [row for site, row in held.items() if site not in numbers]
    others.sort(key=lambda row: -row["inclusion"])
    kept = document.get("kept") or []
    plans = sum(kept)
    return {
        "document": document,
        "chosen": chosen,
        "others": others[:_NEAREST],
        "kept": sum(k * n for k, n in enumerate(kept)) / plans if plans else None,
    }


def _methods(result: SitingResult) -> dict[str, Any]:
    document = _document(result, "methods")
    if not document:
        return {}
    methods = [m for m in _METHODS if f"{m}_rank" in result.methods.columns]
    numbers = site_numbers(result)
    frame = result.methods.join(result.candidates[["rank"]], how="inner")
    top = int(document.get("top", 10))
    best = frame[[*(f"{m}_rank" for m in methods), "rank"]].min(axis=1) <= top
    shown = frame[best | frame.index.isin(list(numbers))].sort_values("rank", kind="stable")
    pairs = {}
    for pair in document.get("agreement", []):
        pairs[pair["first"], pair["second"]] = pairs[pair["second"], pair["first"]] = pair
    return {
        "document": document,
        "methods": methods,
        "names": list(dict.fromkeys(first for first, _ in pairs)),
        "pairs": pairs,
        "rows": [
            {
                "site_id": str(site),
                "rank": row["rank"],
                "ranks": [row[f"{m}_rank"] for m in methods],
            }
            for site, row in shown.head(2 * _TOP_SHOWN).iterrows()
        ],
        "of": len(shown),
    }


def _alternatives(result: SitingResult) -> dict[str, Any]:
    document = _document(result, "alternatives")
    if not document:
        return {}
    kept = set(document["best"]["sites"])
    for plan in document.get("plans", []):
        kept &= set(plan["sites"])
    return {"document": document, "plans": document.get("plans", []), "kept": sorted(kept)}


def _trade_offs(result: SitingResult) -> dict[str, Any]:
    rows = [
        {
            **row,
            "leave": _others(row, "leave"),
            "enter": _others(row, "enter"),
            # No plan beats the best one: a bound below 0 says no more than 0 does.
            "loss_at_least": max(row["loss_at_least"] or 0.0, 0.0),
        }
        for row in _document(result, "trade_offs").get("sites", [])
    ]
    if not rows:
        return {}
    return {
        "document": _document(result, "trade_offs"),
        "out": [r for r in rows if r["direction"] == "out"],
        "into": [r for r in rows if r["direction"] == "in"],
    }


def _others(row: Mapping[str, Any], key: str) -> list[str]:
    return [str(s) for s in row.get(key) or () if s != row["site_id"]]


def _backtest(result: SitingResult) -> dict[str, Any]:
    document = _document(result, "backtest")
    if not document:
        return {}
    rows = list(document.get("rows", []))
    # The best and the worst say most; a long list would say no more.
    shown = rows if len(rows) <= 2 * _TOP_SHOWN else rows[:_TOP_SHOWN] + rows[-_TOP_SHOWN:]
    return {"document": document, "rows": shown, "of": len(rows)}
