"""Map and report: no network, both languages, honest words, and drawn in a real browser."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from example_result import example_document, example_profile, example_result, infeasible_result

from geoplan.catalogue.text import Text
from geoplan.errors import UnknownName
from geoplan.report import write_run_folder
from geoplan.report.language import Language, languages_of
from geoplan.report.outline import class_of, outlines

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {}
    for name, result in (("plan", example_result()), ("none", infeasible_result())):
        made[name] = tmp_path_factory.mktemp(name)
        write_run_folder(made[name], result, example_document())
    return made


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def article(page: str, language: str) -> str:
    return page.split(f'<article class="{language}"')[1].split("</article>")[0]


@pytest.mark.parametrize("name", ["map.html", "report.html"])
def test_nothing_is_loaded_from_anywhere(runs: dict[str, Path], name: str) -> None:
    page = read(runs["plan"] / name)
    loads = re.findall(r"""(?:\bsrc|\bhref)\s*=\s*["']([^"']*)""", page)
    loads += re.findall(r"url\(\s*[\"']?([^)\"']*)", page)
    loads += re.findall(r"@import[^;]*", page)
    outside = [x for x in loads if not x.startswith(("data:", "#")) and x != "map.html"]
    # Leaflet's own credit is a link that a reader may follow; nothing is fetched for it.
    assert [x for x in outside if x != "https://leafletjs.com"] == []
    assert "Content-Security-Policy" in page
    assert "sourceMappingURL" not in page


def test_report_has_no_script(runs: dict[str, Path]) -> None:
    assert "<script" not in read(runs["plan"] / "report.html")


def test_both_languages_with_direction_and_digits(runs: dict[str, Path]) -> None:
    page = read(runs["plan"] / "report.html")
    english, persian = article(page, "en"), article(page, "fa")
    assert 'lang="en" dir="ltr"' in page
    assert 'lang="fa" dir="rtl"' in page
    assert "2 sites were chosen from 6 candidates" in english
    assert "از میان ۶ محل نامزد، ۲ محل برگزیده شد" in persian
    assert "۱۴۰۴/۰۱/۰۱" in persian  # 21 March 2025
    assert "2025-03-21" in english
    assert "بالاترین امتیاز." in persian
    assert "Highest score." in english


def test_assumed_goes_with_every_assumed_figure(runs: dict[str, Path]) -> None:
    page = read(runs["plan"] / "report.html")
    for language, word in (("en", "assumed"), ("fa", "فرضی")):
        text = article(page, language)
        badge = f'<span class="assumed">{word}</span>'
        sources = text.split(f'id="{language}-sources"')[1].split("</section>")[0]
        dam = sources.split("dams:a")[1].split("</tr>")[0]
        station = sources.split("stations:1")[1].split("</tr>")[0]
        assert badge in dam
        assert badge not in station
        assert badge in text.split("</header>")[0]
    tips = read(runs["plan"] / "map.html")
    assert "assumed / فرضی" in tips


def test_report_says_what_binds_and_how_it_is_proven(runs: dict[str, Path]) -> None:
    english = article(read(runs["plan"] / "report.html"), "en")
    assert "Used up: Water: Dam A" in english
    assert "HiGHS 1.10.0" in english
    assert "1.750100" in english
    assert "0.0057%" in english
    assert "<dt>Consistency ratio CR</dt><dd>0.008</dd>" in english
    assert "unverified" in english
    assert "index = 0.75" in english


def test_report_without_a_plan_says_what_must_move(runs: dict[str, Path]) -> None:
    english = article(read(runs["none"] / "report.html"), "en")
    assert "No plan satisfies all limits" in english
    assert "Water of Dam A" in english
    assert "headroom:water:dams:a" in english
    assert "2,000" in english
    assert "666.7" in english
    assert "Why each site" not in english
    persian = article(read(runs["none"] / "report.html"), "fa")
    assert '<bdi lang="en" dir="ltr">Water of Dam A</bdi>' in persian
    assert "۶۶۶٫۷" in persian


def test_synthetic_is_said_and_only_then(tmp_path: Path, runs: dict[str, Path]) -> None:
    for name in ("map.html", "report.html"):
        assert "The data are made up" in read(runs["plan"] / name)
    real = example_result(profile=example_profile(synthetic=False))
    write_run_folder(tmp_path, real, example_document())
    for name in ("map.html", "report.html"):
        assert "The data are made up" not in read(tmp_path / name)


def test_default_language_comes_first(tmp_path: Path) -> None:
    persian = example_result(profile=example_profile(languages=["fa", "en"]))
    write_run_folder(tmp_path, persian, example_document())
    page = read(tmp_path / "report.html")
    assert '<html lang="fa" dir="rtl">' in page
    assert 'id="show-fa" checked' in page


def test_neighbours_share_a_border_after_simplification() -> None:
    shapes = outlines(example_result()).regions.geometry
    union = shapes.union_all()
    assert union.area == pytest.approx(shapes.area.sum(), rel=1e-9)


def test_index_classes() -> None:
    given = (0.0, 0.19, 0.2, 0.5, 0.99, 1.0, float("nan"))
    assert [class_of(v) for v in given] == [0, 0, 1, 2, 4, 4, None]


def test_language_numbers_and_names() -> None:
    persian, english = Language("fa", "jalali"), Language("en")
    assert persian.number(-1234.5, 1) == "−۱٬۲۳۴٫۵"
    assert english.number(None) == "–"
    assert english.small_percent(5.7e-5) == "0.0057%"
    assert english.small_percent(0.0) == "0%"
    assert persian.name("West", "باختر") == "باختر"
    assert persian.name("South", None) == "South"
    assert english.name(None, "باختر") == "باختر"
    assert persian.date("1399") == "۱۳۹۹"
    assert persian.date("2025-03-21") == "۱۴۰۴/۰۱/۰۱"
    assert Language("fa").date("2025-03-21") == "۲۰۲۵-۰۳-۲۱"
    assert english.measured(12.5, "%") == "12.5%"
    assert english.measured(1.73224, "km", 3) == "1.73 km"
    assert english.measured(344897.2, "persons", 3) == "344,897 persons"
    assert english.measured(3.0, "class", 3) == "3"
    with pytest.raises(UnknownName):
        english.t("no such word")


def test_a_country_brings_its_own_words() -> None:
    terms = {"site": Text(en="Site", local="Emplacement")}
    french = Language("fr", terms=terms)
    assert french.t("site") == "Emplacement"
    assert french.t("score") == "Score"
    headroom = Language("en", terms={"headroom": Text(en="spare capacity")})
    assert headroom.t("headroom") == "Spare capacity"
    codes = [each.code for each in languages_of(example_profile(languages=["fr"]))]
    assert codes == ["fr", "en"]


@pytest.mark.browser
def test_map_draws_with_the_network_cut(runs: dict[str, Path], browser) -> None:  # type: ignore[no-untyped-def]
    page = browser.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda r: asked.append(r.url))
    page.on("pageerror", lambda e: faults.append(str(e)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.route("http*://**", lambda route: route.abort())
    page.goto((runs["plan"] / "map.html").as_uri())
    page.wait_for_selector(".site-number")
    # 3 regions, 2 borders, 6 candidates, 3 water and 2 power lines, and their sources.
    assert page.locator("path.leaflet-interactive").count() >= 3 + 6 + 5 + 5
    assert page.locator(".site-number").all_inner_texts() == ["1", "2"]
    page.locator(".site-number").first.dispatch_event("click")
    popup = page.locator(".leaflet-popup-content")
    assert "Highest score." in popup.inner_text()
    assert "فرضی" in popup.inner_text()
    assert page.locator(".leaflet-control-layers input").count() == 5
    assert [u for u in asked if not u.startswith(("data:", "file:"))] == []
    assert faults == []


@pytest.mark.browser
def test_report_shows_one_language_at_a_time(runs: dict[str, Path], browser) -> None:  # type: ignore[no-untyped-def]
    page = browser.new_page()
    page.goto((runs["plan"] / "report.html").as_uri())
    assert page.locator("article.en").is_visible()
    assert not page.locator("article.fa").is_visible()
    page.locator("label[for=show-fa]").click()
    assert page.locator("article.fa").is_visible()
    assert not page.locator("article.en").is_visible()
    drawn = page.locator("article.fa figure svg use").bounding_box()
    assert drawn["width"] > 300
    assert page.locator("article.fa h1").evaluate("e => getComputedStyle(e).direction") == "rtl"
    assert page.evaluate("document.fonts.check('16px Vazirmatn', 'شهرک')")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    # Paper: the switch is gone and nothing is wider than the sheet.
    page.emulate_media(media="print")
    assert not page.locator(".choice").is_visible()
    assert len(page.pdf(prefer_css_page_size=True)) > 10_000
