"""Pictures and words of value functions: well-formed, true to the numbers, in both languages."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from geoplan.catalogue.text import Text
from geoplan.catalogue.value import ValueSpec
from geoplan.errors import EmptyLayer, GeoPlanError
from geoplan.mcda.value_fit import fitted
from geoplan.mcda.value_statistics import histogram, statistics
from geoplan.report.language import Language
from geoplan.report.value_picture import value_picture
from geoplan.report.value_words import kind_words, value_words

SVG = "{http://www.w3.org/2000/svg}"
TITLE = Text(en="Distance < roads & rail", fa="فاصله از راه")
CELLS = np.random.default_rng(0).gamma(2.2, 40, 5000)
ENGLISH, PERSIAN = Language("en"), Language("fa")

KINDS: list[dict[str, Any]] = [
    *({"kind": kind} for kind in ("linear", "exponential", "logarithm", "power", "gaussian")),
    *({"kind": kind} for kind in ("logistic_growth", "logistic_decay", "symmetric_linear", "near")),
    *({"kind": kind} for kind in ("large", "small", "ms_large", "ms_small")),
    {"kind": "identity"},
    {"kind": "sigmoid", "midpoint": 100, "spread": 50},
    {"kind": "piecewise", "points": [[10, 0], [50, 1], [300, 0.2]]},
    {"kind": "categorical", "values": {6: 0.8, 31: 0, 9: 1}},
    {"kind": "triangular", "corners": [20, 60, 200]},
    {"kind": "trapezoidal", "corners": [20, 60, 120, 200]},
    {"kind": "s", "start": 30, "end": 200, "hedge": ["very", "not"]},
    {"kind": "z", "start": 30, "end": 200, "upper": 150, "above": "missing"},
    {"kind": "pi", "corners": [20, 60, 120, 200]},
    {"kind": "bell", "midpoint": 100, "width": 40},
]


def spec(keys: dict[str, Any]) -> ValueSpec:
    made: ValueSpec = TypeAdapter(ValueSpec).validate_python(keys)
    return made


def draw(keys: dict[str, Any], language: Language = ENGLISH, **more: Any) -> ET.Element:
    found, bars = statistics(CELLS), histogram(CELLS)
    return ET.fromstring(value_picture(TITLE, spec(keys), "km", found, bars, language, **more))


def texts(picture: ET.Element) -> list[str]:
    return [t.text or "" for t in picture.iter(f"{SVG}text")]


@pytest.mark.parametrize("keys", KINDS, ids=lambda k: k["kind"])
@pytest.mark.parametrize("language", [ENGLISH, PERSIAN], ids=["en", "fa"])
def test_every_function_has_a_picture(keys: dict[str, Any], language: Language) -> None:
    picture = draw(keys, language)
    assert picture.get("role") == "img"
    assert picture.find(f"{SVG}title").text == language.text(TITLE)  # type: ignore[union-attr]
    about = picture.find(f"{SVG}desc").text or ""  # type: ignore[union-attr]
    assert about.startswith(value_words(fitted(spec(keys), statistics(CELLS)), "km", language))
    assert picture.get("direction") == language.direction
    whole = ET.tostring(picture, encoding="unicode")
    assert "NaN" not in whole
    assert "nan" not in whole
    assert "href" not in whole
    _, _, width, height = (float(v) for v in picture.get("viewBox", "").split())
    for path in picture.iter(f"{SVG}path"):
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.get("d", "")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= height
    if language is PERSIAN:
        assert not re.search(r"[0-9]", "".join(texts(picture)))


def test_the_same_bytes_again() -> None:
    args = (TITLE, spec({"kind": "gaussian"}), "km", statistics(CELLS), histogram(CELLS), PERSIAN)
    assert value_picture(*args) == value_picture(*args)


def test_the_curve_goes_through_its_points() -> None:
    """1 at 2 km, 0 at 40 km: the straight line falls from the top to the bottom of the frame."""
    made = spec({"kind": "linear", "best": 2, "worst": 40})
    picture = ET.fromstring(value_picture("Roads", made, "km", None, None, ENGLISH))
    curve = list(picture.iter(f"{SVG}path"))[-1].get("d", "")
    points = [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", curve)]
    # No data: from 2 to 40 with 4 % of it on either side, in a frame from 44 to 462, 224 to 58.
    low, high = 2 - 0.04 * 38, 40 + 0.04 * 38
    at = {x: 44 + (x - low) / (high - low) * 418 for x in (2, 21, 40)}
    for x, y in ((2, 58), (40, 224)):
        assert (round(at[x], 1), y) in points
    nearest = min(points, key=lambda p: abs(p[0] - at[21]))
    assert nearest[1] == pytest.approx(141, abs=0.5)
    assert curve.count("M") == 1


def test_a_jump_is_no_line_and_what_has_no_value_is_marked() -> None:
    keys = {"kind": "linear", "best": 2, "worst": 150, "lower": 90, "upper": 120}
    picture = draw({**keys, "below": "missing", "above": 0.9})
    assert list(picture.iter(f"{SVG}path"))[-1].get("d", "").count("M") == 2
    assert "no value" in texts(picture)
    assert {"90", "120"} <= set(texts(picture))
    assert len(list(picture.iter(f"{SVG}rect"))) == 1
    assert "بدون مقدار" in texts(draw({**keys, "below": "missing"}, PERSIAN))


def test_classes_are_bars() -> None:
    picture = draw({"kind": "categorical", "values": {6: 0.8, 31: 0, 9: 1}})
    bars = [float(b.get("height", "")) for b in picture.iter(f"{SVG}rect")]
    assert bars == [pytest.approx(0.8 * 166, abs=0.1), 166, 0]  # classes 6, 9, 31
    turned = draw({"kind": "categorical", "values": {6: 0.8, 31: 0, 9: 1}}, invert=True)
    assert [float(b.get("height", "")) for b in turned.iter(f"{SVG}rect")][1] == 0


def test_cells_that_are_all_the_same_or_missing() -> None:
    same = np.full(9, 12.0)
    made = spec({"kind": "linear", "best": 2, "worst": 40})
    picture = value_picture(TITLE, made, "km", statistics(same), histogram(same), ENGLISH)
    assert "Allowed cells: 12 km to 12 km." in picture
    none = statistics([np.nan])
    assert "No measure in any allowed cell." in value_picture(
        TITLE, made, "km", none, histogram([np.nan]), ENGLISH
    )
    with pytest.raises(EmptyLayer) as error:
        value_picture(TITLE, spec({"kind": "gaussian"}), "km", none, None, ENGLISH)
    assert error.value.where == TITLE.en
    with pytest.raises(GeoPlanError, match="no statistics of the allowed cells"):
        value_picture(TITLE, spec({"kind": "ms_large"}), "km", None, None, ENGLISH)


def test_words() -> None:
    """Every number that a function states is said, with its unit where it has one."""
    bell = spec({"kind": "bell", "midpoint": 10, "width": 2.5, "slope": 3, "hedge": ["very"]})
    assert value_words(bell, "km", ENGLISH) == (
        "Generalised bell: midpoint 10 km, half-width 2.5 km, slope 3; hedge very"
    )
    cut = spec(
        {"kind": "linear", "best": 2, "worst": 40, "upper": 60, "above": "missing", "lower": 1}
    )
    assert value_words(cut, "km", ENGLISH, invert=True) == (
        "1 at 2 km, 0 at 40 km; lower threshold 1 km; upper threshold 60 km; no value above "
        "(inverted)"
    )
    growth = spec({"kind": "logistic_growth", "minimum": 1, "maximum": 5, "lower": 0, "upper": 9})
    assert value_words(growth, "%", PERSIAN) == (
        "رشد لجستیک: کمینه ۱٪، بیشینه ۵٪، ارتفاع در کمینه ۱٪؛ آستانهٔ پایین ۰٪؛ "
        "آستانهٔ بالا ۹٪؛ کشیده به ۰ تا ۱ میان آستانه‌ها"
    )
    for keys in KINDS:
        for language in (ENGLISH, PERSIAN):
            assert kind_words(spec(keys), language) != keys["kind"]
