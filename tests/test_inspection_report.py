"""What people see of one inspected file: terminal, document, GeoPackage and page."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyogrio
import pytest
import shapely
from example_inspection import (
    HOSTILE,
    clean_inspection,
    every_kind,
    example_inspection,
    example_outlines,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser

from geoplan.catalogue.checks import DEFECTS, CheckRules
from geoplan.errors import InputError, Problem
from geoplan.ingest.inspection import CrsEvidence, Finding, Tally
from geoplan.report.inspection_document import inspection_document
from geoplan.report.inspection_layers import write_problem_gpkg
from geoplan.report.inspection_lines import terminal_lines
from geoplan.report.inspection_order import ordered_findings
from geoplan.report.inspection_page import inspection_html, write_inspection_html
from geoplan.report.inspection_place import lonlat, places
from geoplan.report.inspection_scene import CONTEXT_MOST, Item, scene
from geoplan.report.inspection_style import COLOURS, qgis_style
from geoplan.report.inspection_words import (
    evidence_text,
    plain,
    quantity,
    remedy,
    says,
    sentences,
    speaking,
)
from geoplan.report.inspection_wrap import display_width, wrapped
from geoplan.report.language import Language

ENGLISH, PERSIAN = speaking(Language("en")), speaking(Language("fa", "jalali"))


# Words.


def test_every_defect_has_its_sentences_and_its_own_colour() -> None:
    assert set(sentences()) == set(DEFECTS)
    assert set(COLOURS) == set(DEFECTS)
    assert len(set(COLOURS.values())) == len(COLOURS)
    tolerances = set(CheckRules.model_fields)
    for code, sentence in sentences().items():
        for text in (sentence.say, sentence.do):
            assert text.fa, code
            assert re.search("[؀-ۿ]", text.fa), code
        says_of = {*re.findall(r"\{(\w+)\}", sentence.say.en)}
        assert says_of == {*re.findall(r"\{(\w+)\}", sentence.say.fa or "")}, code
        assert "who" in says_of
        assert says_of <= {"who", "size", "by", "value"}
        used = {*re.findall(r"\{(\w+)\}", sentence.do.en)}
        assert used == {*re.findall(r"\{(\w+)\}", sentence.do.fa or "")} <= tolerances, code


def test_what_concerns_the_file_has_a_heading_in_both_languages() -> None:
    page = inspection_html(
        example_inspection(problems=(Problem("a.shp", "what", code="crs-zone-off"),))
    )
    assert "<strong>UTM zone off</strong>" in page
    assert "<strong>منطقهٔ نادرست UTM</strong>" in page


def test_a_finding_is_one_plain_sentence_with_its_numbers() -> None:
    overlap = Finding("overlap", "error", (3, 4), ("۱۲", "13"), 6.0)
    assert says(overlap, ENGLISH) == "Overlap of 6 m² between row 3 (⁨۱۲⁩) and row 4 (⁨13⁩)."
    assert says(overlap, PERSIAN) == ("هم‌پوشانی به مساحت ۶ مترمربع میان سطر ۳ (⁨۱۲⁩) و سطر ۴ (⁨13⁩).")
    assert "up to 0.01 m² is accepted" in remedy("overlap", ENGLISH, CheckRules())
    assert "تا ۰٫۰۱ مترمربع پذیرفته است" in remedy("overlap", PERSIAN, CheckRules())
    mended = Finding("repaired", "info", (1,), text="make_valid")
    assert says(mended, ENGLISH) == "Repaired as asked (“⁨ring made valid⁩”): row 1."
    wide = Finding("gap", "error", tuple(range(1, 10)))
    assert says(wide, ENGLISH) == "Gap between row 1, row 2, row 3, row 4 and 5 more."
    assert says(Finding("new-code", "info", ()), ENGLISH)  # a code without words is still said


@pytest.mark.parametrize(
    ("value", "unit", "english", "persian"),
    [
        (0.0185, "m2", "0.0185 m²", "۰٫۰۱۸۵ مترمربع"),
        (12345.678, "m2", "12,345.68 m²", "۱۲٬۳۴۵٫۶۸ مترمربع"),
        (0.5, "m", "0.5 m", "۰٫۵ متر"),
        (0.00001, "m", "< 0.0001 m", "< ۰٫۰۰۰۱ متر"),
        (5.0, "deg", "5°", "۵ درجه"),
        (0.001, "share", "0.1%", "۰٫۱٪"),
        (None, "m2", "–", "–"),
        (float("nan"), "m2", "–", "–"),
        (-2.25, "m2", "−2.25 m²", "−۲٫۲۵ مترمربع"),
    ],
)
def test_quantities(value: float | None, unit: str, english: str, persian: str) -> None:
    assert quantity(value, unit, ENGLISH) == english
    assert quantity(value, unit, PERSIAN) == persian


@pytest.mark.parametrize("reason", ["absent", "impossible", "axes-swapped", "zone-off", "fits"])
def test_evidence_is_said_for_every_reason(reason: str) -> None:
    given_ = CrsEvidence("EPSG:32639", "EPSG:32640", reason, False, 0.98, 0.02)  # type: ignore[arg-type]
    for language in (ENGLISH, PERSIAN):
        (text,) = evidence_text(given_, language)
        assert "{" not in text
    assert "98%" in evidence_text(given_, ENGLISH)[0]


def test_a_crs_that_nothing_speaks_for_is_not_proposed() -> None:
    lost = CrsEvidence("EPSG:32639", "EPSG:32639", "impossible", False, 0.0, 0.0)
    text = " ".join(
        " ".join(terminal_lines(example_inspection(evidence=lost), 80, limit=0)).split()
    )
    assert "No CRS that was tried puts the features on the country's regions" in text
    assert "State the CRS of the survey with --crs." in text
    assert "--accept-crs" not in text


@given(st.text())
def test_text_from_a_file_never_steers_a_terminal(text: str) -> None:
    shown = plain(text)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", shown)
    assert shown == plain(shown, 1_000)


def test_half_spaces_of_persian_stay() -> None:
    assert plain("خانه‌ها") == "خانه‌ها"


# Terminal.


def test_a_terminal_reads_errors_first_within_its_width() -> None:
    lines = terminal_lines(example_inspection(), 80, limit=20)
    assert max(display_width(line) for line in lines) <= 80
    text = "\n".join(lines)
    assert lines[0].endswith("The file cannot be loaded as it is: 9 errors.")
    assert "\u2068قطعات شهرک نمونه ۱۴۰۲.zip\u2069" in lines[0]
    assert "zone is off" in text
    assert "windows-1256 (detected from the text)" in text
    assert "code ← \u2068SHOMARE\u2069 (text)" in text
    assert "\u2068توضیحات\u2069" in text
    kinds = [line.split()[0] for line in lines[lines.index("") + 2 :][:14]]
    assert kinds == ["error"] * 8 + ["warning"] * 4 + ["note"] * 2
    assert "1,284" in text  # exact, although one of them is listed
    assert "15 of 1,298 are listed" in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\\x1b[31m" in text
    assert text.count("\u2068") == text.count("\u2069")
    assert "225 of 240 rows are good" in text


def test_the_limit_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert "3 of 1,298 are listed here" in "\n".join(
        terminal_lines(example_inspection(), 80, limit=3)
    )
    none = terminal_lines(example_inspection(), 80, limit=0)
    assert "Findings, one by one" not in none


def test_a_clean_file_says_so_at_once() -> None:
    lines = terminal_lines(clean_inspection(), 80, limit=20)
    assert "can be loaded: all 240 rows are good." in lines[0]
    assert lines[-1] == "→ Load it with ‘geoplan layers load’."


def test_an_error_of_the_file_is_no_case_for_partial() -> None:
    broken = example_inspection(problems=(Problem("x.shp", "the file ends early"),))
    text = " ".join(" ".join(terminal_lines(broken, 80, limit=2)).split())
    assert "which --partial cannot get around" in text


@settings(max_examples=25, deadline=None)
@given(st.integers(40, 120), st.integers(0, 6))
def test_no_line_is_wider_than_asked(width: int, limit: int) -> None:
    for language in (Language("en"), Language("fa")):
        lines = terminal_lines(example_inspection(), width, limit=limit, language=language)
        assert max(display_width(line) for line in lines) <= width
        for line in lines:
            assert "\n" not in line


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])), st.integers(8, 40))
def test_wrapping_loses_no_letter(text: str, width: int) -> None:
    lines = wrapped("> ", text, width)
    bare = "".join("".join(lines).split())
    assert bare == ">" + "".join(text.split())


# Document.


def test_the_document_holds_everything_with_places_in_degrees() -> None:
    inspection = example_inspection()
    document = inspection_document(inspection)
    again = json.loads(json.dumps(document, allow_nan=False, ensure_ascii=False))
    assert again == document
    assert document["errors"] == 9
    assert document["loadable"] is False
    assert document["tallies"]["unmatched-vertex"]["count"] == 1_284
    assert document["tallies"]["unmatched-vertex"]["listed"] == 1
    assert document["tolerances"]["overlap_min_m2"] == {
        "value": 0.01, "unit": "m2",
        "meaning": "Overlaps up to this area are within survey accuracy, m²",
    }  # fmt: skip
    assert document["repairs"][0]["area_change_m2"] == pytest.approx(-0.4)
    assert document["crs"]["evidence"]["reason"] == "zone-off"
    by_code = {f["code"]: f for f in document["findings"]}
    assert len(document["findings"]) == len(inspection.findings)
    gap = by_code["gap"]
    # EPSG:32639, (562139.96, 3611116): pyproj 3.7 gives this place.
    assert gap["place"] == pytest.approx([51.6624833, 32.6358846], abs=1e-6)
    assert gap["place_source"] == pytest.approx([562139.96, 3611116.0], abs=0.05)
    assert gap["geometry"]["type"] == "Polygon"
    assert by_code["duplicate-key"]["geometry"] is None
    assert by_code["broken-coordinate"]["place"] is None
    assert by_code["overlap"]["keys"][1] == HOSTILE  # as it was found, for machines


def test_places_without_a_known_crs_are_not_invented() -> None:
    for crs in ("", "no such thing"):
        document = inspection_document(example_inspection(crs=crs))
        assert all(f["geometry"] is None and f["place"] is None for f in document["findings"])
        assert document["findings"][1]["place_source"] is not None


# GeoPackage.


def test_problem_layers_in_the_crs_of_the_file(tmp_path: Path) -> None:
    inspection = example_inspection()
    path = tmp_path / "problems.gpkg"
    write_problem_gpkg(inspection, path)
    found = {name: pyogrio.read_dataframe(path, layer=name)
             for name in ("problem_areas", "problem_lines", "problem_points")}  # fmt: skip
    assert {n: len(f) for n, f in found.items()} == {
        "problem_areas": 9, "problem_lines": 1, "problem_points": 2,
    }  # fmt: skip
    areas = found["problem_areas"]
    assert areas.crs.to_epsg() == 32639
    row = areas[areas["rows"] == "3, 4"].iloc[0]
    assert (row["code"], row["severity"], row["keys"]) == ("overlap", "error", "۱۲/الف, ۱۳")
    assert row["title_fa"] == "هم‌پوشانی"
    assert row["area_m2"] == 6.0
    assert row["width_m"] == 0.15
    assert np.isnan(areas[areas["code"] == "invalid-ring"]["area_m2"].iloc[0])
    first = next(f for f in inspection.findings if f.code == "overlap")
    assert row["geometry"].geoms[0].equals(first.geometry)
    placeless = pyogrio.read_dataframe(path, layer="problem_rows")
    assert set(placeless["code"]) == {"duplicate-key", "destroyed-text", "broken-coordinate"}
    assert len(placeless) + 12 == len(inspection.findings)
    numbers = dict(ordered_findings(inspection))
    assert numbers[row["number"]] is first
    assert [p.name for p in tmp_path.iterdir()] == ["problems.gpkg"]


def test_qgis_finds_a_default_style_for_each_layer(tmp_path: Path) -> None:
    path = tmp_path / "problems.gpkg"
    write_problem_gpkg(example_inspection(), path)
    with sqlite3.connect(path) as base:
        rows = base.execute(
            "select f_table_name, f_geometry_column, styleQML, useAsDefault from layer_styles"
        ).fetchall()
        geometry = dict(
            base.execute("select table_name, column_name from gpkg_geometry_columns").fetchall()
        )
    assert {r[0] for r in rows} == set(geometry)
    for name, column, text, default in rows:
        assert column == geometry[name]
        assert default == 1
        style = ElementTree.fromstring(text)
        renderer = style.find("renderer-v2")
        assert renderer is not None
        assert renderer.get("attr") == "code"
        symbols = {s.get("name") for s in renderer.findall("symbols/symbol")}
        categories = {c.get("value"): c.get("symbol") for c in renderer.findall(".//category")}
        assert set(categories.values()) == symbols
        assert "overlap" in categories


def test_a_style_escapes_what_it_names() -> None:
    text = qgis_style("fill", [('a"<&', "'x'", "#ff0000")], attribute="co<de")
    category = ElementTree.fromstring(text).find(".//category")
    assert category is not None
    assert category.get("value") == 'a"<&'


def test_problem_files_of_odd_inspections(tmp_path: Path) -> None:
    write_problem_gpkg(clean_inspection(), tmp_path / "clean.gpkg")
    assert len(pyogrio.read_dataframe(tmp_path / "clean.gpkg", layer="problem_areas")) == 0
    mixed = shapely.from_wkt(
        "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)), POINT (5 5), LINESTRING (0 0, 1 1))"
    )
    odd = example_inspection(
        crs="",
        findings=(
            Finding("overlap", "error", (1, 2), ("a",), 0.5, {"code": 1.0, "FID": 2.0}, "", mixed),
        ),
        tallies={"overlap": Tally("error", 1, 0.5)},
        problems=(),
    )
    write_problem_gpkg(odd, tmp_path / "odd.gpkg")
    frame = pyogrio.read_dataframe(tmp_path / "odd.gpkg", layer="problem_areas")
    assert frame.crs is None or frame.crs.to_epsg() is None
    assert (frame["number_code"][0], frame["number_FID"][0]) == (1.0, 2.0)
    assert frame.geometry[0].area == 0.5


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    path = tmp_path / "problems.gpkg"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_problem_gpkg(example_inspection(), path)
    assert path.read_text() == "mine"
    write_problem_gpkg(example_inspection(), path, overwrite=True)
    assert path.read_bytes().startswith(b"SQLite format 3")
    assert [p.name for p in tmp_path.iterdir()] == ["problems.gpkg"]


# Page.


def article(page: str, language: str) -> str:
    parts = page.split(f'<article class="{language} ')[1:]
    return "".join(p.split("</article>")[0] for p in parts)


@pytest.fixture(scope="module")
def page() -> str:
    return inspection_html(example_inspection(), context=example_outlines(), made="2026-03-21")


def test_the_page_loads_nothing_and_runs_only_its_own_scripts(page: str) -> None:
    loads = re.findall(r"""(?:\bsrc|\bhref)\s*=\s*["']([^"']*)""", page)
    loads += re.findall(r"url\(\s*[\"']?([^)\"']*)", page)
    assert [x for x in loads if not x.startswith(("data:", "#", "https://leafletjs.com"))] == []
    assert "default-src 'none'; script-src 'sha256-" in page
    policy = page.split('Content-Security-Policy" content="')[1].split('"')[0]
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]


