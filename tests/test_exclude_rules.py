"""Land forced in, parts of cells, and areas by region: by hand and against sums over cells."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geoplan.errors import RangeError, ShapeError, UnknownName
from geoplan.grid import Grid
from geoplan.siting.exclude import RuleMask, accounting, accounting_by_region, combine
from geoplan.siting.exclude_rules import RuleBits
from geoplan.siting.usable import usable_area_ha, usable_share

GRID = Grid("EPSG:6933", 0.0, 0.0, 500.0, 1, 4)  # cells of 25 ha


def mask(*cells: int) -> np.ndarray:
    return np.array([[int(c in cells) for c in range(4)]], dtype=bool)


def test_forced_in_by_hand() -> None:
    """Four cells of 25 ha; an old estate is let in over the towns, not over the river."""
    rules = [
        RuleMask("towns", mask(0, 1)),
        RuleMask("river", mask(1, 2)),
        RuleMask("estate", mask(0, 1, 3), effect="include", over=("towns",)),
    ]
    found = combine(rules, inside=mask(0, 1, 2, 3), count=3)
    np.testing.assert_array_equal(found.allowed, mask(0, 3))
    assert found.rules_at(0, 0) == ()
    assert found.rules_at(0, 1) == ("river",)
    # Bit 0 the towns, bit 1 the river: set aside in cell 0, the river alone in cells 1 and 2.
    assert found.in_force(np.arange(4)).tolist() == [0, 2, 2, 0]
    table = accounting(found, GRID).set_index("rule")
    # The towns remove nothing any more; cell 1 is the river's alone; the estate gives cell 0 back,
    # and would give back cell 1 too were it not for the river.
    assert table["area_ha_alone"].tolist() == [0.0, 50.0, 50.0]
    assert table["area_ha_only"].tolist() == [0.0, 50.0, 25.0]
    free = combine([*rules[:2], RuleMask("all", mask(1), effect="include")], inside=~mask())
    np.testing.assert_array_equal(free.allowed, mask(1, 3))


def test_parts_of_cells_by_hand() -> None:
    """A road takes 0.2 of two cells, wetland 0.5 of one of them: 0.8 · 0.5 = 0.4 is left there."""
    covered = np.array([[0, 32768, 0, 65535]], dtype=np.uint16)
    rules = [
        RuleMask("road", mask(0, 1), share=0.2),
        RuleMask("wetland", covered > 0, share=covered),
        RuleMask("slope", mask(2)),
    ]
    found = combine(rules, inside=mask(0, 1, 2, 3), usable_share_min=0.45)
    np.testing.assert_array_equal(found.allowed, mask(0))
    assert found.rules_at(0, 0) == ()
    assert found.rules_at(0, 1) == ("road", "wetland")
    np.testing.assert_allclose(usable_share(found), [[0.8, 0, 0, 0]], atol=1e-7)
    low = combine(rules, inside=mask(0, 1, 2, 3), usable_share_min=0.4 - 1e-4)
    np.testing.assert_array_equal(low.allowed, mask(0, 1))  # nothing is left of the fourth
    np.testing.assert_allclose(usable_share(low), [[0.8, 0.4, 0, 0]], atol=2e-5)
    table = accounting(low, GRID).set_index("rule")
    np.testing.assert_allclose(table["area_ha_alone"], [10.0, 37.5, 25.0], atol=1e-3)
    # In cell 1 the road takes 0.2 of the half that the wetland leaves, the wetland half of 0.8.
    np.testing.assert_allclose(table["area_ha_only"], [5 + 2.5, 10 + 25, 25], atol=1e-3)
    area = usable_area_ha(low, np.array([0, 1, 2, 1]), np.array([0, 2, 2, 4]), GRID)
    np.testing.assert_allclose(area, [30.0, 0.0, 10.0], atol=1e-3)


def left(held: set[str], rules: list[RuleMask], r: int, c: int) -> float:
    """The part that is left, told by the definition."""
    aside: set[str] = set()
    for rule in rules:
        if rule.effect == "include" and rule.id in held:
            removing = {x.id for x in rules if x.effect == "exclude"}
            aside |= set(rule.over) if rule.over is not None else removing
    out = 1.0
    for rule in rules:
        if rule.effect == "exclude" and rule.id in held - aside:
            share = rule.share
            part = 1.0 if share is None else share if isinstance(share, float) else None
            out *= 1.0 - (share[r, c] / 65535 if part is None else part)  # type: ignore[index]
    return out


@settings(deadline=None, max_examples=25, derandomize=True)
@given(st.integers(0, 2**31))
def test_areas_and_shares_agree_with_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid("EPSG:6933", 0.0, 0.0, 100.0, 5, 6)
    rules: list[RuleMask] = []
    for k in range(int(rng.integers(1, 7))):
        on = rng.random(grid.shape) < 0.4
        kind = rng.integers(0, 4)
        names = [r.id for r in rules if r.effect == "exclude"]
        if kind == 0 and names:
            over = tuple(rng.permutation(names)[:2]) if rng.random() < 0.5 else None
            rules.append(RuleMask(f"r{k}", on, "include", over))
        elif kind == 1:
            rules.append(RuleMask(f"r{k}", on, share=float(rng.uniform(0.1, 1.0))))
        elif kind == 2:
            part = np.where(on, rng.integers(1, 65536, grid.shape), 0).astype(np.uint16)
            rules.append(RuleMask(f"r{k}", on, share=part))
        else:
            rules.append(RuleMask(f"r{k}", on))
    inside = rng.random(grid.shape) < 0.8
    least = float(rng.choice([0.0, 0.3, 0.6]))
    found = combine(rules, inside=inside, usable_share_min=least)
    table = accounting(found, grid, threads=1).set_index("rule")
    pd.testing.assert_frame_equal(table, accounting(found, grid, threads=3).set_index("rule"))
    excluding = {r.id for r in rules if r.effect == "exclude"}
    alone, only = dict.fromkeys(table.index, 0.0), dict.fromkeys(table.index, 0.0)
    share = usable_share(found)
    for r, c in itertools.product(range(5), range(6)):
        held = {rule.id for rule in rules if rule.removed[r, c]}
        now = left(held, rules, r, c)
        assert found.allowed[r, c] == (inside[r, c] and now > 1e-9 and now >= least)
        assert share[r, c] == pytest.approx(now if found.allowed[r, c] else 0.0, abs=1e-6)
        removing = found.rules_at(r, c)
        assert (removing == ()) == (now > 1e-9 and now >= least)
        if not inside[r, c]:
            continue
        for rule in rules:
            if rule.id not in held:
                continue
            others = left(held - {rule.id}, rules, r, c)
            if rule.effect == "include":
                mine = set(rule.over) if rule.over is not None else excluding
                by_itself = 1.0 - left(held & mine, rules, r, c)
                only[rule.id] += now - others
            else:
                forced = held - excluding
                by_itself = 1.0 - left({rule.id} | forced, rules, r, c)
                only[rule.id] += others - now
            alone[rule.id] += by_itself
    np.testing.assert_allclose(table["area_ha_alone"], list(alone.values()), atol=1e-4)
    np.testing.assert_allclose(table["area_ha_only"], list(only.values()), atol=1e-4)
    assert (table["area_ha_only"] <= table["area_ha_alone"] + 1e-9).all()


@pytest.mark.parametrize("partly", [False, True])
def test_regions_add_up(partly: bool) -> None:
    """Two counties of one province, one without a province, and land that is nobody's."""
    rng = np.random.default_rng(3)
    grid = Grid("EPSG:6933", 0.0, 0.0, 100.0, 30, 20)
    labels = rng.integers(-1, 4, grid.shape).astype(np.int32)
    labels[labels == 3] = 1
    regions = pd.DataFrame(
        {1: ["P", "P", None, "Q"], 2: ["c1", "c2", "c3", "c4"]}, index=["c1", "c2", "c3", "c4"]
    )
    masks = rng.random((3, *grid.shape)) < 0.3
    inside = rng.random(grid.shape) < 0.9
    rules = [RuleMask(f"r{k}", m) for k, m in enumerate(masks)]
    if partly:
        rules[1] = RuleMask("r1", masks[1], share=0.25)
    found = combine(rules, inside=inside)
    table = accounting_by_region(found, grid, labels, regions, threads=3)
    pd.testing.assert_frame_equal(
        table, accounting_by_region(found, grid, labels, regions, threads=1)
    )
    assert list(table.columns) == ["rule", "level", "code", "area_ha_alone", "area_ha_only"]
    assert table.groupby("level")["code"].unique().map(list).tolist() == [
        [""], ["P", "Q"], ["c1", "c2", "c3", "c4"],
    ]  # fmt: skip
    national = table[table["level"] == 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(
        national[["rule", "area_ha_alone", "area_ha_only"]], accounting(found, grid)
    )
    part = 0.25 if partly else 1.0
    for k, factor in ((0, 1.0), (1, part)):
        row = table[(table["rule"] == f"r{k}") & (table["code"] == "c2")].iloc[0]
        held = masks[k] & inside & (labels == 1)
        assert row["area_ha_alone"] == pytest.approx(held.sum() * factor)
    province = table[(table["code"] == "P") & (table["rule"] == "r2")].iloc[0]
    counties = table[table["code"].isin(["c1", "c2"]) & (table["rule"] == "r2")]
    assert province["area_ha_only"] == pytest.approx(counties["area_ha_only"].sum())
    assert table.loc[table["code"] == "c4", "area_ha_alone"].sum() == 0.0
    with pytest.raises(ShapeError, match="region number 2, of 2 regions"):
        accounting_by_region(found, grid, labels, regions.iloc[:2])


def test_refuses_what_cannot_be() -> None:
    inside = ~mask()
    town = RuleMask("town", inside)
    with pytest.raises(UnknownName, match=r"exclude\.in\.over.*'city'(.|\n)*name one of: town"):
        combine([town, RuleMask("in", inside, "include", ("city",))], inside=inside)
    with pytest.raises(UnknownName, match="no rule 'in'"):
        RuleBits.of(["town", "in"], include=["in"], over={"in": ("in",)})
    with pytest.raises(RangeError, match=r"exclude\.a: a share of 1\.5"):
        combine([RuleMask("a", inside, share=1.5)], inside=inside)
    with pytest.raises(ShapeError, match="float64"):
        combine([RuleMask("a", inside, share=np.ones((1, 4)))], inside=inside)  # type: ignore[arg-type]
    assert RuleBits.of(["a", "b"]).names(0b10) == ("b",)


def test_bits_widen_as_rules_come() -> None:
    cells = np.arange(64).reshape(1, 64)
    rules = [RuleMask(f"r{k}", cells == k) for k in range(64)]
    grown = combine(iter(rules), inside=np.ones((1, 64), dtype=bool))
    known = combine(rules, inside=np.ones((1, 64), dtype=bool), count=64)
    np.testing.assert_array_equal(grown.bits, known.bits)
    assert grown.bits.dtype == np.uint64
    assert all(grown.rules_at(0, k) == (f"r{k}",) for k in range(64))
