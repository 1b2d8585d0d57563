"""What was asked beside the plan, on the page: the front, other plans, firmness, any place."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import Visit, Visitor
from playwright.sync_api import expect
from stub_api import Canned, StubApi

pytestmark = pytest.mark.browser

RUN = "run-2026-11-20-a1b2"


def _study(canned: Canned, name: str) -> Any:
    return canned.answers[f"/api/runs/{RUN}/studies/{name}"]


def _shown(seen: Visit) -> dict[str, list[str]]:
    """Return the sites that the map marks as coming and going."""
    seen.settle()
    drawn = seen.page.evaluate(
        "() => window.__geoplan.map.getStyle().sources['plan-change']?.data.features"
        ".map(f => [f.properties.enters, f.properties.site_id]) ?? []"
    )
    return {
        "enter": sorted(site for enters, site in drawn if enters),
        "leave": sorted(site for enters, site in drawn if not enters),
    }


def _no_english(seen: Visit, selector: str) -> None:
    text = seen.page.locator(selector).first.evaluate(
        "e => { const c = e.cloneNode(true);"
        " c.querySelectorAll('[data-raw]').forEach(x => x.remove()); return c.textContent; }"
    )
    assert not re.search("[A-Za-z]{2,}|[0-9]", text), text


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_a_point_of_the_front_shows_its_sites_and_who_comes_and_goes(
    visit: Visitor, stub: StubApi, canned: Canned, lang: str
) -> None:
    wanted = _study(canned, "pareto")["points"][2]
    chosen = set(_study(canned, "pareto")["points"][0]["sites"])
    seen = visit(stub.url, f"lang={lang}").drawn()
    point = seen.page.locator(".front-point").nth(2)
    point.hover()
    assert _shown(seen) == {
        "enter": sorted(set(wanted["sites"]) - chosen),
        "leave": sorted(chosen - set(wanted["sites"])),
    }
    # A glimpse goes with the pointer; a click stays, and says what the plan gives.
    seen.page.mouse.move(640, 60)
    assert _shown(seen) == {"enter": [], "leave": []}
    point.click()
    seen.page.mouse.move(640, 60)
    assert len(_shown(seen)["enter"]) == 2
    expect(point).to_have_attribute("aria-pressed", "true")
    told = seen.page.locator(".front-told")
    expect(told.locator(".difference li")).to_have_count(4)
    expect(told).to_contain_text("۰٫۳۸۱" if lang == "fa" else "0.381")
    if lang == "fa":
        _no_english(seen, ".studies")
    seen.page.locator(".shown-plan button").click()
    assert _shown(seen) == {"enter": [], "leave": []}


def test_the_front_works_with_the_keyboard_alone(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, "lang=en").drawn()
    point = seen.page.locator(".front-point").nth(1)
    point.focus()
    assert len(_shown(seen)["enter"]) == 1
    seen.page.keyboard.press("Enter")
    expect(point).to_have_attribute("aria-pressed", "true")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Space")
    expect(seen.page.locator(".front-point").nth(2)).to_have_attribute("aria-pressed", "true")


def test_another_plan_is_shown_on_the_map(visit: Visitor, stub: StubApi, canned: Canned) -> None:
    plan = _study(canned, "alternatives")["plans"][1]
    seen = visit(stub.url, "lang=en").drawn()
    seen.page.locator(".fold", has_text="Plans nearly as good").locator("summary").click()
    row = seen.page.get_by_role("button", name="Other plan 2")
    row.click()
    assert _shown(seen) == {"enter": sorted(plan["enter"]), "leave": sorted(plan["leave"])}
    expect(row).to_contain_text("−1.84%")
    row.click()
    seen.page.mouse.move(640, 60)
    assert _shown(seen) == {"enter": [], "leave": []}


@pytest.mark.parametrize(("lang", "figure"), [("en", "98% ± 4%"), ("fa", "۹۸٪ ± ۴٪")])
def test_inclusion_stands_beside_each_chosen_site(
    visit: Visitor, stub: StubApi, lang: str, figure: str
) -> None:
    seen = visit(stub.url, f"lang={lang}").drawn()
    rows = seen.page.locator(".list .row .inclusion")
    expect(rows).to_have_count(8)
    expect(rows.first).to_contain_text(figure)
    # A chosen site that no other plan holds has 0, not nothing.
    expect(rows.last).to_contain_text("۰٪" if lang == "fa" else "0%")


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_a_site_says_how_firm_it_is_and_its_rank_by_other_methods(
    visit: Visitor, stub: StubApi, canned: Canned, lang: str
) -> None:
    seen = visit(stub.url, f"lang={lang}&site=S0002").drawn()
    card = seen.page.locator(".card")
    ranks = card.locator(".ranks dd")
    expect(ranks).to_have_count(4)
    expect(ranks.nth(0)).to_have_text("۲" if lang == "fa" else "2")
    expect(ranks.nth(1)).to_have_text("۱" if lang == "fa" else "1")
    expect(ranks.nth(2)).to_contain_text("۸" if lang == "fa" else "below 8")
    expect(card).to_contain_text("۹۰٪ ± ۴٪" if lang == "fa" else "90% ± 4%")
    _study(canned, "methods")["ranks"] = {"S0002": {"topsis": 2, "promethee": 31}}
    again = visit(stub.url, f"lang={lang}&site=S0002").drawn()
    expect(again.page.locator(".card .ranks dd").nth(2)).to_have_text(
        "۳۱" if lang == "fa" else "31"
    )


def test_the_back_test_is_told(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, "lang=fa").drawn()
    expect(seen.page.locator(".studies")).to_contain_text("بالاتر از ۷۱٫۵ ٪ زمین مجاز")


def test_a_run_without_studies_has_none_of_it(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    canned.answers[f"/api/runs/{RUN}"]["studies"] = []
    seen = visit(stub.url, "lang=en&site=S0001").drawn()
    expect(seen.page.locator(".card .reasons li").first).to_be_visible()
    assert seen.page.locator(".studies, .inclusion, .ranks").count() == 0
    assert not any("/studies/" in url for url in seen.requests)


def test_a_study_that_fails_says_so_and_the_others_stay(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    canned.failures[f"/api/runs/{RUN}/studies/pareto"] = (
        404, {"title": "Not Found", "status": 404, "detail": "the front was removed"},
    )  # fmt: skip
    seen = visit(stub.url, "lang=en").drawn()
    expect(seen.page.locator(".studies .notice-error")).to_contain_text("the front was removed")
    expect(seen.page.locator(".inclusion").first).to_be_visible()


def _empty_spot(seen: Visit) -> tuple[float, float]:
    """Return a place on the screen inside a region where no site, line or candidate lies."""
    seen.settle()
    found = seen.page.evaluate(
        """() => {
          const map = window.__geoplan.map, box = map.getCanvas().getBoundingClientRect();
          const own = map.getLayersOrder().filter(l => !/^region-|^sea$|name/.test(l));
          for (let x = 60; x < box.width - 60; x += 9)
            for (let y = 60; y < box.height - 60; y += 9) {
              const at = [[x - 7, y - 7], [x + 7, y + 7]];
              if (map.queryRenderedFeatures(at, {layers: own}).length) continue;
              if (!map.queryRenderedFeatures([x, y], {layers: ['region-fill']}).length) continue;
              const hit = document.elementFromPoint(box.left + x, box.top + y);
              if (hit === map.getCanvas()) return [box.left + x, box.top + y];
            }
        }"""
    )
    return float(found[0]), float(found[1])


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "No rule removes this place."), ("fa", "هیچ قاعده‌ای این‌جا را حذف نمی‌کند.")],
)
def test_a_click_on_any_place_says_why_it_is_no_site(
    visit: Visitor, stub: StubApi, lang: str, words: str
) -> None:
    seen = visit(stub.url, f"lang={lang}").drawn()
    seen.page.mouse.click(*_empty_spot(seen))
    card = seen.page.locator(".card")
    expect(card.locator(".reasons li").first).to_have_text(words)
    asked = next(url for url in seen.requests if "/place?" in url)
    lon, lat = re.search(r"lon=([\d.]+)&lat=([\d.]+)", asked).groups()  # type: ignore[union-attr]
    assert 50 < float(lon) < 58 and 29 < float(lat) < 35
    assert f"place={lat}/{lon}" in seen.hash()
    if lang == "fa":
        _no_english(seen, ".card")
    # The region behind the place is one step away, and a shared link opens the place again.
    link = seen.hash().lstrip("#")
    card.locator(".link").last.click()
    expect(card.locator(".reasons")).to_have_count(0)
    again = visit(stub.url, link).drawn()
    expect(again.page.locator(".card .reasons li").first).to_have_text(words)


def test_enter_on_the_map_asks_about_its_centre(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, "lang=en").drawn()
    x, y = _empty_spot(seen)
    seen.page.evaluate(
        "([x, y]) => { const m = window.__geoplan.map, b = m.getCanvas().getBoundingClientRect();"
        " m.jumpTo({center: m.unproject([x - b.left, y - b.top])}); }",
        [x, y],
    )
    seen.settle()
    seen.page.locator(".maplibregl-canvas").focus()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator(".card .reasons li").first).to_contain_text("No rule removes")
    seen.page.keyboard.press("Escape")
    expect(seen.page.locator(".card")).to_have_count(0)


def test_a_place_that_cannot_be_told_says_why(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    canned.failures[f"/api/runs/{RUN}/place"] = (
        404, {"title": "Not Found", "status": 404, "detail": "exclusions.tif is not there",
              "remedy": "run the scenario again"},
    )  # fmt: skip
    seen = visit(stub.url, "lang=en").drawn()
    seen.page.mouse.click(*_empty_spot(seen))
    error = seen.page.locator(".card .notice-error")
    expect(error).to_contain_text("exclusions.tif is not there")
    expect(error).to_contain_text("run the scenario again")
    canned.failures.clear()
    error.get_by_role("button").click()
    expect(seen.page.locator(".card .reasons li").first).to_be_visible()
