"""Overlaps, gaps, duplicates and T-junctions of a few plots, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from geoplan.cadastre.coverage import check_coverage
from geoplan.cadastre.defect import Defect
from geoplan.cadastre.rings import Rings
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import RangeError, ShapeError

RULES = CheckRules.model_validate({})


def check(
    *shapes: shapely.Geometry | None,
    groups: list[int] | None = None,
    broken: list[bool] | None = None,
    rules: CheckRules = RULES,
) -> dict[str, list[Defect]]:
    """Return the defects by code; rows count from 1."""
    found: dict[str, list[Defect]] = {}
    for defect in check_coverage(
        Rings.of(np.array(shapes, dtype=object)),
        np.arange(1, len(shapes) + 1),
        rules,
        groups=None if groups is None else np.array(groups),
        broken=None if broken is None else np.array(broken),
    ):
        found.setdefault(defect.code, []).append(defect)
    return found


def frame(x0: float, y0: float, x1: float, y1: float) -> Polygon:
    """Return a plot of 100 × 100 m with a hole."""
    return Polygon(box(0, 0, 100, 100).exterior, [box(x0, y0, x1, y1).exterior])


def test_neighbours_with_common_vertices_are_clean() -> None:
    grid = [box(x, y, x + 30, y + 50) for x in (0, 30, 60) for y in (0, 50)]
    assert check(*grid) == {}


def test_no_plots() -> None:
    assert check() == {}
    assert check(None, Polygon()) == {}


def test_moved_edge_overlaps() -> None:
    found = check(box(0, 0, 30.4, 50), box(30, 0, 60, 50))
    assert set(found) == {"overlap", "unmatched-vertex"}  # (30, 0) lies on an edge of the first
    (overlap,) = found["overlap"]
    assert overlap.rows == (1, 2)
    assert overlap.area_m2 == pytest.approx(0.4 * 50)
    assert overlap.geometry is not None
    assert overlap.geometry.equals(box(30, 0, 30.4, 50))


@pytest.mark.parametrize(("depth", "seen"), [(0.0009, False), (0.0015, True), (0.005, True)])
def test_overlap_thinner_than_the_tolerance_is_none(depth: float, seen: bool) -> None:
    found = check(box(0, 0, 30 + depth, 50), box(30, 0, 60, 50))
    assert ("overlap" in found) is seen


def test_small_overlap_is_within_survey_accuracy() -> None:
    corner = box(29.9, 49.9, 60, 90)
    assert check(box(0, 0, 29.999, 50), corner) == {}  # 0.099 × 0.1 m; the limit is 0.01 m²
    assert "overlap" in check(box(0, 0, 30.001, 50), corner)


def test_crossing_plots_overlap_in_two_pieces_reported_once() -> None:
    u = Polygon([(0, 0), (50, 0), (50, 30), (40, 30), (40, 10), (10, 10), (10, 30), (0, 30)])
    (overlap,) = check(u, box(-5, 20, 55, 25))["overlap"]
    assert overlap.area_m2 == pytest.approx(2 * 10 * 5)
    assert overlap.geometry is not None
    assert overlap.geometry.geom_type == "MultiPolygon"


def test_plot_inside_another_overlaps_with_all_of_it() -> None:
    (overlap,) = check(box(0, 0, 100, 100), box(40, 40, 45, 46))["overlap"]
    assert overlap.area_m2 == pytest.approx(30)


def test_enclave_in_its_hole_is_clean() -> None:
    assert check(frame(40, 40, 50, 50), box(40, 40, 50, 50)) == {}


def test_unfilled_hole_of_one_plot_is_a_gap_of_any_width() -> None:
    (gap,) = check(frame(40, 40, 50, 60))["gap"]
    assert gap.rows == (1,)
    assert gap.area_m2 == pytest.approx(200)
    assert gap.numbers["width_m"] == pytest.approx(2 * 200 / 60)
    assert gap.text == "enclosed"


def test_enclave_too_small_leaves_a_ring() -> None:
    found = check(frame(40, 40, 50, 60), box(40.2, 40.2, 49.8, 59.8))
    assert set(found) == {"gap"}
    assert sum(g.area_m2 or 0 for g in found["gap"]) == pytest.approx(200 - 9.6 * 19.6)


def test_enclosed_gap_names_the_plots_around_it() -> None:
    ring = [
        Polygon([(0, 0), (60, 0), (60, 20), (30.5, 20), (30, 20), (0, 20)]),
        Polygon([(0, 40), (30, 40), (30.5, 40), (60, 40), (60, 60), (0, 60)]),
        box(0, 20, 30, 40),
        box(30.5, 20, 60, 40),
    ]
    found = check(*ring)
    assert set(found) == {"gap"}
    (gap,) = found["gap"]
    assert gap.rows == (1, 2, 3, 4)
    assert gap.area_m2 == pytest.approx(0.5 * 20)
    assert gap.numbers["width_m"] == pytest.approx(2 * 10 / 41)


@pytest.mark.parametrize(
    ("groups", "seen"),
    [(None, False), ([1, 1, 1, 1], True), ([1, 1, 1, 2], False), ([-1] * 4, False)],
)
def test_wide_hole_is_a_gap_inside_one_block(groups: list[int] | None, seen: bool) -> None:
    ring = [
        Polygon([(0, 0), (60, 0), (60, 20), (40, 20), (30, 20), (0, 20)]),
        Polygon([(0, 40), (30, 40), (40, 40), (60, 40), (60, 60), (0, 60)]),
        box(0, 20, 30, 40),
        box(40, 20, 60, 40),
    ]
    found = check(*ring, groups=groups)
    assert ("gap" in found) is seen
    if seen:
        assert found["gap"][0].area_m2 == pytest.approx(200)


def test_plots_inside_a_wide_hole_are_not_gap() -> None:
    (gap,) = check(frame(20, 20, 80, 80), box(30, 30, 50, 50))["gap"]
    assert gap.area_m2 == pytest.approx(60 * 60 - 20 * 20)


def test_wedge_open_to_the_street() -> None:
    left = Polygon([(0, 0), (29.5, 0), (30, 50), (0, 50)])
    found = check(left, box(30, 0, 60, 50))
    assert set(found) == {"gap"}
    (gap,) = found["gap"]
    assert gap.rows == (1, 2)
    assert gap.text == "open"
    assert gap.area_m2 == pytest.approx(0.5 * 50 / 2)


def test_wedge_ends_where_it_becomes_a_street() -> None:
    left = Polygon([(0, 0), (26, 0), (30, 50), (0, 50)])
    (gap,) = check(left, box(30, 0, 60, 50))["gap"]
    # 4 m over 50 m: 1 m wide 12.5 m from the tip, along the longer, slanting edge.
    assert gap.area_m2 == pytest.approx(12.5 / 2, rel=0.02)


def test_slit_between_two_plots() -> None:
    (gap,) = check(box(0, 0, 29.7, 50), box(30, 0, 60, 50))["gap"]
    assert gap.area_m2 == pytest.approx(0.3 * 50)
    assert gap.numbers["width_m"] == pytest.approx(2 * 15 / 100.6)


def test_slit_narrower_than_the_tolerance_is_none() -> None:
    assert check(box(0, 0, 29.9995, 50), box(30, 0, 60, 50)) == {}


def test_street_is_no_gap() -> None:
    assert check(box(0, 0, 30, 50), box(31.01, 0, 60, 50)) == {}


def test_plot_between_two_others_fills_the_slit() -> None:
    assert check(box(0, 0, 29.5, 50), box(30, 0, 60, 50), box(29.5, 0, 30, 50)) == {}


def test_t_junction_is_told_and_is_neither_overlap_nor_gap() -> None:
    below = box(0, 0, 60, 20)
    found = check(below, box(0, 20, 30, 50), box(30, 20, 60, 50))
    assert set(found) == {"unmatched-vertex"}
    (vertex,) = found["unmatched-vertex"]
    assert vertex.rows == (1, 2, 3)
    assert vertex.geometry is not None
    assert vertex.geometry.equals(shapely.Point(30, 20))


def test_duplicates_wherever_they_start_and_however_they_run() -> None:
    plot = Polygon([(0, 0), (30, 0), (32, 50), (0, 48)])
    turned = Polygon(np.roll(np.array(plot.exterior.coords)[:-1], 2, axis=0)[::-1])
    with_vertex = Polygon([(0, 0), (15, 0), (30, 0), (32, 50), (0, 48)])
    for again in (plot, turned, with_vertex):
        found = check(plot, box(100, 0, 130, 50), again)
        assert "overlap" not in found
        (twin,) = found["duplicate-geometry"]
        assert twin.rows == (1, 3)
        assert twin.area_m2 == pytest.approx(plot.area)


def test_three_of_one_outline_are_one_defect() -> None:
    plot = box(0, 0, 30, 50)
    found = check(plot, plot, box(30, 0, 60, 50), plot)
    assert [d.rows for d in found["duplicate-geometry"]] == [(1, 2, 4)]
    assert set(found) == {"duplicate-geometry"}


def test_duplicate_still_overlaps_others() -> None:
    plot = box(0, 0, 30, 50)
    found = check(plot, plot, box(29, 0, 60, 50))
    assert [d.rows for d in found["overlap"]] == [(1, 3), (2, 3)]


def test_one_tiling_over_another() -> None:
    lower = [box(x, 0, x + 30, 50) for x in (0, 30, 60)]
    upper = [box(x, 0, x + 45, 50) for x in (0, 45)]
    found = check(*lower, *upper)
    assert {d.rows: d.area_m2 for d in found["overlap"]} == pytest.approx(
        {(1, 4): 1500, (2, 4): 750, (2, 5): 750, (3, 5): 1500}
    )


def test_triangle_over_half_a_square_shares_all_its_vertices() -> None:
    found = check(box(0, 0, 30, 30), Polygon([(0, 0), (30, 0), (30, 30)]))
    assert found["overlap"][0].area_m2 == pytest.approx(450)


def test_points_nearer_than_the_tolerance_are_one_vertex() -> None:
    rng = np.random.default_rng(3)
    grid = [box(x, y, x + 30, y + 50) for x in (0, 30, 60) for y in (0, 50)]
    # Cells of the search are 64 mm wide; a move of half of it puts points on their borders.
    for shift in (0.0, 0.032, 0.0639999, 0.064):
        rings = [np.array(p.exterior.coords)[:-1] + shift for p in grid]
        assert check(*[Polygon(r + rng.uniform(-3e-4, 3e-4, r.shape)) for r in rings]) == {}


def test_broken_plot_is_left_out_and_its_place_is_no_gap() -> None:
    ring = [
        Polygon([(0, 0), (60, 0), (60, 20), (40, 20), (30, 20), (0, 20)]),
        Polygon([(0, 40), (30, 40), (40, 40), (60, 40), (60, 60), (0, 60)]),
        box(0, 20, 30, 40),
        box(40, 20, 60, 40),
        Polygon([(30, 20), (40, 20), (30, 40), (40, 40)]),
    ]
    broken = [False] * 4 + [True]
    assert check(*ring, groups=[1] * 5, broken=broken) == {}
    with np.errstate(invalid="ignore"):
        nothing = Polygon([(30, 20), (np.nan, 20), (30, 40), (40, 40)])
    assert set(check(*ring[:4], nothing, broken=broken)) == set()


def test_order_of_rows_and_orientation_do_not_matter() -> None:
    plots = [box(0, 0, 30.4, 50), box(30, 0, 60, 50), box(60.2, 0, 90, 50)]
    forward = check(*plots)
    backward = check(*[p.reverse() for p in plots[::-1]])
    for code, defects in forward.items():
        there = sorted(round(d.area_m2 or 0, 9) for d in defects)
        assert there == sorted(round(d.area_m2 or 0, 9) for d in backward[code])


def test_misuse_is_named() -> None:
    rings = Rings.of(np.array([box(0, 0, 1, 1)]))
    with pytest.raises(ShapeError, match="2 rows for 1 plots"):
        check_coverage(rings, np.array([1, 2]), RULES)
    rings = Rings.of(np.array([Polygon([(0, 0), (np.inf, 0), (1, 1)])]))
    with pytest.raises(RangeError, match="not a number"):
        check_coverage(rings, np.array([1]), RULES)


def test_hole_beside_an_edge_collinear_but_for_the_last_bit_is_found() -> None:
    # GEOS in full precision gives the whole hole as its intersection with the first plot.
    plots = [
        Polygon([(15, 10), (0, 15), (10, 0), (15, -10), (15, 0), (20, 0), (20, 5)]),
        Polygon(
            [
                (12.734591091858617, 22.840215276300388),
                (10.830285489474305, 24.32446327029277),
                (-3.6586593155568963, 26.127479255282392),
                (0.6031630024062657, 12.122941921751577),
                (17.720924463320006, 20.821755530265072),
            ]
        ),
        Polygon([(15, 30), (10, 15), (30, 15)]),
        Polygon([(15, 30), (10, 30), (5, 35), (0, 30), (5, 25), (15, 10), (20, 10)]),
    ]
    (gap,) = [d for d in check(*plots, groups=[0] * 4)["gap"] if d.text == "enclosed"]
    assert gap.area_m2 == pytest.approx(29.365963, abs=1e-4)
