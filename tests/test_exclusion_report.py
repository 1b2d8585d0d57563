"""Files on exclusions: the raster that can be asked, and the tables."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyproj
import pytest
import rasterio

from geoplan.errors import FileMissing, InputError, RangeError, ShapeError
from geoplan.grid import Grid
from geoplan.report.exclusion_raster import RULES_TAG, rules_at_place, write_exclusions
from geoplan.report.exclusion_tables import exclusions_by_region_csv, exclusions_csv
from geoplan.siting.exclude import Exclusions, RuleMask, combine
from tests.example_result import example_result

GRID = Grid("EPSG:32639", 500_000.0, 3_900_000.0, 1_000.0, 11, 9)


def place(row: int, col: int) -> tuple[float, float]:
    x, y = GRID.centre_xy(row, col)
    lon, lat = pyproj.Transformer.from_crs(GRID.crs, 4326, always_xy=True).transform(x, y)
    return float(lon), float(lat)


def made(count: int, *, partly: bool = True) -> Exclusions:
    rng = np.random.default_rng(count)
    rules = []
    for k in range(count):
        on = rng.random(GRID.shape) < 0.25
        if k == 1 and partly:
            rules.append(RuleMask("partly", on, share=0.7))
        elif k == 2 and partly:
            rules.append(RuleMask("let-in", on, "include", ("r0",)))
        else:
            rules.append(RuleMask(f"r{k}", on))
    inside = rng.random(GRID.shape) < 0.8
    return combine(rules, inside=inside, usable_share_min=0.5)


@pytest.mark.parametrize(
    ("count", "kind"),
    [(0, "uint8"), (5, "uint8"), (7, "uint16"), (16, "uint32"), (31, "uint64"), (64, "uint64")],
)
def test_the_file_alone_says_which_rules_remove_a_place(
    tmp_path: Path, count: int, kind: str
) -> None:
    found = made(count, partly=count not in (0, 64))
    path = tmp_path / "exclusions.tif"
    write_exclusions(path, found, GRID)
    with rasterio.open(path) as file:
        assert file.dtypes[0] == kind
        assert file.transform.a == GRID.cell_m
    for row in range(GRID.rows):
        for col in range(GRID.cols):
            said = rules_at_place(path, *place(row, col))
            if not found.inside[row, col]:
                assert said is None
            else:
                assert said == found.rules_at(row, col)
                assert (said == ()) == found.allowed[row, col]
    assert rules_at_place(path, *place(-1, 0)) is None
    assert rules_at_place(path, *place(0, GRID.cols)) is None
    assert rules_at_place(path, -130.0, -75.0) is None
    again = tmp_path / "again.tif"
    write_exclusions(again, found, GRID)
    assert again.read_bytes() == path.read_bytes()


def test_the_file_refuses(tmp_path: Path) -> None:
    path = tmp_path / "exclusions.tif"
    with pytest.raises(ShapeError, match="the grid is"):
        write_exclusions(path, made(2), replace(GRID, rows=4))
    with pytest.raises(FileMissing, match=r"exclusions\.tif"):
        rules_at_place(path, 50.0, 35.0)
    with pytest.raises(RangeError, match=r"latitude 95\.0"):
        rules_at_place(path, 50.0, 95.0)
    write_exclusions(path, made(2), GRID)
    with rasterio.open(path, "r+") as file:
        file.update_tags(**{RULES_TAG: ""})
    with rasterio.open(path) as file:
        assert not file.tags().get(RULES_TAG)
    with pytest.raises(InputError, match="names no exclusion rules"):
        rules_at_place(path, 50.0, 35.0)


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8"))))


def test_tables() -> None:
    result = example_result()
    given = result.exclusions.assign(effect="exclude", share="", dated="1999-12-27")
    found = rows(exclusions_csv(replace(result, exclusions=given)))
    assert [r["rule"] for r in found] == given["rule"].tolist()
    assert {r["dated"] for r in found} == {"1999-12-27"}
    # A result without the newer columns still has its table.
    older = result.exclusions.drop(columns=["effect", "share", "dated"], errors="ignore")
    assert {r["effect"] for r in rows(exclusions_csv(replace(result, exclusions=older)))} == {""}
    level = result.profile.index.level
    code = str(result.regions["code"].iloc[0])
    by_region = pd.DataFrame(
        {
            "rule": ["slope", "slope", "slope"],
            "level": [0, level, level],
            "code": ["", code, "unknown"],
            "area_ha_alone": [12.345, 2.0, 0.0],
            "area_ha_only": [1.0, 0.5, 0.0],
        }
    )
    table = rows(exclusions_by_region_csv(replace(result, exclusions_by_region=by_region)))
    assert table[0] == {
        "level": "0", "code": "", "name_en": "", "name_local": "", "rule": "slope",
        "area_ha_alone": "12.35", "area_ha_only": "1.00",
    }  # fmt: skip
    assert table[1]["name_en"] == result.regions["name_en"].iloc[0]
    assert table[2]["name_en"] == ""
    assert exclusions_by_region_csv(result).startswith(b"level,code,name_en,name_local,rule,")
