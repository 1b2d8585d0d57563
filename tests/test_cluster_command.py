"""``geoplan db`` as people and machines call it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geoplan.settings import Settings
from geoplan.store import cluster
from geoplan.store.account import known_place

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def geoplan() -> Iterator[Run]:
    """Run ``geoplan --home <fresh folder>`` with a private cluster."""
    folder = Path(tempfile.mkdtemp(prefix="geoplan-test-"))
    folder.chmod(0o755)
    home = folder / "home"
    env = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "geoplan", "--home", str(home), *arguments]
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120)

    yield run
    settings = Settings(home=home)
    place = known_place(home)
    cluster.down(settings)
    if place is not None:
        shutil.rmtree(place.folder, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def test_up_status_backup_restore_down(geoplan, tmp_path):
    before = geoplan("db", "status", "--json")
    assert before.returncode == 1, before.stderr
    assert json.loads(before.stdout)["running"] is False

    up = geoplan("db", "up", "--json")
    assert up.returncode == 0, up.stderr
    said = json.loads(up.stdout)
    assert said["running"] is True
    assert said["address"].startswith("127.0.0.1:")
    password = Path(said["password_file"]).read_text().strip()
    assert password not in up.stdout

    status = geoplan("db", "status")
    assert status.returncode == 0
    assert "The database runs." in status.stdout
    assert said["data"] in status.stdout
    assert password not in status.stdout

    assert geoplan("db", "migrate").returncode == 0
    file = tmp_path / "geoplan.dump"
    assert geoplan("db", "backup", str(file)).returncode == 0
    assert geoplan("db", "restore", str(file)).returncode == 0

    missing = geoplan("db", "restore", str(tmp_path / "none.dump"))
    assert missing.returncode == 2
    assert "no such backup" in missing.stderr
    assert "Traceback" not in missing.stderr

    down = geoplan("db", "down", "--json")
    assert down.returncode == 0
    assert json.loads(down.stdout)["running"] is False
