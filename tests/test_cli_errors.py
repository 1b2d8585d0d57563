"""What a person reads when something is wrong: one message, no traceback, the exit code."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def geoplan(
    *arguments: str, home: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GEOPLAN_")}
    return subprocess.run(
        [sys.executable, "-m", "geoplan", "--home", str(home), *arguments],
        cwd=ROOT, env={**clean, **(env or {})}, capture_output=True, text=True, timeout=180,
    )  # fmt: skip


def told(done: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for part in parts:
        assert part in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["site", "run", "no_such"], ["unknown scenario 'no_such'", "known:"]),
        (["site", "run", "gone.yaml"], ["no scenario file", "gone.yaml"]),
        (["--layers-dir", "nowhere", "layers", "list"], ["layers folder does not exist"]),
        (["pack", "check", "iran", "nowhere"], ["nowhere", "→"]),
        (["--profile", "iren", "regions", "index"], ["did you mean 'iran'?"]),
        (["site", "verify", "."], ["run.json"]),
        (["site", "frobnicate"], ["No such command"]),
        (["site", "run"], ["Missing argument"]),
    ],
)
def test_mistakes_of_a_person_exit_2_or_1(
    tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    done = geoplan(*arguments, home=tmp_path / "home")
    told(done, 1 if "verify" in arguments else 2, *parts[:1])
    assert all(p in done.stderr + done.stdout for p in parts)


def test_a_scenario_with_mistakes_lists_them_all(tmp_path: Path) -> None:
    text = (ROOT / "layers" / "scenarios" / "iran_large_estates.yaml").read_text(encoding="utf-8")
    bad = text.replace("compactness:", "compactnes:").replace("count: 15", "count: 0")
    path = tmp_path / "bad.yaml"
    path.write_text(bad, encoding="utf-8")
    done = geoplan("site", "run", str(path), "--json", home=tmp_path / "home")
    told(done, 2, "did you mean 'compactness'?", "portfolio.count")
    body = json.loads(done.stdout)
    assert body["error"] == "ProblemsFound"
    assert len(body["problems"]) == 2


def test_a_database_that_does_not_answer_is_told(tmp_path: Path) -> None:
    env = {"GEOPLAN_DATABASE_URL": "postgresql://nobody:secret@127.0.0.1:9/none"}
    done = geoplan("site", "list", home=tmp_path / "home", env=env)
    told(done, 2, "→")
    assert "secret" not in done.stderr


def test_an_address_that_is_not_postgres_is_told(tmp_path: Path) -> None:
    env = {"GEOPLAN_DATABASE_URL": "mysql://x"}
    told(geoplan("site", "list", home=tmp_path, env=env), 2, "not a PostgreSQL address")


def test_a_folder_that_is_not_empty_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("mine")
    done = geoplan("sample", str(tmp_path), "--size", "small", home=tmp_path / "home")
    told(done, 2, str(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == ["kept.txt"]


def test_version_and_help(tmp_path: Path) -> None:
    assert geoplan("--version", home=tmp_path).stdout.startswith("geoplan ")
    done = geoplan("site", "run", "--help", home=tmp_path)
    assert done.returncode == 0
    assert "Rank" in done.stdout or "rank" in done.stdout
