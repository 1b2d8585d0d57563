"""Rows against their blocks: unknown, outside, and strips along the outline."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from geoplan.cadastre.defect import Defect
from geoplan.cadastre.parent import _covered, check_parents
from geoplan.cadastre.rings import Rings
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import ShapeError

RULES = CheckRules.model_validate({})
BLOCK = box(0, 0, 100, 50)


def checked(
    shapes: list[shapely.Geometry | None], keys: list[str | None], **options: object
) -> list[Defect]:
    rules = RULES.model_copy(update=options.pop("rules", {}))  # type: ignore[call-overload]
    rings = Rings.of(np.array([*shapes, None], dtype=object)[:-1])
    rows = range(1, len(shapes) + 1)
    return check_parents(
        rings, rows, keys, {"A": BLOCK, "B": box(200, 0, 300, 50)}, rules, **options
    )  # type: ignore[arg-type]


def test_rows_inside_and_on_the_outline() -> None:
    shapes = [box(0, 0, 50, 50), box(50, 0, 100, 50), box(210, 10, 220, 20)]
    assert not checked(shapes, ["A", "A", "B"])


def test_a_plot_that_sticks_out_by_hand() -> None:
    """2 × 10 m of a 20 × 10 m plot lie beyond x = 100."""
    (told,) = checked([box(82, 20, 102, 30), box(0, 0, 9, 9)], ["A", "A"])
    assert told.code == "outside-parent"
    assert told.rows == (1,)
    assert told.area_m2 == pytest.approx(20)
    assert told.numbers["outside_share"] == pytest.approx(0.1)
    assert told.text == "A"
    assert told.geometry.equals(box(100, 20, 102, 30))


def test_survey_accuracy_and_the_wrong_block() -> None:
    assert not checked([box(90, 20, 100.009, 30)], ["A"])  # 0.09 m²
    (told,) = checked([box(10, 20, 20, 30)], ["B"])
    assert told.area_m2 == pytest.approx(100)
    assert told.numbers["outside_share"] == 1


def test_a_plot_over_a_yard_inside_the_block() -> None:
    court = shapely.Polygon(BLOCK.exterior, [box(40, 20, 60, 30).exterior])
    rings = Rings.of(np.array([box(30, 20, 50, 30)], dtype=object))
    (told,) = check_parents(rings, [7], ["A"], {"A": court}, RULES)
    assert told.rows == (7,)
    assert told.area_m2 == pytest.approx(100)


def test_unknown_parents() -> None:
    found = checked([box(0, 0, 9, 9)] * 3, ["A", "Z", None])
    assert [(d.code, d.rows, d.text) for d in found] == [
        ("unknown-parent", (2,), "Z"),
        ("unknown-parent", (3,), ""),
    ]
    assert not checked([box(0, 0, 9, 9)], ["Z"], rules={"severity": {"unknown-parent": "off"}})


def test_rows_without_or_with_invalid_geometry_are_passed_over() -> None:
    tie = shapely.from_wkt("POLYGON((90 0,120 20,120 0,90 20,90 0))")
    assert not checked([None, tie], ["A", "A"], gaps=True)


def test_a_strip_along_the_outline_is_a_gap() -> None:
    """Two plots that leave 0.4 m free along the north side: 0.4 · 100 = 40 m²."""
    (told,) = checked([box(0, 0, 50, 49.6), box(50, 0, 100, 49.6)], ["A", "A"], gaps=True)
    assert told.code == "gap"
    assert told.rows == (1, 2)
    assert told.area_m2 == pytest.approx(40)
    assert told.numbers["width_m"] == pytest.approx(0.4, rel=0.01)
    assert told.geometry.equals(box(0, 49.6, 100, 50))
    assert told.text == "A"


def test_streets_and_gaps_between_plots_are_not_told() -> None:
    street = [box(0, 0, 50, 44), box(50, 0, 100, 44)]  # 6 m free along the outline
    assert not checked(street, ["A", "A"], gaps=True)
    ring = shapely.difference(BLOCK, box(40, 20, 40.5, 30))  # a slit inside
    assert not checked([ring], ["A"], gaps=True)
    narrow = [box(0, 0, 50, 49.6), box(50, 0, 100, 49.6)]
    assert not checked(narrow, ["A", "A"])  # not asked
    assert not checked([None], ["A"], gaps=True)  # not divided


def test_in_degrees_areas_are_square_metres() -> None:
    shapes = [shapely.transform(box(82, 20, 102, 30), lambda xy: xy / 1e5)]
    rings = Rings.of(np.array(shapes, dtype=object))
    block = shapely.transform(BLOCK, lambda xy: xy / 1e5)
    (told,) = check_parents(rings, [1], ["A"], {"A": block}, RULES, metres=1e5)
    assert told.area_m2 == pytest.approx(20)


def test_what_cannot_be_checked() -> None:
    rings = Rings.of(np.array([box(0, 0, 1, 1)], dtype=object))
    with pytest.raises(ShapeError, match="2 keys"):
        check_parents(rings, [1], ["A", "B"], {}, RULES)
    tie = shapely.from_wkt("POLYGON((0 0,2 2,2 0,0 2,0 0))")
    with pytest.raises(ShapeError, match=r"'A' is invalid.*Self-intersection"):
        check_parents(rings, [1], ["A"], {"A": tie}, RULES)


corner = st.integers(-40, 140)
side = st.integers(1, 60)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(corner, corner, side, side), min_size=1, max_size=6))
def test_the_area_outside_is_the_row_less_the_block(
    boxes: list[tuple[int, int, int, int]],
) -> None:
    shapes: list[shapely.Geometry | None] = [box(x, y, x + w, y + h) for x, y, w, h in boxes]
    found = {d.rows[0]: d.area_m2 for d in checked(shapes, ["A"] * len(shapes))}
    for i, (x, y, w, h) in enumerate(boxes, start=1):
        within_x = max(0, min(100, x + w) - max(0, x))
        within_y = max(0, min(50, y + h) - max(0, y))
        outside = w * h - within_x * within_y
        assert found.get(i, 0) == pytest.approx(outside)


grid = st.integers(0, 8)
tile = st.tuples(grid, grid, st.integers(1, 5), st.integers(1, 5))


@settings(max_examples=300, deadline=None)
@given(st.lists(tile, min_size=1, max_size=8))
def test_the_quick_union_is_the_union(tiles: list[tuple[int, int, int, int]]) -> None:
    shapes = np.array([box(x, y, x + w, y + h) for x, y, w, h in tiles], dtype=object)
    assert shapely.equals(_covered(shapes), shapely.union_all(shapes))
