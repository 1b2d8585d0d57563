"""Tables of a measure of regions at a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from geoplan.cli.context import console, print_table
from geoplan.report.language import Language
from geoplan.report.region_files import columns_in, reader
from geoplan.report.region_workbook import Sheet, SheetColumn
from geoplan.studies.region_run import RegionStudy

__all__ = ["print_study"]

_LONG = 60
_TITLES = ("activity_en", "activity_fa", "title_en", "title_fa")


def print_study(study: RegionStudy, *, language: str, top: int, detail: str | None) -> None:
    """Print a study's tables, or all of one region, then the formula and what must be told."""
    words = reader(study.profile, language)
    if detail is not None:
        for sheet in study.sheets:
            if "code" in sheet.frame.columns:
                _print_region(sheet, detail, words)
    else:
        for name, fields in study.shown.items():
            sheet = study.sheet(name)
            kept = set(columns_in(sheet, words))
            columns = [c for f in fields for c in sheet.columns if c.field == f and f in kept]
            rows = top if "code" in sheet.frame.columns else 0
            _print_sheet(sheet, columns, sheet.frame, words, top=rows)
    if study.formula is not None:
        console.print(words.text(study.formula))
    for said in (*study.assumptions, *study.notices):
        console.print(f"• {words.text(said)}")


def _print_sheet(
    sheet: Sheet,
    columns: Sequence[SheetColumn],
    frame: pd.DataFrame,
    language: Language,
    *,
    top: int,
) -> None:
    shown = frame if top == 0 else frame.head(top)
    count = f" ({language.number(len(shown))} / {language.number(len(frame))})"
    print_table(
        language.text(sheet.title) + (count if len(shown) < len(frame) else ""),
        [_head(c, language) for c in columns],
        [[_cell(row[c.field], c, language) for c in columns] for row in shown.to_dict("records")],
        right=[n for n, c in enumerate(columns) if c.kind in ("integer", "number", "share")],
    )


def _print_region(sheet: Sheet, code: str, language: Language) -> None:
    rows = sheet.frame[sheet.frame["code"] == code]
    if rows.empty:
        return
    kept = set(columns_in(sheet, language))
    columns = [c for c in sheet.columns if c.field in kept]
    if len(rows) > 1:
        names = ("code", "name_en", "name_local")
        short = [c for c in columns if c.field not in names]
        # Sentences stand below the table: in a column they would leave no room for the rest.
        said = [c for c in short if rows[c.field].map(lambda v: len(str(v))).max() > _LONG]
        _print_sheet(sheet, [c for c in short if c not in said], rows, language, top=0)
        for row in rows.to_dict("records") if said else ():
            title = next((row[f] for f in kept if f in _TITLES and isinstance(row[f], str)), "")
            console.print(f"{title}")
            for column in said:
                console.print(
                    f"  {_head(column, language)}: {_cell(row[column.field], column, language)}"
                )
        return
    row = rows.iloc[0]
    console.print(language.text(sheet.title))
    for column in columns:
        console.print(f"  {_head(column, language)}: {_cell(row[column.field], column, language)}")


def _head(column: SheetColumn, language: Language) -> str:
    title = language.text(column.title)
    unit = language.unit(column.unit)
    return f"{title} ({unit})" if unit else title


def _cell(value: Any, column: SheetColumn, language: Language) -> str:
    if value is None or pd.isna(value):
        return "–"
    if column.kind == "flag":
        words = ("بله", "خیر") if language.code == "fa" else ("yes", "no")
        return words[0] if value else words[1]
    if column.kind == "text":
        return str(value)
    if value in (float("inf"), float("-inf")):
        return "∞" if value > 0 else "−∞"
    if column.kind == "integer":
        return language.number(value, 0)
    if column.kind == "share":
        return language.percent(value, column.decimals)
    return language.number(value, column.decimals)
