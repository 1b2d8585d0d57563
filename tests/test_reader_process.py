"""The process that reads: whatever becomes of it, its caller goes on and nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pyogrio
import pytest
import shapely
from reader_files import FORMATS, left_behind, own_temporary, plots, read

from geoplan.errors import EmptyLayer, InputError, RangeError
from geoplan.ingest.reader import Limits, ReadRequest, list_layers, open_source
from geoplan.partial import sweep

__all__ = ["own_temporary"]

pytestmark = pytest.mark.usefixtures("own_temporary")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty thousand rows: more than the pipe and the buffers hold."""
    import geopandas as gpd
    import numpy as np

    n = 60_000
    shapes = shapely.box(np.arange(n) * 20.0, 0.0, np.arange(n) * 20.0 + 20, 20.0)
    path = tmp_path_factory.mktemp("large") / "large.gpkg"
    frame = gpd.GeoDataFrame({"text": ["x" * 100] * n}, geometry=shapes, crs="EPSG:32639")
    pyogrio.write_dataframe(frame, path)
    return path


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def _gone(pid: int, within_s: float = 10.0) -> bool:
    ends = time.monotonic() + within_s
    while time.monotonic() < ends:
        if not _alive(pid):
            return True
        time.sleep(0.05)
    return False


def test_killed_in_the_middle(large: Path) -> None:
    with open_source(ReadRequest(large)) as source:
        batches = iter(source)
        assert len(next(batches)) > 0
        os.kill(source._process.pid, signal.SIGKILL)
        with pytest.raises(InputError, match="SIGKILL") as caught:
            list(batches)
    assert caught.value.remedy
    assert left_behind() == []


def test_a_caller_that_has_seen_enough(large: Path) -> None:
    with open_source(ReadRequest(large)) as source:
        next(iter(source))
        pid = source._process.pid
        assert _alive(pid)
    assert not _alive(pid)
    assert left_behind() == []
    source.close()  # a second time does nothing


def test_memory_that_a_file_asks_for(tmp_path: Path) -> None:
    frame = plots()
    angle = [i / 1e6 for i in range(2_000_000)]
    frame.loc[0, "geometry"] = shapely.Polygon([(a, a * a) for a in angle])
    path = tmp_path / "fat.gpkg"
    pyogrio.write_dataframe(frame, path)
    started = time.monotonic()
    with pytest.raises(InputError, match=r"memory|was ended by it"):
        read(path, limits=Limits(memory_bytes=300_000_000))
    assert time.monotonic() - started < 30
    assert left_behind() == []


def test_one_giant_among_others(tmp_path: Path) -> None:
    frame = plots()
    frame.loc[1, "geometry"] = shapely.Polygon([(i / 1e6, (i / 1e6) ** 2) for i in range(100_000)])
    path = tmp_path / "giant.gpkg"
    pyogrio.write_dataframe(frame, path)
    _, rows, notes = read(path, limits=Limits(feature_bytes=1_000_000))
    assert [r["__geometry__"] is None for r in rows] == [False, True, False]
    (note,) = [n for n in notes if n.code == "giant-geometry"]
    assert note.rows == (2,)
    assert "1,600,0" in note.what


def test_silence_is_ended(large: Path) -> None:
    with open_source(ReadRequest(large, limits=Limits(idle_s=5.0))) as source:
        batches = iter(source)
        next(batches)
        os.kill(source._process.pid, signal.SIGSTOP)
        with pytest.raises(InputError, match="gave nothing for 5 s"):
            list(batches)
    assert left_behind() == []


def test_a_caller_that_is_killed(large: Path, own_temporary: Path) -> None:
    script = textwrap.dedent(f"""
        import sys, tempfile, time
        from pathlib import Path
        tempfile.tempdir = {str(own_temporary)!r}
        from geoplan.ingest.reader import ReadRequest, open_source
        source = open_source(ReadRequest(Path({str(large)!r})))
        next(iter(source))
        print(source._process.pid, flush=True)
        time.sleep(60)
    """)
    caller = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert caller.stdout is not None
    pid = int(caller.stdout.readline())
    assert _alive(pid)
    caller.kill()
    caller.wait()
    caller.stdout.close()
    assert _gone(pid), "the reading process outlived its caller"
    assert len(left_behind()) == 1
    sweep(own_temporary, "geoplan-read")  # as every next reader does first
    assert left_behind() == []


