"""``report.html``: what was asked, what came out and why, on one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from geoplan.catalogue import RESOURCE_UNITS, RESOURCES
from geoplan.mcda.leave_one_out import contribution_note
from geoplan.report import embed
from geoplan.report.basis import assumed_basis, is_assumed
from geoplan.report.evidence import Evidence
from geoplan.report.language import Language, languages_of
from geoplan.report.outline import Outlines
from geoplan.report.page_assumed import layer_method, limit_words, uncertain_coefficients
from geoplan.report.page_criteria import measure_words, value_figure, value_function_words
from geoplan.report.page_sites import (
    chosen_sites,
    joint_limits,
    left_out,
    site_labels,
    sources_used,
)
from geoplan.report.page_studies import finest_name, place_names, removed_by, studies_of
from geoplan.report.page_weights import weight_evidence
from geoplan.report.picture import picture_base, picture_svg
from geoplan.siting.result import SitingResult

__all__ = ["report_html"]

_LEFT_OUT_SHOWN = 12

_SECTIONS = (
    "result", "question", "map", "sites", "why", "sources", "firm", "ranks", "methods",
    "front", "others", "backtest", "exclusions", "weights", "index_title", "solver",
    "assumptions", "data", "timings",
)  # fmt: skip
"""Sections in their order; what a run does not have is left out."""


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
    studies = studies_of(result, languages)
    environment.globals.update(
        p=result.profile,
        assumed_basis=assumed_basis,
        missing=lambda value: bool(pd.isna(value)),
        labels=site_labels(result),
        finest_name=finest_name,
        place_names=place_names,
    )
    return environment.get_template("report.html.j2").render(
        languages=languages,
        run=document,
        r=result,
        s=result.scenario,
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
        sections=_sections(result, studies),
        studies=studies,
        sites=chosen_sites(result),
        left_out=left_out(result),
        left_out_shown=_LEFT_OUT_SHOWN,
        sources=sources_used(result),
        caps=joint_limits(result),
        uncertain=uncertain_coefficients(result),
        note_of_parts=contribution_note(result.scenario.aggregation),
        pictures={
            each.code: Markup(picture_svg(result, shapes, each))  # noqa: S704, escaped there
            for each in languages
        },
        base=Markup(picture_base(result, shapes)),  # noqa: S704, holds no text
        font=Markup(embed.font_css()),  # noqa: S704
        measure=measure_words,
        value_function=lambda language, name: value_function_words(result, language, name),
        value_figure=lambda language, name: value_figure(result, language, name),
        evidence=lambda language: _evidence(result, language),
        removed=lambda language, text: removed_by(result, language, text),
        limit=limit_words,
        method=layer_method,
    )


def _evidence(result: SitingResult, language: Language) -> list[Evidence]:
    return weight_evidence(result.weight_record, result.scenario, language)


def _sections(result: SitingResult, studies: Mapping[str, Any]) -> list[str]:
    """Return the sections that this run has."""
    asked = {
        "why": len(result.portfolio) > 0,
        "sources": len(result.portfolio) > 0,
        "firm": "inclusion" in studies,
        "ranks": "smaa" in studies,
        "methods": "methods" in studies,
        "front": "pareto" in studies,
        "others": "alternatives" in studies or "trade_offs" in studies,
        "backtest": "backtest" in studies,
    }
    return [name for name in _SECTIONS if asked.get(name, True)]
