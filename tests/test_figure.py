"""Checks of each figure: GEOS's own answer on validity, hand-worked spikes, slivers and areas."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.cadastre.corner import corners
from geoplan.cadastre.defect import Defect
from geoplan.cadastre.figure import Figures, check_figures
from geoplan.cadastre.ring import Limits, measure
from geoplan.cadastre.rings import Rings
from geoplan.cadastre.validity import reasons, valid
from geoplan.cadastre.wkb import Kind, parse
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import ShapeError

LIMITS = Limits(tolerance_m=0.001, spike_angle_deg=5.0, spike_side_m=0.1)


def figures(
    *shapes: shapely.Geometry | str | bytes | None, kind: Kind = "polygon", **options: object
) -> Figures:
    raw = []
    for shape in shapes:
        if isinstance(shape, str):
            shape = shapely.from_wkt(shape)
        raw.append(
            shapely.to_wkb(shape, flavor="iso", output_dimension=4)
            if isinstance(shape, shapely.Geometry)
            else shape
        )
    rules = CheckRules.model_validate(options.pop("rules", {}))
    parsed = parse(pa.array(raw, pa.binary()), kind)
    return check_figures(parsed, range(1, len(raw) + 1), rules, kind=kind, **options)  # type: ignore[arg-type]


def only(found: Figures, code: str) -> Defect:
    hits = [d for d in found.defects if d.code == code]
    assert len(hits) == 1, [d.code for d in found.defects]
    return hits[0]


def rings_of(points: list[list[tuple[float, float]]]) -> Rings:
    """Make one polygon of each list of points, closed here."""
    closed = [[*p, p[0]] for p in points]
    sizes = np.cumsum([0, *(len(p) for p in closed)])
    count = np.arange(len(points) + 1)
    return Rings(np.array([q for p in closed for q in p], float), sizes, count, count)


grid = st.integers(0, 5).map(float)
drawn = st.lists(st.tuples(grid, grid), min_size=3, max_size=8)
fine = st.floats(0, 1, allow_nan=False).map(lambda v: v * 10)
loose = st.lists(st.tuples(fine, fine), min_size=3, max_size=7)


@settings(max_examples=400, deadline=None)
@given(st.lists(drawn | loose, min_size=1, max_size=8), st.sampled_from([0.0, 5e5, 1e-3]))
def test_valid_is_what_geos_calls_valid(points: list[list[tuple[float, float]]], by: float) -> None:
    rings = rings_of([[(x + by, y + by) for x, y in p] for p in points])
    truth = shapely.is_valid(rings.shapes())
    simple = measure(rings, LIMITS).simple
    assert not (simple & ~truth).any()
    np.testing.assert_array_equal(valid(rings, simple), truth)


def test_validity_of_a_hundred_thousand_random_rings() -> None:
    draw = np.random.default_rng(3)
    whole = draw.integers(0, 6, (100_000, 5, 2)).astype(float)
    xy = np.concatenate([whole, whole[:, :1]], axis=1).reshape(-1, 2)
    count = np.arange(100_001)
    rings = Rings(xy, count * 6, count, count)
    simple = measure(rings, LIMITS).simple
    truth = shapely.is_valid(shapely.polygons(xy.reshape(-1, 6, 2)))
    assert not (simple & ~truth).any()
    assert simple[truth].mean() > 0.7  # the proof is not idle, even where a fifth repeat a vertex
    np.testing.assert_array_equal(valid(rings, simple), truth)


@pytest.mark.parametrize(
    ("name", "points", "proven"),
    [
        ("square", [(0, 0), (1, 0), (1, 1), (0, 1)], True),
        ("vertices on a side", [(0, 0), (1, 0), (2, 0), (2, 2), (1, 1), (0, 0.5)], True),
        ("bow-tie", [(0, 0), (1, 1), (1, 0), (0, 1)], False),
        ("touches itself at a vertex", [(0, 0), (2, 0), (1, 1), (2, 2), (0, 2), (1, 1)], False),
        ("vertex on a far side", [(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)], False),
        ("out and back", [(0, 0), (2, 0), (2, 2), (2, 5), (2, 2), (0, 2)], False),
        ("flat", [(0, 0), (1, 0), (2, 0)], False),
        ("repeated", [(0, 0), (1, 0), (1, 0), (1, 1)], False),
    ],
)
def test_the_proof_of_simple_rings(
    name: str, points: list[tuple[float, float]], proven: bool
) -> None:
    rings = rings_of([points])
    assert measure(rings, LIMITS).simple[0] == proven, name
    assert valid(rings, np.array([proven]))[0] == shapely.Polygon(points).is_valid


def test_holes_and_many_parts_are_asked_of_geos() -> None:
    shapes = shapely.from_wkt(
        [
            "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 1))",
            "POLYGON((0 0,9 0,9 9,0 9,0 0),(20 1,21 1,21 2,20 1))",
            "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,8 1,8 8,1 8,1 1),(2 2,3 2,3 3,2 2))",
            "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
            "MULTIPOLYGON(((0 0,4 0,4 4,0 4,0 0)),((1 1,2 1,2 2,1 1)))",
            "POLYGON((0 0,9 0,9 9,0 9,0 0),(0 0,9 0,9 9,0 9,0 0))",
        ]
    )
    rings = Rings.of(shapes)
    assert list(valid(rings, measure(rings, LIMITS).simple)) == list(shapely.is_valid(shapes))
    said = [r.text for r in reasons(rings, [1, 2, 4, 5])]
    assert said == [shapely.is_valid_reason(s).split("[")[0] for s in shapes[[1, 2, 4, 5]]]
    assert said[0] == "Hole lies outside shell"
    assert measure(rings, LIMITS).area_m2[0] == 80.5


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), min_size=3, max_size=9),
    st.sampled_from([(0.0, 0.0), (539_123.25, 3_951_876.5), (-1e6, 1e7)]),
)
def test_areas_are_exact_at_large_coordinates(
    points: list[tuple[float, float]], origin: tuple[float, float]
) -> None:
    """Against the shoelace formula in exact fractions: 10⁻¹³ of the box, not of 10⁷ · 10⁷."""
    rings = rings_of([[(x + origin[0], y + origin[1]) for x, y in points]])
    exact = [(Fraction(x), Fraction(y)) for x, y in rings.xy.tolist()]
    twice = sum((a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(exact)), Fraction())
    box = max(float(np.ptp(rings.xy, axis=0).prod()), 1e-300)
    error = abs(Fraction(measure(rings, LIMITS).area_m2[0]) - abs(twice) / 2)
    assert error <= Fraction(box) * Fraction(1, 10**13)


def test_a_spike_by_hand() -> None:
    """A square of 10 with a tip 3 beyond its corner, 0.2 wide at the foot.

    The tip (13, 5) and the feet (10, 4.9), (10, 5.1): half the angle is atan(0.1/3) = 1.909°, the
    depth is 3, the triangle 0.3 m².
    """
    found = figures("POLYGON((0 0,10 0,10 4.9,13 5,10 5.1,10 10,0 10,0 0))")
    spike = only(found, "spike")
    assert spike.rows == (1,)
    assert spike.geometry.equals(shapely.Point(13, 5))
    assert spike.numbers["angle_deg"] == pytest.approx(2 * math.degrees(math.atan(0.1 / 3)))
    assert spike.numbers["depth_m"] == pytest.approx(3)
    assert spike.area_m2 == pytest.approx(0.3)
    assert not found.refused[0]


def test_a_spike_into_the_figure_and_one_with_a_blunt_tip() -> None:
    inward = figures("POLYGON((0 0,10 0,10 4.9,7 5,10 5.1,10 10,0 10,0 0))")
    assert only(inward, "spike").geometry.equals(shapely.Point(7, 5))
    blunt = figures("POLYGON((0 0,10 0,10 4.9,13 5,13 5.0005,10 5.1,10 10,0 10,0 0))")
    assert only(blunt, "spike").numbers["depth_m"] == pytest.approx(3, abs=1e-3)
    assert only(blunt, "repeated-vertex").numbers == {"vertices": 1.0}


def test_a_spike_at_the_start_of_a_ring_and_out_and_back() -> None:
    start = figures("POLYGON((13 5,10 5.1,10 10,0 10,0 0,10 0,10 4.9,13 5))")
    assert only(start, "spike").geometry.equals(shapely.Point(13, 5))
    flat = figures("POLYGON((0 0,10 0,10 5,13 5,10 5,10 10,0 10,0 0))")
    assert only(flat, "spike").numbers["angle_deg"] == 0
    assert only(flat, "spike").numbers["depth_m"] == 3
    assert only(flat, "invalid-ring").rows == (1,)
    assert flat.refused[0]


def test_short_sides_and_wide_corners_are_no_spikes() -> None:
    short = figures("POLYGON((0 0,10 0,10 4.999,10.09 5,10 5.001,10 10,0 10,0 0))")
    assert not short.defects
    wide = figures("POLYGON((0 0,10 0,10 4,13 5,10 6,10 10,0 10,0 0))")  # 2 · atan(1/3) = 36.9°
    assert not wide.defects
    found = figures(
        "POLYGON((0 0,10 0,10 4,13 5,10 6,10 10,0 10,0 0))", rules={"spike_angle_deg": 37}
    )
    assert only(found, "spike")


def test_a_sliver_by_hand() -> None:
    """A strip of 0.4 × 100: 2 · 40 / 200.8 = 0.398 m wide."""
    sliver = only(figures(shapely.box(0, 0, 100, 0.4)), "sliver")
    assert sliver.area_m2 == pytest.approx(40)
    assert sliver.numbers["width_m"] == pytest.approx(80 / 200.8)
    assert sliver.geometry.equals(shapely.box(0, 0, 100, 0.4))
    assert not figures(shapely.box(0, 0, 100, 0.6)).defects


def test_repeated_vertices() -> None:
    found = figures("POLYGON((0 0,5 0,5.0004 0,9 0,9 9,9 9,0 9,0 0.0009,0 0))")
    repeated = only(found, "repeated-vertex")
    assert repeated.numbers == {"vertices": 3.0}
    assert repeated.geometry.equals(shapely.MultiPoint([(0, 0), (5.0004, 0), (9, 9)]))
    assert not found.refused[0]


def test_stated_area_needs_both_differences() -> None:
    square = shapely.box(0, 0, 10, 10)  # 100 m²
    stated = np.array([98.9, 99.1, 101.0, np.nan, 98.0])
    found = figures(*[square] * 5, stated_area_m2=stated, rules={"area_difference_share": 0.015})
    # 1.1 m² is above 1 m² but below 1.5 %; 2 m² is above both
    assert [d.rows for d in found.defects] == [(5,)]
    assert found.defects[0].numbers == {"measured_m2": 100.0, "stated_m2": 98.0}
    assert found.defects[0].area_m2 == 2.0
    zero = figures(square, stated_area_m2=np.array([0.0]))
    assert only(zero, "stated-area")
    given_area = figures(square, stated_area_m2=np.array([250.0]), area_m2=np.array([250.0]))
    assert not given_area.defects
    assert given_area.area_m2[0] == 250


def test_kinds_and_what_cannot_be_loaded() -> None:
    nan = np.array([1], "<u1").tobytes() + np.array([3, 1, 4], "<u4").tobytes()
    nan += np.array([0, 0, 1, 0, 1, np.nan, 0, 0], "<f8").tobytes()
    found = figures(
        None,
        "POLYGON EMPTY",
        "POINT(1 2)",
        "GEOMETRYCOLLECTION(POLYGON((0 0,1 0,1 1,0 0)))",
        b"\x01\x03\0\0\0\xff\xff\xff\xff",
        b"\x01\x10\0\0\0\0\0\0\0",
        nan,
        shapely.box(0, 0, 1, 1),
        rules={"severity": {"wrong-kind": "off", "empty-geometry": "warning"}},
    )
    told = {d.rows[0]: (d.code, d.text) for d in found.defects}
    assert told == {
        1: ("empty-geometry", ""),
        2: ("empty-geometry", "polygon"),
        3: ("wrong-kind", "point"),
        4: ("wrong-kind", "collection"),
        5: ("unreadable-geometry", "the bytes end too early"),
        6: ("unsupported-kind", "TIN"),
        7: ("broken-coordinate", ""),
    }
    assert list(found.refused) == [False, False, True, True, True, True, True, False]
    assert only(found, "broken-coordinate").geometry.equals(shapely.MultiPoint([(0, 0), (1, 0)]))
    assert list(np.isnan(found.area_m2)) == [True] * 7 + [False]


def test_heights_are_told_once_and_refused_by_rule() -> None:
    high = "POLYGON Z((0 0 1,9 0 1,9 9 1,0 0 1))"
    found = figures(high, high, shapely.box(0, 0, 1, 1))
    assert only(found, "height").rows == (1, 2)
    assert only(found, "height").text == "Z"
    assert not found.refused.any()
    refused = figures(high, shapely.box(0, 0, 1, 1), rules={"heights": "refuse"})
    assert only(refused, "height-refused").rows == (1,)
    assert list(refused.refused) == [True, False]


def test_invalid_rings_with_reason_and_place() -> None:
    found = figures("POLYGON((0 0,2 2,2 0,0 2,0 0))", shapely.box(0, 0, 1, 1))
    crossed = only(found, "invalid-ring")
    assert crossed.text == "Self-intersection"
    assert crossed.geometry.equals(shapely.Point(1, 1))
    assert list(found.refused) == [True, False]
    loaded = figures(
        "POLYGON((0 0,2 2,2 0,0 2,0 0))", rules={"severity": {"invalid-ring": "warning"}}
    )
    assert not loaded.refused.any()
    silent = figures("POLYGON((0 0,2 2,2 0,0 2,0 0))", rules={"severity": {"invalid-ring": "off"}})
    assert not silent.defects


def test_rings_that_are_open_or_too_short() -> None:
    def raw(*points: tuple[float, float]) -> bytes:
        return np.array([1], "<u1").tobytes() + (
            np.array([3, 1, len(points)], "<u4").tobytes() + np.array(points, "<f8").tobytes()
        )

    found = figures(raw((0, 0), (9, 0), (9, 9), (3, 4)), raw((5, 5), (6, 6)))
    assert [(d.code, d.rows) for d in found.defects] == [
        ("open-ring", (1,)),
        ("open-ring", (2,)),
        ("invalid-ring", (2,)),
    ]
    assert found.defects[0].numbers == {"gap_m": 5.0}
    assert found.defects[2].text == "Too few points in geometry component"
    assert found.refused.all()


def test_lines_and_points() -> None:
    lines = figures(
        "LINESTRING(0 0,1 1)",
        "MULTILINESTRING((0 0,1 1),(2 2,2 2))",
        "POLYGON((0 0,1 0,1 1,0 0))",
        kind="line",
    )
    assert [(d.code, d.rows) for d in lines.defects] == [
        ("wrong-kind", (3,)),
        ("invalid-ring", (2,)),
    ]
    assert not figures("POINT(1 2)", "MULTIPOINT(1 2,3 4)", kind="point").defects
    assert not figures(
        "POINT(1 2)", "LINESTRING(0 0,1 1)", "POLYGON((0 0,9 0,9 9,0 0))", kind="any"
    )[0]


def test_in_degrees_lengths_are_metres() -> None:
    """At the equator of a made-up plane with 100 km a degree: the same spike as by hand above."""
    shape = shapely.from_wkt("POLYGON((0 0,10 0,10 4.9,13 5,10 5.1,10 10,0 10,0 0))")
    small = shapely.transform(shape, lambda xy: xy / 1e5)
    found = figures(small, metres=1e5)
    assert only(found, "spike").numbers["depth_m"] == pytest.approx(3)
    assert found.area_m2[0] == pytest.approx(100.3)
    stretched = figures(shapely.transform(shape, lambda xy: xy / [2, 1]), metres=(2.0, 1.0))
    assert only(stretched, "spike").numbers["angle_deg"] == pytest.approx(3.8176, abs=1e-3)


def test_corners_of_no_shape() -> None:
    rings = Rings.of(np.array([None, shapely.box(0, 0, 1, 1)], dtype=object))
    assert len(corners(rings, [0, 1], LIMITS, spikes=True).tip) == 0
    assert len(corners(rings, [], LIMITS, spikes=False).tip) == 0


def test_lengths_must_agree() -> None:
    with pytest.raises(ShapeError, match="2 stated areas for 1"):
        figures(shapely.box(0, 0, 1, 1), stated_area_m2=np.zeros(2))
