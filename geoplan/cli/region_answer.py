"""What every command of regions shares: options, tables, files, and storing the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from geoplan.catalogue import Profile
from geoplan.cli.context import AppContext, console, print_json
from geoplan.cli.region_table import print_study
from geoplan.errors import InputError, UnknownName
from geoplan.report.choropleth_map import MapLayer
from geoplan.report.region_files import (
    check_target,
    reader,
    region_page,
    region_svg,
    sheet_csv,
    sheet_in,
    source_note,
    write_whole,
)
from geoplan.report.region_workbook import About, Source, region_workbook
from geoplan.store import cluster
from geoplan.store.session import engine_for, transaction
from geoplan.studies.region_run import RegionStudy, save_study

__all__ = [
    "Csv",
    "Detail",
    "Json",
    "LanguageCode",
    "Level",
    "Map",
    "Outputs",
    "Save",
    "Svg",
    "Top",
    "Variable",
    "Xlsx",
    "answer",
    "country",
    "database",
]

Level = Annotated[
    int | None,
    typer.Option(help="Region level; 1 is the coarsest. Absent: the measure's own.", min=1, max=3),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document.")]
LanguageCode = Annotated[
    str, typer.Option("--language", help="Language of tables, files and sentences: en or fa.")
]
Xlsx = Annotated[Path | None, typer.Option(help="Write all tables to this .xlsx file.")]
Csv = Annotated[Path | None, typer.Option(help="Write the regions to this .csv file.")]
Map = Annotated[
    Path | None,
    typer.Option("--map", help="Write an interactive map to this .html file; works offline."),
]
Svg = Annotated[Path | None, typer.Option(help="Write the map of one variable to this .svg file.")]
Variable = Annotated[
    str | None, typer.Option(help="Variable that the map shows first; absent: the main one.")
]
Save = Annotated[
    bool, typer.Option("--save", help="Store the answer in the database, with its provenance.")
]
Top = Annotated[int, typer.Option(help="Rows shown; 0 shows all.", min=0)]
Detail = Annotated[str | None, typer.Option(help="Code of one region: show all of it.")]

_MOST_LAYERS = 8
"""Variables in one map page: each adds its values, and a switch of more is no help."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What a person asked for beside the table."""

    language: str = "en"
    json: bool = False
    xlsx: Path | None = None
    csv: Path | None = None
    map: Path | None = None
    svg: Path | None = None
    variable: str | None = None
    save: bool = False
    top: int = 20
    detail: str | None = None

    def check(self) -> None:
        """Refuse what cannot be written before anything is computed.

        Raises
        ------
        InputError, FileMissing
            An unknown language; a file of the wrong kind, or in no folder.
        """
        if self.language not in ("en", "fa"):
            raise InputError(
                f"no sentences in '{self.language}'", where="--language", remedy="give en or fa"
            )
        for path, endings, option in (
            (self.xlsx, (".xlsx",), "--xlsx"),
            (self.csv, (".csv",), "--csv"),
            (self.map, (".html", ".htm"), "--map"),
            (self.svg, (".svg",), "--svg"),
        ):
            if path is not None:
                check_target(path, endings, option)


def country(context: AppContext, command: str) -> Profile:
    """Return the profile that was chosen.

    Raises
    ------
    UnknownName
        None was.
    """
    if context.profile is None:
        known = ", ".join(context.catalogue.profiles())
        raise UnknownName(
            "no profile was named",
            remedy=f"geoplan --profile NAME regions {command}; known: {known}",
        )
    return context.catalogue.profile(context.profile)


def database(context: AppContext) -> Engine:
    """Return the database, started where it is GeoPlan's own."""
    return engine_for(cluster.ensure(context.settings))


def answer(
    context: AppContext, outputs: Outputs, compute: Callable[[Session], RegionStudy]
) -> None:
    """Compute a study, write what was asked for, store it where asked, and print it."""
    outputs.check()
    saved: str | None = None
    with transaction(database(context)) as session:
        study = compute(session)
        first = study.variable(outputs.variable)
        _known_region(study, outputs.detail)
        # Written inside the transaction: what is stored is what was written, or neither.
        written = _write(study, outputs, first)
        if outputs.save:
            saved = save_study(session, study)
    if outputs.json:
        document = study.whole()
        if outputs.detail is not None:
            document = _only(document, outputs.detail)
        document["study"] |= {"id": saved, "written": [str(p) for p in written]}
        print_json(document)
        return
    print_study(study, language=outputs.language, top=outputs.top, detail=outputs.detail)
    for path in written:
        console.print(f"written: {path}")
    if saved is not None:
        console.print(f"stored: {saved}")


def _known_region(study: RegionStudy, code: str | None) -> None:
    rows = study.sheet(study.rows).frame
    if code is not None and not (rows["code"] == code).any():
        raise UnknownName(
            f"no region '{code}' at level {study.level}",
            where="--detail",
            remedy="list the codes with --top 0; leading zeros count",
        )


def _only(document: dict[str, Any], code: str) -> dict[str, Any]:
    """Return the document with one region's rows wherever rows have a region."""

    def mine(row: Any) -> bool:
        return not isinstance(row, dict) or code in (row.get("code", code), row.get("region"))

    return {
        key: [r for r in value if mine(r)] if isinstance(value, list) else value
        for key, value in document.items()
    }


def _write(study: RegionStudy, outputs: Outputs, first: str) -> list[Path]:
    language = reader(study.profile, outputs.language)
    written = []
    if outputs.xlsx is not None:
        sheets = [sheet_in(s, language) for s in study.sheets]
        written.append(
            region_workbook(outputs.xlsx, sheets, about=_about(study), language=language)
        )
    if outputs.csv is not None:
        written.append(write_whole(outputs.csv, sheet_csv(study.sheet(study.rows))))
    note = source_note(study.layers, first=study.shapes, synthetic=study.synthetic)
    if outputs.svg is not None:
        one = study.variables[first]
        svg = region_svg(
            study.regions, study.column(first), level=study.level, title=one.title, unit=one.unit,
            classes=one.classes, centre=one.centre, count=one.count, language=language,
            crs=study.profile.analysis_crs, note=note,
        )  # fmt: skip
        written.append(write_whole(outputs.svg, svg))
    if outputs.map is not None:
        page = region_page(
            study.regions, _layers(study, first, study_note=note), level=study.level,
            title=study.title, language=language, crs=study.profile.analysis_crs,
        )  # fmt: skip
        written.append(write_whole(outputs.map, page))
    return written


def _layers(study: RegionStudy, first: str, *, study_note: Any) -> list[MapLayer]:
    have = set(study.values.loc[study.values["level"] == study.level, "variable"])
    names = [first, *(n for n in study.variables if n != first and n in have)]
    return [
        MapLayer(
            id=name, title=one.title, values=study.column(name), unit=one.unit,
            classes=one.classes, count=one.count, centre=one.centre, note=study_note,
        )
        for name in names[:_MOST_LAYERS]
        for one in [study.variables[name]]
    ]  # fmt: skip


def _about(study: RegionStudy) -> About:
    sources = [
        Source(
            f"{name} v{v['number']} · {v.get('source') or v.get('source_file') or name} · "
            f"sha256 {str(v['sha256'])[:12]}",
            str(v.get("as_of") or ""), str(v.get("licence") or ""),
        )
        for name, v in study.layers.items()
    ]  # fmt: skip
    return About(study.title, study.made, study.formula, sources)
