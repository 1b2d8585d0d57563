"""The workbook of regions: cells read back, marks, directions, harmless text, same bytes."""

from __future__ import annotations

import re
import zipfile
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from geoplan import __version__
from geoplan.catalogue.text import Text
from geoplan.errors import ProblemsFound
from geoplan.report.language import Language
from geoplan.report.region_workbook import About, Sheet, SheetColumn, Source, region_workbook

EN, FA = Language("en"), Language("fa", "jalali")
ABOUT = About(
    Text(en="Industrialisation of counties", fa="صنعتی‌بودن شهرستان‌ها"),
    datetime(2024, 3, 20, 12, 0),
    formula=Text(en="mean of 3 indicators", fa="میانگین ۳ شاخص"),
    sources=(Source("Census 1395", "2016-10-24", "open"), Source("=HYPERLINK(1)", "1399")),
)
COLUMNS = (
    SheetColumn("code", Text(en="Code", fa="کد")),
    SheetColumn("name", Text(en="Name", fa="نام")),
    SheetColumn("population", Text(en="Population", fa="جمعیت"), "integer", "persons"),
    SheetColumn("index", Text(en="Index", fa="شاخص"), "number", decimals=3),
    SheetColumn("share", Text(en="Share", fa="سهم"), "share", decimals=1),
    SheetColumn("less", Text(en="Less industrialised", fa="کمتر صنعتی"), "flag"),
)
FRAME = pd.DataFrame(
    {
        "code": ["0101", "0102", "0103"],
        "name": ["=1+1", "https://example.org", "@SUM(A1)"],
        "population": pd.array([1_234_567, None, 0], dtype="Int64"),
        "index": [0.123456, float("nan"), float("inf")],
        "share": [0.25, 0.5, None],
        "less": pd.array([True, False, None], dtype="boolean"),
    },
    index=["a", "b", "c"],
)
ASSUMED = pd.DataFrame({"population": [True]}, index=["a"])


def sheet(**changes: object) -> Sheet:
    given = {
        "name": "counties", "title": Text(en="All counties", fa="همهٔ شهرستان‌ها"),
        "columns": COLUMNS, "frame": FRAME, "assumed": ASSUMED,
        "notes": (Text(en="Read with care.", fa="با احتیاط بخوانید."),),
    }  # fmt: skip
    return Sheet(**{**given, **changes})  # type: ignore[arg-type]


def parts(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as packed:
        return {n: packed.read(n).decode("utf-8") for n in packed.namelist()}


def test_cells_come_back_as_they_are(tmp_path: Path) -> None:
    path = region_workbook(tmp_path / "out.xlsx", [sheet()], about=ABOUT, language=EN)
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["about", "counties"]
    rows = book.get_sheet_by_name("counties").to_python()
    assert rows == [
        ["Code", "Name", "Population (persons)", "Index", "Share", "Less industrialised"],
        ["0101", "=1+1", 1_234_567.0, 0.123456, 0.25, "yes"],
        ["0102", "https://example.org", "", "", 0.5, "no"],
        ["0103", "@SUM(A1)", 0.0, "", "", ""],
    ]
    about = ["|".join(map(str, row)) for row in book.get_sheet_by_name("about").to_python()]
    text = "\n".join(about)
    for said in (
        "Industrialisation of counties", "2024-03-20", f"GeoPlan {__version__}",
        "mean of 3 indicators", "Census 1395|2016-10-24|open", "=HYPERLINK(1)|1399",
        "counties|All counties|3 rows", "Read with care.",
    ):  # fmt: skip
        assert said in text


def test_nothing_is_a_formula_or_a_link(tmp_path: Path) -> None:
    found = parts(region_workbook(tmp_path / "a.xlsx", [sheet()], about=ABOUT, language=EN))
    for name, text in found.items():
        assert "<f>" not in text, name
        assert "<hyperlink " not in text, name


def test_missing_is_grey_and_assumed_is_amber(tmp_path: Path) -> None:
    found = parts(region_workbook(tmp_path / "a.xlsx", [sheet()], about=ABOUT, language=EN))
    page = found["xl/worksheets/sheet2.xml"]
    styles = found["xl/styles.xml"]
    fills = re.findall(r"<fill>.*?</fill>", styles)
    cells = re.findall(r"<xf ([^>]*?)/?>", styles.split("<cellXfs")[1].split("</cellXfs>")[0])

    def fill(cell: str) -> str:
        style = re.search(rf'<c r="{cell}" s="(\d+)"', page)
        assert style is not None
        number = re.search(r'fillId="(\d+)"', cells[int(style[1])])
        assert number is not None
        return fills[int(number[1])]

    assert "FFE3E3E3" in fill("C3")
    assert "FFE3E3E3" in fill("D4")
    assert "FFFFF3CD" in fill("C2")
    assert "none" in fill("C4")
    assert re.search(r'<c r="C3" s="\d+"/>', page), "the missing cell holds something"
    assert '<pane xSplit="1" ySplit="1"' in page
    assert '<autoFilter ref="A1:F4"/>' in page


def test_persian_sheets_run_right_to_left(tmp_path: Path) -> None:
    path = region_workbook(tmp_path / "a.xlsx", [sheet(name="شهرستان‌ها")], about=ABOUT, language=FA)
    found = parts(path)
    for name in ("xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"):
        assert 'rightToLeft="1"' in found[name]
    assert "[$-3000429]#,##0" in found["xl/styles.xml"]
    book = CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == ["درباره", "شهرستان‌ها"]
    head, first = book.get_sheet_by_name("شهرستان‌ها").to_python()[:2]
    assert head[:2] == ["کد", "نام"]
    assert (first[0], first[2], first[5]) == ("0101", 1_234_567.0, "بله")
    text = str(book.get_sheet_by_name("درباره").to_python())
    assert "۱۴۰۳/۰۱/۰۱" in text
    assert "۳ سطر" in text


def test_same_result_same_bytes(tmp_path: Path) -> None:
    first = region_workbook(tmp_path / "a.xlsx", [sheet()], about=ABOUT, language=FA).read_bytes()
    assert region_workbook(
        tmp_path / "b.xlsx", [sheet()], about=ABOUT, language=FA
    ).read_bytes() == first  # fmt: skip
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.xlsx", "b.xlsx"]


def test_all_problems_at_once_and_no_half_file(tmp_path: Path) -> None:
    bad = [
        sheet(name="a/b"), sheet(name="x" * 32), sheet(name="Same"), sheet(name="same"),
        sheet(name="about"),
        sheet(name="ok", columns=(SheetColumn("none", Text(en="None")),)),
        sheet(name="no", columns=(SheetColumn("name", Text(en="Name"), "number"),)),
    ]  # fmt: skip
    path = tmp_path / "a.xlsx"
    with pytest.raises(ProblemsFound) as raised:
        region_workbook(path, bad, about=ABOUT, language=EN)
    codes = [p.code for p in raised.value.problems]
    assert codes == ["sheet-name", "sheet-name", "sheet-twice", "sheet-twice", "column-missing",
                     "number", "number", "number"]  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProblemsFound, match="no sheet"):
        region_workbook(path, [], about=ABOUT, language=EN)
