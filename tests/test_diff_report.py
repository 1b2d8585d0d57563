"""What people see of two versions: terminal, document, GeoPackage and map."""

from __future__ import annotations

import json
import re
import sqlite3
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from playwright.sync_api import Browser

from geoplan.catalogue.text import Text
from geoplan.errors import InputError, ShapeError
from geoplan.report.diff import DiffView, Side, diff_document, diff_lines, diff_view
from geoplan.report.diff_layers import DIFF_COLOURS, write_diff_gpkg
from geoplan.report.diff_page import diff_html, write_diff_html
from geoplan.report.inspection_wrap import display_width
from geoplan.report.language import Language
from geoplan.store.diff import Diff

HOSTILE = "<img src=x onerror=alert(1)>\n\u202e"
LON, LAT = 51.6, 32.6


def plot(n: int, wide: float = 1.0) -> shapely.Geometry:
    x, y = LON + n % 10 * 3e-4, LAT + n // 10 * 4e-4
    return shapely.box(x, y, x + 2.5e-4 * wide, y + 3.5e-4)


def frame(columns: dict[str, Any], shapes: list[shapely.Geometry | None]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:4326")


def example(**changes: Any) -> DiffView:
    view = DiffView(
        layer="plots",
        title=Text(en="Plots", fa="قطعه‌ها"),
        before=Side(3, "2024-03-20T10:00:00Z", "زهرا", "قطعات ۱۴۰۲.shp", 100),
        after=Side(4, "2026-03-21T10:00:00Z", "علی", "قطعات ۱۴۰۴.gpkg", 101),
        added=frame({"key": ["۱۰۱", HOSTILE], "zone": ["صنعتی", None]}, [plot(1), plot(2)]),
        removed=frame({"key": ["۷"], "zone": ["خدمات"]}, [plot(7)]),
        reshaped=frame(
            {
                "key": ["۱۲"], "geometry_before": [plot(12)],
                "area_before_m2": [900.0], "area_after_m2": [1_080.25],
            },
            [plot(12, 1.2)],
        ),
        changed=frame(
            {
                "key": ["۲۰", "۲۰", "21"],
                "field": ["status", "since", "area_m2"],
                "before": ["planned", None, 800.5],
                "after": ["operating", date(2024, 3, 20), None],
            },
            [plot(20), plot(20), None],
        ),
        unchanged=95,
        synthetic=True,
    )  # fmt: skip
    return replace(view, **changes)


def nothing() -> DiffView:
    view = example()
    return replace(
        view, added=view.added[:0], removed=view.removed[:0], reshaped=view.reshaped[:0],
        changed=view.changed[:0], unchanged=100,
    )  # fmt: skip


def test_counts_are_rows_of_the_layer() -> None:
    view = example()
    assert [view.count(k) for k in ("added", "removed", "reshaped", "changed")] == [2, 1, 1, 2]
    assert replace(view, counts={"changed": 70_000}).count("changed") == 70_000
    assert nothing().same
    with pytest.raises(ShapeError, match="lacks area_before_m2") as caught:
        example(reshaped=example().reshaped.drop(columns="area_before_m2"))
    assert "reshaped" in caught.value.where


def test_a_comparison_of_the_store_becomes_a_view() -> None:
    view = example()
    found = Diff(
        "plots", 3, 4, 100, 101, 2, 1, 1, 40_000, 95, view.added, view.removed,
        view.reshaped.assign(moved_m2=180.25),
        pd.DataFrame({"key": ["۱۲", "9", "8"], "field": "zone", "old": "a", "new": "b"}),
    )  # fmt: skip
    seen = diff_view(found, Text(en="Plots"), places={"9": plot(9)})
    assert seen.count("changed") == 40_000
    assert seen.changed.geometry[0].equals(plot(12, 1.2))
    assert seen.changed.geometry[1].equals(plot(9))
    assert seen.changed.geometry[2] is None
    assert (seen.before.number, seen.after.rows) == (3, 101)
    assert "40,000 with other attributes" in " ".join(diff_lines(seen, 80, limit=1)[:2])
    assert "3 rows" not in diff_html(seen)
    empty = replace(found, added=view.added[:0], removed=view.removed[:0],
                    reshaped=found.reshaped[:0], changed=found.changed[:0], added_count=0,
                    removed_count=0, reshaped_count=0, changed_count=0)  # fmt: skip
    assert diff_view(empty, Text(en="Plots")).same


def test_a_terminal_reads_what_changed() -> None:
    lines = diff_lines(example(), 80, limit=10)
    text = "\n".join(lines)
    assert max(display_width(line) for line in lines) <= 80
    assert lines[0].startswith(
        "plots v3 → v4: 2 added, 1 removed, 1 reshaped, 2 with other attributes; 95"
    )
    assert re.search(r"⁨۱۲⁩ +900 m² +1,080.25 m² +\+180.25 m²", text)
    assert re.search(r"⁨۲۰⁩ +status +⁨planned⁩ +⁨operating⁩", text)
    assert "\u202e" not in text
    assert text.count("\u2068") == text.count("\u2069")
    short = "\n".join(diff_lines(example(), 80, limit=1))
    assert "1 of 2 are listed" in short
    assert "1 of 3 are listed" in short
    assert "The two versions are the same." in diff_lines(nothing(), 80, limit=5)[0]
    persian = diff_lines(example(), 60, limit=5, language=Language("fa", "jalali"))
    assert max(display_width(line) for line in persian) <= 60
    assert "۱۴۰۵/۰۱/۰۱" in "\n".join(persian)


def test_the_document_is_json_with_both_geometries() -> None:
    document = diff_document(example())
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["counts"] == {
        "added": 2, "removed": 1, "reshaped": 1, "changed": 2, "unchanged": 95,
    }  # fmt: skip
    (row,) = document["reshaped"]
    assert row["area_change_m2"] == pytest.approx(180.25)
    before, after = (shapely.from_geojson(json.dumps(row[n]))
                     for n in ("geometry_before", "geometry"))  # fmt: skip
    assert after.area / before.area == pytest.approx(1.2, rel=1e-4)
    assert document["changed"][1]["after"] == "2024-03-20"
    assert document["changed"][2]["after"] is None
    assert document["changed"][2]["geometry"] is None
    assert document["added"][1]["key"] == HOSTILE
    assert diff_document(nothing())["same"] is True


def test_the_geopackage_has_a_layer_of_each_kind(tmp_path: Path) -> None:
    path = tmp_path / "diff.gpkg"
    write_diff_gpkg(example(), path)
    found = {name: pyogrio.read_dataframe(path, layer=name) for name in DIFF_COLOURS}
    assert {n: len(f) for n, f in found.items()} == {
        "removed": 1, "added": 2, "reshaped_before": 1, "reshaped_after": 1, "changed": 3,
    }  # fmt: skip
    assert all(f.crs.to_epsg() == 4326 for f in found.values())
    assert found["reshaped_before"].geometry[0].geoms[0].equals(plot(12))
    assert found["reshaped_after"].geometry[0].geoms[0].equals(plot(12, 1.2))
    assert found["reshaped_after"]["area_change_m2"][0] == pytest.approx(180.25)
    assert found["added"]["zone"].tolist()[0] == "صنعتی"
    assert pd.isna(found["added"]["zone"][1])
    assert found["changed"]["after"].tolist()[:2] == ["operating", "2024-03-20"]
    assert found["changed"].geometry.isna().tolist() == [False, False, True]
    with sqlite3.connect(path) as base:
        styled = {r[0] for r in base.execute("select f_table_name from layer_styles")}
    assert styled == set(DIFF_COLOURS)
    with pytest.raises(InputError, match="exists already"):
        write_diff_gpkg(example(), path)
    write_diff_gpkg(nothing(), path, overwrite=True)
    assert len(pyogrio.read_dataframe(path, layer="added")) == 0


def article(page: str, language: str) -> str:
    return "".join(p.split("</article>")[0] for p in page.split(f'<article class="{language} ')[1:])


def test_the_page_says_the_same_in_both_languages() -> None:
    page = diff_html(example())
    english, persian = article(page, "en"), article(page, "fa")
    assert "<img src=x" not in page
    assert "\u202e" not in page
    assert "2 added, 1 removed, 1 reshaped, 2 with other attributes; 95 unchanged." in english
    assert "۲ افزوده، ۱ حذف‌شده" in persian
    assert "1,080.25 m²" in english
    assert "۱٬۰۸۰٫۲۵ مترمربع" in persian
    assert "2026-03-21" in english
    assert "۱۴۰۵/۰۱/۰۱" in persian
    assert "۱۴۰۳/۰۱/۰۱" in persian  # 20 March 2024, of the attribute
    for text in (english, persian):
        assert "&lt;img src=x" in text
    assert "The two versions are the same." in diff_html(nothing(), language="en")
    outside = re.findall(r"""(?:\bsrc|\bhref)\s*=\s*["']([^"'#][^"']*)""", page)
    assert [x for x in outside if not x.startswith(("data:", "https://leafletjs.com"))] == []


def test_long_differences_are_cut_and_say_so() -> None:
    many = frame({"key": [str(n) for n in range(2_000)]}, [plot(n) for n in range(2_000)])
    page = diff_html(example(added=many), language="en")
    assert "300 of 2,000 are listed" in page
    assert "1,504 of 2,004 outlines are drawn" in page
    assert len(page) < 3_000_000


@pytest.mark.browser
@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_map_of_differences_in_a_browser(
    tmp_path: Path, browser: Browser, language: str
) -> None:
    path = tmp_path / "diff.html"
    write_diff_html(example(), path, language=language)
    context = browser.new_context(offline=True, viewport={"width": 1200, "height": 900})
    tab = context.new_page()
    trouble: list[str] = []
    tab.on("pageerror", lambda error: trouble.append(str(error)))
    tab.on("console", lambda line: trouble.append(line.text))
    tab.on("dialog", lambda dialog: trouble.append(dialog.message))
    tab.goto(path.as_uri())
    tab.wait_for_selector("#map[data-ready=yes]")
    # Two added, one removed, before and after of one, and one place for two changes of a row.
    colours = tab.locator("#map svg path.leaflet-interactive[fill-opacity='0.45']").evaluate_all(
        "paths => paths.map(p => p.getAttribute('stroke'))"
    )
    wanted = np.repeat(
        [DIFF_COLOURS[k] for k in ("added", "removed", "reshaped_before", "reshaped_after",
                                   "changed")], [2, 1, 1, 1, 1],
    )  # fmt: skip
    assert sorted(colours) == sorted(wanted.tolist())
    tab.locator(f"article.{language} a[data-n]").nth(3).click()
    popup = tab.locator(f".leaflet-popup-content [lang={language}]")
    popup.wait_for()
    assert Language(language).digits("1080").replace(",", "") in popup.inner_text().replace(
        ",", ""
    ).replace("٬", "")
    assert tab.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert len(tab.screenshot(full_page=True)) > 30_000
    assert trouble == []
    context.close()
