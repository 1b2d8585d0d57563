"""Stopped, killed, robbed of its database or its disk: one message, and nothing half-written."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from geoplan.catalogue import Catalogue
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.store import cluster

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A private database that holds the small country, and the scenario `small.yaml`."""
    # Not pytest's own folder: that one is closed to the user that PostgreSQL runs as under root.
    place = Path(tempfile.mkdtemp(prefix="geoplan-stop-"))
    place.chmod(0o755)
    try:
        folder = make(place / "country", size="small").folder
        data = yaml.safe_load(
            Catalogue.standard().scenario_path("sample_large_estates").read_text("utf-8")
        )
        data["id"] = "small"
        data["grid"]["cell_m"] = 100
        data["candidates"].update(area_ha=[150, 400], seeds=4000, keep=60, spacing_km=1)
        data["portfolio"].update(count=2, spacing_km=4, less_industrialised_share_min=0.0)
        (place / "small.yaml").write_text(yaml.safe_dump(data, allow_unicode=True), "utf-8")
        done = geoplan(place, "pack", "load", str(folder / "pack.yaml"), str(folder))
        assert done.returncode == 0, done.stderr
        yield place
    finally:
        cluster.down(Settings(home=place / "home"))
        shutil.rmtree(place, ignore_errors=True)


def command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "geoplan", "--home", str(home / "home"), *arguments]


def environment() -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}
    return {**clean, "PYTHONUNBUFFERED": "1"}


def geoplan(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(home, *arguments), cwd=ROOT, env=environment(),
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip


def run_until(home: Path, step: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a run and return when it has finished ``step``."""
    process = subprocess.Popen(
        command(home, "site", "run", str(home / "small.yaml"), *arguments),
        cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if f"✓ {step}" in line:
            return process
    raise AssertionError(f"the run ended before '{step}': {process.wait()}")


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, told = process.communicate(timeout=120)
    return process.returncode, told


def runs(home: Path) -> list[str]:
    done = geoplan(home, "site", "list", "--json")
    assert done.returncode == 0, done.stderr
    return [row["id"] for row in yaml.safe_load(done.stdout)]


def left(home: Path) -> list[str]:
    folder = home / "home" / "runs"
    return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_nothing(home: Path, sent: signal.Signals) -> None:
    before, names = runs(home), left(home)
    process = run_until(home, "exclusions")
    process.send_signal(sent)
    code, told = ended(process)
    assert code in (130, 143), told
    assert "Traceback" not in told
    assert "stopped" in told or "nothing" in told
    assert runs(home) == before
    assert left(home) == names


def test_what_a_killed_run_left_is_swept_by_the_next(home: Path) -> None:
    before = runs(home)
    process = run_until(home, "exclusions")
    process.kill()
    ended(process)
    assert runs(home) == before
    done = geoplan(home, "site", "run", str(home / "small.yaml"))
    assert done.returncode == 0, done.stderr
    now = runs(home)
    assert len(now) == len(before) + 1
    assert [n for n in left(home) if n.startswith(".")] == []
    assert set(now) == set(left(home))


def test_a_database_that_goes_away_in_the_middle_is_told(home: Path) -> None:
    before = runs(home)
    names = left(home)
    process = run_until(home, "exclusions")
    status = cluster.status(Settings(home=home / "home"))
    assert status.data_dir is not None
    pid = int((status.data_dir / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGQUIT)
    code, told = ended(process)
    assert code == 2, told
    assert "Traceback" not in told
    assert "→" in told
    assert left(home) == names
    # The next command starts it again, and nothing is lost.
    assert runs(home) == before


def test_a_full_disk_is_told(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk for this test")
    small = home / "small-disk"
    small.mkdir()
    size = "size=300k"
    mount = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not let root mount a small disk")
    try:
        before = runs(home)
        done = geoplan(home, "site", "run", str(home / "small.yaml"), "--out", str(small / "run"))
        assert done.returncode == 2, done.stderr
        assert "no space is left" in done.stderr.lower()
        assert "Traceback" not in done.stderr
        assert list(small.iterdir()) == []
        assert runs(home) == before
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_port_that_was_asked_for_and_is_taken_is_told(home: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = geoplan(home, "serve", "--port", port)
    assert done.returncode == 2
    assert f"port {port} is in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_not_empty_is_kept(home: Path) -> None:
    full = home / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    done = geoplan(home, "site", "run", str(home / "small.yaml"), "--out", str(full))
    assert done.returncode == 2
    assert str(full) in done.stderr
    assert [p.name for p in full.iterdir()] == ["mine.txt"]
