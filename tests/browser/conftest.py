"""A real Chromium, and the page on a server: the stub, or one that runs already."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from stub_api import Canned, StubApi
from stub_country import made_up_regions, plan_answers
from stub_tile import Feature

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Visit:
    """A page with everything that it asked for and complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def until(self, script: str, *, seconds: float = 60) -> None:
        """Ask the page until it says yes.

        Playwright's own ``wait_for_function`` polls with ``eval``, which the page's content
        security policy forbids.
        """
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(script):
            if time.monotonic() > deadline:
                raise AssertionError(f"still not so after {seconds} s: {script}")
            self.page.wait_for_timeout(50)

    def drawn(self) -> Visit:
        """Wait until the map has drawn all it was asked to."""
        self.until("window.__geoplan !== undefined")
        self.page.evaluate("window.__geoplan.ready")
        return self

    def settle(self) -> None:
        """Wait until the map stands still and has drawn what was changed."""
        self.page.evaluate(
            "() => new Promise(done => { const m = window.__geoplan.map;"
            " const ok = () => m.loaded() && !m.isMoving() ? done() : m.once('idle', ok);"
            " setTimeout(ok, 100); })"
        )

    def hash(self) -> str:
        """Return the address after ``#``."""
        return str(self.page.evaluate("location.hash"))


@pytest.fixture(scope="session")
def dist() -> Path:
    folder = ROOT / "web" / "dist"
    if not (folder / "index.html").is_file():
        pytest.skip(f"the page is not built: {folder} (cd web && npm ci && npm run build)")
    return folder


@pytest.fixture
def canned() -> Canned:
    """A made-up country with a plan, an infeasible run and four layers."""
    regions = made_up_regions()
    coarse = regions[regions["level"] == 1]
    points: list[Feature] = [
        (shape.representative_point(), {"name_en": en, "name_local": fa})
        for shape, en, fa in zip(
            coarse.geometry, coarse["name_en"], coarse["name_local"], strict=True
        )
    ]
    borders: list[Feature] = [(shape.boundary, {}) for shape in coarse.geometry]

    def label(en: str, fa: str) -> dict[str, str]:
        return {"en": en, "local": fa}

    layers: list[tuple[dict[str, Any], list[Feature]]] = [
        ({"id": "roads", "title": label("Roads", "راه‌ها"), "theme": "transport",
          "geometry": "line", "show": True}, borders),
        ({"id": "towns", "title": label("Towns", "شهرها"), "theme": "settlement"}, points),
        ({"id": "substations", "title": label("Substations", "پست‌های برق"), "theme": "utility",
          "assumed": True, "synthetic": True,
          "method": label("By voltage.", "بر پایهٔ ولتاژ.")}, points),
        ({"id": "elevation", "title": label("Elevation", "ارتفاع"), "theme": "terrain",
          "kind": "raster", "geometry": None, "tiles": None}, []),
    ]  # fmt: skip
    return plan_answers(
        regions,
        title=label("Made-up country", "کشور ساختگی"),
        synthetic=True,
        candidates=90,
        chosen=8,
        layers=layers,
    )


@pytest.fixture
def stub(dist: Path, canned: Canned) -> Iterator[StubApi]:
    with StubApi(dist, canned) as server:
        yield server


@pytest.fixture
def page_url(request: pytest.FixtureRequest) -> str:
    """Where the page is: ``GEOPLAN_PAGE_URL`` when set, else the stub."""
    given = os.environ.get("GEOPLAN_PAGE_URL")
    if given:
        return given.rstrip("/")
    stub: StubApi = request.getfixturevalue("stub")
    return stub.url


Visitor = Callable[..., Visit]


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visitor]:
    """Open an address in a fresh profile: ``visit(url, "lang=fa", width=390, height=844)``."""
    contexts = []

    def open_page(url: str, link: str = "", *, width: int = 1280, height: int = 720) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", reduced_motion="reduce"
        )
        contexts.append(context)
        seen = Visit(context.new_page())
        seen.page.on("request", lambda request: seen.requests.append(request.url))
        seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        seen.page.on(
            "console",
            lambda message: (
                seen.complaints.append(message.text)
                if message.type in ("error", "warning")
                and "GPU stall" not in message.text  # software WebGL says so of itself
                else None
            ),
        )
        seen.page.goto(f"{url}/#{link}")
        return seen

    yield open_page
    for context in contexts:
        context.close()
