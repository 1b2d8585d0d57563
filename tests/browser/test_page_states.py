"""What the page shows when there is no run, no plan, no answer, or made-up data."""

from __future__ import annotations

import re

import pytest
from conftest import Visitor
from playwright.sync_api import expect
from stub_api import Canned, StubApi
from stub_country import LOST_RUN

pytestmark = pytest.mark.browser


def test_synthetic_data_are_called_so(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, "lang=fa")
    expect(seen.page.locator(".banner")).to_contain_text("ساختگی")


def test_without_a_run_the_page_says_how_to_make_one(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    canned.answers["/api/runs"] = []
    canned.answers["/api/info"] |= {"latest_run": None}
    for level in (1, 2):
        for region in canned.answers[f"/api/regions?level={level}"]:
            region |= {"industrialisation": None, "rank": None, "less_industrialised": None}
    seen = visit(stub.url, "lang=en").drawn()
    panel = seen.page.locator(".side")
    expect(panel).to_contain_text("No run yet")
    expect(panel).to_contain_text("geoplan site run")
    seen.page.get_by_role("button", name="فارسی").click()
    expect(panel).to_contain_text("هنوز اجرایی نیست")
    assert seen.complaints == []


def test_an_infeasible_run_names_the_limits_that_must_move(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, f"lang=fa&run={LOST_RUN}").drawn()
    moves = seen.page.locator(".moves li")
    expect(moves).to_have_count(2)
    expect(moves.nth(1)).to_contain_text("ظرفیت آزاد")
    expect(moves.nth(1)).to_contain_text("۱۰٬۴۰۰")


def test_a_problem_is_shown_with_its_remedy(visit: Visitor, stub: StubApi, canned: Canned) -> None:
    canned.failures["/api/info"] = (
        503,
        {"title": "Unavailable", "status": 503, "detail": "the database does not answer",
         "where": "127.0.0.1:5433", "remedy": "run 'geoplan db up'"},
    )  # fmt: skip
    seen = visit(stub.url, "lang=fa")
    alert = seen.page.get_by_role("alert")
    expect(alert).to_contain_text("the database does not answer")
    expect(alert).to_contain_text("geoplan db up")
    expect(alert.get_by_role("button", name="تلاش دوباره")).to_be_visible()


def test_a_failed_site_can_be_asked_for_again(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    path = next(p for p in canned.answers if re.search(r"/sites/S0001$", p))
    canned.failures[path] = (500, {"title": "Internal error", "status": 500, "detail": "sorry"})
    seen = visit(stub.url, "lang=en&site=S0001").drawn()
    card = seen.page.locator(".card")
    expect(card.get_by_role("alert")).to_contain_text("sorry")
    canned.failures.clear()
    card.get_by_role("button", name="Try again").click()
    expect(card.locator(".reasons li").first).to_be_visible()


def test_a_candidate_that_was_not_chosen_says_why(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    path = next(p for p in canned.answers if p.endswith("/candidates"))
    site = next(s for s in canned.answers[path] if not s["in_portfolio"])
    seen = visit(stub.url, f"lang=en&site={site['site_id']}").drawn()
    card = seen.page.locator(".card")
    expect(card).to_contain_text("Why not in the plan")
    expect(card.locator(".reasons")).to_contain_text("the plan asks for 40 km")


def test_assumed_and_synthetic_layers_carry_their_marks(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, "lang=en").drawn()
    seen.page.get_by_role("tab", name="Layers").click()
    layer = seen.page.locator(".layer", has_text="Substations")
    expect(layer).to_contain_text("assumed")
    expect(layer).to_contain_text("synthetic")
    layer.locator("summary").click()
    expect(layer).to_contain_text("By voltage.")
    raster = seen.page.locator(".layer", has_text="Elevation")
    expect(raster.get_by_role("checkbox")).to_be_disabled()
    expect(raster).to_contain_text("used in the analysis only")


def test_regions_without_an_index_are_not_given_a_colour(
    visit: Visitor, stub: StubApi, canned: Canned
) -> None:
    lost = canned.answers["/api/regions?level=1"][0]
    lost |= {"industrialisation": None, "rank": None, "less_industrialised": None}
    seen = visit(stub.url, "lang=en&level=1").drawn()
    seen.settle()
    expect(seen.page.locator(".legend")).to_contain_text("Too little data")
    hatched = seen.page.evaluate(
        "() => window.__geoplan.map.queryRenderedFeatures({layers: ['region-no-data']})"
        ".map(f => f.properties.code)"
    )
    assert set(hatched) == {lost["code"]}


def test_without_webgl_the_lists_still_work(visit: Visitor, stub: StubApi) -> None:
    seen = visit(stub.url, "lang=en")
    seen.page.add_init_script(
        "HTMLCanvasElement.prototype.getContext = new Proxy("
        "HTMLCanvasElement.prototype.getContext, {apply: (f, self, args) =>"
        " /webgl/.test(args[0]) ? null : Reflect.apply(f, self, args)})"
    )
    seen.page.reload()
    expect(seen.page.locator(".map-notices")).to_contain_text("WebGL")
    expect(seen.page.locator(".list .row").first).to_be_visible()
