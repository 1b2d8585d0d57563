"""A real PostGIS for every test that asks for one, and where the data pack lies."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool
from template_database import TEMPLATE

from geoplan.settings import Settings
from geoplan.store import cluster
from geoplan.store.session import engine_for, normal_url

CHROMIUM_FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-gl=angle",  # WebGL in software: no machine that runs tests has a screen
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


def _refuse_if_not_for_tests(name: str | None) -> None:
    if not (name or "").startswith("geoplan_test"):
        raise pytest.UsageError(
            f"database {name!r} is not for tests: its name must start with geoplan_test"
        )


def _execute(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture(scope="session")
def cluster_url() -> Iterator[str]:
    """Address of a server on which tests may make databases; one cluster for the whole session."""
    given = os.environ.get("GEOPLAN_TEST_DATABASE_URL")
    if given:
        url = normal_url(given)
        _refuse_if_not_for_tests(make_url(url).database)
        yield url
        return
    # Not pytest's own folder: that one is closed to the user that PostgreSQL runs as under root.
    home = Path(tempfile.mkdtemp(prefix="geoplan-test-"))
    home.chmod(0o755)
    private = Settings(home=home)
    status = cluster.up(private, durable=False)
    try:
        assert status.url is not None
        yield status.url
    finally:
        cluster.down(private)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template_url(cluster_url: str) -> Iterator[str]:
    """Maintenance address of the server, on which the migrated template now lies."""
    _execute(
        cluster_url,
        f"drop database if exists {TEMPLATE} with (force)",
        f"create database {TEMPLATE} template template0 encoding 'UTF8'",
    )
    url = make_url(cluster_url).set(database=TEMPLATE).render_as_string(hide_password=False)
    cluster.migrate(url)
    yield cluster_url
    _execute(cluster_url, f"drop database if exists {TEMPLATE} with (force)")


@pytest.fixture
def database(template_url: str) -> Iterator[Engine]:
    """An engine on a fresh database with all tables, dropped afterwards."""
    name = f"geoplan_test_{secrets.token_hex(6)}"
    _execute(template_url, f"create database {name} template {TEMPLATE}")
    url = make_url(template_url).set(database=name).render_as_string(hide_password=False)
    engine = engine_for(url)
    _refuse_if_not_for_tests(engine.url.database)
    try:
        yield engine
    finally:
        engine.dispose()
        _execute(template_url, f"drop database if exists {name} with (force)")


@pytest.fixture
def settings(database: Engine, tmp_path: Path) -> Settings:
    """Settings with a home of their own, on the fresh database."""
    home = tmp_path / "home"
    home.mkdir()
    return Settings(
        home=home,
        database_url=database.url.render_as_string(hide_password=False),
        runs_dir=home / "runs",
    )


@pytest.fixture(scope="session")
def iran_pack() -> Path:
    """Folder of the Iran data pack, which is no part of this repository."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data" / "iran"
    if not folder.is_dir():
        pytest.skip(f"the Iran data pack is not beside this checkout: {folder}")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real headless Chromium: one for the session, as Playwright starts once in a process."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()
