"""Results of regions as an XLSX workbook: typed cells, units in headers, provenance beside them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import xlsxwriter

from geoplan import __version__
from geoplan.catalogue.text import Text
from geoplan.errors import Problem, ProblemsFound
from geoplan.persian import to_persian_digits
from geoplan.report.language import Language

__all__ = ["About", "CellKind", "Sheet", "SheetColumn", "Source", "region_workbook"]

CellKind = Literal["text", "integer", "number", "share", "flag"]
"""``share`` is 0 to 1 and shown in per cent; ``flag`` is true or false."""

_ABOUT = Text(en="about", fa="درباره")
_WORDS = {
    "made": Text(en="Made", fa="تاریخ تهیه"),
    "version": Text(en="Software version", fa="نسخهٔ نرم‌افزار"),
    "formula": Text(en="Formula", fa="رابطهٔ محاسبه"),
    "sources": Text(en="Sources", fa="منابع"),
    "as_of": Text(en="As of", fa="تاریخ داده"),
    "licence": Text(en="Licence", fa="مجوز"),
    "sheets": Text(en="Sheets", fa="برگه‌ها"),
    "rows": Text(en="rows", fa="سطر"),
    "marks": Text(en="Marks", fa="نشانه‌ها"),
    "missing": Text(en="no data (the cell is empty)", fa="بدون داده (خانه خالی است)"),
    "assumed": Text(en="assumed or estimated, not measured",
                    fa="فرضی یا برآوردی، نه اندازه‌گیری‌شده"),
    "yes": Text(en="yes", fa="بله"),
    "no": Text(en="no", fa="خیر"),
}  # fmt: skip

_FORBIDDEN = re.compile(r"[\[\]:*?/\\]|^'|'$")
_LONGEST_NAME = 31
_MOST_ROWS = 1_048_575
_LONGEST_TEXT = 32_767
_FARSI = "[$-3000429]"
"""Shows a number in Persian digits: numeral shape 3, language 0x0429 (ECMA-376 §18.8.31)."""

_GREY, _AMBER, _HEAD = "#E3E3E3", "#FFF3CD", "#17443A"


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column.

    Parameters
    ----------
    field : str
        Column of the frame.
    title : Text
        Header.
    kind : CellKind
        How its cells are written.
    unit : str
        Stands in the header; empty for none.
    decimals : int
        Shown decimals of ``number`` and ``share``; the cell keeps the whole value.
    """

    field: str
    title: Text
    kind: CellKind = "text"
    unit: str = ""
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet.

    Parameters
    ----------
    name : str
        Name of the tab, at most 31 characters.
    title : Text
        What it shows, for the sheet *about* and for print.
    columns : sequence of SheetColumn
        In order.
    frame : DataFrame
        Rows in order; an absent column is an error.
    notes : sequence of Text
        What a reader must know; they stand in *about*.
    assumed : DataFrame of bool, optional
        Same index as ``frame``; True marks a cell as assumed. Only columns that need it.
    """

    name: str
    title: Text
    columns: Sequence[SheetColumn]
    frame: pd.DataFrame
    notes: Sequence[Text] = ()
    assumed: pd.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where figures come from."""

    name: str
    as_of: str = ""
    licence: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """Provenance of the workbook.

    Parameters
    ----------
    title : Text
        What the workbook is.
    made : datetime
        When its figures were computed; also the file's creation date, so that one result gives
        the same bytes whenever it is written.
    formula : Text, optional
        How the figures were computed.
    sources : sequence of Source
        Data that went in.
    """

    title: Text
    made: datetime
    formula: Text | None = None
    sources: Sequence[Source] = field(default=())


