"""Repairs: only what was asked, areas before and after, and no repair beyond tolerance."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.cadastre.figure import check_figures
from geoplan.cadastre.mend import mend
from geoplan.cadastre.repair import REPAIRS, Repaired, repair_figures
from geoplan.cadastre.ring import Limits, measure
from geoplan.cadastre.rings import Rings
from geoplan.cadastre.thin import taken, thin
from geoplan.cadastre.wkb import Parsed, parse
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import UnknownName

RULES = CheckRules.model_validate({})
LIMITS = Limits(0.001, 5.0, 0.1)


def parsed_of(*shapes: str | bytes | shapely.Geometry | None) -> Parsed:
    raw = []
    for shape in shapes:
        if isinstance(shape, str):
            shape = shapely.from_wkt(shape)
        raw.append(shapely.to_wkb(shape) if isinstance(shape, shapely.Geometry) else shape)
    return parse(pa.array(raw, pa.binary()), "polygon")


def repaired(*shapes: str | bytes | shapely.Geometry | None, wanted: tuple[str, ...]) -> Repaired:
    parsed = parsed_of(*shapes)
    return repair_figures(parsed, np.arange(1, len(shapes) + 1), RULES, wanted)


def test_nothing_is_repaired_unasked() -> None:
    broken = "POLYGON((0 0,2 2,2 0,0 2,0 0))"
    parsed = parsed_of(broken, None)
    found = repair_figures(parsed, [1, 2], RULES, ())
    assert found.parsed.rings is parsed.rings
    assert not found.defects
    assert not found.refused.any()
    assert not found.dropped.any()
    with pytest.raises(UnknownName, match="polish"):
        repair_figures(parsed, [1, 2], RULES, ("polish",))


def test_a_spike_within_tolerance_is_left_out() -> None:
    """A 100 × 100 square with a tip of 3 × 0.2: 0.3 m² of 10,000.3, three in a hundred thousand."""
    found = repaired(
        "POLYGON((0 0,100 0,100 49.9,103 50,100 50.1,100 100,0 100,0 0))",
        shapely.box(0, 0, 1, 1),
        wanted=("remove_spikes",),
    )
    (told,) = found.defects
    assert told.code == "repaired"
    assert told.rows == (1,)
    assert told.text == "remove_spikes"
    assert told.numbers["area_before_m2"] == pytest.approx(10_000.3)
    assert told.numbers["area_after_m2"] == pytest.approx(10_000)
    assert told.area_m2 == pytest.approx(0.3)
    assert told.geometry.equals(shapely.MultiPoint([(103, 50)]))
    first, second = found.parsed.rings.shapes()
    assert first.equals(shapely.box(0, 0, 100, 100))
    assert second.equals(shapely.box(0, 0, 1, 1))
    checked = check_figures(found.parsed, [1, 2], RULES, kind="polygon")
    assert not checked.defects


def test_a_repair_beyond_tolerance_is_refused() -> None:
    """The same tip on a 10 × 10 square is 0.3 of 100.3 m²: 0.3 %, above 0.1 %."""
    shape = "POLYGON((0 0,10 0,10 4.9,13 5,10 5.1,10 10,0 10,0 0))"
    found = repaired(shape, wanted=("remove_spikes",))
    (told,) = found.defects
    assert told.code == "repair-refused"
    assert told.numbers["area_before_m2"] == pytest.approx(100.3)
    assert told.numbers["area_after_m2"] == pytest.approx(100)
    assert found.refused[0]
    assert shapely.equals_exact(found.parsed.rings.shapes()[0], shapely.from_wkt(shape))
    wide = RULES.model_copy(update={"repair_area_share": 0.004})
    assert not repair_figures(parsed_of(shape), [1], wide, ("remove_spikes",)).refused[0]


def test_a_bow_tie_is_refused_and_a_small_crossing_is_mended() -> None:
    """The lobes of a bow-tie count against each other: 0 m² before, 2 after."""
    tie = "POLYGON((0 0,2 2,2 0,0 2,0 0))"
    # a 100 × 100 square whose last corner overshoots by 0.1: a lobe of 0.1 · 0.1 / 2 = 0.005 m²
    small = "POLYGON((0 0,100 0,100 100,0 100,0 0.1,0.1 -0.1,-0.1 0,0 0))"
    found = repaired(tie, small, wanted=("make_valid",))
    by_row = {d.rows[0]: d for d in found.defects}
    assert by_row[1].code == "repair-refused"
    assert by_row[1].numbers["area_before_m2"] == 0
    assert by_row[1].numbers["area_after_m2"] == pytest.approx(2)
    assert by_row[1].geometry.equals(shapely.Point(1, 1))
    assert by_row[2].code == "repaired"
    mended = found.parsed.rings.shapes()[1]
    assert mended.is_valid
    assert by_row[2].numbers["area_after_m2"] == pytest.approx(mended.area)
    assert list(found.refused) == [True, False]


def test_out_and_back_is_a_spike_and_the_line_left_by_make_valid_is_told() -> None:
    shape = "POLYGON((0 0,10 0,10 5,13 5,10 5,10 10,0 10,0 0))"
    by_spike = repaired(shape, wanted=("remove_spikes", "make_valid"))
    assert by_spike.parsed.rings.shapes()[0].equals(shapely.box(0, 0, 10, 10))
    assert by_spike.defects[0].text == "remove_repeated, remove_spikes"
    by_line = repaired(shape, wanted=("make_valid",))
    assert by_line.parsed.rings.shapes()[0].equals(shapely.box(0, 0, 10, 10))
    assert by_line.defects[0].numbers["lines_dropped"] == 1
    assert by_line.defects[0].text == "make_valid by linework"


def test_two_readings_are_told_apart_by_the_neighbours() -> None:
    """A square wound twice around an inner square: a hole by linework, none by structure."""
    twice = shapely.from_wkt("POLYGON((0 0,10 0,10 10,0 10,0 0,4 4,6 4,6 6,4 6,4 4,0 0))")
    alone = mend(np.array([twice], dtype=object), np.empty(0, dtype=object))[0]
    inside = mend(
        np.array([twice], dtype=object), np.array([shapely.box(4, 4, 6, 6)], dtype=object)
    )[0]
    assert alone.shape.area == 100
    assert alone.reading == "structure"
    assert "96" in alone.doubt
    assert inside.shape.area == 96
    assert inside.reading == "linework"
    found = repaired(twice, shapely.box(4, 4, 6, 6), wanted=("make_valid",))
    (told,) = found.defects  # the shoelace formula counts the inner square twice: 104 m²
    assert told.code == "repair-refused"
    assert told.numbers["area_before_m2"] == 104
    assert told.numbers["area_after_m2"] == 96
    assert told.text == "make_valid by linework; by structure its area would be 100.000"


def test_repeated_vertices_keep_the_first() -> None:
    found = repaired(
        "POLYGON((0 0,5 0,5.0004 0,9 0,9 9,9 9,0 9,0 0.0009,0 0))", wanted=("remove_repeated",)
    )
    assert found.parsed.rings.shapes()[0].wkt == "POLYGON ((0 0, 5 0, 9 0, 9 9, 0 9, 0 0))"
    assert found.defects[0].numbers["vertices_removed"] == 3


def test_open_rings_are_closed_within_tolerance_only() -> None:
    def raw(*points: tuple[float, float]) -> bytes:
        head = np.array([1], "<u1").tobytes() + np.array([3, 1, len(points)], "<u4").tobytes()
        return head + np.array(points, "<f8").tobytes()

    near = raw((0, 0), (9, 0), (9, 9), (0.03, 0.04))  # 0.05 m away
    far = raw((0, 0), (9, 0), (9, 9), (3, 4))
    found = repaired(near, far, wanted=("close_rings",))
    (told,) = found.defects
    assert told.code == "ring-closed"
    assert told.rows == (1,)
    assert told.numbers["gap_m"] == pytest.approx(0.05)
    checked = check_figures(found.parsed, [1, 2], RULES, kind="polygon")
    assert [(d.code, d.rows) for d in checked.defects] == [("open-ring", (2,))]


def test_rows_without_geometry_are_dropped_and_axes_swapped() -> None:
    found = repaired(
        None, "POLYGON EMPTY", "POLYGON((0 0,9 0,9 5,0 0))", wanted=("drop_empty", "swap_axes")
    )
    assert list(found.dropped) == [True, True, False]
    checked = check_figures(found.parsed, [1, 2, 3], RULES, kind="polygon", skip=found.dropped)
    assert not checked.defects
    assert not checked.refused.any()
    assert found.parsed.rings.shapes()[2].wkt == "POLYGON ((0 0, 0 9, 5 9, 0 0))"
    assert [(d.text, d.rows) for d in found.defects] == [
        ("swap_axes", (3,)),
        ("drop_empty", (1, 2)),
    ]


def test_a_figure_that_would_vanish_is_refused() -> None:
    found = repaired("POLYGON((0 0,10 0,0 0.1,0 0))", wanted=("remove_spikes",))
    assert found.refused[0]
    assert "no polygon would be left" in found.defects[0].text
    flat = repaired("POLYGON((0 0,10 0,5 0,0 0))", wanted=("make_valid",))
    assert flat.refused[0]
    assert "no polygon would be left" in flat.defects[0].text


coordinate = st.integers(0, 12).map(lambda v: v / 2)
ring = st.lists(st.tuples(coordinate, coordinate), min_size=3, max_size=9)


@settings(max_examples=200, deadline=None)
@given(st.lists(ring, min_size=1, max_size=5), st.sets(st.sampled_from(list(REPAIRS))))
def test_what_is_accepted_is_valid_and_what_is_refused_is_untouched(
    points: list[list[tuple[float, float]]], wanted: set[str]
) -> None:
    shapes = [shapely.Polygon(p) for p in points]
    parsed = parsed_of(*shapes)
    loose = RULES.model_copy(update={"repair_area_share": 0.5})
    found = repair_figures(parsed, range(1, len(shapes) + 1), loose, wanted)
    after = found.parsed.rings.shapes()
    told = {d.rows[0]: d for d in found.defects if "area_before_m2" in d.numbers}
    for i, shape in enumerate(shapes):
        if found.refused[i] or i + 1 not in told:
            expected = (
                shape
                if "swap_axes" not in wanted
                else shapely.transform(shape, lambda xy: xy[:, ::-1])
            )
            assert shapely.equals_exact(after[i], expected)
        else:
            numbers = told[i + 1].numbers
            before, now = numbers["area_before_m2"], numbers["area_after_m2"]
            assert after[i].is_valid
            assert now == pytest.approx(after[i].area, abs=1e-9)
            assert abs(now - before) <= 0.5 * before
    if "make_valid" not in wanted:
        again = repair_figures(found.parsed, range(1, len(shapes) + 1), loose, wanted)
        assert not [
            d for d in again.defects if "area_before_m2" in d.numbers and d.code != "repair-refused"
        ]


@settings(max_examples=200, deadline=None)
@given(st.lists(ring, min_size=1, max_size=4))
def test_thinned_rings_have_neither_spike_nor_repeated_vertex(
    points: list[list[tuple[float, float]]],
) -> None:
    shapes = np.array([shapely.Polygon(p) for p in points], dtype=object)
    thinned = thin(Rings.of(shapes), LIMITS, repeated=True, spikes=True)
    measured = measure(thinned.rings, LIMITS)
    assert not measured.repeated.any()
    assert not measured.spiked.any()
    for shape, removed in zip(shapes, thinned.removed, strict=True):
        had = {tuple(p) for p in shapely.get_coordinates(shape)}
        assert {tuple(p) for p in removed} <= had


ABSURD = [0.0, -0.0, 1.0, 2.0, 5e5, 3.9e6, 1e154, -1e308, 5e-324, 1e-310, 1e-160, 1 + 2**-52, 180.0]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from(ABSURD), st.sampled_from(ABSURD)), min_size=3, max_size=7
        ),
        min_size=1,
        max_size=5,
    )
)
@pytest.mark.filterwarnings("error")
def test_absurd_coordinates_are_told_and_nothing_breaks(
    points: list[list[tuple[float, float]]],
) -> None:
    raw = []
    for p in points:
        xy = np.array([*p, p[0]], "<f8")
        head = np.array([1], "<u1").tobytes() + np.array([3, 1, len(xy)], "<u4").tobytes()
        raw.append(head + xy.tobytes())
    parsed = parse(pa.array(raw, pa.binary()), "polygon")
    rows = range(1, len(raw) + 1)
    loose = RULES.model_copy(update={"repair_area_share": 10.0})
    mended = repair_figures(parsed, rows, loose, list(REPAIRS))
    checked = check_figures(mended.parsed, rows, loose, kind="polygon")
    for i, p in enumerate(points):
        sound = all(v == 0 or 1e-60 < abs(v) < 1e12 for xy in p for v in xy)
        codes = {d.code for d in checked.defects if d.rows == (i + 1,)}
        assert ("broken-coordinate" in codes) != sound
        if sound and not checked.refused[i]:
            assert mended.parsed.rings.shapes([i])[0].is_valid


def test_shapes_are_taken_in_any_order() -> None:
    shapes = np.array(
        [
            shapely.box(0, 0, 1, 1),
            None,
            shapely.from_wkt(
                "MULTIPOLYGON(((0 0,9 0,9 9,0 0),(4 1,5 1,5 2,4 1)),((20 0,21 0,21 1,20 0)))"
            ),
        ],
        dtype=object,
    )
    some = taken(Rings.of(shapes), [2, 1, 0, 2]).shapes()
    assert shapely.equals_exact(some[0], shapes[2])
    assert some[1] is None
    assert shapely.equals_exact(some[2], shapes[0])
    assert shapely.equals_exact(some[3], shapes[2])
    assert len(taken(Rings.of(shapes), [])) == 0
