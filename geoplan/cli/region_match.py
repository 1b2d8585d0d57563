"""``geoplan regions match``: two sources of regions joined, every region accounted for."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from geoplan.cli.context import AppContext, console, print_json, print_table
from geoplan.errors import InputError, UnknownName
from geoplan.report.language import Language
from geoplan.report.region_workbook import Source
from geoplan.store import cluster, read
from geoplan.store.session import engine_for, transaction
from geoplan.studies.region_match import (
    FileColumns,
    match_document,
    match_sources,
    regions_of_file,
    regions_of_layer,
    write_match,
)

__all__ = ["match"]

_QUIET = ("matched",)


def match(
    ctx: typer.Context,
    old: Annotated[
        str, typer.Option(help="Older regions: a file, or a loaded layer.")
    ] = "counties",
    new: Annotated[
        str, typer.Option(help="Newer regions: a file, or a loaded layer.")
    ] = "counties_2025",
    old_columns: Annotated[
        str | None,
        typer.Option(
            help="Columns of the older file: code,parent,name or code,parent,name,name_en."
        ),
    ] = None,
    new_columns: Annotated[
        str | None, typer.Option(help="Columns of the newer file, in the same way.")
    ] = None,
    parent_last: Annotated[
        int | None,
        typer.Option(help="Last characters of the newer file's parent codes that count.", min=1),
    ] = None,
    old_digits: Annotated[
        int | None,
        typer.Option(
            help="Digits of the older file's codes; 0 takes whole numbers as they are.", min=0
        ),
    ] = None,
    new_digits: Annotated[
        int | None, typer.Option(help="The same for the newer file.", min=0)
    ] = None,
    same_codes: Annotated[
        bool, typer.Option("--same-codes", help="Codes mean the same in both sources.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the join to this .xlsx or .json file.")
    ] = None,
    language: Annotated[str, typer.Option(help="Language of the workbook: en or fa.")] = "en",
    top: Annotated[int, typer.Option(help="Rows shown; 0 shows all.", min=0)] = 60,
    json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Join two sources of regions by code, name and shape, and say what became of each region."""
    context: AppContext = ctx.obj
    if language not in ("en", "fa"):
        raise InputError(f"'{language}' is no language of the workbook", where="--language",
                         remedy="give en or fa")  # fmt: skip
    if context.profile is None:
        known = ", ".join(context.catalogue.profiles())
        raise UnknownName("no profile was named", remedy="its analysis CRS measures the areas: "
                          f"geoplan --profile NAME regions match; known: {known}")  # fmt: skip
    profile = context.catalogue.profile(context.profile)
    first, first_source = _regions(context, old, _columns(old_columns, None, old_digits))
    second, second_source = _regions(context, new, _columns(new_columns, parent_last, new_digits))
    result = match_sources(first, second, crs=profile.analysis_crs, same_codes=same_codes)
    if out is not None:
        write_match(
            result, out, made=datetime.now(UTC), sources=(first_source, second_source),
            language=Language(language, profile.calendar),
        )  # fmt: skip
    if json:
        print_json(match_document(result))
        return
    frame = result.frame
    told = frame[~frame["status"].isin(_QUIET) | frame["conflict"] | (frame["method"] == "variant")]
    shown = told if top == 0 else told.head(top)
    print_table(
        f"{len(told)} of {len(frame)} rows that are not the same name in the same place",
        ["status", "by", "old", "", "new", "", "evidence"],
        [
            [r.status, _text(r.method), _text(r.old_code), _text(r.old_name), _text(r.new_code),
             _text(r.new_name), r.reason_en]
            for r in shown.itertuples()
        ],
    )  # fmt: skip
    for side in ("old", "new"):
        counts = dict(result.counts[side])
        total = counts.pop("total")
        parts = ", ".join(f"{n} {status}" for status, n in counts.items())
        console.print(f"{side}: {total} regions: {parts}")
    console.print(f"{result.counts['comparable']} pairs with unmoved borders, "
                  f"{result.counts['conflicts']} conflicts")  # fmt: skip
    for problem in result.problems:
        if problem.code != "match-conflict":
            console.print(f"{problem.severity}: {problem.where}: {problem.what}")
    if out is not None:
        console.print(f"written: {out}")


def _regions(context: AppContext, name: str, columns: FileColumns | None) -> tuple[Any, Source]:
    path = Path(name)
    if path.suffix:
        return regions_of_file(path, columns or FileColumns()), Source(path.name)
    with transaction(engine_for(cluster.ensure(context.settings))) as session:
        frame = regions_of_layer(session, name, columns)
        version = read.layer_versions(session, [name])[name]
    return frame, Source(
        str(version.get("source") or name), str(version.get("as_of") or ""),
        str(version.get("licence") or ""),
    )  # fmt: skip


def _columns(text: str | None, parent_last: int | None, digits: int | None) -> FileColumns | None:
    if text is None and parent_last is None and digits is None:
        return None
    parts: list[str | None] = [part.strip() for part in (text or "").split(",")]
    if text is None:
        parts = ["code", "parent_code", "name_local"]
    if len(parts) not in (3, 4) or not all(parts):
        raise InputError(
            f"'{text}' does not name the columns",
            where="--old-columns, --new-columns",
            remedy="write code,parent,name or code,parent,name,name_en",
        )
    code, parent, local, english = [*parts, None][:4]
    return FileColumns(str(code), str(parent), local, english, parent_last=parent_last,
                       code_digits=digits)  # fmt: skip


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)
