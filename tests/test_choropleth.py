"""National maps of regions: classes, colours, the SVG and the page without a network."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser
from shapely.geometry import Point, box

from geoplan.catalogue.text import Text
from geoplan.errors import CrsProblem, EmptyLayer, RangeError, ShapeError
from geoplan.report.choropleth import choropleth_svg
from geoplan.report.choropleth_classes import classify, diverging_colours, sequential_colours
from geoplan.report.choropleth_map import MapLayer, choropleth_map, write_choropleth_map
from geoplan.report.choropleth_shapes import light_regions, svg_path
from geoplan.report.language import Language

PLANE = "+proj=laea +lat_0=32.5 +lon_0=54 +datum=WGS84 +units=m +no_defs"
EN, FA = Language("en"), Language("fa", "jalali")
TITLE = Text(en="Jobs & <estates>", fa="اشتغال و شهرک‌ها")
SVG = "{http://www.w3.org/2000/svg}"


def country() -> gpd.GeoDataFrame:
    """Six square regions of two parents, 100 km each, with a wavy shared border."""
    rng = np.random.default_rng(1)
    y = np.linspace(0, 200, 201)
    wave = np.column_stack([200 + rng.normal(0, 1, len(y)), y])
    left = shapely.Polygon([(0, 0), *wave, (0, 200)])
    right = shapely.Polygon([(400, 0), *wave, (400, 200)])
    shapes = [left.intersection(box(0, 0, 300, 100)), left.intersection(box(0, 100, 300, 200)),
              right.intersection(box(99, 0, 400, 100)), right.intersection(box(99, 100, 400, 200)),
              box(0, 210, 100, 260), Point(350, 250).buffer(0.05)]  # fmt: skip
    shapes = [shapely.transform(s, lambda xy: xy * 1000) for s in shapes]
    frame = pd.DataFrame({
        "code": ["0101", "0102", "0201", "0202", "0103", "0203"],
        "parent_code": ["01", "01", "02", "02", "01", "02"],
        "name_en": ["One", "Two", "Three", None, "<b>Five</b>", "Isle"],
        "name_local": ["یک", "دو", "سه", "چهار", "پنج", "جزیره"],
    })  # fmt: skip
    return gpd.GeoDataFrame(frame, geometry=gpd.GeoSeries(shapes, crs=PLANE))


VALUES = pd.Series({"0101": 1.0, "0102": 2.0, "0201": 3.0, "0202": float("nan"), "0203": 9.5})


def test_quantiles_put_equally_many_in_each_class() -> None:
    found = classify(pd.Series(np.arange(1.0, 101.0)), count=5)
    # NumPy's linear quantiles of 1 … 100 are 20.8, 40.6, 60.4 and 80.2; shown and used rounded.
    assert found.breaks == (21.0, 41.0, 60.0, 80.0)
    assert found.counts == (20, 20, 19, 20, 21)
    assert found.labels(EN)[0] == "1 to 21"
    assert found.labels(FA)[-1] == "۸۰ تا ۱۰۰"
    finer = classify(pd.Series(np.arange(1.0, 101.0)), count=5, decimals=1)
    assert finer.breaks == (20.8, 40.6, 60.4, 80.2)
    assert finer.counts == (20, 20, 20, 20, 20)


def test_equal_diverging_and_given_classes() -> None:
    equal = classify(pd.Series([0.0, 3.0, 10.0]), method="equal", count=5)
    assert equal.breaks == (2.0, 4.0, 6.0, 8.0)
    assert equal.place.tolist() == [0, 1, 4]
    diverging = classify(pd.Series([-4.0, 1.0, 2.0]), method="diverging", count=4, centre=0.0)
    assert diverging.breaks == (-2.0, 0.0, 2.0)
    assert diverging.place.tolist() == [0, 2, 3]
    assert diverging.labels(EN)[-1] == "2.0 to 4.0"  # as far as the other side
    assert diverging.labels(FA)[0] == "\u200e−۴٫۰ تا \u200e−۲٫۰"
    given_ = classify(pd.Series([5.0, 20.0, 100.0]), method="given", breaks=[10, 20], decimals=0)
    assert given_.place.tolist() == [0, 2, 2]
    assert given_.labels(EN) == ("below 10", "10 to 20", "20 and more")
    assert given_.labels(FA)[0] == "کمتر از ۱۰"


def test_missing_tied_and_constant_values() -> None:
    found = classify(pd.Series([1.0, 1.0, 1.0, 1.0, 5.0, np.nan, np.inf]), count=5)
    assert found.missing == 2
    assert sum(found.counts) == 5
    assert 0 not in found.counts
    alone = classify(pd.Series([7.0, 7.0]))
    assert (alone.breaks, alone.counts, len(alone.labels(EN))) == ((), (2,), 1)
    none = classify(pd.Series([np.nan, np.nan]))
    assert (none.colours, none.labels(EN), none.missing) == ((), (), 2)


@settings(max_examples=80, derandomize=True, deadline=None)
@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), min_size=1, max_size=40),
    st.sampled_from(["quantiles", "equal", "diverging"]),
    st.sampled_from([2, 4, 6]),
)
def test_every_value_lies_in_the_class_that_the_legend_states(
    values: list[float], method: str, count: int
) -> None:
    series = pd.Series(values)
    found = classify(series, method=method, count=count)  # type: ignore[arg-type]
    assert sum(found.counts) + found.missing == len(series)
    assert found.missing == int(series.isna().sum())
    edges = [-np.inf, *found.breaks, np.inf]
    assert all(a < b for a, b in pairwise(edges))
    for value, place in zip(series, found.place, strict=True):
        if place >= 0:
            assert edges[place] <= value < edges[place + 1]
    # The breaks are the numbers that are shown.
    assert all(round(b, found.decimals) == b for b in found.breaks)


def luminance(colour: str) -> float:
    """WCAG 2.1, relative luminance."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


