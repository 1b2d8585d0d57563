"""Plots checked piece by piece give what the whole gives, and leave nothing behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.plots import LAYER, Truth, make_plots, read_truth
from geoplan.cadastre.coverage import check_coverage
from geoplan.cadastre.defect import Defect
from geoplan.cadastre.rings import Rings
from geoplan.catalogue.checks import CheckRules
from geoplan.errors import DiskFull, ShapeError
from geoplan.ingest.spool import Spool

RULES = CheckRules.model_validate({})


class Plots:
    """A file of plots with planted defects, as arrays."""

    def __init__(self, path: Path) -> None:
        self.truth: Truth = make_plots(path, 4500, seed=11, defects=3)
        assert read_truth(path) == self.truth
        _, table = pyogrio.read_arrow(path, layer=LAYER, columns=["block_key"])
        shapes = shapely.from_wkb(table.column("geom").to_numpy())
        self.rings = Rings.of(shapes)
        self.rows = np.arange(1, len(shapes) + 1)
        keys = table.column("block_key").to_numpy()
        self.groups = np.unique(keys, return_inverse=True)[1].astype(np.int64)
        self.broken = ~shapely.is_valid(shapes)
        self.shapes = shapes

    def spooled(self, folder: Path, partition: int, batch: int) -> list[Defect]:
        with Spool(folder, partition=partition) as spool:
            for first in range(0, len(self.rows), batch):
                some = slice(first, first + batch)
                spool.add(
                    self.rows[some], Rings.of(self.shapes[some]), self.groups[some],
                    self.broken[some],
                )  # fmt: skip
            return spool.check(RULES)


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Plots:
    return Plots(tmp_path_factory.mktemp("plots") / "plots.gpkg")


def lines(found: list[Defect]) -> list[tuple[Any, ...]]:
    out = []
    for d in found:
        assert d.geometry is not None
        place = shapely.normalize(shapely.set_precision(d.geometry, 1e-5)).wkt
        out.append(
            (d.code, d.rows, d.text, None if d.area_m2 is None else f"{d.area_m2:.5f}", place)
        )
    return sorted(out)  # fmt: skip


def test_all_that_was_planted_is_found_and_nothing_else(plots: Plots) -> None:
    found = check_coverage(
        plots.rings, plots.rows, RULES, groups=plots.groups, broken=plots.broken
    )  # fmt: skip
    for code in ("overlap", "gap", "duplicate-geometry"):
        wanted = sorted((e.rows, e.area_m2) for e in plots.truth.expected(code))
        got = sorted((d.rows, d.area_m2) for d in found if d.code == code)
        assert [rows for rows, _ in got] == [rows for rows, _ in wanted]
        assert [a for _, a in got] == pytest.approx([a for _, a in wanted], abs=1e-6)
    corners = {shapely.from_wkt(e.wkt).coords[0] for e in plots.truth.expected("unmatched-vertex")}
    met = [d.geometry for d in found if d.code == "unmatched-vertex"]
    assert len(met) == len(corners)
    assert shapely.distance(
        np.array(met), shapely.multipoints(list(corners))
    ).max() < 1e-6  # fmt: skip


@pytest.mark.parametrize(
    ("partition", "batch"), [(10_000, 999), (1200, 4500), (150, 700), (9, 700)]
)
def test_pieces_give_what_the_whole_gives(
    plots: Plots, tmp_path: Path, partition: int, batch: int
) -> None:
    whole = check_coverage(
        plots.rings, plots.rows, RULES, groups=plots.groups, broken=plots.broken
    )  # fmt: skip
    assert lines(plots.spooled(tmp_path, partition, batch)) == lines(whole)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(2, 30))
def test_pieces_of_a_heap_give_what_the_heap_gives(seed: int, partition: int) -> None:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, 150, (60, 2)).round(0)
    size = rng.choice([5.0, 10.0, 20.0, 20.3], (60, 2))
    shapes = shapely.box(*corner.T, *(corner + size).T)
    rings, rows = Rings.of(shapes), rng.permutation(60) + 1
    groups = np.zeros(60, dtype=np.int64)
    whole = check_coverage(rings, rows, RULES, groups=groups)
    with Spool(Path("/tmp"), partition=partition) as spool:
        spool.add(rows, rings, groups)
        assert lines(spool.check(RULES)) == lines(whole)


def test_files_have_no_name_while_they_are_open(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.add(np.array([7]), Rings.of(np.array([shapely.box(0, 0, 30, 50)])))
    assert list(tmp_path.iterdir()) == []
    before = len(list(Path("/proc/self/fd").iterdir()))
    spool.close()
    spool.close()
    assert len(list(Path("/proc/self/fd").iterdir())) < before


def test_nothing_and_empty_shapes(tmp_path: Path) -> None:
    with Spool(tmp_path) as spool:
        assert spool.check(RULES) == []
        spool.add(np.array([1, 2]), Rings.of(np.array([None, shapely.Polygon()])))
        assert spool.check(RULES) == []
        assert len(spool) == 2


def test_rows_and_progress(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with Spool(tmp_path, partition=1) as spool:
        spool.add(np.array([70]), Rings.of(np.array([shapely.box(0, 0, 30, 50)])))
        spool.add(np.array([12]), Rings.of(np.array([shapely.box(29, 0, 60, 50)])))
        found = spool.check(RULES, progress=lambda done, of: told.append((done, of)))
    (overlap,) = [d for d in found if d.code == "overlap"]
    assert overlap.rows == (12, 70)
    assert overlap.area_m2 == pytest.approx(50)
    assert told == [(1, 2), (2, 2)]


def test_misuse_is_named(tmp_path: Path) -> None:
    one = Rings.of(np.array([shapely.box(0, 0, 1, 1)]))
    with Spool(tmp_path) as spool:
        with pytest.raises(ShapeError, match="2 rows for 1 plots"):
            spool.add(np.array([1, 2]), one)
        spool.add(np.array([1]), one, np.array([3]))
        with pytest.raises(ShapeError, match="groups"):
            spool.add(np.array([2]), one)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> object:
        return Path("/dev/full").open("r+b", 0)

    monkeypatch.setattr("geoplan.ingest.spool.tempfile.TemporaryFile", full)
    with Spool(tmp_path) as spool, pytest.raises(DiskFull, match="disk is full"):
        spool.add(np.array([1]), Rings.of(np.array([shapely.box(0, 0, 1, 1)])))
