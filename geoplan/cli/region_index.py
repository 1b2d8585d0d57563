"""``geoplan regions index`` and ``geoplan regions inequality``."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.orm import Session

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
from geoplan.cli.run_folder import folder_of
from geoplan.studies.region_equality import inequality_study
from geoplan.studies.region_index import composite_study, index_study
from geoplan.studies.region_inequality import InequalityQuestion
from geoplan.studies.region_plan import plan_jobs
from geoplan.studies.region_run import RegionStudy

__all__ = ["index", "inequality"]


def index(
    ctx: typer.Context,
    composite: Annotated[
        str | None,
        typer.Option(help="A composite index with rank intervals, by id or path; absent: the "
                     "profile's own index."),
    ] = None,
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
) -> None:  # fmt: skip
    """Compute the industrialisation index, with its formula and the dates of its inputs."""
    context: AppContext = ctx.obj
    profile = country(context, "index")
    spec = None if composite is None else context.catalogue.index(composite)

    def compute(session: Session) -> RegionStudy:
        if spec is None:
            return index_study(session, profile, level=level)
        return composite_study(session, spec, profile, level=level)

    outputs = Outputs(language, json, xlsx, csv, map_file, svg, variable, save, top, detail)
    answer(context, outputs, compute)


def inequality(
    ctx: typer.Context,
    fact: Annotated[
        str | None,
        typer.Option(help="Fact that regions share, for example workshops10_1394; absent with "
                     "--run: the index's indicator that counts persons."),
    ] = None,
    per: Annotated[
        str | None,
        typer.Option(help="What it is divided by and weighed with: a fact, population (of the "
                     "regions, the default) or area_km2."),
    ] = None,
    fact2: Annotated[
        str | None, typer.Option(help="The same variable at a later date, for the change.")
    ] = None,
    per2: Annotated[str | None, typer.Option(help="Its divisor; absent: --per.")] = None,
    run: Annotated[
        str | None,
        typer.Option(help="Run id or folder: add the jobs of its chosen sites to the fact, which "
                     "must count persons."),
    ] = None,
    sum_up: Annotated[
        bool, typer.Option("--sum-up", help="Add up figures of a finer level, where all are known.")
    ] = False,
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
) -> None:  # fmt: skip
    """Measure how unequally regions share a fact: now, after a plan, or at two dates."""
    context: AppContext = ctx.obj
    profile = country(context, "inequality")
    own = profile.index.level if fact is None and run is not None else 1
    question = InequalityQuestion(fact, per, level or own, fact2, per2, sum_up)
    plan = None if run is None else plan_jobs(folder_of(context, run), profile_id=profile.id)
    outputs = Outputs(language, json, xlsx, csv, map_file, svg, variable, save, top, detail)
    answer(
        context, outputs, lambda session: inequality_study(session, profile, question, plan=plan)
    )
