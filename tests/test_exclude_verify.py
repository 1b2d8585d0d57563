"""The check of allowed land asks exclusions.tif too, by arithmetic of its own."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from affine import Affine

from geoplan.grid import Grid
from geoplan.report.exclusion_raster import write_exclusions
from geoplan.siting.exclude import RuleMask, combine
from geoplan.studies.evidence import Evidence, NotSo
from geoplan.studies.verify_land import CHECKS

GRID = Grid("EPSG:32639", 500_000.0, 3_900_000.0, 1_000.0, 6, 6)
ALLOWED = dict(CHECKS)["allowed land"]
SITE = (slice(1, 3), slice(1, 4))


def evidence(folder: Path, rules: list[str]) -> Evidence:
    site = shapely.box(501_000, 3_897_000, 504_000, 3_899_000)
    sites = gpd.GeoDataFrame(geometry=[site], index=["S1"], crs=GRID.crs).to_crs(4326)
    return Evidence(
        folder=folder,
        document={"scenario": {"exclude": [{"id": name} for name in rules]}},
        polygons=sites,
        score=np.full(GRID.shape, 0.5, dtype=np.float32),
        transform=Affine(*GRID.transform),
        crs=GRID.crs,
    )


def test_land_that_a_rule_removes_is_found(tmp_path: Path) -> None:
    away, across = np.zeros(GRID.shape, dtype=bool), np.zeros(GRID.shape, dtype=bool)
    away[5], across[1, 3] = True, True
    here = np.zeros(GRID.shape, dtype=bool)
    here[SITE] = True
    everywhere = np.ones(GRID.shape, dtype=bool)
    path = tmp_path / "exclusions.tif"
    ids = ["a", "b", "c", "d"]

    def ask(*rules: RuleMask, inside: np.ndarray = everywhere, named: int | None = None) -> str:
        found = combine(rules, inside=inside, usable_share_min=0.5)
        write_exclusions(path, found, GRID)
        return ALLOWED(evidence(tmp_path, ids[: len(rules) if named is None else named]))

    assert ALLOWED(evidence(tmp_path, ids)) == "all 1 candidates lie on allowed land only"
    free = RuleMask("a", away)
    assert "none of 1 rules" in ask(free)
    with pytest.raises(NotSo, match="site S1: rule b removes land"):
        ask(free, RuleMask("b", across))
    # Land forced in over the rule is allowed; over another rule it is not.
    assert ask(free, RuleMask("b", across), RuleMask("c", here, "include"))
    with pytest.raises(NotSo, match="rule b removes"):
        ask(free, RuleMask("b", across), RuleMask("c", here, "include", ("a",)))
    assert ask(free, RuleMask("b", across, share=0.4))
    with pytest.raises(NotSo, match="leave too little"):
        ask(free, RuleMask("b", across, share=0.4), RuleMask("c", here, share=0.3))
    with pytest.raises(NotSo, match="1 cells lie outside the search area"):
        ask(free, inside=~across)
    with pytest.raises(NotSo, match="in their order"):
        ask(free, named=2)
    path.write_bytes(b"II*\0 no raster")
    with pytest.raises(NotSo, match=r"exclusions\.tif cannot be read"):
        ALLOWED(evidence(tmp_path, ids))