def region_workbook(
    path: Path, sheets: Sequence[Sheet], *, about: About, language: Language
) -> Path:
    """Write the workbook; its first sheet says where everything comes from.

    Text is written as text, never as a formula or a link, whatever it begins with. A missing
    value is an empty grey cell; an assumed one has an amber fill. The first row is frozen and
    filters its column. Right-to-left languages get right-to-left sheets.

    Parameters
    ----------
    path : Path
        File to write; replaced whole, or not at all.
    sheets : sequence of Sheet
        At least one.
    about : About
        Provenance.
    language : Language
        Language of headers, notes and digits.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    ProblemsFound
        A sheet's name cannot be one in a spreadsheet or is there twice, a column is absent, or
        a number or text is none or too long.
    """
    problems = _problems(sheets, language)
    if problems:
        raise ProblemsFound(f"the workbook has {len(problems)} problems", problems, where=path.name)
    part = path.with_name(f".{path.name}.part")
    book = xlsxwriter.Workbook(
        str(part),
        {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    try:
        book.set_properties(
            {
                "title": language.text(about.title),
                "created": about.made.replace(tzinfo=None, microsecond=0),
                "comments": f"GeoPlan {__version__}",
            }
        )
        formats = _Formats(book, language)
        _about_sheet(book, formats, sheets, about, language)
        for sheet in sheets:
            _data_sheet(book, formats, sheet, language)
        book.close()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


class _Formats:
    """Cell formats, made once each."""

    def __init__(self, book: Any, language: Language) -> None:
        self._book, self._made = book, dict[tuple[tuple[str, Any], ...], Any]()
        self._farsi = language.code == "fa"
        self._base = {"font_name": "Tahoma" if self._farsi else "Calibri", "valign": "top",
                      "reading_order": 2 if language.direction == "rtl" else 1}  # fmt: skip

    def get(self, **options: Any) -> Any:
        whole = {**self._base, **options}
        key = tuple(sorted(whole.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(whole)
        return self._made[key]

    def of(self, column: SheetColumn) -> dict[str, Any]:
        if column.kind in ("text", "flag"):
            return {"num_format": "@"} if column.kind == "text" else {}
        decimals = "" if column.decimals == 0 else "." + "0" * column.decimals
        shown = {"integer": "#,##0", "number": f"#,##0{decimals}", "share": f"0{decimals}%"}
        return {"num_format": (_FARSI if self._farsi else "") + shown[column.kind]}


def _problems(sheets: Sequence[Sheet], language: Language) -> list[Problem]:
    problems = []
    taken = {language.text(_ABOUT).casefold()}
    if not sheets:
        problems.append(Problem("workbook", "no sheet was given", "give at least one"))
    for sheet in sheets:
        where = f"sheet '{sheet.name}'"
        bad = not sheet.name.strip() or len(sheet.name) > _LONGEST_NAME
        if bad or _FORBIDDEN.search(sheet.name) or sheet.name.casefold() == "history":
            problems.append(
                Problem(where, "a spreadsheet allows no such name", "give 1 to 31 characters "
                        r"without [ ] : * ? / \ and no quote at either end", code="sheet-name")
            )  # fmt: skip
        if sheet.name.casefold() in taken:
            problems.append(Problem(where, "the name is there twice", "rename one",
                                    code="sheet-twice"))  # fmt: skip
        taken.add(sheet.name.casefold())
        if len(sheet.frame) > _MOST_ROWS:
            problems.append(Problem(where, f"{len(sheet.frame):,} rows; a sheet holds "
                                    f"{_MOST_ROWS:,}", "write it as CSV", code="rows"))  # fmt: skip
        for column in sheet.columns:
            if column.field not in sheet.frame.columns:
                problems.append(
                    Problem(where, f"the frame has no column '{column.field}'",
                            f"it has {', '.join(map(str, sheet.frame.columns))}",
                            code="column-missing")
                )  # fmt: skip
            else:
                problems += _cell_problems(sheet, column, where)
    return problems


def _cell_problems(sheet: Sheet, column: SheetColumn, where: str) -> list[Problem]:
    problems = []
    for label, value in sheet.frame[column.field].items():
        if _missing(value):
            continue
        at = f"{where}, row {label}, column '{column.field}'"
        if column.kind == "text":
            if len(str(value)) > _LONGEST_TEXT:
                problems.append(Problem(at, f"a text of {len(str(value)):,} characters",
                                        "a cell holds 32,767; shorten it",
                                        code="text-long"))  # fmt: skip
        elif column.kind != "flag":
            try:
                float(value)
            except (TypeError, ValueError):
                problems.append(Problem(at, f"'{value}' is no number", "write it as text",
                                        code="number"))  # fmt: skip
    return problems


def _missing(value: Any) -> bool:
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    # An infinity has no cell; it is a ratio to nothing, which is no figure either.
    try:
        return not math.isfinite(value)
    except (TypeError, ValueError):
        return False


def _data_sheet(book: Any, formats: _Formats, sheet: Sheet, language: Language) -> None:
    page = book.add_worksheet(sheet.name)
    if language.direction == "rtl":
        page.right_to_left()
    head = formats.get(bold=True, bg_color=_HEAD, font_color="#FFFFFF", text_wrap=True, border=1)
    words = {key: language.text(_WORDS[key]) for key in ("yes", "no")}
    for place, column in enumerate(sheet.columns):
        title = language.text(column.title)
        unit = language.unit(column.unit)
        header = f"{title} ({unit})" if unit else title
        page.write_string(0, place, header, head)
        options = formats.of(column)
        usual, empty = formats.get(**options), formats.get(bg_color=_GREY)
        doubt = formats.get(**options, bg_color=_AMBER, italic=True)
        marks = None
        if sheet.assumed is not None and column.field in sheet.assumed.columns:
            marks = sheet.assumed[column.field].reindex(sheet.frame.index, fill_value=False)
        widest = min(len(header), 24)
        for row, value in enumerate(sheet.frame[column.field].tolist(), start=1):
            if _missing(value):
                page.write_blank(row, place, None, empty)
                continue
            style = doubt if marks is not None and bool(marks.iat[row - 1]) else usual
            if column.kind == "flag":
                page.write_string(row, place, words["yes" if value else "no"], style)
            elif column.kind == "text":
                page.write_string(row, place, str(value), style)
                widest = max(widest, len(str(value)))
            else:
                number = float(value)
                page.write_number(row, place, number, style)
                widest = max(widest, len(f"{number:,.0f}") + column.decimals + 2)
        page.set_column(place, place, min(max(widest + 2, 8), 60))
    page.freeze_panes(1, 1)
    if sheet.columns:
        page.autofilter(0, 0, max(len(sheet.frame), 1), len(sheet.columns) - 1)
    page.set_landscape()
    page.set_paper(9)
    page.fit_to_pages(1, 0)
    page.repeat_rows(0)
    # An ampersand begins a code in a header; two are one ampersand. It holds 255 characters.
    page.set_header("&C" + language.text(sheet.title).replace("&", "&&")[:200])


def _about_sheet(
    book: Any, formats: _Formats, sheets: Sequence[Sheet], about: About, language: Language
) -> None:
    page = book.add_worksheet(language.text(_ABOUT))
    if language.direction == "rtl":
        page.right_to_left()
    bold, plain = formats.get(bold=True), formats.get(text_wrap=True)
    row = 0

    def line(*cells: str, style: Any = plain) -> None:
        nonlocal row
        for place, text in enumerate(cells):
            if text:
                page.write_string(row, place, text[:_LONGEST_TEXT], bold if place == 0 else style)
        row += 1

    def word(key: str) -> str:
        return language.text(_WORDS[key])

    page.write_string(row, 0, language.text(about.title), formats.get(bold=True, font_size=14))
    row += 2
    line(word("made"), language.date(about.made))
    line(word("version"), f"GeoPlan {__version__}")
    if about.formula is not None:
        line(word("formula"), language.text(about.formula))
    row += 1
    line(word("sources"), word("as_of"), word("licence"), style=bold)
    for source in about.sources:
        page.write_string(row, 0, source.name, plain)
        page.write_string(row, 1, language.date(source.as_of) if source.as_of else "–", plain)
        page.write_string(row, 2, source.licence or "–", plain)
        row += 1
    row += 1
    line(word("sheets"))
    for sheet in sheets:
        count = f"{len(sheet.frame):,}"
        count = to_persian_digits(count).replace(",", "٬") if language.code == "fa" else count
        line(sheet.name, language.text(sheet.title), f"{count} {word('rows')}")
        for note in sheet.notes:
            line("", language.text(note))
    row += 1
    line(word("marks"))
    page.write_blank(row, 0, None, formats.get(bg_color=_GREY))
    page.write_string(row, 1, word("missing"), plain)
    page.write_blank(row + 1, 0, None, formats.get(bg_color=_AMBER))
    page.write_string(row + 1, 1, word("assumed"), plain)
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 80)
    page.set_column(2, 2, 28)
