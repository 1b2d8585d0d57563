"""The sample country with what measures of regions need, loaded once, and its commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import made_country
from sqlalchemy import Engine
from typer.testing import CliRunner

from geoplan.catalogue import Catalogue
from geoplan.cli.app import app
from geoplan.sample import make
from geoplan.settings import Settings
from geoplan.studies.pack import load_pack

CATALOGUE = Catalogue.standard()
LAYERS = {
    "provinces", "counties", "province_facts", "county_facts", "estates", "power_plants",
    "substations", "water_sources", "farmland", "ports",
}  # fmt: skip


@dataclass
class Country:
    """A loaded country and the way to its commands."""

    engine: Engine
    home: Path

    def invoke(self, *words: str, profile: str = "sample") -> Any:
        """Run ``geoplan regions …``; its error is raised, else what it printed returned."""
        url = self.engine.url.render_as_string(hide_password=False)
        result = CliRunner().invoke(
            app, ["--home", str(self.home), "--profile", profile, "regions", *words],
            env={"GEOPLAN_DATABASE_URL": url}, standalone_mode=False,
        )  # fmt: skip
        if result.exception is not None:
            raise result.exception
        return result.stdout

    def json(self, *words: str) -> Any:
        """Run it with ``--json`` and return the document."""
        return json.loads(self.invoke(*words, "--json"))


@contextmanager
def sample_country(template_url: str, folder: Path) -> Iterator[Country]:
    """Load the small sample country into a database of its own."""
    delivery = make(folder / "country", size="small").folder
    home = folder / "home"
    home.mkdir()
    with made_country.shared_database(template_url) as engine:
        settings = Settings(
            home=home, database_url=engine.url.render_as_string(hide_password=False),
            runs_dir=home / "runs",
        )  # fmt: skip
        pack = CATALOGUE.pack(str(delivery / "pack.yaml"))
        few = [e for e in pack.entries if e.layer in LAYERS]
        load_pack(
            engine, settings, CATALOGUE, pack.model_copy(update={"entries": tuple(few)}),
            delivery, loaded_by="test",
        )  # fmt: skip
        yield Country(engine, home)