@pytest.mark.parametrize("count", range(2, 10))
def test_lightness_alone_tells_classes_apart(count: int) -> None:
    light = [luminance(c) for c in sequential_colours(count)]
    assert all(a > 1.15 * b for a, b in pairwise(light))
    if count % 2 == 0:
        both = diverging_colours(count)
        half = count // 2
        left, right = [luminance(c) for c in both[:half]], [luminance(c) for c in both[half:]]
        assert all(a < b for a, b in pairwise(left))
        assert all(a > b for a, b in pairwise(right))
        # Brown and blue differ in the blue channel, which red-green blindness leaves alone.
        assert all(int(c[5:7], 16) < int(c[1:3], 16) for c in both[:half])
        assert all(int(c[5:7], 16) > int(c[1:3], 16) for c in both[half:])


def test_classes_that_cannot_be_are_refused() -> None:
    for options, where in (
        ({"count": 1}, "2 to 9"),
        ({"method": "given", "breaks": [3, 1]}, "increasing"),
        ({"method": "given"}, "1 to 8"),
        ({"method": "diverging", "count": 5}, "even"),
        ({"breaks": [1.0]}, "given"),
        ({"method": "jenks"}, "quantiles"),
    ):
        with pytest.raises(RangeError) as raised:
            classify(VALUES, **options)  # type: ignore[arg-type]
        assert where in raised.value.remedy


def test_shared_borders_stay_shared() -> None:
    light = light_regions(country(), crs=PLANE, steps=60)
    before, after = country().set_index("code").sort_index(), light.frame
    assert shapely.get_num_coordinates(after.geometry.to_numpy()).sum() < 80
    pieces = after.geometry.loc[["0101", "0102", "0201", "0202"]]
    assert shapely.coverage_is_valid(pieces.to_numpy())
    # What one region loses its neighbour gains: the country keeps its area.
    assert pieces.area.sum() == pytest.approx(400e3 * 200e3)
    assert len(light.borders) == 2
    assert after.geometry["0203"].area > 0  # the island is smaller than the tolerance
    assert list(after.index) == sorted(before.index)


def test_paths_redraw_the_shape() -> None:
    assert svg_path(box(10, 10, 30, 20), 0.0, 100.0, 1.0) == "M30 90l0-10-20 0 0 10 20 0Z"
    assert svg_path(Point(5, 5).buffer(0.01), 0.0, 10.0, 1.0) == "M5 5l1 0 0 1Z"  # still a dot


def draw(language: Language, **options: object) -> str:
    given = {"title": TITLE, "unit": "persons", "language": language, "crs": PLANE, "count": 3}
    return choropleth_svg(country(), VALUES, **{**given, **options})  # type: ignore[arg-type]


@pytest.mark.parametrize("language", [EN, FA], ids=["en", "fa"])
def test_the_svg_says_everything(language: Language) -> None:
    text = draw(language, note=Text(en="Source: made up", fa="منبع: ساختگی"))
    root = ElementTree.fromstring(text)
    assert root.get("direction") == language.direction
    said = [t.text for t in root.iter(f"{SVG}text")]
    tips = [t.text for t in root.iter(f"{SVG}title")]
    fills = [p.get("fill") for p in root.iter(f"{SVG}path") if p.find(f"{SVG}title") is not None]
    assert len(tips) == 6
    # 0103 has no value and 0202 is NaN: both hatched, neither is zero.
    assert [f.startswith("url(#hatch-") for f in fills] == [  # type: ignore[union-attr]
        False, False, True, False, True, False,
    ]  # fmt: skip
    if language is EN:
        assert said[:1] == ["Jobs & <estates>"]
        shown = {"persons", "no data", "1.0 to 2.0", "3.0 to 9.5", "Source: made up"}
        assert shown <= set(map(str, said))
        assert "One: 1.0 persons" in tips
        assert "چهار: –" in tips  # its only name
    else:
        assert said[:1] == ["اشتغال و شهرک‌ها"]
        assert {"نفر", "بدون داده", "منبع: ساختگی"} <= set(map(str, said))
        assert "یک: ۱٫۰ نفر" in tips
        assert not re.search("[0-9]", "".join(map(str, said)))
    assert "<b>" not in text
    assert re.search(r"(href|src)=|@import|url\((?!#)", text) is None


