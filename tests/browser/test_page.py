"""The page in a real browser: nothing from outside, both languages, layers, sites, keyboard."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import Any

import pytest
from conftest import Visit, Visitor
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

# What the reader's language is not expected in: addresses, commands, file and source names.
_WORDS = """() => {
  const out = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement;
    if (parent.closest('script, style, [data-raw], code, pre, noscript, .maplibregl-map')) continue;
    if (node.textContent.trim()) out.push(node.textContent);
  }
  for (const e of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
    if (e.closest('[data-raw], .maplibregl-map')) continue;
    for (const a of ['aria-label', 'title', 'placeholder'])
      if (e.getAttribute(a)) out.push(e.getAttribute(a));
  }
  return out;
}"""


def _json(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)


def _first_site(seen: Visit) -> None:
    seen.page.locator(".list .row").first.click()
    expect(seen.page.locator(".card .reasons li").first).to_be_visible()


def _english(seen: Visit) -> list[str]:
    return [text for text in seen.page.evaluate(_WORDS) if re.search("[A-Za-z]{2,}", text)]


@pytest.mark.parametrize("lang", ["en", "fa"])
def test_nothing_leaves_the_origin_and_nothing_is_complained_of(
    visit: Visitor, page_url: str, lang: str
) -> None:
    seen = visit(page_url, f"lang={lang}").drawn()
    _first_site(seen)
    seen.settle()
    outside = [
        url for url in seen.requests if not url.startswith((f"{page_url}/", "data:", "blob:"))
    ]
    assert outside == []
    assert any("/tiles/regions/" in url for url in seen.requests)
    assert any(url.endswith(".woff2") for url in seen.requests)
    assert seen.complaints == []


def test_the_map_draws_regions_candidates_sites_and_lines(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=en").drawn()
    seen.settle()
    drawn = seen.page.evaluate(
        "() => Object.fromEntries(['region-fill', 'candidate-point', 'chosen-point', 'link-end']"
        ".map(id => [id, window.__geoplan.map.queryRenderedFeatures({layers: [id]}).length]))"
    )
    assert all(count > 0 for count in drawn.values()), drawn


def test_switching_to_persian_turns_the_page_and_every_word(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=en").drawn()
    root = seen.page.locator("html")
    expect(root).to_have_attribute("dir", "ltr")
    seen.page.get_by_role("button", name="فارسی").click()
    expect(root).to_have_attribute("dir", "rtl")
    expect(root).to_have_attribute("lang", "fa")
    assert "lang=fa" in seen.hash()
    _first_site(seen)
    assert _english(seen) == []
    for tab in seen.page.get_by_role("tab").all():
        tab.click()
        for fold in seen.page.locator(".side details > summary").all():
            fold.click()
        assert _english(seen) == []
    seen.page.get_by_role("button", name="English").click()
    expect(root).to_have_attribute("dir", "ltr")


def test_persian_numbers_are_persian(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=fa").drawn()
    _first_site(seen)
    figures = seen.page.locator(".figure b").all_inner_texts()
    assert figures and not any(re.search("[0-9]", text) for text in figures)


def test_labels_are_drawn_with_the_bundled_font(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=fa").drawn()
    assert seen.page.evaluate("document.fonts.check('16px Vazirmatn', 'پچژگ')")
    loaded = seen.page.evaluate(
        "[...document.fonts].filter(f => f.status === 'loaded').map(f => f.family)"
    )
    assert "Vazirmatn" in {name.strip('"') for name in loaded}


def test_layers_are_switched_on_and_off(visit: Visitor, page_url: str) -> None:
    wanted = next(x for x in _json(f"{page_url}/api/layers") if x["tiles"] and not x["show"])
    seen = visit(page_url, "lang=en").drawn()
    seen.page.get_by_role("tab", name="Layers").click()
    box = seen.page.get_by_role("checkbox", name=wanted["title"]["en"], exact=False).first
    present = "id => window.__geoplan.map.getLayersOrder().some(l => l.startsWith('layer-' + id))"
    assert not seen.page.evaluate(present, wanted["id"])
    box.check()
    seen.settle()
    assert seen.page.evaluate(present, wanted["id"])
    assert wanted["id"] in seen.hash()
    box.uncheck()
    seen.settle()
    assert not seen.page.evaluate(present, wanted["id"])


@pytest.mark.parametrize(("lang", "word"), [("en", "assumed"), ("fa", "فرضی")])
def test_a_site_says_why_it_is_here_and_what_is_assumed(
    visit: Visitor, page_url: str, lang: str, word: str
) -> None:
    run = _json(f"{page_url}/api/info")["latest_run"]
    chosen = [
        site
        for site in _json(f"{page_url}/api/runs/{run}/candidates?limit=1000")["items"]
        if site["in_portfolio"]
    ]
    lines = _json(f"{page_url}/api/runs/{run}/supply")
    guessed = {line["site_id"] for line in lines if line["basis"] == "assumed"}
    site = next(x for x in chosen if x["site_id"] in guessed)
    seen = visit(page_url, f"lang={lang}").drawn()
    seen.settle()
    # On the map itself: a click on the site's disc.
    seen.page.evaluate(
        "([lon, lat]) => window.__geoplan.map.jumpTo({center: [lon, lat], zoom: 9})",
        [site["lon"], site["lat"]],
    )
    seen.settle()
    box = seen.page.locator(".map-canvas").bounding_box()
    assert box is not None
    seen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    card = seen.page.locator(".card")
    expect(card.locator(".reasons li").first).to_be_visible()
    assert f"site={site['site_id']}" in seen.hash()
    assert card.locator(".bars li").count() >= 1
    expect(card.locator(".supply")).to_contain_text(word)


@pytest.mark.parametrize(("lang", "word"), [("en", "assumed"), ("fa", "فرضی")])
def test_the_tip_of_a_line_says_assumed(
    visit: Visitor, page_url: str, lang: str, word: str
) -> None:
    run = _json(f"{page_url}/api/info")["latest_run"]
    guessed = [
        x
        for x in _json(f"{page_url}/api/runs/{run}/supply")
        if x["basis"] == "assumed" and x["line"]
    ]
    line = max(guessed, key=lambda x: x["distance_km"])
    seen = visit(page_url, f"lang={lang}").drawn()
    (west, south), (east, north) = line["line"][0], line["line"][-1]
    seen.page.evaluate(
        "([lon, lat]) => window.__geoplan.map.jumpTo({center: [lon, lat], zoom: 12})",
        [west + (east - west) / 2, south + (north - south) / 2],
    )
    seen.settle()
    box = seen.page.locator(".map-canvas").bounding_box()
    assert box is not None
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(seen.page.locator(".tip")).to_contain_text(word)


def test_a_region_shows_its_index_and_where_it_comes_from(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=en").drawn()
    seen.page.get_by_role("tab", name="Regions").click()
    seen.page.locator(".list .row").first.click()
    card = seen.page.locator(".card")
    expect(card).to_contain_text("Industrialisation index")
    assert "region=" in seen.hash()


def test_the_keyboard_reaches_and_works_everything(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=en").drawn()
    page = seen.page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.get_by_role("tab", name="Plan").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Layers")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    row = page.locator(".list .row").first
    row.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#card-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".card")).to_have_count(0)
    expect(row).to_be_focused()
    before = page.evaluate("window.__geoplan.map.getZoom()")
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("Enter")
    seen.until(f"window.__geoplan.map.getZoom() > {before} + 0.5")


def test_every_control_has_a_name(visit: Visitor, page_url: str) -> None:
    seen = visit(page_url, "lang=fa").drawn()
    nameless = seen.page.evaluate(
        "() => [...document.querySelectorAll('button, a, input, select, canvas')].filter(e =>"
        " !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length))"
        ".map(e => e.outerHTML.slice(0, 120))"
    )
    assert nameless == []


def test_a_shared_link_opens_the_same_view(visit: Visitor, page_url: str) -> None:
    first = visit(page_url, "lang=fa").drawn()
    _first_site(first)
    first.page.evaluate("window.__geoplan.map.jumpTo({zoom: 7.5})")
    first.settle()
    link = first.hash()
    second = visit(page_url, link.lstrip("#")).drawn()
    expect(second.page.locator(".card .reasons li").first).to_be_visible()
    zoom = second.page.evaluate("window.__geoplan.map.getZoom()")
    assert zoom == pytest.approx(7.5, abs=0.02)
    assert second.hash() == link


@pytest.mark.parametrize("width", [360, 900, 1600])
def test_nothing_sticks_out_at_any_width(visit: Visitor, page_url: str, width: int) -> None:
    seen = visit(page_url, "lang=fa", width=width, height=780).drawn()
    _first_site(seen)
    wide = seen.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width
    card = seen.page.locator(".card").bounding_box()
    assert card is not None and card["x"] >= 0 and card["x"] + card["width"] <= width + 1