def test_what_lies_where_the_caller_stands_is_never_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = FORMATS["csv"][1](tmp_path)
    for name in ("numpy", "pyarrow", "json", "geoplan"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(99)")
    monkeypatch.chdir(tmp_path)
    assert len(read(Path(path.name))[1]) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="what the kernel refuses is Linux's")
def test_what_the_kernel_refuses(tmp_path: Path) -> None:
    given, room = tmp_path / "given" / "plots.shp", tmp_path / "room"
    given.parent.mkdir()
    given.write_text("a")
    given.with_suffix(".dbf").write_text("b")
    (given.parent / "other.txt").write_text("secret")
    room.mkdir()
    script = textwrap.dedent(f"""
        import socket, subprocess
        from pathlib import Path
        from geoplan.ingest.reader.confine import close_in, readable_for
        given, room = Path({str(given)!r}), Path({str(room)!r})
        network, files = close_in(readable_for(given), room)
        def refused(what):
            try:
                what()
            except PermissionError:
                return True
            return False
        print(network, files)
        print(refused(lambda: socket.socket()))
        print(refused(lambda: subprocess.run(["true"])))
        print(refused(lambda: (given.parent / "other.txt").read_text()))
        print(refused(lambda: Path("/etc/passwd").read_text()))
        print(refused(lambda: given.with_suffix(".gfs").write_text("x")))
        print(refused(lambda: given.write_text("x")))
        (room / "made").write_text(given.read_text() + given.with_suffix(".dbf").read_text())
        print((room / "made").read_text())
    """)
    said = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True
    ).stdout.split()
    network, files = said[0] == "True", said[1] == "True"
    if not (network or files):
        pytest.skip("this kernel knows neither seccomp nor Landlock")
    assert said[2:4] == [str(network)] * 2
    assert said[4:8] == [str(files)] * 4
    assert said[8] == "ab"


def test_the_layers_of_a_file(tmp_path: Path) -> None:
    gpkg = tmp_path / "two.gpkg"
    pyogrio.write_dataframe(plots(), gpkg, layer="plots")
    pyogrio.write_dataframe(plots(), gpkg, layer='a "b"\nc')
    assert list_layers(gpkg) == ("plots", 'a "b"\nc')
    assert list_layers(FORMATS["xlsx"][1](tmp_path)) == ("plots",)
    assert list_layers(FORMATS["csv"][1](tmp_path)) == ()
    (tmp_path / "s").mkdir()
    assert list_layers(FORMATS["shp"][1](tmp_path / "s")) == ("plots",)
    assert len(read(gpkg, source_layer='a "b"\nc')[1]) == 3
    with pytest.raises(InputError, match="the file has 2 layers"):
        read(gpkg)
    empty = tmp_path / "empty.gpkg"
    empty.touch()
    with pytest.raises(InputError, match="the file is empty"):
        list_layers(empty)
    assert left_behind() == []


def test_limits_of_size(tmp_path: Path) -> None:
    path = FORMATS["gpkg"][1](tmp_path)
    with pytest.raises(RangeError, match="the limit is 1,000"):
        read(path, limits=Limits(file_bytes=1000))
    gdb = FORMATS["gdb"][1](tmp_path)
    with pytest.raises(RangeError, match="the limit is 1,000"):
        read(gdb, limits=Limits(file_bytes=1000))


def test_a_layer_without_rows_and_one_without_geometry(tmp_path: Path) -> None:
    path = tmp_path / "bare.gpkg"
    pyogrio.write_dataframe(plots().iloc[:0], path, layer="none")
    import pandas as pd

    pyogrio.write_dataframe(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), path, layer="table")
    with pytest.raises(EmptyLayer):
        read(path, source_layer="none")
    info, rows, _ = read(path, source_layer="table")
    assert info.geometry_type is None
    assert [(r["a"], r["b"], r["__geometry__"]) for r in rows] == [(1, "x", None), (2, "y", None)]


def test_two_readers_at_once(large: Path) -> None:
    with open_source(ReadRequest(large)) as one, open_source(ReadRequest(large)) as two:
        pairs = list(zip(one, two, strict=True))
        assert len(left_behind()) == 2  # neither swept the other's folder
    assert sum(len(a) for a, _ in pairs) == 60_000
    assert all(a.equals(b) for a, b in pairs)
    assert left_behind() == []
