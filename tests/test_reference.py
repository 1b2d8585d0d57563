"""Docs as tests: the reference pages say what the code says."""

import subprocess
import sys
from pathlib import Path

from geoplan import errors
from geoplan.catalogue import Catalogue

ROOT = Path(__file__).parent.parent
PAGES = ROOT / "docs" / "reference"


def test_the_reference_is_current() -> None:
    # A process of its own, as `make check` runs it: help texts depend on the terminal's width.
    done = subprocess.run(
        [sys.executable, "-m", "geoplan.cli.reference", "--check", str(PAGES)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_every_layer_error_and_route_stands_in_it() -> None:
    layers = (PAGES / "layers.md").read_text(encoding="utf-8")
    for name in Catalogue.standard().layers():
        assert f"`{name}`" in layers
    told = (PAGES / "errors.md").read_text(encoding="utf-8")
    for name in errors.__all__:
        kind = getattr(errors, name)
        if isinstance(kind, type) and issubclass(kind, errors.GeoPlanError):
            assert f"`{name}`" in told


def test_every_decision_has_its_parts() -> None:
    files = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(f.name[:4]) for f in files] == list(range(1, len(files) + 1))
    for file in files:
        text = file.read_text(encoding="utf-8")
        for part in ("**Context.**", "**Decision.**", "**Consequences.**"):
            assert part in text, f"{file.name} lacks {part}"


def test_every_command_in_the_readme_exists() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = (PAGES / "commands.md").read_text(encoding="utf-8")
    for line in text.splitlines():
        words = line.replace(".venv/bin/", "").split()
        if words[:1] == ["geoplan"]:
            rest = [w for w in words[1:] if not w.startswith(("-", "mine"))]
            words = rest[:2] if rest[0] in ("pack", "site") else rest[:1]
            assert f"## geoplan {' '.join(words)}" in commands, line
