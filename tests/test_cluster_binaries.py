"""Which PostgreSQL is taken, and what is said when none can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from geoplan.errors import PostgisMissing
from geoplan.store.binaries import find_binaries, install_remedy


def install(folder: Path, version: str, postgis: str | None) -> Path:
    """Make an installation that answers like PostgreSQL's programs do."""
    programs = folder / "bin"
    programs.mkdir(parents=True)
    share = folder / "share"
    (share / "extension").mkdir(parents=True)
    answers = {
        "postgres": f"postgres (PostgreSQL) {version} (Debian {version}-1)",
        "pg_config": str(share),
    }
    for name in ("initdb", "pg_ctl", "pg_dump", "pg_restore", *answers):
        program = programs / name
        program.write_text(f"#!/bin/sh\necho '{answers.get(name, name)}'\n")
        program.chmod(0o755)
    if postgis is not None:
        control = share / "extension" / "postgis.control"
        control.write_text(f"# postgis extension\ndefault_version = '{postgis}'\n")
    return programs


def test_newest_with_postgis_wins(tmp_path):
    folders = [
        install(tmp_path / "15", "15.4", "3.3.2"),
        install(tmp_path / "17", "17.1", "3.5.0"),
        install(tmp_path / "16", "16.9", "3.4.1"),
    ]
    found = find_binaries(folders)
    assert (found.major, found.version, found.postgis) == (17, (17, 1), "3.5.0")
    assert found.program("initdb") == str(folders[1] / "initdb")


def test_newer_without_postgis_is_passed_over(tmp_path):
    folders = [
        install(tmp_path / "99", "99.0", "2.0.0"),
        install(tmp_path / "15", "15.4", "3.10.0"),
    ]
    assert find_binaries(folders).major == 15


def test_data_folder_fixes_the_major_version(tmp_path):
    folders = [install(tmp_path / n, f"{n}.0", "3.4.0") for n in ("15", "16")]
    assert find_binaries(folders, major=15).major == 15
    with pytest.raises(PostgisMissing, match="made by PostgreSQL 17") as caught:
        find_binaries(folders, major=17, where="home/data")
    assert "postgresql-17-postgis-3" in caught.value.remedy
    assert caught.value.where == "home/data"


@pytest.mark.parametrize(
    ("version", "postgis", "said"),
    [
        ("14.9", "3.3.0", "PostgreSQL 14.9 in .* is older than 15"),
        ("16.1", "3.2.9", "PostGIS 3.2.9 of .* is older than 3.3"),
    ],
)
def test_too_old(tmp_path, version, postgis, said):
    with pytest.raises(PostgisMissing, match=said):
        find_binaries([install(tmp_path / "old", version, postgis)])


def test_nothing_there_names_the_packages(tmp_path):
    with pytest.raises(PostgisMissing, match="no PostgreSQL server") as caught:
        find_binaries([tmp_path / "nowhere"])
    assert caught.value.exit_code == 2
    assert "apt-get install postgresql postgresql-" in caught.value.remedy
    assert "GEOPLAN_DATABASE_URL" in caught.value.remedy


def test_postgresql_without_postgis_names_its_own_package():
    assert "postgresql-16-postgis-3" in install_remedy(16)
    assert "postgresql-14-postgis-3" not in install_remedy(14)


def test_this_machine():
    found = find_binaries()
    assert found.major >= 15
    assert Path(found.program("pg_ctl")).exists()
