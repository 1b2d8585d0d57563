"""A load that is killed, robbed of its database or of its disk: the layer shows what it showed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from geoplan.settings import Settings
from geoplan.store import cluster

ROOT = Path(__file__).parent.parent
MANY = 60_000


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A private database that holds three plots; `many.gpkg` is on its way."""
    # Not pytest's own folder: that one is closed to the user that PostgreSQL runs as under root.
    place = Path(tempfile.mkdtemp(prefix="geoplan-load-"))
    place.chmod(0o755)
    (place / "tmp").mkdir()
    try:
        pyogrio.write_dataframe(plots(3), place / "few.gpkg")
        pyogrio.write_dataframe(plots(MANY), place / "many.gpkg")
        done = load(place, "few.gpkg")
        assert done.wait() == 0, done.communicate()
        yield place
    finally:
        cluster.down(Settings(home=place / "home"))
        shutil.rmtree(place, ignore_errors=True)


def plots(count: int) -> gpd.GeoDataFrame:
    side = int(np.ceil(np.sqrt(count)))
    n = np.arange(count)
    x, y = 500_000.0 + n % side * 20.0, 3_950_000.0 + n // side * 20.0
    return gpd.GeoDataFrame(
        {"code": [f"P-{i}" for i in n], "block_key": "B-1", "number": n.astype(str)},
        geometry=shapely.box(x, y, x + 20, y + 20), crs=32639,
    )  # fmt: skip


def load(home: Path, file: str, *more: str, tmp: Path | None = None) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}
    return subprocess.Popen(
        [sys.executable, "-m", "geoplan", "--home", str(home / "home"), "--profile", "iran",
         "layers", "load", str(home / file), "--layer", "plots", *more],
        cwd=ROOT, env={**clean, "TMPDIR": str(tmp or home / "tmp")}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def ask(home: Path, statement: str) -> list[object]:
    status = cluster.up(Settings(home=home / "home"))
    assert status.url is not None
    engine = create_engine(status.url, poolclass=NullPool)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return list(connection.execute(text(statement)).scalars())


def shown(home: Path) -> tuple[list[object], list[object]]:
    """Return the number of rows that the layer shows, and tables that belong to no version."""
    current = ask(home, "select v.rows_stored from layer l join layer_version v "
                        "on v.id = l.current_version_id where l.id = 'plots'")  # fmt: skip
    stray = ask(home, "select relname::text from pg_class where relkind = 'r' and relname ~ "
                      "'_v[0-9]+$' and relname not in "
                      "(select relation from layer_version where relation is not null)"
    )  # fmt: skip
    return current, stray


def until_copying(home: Path) -> int:
    """Wait until rows flow into the database, and return the server process that takes them."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        found = ask(home, "select pid from pg_stat_activity where query ilike 'copy%' "
                          "and state = 'active' and application_name = 'geoplan'")  # fmt: skip
        if found:
            return int(str(found[0]))
        time.sleep(0.02)
    raise AssertionError("no COPY began")


def readers() -> list[str]:
    found = subprocess.run(["pgrep", "-f", "geoplan.ingest.reader"], capture_output=True, text=True)
    return found.stdout.split()


def test_a_load_that_is_killed_leaves_the_old_version_and_nothing_else(home: Path) -> None:
    before = shown(home)
    mine = set(readers())
    process = load(home, "many.gpkg")
    until_copying(home)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while shown(home) != before and time.monotonic() < deadline:
        time.sleep(0.2)  # the server notices that its client is gone
    assert shown(home) == before == ([3], [])
    while set(readers()) - mine and time.monotonic() < deadline:
        time.sleep(0.2)  # the reading process ends with the pipe
    assert not set(readers()) - mine
    # What it left in the temporary folder goes with the next load, which is not hindered.
    again = load(home, "few.gpkg", "--force")
    out, told = again.communicate(timeout=120)
    assert again.returncode == 0, told
    assert "3 rows" in out
    assert list((home / "tmp").iterdir()) == []
    assert shown(home) == ([3], [])


def test_a_database_that_goes_away_in_the_middle_is_told(home: Path) -> None:
    before = shown(home)
    process = load(home, "many.gpkg")
    pid = until_copying(home)
    ask(home, f"select pg_terminate_backend({pid})")
    _, told = process.communicate(timeout=120)
    assert process.returncode == 2, told
    assert "Traceback" not in told
    assert "nothing" in told and "→" in told
    assert shown(home) == before
    assert list((home / "tmp").iterdir()) == []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_load_that_is_stopped_keeps_nothing(home: Path, sent: signal.Signals) -> None:
    before = shown(home)
    process = load(home, "many.gpkg")
    until_copying(home)
    process.send_signal(sent)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert shown(home) == before
    assert list((home / "tmp").iterdir()) == []


def test_a_full_disk_is_told(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk for this test")
    small = home / "small-disk"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a small disk")
    try:
        before = shown(home)
        import zipfile

        with zipfile.ZipFile(home / "many.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(home / "many.gpkg", "many.gpkg")
        process = load(home, "many.zip", tmp=small)
        _, told = process.communicate(timeout=120)
        assert process.returncode == 2, told
        assert "space" in told and "Traceback" not in told
        assert list(small.iterdir()) == []
        assert shown(home) == before
    finally:
        subprocess.run(["umount", str(small)], check=True)
