"""Damaged files of every format: rows or a clear problem, nothing left behind."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from benchmarks.fuzz import HARMLESS, Outcome, make_seeds, run, table
from benchmarks.fuzz_mutate import mutate
from geoplan.errors import GeoPlanError, InputError
from geoplan.ingest.reader import Limits, ReadRequest, open_source
from geoplan.ingest.reader.sound import sound
from geoplan.persian import is_destroyed

CASES = 315


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return make_seeds(tmp_path_factory.mktemp("seeds") / "sound")


@pytest.fixture(scope="module")
def found(seeds: dict[str, Path]) -> list[Outcome]:
    return run(CASES, 20_240_320, seeds=seeds, workers=2, timeout_s=20)


def test_only_rows_or_a_problem(found: list[Outcome]) -> None:
    assert len(found) == CASES
    harm = [f"{it.outcome}: case {it.case} ({it.kind}): {it.detail}" for it in found
            if it.outcome not in HARMLESS]  # fmt: skip
    assert harm == [], "\n".join([table(found), *harm])


def test_damage_is_neither_always_fatal_nor_always_harmless(found: list[Outcome]) -> None:
    """Otherwise the cases test nothing."""
    share = sum(it.outcome == "rows" for it in found) / len(found)
    assert 0.1 < share < 0.9


def test_a_case_is_made_from_its_numbers_alone(seeds: dict[str, Path], tmp_path: Path) -> None:
    made = []
    for k in range(2):
        into = tmp_path / str(k)
        into.mkdir()
        path = mutate(seeds["gml"], into, np.random.default_rng([1, 5]), b"other bytes")
        made.append({p.name: p.read_bytes() for p in into.iterdir()})
        assert path.parent == into
    assert made[0] == made[1]
    assert made[0]["plots.gml"] != seeds["gml"].read_bytes() or len(made[0]) > 0


@pytest.mark.parametrize("kind", ["gpkg", "flatgeobuf", "shapefile-zip", "dxf", "geoparquet"])
def test_the_public_edge(
    seeds: dict[str, Path], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the process of its own: the same promise, and its folders are gone."""
    room = tmp_path / "tmp"
    room.mkdir()
    monkeypatch.setenv("TMPDIR", str(room))
    monkeypatch.setattr(tempfile, "tempdir", str(room))
    for k in range(3):
        into = tmp_path / f"case-{k}"
        into.mkdir()
        path = mutate(seeds[kind], into, np.random.default_rng([7, k]), b"\0" * 600)
        before = {p.name for p in into.rglob("*")}
        try:
            with open_source(ReadRequest(path, limits=Limits(idle_s=30))) as source:
                for batch in source:
                    assert batch.num_rows >= 0
        except GeoPlanError as error:
            assert error.what
        assert {p.name for p in into.rglob("*")} == before
    assert list(room.iterdir()) == []


def test_broken_batches_are_mended_or_refused() -> None:
    good = shapely.to_wkb(shapely.Point(1, 2))
    offsets = pa.py_buffer(np.array([0, 2, 5], dtype=np.int32).tobytes())
    text = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"ok\xff\xfeA")])
    batch = pa.RecordBatch.from_arrays(
        [pa.array([good, None]), text, pa.array([1.5, None])], names=["g", "name", "n"]
    )
    mended = sound(batch)
    mended.validate(full=True)
    assert mended.column("name").to_pylist() == ["ok", "��A"]
    assert is_destroyed(mended.column("name")[1].as_py())
    assert mended.column("g").equals(batch.column("g"))
    whole = batch.drop_columns(["name"])
    assert sound(whole) is whole
    far = pa.py_buffer(np.array([0, 5000, 5], dtype=np.int32).tobytes())
    for kind in (pa.string(), pa.binary()):
        broken = pa.Array.from_buffers(kind, 2, [None, far, pa.py_buffer(b"okABC")])
        with pytest.raises(InputError, match="the column 'x' is damaged"):
            sound(pa.RecordBatch.from_arrays([broken], names=["x"]))


def test_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "--cases", "6", "--formats", "dxf,csv-wkt"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "6 cases" in done.stdout and "csv-wkt" in done.stdout
