"""``report.html``: what was asked, what came out and why, on one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from geoplan.catalogue import RESOURCE_UNITS, RESOURCES
from geoplan.catalogue.scenario import Criterion
from geoplan.catalogue.text import Coefficient, Text
from geoplan.errors import Relaxation
from geoplan.report import embed
from geoplan.report.basis import assumed_basis, is_assumed
from geoplan.report.language import Language, languages_of
from geoplan.report.order import by_rank, site_numbers
from geoplan.report.outline import Outlines
from geoplan.report.picture import picture_base, picture_svg
from geoplan.report.tables import settle_flows
from geoplan.report.value_words import value_words
from geoplan.siting.result import SitingResult

__all__ = ["report_html"]

_LEFT_OUT_SHOWN = 12
_FULL = 0.999
"""Share of what may be taken of a headroom from which a source counts as used up."""

_CERTAIN = ("in force", "read", "calculated")


def report_html(result: SitingResult, document: Mapping[str, Any], shapes: Outlines) -> str:
    """Return the page in the country's languages, the default one shown first.

    Parameters
    ----------
    result : SitingResult
        A finished run, with or without a plan.
    document : mapping
        What ``run.json`` says; see `geoplan.report.folder.write_run_folder`.
    shapes : Outlines
        The result's simplified shapes.

    Returns
    -------
    str
        HTML without scripts, with styles, font and picture inside. All text from data is escaped.
    """
    environment = Environment(
        loader=PackageLoader("geoplan.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    languages = languages_of(result.profile)
    return environment.get_template("report.html.j2").render(
        languages=languages,
        run=document,
        r=result,
        s=result.scenario,
        p=result.profile,
        resources=RESOURCES,
        units=RESOURCE_UNITS,
        formula=document.get("index_formula") or "",
        version=(document.get("software") or {}).get("geoplan"),
        assumed=is_assumed(result),
        index_counts={
            "less": int(result.regions["less_industrialised"].eq(True).sum()),
            "count": len(result.regions),
            "empty": int(result.regions["industrialisation"].isna().sum()),
        },
        sites=_sites(result),
        left_out=_left_out(result),
        left_out_shown=_LEFT_OUT_SHOWN,
        sources=_sources(result),
        uncertain=_uncertain(result),
        pictures={
            each.code: Markup(picture_svg(result, shapes, each))  # noqa: S704, escaped there
            for each in languages
        },
        base=Markup(picture_base(result, shapes)),  # noqa: S704, holds no text
        font=Markup(embed.font_css()),  # noqa: S704
        assumed_basis=assumed_basis,
        measure=_measure,
        value_function=_value_function,
        limit=_limit,
        method=_method,
        missing=lambda value: bool(pd.isna(value)),
    )


def _sites(result: SitingResult) -> list[dict[str, Any]]:
    numbers = site_numbers(result)
    supply = by_rank(settle_flows(result.supply, result.sources), result)
    found = []
    for row in by_rank(result.portfolio, result).to_dict("records"):
        site = str(row["site_id"])
        candidate = result.candidates.loc[row["site_id"]]
        found.append(
            {
                **row,
                "number": numbers[site],
                "rank": candidate["rank"],
                "industrialisation": candidate["industrialisation"],
                "less_industrialised": _true(candidate["less_industrialised"]),
                "acceptability": candidate.get("inclusion_acceptability"),
                "jobs": candidate.get("jobs"),
                # The supply stands in a table beside the reasons, with its basis marked.
                "reasons": [r for r in result.reasons.get(site, ()) if r.code != "supply"],
                "criteria": [
                    (
                        name,
                        criterion,
                        candidate[f"measured_{name}"],
                        candidate[f"contribution_{name}"],
                    )
                    for name, criterion in result.scenario.criteria.items()
                ],
                "supply": supply[supply["site_id"] == row["site_id"]].to_dict("records"),
            }
        )
    return found


def _true(value: Any) -> bool:
    return bool(pd.notna(value) and value)


def _left_out(result: SitingResult) -> list[dict[str, Any]]:
    """Return candidates better than the last chosen one that the plan does not hold."""
    frame = result.candidates
    chosen = frame[frame["in_portfolio"].astype(bool)]
    last = chosen["rank"].max() if len(chosen) else 0
    out = frame[~frame["in_portfolio"].astype(bool) & (frame["rank"] < last)].sort_values("rank")
    rows = pd.DataFrame(out.drop(columns="geometry", errors="ignore")).reset_index()
    return [
        {**row, "reasons": result.reasons.get(str(row["site_id"]), ())}
        for row in rows.to_dict("records")
    ]


def _sources(result: SitingResult) -> dict[str, list[dict[str, Any]]]:
    """Return the network sources in use by resource, the fullest first."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in RESOURCES}
    frame = result.sources
    if not len(frame):
        return found
    frame = frame[(frame["used"] > 0) & (frame["kind"] != "own")]
    share = (frame["used"] / frame["headroom"].where(frame["headroom"] > 0)).clip(upper=1.0)
    frame = frame.assign(share=share).sort_values(
        ["share", "source_id"], ascending=[False, True], kind="stable"
    )
    for row in frame.to_dict("records"):
        name = str(row["resource"])
        allowed = getattr(result.scenario.supply, name).headroom_share_max
        found[name].append({**row, "binds": row["share"] >= _FULL * allowed})
    return found