def test_hostile_keys_stay_text(page: str) -> None:
    assert "<script>alert" not in page
    assert "<b>150</b>" not in page
    assert "\u202e" not in page
    for language in ("en", "fa"):
        assert "&lt;script&gt;alert" in article(page, language)


def test_both_languages_say_the_same(page: str) -> None:
    english, persian = article(page, "en"), article(page, "fa")
    assert "The file cannot be loaded as it is: 9 errors." in english
    assert "پرونده به این صورت قابل بارگذاری نیست: ۹ خطا." in persian
    assert "2026-03-21" in english
    assert "۱۴۰۵/۰۱/۰۱" in persian  # 21 March 2026
    assert "Overlap of 0.0185 m² between row 30" in english
    assert "هم‌پوشانی به مساحت ۰٫۰۱۸۵ مترمربع میان سطر ۳۰" in persian
    assert "UTM zone is off" in english
    assert "منطقهٔ UTM نادرست است" in persian
    assert "The data are made up" in english
    for text in (english, persian):
        assert text.count('class="pin"') == len(example_inspection().findings)
        assert "SHAPE_LENG" in text
    assert "۲۲۵ سطر از ۲۴۰ سطر درست است" in persian
    assert '<html lang="fa" dir="rtl">' in page


def test_every_kind_of_defect_has_a_place_in_the_list() -> None:
    text = inspection_html(every_kind(), language="en")
    for code in DEFECTS:
        assert f'id="en-{code}"' in text
        assert f'id="fa-{code}"' in text
    assert "{who}" not in text
    assert "No finding has a place to draw." in text
    assert '<script type="application/json" id="scene">' not in text


