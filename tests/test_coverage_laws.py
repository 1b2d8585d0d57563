"""Laws of the coverage check, against brute force by shapely."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import Polygon, affinity, box, ops

from geoplan.cadastre.coverage import check_coverage
from geoplan.cadastre.defect import Defect
from geoplan.cadastre.rings import Rings
from geoplan.catalogue.checks import CheckRules

RULES = CheckRules.model_validate({})
TOLERANCE = RULES.tolerance_m
SEEDS = st.integers(0, 2**32 - 1)
FEW = settings(max_examples=60, deadline=None)


def check(shapes: list[Polygon], *, one_block: bool = False) -> list[Defect]:
    groups = np.zeros(len(shapes), dtype=np.int64) if one_block else None
    rings = Rings.of(np.array(shapes, dtype=object))
    return check_coverage(rings, np.arange(len(shapes)), RULES, groups=groups)


def of(code: str, found: list[Defect]) -> list[Defect]:
    return [d for d in found if d.code == code]


def subdivided(rng: np.random.Generator, cuts: int) -> list[Polygon]:
    """Return a rectangle cut again and again along lines of any direction."""
    pieces = [box(0, 0, 400, 300)]
    for _ in range(cuts):
        piece = pieces.pop(int(np.argmax([p.area for p in pieces])))
        x, y = piece.centroid.coords[0]
        angle = rng.uniform(0, np.pi)
        dx, dy = 1000 * np.cos(angle), 1000 * np.sin(angle)
        line = shapely.LineString([(x - dx, y - dy), (x + dx, y + dy)])
        pieces += list(ops.split(piece, line).geoms)
    return pieces


def blobs(rng: np.random.Generator, count: int, spread: float) -> list[Polygon]:
    """Return star-shaped polygons, concave mostly, some on a coarse grid, some with a hole."""
    out: list[Polygon] = []
    while len(out) < count:
        n = int(rng.integers(3, 9))
        angle = np.sort(rng.uniform(0, 2 * np.pi, n))
        reach = rng.uniform(2, 20, n)
        xy = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=1)
        xy += rng.uniform(0, spread, 2)
        if rng.random() < 0.5:
            xy = np.round(xy / 5) * 5
        shape = Polygon(xy)
        if rng.random() < 0.2 and shape.is_valid:
            holed = shape - shape.centroid.buffer(1.5, quad_segs=2)
            shape = holed if shapely.get_num_interior_rings(holed) == 1 else shape
        if shape.geom_type == "Polygon" and shape.is_valid and shape.area > 5:
            out.append(shape)
    return out


def wide(shape: shapely.Geometry, factor: float) -> float:
    """Return the area of the parts wider than some tolerances."""
    parts = shapely.get_parts(shapely.get_parts(shape))
    parts = parts[shapely.get_type_id(parts) == 3]
    area, border = shapely.area(parts), shapely.length(parts)
    return float(area[2 * area > factor * TOLERANCE * border].sum())


def brute_overlaps(shapes: list[Polygon], factor: float) -> dict[tuple[int, int], float]:
    out = {}
    for i, a in enumerate(shapes):
        for j in range(i + 1, len(shapes)):
            area = wide(shapely.intersection(a, shapes[j]), factor)
            if area > RULES.overlap_min_m2:
                out[i, j] = area
    return out


def holes(shapes: list[Polygon], closed: float) -> list[float]:
    """Return the areas of the land that shapes enclose once thin necks are closed."""
    union = shapely.union_all(shapely.buffer(shapes, closed) if closed else shapes)
    union = shapely.buffer(union, -closed) if closed else union
    # Shapes that touch in two points enclose land too, though no polygon has a hole there.
    x0, y0, x1, y1 = union.bounds
    around = box(x0 - 1, y0 - 1, x1 + 1, y1 + 1)
    land = [h for h in shapely.get_parts(around - union) if not h.intersects(around.exterior)]
    return sorted(
        h.area for h in land if h.area > RULES.gap_min_m2 and 2 * h.area > TOLERANCE * h.length
    )  # fmt: skip


@FEW
@given(SEEDS, st.integers(1, 60))
def test_subdivisions_have_no_defect(seed: int, cuts: int) -> None:
    found = check(subdivided(np.random.default_rng(seed), cuts), one_block=True)
    assert {d.code for d in found} <= {"unmatched-vertex"}


@FEW
@given(SEEDS, st.integers(2, 9), st.integers(2, 9))
def test_jittered_grids_have_no_defect(seed: int, columns: int, lines: int) -> None:
    rng = np.random.default_rng(seed)
    node = np.stack(np.meshgrid(np.arange(columns + 1), np.arange(lines + 1)), axis=2) * 30.0
    node += rng.uniform(-14, 14, node.shape)

    def near(r: int, c: int) -> tuple[float, float]:
        x, y = node[r, c] + rng.uniform(-3e-4, 3e-4, 2)
        return float(x), float(y)

    plots = [
        Polygon([near(r, c), near(r, c + 1), near(r + 1, c + 1), near(r + 1, c)])
        for r in range(lines) for c in range(columns)
    ]  # fmt: skip
    if all(p.is_valid for p in plots):
        sharp = [d for d in check(plots) if d.text != "open"]
        assert sharp == []


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(2, 25), st.floats(10, 120))
def test_overlaps_are_those_of_brute_force(seed: int, count: int, spread: float) -> None:
    shapes = blobs(np.random.default_rng(seed), count, spread)
    found = check(shapes)
    got = {(d.rows[0], d.rows[1]): d.area_m2 or 0.0 for d in of("overlap", found)}
    twins = {
        (a, b)
        for d in of("duplicate-geometry", found)
        for a in d.rows
        for b in d.rows
        if a < b
    }  # fmt: skip
    sure, possible = brute_overlaps(shapes, 3.0), brute_overlaps(shapes, 0.3)
    assert set(sure) <= set(got) | twins
    assert set(got) | twins <= set(possible)
    for pair, area in got.items():
        slack = TOLERANCE * min(shapes[pair[0]].length, shapes[pair[1]].length)
        assert abs(area - possible[pair]) <= slack
    for a, b in twins:
        assert shapes[a].symmetric_difference(shapes[b]).area <= TOLERANCE * shapes[a].length


@settings(max_examples=150, deadline=None)
@given(SEEDS, st.integers(3, 40), st.floats(20, 120))
def test_enclosed_gaps_are_the_holes_of_the_union(seed: int, count: int, spread: float) -> None:
    shapes = blobs(np.random.default_rng(seed), count, spread)
    # Where a neck of the land is about as thin as the tolerance, either answer is right.
    sure = holes(shapes, 0.0)
    for closed in (TOLERANCE / 2, TOLERANCE):
        again = holes(shapes, closed)
        assume(len(again) == len(sure) and np.allclose(again, sure, atol=0.02))
    found = of("gap", check(shapes, one_block=True))
    got = sorted(d.area_m2 or 0 for d in found if d.text == "enclosed")
    assert np.allclose(got, sure, atol=0.02)
    union = shapely.union_all(shapes)
    for defect in found:
        assert defect.geometry is not None
        assert shapely.intersection(defect.geometry, union).area < 0.02


@FEW
@given(SEEDS, st.floats(0, 360), st.floats(-1e6, 1e6), st.floats(0, 4e6))
def test_turning_moving_and_shuffling_change_nothing(
    seed: int, angle: float, dx: float, dy: float
) -> None:
    rng = np.random.default_rng(seed)
    shapes = blobs(rng, 15, 60) + subdivided(rng, 12)
    order = rng.permutation(len(shapes))
    turned = [
        affinity.translate(affinity.rotate(shapes[i], angle, origin=(0, 0)), dx, dy) for i in order
    ]
    before, after = check(shapes), check(turned)
    for code in ("overlap", "duplicate-geometry"):
        there = {tuple(sorted(order[list(d.rows)])): d.area_m2 for d in of(code, after)}
        here = {d.rows: d.area_m2 for d in of(code, before)}
        assert there.keys() == here.keys()
        for rows, area in here.items():
            # Which of two points within the tolerance becomes the vertex depends on the turn.
            slack = TOLERANCE * min(shapes[i].length for i in rows)
            assert abs((area or 0) - (there[rows] or 0)) <= slack
    enclosed = [
        sorted(d.area_m2 or 0 for d in of("gap", found) if d.text == "enclosed")
        for found in (before, after)
    ]
    assert np.allclose(enclosed[0], enclosed[1], atol=0.02)