def test_the_order_of_rows_does_not_change_a_byte() -> None:
    mixed = country().sample(frac=1, random_state=3)
    again = choropleth_svg(mixed, VALUES[::-1], title=TITLE, unit="persons", language=FA,
                           crs=PLANE, count=3)  # fmt: skip
    assert again == draw(FA)


def test_regions_that_cannot_be_drawn_are_refused() -> None:
    frame = country()
    with pytest.raises(ShapeError, match="0101"):
        light_regions(pd.concat([frame, frame.iloc[[0]]]), crs=PLANE)
    with pytest.raises(CrsProblem):
        light_regions(frame, crs="EPSG:4326")
    with pytest.raises(EmptyLayer):
        light_regions(frame.set_geometry(gpd.GeoSeries([None] * 6, crs=PLANE)), crs=PLANE)
    with pytest.raises(EmptyLayer):
        choropleth_map(frame, [], title=TITLE, language=EN, crs=PLANE)


def layers() -> list[MapLayer]:
    return [
        MapLayer("jobs", Text(en="Jobs", fa="اشتغال"), VALUES, "persons", count=3,
                 note=Text(en="{{ 1 }} </script>{% endraw %}", fa="منبع")),
        MapLayer("gap", Text(en="Gap", fa="شکاف"), VALUES - 3.0, classes="diverging", count=4),
    ]  # fmt: skip


@pytest.mark.parametrize("language", [EN, FA], ids=["en", "fa"])
def test_the_page_works_without_a_network(
    browser: Browser, tmp_path: Path, language: Language
) -> None:
    text = choropleth_map(country(), layers(), title=TITLE, language=language, crs=PLANE)
    assert text == choropleth_map(
        country().sample(frac=1, random_state=2), layers(), title=TITLE, language=language,
        crs=PLANE,
    )  # fmt: skip
    path = tmp_path / "map.html"
    write_choropleth_map(path, text)
    context = browser.new_context(viewport={"width": 1000, "height": 700}, offline=True)
    page = context.new_page()
    wrong: list[str] = []
    asked: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector(".plate table")
    shapes = page.locator(".leaflet-overlay-pane path")
    assert shapes.count() == 6
    fills = [shapes.nth(n).get_attribute("fill") for n in range(6)]
    assert fills.count("url(#hatch)") == 2
    legend = page.locator(".plate").inner_text()
    assert ("no data" if language is EN else "بدون داده") in legend
    if language is EN:
        assert "{{ 1 }} </script>" in legend
    else:
        assert not re.search("[0-9]", legend + page.locator(".leaflet-control-scale").inner_text())
    page.locator(".leaflet-control-layers-base label").nth(1).click()
    assert ("Gap" if language is EN else "شکاف") in page.locator(".plate h2").inner_text()
    changed = [shapes.nth(n).get_attribute("fill") for n in range(6)]
    assert changed != fills
    page.evaluate("L.Map && MAP.eachLayer(l => l.feature && l.feature.properties.code === '0203' "
                  "&& l.openPopup())")  # fmt: skip
    popup = page.locator(".leaflet-popup-content").inner_text()
    assert ("9.5" if language is EN else "۹٫۵") in popup
    assert page.locator(".leaflet-popup-content tr").count() == 2
    context.close()
    assert wrong == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_the_counties_of_a_country_stay_small(iran_pack: Path) -> None:
    frame = gpd.read_file(iran_pack / "admin" / "counties_census2016.gpkg").rename(
        columns={"county_code": "code", "province_code": "parent_code", "county_name": "name_local"}
    )
    values = frame.set_index("code")["pop2016"].astype(float)
    title = Text(en="Population, census of 2016", fa="جمعیت، سرشماری ۱۳۹۵")
    text = choropleth_svg(frame, values, title=title, unit="persons", language=FA, crs=PLANE)
    assert text.count("<title>") == 429
    assert len(text.encode()) < 250_000
    shown = [MapLayer(f"l{n}", title, values, "persons") for n in range(12)]
    page = choropleth_map(frame, shown, title=title, language=FA, crs=PLANE)
    assert len(page.encode()) < 3_000_000