def test_a_clean_file_has_a_short_page() -> None:
    text = inspection_html(clean_inspection(), language="en")
    assert "The file can be loaded: all 240 rows are good." in text
    assert "Nothing was found." in text


def test_long_lists_are_capped_and_say_so() -> None:
    many = tuple(
        Finding("unmatched-vertex", "info", (n,), geometry=shapely.Point(562_000 + n, 3_611_000))
        for n in range(1, 1_502)
    )
    overlap = Finding("overlap", "error", (1, 2), (), 2.0, geometry=shapely.box(0, 0, 1, 2))
    text = inspection_html(
        example_inspection(
            findings=(*many, overlap),
            tallies={"unmatched-vertex": Tally("info", 90_000), "overlap": Tally("error", 1, 2.0)},
        ),
        language="en",
    )
    assert "100 of 90,000 are listed here" in text
    assert "1,001 of 1,502 findings with a place are drawn" in text
    assert len(text) < 2_500_000


def test_surroundings_are_capped_near_findings_first() -> None:
    side = 120
    grid = np.array(
        [shapely.box(x * 10, y * 10, x * 10 + 10, y * 10 + 10)
         for x in range(side) for y in range(side)],
        dtype=object,
    )  # fmt: skip
    drawing = scene([Item(1, "gap", shapely.Point(600, 600), "")], "EPSG:32639", grid)
    assert drawing.context.shown == CONTEXT_MOST
    assert drawing.context.total == side * side
    near = sum(abs(r[0] - 0) < 1e6 for r in drawing.data["context"])
    assert near == CONTEXT_MOST
    assert len(json.dumps(drawing.data)) < 1_500_000
    # The first outlines are the 60 m around the finding: 12 × 12 of 10 m, and a little more.
    first = np.array(drawing.data["context"][:100])[:, 0]
    at = drawing.data["items"][0]["p"][0]
    assert np.abs(first - at).max() <= 71


