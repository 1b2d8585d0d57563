"""A country that the repository has never seen runs from files only, without a line of Python."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from second_country import LITRES, SecondCountry, make_second_country

from geoplan.catalogue import Catalogue
from geoplan.ingest.folder import PackFolder
from geoplan.ingest.pack import by_layer, read_layer
from geoplan.ingest.staged import Context
from geoplan.studies.scenario import problems_of


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> SecondCountry:
    return make_second_country(tmp_path_factory.mktemp("otro") / "país")


def test_its_yaml_is_valid(country: SecondCountry) -> None:
    catalogue = Catalogue.standard(country.layers_dir)
    profile = catalogue.profile(str(country.profile))
    scenario = catalogue.scenario(str(country.scenario))
    assert [r.level for r in profile.region_levels] == [1, 2]
    assert scenario.title.in_language("local") == "Dos polos industriales"
    layers = catalogue.layers()
    loaded = {e.layer: 1 for e in catalogue.pack(str(country.pack)).entries}
    assert problems_of(scenario, profile, layers, loaded) == []


def test_its_files_are_read_in_its_own_words(country: SecondCountry) -> None:
    catalogue = Catalogue.standard(country.layers_dir)
    pack = catalogue.pack(str(country.pack))
    profile = catalogue.profile(str(country.profile))
    context = Context(PackFolder(country.delivery), country_layer="departamentos")
    frames: dict[str, Any] = {}
    for name, entries in by_layer(pack).items():
        staged = read_layer(pack, entries, catalogue.layer(name), profile, context)
        assert not [p for p in staged.report if p.severity == "error"], staged.report
        frames[name] = staged.frame
    towns = frames["municipios"].set_index("code")
    assert towns.loc["001", "name_local"] == "Peñarela"
    assert towns.loc["004", "parent_code"] == "02"
    water = frames["fuentes-agua"].set_index("id_fuente")
    for code, (litres, committed) in LITRES.items():
        # 1 l/s = 86.4 m3/day
        assert water.loc[code, "headroom"] == pytest.approx((litres - committed) * 86.4)
    assert water.geometry.y.between(-31, -30).all()
    assert frames["subestaciones"]["headroom"].tolist() == [35.0, 18.0, 30.0, 22.0]
    assert set(frames["vias"]["categoria"]) == {"principal", "local"}
    assert set(frames["datos-municipales"]["unit"]) == {"personas"}


def _geoplan(country: SecondCountry, url: str, home: Path, *words: str) -> dict[str, Any]:
    environ = {
        **os.environ,
        "GEOPLAN_DATABASE_URL": url,
        "GEOPLAN_HOME": str(home),
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    environ.pop("GEOPLAN_LAYERS_DIR", None)
    command = [sys.executable, "-m", "geoplan", "--layers-dir", str(country.layers_dir)]
    command += ["--profile", str(country.profile), *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=240)
    assert done.returncode == 0, f"{words}: {done.stderr[-3000:]}{done.stdout[-2000:]}"
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_it_runs_from_files_to_a_verified_plan(
    country: SecondCountry, database: Any, tmp_path: Path
) -> None:
    url = database.url.render_as_string(hide_password=False)
    home, out = tmp_path / "home", tmp_path / "plan"
    loaded = _geoplan(country, url, home, "pack", "load", str(country.pack), str(country.delivery))
    assert loaded["pack"] == "isla"
    run = _geoplan(country, url, home, "site", "run", str(country.scenario), "--out", str(out))
    assert run["status"] == "optimal" and len(run["sites"]) == 2
    with (out / "portfolio.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    departments = {row["region1_code"] for row in rows}
    assert departments == {"01", "02"}
    _geoplan(country, url, home, "site", "verify", str(out))
