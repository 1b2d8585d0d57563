"""The wheel holds everything that the checkout has: it is built, installed apart, and used."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment in which only the wheel is new."""
    if not (ROOT / "web" / "dist" / "index.html").is_file():
        pytest.skip("web/dist is not built; run: make setup")
    work = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(work)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = work.glob("geoplan-*.whl")
    venv.create(work / "env", with_pip=True)
    python = work / "env" / "bin" / "python"
    site = Path(
        subprocess.run(
            [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout.strip()
    )  # fmt: skip
    install = [str(python), "-m", "pip", "install", "--no-deps", "--no-index", "-q", str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    # The dependencies are borrowed from this environment, behind the wheel's own files. An
    # editable install of the checkout lives in a .pth file, which a path added this way is not
    # searched for, so the checkout cannot stand in for what the wheel lacks.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def run(python: Path, code: str, cwd: Path) -> str:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(python), "-c", code], cwd=cwd, env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_data_files_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = (
        "import geoplan; from geoplan.catalogue import Catalogue; c = Catalogue.standard();"
        "assert 'site-packages' in geoplan.__file__, geoplan.__file__;"
        "assert '_layers' in str(c.folders[0]), c.folders;"
        "print(len(c.layers()), len(c.profiles()), len(c.packs()), len(c.scenarios()))"
    )
    layers, profiles, packs, scenarios = map(int, run(installed, code, tmp_path).split())
    assert layers == len(list((ROOT / "layers").glob("*.yaml")))
    assert profiles == len(list((ROOT / "layers" / "profiles").glob("*.yaml")))
    assert packs == len(list((ROOT / "layers" / "packs").glob("*.yaml")))
    assert scenarios == len(list((ROOT / "layers" / "scenarios").glob("*.yaml")))


def test_the_page_migrations_and_templates_are_in_the_wheel(
    installed: Path, tmp_path: Path
) -> None:
    code = (
        "import geoplan, pathlib; root = pathlib.Path(geoplan.__file__).parent;"
        "print((root / '_web' / 'index.html').is_file(),"
        " len(list((root / 'store' / 'migrations' / 'versions').glob('*.py'))) > 0,"
        " len(list((root / 'report' / 'templates').iterdir())) > 0,"
        " (root / 'report' / 'assets' / 'leaflet.js').is_file())"
    )
    assert run(installed, code, tmp_path) == "True True True True"


def test_the_command_and_the_service_start(installed: Path, tmp_path: Path) -> None:
    command = installed.parent / "geoplan"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(command), "--version"],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("geoplan ")
    run(installed, "import api.app", tmp_path)
