"""What is checked before a scenario runs."""

from typing import Any

import pytest
import yaml

from geoplan.catalogue import Catalogue, Scenario
from geoplan.errors import Problem
from geoplan.studies.scenario import problems_of, resolve_rule

CATALOGUE = Catalogue.standard()
LAYERS = CATALOGUE.layers()
PROFILE = CATALOGUE.profile("iran")
PATH = CATALOGUE.scenario_path("iran_large_estates")


def problems(change: dict[str, Any] | None = None, *, loaded: bool = True) -> list[Problem]:
    data = yaml.safe_load(PATH.read_text(encoding="utf-8"))
    for path, value in (change or {}).items():
        target = data
        *parents, last = path.split(".")
        for part in parents:
            target = target[int(part)] if part.isdigit() else target[part]
        target[int(last) if last.isdigit() else last] = value
    scenario = Scenario.model_validate(data)
    return problems_of(scenario, PROFILE, LAYERS, LAYERS if loaded else {})


def test_the_bundled_scenario_has_no_problem() -> None:
    assert problems() == []


@pytest.mark.parametrize(
    ("path", "value", "where", "message"),
    [
        ("area.layer", "provinzes", "area.layer", "unknown layer 'provinzes'"),
        ("area.layer", "roads", "area.layer", "holds features, not regions"),
        ("exclude.4.where", "klass == 'x'", "main-roads", "no column 'klass'"),
        ("exclude.4.where", "import os", "main-roads", "cannot read the expression"),
        ("exclude.0.rule", "doe-1378/slop", "slope.rule", "has no rule"),
        ("exclude.0.raster", "roads", "slope.raster", "is a vector, not a raster"),
        ("criteria.slope.unit", "deg", "criteria.slope.unit", "is in %, not deg"),
        ("criteria.slope.value", {"kind": "categorical", "values": {1: 1}}, "value", "numbers"),
        ("demand.mix", {"metal": 0.5, "fod": 0.5}, "demand.mix.fod", "no activity class 'fod'"),
        ("supply.power.layers", ["roads"], "supply.power", "not utility_nodes"),
        ("candidates.area_ha", [1, 2], "candidates.area_ha", "smaller than one cell"),
        ("candidates.area_ha", [30, 2000], "candidates.area_ha", "fewer than 4 cells"),
        ("candidates.keep", 3, "candidates.keep", "for 15 sites"),
        ("criteria.water.weight", None, "criteria.water.weight", "no weight"),
    ],
)
def test_each_mistake_names_its_place(path: str, value: Any, where: str, message: str) -> None:
    found = problems({path: value})
    assert len(found) == 1, found
    assert where in found[0].where
    assert message in found[0].what
    assert found[0].remedy


def test_near_names_are_proposed() -> None:
    assert "did you mean 'provinces'?" in problems({"area.layer": "provinzes"})[0].remedy
    assert "did you mean 'food'?" in problems({"demand.mix": {"fod": 1.0}})[0].remedy


def test_layers_that_are_not_loaded_are_told_once_each() -> None:
    found = problems(loaded=False)
    assert {p.code for p in found} == {"not-loaded"}
    assert any("'elevation' has not been loaded" in p.what for p in found)


def test_a_rule_of_the_profile_gives_distance_basis_and_status() -> None:
    scenario = CATALOGUE.scenario("iran_large_estates")
    rule = next(r for r in scenario.exclude if r.id == "settlements")
    resolved, legal = resolve_rule(rule, PROFILE)
    # Decree 64677 of 1378, group ه, settlements: 1500 m.
    assert resolved.within_m == 1500
    assert legal is not None
    assert "64677" in str(resolved.basis)
    assert resolved.status == "superseded"
