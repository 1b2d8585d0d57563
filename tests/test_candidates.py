"""Candidates: contiguous, allowed, of the right size, apart, and always the same."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geoplan.catalogue.scenario import CandidateSpec
from geoplan.errors import AnswerNo, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.siting.candidates import CandidateCells, grow, polygons
from geoplan.siting.seeds import spread_seeds
from geoplan.siting.selection import keep_apart, keep_pool
from geoplan.vector import geodesic_area_ha

LAEA = "+proj=laea +lat_0=32 +lon_0=53 +datum=WGS84 +units=m"


def grid(shape: tuple[int, int], cell_m: float = 500.0, crs: str = LAEA) -> Grid:
    return Grid(crs, -cell_m * (shape[1] // 2), cell_m * (shape[0] // 2), cell_m, *shape)


def land(shape: tuple[int, int], seed: int, share: float = 0.75) -> np.ndarray:
    rng = np.random.default_rng(seed)
    value = ndimage.gaussian_filter(rng.random(shape), 3)
    value = (value - value.min()) / (value.max() - value.min())
    mask = ndimage.gaussian_filter(rng.random(shape), 1.5)
    return np.where(mask <= np.quantile(mask, share), value, np.nan).astype(np.float32)


def spec(**given: object) -> CandidateSpec:
    return CandidateSpec.model_validate(
        {"area_ha": [200, 500], "spacing_km": 2, "seeds": 300, "keep": 50, **given}
    )


def same(a: CandidateCells, b: CandidateCells) -> bool:
    names = ("offsets", "cells", "area_ha", "score", "representative", "region")
    return all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in names)


def check(found: CandidateCells, score: np.ndarray, g: Grid, asked: CandidateSpec) -> None:
    """All that a set of candidates promises, by other means than those that made it."""
    assert 1 <= len(found) <= asked.keep
    low, high = asked.area_ha
    gap_cells = asked.spacing_km * 1000 / g.cell_m
    masks = []
    for k in range(len(found)):
        mask = np.zeros(g.size, dtype=bool)
        mask[found.of(k)] = True
        mask = mask.reshape(g.shape)
        masks.append(mask)
        assert ndimage.label(mask)[1] == 1, "contiguous by sides"
        assert np.isfinite(score[mask]).all(), "on allowed land"
        assert low <= mask.sum() * g.cell_ha <= high
        assert found.score[k] == pytest.approx(float(score[mask].mean(dtype=np.float64)))
        assert mask.ravel()[found.representative[k]]
        for later in masks[:-1]:
            r1, c1 = np.nonzero(mask)
            r2, c2 = np.nonzero(later)
            dr = np.maximum(np.abs(r1[:, None] - r2) - 1, 0)
            dc = np.maximum(np.abs(c1[:, None] - c2) - 1, 0)
            assert np.hypot(dr, dc).min() >= gap_cells - 1e-9
            assert not (mask & later).any()
    assert all(a >= b for a, b in pairwise(found.score)), "best first"


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 2**31),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from([0.0, 0.3, 1.0, 2.5]),
    st.sampled_from([(200, 500), (75, 75), (300, 2000), (25, 60)]),
    st.floats(0.4, 1.0),
)
def test_promises_hold_on_random_land(
    seed: int, compactness: float, spacing: float, area: tuple[float, float], share: float
) -> None:
    shape = (36, 44)
    score = land(shape, seed, share)
    asked = spec(area_ha=area, compactness=compactness, spacing_km=spacing)
    try:
        found = grow(score, grid(shape), asked)
    except AnswerNo:
        labels, _ = ndimage.label(np.isfinite(score))
        assert np.bincount(labels.ravel())[1:].max(initial=0) * 25 < area[0] * 1.0002
        return
    check(found, score, grid(shape), asked)


def test_threads_and_repeats_do_not_change_a_bit() -> None:
    score = land((200, 180), 4)
    g = grid(score.shape)
    results = [grow(score, g, spec(seeds=3000, keep=200), threads=n) for n in (1, 2, 5, 1)]
    assert all(same(results[0], r) for r in results[1:])
    assert len(results[0]) > 20


def test_grows_a_disk_on_even_land() -> None:
    """Nothing but shape to follow: the area of the bounding disk is little more than its own."""
    score = np.full((61, 61), 0.5, dtype=np.float32)
    found = grow(score, grid((61, 61)), spec(area_ha=[2000, 8000], seeds=1, spacing_km=0))
    row, col = np.divmod(found.of(0), 61)
    n = len(row)
    assert n == 319  # 8000 ha less the margin, in cells of 25 ha
    radius = np.hypot(row - row.mean(), col - col.mean()).max()
    assert np.pi * radius**2 < 1.15 * n


def test_follows_value_when_shape_does_not_count() -> None:
    """A ridge one cell wide: with compactness 0 the region runs along it."""
    score = np.full((21, 41), 0.1, dtype=np.float32)
    score[10, :] = 0.9
    asked = spec(area_ha=[250, 500], compactness=0, seeds=1)
    found = grow(score, grid((21, 41)), asked)
    assert set(found.of(0) // 41) == {10}
    assert found.score[0] == pytest.approx(0.9)
    round_one = grow(score, grid((21, 41)), spec(area_ha=[250, 500], compactness=1, seeds=1))
    assert len(set(round_one.of(0) // 41)) > 2


def test_stops_before_poor_land_once_large_enough() -> None:
    score = np.full((20, 20), 0.2, dtype=np.float32)
    score[5:9, 5:9] = 0.8  # 16 cells: 400 ha
    found = grow(score, grid((20, 20)), spec(area_ha=[350, 1000], seeds=1))
    assert found.area_ha[0] == pytest.approx(400.0)
    assert found.score[0] == pytest.approx(0.8)


def test_takes_in_what_it_encloses() -> None:
    """A ring of good land around poor land that is allowed, and a pond that is not."""
    score = np.full((15, 15), np.nan, dtype=np.float32)
    score[2:9, 2:9] = 0.9
    score[4:7, 4:7] = 0.1
    score[5, 5] = np.nan
    g = grid((15, 15))
    found = grow(score, g, spec(area_ha=[900, 1300], compactness=0, seeds=1))
    assert len(found.of(0)) == 48  # 7 · 7 − the pond
    outline = polygons(found, g)[0]
    assert outline.geom_type == "Polygon"
    assert len(outline.interiors) == 1
    assert outline.area == 48 * 250_000


def test_gives_up_late_cells_for_what_it_encloses() -> None:
    """Full when the ring closes: the island goes in, cells that joined last go out."""
    rng = np.random.default_rng(0)
    score = np.clip(0.6 + 0.01 * rng.random((30, 30)), 0, 1).astype(np.float32)
    score[12:18:2, 12:18:2] = 0.4
    g = grid((30, 30))
    asked = spec(area_ha=[1000, 2000], compactness=0.1, seeds=1, spacing_km=0)
    found = grow(score, g, asked)
    check(found, score, g, asked)
    assert len(polygons(found, g)[0].interiors) == 0


def test_regions_have_their_cap_and_majorities() -> None:
    score = land((80, 80), 7, 1.0)
    region = np.zeros((80, 80), dtype=np.int16)
    region[:, 40:] = 1
    region[:10] = -1
    g = grid((80, 80))
    found = grow(score, g, spec(per_region_keep=3, spacing_km=1), region=region)
    counts = {k: int((found.region == k).sum()) for k in (-1, 0, 1)}
    assert counts[0] == counts[1] == 3
    for k in range(len(found)):
        values = region.ravel()[found.of(k)]
        known = values[values >= 0]
        expected = np.bincount(known).argmax() if known.size else -1
        assert found.region[k] == expected
    with pytest.raises(ShapeError, match="per_region_keep"):
        grow(score, g, spec(per_region_keep=3))


def test_the_best_is_found_and_spacing_is_greedy_from_it() -> None:
    """Two good places 3 km apart: the better keeps the other out at 5 km, not at 2 km."""
    score = np.full((20, 40), 0.1, dtype=np.float32)
    score[8:12, 5:9] = 0.9
    score[8:12, 15:19] = 0.8  # 6 cells = 3 km from the first, edge to edge
    g = grid((20, 40))
    near = grow(score, g, spec(area_ha=[395, 405], compactness=0, spacing_km=2, seeds=800))
    far = grow(score, g, spec(area_ha=[395, 405], compactness=0, spacing_km=5, seeds=800))
    np.testing.assert_allclose(near.score[:2], [0.9, 0.8])
    assert far.score[0] == pytest.approx(0.9)
    assert far.score[1] < 0.5
    exact = grow(score, g, spec(area_ha=[395, 405], compactness=0, spacing_km=3, seeds=800))
    assert exact.score[1] == pytest.approx(0.8), "exactly the spacing is far enough"


@pytest.mark.parametrize("crs", [LAEA, "EPSG:32639"])
def test_geodesic_area_of_the_polygon_is_within_the_limits(crs: str) -> None:
    """Also where the CRS is not equal-area: far from the meridian a UTM cell is too large."""
    shape = (120, 120)
    x, y = (0.0, 0.0) if crs == LAEA else (900_000.0, 3_600_000.0)
    g = Grid(crs, x, y, 500.0, *shape)
    asked = spec(area_ha=[800, 2000], seeds=400, spacing_km=1)
    found = grow(land(shape, 3), g, asked)
    area = geodesic_area_ha(polygons(found, g)).to_numpy()
    assert area.min() >= 800
    assert area.max() <= 2000
    np.testing.assert_allclose(found.area_ha, area, rtol=2e-4)


def test_polygons_are_valid_and_burn_back_to_their_cells() -> None:
    from geoplan.raster import rasterise

    score = land((90, 100), 11, 0.6)
    g = grid(score.shape)
    found = grow(score, g, spec(compactness=0.2, spacing_km=0))
    outlines = polygons(found, g)
    assert outlines.crs == LAEA
    assert set(outlines.geom_type) == {"Polygon"}
    assert outlines.is_valid.all()
    burnt = rasterise(outlines, g, values=range(len(found)), fill=-1, dtype=np.int32)
    np.testing.assert_array_equal(burnt, found.labels(g))


def test_says_how_much_land_there_is_when_none_fits() -> None:
    score = np.full((20, 20), np.nan, dtype=np.float32)
    score[0, :4] = 0.5
    score[5, :7] = 0.5
    with pytest.raises(AnswerNo) as error:
        grow(score, grid((20, 20)), spec(area_ha=[800, 2000]))
    assert "no candidate of 800 to 2,000 ha fits" in str(error.value)
    assert "275 ha are allowed in all" in str(error.value)
    assert "largest contiguous patch has 175 ha" in str(error.value)
    with pytest.raises(AnswerNo, match="0 ha are allowed"):
        grow(np.full((9, 9), np.nan, dtype=np.float32), grid((9, 9)), spec())


def test_refuses_sizes_and_scores_that_cannot_be() -> None:
    score = np.full((9, 9), 0.5, dtype=np.float32)
    with pytest.raises(
        RangeError, match="no whole number of cells of 25 ha lies between 30 and 45"
    ):
        grow(score, grid((9, 9)), spec(area_ha=[30, 45]))
    with pytest.raises(RangeError, match=r"between 0\.5 and 5"):
        score[0, 0] = 5
        grow(score, grid((9, 9)), spec())
    with pytest.raises(ShapeError, match=r"\(9, 9\)"):
        grow(score, grid((9, 8)), spec())


def test_an_exact_number_of_cells_needs_no_margin() -> None:
    score = np.full((9, 9), 0.5, dtype=np.float32)
    found = grow(score, grid((9, 9)), spec(area_ha=[250, 250], seeds=5))
    assert (found.area_ha == 250).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 400))
def test_seeds_are_spread_on_usable_land(seed: int, count: int) -> None:
    score = land((40, 50), seed)
    usable = np.isfinite(score)
    seeds = spread_seeds(score, usable, count, window=5)
    assert 1 <= len(seeds) <= count
    assert len(seeds) >= min(count, usable.sum()) * 0.6
    assert usable.ravel()[seeds].all()
    assert (np.diff(seeds) > 0).all()


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**31), st.floats(0, 6).map(lambda v: round(v, 2)))
def test_selection_agrees_with_brute_force(seed: int, spacing: float) -> None:
    """Random rectangles, greedy by hand."""
    rng = np.random.default_rng(seed)
    shape = (25, 30)
    regions = []
    for _ in range(15):
        r, c = rng.integers(0, 20), rng.integers(0, 24)
        h, w = rng.integers(1, 5, 2)
        rows, cols = np.mgrid[r : r + h, c : c + w]
        regions.append((rows.ravel(), cols.ravel()))
    cells = np.concatenate([r * 30 + c for r, c in regions])
    offsets = np.concatenate([[0], np.cumsum([len(r) for r, _ in regions])])
    order = rng.permutation(15)
    kept = keep_apart(
        order, offsets, cells, np.full(15, -1), shape=shape, spacing=spacing, keep=15,
        per_region=None,
    )  # fmt: skip
    expected: list[int] = []
    for k in order:
        r1, c1 = regions[k]
        far = True
        for other in expected:
            r2, c2 = regions[other]
            dr, dc = np.abs(r1[:, None] - r2), np.abs(c1[:, None] - c2)
            gap = np.hypot(np.maximum(dr - 1, 0), np.maximum(dc - 1, 0)).min()
            far &= not ((dr + dc) == 0).any() and gap >= spacing
        if far:
            expected.append(int(k))
    assert kept.tolist() == expected


@settings(deadline=None, max_examples=80)
@given(st.integers(0, 2**31), st.sampled_from([0.0, 0.25, 0.5, 0.9]))
def test_the_pool_agrees_with_brute_force(seed: int, overlap: float) -> None:
    rng = np.random.default_rng(seed)
    sets = []
    for _ in range(25):
        r, c = rng.integers(0, 6), rng.integers(0, 7)
        h, w = rng.integers(1, 5, 2)
        rows, cols = np.mgrid[r : r + h, c : c + w]
        sets.append({int(v) for v in (rows * 12 + cols).ravel()})
    cells = np.concatenate([sorted(s) for s in sets])
    offsets = np.concatenate([[0], np.cumsum([len(s) for s in sets])])
    region = rng.integers(-1, 2, 25)
    order = rng.permutation(25)
    kept = keep_pool(
        order, offsets, cells, region, shape=(10, 12), overlap_max=overlap, keep=9, per_region=4
    )
    expected: list[int] = []
    for k in order:
        same = max((len(sets[k] & sets[o]) for o in expected), default=0)
        full = region[k] >= 0 and sum(region[o] == region[k] for o in expected) >= 4
        if len(expected) < 9 and not full and same <= overlap * len(sets[k]):
            expected.append(int(k))
    assert kept.tolist() == expected


def test_a_pool_holds_better_land_than_places_kept_apart() -> None:
    g = grid((40, 40))
    rng = np.random.default_rng(5)
    score = rng.random((40, 40), dtype=np.float32)
    ask = {"area_ha": (300, 500), "seeds": 400, "keep": 60}
    apart = grow(score, g, CandidateSpec(**ask, spacing_km=0))
    pool = grow(score, g, CandidateSpec(**ask, spacing_km=0, overlap_max=0.6))
    assert len(pool) > len(apart)
    assert pool.score[: len(apart)].sum() >= apart.score.sum()
    masks = [set(pool.of(k).tolist()) for k in range(len(pool))]
    shares = [len(a & b) / len(b) for k, b in enumerate(masks) for a in masks[:k]]
    assert 0 < max(shares) <= 0.6
    with pytest.raises(ValueError, match="set spacing_km to 0"):
        CandidateSpec(area_ha=(1, 2), overlap_max=0.5)
