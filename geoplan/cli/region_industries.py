"""``geoplan regions specialisation``, ``pattern`` and ``slices``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geoplan.catalogue.pattern import PatternSpec
from geoplan.cli.context import AppContext
from geoplan.cli.region_answer import (
    Csv,
    Detail,
    Json,
    LanguageCode,
    Level,
    Map,
    Outputs,
    Save,
    Svg,
    Top,
    Variable,
    Xlsx,
    answer,
    country,
)
from geoplan.ingest.actuals import read_actuals
from geoplan.studies.region_pattern import pattern_study
from geoplan.studies.region_slices import slices_study
from geoplan.studies.region_specialisation import specialisation_study

__all__ = ["pattern", "slices", "specialisation"]

_Pattern = Annotated[
    str | None,
    typer.Option("--pattern", help="Pattern, by id or path; absent: the one named as the profile."),
]


def _pattern(context: AppContext, name: str | None, profile_id: str) -> PatternSpec:
    return context.catalogue.pattern(profile_id if name is None else name)


def specialisation(
    ctx: typer.Context,
    pattern_name: _Pattern = None,
    level: Level = None,
    top: Top = 20,
    detail: Detail = None,
    language: LanguageCode = "en",
    json: Json = False,
    xlsx: Xlsx = None,
    csv: Csv = None,
    map_file: Map = None,
    svg: Svg = None,
    variable: Variable = None,
    save: Save = False,
) -> None:
    """Compute location quotients with their uncertainty, and how concentrated activities are."""
    context: AppContext = ctx.obj
    profile = country(context, "specialisation")
    spec = _pattern(context, pattern_name, profile.id)
    outputs = Outputs(language, json, xlsx, csv, map_file, svg, variable, save, top, detail)
    answer(
        context, outputs, lambda session: specialisation_study(session, spec, profile, level=level)
    )


def pattern(
    ctx: typer.Context,
    pattern_name: _Pattern = None,
    level: Level = None,
    top: Top = 40,
    detail: Detail = None,
    language: LanguageCode = "en",
    json: Json = False,
    xlsx: Xlsx = None,
    csv: Csv = None,
    map_file: Map = None,
    svg: Svg = None,
    variable: Variable = None,
    save: Save = False,
) -> None:
    """Say which industries fit which region, with what speaks for, against, and what is unknown."""
    context: AppContext = ctx.obj
    profile = country(context, "pattern")
    spec = _pattern(context, pattern_name, profile.id)
    outputs = Outputs(language, json, xlsx, csv, map_file, svg, variable, save, top, detail)
    answer(context, outputs, lambda session: pattern_study(session, spec, profile, level=level))


def slices(
    ctx: typer.Context,
    target: Annotated[str, typer.Argument(help="National target, by id or path.")],
    actuals: Annotated[
        Path | None,
        typer.Option(
            help="CSV of what regions report (code, quarter, actual): adds target against actual."
        ),
    ] = None,
    until: Annotated[
        int, typer.Option(min=1, max=4, help="Last quarter that has ended, for --actuals.")
    ] = 4,
    level: Level = None,
    top: Top = 40,
    detail: Detail = None,
    language: LanguageCode = "en",
    json: Json = False,
    xlsx: Xlsx = None,
    csv: Csv = None,
    map_file: Map = None,
    svg: Svg = None,
    variable: Variable = None,
    save: Save = False,
) -> None:
    """Divide a national target among the regions, by quarter and activity too."""
    context: AppContext = ctx.obj
    profile = country(context, "slices")
    spec = context.catalogue.target(target)
    told = None
    if actuals is not None:
        told = read_actuals(actuals, level=spec.levels[0] if level is None else level)
    outputs = Outputs(language, json, xlsx, csv, map_file, svg, variable, save, top, detail)
    answer(
        context,
        outputs,
        lambda session: slices_study(
            session, spec, profile, level=level, actuals=told, until=until
        ),
    )