def _uncertain(
    result: SitingResult,
) -> list[tuple[Text | str, list[tuple[str, Coefficient]]]]:
    """Return the coefficients in use whose status is not certain.

    One entry for each coefficient, or for those of one activity that share status and basis:
    what it belongs to, and pairs of word and coefficient.
    """
    rows: list[tuple[Text | str, list[tuple[str, Coefficient]]]] = [
        (name, [("", c)])
        for name, c in result.profile.coefficients.items()
        if c.status not in _CERTAIN
    ]
    for name, share in result.scenario.demand.mix.items():
        activity = result.profile.demand_classes.get(name)
        if activity is None or not share > 0:
            continue
        groups: dict[tuple[str, str], list[tuple[str, Coefficient]]] = {}
        for word, c in (
            ("water_per_ha", activity.water),
            ("return_ratio", activity.return_ratio),
            ("connected_power", activity.connected_power),
            ("coincidence", activity.coincidence),
            ("jobs_per_ha", activity.jobs),
        ):
            if c.status not in _CERTAIN:
                groups.setdefault((c.status, c.basis), []).append((word, c))
        rows += [(activity.title, group) for group in groups.values()]
    return rows


def _measure(language: Language, name: str, criterion: Criterion) -> str:
    what = criterion.layer or criterion.raster or criterion.fact or name
    if criterion.index:
        what = language.t("industrialisation")
    words = language.t(
        f"measure_{criterion.measure}", what=what, radius=language.compact(criterion.radius_km)
    )
    if criterion.unit in ("", "1", "index"):
        return words
    return f"{words} ({language.unit(criterion.unit)})"


def _value_function(language: Language, criterion: Criterion) -> str:
    return value_words(criterion.value, criterion.unit, language, invert=criterion.invert)


def _limit(move: Relaxation, language: Language) -> Markup:
    """Return a limit in words; one without Persian words stays left to right on a Persian page."""
    if language.direction == "ltr":
        return Markup.escape(move.label)
    if move.label_fa:
        return Markup.escape(move.label_fa)
    return Markup('<bdi lang="en" dir="ltr">{}</bdi>').format(move.label)


def _method(value: Any, language: Language) -> str:
    """Return how a layer's assumed figures were derived, from a Text or its dump."""
    if isinstance(value, Text):
        return language.text(value)
    if isinstance(value, Mapping):
        return str(value.get(language.code) or value.get("local") or value.get("en") or "")
    return str(value or "")