def test_places_keep_metres() -> None:
    square = shapely.box(500_000, 3_600_000, 500_100, 3_600_050)
    (same,) = places([[square]], "EPSG:32639")
    assert same.metric
    assert same.shapes[0].area == pytest.approx(5_000)
    degrees = lonlat([square], "EPSG:32639")
    (drawn,) = places([list(degrees)], "EPSG:4326")
    assert drawn.shapes[0].area == pytest.approx(5_000, rel=5e-3)
    (raw,) = places([[square]], "")
    assert not raw.metric


def test_written_pages_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_inspection_html(example_inspection(), tmp_path / name, context=example_outlines())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_page_in_a_browser_without_network(
    tmp_path: Path, browser: Browser, language: str
) -> None:
    path = tmp_path / "report.html"
    write_inspection_html(example_inspection(), path, language=language, context=example_outlines())
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    tab = context.new_page()
    trouble: list[str] = []
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("console", lambda line: trouble.append(line.text))
    tab.on("dialog", lambda dialog: trouble.append(dialog.message))
    tab.on("request", lambda r: trouble.append(r.url) if not r.url.startswith("file:") and not
           r.url.startswith("data:") else None)  # fmt: skip
    tab.goto(path.as_uri())
    tab.wait_for_selector("#map[data-ready=yes]")
    assert tab.locator("article.top:visible").get_attribute("lang") == language
    drawn = [n for n, f in ordered_findings(example_inspection())
             if f.geometry is not None and f.code != "broken-coordinate"]  # fmt: skip
    labels = tab.locator(f"#map .number [lang={language}]:visible").all_inner_texts()
    digits = Language(language).digits
    assert sorted(labels) == sorted(digits(n) for n in drawn)
    # Each finding's place lies where the map says: the click opens what the list says.
    link = tab.locator(f"article.{language} a[data-n]").nth(6)
    number = link.get_attribute("data-n")
    link.click()
    popup = tab.locator(f".leaflet-popup-content [lang={language}]")
    popup.wait_for()
    assert popup.inner_text().startswith(f"{digits(number)}. ")
    box, pin = tab.locator("#map").bounding_box(), popup.bounding_box()
    assert box is not None
    assert pin is not None
    assert box["x"] <= pin["x"] <= box["x"] + box["width"]
    other = {"fa": "en", "en": "fa"}[language]
    tab.locator(f"label[for=show-{other}]").click()
    assert tab.locator("article.top:visible").get_attribute("lang") == other
    assert (
        tab.locator("#map .leaflet-control-layers-overlays span[lang]:visible").first.evaluate(
            "e => e.lang"
        )
        == other
    )
    overflow = tab.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0
    shot = tab.screenshot(full_page=True)
    assert len(shot) > 50_000
    assert trouble == []
    context.close()
